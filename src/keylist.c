/* keylist.c - the keys that a log has and had. */
#include "store.h"
#include "io.h"
#include "trust.h"

void pk_key_fill(struct pakhus_key *out, const struct pk_vkey *k, uint64_t seq,
		 const struct pk_entry *e)
{
	memset(out, 0, sizeof(*out));
	pk_vkey_encode(k, out->key);
	out->seq = seq;
	out->time_us = e->time;
	pk_time_text(e->time, out->time);
	strcpy(out->by, e->by);
}

/* The notes of the rotations say where their entries are, so that nobody
 * has to read all of the log for them. */
static int find_next(struct pk_env *env, const struct pk_stamp *st,
		     const struct pk_vkey *k, uint64_t *seq,
		     struct pakhus_error *err)
{
	char path[PK_NEXT_PATH];
	AUTO_FREE char *note = NULL;
	struct pk_checkpoint at;
	struct pk_vkey next;
	size_t size;
	int rc;

	if (!memcmp(k->key, st->key, PK_PUBLIC_SIZE))
		return 0;
	/* the last may not be in the tree yet, and have no note */
	if (!memcmp(k->key, st->before, PK_PUBLIC_SIZE)) {
		*seq = st->since;
		return 1;
	}
	pk_next_path(k, path);
	rc = pk_read_file(env->dir, path, PK_NOTE_MAX, &note, &size, err);
	if (!rc)
		rc = pk_trust_next(k, env->format.origin, note, size, &next,
				   &at, err);
	if (rc)
		return rc;
	if (at.size <= *seq + 1 || at.size > st->applied)
		return pk_fail(err, PAKHUS_ECORRUPT,
			       "%s: F-68 is not of the log's rotation", path);
	*seq = at.size - 1;
	return 1;
}

static int list_keys(struct pakhus *s, struct pakhus_keys *l,
		     struct pakhus_error *err)
{
	AUTO_FREE struct pk_entry *e = malloc(sizeof(*e));
	PK_VIEW v = PK_VIEW_INIT;
	struct pk_vkey k;
	uint64_t seq = 0;
	int rc = e ? pk_view_open(&v, s, err) : pk_fail_nomem(err);
	int more = 1;

	for (l->count = 0; !rc && more > 0;) {
		rc = pk_entry_at(&v, seq, e, err);
		if (!rc)
			rc = pk_log_check_key(&s->env->format, seq, e, &k, err);
		if (!rc && l->count == PK_KEYS_MAX)
			rc = pk_fail(err, PAKHUS_ECORRUPT,
				     "log entry %llu: F-67 is one key too "
				     "many", (unsigned long long)seq);
		if (rc)
			return rc;
		pk_key_fill(&l->items[l->count++], &k, seq, e);
		more = find_next(s->env, &v.txn.stamp, &k, &seq, err);
	}
	return rc ? rc : more;
}

int pakhus_keys(struct pakhus *s, struct pakhus_keys **out,
		struct pakhus_error *err)
{
	struct pakhus_keys *l;
	int rc = pk_enter(s, err);

	if (rc)
		return rc;
	l = malloc(sizeof(*l) + PK_KEYS_MAX * sizeof(*l->items));
	if (!l)
		return pk_fail_nomem(err);
	l->items = (struct pakhus_key *)(l + 1);
	do
		rc = list_keys(s, l, err);
	while (pk_mend(s, rc, err));
	if (rc) {
		free(l);
		return rc;
	}
	*out = l;
	return 0;
}

void pakhus_keys_free(struct pakhus_keys *keys)
{
	free(keys);
}
