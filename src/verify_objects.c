/* verify_objects.c - objects read, decoded, and held against their names and
 * the log's entries.
 *
 * They are gathered until there are many, done by several threads, and told
 * of in the order in which they came: what is told does not depend on how
 * many threads there are, nor on what their caches hold. So what a cached
 * base would hide, whether chains are as F-17 and F-19 say, is looked at by
 * itself. A thread gets one package's objects after each other, so that it
 * has their bases.
 */
#include "verify.h"
#include "crew.h"
#include "match.h"
#include "objpath.h"

#include <stdio.h>

#define CACHE_SIZE ((size_t)64 << 20) /* of all threads ... */
#define CACHE_MIN ((size_t)32 << 20)  /* ... and of one at least */
#define GATHERED 4096
#define RUN 64 /* objects that a thread takes at once */

/* An object to be looked at, and what was found. */
struct item {
	unsigned char hash[PK_HASH_SIZE];
	char *id, *version; /* of the entry that publishes it; or NULL */
	uint64_t manifest_size, metadata_size, attrs_size;
	size_t at; /* in the order in which they came */

	enum { SOUND, GONE, UNREADABLE, OTHER_TEXT } state;
	uint64_t size;		/* of a sound one's text */
	const char *rule, *fault; /* of a sound one that is another document */
	struct pakhus_error *why; /* of an unreadable one */
};

struct run {
	struct item **item;
	size_t n;
};

struct pk_gathered {
	struct item item[GATHERED], *sorted[GATHERED];
	struct run run[GATHERED];
	size_t n;
	uint64_t from; /* progress that was told */
	struct pk_crew crew;
};

/* ---- by any thread ---- */

struct own {
	struct pk_cache *cache;
	struct pk_kept kept;
	struct pk_set fit; /* of which the chain is as it should be */
};

static void own_free(void *p)
{
	struct own *o = p;

	pk_cache_free(o->cache);
	pk_kept_release(&o->kept);
	pk_set_release(&o->fit);
	free(o);
}

static struct own *own_new(const struct pk_check *c)
{
	struct own *o = calloc(1, sizeof(*o));
	size_t n = c->store->threads > 1 ? c->store->threads : 1;
	size_t size = CACHE_SIZE / n;

	if (o && !c->is_quick)
		o->cache = pk_cache_new(size < CACHE_MIN ? CACHE_MIN : size);
	if (!o || c->is_quick || o->cache)
		return o;
	free(o);
	return NULL;
}

/* One link of a chain: what the reader of one would say of it. */
static int check_link(int dir, const unsigned char *hash,
		      const struct pk_trailer *above, struct pk_trailer *t,
		      struct pakhus_error *err)
{
	const char *fault = NULL;
	char path[PK_OBJPATH_SIZE];
	int rc = pk_object_exists(dir, hash, err);

	pk_objpath(hash, path);
	if (!rc)
		return pk_fail(err, PAKHUS_ENOTFOUND, "%s", path);
	if (rc == 1)
		rc = pk_object_trailer(dir, hash, t, err);
	if (rc)
		return rc;
	if (above && t->depth >= above->depth)
		fault = "F-17 a base is not less deep than what needs it";
	else if ((above || t->encoding == PK_DELTA) &&
		 t->raw_size > PK_DELTA_MAX)
		fault = "F-19 a text this long is neither delta nor base";
	return fault ? pk_fail(err, PAKHUS_ECORRUPT, "%s: %s", path, fault)
		     : 0;
}

/* Everything about an object that trailers say. */
static int check_chain(int dir, struct own *o, const unsigned char *hash,
		       uint64_t *size, struct pakhus_error *err)
{
	unsigned char seen[PK_CHAIN_MAX + 1][PK_HASH_SIZE];
	struct pk_trailer above = { .depth = 0 }, t;
	char path[PK_OBJPATH_SIZE];
	int n = 0, rc;

	for (;;) {
		rc = check_link(dir, hash, n ? &above : NULL, &t, err);
		if (rc == PAKHUS_ENOTFOUND && n) {
			pk_error_init(err);
			pk_objpath(seen[n - 1], path);
			return pk_fail(err, PAKHUS_ECORRUPT,
				       "%s: F-17 its base is missing", path);
		}
		if (rc)
			return rc;
		if (!n)
			*size = t.raw_size;
		memcpy(seen[n++], hash, PK_HASH_SIZE);
		if (t.encoding == PK_WHOLE || pk_set_has(&o->fit, hash))
			break;
		above = t;
		hash = above.base;
	}
	while (n--)
		if (pk_set_add(&o->fit, seen[n]) < 0)
			return pk_fail_nomem(err);
	return 0;
}

