/* bring.c - the objects that a mirror lacks: fetched, decoded, and put into
 * their places (F-77, F-78).
 *
 *  1. fetch those of the texts that are wanted and not in place
 *  2. read their trailers, and fetch the bases that are missing, or too deep
 *     in place; again for those, at most as long as a chain
 *  3. make whole what is too deep still: another encoding of the same text
 *  4. decode all, SHA-256 over each text, and compare it with its entry
 *  5. once more from 1, past caches, for what is not good
 *
 * What is not good then was collected at the source, or is damaged there, and
 * is left out if no live version needs it.
 */
#include "mirror.h"
#include "attrs.h"
#include "crew.h"
#include "hex.h"
#include "io.h"
#include "match.h"
#include "objpath.h"
#include "place.h"
#include "purge.h"
#include "tmpfile.h"
#include "zst.h"

#include <stdio.h>

#define CACHE_SIZE ((size_t)64 << 20)
#define BATCH 2000 /* names asked for at once */
#define LEVEL 12   /* of what is encoded here */

/* What a file can have at most, by its text (F-15). */
static uint64_t file_max(uint64_t text)
{
	if (text > PAKHUS_DOCUMENT_MAX)
		text = PAKHUS_DOCUMENT_MAX;
	return text + (text >> 7) + 1024 + PK_TRAILER_SIZE;
}

static uint64_t text_size(const struct pk_want *w)
{
	if (w->attrs_size)
		return pk_attrs_text_size(w->id, w->version, w->attrs_size);
	/* F-10; F-19 for a base of which no entry told */
	return w->manifest_size ? w->manifest_size + w->metadata_size + 25
				: PK_DELTA_MAX;
}

static int has_brought(void *arg, const unsigned char *hash)
{
	const struct pk_want *w = pk_wants_find(arg, hash);

	return w && w->is_brought;
}

static void drop(struct pk_sync *x, struct pk_want *w)
{
	char path[PK_OBJPATH_SIZE];

	pk_objpath(w->hash, path);
	pk_incoming_drop(&x->in, path);
	w->is_brought = w->is_followed = 0;
	w->depth = 0;
	w->base = NULL;
}

/* ---- 1: fetching ---- */

struct list {
	struct pk_want **item;
	size_t n, cap;
};

static void list_release(struct list *l)
{
	free(l->item);
}

static int list_add(struct pk_sync *x, struct list *l, struct pk_want *w)
{
	if (l->n == l->cap) {
		size_t cap = l->cap ? 2 * l->cap : 64;
		void *p = realloc(l->item, cap * sizeof(struct pk_want *));

		if (!p)
			return pk_fail_nomem(x->err);
		l->item = p;
		l->cap = cap;
	}
	l->item[l->n++] = w;
	return 0;
}

/* So that those asked for together have about the same bound. */
static int by_size(const void *a, const void *b)
{
	uint64_t x = text_size(*(struct pk_want *const *)a);
	uint64_t y = text_size(*(struct pk_want *const *)b);

	return x < y ? -1 : x > y;
}

static int fetch_batch(struct pk_sync *x, struct pk_want **w, size_t n,
		       unsigned flags)
{
	AUTO_FREE char(*path)[PK_OBJPATH_SIZE] = malloc(n * sizeof(*path));
	AUTO_FREE const char **names = malloc(n * sizeof(*names));
	int rc;

	if (!path || !names)
		return pk_fail_nomem(x->err);
	for (size_t i = 0; i < n; i++) {
		pk_objpath(w[i]->hash, path[i]);
		names[i] = path[i];
	}
	rc = pk_incoming_fetch(&x->in, names, n,
			       file_max(text_size(w[n - 1])), flags, x->err);
	for (size_t i = 0; i < n && !rc; i++) {
		rc = pk_incoming_has(&x->in, path[i], NULL, x->err);
		if (rc < 0)
			return rc;
		w[i]->is_brought = (unsigned char)rc;
		rc = 0;
	}
	return rc;
}

/* A trailer below a directory: 1, 0 where there is no such file or it is not
 * one of an object, or a failure. */
static int read_trailer(struct pk_sync *x, int dir, const struct pk_want *w,
			struct pk_trailer *t)
{
	struct pakhus_error e = { .status = 0 };
	int rc = pk_object_trailer(dir, w->hash, t, &e);

