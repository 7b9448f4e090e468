/* sha256.h - SHA-256. With sign.h the home of OpenSSL. */
#ifndef PK_SHA256_H
#define PK_SHA256_H

#include "bytes.h"

/* A context made once is what keeps a hash of a few bytes cheap. Not shared
 * by threads. NULL when out of memory. */
struct pk_sha *pk_sha_new(void);
void pk_sha_free(struct pk_sha *sha);
void pk_sha_auto(struct pk_sha **sha);

/* The hash of the parts one behind the other; 0, or -1: out of memory. */
int pk_sha_of(struct pk_sha *sha, const struct pk_bytes *part, size_t parts,
	      unsigned char out[PK_HASH_SIZE]);
int pk_sha256(const void *bytes, size_t size, unsigned char out[PK_HASH_SIZE]);

#endif