static int not_read(struct item *i, int dir, int rc,
		    const struct pakhus_error *e, struct pakhus_error *err)
{
	if (rc != PAKHUS_ECORRUPT && rc != PAKHUS_ENOTFOUND)
		return pk_fail(err, rc, "%s", e->text);
	/* a missing one, or one that was collected while it was read */
	if (rc == PAKHUS_ENOTFOUND || !pk_object_exists(dir, i->hash, NULL)) {
		i->state = GONE;
		return 0;
	}
	i->state = UNREADABLE;
	i->why = malloc(sizeof(*e));
	if (!i->why)
		return pk_fail_nomem(err);
	*i->why = *e;
	return 0;
}

static int look_at(const struct pk_check *c, struct own *o, struct item *i,
		   struct pakhus_error *err)
{
	struct pk_claim claim = { i->id, i->version, i->manifest_size,
				  i->metadata_size, i->attrs_size };
	AUTO(pk_shared_auto) struct pk_shared *text = NULL;
	struct pakhus_error e = { .status = 0 };
	unsigned char own[PK_HASH_SIZE];
	int dir = c->store->env->dir;
	int rc = check_chain(dir, o, i->hash, &i->size, &e);

	if (!rc && !c->is_quick)
		rc = pk_object_read(dir, o->cache, &o->kept, i->hash, &text,
				    &e);
	if (rc)
		return not_read(i, dir, rc, &e, err);
	if (c->is_quick)
		return 0;
	if (pk_sha256(text->bytes, text->size, own))
		return pk_fail_nomem(err);
	if (memcmp(own, i->hash, PK_HASH_SIZE))
		i->state = OTHER_TEXT;
	else if (i->id && pk_match(text->bytes, text->size, &claim, &i->rule,
				   &i->fault))
		return pk_fail_nomem(err);
	return 0;
}

static int look_at_run(void *arg, void *task, void **own,
		       struct pakhus_error *err)
{
	const struct run *r = task;
	int rc = 0;

	if (!*own)
		*own = own_new(arg);
	if (!*own)
		return pk_fail_nomem(err);
	for (size_t i = 0; i < r->n && !rc; i++)
		rc = look_at(arg, *own, r->item[i], err);
	return rc;
}

/* ---- telling ---- */

/* What keeps an object from being read is told of the file where it is, which
 * may be that of a base. */
static int unreadable(struct pk_check *c, const char *path,
		      struct pakhus_error *e)
{
	int is_base = strncmp(e->text, path, strlen(path)) != 0, rc;
	char text[64 + PK_OBJPATH_SIZE];

	snprintf(text, sizeof(text),
		 "cannot be read, as its base %.*s is damaged",
		 PK_OBJPATH_SIZE - 1, e->text);
	rc = pk_check_found(c, e->status, e);
	if (!rc && is_base)
		pk_check_damage(c, path, "F-17", text);
	return rc;
}

/* Puts a damaged one on the list of a repair. */
static int want(struct pk_check *c, const struct item *i, const char *path)
{
	struct pk_want *w = pk_wants_find(c->wants, i->hash);

	if (!w)
		w = pk_wants_add(c->wants, i->hash);
	if (!w)
		return pk_fail_nomem(c->err);
	w->is_placed = i->state == UNREADABLE &&
		       (strncmp(i->why->text, path, strlen(path)) ||
			strstr(i->why->text, "F-17 its base is missing"));
	w->manifest_size = i->manifest_size;
	w->metadata_size = i->metadata_size;
	return 0;
}

static int tell(struct pk_check *c, struct item *i)
{
	struct pk_set *set = i->state == SOUND  ? &c->texts
			     : i->state == GONE ? &c->gone
						: &c->bad;
	char path[PK_OBJPATH_SIZE];
	int is_new;

	if (pk_set_has(&c->bad, i->hash))
		return 0; /* told once, however often it was published */
	is_new = pk_set_add(set, i->hash);
	if (is_new < 0)
		return pk_fail_nomem(c->err);
	pk_objpath(i->hash, path);
	if (c->wants && set == &c->bad)
		return want(c, i, path);
	if (i->state == UNREADABLE)
		return unreadable(c, path, i->why);
	if (i->state == OTHER_TEXT)
		pk_check_damage(c, path, "F-16",
				"the text's SHA-256 is not its name");
	if (i->state != SOUND)
		return 0;
	c->v->objects += (uint64_t)is_new;
	c->v->bytes += is_new && !c->is_quick ? i->size : 0;
	if (i->rule)
		pk_check_damage(c, path, i->rule, i->fault);
	return 0;
}

