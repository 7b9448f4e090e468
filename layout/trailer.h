/* trailer.h - the 64 bytes that end an object file (F-12 to F-14, F-17,
 * F-18): a zstd skippable frame, so that every zstd program passes over it.
 *
 *  offset size
 *       0    4  0x184D2A5B, little-endian: a skippable frame
 *       4    4  56, little-endian: its length
 *       8    4  "pkob"
 *      12    1  version, 1
 *      13    1  encoding: 0 whole, 1 delta
 *      14    1  depth: 0 for whole, else 1 to 16
 *      15    1  zero
 *      16    8  size of the text in bytes, little-endian
 *      24   32  SHA-256 of the base's text; zero for whole
 *      56    8  XXH64 of bytes 0 to 55, little-endian; the seed is the
 *		 first 8 bytes of the text's own SHA-256, little-endian, so
 *		 that a good object under another name is found out cheaply
 */
#ifndef PK_TRAILER_H
#define PK_TRAILER_H

#include "bytes.h"

#define PK_TRAILER_SIZE 64
#define PK_CHAIN_MAX 16 /* F-17: deltas from a text to the whole one */

enum pk_encoding { PK_WHOLE = 0, PK_DELTA = 1 };

struct pk_trailer {
	enum pk_encoding encoding;
	unsigned depth;
	uint64_t raw_size;
	unsigned char base[PK_HASH_SIZE];
};

/* hash is the text's own SHA-256, the name of the file. */
void pk_trailer_encode(const struct pk_trailer *t,
		       const unsigned char hash[PK_HASH_SIZE],
		       unsigned char out[PK_TRAILER_SIZE]);
/* NULL, or the rule that is broken, in a sentence. */
const char *pk_trailer_decode(const unsigned char in[PK_TRAILER_SIZE],
			      const unsigned char hash[PK_HASH_SIZE],
			      struct pk_trailer *t);

#endif
