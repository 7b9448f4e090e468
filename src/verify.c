/* verify.c - everything that can be checked, without changing anything.
 *
 * Where one file is damaged the next is looked at all the same; only what
 * cannot be known without the damaged one (the root over a bundle that is
 * not readable) is passed over.
 */
#include "store.h"
#include "hex.h"
#include "io.h"
#include "match.h"
#include "objpath.h"
#include "purge.h"
#include "set.h"
#include "trust.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>

#define CACHE_SIZE ((size_t)64 << 20)

/* ---- the state of one check ---- */

struct check {
	struct pakhus *store;
	struct pakhus_verify *v;
	struct pakhus_error *err;
	struct pk_checkpoint checkpoint;
	struct pk_keys keys; /* as found in keys/ */
	struct pk_keys chain; /* of the log's entries, one after the other */
	struct pk_cache *cache;
	struct pk_kept kept;
	struct pk_sha *sha;
	struct pk_edge *edge;
	int is_whole; /* every bundle so far could be read */
	unsigned char (*tile)[PK_TILE_WIDTH * PK_HASH_SIZE];
	struct pk_set texts; /* that the log names, and are sound */
	struct pk_set bad;   /* those that could not be read */
	uint64_t purged;     /* entries whose purges are carried out */
	struct pk_set told;  /* those that damage was told of */
	struct pk_set gone;  /* those that are missing */
};

static void check_release(struct check *c)
{
	pk_cache_free(c->cache);
	pk_kept_release(&c->kept);
	pk_sha_free(c->sha);
	free(c->edge);
	free(c->tile);
	pk_set_release(&c->texts);
	pk_set_release(&c->bad);
	pk_set_release(&c->told);
	pk_set_release(&c->gone);
}

static void damage(struct check *c, const char *path, const char *rule,
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

/* An error of the library as damage: "path: F-n sentence". Gives what is
 * no damage (memory, the system, a newer format) back as a failure. */
static int found(struct check *c, int rc, struct pakhus_error *e)
{
	char *mark = strstr(e->text, ": F-"), *rule, *space;

	if (rc != PAKHUS_ECORRUPT && rc != PAKHUS_ENOTFOUND)
		return pk_fail(c->err, rc, "%s", e->text);
	if (!mark) {
		damage(c, e->text, "F-43", "cannot be read");
		return 0;
	}
	*mark = '\0';
	rule = mark + 2;
	space = strchr(rule, ' ');
	if (space)
		*space = '\0';
	damage(c, e->text, rule, space ? space + 1 : "");
	return 0;
}

/* ---- FORMAT, keys, checkpoint ---- */

static int check_format(struct check *c)
{
	struct pk_env *env = c->store->env;
	struct pakhus_error e = { .status = 0 };
	AUTO_FREE char *text = NULL;
	char want[PK_FORMAT_SIZE];
	size_t size, n = pk_format_encode(&env->format, want);
	int rc = pk_read_file(env->dir, "FORMAT", PK_FORMAT_SIZE, &text, &size,
			      &e);

	if (rc)
		return found(c, rc, &e);
	if (size != n || memcmp(text, want, n))
		damage(c, "FORMAT", "F-40", "changed since it was opened");
	return 0;
}

static int check_checkpoint(struct check *c)
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
		rc = found(c, rc, &e);
	if (rc || !env->can_write)
		return rc;
	/* opening the store left that to who writes */
	e.status = 0;
	rc = pk_keys_signer_check(env, &e);
	return rc ? found(c, rc, &e) : 0;
}

/* ---- objects ---- */

/* Whether a text is the document that an entry says it is. */
static int check_document(struct check *c, const char *path,
			  const struct pk_shared *text,
			  const struct pk_entry *e)
{
	struct pk_claim claim = { e->id, e->version, e->manifest_size,
				  e->metadata_size };
	const char *rule, *fault;

	if (pk_match(text->bytes, text->size, &claim, &rule, &fault))
		return pk_fail_nomem(c->err);
	if (rule)
		damage(c, path, rule, fault);
	return 0;
}

/* What keeps an object from being read is told of the file where it is, which
 * may be that of a base. */
