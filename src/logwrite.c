#include "logwrite.h"
#include "auto.h"
#include "io.h"
#include "tmpfile.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <time.h>

#define PARTIAL_AGE 3600 /* seconds, F-33 */

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
		rc = pk_log_hashes(dir, n, level, count >> 8, w->width[level],
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

		rc = pk_log_tile(dir, &t, (char **)&w->bundle,
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
