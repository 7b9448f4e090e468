/* test_number.c - F-4: every number becomes ECMAScript's shortest text. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include <locale.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "number.h"

/* Reads from a buffer of the text's very size, so that a sanitizer sees every
 * over-read, and wants all of it to be read. */
static void becomes(const char *text, size_t size, const char *want)
{
	char *exact = malloc(size ? size : 1), out[PK_NUMBER_MAX + 1];
	const char *at = exact, *what = NULL;
	size_t n;

	assert_non_null(exact);
	memcpy(exact, text, size);
	memset(out, '#', sizeof(out));
	n = pk_number_canon(&at, exact + size, out, &what);
	assert_int_equal(out[PK_NUMBER_MAX], '#');
	if (n == 0 || n > PK_NUMBER_MAX)
		fail_msg("%s: %s", text, what);
	assert_int_equal(at - exact, size);
	out[n] = '\0';
	assert_string_equal(out, want);
	free(exact);
}

static void refuses(const char *text, size_t place, const char *want)
{
	char out[PK_NUMBER_MAX];
	const char *at = text, *what = NULL;

	assert_int_equal(pk_number_canon(&at, text + strlen(text), out, &what),
			 0);
	assert_int_equal(at - text, place);
	assert_string_equal(what, want);
}

static const struct {
	const char *text, *want;
} numbers[] = {
	{"0", "0"},
	{"-0", "0"},
	{"-0.0e7", "0"},
	{"0e99999999999999999999", "0"},
	{"7", "7"},
	{"-7", "-7"},
	{"10", "10"},
	{"1.0", "1"},
	{"1.50", "1.5"},
	{"-1e2", "-100"},
	{"1E+2", "100"},
	{"123456789012345", "123456789012345"},
	{"1234567890123456", "1234567890123456"},
	{"12345678901234567890", "12345678901234567000"},
	{"123456789012345680000", "123456789012345680000"},
	{"100000000000000000000", "100000000000000000000"},
	{"1e20", "100000000000000000000"},
	{"1e21", "1e+21"},
	{"-1e21", "-1e+21"},
	{"1234567890123456789012", "1.2345678901234568e+21"},
	{"0.000001", "0.000001"},
	{"0.0000001", "1e-7"},
	{"0.00000123456789012345678", "0.0000012345678901234567"},
	{"-1.2345e-7", "-1.2345e-7"},
	{"0.1", "0.1"},
	{"0.30000000000000004", "0.30000000000000004"},
	{"9007199254740993", "9007199254740992"},
	{"9007199254740993.00000000000000000001", "9007199254740994"},
	{"1.7976931348623157e308", "1.7976931348623157e+308"},
	{"1.7976931348623158e308", "1.7976931348623157e+308"},
	{"2.2250738585072014e-308", "2.2250738585072014e-308"},
	{"2.2250738585072011e-308", "2.225073858507201e-308"},
	{"4.9e-324", "5e-324"},
	{"2.4703282292062328e-324", "5e-324"},
	{"2.4703282292062327e-324", "0"},
	{"1e-400", "0"},
	{"-1e-99999999999999999999", "0"},
};

static void numbers_become_what_ecmascript_writes(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(numbers) / sizeof(*numbers); i++)
		becomes(numbers[i].text, strlen(numbers[i].text),
			numbers[i].want);
}

static void what_is_written_is_read_back_the_same(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(numbers) / sizeof(*numbers); i++)
		becomes(numbers[i].want, strlen(numbers[i].want),
			numbers[i].want);
}

/* Here the nearest decimal of 16 digits misses, and its neighbour fits. */
static void a_power_of_two_takes_the_neighbour_when_only_that_fits(void **state)
{
	(void)state;
	becomes("5.684341886080802e-14", 21, "5.684341886080802e-14");
	becomes("5.6843418860808015e-14", 22, "5.684341886080802e-14");
	becomes("9.007199254740992e15", 20, "9007199254740992");
}

static void the_locale_has_no_say(void **state)
{
	static const char *const names[] = {"de_DE.UTF-8", "de_DE.utf8",
					    "da_DK.UTF-8", "fr_FR.UTF-8"};

	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++)
		if (setlocale(LC_ALL, names[i]))
			break;
	if (*localeconv()->decimal_point != ',') {
		printf("# no locale with a decimal comma is installed\n");
		fflush(stdout);
		skip();
	}
	numbers_become_what_ecmascript_writes(state);
	setlocale(LC_ALL, "C");
}