static int unreadable(struct check *c, const char *path, int rc,
		      struct pakhus_error *e)
{
	int is_base = rc == PAKHUS_ECORRUPT &&
		      strncmp(e->text, path, strlen(path)) != 0;
	char text[64 + PK_OBJPATH_SIZE];

	snprintf(text, sizeof(text),
		 "cannot be read, as its base %.*s is damaged",
		 PK_OBJPATH_SIZE - 1, e->text);
	rc = found(c, rc, e);
	if (!rc && is_base)
		damage(c, path, "F-17", text);
	return rc;
}

/* Asked only where it is missing, so that this does not depend on an index
 * that may be damaged too. */
static int is_purged(struct check *c, const unsigned char *hash)
{
	PK_VIEW v = PK_VIEW_INIT;
	struct pk_purged purged;

	return !pk_view_open(&v, c->store, NULL) &&
	       pk_index_purged(&v.txn, hash, &purged, NULL) == 1;
}

/* e: an entry that publishes it, or NULL. */
static int check_object(struct check *c, const unsigned char *hash,
			const struct pk_entry *entry)
{
	struct pakhus_error e = { .status = 0 };
	AUTO(pk_shared_auto) struct pk_shared *text = NULL;
	unsigned char own[PK_HASH_SIZE];
	char path[PK_OBJPATH_SIZE];
	int rc;

	if (pk_set_has(&c->bad, hash))
		return 0; /* told once, however often it was published */
	rc = pk_object_read(c->store->env->dir, c->cache, &c->kept, hash,
			    &text, &e);
	pk_objpath(hash, path);
	if (rc == PAKHUS_ECORRUPT &&
	    !pk_object_exists(c->store->env->dir, hash, NULL))
		rc = PAKHUS_ENOTFOUND; /* collected while it was read */
	if (rc == PAKHUS_ENOTFOUND)
		return pk_set_add(&c->gone, hash) < 0 ? pk_fail_nomem(c->err)
						      : 0;
	if (!rc && pk_sha256(text->bytes, text->size, own))
		return pk_fail_nomem(c->err);
	if (rc == PAKHUS_ENOTFOUND && is_purged(c, hash))
		return 0;
	if (rc || memcmp(own, hash, PK_HASH_SIZE)) {
		if (pk_set_add(&c->bad, hash) < 0)
			return pk_fail_nomem(c->err);
		if (rc)
			return unreadable(c, path, rc, &e);
		damage(c, path, "F-16", "the text's SHA-256 is not its name");
		return 0;
	}
	rc = pk_set_add(&c->texts, hash);
	if (rc < 0)
		return pk_fail_nomem(c->err);
	c->v->objects += (uint64_t)rc;
	c->v->bytes += rc ? text->size : 0;
	return entry ? check_document(c, path, text, entry) : 0;
}

/* ---- the log ---- */

/* Compares a tile with what the entries gave. */
static int check_tile(struct check *c, int level, uint64_t index,
		      unsigned width)
{
	struct pk_tile t = { level, index, width };
	char path[PK_TILE_PATH_SIZE + 4] = "log/";
	struct pakhus_error e = { .status = 0 };
	AUTO_FREE char *bytes = NULL;
	size_t size;
	int rc;

	pk_tile_path(&t, path + 4);
	rc = pk_read_file(c->store->env->dir, path, PK_TILE_WIDTH * PK_HASH_SIZE,
			  &bytes, &size, &e);
	if (rc == PAKHUS_ENOTFOUND) {
		damage(c, path, "F-32", "is missing");
		return 0;
	}
	if (rc)
		return found(c, rc, &e);
	if (size != width * (size_t)PK_HASH_SIZE ||
	    memcmp(bytes, c->tile[level], size))
		damage(c, path, "F-33", "is not the hashes of its entries");
	return 0;
}

