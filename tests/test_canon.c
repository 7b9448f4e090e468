/* test_canon.c - F-1 to F-9: the text that is hashed, and what has none. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "canon.h"

#define ROWS(table) (sizeof(table) / sizeof(*(table)))
#define MANIFEST "\"manifest\":{\"id\":\"a\",\"version\":\"1\"}"

/* Texts are handed in from buffers of their very size, so that a sanitizer
 * sees every over-read. */
static char *exactly(const char *text, size_t n)
{
	char *exact = malloc(n ? n : 1);

	assert_non_null(exact);
	memcpy(exact, text, n);
	return exact;
}

static char *value_of(const char *text, size_t n, size_t *size)
{
	struct pk_canon_error err = {0, 0, ""};
	char *exact = exactly(text, n), *out;
	int rc = pk_value_canon(exact, n, 0, &out, size, &err);

	free(exact);
	if (rc)
		fail_msg("%.*s: %zu:%zu %s", n > 99 ? 99 : (int)n, text,
			 err.line, err.column, err.what);
	assert_int_equal(strlen(out), *size);
	return out;
}

/* And what is canonical stays as it is. */
static void becomes(const char *text, const char *want)
{
	size_t size;
	char *once = value_of(text, strlen(text), &size), *twice;

	assert_string_equal(once, want);
	twice = value_of(once, size, &size);
	assert_string_equal(twice, want);
	free(once);
	free(twice);
}

static int document_of(const char *text, size_t n, struct pk_document *doc,
		       struct pk_canon_error *err)
{
	char *exact = exactly(text, n);
	int rc = pk_document_canon(exact, n, 0, doc, err);

	free(exact);
	return rc;
}

static void is_package(const char *text, const char *manifest,
		       const char *metadata)
{
	char want[2048];
	struct pk_canon_error err = {0, 0, ""};
	struct pk_document doc, again;
	int n = snprintf(want, sizeof(want),
			 "{\"manifest\":%s,\"metadata\":%s}", manifest,
			 metadata);

	if (document_of(text, strlen(text), &doc, &err))
		fail_msg("%s: %zu:%zu %s", text, err.line, err.column,
			 err.what);
	assert_string_equal(doc.text, want);
	assert_int_equal(doc.size, n);
	assert_ptr_equal(doc.manifest.at, doc.text + 12);
	assert_int_equal(doc.manifest.size, strlen(manifest));
	assert_ptr_equal(doc.metadata.at, doc.text + 24 + doc.manifest.size);
	assert_int_equal(doc.metadata.size, strlen(metadata));
	assert_int_equal(document_of(doc.text, doc.size, &again, &err), 0);
	assert_string_equal(again.text, want);
	assert_string_equal(again.id, doc.id);
	assert_string_equal(again.version, doc.version);
	pk_document_release(&again);
	pk_document_release(&doc);
	assert_null(doc.text);
}

struct refusal {
	const char *text;
	size_t line, column;
	const char *what;
};

static void says(const struct refusal *r, int rc, int want,
		 const struct pk_canon_error *err)
{
	if (rc != want || err->line != r->line || err->column != r->column ||
	    strcmp(err->what, r->what))
		fail_msg("%s: %d %zu:%zu %s", r->text, rc, err->line,
			 err->column, rc ? err->what : "accepted");
}

static void value_refused(const struct refusal *r, int want)
{
	struct pk_canon_error err = {7, 7, ""};
	size_t n = strlen(r->text), size = 7;
	char *exact = exactly(r->text, n), *out = exact;

	says(r, pk_value_canon(exact, n, 0, &out, &size, &err), want, &err);
	assert_ptr_equal(out, exact); /* untouched */
	assert_int_equal(size, 7);
	assert_int_equal(pk_value_canon(exact, n, 0, &out, &size, NULL), want);
	free(exact);
}

static void package_refused(const struct refusal *r, int want)
{
	struct pk_canon_error err = {7, 7, ""};
	struct pk_document doc = {NULL, 7, {NULL, 0}, {NULL, 0}, "", ""};

	says(r, document_of(r->text, strlen(r->text), &doc, &err), want, &err);
	assert_int_equal(doc.size, 7);
}

