/* candidates.h - what a collector remembers between two cycles (F-86):
 * local/candidates, the objects that nothing live needed at the last one.
 *
 *  offset size
 *       0    8  "pkcand1" 0A
 *       8    8  entries of the log at that cycle, little-endian
 *      16    8  number of candidates n, little-endian
 *      24   40  each: hash 32, first seen 8 (microseconds since 1970,
 *		 little-endian); the hashes ascend
 *  24+40n    8  XXH64 of all before, seed 0, little-endian
 */
#ifndef PK_CANDIDATES_H
#define PK_CANDIDATES_H

#include "bytes.h"

#define PK_CANDIDATES_HEAD 24
#define PK_CANDIDATE_SIZE 40
#define PK_CANDIDATES_SIZE(n) \
	(PK_CANDIDATES_HEAD + (size_t)(n) * PK_CANDIDATE_SIZE + 8)

struct pk_candidates {
	uint64_t entries; /* of the log */
	uint64_t n;
	const unsigned char *at; /* the first one, in the bytes decoded */
};

/* NULL, or the rule that is broken, in a sentence. */
const char *pk_candidates_decode(struct pk_bytes in, struct pk_candidates *c);
/* 1 with when it was first seen, or 0. */
int pk_candidates_find(const struct pk_candidates *c,
		       const unsigned char hash[PK_HASH_SIZE], uint64_t *since);

/* Into PK_CANDIDATES_SIZE(n) bytes: the head, each candidate by ascending
 * hash, and the sum over them. */
void pk_candidates_begin(unsigned char *out, uint64_t entries, uint64_t n);
void pk_candidates_put(unsigned char *out, uint64_t i,
		       const unsigned char hash[PK_HASH_SIZE], uint64_t since);
void pk_candidates_end(unsigned char *out, uint64_t n);

#endif