	if (rc == PAKHUS_ECORRUPT || rc == PAKHUS_ENOTFOUND)
		return 0;
	return rc ? pk_fail(x->err, rc, "%s", e.text) : 1;
}

/* What an earlier sync brought before it was interrupted. */
static int look_for(struct pk_sync *x, struct pk_want *w)
{
	char path[PK_OBJPATH_SIZE];
	struct pk_trailer t;
	int rc;

	pk_objpath(w->hash, path);
	rc = pk_incoming_has(&x->in, path, NULL, x->err);
	if (rc == 1)
		rc = read_trailer(x, x->in.dir, w, &t);
	if (rc < 0)
		return rc;
	w->is_brought = (unsigned char)rc;
	return 0;
}

static int fetch(struct pk_sync *x, struct list *l, unsigned flags)
{
	size_t n = 0;
	int rc = 0;

	for (size_t i = 0; i < l->n && !rc; i++) {
		struct pk_want *w = l->item[i];

		w->is_asked = 1;
		if (flags)
			drop(x, w);
		else
			rc = look_for(x, w);
		if (!w->is_brought)
			l->item[n++] = w;
	}
	if (n)
		qsort(l->item, n, sizeof(struct pk_want *), by_size);
	for (size_t i = 0; i < n && !rc; i += BATCH) {
		rc = pk_sync_progress(x, "fetching objects", i, n);
		if (!rc)
			rc = fetch_batch(x, l->item + i,
					 n - i < BATCH ? n - i : BATCH, flags);
	}
	l->n = 0;
	return rc;
}

/* ---- 2: bases ---- */

/* The depth of an object in place, or -1 where there is none to be read. */
static int placed_depth(struct pk_sync *x, const struct pk_want *w, int *depth)
{
	struct pk_trailer t;
	int rc = w->is_placed ? read_trailer(x, x->dir, w, &t) : 0;

	if (rc < 0)
		return rc;
	*depth = rc ? (int)t.depth : -1;
	return 0;
}

static int find_base(struct pk_sync *x, const struct pk_trailer *t,
		     struct pk_want **out)
{
	struct pk_want *b = pk_wants_find(&x->wants, t->base);
	int rc;

	if (!b) {
		b = pk_wants_add(&x->wants, t->base);
		if (!b)
			return pk_fail_nomem(x->err);
		rc = pk_object_exists(x->dir, b->hash, x->err);
		if (rc < 0)
			return rc;
		b->is_placed = (unsigned char)rc;
	}
	*out = b;
	return 0;
}

/* Looks at what was brought, and lists the base if it is to be fetched. */
static int follow(struct pk_sync *x, struct pk_want *w, struct list *l)
{
	struct pk_trailer t;
	struct pk_want *b = NULL;
	int rc, depth = -1;

	w->is_followed = 1;
	rc = read_trailer(x, x->in.dir, w, &t);
	if (rc < 0)
		return rc;
	if (!rc || ((w->manifest_size || w->attrs_size) &&
		    t.raw_size != text_size(w)))
		return 0; /* decoding says why */
	w->depth = t.depth;
	if (t.encoding == PK_WHOLE)
		return 0;
	rc = find_base(x, &t, &b);
	if (!rc)
		rc = placed_depth(x, b, &depth);
	if (rc)
		return rc;
	w->base = b;
	if (b->is_brought || b->is_asked ||
	    (depth >= 0 && depth < (int)t.depth))
		return 0;
	return list_add(x, l, b);
}

static int follow_all(struct pk_sync *x, unsigned flags)
{
	AUTO(list_release) struct list l = { .n = 0 };
	int rc = 0;

	for (int round = 0; round <= PK_CHAIN_MAX && !rc; round++) {
		/* those that are found on the way are looked at as well */
		for (size_t i = 0; i < x->wants.n && !rc; i++) {
			struct pk_want *w = x->wants.item[i];

			if (w->is_brought && !w->is_followed)
				rc = follow(x, w, &l);
		}
		if (rc || !l.n)
			break;
		rc = fetch(x, &l, flags);
	}
	return rc;
}

/* ---- 3: depths ---- */

/* Another encoding of a text that can be read: whole, so that whatever is
 * made against it may be. */
