#include "batch.h"
#include "values.h"
#include "verbs.h"

#include <stdlib.h>

/* Its store's batches are linked; handle is NULL once it was dropped. */
struct batch {
	struct batch *next;
	struct handle *handle;
	struct pakhus_batch *batch;
	int is_busy, is_dropped; /* a call has it, JavaScript has it no more */
};

struct batch_call {
	struct call call;
	struct batch *batch;
	const char *by;
	const char *id, *version; /* of attrs */
	const char **text;
	size_t *size;
	uint32_t n, added;
	uint64_t durable;
	struct pakhus_error failed; /* at the text behind those added */
	struct pakhus_batch *made;
};

static void drop(struct batch *b)
{
	struct batch **at;

	if (!b->handle)
		return;
	for (at = &b->handle->batches; *at != b; at = &(*at)->next)
		;
	*at = b->next;
	b->handle = NULL;
	pakhus_batch_free(b->batch);
	b->batch = NULL;
}

void batch_drop_all(struct handle *h)
{
	while (h->batches)
		drop(h->batches);
}

static void finalize(napi_env env, void *data, void *hint)
{
	struct batch *b = data;

	(void)env;
	(void)hint;
	b->is_dropped = 1;
	if (b->is_busy)
		return;
	drop(b);
	free(b);
}

/* ---- a new one ---- */

static void parse_new(struct args *a, struct call *c)
{
	((struct batch_call *)c)->by = take_name_or_null(a);
}

static int run_new(struct call *c)
{
	struct batch_call *bc = (struct batch_call *)c;

	return pakhus_batch_new(c->store, bc->by, &bc->made, &c->err);
}

static napi_value new_result(napi_env env, struct call *c)
{
	struct batch_call *bc = (struct batch_call *)c;
	struct batch *b = calloc(1, sizeof(*b));
	napi_value v;

	if (!b || napi_create_external(env, b, finalize, NULL, &v) !=
			  napi_ok) {
		free(b);
		return NULL;
	}
	b->batch = bc->made;
	bc->made = NULL;
	b->handle = c->handle;
	b->next = c->handle->batches;
	c->handle->batches = b;
	return v;
}

static void release_new(struct call *c)
{
	pakhus_batch_free(((struct batch_call *)c)->made);
}

static const struct verb batch_new = {
	.name = "batchNew",
	.size = sizeof(struct batch_call),
	.flags = VERB_STORE,
	.parse = parse_new,
	.run = run_new,
	.result = new_result,
	.release = release_new,
};

/* ---- into it ---- */

static void take_batch(struct args *a, struct batch_call *bc)
{
	napi_value v = take(a);
	void *data = NULL;
	struct batch *b;

	if (!v || napi_get_value_external(a->env, v, &data) != napi_ok) {
		args_bad(a, "expected a batch");
		return;
	}
	b = data;
	if (b->handle != bc->call.handle)
		args_bad(a, "the batch was dropped");
	else if (b->is_busy)
		args_bad(a, "a batch does one thing at a time");
	else
		bc->batch = b;
}

static void release_batch(struct call *c)
{
	struct batch *b = ((struct batch_call *)c)->batch;

	if (!b)
		return;
	b->is_busy = 0;
	if (b->is_dropped) {
		drop(b);
		free(b);
	}
}

static void parse_publish(struct args *a, struct call *c)
{
	struct batch_call *bc = (struct batch_call *)c;
	napi_value texts, v;

	take_batch(a, bc);
	texts = take(a);
	if (a->is_bad)
		return;
	if (!texts || napi_get_array_length(a->env, texts, &bc->n) !=
			      napi_ok) {
		args_bad(a, "expected an array");
		return;
	}
	bc->text = call_alloc(c, bc->n * sizeof(*bc->text));
	bc->size = call_alloc(c, bc->n * sizeof(*bc->size));
	if (!bc->text || !bc->size) {
		args_bad(a, "out of memory");
		return;
	}
	for (uint32_t i = 0; i < bc->n && !a->is_bad; i++)
		if (napi_get_element(a->env, texts, i, &v) != napi_ok)
			args_bad(a, "expected an array");
		else
			bc->text[i] = args_text(a, v, &bc->size[i]);
	if (!a->is_bad)
		bc->batch->is_busy = 1;
}

