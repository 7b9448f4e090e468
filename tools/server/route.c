/* route.c - which door answers a request. */
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "clock.h"
#include "content.h"
#include "exchange.h"
#include "represent.h"
#include "state.h"

static const struct route *const doors[] = {
	ops_routes,
	tree_routes,
	artifact_routes,
	registry_routes,
	openapi_routes,
	market_routes,
	cloud_routes,
	packages_routes,
	NULL,
};

char *query_value(struct exchange *x, const char *name, int *is_answered)
{
	char *out = malloc(strlen(x->query) + 1);
	int n = out ? target_query(x->query, name, out) : -2;

	if (n == 1)
		return out;
	free(out);
	if (!n)
		return NULL;
	*is_answered = 1;
	if (n == -2)
		reply_no_memory(x);
	else if (n == -1)
		reply_error(x, 400, "VALIDATION_ERROR",
			    "The \"%s\" query parameter is badly encoded.",
			    name);
	else
		reply_error(x, 400, "VALIDATION_ERROR",
			    "The \"%s\" query parameter was supplied %d "
			    "times. Supply it at most once \xe2\x80\x94 "
			    "this endpoint will not choose between "
			    "conflicting values.", name, n);
	return NULL;
}

int query_number(struct exchange *x, const char *name, uint64_t min,
		 uint64_t max, uint64_t otherwise, uint64_t *out)
{
	int is_answered = 0;
	char *value = query_value(x, name, &is_answered);
	unsigned long long n;
	char *end;

	if (is_answered)
		return -1;
	if (!value) {
		*out = otherwise;
		return 0;
	}
	n = strtoull(value, &end, 10);
	if (!isdigit((unsigned char)*value) || *end || strlen(value) > 16 ||
	    n < min || n > max) {
		free(value);
		reply_error(x, 400, "VALIDATION_ERROR",
			    "The \"%s\" query parameter is a number from %llu "
			    "to %llu.", name, (unsigned long long)min,
			    (unsigned long long)max);
		return -1;
	}
	free(value);
	*out = n;
	return 0;
}

static const char *const methods[] = {
	[HTTP_GET] = "GET, HEAD", [HTTP_HEAD] = "HEAD", [HTTP_POST] = "POST",
	[HTTP_PUT] = "PUT", [HTTP_DELETE] = "DELETE", [HTTP_OTHER] = "",
};

/* The first "{id}" of a pattern is a package's. */
static const char *package_of(const struct exchange *x)
{
	const char *at = x->route->pattern;
	size_t n = 0;

	for (at = strchr(at, '{'); at; at = strchr(at + 1, '{'), n++)
		if (!strncmp(at, "{id}", 4))
			return x->param[n];
	return NULL;
}

static size_t limit_of(const struct server *s, const struct route *r)
{
	return s->opt.max_body && s->opt.max_body < r->max_body
		? s->opt.max_body : r->max_body;
}

static void run(struct exchange *x)
{
	size_t limit = limit_of(x->server, x->route);
	const struct request *rq = x->request;
	const char *id = package_of(x);
	struct content content;

	if (!access_enter(x))
		return;
	if (id && !caller_must(x, x->route->scope, id))
		return;
	if (x->route->scope == SCOPE_READ_ALL &&
	    !caller_must(x, SCOPE_READ_ALL, NULL))
		return;
	if (rq->size > limit) {
		reply_error(x, 413, "LIMIT_EXCEEDED",
			    "The body has %zu bytes; %zu are taken here.",
			    rq->size, limit);
		return;
	}
	if (rq->is_unread) {
		/* It was let in meanwhile: a token was made, say. */
		reply_field(x->reply, "Retry-After", "1");
		reply_error(x, 503, "STORE_BUSY",
			    "The body was not read. Send it again.");
		return;
	}
	if (content_decode(x, limit, &content))
		x->route->run(x);
	x->request = rq;
	content_release(&content);
}

/* The next route behind r (NULL: the first) that takes such a request. */
static const struct route *match(const struct route *r,
				 enum http_method method, const char *target)
{
	const char *param[TARGET_PARAMS];
	size_t path = strcspn(target, "?"), i;
	char *room = malloc(path + TARGET_PARAMS);
	const struct route *at, *found = NULL;
	int is_behind = !r;