static int make_whole(struct pk_sync *x, struct pk_want *w)
{
	struct pk_over over = { x->in.dir, has_brought, &x->wants };
	AUTO(pk_shared_auto) struct pk_shared *text = NULL;
	AUTO(pk_zst_encoder_auto) struct pk_zst_encoder *zst = NULL;
	AUTO_FREE unsigned char *bytes = NULL;
	char path[PK_OBJPATH_SIZE], staged[sizeof(PK_STAGE) + PK_HEX_SIZE + 1];
	size_t size;
	struct pakhus_error e = { .status = 0 };
	int rc = pk_object_read_over(x->dir, &over, NULL, NULL, w->hash, &text,
				     &e);

	if (rc == PAKHUS_ECORRUPT || rc == PAKHUS_ENOTFOUND)
		return 0; /* what needs it will be found not to be good */
	if (rc)
		return pk_fail(x->err, rc, "%s", e.text);
	zst = pk_zst_encoder_new();
	if (!zst)
		return pk_fail_nomem(x->err);
	rc = pk_object_encode(zst, w->hash, text, NULL, LEVEL, &bytes, &size,
			      x->err);
	if (!rc)
		rc = pk_object_stage(x->dir, w->hash, bytes, size, x->err);
	if (rc)
		return rc;
	memcpy(staged, PK_STAGE "/", sizeof(PK_STAGE));
	pk_hex(w->hash, PK_HASH_SIZE, staged + sizeof(PK_STAGE));
	pk_objpath(w->hash, path);
	rc = pk_incoming_put(&x->in, x->dir, staged, path, x->err);
	if (rc)
		return rc;
	w->is_brought = w->is_followed = 1;
	w->depth = 0;
	w->base = NULL;
	return 0;
}

/* What stands in place is replaced by nothing deeper, as others there may be
 * made against it; and a base is less deep than what needs it (F-17). */
static int fit_depth(struct pk_sync *x, struct pk_want *w)
{
	struct pk_want *b = w->base;
	int depth, rc = placed_depth(x, w, &depth);

	if (!rc && ((depth >= 0 && (int)w->depth > depth) ||
		    (w->below && w->depth >= w->below))) {
		rc = make_whole(x, w);
		if (!rc && w->depth)
			drop(x, w); /* it was not to be read */
		b = NULL;
	}
	if (rc || !b)
		return rc;
	if (b->is_brought)
		depth = (int)b->depth;
	else
		rc = placed_depth(x, b, &depth);
	return rc || depth < (int)w->depth ? rc : make_whole(x, b);
}

static int fit_depths(struct pk_sync *x)
{
	int rc = 0;

	for (size_t i = 0; i < x->wants.n && !rc; i++)
		if (x->wants.item[i]->is_brought)
			rc = fit_depth(x, x->wants.item[i]);
	return rc;
}

/* ---- 4: checking ---- */

struct checking {
	struct pk_sync *x;
	struct pk_over over;
	struct pk_cache *cache;
};

static void free_kept(void *own)
{
	pk_kept_release(own);
	free(own);
}

static int is_not_good(struct pk_want *w, const char *why,
		       struct pakhus_error *err)
{
	free(w->why);
	w->why = strdup(why);
	return w->why ? 0 : pk_fail_nomem(err);
}

static int check(void *arg, void *task, void **own, struct pakhus_error *err)
{
	const struct checking *c = arg;
	struct pk_want *w = task;
	struct pk_claim claim = { w->id, w->version, w->manifest_size,
				  w->metadata_size, w->attrs_size };
	AUTO(pk_shared_auto) struct pk_shared *text = NULL;
	struct pakhus_error e = { .status = 0 };
	unsigned char hash[PK_HASH_SIZE];
	char path[PK_OBJPATH_SIZE], told[200];
	const char *rule = NULL, *fault = NULL;
	int rc;

	if (!*own)
		*own = calloc(1, sizeof(struct pk_kept));
	if (!*own)
		return pk_fail_nomem(err);
	rc = pk_object_read_over(c->x->dir, &c->over, c->cache, *own, w->hash,
				 &text, &e);
	if (rc == PAKHUS_ECORRUPT || rc == PAKHUS_ENOTFOUND)
		return is_not_good(w, e.text, err);
	if (rc)
		return pk_fail(err, rc, "%s", e.text);
	if (pk_sha256(text->bytes, text->size, hash))
		return pk_fail_nomem(err);
	if (memcmp(hash, w->hash, PK_HASH_SIZE)) {
		rule = "F-16";
		fault = "the text's SHA-256 is not its name";
	} else if (w->id &&
		   pk_match(text->bytes, text->size, &claim, &rule, &fault)) {
		return pk_fail_nomem(err);
	}
	if (!rule) {
		w->is_good = 1;
		return 0;
	}
	pk_objpath(w->hash, path);
	snprintf(told, sizeof(told), "%s: %s %s", path, rule, fault);
	return is_not_good(w, told, err);
}

