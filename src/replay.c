/* replay.c - the index from the log.
 *
 * State is a pure function of the log (FORMAT.md F-20 to F-26), so this and
 * the journal are all that an index is ever made from.
 */
#include "store.h"
#include "gather.h"

#include <stdio.h>

#define BATCH 50000 /* entries a transaction, to bound its dirty pages */

struct replay {
	struct pakhus *store;
	struct pk_index *ix;
	struct pk_txn txn;
	const struct pk_checkpoint *to;
	struct pk_sha *sha;
	struct pk_edge *edge;
	struct pk_gather *gather; /* NULL where the index goes on */
	unsigned char key[PK_PUBLIC_SIZE]; /* in force (F-67) */
	struct pakhus_error *err;
};

static void replay_release(struct replay *r)
{
	pk_txn_end(&r->txn);
	pk_gather_free(r->gather);
	pk_sha_free(r->sha);
	free(r->edge);
}

/* Now and then: says how far it is, and what is written row by row goes
 * into the next transaction. */
static int next_batch(struct replay *r, uint64_t seq)
{
	int rc = pk_progress(r->store, "reading the log", seq, r->to->size,
			     r->err);

	if (rc || r->gather)
		return rc;
	rc = pk_txn_commit(&r->txn, r->err);
	return rc ? rc : pk_txn_write(&r->txn, r->ix, r->err);
}

/* What a later version wrote is that only if the tree has it; else it is
 * damage, whatever it looks like. */
static int fail_newer(struct replay *r, uint64_t seq, const char *line,
		      size_t size, const char *why)
{
	int rc = pk_log_is_leaf(r->store->env->dir, r->sha, r->to->size, seq,
				line, size, r->err);

	if (rc < 0)
		return rc;
	if (rc)
		return pk_fail(r->err, PAKHUS_EVERSION, "%s", why);
	return pk_fail(r->err, PAKHUS_ECORRUPT,
		       "log entry %llu: F-33 is not the one that the tree has",
		       (unsigned long long)seq);
}

int pk_replay_entry(struct pk_txn *txn, struct pk_gather *gather, uint64_t seq,
		    const struct pk_entry *e, struct pakhus_error *err)
{
	struct pk_bytes none = { NULL, 0 };

	if (!gather || !pk_gather_takes(e))
		return pk_index_apply(txn, seq, e, none, err);
	return pk_gather_put(gather, seq, e) ? pk_fail_nomem(err) : 0;
}

static int apply_entry(void *arg, uint64_t seq, const char *line, size_t size)
{
	struct pakhus_error e = { .status = 0 };
	struct replay *r = arg;
	struct pk_entry entry;
	struct pk_vkey key;
	const char *fault = pk_entry_decode(line, size, &entry);
	int rc = 0;

	if (fault)
		rc = pk_fail(&e,
			     fault == pk_entry_newer ? PAKHUS_EVERSION
						     : PAKHUS_ECORRUPT,
			     "log entry %llu: %s", (unsigned long long)seq,
			     fault);
	else if (!seq || entry.op == PK_OP_KEY)
		rc = pk_log_check_key(&r->store->env->format, seq, &entry,
				      &key, &e);
	if (!rc)
		rc = pk_replay_entry(&r->txn, r->gather, seq, &entry, &e);
	if (rc == PAKHUS_EVERSION)
		return fail_newer(r, seq, line, size, e.text);
	if (rc)
		return pk_fail(r->err, rc, "%s", e.text);
	return seq % BATCH == BATCH - 1 ? next_batch(r, seq + 1) : 0;
}

/* Keeps the key in force, of an entry that may be one. */
static void note_key(struct replay *r, const char *line, size_t size)
{
	static const char begin[] = "{\"op\":\"key\",";
	struct pk_entry e;
	struct pk_vkey k;

	if (size < sizeof(begin) || memcmp(line, begin, sizeof(begin) - 1) ||
	    pk_entry_decode(line, size, &e) ||
	    pk_vkey_decode(e.text, strlen(e.text), &k))
		return; /* if it is damage, applying says so */
	memcpy(r->key, k.key, PK_PUBLIC_SIZE);
}

