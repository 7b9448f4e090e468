/* fuzz_tokens.c - the text that says who may do what. */
#include "tokens_again.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	if (tokens_again((const char *)bytes, size) < 0)
		abort();
	return 0;
}
