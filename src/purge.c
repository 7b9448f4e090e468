/* purge.c - removing texts from a store.
 *
 *  1. append a purge entry for each, checked under the append lock
 *  2. integrate, so that it is signed
 *  3. encode anew what is made against them, synced (F-92)
 *  4. remove their objects, what of them is in stage, and all in incoming
 *  5. write zeros over what no record of the journal covers
 *  6. make the index anew, which keeps manifests, and put it in place; LMDB
 *     leaves old bytes in free pages and in the gaps of others
 *  7. empty the trash, where the old index is
 *  8. note in local/purged that it is done (F-93)
 *
 * Killed anywhere after 1, the next who integrates goes on: each step finds
 * done what was done. A reader that had a file or the old index open goes on
 * reading that.
 */
#include "purge.h"
#include "hex.h"
#include "io.h"
#include "objpath.h"
#include "set.h"
#include "tmpfile.h"
#include "utf8.h"
#include "zst.h"

#include <dirent.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <sys/stat.h>

#define DONE_PATH "local/purged"
#define CACHE_SIZE ((size_t)32 << 20)

/* ---- what was purged ---- */

/* As much of a reason as fits, cut between characters. */
static int fail_purged(const char *name, uint64_t seq, const char *reason,
		       int status, struct pakhus_error *err)
{
	size_t used = strlen(name) + 48, n = strlen(reason), room;

	room = used < sizeof(err->text) ? sizeof(err->text) - used : 0;
	if (n <= room)
		return pk_fail(err, status, "%s was purged at entry %" PRIu64
					    ": %s", name, seq, reason);
	n = room;
	while (n && ((unsigned char)reason[n] & 0xC0) == 0x80)
		n--;
	return pk_fail(err, status, "%s was purged at entry %" PRIu64
				    ": %.*s...", name, seq, (int)n, reason);
}

int pk_purge_find(struct pk_view *v, const unsigned char *hash,
		  const char *name, int status, struct pakhus_error *err)
{
	AUTO_FREE struct pk_entry *e = NULL;
	struct pk_purged purged;
	int rc = pk_index_purged(&v->txn, hash, &purged, err);

	if (rc != 1)
		return rc;
	e = malloc(sizeof(*e));
	if (!e)
		return pk_fail_nomem(err);
	rc = pk_entry_at(v, purged.seq, e, err);
	return rc ? rc : fail_purged(name, purged.seq, e->text, status, err);
}

int pk_purge_check(struct pk_view *v, const struct pk_entry *e,
		   struct pakhus_error *err)
{
	char name[PK_ID_MAX + PK_VERSION_MAX + 16];
	struct pk_purged purged;
	int rc = 0;

	if (pk_entry_has_text(e))
		rc = pk_index_purged(&v->txn, e->hash, &purged, err);
	if (rc != 1)
		return rc;
	snprintf(name, sizeof(name), "%s%s%s: this text", e->id,
		 *e->version ? "@" : "", e->version);
	return pk_purge_find(v, e->hash, name, PAKHUS_ECONFLICT, err); /* F-91 */
}

/* Not believed where it cannot be: it is done once more then. */
uint64_t pk_purge_done(int dir, uint64_t entries)
{
	AUTO_FREE char *text = NULL;
	char again[32];
	uint64_t n;
	size_t size;

	if (pk_read_file(dir, DONE_PATH, 31, &text, &size, NULL) ||
	    sscanf(text, "%" SCNu64, &n) != 1)
		return 0;
	snprintf(again, sizeof(again), "%" PRIu64 "\n", n);
	return strcmp(text, again) || n > entries ? 0 : n;
}

int pk_purge_forget(int dir, struct pakhus_error *err)
{
	return unlinkat(dir, DONE_PATH, 0) && errno != ENOENT
		       ? pk_fail_sys(err, "remove " DONE_PATH)
		       : 0;
}

/* Those at positions from..to-1. */
struct due {
	struct pk_set set;
	unsigned char (*hash)[PK_HASH_SIZE];
	size_t n, cap;
	uint64_t from, to;
	struct pakhus_error *err;
};

