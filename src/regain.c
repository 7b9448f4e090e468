/* regain.c - a store that is written gets back what its mirror has.
 *
 * After an old backup, or where a copy goes on: the log here may be shorter
 * than what was signed before, and to sign on would make two histories. So
 * what the mirror has is taken as a mirror takes it, checked in the same way,
 * and what was signed last is moved to it:
 *
 *  1. alone in the store, not recovered further than its own journal goes
 *  2. the mirror's checkpoint, entries and objects, as in mirror.c; one log
 *     is part of the other, also of what was signed last
 *  3. what waits in the journal is what the mirror has at those positions
 *  4. objects, bundles, tiles and keys into their places
 *  5. local/last-signed, then log/checkpoint, then local/home
 *  6. the lock page is forgotten: who opens next recovers, and what the log
 *     has by now of the journal does not count there any more (F-57)
 */
#include "mirror.h"
#include "io.h"

#include <fcntl.h>
#include <stdio.h>

/* ---- 2: one history ---- */

static int fail_two(struct pk_sync *x, uint64_t at)
{
	return pk_fail(x->err, PAKHUS_ECORRUPT,
		       "%s: F-76 two histories: its log and the one here are "
		       "not the same up to entry %llu", x->in.source->name,
		       (unsigned long long)at);
}

/* A mirror that is behind, or as far, is part of the log here. */
static int check_behind(struct pk_sync *x)
{
	AUTO_FREE struct pk_edge *edge = calloc(1, sizeof(*edge));
	unsigned char root[PK_HASH_SIZE];
	int rc;

	if (!edge)
		return pk_fail_nomem(x->err);
	rc = pk_log_edge(x->dir, x->sha, x->next.size, x->held.size, edge,
			 x->err);
	if (!rc && pk_edge_root(edge, x->sha, root))
		rc = pk_fail_nomem(x->err);
	if (!rc && memcmp(root, x->next.root, PK_HASH_SIZE))
		rc = fail_two(x, x->next.size);
	return rc;
}

/* What was signed last is part of the mirror's, or of what is here. */
static int check_last(struct pk_sync *x)
{
	uint64_t size = x->last.size;

	if (size > x->held.size && size <= x->next.size &&
	    memcmp(x->last_root, x->last.root, PK_HASH_SIZE))
		return fail_two(x, size);
	if (size > x->held.size && size > x->next.size)
		pk_notice(x->store, "entries %llu to %llu were signed here, and "
				    "are neither here nor in the mirror",
			  (unsigned long long)(x->held.size > x->next.size
						       ? x->held.size
						       : x->next.size),
			  (unsigned long long)size - 1);
	return 0;
}

static int read_last(struct pk_sync *x)
{
	struct pakhus_error e = { .status = 0 };
	int rc = pk_last_signed(x->store->env, &x->last, &e);

	/* a copy may lack it */
	if (rc == PAKHUS_ECORRUPT)
		x->last.size = 0;
	else if (rc)
		return pk_fail(x->err, rc, "%s", e.text);
	return 0;
}

/* ---- the key ---- */

static int has_private(struct pk_sync *x, const char *path,
		       const struct pk_vkey *k, int *has)
{
	struct pakhus_error e = { .status = 0 };
	struct pk_signer s;
	int rc = pk_keys_load(x->dir, path, &s, &e);

	*has = !rc && !memcmp(s.public.id, k->id, sizeof(k->id));
	explicit_bzero(&s, sizeof(s));
	if (!rc || rc == PAKHUS_ENOTFOUND)
		return 0;
	return pk_fail(x->err, rc, "%s", e.text);
}

/* The private key here is that of the key that is in force then. */
static int check_private(struct pk_sync *x)
{
	const struct pk_vkey *k =
		x->heirs ? &x->heir[x->heirs - 1].key : &x->key;
	int has, rc = has_private(x, "local/key", k, &has);

	if (!rc && !has)
		rc = has_private(x, PK_KEY_NEXT, k, &has);
	if (rc || has)
		return rc;
	return pk_fail(x->err, PAKHUS_EDENIED,
		       "F-67 the log was given another key, whose private half "
		       "is not here; publish where that was done");
}

