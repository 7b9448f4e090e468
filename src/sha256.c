#include "sha256.h"

#include <openssl/evp.h>
#include <openssl/sha.h>
#include <stdlib.h>

struct pk_sha {
	EVP_MD_CTX *ctx;
};

void pk_sha_free(struct pk_sha *sha)
{
	if (sha)
		EVP_MD_CTX_free(sha->ctx);
	free(sha);
}

void pk_sha_auto(struct pk_sha **sha)
{
	pk_sha_free(*sha);
}

struct pk_sha *pk_sha_new(void)
{
	struct pk_sha *sha = malloc(sizeof(*sha));

	if (!sha)
		return NULL;
	sha->ctx = EVP_MD_CTX_new();
	if (!sha->ctx || !EVP_DigestInit_ex(sha->ctx, EVP_sha256(), NULL)) {
		pk_sha_free(sha);
		return NULL;
	}
	return sha;
}

int pk_sha_of(struct pk_sha *sha, const struct pk_bytes *part, size_t parts,
	      unsigned char out[PK_HASH_SIZE])
{
	/* NULL: the digest that is set already, without fetching it again */
	if (!EVP_DigestInit_ex(sha->ctx, NULL, NULL))
		return -1;
	for (size_t i = 0; i < parts; i++)
		if (!EVP_DigestUpdate(sha->ctx, part[i].at, part[i].left))
			return -1;
	return EVP_DigestFinal_ex(sha->ctx, out, NULL) ? 0 : -1;
}

int pk_sha256(const void *bytes, size_t size, unsigned char out[PK_HASH_SIZE])
{
	return SHA256(bytes, size, out) ? 0 : -1;
}
