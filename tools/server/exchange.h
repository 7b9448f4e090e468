/* exchange.h - one request being answered: what doors get, and how they
 * answer.
 *
 * A door is a file of routes (door_*.c) with the functions that answer them,
 * each with exactly one reply_*() call.
 */
#ifndef EXCHANGE_H
#define EXCHANGE_H

#include "access.h"
#include "http.h"
#include "pakhus.h"
#include "target.h"
#include "text.h"

struct server;

struct exchange {
	struct server *server;
	struct pakhus *store;
	const struct request *request;
	struct reply *reply;
	const struct route *route;
	struct caller caller;
	const char *param[TARGET_PARAMS]; /* of the pattern, decoded */
	const char *query;	   /* behind the '?', as sent */
};

typedef void door_fn(struct exchange *x);

struct route {
	enum http_method method; /* HTTP_GET answers HEAD too */
	/* "/packages/{id}/versions/{version}"; "{rest*}" takes slashes too. A
	 * "{id}" is a package's, and the caller must be allowed scope on it:
	 * others are the door's to check with caller_may(). */
	const char *pattern;
	door_fn *run;
	enum scope scope;
	size_t max_body; /* bytes; 0: no body */
};

/* Each door's routes; the last has run NULL. */
extern const struct route ops_routes[];
extern const struct route tree_routes[];
extern const struct route artifact_routes[];
extern const struct route registry_routes[];
extern const struct route openapi_routes[];
extern const struct route market_routes[];
extern const struct route cloud_routes[];
extern const struct route packages_routes[];
/* The route of a number from 0, or NULL behind the last. */
const struct route *route_at(size_t number);
size_t route_count(void);

/* The value of a query parameter, decoded, in memory that the caller frees;
 * NULL: not given. Given twice, or badly encoded: it is answered with 400, and
 * *is_answered is set. */
char *query_value(struct exchange *x, const char *name, int *is_answered);
/* The same for a number from min to max; not given is the default. 0 or, when
 * it was answered with 400, -1. */
int query_number(struct exchange *x, const char *name, uint64_t min,
		 uint64_t max, uint64_t otherwise, uint64_t *out);

/* Takes the text, or where that failed is 503; application/json. */
void reply_json(struct exchange *x, int status, struct text *t);
/* {"success":true,"data":T}: the envelope of ObjectStack's clients. */
void reply_data(struct exchange *x, int status, struct text *t);
/* {"success":false,"error":{"code":…,"message":…} and no end, for what comes
 * besides. */
void put_error(struct text *t, const char *code, const char *message);
/* That, ended. */
void reply_error(struct exchange *x, int status, const char *code,
		 const char *fmt, ...) __attribute__((format(printf, 4, 5)));
/* The same where memory ran out. -1, for who has to say that it is answered. */
int reply_no_memory(struct exchange *x);
/* The same for what the library said. What it says of the server's own
 * trouble, with its paths, is told to the operator and not to the client. */
void reply_failed(struct exchange *x, const struct pakhus_error *err);
/* Other bytes; body is taken. */
void reply_bytes(struct exchange *x, int status, const char *type, char *body,
		 size_t size);
/* An open file, which is taken, and closed with the reply. */
void reply_file(struct exchange *x, const char *type, int fd, uint64_t size);

/* Says what version of the resource is about to be sent: tag becomes a strong
 * ETag of the bytes; represent.c has one for each coding. 1: the client has it
 * (If-None-Match), 304 is the reply, and there is nothing more to do. */
int reply_tag(struct exchange *x, const char *tag);
/* Repr-Digest (RFC 9530) of the bytes that are sent; where memory runs out it
 * is left out. represent.c has another for each coding. */
void reply_digest(struct reply *rp, const void *bytes, size_t size);
/* Last-Modified, in seconds since 1970. */
void reply_modified(struct exchange *x, int64_t seconds);
/* Cache-Control for ever, for the client alone where it had to say who it is;
 * without it replies are revalidated each time. */
void reply_immutable(struct exchange *x);

#endif
