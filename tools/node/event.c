#include "event.h"
#include "call.h"
#include "values.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum kind { NOTICE, PROGRESS, MENDED, FETCH, WRITE, OVER };

/* text is bytes, or parts that stand one behind the other, each with a NUL. */
struct event {
	struct event *next;
	enum kind kind;
	uint64_t id;
	double a, b;
	size_t parts, size;
	struct call *call; /* of OVER */
	char text[];
};

/* Whom a thread waits for. */
struct answer {
	pthread_mutex_t lock;
	pthread_cond_t came;
	int is_there, status;
	char text[400];
};

/* ---- into the queue ---- */

static struct event *event_new(enum kind kind, uint64_t id, size_t size)
{
	struct event *e = calloc(1, sizeof(*e) + size);

	if (!e)
		return NULL;
	e->kind = kind;
	e->id = id;
	e->size = size;
	return e;
}

static void add_part(struct event *e, size_t *at, const char *text)
{
	size_t n = strlen(text) + 1;

	memcpy(e->text + *at, text, n);
	*at += n;
	e->parts++;
}

/* Who shows progress wants the newest, and a slow loop must not collect. */
static int replaces(const struct event *last, const struct event *e)
{
	return last && last->kind == PROGRESS && e->kind == PROGRESS &&
	       last->id == e->id && last->size == e->size &&
	       !memcmp(last->text, e->text, e->size);
}

static void push(struct addon *addon, struct event *e)
{
	int is_first;

	pthread_mutex_lock(&addon->lock);
	is_first = !addon->first;
	if (replaces(addon->last, e)) {
		addon->last->a = e->a;
		addon->last->b = e->b;
		free(e);
	} else {
		*(addon->last ? &addon->last->next : &addon->first) = e;
		addon->last = e;
	}
	pthread_mutex_unlock(&addon->lock);
	/* where the environment ends nobody is to be woken */
	if (is_first)
		napi_call_threadsafe_function(addon->wake, NULL,
					      napi_tsfn_nonblocking);
}

void event_notice(struct addon *addon, uint64_t id, const char *text)
{
	struct event *e = event_new(NOTICE, id, strlen(text) + 1);
	size_t at = 0;

	if (!e)
		return;
	add_part(e, &at, text);
	push(addon, e);
}

void event_progress(struct addon *addon, uint64_t id, const char *what,
		    uint64_t done, uint64_t total)
{
	struct event *e = event_new(PROGRESS, id, strlen(what) + 1);
	size_t at = 0;

	if (!e)
		return;
	add_part(e, &at, what);
	e->a = (double)done;
	e->b = (double)total;
	push(addon, e);
}

void event_mended(struct addon *addon, uint64_t id, const char *path,
		  const char *text)
{
	struct event *e = event_new(MENDED, id,
				    strlen(path) + strlen(text) + 2);
	size_t at = 0;

	if (!e)
		return;
	add_part(e, &at, path);
	add_part(e, &at, text);
	push(addon, e);
}

void event_over(struct call *c)
{
	struct event *e = NULL;

	/* without it nobody would ever join the thread */
	while (!(e = event_new(OVER, c->id, 0)))
		sched_yield();
	e->call = c;
	push(c->addon, e);
}

/* ---- waiting for an answer ---- */

static int fail(struct pakhus_error *err, int status, const char *text)
{
	if (err) {
		err->status = status;
		err->sys = 0;
		snprintf(err->text, sizeof(err->text), "%s", text);
	}
	return status;
}

static int ask(struct call *c, struct event *e, struct pakhus_error *err)
{
	struct answer *a = c->answer;
	int status;

	if (!e)
		return fail(err, PAKHUS_ENOMEM, "out of memory");
	pthread_mutex_lock(&a->lock);
	a->is_there = 0;
	pthread_mutex_unlock(&a->lock);
	push(c->addon, e);
	pthread_mutex_lock(&a->lock);
	while (!a->is_there && !atomic_load(&c->is_cancelled))
		pthread_cond_wait(&a->came, &a->lock);
	status = a->is_there ? a->status : PAKHUS_ECANCELED;
	if (status)
		fail(err, status, a->is_there ? a->text : "cancelled");
	pthread_mutex_unlock(&a->lock);
	return status;
}

int event_fetch(struct call *c, const char *into, const char *const *names,
		size_t n, uint64_t max, int is_fresh, struct pakhus_error *err)
{
	size_t size = strlen(into) + 1, at = 0;
	struct event *e;

	for (size_t i = 0; i < n; i++)
		size += strlen(names[i]) + 1;
	e = event_new(FETCH, c->id, size);
	if (e) {
		add_part(e, &at, into);
		for (size_t i = 0; i < n; i++)
			add_part(e, &at, names[i]);
		e->a = (double)max;
		e->b = is_fresh;
	}
	return ask(c, e, err);
}

