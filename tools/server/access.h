/* access.h - who asks, and what they may do.
 *
 * access_enter() comes first: it finds out who asks, and answers where that
 * cannot be, where too much was asked, or where it may not be here at all.
 * Doors ask caller_may() and caller_must() about packages. access_leave() is
 * last: it makes what may not be seen and what is not there the same reply.
 */
#ifndef ACCESS_H
#define ACCESS_H

#include "http.h"
#include "pakhus.h"

enum scope {
	SCOPE_NONE,	/* what everybody may */
	SCOPE_READ,	/* one package */
	SCOPE_READ_ALL, /* what shows every package: log, tree */
	SCOPE_HISTORY,	/* one package, and what was deleted of it, by whom:
			   who has no token does not, where not all is theirs */
	SCOPE_PUBLISH,
	SCOPE_DELETE,
	SCOPE_ADMIN,
	SCOPE_PROBE /* health: everybody may, and nobody is asked who it is */
};

/* What may read who has no token: every package, those whose attribute
 * "visibility" is "marketplace" or that have none, or nothing. */
enum anonymous { ANONYMOUS_ALL, ANONYMOUS_LISTED, ANONYMOUS_NONE };

struct token;
struct tokens_shared;

/* Who a request comes from, as far as it could be told. */
struct caller {
	const struct token *token; /* NULL: nobody that is known */
	char by[PAKHUS_BY_MAX + 1]; /* for the log: "token:NAME", or "" */
	/* private */
	struct tokens_shared *held;
};

struct exchange;
struct server;

/* Whether access_enter() would let it in, but for what was asked before, which
 * is not counted. */
int access_is_welcome(struct server *s, const struct request *rq,
		      enum scope scope);
/* 0: it is answered. */
int access_enter(struct exchange *x);
void access_leave(struct exchange *x);

/* Whether the caller may do scope on the package id; NULL: on all of them. */
int caller_may(struct exchange *x, enum scope scope, const char *id);
/* The same, answered with 401, 403, or 404 where reading is not allowed. */
int caller_must(struct exchange *x, enum scope scope, const char *id);

#endif
