/* verb_store.c - making, opening and closing stores, and what they say of
 * themselves. */
#include "event.h"
#include "handle.h"
#include "values.h"
#include "verbs.h"

#include <limits.h>

/* ---- init, adoptHere ---- */

struct init {
	struct call call;
	const char *path;
	struct pakhus_init_options opt;
};

static void parse_init(struct args *a, struct call *c)
{
	struct init *i = (struct init *)c;

	i->path = take_name(a);
	i->opt.origin = take_name_or_null(a);
	i->opt.immutable = take_flag(a);
	i->opt.by = take_name_or_null(a);
	i->opt.key = take_name_or_null(a);
}

static int run_init(struct call *c)
{
	struct init *i = (struct init *)c;

	return pakhus_init(i->path, &i->opt, &c->err);
}

static const struct verb init = {
	.name = "init",
	.size = sizeof(struct init),
	.parse = parse_init,
	.run = run_init,
};

static void parse_adopt(struct args *a, struct call *c)
{
	((struct init *)c)->path = take_name(a);
}

static int run_adopt(struct call *c)
{
	return pakhus_adopt_here(((struct init *)c)->path, &c->err);
}

static const struct verb adopt_here = {
	.name = "adoptHere",
	.size = sizeof(struct init),
	.parse = parse_adopt,
	.run = run_adopt,
};

/* ---- open ---- */

struct open {
	struct call call;
	const char *path;
	struct pakhus_options opt;
	struct handle *handle;
};

static void notice(void *arg, const char *text)
{
	struct handle *h = arg;

	if (h->addon)
		event_notice(h->addon, h->id, text);
}

static void parse_open(struct args *a, struct call *c)
{
	struct open *o = (struct open *)c;
	uint64_t id = take_number(a, UINT64_C(1) << 53);

	o->path = take_name(a);
	o->opt.flags = (unsigned)take_number(a, UINT_MAX);
	o->opt.level = (int)take_number(a, INT_MAX);
	o->opt.cache_size = take_number(a, UINT64_C(1) << 53);
	o->opt.max_document = take_number(a, UINT64_C(1) << 53);
	o->opt.threads = (unsigned)take_number(a, UINT_MAX);
	if (a->is_bad)
		return;
	o->handle = handle_new(a->addon, id);
	if (!o->handle)
		args_bad(a, "out of memory");
	o->opt.progress = verb_progress;
	o->opt.notice = notice;
	o->opt.arg = o->handle;
}

static int run_open(struct call *c)
{
	struct open *o = (struct open *)c;

	return pakhus_open(&o->handle->store, o->path, &o->opt, &c->err);
}

static napi_value open_result(napi_env env, struct call *c)
{
	struct open *o = (struct open *)c;
	napi_value v = handle_value(o->handle);

	(void)env;
	if (v)
		o->handle = NULL;
	return v;
}

static void release_open(struct call *c)
{
	handle_free(((struct open *)c)->handle);
}

static const struct verb open_store = {
	.name = "open",
	.size = sizeof(struct open),
	.flags = VERB_WATCHED,
	.parse = parse_open,
	.run = run_open,
	.result = open_result,
	.release = release_open,
};

/* ---- sync, refreshPkg ---- */

static int run_sync(struct call *c)
{
	return pakhus_sync(c->store, &c->err);
}

static const struct verb sync_store = {
	.name = "sync",
	.size = sizeof(struct call),
	.flags = VERB_STORE,
	.run = run_sync,
};

static int run_refresh(struct call *c)
{
	return pakhus_refresh_pkg(c->store, &c->err);
}

static const struct verb refresh_pkg = {
	.name = "refreshPkg",
	.size = sizeof(struct call),
	.flags = VERB_STORE,
	.run = run_refresh,
};

/* ---- stat ---- */

struct stat_call {
	struct call call;
	unsigned flags;
	struct pakhus_stat stat;
};

static void parse_stat(struct args *a, struct call *c)
{
	((struct stat_call *)c)->flags =
		take_flag(a) ? PAKHUS_STAT_OBJECTS : 0;
}

static int run_stat(struct call *c)
{
	struct stat_call *s = (struct stat_call *)c;

	return pakhus_stat(c->store, s->flags, &s->stat, &c->err);
}

static napi_value stat_result(napi_env env, struct call *c)
{
	struct stat_call *call = (struct stat_call *)c;
	const struct pakhus_stat *s = &call->stat;
	struct object o = object_new(env);

	put_string(&o, "identity", s->identity);
	put_string(&o, "origin", s->origin);
	put_string(&o, "key", s->key);
	put_flag(&o, "immutable", s->immutable);
	put_flag(&o, "writable", s->writable);
	put_string(&o, "whyNot", s->why_not);
	put_number(&o, "entries", s->entries);
	put_number(&o, "checkpoint", s->checkpoint);
	put_string(&o, "root", s->root);
	put_number(&o, "packages", s->packages);
	put_number(&o, "versions", s->versions);
	if (call->flags & PAKHUS_STAT_OBJECTS) {
		put_number(&o, "objects", s->objects);
		put_number(&o, "objectBytes", s->object_bytes);
		put_number(&o, "objectBlocks", s->object_blocks);
		put_number(&o, "maxDepth", s->max_depth);
	}
	put_number(&o, "journalBytes", s->journal_bytes);
	put_number(&o, "indexBytes", s->index_bytes);
	return o.value;
}

static const struct verb stat_store = {
	.name = "stat",
	.size = sizeof(struct stat_call),
	.flags = VERB_STORE,
	.parse = parse_stat,
	.run = run_stat,
	.result = stat_result,
};

const struct verb *const store_verbs[] = {
	&init,	     &adopt_here, &open_store, &verb_close,
	&sync_store, &refresh_pkg, &stat_store, NULL,
};
