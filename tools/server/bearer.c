#include "bearer.h"

#include <errno.h>
#include <openssl/crypto.h>
#include <openssl/sha.h>
#include <string.h>
#include <sys/random.h>

enum { HEAD = sizeof(BEARER_PREFIX) - 1, BODY = HEAD + 64 };

static void hex(const unsigned char *bytes, size_t size, char *out)
{
	static const char digits[] = "0123456789abcdef";
	size_t i;

	for (i = 0; i < size; i++) {
		out[2 * i] = digits[bytes[i] >> 4];
		out[2 * i + 1] = digits[bytes[i] & 15];
	}
}

static void checksum(const char *secret, char sum[8])
{
	unsigned char digest[BEARER_DIGEST];

	bearer_digest(secret, BODY, digest);
	hex(digest, 4, sum);
}

int bearer_new(char secret[BEARER_SIZE + 1])
{
	unsigned char random[32];
	ssize_t n;

	do {
		n = getrandom(random, sizeof(random), 0);
	} while (n < 0 && errno == EINTR);
	if (n != (ssize_t)sizeof(random))
		return n < 0 ? errno : EIO;
	memcpy(secret, BEARER_PREFIX, HEAD);
	hex(random, sizeof(random), secret + HEAD);
	explicit_bzero(random, sizeof(random));
	checksum(secret, secret + BODY);
	secret[BEARER_SIZE] = '\0';
	return 0;
}

int bearer_is_shaped(const char *text, size_t size)
{
	char sum[8];

	if (size != BEARER_SIZE || memcmp(text, BEARER_PREFIX, HEAD))
		return 0;
	checksum(text, sum);
	return !CRYPTO_memcmp(sum, text + BODY, sizeof(sum));
}

void bearer_digest(const char *text, size_t size,
		   unsigned char digest[BEARER_DIGEST])
{
	SHA256((const unsigned char *)text, size, digest);
}

int bearer_is_same(const unsigned char a[BEARER_DIGEST],
		   const unsigned char b[BEARER_DIGEST])
{
	return !CRYPTO_memcmp(a, b, BEARER_DIGEST);
}
