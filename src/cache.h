/* cache.h - decoded texts by hash, bounded; out goes first what was not
 * asked for since it was put, then what was longest ago: a segmented LRU
 * (Karedla, Love and Wherry, 1994).
 *
 * Texts are shared and counted: pk_text_free() drops one reference. A cache
 * may be used by several threads.
 */
#ifndef PK_CACHE_H
#define PK_CACHE_H

#include "bytes.h"

#include <stdatomic.h>

/* An immutable text; bytes has a NUL behind it. */
struct pk_shared {
	atomic_uint refs;
	size_t size;
	char *bytes; /* malloc'ed, owned */
};

/* Takes over bytes; frees it and gives NULL when out of memory. */
struct pk_shared *pk_shared_new(char *bytes, size_t size);
struct pk_shared *pk_shared_ref(struct pk_shared *t);
void pk_shared_free(struct pk_shared *t); /* one reference; NULL is fine */
void pk_shared_auto(struct pk_shared **t);

struct pk_cache;
/* NULL when out of memory. A cache of fewer bytes than a text keeps none. */
struct pk_cache *pk_cache_new(size_t bytes);
void pk_cache_free(struct pk_cache *c);
/* Whether it would keep a text of this size; NULL keeps none. */
int pk_cache_takes(const struct pk_cache *c, size_t size);
/* A reference, or NULL. */
struct pk_shared *pk_cache_get(struct pk_cache *c,
			       const unsigned char hash[PK_HASH_SIZE]);
/* Keeps a reference of its own, if it can. */
void pk_cache_put(struct pk_cache *c, const unsigned char hash[PK_HASH_SIZE],
		  struct pk_shared *t);

#endif
