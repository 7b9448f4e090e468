/* collect.c - objects that nothing live needs, out of the tree (F-85, F-87).
 *
 * A cycle holds the integrate lock, so that nobody chooses a base or places
 * an object meanwhile:
 *
 *  1. empty the trash of earlier cycles
 *  2. move everything into the tree; a view begun at the end of what was
 *     sealed is of exactly the new checkpoint
 *  3. what the view has live, with all that it is made against, stays
 *  4. what was published since the last cycle, with all that it is made
 *     against, is no candidate of that cycle any more
 *  5. every other object is a candidate; it is due if it was one at the last
 *     cycle, longer ago than the grace period. What an object that stays is
 *     made against, be it dead too, is not due: it could be published again,
 *     and its publisher would find an object that cannot be read
 *  6. due ones go to the trash, the deepest first and their directories
 *     synced before what they are made against follows; in batches, each
 *     under the append lock, when what was appended since 2 has been looked
 *     at: that stays too, with all that it is made against
 *  7. local/candidates is replaced
 *
 * So who was dead at the checkpoint of the last cycle and was not published
 * since was dead at every checkpoint between the two: who copies from one of
 * those does not need it. A publisher decides under the append lock whether
 * it brings a text (commit.c), and is either seen in 6, or finds the object
 * gone and brings it. That is so for a text of more than 4 MiB as well: it
 * is written before its entry and nothing names it until then, but where it
 * is gone when the entry is appended it is written again.
 *
 * Killed anywhere the next cycle goes on with the list of the one before: it
 * is right as long as what was published since is left out, and is.
 */
#include "store.h"
#include "candidates.h"
#include "hex.h"
#include "io.h"
#include "objpath.h"
#include "set.h"
#include "tmpfile.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>

#define CANDIDATES "local/candidates"
#define TRASH "local/trash"
#define CANDIDATES_MAX (SIZE_MAX / 4)
#define BATCH 64 /* renames under the append lock */
#define DAMAGED (PK_CHAIN_MAX + 1) /* depth of what has no readable end */

/* An object outside the closure of what is live. */
struct item {
	unsigned char hash[PK_HASH_SIZE];
	unsigned char base[PK_HASH_SIZE]; /* where depth is not 0 */
	uint64_t bytes, since;
	unsigned depth;
	int is_due, is_freed, is_told;
};

struct cycle {
	struct pakhus *store;
	struct pakhus_gc *gc;
	struct pk_view *view; /* as of the checkpoint */
	struct pk_set live;   /* complete: with all they are made against */
	struct pk_set recent; /* the same, of what was published since */
	struct pk_set spared; /* the same, of what stays for another reason */
	char *bytes; /* of the last cycle's list ... */
	struct pk_candidates last; /* ... and what they say */
	struct item *item;
	size_t n, cap;
	uint64_t now, versions;
	char dir[16]; /* that is being looked at */
	struct pakhus_error *err;
};

static void cycle_release(struct cycle *c)
{
	pk_set_release(&c->live);
	pk_set_release(&c->recent);
	pk_set_release(&c->spared);
	free(c->bytes);
	free(c->item);
}

static int is_dry(const struct cycle *c)
{
	return (c->gc->flags & PAKHUS_GC_DRY_RUN) != 0;
}

/* ---- 1: the trash ---- */

static int remove_file(struct cycle *c, int fd, const char *name)
{
	struct stat st;

	if (fstatat(fd, name, &st, AT_SYMLINK_NOFOLLOW))
		return errno == ENOENT ? 0 : pk_fail_sys(c->err, TRASH "/%s",
							 name);
	if (unlinkat(fd, name, 0))
		return pk_fail_sys(c->err, "remove " TRASH "/%s", name);
	c->gc->emptied++;
	c->gc->emptied_bytes += (uint64_t)st.st_size;
	return 0;
}

/* The names in a directory that do not begin with a dot. */
typedef int name_fn(struct cycle *c, int fd, const char *name);
static int each_name(struct cycle *c, const char *path, name_fn *fn)
{
	AUTO_DIR DIR *d = pk_opendir(c->store->env->dir, path, O_NOFOLLOW);
	const char *name;
	int rc;

	if (!d)
		return errno == ENOENT ? 0 : pk_fail_sys(c->err, "%s", path);
	while ((rc = pk_readdir(d, path, &name, c->err)) == 1) {
		if (*name == '.')
			continue;
		rc = fn(c, dirfd(d), name);
		if (rc)
			return rc;
	}
	return rc;
}

