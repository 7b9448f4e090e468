/* offer.c - what a source offers: its checkpoint and its entries, held
 * against what the mirror has (F-76).
 */
#include "mirror.h"
#include "gather.h"
#include "io.h"

#include <stdio.h>

#define CHECKPOINT "log/checkpoint"
#define BUNDLE_MAX ((uint64_t)PK_TILE_WIDTH * (2 + UINT16_MAX))
/* So many entries are tried out in the index itself, more in one of memory
 * that is made of all: made row by row they would take longer. */
#define TRIED_IN_PLACE 50000

int pk_sync_progress(struct pk_sync *x, const char *what, uint64_t done,
		     uint64_t total)
{
	if (!x->m->progress || !x->m->progress(x->m->arg, what, done, total))
		return 0;
	return pk_fail(x->err, PAKHUS_ECANCELED, "%s: cancelled", what);
}

static const char *source(const struct pk_sync *x)
{
	return x->in.source->name;
}

/* ---- FORMAT and checkpoint ---- */

/* One of the two files that every store has. */
static int fetch_file(struct pk_sync *x, const char *name, size_t max,
		      char **text, size_t *size)
{
	int rc;

	pk_incoming_drop(&x->in, name);
	rc = pk_incoming_fetch(&x->in, &name, 1, max, PAKHUS_FETCH_FRESH,
			       x->err);
	if (rc)
		return rc;
	rc = pk_incoming_has(&x->in, name, NULL, x->err);
	if (rc < 0)
		return rc;
	if (!rc)
		return pk_fail(x->err, PAKHUS_ENOTFOUND,
			       "%s: no store there (it has no file %s)",
			       source(x), name);
	return pk_read_file(x->in.dir, name, max, text, size, x->err);
}

int pk_offer_format(struct pk_sync *x)
{
	AUTO_FREE char *text = NULL;
	const char *fault;
	size_t size;
	int rc = fetch_file(x, "FORMAT", PK_FORMAT_SIZE, &text, &size);

	if (rc)
		return rc;
	fault = pk_format_decode(text, size, &x->format);
	if (fault == pk_format_newer)
		return pk_fail(x->err, PAKHUS_EVERSION,
			       "%s: FORMAT: F-42 a later pakhus is needed",
			       source(x));
	if (fault)
		return pk_fail(x->err, PAKHUS_ECORRUPT, "%s: FORMAT: %s",
			       source(x), fault);
	return 0;
}

/* Whether a log may go on so: it only grows, and does not change (F-76). */
static int check_size(struct pk_sync *x)
{
	const struct pk_checkpoint *a = &x->held, *b = &x->next;

	if (b->size < a->size)
		return pk_fail(x->err, PAKHUS_ECORRUPT,
			       "%s: F-76 rolled back: its log has %llu "
			       "entries, and %llu are held here", source(x),
			       (unsigned long long)b->size,
			       (unsigned long long)a->size);
	if (b->size == a->size && memcmp(a->root, b->root, PK_HASH_SIZE))
		return pk_fail(x->err, PAKHUS_ECORRUPT,
			       "%s: F-76 another history: its log has as many "
			       "entries as the one here, and others",
			       source(x));
	return 0;
}

static int is_installed(struct pk_sync *x)
{
	AUTO_FREE char *own = NULL;
	size_t size;

	return x->store &&
	       !pk_read_file(x->dir, CHECKPOINT, PK_NOTE_MAX, &own, &size,
			     NULL) &&
	       size == x->note_size && !memcmp(own, x->note, size);
}

int pk_offer_checkpoint(struct pk_sync *x)
{
	struct pk_bytes text, signatures;
	const char *fault;
	int rc;

	free(x->note);
	x->note = NULL;
	rc = fetch_file(x, CHECKPOINT, PK_NOTE_MAX, &x->note, &x->note_size);
	if (rc)
		return rc;
	x->is_same = is_installed(x);
	fault = pk_note_decode(x->note, x->note_size, &text, &signatures);
	if (!fault)
		fault = pk_checkpoint_decode(text, &x->next);
	if (!fault && !x->next.size)
		fault = "F-38 the log is empty";
	if (fault)
		return pk_fail(x->err, PAKHUS_ECORRUPT,
			       "%s: " CHECKPOINT ": %s", source(x), fault);
	if (strcmp(x->next.origin, x->format.origin))
		return pk_fail(x->err,
			       x->store ? PAKHUS_ECONFLICT : PAKHUS_ECORRUPT,
			       "%s: F-38 its log is %s, and %s is %s",
			       source(x), x->next.origin,
			       x->store ? "this a mirror, which" : "its FORMAT",
			       x->format.origin);
	if (x->is_regained && x->next.size <= x->held.size)
		return 0;
	rc = check_size(x);
	return rc || !x->has_key ? rc : pk_lineage_lead(x);
}

