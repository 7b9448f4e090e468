/* verify_tree.c - what lies in the tree besides what the log names (F-43).
 */
#include "verify.h"
#include "io.h"
#include "objpath.h"
#include "trust.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>

typedef int file_fn(struct pk_check *c, const char *path);

/* 1, or 0 where that was told as damage, or a failure. */
static int open_dir(struct pk_check *c, const char *path, DIR **out)
{
	*out = pk_opendir(c->store->env->dir, path, O_NOFOLLOW);
	if (*out)
		return 1;
	if (errno == ENOENT || errno == ENOTDIR || errno == ELOOP ||
	    errno == EACCES) {
		pk_check_damage(c, path, "F-43", "is no directory that can be read");
		return 0;
	}
	return pk_fail_sys(c->err, "%s", path);
}

/* 1, or 0 where it is gone meanwhile, or a failure. */
static int look_at(struct pk_check *c, DIR *d, const char *path,
		   const char *name, struct stat *st)
{
	if (!fstatat(dirfd(d), name, st, AT_SYMLINK_NOFOLLOW))
		return 1;
	return errno == ENOENT ? 0 : pk_fail_sys(c->err, "%s", path);
}

/* In the place of an object that a repair knows of. */
static int is_wanted(const struct pk_check *c, const char *path)
{
	unsigned char hash[PK_HASH_SIZE];

	return c->wants && !pk_objpath_parse(path, hash) &&
	       pk_wants_find(c->wants, hash);
}

/* Calls fn for every file below a directory, hidden ones aside. */
static int each_file(struct pk_check *c, const char *path, int depth,
		     file_fn *fn)
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
		else if (rc == 1 && !is_wanted(c, sub))
			pk_check_damage(c, sub, "F-43", "does not belong here");
		if (rc < 0)
			break;
	}
	closedir(d);
	return rc;
}

static int list_other(struct pk_check *c, const unsigned char *hash)
{
	if (c->others == c->others_cap) {
		size_t cap = c->others_cap ? 2 * c->others_cap : 64;
		void *p = realloc(c->other, cap * PK_HASH_SIZE);

		if (!p)
			return pk_fail_nomem(c->err);
		c->other = p;
		c->others_cap = cap;
	}
	memcpy(c->other[c->others++], hash, PK_HASH_SIZE);
	return 0;
}

/* An object that the log does not name is no damage: its publish may have
 * been interrupted, or wait in the journal. Yet it must be one. */
static int other_object(struct pk_check *c, const char *path)
{
	unsigned char hash[PK_HASH_SIZE];
	char own[PK_OBJPATH_SIZE];

	if (pk_objpath_parse(path, hash)) {
		pk_check_damage(c, path, "F-11", "is not an object's name");
		return 0;
	}
	pk_objpath(hash, own);
	if (strcmp(own, path)) {
		pk_check_damage(c, path, "F-11", "is not an object's name");
		return 0;
	}
	return pk_set_has(&c->texts, hash) ? 0 : list_other(c, hash);
}

static int by_hash(const void *a, const void *b)
{
	return memcmp(a, b, PK_HASH_SIZE);
}

static int check_others(struct pk_check *c)
{
	int rc = each_file(c, "objects", 1, other_object);

	if (c->others)
		qsort(c->other, c->others, PK_HASH_SIZE, by_hash);
	for (size_t i = 0; i < c->others && !rc; i++) {
		rc = pk_check_object(c, c->other[i], NULL);
		if (!rc && (pk_check_is_full(c) || i + 1 == c->others))
			rc = pk_check_gathered(c, "checking other objects",
					       i + 1, c->others);
	}
	return rc;
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
static int check_prefix(struct pk_check *c, const char *path,
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
		return rc == PAKHUS_ENOTFOUND ? 0 : pk_check_found(c, rc, &e);
	if (pk_read_file(dir, whole, max, &b, &bn, &e))
		return 0; /* told already */
	if (an > bn || memcmp(a, b, an) ||
	    (t->level == PK_TILE_ENTRIES
		     ? !is_bundle(a, an, t->width)
		     : an != t->width * (size_t)PK_HASH_SIZE))
		pk_check_damage(c, path, t->level < 0 ? "F-31" : "F-33",
		       "is not how the longer one begins");
	return 0;
}

/* A key that the log does not name says nothing; a note must be of one that
 * it does. That of the key in force is of a rotation that is not in the tree
 * yet. */
static int other_note(struct pk_check *c, const char *path)
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
		if (!pk_check_has_id(chain, path + 5))
			pk_check_damage(c, path, "F-69", "is of no key of the log");
		return 0;
	}
	rc = pk_read_file(c->store->env->dir, path, PK_NOTE_MAX, &note, &size,
			  &e);
	if (!rc)
		rc = pk_trust_next(&chain->key[chain->n - 1],
				   c->store->env->format.origin, note, size,
				   &next, &at, &e);
	if (rc)
		return rc == PAKHUS_ENOTFOUND ? 0 : pk_check_found(c, rc, &e);
	if (at.size <= c->checkpoint.size)
		pk_check_damage(c, path, "F-68", "is not of the log's rotation");
	return 0;
}

static int other_tile(struct pk_check *c, const char *path)
{
	uint64_t count = c->checkpoint.size, end;
	struct pk_tile t;

	if (pk_tile_parse(path + strlen("log/"), &t)) {
		pk_check_damage(c, path, "F-32", "is not a tile's name");
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
static int check_names(struct pk_check *c, const char *path,
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
			pk_check_damage(c, found, "F-43", "does not belong here");
	}
	closedir(d);
	return rc;
}

int pk_check_tree(struct pk_check *c)
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
		rc = check_others(c);
	if (!rc && c->checkpoint.size)
		rc = each_file(c, "keys", 0, other_note);
	if (!rc && c->checkpoint.size)
		rc = each_file(c, "log/tile", 12, other_tile);
	return rc;
}

