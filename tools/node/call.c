#include "call.h"
#include "event.h"
#include "handle.h"
#include "values.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct block {
	struct block *next;
	char bytes[] __attribute__((aligned(16)));
};

/* What the library's callbacks are told nothing of: whose call they are. */
static _Thread_local struct call *current;

struct call *call_current(void)
{
	return current;
}

void *call_alloc(struct call *c, size_t size)
{
	struct block *b = malloc(sizeof(*b) + size);

	if (!b)
		return NULL;
	b->next = c->blocks;
	c->blocks = b;
	return b->bytes;
}

struct call *call_new(struct addon *addon, const struct verb *verb)
{
	struct call *c = calloc(1, verb->size);

	if (!c)
		return NULL;
	c->verb = verb;
	c->addon = addon;
	return c;
}

struct call *call_find(struct addon *addon, uint64_t id)
{
	struct call *c = addon->watched;

	while (c && c->id != id)
		c = c->next;
	return c;
}

static void watch(struct call *c)
{
	c->next = c->addon->watched;
	c->addon->watched = c;
}

static void unwatch(struct call *c)
{
	struct call **at;

	for (at = &c->addon->watched; *at && *at != c; at = &(*at)->next)
		;
	if (*at)
		*at = c->next;
}

void call_free(struct call *c)
{
	int is_counted = c->store && !(c->verb->flags & VERB_LAST);
	struct handle *h = c->handle;
	struct block *b;

	if (c->verb->release)
		c->verb->release(c);
	if (c->id)
		unwatch(c);
	while ((b = c->blocks)) {
		c->blocks = b->next;
		free(b);
	}
	free(c);
	if (is_counted)
		handle_leave(h);
}

/* ---- its end ---- */

static napi_value value_of(napi_env env, struct call *c)
{
	napi_value v;

	if (c->verb->result)
		return c->verb->result(env, c);
	return napi_get_undefined(env, &v) == napi_ok ? v : NULL;
}

/* A result that cannot be made, as a text that is longer than JavaScript's
 * may be, is a failure too. Where the environment ends nothing can be told. */
static void settle(napi_env env, struct call *c)
{
	napi_value v;

	if (!c->deferred)
		return;
	v = c->status ? NULL : value_of(env, c);
	if (v) {
		napi_resolve_deferred(env, c->deferred, v);
		return;
	}
	v = c->status ? value_error(c->addon, &c->err) : NULL;
	if (v || napi_get_and_clear_last_exception(env, &v) == napi_ok)
		napi_reject_deferred(env, c->deferred, v);
}

static void complete(napi_env env, napi_status status, void *data)
{
	struct call *c = data;

	(void)status; /* nothing is ever cancelled in the queue */
	if (c->verb->flags & VERB_WRITES && !c->status)
		c->handle->wrote = 1;
	event_drain(c->addon);
	settle(env, c);
	napi_delete_async_work(env, c->work);
	call_free(c);
}

void call_joined(struct call *c)
{
	struct addon *addon = c->addon;
	napi_handle_scope scope;

	pthread_join(c->thread, NULL);
	if (!--addon->awake)
		napi_unref_threadsafe_function(addon->env, addon->wake);
	if (napi_open_handle_scope(addon->env, &scope) == napi_ok) {
		settle(addon->env, c);
		napi_close_handle_scope(addon->env, scope);
	}
	call_free(c);
}

void call_end_all(struct addon *addon)
{
	struct call *c;

	for (c = addon->watched; c; c = c->next)
		event_cancel(c);
	while ((c = addon->watched)) {
		if (c->verb->flags & VERB_WAITS)
			pthread_join(c->thread, NULL);
		call_free(c);
	}
}

/* ---- its beginning ---- */

static void run(struct call *c)
{
	current = c;
	c->status = c->verb->run(c);
	current = NULL;
	if (c->status && !c->err.status) {
		c->err.status = c->status;
		snprintf(c->err.text, sizeof(c->err.text), "%s",
			 pakhus_strstatus(c->status));
	}
}

static void execute(napi_env env, void *data)
{
	(void)env;
	run(data);
}

static void *thread(void *data)
{
	struct call *c = data;

	run(c);
	event_over(c);
	return NULL;
}

static int start_thread(struct call *c)
{
	struct addon *addon = c->addon;

	if (pthread_create(&c->thread, NULL, thread, c))
		return -1;
	if (!addon->awake++)
		napi_ref_threadsafe_function(addon->env, addon->wake);
	return 0;
}

static int start_work(struct call *c)
{
	napi_env env = c->addon->env;
	napi_value name = value_text(env, c->verb->name,
				     strlen(c->verb->name));

	if (!name || napi_create_async_work(env, NULL, name, execute, complete,
					    c, &c->work) != napi_ok)
		return -1;
	return napi_queue_async_work(env, c->work) == napi_ok ? 0 : -1;
}

/* What cannot be started is done here and now: closing must be. */
void call_start(struct call *c)
{
	napi_env env = c->addon->env;

	if (c->verb->flags & VERB_WAITS ? !start_thread(c) : !start_work(c))
		return;
	if (c->verb->flags & VERB_LAST) {
		run(c);
	} else {
		c->status = c->err.status = PAKHUS_ENOMEM;
		snprintf(c->err.text, sizeof(c->err.text),
			 "no thread could be started");
	}
	settle(env, c);
	if (c->work)
		napi_delete_async_work(env, c->work);
	call_free(c);
}

static void parse(struct args *a, struct call *c)
{
	unsigned flags = c->verb->flags;

	if (flags & VERB_STORE) {
		c->handle = take_handle(a);
		if (a->is_bad)
			return;
	}
	if (flags & VERB_WATCHED) {
		c->id = take_number(a, UINT64_C(1) << 53);
		if (c->id)
			watch(c);
	}
	if (flags & VERB_WAITS && (!c->id || event_expect(c)))
		args_bad(a, "out of memory");
	if (c->verb->parse && !a->is_bad)
		c->verb->parse(a, c);
}

static napi_value at_once(napi_env env, struct call *c)
{
	napi_value v = NULL;

	run(c);
	if (!c->status)
		v = value_of(env, c);
	call_free(c);
	return v;
}

static napi_value begin(napi_env env, napi_callback_info info)
{
	struct args a = { .env = env, .n = ARGS_MAX };
	napi_value promise = NULL; /* not made where VERB_NOW */
	struct call *c;
	void *verb;

	if (napi_get_cb_info(env, info, &a.n, a.value, NULL, &verb) !=
	    napi_ok)
		return NULL;
	a.addon = addon_of(env);
	a.call = c = call_new(a.addon, verb);
	if (!c)
		return args_bad(&a, "out of memory");
	parse(&a, c);
	if (a.is_bad || (!(c->verb->flags & VERB_NOW) &&
			 napi_create_promise(env, &c->deferred, &promise) !=
				 napi_ok)) {
		call_free(c);
		return NULL;
	}
	if (c->verb->flags & VERB_LAST) {
		handle_close(c->handle, c);
		return promise;
	}
	if (c->handle) {
		handle_enter(c->handle);
		c->store = c->handle->store;
	}
	if (c->verb->flags & VERB_NOW)
		return at_once(env, c);
	call_start(c);
	return promise;
}

napi_status call_define(napi_env env, const struct verb *verb, napi_value *out)
{
	return napi_create_function(env, verb->name, NAPI_AUTO_LENGTH, begin,
				    (void *)(uintptr_t)verb, out);
}
