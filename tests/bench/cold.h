/* cold.h - one get in a process of its own. */
#ifndef COLD_H
#define COLD_H

#include "seats.h"

struct cold {
	int64_t took;	/* from fork to answer */
	int64_t opened; /* processor time of the opening */
	uint64_t peak;	/* resident bytes, less the sizes of the texts */
};
/* Runs the getter of a seat, whose store is closed, and compares what it
 * prints with the document. 0 or -1. */
int cold_get(const struct bench *b, const struct seat *seat,
	     const struct doc *doc, struct cold *out);

#endif
