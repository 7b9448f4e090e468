#include "log.h"
#include "auto.h"
#include "hex.h"
#include "io.h"
#include "tmpfile.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>

#define CHECKPOINT "log/checkpoint"

/* ---- keys and checkpoint ---- */

void pk_log_key_path(const struct pk_vkey *k, char out[16])
{
	memcpy(out, "keys/", 5);
	pk_hex(k->id, 4, out + 5);
}

static int read_key(int dir, const char *name, struct pk_vkey *k,
		    struct pakhus_error *err)
{
	AUTO_FREE char *text = NULL;
	char path[300], own[16];
	const char *fault;
	size_t size;
	int rc;

	snprintf(path, sizeof(path), "keys/%s", name);
	rc = pk_read_file(dir, path, PK_VKEY_SIZE, &text, &size, err);
	if (rc)
		return rc;
	if (!size || text[size - 1] != '\n')
		fault = "F-35 does not end in a newline";
	else
		fault = pk_vkey_decode(text, size - 1, k);
	if (!fault && !pk_vkey_is_sound(k))
		fault = "F-36 the key's id is not that of its name and key";
	if (!fault) {
		pk_log_key_path(k, own);
		if (strcmp(own, path))
			fault = "F-36 the file is named after another key";
	}
	if (fault)
		return pk_fail(err, PAKHUS_ECORRUPT, "%s: %s", path, fault);
	return 0;
}

/* Whether it is named as the note of a rotation is (F-68). */
static int is_next(const char *name)
{
	unsigned char id[4];

	return strlen(name) == 13 && !strcmp(name + 8, ".next") &&
	       !pk_unhex(name, id, 4);
}

int pk_log_keys(int dir, struct pk_keys *keys, struct pakhus_error *err)
{
	AUTO_DIR DIR *d = pk_opendir(dir, "keys", 0);
	const char *name;
	int rc;

	keys->n = 0;
	if (!d)
		return pk_fail_sys(err, "keys");
	while ((rc = pk_readdir(d, "keys", &name, err)) == 1) {
		if (*name == '.' || is_next(name))
			continue;
		if (keys->n == PK_KEYS_MAX)
			rc = pk_fail(err, PAKHUS_ECORRUPT,
				     "keys: F-36 more than %d files",
				     PK_KEYS_MAX);
		else
			rc = read_key(dir, name, &keys->key[keys->n], err);
		if (rc)
			return rc;
		keys->n++;
	}
	return rc;
}

/* What this host signed last, to the byte, was signed: checking takes longer
 * than all the rest of opening a store. */
static int is_own(int dir, const char *note, size_t size)
{
	AUTO_FREE char *last = NULL;
	size_t n;

	return !pk_read_file(dir, "local/last-signed", PK_NOTE_MAX, &last, &n,
			     NULL) &&
	       n == size && !memcmp(last, note, n);
}

/* Finds out who signed. is_known: that the signatures are good, and only
 * their keys are looked for. */
static void find_signers(const struct pk_keys *keys, struct pk_bytes text,
			 struct pk_bytes signatures, int is_known,
			 struct pk_checkpoint *c)
{
	struct pk_signature s;

	while (pk_signature_next(&signatures, &s) == 1) {
		size_t i = 0;

		if (!s.is_ed25519 || strcmp(s.name, c->origin))
			continue;
		while (i < keys->n &&
		       (strcmp(keys->key[i].name, c->origin) ||
			memcmp(keys->key[i].id, s.id, sizeof(s.id)) != 0))
			i++;
		if (i == keys->n)
			c->by_other = 1;
		else if (is_known || pk_is_signed(&keys->key[i], text.at,
						  text.left, &s))
			c->by |= UINT64_C(1) << i;
	}
}