	if (method == HTTP_HEAD)
		method = HTTP_GET;
	for (i = 0; room && !found && doors[i]; i++)
		for (at = doors[i]; !found && at->run; at++) {
			if (is_behind && at->method == method &&
			    target_match(at->pattern, target, path, param,
					 room) == 1)
				found = at;
			is_behind |= at == r;
		}
	free(room);
	return found;
}

size_t server_limit(struct server *s, enum http_method method,
		    const char *target)
{
	const struct route *r = NULL;
	size_t limit = 0;

	while ((r = match(r, method, target)))
		if (limit_of(s, r) > limit)
			limit = limit_of(s, r);
	return limit;
}

int server_is_welcome(struct server *s, const struct request *rq)
{
	const struct route *r = match(NULL, rq->method, rq->target);

	return !r || access_is_welcome(s, rq, r->scope);
}

const struct route *route_at(size_t number)
{
	const struct route *r;
	size_t i;

	for (i = 0; doors[i]; i++)
		for (r = doors[i]; r->run; r++)
			if (!number--)
				return r;
	return NULL;
}

size_t route_count(void)
{
	size_t n = 0;

	while (route_at(n))
		n++;
	return n;
}

static void count_change(const struct exchange *x)
{
	if (x->reply->status / 100 != 2)
		return;
	if (x->route->scope == SCOPE_PUBLISH)
		metrics_count(x->server->metrics, METRIC_PUBLISHED);
	else if (x->route->scope == SCOPE_DELETE)
		metrics_count(x->server->metrics, METRIC_DELETED);
}

/* Runs the route that was asked for, and gives its number, or says that there
 * is none. */
static void dispatch(struct exchange *x, size_t path, char *room,
		     size_t *number)
{
	enum http_method method = x->request->method == HTTP_HEAD
		? HTTP_GET : x->request->method;
	char allow[64] = "";
	const struct route *r;
	size_t i, n = 0;
	int got;

	for (i = 0; doors[i]; i++)
		for (r = doors[i]; r->run; r++, n++) {
			got = target_match(r->pattern, x->request->target,
					   path, x->param, room);
			if (got < 0) {
				reply_error(x, 400, "VALIDATION_ERROR",
					    "The path is badly encoded.");
				return;
			}
			if (got && r->method == method) {
				x->route = r;
				x->reply->route = r->pattern;
				*number = n;
				run(x);
				count_change(x);
				return;
			}
			if (got && !strstr(allow, methods[r->method]))
				snprintf(allow + strlen(allow),
					 sizeof(allow) - strlen(allow), "%s%s",
					 *allow ? ", " : "",
					 methods[r->method]);
		}
	if (*allow) {
		reply_field(x->reply, "Allow", "%s", allow);
		reply_error(x, 405, "METHOD_NOT_ALLOWED",
			    "This address takes %s.", allow);
	} else {
		reply_error(x, 404, "RESOURCE_NOT_FOUND",
			    "There is nothing at this address. "
			    "/api/v1/openapi.json describes those there are.");
	}
}

void server_handle(struct server *s, const struct request *rq,
		   struct reply *rp)
{
	struct exchange x = {.server = s, .store = s->store, .request = rq,
			     .reply = rp};
	size_t path = strcspn(rq->target, "?");
	char *room = malloc(path + TARGET_PARAMS);
	struct metrics_request seen = {.route = SIZE_MAX, .method = rq->method,
				       .received = rq->size};
	uint64_t began = clock_ns();

	metrics_begin(s->metrics);
	memset(rp, 0, sizeof(*rp));
	rp->fd = -1;
	rp->route = "";
	x.query = rq->target + path + (rq->target[path] == '?');
	if (room)
		dispatch(&x, path, room, &seen.route);
	else
		reply_no_memory(&x);
	access_leave(&x);
	represent(&x);
	free(room);
	seen.status = rp->status;
	seen.sent = rq->method == HTTP_HEAD ? 0 : rp->size;
	seen.ns = clock_ns() - began;
	metrics_end(s->metrics, &seen);
}
