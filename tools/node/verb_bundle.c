/* verb_bundle.c - bundles, made of a store and brought to a mirror. */
#include "event.h"
#include "mirror.h"
#include "verbs.h"

/* ---- bundleCreate ---- */

struct bundle {
	struct call call;
	const char *path; /* NULL: JavaScript writes */
	struct pakhus_bundle bundle;
};

static int write_bytes(void *arg, const char *bytes, size_t size)
{
	struct call *c = arg;

	return event_write(c, bytes, size, NULL);
}

static void parse_create(struct args *a, struct call *c)
{
	struct bundle *b = (struct bundle *)c;

	b->path = take_name_or_null(a);
	b->bundle.since = take_number(a, UINT64_C(1) << 53);
	b->bundle.checkpoint = take_text_or_null(a, &b->bundle.checkpoint_size);
	b->bundle.write = write_bytes;
	b->bundle.arg = c;
}

static int run_create(struct call *c)
{
	struct bundle *b = (struct bundle *)c;

	return pakhus_bundle_create(c->store, b->path, &b->bundle, &c->err);
}

static napi_value create_result(napi_env env, struct call *c)
{
	const struct pakhus_bundle *b = &((struct bundle *)c)->bundle;
	struct object o = object_new(env);

	put_number(&o, "from", b->from);
	put_number(&o, "to", b->to);
	put_number(&o, "objects", b->objects);
	put_number(&o, "bytes", b->bytes);
	return o.value;
}

static const struct verb bundle_create = {
	.name = "bundleCreate",
	.size = sizeof(struct bundle),
	.flags = VERB_STORE | VERB_WATCHED | VERB_WAITS,
	.parse = parse_create,
	.run = run_create,
	.result = create_result,
};

/* ---- bundleApply ---- */

static void parse_apply(struct args *a, struct call *c)
{
	struct mirror *m = (struct mirror *)c;

	m->path = take_name(a);
	m->file = take_name(a);
	mirror_take(a, m);
}

static int run_apply(struct call *c)
{
	struct mirror *m = (struct mirror *)c;

	return pakhus_bundle_apply(m->path, m->file, &m->mirror, &c->err);
}

static const struct verb bundle_apply = {
	.name = "bundleApply",
	.size = sizeof(struct mirror),
	.flags = VERB_WATCHED | VERB_WAITS,
	.parse = parse_apply,
	.run = run_apply,
	.result = mirror_result,
};

const struct verb *const bundle_verbs[] = { &bundle_create, &bundle_apply,
					    NULL };