/* What went in before one was refused is in: so it is no failure. */
static int run_publish(struct call *c)
{
	struct batch_call *bc = (struct batch_call *)c;
	struct pakhus_batch *b = bc->batch->batch;

	while (bc->added < bc->n &&
	       !pakhus_batch_publish(b, bc->text[bc->added],
				     bc->size[bc->added], &bc->failed))
		bc->added++;
	bc->durable = pakhus_batch_durable(b);
	return 0;
}

static napi_value publish_result(napi_env env, struct call *c)
{
	struct batch_call *bc = (struct batch_call *)c;
	struct object o = object_new(env);

	put_number(&o, "added", bc->added);
	put_number(&o, "durable", bc->durable);
	if (bc->added < bc->n)
		put(&o, "error", value_error(c->addon, &bc->failed));
	return o.value;
}

static const struct verb batch_publish = {
	.name = "batchPublish",
	.size = sizeof(struct batch_call),
	.flags = VERB_STORE | VERB_WRITES,
	.parse = parse_publish,
	.run = run_publish,
	.result = publish_result,
	.release = release_batch,
};

static void parse_attrs(struct args *a, struct call *c)
{
	struct batch_call *bc = (struct batch_call *)c;

	take_batch(a, bc);
	bc->id = take_name(a);
	bc->version = take_name_or_null(a);
	bc->n = 1;
	bc->text = call_alloc(c, sizeof(*bc->text));
	bc->size = call_alloc(c, sizeof(*bc->size));
	if (!bc->text || !bc->size) {
		args_bad(a, "out of memory");
		return;
	}
	bc->text[0] = take_text(a, &bc->size[0]);
	if (!a->is_bad)
		bc->batch->is_busy = 1;
}

static int run_attrs(struct call *c)
{
	struct batch_call *bc = (struct batch_call *)c;
	struct pakhus_batch *b = bc->batch->batch;

	bc->added = !pakhus_batch_attrs(b, bc->id, bc->version, bc->text[0],
					bc->size[0], &bc->failed);
	bc->durable = pakhus_batch_durable(b);
	return 0;
}

static const struct verb batch_attrs = {
	.name = "batchAttrs",
	.size = sizeof(struct batch_call),
	.flags = VERB_STORE | VERB_WRITES,
	.parse = parse_attrs,
	.run = run_attrs,
	.result = publish_result,
	.release = release_batch,
};

static void parse_commit(struct args *a, struct call *c)
{
	struct batch_call *bc = (struct batch_call *)c;

	take_batch(a, bc);
	if (!a->is_bad)
		bc->batch->is_busy = 1;
}

static int run_commit(struct call *c)
{
	struct batch_call *bc = (struct batch_call *)c;
	int rc = pakhus_batch_commit(bc->batch->batch, &bc->failed);

	bc->added = !rc;
	bc->n = 1;
	bc->durable = pakhus_batch_durable(bc->batch->batch);
	return 0;
}

static const struct verb batch_commit = {
	.name = "batchCommit",
	.size = sizeof(struct batch_call),
	.flags = VERB_STORE | VERB_WRITES,
	.parse = parse_commit,
	.run = run_commit,
	.result = publish_result,
	.release = release_batch,
};

/* ---- away with it ---- */

static int run_free(struct call *c)
{
	(void)c;
	return 0;
}

static napi_value free_result(napi_env env, struct call *c)
{
	napi_value v;

	drop(((struct batch_call *)c)->batch);
	return napi_get_undefined(env, &v) == napi_ok ? v : NULL;
}

static const struct verb batch_free = {
	.name = "batchFree",
	.size = sizeof(struct batch_call),
	.flags = VERB_STORE,
	.parse = parse_commit,
	.run = run_free,
	.result = free_result,
	.release = release_batch,
};

const struct verb *const batch_verbs[] = { &batch_new,	 &batch_publish,
					   &batch_attrs, &batch_commit,
					   &batch_free,	 NULL };
