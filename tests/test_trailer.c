/* test_trailer.c - the 64 bytes that end an object file. */
#include "t.h"
#include "sum.h"
#include "trailer.h"

#include <zstd.h>

static const unsigned char delta[PK_TRAILER_SIZE] = {
	0x5B, 0x2A, 0x4D, 0x18, 0x38, 0, 0, 0,		/* skippable, 56 */
	'p', 'k', 'o', 'b', 1, 1, 16, 0,		/* delta, depth 16 */
	0x78, 0x56, 0x34, 0x02, 0, 0, 0, 0,		/* bytes of text */
	0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15,
	16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31,
	0x49, 0xF4, 0xF9, 0x55, 0x88, 0x5E, 0x4B, 0xD2, /* XXH64 */
};

static void a_delta_is_spelled_out(void **state)
{
	struct pk_trailer t = { PK_DELTA, 16, 0x02345678, { 0 } };
	unsigned char out[PK_TRAILER_SIZE];

	(void)state;
	for (unsigned char i = 0; i < PK_HASH_SIZE; i++)
		t.base[i] = i;
	pk_trailer_encode(&t, again_name, out);
	assert_memory_equal(out, delta, sizeof(out));
	memset(&t, 0xFF, sizeof(t));
	assert_null(pk_trailer_decode(delta, again_name, &t));
	assert_int_equal(t.encoding, PK_DELTA);
	assert_int_equal(t.depth, 16);
	assert_int_equal(t.raw_size, 0x02345678);
	assert_memory_equal(t.base, delta + 24, PK_HASH_SIZE);
}

static void a_whole_text_has_neither_base_nor_depth(void **state)
{
	const struct pk_trailer t = { PK_WHOLE, 0, 17, { 0 } };
	unsigned char out[PK_TRAILER_SIZE];

	(void)state;
	pk_trailer_encode(&t, again_name, out);
	assert_memory_equal(out, "\x5B\x2A\x4D\x18\x38\0\0\0pkob\1\0\0\0"
				 "\x11\0\0\0\0\0\0\0\0\0\0", 27);
	assert_int_equal(t_again(again_trailer, out, sizeof(out)), 1);
}

static void zstd_passes_over_it(void **state)
{
	char in[] = "text", out[sizeof(in)];
	unsigned char file[128];
	size_t n = ZSTD_compress(file, sizeof(file) - sizeof(delta), in,
				 sizeof(in), 3);

	(void)state;
	memcpy(file + n, delta, sizeof(delta));
	n = ZSTD_decompress(out, sizeof(out), file, n + sizeof(delta));
	assert_int_equal(n, sizeof(in));
	assert_memory_equal(out, in, sizeof(in));
}

/* One changed field under a checksum that is right. */
static void every_rule_has_its_number(void **state)
{
	static const struct {
		size_t at;
		unsigned char is;
		const char *rule;
	} v[] = {
		{ 0, 0x50, "F-12" },  { 3, 0, "F-12" },	  { 4, 0x39, "F-12" },
		{ 8, 'P', "F-13" },   { 11, 0, "F-13" },  { 12, 2, "F-13" },
		{ 12, 0, "F-13" },    { 13, 2, "F-13" },  { 15, 1, "F-13" },
		{ 19, 4, "F-13" },    { 23, 1, "F-13" },  { 13, 0, "F-18" },
		{ 14, 0, "F-17" },    { 14, 17, "F-17" }, { 14, 255, "F-17" },
	};
	const uint64_t seed = 0x0807060504030201;
	unsigned char bytes[PK_TRAILER_SIZE];
	struct pk_trailer t;

	(void)state;
	for (size_t i = 0; i < T_COUNT(v); i++) {
		memcpy(bytes, delta, sizeof(bytes));
		bytes[v[i].at] = v[i].is;
		pk_put_le64(bytes + 56, pk_sum(seed, bytes, 56));
		assert_rule(pk_trailer_decode(bytes, again_name, &t),
			    v[i].rule);
	}
	memcpy(bytes, delta, sizeof(bytes));
	bytes[40] ^= 1;
	assert_rule(pk_trailer_decode(bytes, again_name, &t), "F-14");
}

static void a_whole_text_with_base_or_depth_is_refused(void **state)
{
	struct pk_trailer t = { PK_WHOLE, 1, 17, { 0 } };
	unsigned char out[PK_TRAILER_SIZE];

	(void)state;
	pk_trailer_encode(&t, again_name, out);
	assert_rule(pk_trailer_decode(out, again_name, &t), "F-18");
	t = (struct pk_trailer){ PK_WHOLE, 0, 17, { [31] = 1 } };
	pk_trailer_encode(&t, again_name, out);
	assert_rule(pk_trailer_decode(out, again_name, &t), "F-18");
}

static void sizes_run_from_1_byte_to_64_mib(void **state)
{
	static const uint64_t bad[] = { 0, (64 << 20) + 1, UINT64_MAX };
	struct pk_trailer t = { PK_WHOLE, 0, 1, { 0 } };
	unsigned char out[PK_TRAILER_SIZE];

	(void)state;
	pk_trailer_encode(&t, again_name, out);
	assert_null(pk_trailer_decode(out, again_name, &t));
	t.raw_size = 64 << 20;
	pk_trailer_encode(&t, again_name, out);
	assert_null(pk_trailer_decode(out, again_name, &t));
	for (size_t i = 0; i < T_COUNT(bad); i++) {
		t.raw_size = bad[i];
		pk_trailer_encode(&t, again_name, out);
		assert_rule(pk_trailer_decode(out, again_name, &t), "F-13");
	}
}

static void a_trailer_under_another_name_is_refused(void **state)
{
	unsigned char name[PK_HASH_SIZE];
	struct pk_trailer t;

	(void)state;
	for (size_t bit = 0; bit < 64; bit++) {
		memcpy(name, again_name, sizeof(name));
		name[bit / 8] ^= (unsigned char)(1 << bit % 8);
		assert_rule(pk_trailer_decode(delta, name, &t), "F-14");
	}
}

static void every_flip_is_refused(void **state)
{
	(void)state;
	assert_int_equal(t_again(again_trailer, delta, sizeof(delta)), 1);
	assert_int_equal(each_damage(again_trailer, delta, sizeof(delta)), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_delta_is_spelled_out),
		cmocka_unit_test(a_whole_text_has_neither_base_nor_depth),
		cmocka_unit_test(zstd_passes_over_it),
		cmocka_unit_test(every_rule_has_its_number),
		cmocka_unit_test(a_whole_text_with_base_or_depth_is_refused),
		cmocka_unit_test(sizes_run_from_1_byte_to_64_mib),
		cmocka_unit_test(a_trailer_under_another_name_is_refused),
		cmocka_unit_test(every_flip_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
