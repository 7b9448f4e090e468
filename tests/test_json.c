/* test_json.c - the walker over canonical text. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "json.h"

static void item(struct pk_json *it, const char *key, const char *value)
{
	assert_int_equal(pk_json_next(it), 1);
	assert_int_equal(it->key.size, strlen(key));
	if (it->key.size)
		assert_memory_equal(it->key.at, key, it->key.size);
	assert_int_equal(it->value.size, strlen(value));
	assert_memory_equal(it->value.at, value, it->value.size);
}

static void an_object_gives_its_members_in_order(void **state)
{
	static const char text[] =
		"{\"a\":1,\"\":\"x,}\",\"k\\\"\":{\"b\":[1,\"]\"]},\"c\":[],"
		"\"d\":true,\"e\":false,\"f\":null,\"g\":-1.5e+300}";
	struct pk_json it;

	(void)state;
	assert_int_equal(pk_json_init(&it, text, strlen(text)), 0);
	item(&it, "a", "1");
	item(&it, "", "\"x,}\"");
	item(&it, "k\\\"", "{\"b\":[1,\"]\"]}");
	item(&it, "c", "[]");
	item(&it, "d", "true");
	item(&it, "e", "false");
	item(&it, "f", "null");
	item(&it, "g", "-1.5e+300");
	assert_int_equal(pk_json_next(&it), 0);
	assert_int_equal(pk_json_next(&it), 0);
}

static void an_array_gives_its_values_and_no_keys(void **state)
{
	static const char text[] = "[[[]],{},\"\\\\\",0]";
	struct pk_json it;

	(void)state;
	assert_int_equal(pk_json_init(&it, text, strlen(text)), 0);
	item(&it, "", "[[]]");
	item(&it, "", "{}");
	item(&it, "", "\"\\\\\"");
	item(&it, "", "0");
	assert_int_equal(pk_json_next(&it), 0);
}

static void an_empty_one_gives_nothing(void **state)
{
	struct pk_json it;

	(void)state;
	assert_int_equal(pk_json_init(&it, "{}", 2), 0);
	assert_int_equal(pk_json_next(&it), 0);
	assert_int_equal(pk_json_init(&it, "[]", 2), 0);
	assert_int_equal(pk_json_next(&it), 0);
}

static void what_is_no_object_and_no_array_does_not_start(void **state)
{
	static const char *const texts[] = {"",	  "{",	"}",   "1",   "\"{}\"",
					    "{]", "[}", " []", "null"};
	struct pk_json it;

	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(*texts); i++) {
		assert_int_equal(pk_json_init(&it, texts[i], strlen(texts[i])),
				 -1);
		assert_int_equal(pk_json_next(&it), -1);
	}
}

static int walk(const char *text, size_t n)
{
	struct pk_json it;
	int rc = pk_json_init(&it, text, n);

	while (!rc) {
		rc = pk_json_next(&it);
		if (rc <= 0)
			return rc;
		if (it.value.size > 1 &&
		    (*it.value.at == '{' || *it.value.at == '['))
			rc = walk(it.value.at, it.value.size);
		else
			rc = 0;
	}
	return rc;
}

static void
the_first_byte_that_does_not_fit_ends_the_walk_for_good(void **state)
{
	static const char *const texts[] = {"{ }",
					    "[ ]",
					    "[,]",
					    "[1,]",
					    "[1 ,2]",
					    "[1, 2]",
					    "{\"a\"}",
					    "{\"a\":}",
					    "{\"a\" :1}",
					    "{\"a\":1,}",
					    "{a:1}",
					    "{\"a\":1 }",
					    "[tru]",
					    "[nulll]",
					    "[\"a]",
					    "[\"a\\\"]",
					    "[1}{2]",
					    "[{]",
					    "{\"a\":1}{\"b\":2}",
					    "[\"\n\"]",
					    "[x]",
					    "[[}]",
					    "{\"a\":[1}",
					    "{\"a\":{\"b\"]}"};
	struct pk_json it;
	int rc;

	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(*texts); i++) {
		if (walk(texts[i], strlen(texts[i])) != -1)
			fail_msg("walked %s", texts[i]);
		if (pk_json_init(&it, texts[i], strlen(texts[i])))
			continue;
		do
			rc = pk_json_next(&it);
		while (rc > 0);
		assert_int_equal(pk_json_next(&it), rc);
	}
}

static void no_cut_and_no_flipped_bit_is_read_beyond(void **state)
{
	static const char text[] =
		"{\"a\":[1,-2.5e+30,\"x\\u001f\\\"y\",{\"b\":true}],"
		"\"long enough for eight\":\"and again, this one too\","
		"\"c\":[false,null,[[]]]}";
	size_t size = strlen(text);

	(void)state;
	for (size_t n = 0; n <= size; n++) {
		char *exact = malloc(n ? n : 1);

		assert_non_null(exact);
		memcpy(exact, text, n);
		assert_int_equal(walk(exact, n), n == size ? 0 : -1);
		for (size_t bit = 0; bit < 8 * n; bit++) {
			exact[bit / 8] ^= (char)(1 << bit % 8);
			walk(exact, n);
			exact[bit / 8] ^= (char)(1 << bit % 8);
		}
		/* whatever is cut off may seem whole */
		if (n > 1) {
			exact[n - 1] = '}';
			walk(exact, n);
		}
		free(exact);
	}
}

