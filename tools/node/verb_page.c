/* verb_page.c - pages of packages, versions and log entries. */
#include "values.h"
#include "verbs.h"

struct page {
	struct call call;
	const char *id;
	struct pakhus_range range;
	unsigned flags;
	struct pakhus_list *list;
	struct texts *texts; /* of its items */
	struct pakhus_versions *versions;
	struct pakhus_history *history;
};

static void take_range(struct args *a, struct page *p)
{
	p->range.before = take_number(a, UINT64_C(1) << 53);
	p->range.limit = take_number(a, 10000);
}

static napi_value page(napi_env env, napi_value items, uint64_t next,
		       uint64_t position)
{
	struct object o = object_new(env);

	put(&o, "items", items);
	put_number(&o, "next", next);
	put_number(&o, "position", position);
	return o.value;
}

/* ---- list ---- */

static void parse_list(struct args *a, struct call *c)
{
	struct page *p = (struct page *)c;

	take_range(a, p);
	p->flags = take_flag(a) ? PAKHUS_DOCUMENTS : 0;
}

static int run_list(struct call *c)
{
	struct page *p = (struct page *)c;

	int rc = pakhus_list(c->store, p->range, p->flags, &p->list, &c->err);

	if (rc)
		return rc;
	p->texts = call_alloc(c, p->list->count * sizeof(*p->texts));
	if (!p->texts)
		return PAKHUS_ENOMEM;
	for (size_t i = 0; i < p->list->count; i++)
		if (texts_make(c, p->list->items[i], &p->texts[i]))
			return PAKHUS_ENOMEM;
	return 0;
}

static napi_value package_at(napi_env env, const void *arg, size_t i)
{
	const struct page *p = arg;

	return texts_value(env, p->list->items[i], &p->texts[i]);
}

static napi_value list_result(napi_env env, struct call *c)
{
	struct pakhus_list *l = ((struct page *)c)->list;

	return page(env, value_array(env, l->count, package_at, c), l->next,
		    l->position);
}

static void release_list(struct call *c)
{
	pakhus_list_free(((struct page *)c)->list);
}

static const struct verb list = {
	.name = "list",
	.size = sizeof(struct page),
	.flags = VERB_STORE,
	.parse = parse_list,
	.run = run_list,
	.result = list_result,
	.release = release_list,
};

/* ---- versions ---- */

static void parse_versions(struct args *a, struct call *c)
{
	struct page *p = (struct page *)c;

	p->id = take_name(a);
	take_range(a, p);
}

static int run_versions(struct call *c)
{
	struct page *p = (struct page *)c;

	return pakhus_versions(c->store, p->id, p->range, &p->versions,
			       &c->err);
}

static napi_value record_at(napi_env env, const void *arg, size_t i)
{
	return value_record(env,
			    &((const struct pakhus_versions *)arg)->items[i]);
}

static napi_value versions_result(napi_env env, struct call *c)
{
	struct pakhus_versions *v = ((struct page *)c)->versions;

	return page(env, value_array(env, v->count, record_at, v), v->next,
		    v->position);
}

static void release_versions(struct call *c)
{
	pakhus_versions_free(((struct page *)c)->versions);
}

static const struct verb versions = {
	.name = "versions",
	.size = sizeof(struct page),
	.flags = VERB_STORE,
	.parse = parse_versions,
	.run = run_versions,
	.result = versions_result,
	.release = release_versions,
};

/* ---- history ---- */

static void parse_history(struct args *a, struct call *c)
{
	struct page *p = (struct page *)c;

	p->id = take_name_or_null(a);
	take_range(a, p);
}

static int run_history(struct call *c)
{
	struct page *p = (struct page *)c;

	return pakhus_history(c->store, p->id, p->range, &p->history, &c->err);
}

static napi_value entry_at(napi_env env, const void *arg, size_t i)
{
	return value_entry(env,
			   &((const struct pakhus_history *)arg)->items[i]);
}

static napi_value history_result(napi_env env, struct call *c)
{
	struct pakhus_history *h = ((struct page *)c)->history;

	return page(env, value_array(env, h->count, entry_at, h), h->next,
		    h->position);
}

static void release_history(struct call *c)
{
	pakhus_history_free(((struct page *)c)->history);
}

static const struct verb history = {
	.name = "history",
	.size = sizeof(struct page),
	.flags = VERB_STORE,
	.parse = parse_history,
	.run = run_history,
	.result = history_result,
	.release = release_history,
};

const struct verb *const page_verbs[] = { &list, &versions, &history, NULL };
