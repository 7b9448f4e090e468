/* access.c - what a caller may do. */
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "clock.h"
#include "credential.h"
#include "exchange.h"
#include "keyring.h"
#include "limit.h"
#include "market_load.h"
#include "metrics.h"
#include "state.h"

static int is_write(const struct request *rq, enum scope scope)
{
	enum http_method method = rq->method;

	if (scope == SCOPE_ADMIN)
		return method != HTTP_GET && method != HTTP_HEAD;
	return scope == SCOPE_PUBLISH || scope == SCOPE_DELETE;
}

static const char *scope_name(enum scope scope)
{
	return scope == SCOPE_PUBLISH ? "publish"
		: scope == SCOPE_DELETE ? "delete"
		: scope == SCOPE_ADMIN ? "admin" : "read";
}

/* ---- Answers ---- */

static void answer_nobody(struct exchange *x)
{
	reply_field(x->reply, "WWW-Authenticate", "Bearer realm=\"pakhus\"");
	reply_error(x, 401, "UNAUTHENTICATED", x->server->keyring
		    ? "Authentication is required: send a token as "
		      "Authorization: Bearer SECRET. `pakhus token create` "
		      "makes one."
		    : "Authentication is required, and this server knows no "
		      "tokens: it was started without --tokens FILE. `pakhus "
		      "token create --tokens FILE` makes one.");
}

static void answer_unknown(struct exchange *x, const char *why)
{
	reply_field(x->reply, "WWW-Authenticate",
		    "Bearer realm=\"pakhus\", error=\"invalid_token\", "
		    "error_description=\"%s\"", why);
	reply_error(x, 401, "UNAUTHENTICATED", "%s.", why);
}

static void answer_wait(struct exchange *x, unsigned seconds)
{
	metrics_count(x->server->metrics, METRIC_LIMITED);
	reply_field(x->reply, "Retry-After", "%u", seconds);
	reply_error(x, 429, "RATE_LIMITED",
		    "Too many requests: try again in %u second%s.", seconds,
		    seconds == 1 ? "" : "s");
}

static void answer_read_only(struct exchange *x)
{
	reply_error(x, 403, "STORE_READ_ONLY",
		    "This server was started with --read-only: nothing is "
		    "published or deleted here.");
}

static void answer_denied(struct exchange *x, enum scope scope, const char *id)
{
	reply_field(x->reply, "WWW-Authenticate",
		    "Bearer realm=\"pakhus\", error=\"insufficient_scope\", "
		    "scope=\"%s\"", scope_name(scope));
	reply_error(x, 403, "FORBIDDEN",
		    "The token %s does not have the scope %s for %s.",
		    x->caller.token->name, scope_name(scope),
		    id ? id : "all packages");
}

/* What is not there, and what may not be seen: one reply, whatever a door
 * would have said of the first. */
static void answer_missing(struct exchange *x)
{
	struct reply *rp = x->reply;
	struct reply clean = {.fd = -1, .route = rp->route,
			      .is_closing = rp->is_closing};

	memcpy(clean.who, rp->who, sizeof(clean.who));
	reply_free(rp);
	*rp = clean;
	reply_error(x, 404, "RESOURCE_NOT_FOUND",
		    "There is nothing here, or nothing that may be read %s.",
		    x->caller.token ? "with this token" : "without a token");
}

/* ---- Who it is ---- */

/* 0: it is answered. Whoever has the right secret is not held up by others at
 * the same address that try wrong ones. */
static int refuse(struct exchange *x, const char *why, uint64_t now)
{
	unsigned wait = limit_take(x->server->limit, LIMIT_FAILED, NULL,
				   x->request->peer, now);

	metrics_count(x->server->metrics, METRIC_AUTH_FAILED);
	if (wait)
		answer_wait(x, wait);
	else
		answer_unknown(x, why);
	return 0;
}

/* The token whose secret is in the field, or NULL: why says why not. held has
 * to be let go where there is one. */
static const struct token *find(struct keyring *ring, const char *field,
				uint64_t now, struct tokens_held *held,
				const char **why)
{
	unsigned char digest[DIGEST_SIZE];
	char secret[BEARER_SIZE + 1];
	const struct token *token;
	int rc;

	*why = "This server knows no tokens: it was started without --tokens";
	if (!ring)
		return NULL;
	*why = "That is not the secret of a token";
	if (!credential_read(field, secret)) {
		if (credential_is_empty(field))
			*why = "Authorization holds no secret: it is sent as "
			       "Bearer SECRET";
		return NULL;
	}
	rc = digest_sha256(secret, BEARER_SIZE, digest);
	explicit_bzero(secret, sizeof(secret));
	if (rc)
		return NULL;
	*held = keyring_hold(ring, now / 1000000);
	token = tokens_find(held->tokens, digest);
	if (token && !token_has_expired(token, (uint64_t)time(NULL)))
		return token;
	*why = token ? "The token has expired"
		     : "The token is not known, or was revoked";
	keyring_let_go(*held);
	return NULL;
}