static int hash_entry(void *arg, uint64_t seq, const char *line, size_t size)
{
	struct replay *r = arg;
	unsigned char leaf[PK_HASH_SIZE];

	(void)seq;
	if (pk_leaf_hash(r->sha, line, size, leaf) ||
	    pk_edge_add(r->edge, r->sha, leaf, NULL, NULL))
		return pk_fail_nomem(r->err);
	note_key(r, line, size);
	return 0;
}

static int hash_and_apply(void *arg, uint64_t seq, const char *line,
			  size_t size)
{
	int rc = hash_entry(arg, seq, line, size);

	return rc ? rc : apply_entry(arg, seq, line, size);
}

static int check_root(struct replay *r)
{
	unsigned char root[PK_HASH_SIZE];

	if (pk_edge_root(r->edge, r->sha, root))
		return pk_fail_nomem(r->err);
	if (memcmp(root, r->to->root, PK_HASH_SIZE))
		return pk_fail(r->err, PAKHUS_ECORRUPT,
			       "log/tile/entries: F-39 the entries are not "
			       "those that log/checkpoint signs");
	return pk_keys_check(r->store->env, r->to, r->key, r->err);
}

static void stamp(struct replay *r)
{
	r->txn.stamp.checkpoint = r->to->size;
	memcpy(r->txn.stamp.root, r->to->root, PK_HASH_SIZE);
}

/* All of the log: gathered by package, and written when the root was right. */
static int fill(struct replay *r)
{
	int rc;

	pk_txn_end(&r->txn);
	r->gather = pk_gather_new();
	if (!r->gather)
		return pk_fail_nomem(r->err);
	rc = pk_log_walk(r->store->env->dir, r->to->size, 0, r->to->size,
			 hash_and_apply, r, r->err);
	if (!rc)
		rc = check_root(r);
	if (rc)
		return rc;
	stamp(r);
	return pk_index_fill(&r->txn, r->gather, r->to->size, r->err);
}

/* The entries from a position on, which are read twice: what was committed
 * is believed the next time, so they are checked before. */
static int go_on(struct replay *r, uint64_t from)
{
	int dir = r->store->env->dir, rc;
	uint64_t to = r->to->size;

	pk_txn_end(&r->txn);
	rc = pk_log_edge(dir, r->sha, from, to, r->edge, r->err);
	if (!rc)
		rc = pk_log_walk(dir, to, from, to, hash_entry, r, r->err);
	if (!rc)
		rc = check_root(r);
	if (!rc)
		rc = pk_txn_write(&r->txn, r->ix, r->err);
	if (!rc)
		rc = pk_log_walk(dir, to, from, to, apply_entry, r, r->err);
	if (rc)
		return rc;
	stamp(r);
	return pk_txn_commit(&r->txn, r->err);
}

int pk_replay(struct pakhus *s, struct pk_index *ix,
	      const struct pk_checkpoint *to, struct pakhus_error *err)
{
	AUTO(replay_release) struct replay r = {
		.store = s, .ix = ix, .txn = PK_TXN_INIT, .to = to, .err = err
	};
	int rc = pk_txn_read(&r.txn, ix, err);

	if (rc)
		return rc;
	memcpy(r.key, pk_stamp_key(&r.txn.stamp, to->size), PK_PUBLIC_SIZE);
	if (r.txn.stamp.applied >= to->size)
		return pk_keys_check(s->env, to, r.key, err);
	r.sha = pk_sha_new();
	r.edge = calloc(1, sizeof(*r.edge));
	if (!r.sha || !r.edge)
		return pk_fail_nomem(err);
	return r.txn.stamp.applied ? go_on(&r, r.txn.stamp.applied) : fill(&r);
}
