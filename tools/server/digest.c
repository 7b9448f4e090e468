#include "digest.h"

#include <openssl/evp.h>
#include <stdio.h>

int digest_sha256(const void *bytes, size_t size,
		  unsigned char out[DIGEST_SIZE])
{
	return EVP_Digest(bytes, size, out, NULL, EVP_sha256(), NULL) == 1
		       ? 0
		       : -1;
}

void digest_hex(const unsigned char digest[DIGEST_SIZE],
		char out[DIGEST_HEX + 1])
{
	size_t i;

	for (i = 0; i < DIGEST_SIZE; i++)
		snprintf(out + 2 * i, 3, "%02x", digest[i]);
}