static int unescape(const char *inside, char *out, size_t cap)
{
	size_t n = strlen(inside);
	char *exact = malloc(n ? n : 1);
	struct pk_span span = {exact, n};
	int rc;

	assert_non_null(exact);
	memcpy(exact, inside, n);
	rc = pk_json_unescape(span, out, cap);
	free(exact);
	return rc;
}

static void escapes_become_what_they_stand_for(void **state)
{
	char out[64];

	(void)state;
	assert_int_equal(unescape("", out, sizeof(out)), 0);
	assert_string_equal(out, "");
	assert_int_equal(unescape("plain \xc3\xa9", out, sizeof(out)), 8);
	assert_string_equal(out, "plain \xc3\xa9");
	assert_int_equal(
		unescape("\\\"\\\\\\/\\b\\f\\n\\r\\t", out, sizeof(out)), 8);
	assert_string_equal(out, "\"\\/\b\f\n\r\t");
	assert_int_equal(unescape("a\\u0000b", out, sizeof(out)), 3);
	assert_memory_equal(out, "a\0b", 4);
	assert_int_equal(unescape("\\u0041\\u00e9\\u4E2d\\uD83d\\ude00", out,
				  sizeof(out)),
			 10);
	assert_string_equal(out, "A\xc3\xa9\xe4\xb8\xad\xf0\x9f\x98\x80");
}

static void what_does_not_fit_is_refused_whole(void **state)
{
	char out[8] = "#######";

	(void)state;
	assert_int_equal(unescape("abc", out, 4), 3);
	assert_string_equal(out, "abc");
	assert_int_equal(unescape("abcd", out, 4), -1);
	assert_int_equal(unescape("ab\\u00e9", out, 4), -1);
	assert_int_equal(unescape("ab\\u00e9", out, 5), 4);
	assert_int_equal(unescape("", out, 1), 0);
	assert_int_equal(unescape("", out, 0), -1);
	assert_int_equal(out[5], '#');
}

static void lone_surrogates_and_unknown_escapes_are_refused(void **state)
{
	static const char *const texts[] = {"\\",
					    "\\x",
					    "\\u",
					    "\\u123",
					    "\\u123g",
					    "\\ud800",
					    "\\udc00",
					    "\\ud800x",
					    "\\ud800\\",
					    "\\ud800\\u",
					    "\\ud800\\ud800",
					    "\\ud800\\u0041",
					    "\\ud800\\n",
					    "\\udfff\\ud800",
					    "\\ud83d\\ude0"};
	char out[64];

	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(*texts); i++)
		assert_int_equal(unescape(texts[i], out, sizeof(out)), -1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_object_gives_its_members_in_order),
		cmocka_unit_test(an_array_gives_its_values_and_no_keys),
		cmocka_unit_test(an_empty_one_gives_nothing),
		cmocka_unit_test(what_is_no_object_and_no_array_does_not_start),
		cmocka_unit_test(
			the_first_byte_that_does_not_fit_ends_the_walk_for_good),
		cmocka_unit_test(no_cut_and_no_flipped_bit_is_read_beyond),
		cmocka_unit_test(escapes_become_what_they_stand_for),
		cmocka_unit_test(what_does_not_fit_is_refused_whole),
		cmocka_unit_test(
			lone_surrogates_and_unknown_escapes_are_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
