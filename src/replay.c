/* replay.c - the index from the log.
 *
 * State is a pure function of the log (FORMAT.md F-20 to F-26), so this and
 * the journal are all that an index is ever made from.
 */
#include "store.h"

#include <stdio.h>

#define BATCH 50000 /* entries a transaction, to bound its dirty pages */

struct replay {
	struct pakhus *store;
	struct pk_index *ix;
	struct pk_txn txn;
	const struct pk_checkpoint *to;
	struct pk_sha *sha;
	struct pk_edge *edge; /* NULL where the log is not hashed */
	struct pakhus_error *err;
};

static void replay_release(struct replay *r)
{
	pk_txn_end(&r->txn);
	pk_sha_free(r->sha);
	free(r->edge);
}

/* Entry 0 ties the log to FORMAT (F-23). */
static int check_first(struct replay *r, const struct pk_entry *e)
{
	char text[PK_FORMAT_SIZE];
	unsigned char hash[PK_HASH_SIZE];
	size_t n = pk_format_encode(&r->store->env->format, text);

	if (e->op != PK_OP_KEY)
		return pk_fail(r->err, PAKHUS_ECORRUPT,
			       "log entry 0: F-23 is not a key");
	if (pk_sha256(text, n, hash))
		return pk_fail_nomem(r->err);
	if (memcmp(hash, e->hash, PK_HASH_SIZE))
		return pk_fail(r->err, PAKHUS_ECORRUPT,
			       "FORMAT: F-23 is not the one that the log "
			       "began with");
	return 0;
}

static int next_batch(struct replay *r, uint64_t seq)
{
	int rc = pk_txn_commit(&r->txn, r->err);

	if (!rc)
		rc = pk_progress(r->store, "reading the log", seq, r->to->size,
				 r->err);
	return rc ? rc : pk_index_begin(&r->txn, r->ix, r->err);
}

/* An op that is not known is a later version's only if the tree has it. */
static int fail_entry(struct replay *r, uint64_t seq, const char *line,
		      size_t size, const char *fault)
{
	int status = PAKHUS_ECORRUPT, rc;

	if (fault == pk_entry_newer) {
		rc = pk_log_is_leaf(r->store->env->dir, r->sha, r->to->size,
				    seq, line, size, r->err);
		if (rc < 0)
			return rc;
		status = rc ? PAKHUS_EVERSION : PAKHUS_ECORRUPT;
	}
	return pk_fail(r->err, status, "log entry %llu: %s",
		       (unsigned long long)seq, fault);
}

static int replay_entry(void *arg, uint64_t seq, const char *line, size_t size)
{
	struct pk_bytes none = { NULL, 0 };
	struct replay *r = arg;
	struct pk_entry e;
	const char *fault = pk_entry_decode(line, size, &e);
	int rc;

	if (fault)
		return fail_entry(r, seq, line, size, fault);
	if (r->edge) {
		unsigned char leaf[PK_HASH_SIZE];

		if (pk_leaf_hash(r->sha, line, size, leaf) ||
		    pk_edge_add(r->edge, r->sha, leaf, NULL, NULL))
			return pk_fail_nomem(r->err);
	}
	rc = seq ? 0 : check_first(r, &e);
	if (!rc)
		rc = pk_index_apply(&r->txn, seq, &e, none, r->err);
	return !rc && seq % BATCH == BATCH - 1 ? next_batch(r, seq + 1) : rc;
}

int pk_replay(struct pakhus *s, struct pk_index *ix,
	      const struct pk_checkpoint *to, struct pakhus_error *err)
{
	AUTO(replay_release) struct replay r = {
		.store = s, .ix = ix, .txn = PK_TXN_INIT, .to = to, .err = err
	};
	unsigned char root[PK_HASH_SIZE];
	uint64_t from;
	int rc = pk_txn_read(&r.txn, ix, err);

	if (rc)
		return rc;
	from = r.txn.stamp.applied;
	pk_txn_end(&r.txn);
	if (from >= to->size)
		return 0;
	r.sha = pk_sha_new();
	if (!from)
		r.edge = calloc(1, sizeof(*r.edge));
	if (!r.sha || (!from && !r.edge))
		return pk_fail_nomem(err);
	rc = pk_index_begin(&r.txn, ix, err);
	if (!rc)
		rc = pk_log_walk(s->env->dir, to->size, from, to->size,
				 replay_entry, &r, err);
	if (rc)
		return rc;
	if (r.edge) {
		if (pk_edge_root(r.edge, r.sha, root))
			return pk_fail_nomem(err);
		if (memcmp(root, to->root, PK_HASH_SIZE))
			return pk_fail(err, PAKHUS_ECORRUPT,
				       "log/tile/entries: F-39 the entries are "
				       "not those that log/checkpoint signs");
	}
	r.txn.stamp.checkpoint = to->size;
	memcpy(r.txn.stamp.root, to->root, PK_HASH_SIZE);
	return pk_txn_commit(&r.txn, err);
}
