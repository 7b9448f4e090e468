/* fuzz_object.c - the members of an object that a client sent. */
#include "object_again.h"

#include <stdint.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	if (object_again(bytes, size) < 0)
		abort();
	return 0;
}
