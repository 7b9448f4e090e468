/* verb_mirror.c - what fetches from a source that JavaScript reaches. */
#include "event.h"
#include "mirror.h"
#include "rows.h"

#include <limits.h>

/* ---- mirror, adoptFrom ---- */

static void parse_mirror(struct args *a, struct call *c)
{
	struct mirror *m = (struct mirror *)c;

	m->path = take_name(a);
	source_take(a, &m->source);
	mirror_take(a, m);
}

static int run_mirror(struct call *c)
{
	struct mirror *m = (struct mirror *)c;

	return pakhus_mirror(m->path, &m->source, &m->mirror, &c->err);
}

static const struct verb mirror = {
	.name = "mirror",
	.size = sizeof(struct mirror),
	.flags = VERB_WATCHED | VERB_WAITS,
	.parse = parse_mirror,
	.run = run_mirror,
	.result = mirror_result,
};

static int run_adopt(struct call *c)
{
	struct mirror *m = (struct mirror *)c;

	return pakhus_adopt_from(m->path, &m->source, &m->mirror, &c->err);
}

static const struct verb adopt_from = {
	.name = "adoptFrom",
	.size = sizeof(struct mirror),
	.flags = VERB_WATCHED | VERB_WAITS,
	.parse = parse_mirror,
	.run = run_adopt,
	.result = mirror_result,
};

/* ---- repair ---- */

struct repair {
	struct call call;
	const char *path;
	struct pakhus_source source;
	struct pakhus_repair repair;
	struct rows damage;
	int is_sound;
};

/* One arg for all four callbacks: the call. */
static void add_damage(void *arg, const char *path, const char *rule,
		       const char *text)
{
	damage_add(&((struct repair *)arg)->damage, path, rule, text);
}

static void tell_mended(void *arg, const char *path, const char *text)
{
	struct call *c = arg;

	event_mended(c->addon, c->id, path, text);
}

static void parse_repair(struct args *a, struct call *c)
{
	struct repair *r = (struct repair *)c;

	r->path = take_name(a);
	source_take(a, &r->source);
	r->repair.threads = (unsigned)take_number(a, UINT_MAX);
	r->repair.damage = add_damage;
	r->repair.mended = tell_mended;
	r->repair.progress = verb_progress;
	r->repair.notice = verb_notice;
	r->repair.arg = c;
}

static int run_repair(struct call *c)
{
	struct repair *r = (struct repair *)c;
	int rc = pakhus_repair(r->path, &r->source, &r->repair, &c->err);

	r->is_sound = !rc;
	if (r->damage.is_short)
		return PAKHUS_ENOMEM;
	return rc == PAKHUS_ECORRUPT && r->damage.n ? 0 : rc;
}

static napi_value repair_result(napi_env env, struct call *c)
{
	struct repair *call = (struct repair *)c;
	const struct pakhus_repair *r = &call->repair;
	struct object o = object_new(env);

	put_flag(&o, "ok", call->is_sound);
	put_number(&o, "entries", r->entries);
	put_number(&o, "objects", r->objects);
	put_number(&o, "bytes", r->bytes);
	put_number(&o, "restored", r->restored);
	put_number(&o, "aside", r->aside);
	put(&o, "damages", damage_value(env, &call->damage));
	return o.value;
}

static void release_repair(struct call *c)
{
	damage_free(&((struct repair *)c)->damage);
}

static const struct verb repair = {
	.name = "repair",
	.size = sizeof(struct repair),
	.flags = VERB_WATCHED | VERB_WAITS,
	.parse = parse_repair,
	.run = run_repair,
	.result = repair_result,
	.release = release_repair,
};

const struct verb *const mirror_verbs[] = { &mirror, &adopt_from, &repair,
					    NULL };
