/* repair.c - objects that are damaged or missing, from wherever somebody else
 * has them: their names say what is right.
 *
 *  1. check everything; keep a list of the objects that cannot be read, and
 *     of those that are missing and live
 *  2. bring them and what they are made against into local/incoming, and
 *     check every one, as a sync of a mirror does (bring.c)
 *  3. put what is good into its place, over what is damaged
 *  4. look at them again; where nothing that is live needs what is damaged
 *     still, take that out of the tree
 *
 * An encoding that comes from elsewhere may be deeper than the one that was
 * here. What is made against it here stays readable only if it is less deep
 * than all of that (F-17); else it is encoded anew, whole.
 *
 * The integrate lock is held from 2 on, so that nobody chooses bases, places
 * or collects meanwhile. Killed anywhere, the next call begins at 1.
 */
#include "verify.h"
#include "hex.h"
#include "io.h"
#include "objpath.h"
#include "tmpfile.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>

#define TRASH "local/trash"

struct repair {
	struct pakhus_repair *r;
	struct pakhus *store;
	struct pk_sync x;
	size_t wanted; /* the first of x.wants; the others are only bases */
	struct pakhus_error *err;
};

/* ---- 1: what is damaged ---- */

static int check(struct repair *p)
{
	struct pakhus_verify v = { .damage = p->r->damage, .arg = p->r->arg };
	AUTO(pk_check_release) struct pk_check c = { .store = p->store,
						     .v = &v,
						     .err = p->err,
						     .wants = &p->x.wants };
	int rc = pk_check_open(&c);

	if (!rc)
		rc = pk_check_files(&c);
	p->r->entries = v.entries;
	p->r->objects = v.objects;
	p->r->bytes = v.bytes;
	p->r->damages = v.damages;
	return rc;
}

/* What keeps a whole file from being read may be missing altogether. */
static int add_missing_bases(struct repair *p)
{
	int dir = p->x.dir, rc = 0;

	for (size_t i = 0; i < p->wanted && rc >= 0; i++) {
		const struct pk_want *w = p->x.wants.item[i];
		struct pk_trailer t = { .depth = 0 };

		memcpy(t.base, w->hash, PK_HASH_SIZE);
		for (int n = 0; n <= PK_CHAIN_MAX; n++) {
			rc = pk_object_exists(dir, t.base, p->err);
			if (rc < 0 || (!rc && n == 0))
				break;
			if (!rc && !pk_wants_find(&p->x.wants, t.base) &&
			    !pk_wants_add(&p->x.wants, t.base))
				return pk_fail_nomem(p->err);
			if (!rc || pk_object_trailer(dir, t.base, &t, NULL) ||
			    t.encoding == PK_WHOLE)
				break;
		}
	}
	return rc < 0 ? rc : 0;
}

/* ---- 2: bringing ---- */

/* What was purged is not brought back. */
static int leave_purged(struct repair *p)
{
	struct pk_view v = { .store = p->store, .txn = PK_TXN_INIT };
	int rc = pk_view_begin(&v, p->store, p->err);

	for (size_t i = 0; i < p->x.wants.n && rc >= 0; i++) {
		struct pk_want *w = p->x.wants.item[i];
		struct pk_purged purged;

		rc = pk_index_purged(&v.txn, w->hash, &purged, p->err);
		w->is_asked = w->is_good = rc == 1;
	}
	pk_txn_end(&v.txn);
	return rc < 0 ? rc : 0;
}

/* 1, 0 where the file is damaged or not there, or a failure. */
static int read_trailer(struct repair *p, const unsigned char *hash,
			struct pk_trailer *t)
{
	struct pakhus_error e = { .status = 0 };
	int rc = pk_object_trailer(p->x.dir, hash, t, &e);

	if (rc == PAKHUS_ECORRUPT || rc == PAKHUS_ENOTFOUND)
		return 0;
	return rc ? pk_fail(p->err, rc, "%s", e.text) : 1;
}

