/* stripes.h - locks by name, for who reads, decides and writes: two of one
 * package wait for each other, and hardly any others do, so that they share
 * the store's syncs. Other processes are not kept out.
 */
#ifndef STRIPES_H
#define STRIPES_H

#include <pthread.h>

enum { STRIPES = 64 };

struct stripes {
	pthread_mutex_t lock[STRIPES];
};

static inline void stripes_init(struct stripes *s)
{
	int i;

	for (i = 0; i < STRIPES; i++)
		pthread_mutex_init(&s->lock[i], NULL);
}

static inline void stripes_release(struct stripes *s)
{
	int i;

	for (i = 0; i < STRIPES; i++)
		pthread_mutex_destroy(&s->lock[i]);
}

/* The lock of a name, held; pthread_mutex_unlock() it. */
static inline pthread_mutex_t *stripes_lock(struct stripes *s, const char *name)
{
	unsigned h = 2166136261u; /* FNV-1a */

	for (; *name; name++)
		h = (h ^ (unsigned char)*name) * 16777619u;
	pthread_mutex_lock(&s->lock[h % STRIPES]);
	return &s->lock[h % STRIPES];
}

#endif
