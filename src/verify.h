/* verify.h - one check of a store, and what its parts share:
 *
 *	verify.c          the order; FORMAT, checkpoint, journal, index
 *	verify_log.c      bundles, tiles, keys
 *	verify_objects.c  objects
 *	verify_live.c     what has to be there
 *	verify_tree.c     what else lies in the tree
 *
 * They give 0 or a failure; damage is told, and no failure.
 */
#ifndef PK_VERIFY_H
#define PK_VERIFY_H

#include "mirror.h"
#include "set.h"
#include "store.h"

struct pk_check {
	struct pakhus *store;
	struct pakhus_verify *v;
	struct pakhus_error *err;
	struct pk_checkpoint checkpoint;
	struct pk_keys keys; /* as found in keys/ */
	struct pk_keys chain; /* of the log's entries, one after the other */
	int is_quick; /* nothing is decoded */
	struct pk_gathered *gathered; /* of verify_objects.c */
	uint64_t looked, live; /* of what is counted for progress */
	struct pk_sha *sha;
	struct pk_edge *edge;
	int is_whole; /* every bundle so far could be read */
	unsigned char (*tile)[PK_TILE_WIDTH * PK_HASH_SIZE];
	struct pk_set texts; /* that the log names, and are sound */
	struct pk_set bad;   /* those that could not be read */
	uint64_t purged;     /* entries whose purges are carried out */
	struct pk_set told;  /* those that damage was told of */
	struct pk_set gone;  /* those that are missing */
	/* Or NULL: objects that are damaged, or missing and live, are not
	 * told of but put on this list, with their sizes where the log has
	 * them; is_placed where their own file is as it should be. */
	struct pk_wants *wants;
	unsigned char (*other)[PK_HASH_SIZE]; /* objects the log has not */
	size_t others, others_cap;
};

/* ---- verify.c ---- */

/* Set the first three members before, the rest 0. */
int pk_check_open(struct pk_check *c);
void pk_check_release(struct pk_check *c);
/* Everything but the index. */
int pk_check_files(struct pk_check *c);

void pk_check_damage(struct pk_check *c, const char *path, const char *rule,
		     const char *text);
/* An error of the library as damage: "path: F-n sentence". Gives what is
 * no damage (memory, the system, a newer format) back as a failure. */
int pk_check_found(struct pk_check *c, int rc, struct pakhus_error *e);

/* ---- verify_log.c ---- */

int pk_check_log(struct pk_check *c);
/* The checkpoint that was read, with its signers as the environment numbers
 * its keys: not as keys/ lists them now. */
int pk_check_known(struct pk_check *c, struct pk_checkpoint *out,
		   struct pakhus_error *err);
/* Whether one of the keys has these 8 digits as its id. */
int pk_check_has_id(const struct pk_keys *keys, const char *id);

/* ---- verify_objects.c ---- */

int pk_check_begin(struct pk_check *c);
void pk_check_end(struct pk_check *c);
/* Gathers one, unless it is full; entry: one that publishes it, or NULL. */
int pk_check_object(struct pk_check *c, const unsigned char *hash,
		    const struct pk_entry *entry);
int pk_check_is_full(const struct pk_check *c);
/* Looks at what was gathered and tells of it. Progress goes on to upto of
 * total; at total it begins anew. */
int pk_check_gathered(struct pk_check *c, const char *what, uint64_t upto,
		      uint64_t total);

/* ---- verify_live.c ---- */

/* What no live version needs may be missing (F-85). */
int pk_check_missing(struct pk_check *c);
/* Gathers all that is live at the checkpoint, and looks at it. */
int pk_check_live(struct pk_check *c);

/* ---- verify_tree.c ---- */

int pk_check_tree(struct pk_check *c);

#endif
