/* set.h - a set of SHA-256 hashes. All zero is an empty one. */
#ifndef PK_SET_H
#define PK_SET_H

#include "bytes.h"

struct pk_set {
	unsigned char (*slot)[PK_HASH_SIZE]; /* zero: free */
	size_t n, cap;			     /* cap 0 or a power of two */
};

int pk_set_has(const struct pk_set *s, const unsigned char hash[PK_HASH_SIZE]);
/* 1 when it is new, 0 when it was there, -1 when out of memory. */
int pk_set_add(struct pk_set *s, const unsigned char hash[PK_HASH_SIZE]);
void pk_set_release(struct pk_set *s);

#endif
