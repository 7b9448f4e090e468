/* server.h - a registry that answers requests, and its life.
 */
#ifndef SERVER_H
#define SERVER_H

#include "access.h"
#include "http.h"
#include "limit.h"
#include "pakhus.h"

struct server;

/* All zero is the default of everything but store. Strings are not kept; notice
 * and arg are used until server_close(). */
struct server_options {
	const char *store;  /* the directory */
	const char *tokens; /* file of tokens; NULL: nobody may write */
	enum anonymous anonymous;
	int is_read_only;
	int is_metrics_public; /* else who may: admin, or all may read all */
	struct limit_rates rates;
	size_t max_body; /* lowers the library's limit of a document */
	/* Told, a line each, what an operator should know. */
	void (*notice)(void *arg, const char *text);
	void *arg;
};

int server_open(struct server **out, const struct server_options *opt,
		struct pakhus_error *err);
/* The most bytes of a body that are taken there. A request that says it has
 * more may be handled with its size and without its body: it is answered with
 * 413, or with what was to be said before. */
size_t server_limit(struct server *s, enum http_method method,
		    const char *target);
/* Whether the body of a request is worth waiting for: not where who asks may
 * send nothing there. It is handled without it, and told so. */
int server_is_welcome(struct server *s, const struct request *rq);
/* Answers one request; from any thread. */
void server_handle(struct server *s, const struct request *rq,
		   struct reply *rp);
/* Whether something was published since the last server_sync(). */
int server_is_dirty(struct server *s);
/* How many times something was. */
uint64_t server_writes(struct server *s);
/* Moves what was published into the tree that mirrors copy. */
int server_sync(struct server *s, struct pakhus_error *err);
/* From now on /readyz says that requests should go elsewhere. */
void server_drain(struct server *s);
/* Reads the tokens again; where that fails the old ones stay. */
int server_reload(struct server *s, struct pakhus_error *err);
/* Nobody may be inside server_handle(). What is not in the tree yet is moved
 * there; server_sync() before it tells what fails. NULL is fine. */
void server_close(struct server *s);

#endif