static int add_node(void *arg, unsigned height, const unsigned char *hash)
{
	struct check *c = arg;
	unsigned level = height / 8;
	uint64_t at = ((c->edge->size + 1) >> height) - 1;
	unsigned place = at % PK_TILE_WIDTH;

	memcpy(c->tile[level] + place * PK_HASH_SIZE, hash, PK_HASH_SIZE);
	return place == PK_TILE_WIDTH - 1
		       ? check_tile(c, (int)level, at / PK_TILE_WIDTH,
				    PK_TILE_WIDTH)
		       : 0;
}

/* A key's place among others, or -1. */
static int find_key(const struct pk_keys *keys, const struct pk_vkey *k)
{
	for (size_t i = 0; i < keys->n; i++)
		if (!memcmp(keys->key[i].key, k->key, PK_PUBLIC_SIZE))
			return (int)i;
	return -1;
}

static int has_id(const struct pk_keys *keys, const char *id)
{
	char path[16], want[16];

	snprintf(want, sizeof(want), "keys/%.8s", id);
	for (size_t i = 0; i < keys->n; i++) {
		pk_log_key_path(&keys->key[i], path);
		if (!strcmp(path, want))
			return 1;
	}
	return 0;
}

/* The note of the rotation that an entry makes, which was added last. */
static int check_note(struct check *c, const struct pk_vkey *old,
		      const struct pk_vkey *k, uint64_t seq)
{
	struct pk_env *env = c->store->env;
	struct pakhus_error e = { .status = 0 };
	unsigned char root[PK_HASH_SIZE];
	AUTO_FREE char *note = NULL;
	char path[PK_NEXT_PATH];
	struct pk_checkpoint at;
	struct pk_vkey next;
	size_t size;
	int rc;

	pk_next_path(old, path);
	rc = pk_read_file(env->dir, path, PK_NOTE_MAX, &note, &size, &e);
	if (rc == PAKHUS_ENOTFOUND) {
		damage(c, path, "F-69", "is missing");
		return 0;
	}
	if (!rc)
		rc = pk_trust_next(old, env->format.origin, note, size, &next,
				   &at, &e);
	if (rc)
		return found(c, rc, &e);
	if (c->is_whole && pk_edge_root(c->edge, c->sha, root))
		return pk_fail_nomem(c->err);
	if (memcmp(next.key, k->key, PK_PUBLIC_SIZE) || at.size != seq + 1 ||
	    (c->is_whole && memcmp(at.root, root, PK_HASH_SIZE)))
		damage(c, path, "F-68", "is not of the log's rotation");
	return 0;
}

static int check_key(struct check *c, uint64_t seq,
		     const struct pk_entry *entry)
{
	struct pakhus_error e = { .status = 0 };
	struct pk_keys *chain = &c->chain;
	char path[64];
	struct pk_vkey k;
	int rc = pk_log_check_key(&c->store->env->format, seq, entry, &k, &e);

	if (rc)
		return found(c, rc, &e);
	pk_log_key_path(&k, path);
	if (find_key(&c->keys, &k) < 0)
		damage(c, path, "F-69", "is not the key that the log has");
	if (has_id(chain, path + 5) || chain->n == PK_KEYS_MAX) {
		snprintf(path, sizeof(path), "log entry %llu",
			 (unsigned long long)seq);
		damage(c, path, "F-67", "is a key that the log had before, or "
					"one too many");
		return 0;
	}
	if (chain->n)
		rc = check_note(c, &chain->key[chain->n - 1], &k, seq);
	chain->key[chain->n++] = k;
	return rc;
}

/* That the checkpoint was signed by the last of them. */
static void check_signer(struct check *c)
{
	const struct pk_keys *chain = &c->chain;
	int at = chain->n ? find_key(&c->keys, &chain->key[chain->n - 1]) : -1;

	if (chain->n && (at < 0 || !(c->checkpoint.by >> at & 1)))
		damage(c, "log/checkpoint", "F-38",
		       "the key in force at its size did not sign it");
}

