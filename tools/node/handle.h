/* handle.h - an open store, as JavaScript holds it.
 *
 * Calls are counted: closing begins when the last one is over. A store that
 * nobody holds any more is closed on the pool, or, where the environment
 * ends, at once.
 */
#ifndef HANDLE_H
#define HANDLE_H

#include "call.h"

struct batch;

struct handle {
	struct handle *next;
	struct addon *addon;  /* NULL: it has ended */
	struct pakhus *store; /* NULL: closed */
	struct batch *batches;
	struct call *closing;
	unsigned running;
	int wrote, is_dropped;
	uint64_t id; /* of its notices */
};

/* One without a store yet; NULL without memory. */
struct handle *handle_new(struct addon *addon, uint64_t id);
/* Makes it JavaScript's; NULL: it could not, and it is still the caller's. */
napi_value handle_value(struct handle *h);
/* Closes what it has, at once. */
void handle_free(struct handle *h);
/* The open store that an argument is. */
struct handle *take_handle(struct args *a);

void handle_enter(struct handle *h);
void handle_leave(struct handle *h);
/* Begins closing, as soon as nothing runs. */
void handle_close(struct handle *h, struct call *closing);
void handle_end_all(struct addon *addon);

extern const struct verb verb_close;

#endif