int event_write(struct call *c, const char *bytes, size_t size,
		struct pakhus_error *err)
{
	struct event *e = event_new(WRITE, c->id, size);

	if (e)
		memcpy(e->text, bytes, size);
	return ask(c, e, err);
}

int event_expect(struct call *c)
{
	c->answer = call_alloc(c, sizeof(*c->answer));
	if (!c->answer)
		return -1;
	memset(c->answer, 0, sizeof(*c->answer));
	pthread_mutex_init(&c->answer->lock, NULL);
	pthread_cond_init(&c->answer->came, NULL);
	return 0;
}

void event_answer(struct call *c, int status, const char *text)
{
	struct answer *a = c->answer;

	pthread_mutex_lock(&a->lock);
	a->status = status;
	snprintf(a->text, sizeof(a->text), "%s", text);
	a->is_there = 1;
	pthread_cond_broadcast(&a->came);
	pthread_mutex_unlock(&a->lock);
}

void event_cancel(struct call *c)
{
	struct answer *a = c->answer;

	if (a)
		pthread_mutex_lock(&a->lock);
	atomic_store(&c->is_cancelled, 1);
	if (a) {
		pthread_cond_broadcast(&a->came);
		pthread_mutex_unlock(&a->lock);
	}
}

/* ---- out of it ---- */

static napi_value part(napi_env env, const void *arg, size_t i)
{
	const struct event *e = arg;
	const char *p = e->text;

	while (i--)
		p += strlen(p) + 1;
	return value_text(env, p, strlen(p));
}

/* All parts from the second on: one pass. */
static napi_value names_of(napi_env env, const struct event *e)
{
	const char *p = e->text + strlen(e->text) + 1;
	napi_value array, v;

	if (napi_create_array_with_length(env, e->parts - 1, &array) !=
	    napi_ok)
		return NULL;
	for (uint32_t i = 0; i + 1 < e->parts; i++, p += strlen(p) + 1) {
		v = value_text(env, p, strlen(p));
		if (!v || napi_set_element(env, array, i, v) != napi_ok)
			return NULL;
	}
	return array;
}

static napi_value flag(napi_env env, int is)
{
	napi_value v;

	return napi_get_boolean(env, is, &v) == napi_ok ? v : NULL;
}

static napi_value bytes_of(napi_env env, const struct event *e)
{
	napi_value v;

	return napi_create_buffer_copy(env, e->size, e->text, NULL, &v) ==
			       napi_ok
		       ? v
		       : NULL;
}

static void tell(struct addon *addon, const struct event *e)
{
	static const char *const kinds[] = { "notice", "progress", "mended",
					     "fetch", "write" };
	napi_env env = addon->env;
	napi_value argv[6], this, f, v;
	size_t n = 2;

	argv[0] = value_number(env, e->id);
	argv[1] = value_text(env, kinds[e->kind], strlen(kinds[e->kind]));
	if (e->kind == WRITE)
		argv[n++] = bytes_of(env, e);
	else
		argv[n++] = part(env, e, 0);
	if (e->kind == MENDED)
		argv[n++] = part(env, e, 1);
	if (e->kind == FETCH)
		argv[n++] = names_of(env, e);
	if (e->kind == PROGRESS || e->kind == FETCH)
		argv[n++] = value_number(env, (uint64_t)e->a);
	if (e->kind == PROGRESS)
		argv[n++] = value_number(env, (uint64_t)e->b);
	if (e->kind == FETCH)
		argv[n++] = flag(env, e->b != 0);
	for (size_t i = 0; i < n; i++)
		if (!argv[i])
			return;
	if (napi_get_reference_value(env, addon->tell, &f) == napi_ok &&
	    napi_get_undefined(env, &this) == napi_ok)
		napi_call_function(env, this, f, n, argv, &v);
}

static struct event *take_first(struct addon *addon)
{
	struct event *e;

	pthread_mutex_lock(&addon->lock);
	e = addon->first;
	if (e && !(addon->first = e->next))
		addon->last = NULL;
	pthread_mutex_unlock(&addon->lock);
	return e;
}

void event_drain(struct addon *addon)
{
	napi_handle_scope scope;
	struct event *e;

	while ((e = take_first(addon))) {
		if (e->kind == OVER) {
			call_joined(e->call);
		} else if (napi_open_handle_scope(addon->env, &scope) ==
			   napi_ok) {
			tell(addon, e);
			napi_close_handle_scope(addon->env, scope);
		}
		free(e);
	}
}

void event_drop(struct addon *addon)
{
	struct event *e;

	while ((e = take_first(addon)))
		free(e);
}
