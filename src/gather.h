/* gather.h - the rows of an index that is being made, in memory.
 *
 * Made row by row in LMDB, an index of a long log costs a search and the
 * copy of a page for every row. So replay.c gathers what the entries add up
 * to here and index.c writes it once, in order of keys. What an entry does
 * is index.c's to say, for these rows as for those in LMDB.
 *
 * About 250 bytes an entry. Life cycle: _new, any number of the calls by
 * names, _sort, the walk, _free.
 */
#ifndef PK_GATHER_H
#define PK_GATHER_H

#include "key.h"

struct pk_gather;

struct pk_gathered_version {
	struct pk_live live;
	struct pk_gathered_version *next; /* of its package; sorted: in order */
	uint64_t sum;
	struct pk_gathered *package;
	char version[];
};

struct pk_gathered {
	struct pk_head head;
	struct pk_gathered_version *versions;
	struct pk_gathered_version *latest; /* where head.place is not 0 */
	uint64_t lines, last; /* how many, and the seq of the last */
	uint64_t sum;
	char id[];
};

struct pk_gathered_line {
	const struct pk_gathered_version *version; /* NULL: no line */
	uint64_t ordinal;
	uint64_t before; /* seq of the package's line before; 0 none */
	unsigned char hash[PK_HASH_SIZE];
	unsigned char is_publish, is_place;
};

struct pk_gather *pk_gather_new(void);
void pk_gather_free(struct pk_gather *g);

/* Look-ups by name; NULL where there is none. */
struct pk_gathered *pk_gather_package(struct pk_gather *g, const char *id);
struct pk_gathered_version *pk_gather_version(struct pk_gather *g,
					      const char *id,
					      const char *version);
/* The line of a log entry; NULL where it has none. */
struct pk_gathered_line *pk_gather_line(struct pk_gather *g, uint64_t seq);

/* Make what is not there yet. NULL when out of memory. */
struct pk_gathered *pk_gather_add_package(struct pk_gather *g, const char *id);
struct pk_gathered_version *pk_gather_add_version(struct pk_gather *g,
						  const char *id,
						  const char *version);
/* Behind all lines of its package. */
struct pk_gathered_line *pk_gather_add_line(struct pk_gather *g, uint64_t seq,
					    const char *id,
					    const char *version);

/* All packages by id, the versions of each by name: in order of keys. NULL
 * when out of memory; valid until _free. */
struct pk_gathered *const *pk_gather_sort(struct pk_gather *g, size_t *n);

#endif
