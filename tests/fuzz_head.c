/* fuzz_head.c - heads of requests. */
#include <stdint.h>

#include "heads.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	char *exact = malloc(size ? size : 1);

	memcpy(exact, bytes, size);
	heads_again(exact, size);
	free(exact);
	return 0;
}
