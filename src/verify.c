/* verify.c - everything that can be checked, without changing anything.
 *
 * Where one file is damaged the next is looked at all the same; only what
 * cannot be known without the damaged one (the root over a bundle that is
 * not readable) is passed over.
 */
#include "verify.h"
#include "io.h"
#include "objpath.h"
#include "purge.h"

#include <stdio.h>

void pk_check_release(struct pk_check *c)
{
	pk_check_end(c);
	pk_sha_free(c->sha);
	free(c->edge);
	free(c->tile);
	free(c->other);
	pk_set_release(&c->texts);
	pk_set_release(&c->bad);
	pk_set_release(&c->told);
	pk_set_release(&c->gone);
}

void pk_check_damage(struct pk_check *c, const char *path, const char *rule,
		     const char *text)
{
	unsigned char hash[PK_HASH_SIZE];

	/* once an object, though all that are made against it meet it too */
	if (!pk_objpath_parse(path, hash) && pk_set_add(&c->told, hash) == 0)
		return;
	c->v->damages++;
	if (c->v->damage)
		c->v->damage(c->v->arg, path, rule, text);
}

int pk_check_found(struct pk_check *c, int rc, struct pakhus_error *e)
{
	char *mark = strstr(e->text, ": F-"), *rule, *space;

	if (rc != PAKHUS_ECORRUPT && rc != PAKHUS_ENOTFOUND)
		return pk_fail(c->err, rc, "%s", e->text);
	if (!mark) {
		pk_check_damage(c, e->text, "F-43", "cannot be read");
		return 0;
	}
	*mark = '\0';
	rule = mark + 2;
	space = strchr(rule, ' ');
	if (space)
		*space = '\0';
	pk_check_damage(c, e->text, rule, space ? space + 1 : "");
	return 0;
}

/* ---- FORMAT, keys, checkpoint ---- */

static int check_format(struct pk_check *c)
{
	struct pk_env *env = c->store->env;
	struct pakhus_error e = { .status = 0 };
	AUTO_FREE char *text = NULL;
	char want[PK_FORMAT_SIZE];
	size_t size, n = pk_format_encode(&env->format, want);
	int rc = pk_read_file(env->dir, "FORMAT", PK_FORMAT_SIZE, &text, &size,
			      &e);

	if (rc)
		return pk_check_found(c, rc, &e);
	if (size != n || memcmp(text, want, n))
		pk_check_damage(c, "FORMAT", "F-40", "changed since it was opened");
	return 0;
}

static int check_checkpoint(struct pk_check *c)
{
	struct pk_env *env = c->store->env;
	struct pakhus_error e = { .status = 0 };
	int rc;

	/* again, as another process may rotate between the two */
	for (int i = 0; i < 2; i++) {
		e.status = 0;
		rc = pk_log_keys(env->dir, &c->keys, &e);
		if (!rc)
			rc = pk_log_checkpoint(env->dir, env->format.origin,
					       &c->keys, &c->checkpoint, &e);
		if (rc ? rc != PAKHUS_ECORRUPT : !c->checkpoint.by_other)
			break;
	}
	if (rc)
		rc = pk_check_found(c, rc, &e);
	if (rc || !env->can_write)
		return rc;
	/* opening the store left that to who writes */
	e.status = 0;
	rc = pk_keys_signer_check(env, &e);
	return rc ? pk_check_found(c, rc, &e) : 0;
}

/* ---- what was purged ---- */

static int check_gone(void *arg, const unsigned char *hash,
		      const struct pk_purged *purged)
{
	struct pk_check *c = arg;
	char path[PK_OBJPATH_SIZE];
	int rc = 0;

	if (purged->seq < c->purged)
		rc = pk_object_exists(c->store->env->dir, hash, c->err);
	pk_objpath(hash, path);
	if (rc == 1)
		pk_check_damage(c, path, "F-92", "was purged, and is there");
	return rc < 0 ? rc : 0;
}

/* What the index does not know of it is found where it is compared. */
static int check_purged(struct pk_check *c)
{
	PK_VIEW v = PK_VIEW_INIT;
	int rc = pk_view_open(&v, c->store, NULL);

	c->purged = pk_purge_done(c->store->env->dir, c->checkpoint.size);
	if (!rc)
		rc = pk_index_each_purged(&v.txn, check_gone, c, NULL);
	return rc == PAKHUS_ECORRUPT ? 0 : rc;
}

/* ---- journal ---- */

/* Under the integrate lock no slot is begun anew while it is read. */
static int check_journal(struct pk_check *c)
{
	struct pk_journal *j = &c->store->env->journal;
	PK_HELD held = { NULL, 0 };
	struct pk_cursor cursor;
	int failed = pk_hold(&held, &c->store->env->locks, PK_LOCK_INTEGRATE,
			     c->err);

	if (failed)
		return failed;
	pk_journal_cursor(j, &cursor);
	for (int active = !cursor.has_sealed; active < 2; active++) {
		struct pakhus_error e = { .status = 0 };
		AUTO(pk_reading_release) struct pk_reading r = {
			.slot = active ? cursor.slot : !cursor.slot,
			.end = active ? cursor.end : cursor.sealed_end,
		};
		int rc;

		while ((rc = pk_reading_next(j, &r, &e)) == 1)
			;
		if (rc)
			rc = pk_check_found(c, rc, &e);
		if (rc)
			return rc;
	}
	return 0;
}