static int identify(struct exchange *x, uint64_t now)
{
	const char *field = request_field(x->request, "Authorization"), *why;
	const struct token *token;
	struct tokens_held held;

	if (!field)
		return 1;
	token = find(x->server->keyring, field, now, &held, &why);
	if (!token)
		return refuse(x, why, now);
	x->caller.token = token;
	x->caller.held = held.shared;
	snprintf(x->caller.by, sizeof(x->caller.by), "token:%s", token->name);
	snprintf(x->reply->who, sizeof(x->reply->who), "%s", token->name);
	return 1;
}

int access_is_welcome(struct server *s, const struct request *rq,
		      enum scope scope)
{
	const char *field = request_field(rq, "Authorization"), *why;
	const struct token *token;
	struct tokens_held held;
	int is_welcome;

	if (!is_write(rq, scope))
		return 1;
	if (!field || s->opt.is_read_only)
		return 0;
	token = find(s->keyring, field, clock_ns(), &held, &why);
	if (!token)
		return 0;
	is_welcome = token_may_some(token, scope);
	keyring_let_go(held);
	return is_welcome;
}

static int is_within_limits(struct exchange *x, uint64_t now)
{
	enum http_method method = x->request->method;
	int reads = method == HTTP_GET || method == HTTP_HEAD;
	const struct token *token = x->caller.token;
	unsigned wait = limit_take(x->server->limit,
				   reads ? LIMIT_READ : LIMIT_WRITE,
				   token ? token->name : NULL,
				   x->request->peer, now);

	if (wait)
		answer_wait(x, wait);
	return !wait;
}

int access_enter(struct exchange *x)
{
	enum scope scope = x->route->scope;
	uint64_t now = clock_ns();

	if (scope == SCOPE_PROBE)
		return 1;
	if (!identify(x, now) || !is_within_limits(x, now))
		return 0;
	/* Before a body is looked into: what it is for says the body. */
	if (!is_write(x->request, scope))
		return 1;
	if (x->server->opt.is_read_only)
		answer_read_only(x);
	else if (!x->caller.token)
		answer_nobody(x);
	else if (!token_may_some(x->caller.token, scope))
		answer_denied(x, scope, "any package");
	else
		return 1;
	return 0;
}

/* What one caller may see is not kept for others: caches on the way are told.
 */
static void tell_caches(struct exchange *x)
{
	const char *vary = reply_value(x->reply, "Vary");
	const char *cache = reply_value(x->reply, "Cache-Control");
	char old[200];

	snprintf(old, sizeof(old), "%s", vary ? vary : "");
	reply_field(x->reply, "Vary", "%s%sAuthorization", old,
		    *old ? ", " : "");
	if (x->caller.token && cache && !strncmp(cache, "public", 6)) {
		snprintf(old, sizeof(old), "%s", cache + 6);
		reply_field(x->reply, "Cache-Control", "private%s", old);
	}
}

void access_leave(struct exchange *x)
{
	if (x->route && x->route->scope != SCOPE_PROBE) {
		if (x->reply->status == 404 &&
		    !caller_may(x, SCOPE_READ_ALL, NULL))
			answer_missing(x);
		if (x->server->opt.anonymous != ANONYMOUS_ALL)
			tell_caches(x);
	}
	if (x->caller.held)
		keyring_let_go((struct tokens_held){.shared = x->caller.held});
}

/* ---- What they may ---- */

/* What cannot be read is for nobody. */
static int is_listed(struct exchange *x, const char *id)
{
	struct pakhus_error err = {0};
	struct pakhus_attrs *attrs;
	int yes;

	if (attrs_read(x->store, id, NULL, &attrs, &err))
		return 0;
	yes = market_is_listed(attrs);
	pakhus_attrs_free(attrs);
	return yes;
}

static int anybody_may(struct exchange *x, enum scope scope, const char *id)
{
	enum anonymous who = x->server->opt.anonymous;

	if (scope != SCOPE_READ && scope != SCOPE_READ_ALL &&
	    scope != SCOPE_HISTORY)
		return 0;
	if (who == ANONYMOUS_ALL)
		return 1;
	return who == ANONYMOUS_LISTED && scope == SCOPE_READ && id &&
		is_listed(x, id);
}

int caller_may(struct exchange *x, enum scope scope, const char *id)
{
	if (scope == SCOPE_NONE || scope == SCOPE_PROBE)
		return 1;
	if (is_write(x->request, scope) && x->server->opt.is_read_only)
		return 0;
	if (x->caller.token && token_may(x->caller.token, scope, id))
		return 1;
	return anybody_may(x, scope, id);
}

/* Whether a package that may not be read is as if it were not there: not where
 * who has no token is asked who it is, whatever the package. */
static int is_hidden(const struct exchange *x, enum scope scope)
{
	if (x->caller.token)
		return scope == SCOPE_READ || scope == SCOPE_HISTORY;
	return scope == SCOPE_READ &&
		x->server->opt.anonymous == ANONYMOUS_LISTED;
}

int caller_must(struct exchange *x, enum scope scope, const char *id)
{
	if (caller_may(x, scope, id))
		return 1;
	if (is_write(x->request, scope) && x->server->opt.is_read_only)
		answer_read_only(x);
	else if (id && is_hidden(x, scope))
		answer_missing(x);
	else if (!x->caller.token)
		answer_nobody(x);
	else
		answer_denied(x, scope, id);
	return 0;
}
