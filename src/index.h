/* index.h - the LMDB index of one host. The home of LMDB.
 *
 * The index is what the log says, arranged for the calls of pakhus.h, and
 * can be thrown away. It lives in local/index-<LMDB>-<word>-<page>/, or in
 * memory where local/ cannot be written. Its values carry checksums; one
 * that does not match is PAKHUS_ECORRUPT, never an answer.
 *
 * Transactions: any number read, one writes. What a read gave points into
 * the map until the transaction ends.
 */
#ifndef PK_INDEX_H
#define PK_INDEX_H

#include "entry.h"
#include "fail.h"
#include "key.h"

struct pk_index;

/* Opens what is there, or makes an empty one. dir -1: in memory. */
int pk_index_open(struct pk_index **out, int dir, struct pakhus_error *err);
void pk_index_close(struct pk_index *ix);
/* The inode of the index file, looked up without opening it; 0: none. */
uint64_t pk_index_find(int dir);
/* Makes an empty one beside the index; where it is filled, takes the index's
 * place with it. Others that have the old one open keep that. */
int pk_index_make(struct pk_index **out, int dir, struct pakhus_error *err);
int pk_index_install(int dir, struct pakhus_error *err);
/* Moves whatever index is in local/ beside the one in use, of another LMDB
 * or half made, into the trash. */
int pk_index_drop_others(int dir, struct pakhus_error *err);
/* Removes the index files; not while anybody has them open. */
int pk_index_remove(int dir, struct pakhus_error *err);
/* Takes the room on the disk that entries with so many bytes of their own
 * will need, so that it is not found full when they are durable already. An
 * estimate: what fails in spite of it is said when it is applied. */
int pk_index_reserve(struct pk_index *ix, uint64_t entries, uint64_t bytes,
		     struct pakhus_error *err);
uint64_t pk_index_bytes(struct pk_index *ix);
/* Whether a value or a page was found damaged since it was opened. */
int pk_index_is_bad(const struct pk_index *ix);
/* The inode of the index file, which the stamp must name. */
uint64_t pk_index_inode(const struct pk_index *ix);
/* Makes everything committed durable. */
int pk_index_sync(struct pk_index *ix, struct pakhus_error *err);

struct pk_gather;
struct pk_rows;
struct pk_txn {
	struct pk_index *ix;
	struct pk_rows *rows; /* what is applied goes there instead */
	void *handle; /* MDB_txn, NULL when ended */
	int is_write;
	uint64_t ordinal; /* of the publish applied last */
	struct pk_stamp stamp; /* as of the beginning; a writer's own */
};
#define PK_TXN_INIT { .handle = NULL }

/* An index without a stamp yet gives a stamp of zeros. The first one that
 * writes marks the index as in use before (mark.h). */
int pk_txn_read(struct pk_txn *t, struct pk_index *ix,
		struct pakhus_error *err);
int pk_txn_write(struct pk_txn *t, struct pk_index *ix,
		 struct pakhus_error *err);
/* Writes the stamp with everything else. */
int pk_txn_commit(struct pk_txn *t, struct pakhus_error *err);
void pk_txn_end(struct pk_txn *t); /* aborts; nothing when ended */

/* ---- look-ups: 1 found, 0 not, or a failure ---- */
int pk_index_head(struct pk_txn *t, const char *id, struct pk_head *out,
		  struct pakhus_error *err);
int pk_index_version(struct pk_txn *t, const char *id, const char *version,
		     struct pk_live *out, struct pakhus_error *err);
int pk_index_latest(struct pk_txn *t, uint64_t place, struct pk_latest *out,
		    struct pakhus_error *err);
int pk_index_location(struct pk_txn *t, const unsigned char *hash,
		      struct pk_location *out, struct pakhus_error *err);
int pk_index_purged(struct pk_txn *t, const unsigned char *hash,
		    struct pk_purged *out, struct pakhus_error *err);
/* version "": of the package. */
int pk_index_attrs(struct pk_txn *t, const char *id, const char *version,
		   struct pk_attrs *out, struct pakhus_error *err);
/* The publish of an ordinal in its package's line. */
int pk_index_line(struct pk_txn *t, const char *id, uint64_t ordinal,
		  struct pk_line *out, struct pakhus_error *err);
