#include "set.h"

#include <stdlib.h>

static const unsigned char none[PK_HASH_SIZE];

/* Where a hash is, or would go. Any bytes of a SHA-256 spread well enough. */
static unsigned char *slot_of(const struct pk_set *s, const unsigned char *hash)
{
	size_t i = (size_t)pk_le64(hash) & (s->cap - 1);

	while (memcmp(s->slot[i], none, PK_HASH_SIZE) &&
	       memcmp(s->slot[i], hash, PK_HASH_SIZE))
		i = (i + 1) & (s->cap - 1);
	return s->slot[i];
}

int pk_set_has(const struct pk_set *s, const unsigned char hash[PK_HASH_SIZE])
{
	return s->cap && !memcmp(slot_of(s, hash), hash, PK_HASH_SIZE);
}

static int grow(struct pk_set *s)
{
	struct pk_set larger = { .n = s->n, .cap = s->cap ? 2 * s->cap : 64 };

	larger.slot = calloc(larger.cap, PK_HASH_SIZE);
	if (!larger.slot)
		return -1;
	for (size_t i = 0; i < s->cap; i++)
		if (memcmp(s->slot[i], none, PK_HASH_SIZE))
			memcpy(slot_of(&larger, s->slot[i]), s->slot[i],
			       PK_HASH_SIZE);
	free(s->slot);
	*s = larger;
	return 0;
}

int pk_set_add(struct pk_set *s, const unsigned char hash[PK_HASH_SIZE])
{
	if (2 * s->n >= s->cap && grow(s))
		return -1;
	if (pk_set_has(s, hash))
		return 0;
	memcpy(slot_of(s, hash), hash, PK_HASH_SIZE);
	s->n++;
	return 1;
}

void pk_set_release(struct pk_set *s)
{
	free(s->slot);
	s->slot = NULL;
	s->n = s->cap = 0;
}