static void white_space_goes_and_values_stay(void **state)
{
	(void)state;
	becomes("null", "null");
	becomes(" \t\r\ntrue\n", "true");
	becomes("false", "false");
	becomes("\"\"", "\"\"");
	becomes("{ }", "{}");
	becomes("[\n]", "[]");
	becomes(" { \"a\" : [ 1 , { } , [ ] , \"x y\" ] , \"b\" : null } ",
		"{\"a\":[1,{},[],\"x y\"],\"b\":null}");
}

static void numbers_take_the_form_of_ecmascript(void **state)
{
	(void)state; /* F-4; test_number.c has the rest */
	becomes("[1.0,-0,1e21,12345678901234567890,1e-400,1E2]",
		"[1,0,1e+21,12345678901234567000,0,100]");
}

static void numbers_that_grow_find_room(void **state)
{
	char text[5 * 5000 + 2], *p = text, *out;
	size_t size;

	(void)state;
	*p++ = '[';
	for (int i = 0; i < 5000; i++, p += 5)
		memcpy(p, "1e20,", 5);
	p[-1] = ']';
	out = value_of(text, (size_t)(p - text), &size);
	assert_int_equal(size, 22 * 5000 + 1);
	for (size_t i = 1; i < size; i += 22)
		assert_memory_equal(out + i, "100000000000000000000", 21);
	free(out);
}

static void integer_like_keys_come_first_and_ascending(void **state)
{
	(void)state; /* F-3 */
	becomes("{\"b\":1,\"a\":2,\"1\":3,\"0\":4}",
		"{\"0\":4,\"1\":3,\"b\":1,\"a\":2}");
	becomes("{\"10\":1,\"9\":2}", "{\"9\":2,\"10\":1}");
	becomes("{\"x\":0,\"4294967295\":1,\"4294967294\":2}",
		"{\"4294967294\":2,\"x\":0,\"4294967295\":1}");
	becomes("{\"01\":1,\"-1\":2,\"1.0\":3,\"1 \":4,\"1\":5}",
		"{\"1\":5,\"01\":1,\"-1\":2,\"1.0\":3,\"1 \":4}");
	becomes("{\"a\":1,\"1\\u0030\":2,\"\\u0039\":3}",
		"{\"9\":3,\"10\":2,\"a\":1}");
	becomes("{\"0\":0,\"1\":1,\"a\":2}", "{\"0\":0,\"1\":1,\"a\":2}");
}

static void duplicate_keys_keep_the_first_place_and_the_last_value(void **state)
{
	(void)state; /* F-3 */
	becomes("{\"a\":1,\"b\":2,\"a\":3}", "{\"a\":3,\"b\":2}");
	becomes("{\"a\":1,\"\\u0061\":[2]}", "{\"a\":[2]}");
	becomes("{\"1\":1,\"0\":2,\"1\":3}", "{\"0\":2,\"1\":3}");
	becomes("{\"__proto__\":1,\"a\":2,\"__proto__\":{\"b\":3}}",
		"{\"__proto__\":{\"b\":3},\"a\":2}");
	becomes("{\"\":1,\"\":2}", "{\"\":2}");
}

static void disorder_inside_disorder_is_laid_out_whole(void **state)
{
	(void)state; /* F-3 */
	becomes("[{\"b\":{\"y\":[{\"1\":1,\"0\":0}],\"x\":1,\"y\":[0,"
		"{\"1\":{\"c\":1,\"c\":2},\"0\":[]}]},\"1\":{\"8\":8,\"7\":7},"
		"\"a\":{}},0,{\"2\":2,\"1\":1}]",
		"[{\"1\":{\"7\":7,\"8\":8},\"b\":{\"y\":[0,{\"0\":[],"
		"\"1\":{\"c\":2}}],\"x\":1},\"a\":{}},0,{\"1\":1,\"2\":2}]");
	becomes("{\"a\":{\"1\":1,\"0\":0},\"b\":{},\"a\":{\"3\":3,\"2\":2}}",
		"{\"a\":{\"2\":2,\"3\":3},\"b\":{}}");
}

/* {"k0":0,"k1":0,...} with one more member in front of the end. */
static size_t many_keys(char *text, int n, const char *more)
{
	char *p = text;

	*p++ = '{';
	for (int i = 0; i < n; i++)
		p += sprintf(p, "%s\"k%d\":0", i ? "," : "", i);
	p += sprintf(p, "%s}", more);
	return (size_t)(p - text);
}

