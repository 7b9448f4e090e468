/* access.c - what a caller may do. */
#include "exchange.h"
#include "state.h"

int caller_may(struct exchange *x, enum scope scope, const char *id)
{
	const struct server *s = x->server;

	(void)id;
	if (scope == SCOPE_NONE)
		return 1;
	return (scope == SCOPE_READ || scope == SCOPE_READ_ALL) &&
		s->opt.anonymous == ANONYMOUS_ALL;
}

int caller_must(struct exchange *x, enum scope scope, const char *id)
{
	if (caller_may(x, scope, id))
		return 1;
	reply_field(x->reply, "WWW-Authenticate", "Bearer realm=\"pakhus\"");
	reply_error(x, 401, "UNAUTHENTICATED",
		    "Authentication is required to access this endpoint.");
	return 0;
}
