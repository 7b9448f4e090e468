#include "record.h"
#include "sum.h"
#include "tile.h"

static const unsigned char magic[8] = "\xFFpkrec1\n";

uint64_t pk_record_encode(const struct pk_record *r,
			  unsigned char out[PK_RECORD_HEADER])
{
	uint64_t sum;

	memset(out, 0, PK_RECORD_HEADER);
	memcpy(out, magic, sizeof(magic));
	memcpy(out + 8, r->generation, PK_GENERATION_SIZE);
	pk_put_le64(out + 24, r->seq);
	pk_put_le32(out + 32, r->entries);
	pk_put_le32(out + 36, r->texts);
	pk_put_le64(out + 40, r->payload);
	pk_put_le64(out + 48, r->durable);
	pk_put_le64(out + 56, r->chain);
	memcpy(out + 64, r->before, PK_GENERATION_SIZE);
	pk_put_le64(out + 80, r->before_end);
	pk_put_le64(out + 112, r->payload_sum);
	sum = pk_sum(0, out, 120);
	pk_put_le64(out + 120, sum);
	return sum;
}

const char *pk_record_decode(const unsigned char in[PK_RECORD_HEADER],
			     struct pk_record *r, uint64_t *sum)
{
	static const unsigned char zero[24];

	if (memcmp(in, magic, sizeof(magic)))
		return "F-51 no record begins here";
	*sum = pk_le64(in + 120);
	if (*sum != pk_sum(0, in, 120))
		return "F-51 the header's checksum does not match";
	if (memcmp(in + 88, zero, sizeof(zero)))
		return "F-51 reserved bytes are not zero";
	memcpy(r->generation, in + 8, PK_GENERATION_SIZE);
	r->seq = pk_le64(in + 24);
	r->entries = pk_le32(in + 32);
	r->texts = pk_le32(in + 36);
	r->payload = pk_le64(in + 40);
	r->durable = pk_le64(in + 48);
	r->chain = pk_le64(in + 56);
	memcpy(r->before, in + 64, PK_GENERATION_SIZE);
	r->before_end = pk_le64(in + 80);
	r->payload_sum = pk_le64(in + 112);
	if (!r->entries || !r->payload || r->payload > PK_SLOT_MAX ||
	    r->seq > UINT64_MAX / 2 || r->durable > r->seq)
		return "F-51 a number is out of range";
	return NULL;
}

const char *pk_record_check(const struct pk_record *r, const void *payload)
{
	struct pk_bytes b = { payload, r->payload }, line;
	struct pk_text t;

	if (pk_sum(0, payload, r->payload) != r->payload_sum)
		return "F-52 the payload's checksum does not match";
	for (uint32_t i = 0; i < r->entries; i++)
		if (pk_bundle_next(&b, &line) != 1)
			return "F-52 an entry goes beyond the payload";
	for (uint32_t i = 0; i < r->texts; i++)
		if (pk_text_next(&b, &t) != 1)
			return "F-53 a text goes beyond the payload";
	return b.left ? "F-53 bytes behind the last text" : NULL;
}

int pk_text_next(struct pk_bytes *b, struct pk_text *t)
{
	struct pk_bytes try = *b;
	const unsigned char *head = pk_take(&try, PK_TEXT_HEADER);

	if (!head)
		return -1;
	t->hash = head;
	t->size = pk_le64(head + PK_HASH_SIZE);
	if (t->size > try.left) /* before a 32-bit size_t cuts it */
		return -1;
	t->text = (const char *)pk_take(&try, (size_t)t->size);
	*b = try;
	return 1;
}

void pk_text_header(unsigned char out[PK_TEXT_HEADER],
		    const unsigned char hash[PK_HASH_SIZE], uint64_t size)
{
	memcpy(out, hash, PK_HASH_SIZE);
	pk_put_le64(out + PK_HASH_SIZE, size);
}