static void due_release(struct due *d)
{
	pk_set_release(&d->set);
	free(d->hash);
}

static int add_due(void *arg, const unsigned char *hash,
		   const struct pk_purged *purged)
{
	struct due *d = arg;

	if (purged->seq < d->from || purged->seq >= d->to)
		return 0;
	if (d->n == d->cap) {
		size_t cap = 2 * d->cap + 16;
		void *p = realloc(d->hash, cap * sizeof(*d->hash));

		if (!p)
			return pk_fail_nomem(d->err);
		d->hash = p;
		d->cap = cap;
	}
	memcpy(d->hash[d->n++], hash, PK_HASH_SIZE);
	return pk_set_add(&d->set, hash) < 0 ? pk_fail_nomem(d->err) : 0;
}

static int is_one(void *arg, const unsigned char *hash,
		  const struct pk_purged *purged)
{
	const uint64_t *from = arg;

	(void)hash;
	return purged->seq >= *from;
}

int pk_purge_is_due(struct pakhus *s, struct pakhus_error *err)
{
	AUTO(pk_txn_end) struct pk_txn t = PK_TXN_INIT;
	uint64_t from = 0;
	int rc = pk_txn_read(&t, s->env->index, err);

	if (!rc)
		rc = pk_index_each_purged(&t, is_one, &from, err);
	if (rc != 1)
		return rc;
	from = pk_purge_done(s->env->dir, t.stamp.applied);
	return pk_index_each_purged(&t, is_one, &from, err);
}

/* ---- 3: what is made against them ---- */

struct ready {
	struct pakhus *store;
	const struct pk_set *purged;
	struct pk_cache *cache; /* of its own: theirs is in it as well */
	struct pk_kept kept;
	struct pk_zst_encoder *zst;
	uint64_t encoded;
	struct pakhus_error *err;
};

static void ready_release(struct ready *r)
{
	pk_cache_free(r->cache);
	pk_kept_release(&r->kept);
	pk_zst_encoder_free(r->zst);
}

/* What could not be read before either: verify speaks of it. Anything else may
 * be better the next time, and nothing is removed before. */
static int is_damage(int rc)
{
	return rc == PAKHUS_ECORRUPT || rc == PAKHUS_ENOTFOUND;
}

/* Reads a text; 0 where it cannot be, as a file is damaged or missing. */
static int read_text(struct ready *r, const unsigned char *hash,
		     struct pk_shared **out)
{
	struct pakhus_error e = { .status = 0 };
	int rc = pk_object_read(r->store->env->dir, r->cache, &r->kept, hash,
				out, &e);

	if (!rc)
		return 1;
	return is_damage(rc) ? 0 : pk_fail(r->err, rc, "%s", e.text);
}

/* The base of a purged base, and so on, up to one that stays: its depth is
 * less (F-17). */
static int choose_base(struct ready *r, const struct pk_trailer *t,
		       struct pk_base *out)
{
	struct pk_trailer up = *t;
	int dir = r->store->env->dir;

	do {
		memcpy(out->hash, up.base, PK_HASH_SIZE);
		if (pk_object_trailer(dir, out->hash, &up, NULL) ||
		    up.depth >= t->depth)
			return 0;
		if (!pk_set_has(r->purged, out->hash)) {
			out->depth = up.depth;
			return up.raw_size > PK_DELTA_MAX
				       ? 0
				       : read_text(r, out->hash, &out->text);
		}
	} while (up.encoding == PK_DELTA);
	return 0;
}

static int encode_anew(struct ready *r, const unsigned char *hash,
		       const struct pk_trailer *t)
{
	AUTO(pk_shared_auto) struct pk_shared *text = NULL;
	AUTO_FREE unsigned char *bytes = NULL;
	struct pk_base base = { .text = NULL };
	int dir = r->store->env->dir, rc = read_text(r, hash, &text);
	size_t size;

	if (rc != 1)
		return rc;
	rc = choose_base(r, t, &base);
	if (rc >= 0)
		rc = pk_object_encode(r->zst, hash, text, rc ? &base : NULL,
				      r->store->level, &bytes, &size, r->err);
	pk_shared_free(base.text);
	if (!rc)
		rc = pk_object_stage(dir, hash, bytes, size, r->err);
	if (!rc)
		rc = pk_object_sync(dir, PK_FROM_STAGE, hash, r->err);
	if (!rc)
		rc = pk_object_place(dir, PK_FROM_STAGE, hash, r->err);
	r->encoded += !rc;
	return rc;
}

