/* lineage.c - the keys of a log that is brought: from the one that is trusted
 * to the one that signs it now (F-67, F-68).
 *
 * First, before much is fetched, hop by hop along the notes in keys/. Then,
 * when the entries are there and their root is right, by the log: every key
 * entry has its note, of the very tree that ends in it, and the last of them
 * signed the checkpoint.
 */
#include "mirror.h"
#include "io.h"
#include "tmpfile.h"
#include "trust.h"

#include <stdio.h>

static int is_signed_by(const struct pk_sync *x, const struct pk_vkey *key)
{
	struct pk_bytes text, signatures;
	struct pk_signature s;

	if (pk_note_decode(x->note, x->note_size, &text, &signatures))
		return 0;
	while (pk_signature_next(&signatures, &s) == 1)
		if (pk_is_signed(key, text.at, text.left, &s))
			return 1;
	return 0;
}

static int is_same(const struct pk_vkey *a, const struct pk_vkey *b)
{
	return !memcmp(a->key, b->key, PK_PUBLIC_SIZE) &&
	       !strcmp(a->name, b->name);
}

/* ---- notes ---- */

/* Reads the note of a key that another followed: 1, 0 where there is none,
 * or a failure. */
static int hop(struct pk_sync *x, const struct pk_vkey *k,
	       struct pk_vkey *next, struct pk_checkpoint *at)
{
	AUTO_FREE char *note = NULL;
	char path[PK_NEXT_PATH];
	size_t size;
	int rc;

	pk_next_path(k, path);
	rc = pk_incoming_has(&x->in, path, NULL, x->err);
	if (rc <= 0)
		return rc;
	rc = pk_read_file(x->in.dir, path, PK_NOTE_MAX, &note, &size, x->err);
	if (!rc)
		rc = pk_trust_next(k, x->format.origin, note, size, next, at,
				   x->err);
	return rc ? rc : 1;
}

static int fetch_hop(struct pk_sync *x, const struct pk_vkey *k,
		     struct pk_vkey *next, struct pk_checkpoint *at)
{
	char path[PK_NEXT_PATH];
	const char *name = path;
	int rc;

	pk_next_path(k, path);
	pk_incoming_drop(&x->in, path);
	rc = pk_incoming_fetch(&x->in, &name, 1, PK_NOTE_MAX,
			       PAKHUS_FETCH_FRESH, x->err);
	return rc ? rc : hop(x, k, next, at);
}

int pk_lineage_lead(struct pk_sync *x)
{
	struct pk_vkey k = x->key, next;
	struct pk_checkpoint at;

	/* nobody followed in a log that did not grow */
	for (unsigned i = 0; i <= PK_KEYS_MAX; i++) {
		int rc;

		if (is_signed_by(x, &k))
			return 0;
		if (x->next.size <= x->held.size)
			break;
		rc = fetch_hop(x, &k, &next, &at);
		if (rc < 0)
			return rc;
		if (!rc)
			break;
		k = next;
	}
	return pk_fail(x->err, PAKHUS_ECORRUPT,
		       "%s: log/checkpoint: F-76 it is not signed by the key "
		       "that is trusted, nor by one that followed it",
		       x->in.source->name);
}

/* ---- the log's own word ---- */

int pk_lineage_add(struct pk_sync *x, uint64_t seq, const char *line,
		   size_t size, const struct pk_edge *edge)
{
	static const char begin[] = "{\"op\":\"key\",";
	AUTO_FREE struct pk_entry *e = NULL;
	struct pk_heir *h = &x->heir[x->heirs];
	int rc;

	if (size < sizeof(begin) || memcmp(line, begin, sizeof(begin) - 1))
		return 0;
	e = malloc(sizeof(*e));
	if (!e)
		return pk_fail_nomem(x->err);
	if (pk_entry_decode(line, size, e))
		return 0; /* trying it out says so */
	if (x->heirs == PK_KEYS_MAX)
		return pk_fail(x->err, PAKHUS_ECORRUPT,
			       "%s: log entry %llu: F-67 more than %d keys",
			       x->in.source->name, (unsigned long long)seq,
			       PK_KEYS_MAX);
	rc = pk_log_check_key(&x->format, seq, e, &h->key, x->err);
	if (rc)
		return rc;
	h->seq = seq;
	if (pk_edge_root(edge, x->sha, h->root))
		return pk_fail_nomem(x->err);
	x->heirs++;
	return 0;
}

/* Whether a note is that of an heir: 1, 0, or what reading it gave. */
static int is_note_of(const struct pk_heir *h, int rc,
		      const struct pk_vkey *next,
		      const struct pk_checkpoint *at)
{
	if (rc != 1)
		return rc;
	return is_same(next, &h->key) && at->size == h->seq + 1 &&
	       !memcmp(at->root, h->root, PK_HASH_SIZE);
}

