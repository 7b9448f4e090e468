#include "bearer.h"

#include <errno.h>
#include <string.h>
#include <sys/random.h>

#include "digest.h"
#include "hex.h"

enum { HEAD = sizeof(BEARER_PREFIX) - 1, BODY = HEAD + 64, CHECK = 8 };

/* 0, or -1: out of memory. */
static int checksum(const char *secret, char sum[CHECK])
{
	unsigned char digest[DIGEST_SIZE];

	if (digest_sha256(secret, BODY, digest))
		return -1;
	hex_write(digest, CHECK / 2, sum);
	return 0;
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
	hex_write(random, sizeof(random), secret + HEAD);
	explicit_bzero(random, sizeof(random));
	secret[BEARER_SIZE] = '\0';
	return checksum(secret, secret + BODY) ? ENOMEM : 0;
}

int bearer_is_shaped(const char *text, size_t size)
{
	char sum[CHECK];

	return size == BEARER_SIZE && !memcmp(text, BEARER_PREFIX, HEAD) &&
		!checksum(text, sum) && !memcmp(sum, text + BODY, CHECK);
}
