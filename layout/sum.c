#include "sum.h"
#include "bytes.h"

#define P1 UINT64_C(0x9E3779B185EBCA87)
#define P2 UINT64_C(0xC2B2AE3D27D4EB4F)
#define P3 UINT64_C(0x165667B19E3779F9)
#define P4 UINT64_C(0x85EBCA77C2B2AE63)
#define P5 UINT64_C(0x27D4EB2F165667C5)

static uint64_t rotl(uint64_t v, int n)
{
	return v << n | v >> (64 - n);
}

static uint64_t step(uint64_t acc, uint64_t lane)
{
	return rotl(acc + lane * P2, 31) * P1;
}

static uint64_t merge(uint64_t acc, uint64_t lane)
{
	return (acc ^ step(0, lane)) * P1 + P4;
}

uint64_t pk_sum(uint64_t seed, const void *bytes, size_t size)
{
	const unsigned char *p = bytes;
	size_t left = size;
	uint64_t h = seed + P5;

	if (left >= 32) {
		uint64_t a = seed + P1 + P2, b = seed + P2, c = seed,
			 d = seed - P1;

		for (; left >= 32; p += 32, left -= 32) {
			a = step(a, pk_le64(p));
			b = step(b, pk_le64(p + 8));
			c = step(c, pk_le64(p + 16));
			d = step(d, pk_le64(p + 24));
		}
		h = rotl(a, 1) + rotl(b, 7) + rotl(c, 12) + rotl(d, 18);
		h = merge(merge(merge(merge(h, a), b), c), d);
	}
	h += size;
	for (; left >= 8; p += 8, left -= 8)
		h = rotl(h ^ step(0, pk_le64(p)), 27) * P1 + P4;
	if (left >= 4) {
		h = rotl(h ^ (uint64_t)pk_le32(p) * P1, 23) * P2 + P3;
		p += 4;
		left -= 4;
	}
	for (; left; p++, left--)
		h = rotl(h ^ *p * P5, 11) * P1;
	h = (h ^ h >> 33) * P2;
	h = (h ^ h >> 29) * P3;
	return h ^ h >> 32;
}
