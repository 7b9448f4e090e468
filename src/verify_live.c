/* verify_live.c - what has to be there: that which is live.
 *
 * It follows from the log, not from an index that may be damaged; where the
 * log is damaged, it is not known.
 */
#include "verify.h"
#include "objpath.h"

/* Of what is gone, what a live version names: another set. */
struct missing {
	struct pk_check *check;
	const struct pk_set *gone;
	struct pk_set live;
	struct pk_wants *wants; /* or NULL */
	struct pakhus_error *err;
};

static int add_missing(void *arg, const struct pk_live *live)
{
	int dir = ((struct missing *)arg)->check->store->env->dir;
	struct missing *m = arg;
	struct pk_want *w;

	if (!pk_set_has(m->gone, live->hash) ||
	    pk_object_exists(dir, live->hash, NULL) == 1)
		return 0;
	if (pk_set_add(&m->live, live->hash) < 0)
		return pk_fail_nomem(m->err);
	if (!m->wants || pk_wants_find(m->wants, live->hash))
		return 0;
	w = pk_wants_add(m->wants, live->hash);
	if (!w)
		return pk_fail_nomem(m->err);
	w->is_live = 1;
	w->manifest_size = live->manifest_size;
	w->metadata_size = live->metadata_size;
	return 0;
}

static int find_missing(struct missing *m, struct pk_index *ix,
			const struct pk_checkpoint *at)
{
	AUTO(pk_txn_end) struct pk_txn t = PK_TXN_INIT;
	int rc = pk_replay(m->check->store, ix, at, m->err);

	if (!rc)
		rc = pk_txn_read(&t, ix, m->err);
	if (!rc)
		rc = pk_index_each_live(&t, add_missing, m, m->err);
	return rc ? rc : pk_index_each_attrs(&t, add_missing, m, m->err);
}

static void tell_missing(struct pk_check *c, const struct pk_set *missing)
{
	static const unsigned char none[PK_HASH_SIZE];
	char path[PK_OBJPATH_SIZE];

	for (size_t i = 0; i < missing->cap; i++) {
		if (!memcmp(missing->slot[i], none, PK_HASH_SIZE))
			continue;
		pk_objpath(missing->slot[i], path);
		pk_check_damage(c, path, "F-11", "is missing");
	}
}

int pk_check_missing(struct pk_check *c)
{
	struct pk_env *env = c->store->env;
	struct pakhus_error e = { .status = 0 };
	struct missing then = { c, &c->gone, { NULL, 0, 0 }, NULL, &e };
	struct missing now = { c, &then.live, { NULL, 0, 0 }, c->wants,
			       &e };
	struct pk_checkpoint seen, newest;
	struct pk_index *ix = NULL;
	int rc = c->gone.n ? pk_index_open(&ix, -1, &e) : 0;

	if (!rc && ix)
		rc = pk_check_known(c, &seen, &e);
	if (!rc && ix)
		rc = find_missing(&then, ix, &seen);
	if (!rc && then.live.n)
		rc = pk_keys_checkpoint(env, 0, &newest, &e);
	/* what was collected since that checkpoint is not live at this one */
	if (!rc && then.live.n)
		rc = find_missing(&now, ix, &newest);
	if (!rc && !c->wants)
		tell_missing(c, &now.live);
	pk_index_close(ix);
	pk_set_release(&then.live);
	pk_set_release(&now.live);
	return !rc || (rc == PAKHUS_ECORRUPT && c->v->damages)
		       ? 0
		       : pk_check_found(c, rc, &e);
}


/* ---- all of it ---- */

static int gather(void *arg, const struct pk_live *live)
{
	struct pk_check *c = arg;
	int rc = pk_check_object(c, live->hash, NULL);

	c->looked++;
	if (rc || !pk_check_is_full(c))
		return rc;
	return pk_check_gathered(c, "checking objects", c->looked, c->live);
}

int pk_check_live(struct pk_check *c)
{
	AUTO(pk_txn_end) struct pk_txn t = PK_TXN_INIT;
	struct pakhus_error e = { .status = 0 };
	struct pk_checkpoint seen;
	struct pk_index *ix = NULL;
	int rc = pk_index_open(&ix, -1, &e);

	if (!rc)
		rc = pk_check_known(c, &seen, &e);
	if (!rc)
		rc = pk_replay(c->store, ix, &seen, &e);
	if (!rc)
		rc = pk_txn_read(&t, ix, &e);
	c->looked = 0;
	c->live = rc ? 0 : t.stamp.live + pk_index_said(&t);
	if (!rc)
		rc = pk_index_each_live(&t, gather, c, &e);
	if (!rc)
		rc = pk_index_each_attrs(&t, gather, c, &e);
	if (!rc)
		rc = pk_check_gathered(c, "checking objects", c->live, c->live);
	pk_txn_end(&t);
	pk_index_close(ix);
	if (!rc || !e.status)
		return rc;
	return rc == PAKHUS_ECORRUPT && c->v->damages
		       ? 0
		       : pk_check_found(c, rc, &e);
}
