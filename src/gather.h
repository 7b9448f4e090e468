/* gather.h - an index that is being made, in memory, package by package.
 *
 * Made row by row in LMDB, an index of a long log costs a search and the
 * copy of a page for every row; and the packages of a log take turns, so
 * even in memory every step goes to another place. So the entries are sorted
 * into sheaves first, one for each package, as they are read. Then a package
 * at a time its entries are applied to rows in memory, which index.c writes
 * in order of keys. What an entry does is index.c's to say, for these rows
 * as for those in LMDB.
 *
 * About 100 bytes an entry. Life cycle: pk_gather_new(), _put() for every
 * entry of a package, _sort(); then for each sheaf pk_rows_begin(), the
 * entries of pk_sheaf_next() applied, pk_rows_sort(), written, and
 * pk_sheaf_release().
 */
#ifndef PK_GATHER_H
#define PK_GATHER_H

#include "entry.h"
#include "key.h"

/* ---- sheaves ---- */

struct pk_sheaf {
	unsigned char *bytes; /* of its entries */
	size_t size, cap;
	char id[];
};

struct pk_gather;
struct pk_gather *pk_gather_new(void);
void pk_gather_free(struct pk_gather *g);
/* Whether an entry is one of a package; the others are applied at once. */
int pk_gather_takes(const struct pk_entry *e);
/* Adds one of those; 0, or -1 when out of memory. */
int pk_gather_put(struct pk_gather *g, uint64_t seq, const struct pk_entry *e);
/* All sheaves in order of their ids, NULL behind the last; valid until
 * _free. NULL when out of memory. */
struct pk_sheaf *const *pk_gather_sort(struct pk_gather *g);

/* The entry at an offset, which is moved on: 1, or 0 at the end. Sets what
 * applying it needs; version lies in the sheaf until it is released. */
int pk_sheaf_next(const struct pk_sheaf *s, size_t *at, uint64_t *seq,
		  struct pk_entry *e, const char **version);
void pk_sheaf_release(struct pk_sheaf *s);

/* ---- the rows of one package ---- */

struct pk_row_version {
	const char *version;
	struct pk_live live;
	size_t attrs; /* place of what is said of it, from 1; 0: nothing */
};

struct pk_row_line {
	const char *version;
	uint64_t ordinal, seq;
	unsigned char hash[PK_HASH_SIZE];
	unsigned char is_publish, is_place, is_attrs;
};

struct pk_row_purged {
	unsigned char hash[PK_HASH_SIZE];
	uint64_t seq;
};

struct pk_rows {
	const char *name; /* of the version that an entry is applied to */
	struct pk_head head;
	struct pk_row_version *version; /* in the order they came */
	size_t versions, version_cap;
	struct pk_row_line *line; /* in order of seq */
	size_t lines, line_cap;
	struct pk_row_purged *purged;
	size_t purges, purged_cap;
	struct pk_attrs *said; /* once, of any version or the package */
	size_t saids, said_cap;
	size_t attrs; /* of the package, as of a version */
	uint32_t *slot; /* a hash table of versions, from 1; 0 is free */
	size_t slots, slot_cap;
};

void pk_rows_begin(struct pk_rows *r);
void pk_rows_release(struct pk_rows *r);
/* NULL where there is none. */
struct pk_row_version *pk_rows_version(struct pk_rows *r, const char *version);
struct pk_row_line *pk_rows_line(struct pk_rows *r, uint64_t seq);
struct pk_row_purged *pk_rows_purged(struct pk_rows *r,
				     const unsigned char *hash);
/* Make them, the line behind all others. version is kept as a pointer. NULL
 * when out of memory. */
struct pk_row_version *pk_rows_add_version(struct pk_rows *r,
					   const char *version);
struct pk_row_line *pk_rows_add_line(struct pk_rows *r, uint64_t seq);
struct pk_row_purged *pk_rows_add_purged(struct pk_rows *r,
					 const unsigned char *hash);
/* Where the place of what is said is kept; version "" is the package. NULL
 * where there is no such version. */
size_t *pk_rows_attrs(struct pk_rows *r, const char *version);
/* Makes it, or what was there another. 0, or -1 when out of memory. */
int pk_rows_say(struct pk_rows *r, size_t *attrs, const struct pk_attrs *v);
/* Puts the versions in order; no look-ups after it. */
void pk_rows_sort(struct pk_rows *r);

#endif
