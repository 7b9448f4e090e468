/* verb_write.c - what changes a store, one step at a time. */
#include "handle.h"
#include "values.h"
#include "verbs.h"

/* ---- publish ---- */

struct publish {
	struct call call;
	const char *json, *by;
	size_t size;
	int has_over;
	uint64_t over;
	struct pakhus_record record;
};

static void parse_publish(struct args *a, struct call *c)
{
	struct publish *p = (struct publish *)c;

	p->json = take_text(a, &p->size);
	p->by = take_name_or_null(a);
	p->has_over = take_number_if(a, UINT64_C(1) << 53, &p->over);
}

static int publish_over(struct publish *p)
{
	struct pakhus_document *doc = NULL;
	struct call *c = &p->call;
	int rc = pakhus_document_new(c->store, p->json, p->size, &doc,
				     &c->err);

	if (!rc)
		rc = pakhus_publish_document(c->store, doc, &p->over, p->by,
					     &p->record, &c->err);
	pakhus_document_free(doc);
	return rc;
}

static int run_publish(struct call *c)
{
	struct publish *p = (struct publish *)c;

	if (p->has_over)
		return publish_over(p);
	return pakhus_publish(c->store, p->json, p->size, p->by, &p->record,
			      &c->err);
}

static napi_value publish_result(napi_env env, struct call *c)
{
	return value_record(env, &((struct publish *)c)->record);
}

static const struct verb publish = {
	.name = "publish",
	.size = sizeof(struct publish),
	.flags = VERB_STORE | VERB_WRITES,
	.parse = parse_publish,
	.run = run_publish,
	.result = publish_result,
};

/* ---- delete ---- */

struct delete_call {
	struct call call;
	const char *id, *version, *by;
	int has_over;
	uint64_t over, count;
};

static void parse_delete(struct args *a, struct call *c)
{
	struct delete_call *d = (struct delete_call *)c;

	d->id = take_name(a);
	d->version = take_name_or_null(a);
	d->by = take_name_or_null(a);
	d->has_over = take_number_if(a, UINT64_C(1) << 53, &d->over);
	if (d->has_over && !d->version)
		args_bad(a, "over is of a version");
}

static int run_delete(struct call *c)
{
	struct delete_call *d = (struct delete_call *)c;

	d->count = 1;
	if (d->has_over)
		return pakhus_delete_over(c->store, d->id, d->version, d->over,
					  d->by, &c->err);
	return pakhus_delete(c->store, d->id, d->version, d->by, &d->count,
			     &c->err);
}

static napi_value delete_result(napi_env env, struct call *c)
{
	return value_number(env, ((struct delete_call *)c)->count);
}

static const struct verb delete_version = {
	.name = "delete",
	.size = sizeof(struct delete_call),
	.flags = VERB_STORE | VERB_WRITES,
	.parse = parse_delete,
	.run = run_delete,
	.result = delete_result,
};

/* ---- purge ---- */

struct purge {
	struct call call;
	const char *id, *version, *reason, *by;
	uint64_t seq; /* 0: all texts of the version */
	struct pakhus_purged purged;
};

static void parse_purge(struct args *a, struct call *c)
{
	struct purge *p = (struct purge *)c;

	p->id = take_name(a);
	p->version = take_name(a);
	p->reason = take_name(a);
	p->by = take_name_or_null(a);
	p->seq = take_number(a, UINT64_C(1) << 53);
}

static int run_purge(struct call *c)
{
	struct purge *p = (struct purge *)c;

	if (p->seq)
		return pakhus_purge_at(c->store, p->id, p->version, p->seq,
				       p->reason, p->by, &p->purged, &c->err);
	return pakhus_purge(c->store, p->id, p->version, p->reason, p->by,
			    &p->purged, &c->err);
}

static napi_value purge_result(napi_env env, struct call *c)
{
	const struct pakhus_purged *p = &((struct purge *)c)->purged;
	struct object o = object_new(env);

	put_number(&o, "texts", p->texts);
	put_number(&o, "seq", p->seq);
	put_number(&o, "encoded", p->encoded);
	return o.value;
}

static const struct verb purge = {
	.name = "purge",
	.size = sizeof(struct purge),
	.flags = VERB_STORE | VERB_WRITES,
	.parse = parse_purge,
	.run = run_purge,
	.result = purge_result,
};

const struct verb *const write_verbs[] = { &publish, &delete_version, &purge,
					   NULL };
