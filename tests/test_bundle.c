/* test_bundle.c - the first member of a bundle for a stick, and the names of
 * the others (F-81, F-82). */
#include "t.h"
#include "bundle.h"
#include "sha256.h"

#define EMPTY "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU="
#define A "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="
#define B "AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQE="
#define HEAD "pakhus bundle 1\nidentity 00112233445566778899aabbccddeeff\n"
#define PART HEAD "from 2 " A "\nto 300 " B "\n" B "\n" A "\n"
#define HASH "fa/8f399fd6b41ef330d7ff4e4c5422a350cd4566f44eadd7f065b4f5c0b6276a"
#define OBJECT ("objects/" HASH)

static const char *decode(const char *text, struct pk_bundle *b)
{
	char *exact = (char *)t_exact(text, strlen(text));
	const char *fault = pk_bundle_decode(exact, strlen(text), b);

	free(exact);
	return fault;
}

static void a_bundle_begins_with_these_lines(void **state)
{
	struct pk_bundle b;
	char out[PK_BUNDLE_HEAD];

	(void)state;
	memset(&b, 0xFF, sizeof(b));
	assert_null(decode(PART, &b));
	assert_memory_equal(b.identity, "\x00\x11\x22", 3);
	assert_int_equal(b.from, 2);
	assert_int_equal(b.to, 300);
	assert_int_equal(b.from_root[31], 0);
	assert_int_equal(b.to_root[31], 1);
	assert_int_equal(b.proof.n, 2);
	assert_int_equal(b.proof.hash[0][0], 1);
	assert_int_equal(b.proof.hash[1][0], 0);
	assert_int_equal(pk_bundle_encode(&b, out), strlen(PART));
	assert_string_equal(out, PART);
	assert_null(decode(HEAD "from 0 " EMPTY "\nto 1 " A "\n", &b));
	assert_int_equal(b.proof.n, 0);
	assert_null(decode(HEAD "from 7 " A "\nto 7 " A "\n", &b));
}

static void no_entries_have_the_hash_of_nothing(void **state)
{
	unsigned char hash[PK_HASH_SIZE];

	(void)state;
	assert_int_equal(pk_sha256("", 0, hash), 0);
	assert_memory_equal(hash, pk_bundle_empty, PK_HASH_SIZE);
}

static void the_longest_fits(void **state)
{
	struct pk_bundle b = { .from = 9999999999999998,
			       .to = 9999999999999999, .proof.n = PK_PATH_MAX };
	char *out = malloc(PK_BUNDLE_HEAD);
	size_t n = pk_bundle_encode(&b, out);

	(void)state;
	assert_int_equal(n, PK_BUNDLE_HEAD - 1);
	assert_int_equal(n, pk_member_max(PK_MEMBER_BUNDLE));
	assert_int_equal(t_again(again_stick, out, n), 1);
	free(out);
}

static void every_rule_is_answered_by_its_number(void **state)
{
	static const char *const bad[] = {
		"", "pakhus bundle ", "pakhus bundle 1", "pakhus bundle 2",
		"pakhus bundle 01\n", "pakhus bundle x\n", "pakhus 1\n",
		"pakhus bundle 1\r\n", HEAD,
		"pakhus bundle 1\nidentity 00112233445566778899AABBCCDDEEFF\n"
		"from 0 " EMPTY "\nto 1 " A "\n",
		HEAD "from 2 " A "\n",
		HEAD "to 3 " A "\nfrom 2 " A "\n",
		HEAD "from 02 " A "\nto 3 " A "\n",
		HEAD "from  " A "\nto 3 " A "\n",
		HEAD "from -2 " A "\nto 3 " A "\n",
		HEAD "from 10000000000000000 " A "\nto 99999999999999999 " A
		     "\n",
		HEAD "from 2  " A "\nto 3 " A "\n",
		HEAD "from 2 " A "\nto 3 " A, /* cut */
		HEAD "from 2 " A "\r\nto 3 " A "\n",
		HEAD "from 2 " A "\nto 3 " A "\n\n",
		HEAD "from 2 " A "\nto 3 " A "\n" A,
		HEAD "from 2 " A "\nto 3 " A "\n" A "\n\n",
		HEAD "from 2 " A "\nto 3 " A "\n" A "x" A "\n",
		HEAD "from 2 AAAA\nto 3 " A "\n",
		HEAD "from 4 " A "\nto 3 " A "\n",
		HEAD "from 0 " EMPTY "\nto 0 " EMPTY "\n",
		HEAD "from 0 " A "\nto 3 " A "\n",
		HEAD "from 0 " EMPTY "\nto 3 " A "\n" A "\n",
		HEAD "from 3 " A "\nto 3 " A "\n" A "\n",
		HEAD "from 3 " A "\nto 3 " B "\n",
		HEAD "from 0 " EMPTY "\nto 3 " A "\nmore\n",
	};
	struct pk_bundle b;

	(void)state;
	for (size_t i = 0; i < T_COUNT(bad); i++)
		assert_rule(decode(bad[i], &b), "F-82");
	assert_ptr_equal(decode("pakhus bundle 2\n", &b), pk_bundle_newer);
	assert_ptr_equal(decode("pakhus bundle 10\nx", &b), pk_bundle_newer);
}