static int check_entry(void *arg, uint64_t seq, const char *line, size_t size)
{
	struct check *c = arg;
	unsigned char leaf[PK_HASH_SIZE];
	struct pk_entry e;
	const char *fault = pk_entry_decode(line, size, &e);
	char path[64], rule[8];
	int rc = 0;

	if (fault == pk_entry_newer) {
		/* a later version's only if the tree has it */
		rc = pk_log_is_leaf(c->store->env->dir, c->sha,
				    c->checkpoint.size, seq, line, size, NULL);
		if (rc == 1)
			return pk_fail(c->err, PAKHUS_EVERSION,
				       "log entry %llu: %s",
				       (unsigned long long)seq, fault);
	}
	if (fault) {
		snprintf(path, sizeof(path), "log entry %llu",
			 (unsigned long long)seq);
		snprintf(rule, sizeof(rule), "%.4s", fault);
		damage(c, path, rule, fault + 5);
	}
	if (c->is_whole) {
		if (pk_leaf_hash(c->sha, line, size, leaf))
			return pk_fail_nomem(c->err);
		rc = pk_edge_add(c->edge, c->sha, leaf, add_node, c);
		if (rc)
			return rc == 1 ? pk_fail_nomem(c->err) : rc;
	}
	c->v->entries++;
	rc = pk_progress(c->store, "checking", seq + 1, c->checkpoint.size,
			 c->err);
	if (!rc && !fault && (!seq || e.op == PK_OP_KEY))
		rc = check_key(c, seq, &e);
	if (rc || fault || e.op != PK_OP_PUBLISH)
		return rc;
	return check_object(c, e.hash, &e);
}

static int check_root(struct check *c)
{
	unsigned char root[PK_HASH_SIZE];
	uint64_t size = c->checkpoint.size;
	int rc = 0;

	for (int level = 0; level < PK_TILE_LEVELS && !rc; level++) {
		uint64_t count = size >> 8 * level;

		if (count % PK_TILE_WIDTH)
			rc = check_tile(c, level, count / PK_TILE_WIDTH,
					count % PK_TILE_WIDTH);
	}
	if (rc)
		return rc;
	if (pk_edge_root(c->edge, c->sha, root))
		return pk_fail_nomem(c->err);
	if (memcmp(root, c->checkpoint.root, PK_HASH_SIZE))
		damage(c, "log/tile/entries", "F-39",
		       "the entries are not those that log/checkpoint signs");
	return 0;
}

/* Of what is gone, what a live version names: another set. */
struct missing {
	struct check *check;
	const struct pk_set *gone;
	struct pk_set live;
	struct pakhus_error *err;
};

static int add_missing(void *arg, const struct pk_live *live)
{
	struct missing *m = arg;

	if (pk_set_has(m->gone, live->hash) &&
	    pk_object_exists(m->check->store->env->dir, live->hash, NULL) !=
		    1 &&
	    pk_set_add(&m->live, live->hash) < 0)
		return pk_fail_nomem(m->err);
	return 0;
}

static int find_missing(struct missing *m, struct pk_index *ix,
			const struct pk_checkpoint *at)
{
	AUTO(pk_txn_end) struct pk_txn t = PK_TXN_INIT;
	int rc = pk_replay(m->check->store, ix, at, m->err);

	if (!rc)
		rc = pk_txn_read(&t, ix, m->err);
	return rc ? rc : pk_index_each_live(&t, add_missing, m, m->err);
}

static void tell_missing(struct check *c, const struct pk_set *missing)
{
	static const unsigned char none[PK_HASH_SIZE];
	char path[PK_OBJPATH_SIZE];

	for (size_t i = 0; i < missing->cap; i++) {
		if (!memcmp(missing->slot[i], none, PK_HASH_SIZE))
			continue;
		pk_objpath(missing->slot[i], path);
		damage(c, path, "F-11", "is missing");
	}
}

/* What no live version needs may be missing (F-85). What is live follows
 * from the log, not from an index that may be damaged; where the log is, it
 * is not known. */
