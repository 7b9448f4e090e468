/* proof.h - proofs from the tiles of a log, and checking them without one.
 *
 * Of trees of up to 2^63 - 1 entries. What is computed is as right as the
 * tiles are: who hands it out checks it first.
 */
#ifndef PK_PROOF_H
#define PK_PROOF_H

#include "log.h"
#include "tlogproof.h"

/* That entry index is in the tree of size entries (RFC 6962, 2.1.1; index <
 * size), from the tiles of a log of at least as many, `of`. */
int pk_inclusion(int dir, struct pk_sha *sha, uint64_t index, uint64_t size,
		 uint64_t of, struct pk_path *out, struct pakhus_error *err);
/* That the tree of `to` entries begins with that of `from` (RFC 6962, 2.1.2;
 * 0 < from <= to). */
int pk_consistency(int dir, struct pk_sha *sha, uint64_t from, uint64_t to,
		   uint64_t of, struct pk_path *out, struct pakhus_error *err);

/* Whether a path leads from a leaf's hash to a root (RFC 9162, 2.1.3.2), or
 * from one root to another (2.1.4.2), and has nothing over: 1, 0, or -1 when
 * out of memory. */
int pk_check_inclusion(struct pk_sha *sha,
		       const unsigned char leaf[PK_HASH_SIZE], uint64_t index,
		       uint64_t size, const unsigned char root[PK_HASH_SIZE],
		       const struct pk_path *path);
int pk_check_consistency(struct pk_sha *sha, uint64_t from,
			 const unsigned char first[PK_HASH_SIZE], uint64_t to,
			 const unsigned char second[PK_HASH_SIZE],
			 const struct pk_path *path);

#endif