static void a_duplicate_is_found_among_any_number_of_keys(void **state)
{
	static const int counts[] = {2,	 3,   7,   8,	9,    16,   17,	   63,
				     64, 127, 128, 129, 1000, 4096, 100000};
	char *text = malloc(100000 * 16), *out, more[32];
	size_t n, size;

	(void)state; /* F-3 */
	assert_non_null(text);
	for (size_t i = 0; i < ROWS(counts); i++) {
		n = many_keys(text, counts[i], "");
		out = value_of(text, n, &size);
		assert_string_equal(out, text);
		free(out);
		snprintf(more, sizeof(more), ",\"k%d\":1", counts[i] / 2);
		n = many_keys(text, counts[i], more);
		out = value_of(text, n, &size);
		assert_int_equal(size, n - strlen(more));
		assert_non_null(strstr(out, more));
		*strstr(out, more) = '\0';
		assert_memory_equal(out, text, strlen(out));
		free(out);
	}
	free(text);
}

/* Keys of 16 bytes, the second eight making up for the first in hash_key():
 * all have one hash, as whoever means harm can bring about. */
static size_t keys_of_one_hash(char *text, size_t *made)
{
	const uint64_t k = UINT64_C(0x9e3779b97f4a7c15);
	uint64_t inverse = k, h;
	unsigned char key[16];
	char *p = text;

	for (int i = 0; i < 6; i++) /* Newton: k * inverse is 1 */
		inverse *= 2 - k * inverse;
	*made = 0;
	for (uint32_t i = 0; i < 3000000; i++) {
		int plain = 1;

		for (int b = 0; b < 8; b++)
			key[8 + b] = (unsigned char)('a' + (i >> 3 * b & 7));
		h = pk_le64(key + 8) ^ UINT64_C(0x1234567890abcdef);
		h ^= h >> 32; /* undoes itself */
		pk_put_le64(key, (h * inverse) ^ (16 * k));
		for (int b = 0; b < 8; b++)
			plain &= key[b] >= 0x20 && key[b] < 0x7f &&
				 key[b] != '"' && key[b] != '\\';
		if (plain) {
			*p++ = (*made)++ ? ',' : '{';
			p += sprintf(p, "\"%.16s\":0", (const char *)key);
		}
	}
	p += sprintf(p, "}");
	return (size_t)(p - text);
}

static void keys_of_one_hash_are_still_told_apart(void **state)
{
	char *text = malloc((size_t)1 << 20), *out, more[32];
	size_t made, n = keys_of_one_hash(text, &made), size;

	(void)state; /* F-3 */
	assert_non_null(text);
	assert_in_range(made, 100, 10000);
	out = value_of(text, n, &size);
	assert_string_equal(out, text);
	free(out);
	snprintf(more, sizeof(more), ",%.18s:1}", text + 1);
	memcpy(text + n - 1, more, strlen(more) + 1);
	out = value_of(text, strlen(text), &size);
	text[20] = '1';
	text[n - 1] = '}';
	text[n] = '\0';
	assert_string_equal(out, text);
	free(out);
	free(text);
}

static void disorder_at_every_level_is_laid_out_in_one_go(void **state)
{
	enum { FILL = 1 << 20, LEVELS = 500 };
	char *text = malloc(FILL + LEVELS * 32), *p = text, *out;
	size_t size;

	(void)state;
	assert_non_null(text);
	for (int i = 0; i < LEVELS; i++)
		p += sprintf(p, "{\"b\":");
	*p++ = '"';
	memset(p, 'x', FILL);
	p += FILL;
	*p++ = '"';
	for (int i = 0; i < LEVELS; i++)
		p += sprintf(p, ",\"1\":0}");
	out = value_of(text, (size_t)(p - text), &size);
	assert_int_equal(size, p - text);
	assert_memory_equal(out, "{\"1\":0,\"b\":{\"1\":0,\"b\":{", 23);
	free(out);
	free(text);
}