static int check_missing(struct check *c)
{
	struct pk_env *env = c->store->env;
	struct pakhus_error e = { .status = 0 };
	struct missing then = { c, &c->gone, { NULL, 0, 0 }, &e };
	struct missing now = { c, &then.live, { NULL, 0, 0 }, &e };
	struct pk_checkpoint newest;
	struct pk_index *ix = NULL;
	int rc = c->gone.n ? pk_index_open(&ix, -1, &e) : 0;

	if (!rc && ix)
		rc = find_missing(&then, ix, &c->checkpoint);
	if (!rc && then.live.n)
		rc = pk_keys_checkpoint(env, 0, &newest, &e);
	/* what was collected since that checkpoint is not live at this one */
	if (!rc && then.live.n)
		rc = find_missing(&now, ix, &newest);
	if (!rc)
		tell_missing(c, &now.live);
	pk_index_close(ix);
	pk_set_release(&then.live);
	pk_set_release(&now.live);
	return !rc || (rc == PAKHUS_ECORRUPT && c->v->damages)
		       ? 0
		       : found(c, rc, &e);
}

static int check_log(struct check *c)
{
	uint64_t size = c->checkpoint.size;

	for (uint64_t from = 0; from < size; from += PK_TILE_WIDTH) {
		struct pakhus_error e = { .status = 0 };
		uint64_t to = from + PK_TILE_WIDTH < size ? from + PK_TILE_WIDTH
							  : size;
		int rc = pk_log_walk(c->store->env->dir, size, from, to,
				     check_entry, c, &e);

		if (!rc)
			continue;
		if (!e.status) /* of a callback, which filled c->err */
			return rc;
		c->is_whole = 0;
		rc = found(c, rc, &e);
		if (rc)
			return rc;
	}
	check_signer(c);
	return c->is_whole ? check_root(c) : 0;
}

/* ---- what else lies in the tree ---- */

typedef int file_fn(struct check *c, const char *path);

/* 1, or 0 where that was told as damage, or a failure. */
static int open_dir(struct check *c, const char *path, DIR **out)
{
	int fd = openat(c->store->env->dir, path,
			O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW), rc;

	if (fd < 0 && (errno == ENOENT || errno == ENOTDIR || errno == ELOOP ||
		       errno == EACCES)) {
		damage(c, path, "F-43", "is no directory that can be read");
		return 0;
	}
	*out = fd < 0 ? NULL : fdopendir(fd);
	if (*out)
		return 1;
	rc = pk_fail_sys(c->err, "%s", path);
	pk_auto_close(&fd);
	return rc;
}

/* 1, or 0 where it is gone meanwhile, or a failure. */
static int look_at(struct check *c, DIR *d, const char *path, const char *name,
		   struct stat *st)
{
	if (!fstatat(dirfd(d), name, st, AT_SYMLINK_NOFOLLOW))
		return 1;
	return errno == ENOENT ? 0 : pk_fail_sys(c->err, "%s", path);
}

/* Calls fn for every file below a directory, hidden ones aside. */
static int each_file(struct check *c, const char *path, int depth, file_fn *fn)
{
	const char *name;
	DIR *d;
	int rc = open_dir(c, path, &d);

	if (rc <= 0)
		return rc;
	while ((rc = pk_readdir(d, path, &name, c->err)) == 1) {
		char sub[512];
		struct stat st;

		if (*name == '.' ||
		    snprintf(sub, sizeof(sub), "%s/%s", path, name) >=
			    (int)sizeof(sub))
			continue;
		rc = look_at(c, d, sub, name, &st);
		if (rc == 1 && S_ISDIR(st.st_mode) && depth)
			rc = each_file(c, sub, depth - 1, fn);
		else if (rc == 1 && S_ISREG(st.st_mode))
			rc = fn(c, sub);
		else if (rc == 1)
			damage(c, sub, "F-43", "does not belong here");
		if (rc < 0)
			break;
	}
	closedir(d);
	return rc;
}

/* An object that the log does not name is no damage: its publish may have
 * been interrupted, or wait in the journal. Yet it must be one. */
static int other_object(struct check *c, const char *path)
{
	unsigned char hash[PK_HASH_SIZE];
	char own[PK_OBJPATH_SIZE];

	if (pk_objpath_parse(path, hash)) {
		damage(c, path, "F-11", "is not an object's name");
		return 0;
	}
	pk_objpath(hash, own);
	if (strcmp(own, path)) {
		damage(c, path, "F-11", "is not an object's name");
		return 0;
	}
	return pk_set_has(&c->texts, hash) ? 0 : check_object(c, hash, NULL);
}

