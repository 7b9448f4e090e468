/* logwrite.h - bundles and tiles, written.
 *
 * pk_log_open_writer() at the installed checkpoint, _add() per entry,
 * _finish() which has everything synced and gives the new root; then
 * pk_log_sign() and pk_log_install().
 */
#ifndef PK_LOGWRITE_H
#define PK_LOGWRITE_H

#include "log.h"

/* Directories to be synced, each once. */
#define PK_DIRS_MAX 32
struct pk_dirs {
	size_t n;
	char path[PK_DIRS_MAX][PK_TILE_PATH_SIZE + 8];
};

struct pk_log_writer {
	int dir;
	struct pk_sha *sha;
	struct pk_edge edge;
	uint64_t from; /* entries at the beginning */
	unsigned char *bundle; /* of the entries since a multiple of 256 */
	size_t bundle_size, bundle_cap;
	unsigned char (*tile)[PK_TILE_WIDTH * PK_HASH_SIZE]; /* by level */
	unsigned width[PK_TILE_LEVELS];
	int is_dirty[PK_TILE_LEVELS];
	struct pk_dirs dirs;
	struct pakhus_error *err;
};
/* PAKHUS_ECORRUPT when tiles and checkpoint disagree. */
int pk_log_open_writer(struct pk_log_writer *w, int dir,
		       const struct pk_checkpoint *at,
		       struct pakhus_error *err);
int pk_log_add(struct pk_log_writer *w, const void *line, size_t size);
int pk_log_finish(struct pk_log_writer *w,
		  unsigned char root[PK_HASH_SIZE]);
void pk_log_close_writer(struct pk_log_writer *w);

/* Removes partial tiles and bundles that are neither of the checkpoint of
 * size entries nor younger than an hour (F-33). */
void pk_log_prune(int dir, uint64_t size);

#endif