/* What is made against a text that is not good is not, even where it took
 * nothing from what is wrong in it. */
static int spread(struct pk_sync *x)
{
	int is_more = 1, rc = 0;

	while (is_more && !rc) {
		is_more = 0;
		for (size_t i = 0; i < x->wants.n && !rc; i++) {
			struct pk_want *w = x->wants.item[i];
			const struct pk_want *b = w->base;

			if (!w->is_good || !b || !b->is_brought || b->is_good)
				continue;
			w->is_good = 0;
			is_more = 1;
			rc = is_not_good(w, b->why ? b->why : "", x->err);
		}
	}
	return rc;
}

static int check_all(struct pk_sync *x)
{
	struct checking c = { .x = x,
			      .over = { x->in.dir, has_brought, &x->wants } };
	struct pk_crew crew = { .work = check,
				.release = free_kept,
				.arg = &c,
				.threads = x->m->threads };
	int rc = 0;

	c.cache = pk_cache_new(CACHE_SIZE);
	if (!c.cache)
		return pk_fail_nomem(x->err);
	pk_crew_init(&crew);
	for (size_t i = 0; i < x->wants.n && !rc; i++) {
		struct pk_want *w = x->wants.item[i];

		if (w->is_good || !(w->is_brought || (w->id && w->is_placed)))
			continue;
		rc = pk_crew_put(&crew, w, x->err);
		if (!rc)
			rc = pk_sync_progress(x, "checking objects", i + 1,
					      x->wants.n);
	}
	if (!rc)
		rc = pk_crew_wait(&crew, NULL, NULL, x->err);
	pk_crew_release(&crew);
	pk_cache_free(c.cache);
	return rc ? rc : spread(x);
}

/* ---- the whole ---- */

/* Whether something that it needs was nowhere to be had. */
static int is_absent(const struct pk_want *w)
{
	for (; w; w = w->base)
		if (!w->is_brought && !w->is_placed)
			return 1;
	return 0;
}

static int fail_bad(struct pk_sync *x, const struct pk_want *w)
{
	char path[PK_OBJPATH_SIZE];

	pk_objpath(w->hash, path);
	if (is_absent(w)) {
		x->is_absent = 1;
		return pk_fail(x->err, PAKHUS_ECORRUPT,
			       "%s: %s: F-78 is missing there, and %s@%s needs "
			       "it", x->in.source->name, path, w->id,
			       w->version);
	}
	return pk_fail(x->err, PAKHUS_ECORRUPT, "%s: %s", x->in.source->name,
		       w->why ? w->why : path);
}

static void leave_out(struct pk_sync *x)
{
	for (size_t i = 0; i < x->wants.n; i++)
		if (x->wants.item[i]->is_brought && !x->wants.item[i]->is_good)
			drop(x, x->wants.item[i]);
}

/* All that is live is good; what is not is left out. */
static int settle(struct pk_sync *x)
{
	for (size_t i = 0; i < x->wants.n; i++) {
		struct pk_want *w = x->wants.item[i];

		if (w->is_live && !w->is_good)
			return fail_bad(x, w);
	}
	leave_out(x);
	return 0;
}

/* What is not good and has to be, or could have been; with all it needs. */
static int list_bad(struct pk_sync *x, struct list *l)
{
	int rc = 0;

	for (size_t i = 0; i < x->wants.n; i++) {
		struct pk_want *w = x->wants.item[i];

		if (!w->is_live && !w->is_brought)
			continue;
		for (; w && !w->is_good && !w->is_listed && !rc; w = w->base) {
			w->is_listed = 1;
			rc = list_add(x, l, w);
		}
	}
	return rc;
}

static int list_missing(struct pk_sync *x, struct list *l)
{
	int rc = 0;

	for (size_t i = 0; i < x->wants.n && !rc; i++)
		if (!x->wants.item[i]->is_placed)
			rc = list_add(x, l, x->wants.item[i]);
	return rc;
}

