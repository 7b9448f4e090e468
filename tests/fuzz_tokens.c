/* fuzz_tokens.c - the text that says who may do what. The server's sources
 * are taken in, as fuzz targets link the library alone. */
#include "../tools/server/bearer.c"
#include "../tools/server/fail.c"
#include "../tools/server/text.c"
#include "../tools/server/tokens.c"

#include "tokens_again.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	if (tokens_again((const char *)bytes, size) < 0)
		abort();
	return 0;
}