/* ---- 3: what is live ---- */

/* Adds a text, and what it is made against, to a set of which every member
 * was added so. */
static int keep(struct cycle *c, struct pk_set *set, const unsigned char *hash,
		int is_live)
{
	int dir = c->store->env->dir;
	struct pk_trailer t;
	unsigned char at[PK_HASH_SIZE];

	memcpy(at, hash, PK_HASH_SIZE);
	for (;;) {
		int rc = pk_set_add(set, at);

		if (rc <= 0)
			return rc ? pk_fail_nomem(c->err) : 0;
		rc = pk_object_exists(dir, at, c->err);
		if (rc < 0)
			return rc;
		if (!rc && is_live) {
			char path[PK_OBJPATH_SIZE];
			struct pk_location l;

			/* not in the tree yet; only a dry run meets that */
			rc = pk_index_location(&c->view->txn, at, &l, c->err);
			if (rc)
				return rc < 0 ? rc : 0;
			pk_objpath(at, path);
			return pk_fail(c->err, PAKHUS_ECORRUPT,
				       "%s: F-11 is missing, and something "
				       "live needs it; nothing is collected "
				       "before that is mended", path);
		}
		if (!rc)
			return 0;
		rc = pk_object_trailer(dir, at, &t, c->err);
		if (rc == PAKHUS_ECORRUPT && !is_live) {
			pk_error_init(c->err);
			return 0;
		}
		if (rc)
			return rc;
		if (t.encoding == PK_WHOLE)
			return 0;
		memcpy(at, t.base, PK_HASH_SIZE);
	}
}

static int keep_live(void *arg, const struct pk_live *live)
{
	struct cycle *c = arg;
	int rc = keep(c, &c->live, live->hash, 1);

	c->versions++;
	return rc ? rc
		  : pk_progress(c->store, "collecting", c->versions,
				c->view->txn.stamp.live, c->err);
}

/* What is said of packages and versions. */
static int keep_said(void *arg, const struct pk_live *live)
{
	struct cycle *c = arg;

	return keep(c, &c->live, live->hash, 1);
}

static int find_live(struct cycle *c)
{
	int rc = pk_index_each_live(&c->view->txn, keep_live, c, c->err);

	/* a row that is lost would be a version that is lost */
	if (!rc && c->versions != c->view->txn.stamp.live)
		rc = pk_index_fail_missing(&c->view->txn, c->err);
	return rc ? rc : pk_index_each_attrs(&c->view->txn, keep_said, c, c->err);
}

/* ---- 4: since the last cycle ---- */

struct published {
	struct cycle *cycle;
	struct pk_set *set;
};

static int keep_published(void *arg, uint64_t seq, const char *line,
			  size_t size)
{
	struct published *p = arg;
	struct cycle *c = p->cycle;
	struct pk_entry e;
	const char *fault = pk_entry_decode(line, size, &e);

	if (fault)
		return pk_fail(c->err,
			       fault == pk_entry_newer ? PAKHUS_EVERSION
						       : PAKHUS_ECORRUPT,
			       "log entry %llu: %s", (unsigned long long)seq,
			       fault);
	return pk_entry_has_text(&e) ? keep(c, p->set, e.hash, 0) : 0;
}

static int keep_since(struct cycle *c, struct pk_set *set, uint64_t from,
		      uint64_t to)
{
	struct published p = { c, set };

	return pk_entries(c->view, from, to, keep_published, &p, c->err);
}

/* Without a list, and where it cannot be believed, every candidate is a new
 * one: that frees later, never sooner. */
static int read_last(struct cycle *c)
{
	const char *fault;
	size_t size;
	int rc = pk_read_file(c->store->env->dir, CANDIDATES, CANDIDATES_MAX,
			      &c->bytes, &size, c->err);

	if (rc == PAKHUS_ENOTFOUND) {
		pk_error_init(c->err);
		return 0;
	}
	if (rc)
		return rc;
	fault = pk_candidates_decode((struct pk_bytes){
					     (unsigned char *)c->bytes, size },
				     &c->last);
	if (!fault && c->last.entries > c->view->txn.stamp.applied)
		fault = "F-86 is of a longer log";
	if (!fault)
		return keep_since(c, &c->recent, c->last.entries,
				  c->view->txn.stamp.applied);
	c->last = (struct pk_candidates){ .n = 0 };
	pk_notice(c->store, "%s: %s; what can be collected waits anew",
		  CANDIDATES, fault);
	return 0;
}

