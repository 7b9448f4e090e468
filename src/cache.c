#include "cache.h"

#include <pthread.h>
#include <stdlib.h>

#define BUCKETS_FIRST 64
/* What an item takes beside its text, so that many short ones are bounded. */
#define ITEM_COST 192

struct item {
	unsigned char hash[PK_HASH_SIZE];
	struct pk_shared *text;
	struct item *chain;	  /* of its bucket */
	struct item *newer, *older; /* of its order of use */
	int is_wanted;
};

struct order {
	struct item *newest, *oldest;
	size_t used; /* bytes, all counted */
};

struct pk_cache {
	pthread_mutex_t lock;
	size_t max;
	struct order order[2]; /* put and not asked for yet; and asked for */
	struct item **bucket;
	size_t buckets, count; /* a power of two; about one item in each */
};

struct pk_shared *pk_shared_new(char *bytes, size_t size)
{
	struct pk_shared *t = malloc(sizeof(*t));

	if (!t) {
		free(bytes);
		return NULL;
	}
	atomic_init(&t->refs, 1);
	t->bytes = bytes;
	t->size = size;
	return t;
}

struct pk_shared *pk_shared_ref(struct pk_shared *t)
{
	atomic_fetch_add(&t->refs, 1);
	return t;
}

void pk_shared_free(struct pk_shared *t)
{
	if (!t || atomic_fetch_sub(&t->refs, 1) != 1)
		return;
	free(t->bytes);
	free(t);
}

void pk_shared_auto(struct pk_shared **t)
{
	pk_shared_free(*t);
}

struct pk_cache *pk_cache_new(size_t bytes)
{
	struct pk_cache *c = calloc(1, sizeof(*c));

	if (!c)
		return NULL;
	c->bucket = calloc(BUCKETS_FIRST, sizeof(*c->bucket));
	if (!c->bucket) {
		free(c);
		return NULL;
	}
	pthread_mutex_init(&c->lock, NULL);
	c->buckets = BUCKETS_FIRST;
	c->max = bytes;
	return c;
}

static struct item **slot_of(struct pk_cache *c, const unsigned char *hash)
{
	/* any bytes of a SHA-256 are as good as a hash of it */
	struct item **at = &c->bucket[pk_le32(hash) & (c->buckets - 1)];

	while (*at && memcmp((*at)->hash, hash, PK_HASH_SIZE))
		at = &(*at)->chain;
	return at;
}

/* Without memory it stays as it is, and is only slower. */
static void grow(struct pk_cache *c)
{
	struct item **old = c->bucket;
	struct item **bucket = calloc(2 * c->buckets, sizeof(*bucket));

	if (!bucket)
		return;
	c->bucket = bucket;
	c->buckets *= 2;
	for (int n = 0; n < 2; n++) {
		struct item *i = c->order[n].newest;

		for (; i; i = i->older) {
			struct item **at = &bucket[pk_le32(i->hash) &
						   (c->buckets - 1)];

			i->chain = *at;
			*at = i;
		}
	}
	free(old);
}

static size_t cost(const struct pk_shared *t)
{
	return t->size + ITEM_COST;
}

static void unlink_order(struct pk_cache *c, struct item *i)
{
	struct order *o = &c->order[i->is_wanted];

	*(i->newer ? &i->newer->older : &o->newest) = i->older;
	*(i->older ? &i->older->newer : &o->oldest) = i->newer;
	o->used -= cost(i->text);
}

static void push_newest(struct pk_cache *c, struct item *i, int is_wanted)
{
	struct order *o = &c->order[is_wanted];

	i->is_wanted = is_wanted;
	i->newer = NULL;
	i->older = o->newest;
	*(o->newest ? &o->newest->newer : &o->oldest) = i;
	o->newest = i;
	o->used += cost(i->text);
}

/* A text that is asked for again outlives any number that were needed once:
 * whole texts and bases, which cost the most to make, are among the first. In
 * reads at random of five times what fits, this halved the time. */
static void want(struct pk_cache *c, struct item *i)
{
	unlink_order(c, i);
	push_newest(c, i, 1);
	while (c->order[1].used > c->max / 8 * 7 && c->order[1].oldest) {
		i = c->order[1].oldest;
		unlink_order(c, i);
		push_newest(c, i, 0);
	}
}

static void drop_one(struct pk_cache *c)
{
	struct item *i = c->order[!c->order[0].oldest].oldest;

	*slot_of(c, i->hash) = i->chain;
	unlink_order(c, i);
	c->count--;
	pk_shared_free(i->text);
	free(i);
}

void pk_cache_free(struct pk_cache *c)
{
	if (!c)
		return;
	while (c->count)
		drop_one(c);
	pthread_mutex_destroy(&c->lock);
	free(c->bucket);
	free(c);
}

struct pk_shared *pk_cache_get(struct pk_cache *c,
			       const unsigned char hash[PK_HASH_SIZE])
{
	struct pk_shared *t = NULL;
	struct item *i;

	pthread_mutex_lock(&c->lock);
	i = *slot_of(c, hash);
	if (i) {
		want(c, i);
		t = pk_shared_ref(i->text);
	}
	pthread_mutex_unlock(&c->lock);
	return t;
}

int pk_cache_takes(const struct pk_cache *c, size_t size)
{
	return c && size + ITEM_COST <= c->max;
}

void pk_cache_put(struct pk_cache *c, const unsigned char hash[PK_HASH_SIZE],
		  struct pk_shared *t)
{
	struct item *i, **at;

	if (!pk_cache_takes(c, t->size))
		return;
	pthread_mutex_lock(&c->lock);
	if (*slot_of(c, hash))
		goto out;
	i = malloc(sizeof(*i));
	if (!i)
		goto out;
	while (c->order[0].used + c->order[1].used + cost(t) > c->max)
		drop_one(c);
	if (++c->count > c->buckets)
		grow(c);
	memcpy(i->hash, hash, PK_HASH_SIZE);
	i->text = pk_shared_ref(t);
	i->chain = NULL;
	at = slot_of(c, hash);
	*at = i;
	push_newest(c, i, 0);
out:
	pthread_mutex_unlock(&c->lock);
}