static void a_number_ends_where_the_grammar_ends(void **state)
{
	static const char *const texts[] = {"0,",   "01",   "-00", "1.5]",
					    "1e5e", "10 ",  "2-",  "12a",
					    "0x1",  "1.2.3"};
	static const size_t ends[] = {1, 1, 2, 3, 3, 2, 1, 2, 1, 3};
	char out[PK_NUMBER_MAX];

	(void)state;
	for (size_t i = 0; i < sizeof(ends) / sizeof(*ends); i++) {
		const char *at = texts[i], *what;

		assert_int_not_equal(
			pk_number_canon(&at, at + strlen(at), out, &what), 0);
		assert_int_equal(at - texts[i], ends[i]);
	}
}

static void what_is_no_number_is_refused_at_the_byte(void **state)
{
	(void)state;
	refuses("", 0, "expected a digit");
	refuses("-", 1, "expected a digit");
	refuses("-a", 1, "expected a digit");
	refuses("+1", 0, "expected a digit");
	refuses("1.", 2, "expected a digit");
	refuses("1.e1", 2, "expected a digit");
	refuses("1e", 2, "expected a digit");
	refuses("1e+", 3, "expected a digit");
	refuses("1E-x", 3, "expected a digit");
}

static void overflow_is_refused_at_the_first_byte(void **state)
{
	(void)state;
	refuses("1e309", 0, "number too large for a double"); /* F-6 */
	refuses("-1e400", 0, "number too large for a double");
	refuses("1.7976931348623159e308", 0, "number too large for a double");
	refuses("1e99999999999999999999", 0, "number too large for a double");
}

enum { MUCH = 2000000 };

static void megabytes_of_digits_neither_overflow_nor_stall(void **state)
{
	char *text = malloc(MUCH + 64);
	int n;

	(void)state;
	assert_non_null(text);
	memset(text, '0', MUCH);
	text[0] = '1'; /* 1000…000e-1999999 */
	n = snprintf(text + MUCH, 64, "e-%d", MUCH - 1);
	becomes(text, MUCH + (size_t)n, "1");
	text[0] = '0'; /* 0.000…0001e1999999 */
	text[1] = '.';
	n = snprintf(text + MUCH, 64, "1e%d", MUCH - 1);
	becomes(text, MUCH + (size_t)n, "1");
	text[0] = '5'; /* 5e000…0002 */
	text[1] = 'e';
	text[MUCH] = '2';
	becomes(text, MUCH + 1, "500");
	memset(text, '9', MUCH); /* 0e999… and 1e-999… */
	text[0] = '0';
	text[1] = 'e';
	becomes(text, MUCH, "0");
	text[0] = '1';
	text[2] = '-';
	becomes(text, MUCH, "0");
	memset(text, '3', MUCH);
	text[1] = '.';
	becomes(text, MUCH, "3.3333333333333335");
	free(text);
}

/* The middle of 1 and its neighbour goes to the even one, unless something,
 * however far behind, makes it more. */
static void a_digit_far_behind_the_middle_counts(void **state)
{
	static const char middle[] =
		"1.00000000000000011102230246251565404236316680908203125";
	char text[2100];
	size_t n = strlen(middle);

	(void)state;
	becomes(middle, n, "1");
	memset(text, '0', sizeof(text));
	memcpy(text, middle, n);
	becomes(text, sizeof(text), "1");
	text[sizeof(text) - 1] = '1';
	becomes(text, sizeof(text), "1.0000000000000002");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(numbers_become_what_ecmascript_writes),
		cmocka_unit_test(what_is_written_is_read_back_the_same),
		cmocka_unit_test(
			a_power_of_two_takes_the_neighbour_when_only_that_fits),
		cmocka_unit_test(the_locale_has_no_say),
		cmocka_unit_test(a_number_ends_where_the_grammar_ends),
		cmocka_unit_test(what_is_no_number_is_refused_at_the_byte),
		cmocka_unit_test(overflow_is_refused_at_the_first_byte),
		cmocka_unit_test(
			megabytes_of_digits_neither_overflow_nor_stall),
		cmocka_unit_test(a_digit_far_behind_the_middle_counts),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