static int bound_depth(struct repair *p, const char *path)
{
	unsigned char hash[PK_HASH_SIZE];
	struct pk_want *base, *own;
	struct pk_trailer t = { .depth = 0 };
	int rc;

	if (pk_objpath_parse(path, hash))
		return 0;
	rc = read_trailer(p, hash, &t);
	if (rc <= 0 || t.encoding == PK_WHOLE)
		return rc < 0 ? rc : 0;
	own = pk_wants_find(&p->x.wants, hash);
	base = pk_wants_find(&p->x.wants, t.base);
	if (base && !base->is_placed && !(own && !own->is_placed) &&
	    (!base->below || t.depth < base->below))
		base->below = t.depth;
	return 0;
}

/* How deep what is lost may be, by all that is made against it here. */
static int bound_depths(struct repair *p)
{
	int rc = 0;

	for (unsigned i = 0; i < 256 && !rc; i++) {
		char dir[16], path[16 + 256];
		AUTO_DIR DIR *d = NULL;
		const char *name;

		snprintf(dir, sizeof(dir), "objects/%02x", i);
		d = pk_opendir(p->x.dir, dir, O_NOFOLLOW);
		if (!d)
			return pk_fail_sys(p->err, "%s", dir);
		while ((rc = pk_readdir(d, dir, &name, p->err)) == 1) {
			snprintf(path, sizeof(path), "%s/%s", dir, name);
			rc = bound_depth(p, path);
			if (rc)
				break;
		}
	}
	return rc;
}

/* ---- 3: putting in place ---- */

/* A file takes the place of anything but a directory. */
static int clear_places(struct repair *p)
{
	for (size_t i = 0; i < p->x.wants.n; i++) {
		struct pk_want *w = p->x.wants.item[i];
		char path[PK_OBJPATH_SIZE];
		struct stat st;

		pk_objpath(w->hash, path);
		if (w->is_brought &&
		    !fstatat(p->x.dir, path, &st, AT_SYMLINK_NOFOLLOW) &&
		    S_ISDIR(st.st_mode) &&
		    unlinkat(p->x.dir, path, AT_REMOVEDIR))
			return pk_fail_sys(p->err, "%s: is a directory; remove "
					   "it", path);
	}
	return 0;
}

/* ---- 4: afterwards ---- */

/* Looks at all again. Of what is damaged still is_good is 0. */
static int check_again(struct repair *p)
{
	struct pakhus_verify v = { .flags = 0 };
	AUTO(pk_check_release) struct pk_check c = { .store = p->store,
						     .v = &v,
						     .err = p->err };
	int rc = pk_check_open(&c);

	for (size_t i = 0; i < p->wanted && !rc; i++) {
		rc = pk_check_object(&c, p->x.wants.item[i]->hash, NULL);
		if (!rc && (pk_check_is_full(&c) || i + 1 == p->wanted))
			rc = pk_check_gathered(&c, "checking again", i + 1,
					       p->wanted);
	}
	for (size_t i = 0; i < p->wanted; i++) {
		struct pk_want *w = p->x.wants.item[i];

		w->is_good = !pk_set_has(&c.bad, w->hash) &&
			     !(w->is_live && pk_set_has(&c.gone, w->hash));
	}
	p->r->objects += v.objects;
	p->r->bytes += v.bytes;
	return rc;
}

struct needs {
	struct repair *p;
	struct pk_set seen;
	int is_needed;
};

static int look_for_need(void *arg, const struct pk_live *live)
{
	struct needs *n = arg;
	struct pk_trailer t = { .depth = 0 };

	memcpy(t.base, live->hash, PK_HASH_SIZE);
	for (;;) {
		struct pk_want *w = pk_wants_find(&n->p->x.wants, t.base);
		int rc;

		if (w && !w->is_good) {
			n->is_needed = 1;
			return 1;
		}
		rc = pk_set_add(&n->seen, t.base);
		if (rc < 0)
			return pk_fail_nomem(n->p->err);
		if (rc)
			rc = read_trailer(n->p, t.base, &t);
		if (rc <= 0 || t.encoding == PK_WHOLE)
			return rc < 0 ? rc : 0;
	}
}

