/* The digest itself and not EVP, though OpenSSL 3 calls it deprecated: EVP
 * loads providers and configuration first, which took half of what opening
 * a store takes, and then as long for a tile's 65 bytes as hashing them. */
#define OPENSSL_SUPPRESS_DEPRECATED
#include "sha256.h"

#include <openssl/sha.h>
#include <stdlib.h>

struct pk_sha {
	SHA256_CTX ctx;
};

void pk_sha_free(struct pk_sha *sha)
{
	free(sha);
}

void pk_sha_auto(struct pk_sha **sha)
{
	pk_sha_free(*sha);
}

struct pk_sha *pk_sha_new(void)
{
	return malloc(sizeof(struct pk_sha));
}

int pk_sha_of(struct pk_sha *sha, const struct pk_bytes *part, size_t parts,
	      unsigned char out[PK_HASH_SIZE])
{
	if (!SHA256_Init(&sha->ctx))
		return -1;
	for (size_t i = 0; i < parts; i++)
		if (!SHA256_Update(&sha->ctx, part[i].at, part[i].left))
			return -1;
	return SHA256_Final(out, &sha->ctx) ? 0 : -1;
}

int pk_sha256(const void *bytes, size_t size, unsigned char out[PK_HASH_SIZE])
{
	struct pk_bytes whole = { bytes, size };
	struct pk_sha sha;

	return pk_sha_of(&sha, &whole, 1, out);
}