int pk_log_note(int dir, const char *origin, const struct pk_keys *keys,
		int is_here, struct pk_checkpoint *out, char **bytes,
		size_t *bytes_size, struct pakhus_error *err)
{
	AUTO_FREE char *note = NULL;
	struct pk_bytes text, signatures;
	struct pk_checkpoint c;
	const char *fault;
	size_t size;
	int rc = pk_read_file(dir, CHECKPOINT, PK_NOTE_MAX, &note, &size, err);

	if (rc == PAKHUS_ENOTFOUND && err)
		err->status = 0; /* a store without one is damaged */
	if (rc == PAKHUS_ENOTFOUND)
		return pk_fail(err, PAKHUS_ECORRUPT,
			       CHECKPOINT ": F-38 is missing");
	if (rc)
		return rc;
	fault = pk_note_decode(note, size, &text, &signatures);
	if (!fault)
		fault = pk_checkpoint_decode(text, &c);
	if (!fault && strcmp(c.origin, origin))
		fault = "F-38 the origin is not that of FORMAT";
	if (!fault)
		find_signers(keys, text, signatures,
			     is_here && is_own(dir, note, size), &c);
	if (!fault && !c.by)
		fault = "F-38 the log's key did not sign it";
	if (!fault && !c.size)
		fault = "F-38 the log is empty";
	if (fault)
		return pk_fail(err, PAKHUS_ECORRUPT, CHECKPOINT ": %s", fault);
	*out = c;
	*bytes = PK_MOVE(note);
	*bytes_size = size;
	return 0;
}

int pk_log_checkpoint(int dir, const char *origin, const struct pk_keys *keys,
		      struct pk_checkpoint *out, struct pakhus_error *err)
{
	AUTO_FREE char *note = NULL;
	size_t size;

	return pk_log_note(dir, origin, keys, 0, out, &note, &size, err);
}

int pk_log_check_key(const struct pk_format *format, uint64_t seq,
		     const struct pk_entry *e, struct pk_vkey *k,
		     struct pakhus_error *err)
{
	unsigned char hash[PK_HASH_SIZE];
	char text[PK_FORMAT_SIZE];
	size_t n = pk_format_encode(format, text);
	const char *fault;

	if (pk_sha256(text, n, hash))
		return pk_fail_nomem(err);
	if (e->op != PK_OP_KEY)
		fault = "F-23 is not a key";
	else
		fault = pk_vkey_decode(e->text, strlen(e->text), k);
	if (!fault && !pk_vkey_is_sound(k))
		fault = "F-36 the key's id is not that of its name and key";
	if (!fault && strcmp(k->name, format->origin))
		fault = "F-67 the key is of another origin";
	if (fault)
		return pk_fail(err, PAKHUS_ECORRUPT, "log entry %llu: %s",
			       (unsigned long long)seq, fault);
	if (memcmp(hash, e->hash, PK_HASH_SIZE))
		return pk_fail(err, PAKHUS_ECORRUPT,
			       "FORMAT: F-23 is not the one that log entry "
			       "%llu names", (unsigned long long)seq);
	return 0;
}

int pk_log_sign(const struct pk_checkpoint *c, const struct pk_signer *signer,
		char out[PK_CHECKPOINT_NOTE], size_t *size,
		struct pakhus_error *err)
{
	struct pk_signature s;
	size_t n = pk_checkpoint_encode(c, out);
	int rc = pk_sign(signer, out, n, &s, err);

	if (rc)
		return rc;
	out[n++] = '\n';
	*size = n + pk_signature_encode(&s, out + n);
	return 0;
}

int pk_log_install(int dir, const char *note, size_t size,
		   struct pakhus_error *err)
{
	int rc = pk_install(dir, CHECKPOINT, note, size, 0644, err);

	return rc ? rc : pk_sync_dir(dir, "log", err);
}

/* ---- reading ---- */