static void strings_keep_all_but_what_must_be_escaped(void **state)
{
	(void)state; /* F-5 */
	becomes("\"\\u0000\\u0001\\b\\t\\n\\u000b\\f\\r\\u001F\"",
		"\"\\u0000\\u0001\\b\\t\\n\\u000b\\f\\r\\u001f\"");
	becomes("\"\\u0008\\u0009\\u000A\\u000C\\u000d\"",
		"\"\\b\\t\\n\\f\\r\"");
	becomes("\"\\/\\\\\\\"\\u002f\\u005c\\u0022/\"",
		"\"/\\\\\\\"/\\\\\\\"/\"");
	becomes("\"\\u007f\\u0080\\u07FF\\u0800\\u2028\\uffff\"",
		"\"\x7f\xc2\x80\xdf\xbf\xe0\xa0\x80\xe2\x80\xa8\xef\xbf\xbf\"");
	becomes("\"\\uD83D\\ude00\\ud800\\udc00\\uDBFF\\uDFFF\"",
		"\"\xf0\x9f\x98\x80\xf0\x90\x80\x80\xf4\x8f\xbf\xbf\"");
	becomes("\"\xef\xbb\xbf\xed\x9f\xbf\xee\x80\x80\xf4\x8f\xbf\xbf\"",
		"\"\xef\xbb\xbf\xed\x9f\xbf\xee\x80\x80\xf4\x8f\xbf\xbf\"");
	becomes("{\"\\u0061\\/\":\"\\u0041\"}", "{\"a/\":\"A\"}");
}

static void what_is_no_json_is_refused_with_its_place(void **state)
{
	static const struct refusal rows[] = {
		{"", 1, 1, "unexpected end of the text"},
		{" \n ", 2, 2, "unexpected end of the text"},
		{"[", 1, 2, "unexpected end of the text"},
		{"[1", 1, 3, "unexpected end of the text"},
		{"[1,", 1, 4, "unexpected end of the text"},
		{"{", 1, 2, "unexpected end of the text"},
		{"{\"a", 1, 4, "unexpected end of the text"},
		{"{\"a\"", 1, 5, "unexpected end of the text"},
		{"{\"a\":", 1, 6, "unexpected end of the text"},
		{"\"\\", 1, 3, "unexpected end of the text"},
		{"\"\\u12", 1, 6, "unexpected end of the text"},
		{"-", 1, 2, "unexpected end of the text"},
		{"1.", 1, 3, "unexpected end of the text"},
		{"nul", 1, 1, "expected a value"},
		{"[1,]", 1, 4, "expected a value"},
		{"[,1]", 1, 2, "expected a value"},
		{"{\"a\":}", 1, 6, "expected a value"},
		{"'a'", 1, 1, "expected a value"},
		{"+1", 1, 1, "expected a value"},
		{"[1.]", 1, 4, "expected a digit"},
		{"[\n -a]", 2, 3, "expected a digit"},
		{"[1e]", 1, 4, "expected a digit"},
		{"[1 2]", 1, 4, "expected ',' or ']'"},
		{"[1}", 1, 3, "expected ',' or ']'"},
		{"[01]", 1, 3, "expected ',' or ']'"},
		{"{\"a\":1]", 1, 7, "expected ',' or '}'"},
		{"{\"a\":1\n\"b\":2}", 2, 1, "expected ',' or '}'"},
		{"{1:2}", 1, 2, "expected a key in quotes"},
		{"{\"a\":1,}", 1, 8, "expected a key in quotes"},
		{"{\"a\" 1}", 1, 6, "expected ':'"},
		{"1 2", 1, 3, "unexpected text after the value"},
		{"{}\n\n}", 3, 1, "unexpected text after the value"},
		{"\"a\\x41\"", 1, 4, "unknown escape"},
		{"\"\\u12g4\"", 1, 6, "expected a hexadecimal digit"},
		{"\"\\u\"", 1, 4, "expected a hexadecimal digit"},
		{"\"a\tb\"", 1, 3,
		 "a control character in a string must be escaped"},
		{"\"abcdefghi\n\"", 1, 11,
		 "a control character in a string must be escaped"},
	};

	(void)state; /* F-6 */
	for (size_t i = 0; i < ROWS(rows); i++)
		value_refused(&rows[i], PK_CANON_INVALID);
}

