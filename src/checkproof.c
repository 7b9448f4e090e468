/* checkproof.c - a proof held against the log's key, without a store. */
#include "store.h"
#include "hex.h"
#include "proof.h"

#include <stdio.h>

/* NAME+ID, which is how people tell keys apart. */
#define KEY_NAME (PK_ORIGIN_MAX + 10)
static void key_name(const char *name, const unsigned char id[4],
		     char out[KEY_NAME])
{
	char hex[9];

	pk_hex(id, 4, hex);
	snprintf(out, KEY_NAME, "%s+%s", name, hex);
}

static int fail_unsigned(const struct pk_vkey *key, struct pk_bytes lines,
			 struct pakhus_error *err)
{
	char own[KEY_NAME], other[KEY_NAME] = "";
	struct pk_signature s;

	key_name(key->name, key->id, own);
	while (pk_signature_next(&lines, &s) == 1) {
		if (!s.is_ed25519)
			continue;
		if (!strcmp(s.name, key->name) &&
		    !memcmp(s.id, key->id, sizeof(s.id)))
			return pk_fail(err, PAKHUS_ECORRUPT,
				       "F-71 the signature of %s is not over "
				       "this checkpoint: the proof was altered",
				       own);
		if (!*other)
			key_name(s.name, s.id, other);
	}
	if (!*other)
		return pk_fail(err, PAKHUS_ECORRUPT,
			       "F-71 no key of a log signed the checkpoint");
	return pk_fail(err, PAKHUS_ECORRUPT,
		       "F-71 %s signed the checkpoint, not %s: it is another "
		       "log's, or the log's key was rotated",
		       other, own);
}

static int open_note(const struct pk_vkey *key, struct pk_bytes note,
		     struct pk_checkpoint *c, struct pakhus_error *err)
{
	struct pk_bytes text, lines, rest;
	struct pk_signature s;
	const char *fault = pk_note_decode((const char *)note.at, note.left,
					   &text, &lines);
	int is_signed = 0;

	if (!fault)
		fault = pk_checkpoint_decode(text, c);
	if (fault)
		return pk_fail(err, PAKHUS_ECORRUPT, "the checkpoint: %s",
			       fault);
	rest = lines;
	while (!is_signed && pk_signature_next(&rest, &s) == 1)
		is_signed = pk_is_signed(key, text.at, text.left, &s);
	if (!is_signed)
		return fail_unsigned(key, lines, err);
	if (strcmp(c->origin, key->name))
		return pk_fail(err, PAKHUS_ECORRUPT,
			       "F-71 the checkpoint is of the log %s, not of "
			       "%s",
			       c->origin, key->name);
	return 0;
}

static int check_path(const struct pk_proof *p, const struct pk_checkpoint *c,
		      struct pakhus_error *err)
{
	AUTO(pk_sha_auto) struct pk_sha *sha = pk_sha_new();
	unsigned char leaf[PK_HASH_SIZE];
	int holds = -1;

	if (p->index >= c->size)
		return pk_fail(err, PAKHUS_ECORRUPT,
			       "F-71 position %llu is beyond the log, which "
			       "has %llu entries",
			       (unsigned long long)p->index,
			       (unsigned long long)c->size);
	if (sha && !pk_leaf_hash(sha, p->entry, p->entry_size, leaf))
		holds = pk_check_inclusion(sha, leaf, p->index, c->size,
					   c->root, &p->path);
	if (holds < 0)
		return pk_fail_nomem(err);
	return holds ? 0
		     : pk_fail(err, PAKHUS_ECORRUPT,
			       "F-71 the entry is not the log's at position "
			       "%llu: the entry, the position or the hashes "
			       "were altered",
			       (unsigned long long)p->index);
}

/* Everything that was decoded on the way. */
struct checking {
	struct pk_vkey key;
	struct pk_proof proof;
	struct pk_checkpoint c;
	struct pk_entry entry;
};

static int check(struct checking *k, const char *text, size_t size,
		 struct pakhus_error *err)
{
	const char *fault = pk_proof_decode(text, size, &k->proof);
	int rc;

	if (fault)
		return pk_fail(err, PAKHUS_ECORRUPT, "not a proof: %s", fault);
	rc = open_note(&k->key, k->proof.note, &k->c, err);
	if (!rc)
		rc = check_path(&k->proof, &k->c, err);
	if (rc)
		return rc;
	fault = pk_entry_decode((const char *)k->proof.entry,
				k->proof.entry_size, &k->entry);
	if (!fault)
		return 0;
	return pk_fail(err, fault == pk_entry_newer ? PAKHUS_EVERSION
						    : PAKHUS_ECORRUPT,
		       "the entry: %s", fault);
}

static void fill(struct pakhus_proof *out, const struct checking *k)
{
	memset(out, 0, sizeof(*out));
	memcpy(out->origin, k->c.origin, sizeof(k->c.origin));
	out->entries = k->c.size;
	out->time_us = k->c.time;
	if (k->c.time)
		pk_time_text(k->c.time, out->time);
	pk_entry_fill(&out->entry, k->proof.index, &k->entry);
}

int pakhus_check_proof(const char *text, size_t size, const char *vkey,
		       struct pakhus_proof *out, struct pakhus_error *err)
{
	AUTO_FREE struct checking *k = malloc(sizeof(*k));
	const char *fault;
	int rc;

	pk_error_init(err);
	if (!k)
		return pk_fail_nomem(err);
	fault = pk_vkey_decode(vkey, strlen(vkey), &k->key);
	if (!fault && !pk_vkey_is_sound(&k->key))
		fault = "F-36 its id is not that of its name and key";
	if (fault)
		return pk_fail(err, PAKHUS_EINVAL, "the verifier key: %s",
			       fault);
	rc = check(k, text, size, err);
	if (!rc)
		fill(out, k);
	return rc;
}
