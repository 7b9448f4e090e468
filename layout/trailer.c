#include "trailer.h"
#include "canon.h"
#include "sum.h"

#define SKIPPABLE 0x184D2A5Bu /* RFC 8878 3.1.2: 0x184D2A50 to 5F */

static const unsigned char magic[5] = "pkob\001";
static const unsigned char zero[PK_HASH_SIZE];

void pk_trailer_encode(const struct pk_trailer *t,
		       const unsigned char hash[PK_HASH_SIZE],
		       unsigned char out[PK_TRAILER_SIZE])
{
	pk_put_le32(out, SKIPPABLE);
	pk_put_le32(out + 4, PK_TRAILER_SIZE - 8);
	memcpy(out + 8, magic, sizeof(magic));
	out[13] = (unsigned char)t->encoding;
	out[14] = (unsigned char)t->depth;
	out[15] = 0;
	pk_put_le64(out + 16, t->raw_size);
	memcpy(out + 24, t->base, PK_HASH_SIZE);
	pk_put_le64(out + 56, pk_sum(pk_le64(hash), out, 56));
}

const char *pk_trailer_decode(const unsigned char in[PK_TRAILER_SIZE],
			      const unsigned char hash[PK_HASH_SIZE],
			      struct pk_trailer *t)
{
	uint64_t size = pk_le64(in + 16);

	if (pk_le32(in) != SKIPPABLE || pk_le32(in + 4) != PK_TRAILER_SIZE - 8)
		return "F-12 does not end in a trailer frame";
	if (memcmp(in + 8, magic, 4))
		return "F-13 the trailer's magic is wrong";
	if (pk_le64(in + 56) != pk_sum(pk_le64(hash), in, 56))
		return "F-14 the trailer is damaged or another object's";
	if (in[12] != magic[4])
		return "F-13 a trailer version this program does not know";
	if (in[13] > PK_DELTA || in[15])
		return "F-13 an encoding this program does not know";
	if (!size || size > PK_DOCUMENT_MAX)
		return "F-13 the text's size is out of range";
	if (in[13] == PK_WHOLE && (in[14] || memcmp(in + 24, zero, 32)))
		return "F-18 a whole text names a base or a depth";
	if (in[13] == PK_DELTA && (!in[14] || in[14] > PK_CHAIN_MAX))
		return "F-17 the depth is not between 1 and 16";
	t->encoding = in[13];
	t->depth = in[14];
	t->raw_size = size;
	memcpy(t->base, in + 24, PK_HASH_SIZE);
	return NULL;
}