static void what_cannot_be_represented_is_refused_with_its_place(void **state)
{
	static const char lone[] = "a lone surrogate cannot be represented";
	static const char large[] = "number too large for a double";
	static const struct refusal rows[] = {
		{"[1,\n1e400]", 2, 1, large},
		{"{\"a\":-1e309,\"a\":1}", 1, 6, large},
		{"\"\\ud800\"", 1, 2, lone},
		{"\"ab\\udc00\"", 1, 4, lone},
		{"\"\\ud83d\\u0041\"", 1, 2, lone},
		{"\"\\ud83d\\ude00\\ude00\"", 1, 14, lone},
		{"{\"\\udbff\":1}", 1, 3, lone},
		{"\"\xc3\xa9\xe4\xb8\xad\xf0\x9f\x98\x80\\ud800\"", 1, 5, lone},
		{"\xef\xbb\xbf{}", 1, 1, "a byte order mark"},
		{"\"\xc3\xa9\x80\"", 1, 3, "invalid UTF-8"},
		{"\"\xc0\xaf\"", 1, 2, "invalid UTF-8"},
		{"\"\xe0\x9f\xbf\"", 1, 2, "invalid UTF-8"},
		{"\"\xed\xa0\x80\"", 1, 2, "invalid UTF-8"},
		{"\"\xf0\x8f\xbf\xbf\"", 1, 2, "invalid UTF-8"},
		{"\"\xf4\x90\x80\x80\"", 1, 2, "invalid UTF-8"},
		{"\"\xf5\x80\x80\x80\"", 1, 2, "invalid UTF-8"},
		{"\"\xe4\xb8", 1, 2, "invalid UTF-8"},
		{"\"abcdefgh\xff\"", 1, 10, "invalid UTF-8"},
	};

	(void)state; /* F-6 */
	for (size_t i = 0; i < ROWS(rows); i++)
		value_refused(&rows[i], PK_CANON_INVALID);
}

static void a_package_has_one_of_two_shapes(void **state)
{
	static const char m[] = "{\"id\":\"a\",\"version\":\"1\"}";

	(void)state; /* F-1 */
	is_package("{" MANIFEST ",\"metadata\":{}}", m, "{}");
	is_package("{\"metadata\":{\"b\":[],\"0\":1}," MANIFEST "}", m,
		   "{\"0\":1,\"b\":[]}");
	is_package("{" MANIFEST "}", m, "{}");
	is_package(" { " MANIFEST " , \"x\" : 1.0 } ", m, "{\"x\":1}");
	is_package("{" MANIFEST ",\"objects\":[1],\"views\":{}}", m,
		   "{\"objects\":[1],\"views\":{}}");
	is_package("{\"objects\":[1]," MANIFEST ",\"views\":{}}", m,
		   "{\"objects\":[1],\"views\":{}}");
	is_package("{\"x\":1," MANIFEST ",\"7\":2,\"6\":{\"1\":1,\"0\":0}}", m,
		   "{\"6\":{\"0\":0,\"1\":1},\"7\":2,\"x\":1}");
	is_package("{" MANIFEST ",\"x\":{\"1\":1,\"0\":0}}", m,
		   "{\"x\":{\"0\":0,\"1\":1}}");
	is_package("{" MANIFEST ",\"__proto__\":{}}", m, "{\"__proto__\":{}}");
}

static void a_key_of_the_top_level_that_comes_twice_counts_last(void **state)
{
	static const char m[] = "{\"id\":\"a\",\"version\":\"1\"}";

	(void)state; /* F-1, F-3 */
	is_package("{\"manifest\":1,\"x\":1," MANIFEST "}", m, "{\"x\":1}");
	is_package("{" MANIFEST ",\"metadata\":1,\"metadata\":{\"b\":1}}", m,
		   "{\"b\":1}");
	is_package("{" MANIFEST ",\"x\":1,\"y\":2,\"x\":3}", m,
		   "{\"x\":3,\"y\":2}");
	is_package("{\"m\\u0061nifest\":[]," MANIFEST "}", m, "{}");
	is_package("{\"manifest\":{\"id\":0,\"version\":\"latest\","
		   "\"id\":\"a\",\"version\":\"1\"}}",
		   m, "{}");
}