/* ---- 5: candidates ---- */

static int add_item(struct cycle *c, const unsigned char *hash,
		    const struct stat *st)
{
	struct item *it;
	struct pk_trailer t = { .depth = DAMAGED };
	int rc = pk_object_trailer(c->store->env->dir, hash, &t, c->err);

	/* one that is damaged is needed by nobody either */
	if (rc && rc != PAKHUS_ECORRUPT)
		return rc;
	if (rc)
		pk_error_init(c->err);
	if (c->n == c->cap) {
		size_t cap = c->cap ? 2 * c->cap : 64;
		void *p = realloc(c->item, cap * sizeof(*c->item));

		if (!p)
			return pk_fail_nomem(c->err);
		c->item = p;
		c->cap = cap;
	}
	it = &c->item[c->n++];
	memset(it, 0, sizeof(*it));
	memcpy(it->hash, hash, PK_HASH_SIZE);
	it->bytes = (uint64_t)st->st_size;
	it->since = c->now;
	it->depth = rc ? DAMAGED : t.depth;
	memcpy(it->base, t.base, PK_HASH_SIZE);
	if (!pk_set_has(&c->recent, hash) &&
	    pk_candidates_find(&c->last, hash, &it->since))
		/* a clock that went back only lets it wait longer */
		it->is_due = it->since <= c->now &&
			     c->now - it->since >= c->gc->grace_us;
	return 0;
}

static int look_at(struct cycle *c, int fd, const char *name)
{
	unsigned char hash[PK_HASH_SIZE];
	char path[512];
	struct stat st;

	snprintf(path, sizeof(path), "%s/%s", c->dir, name);
	if (pk_objpath_parse(path, hash) || pk_set_has(&c->live, hash))
		return 0; /* no object's name: verify says so */
	if (fstatat(fd, name, &st, AT_SYMLINK_NOFOLLOW))
		return errno == ENOENT ? 0 : pk_fail_sys(c->err, "%s", path);
	return S_ISREG(st.st_mode) ? add_item(c, hash, &st) : 0;
}

static int find_dead(struct cycle *c)
{
	int rc = 0;

	for (unsigned i = 0; i < 256 && !rc; i++) {
		sprintf(c->dir, "objects/%02x", i);
		rc = each_name(c, c->dir, look_at);
		if (!rc)
			rc = pk_progress(c->store, "collecting",
					 c->versions + i + 1,
					 c->versions + 256, c->err);
	}
	for (size_t i = 0; i < c->n && !rc; i++) {
		const struct item *it = &c->item[i];

		if (!it->is_due && it->depth && it->depth != DAMAGED)
			rc = keep(c, &c->spared, it->base, 0);
	}
	for (size_t i = 0; i < c->n && !rc; i++)
		if (pk_set_has(&c->spared, c->item[i].hash))
			c->item[i].is_due = 0;
	return rc;
}

/* ---- 6: to the trash ---- */

static int by_depth(const void *a, const void *b)
{
	const struct item *x = a, *y = b;

	if (x->depth != y->depth)
		return x->depth < y->depth ? 1 : -1;
	return memcmp(x->hash, y->hash, PK_HASH_SIZE);
}

static int by_hash(const void *a, const void *b)
{
	const struct item *x = a, *y = b;

	return memcmp(x->hash, y->hash, PK_HASH_SIZE);
}

static int free_item(struct cycle *c, struct item *it)
{
	int dir = c->store->env->dir;
	char from[PK_OBJPATH_SIZE], hex[PK_HEX_SIZE + 1];
	char to[sizeof(TRASH) + 1 + PK_HEX_SIZE];

	if (!it->is_due || pk_set_has(&c->spared, it->hash))
		return 0;
	pk_objpath(it->hash, from);
	pk_hex(it->hash, PK_HASH_SIZE, hex);
	sprintf(to, TRASH "/%s", hex);
	if (renameat(dir, from, dir, to))
		return pk_fail_sys(c->err, "move %s to the trash", from);
	it->is_freed = 1;
	c->gc->freed++;
	c->gc->freed_bytes += it->bytes;
	return 0;
}

