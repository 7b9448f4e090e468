/* verify_log.c - the log held against what its checkpoint signs: bundles,
 * tiles, keys, and the objects that its entries name.
 */
#include "verify.h"
#include "io.h"
#include "trust.h"

#include <stdio.h>

#define AT_ONCE 4096 /* entries, whose objects are looked at together */

/* Compares a tile with what the entries gave. */
static int check_tile(struct pk_check *c, int level, uint64_t index,
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
		pk_check_damage(c, path, "F-32", "is missing");
		return 0;
	}
	if (rc)
		return pk_check_found(c, rc, &e);
	if (size != width * (size_t)PK_HASH_SIZE ||
	    memcmp(bytes, c->tile[level], size))
		pk_check_damage(c, path, "F-33", "is not the hashes of its entries");
	return 0;
}

static int add_node(void *arg, unsigned height, const unsigned char *hash)
{
	struct pk_check *c = arg;
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

int pk_check_known(struct pk_check *c, struct pk_checkpoint *out,
		   struct pakhus_error *err)
{
	struct pk_env *env = c->store->env;
	int rc = pk_keys_read(env, err), at;

	if (rc)
		return rc;
	*out = c->checkpoint;
	out->by = 0;
	pthread_mutex_lock(&env->keys_lock);
	for (size_t i = 0; i < c->keys.n; i++) {
		if (!(c->checkpoint.by >> i & 1))
			continue;
		at = find_key(&env->keys, &c->keys.key[i]);
		if (at >= 0)
			out->by |= UINT64_C(1) << at;
	}
	pthread_mutex_unlock(&env->keys_lock);
	return 0;
}

int pk_check_has_id(const struct pk_keys *keys, const char *id)
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
static int check_note(struct pk_check *c, const struct pk_vkey *old,
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
		pk_check_damage(c, path, "F-69", "is missing");
		return 0;
	}
	if (!rc)
		rc = pk_trust_next(old, env->format.origin, note, size, &next,
				   &at, &e);
	if (rc)
		return pk_check_found(c, rc, &e);
	if (c->is_whole && pk_edge_root(c->edge, c->sha, root))
		return pk_fail_nomem(c->err);
	if (memcmp(next.key, k->key, PK_PUBLIC_SIZE) || at.size != seq + 1 ||
	    (c->is_whole && memcmp(at.root, root, PK_HASH_SIZE)))
		pk_check_damage(c, path, "F-68", "is not of the log's rotation");
	return 0;
}

static int check_key(struct pk_check *c, uint64_t seq,
		     const struct pk_entry *entry)
{
	struct pakhus_error e = { .status = 0 };
	struct pk_keys *chain = &c->chain;
	char path[64];
	struct pk_vkey k;
	int rc = pk_log_check_key(&c->store->env->format, seq, entry, &k, &e);

	if (rc)
		return pk_check_found(c, rc, &e);
	pk_log_key_path(&k, path);
	if (find_key(&c->keys, &k) < 0)
		pk_check_damage(c, path, "F-69", "is not the key that the log has");
	if (pk_check_has_id(chain, path + 5) || chain->n == PK_KEYS_MAX) {
		snprintf(path, sizeof(path), "log entry %llu",
			 (unsigned long long)seq);
		pk_check_damage(c, path, "F-67",
				"is a key that the log had before, or one too "
				"many");
		return 0;
	}
	if (chain->n)
		rc = check_note(c, &chain->key[chain->n - 1], &k, seq);
	chain->key[chain->n++] = k;
	return rc;
}

/* That the checkpoint was signed by the last of them. */
static void check_signer(struct pk_check *c)
{
	const struct pk_keys *chain = &c->chain;
	int at = chain->n ? find_key(&c->keys, &chain->key[chain->n - 1]) : -1;

	if (chain->n && (at < 0 || !(c->checkpoint.by >> at & 1)))
		pk_check_damage(c, "log/checkpoint", "F-38",
		       "the key in force at its size did not sign it");
}

static int check_entry(void *arg, uint64_t seq, const char *line, size_t size)
{
	struct pk_check *c = arg;
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
		pk_check_damage(c, path, rule, fault + 5);
	}
	if (c->is_whole) {
		if (pk_leaf_hash(c->sha, line, size, leaf))
			return pk_fail_nomem(c->err);
		rc = pk_edge_add(c->edge, c->sha, leaf, add_node, c);
		if (rc)
			return rc == 1 ? pk_fail_nomem(c->err) : rc;
	}
	c->v->entries++;
	if (!fault && (!seq || e.op == PK_OP_KEY))
		rc = check_key(c, seq, &e);
	if (!rc && !fault && pk_entry_has_text(&e) && !c->is_quick)
		rc = pk_check_object(c, e.hash, &e);
	if (rc || (!pk_check_is_full(c) && seq + 1 - c->looked < AT_ONCE))
		return rc;
	c->looked = seq + 1;
	return pk_check_gathered(c, "checking", seq + 1, c->checkpoint.size);
}

static int check_root(struct pk_check *c)
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
		pk_check_damage(c, "log/tile/entries", "F-39",
		       "the entries are not those that log/checkpoint signs");
	return 0;
}

int pk_check_log(struct pk_check *c)
{
	uint64_t size = c->checkpoint.size;
	int rc;

	for (uint64_t from = 0; from < size; from += PK_TILE_WIDTH) {
		struct pakhus_error e = { .status = 0 };
		uint64_t to = from + PK_TILE_WIDTH < size ? from + PK_TILE_WIDTH
							  : size;

		rc = pk_log_walk(c->store->env->dir, size, from, to,
				 check_entry, c, &e);
		if (!rc)
			continue;
		if (!e.status) /* of a callback, which filled c->err */
			return rc;
		c->is_whole = 0;
		rc = pk_check_found(c, rc, &e);
		if (rc)
			return rc;
	}
	rc = pk_check_gathered(c, "checking", size, size);
	if (rc)
		return rc;
	check_signer(c);
	return c->is_whole ? check_root(c) : 0;
}
