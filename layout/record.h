/* record.h - one record of the journal (F-50 to F-53).
 *
 * A record begins on a 4096-byte boundary of its slot and is a header of
 * 128 bytes, the entries as in a bundle (F-30), and the texts they brought.
 *
 *  offset size  (numbers little-endian)
 *       0    8  FF "pkrec1" 0A; FF never occurs in UTF-8, so no text
 *		 that lies on a boundary looks like a record
 *       8   16  generation: random, new each time a slot is begun
 *      24    8  seq of the first entry
 *      32    4  entries, at least 1
 *      36    4  texts
 *      40    8  payload bytes: what follows the header
 *      48    8  entries known durable when this was appended
 *      56    8  header checksum of the record before in this generation;
 *		 0 in the first
 *      64   16  first record only: the generation before, else 0
 *      80    8  first record only: where that one ended, else 0
 *      88   24  zero
 *     112    8  XXH64 of the payload, seed 0
 *     120    8  XXH64 of bytes 0 to 119, seed 0
 */
#ifndef PK_RECORD_H
#define PK_RECORD_H

#include "bytes.h"

#define PK_BLOCK 4096
#define PK_RECORD_HEADER 128
#define PK_GENERATION_SIZE 16
#define PK_SLOT_MAX ((uint64_t)32 << 20) /* F-54 */

struct pk_record {
	unsigned char generation[PK_GENERATION_SIZE];
	uint64_t seq;
	uint32_t entries, texts;
	uint64_t payload; /* bytes */
	uint64_t durable;
	uint64_t chain;
	unsigned char before[PK_GENERATION_SIZE];
	uint64_t before_end;
	uint64_t payload_sum;
};

/* Bytes a record takes in its slot. */
static inline uint64_t pk_record_span(uint64_t payload)
{
	return (PK_RECORD_HEADER + payload + PK_BLOCK - 1) / PK_BLOCK *
	       PK_BLOCK;
}

/* Gives the header checksum, which the next record chains to. */
uint64_t pk_record_encode(const struct pk_record *r,
			  unsigned char out[PK_RECORD_HEADER]);
/* NULL and the header checksum in *sum, or the broken rule. */
const char *pk_record_decode(const unsigned char in[PK_RECORD_HEADER],
			     struct pk_record *r, uint64_t *sum);
/* Whether the payload is the one that the header speaks of, and is entries
 * and texts and nothing else. */
const char *pk_record_check(const struct pk_record *r, const void *payload);

/* A text of the payload: SHA-256, size as 8 bytes, the bytes. Behind the
 * entries, which pk_bundle_next() walks. 1, or -1 where it does not fit. */
struct pk_text {
	const unsigned char *hash;
	const char *text;
	uint64_t size;
};
#define PK_TEXT_HEADER (PK_HASH_SIZE + 8)
int pk_text_next(struct pk_bytes *b, struct pk_text *t);
void pk_text_header(unsigned char out[PK_TEXT_HEADER],
		    const unsigned char hash[PK_HASH_SIZE], uint64_t size);

#endif