/* *seen: how far the log was looked at. */
static int free_batch(struct cycle *c, size_t from, size_t to, uint64_t *seen)
{
	struct pk_env *env = c->store->env;
	PK_HELD held = { NULL, 0 };
	struct pk_cursor cursor;
	int rc = pk_hold(&held, &env->locks, PK_LOCK_APPEND, c->err);

	if (!rc && env->can_write) {
		rc = pk_journal_catch_up(&env->journal, c->err);
		pk_journal_cursor(&env->journal, &cursor);
		if (!rc)
			rc = pk_commit(c->store, cursor.seq, c->err);
		if (!rc)
			rc = keep_since(c, &c->spared, *seen, cursor.seq);
		*seen = cursor.seq;
	}
	for (; from < to && !rc; from++)
		rc = free_item(c, &c->item[from]);
	return rc;
}

/* What is due of one depth, synced: the trash need not be. */
static int free_level(struct cycle *c, size_t from, size_t to, uint64_t *seen)
{
	unsigned char touched[256] = { 0 };
	int rc = 0;

	for (size_t at = from; at < to && !rc; at += BATCH)
		rc = free_batch(c, at, at + BATCH < to ? at + BATCH : to,
				seen);
	for (size_t i = from; i < to; i++)
		touched[c->item[i].hash[0]] |= c->item[i].is_freed != 0;
	for (unsigned i = 0; i < 256 && !rc; i++)
		if (touched[i])
			rc = pk_object_sync_dir(c->store->env->dir,
						(unsigned char)i, c->err);
	return rc;
}

static int free_due(struct cycle *c)
{
	uint64_t seen = c->view->txn.stamp.applied;
	size_t from = 0, to;
	int rc;

	if (!c->n)
		return 0;
	rc = pk_mkdir(c->store->env->dir, TRASH, 0700, c->err);
	qsort(c->item, c->n, sizeof(*c->item), by_depth);
	for (; from < c->n && !rc; from = to) {
		for (to = from; to < c->n &&
				c->item[to].depth == c->item[from].depth; to++)
			;
		rc = free_level(c, from, to, &seen);
	}
	return rc;
}

/* ---- 7: the list ---- */

static int write_list(struct cycle *c)
{
	AUTO_FREE unsigned char *out = NULL;
	uint64_t n = 0;
	int rc;

	for (size_t i = 0; i < c->n; i++)
		n += !c->item[i].is_freed;
	out = malloc(PK_CANDIDATES_SIZE(n));
	if (!out)
		return pk_fail_nomem(c->err);
	pk_candidates_begin(out, c->view->txn.stamp.applied, n);
	n = 0;
	for (size_t i = 0; i < c->n; i++)
		if (!c->item[i].is_freed)
			pk_candidates_put(out, n++, c->item[i].hash,
					  c->item[i].since);
	pk_candidates_end(out, n);
	rc = pk_install(c->store->env->dir, CANDIDATES, out,
			PK_CANDIDATES_SIZE(n), 0600, c->err);
	return rc ? rc : pk_sync_dir(c->store->env->dir, "local", c->err);
}

/* ---- telling ---- */

static void tell(struct cycle *c, const struct item *it,
		 const struct pk_entry *e)
{
	struct pakhus_garbage g = { .bytes = it->bytes,
				    .since_us = it->since,
				    .is_freed = it->is_freed };

	pk_hex(it->hash, PK_HASH_SIZE, g.hash);
	if (e) {
		strcpy(g.id, e->id);
		strcpy(g.version, e->version);
	}
	c->gc->garbage(c->gc->arg, &g);
}

static int tell_entry(void *arg, uint64_t seq, const char *line, size_t size)
{
	struct cycle *c = arg;
	struct pk_entry e;
	struct item key = { .depth = 0 }, *it;

	(void)seq;
	if (pk_entry_decode(line, size, &e) || !pk_entry_has_text(&e))
		return 0;
	memcpy(key.hash, e.hash, PK_HASH_SIZE);
	it = bsearch(&key, c->item, c->n, sizeof(*c->item), by_hash);
	if (it && !it->is_told)
		tell(c, it, &e);
	if (it)
		it->is_told = 1;
	return 0;
}