static void other_shapes_are_refused_by_what_is_wrong(void **state)
{
	static const struct refusal rows[] = {
		{"\n []", 2, 2, "a package is an object with a manifest"},
		{"\"x\"", 1, 1, "a package is an object with a manifest"},
		{"{}", 0, 0, "the manifest is missing"},
		{"{\"metadata\":{}}", 0, 0, "the manifest is missing"},
		{"{\"manifest\": []}", 1, 14, "the manifest must be an object"},
		{"{" MANIFEST ",\"manifest\":1}", 1, 49,
		 "the manifest must be an object"},
		{"{" MANIFEST ",\"metadata\":null}", 1, 49,
		 "the metadata must be an object"},
		{"{" MANIFEST ",\"metadata\":{},\n\"x\":1}", 2, 1,
		 "unexpected key beside manifest and metadata"},
		{"{\"x\":1," MANIFEST ",\"metadata\":{}}", 1, 2,
		 "unexpected key beside manifest and metadata"},
		{"{\"manifest\":{\"version\":\"1\"}}", 1, 13,
		 "manifest.id is missing"},
		{"{" MANIFEST ",\"manifest\":{\"version\":\"1\"}}", 1, 49,
		 "manifest.id is missing"},
		{"{\"manifest\":{\"x\":{\"id\":\"a\"},\"version\":\"1\"}}", 1,
		 13, "manifest.id is missing"},
		{"{\"manifest\":{\"id\":\"a\"}}", 1, 13,
		 "manifest.version is missing"},
		{"{\"manifest\":{\"id\": 1,\"version\":\"1\"}}", 1, 20,
		 "manifest.id must be a string"},
		{"{\"manifest\":{\"id\":\"a\",\"version\":1}}", 1, 33,
		 "manifest.version must be a string"},
	};

	(void)state; /* F-1 */
	for (size_t i = 0; i < ROWS(rows); i++)
		package_refused(&rows[i], PK_CANON_INVALID);
}

static void id_and_version_are_given_unescaped(void **state)
{
	static const char text[] =
		"{\"manifest\":{\"id\":\"\\u0063om.\\\"\\u00e9\\/\","
		"\"version\":\"1\\ud83d\\ude00\"}}";
	struct pk_canon_error err;
	struct pk_document doc;

	(void)state; /* F-9 */
	assert_int_equal(document_of(text, strlen(text), &doc, &err), 0);
	assert_string_equal(doc.id, "com.\"\xc3\xa9/");
	assert_string_equal(doc.version, "1\xf0\x9f\x98\x80");
	pk_document_release(&doc);
}

static void names_keep_to_their_limits(void **state)
{
	static const struct refusal rows[] = {
		{"{\"manifest\":{\"id\":\"\",\"version\":\"1\"}}", 1, 19,
		 "manifest.id is empty"},
		{"{\"manifest\":{\"id\":\"a\",\"version\":\"\"}}", 1, 33,
		 "manifest.version is empty"},
		{"{\"manifest\":{\"id\":\"\\u0000\",\"version\":\"1\"}}", 1, 19,
		 "manifest.id has a control character"},
		{"{\"manifest\":{\"id\":\"a\x7f\",\"version\":\"1\"}}", 1, 19,
		 "manifest.id has a control character"},
		{"{\"manifest\":{\"id\":\"a\",\"version\":\"\xc2\x80\"}}", 1,
		 33, "manifest.version has a control character"},
		{"{\"manifest\":{\"id\":\"a\",\"version\":\"\\u009f\"}}", 1, 33,
		 "manifest.version has a control character"},
		{"{\"manifest\":{\"id\":\"a\",\"version\":\"l\\u0061test\"}}",
		 1, 33, "no version may be called latest"},
	};
	char text[512], name[256];
	struct pk_canon_error err;
	struct pk_document doc;

	(void)state; /* F-9 */
	for (size_t i = 0; i < ROWS(rows); i++)
		package_refused(&rows[i], PK_CANON_LIMIT);
	memset(name, 'x', sizeof(name));
	for (int more = 0; more < 2; more++) {
		snprintf(text, sizeof(text),
			 "{\"manifest\":{\"id\":\"%.*s\",\"version\":\"1\"}}",
			 214 + more, name);
		assert_int_equal(document_of(text, strlen(text), &doc, &err),
				 more ? PK_CANON_LIMIT : 0);
		if (!more) {
			assert_int_equal(strlen(doc.id), 214);
			pk_document_release(&doc);
		}
	}
	assert_string_equal(err.what, "manifest.id is longer than 214 bytes");
	for (int more = 0; more < 2; more++) {
		snprintf(text, sizeof(text),
			 "{\"manifest\":{\"id\":\"a\",\"version\":\"%.*s\"}}",
			 128 + more, name);
		assert_int_equal(document_of(text, strlen(text), &doc, &err),
				 more ? PK_CANON_LIMIT : 0);
		if (!more) {
			assert_int_equal(strlen(doc.version), 128);
			pk_document_release(&doc);
		}
	}
	assert_string_equal(err.what,
			    "manifest.version is longer than 128 bytes");
}

