/* fuzz_tlogproof.c - proofs of entries, and of logs that have grown; what is
 * one in form is checked too, and does not hold. */
#include "fuzz.h"
#include "pakhus.h"
#include "proof.h"

#define GOSUM                                                                  \
	"sum.golang.org+033de0ae+Ac4zctda0e5eza+HJyk9SxEdh+s3Ux18htTTAD8OuAn8"

static void check(const char *text, size_t size)
{
	static const unsigned char first[PK_HASH_SIZE] = { 1 };
	static const unsigned char second[PK_HASH_SIZE] = { 2 };
	static struct pk_sha *sha;
	struct pakhus_proof out;
	struct pk_proof p;
	struct pk_growth g;

	if (!sha)
		sha = pk_sha_new();
	if (!pakhus_check_proof(text, size, GOSUM, &out, NULL))
		abort();
	for (unsigned i = 0; !pk_proof_decode(text, size, &p) && i < 54; i++)
		if (pk_check_inclusion(sha, first, p.index,
				       p.index + (UINT64_C(1) << i), second,
				       &p.path))
			abort();
	if (!pk_growth_decode(text, size, &g) &&
	    pk_check_consistency(sha, g.from, first, g.to, second, &g.path))
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	fuzz_again(again_proof, bytes, size);
	fuzz_again(again_growth, bytes, size);
	check((const char *)bytes, size);
	return 0;
}
