/* state.h - what a server holds, for the files that it is made of.
 */
#ifndef STATE_H
#define STATE_H

#include <stdatomic.h>

#include "server.h"

struct server {
	struct pakhus *store;
	struct server_options opt;
	atomic_int is_dirty;
	atomic_ulong writes;
};

/* Something was published or deleted. */
static inline void server_wrote(struct server *s)
{
	atomic_fetch_add(&s->writes, 1);
	atomic_store(&s->is_dirty, 1);
}

/* A line for the operator. */
void server_notice(struct server *s, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

#endif
