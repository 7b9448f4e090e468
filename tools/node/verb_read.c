/* verb_read.c - one package, or one text, out of a store. */
#include "values.h"
#include "verbs.h"

struct get {
	struct call call;
	const char *id, *version;
	uint64_t seq;
	struct pakhus_package *package;
	struct texts texts;
};

static int got(struct get *g, int rc)
{
	if (!rc && texts_make(&g->call, g->package, &g->texts))
		return PAKHUS_ENOMEM;
	return rc;
}

static napi_value get_result(napi_env env, struct call *c)
{
	struct get *g = (struct get *)c;

	return texts_value(env, g->package, &g->texts);
}

static void release_get(struct call *c)
{
	pakhus_package_free(((struct get *)c)->package);
}

static void parse_get(struct args *a, struct call *c)
{
	struct get *g = (struct get *)c;

	g->id = take_name(a);
	g->version = take_name_or_null(a);
}

static int run_get(struct call *c)
{
	struct get *g = (struct get *)c;

	return got(g, pakhus_get(c->store, g->id, g->version, &g->package,
				 &c->err));
}

static const struct verb get = {
	.name = "get",
	.size = sizeof(struct get),
	.flags = VERB_STORE,
	.parse = parse_get,
	.run = run_get,
	.result = get_result,
	.release = release_get,
};

static int run_get_cached(struct call *c)
{
	struct get *g = (struct get *)c;

	return got(g, pakhus_get_cached(c->store, g->id, g->version,
					&g->package, &c->err));
}

static const struct verb get_cached = {
	.name = "getCached",
	.size = sizeof(struct get),
	.flags = VERB_STORE | VERB_NOW,
	.parse = parse_get,
	.run = run_get_cached,
	.result = get_result,
	.release = release_get,
};

static void parse_get_at(struct args *a, struct call *c)
{
	((struct get *)c)->seq = take_number(a, UINT64_C(1) << 53);
}

static int run_get_at(struct call *c)
{
	struct get *g = (struct get *)c;

	return got(g, pakhus_get_at(c->store, g->seq, &g->package, &c->err));
}

static const struct verb get_at = {
	.name = "getAt",
	.size = sizeof(struct get),
	.flags = VERB_STORE,
	.parse = parse_get_at,
	.run = run_get_at,
	.result = get_result,
	.release = release_get,
};

static void parse_read(struct args *a, struct call *c)
{
	((struct text_call *)c)->id = take_name(a);
}

static int run_read(struct call *c)
{
	struct text_call *t = (struct text_call *)c;

	return pakhus_read(c->store, t->id, &t->text, &t->size, &c->err);
}

static const struct verb read_text = {
	.name = "read",
	.size = sizeof(struct text_call),
	.flags = VERB_STORE,
	.parse = parse_read,
	.run = run_read,
	.result = text_result,
	.release = text_release,
};

const struct verb *const read_verbs[] = { &get, &get_cached, &get_at,
					  &read_text, NULL };