/* Whether anything that is live, in the journal too, needs what is damaged. */
static int is_needed(struct repair *p)
{
	struct needs n = { p, { NULL, 0, 0 }, 0 };
	struct pk_view v = { .store = p->store, .txn = PK_TXN_INIT };
	int rc = pk_view_begin(&v, p->store, p->err);

	/* bases that were looked for in vain are no objects of their own */
	for (size_t i = p->wanted; i < p->x.wants.n; i++)
		p->x.wants.item[i]->is_good = 1;
	if (!rc)
		rc = pk_index_each_live(&v.txn, look_for_need, &n, p->err);
	if (!rc)
		rc = pk_index_each_attrs(&v.txn, look_for_need, &n, p->err);
	pk_txn_end(&v.txn);
	pk_set_release(&n.seen);
	return rc < 0 ? rc : n.is_needed;
}

/* Out of the tree, where the next collection removes it. */
static int set_aside(struct repair *p, struct pk_want *w)
{
	char path[PK_OBJPATH_SIZE], to[sizeof(TRASH) + PK_HEX_SIZE + 1];
	struct stat st;
	int rc;

	pk_objpath(w->hash, path);
	memcpy(to, TRASH "/", sizeof(TRASH));
	pk_hex(w->hash, PK_HASH_SIZE, to + sizeof(TRASH));
	/* a directory is not what a collection removes */
	if (fstatat(p->x.dir, path, &st, AT_SYMLINK_NOFOLLOW) ||
	    S_ISDIR(st.st_mode))
		return 0;
	rc = pk_mkdir(p->x.dir, TRASH, 0700, p->err);
	if (rc)
		return rc;
	if (renameat(p->x.dir, path, p->x.dir, to))
		return pk_fail_sys(p->err, "move %s to " TRASH, path);
	rc = pk_object_sync_dir(p->x.dir, *w->hash, p->err);
	if (rc)
		return rc;
	w->is_good = 1;
	p->r->aside++;
	if (p->r->mended)
		p->r->mended(p->r->arg, path,
			     "nothing needs it; set aside in " TRASH);
	return 0;
}

static int set_all_aside(struct repair *p)
{
	int rc = 0;

	for (size_t i = 0; i < p->wanted && !rc; i++)
		if (!p->x.wants.item[i]->is_good)
			rc = set_aside(p, p->x.wants.item[i]);
	return rc;
}

static void tell_mended(struct repair *p)
{
	for (size_t i = 0; i < p->wanted; i++) {
		const struct pk_want *w = p->x.wants.item[i];
		char path[PK_OBJPATH_SIZE];

		if (!w->is_good)
			continue;
		p->r->restored++;
		pk_objpath(w->hash, path);
		if (p->r->mended)
			p->r->mended(p->r->arg, path, "restored");
	}
}

/* What is damaged still, as a check tells it. */
static int tell_damage(struct repair *p)
{
	struct pakhus_verify v = { .damage = p->r->damage, .arg = p->r->arg };
	AUTO(pk_check_release) struct pk_check c = { .store = p->store,
						     .v = &v,
						     .err = p->err };
	size_t n = p->wanted;
	int rc = pk_check_open(&c);

	for (size_t i = 0; i < n && !rc; i++) {
		const struct pk_want *w = p->x.wants.item[i];

		if (!w->is_good)
			rc = pk_check_object(&c, w->hash, NULL);
		if (!rc && (pk_check_is_full(&c) || i + 1 == n))
			rc = pk_check_gathered(&c, "checking again", i + 1, n);
	}
	for (size_t i = 0; i < n && !rc; i++) {
		const struct pk_want *w = p->x.wants.item[i];
		char path[PK_OBJPATH_SIZE];

		pk_objpath(w->hash, path);
		if (w->is_live && pk_set_has(&c.gone, w->hash))
			pk_check_damage(&c, path, "F-11", "is missing");
	}
	p->r->damages += v.damages;
	return rc;
}

