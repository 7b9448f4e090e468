/* verb_log.c - the log's keys, its checkpoint, and proofs of what it says. */
#include "handle.h"
#include "values.h"
#include "verbs.h"

/* ---- keys ---- */

struct keys_call {
	struct call call;
	const char *key, *by;
	struct pakhus_keys *keys;
	struct pakhus_key made;
};

static int run_keys(struct call *c)
{
	return pakhus_keys(c->store, &((struct keys_call *)c)->keys, &c->err);
}

static napi_value key_at(napi_env env, const void *arg, size_t i)
{
	return value_key(env, &((const struct pakhus_keys *)arg)->items[i]);
}

static napi_value keys_result(napi_env env, struct call *c)
{
	struct pakhus_keys *k = ((struct keys_call *)c)->keys;

	return value_array(env, k->count, key_at, k);
}

static void release_keys(struct call *c)
{
	pakhus_keys_free(((struct keys_call *)c)->keys);
}

static const struct verb keys = {
	.name = "keys",
	.size = sizeof(struct keys_call),
	.flags = VERB_STORE,
	.run = run_keys,
	.result = keys_result,
	.release = release_keys,
};

static void parse_rotate(struct args *a, struct call *c)
{
	struct keys_call *k = (struct keys_call *)c;

	k->key = take_name_or_null(a);
	k->by = take_name_or_null(a);
}

static int run_rotate(struct call *c)
{
	struct keys_call *k = (struct keys_call *)c;

	return pakhus_rotate(c->store, k->key, k->by, &k->made, &c->err);
}

static napi_value rotate_result(napi_env env, struct call *c)
{
	return value_key(env, &((struct keys_call *)c)->made);
}

static const struct verb rotate = {
	.name = "rotate",
	.size = sizeof(struct keys_call),
	.flags = VERB_STORE | VERB_WRITES,
	.parse = parse_rotate,
	.run = run_rotate,
	.result = rotate_result,
};

/* ---- checkpoint, prove ---- */

static void parse_checkpoint(struct args *a, struct call *c)
{
	((struct text_call *)c)->flag = take_flag(a);
}

static int run_checkpoint(struct call *c)
{
	struct text_call *t = (struct text_call *)c;

	return pakhus_checkpoint(c->store, t->flag, &t->text, &t->size,
				 &c->err);
}

static const struct verb checkpoint = {
	.name = "checkpoint",
	.size = sizeof(struct text_call),
	.flags = VERB_STORE,
	.parse = parse_checkpoint,
	.run = run_checkpoint,
	.result = text_result,
	.release = text_release,
};

static void parse_prove(struct args *a, struct call *c)
{
	struct text_call *t = (struct text_call *)c;

	t->id = take_name(a);
	t->version = take_name_or_null(a);
}

static int run_prove(struct call *c)
{
	struct text_call *t = (struct text_call *)c;

	return pakhus_prove(c->store, t->id, t->version, &t->text, &t->size,
			    &c->err);
}

static const struct verb prove = {
	.name = "prove",
	.size = sizeof(struct text_call),
	.flags = VERB_STORE,
	.parse = parse_prove,
	.run = run_prove,
	.result = text_result,
	.release = text_release,
};

static void parse_prove_at(struct args *a, struct call *c)
{
	((struct text_call *)c)->seq = take_number(a, UINT64_C(1) << 53);
}

static int run_prove_at(struct call *c)
{
	struct text_call *t = (struct text_call *)c;

	return pakhus_prove_at(c->store, t->seq, &t->text, &t->size, &c->err);
}

static const struct verb prove_at = {
	.name = "proveAt",
	.size = sizeof(struct text_call),
	.flags = VERB_STORE,
	.parse = parse_prove_at,
	.run = run_prove_at,
	.result = text_result,
	.release = text_release,
};

/* ---- checkProof ---- */

struct proof_call {
	struct call call;
	const char *text, *key;
	size_t size;
	struct pakhus_proof proof;
};

static void parse_proof(struct args *a, struct call *c)
{
	struct proof_call *p = (struct proof_call *)c;

	p->text = take_text(a, &p->size);
	p->key = take_name(a);
}

static int run_proof(struct call *c)
{
	struct proof_call *p = (struct proof_call *)c;

	return pakhus_check_proof(p->text, p->size, p->key, &p->proof,
				  &c->err);
}

static napi_value proof_result(napi_env env, struct call *c)
{
	const struct pakhus_proof *p = &((struct proof_call *)c)->proof;
	struct object o = object_new(env);

	put_string(&o, "origin", p->origin);
	put_number(&o, "entries", p->entries);
	put_number(&o, "timeUs", p->time_us);
	put_string(&o, "time", p->time);
	put(&o, "entry", value_entry(env, &p->entry));
	return o.value;
}

static const struct verb check_proof = {
	.name = "checkProof",
	.size = sizeof(struct proof_call),
	.parse = parse_proof,
	.run = run_proof,
	.result = proof_result,
};

const struct verb *const log_verbs[] = { &keys,	    &rotate, &checkpoint, &prove,
					 &prove_at, &check_proof, NULL };
