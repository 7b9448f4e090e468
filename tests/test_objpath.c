/* test_objpath.c - a digest as the path of its object (F-11). */
#include "t.h"
#include "hex.h"
#include "objpath.h"

#define HEAD "fa"
#define TAIL "8f399fd6b41ef330d7ff4e4c5422a350cd4566f44eadd7f065b4f5c0b6276a"

static void a_digest_is_cut_behind_its_first_byte(void **state)
{
	unsigned char hash[PK_HASH_SIZE], again[PK_HASH_SIZE];
	char path[PK_OBJPATH_SIZE];

	(void)state;
	assert_int_equal(pk_unhex(HEAD TAIL, hash, sizeof(hash)), 0);
	pk_objpath(hash, path);
	assert_string_equal(path, "objects/" HEAD "/" TAIL);
	assert_int_equal(strlen(path) + 1, PK_OBJPATH_SIZE);
	assert_int_equal(pk_objpath_parse(path, again), 0);
	assert_memory_equal(again, hash, sizeof(hash));
}

static size_t accepts(const char *path)
{
	return t_again(again_objpath, path, strlen(path));
}

static void a_path_may_begin_anywhere_above(void **state)
{
	(void)state;
	assert_true(accepts(HEAD "/" TAIL));
	assert_true(accepts("/" HEAD "/" TAIL));
	assert_true(accepts("/srv/store/objects/" HEAD "/" TAIL));
}

static void what_is_no_digest_is_refused(void **state)
{
	static const char *const bad[] = {
		"", "/", HEAD, HEAD TAIL, HEAD "/" TAIL "0", HEAD "/" TAIL "/",
		HEAD "x" TAIL, "FA/" TAIL, HEAD "//" TAIL,
		HEAD "/8F399fd6b41ef330d7ff4e4c5422a350cd4566f44eadd7f065b4f5"
		     "c0b6276a",
	};

	(void)state;
	for (size_t i = 0; i < T_COUNT(bad); i++)
		assert_false(accepts(bad[i]));
}

static void a_fan_out_directory_has_two_digits(void **state)
{
	(void)state;
	assert_false(accepts("objects/0" HEAD "/" TAIL));
	assert_false(accepts("x" HEAD "/" TAIL));
}

static void damage_is_refused_or_another_digest(void **state)
{
	static const char path[] = "objects/" HEAD "/" TAIL;

	(void)state;
	assert_int_equal(each_cut(again_objpath, path, strlen(path)), 0);
	each_flip(again_objpath, path, strlen(path));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_digest_is_cut_behind_its_first_byte),
		cmocka_unit_test(a_path_may_begin_anywhere_above),
		cmocka_unit_test(what_is_no_digest_is_refused),
		cmocka_unit_test(a_fan_out_directory_has_two_digits),
		cmocka_unit_test(damage_is_refused_or_another_digest),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