static void a_proof_has_no_more_hashes_than_a_tree_needs(void **state)
{
	struct pk_bundle b = { .from = 1, .to = 2, .proof.n = PK_PATH_MAX };
	char text[PK_BUNDLE_HEAD + 45];
	size_t n = pk_bundle_encode(&b, text);

	(void)state;
	memcpy(text + n, A "\n", 45);
	assert_rule(pk_bundle_decode(text, n + 45, &b), "F-82");
}

static void damage_is_refused_or_another_bundle(void **state)
{
	size_t lines = 0;

	(void)state;
	assert_int_equal(t_again(again_stick, PART, strlen(PART)), 1);
	/* cut behind to, and behind each hash, it is one of a shorter proof;
	 * whether that proves anything is not said here */
	lines = each_cut(again_stick, PART, strlen(PART));
	assert_int_equal(lines, 2);
	each_flip(again_stick, PART, strlen(PART));
}

static size_t accepts(const char *name)
{
	return t_again(again_member, name, strlen(name));
}

static void members_have_these_names_alone(void **state)
{
	static const char *const good[] = {
		"BUNDLE", "FORMAT", "log/checkpoint", "keys/0123abcd",
		"keys/0123abcd.next", "log/tile/entries/000",
		"log/tile/entries/x001/234.p/255", OBJECT,
	};
	static const char *const bad[] = {
		"", "bundle", "FORMAT/", "./FORMAT", "/FORMAT", "FORMAT ",
		"log", "log/", "log/checkpoint.new", "log/tile/0/000",
		"log/tile/entries/0", "log/tile/entries/000.p/256",
		"log/tile/entries/x000/001", "log/../log/tile/entries/000",
		"tile/entries/000", "keys/", "keys/0123abc", "keys/0123ABCD",
		"keys/0123abcd.", "keys/0123abcd.nextt", "keys/0123abcd/next",
		"keys/../keys/0123abcd", "local/key", "pkg/ab/c.jsonl",
		"objects/", HASH, ("x/" HASH), ("objects/" HASH "0"),
		("objects/../objects/" HASH), ("/objects/" HASH),
		("objects/f" HASH),
	};

	(void)state;
	for (size_t i = 0; i < T_COUNT(good); i++)
		assert_true(accepts(good[i]));
	for (size_t i = 0; i < T_COUNT(bad); i++)
		assert_false(accepts(bad[i]));
}

static void members_stand_in_order(void **state)
{
	static const char *const order[] = {
		"BUNDLE", "FORMAT", "log/checkpoint", "keys/0123abcd",
		"keys/0123abcd.next", "keys/0123abce", "log/tile/entries/000",
		"log/tile/entries/002.p/3", "log/tile/entries/010",
		"log/tile/entries/x001/000", OBJECT,
		"objects/fa/9f399fd6b41ef330d7ff4e4c5422a350cd4566f44eadd7f065"
		"b4f5c0b6276a",
	};
	struct pk_member a, b;

	(void)state;
	for (size_t i = 0; i < T_COUNT(order); i++)
		for (size_t j = 0; j < T_COUNT(order); j++) {
			assert_int_equal(pk_member_parse(order[i], &a), 0);
			assert_int_equal(pk_member_parse(order[j], &b), 0);
			assert_int_equal(pk_member_compare(&a, &b) < 0, i < j);
			assert_int_equal(pk_member_compare(&a, &b) > 0, i > j);
		}
	/* full or partial, these entries come once */
	assert_int_equal(pk_member_parse("log/tile/entries/002", &a), 0);
	assert_int_equal(pk_member_parse("log/tile/entries/002.p/3", &b), 0);
	assert_int_equal(pk_member_compare(&a, &b), 0);
}

static void a_name_that_is_cut_or_flipped_is_another_or_none(void **state)
{
	static const char name[] = "objects/" HASH;

	(void)state;
	assert_int_equal(each_cut(again_member, name, strlen(name)), 0);
	each_flip(again_member, name, strlen(name));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_bundle_begins_with_these_lines),
		cmocka_unit_test(no_entries_have_the_hash_of_nothing),
		cmocka_unit_test(the_longest_fits),
		cmocka_unit_test(every_rule_is_answered_by_its_number),
		cmocka_unit_test(a_proof_has_no_more_hashes_than_a_tree_needs),
		cmocka_unit_test(damage_is_refused_or_another_bundle),
		cmocka_unit_test(members_have_these_names_alone),
		cmocka_unit_test(members_stand_in_order),
		cmocka_unit_test(
			a_name_that_is_cut_or_flipped_is_another_or_none),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