/* prefix, then depth brackets, then suffix */
static char *nested(const char *prefix, size_t depth, const char *suffix)
{
	size_t n = strlen(prefix);
	char *text = malloc(n + 2 * depth + strlen(suffix) + 1);

	assert_non_null(text);
	memcpy(text, prefix, n);
	memset(text + n, '[', depth);
	memset(text + n + depth, ']', depth);
	memcpy(text + n + 2 * depth, suffix, strlen(suffix) + 1);
	return text;
}

static void nesting_ends_at_512(void **state)
{
	/* the levels there are of M or D before the brackets begin */
	static const struct {
		const char *prefix, *suffix;
		size_t levels;
	} rows[] = {
		{"{" MANIFEST ",\"metadata\":{\"x\":", "}}", 1},
		{"{\"metadata\":{\"x\":", "}," MANIFEST "}", 1},
		{"{" MANIFEST ",\"x\":", "}", 1},
		{"{\"x\":", "," MANIFEST "}", 1},
		{"{\"manifest\":{\"id\":\"a\",\"version\":\"1\",\"x\":", "}}",
		 1},
		{"{\"y\":1,\"manifest\":{\"id\":\"a\",\"version\":\"1\",\"x\":",
		 "}}", 1},
	};
	struct pk_canon_error err;
	struct pk_document doc;
	size_t size;
	char *text, *out;
	int rc;

	(void)state; /* F-7 */
	for (size_t i = 0; i < ROWS(rows); i++) {
		for (size_t more = 0; more < 2; more++) {
			size_t depth = PK_DEPTH_MAX - rows[i].levels + more;

			text = nested(rows[i].prefix, depth, rows[i].suffix);
			rc = document_of(text, strlen(text), &doc, &err);
			free(text);
			assert_int_equal(rc, more ? PK_CANON_LIMIT : 0);
			if (!more) {
				pk_document_release(&doc);
				continue;
			}
			assert_int_equal(err.line, 1);
			assert_int_equal(err.column,
					 strlen(rows[i].prefix) + depth);
			assert_string_equal(err.what,
					    "nested deeper than 512 levels");
		}
	}
	text = nested("", PK_DEPTH_MAX, "");
	out = value_of(text, strlen(text), &size);
	assert_string_equal(out, text);
	free(out);
	free(text);
	text = nested("\n", PK_DEPTH_MAX + 1, "");
	value_refused(&(struct refusal){text, 2, 513,
					"nested deeper than 512 levels"},
		      PK_CANON_LIMIT);
	free(text);
}

static void the_limit_is_of_the_canonical_text(void **state)
{
	static const char text[] =
		" { \"b\" : 1.00 , \"b\" : [ \"\\u0041\" ] }";
	static const char package[] = "{" MANIFEST "}";
	struct pk_canon_error err;
	struct pk_document doc;
	size_t size;
	char *out;

	(void)state; /* F-8 */
	assert_int_equal(
		pk_value_canon(text, strlen(text), 11, &out, &size, &err), 0);
	assert_string_equal(out, "{\"b\":[\"A\"]}");
	free(out);
	assert_int_equal(
		pk_value_canon(text, strlen(text), 10, &out, &size, &err),
		PK_CANON_LIMIT);
	assert_int_equal(err.line, 0);
	assert_int_equal(err.column, 0);
	assert_string_equal(err.what, "the canonical text is too large");
	assert_int_equal(
		pk_document_canon(package, strlen(package), 51, &doc, &err), 0);
	assert_int_equal(doc.size, 51);
	pk_document_release(&doc);
	assert_int_equal(
		pk_document_canon(package, strlen(package), 50, &doc, &err),
		PK_CANON_LIMIT);
	assert_int_equal(
		pk_document_canon(NULL, PK_SOURCE_MAX + 1, 0, &doc, &err),
		PK_CANON_LIMIT);
	assert_string_equal(err.what, "the text is larger than 512 MiB");
}

