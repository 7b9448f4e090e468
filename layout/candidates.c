#include "candidates.h"
#include "sum.h"

static const char magic[8] = { 'p', 'k', 'c', 'a', 'n', 'd', '1', '\n' };

static const unsigned char *nth(const struct pk_candidates *c, uint64_t i)
{
	return c->at + (size_t)i * PK_CANDIDATE_SIZE;
}

const char *pk_candidates_decode(struct pk_bytes in, struct pk_candidates *c)
{
	const unsigned char *p = in.at;
	uint64_t n;

	if (in.left < PK_CANDIDATES_SIZE(0) || memcmp(p, magic, sizeof(magic)))
		return "F-86 is no list of candidates";
	n = pk_le64(p + 16);
	if (n > in.left / PK_CANDIDATE_SIZE ||
	    in.left != PK_CANDIDATES_SIZE(n))
		return "F-86 has not the size of its candidates";
	if (pk_sum(0, p, in.left - 8) != pk_le64(p + in.left - 8))
		return "F-86 its checksum is another one";
	c->entries = pk_le64(p + 8);
	c->n = n;
	c->at = p + PK_CANDIDATES_HEAD;
	for (uint64_t i = 1; i < n; i++)
		if (memcmp(nth(c, i - 1), nth(c, i), PK_HASH_SIZE) >= 0)
			return "F-86 the candidates do not ascend";
	return NULL;
}

int pk_candidates_find(const struct pk_candidates *c,
		       const unsigned char hash[PK_HASH_SIZE], uint64_t *since)
{
	uint64_t low = 0, high = c->n;

	while (low < high) {
		uint64_t mid = low + (high - low) / 2;
		int order = memcmp(nth(c, mid), hash, PK_HASH_SIZE);

		if (!order) {
			*since = pk_le64(nth(c, mid) + PK_HASH_SIZE);
			return 1;
		}
		if (order < 0)
			low = mid + 1;
		else
			high = mid;
	}
	return 0;
}

void pk_candidates_begin(unsigned char *out, uint64_t entries, uint64_t n)
{
	memcpy(out, magic, sizeof(magic));
	pk_put_le64(out + 8, entries);
	pk_put_le64(out + 16, n);
}

void pk_candidates_put(unsigned char *out, uint64_t i,
		       const unsigned char hash[PK_HASH_SIZE], uint64_t since)
{
	unsigned char *p = out + PK_CANDIDATES_HEAD +
			   (size_t)i * PK_CANDIDATE_SIZE;

	memcpy(p, hash, PK_HASH_SIZE);
	pk_put_le64(p + PK_HASH_SIZE, since);
}

void pk_candidates_end(unsigned char *out, uint64_t n)
{
	size_t size = PK_CANDIDATES_SIZE(n) - 8;

	pk_put_le64(out + size, pk_sum(0, out, size));
}
