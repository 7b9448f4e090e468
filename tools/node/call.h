/* call.h - a call of the library that JavaScript waits for with a promise.
 *
 * A verb says how: parse() takes the arguments on JavaScript's thread, run()
 * works on a thread of libuv's pool and knows no JavaScript, result() makes
 * the value, on JavaScript's thread again, and release() lets go of what
 * run() got, whatever came of it. A verb's own struct begins with a call and
 * is zero at the beginning.
 */
#ifndef CALL_H
#define CALL_H

#include <stdatomic.h>

#include "args.h"

enum verb_flags {
	VERB_STORE = 1,	  /* its first argument is an open store */
	VERB_WATCHED = 2, /* then an id, that events bear and that cancels */
	VERB_WAITS = 4,	  /* for JavaScript: on a thread of its own, as those of
			     the pool may be what it waits for */
	VERB_LAST = 8,	  /* runs when no other call of its store does */
	VERB_WRITES = 16, /* where it was done, closing syncs */
	VERB_NOW = 32	  /* run() does not wait: it runs on JavaScript's thread,
			     and what fails gives undefined, not a promise */
};

struct verb {
	const char *name;
	size_t size;
	unsigned flags; /* enum verb_flags */
	void (*parse)(struct args *a, struct call *c);
	int (*run)(struct call *c);
	napi_value (*result)(napi_env env, struct call *c); /* or undefined */
	void (*release)(struct call *c);
};

struct call {
	const struct verb *verb;
	struct addon *addon;
	struct handle *handle;
	struct pakhus *store; /* of handle */
	struct pakhus_error err;
	int status; /* what run() gave */

	napi_deferred deferred; /* NULL: nobody waits */
	napi_async_work work;
	pthread_t thread; /* where VERB_WAITS */
	struct block *blocks; /* what was allocated for it */

	uint64_t id; /* where VERB_WATCHED */
	struct call *next;
	atomic_int is_cancelled;
	struct answer *answer; /* that run() waits for */
};

/* The function that begins a call of verb. */
napi_status call_define(napi_env env, const struct verb *verb,
			napi_value *out);
/* A call that JavaScript did not ask for; NULL without memory. */
struct call *call_new(struct addon *addon, const struct verb *verb);
void call_start(struct call *c);
/* Of one that does not run: nobody hears of it. */
void call_free(struct call *c);
/* Memory that goes with the call, not zeroed. */
void *call_alloc(struct call *c, size_t size);
/* The call that the calling thread runs, or NULL. */
struct call *call_current(void);
/* The watched call of an id, while it runs. */
struct call *call_find(struct addon *addon, uint64_t id);
/* Settles a call whose thread is over. */
void call_joined(struct call *c);
/* Ends all calls that run on threads of their own, and waits for them. */
void call_end_all(struct addon *addon);

#endif
