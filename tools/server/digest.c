#include "digest.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>

#include "hex.h"

int digest_sha256(const void *bytes, size_t size,
		  unsigned char out[DIGEST_SIZE])
{
	return EVP_Digest(bytes, size, out, NULL, EVP_sha256(), NULL) == 1
		       ? 0
		       : -1;
}

int digest_is_same(const unsigned char a[DIGEST_SIZE],
		   const unsigned char b[DIGEST_SIZE])
{
	return !CRYPTO_memcmp(a, b, DIGEST_SIZE);
}

void digest_hex(const unsigned char digest[DIGEST_SIZE],
		char out[DIGEST_HEX + 1])
{
	hex_write(digest, DIGEST_SIZE, out);
	out[DIGEST_HEX] = '\0';
}
