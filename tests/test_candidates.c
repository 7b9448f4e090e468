/* test_candidates.c - what a collector remembers between two cycles (F-86). */
#include "t.h"

static const unsigned char two[PK_CANDIDATES_SIZE(2)] = {
	'p', 'k', 'c', 'a', 'n', 'd', '1', '\n',
	0x07, 0, 0, 0, 0, 0, 0, 0,		/* entries of the log */
	0x02, 0, 0, 0, 0, 0, 0, 0,		/* candidates */
	1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
	0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 9,
	0x40, 0x42, 0x0F, 0, 0, 0, 0, 0,	/* a second after 1970 */
	1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
	0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 10,
	0x05, 0, 0, 0, 0, 0, 0, 0x80,
	0xCA, 0xA4, 0x82, 0x6A, 0x86, 0xAE, 0x69, 0xFB,
};

static void a_list_is_spelled_out(void **state)
{
	unsigned char out[sizeof(two)], hash[PK_HASH_SIZE] = { 1 };
	struct pk_candidates c;
	uint64_t since = 0;

	(void)state;
	pk_candidates_begin(out, 7, 2);
	hash[31] = 9;
	pk_candidates_put(out, 0, hash, 1000000);
	hash[31] = 10;
	pk_candidates_put(out, 1, hash, UINT64_C(0x8000000000000005));
	pk_candidates_end(out, 2);
	assert_memory_equal(out, two, sizeof(two));
	assert_null(pk_candidates_decode((struct pk_bytes){ two, sizeof(two) },
					 &c));
	assert_int_equal(c.entries, 7);
	assert_int_equal(c.n, 2);
	assert_int_equal(pk_candidates_find(&c, hash, &since), 1);
	assert_true(since == UINT64_C(0x8000000000000005));
	hash[31] = 9;
	assert_int_equal(pk_candidates_find(&c, hash, &since), 1);
	assert_int_equal(since, 1000000);
	for (int i = 0; i < 3; i++) {
		hash[31] = (unsigned char[]){ 8, 11, 255 }[i];
		assert_int_equal(pk_candidates_find(&c, hash, &since), 0);
	}
	assert_int_equal(since, 1000000);
}

static void none_is_a_list_too(void **state)
{
	unsigned char out[PK_CANDIDATES_SIZE(0)], hash[PK_HASH_SIZE] = { 0 };
	struct pk_candidates c;
	uint64_t since;

	(void)state;
	pk_candidates_begin(out, 1, 0);
	pk_candidates_end(out, 0);
	assert_int_equal(t_again(again_candidates, out, sizeof(out)), 1);
	assert_null(pk_candidates_decode((struct pk_bytes){ out, sizeof(out) },
					 &c));
	assert_int_equal(pk_candidates_find(&c, hash, &since), 0);
}

static void every_cut_and_every_flip_is_refused(void **state)
{
	(void)state;
	assert_int_equal(t_again(again_candidates, two, sizeof(two)), 1);
	assert_int_equal(each_damage(again_candidates, two, sizeof(two)), 0);
}

/* Under a checksum that is right. */
static void what_is_wrong_under_a_right_sum_is_refused(void **state)
{
	static const struct {
		size_t at;
		unsigned char is;
	} v[] = {
		{ 0, 'P' }, { 6, '2' }, { 16, 1 }, { 16, 3 }, { 23, 1 },
		{ 20, 1 }, { 24, 2 }, { 24 + 31, 10 }, { 24 + 31, 11 },
	};
	struct pk_candidates c;

	(void)state;
	for (size_t i = 0; i < T_COUNT(v); i++) {
		unsigned char *bytes = t_exact(two, sizeof(two));

		bytes[v[i].at] = v[i].is;
		pk_put_le64(bytes + sizeof(two) - 8,
			    pk_sum(0, bytes, sizeof(two) - 8));
		assert_rule(pk_candidates_decode(
				    (struct pk_bytes){ bytes, sizeof(two) },
				    &c), "F-86");
		free(bytes);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_list_is_spelled_out),
		cmocka_unit_test(none_is_a_list_too),
		cmocka_unit_test(every_cut_and_every_flip_is_refused),
		cmocka_unit_test(what_is_wrong_under_a_right_sum_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
