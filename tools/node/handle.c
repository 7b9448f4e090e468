#include "handle.h"
#include "batch.h"

#include <stdlib.h>

static void unlink_handle(struct handle *h)
{
	struct handle **at;

	if (!h->addon)
		return;
	for (at = &h->addon->handles; *at != h; at = &(*at)->next)
		;
	*at = h->next;
}

static void close_now(struct handle *h)
{
	batch_drop_all(h);
	pakhus_close(h->store);
	h->store = NULL;
}

void handle_free(struct handle *h)
{
	if (!h)
		return;
	unlink_handle(h);
	close_now(h);
	free(h);
}

/* What it failed to move into the tree is durable; it is told to who waits. */
static int run_close(struct call *c)
{
	struct handle *h = c->handle;
	int rc = h->wrote ? pakhus_sync(h->store, &c->err) : 0;

	pakhus_close(h->store);
	return rc;
}

static void release_close(struct call *c)
{
	struct handle *h = c->handle;

	h->store = NULL;
	h->closing = NULL;
	if (h->is_dropped)
		handle_free(h);
}

const struct verb verb_close = {
	.name = "close",
	.size = sizeof(struct call),
	.flags = VERB_STORE | VERB_LAST,
	.run = run_close,
	.release = release_close,
};


/* Nobody holds it and nothing runs. */
static void drop(struct handle *h)
{
	struct call *c;

	if (h->store && h->addon) {
		c = call_new(h->addon, &verb_close);
		if (c) {
			c->handle = h;
			handle_close(h, c);
			return;
		}
	}
	handle_free(h);
}

static void finalize(napi_env env, void *data, void *hint)
{
	struct handle *h = data;

	(void)env;
	(void)hint;
	h->is_dropped = 1;
	if (!h->running && !h->closing)
		drop(h);
}

struct handle *handle_new(struct addon *addon, uint64_t id)
{
	struct handle *h = calloc(1, sizeof(*h));

	if (!h)
		return NULL;
	h->id = id;
	h->addon = addon;
	h->next = addon->handles;
	addon->handles = h;
	return h;
}

napi_value handle_value(struct handle *h)
{
	napi_value v;

	return napi_create_external(h->addon->env, h, finalize, NULL, &v) ==
			       napi_ok
		       ? v
		       : NULL;
}

struct handle *take_handle(struct args *a)
{
	napi_value v = take(a);
	void *data = NULL;
	struct handle *h;

	if (!v || napi_get_value_external(a->env, v, &data) != napi_ok)
		return args_bad(a, "expected a store");
	h = data;
	if (!h->store || h->closing)
		return args_bad(a, "the store is closed");
	return h;
}

void handle_enter(struct handle *h)
{
	h->running++;
}

void handle_leave(struct handle *h)
{
	if (--h->running || h->addon->is_ending)
		return;
	if (h->closing)
		handle_close(h, h->closing);
	else if (h->is_dropped)
		drop(h);
}

void handle_close(struct handle *h, struct call *closing)
{
	h->closing = closing;
	if (h->running)
		return;
	batch_drop_all(h);
	call_start(closing);
}

/* Nothing runs any more, and a closing that waited for it never began. */
void handle_end_all(struct addon *addon)
{
	struct handle *h;

	while ((h = addon->handles)) {
		addon->handles = h->next;
		h->addon = NULL;
		close_now(h);
		if (h->closing)
			call_free(h->closing);
		else if (h->is_dropped)
			handle_free(h);
	}
}