/* ---- entries: bringing ---- */

static struct pk_tile bundle_of(const struct pk_sync *x, uint64_t index)
{
	struct pk_tile t = { PK_TILE_ENTRIES, index, PK_TILE_WIDTH };

	if (x->next.size / PK_TILE_WIDTH == index)
		t.width = x->next.size % PK_TILE_WIDTH;
	return t;
}

static void bundle_path(const struct pk_tile *t,
			char path[PK_TILE_PATH_SIZE + 4])
{
	memcpy(path, "log/", 4);
	pk_tile_path(t, path + 4);
}

/* Whether a file is there that begins with so many entries: 1, 0, or a
 * failure. What broke off does not; other damage is for the root to say. */
static int has_bundle(struct pk_sync *x, const struct pk_tile *t,
		      unsigned width)
{
	char path[PK_TILE_PATH_SIZE + 4];
	AUTO_FREE char *bytes = NULL;
	struct pk_bytes b, line;
	size_t size;
	int rc;

	bundle_path(t, path);
	rc = pk_incoming_has(&x->in, path, NULL, x->err);
	if (rc <= 0)
		return rc;
	rc = pk_read_file(x->in.dir, path, BUNDLE_MAX, &bytes, &size, x->err);
	if (rc)
		return rc;
	b = (struct pk_bytes){ (unsigned char *)bytes, size };
	while (width && pk_bundle_next(&b, &line) == 1)
		width--;
	return !width;
}

/* Who lacks the partial one takes the full one and cuts it (F-33). */
static int has_either(struct pk_sync *x, const struct pk_tile *t)
{
	struct pk_tile full = { t->level, t->index, PK_TILE_WIDTH };
	int rc = has_bundle(x, t, t->width);

	return rc || t->width == PK_TILE_WIDTH ? rc
					       : has_bundle(x, &full, t->width);
}

static int fail_absent(struct pk_sync *x, const char *name, const char *rule)
{
	x->is_absent = 1;
	return pk_fail(x->err, PAKHUS_ECORRUPT, "%s: %s: %s is missing there",
		       source(x), name, rule);
}

/* With the full one, which may be there in its stead. */
static void drop_bundle(struct pk_sync *x, struct pk_tile t)
{
	char path[PK_TILE_PATH_SIZE + 4];

	bundle_path(&t, path);
	pk_incoming_drop(&x->in, path);
	t.width = PK_TILE_WIDTH;
	bundle_path(&t, path);
	pk_incoming_drop(&x->in, path);
}

#define FEW 64 /* bundles asked for at once */

static int fetch_full(struct pk_sync *x, struct pk_tile t, unsigned flags)
{
	char path[PK_TILE_PATH_SIZE + 4];
	const char *name = path;

	drop_bundle(x, t);
	t.width = PK_TILE_WIDTH;
	bundle_path(&t, path);
	return pk_incoming_fetch(&x->in, &name, 1, BUNDLE_MAX, flags, x->err);
}

static int fetch_bundles(struct pk_sync *x, uint64_t from, uint64_t to,
			 unsigned flags)
{
	char path[FEW][PK_TILE_PATH_SIZE + 4];
	const char *names[FEW];
	struct pk_tile t = { .width = 0 };
	size_t n = 0;
	int rc;

	for (uint64_t i = from; i < to; i++) {
		t = bundle_of(x, i);
		rc = flags ? 0 : has_either(x, &t);
		if (rc < 0)
			return rc;
		if (rc)
			continue;
		bundle_path(&t, path[n]);
		names[n] = path[n];
		if (flags)
			drop_bundle(x, t);
		n++;
	}
	rc = pk_incoming_fetch(&x->in, names, n, BUNDLE_MAX, flags, x->err);
	if (rc || t.width == PK_TILE_WIDTH)
		return rc;
	rc = has_either(x, &t);
	if (rc)
		return rc < 0 ? rc : 0;
	return fetch_full(x, t, flags);
}

static int fetch_all(struct pk_sync *x, unsigned flags)
{
	uint64_t from = x->held.size / PK_TILE_WIDTH;
	uint64_t to = (x->next.size - 1) / PK_TILE_WIDTH + 1;

	for (uint64_t i = from; i < to; i += FEW) {
		uint64_t end = i + FEW < to ? i + FEW : to;
		int rc = pk_sync_progress(x, "fetching the log",
					  i * PK_TILE_WIDTH, x->next.size);

		if (!rc)
			rc = fetch_bundles(x, i, end, flags);
		if (rc)
			return rc;
	}
	for (uint64_t i = from; i < to; i++) {
		struct pk_tile t = bundle_of(x, i);
		char path[PK_TILE_PATH_SIZE + 4];
		int rc = has_either(x, &t);

		if (rc < 0)
			return rc;
		bundle_path(&t, path);
		if (!rc)
			return fail_absent(x, path, "F-31");
	}
	return 0;
}

