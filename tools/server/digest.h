/* digest.h - SHA-256; digest.c is the home of libcrypto in the server. */
#ifndef DIGEST_H
#define DIGEST_H

#include <stddef.h>

enum { DIGEST_SIZE = 32, DIGEST_HEX = 64 };

/* 0, or -1: out of memory. */
int digest_sha256(const void *bytes, size_t size,
		  unsigned char out[DIGEST_SIZE]);
/* Takes as long where they differ early as where they do not. */
int digest_is_same(const unsigned char a[DIGEST_SIZE],
		   const unsigned char b[DIGEST_SIZE]);
void digest_hex(const unsigned char digest[DIGEST_SIZE],
		char out[DIGEST_HEX + 1]);

#endif
