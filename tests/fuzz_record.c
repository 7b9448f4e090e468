/* fuzz_record.c - journal records, as they come and with a length and sums
 * that are right, so that what is behind the checksums is reached. */
#include "fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	unsigned char *sealed;

	fuzz_again(again_record, bytes, size);
	if (size <= PK_RECORD_HEADER)
		return 0;
	sealed = malloc(size);
	memcpy(sealed, bytes, size);
	size -= PK_RECORD_HEADER;
	pk_put_le64(sealed + 40, size);
	pk_put_le64(sealed + 112, pk_sum(0, sealed + PK_RECORD_HEADER, size));
	pk_put_le64(sealed + 120, pk_sum(0, sealed, 120));
	fuzz_again(again_record, sealed, PK_RECORD_HEADER + size);
	free(sealed);
	return 0;
}