/* ---- entries: checking ---- */

struct hashing {
	struct pk_sync *x;
	struct pk_edge edge;
	/* the entries of the first bundle that are held already */
	unsigned char own[PK_TILE_WIDTH][PK_HASH_SIZE];
};

static int hash_own(void *arg, uint64_t seq, const char *line, size_t size)
{
	struct hashing *h = arg;

	return pk_leaf_hash(h->x->sha, line, size,
			    h->own[seq % PK_TILE_WIDTH])
		       ? pk_fail_nomem(h->x->err)
		       : 0;
}

static int hash_new(void *arg, uint64_t seq, const char *line, size_t size)
{
	struct hashing *h = arg;
	struct pk_sync *x = h->x;
	unsigned char leaf[PK_HASH_SIZE];

	if (pk_leaf_hash(x->sha, line, size, leaf))
		return pk_fail_nomem(x->err);
	if (seq < x->held.size) {
		if (!memcmp(leaf, h->own[seq % PK_TILE_WIDTH], PK_HASH_SIZE))
			return 0;
		return pk_fail(x->err, PAKHUS_ECORRUPT,
			       "%s: log entry %llu: F-76 is not the one that "
			       "is held here: two copies of the store were "
			       "written", source(x),
			       (unsigned long long)seq);
	}
	if (pk_edge_add(&h->edge, x->sha, leaf, NULL, NULL))
		return pk_fail_nomem(x->err);
	x->line_bytes += size;
	if (seq + 1 == x->last.size &&
	    pk_edge_root(&h->edge, x->sha, x->last_root))
		return pk_fail_nomem(x->err);
	return pk_lineage_add(x, seq, line, size, &h->edge);
}

/* Whether what is held, and behind it what was brought, is what the
 * checkpoint signs: then it is authentic, and goes on from what is held. */
static int check_root(struct pk_sync *x)
{
	AUTO_FREE struct hashing *h = calloc(1, sizeof(*h));
	uint64_t held = x->held.size, from = held - held % PK_TILE_WIDTH;
	unsigned char root[PK_HASH_SIZE];
	int rc;

	if (!h)
		return pk_fail_nomem(x->err);
	h->x = x;
	x->heirs = 0;
	x->line_bytes = 0;
	rc = pk_log_edge(x->dir, x->sha, held, held, &h->edge, x->err);
	if (!rc)
		rc = pk_log_walk(x->dir, held, from, held, hash_own, h, x->err);
	if (!rc)
		rc = pk_log_walk(x->in.dir, x->next.size, from, x->next.size,
				 hash_new, h, x->err);
	if (rc)
		return rc;
	if (pk_edge_root(&h->edge, x->sha, root))
		return pk_fail_nomem(x->err);
	if (memcmp(root, x->next.root, PK_HASH_SIZE))
		return pk_fail(x->err, PAKHUS_ECORRUPT,
			       held ? "%s: F-76 its entries are not those that "
				      "its checkpoint signs, or they do not go "
				      "on from the %llu that are held here"
				    : "%s: F-39 its entries are not those that "
				      "its checkpoint signs",
			       source(x), (unsigned long long)held);
	return 0;
}

/* ---- entries: trying ---- */

struct trial {
	struct pk_sync *x;
	struct pk_txn txn;
	struct pk_index *memory;
	struct pk_gather *gather; /* NULL: in place */
};

static void trial_release(struct trial *t)
{
	pk_txn_end(&t->txn);
	pk_gather_free(t->gather);
	pk_index_close(t->memory);
}

/* What a publish or an attrs names. */
static int want(struct pk_sync *x, uint64_t seq, const struct pk_entry *e)
{
	struct pk_want *w = pk_wants_find(&x->wants, e->hash);

	if (!w) {
		w = pk_wants_add(&x->wants, e->hash);
		if (w)
			w->id = strdup(e->id);
		if (w && w->id)
			w->version = strdup(e->version);
		if (!w || !w->version)
			return pk_fail_nomem(x->err);
		w->seq = seq;
		w->manifest_size = e->manifest_size;
		w->metadata_size = e->metadata_size;
		w->attrs_size = e->size;
		return 0;
	}
	if (strcmp(w->id, e->id) || strcmp(w->version, e->version) ||
	    w->manifest_size != e->manifest_size ||
	    w->metadata_size != e->metadata_size || w->attrs_size != e->size)
		return pk_fail(x->err, PAKHUS_ECORRUPT,
			       "%s: log entry %llu: F-25 its text is that of "
			       "entry %llu, which says otherwise of it",
			       source(x), (unsigned long long)seq,
			       (unsigned long long)w->seq);
	return 0;
}