/* ---- the index ---- */

static void differs(void *arg, const char *rule, const char *text)
{
	char name[8];

	snprintf(name, sizeof(name), "%.4s", rule);
	pk_check_damage(arg, "local/index", name, text);
}

#define AGAIN 1

/* Makes another index in memory and holds the two against each other. The
 * integrate lock keeps the checkpoint where it is. AGAIN: the index was
 * replaced before it was held. */
static int compare_index(struct pk_check *c, struct pk_index *ix)
{
	struct pakhus *s = c->store;
	PK_VIEW v = PK_VIEW_INIT;
	PK_HELD held = { NULL, 0 };
	AUTO(pk_txn_end) struct pk_txn want = PK_TXN_INIT;
	struct pakhus_error e = { .status = 0 };
	int rc = pk_view_open(&v, s, &e);

	/* env->use, which the view holds, comes before every lock; the state
	 * that is compared is that of after the lock */
	if (!rc)
		rc = pk_hold(&held, &s->env->locks, PK_LOCK_INTEGRATE, &e);
	if (!rc) {
		pk_txn_end(&v.txn);
		if (!pk_is_current(s->env))
			return AGAIN;
		rc = pk_view_begin(&v, s, &e);
	}
	if (!rc)
		rc = pk_keys_checkpoint(s->env, 0, &c->checkpoint, &e);
	if (!rc && v.txn.stamp.applied < c->checkpoint.size) {
		pk_txn_end(&v.txn);
		rc = pk_show_log(s, &c->checkpoint, &e);
		if (!rc)
			rc = pk_view_begin(&v, s, &e);
	}
	if (!rc)
		rc = pk_replay(s, ix, &c->checkpoint, &e);
	if (!rc)
		rc = pk_apply_journal(s, ix, v.txn.stamp.applied, &e);
	if (!rc)
		rc = pk_txn_read(&want, ix, &e);
	if (!rc)
		rc = pk_index_compare(&v.txn, &want, differs, c, &e);
	if (rc < 0)
		return e.status ? pk_check_found(c, rc, &e) : rc;
	if (!rc && v.txn.stamp.live != want.stamp.live)
		pk_check_damage(c, "local/index", "F-65",
		       "the number of live versions is wrong");
	if (!rc && (v.txn.stamp.since != want.stamp.since ||
		    memcmp(v.txn.stamp.key, want.stamp.key, PK_PUBLIC_SIZE)))
		pk_check_damage(c, "local/index", "F-66",
		       "the key in force is not the log's");
	return 0;
}

static int check_index(struct pk_check *c)
{
	struct pk_index *ix = NULL;
	int rc;

	if (!c->store->env->has_local)
		return 0; /* it was made from the log just now */
	rc = pk_index_open(&ix, -1, c->err);
	if (!rc)
		do
			rc = compare_index(c, ix);
		while (rc == AGAIN);
	pk_index_close(ix);
	return rc;
}

/* ---- the whole ---- */

int pk_check_files(struct pk_check *c)
{
	int rc = check_format(c);

	if (!rc)
		rc = check_checkpoint(c);
	if (!rc && c->checkpoint.size)
		rc = pk_check_log(c);
	if (!rc && c->is_quick)
		rc = pk_check_live(c);
	if (!rc)
		rc = pk_check_missing(c);
	if (rc || c->is_quick)
		return rc;
	rc = pk_check_tree(c);
	if (!rc)
		rc = check_purged(c);
	if (!rc && c->store->env->has_local)
		rc = check_journal(c);
	return rc;
}

int pk_check_open(struct pk_check *c)
{
	c->is_whole = 1;
	c->sha = pk_sha_new();
	c->edge = calloc(1, sizeof(*c->edge));
	c->tile = calloc(PK_TILE_LEVELS, sizeof(*c->tile));
	if (!c->sha || !c->edge || !c->tile)
		return pk_fail_nomem(c->err);
	return pk_check_begin(c);
}

static int verify(struct pakhus *s, struct pakhus_verify *v,
		  struct pakhus_error *err)
{
	AUTO(pk_check_release) struct pk_check c = { .store = s,
						     .v = v,
						     .err = err };
	unsigned what = v->flags & (PAKHUS_VERIFY_FILES | PAKHUS_VERIFY_INDEX);
	int rc;

	c.is_quick = (v->flags & PAKHUS_VERIFY_QUICK) != 0;
	if (!what)
		what = c.is_quick ? PAKHUS_VERIFY_FILES
				  : PAKHUS_VERIFY_FILES | PAKHUS_VERIFY_INDEX;

	rc = pk_check_open(&c);
	if (!rc && what & PAKHUS_VERIFY_FILES)
		rc = pk_check_files(&c);
	if (!rc && what & PAKHUS_VERIFY_INDEX)
		rc = check_index(&c);
	if (rc || !v->damages)
		return rc;
	return pk_fail(err, PAKHUS_ECORRUPT, "%llu damages found",
		       (unsigned long long)v->damages);
}

int pakhus_verify(struct pakhus *s, struct pakhus_verify *v,
		  struct pakhus_error *err)
{
	int rc = pk_enter(s, err);

	v->entries = v->objects = v->bytes = v->damages = 0;
	return rc ? rc : verify(s, v, err);
}