/* ---- the whole ---- */

/* env->use and the integrate lock are held. */
static int mend(struct repair *p)
{
	int rc;

	pk_stage_clear(p->x.dir);
	rc = add_missing_bases(p);
	if (!rc)
		rc = leave_purged(p);
	if (!rc)
		rc = bound_depths(p);
	if (!rc)
		rc = pk_bring_again(&p->x);
	if (!rc)
		rc = clear_places(p);
	if (!rc)
		rc = pk_bring_install(&p->x);
	if (!rc)
		rc = check_again(p);
	if (rc)
		return rc;
	tell_mended(p);
	rc = is_needed(p);
	if (!rc)
		rc = set_all_aside(p);
	return rc < 0 ? rc : tell_damage(p);
}

static int repair(struct repair *p)
{
	struct pk_env *env = p->store->env;
	PK_HELD held = { NULL, 0 };
	int rc = pk_init_dirs(p->x.dir, p->err);

	if (!rc)
		rc = check(p);
	p->wanted = p->x.wants.n;
	if (!rc && p->wanted) {
		pthread_rwlock_rdlock(&env->use);
		rc = pk_hold(&held, &env->locks, PK_LOCK_INTEGRATE, p->err);
		if (!rc)
			rc = mend(p);
		pk_let_go(&held);
		pthread_rwlock_unlock(&env->use);
	}
	if (rc)
		return rc;
	/* also what one that was killed left, when it had placed enough */
	pk_incoming_empty(&p->x.in);
	if (!p->r->damages)
		return 0;
	return pk_fail(p->err, PAKHUS_ECORRUPT, "%llu damages stay",
		       (unsigned long long)p->r->damages);
}

static int repair_at(struct repair *p, const char *path)
{
	struct pakhus_options opt = { .threads = p->r->threads,
				      .progress = p->r->progress,
				      .notice = p->r->notice,
				      .arg = p->r->arg };
	int rc = pakhus_open(&p->store, path, &opt, p->err);

	if (rc)
		return rc;
	p->x.store = p->store;
	if (!p->store->env->has_local)
		return pk_fail(p->err, PAKHUS_EDENIED, "%s",
			       p->store->env->why_not);
	p->x.dir = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (p->x.dir < 0)
		return pk_fail_sys(p->err, "%s", path);
	rc = pk_sync_lock(&p->x, path);
	if (!rc)
		rc = pk_incoming_open(&p->x.in, p->x.dir, path, p->x.in.source,
				      p->err);
	return rc ? rc : repair(p);
}

int pakhus_repair(const char *path, const struct pakhus_source *source,
		  struct pakhus_repair *r, struct pakhus_error *err)
{
	struct pakhus_mirror m = { .threads = r->threads,
				   .progress = r->progress,
				   .arg = r->arg };
	struct repair p = { .r = r, .err = err };
	struct pakhus_error own = { .status = 0 };
	int rc;

	pk_error_init(err);
	if (!err)
		p.err = &own;
	r->entries = r->objects = r->bytes = r->damages = 0;
	r->restored = r->aside = 0;
	p.x.m = &m;
	p.x.err = p.err;
	p.x.dir = -1;
	p.x.in = (struct pk_incoming)PK_INCOMING_INIT;
	p.x.in.source = source;
	rc = repair_at(&p, path);
	pk_wants_release(&p.x.wants);
	pk_incoming_close(&p.x.in);
	pakhus_close(p.store);
	pk_auto_close(&p.x.dir); /* and with it the lock */
	return rc;
}
