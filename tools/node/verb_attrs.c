/* verb_attrs.c - what is said about a package, or a version of it. */
#include "handle.h"
#include "values.h"
#include "verbs.h"

struct attrs_call {
	struct call call;
	const char *id, *version, *json, *by;
	size_t size;
	uint64_t seq;
	struct pakhus_attrs *attrs;
	struct wide text;
};

static void parse_set(struct args *a, struct call *c)
{
	struct attrs_call *t = (struct attrs_call *)c;

	t->id = take_name(a);
	t->version = take_name_or_null(a);
	t->json = take_text(a, &t->size);
	t->by = take_name_or_null(a);
}

static int run_set(struct call *c)
{
	struct attrs_call *t = (struct attrs_call *)c;

	return pakhus_set_attrs(c->store, t->id, t->version, t->json, t->size,
				t->by, &t->seq, &c->err);
}

static napi_value set_result(napi_env env, struct call *c)
{
	return value_number(env, ((struct attrs_call *)c)->seq);
}

static const struct verb set_attrs = {
	.name = "setAttrs",
	.size = sizeof(struct attrs_call),
	.flags = VERB_STORE | VERB_WRITES,
	.parse = parse_set,
	.run = run_set,
	.result = set_result,
};

static void parse_attrs(struct args *a, struct call *c)
{
	struct attrs_call *t = (struct attrs_call *)c;

	t->id = take_name(a);
	t->version = take_name_or_null(a);
}

static int run_attrs(struct call *c)
{
	struct attrs_call *t = (struct attrs_call *)c;
	int rc = pakhus_attrs(c->store, t->id, t->version, &t->attrs, &c->err);

	if (!rc && wide_make(c, t->attrs->text, t->attrs->size, &t->text))
		return PAKHUS_ENOMEM;
	return rc;
}

static napi_value attrs_result(napi_env env, struct call *c)
{
	struct attrs_call *t = (struct attrs_call *)c;
	const struct pakhus_attrs *s = t->attrs;
	struct object o = object_new(env);

	put_string(&o, "id", s->id);
	put_string(&o, "version", s->version);
	put_string(&o, "hash", s->hash);
	put_number(&o, "seq", s->seq);
	put_number(&o, "timeUs", s->time_us);
	put_string(&o, "time", s->time);
	put_string(&o, "by", s->by);
	put(&o, "attrs", wide_value(env, &t->text));
	return o.value;
}

static void release_attrs(struct call *c)
{
	pakhus_attrs_free(((struct attrs_call *)c)->attrs);
}

static const struct verb attrs = {
	.name = "attrs",
	.size = sizeof(struct attrs_call),
	.flags = VERB_STORE,
	.parse = parse_attrs,
	.run = run_attrs,
	.result = attrs_result,
	.release = release_attrs,
};

const struct verb *const attrs_verbs[] = { &set_attrs, &attrs, NULL };