/* The version that sorts next before this one by bytes, in its package;
 * out has PK_VERSION_MAX + 1 bytes. */
int pk_index_neighbour(struct pk_txn *t, const char *id, const char *version,
		       char *out, struct pakhus_error *err);
/* A row is not there that others speak of: marks the index as damaged, and
 * gives PAKHUS_ECORRUPT. */
int pk_index_fail_missing(struct pk_txn *t, struct pakhus_error *err);
/* The index is not what it should be, whatever its values say. */
void pk_index_distrust(struct pk_index *ix);
/* Live packages and entries, for stat. */
uint64_t pk_index_packages(struct pk_txn *t);
/* Of how many packages and versions something is said. */
uint64_t pk_index_said(struct pk_txn *t);

/* ---- walks, newest first; fn as in pakhus.h ends them with non-zero ---- */
typedef int pk_latest_fn(void *arg, const struct pk_latest *latest);
int pk_index_each_latest(struct pk_txn *t, uint64_t before, pk_latest_fn *fn,
			 void *arg, struct pakhus_error *err);
typedef int pk_line_fn(void *arg, uint64_t seq, const struct pk_line *line);
int pk_index_each_line(struct pk_txn *t, const char *id, uint64_t before,
		       pk_line_fn *fn, void *arg, struct pakhus_error *err);
/* The live versions of a package in order of bytes. */
typedef int pk_version_fn(void *arg, const char *version,
			  const struct pk_live *live);
int pk_index_each_version(struct pk_txn *t, const char *id, pk_version_fn *fn,
			  void *arg, struct pakhus_error *err);
/* The live versions of all packages; fn is not told their names. */
typedef int pk_live_fn(void *arg, const struct pk_live *live);
int pk_index_each_live(struct pk_txn *t, pk_live_fn *fn, void *arg,
		       struct pakhus_error *err);
/* The same for what is said of packages and versions: of it seq and hash are
 * set. A row that is lost is a failure. */
int pk_index_each_attrs(struct pk_txn *t, pk_live_fn *fn, void *arg,
			struct pakhus_error *err);

/* The texts that are gone, in order of hashes. */
typedef int pk_purged_fn(void *arg, const unsigned char *hash,
			 const struct pk_purged *purged);
int pk_index_each_purged(struct pk_txn *t, pk_purged_fn *fn, void *arg,
			 struct pakhus_error *err);

/* ---- writing ---- */

/* Applies the entry at position seq, which must be stamp.applied. manifest
 * is kept with the latest where it is given. PAKHUS_ECORRUPT when the entry
 * cannot follow what is there, PAKHUS_EVERSION when it is of an op whose
 * effect this program does not know (F-24). */
int pk_index_apply(struct pk_txn *t, uint64_t seq, const struct pk_entry *e,
		   struct pk_bytes manifest, struct pakhus_error *err);
/* Applies everything that was gathered, up to a position, to an index that
 * holds nothing. The stamp, which is t's, comes last: until then the index
 * names no store and will not be believed. */
int pk_index_fill(struct pk_txn *t, struct pk_gather *g, uint64_t upto,
		  struct pakhus_error *err);
/* Says where the text of an entry lies, or, NULL, that it is an object. */
int pk_index_locate(struct pk_txn *t, const unsigned char *hash,
		    const struct pk_location *at, struct pakhus_error *err);
/* Forgets every location that is not of one of two generations (NULL: of
 * none): what a process left there that was killed before it could. */
int pk_index_forget(struct pk_txn *t, const unsigned char *generation,
		    const unsigned char *other, struct pakhus_error *err);
/* Keeps the manifest of a latest that has none yet. */
int pk_index_keep_manifest(struct pk_txn *t, uint64_t place,
			   const unsigned char *hash, struct pk_bytes manifest,
			   struct pakhus_error *err);

/* Compares two indexes row by row (a rebuilt one with the one in use), the
 * manifests and locations aside; damage is told what differs. */
typedef void pk_differs_fn(void *arg, const char *rule, const char *text);
int pk_index_compare(struct pk_txn *have, struct pk_txn *want,
		     pk_differs_fn *differs, void *arg,
		     struct pakhus_error *err);

#endif
