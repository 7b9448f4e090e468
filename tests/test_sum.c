/* test_sum.c - XXH64 against its published vectors and against zstd. */
#include "t.h"
#include "sum.h"

#include <zstd.h>

static void published_vectors_come_out(void **state)
{
	static const struct {
		const char *text;
		uint64_t seed, sum;
	} v[] = {
		{ "", 0, 0xEF46DB3751D8E999 },
		{ "", 1, 0xD5AFBA1336A3BE4B },
		{ "a", 0, 0xD24EC4F1A98C6E5B },
		{ "as", 0, 0x1C330FB2D66BE179 },
		{ "asd", 0, 0x631C37CE72A97393 },
		{ "asdf", 0, 0x415872F599CEA71E },
		{ "abc", 0, 0x44BC2CF5AD770999 },
		{ "Call me Ishmael. Some years ago--never mind how long "
		  "precisely-", 0, 0x02A2E85470D6FD96 },
	};

	(void)state;
	for (size_t i = 0; i < T_COUNT(v); i++)
		assert_int_equal(pk_sum(v[i].seed, v[i].text,
					strlen(v[i].text)), v[i].sum);
}

/* The buffer that xxHash's own sanity check fills. */
static void the_sanity_buffer_of_xxhash_sums_as_there(void **state)
{
	static const struct {
		size_t size;
		uint64_t zero, prime;
	} v[] = {
		{ 1, 0xE934A84ADB052768, 0x5014607643A9B4C3 },
		{ 4, 0x9136A0DCA57457EE, 0xCAAB286BD8E9FDB5 },
		{ 14, 0x8282DCC4994E35C8, 0xC3BD6BF63DEB6DF0 },
		{ 222, 0xB641AE8CB691C174, 0x20CB8AB7AE10C14A },
	};
	const uint64_t prime = 2654435761U;
	unsigned char bytes[222];
	uint64_t gen = prime;

	(void)state;
	for (size_t i = 0; i < sizeof(bytes); i++) {
		bytes[i] = (unsigned char)(gen >> 56);
		gen *= 11400714785074694797U;
	}
	for (size_t i = 0; i < T_COUNT(v); i++) {
		unsigned char *exact = t_exact(bytes, v[i].size);

		assert_int_equal(pk_sum(0, exact, v[i].size), v[i].zero);
		assert_int_equal(pk_sum(prime, exact, v[i].size), v[i].prime);
		free(exact);
	}
}

/* RFC 8878 3.1.1: a frame ends in the low four bytes of the sum. */
static void zstd_writes_the_same_sum_at_every_size(void **state)
{
	ZSTD_CCtx *zst = ZSTD_createCCtx();
	unsigned char in[200], out[512];

	(void)state;
	ZSTD_CCtx_setParameter(zst, ZSTD_c_checksumFlag, 1);
	for (size_t i = 0; i < sizeof(in); i++)
		in[i] = (unsigned char)(i * i + 7 * i);
	for (size_t size = 0; size <= sizeof(in); size++) {
		size_t n = ZSTD_compress2(zst, out, sizeof(out), in, size);

		assert_false(ZSTD_isError(n));
		assert_int_equal(pk_le32(out + n - 4),
				 (uint32_t)pk_sum(0, in, size));
	}
	ZSTD_freeCCtx(zst);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(published_vectors_come_out),
		cmocka_unit_test(the_sanity_buffer_of_xxhash_sums_as_there),
		cmocka_unit_test(zstd_writes_the_same_sum_at_every_size),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
