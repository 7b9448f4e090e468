/* fuzz_key.c - values of the index, with any key and a sum that is right,
 * and the keys of entries. The first byte chooses the kind. */
#include "fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	static again_fn *const all[] = { again_line,   again_head,
					 again_live,   again_latest,
					 again_location, again_stamp,
					 again_purged, again_attrs };
	static const size_t kinds = sizeof(all) / sizeof(all[0]);
	unsigned char *sealed;
	uint64_t ordinal, seq;
	struct pk_key k;
	again_fn *again;
	size_t key;

	if (size < 2)
		return 0;
	again = all[bytes[0] % kinds];
	fuzz_again(again, ++bytes, --size);
	if (!pk_key_entry_decode((struct pk_bytes){ bytes, size }, "id",
				 &ordinal, &seq)) {
		pk_key_entry(&k, "id", ordinal, seq);
		if (k.size != size || memcmp(k.bytes, bytes, size))
			abort();
	}
	key = 1 + (size_t)bytes[0];
	if (key > size)
		return 0;
	sealed = malloc(size + 8);
	memcpy(sealed, bytes, size);
	pk_put_le64(sealed + size,
		    pk_sum(pk_sum(0, sealed + 1, key - 1), sealed + key,
			   size - key));
	fuzz_again(again, sealed, size + 8);
	free(sealed);
	return 0;
}
