/* canon_state.h - what canonicalizing one text works on, from its beginning
 * to its end; for the files that do it: canon.c reads and writes, order.c has
 * the members that came in disorder, document.c the shape of a document.
 *
 * Life cycle: pk_canon_start(), pk_canon_run(), and what puts the text in
 * order; then pk_canon_finish(), whatever these returned, with the first
 * status that was not 0. On success out and len are the text, and the
 * caller's; nothing else is kept.
 */
#ifndef PK_CANON_STATE_H
#define PK_CANON_STATE_H

#include <stdlib.h>

#include "canon.h"

#define PK_SLACK 64 /* bytes there are beyond those a text is sure to need */
#define PK_FRAMES (PK_DEPTH_MAX + 1) /* a document is around M and D */

/* Offsets are of the text written: PK_SOURCE_MAX bytes never grow beyond
 * 4 GiB, as no number of n bytes is written in more than 5 n. */
struct pk_member {
	uint32_t at, size; /* of the key, quotes included */
	uint64_t hash;
};

struct pk_frame {
	uint32_t at;		 /* of the bracket */
	uint32_t members, plans; /* how many there were when it opened */
	uint32_t next;		 /* the least integer-like key still in order */
	char close;
	char names;    /* has had a key that is not integer-like */
	char disorder; /* an integer-like key came late, or again */
};

struct pk_piece {
	uint32_t at, end;
};

/* An object to be laid out anew. Plans stand in the order of their ends, so
 * those inside plan i are the ones from plan[i].first up to i. */
struct pk_plan {
	uint32_t at, end, first, piece, pieces;
};

/* Where a value that the document's shape depends on was read and written;
 * at is 0 when there was none. */
struct pk_noted {
	const char *src;
	uint32_t at;
};

struct pk_canon {
	const char *json, *end;
	char *out;
	size_t len, cap;
	struct pk_member *member;
	size_t members, members_cap;
	struct pk_plan *plan;
	size_t plans, plans_cap;
	struct pk_piece *piece;
	size_t pieces, pieces_cap;
	int depth, deepest; /* brackets open now, and allowed here */

	/* a document and not just a value; its root has no plan, but pieces */
	int document, disorder, in_manifest;
	struct pk_plan root;
	struct pk_noted manifest, metadata, id, version;
	const char *stray;

	const char *bad, *what; /* of a failure */
	struct pk_frame frame[PK_FRAMES];
};

int pk_canon_start(struct pk_canon *c, const char *json, size_t size,
		   int document);
int pk_canon_finish(struct pk_canon *c, int rc, size_t most,
		    struct pk_canon_error *err);

/* Reads the one value that the text is and writes it as it is read: every
 * value canonical, the members of an object where they were. In canon.c. */
int pk_canon_run(struct pk_canon *c);

/* Each keeps what went wrong, and where in the source if at is not NULL, and
 * gives its status. */
int pk_canon_fail(struct pk_canon *c, const char *at, const char *what);
int pk_canon_limit(struct pk_canon *c, const char *at, const char *what);
int pk_canon_nomem(struct pk_canon *c);

/* Makes buf, of cap bytes with the text from at to its end, what out was. */
void pk_canon_replace(struct pk_canon *c, char *buf, size_t cap,
		      const char *at);

/* The array with room for one more element of size bytes behind n of them;
 * NULL without memory, and then it stays what it was. */
static inline void *pk_canon_grow(void *array, size_t *cap, size_t n,
				  size_t size)
{
	size_t want = *cap ? *cap * 2 : 64;
	void *new;

	if (n < *cap)
		return array;
	if (want > SIZE_MAX / size)
		return NULL;
	new = realloc(array, want * size);
	if (new)
		*cap = want;
	return new;
}

static inline const char *pk_skip_space(const char *p, const char *end)
{
	while (p < end && (*p == ' ' || *p == '\n' || *p == '\t' || *p == '\r'))
		p++;
	return p;
}

#endif