/* An object that is made against one of them, and is none of them. */
static int ready_object(struct ready *r, const char *path)
{
	struct pakhus_error e = { .status = 0 };
	unsigned char hash[PK_HASH_SIZE];
	struct pk_trailer t;
	int rc;

	if (pk_objpath_parse(path, hash) || pk_set_has(r->purged, hash))
		return 0;
	rc = pk_object_trailer(r->store->env->dir, hash, &t, &e);
	if (rc)
		return is_damage(rc) ? 0 : pk_fail(r->err, rc, "%s", e.text);
	return t.encoding == PK_DELTA && pk_set_has(r->purged, t.base)
		       ? encode_anew(r, hash, &t)
		       : 0;
}

static int ready_dir(struct ready *r, unsigned first)
{
	char path[PK_OBJPATH_SIZE];
	uint64_t before = r->encoded;
	AUTO_DIR DIR *d = NULL;
	const char *name;
	int rc;

	snprintf(path, sizeof(path), "objects/%02x", first);
	d = pk_opendir(r->store->env->dir, path, 0);
	if (!d)
		return pk_fail_sys(r->err, "%s", path);
	while ((rc = pk_readdir(d, path, &name, r->err)) == 1) {
		if (strlen(name) != PK_HEX_SIZE - 2)
			continue;
		snprintf(path, sizeof(path), "objects/%02x/%.62s", first, name);
		rc = ready_object(r, path);
		if (rc)
			return rc;
	}
	return rc || r->encoded == before
		       ? rc
		       : pk_object_sync_dir(r->store->env->dir,
					    (unsigned char)first, r->err);
}

/* Afterwards no object needs one of them. */
static int make_ready(struct pakhus *s, const struct pk_set *purged,
		      uint64_t *encoded, struct pakhus_error *err)
{
	AUTO(ready_release) struct ready r = { .store = s,
					       .purged = purged,
					       .cache = pk_cache_new(CACHE_SIZE),
					       .zst = pk_zst_encoder_new(),
					       .err = err };
	int rc = r.cache && r.zst ? 0 : pk_fail_nomem(err);

	for (unsigned i = 0; i < 256 && !rc; i++)
		rc = ready_dir(&r, i);
	if (encoded)
		*encoded += r.encoded;
	return rc;
}

/* ---- 4: objects ---- */

static int remove_file(int dir, const char *path, struct pakhus_error *err)
{
	return unlinkat(dir, path, 0) && errno != ENOENT && errno != ENOTDIR
		       ? pk_fail_sys(err, "remove %s", path)
		       : 0;
}

/* All of what an interrupted sync left: what a source had brought in part, or
 * what rsync did, has names of its own. */
static int empty_incoming(int dir, struct pakhus_error *err)
{
	static const char path[] = PK_INCOMING "/objects";

	pk_remove_tree(dir, path);
	/* it goes as far as it can, and this says how far */
	return unlinkat(dir, path, AT_REMOVEDIR) && errno != ENOENT
		       ? pk_fail_sys(err, "remove %s", path)
		       : 0;
}

static int remove_objects(const struct due *d, int dir,
			  struct pakhus_error *err)
{
	unsigned char touched[256] = { 0 };
	int rc = empty_incoming(dir, err);

