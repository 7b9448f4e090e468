/* test_serve_object.c - the members of a JSON object that a client sent. */
#include "t.h"
#include "stores.h"

#include "../tools/server/base64.h"
#include "object_again.h"

static const char *read_text(struct object *o, const char *text)
{
	return object_read(o, text, strlen(text));
}

static void assert_slice(struct slice slice, const char *want)
{
	assert_non_null(slice.text);
	assert_int_equal(slice.size, strlen(want));
	assert_memory_equal(slice.text, want, slice.size);
}

static void test_members_are_handed_on_byte_for_byte(void **state)
{
	struct object o;

	(void)state;
	assert_null(read_text(&o, " {\"a\": {\"b\" : [1.0, -0,1e+9] } ,"
			      "\"c\":\"\\u00e9\",\"d\":null,\"e\":true}\n"));
	assert_int_equal(o.count, 4);
	assert_slice(object_get(&o, "a"), "{\"b\" : [1.0, -0,1e+9] }");
	assert_slice(object_get(&o, "c"), "\"\\u00e9\"");
	assert_null(object_get(&o, "d").text);
	assert_null(object_get(&o, "b").text);
	assert_true(slice_is(object_get(&o, "e"), "true"));
	object_free(&o);
	assert_null(read_text(&o, "{}"));
	assert_int_equal(o.count, 0);
	object_free(&o);
}

static void test_a_key_counts_with_its_last_value_however_it_is_spelled(
	void **state)
{
	struct object o;

	(void)state;
	assert_null(read_text(&o, "{\"a\":1,\"\\u0061\":2,\"b\":3}"));
	assert_slice(object_get(&o, "a"), "2");
	object_free(&o);
}

static void test_strings_are_decoded(void **state)
{
	static const char text[] =
		"{\"s\":\"\\\"\\\\\\/\\b\\f\\n\\r\\t\\u00E9\\u20ac\\ud83d\\ude00"
		"\xc3\xa9\",\"z\":\"a\\u0000b\",\"n\":1,\"lone\":\"\\ud83d!\"}";
	struct object o;
	int no = 0;
	size_t size;
	char *s;

	(void)state;
	assert_null(read_text(&o, text));
	s = slice_string(object_get(&o, "s"), NULL, &no);
	assert_string_equal(s, "\"\\/\b\f\n\r\t\xc3\xa9\xe2\x82\xac"
			    "\xf0\x9f\x98\x80\xc3\xa9");
	free(s);
	assert_null(slice_string(object_get(&o, "z"), NULL, &no));
	s = slice_string(object_get(&o, "z"), &size, &no);
	assert_int_equal(size, 3);
	assert_memory_equal(s, "a\0b", 4);
	free(s);
	assert_null(slice_string(object_get(&o, "n"), NULL, &no));
	assert_null(slice_string(object_get(&o, "none"), NULL, &no));
	s = slice_string(object_get(&o, "lone"), NULL, &no);
	assert_string_equal(s, "\xed\xa0\xbd!"); /* which no store takes */
	assert_false(no);
	free(s);
	object_free(&o);
}

static void test_what_is_no_object_is_refused_in_words(void **state)
{
	static const char *const bad[] = {
		"", " ", "[]", "1", "{", "{}x", "{\"a\"}", "{\"a\":}",
		"{\"a\":1,}", "{,}", "{a:1}", "{\"a\":01}", "{\"a\":+1}",
		"{\"a\":.5}", "{\"a\":1.}", "{\"a\":1e}", "{\"a\":tru}",
		"{\"a\":\"\\x\"}", "{\"a\":\"\\u12g4\"}", "{\"a\":\"\n\"}",
		"{\"a\":\"", "{\"a\":\"\\", "{\"a\":[1 2]}", "{\"a\":[1,]}",
		"{\"a\":{]}", "{\"a\":1]", "{\"a\" 1}", "{'a':1}",
	};
	char deep[3 * OBJECT_DEPTH];
	struct object o;
	size_t i;

	(void)state;
	for (i = 0; i < T_COUNT(bad); i++) {
		o.count = 77;
		assert_non_null(read_text(&o, bad[i]));
		assert_int_equal(o.count, 77);
	}
	assert_string_equal(read_text(&o, "[]"), "is no JSON object");
	memset(deep, '[', sizeof(deep));
	memcpy(deep, "{\"a\":", 5);
	assert_string_equal(object_read(&o, deep, sizeof(deep)),
			    "is nested too deep");
}

static long again(const unsigned char *bytes, size_t size, unsigned char *out)
{
	int is = object_again(bytes, size);

	assert_true(is >= 0);
	if (!is)
		return -1;
	memcpy(out, bytes, size);
	return (long)size;
}

static void test_every_damage_is_refused_or_an_object_still(void **state)
{
	static const char text[] =
		"{\"a\\u0041\":[1.5e-3,{\"b\":\"\\ud83d\\ude00\"},null,true],"
		"\"c\":{},\"d\":\"e\"}";
	size_t ok;

	(void)state;
	assert_int_equal(each_cut(again, text, sizeof(text) - 1), 0);
	ok = each_flip(again, text, sizeof(text) - 1);
	assert_true(ok > 50 && ok < 8 * sizeof(text));
}

static void test_base64_has_one_text_for_some_bytes(void **state)
{
	static const char *const pairs[][2] = {
		{"", ""}, {"f", "Zg=="}, {"fo", "Zm8="}, {"foo", "Zm9v"},
		{"foob", "Zm9vYg=="}, {"\xff\xfe\xfd", "//79"},
	};
	static const char *const bad[] = {
		"Zg", "Zg=", "Zh==", "Zm9=", "Zm9v\n", "====", "Z===", "-_--",
		"Zm 9", "Z=g=",
	};
	unsigned char out[16];
	char text[16];
	size_t i, got;

	(void)state;
	for (i = 0; i < T_COUNT(pairs); i++) {
		base64_encode(pairs[i][0], strlen(pairs[i][0]), text);
		assert_string_equal(text, pairs[i][1]);
		assert_int_equal(base64_size(strlen(pairs[i][0])),
				 strlen(text));
		assert_int_equal(base64_decode(text, strlen(text), out, &got),
				 0);
		assert_int_equal(got, strlen(pairs[i][0]));
		assert_memory_equal(out, pairs[i][0], got);
	}
	for (i = 0; i < T_COUNT(bad); i++)
		assert_int_equal(base64_decode(bad[i], strlen(bad[i]), out,
					       &got), -1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_members_are_handed_on_byte_for_byte),
		cmocka_unit_test(
			test_a_key_counts_with_its_last_value_however_it_is_spelled),
		cmocka_unit_test(test_strings_are_decoded),
		cmocka_unit_test(test_what_is_no_object_is_refused_in_words),
		cmocka_unit_test(
			test_every_damage_is_refused_or_an_object_still),
		cmocka_unit_test(test_base64_has_one_text_for_some_bytes),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