/* ---- 3: the journal ---- */

struct waiting {
	struct pk_sync *x;
	uint64_t from, to;
	unsigned char (*leaf)[PK_HASH_SIZE];
	uint64_t first, last, n; /* positions where they differ */
};

static int hash_own(void *arg, uint64_t seq, const char *line, size_t size)
{
	struct waiting *w = arg;

	return pk_leaf_hash(w->x->sha, line, size, w->leaf[seq - w->from])
		       ? pk_fail_nomem(w->x->err)
		       : 0;
}

static int compare(void *arg, uint64_t seq, const char *line, size_t size)
{
	struct waiting *w = arg;
	unsigned char leaf[PK_HASH_SIZE];

	if (pk_leaf_hash(w->x->sha, line, size, leaf))
		return pk_fail_nomem(w->x->err);
	if (!memcmp(leaf, w->leaf[seq - w->from], PK_HASH_SIZE))
		return 0;
	if (!w->n++)
		w->first = seq;
	w->last = seq;
	return 0;
}

static int check_waiting(struct pk_sync *x)
{
	struct waiting w = { .x = x, .from = x->held.size };
	AUTO_FREE void *leaves = NULL;
	struct pk_view v = { .store = x->store, .txn = PK_TXN_INIT };
	struct pk_cursor c;
	int rc;

	pk_journal_cursor(&x->store->env->journal, &c);
	w.to = c.seq < x->next.size ? c.seq : x->next.size;
	if (w.to <= w.from)
		return 0;
	w.leaf = leaves = malloc((w.to - w.from) * PK_HASH_SIZE);
	if (!leaves)
		return pk_fail_nomem(x->err);
	rc = pk_entries(&v, w.from, w.to, hash_own, &w, x->err);
	if (!rc)
		rc = pk_log_walk(x->in.dir, x->next.size, w.from, w.to,
				 compare, &w, x->err);
	if (rc || !w.n)
		return rc;
	return pk_fail(x->err, PAKHUS_ECORRUPT,
		       "two histories: of the entries that wait in the journal "
		       "here %llu are not those of %s, from %llu to %llu",
		       (unsigned long long)w.n, x->in.source->name,
		       (unsigned long long)w.first,
		       (unsigned long long)w.last);
}

/* ---- the whole ---- */

#define TRIES 3

static int look(struct pk_sync *x)
{
	int rc = pk_offer_checkpoint(x);

	if (rc)
		return rc;
	if (x->next.size <= x->held.size) {
		rc = pk_lineage_same(x);
		if (!rc)
			rc = check_behind(x);
	} else {
		rc = pk_offer_entries(x);
		if (!rc)
			rc = check_waiting(x);
	}
	if (!rc)
		rc = check_last(x);
	if (!rc)
		rc = check_private(x);
	if (!rc)
		rc = pk_sync_check_age(x);
	return rc || x->next.size <= x->held.size ? rc : pk_bring(x);
}

/* 4 and 5. */
static int take(struct pk_sync *x)
{
	struct pk_env *env = x->store->env;
	AUTO_FREE char *own = NULL;
	size_t size;
	int rc;

	if (x->next.size > x->held.size) {
		rc = pk_bring_install(x);
		if (!rc)
			rc = pk_sync_write_log(x);
		if (!rc)
			rc = pk_lineage_install(x);
		return rc ? rc
			  : pk_install_signed(env, x->note, x->note_size,
					      x->err);
	}
	rc = pk_keys_note(env, 0, &x->held, &own, &size, x->err);
	return rc ? rc : pk_install_signed(env, own, size, x->err);
}

static int read_held(struct pk_sync *x)
{
	struct pk_env *env = x->store->env;
	AUTO(pk_txn_end) struct pk_txn t = PK_TXN_INIT;
	int rc = pk_keys_checkpoint(env, 0, &x->held, x->err);

	x->format = env->format;
	if (!rc)
		rc = pk_txn_read(&t, env->index, x->err);
	if (!rc)
		rc = pk_keys_find(env, pk_stamp_key(&t.stamp, x->held.size),
				  &x->key, x->err);
	x->has_key = !rc;
	if (!rc)
		rc = read_last(x);
	return rc ? rc : pk_lineage_given(x);
}

