/* verify.h - one check of a store, and what its parts share:
 *
 *	verify.c          the order; FORMAT, checkpoint, journal, index
 *	verify_log.c      bundles, tiles, keys
 *	verify_objects.c  objects
 *	verify_tree.c     what else lies in the tree
 *
 * They give 0 or a failure; damage is told, and no failure.
 */
#ifndef PK_VERIFY_H
#define PK_VERIFY_H

#include "set.h"
#include "store.h"

struct pk_check {
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

/* ---- verify.c ---- */

void pk_check_damage(struct pk_check *c, const char *path, const char *rule,
		     const char *text);
/* An error of the library as damage: "path: F-n sentence". Gives what is
 * no damage (memory, the system, a newer format) back as a failure. */
int pk_check_found(struct pk_check *c, int rc, struct pakhus_error *e);

/* ---- verify_log.c ---- */

int pk_check_log(struct pk_check *c);
/* Whether one of the keys has these 8 digits as its id. */
int pk_check_has_id(const struct pk_keys *keys, const char *id);

/* ---- verify_objects.c ---- */

/* entry: one that publishes it, or NULL. */
int pk_check_object(struct pk_check *c, const unsigned char *hash,
		    const struct pk_entry *entry);
/* What no live version needs may be missing (F-85). */
int pk_check_missing(struct pk_check *c);

/* ---- verify_tree.c ---- */

int pk_check_tree(struct pk_check *c);

#endif
