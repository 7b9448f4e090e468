/* verb_check.c - looking whether all is well, and what is not needed; what
 * needs no store. */
#include "handle.h"
#include "rows.h"
#include "verbs.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A list that could not be kept whole is no answer. */
static int fail_short(struct call *c, const struct rows *r, int rc)
{
	if (!r->is_short)
		return rc;
	c->err.status = PAKHUS_ENOMEM;
	snprintf(c->err.text, sizeof(c->err.text), "out of memory");
	return PAKHUS_ENOMEM;
}

/* ---- verify ---- */

struct verify {
	struct call call;
	struct pakhus_verify verify;
	struct rows damage;
	int is_sound;
};

static void parse_verify(struct args *a, struct call *c)
{
	struct verify *v = (struct verify *)c;

	v->verify.flags = (unsigned)take_number(a, 7);
	v->verify.damage = damage_add;
	v->verify.arg = &v->damage;
}

static int run_verify(struct call *c)
{
	struct verify *v = (struct verify *)c;
	int rc = pakhus_verify(c->store, &v->verify, &c->err);

	v->is_sound = !rc;
	/* damage that was told is the answer, and no failure */
	if (rc == PAKHUS_ECORRUPT && v->damage.n)
		rc = 0;
	return fail_short(c, &v->damage, rc);
}

static napi_value verify_result(napi_env env, struct call *c)
{
	struct verify *v = (struct verify *)c;
	struct object o = object_new(env);

	put_flag(&o, "ok", v->is_sound);
	put_number(&o, "entries", v->verify.entries);
	put_number(&o, "objects", v->verify.objects);
	put_number(&o, "bytes", v->verify.bytes);
	put(&o, "damages", damage_value(env, &v->damage));
	return o.value;
}

static void release_verify(struct call *c)
{
	damage_free(&((struct verify *)c)->damage);
}

static const struct verb verify = {
	.name = "verify",
	.size = sizeof(struct verify),
	.flags = VERB_STORE | VERB_WATCHED,
	.parse = parse_verify,
	.run = run_verify,
	.result = verify_result,
	.release = release_verify,
};

/* ---- gc ---- */

struct gc {
	struct call call;
	struct pakhus_gc gc;
	struct rows garbage;
};

static void add_garbage(void *arg, const struct pakhus_garbage *g)
{
	struct pakhus_garbage *row = rows_add(arg, sizeof(*row));

	if (row)
		*row = *g;
}

static void parse_gc(struct args *a, struct call *c)
{
	struct gc *g = (struct gc *)c;

	g->gc.flags = take_flag(a) ? PAKHUS_GC_DRY_RUN : 0;
	g->gc.grace_us = take_number(a, UINT64_C(1) << 53);
	g->gc.garbage = take_flag(a) ? add_garbage : NULL;
	g->gc.arg = &g->garbage;
}

static int run_gc(struct call *c)
{
	struct gc *g = (struct gc *)c;
	int rc = pakhus_gc(c->store, &g->gc, &c->err);

	return rc ? rc : fail_short(c, &g->garbage, rc);
}

static napi_value garbage_at(napi_env env, const void *arg, size_t i)
{
	const struct pakhus_garbage *g = (const struct pakhus_garbage *)arg + i;
	struct object o = object_new(env);

	put_string(&o, "hash", g->hash);
	put_number(&o, "bytes", g->bytes);
	put_number(&o, "sinceUs", g->since_us);
	put_flag(&o, "isFreed", g->is_freed);
	put_string(&o, "id", g->id);
	put_string(&o, "version", g->version);
	return o.value;
}

static napi_value gc_result(napi_env env, struct call *c)
{
	struct gc *call = (struct gc *)c;
	const struct pakhus_gc *g = &call->gc;
	struct object o = object_new(env);

	put_number(&o, "freed", g->freed);
	put_number(&o, "freedBytes", g->freed_bytes);
	put_number(&o, "waiting", g->waiting);
	put_number(&o, "waitingBytes", g->waiting_bytes);
	put_number(&o, "emptied", g->emptied);
	put_number(&o, "emptiedBytes", g->emptied_bytes);
	if (g->garbage)
		put(&o, "garbage",
		    value_array(env, call->garbage.n, garbage_at,
				call->garbage.item));
	return o.value;
}

static void release_gc(struct call *c)
{
	rows_free(&((struct gc *)c)->garbage);
}

static const struct verb gc = {
	.name = "gc",
	.size = sizeof(struct gc),
	.flags = VERB_STORE | VERB_WATCHED,
	.parse = parse_gc,
	.run = run_gc,
	.result = gc_result,
	.release = release_gc,
};

/* ---- check, hash ---- */

struct hash {
	struct call call;
	const char *json;
	size_t size;
	char hash[PAKHUS_HASH_HEX + 1];
};

static void parse_hash(struct args *a, struct call *c)
{
	struct hash *h = (struct hash *)c;

	h->json = take_text(a, &h->size);
}

static int run_check(struct call *c)
{
	struct hash *h = (struct hash *)c;

	return pakhus_check(h->json, h->size, &c->err);
}

static const struct verb check = {
	.name = "check",
	.size = sizeof(struct hash),
	.parse = parse_hash,
	.run = run_check,
};

static int run_hash(struct call *c)
{
	struct hash *h = (struct hash *)c;

	return pakhus_hash(h->json, h->size, h->hash, &c->err);
}

static napi_value hash_result(napi_env env, struct call *c)
{
	return value_text(env, ((struct hash *)c)->hash, PAKHUS_HASH_HEX);
}

static const struct verb hash = {
	.name = "hash",
	.size = sizeof(struct hash),
	.parse = parse_hash,
	.run = run_hash,
	.result = hash_result,
};

/* ---- dump ---- */

static int write_dump(void *arg, const char *text, size_t size)
{
	return fwrite(text, 1, size, arg) != size;
}

static void parse_dump(struct args *a, struct call *c)
{
	((struct text_call *)c)->id = take_name(a);
}

static int run_dump(struct call *c)
{
	struct text_call *t = (struct text_call *)c;
	FILE *f = open_memstream(&t->text, &t->size);
	int rc;

	if (!f)
		return PAKHUS_ENOMEM;
	rc = pakhus_dump(t->id, write_dump, f, &c->err);
	return fclose(f) && !rc ? PAKHUS_ENOMEM : rc;
}

static void release_dump(struct call *c)
{
	free(((struct text_call *)c)->text);
}

static const struct verb dump = {
	.name = "dump",
	.size = sizeof(struct text_call),
	.parse = parse_dump,
	.run = run_dump,
	.result = text_result,
	.release = release_dump,
};

const struct verb *const check_verbs[] = { &verify, &gc, &check, &hash, &dump,
					   NULL };