static int tell_all(struct cycle *c)
{
	int rc = 0;

	if (c->gc->garbage && c->n)
		rc = pk_entries(c->view, 0, c->view->txn.stamp.applied,
				tell_entry, c, c->err);
	for (size_t i = 0; i < c->n && !rc; i++)
		if (c->gc->garbage && !c->item[i].is_told)
			tell(c, &c->item[i], NULL);
	return rc;
}

/* ---- the whole ---- */

/* A copy that lacks the key holds what its checkpoint says and no more. */
static int check_copy(struct cycle *c)
{
	struct pk_env *env = c->store->env;
	uint64_t applied = c->view->txn.stamp.applied;
	struct pk_checkpoint now;
	int rc = pk_keys_checkpoint(env, 0, &now, c->err);

	if (!rc && applied > now.size)
		rc = pk_fail(c->err, PAKHUS_EDENIED,
			     "the journal holds entries that cannot be moved "
			     "into the tree: %s", env->why_not);
	if (!rc && applied < now.size)
		rc = pk_fail(c->err, PAKHUS_EBUSY,
			     "the log went on since the store was opened; "
			     "open it again");
	return rc;
}

static int begin(struct cycle *c)
{
	struct pakhus *s = c->store;
	int rc;

	if (is_dry(c))
		return pk_view_begin(c->view, s, c->err);
	if (s->env->can_write)
		return pk_integrate_held(s, c->view, c->err);
	rc = pk_view_begin(c->view, s, c->err);
	return rc ? rc : check_copy(c);
}

static void count(struct cycle *c)
{
	for (size_t i = 0; i < c->n; i++) {
		struct item *it = &c->item[i];

		if (is_dry(c) && it->is_due) {
			it->is_freed = 1; /* would be */
			c->gc->freed++;
			c->gc->freed_bytes += it->bytes;
		}
		if (it->is_freed)
			continue;
		c->gc->waiting++;
		c->gc->waiting_bytes += it->bytes;
	}
}

static int collect(struct pakhus *s, struct pakhus_gc *gc,
		   struct pakhus_error *err)
{
	AUTO(cycle_release) struct cycle c = { .store = s, .gc = gc,
					       .now = pk_now(), .err = err };
	PK_VIEW v = PK_VIEW_INIT;
	PK_HELD held = { NULL, 0 };
	int rc = pk_view_open(&v, s, err);

	gc->freed = gc->waiting = 0;
	gc->freed_bytes = gc->waiting_bytes = 0;
	c.view = &v;
	/* env->use, which the view holds, comes before every lock */
	if (!rc)
		rc = pk_hold(&held, &s->env->locks, PK_LOCK_INTEGRATE, err);
	if (rc)
		return rc;
	pk_txn_end(&v.txn);
	if (!is_dry(&c))
		rc = each_name(&c, TRASH, remove_file);
	if (!rc)
		rc = begin(&c);
	if (!rc)
		rc = find_live(&c);
	if (!rc)
		rc = read_last(&c);
	if (!rc)
		rc = find_dead(&c);
	if (!rc && !is_dry(&c))
		rc = free_due(&c);
	if (rc)
		return rc;
	if (c.n)
		qsort(c.item, c.n, sizeof(*c.item), by_hash);
	if (!is_dry(&c))
		rc = write_list(&c);
	if (rc)
		return rc;
	count(&c);
	return tell_all(&c);
}

int pakhus_gc(struct pakhus *s, struct pakhus_gc *gc, struct pakhus_error *err)
{
	int rc = pk_enter(s, err);

	gc->emptied = gc->emptied_bytes = 0;
	if (!rc && gc->flags & ~(unsigned)PAKHUS_GC_DRY_RUN)
		rc = pk_fail(err, PAKHUS_EINVAL, "an unknown flag");
	if (!rc && !s->env->has_local)
		rc = pk_fail(err, PAKHUS_EDENIED, "%s", s->env->why_not);
	if (!rc && !(gc->flags & PAKHUS_GC_DRY_RUN) &&
	    (s->env->can_write || s->flags & PAKHUS_READONLY))
		rc = pk_enter_write(s, err);
	if (rc)
		return rc;
	do
		rc = collect(s, gc, err);
	while (pk_mend(s, rc, err));
	return rc;
}
