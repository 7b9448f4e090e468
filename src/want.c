#include "mirror.h"

/* Where a hash is, or would go. Any bytes of a SHA-256 spread well enough. */
static uint32_t *slot_of(const struct pk_wants *w, const unsigned char *hash)
{
	size_t i = (size_t)pk_le64(hash) & (w->slots - 1);

	while (w->slot[i] &&
	       memcmp(w->item[w->slot[i] - 1]->hash, hash, PK_HASH_SIZE))
		i = (i + 1) & (w->slots - 1);
	return &w->slot[i];
}

struct pk_want *pk_wants_find(const struct pk_wants *w,
			      const unsigned char hash[PK_HASH_SIZE])
{
	uint32_t at = w->slots ? *slot_of(w, hash) : 0;

	return at ? w->item[at - 1] : NULL;
}

static int grow(struct pk_wants *w)
{
	size_t cap = w->cap ? 2 * w->cap : 64;
	uint32_t *slot = calloc(2 * cap, sizeof(*slot));
	void *item = slot ? realloc(w->item, cap * sizeof(struct pk_want *))
			  : NULL;

	if (!item) {
		free(slot);
		return -1;
	}
	free(w->slot);
	w->item = item;
	w->cap = cap;
	w->slot = slot;
	w->slots = 2 * cap;
	for (size_t i = 0; i < w->n; i++)
		*slot_of(w, w->item[i]->hash) = (uint32_t)i + 1;
	return 0;
}

struct pk_want *pk_wants_add(struct pk_wants *w,
			     const unsigned char hash[PK_HASH_SIZE])
{
	struct pk_want *want;

	if (w->n == w->cap && grow(w))
		return NULL;
	want = calloc(1, sizeof(*want));
	if (!want)
		return NULL;
	memcpy(want->hash, hash, PK_HASH_SIZE);
	w->item[w->n++] = want;
	*slot_of(w, hash) = (uint32_t)w->n;
	return want;
}

void pk_wants_release(struct pk_wants *w)
{
	for (size_t i = 0; i < w->n; i++) {
		free(w->item[i]->id);
		free(w->item[i]->version);
		free(w->item[i]->why);
		free(w->item[i]);
	}
	free(w->item);
	free(w->slot);
	*w = (struct pk_wants){ .n = 0 };
}