/* Whether a bundle's bytes are so many entries. */
static int is_bundle(const char *bytes, size_t size, unsigned n)
{
	struct pk_bytes b = { (const unsigned char *)bytes, size }, line;

	while (n && pk_bundle_next(&b, &line) == 1)
		n--;
	return !n && !b.left;
}

/* Of a partial tile or bundle, whether it is how the longer one begins. */
static int check_prefix(struct check *c, const char *path,
			const struct pk_tile *t, uint64_t count)
{
	struct pk_tile longer = { t->level, t->index, PK_TILE_WIDTH };
	char whole[PK_TILE_PATH_SIZE + 4] = "log/";
	AUTO_FREE char *a = NULL;
	AUTO_FREE char *b = NULL;
	struct pakhus_error e = { .status = 0 };
	size_t an, bn, max = (size_t)PK_TILE_WIDTH * (2 + UINT16_MAX);
	int dir = c->store->env->dir, rc;

	if (count / PK_TILE_WIDTH == t->index)
		longer.width = count % PK_TILE_WIDTH;
	pk_tile_path(&longer, whole + 4);
	rc = pk_read_file(dir, path, max, &a, &an, &e);
	if (rc)
		return rc == PAKHUS_ENOTFOUND ? 0 : found(c, rc, &e);
	if (pk_read_file(dir, whole, max, &b, &bn, &e))
		return 0; /* told already */
	if (an > bn || memcmp(a, b, an) ||
	    (t->level == PK_TILE_ENTRIES
		     ? !is_bundle(a, an, t->width)
		     : an != t->width * (size_t)PK_HASH_SIZE))
		damage(c, path, t->level < 0 ? "F-31" : "F-33",
		       "is not how the longer one begins");
	return 0;
}

/* A key that the log does not name says nothing; a note must be of one that
 * it does. That of the key in force is of a rotation that is not in the tree
 * yet. */
static int other_note(struct check *c, const char *path)
{
	const struct pk_keys *chain = &c->chain;
	AUTO_FREE char *note = NULL;
	char own[PK_NEXT_PATH];
	struct pakhus_error e = { .status = 0 };
	struct pk_checkpoint at;
	struct pk_vkey next;
	size_t size;
	int rc;

	if (!strchr(path, '.') || !chain->n)
		return 0;
	pk_next_path(&chain->key[chain->n - 1], own);
	if (strcmp(path, own)) {
		if (!has_id(chain, path + 5))
			damage(c, path, "F-69", "is of no key of the log");
		return 0;
	}
	rc = pk_read_file(c->store->env->dir, path, PK_NOTE_MAX, &note, &size,
			  &e);
	if (!rc)
		rc = pk_trust_next(&chain->key[chain->n - 1],
				   c->store->env->format.origin, note, size,
				   &next, &at, &e);
	if (rc)
		return rc == PAKHUS_ENOTFOUND ? 0 : found(c, rc, &e);
	if (at.size <= c->checkpoint.size)
		damage(c, path, "F-68", "is not of the log's rotation");
	return 0;
}

static int other_tile(struct check *c, const char *path)
{
	uint64_t count = c->checkpoint.size, end;
	struct pk_tile t;

	if (pk_tile_parse(path + strlen("log/"), &t)) {
		damage(c, path, "F-32", "is not a tile's name");
		return 0;
	}
	if (t.level > 0)
		count >>= 8 * t.level;
	end = t.index * PK_TILE_WIDTH + t.width;
	/* what goes beyond the checkpoint was written for the next one;
	 * what is its own was checked */
	if (end >= count || t.width == PK_TILE_WIDTH)
		return 0;
	return check_prefix(c, path, &t, count);
}

