/* place.h - many objects come to stand in their places, durably: all are
 * synced, then renamed, then the directories that got them are synced.
 */
#ifndef PK_PLACE_H
#define PK_PLACE_H

#include "object.h"

struct pk_placing {
	int dir; /* of the store */
	enum pk_from from;
	unsigned threads;	   /* of the call, as in pakhus_options */
	const unsigned char *hash; /* n of PK_HASH_SIZE bytes, in order */
	size_t n;
	/* Directories of objects to be synced besides: of those that stand
	 * there already, put by somebody who may not have lived to do it. */
	unsigned char touched[256];
};
int pk_place(struct pk_placing *p, struct pakhus_error *err);

#endif
