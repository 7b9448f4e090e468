#include "recent.h"

#include <stdlib.h>

void pk_recent_init(struct pk_recent *r)
{
	pthread_mutex_init(&r->lock, NULL);
	r->first = NULL;
}

static void drop(struct pk_recent_record **link)
{
	struct pk_recent_record *x = *link;

	*link = x->next;
	free(x->bytes);
	free(x);
}

void pk_recent_release(struct pk_recent *r)
{
	while (r->first)
		drop(&r->first);
	pthread_mutex_destroy(&r->lock);
}

static int is_at(const struct pk_recent_record *x,
		 const unsigned char *generation, uint64_t at)
{
	return x->at == at && !memcmp(x->record.generation, generation,
				      PK_GENERATION_SIZE);
}

int pk_recent_put(struct pk_recent *r, const struct pk_recent_record *what,
		  uint64_t durable)
{
	struct pk_recent_record *x = malloc(sizeof(*x)), **link;

	if (!x)
		return 1;
	*x = *what;
	pthread_mutex_lock(&r->lock);
	for (link = &r->first; *link;)
		/* what stood there before was never made durable */
		if ((*link)->record.seq + (*link)->record.entries <= durable ||
		    is_at(*link, x->record.generation, x->at))
			drop(link);
		else
			link = &(*link)->next;
	x->next = NULL;
	*link = x;
	pthread_mutex_unlock(&r->lock);
	return 0;
}

int pk_recent_take(struct pk_recent *r,
		   const unsigned char generation[PK_GENERATION_SIZE],
		   uint64_t at, uint64_t upto, struct pk_recent_record *out)
{
	struct pk_recent_record **link, *x;

	pthread_mutex_lock(&r->lock);
	for (link = &r->first; *link && !is_at(*link, generation, at);)
		link = &(*link)->next;
	x = *link && (*link)->record.seq < upto ? *link : NULL;
	if (x)
		*link = x->next;
	pthread_mutex_unlock(&r->lock);
	if (!x)
		return 0;
	*out = *x;
	free(x);
	return 1;
}