	for (size_t i = 0; i < d->n && !rc; i++) {
		char path[PK_OBJPATH_SIZE + 16] = PK_STAGE "/";

		pk_hex(d->hash[i], PK_HASH_SIZE, path + strlen(path));
		rc = remove_file(dir, path, err);
		pk_objpath(d->hash[i], path);
		if (!rc)
			rc = remove_file(dir, path, err);
		touched[d->hash[i][0]] = 1;
	}
	for (unsigned i = 0; i < 256 && !rc; i++)
		if (touched[i])
			rc = pk_object_sync_dir(dir, (unsigned char)i, err);
	return rc ? rc : pk_sync_dir(dir, PK_STAGE, err);
}

/* ---- 5: the journal ---- */

static int wipe_journal(struct pakhus *s, struct pakhus_error *err)
{
	struct pk_journal *j = &s->env->journal;
	PK_HELD held = { NULL, 0 };
	struct pk_cursor c;
	int rc = pk_hold(&held, &s->env->locks, PK_LOCK_APPEND, err);

	if (!rc)
		rc = pk_journal_catch_up(j, err);
	if (rc)
		return rc;
	pk_journal_cursor(j, &c);
	rc = pk_commit(s, c.seq, err);
	return rc ? rc : pk_journal_wipe(j, err);
}

/* ---- 6: the index ---- */

/* Under the locks, as nobody may write to the old one any more. */
static int put_in_place(struct pakhus *s, struct pk_index *ix,
			struct pakhus_error *err)
{
	struct pk_env *env = s->env;
	struct pk_page *page = env->journal.page;
	PK_HELD append = { NULL, 0 };
	PK_HELD commit = { NULL, 0 };
	int rc = pk_hold(&append, &env->locks, PK_LOCK_APPEND, err);

	if (!rc)
		rc = pk_hold(&commit, &env->locks, PK_LOCK_COMMIT, err);
	if (!rc)
		rc = pk_apply_journal(s, ix, atomic_load(&page->durable), err);
	if (!rc)
		rc = pk_index_install(env->dir, err);
	if (!rc)
		atomic_store(&page->index, pk_index_inode(ix));
	return rc;
}

static int replace_index(struct pakhus *s, struct pakhus_error *err)
{
	struct pk_env *env = s->env;
	struct pk_index *ix = NULL;
	struct pk_checkpoint c;
	int rc = pk_keys_checkpoint(env, 0, &c, err);

	if (!rc)
		rc = pk_index_make(&ix, env->dir, err);
	if (!rc)
		rc = pk_adopt_index(env, ix, err);
	if (!rc)
		rc = pk_replay(s, ix, &c, err);
	if (!rc)
		rc = put_in_place(s, ix, err);
	pk_index_close(ix);
	return rc;
}

/* ---- 7: the trash ---- */

#define TRASH "local/trash"

static int empty_trash(int dir, struct pakhus_error *err)
{
	AUTO_DIR DIR *d = pk_opendir(dir, TRASH, O_NOFOLLOW);
	const char *name;
	int rc;

	if (!d)
		return pk_fail_sys(err, TRASH);
	while ((rc = pk_readdir(d, TRASH, &name, err)) == 1) {
		if (!strcmp(name, ".") || !strcmp(name, ".."))
			continue;
		pk_remove_tree(dirfd(d), name);
		/* it goes as far as it can, and this says how far */
		if (unlinkat(dirfd(d), name, 0) && errno != ENOENT)
			return pk_fail_sys(err, "remove " TRASH "/%s", name);
	}
	return rc;
}

static int empty(int dir, struct pakhus_error *err)
{
	int rc = pk_index_drop_others(dir, err);

	if (!rc)
		rc = empty_trash(dir, err);
	if (!rc)
		rc = pk_sync_dir(dir, TRASH, err);
	return rc ? rc : pk_sync_dir(dir, "local", err);
}

/* ---- the whole ---- */

static int note_done(const struct due *d, int dir, struct pakhus_error *err)
{
	char text[32];
	int n = snprintf(text, sizeof(text), "%" PRIu64 "\n", d->to);
	int rc = pk_install(dir, DONE_PATH, text, (size_t)n, 0600, err);

	return rc ? rc : pk_sync_dir(dir, "local", err);
}