static void the_limit_cannot_be_raised(void **state)
{
	size_t n = PK_DOCUMENT_MAX, size;
	char *text = malloc(n + 1), *out;
	struct pk_canon_error err;

	(void)state; /* F-8 */
	assert_non_null(text);
	memset(text, 'x', n + 1);
	text[0] = text[n - 1] = '"';
	assert_int_equal(pk_value_canon(text, n, SIZE_MAX, &out, &size, &err),
			 0);
	assert_int_equal(size, n);
	free(out);
	text[n - 1] = 'x';
	text[n] = '"';
	assert_int_equal(
		pk_value_canon(text, n + 1, SIZE_MAX, &out, &size, &err),
		PK_CANON_LIMIT);
	free(text);
}

static void nothing_at_all_is_refused_like_an_empty_text(void **state)
{
	struct pk_canon_error err;
	struct pk_document doc;

	(void)state;
	assert_int_equal(pk_document_canon(NULL, 0, 0, &doc, &err),
			 PK_CANON_INVALID);
	assert_int_equal(err.line, 1);
	assert_int_equal(err.column, 1);
	pk_document_release(NULL);
}

static void try_both(const char *text, size_t n)
{
	struct pk_canon_error err;
	struct pk_document doc, again;
	char *exact = exactly(text, n), *out, *twice;
	size_t size, size2;

	if (!pk_document_canon(exact, n, 0, &doc, &err)) {
		assert_int_equal(
			pk_document_canon(doc.text, doc.size, 0, &again, &err),
			0);
		assert_string_equal(doc.text, again.text);
		pk_document_release(&again);
		pk_document_release(&doc);
	} else {
		assert_non_null(err.what);
	}
	if (!pk_value_canon(exact, n, 0, &out, &size, &err)) {
		assert_int_equal(
			pk_value_canon(out, size, 0, &twice, &size2, &err), 0);
		assert_string_equal(out, twice);
		free(out);
		free(twice);
	}
	free(exact);
}

static void no_cut_and_no_flipped_bit_is_read_beyond(void **state)
{
	static const char text[] =
		"{\"z\":{\"1\":-1.5e+300,\"0\":[true,false,null]},"
		"\"m\\u0061nifest\":{\"id\":\"\xc3\xa9\\ud83d\\ude00\","
		"\"version\":\"1.0.0-beta\",\"z\":\"\\b\\n\"},\"z\":[{},"
		"12345678901234567890,\"long enough \xe4\xb8\xad for eight\"]}";
	size_t size = strlen(text);
	char copy[sizeof(text)];

	(void)state;
	for (size_t n = 0; n <= size; n++)
		try_both(text, n);
	memcpy(copy, text, sizeof(text));
	for (size_t bit = 0; bit < 8 * size; bit++) {
		copy[bit / 8] ^= (char)(1 << bit % 8);
		try_both(copy, size);
		copy[bit / 8] ^= (char)(1 << bit % 8);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(white_space_goes_and_values_stay),
		cmocka_unit_test(numbers_take_the_form_of_ecmascript),
		cmocka_unit_test(numbers_that_grow_find_room),
		cmocka_unit_test(integer_like_keys_come_first_and_ascending),
		cmocka_unit_test(
			duplicate_keys_keep_the_first_place_and_the_last_value),
		cmocka_unit_test(disorder_inside_disorder_is_laid_out_whole),
		cmocka_unit_test(a_duplicate_is_found_among_any_number_of_keys),
		cmocka_unit_test(keys_of_one_hash_are_still_told_apart),
		cmocka_unit_test(disorder_at_every_level_is_laid_out_in_one_go),
		cmocka_unit_test(strings_keep_all_but_what_must_be_escaped),
		cmocka_unit_test(what_is_no_json_is_refused_with_its_place),
		cmocka_unit_test(
			what_cannot_be_represented_is_refused_with_its_place),
		cmocka_unit_test(a_package_has_one_of_two_shapes),
		cmocka_unit_test(
			a_key_of_the_top_level_that_comes_twice_counts_last),
		cmocka_unit_test(other_shapes_are_refused_by_what_is_wrong),
		cmocka_unit_test(id_and_version_are_given_unescaped),
		cmocka_unit_test(names_keep_to_their_limits),
		cmocka_unit_test(nesting_ends_at_512),
		cmocka_unit_test(the_limit_is_of_the_canonical_text),
		cmocka_unit_test(the_limit_cannot_be_raised),
		cmocka_unit_test(nothing_at_all_is_refused_like_an_empty_text),
		cmocka_unit_test(no_cut_and_no_flipped_bit_is_read_beyond),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