/* What may stand at the top and in log/, as files or directories (F-43). */
static int check_names(struct check *c, const char *path,
		       const char *const *dirs,
		       const char *const *files)
{
	const char *found;
	DIR *d;
	int rc = open_dir(c, path, &d);

	if (rc <= 0)
		return rc;
	while ((rc = pk_readdir(d, path, &found, c->err)) == 1) {
		const char *const *name;
		struct stat st;

		if (*found == '.')
			continue;
		rc = look_at(c, d, found, found, &st);
		if (rc < 0)
			break;
		if (!rc)
			continue;
		name = S_ISDIR(st.st_mode) ? dirs : files;
		while (*name && strcmp(*name, found))
			name++;
		if (!*name || (!S_ISDIR(st.st_mode) && !S_ISREG(st.st_mode)))
			damage(c, found, "F-43", "does not belong here");
	}
	closedir(d);
	return rc;
}

static int check_tree(struct check *c)
{
	static const char *const top[] = { "objects", "log", "keys", "pkg",
					   "local", "lost+found", NULL };
	static const char *const format[] = { "FORMAT", NULL };
	static const char *const log[] = { "tile", NULL };
	static const char *const checkpoint[] = { "checkpoint", NULL };
	int rc = check_names(c, ".", top, format);

	if (!rc)
		rc = check_names(c, "log", log, checkpoint);
	if (!rc)
		rc = each_file(c, "objects", 1, other_object);
	if (!rc && c->checkpoint.size)
		rc = each_file(c, "keys", 0, other_note);
	if (!rc && c->checkpoint.size)
		rc = each_file(c, "log/tile", 12, other_tile);
	return rc;
}

/* ---- what was purged ---- */

static int check_gone(void *arg, const unsigned char *hash,
		      const struct pk_purged *purged)
{
	struct check *c = arg;
	char path[PK_OBJPATH_SIZE];
	int rc = 0;

	if (purged->seq < c->purged)
		rc = pk_object_exists(c->store->env->dir, hash, c->err);
	pk_objpath(hash, path);
	if (rc == 1)
		damage(c, path, "F-92", "was purged, and is there");
	return rc < 0 ? rc : 0;
}

/* What the index does not know of it is found where it is compared. */
static int check_purged(struct check *c)
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
static int check_journal(struct check *c)
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
			rc = found(c, rc, &e);
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
	damage(arg, "local/index", name, text);
}

#define AGAIN 1

/* Makes another index in memory and holds the two against each other. The
 * integrate lock keeps the checkpoint where it is. AGAIN: the index was
 * replaced before it was held. */
static int compare_index(struct check *c, struct pk_index *ix)
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
		return e.status ? found(c, rc, &e) : rc;
	if (!rc && v.txn.stamp.live != want.stamp.live)
		damage(c, "local/index", "F-65",
		       "the number of live versions is wrong");
	if (!rc && (v.txn.stamp.since != want.stamp.since ||
		    memcmp(v.txn.stamp.key, want.stamp.key, PK_PUBLIC_SIZE)))
		damage(c, "local/index", "F-66",
		       "the key in force is not the log's");
	return 0;
}

static int check_index(struct check *c)
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

static int check_files(struct check *c)
{
	int rc = check_format(c);

	if (!rc)
		rc = check_checkpoint(c);
	if (!rc && c->checkpoint.size)
		rc = check_log(c);
	if (!rc)
		rc = check_missing(c);
	if (!rc)
		rc = check_tree(c);
	if (!rc)
		rc = check_purged(c);
	if (!rc && c->store->env->has_local)
		rc = check_journal(c);
	return rc;
}

static int verify(struct pakhus *s, struct pakhus_verify *v,
		  struct pakhus_error *err)
{
	AUTO(check_release) struct check c = { .store = s, .v = v, .err = err,
					       .is_whole = 1 };
	int rc = 0;

	c.cache = pk_cache_new(CACHE_SIZE);
	c.sha = pk_sha_new();
	c.edge = calloc(1, sizeof(*c.edge));
	c.tile = calloc(PK_TILE_LEVELS, sizeof(*c.tile));
	if (!c.cache || !c.sha || !c.edge || !c.tile)
		return pk_fail_nomem(err);
	if (!v->flags || v->flags & PAKHUS_VERIFY_FILES)
		rc = check_files(&c);
	if (!rc && (!v->flags || v->flags & PAKHUS_VERIFY_INDEX))
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
