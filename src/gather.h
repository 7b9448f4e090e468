/* gather.h - the rows of an index that is being made, in memory.
 *
 * Made row by row in LMDB, an index of a long log costs a search and the
 * copy of a page for every row. So replay.c gathers what the entries add up
 * to here and index.c writes it once, in order of keys. What an entry does
 * is index.c's to say, for these rows as for those in LMDB.
 *
 * Some 300 bytes an entry, and what belongs to one package lies together:
 * the packages of a long log take turns, so every step to another place is a
 * miss of the cache. Life cycle: _new, any number of the calls by names,
 * _sort, the walk, _free.
 */
#ifndef PK_GATHER_H
#define PK_GATHER_H

#include "key.h"

struct pk_gather;

struct pk_gathered_version {
	struct pk_live live;
	struct pk_gathered_version *next; /* of its package */
	uint64_t sum;
	struct pk_gathered *package;
	char version[];
};

struct pk_gathered_line {
	const struct pk_gathered_version *version;
	uint64_t ordinal, seq;
	unsigned char hash[PK_HASH_SIZE];
	unsigned char is_publish, is_place;
};

struct pk_gathered {
	struct pk_head head;
	struct pk_gathered_version *versions;
	struct pk_gathered_version *latest; /* where head.place is not 0 */
	struct pk_gathered_line *line;	    /* in order of seq */
	size_t lines, cap;
	uint64_t sum;
	char id[];
};

struct pk_gather *pk_gather_new(void);
void pk_gather_free(struct pk_gather *g);

/* Look-ups by name; NULL where there is none. */
struct pk_gathered *pk_gather_package(struct pk_gather *g, const char *id);
struct pk_gathered_version *pk_gather_version(struct pk_gather *g,
					      const char *id,
					      const char *version);
/* The line of a log entry in its package; NULL where it has none. */
struct pk_gathered_line *pk_gather_line(struct pk_gather *g, const char *id,
					uint64_t seq);

/* Make what is not there yet. NULL when out of memory. */
struct pk_gathered *pk_gather_add_package(struct pk_gather *g, const char *id);
struct pk_gathered_version *pk_gather_add_version(struct pk_gather *g,
						  const char *id,
						  const char *version);
/* Behind all lines of its package. */
struct pk_gathered_line *pk_gather_add_line(struct pk_gather *g, uint64_t seq,
					    const char *id,
					    const char *version);

/* All packages in order of their ids, the last one followed by NULL; valid
 * until _free. NULL when out of memory. */
struct pk_gathered *const *pk_gather_sort(struct pk_gather *g);
/* Puts the versions of one in order of their names. */
void pk_gather_sort_versions(struct pk_gathered *p);

#endif
