/* state.h - what a server holds, for the files that it is made of.
 */
#ifndef STATE_H
#define STATE_H

#include <stdatomic.h>

#include "catalog.h"
#include "keyring.h"
#include "limit.h"
#include "metrics.h"
#include "server.h"
#include "stripes.h"

struct server {
	struct pakhus *store;
	struct server_options opt; /* without its strings */
	atomic_int is_dirty;
	atomic_ulong writes;
	struct keyring *keyring; /* NULL: there are no tokens */
	struct limit *limit;
	struct metrics *metrics;
	uint64_t started_at;	     /* seconds since 1970 ... */
	atomic_ullong synced_at;     /* ... and 0: never */
	atomic_int has_sync_failed;  /* the last one */
	atomic_int is_draining;
	struct catalog *catalog;
	/* Held from a look at a package's attrs to their change. Outside of
	 * every lock of the library; nobody holds two. */
	struct stripes packages;
};

/* Something was published or deleted. */
static inline void server_wrote(struct server *s)
{
	atomic_fetch_add(&s->writes, 1);
	atomic_store(&s->is_dirty, 1);
}

/* What a document may have at most, in bytes. */
static inline size_t server_max(const struct server *s)
{
	return s->opt.max_body ? s->opt.max_body : PAKHUS_DOCUMENT_MAX;
}

/* A line for the operator. */
void server_notice(struct server *s, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

#endif