static int check_heir(struct pk_sync *x, const struct pk_vkey *before,
		      const struct pk_heir *h)
{
	struct pakhus_error *err = x->err, e = { .status = 0 };
	struct pk_checkpoint at = { .size = 0 };
	struct pk_vkey next;
	int rc;

	x->err = &e;
	rc = is_note_of(h, hop(x, before, &next, &at), &next, &at);
	x->err = err;
	if (rc == 1)
		return 0;
	if (rc && rc != PAKHUS_ECORRUPT)
		return pk_fail(err, rc, "%s", e.text);
	/* what lies there may be another's */
	rc = fetch_hop(x, before, &next, &at);
	if (rc < 0 || is_note_of(h, rc, &next, &at))
		return rc < 0 ? rc : 0;
	x->is_absent = !rc;
	return pk_fail(err, PAKHUS_ECORRUPT,
		       "%s: log entry %llu: F-69 the note of this rotation is "
		       "%s there", x->in.source->name,
		       (unsigned long long)h->seq,
		       rc ? "that of another" : "missing");
}

static int is_heir(const struct pk_sync *x, const struct pk_vkey *k)
{
	for (size_t i = 0; i < x->heirs; i++)
		if (is_same(k, &x->heir[i].key))
			return 1;
	return 0;
}

static void tell_trusted(const struct pk_sync *x, const struct pk_vkey *k)
{
	char text[PK_VKEY_SIZE], told[PK_VKEY_SIZE + 80];

	pk_vkey_encode(k, text);
	snprintf(told, sizeof(told),
		 "no key was given, so the one the log began with is trusted: "
		 "%s", text);
	if (x->m->notice)
		x->m->notice(x->m->arg, told);
}

int pk_lineage_same(struct pk_sync *x)
{
	if (!x->m->key || x->is_given || is_heir(x, &x->given))
		return 0;
	return pk_fail(x->err, PAKHUS_ECORRUPT,
		       "F-76 the key that was given is none that the log has "
		       "or had");
}

int pk_lineage_check(struct pk_sync *x)
{
	struct pk_vkey k = x->key;
	int rc = 0;

	if (!x->held.size && (!x->heirs || x->heir[0].seq))
		return pk_fail(x->err, PAKHUS_ECORRUPT,
			       "%s: log entry 0: F-23 is not a key",
			       x->in.source->name);
	for (size_t i = 0; i < x->heirs && !rc; i++) {
		if (x->heir[i].seq)
			rc = check_heir(x, &k, &x->heir[i]);
		k = x->heir[i].key;
	}
	if (!rc && !is_signed_by(x, &k))
		rc = pk_fail(x->err, PAKHUS_ECORRUPT,
			     "%s: log/checkpoint: F-38 the key in force at its "
			     "size did not sign it", x->in.source->name);
	if (!rc && !x->held.size && !x->m->key)
		tell_trusted(x, &x->heir[0].key);
	return rc ? rc : pk_lineage_same(x);
}

/* ---- the key that was given ---- */

/* Whether a key is one of the log that is held: from it the notes in keys/
 * lead to the one in force. */
static int is_ancestor(struct pk_sync *x, struct pk_vkey k, int *out)
{
	for (unsigned i = 0; i <= PK_KEYS_MAX; i++) {
		AUTO_FREE char *note = NULL;
		struct pakhus_error e = { .status = 0 };
		char path[PK_NEXT_PATH];
		struct pk_checkpoint at;
		struct pk_vkey next;
		size_t size;
		int rc;

		if ((*out = is_same(&k, &x->key)))
			return 0;
		pk_next_path(&k, path);
		rc = pk_read_file(x->dir, path, PK_NOTE_MAX, &note, &size, &e);
		if (!rc)
			rc = pk_trust_next(&k, x->format.origin, note, size,
					   &next, &at, &e);
		if (rc == PAKHUS_ENOTFOUND || rc == PAKHUS_ECORRUPT)
			return 0;
		if (rc)
			return pk_fail(x->err, rc, "%s", e.text);
		k = next;
	}
	return 0;
}

int pk_lineage_given(struct pk_sync *x)
{
	const char *text = x->m->key;

	if (!text)
		return 0;
	if (pk_vkey_decode(text, strlen(text), &x->given) ||
	    !pk_vkey_is_sound(&x->given))
		return pk_fail(x->err, PAKHUS_EINVAL,
			       "the key is no verifier key: NAME+ID+BASE64");
	if (x->has_key)
		return is_ancestor(x, x->given, &x->is_given);
	x->key = x->given;
	x->has_key = 1;
	return 0;
}

/* ---- installing ---- */

static int install_note(struct pk_sync *x, const struct pk_vkey *before)
{
	AUTO_FREE char *note = NULL;
	char path[PK_NEXT_PATH];
	size_t size;
	int rc;

	pk_next_path(before, path);
	rc = pk_read_file(x->in.dir, path, PK_NOTE_MAX, &note, &size, x->err);
	return rc ? rc : pk_install(x->dir, path, note, size, 0444, x->err);
}

int pk_lineage_install(struct pk_sync *x)
{
	struct pk_vkey k = x->key;
	int rc = 0;

	for (size_t i = 0; i < x->heirs && !rc; i++) {
		const struct pk_heir *h = &x->heir[i];
		char text[PK_VKEY_SIZE + 1], path[16];

		if (h->seq)
			rc = install_note(x, &k);
		k = h->key;
		pk_vkey_encode(&k, text);
		strcat(text, "\n");
		pk_log_key_path(&k, path);
		if (!rc)
			rc = pk_install(x->dir, path, text, strlen(text), 0444,
					x->err);
	}
	return rc || !x->heirs ? rc : pk_sync_dir(x->dir, "keys", x->err);
}