/* The integrate lock is held, and env->use shared. */
static int regain(struct pk_sync *x)
{
	int rc = read_held(x);

	for (x->m->tries = 1; !rc; x->m->tries++) {
		rc = look(x);
		if (!rc || !x->is_absent || x->m->tries == TRIES)
			break;
		pk_sync_forget(x);
		pk_error_init(x->err);
		rc = 0;
	}
	if (rc)
		return rc;
	x->m->before = x->m->entries = x->held.size;
	x->m->is_changed = x->next.size > x->held.size;
	if (x->m->is_changed)
		x->m->entries = x->next.size;
	rc = take(x);
	if (!rc)
		rc = pk_home_write(x->dir, x->err);
	if (!rc)
		rc = pk_sync_dir(x->dir, "local", x->err);
	if (!rc)
		pk_incoming_empty(&x->in);
	return rc;
}

static int regain_alone(struct pk_sync *x)
{
	struct pk_env *env = x->store->env;
	PK_HELD held = { NULL, 0 };
	int rc = pk_alone(x->store, "the store is being adopted", x->err);

	if (rc < 0)
		return rc;
	if (!rc)
		return pk_fail(x->err, PAKHUS_EBUSY,
			       "others have the store open");
	rc = pk_use(env, x->err);
	if (rc)
		return rc;
	rc = pk_hold(&held, &env->locks, PK_LOCK_INTEGRATE, x->err);
	if (!rc)
		rc = regain(x);
	pk_let_go(&held);
	pthread_rwlock_unlock(&env->use);
	/* 6: also where it ended half way */
	memset(env->journal.page->magic, 0, sizeof(env->journal.page->magic));
	return rc;
}

static int open_store(struct pk_sync *x, const char *path)
{
	struct pakhus_options opt = { .flags = PAKHUS_READONLY,
				      .progress = x->m->progress,
				      .notice = x->m->notice,
				      .arg = x->m->arg };
	int rc = pk_exists(x->dir, "FORMAT", x->err);

	if (!rc)
		return pk_fail(x->err, PAKHUS_ENOTFOUND,
			       "%s: not a pakhus store (it has no file FORMAT)",
			       path);
	if (rc == 1)
		rc = pk_exists(x->dir, "local/key", x->err);
	if (!rc)
		return pk_fail(x->err, PAKHUS_EDENIED,
			       "%s: this copy has no private key, so nothing "
			       "can be published here", path);
	if (rc == 1)
		rc = pk_sync_lock(x, path);
	if (!rc)
		rc = pakhus_open(&x->store, path, &opt, x->err);
	if (!rc && !x->store->env->has_local)
		rc = pk_fail(x->err, PAKHUS_EDENIED, "%s",
			     x->store->env->why_not);
	if (!rc)
		rc = pk_incoming_open(&x->in, x->dir, path, x->in.source,
				      x->err);
	return rc;
}

int pakhus_adopt_from(const char *path, const struct pakhus_source *source,
		      struct pakhus_mirror *m, struct pakhus_error *err)
{
	struct pakhus_mirror own = pk_sync_asked(m);
	struct pakhus_options opt = { .threads = m->threads,
				      .progress = m->progress,
				      .arg = m->arg };
	struct pakhus_error e = { .status = 0 };
	struct pk_sync *x = pk_sync_new(&own, source, &e);
	struct pakhus *s;
	int rc;

	pk_error_init(err);
	if (!x)
		return pk_fail_nomem(err);
	x->is_regained = 1;
	x->dir = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	rc = x->dir < 0 ? pk_fail_sys(&e, "%s", path) : open_store(x, path);
	if (!rc)
		rc = regain_alone(x);
	pk_sync_free(x);
	/* recovers, and moves what waits behind what the mirror had */
	if (!rc)
		rc = pakhus_open(&s, path, &opt, &e);
	if (rc)
		return pk_fail(err, rc, "%s", e.text);
	pakhus_close(s);
	*m = own;
	return 0;
}
