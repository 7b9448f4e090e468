/* rows.h - the rows that applying an entry reads and writes.
 *
 * They are in LMDB, or, where the transaction gathers, in memory (gather.h);
 * index.c knows which. Look-ups of heads and versions are in index.h.
 */
#ifndef PK_ROWS_H
#define PK_ROWS_H

#include "index.h"

int pk_row_put_line(struct pk_txn *t, const char *id, uint64_t ordinal,
		    uint64_t seq, const struct pk_line *v,
		    struct pakhus_error *err);
int pk_row_put_head(struct pk_txn *t, const char *id, const struct pk_head *v,
		    struct pakhus_error *err);
int pk_row_put_version(struct pk_txn *t, const char *id, const char *version,
		       const struct pk_live *v, struct pakhus_error *err);
int pk_row_put_latest(struct pk_txn *t, const char *id, const char *version,
		      const struct pk_live *live, struct pk_bytes manifest,
		      struct pakhus_error *err);
/* Place 0 is none. */
int pk_row_del_latest(struct pk_txn *t, uint64_t place,
		      struct pakhus_error *err);
/* The line of an insertion: 1, 0, or a failure. */
int pk_row_get_place(struct pk_txn *t, const char *id,
		     const struct pk_live *live, struct pk_line *out,
		     struct pakhus_error *err);

int pk_row_put_purged(struct pk_txn *t, const unsigned char *hash,
		      const struct pk_purged *v, struct pakhus_error *err);
/* What is said of a package (version "") or of a version; of nothing there is
 * no row, and to delete it is no failure. */
int pk_row_put_attrs(struct pk_txn *t, const char *id, const char *version,
		     const struct pk_attrs *v, struct pakhus_error *err);
int pk_row_del_attrs(struct pk_txn *t, const char *id, const char *version,
		     struct pakhus_error *err);
/* Whether a text was ever published for a version, or said of it (or of the
 * package): 1, 0, or a failure. */
int pk_row_was_published(struct pk_txn *t, const char *id, const char *version,
			 const unsigned char *hash, struct pakhus_error *err);

/* The newest place of a package that is still live, before another: 1 where
 * there is one, 0, or a failure. */
struct pk_newest {
	uint64_t place;
	char version[PK_VERSION_MAX + 1];
};
int pk_row_find_newest(struct pk_txn *t, const char *id, uint64_t before,
		       struct pk_newest *out, struct pakhus_error *err);

#endif
