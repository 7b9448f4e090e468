/* test_format.c - the file that begins a store. */
#include "t.h"
#include "format.h"

#define IDENTITY "00112233445566778899aabbccddeeff"
#define TEXT                                                                   \
	"pakhus 1\nidentity " IDENTITY "\norigin log.example/a\nimmutable no\n"

static const char *decode(const char *text, struct pk_format *f)
{
	char *exact = (char *)t_exact(text, strlen(text));
	const char *fault = pk_format_decode(exact, strlen(text), f);

	free(exact);
	return fault;
}

static void a_format_is_four_lines(void **state)
{
	struct pk_format f;
	char out[PK_FORMAT_SIZE];

	(void)state;
	memset(&f, 0xFF, sizeof(f));
	assert_null(decode(TEXT, &f));
	assert_memory_equal(f.identity, "\x00\x11\x22\x33", 4);
	assert_int_equal(f.identity[15], 0xFF);
	assert_string_equal(f.origin, "log.example/a");
	assert_int_equal(f.immutable, 0);
	assert_int_equal(pk_format_encode(&f, out), strlen(TEXT));
	assert_string_equal(out, TEXT);
	assert_null(decode("pakhus 1\nidentity " IDENTITY "\norigin o\n"
			   "immutable yes\n", &f));
	assert_int_equal(f.immutable, 1);
}

static void the_longest_format_fits(void **state)
{
	struct pk_format f = { .immutable = 1 };
	char *out = malloc(PK_FORMAT_SIZE);
	size_t n;

	(void)state;
	memset(f.origin, 'o', PK_ORIGIN_MAX);
	n = pk_format_encode(&f, out);
	assert_in_range(n, PK_ORIGIN_MAX, PK_FORMAT_SIZE - 1);
	assert_int_equal(t_again(again_format, out, n), 1);
	free(out);
}

static void every_rule_is_answered_by_its_number(void **state)
{
	static const struct {
		const char *text, *rule;
	} v[] = {
		{ "", "F-40" },
		{ "pakhu", "F-40" },
		{ "Pakhus 1\n", "F-40" },
		{ "\xEF\xBB\xBF" TEXT, "F-40" },
		{ "pakhus 2\n", "F-42" },
		{ "pakhus 10\nidentity " IDENTITY "\n", "F-42" },
		{ "pakhus 1\n", "F-41" },
		{ "pakhus 1\r\n", "F-40" },
		{ "pakhus ", "F-40" }, /* cut, and no later version */
		{ "pakhus 2", "F-40" },
		{ "pakhus 1\nidentity " IDENTITY "\n", "F-41" },
		{ "pakhus 1\nidentity 00112233445566778899AABBCCDDEEFF\n"
		  "origin o\nimmutable no\n", "F-41" },
		{ "pakhus 1\nidentity " IDENTITY "00\norigin o\nimmutable no\n",
		  "F-41" },
		{ "pakhus 1\nidentity " IDENTITY "\norigin \nimmutable no\n",
		  "F-41" },
		{ "pakhus 1\nidentity " IDENTITY "\norigin o", "F-41" },
		{ "pakhus 1\nidentity " IDENTITY "\norigin a b\nimmutable no\n",
		  "F-41" },
		{ "pakhus 1\nidentity " IDENTITY "\norigin a\n", "F-41" },
		{ "pakhus 1\nidentity " IDENTITY "\norigin a\nimmutable y\n",
		  "F-41" },
		{ "pakhus 1\nidentity " IDENTITY "\norigin a\nimmutable yo\n",
		  "F-41" },
		{ "pakhus 1\nidentity " IDENTITY "\norigin a\nimmutable yes",
		  "F-41" },
		{ "pakhus 1\nidentity " IDENTITY "\norigin a\nImmutable no\n",
		  "F-41" },
		{ TEXT "\n", "F-41" },
		{ TEXT "compression none\n", "F-41" },
	};
	struct pk_format f;

	(void)state;
	for (size_t i = 0; i < T_COUNT(v); i++)
		assert_rule(decode(v[i].text, &f), v[i].rule);
	assert_ptr_equal(decode("pakhus 2\n", &f), pk_format_newer);
}

static void damage_is_refused_or_another_store(void **state)
{
	(void)state;
	assert_int_equal(t_again(again_format, TEXT, strlen(TEXT)), 1);
	assert_int_equal(each_cut(again_format, TEXT, strlen(TEXT)), 0);
	each_flip(again_format, TEXT, strlen(TEXT));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_format_is_four_lines),
		cmocka_unit_test(the_longest_format_fits),
		cmocka_unit_test(every_rule_is_answered_by_its_number),
		cmocka_unit_test(damage_is_refused_or_another_store),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
