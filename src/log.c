#include "log.h"
#include "auto.h"
#include "hex.h"
#include "io.h"
#include "tmpfile.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <time.h>

#define CHECKPOINT "log/checkpoint"
#define BUNDLE_MAX ((size_t)PK_TILE_WIDTH * (2 + UINT16_MAX))
#define PARTIAL_AGE 3600 /* seconds, F-33 */

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

/* Reads the file of a tile or bundle; where it is partial and gone, the
 * full one does as well (F-33), and *t says so. The path is left in path. */
static int read_tile(int dir, struct pk_tile *t, size_t max, char **out,
		     size_t *size, char path[PK_TILE_PATH_SIZE + 4],
		     struct pakhus_error *err)
{
	struct pakhus_error first = { .status = 0 };
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

/* At least n hashes of a tile, from the first on; its file is as wide as
 * the log of so many entries makes it. */
static int read_hashes(int dir, uint64_t entries, int level, uint64_t index,
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
	rc = read_tile(dir, &t, PK_TILE_WIDTH * PK_HASH_SIZE, &bytes, &size,
			   path, err);

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
		rc = read_tile(dir, &t, BUNDLE_MAX, &bytes, &n, path, err);
		if (!rc && sha)
			rc = read_hashes(dir, size, 0, t.index, width, &tile,
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
	int rc = read_hashes(dir, size, 0, seq / PK_TILE_WIDTH, at + 1, &tile,
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
	return read_hashes(h->dir, h->of, level, index,
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

/* ---- writing ---- */

static int sync_dirs(struct pk_log_writer *w)
{
	int rc = 0;

	for (size_t i = 0; i < w->dirs.n && !rc; i++)
		rc = pk_sync_dir(w->dir, w->dirs.path[i], w->err);
	w->dirs.n = 0;
	return rc;
}

static int note_dir(struct pk_log_writer *w, const char *path)
{
	int rc = 0;

	for (size_t i = 0; i < w->dirs.n; i++)
		if (!strcmp(w->dirs.path[i], path))
			return 0;
	if (w->dirs.n == PK_DIRS_MAX)
		rc = sync_dirs(w);
	strcpy(w->dirs.path[w->dirs.n++], path);
	return rc;
}

/* Whether a directory holds what the checkpoint needs, so that its name was
 * synced. Any other may have been made by somebody who was killed before
 * its parent was synced. */
static int is_in_use(const struct pk_log_writer *w, int level, const char *dir)
{
	unsigned shift = level < 0 ? 0 : 8 * (unsigned)level;
	uint64_t n = w->from >> shift;
	struct pk_tile last = { level, n >> 8, n & 255 };
	char path[PK_TILE_PATH_SIZE + 4] = "log/";
	size_t size = strlen(dir);

	if (!n)
		return 0;
	if (!last.width)
		last = (struct pk_tile){ level, last.index - 1, 256 };
	pk_tile_path(&last, path + 4);
	return !strncmp(path, dir, size) && path[size] == '/';
}

/* Makes the directories of a file below log/tile that are missing, and
 * notes those whose list of names changes. */
static int make_dirs(struct pk_log_writer *w, int level, const char *path)
{
	char dir[PK_TILE_PATH_SIZE + 4], parent[PK_TILE_PATH_SIZE + 4];
	const char *slash = path + strlen("log/tile");

	strcpy(parent, "log/tile");
	while ((slash = strchr(slash + 1, '/'))) {
		size_t n = (size_t)(slash - path);
		int is_new, rc = 0;

		memcpy(dir, path, n);
		dir[n] = '\0';
		is_new = !mkdirat(w->dir, dir, 0777);
		if (!is_new && errno != EEXIST)
			return pk_fail_sys(w->err, "make %s", dir);
		if (is_new || !is_in_use(w, level, dir))
			rc = note_dir(w, parent);
		if (rc)
			return rc;
		strcpy(parent, dir);
	}
	return note_dir(w, parent);
}

static int write_tile(struct pk_log_writer *w, int level, uint64_t index,
		      unsigned width, const void *bytes, size_t size)
{
	struct pk_tile t = { level, index, width };
	char path[PK_TILE_PATH_SIZE + 4] = "log/";
	int rc;

	pk_tile_path(&t, path + 4);
	rc = make_dirs(w, level, path);
	return rc ? rc
		  : pk_install(w->dir, path, bytes, size, 0444, w->err);
}

/* Leaves the first n entries of the bundle that was read. */
static int cut_bundle(struct pk_log_writer *w, unsigned n, const char *path)
{
	struct pk_bytes b = { w->bundle, w->bundle_size }, line;

	w->bundle_cap = w->bundle_size;
	for (unsigned i = 0; i < n; i++)
		if (pk_bundle_next(&b, &line) != 1)
			return pk_fail(w->err, PAKHUS_ECORRUPT,
				       "%s: F-31 holds %u entries", path, i);
	w->bundle_size -= b.left;
	return 0;
}

int pk_log_open_writer(struct pk_log_writer *w, int dir,
		       const struct pk_checkpoint *at, struct pakhus_error *err)
{
	unsigned char root[PK_HASH_SIZE];
	uint64_t n = at->size;
	int rc;

	memset(w, 0, sizeof(*w));
	w->dir = dir;
	w->err = err;
	w->from = n;
	w->sha = pk_sha_new();
	w->tile = calloc(PK_TILE_LEVELS, sizeof(*w->tile));
	if (!w->sha || !w->tile)
		return pk_fail_nomem(err);
	rc = pk_log_edge(dir, w->sha, n, n, &w->edge, err);
	if (rc)
		return rc;
	if (pk_edge_root(&w->edge, w->sha, root))
		return pk_fail_nomem(err);
	if (n && memcmp(root, at->root, PK_HASH_SIZE))
		return pk_fail(err, PAKHUS_ECORRUPT,
			       "log/tile: F-39 the tiles' root is not the "
			       "checkpoint's");
	for (int level = 0; level < PK_TILE_LEVELS; level++) {
		uint64_t count = n >> 8 * level;
		AUTO_FREE char *hashes = NULL;

		w->width[level] = count & 255;
		if (!w->width[level])
			continue;
		rc = read_hashes(dir, n, level, count >> 8, w->width[level],
				 &hashes, err);
		if (rc)
			return rc;
		memcpy(w->tile[level], hashes,
		       w->width[level] * (size_t)PK_HASH_SIZE);
	}
	if (n % PK_TILE_WIDTH) {
		struct pk_tile t = { PK_TILE_ENTRIES, n / PK_TILE_WIDTH,
				     n % PK_TILE_WIDTH };
		char path[PK_TILE_PATH_SIZE + 4];

		rc = read_tile(dir, &t, BUNDLE_MAX, (char **)&w->bundle,
			       &w->bundle_size, path, err);
		if (!rc)
			rc = cut_bundle(w, n % PK_TILE_WIDTH, path);
	}
	return rc;
}

void pk_log_close_writer(struct pk_log_writer *w)
{
	pk_sha_free(w->sha);
	free(w->tile);
	free(w->bundle);
}

static int add_node(void *arg, unsigned height, const unsigned char *hash)
{
	struct pk_log_writer *w = arg;
	unsigned level = height / 8;
	unsigned width = ++w->width[level];
	/* the edge counts the leaf only when it is done */
	uint64_t index = ((w->edge.size + 1) >> height) - 1;

	memcpy(w->tile[level] + (width - 1) * PK_HASH_SIZE, hash,
	       PK_HASH_SIZE);
	w->is_dirty[level] = width < PK_TILE_WIDTH;
	if (width < PK_TILE_WIDTH)
		return 0;
	w->width[level] = 0;
	return write_tile(w, (int)level, index / PK_TILE_WIDTH, width,
			  w->tile[level], width * (size_t)PK_HASH_SIZE);
}

int pk_log_add(struct pk_log_writer *w, const void *line, size_t size)
{
	unsigned char leaf[PK_HASH_SIZE];
	uint64_t seq = w->edge.size;
	int rc;

	if (w->bundle_size + size + 2 > w->bundle_cap) {
		size_t cap = 2 * w->bundle_cap + size + 4096;
		void *p = realloc(w->bundle, cap);

		if (!p)
			return pk_fail_nomem(w->err);
		w->bundle = p;
		w->bundle_cap = cap;
	}
	w->bundle_size += pk_bundle_put(w->bundle + w->bundle_size, line, size);
	if (seq % PK_TILE_WIDTH == PK_TILE_WIDTH - 1) {
		rc = write_tile(w, PK_TILE_ENTRIES, seq / PK_TILE_WIDTH,
				PK_TILE_WIDTH, w->bundle, w->bundle_size);
		if (rc)
			return rc;
		w->bundle_size = 0;
	}
	if (pk_leaf_hash(w->sha, line, size, leaf))
		return pk_fail_nomem(w->err);
	rc = pk_edge_add(&w->edge, w->sha, leaf, add_node, w);
	return rc == 1 ? pk_fail_nomem(w->err) : rc;
}

int pk_log_finish(struct pk_log_writer *w, unsigned char root[PK_HASH_SIZE])
{
	uint64_t n = w->edge.size;
	int rc = 0;

	if (n % PK_TILE_WIDTH && n > w->from)
		rc = write_tile(w, PK_TILE_ENTRIES, n / PK_TILE_WIDTH,
				n % PK_TILE_WIDTH, w->bundle, w->bundle_size);
	for (int level = 0; level < PK_TILE_LEVELS && !rc; level++)
		if (w->is_dirty[level])
			rc = write_tile(w, level, n >> 8 * (level + 1),
					w->width[level], w->tile[level],
					w->width[level] *
						(size_t)PK_HASH_SIZE);
	if (!rc)
		rc = sync_dirs(w);
	if (!rc && pk_edge_root(&w->edge, w->sha, root))
		rc = pk_fail_nomem(w->err);
	return rc;
}

/* ---- partial tiles that nobody needs any more ---- */

static void prune_dir(int dir, struct pk_tile t, unsigned keep)
{
	char path[PK_TILE_PATH_SIZE + 4] = "log/", width[8];
	time_t now = time(NULL);
	struct dirent *e;
	AUTO_DIR DIR *d = NULL;
	struct stat st;

	t.width = 1;
	pk_tile_path(&t, path + 4);
	*strrchr(path, '/') = '\0';
	d = pk_opendir(dir, path, 0);
	if (!d)
		return;
	snprintf(width, sizeof(width), "%u", keep);
	while ((e = readdir(d)))
		if (e->d_name[0] != '.' && strcmp(e->d_name, width) &&
		    !fstatat(dirfd(d), e->d_name, &st, 0) &&
		    st.st_mtime + PARTIAL_AGE < now)
			unlinkat(dirfd(d), e->d_name, 0);
	if (!keep)
		unlinkat(dir, path, AT_REMOVEDIR);
}

void pk_log_prune(int dir, uint64_t size)
{
	for (int level = PK_TILE_ENTRIES; level < PK_TILE_LEVELS; level++) {
		unsigned shift = level < 0 ? 0 : 8 * (unsigned)level;
		uint64_t last = size >> shift >> 8;

		if (level > 0 && !(size >> shift))
			break;
		/* the few before the last one may have been filled lately */
		for (uint64_t i = 0; i < 4 && i <= last; i++)
			prune_dir(dir,
				  (struct pk_tile){ level, last - i, 1 },
				  i ? 0 : size >> shift & 255);
	}
}
