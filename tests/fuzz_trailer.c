/* fuzz_trailer.c - trailers, as they come and with a sum that is right. */
#include "fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	unsigned char sealed[PK_TRAILER_SIZE];

	fuzz_again(again_trailer, bytes, size);
	if (size != PK_TRAILER_SIZE)
		return 0;
	memcpy(sealed, bytes, size);
	pk_put_le64(sealed + 56, pk_sum(pk_le64(again_name), sealed, 56));
	fuzz_again(again_trailer, sealed, size);
	return 0;
}