int pk_log_tile(int dir, struct pk_tile *t, char **out, size_t *size,
		char path[PK_TILE_PATH_SIZE + 4], struct pakhus_error *err)
{
	struct pakhus_error first = { .status = 0 };
	size_t max = (size_t)PK_TILE_WIDTH *
		     (t->level == PK_TILE_ENTRIES ? 2 + UINT16_MAX
						  : PK_HASH_SIZE);
	int rc;

	memcpy(path, "log/", 4);
	pk_tile_path(t, path + 4);
	rc = pk_read_file(dir, path, max, out, size, &first);
	if (rc == PAKHUS_ENOTFOUND && t->width < PK_TILE_WIDTH) {
		struct pk_tile whole = { t->level, t->index, PK_TILE_WIDTH };
		char full[PK_TILE_PATH_SIZE + 4] = "log/";

		pk_tile_path(&whole, full + 4);
		if (!pk_read_file(dir, full, max, out, size, NULL)) {
			memcpy(path, full, sizeof(full));
			*t = whole;
			return 0;
		}
	}
	if (rc == PAKHUS_ENOTFOUND)
		return pk_fail(err, PAKHUS_ECORRUPT, "%s: F-32 is missing",
			       path);
	if (rc && err && !err->status)
		*err = first;
	return rc;
}

int pk_log_hashes(int dir, uint64_t entries, int level, uint64_t index,
		  unsigned n, char **out, struct pakhus_error *err)
{
	char path[PK_TILE_PATH_SIZE + 4];
	struct pk_tile t = { level, index, PK_TILE_WIDTH };
	uint64_t count = entries >> 8 * level;
	AUTO_FREE char *bytes = NULL;
	size_t size;
	int rc;

	if (count / PK_TILE_WIDTH == index)
		t.width = count % PK_TILE_WIDTH;
	rc = pk_log_tile(dir, &t, &bytes, &size, path, err);
	if (rc)
		return rc;
	if (size < (size_t)n * PK_HASH_SIZE || size % PK_HASH_SIZE)
		return pk_fail(err, PAKHUS_ECORRUPT,
			       "%s: F-33 is not %u hashes", path, n);
	*out = PK_MOVE(bytes);
	return 0;
}

/* Holds an entry of a bundle against its tile. */
static int check_entry(struct pk_sha *sha, const char *tile, unsigned at,
		       struct pk_bytes line, const char *path,
		       struct pakhus_error *err)
{
	unsigned char leaf[PK_HASH_SIZE];

	if (pk_leaf_hash(sha, line.at, line.left, leaf))
		return pk_fail_nomem(err);
	if (memcmp(tile + (size_t)at * PK_HASH_SIZE, leaf, PK_HASH_SIZE))
		return pk_fail(err, PAKHUS_ECORRUPT,
			       "%s: F-33 entry %u is not the one that the "
			       "tile has the hash of", path, at);
	return 0;
}

/* sha NULL: unchecked. Only what fn gets is checked: who asks for one entry
 * of a bundle does not pay for 256. */
static int walk(int dir, struct pk_sha *sha, uint64_t size, uint64_t from,
		uint64_t to, pk_log_fn *fn, void *arg, struct pakhus_error *err)
{
	while (from < to) {
		AUTO_FREE char *bytes = NULL;
		AUTO_FREE char *tile = NULL;
		char path[PK_TILE_PATH_SIZE + 4];
		struct pk_tile t = { PK_TILE_ENTRIES, from / PK_TILE_WIDTH,
				     PK_TILE_WIDTH };
		uint64_t seq = t.index * PK_TILE_WIDTH;
		struct pk_bytes b, line;
		unsigned width = PK_TILE_WIDTH;
		size_t n;
		int rc;

		if (size - seq < PK_TILE_WIDTH)
			width = (unsigned)(size - seq);
		t.width = width;
		rc = pk_log_tile(dir, &t, &bytes, &n, path, err);
		if (!rc && sha)
			rc = pk_log_hashes(dir, size, 0, t.index, width, &tile,
					 err);
		if (rc)
			return rc;
		b = (struct pk_bytes){ (unsigned char *)bytes, n };
		for (unsigned i = 0; i < width; i++, seq++) {
			if (pk_bundle_next(&b, &line) != 1)
				return pk_fail(err, PAKHUS_ECORRUPT,
					       "%s: F-31 holds %u entries",
					       path, i);
			if (seq < from || seq >= to)
				continue;
			if (sha)
				rc = check_entry(sha, tile, i, line, path, err);
			if (!rc)
				rc = fn(arg, seq, (const char *)line.at,
					line.left);
			if (rc)
				return rc;
		}
		if (b.left && t.width == width)
			return pk_fail(err, PAKHUS_ECORRUPT,
				       "%s: F-31 holds more than %u entries",
				       path, width);
		from = seq;
	}
	return 0;
}

