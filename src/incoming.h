/* incoming.h - local/incoming (F-79): what a source brings, under the names that
 * it has in a store, until it is checked and moved to where it belongs.
 *
 * All names are made here, from positions and hashes, and never taken from
 * what was brought; so none leads out of the tree. What a source puts there
 * is not believed to be files: links, directories and what has another name
 * besides are removed as they are found.
 */
#ifndef PK_INCOMING_H
#define PK_INCOMING_H

#include "object.h"

struct pk_incoming {
	int dir;    /* local/incoming */
	char *path; /* the same, absolute */
	const struct pakhus_source *source;
};
#define PK_INCOMING_INIT { .dir = -1 }

/* Makes the directory where it is missing; what is in it stays. dir and path
 * are the store's, whose local/ is there. */
int pk_incoming_open(struct pk_incoming *in, int dir, const char *path,
		     const struct pakhus_source *source,
		     struct pakhus_error *err);
void pk_incoming_close(struct pk_incoming *in);
/* Removes everything in it, as far as it goes. */
void pk_incoming_empty(struct pk_incoming *in);

/* Asks the source for files. What came is what pk_incoming_has() says. */
int pk_incoming_fetch(struct pk_incoming *in, const char *const *names,
		      size_t n, uint64_t max, unsigned flags,
		      struct pakhus_error *err);
/* Whether a file is there: 1, 0, or a failure. No file of a store is empty.
 * size may be NULL. */
int pk_incoming_has(struct pk_incoming *in, const char *name, uint64_t *size,
		    struct pakhus_error *err);
void pk_incoming_drop(struct pk_incoming *in, const char *name);
/* Moves a file there from the stage. */
int pk_incoming_put(struct pk_incoming *in, int dir, const char *staged,
		    const char *name, struct pakhus_error *err);

#endif
