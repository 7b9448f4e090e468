/* fuzz_candidates.c - lists of candidates, as they come and with a sum that is
 * right. */
#include "fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	static unsigned char sealed[AGAIN_MAX];

	fuzz_again(again_candidates, bytes, size);
	if (size < 8 || size > sizeof(sealed))
		return 0;
	memcpy(sealed, bytes, size);
	pk_put_le64(sealed + size - 8, pk_sum(0, sealed, size - 8));
	fuzz_again(again_candidates, sealed, size);
	return 0;
}