static int try_entry(void *arg, uint64_t seq, const char *line, size_t size)
{
	AUTO_FREE struct pk_entry *e = malloc(sizeof(*e));
	struct trial *t = arg;
	struct pk_sync *x = t->x;
	const char *fault;
	int rc;

	if (!e)
		return pk_fail_nomem(x->err);
	fault = pk_entry_decode(line, size, e);
	if (fault)
		return pk_fail(x->err,
			       fault == pk_entry_newer ? PAKHUS_EVERSION
						       : PAKHUS_ECORRUPT,
			       "%s: log entry %llu: %s", source(x),
			       (unsigned long long)seq, fault);
	rc = pk_replay_entry(&t->txn, t->gather, seq, e, x->err);
	if (rc || seq < x->held.size)
		return rc;
	if (e->time > x->newest)
		x->newest = e->time;
	return pk_entry_has_text(e) ? want(x, seq, e) : 0;
}

/* The state that the new entries lead to, in an index of memory. */
static int try_in_memory(struct trial *t)
{
	struct pk_sync *x = t->x;
	int rc = pk_index_open(&t->memory, -1, x->err);

	if (rc)
		return rc;
	t->gather = pk_gather_new();
	if (!t->gather)
		return pk_fail_nomem(x->err);
	rc = pk_txn_read(&t->txn, t->memory, x->err);
	pk_txn_end(&t->txn);
	if (!rc)
		rc = pk_log_walk(x->dir, x->held.size, 0, x->held.size,
				 try_entry, t, x->err);
	if (!rc)
		rc = pk_log_walk(x->in.dir, x->next.size, x->held.size,
				 x->next.size, try_entry, t, x->err);
	if (!rc)
		rc = pk_index_fill(&t->txn, t->gather, x->next.size, x->err);
	return rc ? rc : pk_txn_read(&t->txn, t->memory, x->err);
}

/* The same in the index itself, in a transaction that is not committed. */
static int try_in_place(struct trial *t)
{
	struct pk_sync *x = t->x;
	int rc = pk_txn_write(&t->txn, x->store->env->index, x->err);

	return rc ? rc
		  : pk_log_walk(x->in.dir, x->next.size, x->held.size,
				x->next.size, try_entry, t, x->err);
}

static int mark_live(struct pk_sync *x, struct pk_txn *txn)
{
	for (size_t i = 0; i < x->wants.n; i++) {
		struct pk_want *w = x->wants.item[i];
		struct pk_live live = { .is_live = 1 };
		struct pk_attrs attrs;
		int rc = w->attrs_size
				 ? pk_index_attrs(txn, w->id, w->version,
						  &attrs, x->err)
				 : pk_index_version(txn, w->id, w->version,
						    &live, x->err);

		if (rc < 0)
			return rc;
		if (rc && w->attrs_size)
			memcpy(live.hash, attrs.hash, PK_HASH_SIZE);
		w->is_live = rc && live.is_live &&
			     !memcmp(live.hash, w->hash, PK_HASH_SIZE);
	}
	return 0;
}

static int try_out(struct pk_sync *x)
{
	PK_HELD held = { NULL, 0 };
	AUTO(trial_release) struct trial t = { .x = x, .txn = PK_TXN_INIT };
	int rc;

	/* of a store that is written the index knows more than its log */
	if (!x->store || x->is_regained ||
	    x->next.size - x->held.size > TRIED_IN_PLACE) {
		rc = try_in_memory(&t);
	} else {
		rc = pk_hold(&held, &x->store->env->locks, PK_LOCK_COMMIT,
			     x->err);
		if (!rc)
			rc = try_in_place(&t);
	}
	return rc ? rc : mark_live(x, &t.txn);
}

int pk_offer_entries(struct pk_sync *x)
{
	struct pakhus_error *err = x->err, first = { .status = 0 };
	int rc = fetch_all(x, 0);

	if (rc)
		return rc;
	x->err = &first;
	rc = check_root(x);
	x->err = err;
	/* what lay there, or in some cache, may have been damaged */
	if (rc == PAKHUS_ECORRUPT) {
		rc = fetch_all(x, PAKHUS_FETCH_FRESH);
		if (!rc)
			rc = check_root(x);
	} else if (rc) {
		return pk_fail(err, rc, "%s", first.text);
	}
	if (!rc)
		rc = pk_lineage_check(x);
	return rc ? rc : try_out(x);
}
