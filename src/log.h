/* log.h - the signed log as it is read, bundles, tiles and keys, and its
 * checkpoint, read and installed.
 *
 * Everything below log/ but the checkpoint is written once under its name
 * and never changed.
 */
#ifndef PK_LOG_H
#define PK_LOG_H

#include "entry.h"
#include "format.h"
#include "merkle.h"
#include "sign.h"
#include "tile.h"

/* The keys that a store names in keys/, at most so many. */
#define PK_KEYS_MAX 64
struct pk_keys {
	size_t n;
	struct pk_vkey key[PK_KEYS_MAX];
};
int pk_log_keys(int dir, struct pk_keys *keys, struct pakhus_error *err);
/* keys/<id>, the path of a key's file. */
void pk_log_key_path(const struct pk_vkey *k, char out[16]);

/* Reads log/checkpoint; PAKHUS_ECORRUPT unless one of the keys signed it
 * and it is the origin's. out->by says which of them did; whether that was
 * the one in force (F-67) only the log can say. */
int pk_log_checkpoint(int dir, const char *origin, const struct pk_keys *keys,
		      struct pk_checkpoint *out, struct pakhus_error *err);
/* The same, with the note itself, which is the caller's to free. is_here:
 * without the arithmetic where local/last-signed is that note. */
int pk_log_note(int dir, const char *origin, const struct pk_keys *keys,
		int is_here, struct pk_checkpoint *out, char **note,
		size_t *size, struct pakhus_error *err);

/* Whether an entry that is a key, or the first of a log, ties the log to
 * FORMAT and gives a key of its origin (F-23, F-67). */
int pk_log_check_key(const struct pk_format *format, uint64_t seq,
		     const struct pk_entry *e, struct pk_vkey *k,
		     struct pakhus_error *err);

/* Reads the file of a tile or bundle; where it is partial and gone, the
 * full one does as well (F-33), and *t says so. The path is left in path. */
int pk_log_tile(int dir, struct pk_tile *t, char **out, size_t *size,
		char path[PK_TILE_PATH_SIZE + 4], struct pakhus_error *err);
/* At least n hashes of a tile, from the first on; its file is as wide as
 * the log of so many entries makes it. */
int pk_log_hashes(int dir, uint64_t entries, int level, uint64_t index,
		  unsigned n, char **out, struct pakhus_error *err);

/* Calls fn for the entries from..to-1 of a log of size entries, in order.
 * What fn returns other than 0 ends the walk and is returned. */
typedef int pk_log_fn(void *arg, uint64_t seq, const char *line, size_t size);
int pk_log_walk(int dir, uint64_t size, uint64_t from, uint64_t to,
		pk_log_fn *fn, void *arg, struct pakhus_error *err);
/* The same for who shows them: what fn gets is held against the tile of level
 * 0. */
int pk_log_read(int dir, uint64_t size, uint64_t from, uint64_t to,
		pk_log_fn *fn, void *arg, struct pakhus_error *err);

/* Whether the tile of level 0 has this as the hash of an entry: 1, 0, or a
 * failure. Tells an entry of a later version from a damaged one. */
int pk_log_is_leaf(int dir, struct pk_sha *sha, uint64_t size, uint64_t seq,
		   const char *line, size_t n, struct pakhus_error *err);

/* Hashes of the tree out of the tiles of a log of `of` entries; the tile
 * that was read last is kept. */
struct pk_hashes {
	int dir;
	struct pk_sha *sha;
	uint64_t of;
	char *tile; /* NULL, or the index-th of a level */
	int level;
	uint64_t index;
};
/* The root of the complete subtree over the 2^height entries from index *
 * 2^height on, all of which the log has. */
int pk_log_subtree(struct pk_hashes *h, unsigned height, uint64_t index,
		   unsigned char out[PK_HASH_SIZE], struct pakhus_error *err);
void pk_hashes_release(struct pk_hashes *h);

/* The right edge of the tree of size entries, from the tiles of a log of at
 * least as many. */
int pk_log_edge(int dir, struct pk_sha *sha, uint64_t size, uint64_t of,
		struct pk_edge *e, struct pakhus_error *err);

/* The note of a checkpoint. */
#define PK_CHECKPOINT_NOTE (PK_CHECKPOINT_SIZE + 1 + PK_SIGNATURE_LINE)
int pk_log_sign(const struct pk_checkpoint *c, const struct pk_signer *signer,
		char out[PK_CHECKPOINT_NOTE], size_t *size,
		struct pakhus_error *err);
/* Replaces log/checkpoint and syncs its directory. */
int pk_log_install(int dir, const char *note, size_t size,
		   struct pakhus_error *err);

#endif
