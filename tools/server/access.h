/* access.h - who asks, and what they may do.
 */
#ifndef ACCESS_H
#define ACCESS_H

#include "http.h"
#include "pakhus.h"

enum scope {
	SCOPE_NONE,	/* what everybody may: health */
	SCOPE_READ,	/* one package */
	SCOPE_READ_ALL, /* what shows every package: log, tree */
	SCOPE_PUBLISH,
	SCOPE_DELETE,
	SCOPE_ADMIN
};

enum anonymous { ANONYMOUS_ALL, ANONYMOUS_LISTED, ANONYMOUS_NONE };

/* Who a request comes from, as far as it could be told. */
struct caller {
	const struct token *token; /* NULL: nobody that is known */
	char by[PAKHUS_BY_MAX + 1]; /* for the log: "token:NAME" */
};

struct exchange;

/* Whether the caller may do scope on the package id; NULL: on all of them. */
int caller_may(struct exchange *x, enum scope scope, const char *id);
/* The same, answered with 401, 403, or 404 where reading is not allowed. */
int caller_must(struct exchange *x, enum scope scope, const char *id);

#endif
