/* test_tar.c - one member's header of a tar (F-80). */
#include "t.h"
#include "tar.h"

#define NAME "log/checkpoint"

/* Spelled out, so that what tar(1) reads and what is here stay the same. */
static void spell(unsigned char out[PK_TAR_BLOCK])
{
	memset(out, 0, PK_TAR_BLOCK);
	memcpy(out, NAME, strlen(NAME));
	memcpy(out + 100, "0000444\0" "0000000\0" "0000000\0", 24);
	memcpy(out + 124, "00000000123\0" "00000000000\0", 24);
	memcpy(out + 148, "012032\0 0", 9);
	memcpy(out + 257, "ustar\0" "00", 8);
	memcpy(out + 329, "0000000\0" "0000000\0", 16);
}

static void sum(unsigned char *block)
{
	unsigned total = 8 * ' ';
	char digits[8];

	for (int i = 0; i < PK_TAR_BLOCK; i++)
		total += i < 148 || i >= 156 ? block[i] : 0;
	snprintf(digits, sizeof(digits), "%06o", total);
	memcpy(block + 148, digits, 7);
	block[155] = ' ';
}

static const char *decode(const unsigned char *block, struct pk_tar *t)
{
	unsigned char *exact = t_exact(block, PK_TAR_BLOCK);
	const char *fault = pk_tar_decode(exact, t);

	free(exact);
	return fault;
}

static void a_header_is_these_bytes(void **state)
{
	struct pk_tar t = { .name = NAME, .size = 0123 }, again;
	unsigned char block[PK_TAR_BLOCK], want[PK_TAR_BLOCK];

	(void)state;
	spell(want);
	pk_tar_encode(&t, block);
	assert_memory_equal(block, want, PK_TAR_BLOCK);
	memset(&again, 0xFF, sizeof(again));
	assert_null(decode(want, &again));
	assert_string_equal(again.name, NAME);
	assert_int_equal(again.size, 83);
	t.size = PK_TAR_SIZE_MAX;
	memset(t.name, 'n', PK_TAR_NAME - 1);
	pk_tar_encode(&t, block);
	assert_null(decode(block, &again));
	assert_true(again.size == PK_TAR_SIZE_MAX);
	assert_int_equal(strlen(again.name), PK_TAR_NAME - 1);
}

static void a_name_leads_below(void **state)
{
	static const char *const good[] = { "a", "a/b", "...", "a/...", "a/.b",
					    "..a", "a..", "~" };
	static const char *const bad[] = {
		"", "/", "/a", "a/", "a//b", ".", "..", "./a", "../a", "a/..",
		"a/./b", "a/../b", "a b", "a\nb", "a\x7F", "\xC3\xA4", " ",
	};
	unsigned char block[PK_TAR_BLOCK];
	struct pk_tar t = { .size = 1 }, again;

	(void)state;
	for (size_t i = 0; i < T_COUNT(good); i++) {
		strcpy(t.name, good[i]);
		pk_tar_encode(&t, block);
		assert_null(decode(block, &again));
	}
	for (size_t i = 0; i < T_COUNT(bad); i++) {
		memset(t.name, 0, sizeof(t.name));
		strcpy(t.name, bad[i]);
		pk_tar_encode(&t, block);
		assert_rule(decode(block, &again), "F-80");
		assert_string_equal(decode(block, &again),
				    "F-80 the name does not lead to a place "
				    "below");
	}
}

/* A field set to something else, the checksum being right again. */
static void what_no_bundle_has_is_told_apart(void **state)
{
	static const struct {
		size_t at;
		const char *bytes;
		size_t n;
		const char *says;
	} v[] = {
		{ 148, "000000", 6, "checksum" },
		{ 257, "ustar  ", 7, "ustar" }, /* GNU's own */
		{ 257, "\0\0\0\0\0", 5, "ustar" }, /* before POSIX */
		{ 156, "\0", 1, "regular" },
		{ 156, "1", 1, "regular" }, /* hard link */
		{ 156, "2", 1, "regular" }, /* symbolic link */
		{ 156, "3", 1, "regular" },
		{ 156, "5", 1, "regular" }, /* directory */
		{ 156, "6", 1, "regular" },
		{ 156, "7", 1, "regular" },
		{ 156, "L", 1, "regular" }, /* a long name follows */
		{ 156, "S", 1, "regular" }, /* sparse */
		{ 156, "x", 1, "regular" }, /* pax */
		{ 156, "g", 1, "regular" },
		{ 99, "n", 1, "longer than 99" },
		{ 50, "n", 1, "something else" }, /* behind the NUL */
		{ 124, "\x80\0\0\0\0\0\0\0\1\0\0", 11, "octal" },
		{ 124, "          3", 11, "octal" },
		{ 124, "00000000008", 11, "octal" },
		{ 124, "-0000000001", 11, "octal" },
		{ 135, " ", 1, "something else" },
		{ 100, "0000644", 7, "mode" },
		{ 100, "0004755", 7, "mode" },
		{ 108, "0001750", 7, "owner" },
		{ 116, "0001750", 7, "owner" },
		{ 136, "14720100000", 11, "time" },
		{ 157, "/etc/passwd", 11, "something else" },
		{ 265, "root", 4, "something else" },
		{ 297, "root", 4, "something else" },
		{ 329, "0000001", 7, "something else" },
		{ 345, "/etc", 4, "something else" }, /* a prefix */
		{ 511, "x", 1, "something else" },
	};
	struct pk_tar t;

	(void)state;
	for (size_t i = 0; i < T_COUNT(v); i++) {
		unsigned char block[PK_TAR_BLOCK];
		const char *fault;

		spell(block);
		memcpy(block + v[i].at, v[i].bytes, v[i].n);
		if (v[i].at != 148)
			sum(block);
		fault = decode(block, &t);
		assert_rule(fault, "F-80");
		if (!strstr(fault, v[i].says))
			fail_msg("%zu: %s", i, fault);
	}
}

static void every_flip_is_refused(void **state)
{
	unsigned char block[PK_TAR_BLOCK];

	(void)state;
	spell(block);
	assert_int_equal(t_again(again_tar, block, PK_TAR_BLOCK), 1);
	assert_int_equal(each_damage(again_tar, block, PK_TAR_BLOCK), 0);
}

static void the_end_is_nuls(void **state)
{
	unsigned char block[PK_TAR_BLOCK] = { 0 };
	struct pk_tar t;

	(void)state;
	assert_true(pk_tar_is_end(block));
	assert_rule(pk_tar_decode(block, &t), "F-80");
	block[511] = 1;
	assert_false(pk_tar_is_end(block));
	block[511] = 0;
	block[0] = 1;
	assert_false(pk_tar_is_end(block));
}

static void members_fill_blocks(void **state)
{
	(void)state;
	assert_int_equal(pk_tar_padding(0), 0);
	assert_int_equal(pk_tar_padding(1), 511);
	assert_int_equal(pk_tar_padding(511), 1);
	assert_int_equal(pk_tar_padding(512), 0);
	assert_int_equal(pk_tar_padding(PK_TAR_SIZE_MAX), 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_header_is_these_bytes),
		cmocka_unit_test(a_name_leads_below),
		cmocka_unit_test(what_no_bundle_has_is_told_apart),
		cmocka_unit_test(every_flip_is_refused),
		cmocka_unit_test(the_end_is_nuls),
		cmocka_unit_test(members_fill_blocks),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