/* ---- gathering ---- */

static void item_release(struct item *i)
{
	free(i->id); /* the version's too */
	free(i->why);
}

int pk_check_begin(struct pk_check *c)
{
	struct pk_gathered *g = calloc(1, sizeof(*g));

	if (!g)
		return pk_fail_nomem(c->err);
	g->crew = (struct pk_crew){ .work = look_at_run,
				    .release = own_free,
				    .arg = c,
				    .threads = c->store->threads };
	pk_crew_init(&g->crew);
	c->gathered = g;
	return 0;
}

void pk_check_end(struct pk_check *c)
{
	struct pk_gathered *g = c->gathered;

	if (!g)
		return;
	pk_crew_release(&g->crew);
	for (size_t i = 0; i < g->n; i++)
		item_release(&g->item[i]);
	free(g);
}

/* By package, and each one's in the log's order. */
static int by_package(const void *a, const void *b)
{
	const struct item *x = *(struct item *const *)a;
	const struct item *y = *(struct item *const *)b;
	int rc = strcmp(x->id ? x->id : "", y->id ? y->id : "");

	return rc ? rc : x->at < y->at ? -1 : x->at > y->at;
}

/* How many of those from i on a thread takes. */
static size_t run_length(const struct pk_gathered *g, size_t i)
{
	const char *id = g->sorted[i]->id;
	size_t n = 1;

	while (n < RUN && i + n < g->n &&
	       (!id || !strcmp(id, g->sorted[i + n]->id)))
		n++;
	return n;
}

static int look_at_all(struct pk_check *c, const char *what, uint64_t upto,
		       uint64_t total)
{
	struct pk_gathered *g = c->gathered;
	uint64_t from = g->from;
	int rc = 0;

	for (size_t i = 0; i < g->n; i++)
		g->sorted[i] = &g->item[i];
	if (g->n)
		qsort(g->sorted, g->n, sizeof(*g->sorted), by_package);
	for (size_t i = 0, n, runs = 0; i < g->n && !rc; i += n) {
		struct run *r = &g->run[runs++];

		n = run_length(g, i);
		*r = (struct run){ g->sorted + i, n };
		rc = pk_progress(c->store, what,
				 from + (upto - from) * i / g->n, total,
				 c->err);
		if (!rc)
			rc = pk_crew_put(&g->crew, r, c->err);
	}
	if (rc) {
		pk_crew_wait(&g->crew, NULL, NULL, NULL);
		return rc;
	}
	rc = pk_crew_wait(&g->crew, NULL, NULL, c->err);
	return rc ? rc : pk_progress(c->store, what, upto, total, c->err);
}

int pk_check_gathered(struct pk_check *c, const char *what, uint64_t upto,
		      uint64_t total)
{
	struct pk_gathered *g = c->gathered;
	int rc = look_at_all(c, what, upto, total);

	for (size_t i = 0; i < g->n && !rc; i++)
		rc = tell(c, &g->item[i]);
	for (size_t i = 0; i < g->n; i++)
		item_release(&g->item[i]);
	g->n = 0;
	g->from = upto == total ? 0 : upto;
	return rc;
}

int pk_check_is_full(const struct pk_check *c)
{
	return c->gathered->n == GATHERED;
}

int pk_check_object(struct pk_check *c, const unsigned char *hash,
		    const struct pk_entry *e)
{
	struct pk_gathered *g = c->gathered;
	struct item *i = &g->item[g->n];

	if (pk_set_has(&c->bad, hash))
		return 0;
	*i = (struct item){ .at = g->n };
	memcpy(i->hash, hash, PK_HASH_SIZE);
	if (e) {
		size_t n = strlen(e->id) + 1;

		i->id = malloc(n + strlen(e->version) + 1);
		if (!i->id)
			return pk_fail_nomem(c->err);
		i->version = i->id + n;
		strcpy(i->id, e->id);
		strcpy(i->version, e->version);
		i->manifest_size = e->manifest_size;
		i->metadata_size = e->metadata_size;
		i->attrs_size = e->size;
	}
	g->n++;
	return 0;
}