int pk_log_walk(int dir, uint64_t size, uint64_t from, uint64_t to,
		pk_log_fn *fn, void *arg, struct pakhus_error *err)
{
	return walk(dir, NULL, size, from, to, fn, arg, err);
}

int pk_log_read(int dir, uint64_t size, uint64_t from, uint64_t to,
		pk_log_fn *fn, void *arg, struct pakhus_error *err)
{
	AUTO(pk_sha_auto) struct pk_sha *sha = pk_sha_new();

	if (!sha)
		return pk_fail_nomem(err);
	return walk(dir, sha, size, from, to, fn, arg, err);
}

int pk_log_is_leaf(int dir, struct pk_sha *sha, uint64_t size, uint64_t seq,
		   const char *line, size_t n, struct pakhus_error *err)
{
	unsigned at = seq % PK_TILE_WIDTH;
	unsigned char leaf[PK_HASH_SIZE];
	AUTO_FREE char *tile = NULL;
	int rc = pk_log_hashes(dir, size, 0, seq / PK_TILE_WIDTH, at + 1, &tile,
			     err);

	if (!rc && pk_leaf_hash(sha, line, n, leaf))
		rc = pk_fail_nomem(err);
	return rc ? rc : !memcmp(tile + at * PK_HASH_SIZE, leaf, PK_HASH_SIZE);
}

void pk_hashes_release(struct pk_hashes *h)
{
	free(h->tile);
	h->tile = NULL;
}

/* The tile of a level, as wide as the log makes it. */
static int hold_tile(struct pk_hashes *h, int level, uint64_t index,
		     struct pakhus_error *err)
{
	uint64_t left = (h->of >> 8 * level) - index * PK_TILE_WIDTH;

	if (h->tile && h->level == level && h->index == index)
		return 0;
	pk_hashes_release(h);
	h->level = level;
	h->index = index;
	return pk_log_hashes(h->dir, h->of, level, index,
			   left < PK_TILE_WIDTH ? (unsigned)left
						: PK_TILE_WIDTH,
			   &h->tile, err);
}

int pk_log_subtree(struct pk_hashes *h, unsigned height, uint64_t index,
		   unsigned char out[PK_HASH_SIZE], struct pakhus_error *err)
{
	uint64_t at = index << height % 8; /* among the level's hashes */
	int rc = hold_tile(h, (int)height / 8, at / PK_TILE_WIDTH, err);

	if (rc)
		return rc;
	at %= PK_TILE_WIDTH;
	if (pk_subtree(h->sha, (unsigned char *)h->tile + at * PK_HASH_SIZE,
		       (size_t)1 << height % 8, out))
		return pk_fail_nomem(err);
	return 0;
}

int pk_log_edge(int dir, struct pk_sha *sha, uint64_t size, uint64_t of,
		struct pk_edge *e, struct pakhus_error *err)
{
	AUTO(pk_hashes_release) struct pk_hashes h = { dir, sha, of, NULL, 0,
						       0 };
	int rc = 0;

	e->size = size;
	for (unsigned j = 0; j < 8 * PK_TILE_LEVELS && !rc; j++)
		if (size >> j & 1)
			rc = pk_log_subtree(&h, j, (size >> j) - 1, e->hash[j],
					    err);
	return rc;
}