static int bring(struct pk_sync *x, struct list *l, unsigned flags)
{
	int rc = fetch(x, l, flags);

	if (!rc)
		rc = follow_all(x, flags);
	if (!rc)
		rc = fit_depths(x);
	return rc ? rc : check_all(x);
}

int pk_bring(struct pk_sync *x)
{
	AUTO(list_release) struct list l = { .n = 0 };
	int rc = 0;

	for (size_t i = 0; i < x->wants.n; i++) {
		struct pk_want *w = x->wants.item[i];

		rc = pk_object_exists(x->dir, w->hash, x->err);
		if (rc < 0)
			return rc;
		w->is_placed = (unsigned char)rc;
	}
	rc = list_missing(x, &l);
	if (!rc)
		rc = bring(x, &l, 0);
	if (!rc)
		rc = list_bad(x, &l);
	if (!rc && l.n)
		rc = bring(x, &l, PAKHUS_FETCH_FRESH);
	return rc ? rc : settle(x);
}

static int list_not_good(struct pk_sync *x, struct list *l)
{
	int rc = 0;

	for (size_t i = 0; i < x->wants.n && !rc; i++)
		if (!x->wants.item[i]->is_good)
			rc = list_add(x, l, x->wants.item[i]);
	return rc;
}

int pk_bring_again(struct pk_sync *x)
{
	AUTO(list_release) struct list l = { .n = 0 };
	int rc = list_not_good(x, &l);

	if (!rc)
		rc = bring(x, &l, 0);
	if (!rc)
		rc = list_not_good(x, &l);
	if (!rc && l.n)
		rc = bring(x, &l, PAKHUS_FETCH_FRESH);
	if (!rc)
		leave_out(x);
	return rc;
}

/* ---- installing ---- */

/* Those that are new, or those that replace others and have this depth. */
static int place(struct pk_sync *x, int depth, unsigned char *hashes)
{
	struct pk_placing p = { .dir = x->dir,
				.from = PK_FROM_INCOMING,
				.threads = x->m->threads,
				.hash = hashes };

	for (size_t i = 0; i < x->wants.n; i++) {
		struct pk_want *w = x->wants.item[i];
		char path[PK_OBJPATH_SIZE];
		uint64_t size = 0;
		int rc;

		if (w->is_placed && depth < 0)
			p.touched[*w->hash] = 1;
		if (!w->is_brought || (w->is_placed ? (int)w->depth : -1) != depth)
			continue;
		memcpy(hashes + p.n++ * PK_HASH_SIZE, w->hash, PK_HASH_SIZE);
		pk_objpath(w->hash, path);
		rc = pk_incoming_has(&x->in, path, &size, x->err);
		if (rc < 0)
			return rc;
		x->m->bytes += size;
		x->m->objects++;
	}
	return p.n || depth < 0 ? pk_place(&p, x->err) : 0;
}

/* Whether it brings a text that was purged: 1, 0, or a failure. */
static int has_purged(struct pk_sync *x)
{
	AUTO(pk_txn_end) struct pk_txn t = PK_TXN_INIT;
	int rc = pk_txn_read(&t, x->store->env->index, x->err);

	for (size_t i = 0; i < x->wants.n && !rc; i++) {
		struct pk_purged purged;

		if (x->wants.item[i]->is_brought)
			rc = pk_index_purged(&t, x->wants.item[i]->hash,
					     &purged, x->err);
	}
	return rc;
}

/* A source that was not done with a purge, or is not to be trusted, may have
 * the purged text for what others are made against. It is placed with them,
 * and all purges are carried out again when they are shown (F-92). */
static int purge_again(struct pk_sync *x)
{
	int rc = x->store ? has_purged(x) : 0;

	if (rc != 1)
		return rc;
	rc = pk_purge_forget(x->dir, x->err);
	return rc ? rc : pk_sync_dir(x->dir, "local", x->err);
}

/* First what is new, which nothing in place is made against; then what takes
 * another's place, the less deep first: each only against what is there
 * already, whenever this ends. */
int pk_bring_install(struct pk_sync *x)
{
	AUTO_FREE unsigned char *hashes =
		malloc(x->wants.n * PK_HASH_SIZE + 1);
	int rc = hashes ? purge_again(x) : pk_fail_nomem(x->err);

	for (int depth = -1; depth <= PK_CHAIN_MAX && !rc; depth++)
		rc = place(x, depth, hashes);
	return rc;
}
