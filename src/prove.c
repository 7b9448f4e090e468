/* prove.c - what convinces somebody who has nothing but the log's key that
 * an entry is in it. */
#include "package.h"
#include "proof.h"

/* The entry's line, from the log. */
static int take_line(void *arg, uint64_t seq, const char *line, size_t size)
{
	struct pk_proof *p = arg;

	p->index = seq;
	if (size > PK_ENTRY_MAX)
		return PAKHUS_ECORRUPT;
	memcpy(p->entry, line, size);
	p->entry_size = size;
	return 0;
}

static int read_line(int dir, uint64_t size, uint64_t seq, struct pk_proof *p,
		     struct pakhus_error *err)
{
	int rc = pk_log_read(dir, size, seq, seq + 1, take_line, p, err);

	if (rc == PAKHUS_ECORRUPT && p->entry_size == 0)
		return pk_fail(err, rc, "log entry %llu: F-28 is too long",
			       (unsigned long long)seq);
	return rc;
}

/* That it holds: a proof from damaged tiles is not handed out. */
static int check(struct pk_sha *sha, const struct pk_checkpoint *c,
		 const struct pk_proof *p, struct pakhus_error *err)
{
	unsigned char leaf[PK_HASH_SIZE];
	int holds = -1;

	if (!pk_leaf_hash(sha, p->entry, p->entry_size, leaf))
		holds = pk_check_inclusion(sha, leaf, p->index, c->size,
					   c->root, &p->path);
	if (holds < 0)
		return pk_fail_nomem(err);
	return holds ? 0
		     : pk_fail(err, PAKHUS_ECORRUPT,
			       "log/tile: F-39 the tiles do not lead from "
			       "entry %llu to the checkpoint's root",
			       (unsigned long long)p->index);
}

static int prove_in(struct pakhus *s, const struct pk_checkpoint *c,
		    uint64_t seq, struct pk_proof *p, struct pakhus_error *err)
{
	AUTO(pk_sha_auto) struct pk_sha *sha = pk_sha_new();
	int dir = s->env->dir, rc;

	if (!sha)
		return pk_fail_nomem(err);
	p->entry_size = 0;
	rc = read_line(dir, c->size, seq, p, err);
	if (!rc)
		rc = pk_inclusion(dir, sha, seq, c->size, c->size, &p->path,
				  err);
	return rc ? rc : check(sha, c, p, err);
}

static int give(const struct pk_proof *p, char **text, size_t *size,
		struct pakhus_error *err)
{
	char *out = malloc(PK_PROOF_TEXT);

	if (!out)
		return pk_fail_nomem(err);
	*size = pk_proof_encode(p, out);
	out[*size] = '\0';
	*text = out;
	return 0;
}

/* Of the tree of the installed checkpoint, if the entry is in it: 1; 0 where
 * it is not yet. A checkpoint that is replaced meanwhile takes the partial
 * tiles of an old one with it (F-33); then it is looked at again. */
static int try_prove(struct pakhus *s, uint64_t seq, uint64_t *entries,
		     char **text, size_t *size, struct pakhus_error *err)
{
	AUTO_FREE struct pk_proof *p = malloc(sizeof(*p));
	int rc = p ? 0 : pk_fail_nomem(err);

	*entries = 0;
	while (!rc) {
		struct pakhus_error fault = { .status = 0 };
		AUTO_FREE char *note = NULL;
		struct pk_checkpoint c;

		rc = pk_checkpoint_note(s, &c, &note, &p->note.left, err);
		if (rc)
			break;
		if (seq >= c.size) {
			*entries = c.size;
			return 0;
		}
		p->note.at = (unsigned char *)note;
		rc = prove_in(s, &c, seq, p, &fault);
		if (!rc)
			rc = give(p, text, size, &fault);
		if (!rc)
			return 1;
		if (rc != PAKHUS_ECORRUPT || *entries == c.size) {
			if (err && !err->status)
				*err = fault;
			break;
		}
		*entries = c.size;
		rc = 0;
	}
	return rc;
}

/* What is not in the signed tree is moved there by who can. */
static int prove(struct pakhus *s, uint64_t seq, char **text, size_t *size,
		 struct pakhus_error *err)
{
	uint64_t entries;
	int rc = try_prove(s, seq, &entries, text, size, err);

	if (rc)
		return rc < 0 ? rc : 0;
	if (!s->env->can_write || s->flags & PAKHUS_READONLY)
		return pk_fail(err, PAKHUS_ENOTFOUND,
			       "log entry %llu is not in the signed tree yet, "
			       "which has %llu: prove it where the store is "
			       "written",
			       (unsigned long long)seq,
			       (unsigned long long)entries);
	rc = pakhus_sync(s, err);
	if (!rc)
		rc = try_prove(s, seq, &entries, text, size, err);
	if (rc)
		return rc < 0 ? rc : 0;
	return pk_fail(err, PAKHUS_ENOTFOUND,
		       "log entry %llu is not in the signed tree, which has "
		       "%llu",
		       (unsigned long long)seq, (unsigned long long)entries);
}

/* The position is asked of the index: id NULL, whether there is one. */
static int look_up(struct pakhus *s, const char *id, const char *version,
		   uint64_t *seq, struct pakhus_error *err)
{
	PK_VIEW v = PK_VIEW_INIT;
	AUTO_FREE struct pk_latest *l = malloc(sizeof(*l));
	int rc = l ? pk_view_open(&v, s, err) : pk_fail_nomem(err);

	if (rc)
		return rc;
	if (!id)
		return *seq < v.txn.stamp.applied
			       ? 0
			       : pk_fail_no_entry(&v, *seq, err);
	rc = pk_find(&v, id, version, l, err);
	if (!rc)
		*seq = l->live.seq;
	return rc;
}

static int find_and_prove(struct pakhus *s, const char *id,
			  const char *version, uint64_t seq, char **text,
			  size_t *size, struct pakhus_error *err)
{
	int rc = pk_enter(s, err);

	if (rc)
		return rc;
	do
		rc = look_up(s, id, version, &seq, err);
	while (pk_mend(s, rc, err));
	return rc ? rc : prove(s, seq, text, size, err);
}

int pakhus_prove(struct pakhus *s, const char *id, const char *version,
		 char **text, size_t *size, struct pakhus_error *err)
{
	return find_and_prove(s, id, version, 0, text, size, err);
}

int pakhus_prove_at(struct pakhus *s, uint64_t seq, char **text, size_t *size,
		    struct pakhus_error *err)
{
	return find_and_prove(s, NULL, NULL, seq, text, size, err);
}
