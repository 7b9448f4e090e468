/* tile.h - where tiles and entry bundles stand, and what a bundle holds
 * (C2SP tlog-tiles; F-30 to F-33).
 *
 * Paths are below log/. A tile of level L covers 256 hashes of level 8L of
 * the Merkle tree of RFC 6962; a bundle covers 256 entries.
 */
#ifndef PK_TILE_H
#define PK_TILE_H

#include "bytes.h"

#define PK_TILE_WIDTH 256
#define PK_TILE_PATH_SIZE 64
#define PK_TILE_ENTRIES (-1) /* as a level: an entry bundle */
#define PK_TILE_LEVELS 8     /* 256^8 entries are enough */

struct pk_tile {
	int level; /* PK_TILE_ENTRIES, or 0 to PK_TILE_LEVELS - 1 */
	uint64_t index;
	unsigned width; /* 1 to 256 */
};

void pk_tile_path(const struct pk_tile *t, char out[PK_TILE_PATH_SIZE]);
/* Takes exactly what pk_tile_path() gives; 0, or -1. */
int pk_tile_parse(const char *path, struct pk_tile *t);

/* One entry of a bundle: 1 and *line set, 0 at the end, -1 where the length
 * promises more than is there (F-30). */
int pk_bundle_next(struct pk_bytes *b, struct pk_bytes *line);
/* Appends to out, which has room for size + 2; gives size + 2. */
size_t pk_bundle_put(unsigned char *out, const void *line, size_t size);

#endif