static int find_due(struct pakhus *s, struct due *d)
{
	AUTO(pk_txn_end) struct pk_txn t = PK_TXN_INIT;
	int rc = pk_txn_read(&t, s->env->index, d->err);

	if (rc)
		return rc;
	d->from = pk_purge_done(s->env->dir, t.stamp.applied);
	d->to = atomic_load(&s->env->journal.page->checkpoint);
	return pk_index_each_purged(&t, add_due, d, d->err);
}

int pk_purge_finish(struct pakhus *s, uint64_t *encoded,
		    struct pakhus_error *err)
{
	int dir = s->env->dir;
	AUTO(due_release) struct due d = { .err = err };
	int rc;

	if (!pk_is_current(s->env))
		return pk_fail_replaced(err);
	rc = pk_purge_is_due(s, err);
	if (rc == 1)
		rc = find_due(s, &d);
	if (rc || !d.n)
		return rc;
	rc = make_ready(s, &d.set, encoded, err);
	if (!rc)
		rc = remove_objects(&d, dir, err);
	if (!rc)
		rc = wipe_journal(s, err);
	if (!rc)
		rc = pk_mkdir(dir, TRASH, 0700, err);
	if (!rc)
		rc = replace_index(s, err);
	if (!rc)
		rc = empty(dir, err);
	return rc ? rc : note_done(&d, dir, err);
}

static int finish_all(struct pakhus *s, uint64_t *encoded,
		      struct pakhus_error *err)
{
	PK_HELD held = { NULL, 0 };
	int rc = pk_hold(&held, &s->env->locks, PK_LOCK_INTEGRATE, err);

	if (!rc && s->env->can_write)
		rc = pk_integrate_held(s, NULL, err);
	return rc ? rc : pk_purge_finish(s, encoded, err);
}

int pk_purge_all(struct pakhus *s, uint64_t *encoded, struct pakhus_error *err)
{
	int rc;

	do {
		rc = pk_use(s->env, err);
		if (rc)
			return rc;
		rc = finish_all(s, encoded, err);
		pthread_rwlock_unlock(&s->env->use);
	} while (pk_mend(s, rc, err));
	return rc;
}

/* ---- 1: the entries ---- */

struct purging {
	const char *id, *version;
	const uint64_t *seq; /* the one position that counts, or NULL */
	struct pk_entry entry;
	struct pk_set seen;
	unsigned found, gone; /* texts; and those that were purged before */
	struct pk_view *view;
	struct pk_draft *draft;
	struct pakhus_error *err;
};

static int add_text(void *arg, uint64_t seq, const struct pk_line *line)
{
	static const unsigned char none[PK_HASH_SIZE];
	struct purging *x = arg;
	struct pk_purged purged;
	int rc;

	if (x->seq && *x->seq != seq)
		return 1; /* the walk began there, if it is there at all */
	if ((!line->is_publish && !line->is_attrs) ||
	    strcmp(line->version, x->version) ||
	    !memcmp(line->hash, none, PK_HASH_SIZE))
		return 0;
	rc = pk_set_add(&x->seen, line->hash);
	if (rc != 1)
		return rc < 0 ? pk_fail_nomem(x->err) : 0;
	memcpy(x->entry.hash, line->hash, PK_HASH_SIZE);
	rc = pk_index_purged(&x->view->txn, line->hash, &purged, x->err);
	if (rc < 0)
		return rc;
	x->found++;
	x->gone += (unsigned)rc;
	return rc ? 0 : pk_draft_add(x->draft, &x->entry, NULL, x->err);
}

static int fail_none(struct purging *x)
{
	char name[PK_ID_MAX + PK_VERSION_MAX + 2];

	snprintf(name, sizeof(name), "%s%s%s", x->id, *x->version ? "@" : "",
		 x->version);
	if (x->gone) /* the hash of one of them is still there */
		return pk_purge_find(x->view, x->entry.hash, name,
				     PAKHUS_ENOTFOUND, x->err);
	if (!x->seq)
		return pk_fail(x->err, PAKHUS_ENOTFOUND,
			       *x->version ? "%s was never published"
					   : "nothing was ever said of %s",
			       name);
	return pk_fail(x->err, PAKHUS_ENOTFOUND,
		       "log entry %" PRIu64 " %s of %s", *x->seq,
		       *x->version ? "is no publish" : "says nothing", name);
}

