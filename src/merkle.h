/* merkle.h - the Merkle tree of RFC 6962 section 2.1, grown on the right.
 *
 * Only the right edge is kept: the roots of the complete subtrees whose
 * sizes are the bits of the tree's size. That is enough to add and to give
 * the root.
 */
#ifndef PK_MERKLE_H
#define PK_MERKLE_H

#include "sha256.h"

struct pk_edge {
	uint64_t size;			      /* leaves */
	unsigned char hash[64][PK_HASH_SIZE]; /* [j] where bit j of size is */
};

/* All give 0, or 1 when out of memory. */
int pk_leaf_hash(struct pk_sha *sha, const void *entry, size_t size,
		 unsigned char out[PK_HASH_SIZE]);
int pk_node_hash(struct pk_sha *sha, const unsigned char left[PK_HASH_SIZE],
		 const unsigned char right[PK_HASH_SIZE],
		 unsigned char out[PK_HASH_SIZE]);

/* Adds a leaf. node is told every complete subtree whose height is a
 * multiple of 8, the leaf itself included: these are what tiles hold. It
 * returns 0 to go on; anything else is passed on. node may be NULL. */
typedef int pk_node_fn(void *arg, unsigned height,
		       const unsigned char hash[PK_HASH_SIZE]);
int pk_edge_add(struct pk_edge *e, struct pk_sha *sha,
		const unsigned char leaf[PK_HASH_SIZE], pk_node_fn *node,
		void *arg);
int pk_edge_root(const struct pk_edge *e, struct pk_sha *sha,
		 unsigned char out[PK_HASH_SIZE]);
/* The root over n hashes, n a power of two. */
int pk_subtree(struct pk_sha *sha, const unsigned char *hashes, size_t n,
	       unsigned char out[PK_HASH_SIZE]);

#endif
