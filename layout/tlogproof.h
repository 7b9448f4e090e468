/* tlogproof.h - proofs as texts: that an entry is in a log (C2SP tlog-proof,
 * F-70), and that one log begins with another (F-72).
 *
 * Nothing here hashes or checks; see src/proof.h.
 */
#ifndef PK_TLOGPROOF_H
#define PK_TLOGPROOF_H

#include "entry.h"
#include "note.h"

/* Hashes of a tree in the order in which they are used (RFC 6962, 2.1.1
 * and 2.1.2): as many as a tree of 2^63 entries needs. */
#define PK_PATH_MAX 63
struct pk_path {
	size_t n;
	unsigned char hash[PK_PATH_MAX][PK_HASH_SIZE];
};

struct pk_proof {
	unsigned char entry[PK_ENTRY_MAX]; /* its line */
	size_t entry_size;		   /* at least 1 */
	uint64_t index;			   /* its position */
	struct pk_path path;
	struct pk_bytes note; /* the signed checkpoint; a decoded proof's
				 points into the text */
};

#define PK_HASH_LINE 45 /* base64 and a newline */
#define PK_PATH_TEXT (PK_PATH_MAX * PK_HASH_LINE)
/* First line, extra, index, hashes, empty line, note, and a NUL. */
#define PK_PROOF_TEXT \
	(23 + 6 + 10924 + 1 + 23 + PK_PATH_TEXT + 1 + PK_NOTE_MAX + 1)
size_t pk_proof_encode(const struct pk_proof *p, char out[PK_PROOF_TEXT]);
const char *pk_proof_decode(const char *text, size_t size, struct pk_proof *p);

/* That the log of `to` entries begins with that of `from`. */
struct pk_growth {
	uint64_t from, to;
	struct pk_path path;
};
#define PK_GROWTH_TEXT (12 + 17 + 17 + PK_PATH_TEXT + 1)
size_t pk_growth_encode(const struct pk_growth *g, char out[PK_GROWTH_TEXT]);
const char *pk_growth_decode(const char *text, size_t size,
			     struct pk_growth *g);

#endif