/* Under the append lock, so that nothing is published meanwhile. */
static int collect(void *arg, struct pk_view *v, struct pk_draft *d,
		   struct pakhus_error *err)
{
	struct purging *x = arg;
	uint64_t before = x->seq ? *x->seq + 1 : 0; /* 0: all of them */
	int rc;

	pk_draft_clear(d); /* an earlier try may have filled it */
	pk_set_release(&x->seen);
	x->found = x->gone = 0;
	x->view = v;
	x->draft = d;
	x->err = err;
	rc = pk_index_each_line(&v->txn, x->id, before, add_text, x, err);
	if (rc < 0)
		return rc;
	return d->n ? 0 : fail_none(x);
}

static int carry_out(struct pakhus *s, uint64_t *encoded,
		     struct pakhus_error *err)
{
	struct pakhus_error e = { .status = 0 };
	int rc = pk_purge_all(s, encoded, &e);

	return rc ? pk_fail(err, rc,
			    "nobody is given it any more, but it is not gone; "
			    "the next sync goes on: %s", e.text)
		  : 0;
}

static int check_words(const struct purging *x, const char *reason,
		       const char *by, struct pakhus_error *err)
{
	size_t n = strlen(reason);

	if (!*x->id || strlen(x->id) > PK_ID_MAX ||
	    strlen(x->version) > PK_VERSION_MAX)
		return pk_fail(err, PAKHUS_EINVAL,
			       "the id must have 1 to %d bytes, and the "
			       "version at most %d", PK_ID_MAX, PK_VERSION_MAX);
	if (!n || n > PK_TEXT_MAX || !pk_is_plain(reason, n))
		return pk_fail(err, PAKHUS_EINVAL,
			       "the reason must have 1 to %d bytes, without "
			       "control characters", PK_TEXT_MAX);
	return pk_check_by(by, err);
}

static int purge(struct pakhus *s, struct purging *x, const char *reason,
		 const char *by, struct pakhus_purged *out,
		 struct pakhus_error *err)
{
	AUTO(pk_draft_release) struct pk_draft d = { .n = 0 };
	struct pakhus_purged done = { 0, 0, 0 };
	int rc = check_words(x, reason, by, err);

	if (rc)
		return rc;
	x->entry.op = PK_OP_PURGE;
	x->entry.time = pk_now();
	strcpy(x->entry.id, x->id);
	strcpy(x->entry.version, x->version);
	strcpy(x->entry.text, reason);
	if (by)
		strcpy(x->entry.by, by);
	rc = pk_write(s, &d, collect, x, &done.seq, err);
	if (!rc)
		rc = carry_out(s, &done.encoded, err);
	done.texts = d.n;
	if (!rc && out)
		*out = done;
	return rc;
}

static int purge_seq(struct pakhus *s, const char *id, const char *version,
		     const uint64_t *seq, const char *reason, const char *by,
		     struct pakhus_purged *out, struct pakhus_error *err)
{
	AUTO_FREE struct purging *x = calloc(1, sizeof(*x));
	int rc = pk_enter_write(s, err);

	if (rc)
		return rc;
	if (!x)
		return pk_fail_nomem(err);
	x->id = id;
	x->version = version ? version : "";
	x->seq = seq;
	rc = purge(s, x, reason, by, out, err);
	pk_set_release(&x->seen);
	return rc;
}

int pakhus_purge(struct pakhus *s, const char *id, const char *version,
		 const char *reason, const char *by, struct pakhus_purged *out,
		 struct pakhus_error *err)
{
	return purge_seq(s, id, version, NULL, reason, by, out, err);
}

int pakhus_purge_at(struct pakhus *s, const char *id, const char *version,
		    uint64_t seq, const char *reason, const char *by,
		    struct pakhus_purged *out, struct pakhus_error *err)
{
	return purge_seq(s, id, version, &seq, reason, by, out, err);
}
