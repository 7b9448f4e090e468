/* test_entry.c - one log entry and its line of JSON. */
#include "t.h"
#include "entry.h"
#include "hex.h"

#define HASH "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff"

/* One line of every op, as FORMAT.md spells it. */
static const char *const lines[PK_OPS] = {
	[PK_OP_KEY] = "{\"op\":\"key\",\"key\":\"log.example+c74f20a3+ARpc2Q=="
		      "\",\"format\":\"" HASH "\",\"time\":1,\"by\":\"\"}",
	[PK_OP_PUBLISH] =
		"{\"op\":\"publish\",\"id\":\"com.acme.crm\",\"version\":"
		"\"1.0.0\",\"hash\":\"" HASH "\",\"manifest_size\":77,"
		"\"metadata_size\":14,\"time\":1753900000000000,\"by\":\"me\"}",
	[PK_OP_DELETE] = "{\"op\":\"delete\",\"id\":\"a\",\"version\":\"1\","
			 "\"time\":0,\"by\":\"\"}",
	[PK_OP_ATTRS] = "{\"op\":\"attrs\",\"id\":\"a\",\"version\":\"\","
			"\"hash\":\"" HASH "\",\"size\":2,\"time\":3,\"by\":"
			"\"\"}",
	[PK_OP_YANK] = "{\"op\":\"yank\",\"id\":\"a\",\"version\":\"1\","
		       "\"reason\":\"say \\\"no\\\"\",\"time\":4,\"by\":\"\"}",
	[PK_OP_UNYANK] = "{\"op\":\"unyank\",\"id\":\"a\",\"version\":\"1\","
			 "\"time\":5,\"by\":\"\"}",
	[PK_OP_TAG] = "{\"op\":\"tag\",\"id\":\"a\",\"tag\":\"beta\","
		      "\"version\":\"1\",\"time\":6,\"by\":\"\"}",
	[PK_OP_DEPRECATE] = "{\"op\":\"deprecate\",\"id\":\"a\",\"version\":"
			    "\"\",\"message\":\"use \xC3\xA5\\\\b\",\"time\":7,"
			    "\"by\":\"\"}",
	[PK_OP_PURGE] = "{\"op\":\"purge\",\"id\":\"a\",\"version\":\"1\","
			"\"hash\":\"" HASH "\",\"reason\":\"\",\"time\":8,"
			"\"by\":\"\"}",
	[PK_OP_REQUIRE] = "{\"op\":\"require\",\"features\":"
			  "9007199254740991,\"time\":9,\"by\":\"\"}",
};

static void every_op_has_its_line(void **state)
{
	struct pk_entry e;
	char out[PK_ENTRY_MAX];

	(void)state;
	for (int op = 0; op < PK_OPS; op++) {
		size_t n = strlen(lines[op]);

		memset(&e, 0xFF, sizeof(e));
		assert_null(pk_entry_decode(lines[op], n, &e));
		assert_int_equal(e.op, op);
		assert_int_equal(pk_entry_encode(&e, out), n);
		assert_memory_equal(out, lines[op], n);
		assert_memory_equal(lines[op] + 7, pk_op_name(e.op),
				    strlen(pk_op_name(e.op)));
	}
}

static void fields_arrive_where_they_belong(void **state)
{
	unsigned char hash[PK_HASH_SIZE];
	struct pk_entry e;

	(void)state;
	pk_unhex(HASH, hash, sizeof(hash));
	memset(&e, 0xFF, sizeof(e));
	assert_null(pk_entry_decode(lines[PK_OP_PUBLISH],
				    strlen(lines[PK_OP_PUBLISH]), &e));
	assert_string_equal(e.id, "com.acme.crm");
	assert_string_equal(e.version, "1.0.0");
	assert_memory_equal(e.hash, hash, sizeof(hash));
	assert_int_equal(e.manifest_size, 77);
	assert_int_equal(e.metadata_size, 14);
	assert_int_equal(e.time, 1753900000000000);
	assert_string_equal(e.by, "me");
	assert_int_equal(e.size | e.features, 0); /* what publish has not */
	assert_string_equal(e.tag, "");
	assert_string_equal(e.text, "");
	assert_null(pk_entry_decode(lines[PK_OP_DEPRECATE],
				    strlen(lines[PK_OP_DEPRECATE]), &e));
	assert_string_equal(e.text, "use \xC3\xA5\\b");
	assert_null(pk_entry_decode(lines[PK_OP_TAG], strlen(lines[PK_OP_TAG]),
				    &e));
	assert_string_equal(e.tag, "beta");
	assert_null(pk_entry_decode(lines[PK_OP_ATTRS],
				    strlen(lines[PK_OP_ATTRS]), &e));
	assert_int_equal(e.size, 2);
	assert_null(pk_entry_decode(lines[PK_OP_REQUIRE],
				    strlen(lines[PK_OP_REQUIRE]), &e));
	assert_int_equal(e.features, (UINT64_C(1) << 53) - 1);
}

/* What the longest strings and numbers give still fits F-28. */
static void the_longest_entry_fits(void **state)
{
	static struct pk_entry e, again;
	char *out = malloc(PK_ENTRY_MAX);
	size_t n;

	(void)state;
	e = (struct pk_entry){ .op = PK_OP_PURGE,
			       .time = (UINT64_C(1) << 53) - 1 };
	memset(e.id, '"', PK_ID_MAX);
	memset(e.version, '\\', PK_VERSION_MAX);
	memset(e.by, '"', PK_BY_MAX);
	memset(e.text, '\\', PK_TEXT_MAX);
	memset(e.hash, 0xFF, sizeof(e.hash));
	n = pk_entry_encode(&e, out);
	assert_in_range(n, 2 * (PK_ID_MAX + PK_TEXT_MAX), PK_ENTRY_MAX);
	assert_null(pk_entry_decode(out, n, &again));
	assert_memory_equal(&again, &e, sizeof(e));
	free(out);
}

static void a_line_of_ordinary_names_is_short(void **state)
{
	(void)state;
	assert_in_range(strlen(lines[PK_OP_PUBLISH]), 1, 450);
}

/* Decodes the line of an op with one text in the place of another. */
static const char *change(enum pk_op op, const char *find, const char *put,
			  struct pk_entry *e)
{
	const char *at = strstr(lines[op], find), *fault;
	char *text, *exact;
	int n = asprintf(&text, "%.*s%s%s", (int)(at - lines[op]), lines[op],
			 put, at + strlen(find));

	assert_true(n > 0);
	exact = (char *)t_exact(text, (size_t)n);
	fault = pk_entry_decode(exact, (size_t)n, e);
	free(exact);
	free(text);
	return fault;
}

static const char *yank(const char *find, const char *put, struct pk_entry *e)
{
	return change(PK_OP_YANK, find, put, e);
}

static void every_rule_is_answered_by_its_number(void **state)
{
	static const struct {
		const char *find, *put, *rule;
	} v[] = {
		{ "\"1\"", "\"latest\"", "F-9" },
		{ "{\"op", " {\"op", "F-20" },
		{ "{\"op", "{ \"op", "F-20" },
		{ "\"id\":\"a\",", "", "F-20" },
		{ "\"id\"", "\"Id\"", "F-20" },
		{ "\"id\":\"a\",\"version\":\"1\"",
		  "\"version\":\"1\",\"id\":\"a\"", "F-20" },
		{ "\"id\":", "\"id\": ", "F-21" },
		{ "\"by\":\"\"}", "\"by\":\"\",\"x\":1}", "F-20" },
		{ "\"by\":\"\"}", "\"by\":\"\"}\n", "F-20" },
		{ "\"by\":\"\"}", "\"by\":\"\"", "F-20" },
		{ ",\"by\":\"\"", "", "F-20" },
		{ "\"id\":\"a\"", "\"id\":\"\"", "F-21" },
		{ "\"id\":\"a\"", "\"id\":7", "F-21" },
		{ "\"id\":\"a\"", "\"id\":null", "F-21" },
		{ "\"a\"", "\"\\u0061\"", "F-21" },
		{ "\"a\"", "\"\\/\"", "F-21" },
		{ "\"a\"", "\"\x01\"", "F-21" },
		{ "\"a\"", "\"\x7F\"", "F-21" },
		{ "\"a\"", "\"\xC2\x85\"", "F-21" },
		{ "\"a\"", "\"\xED\xA0\x80\"", "F-21" },
		{ "\"a\"", "\"\xC3\"", "F-21" },
		{ "\"version\":\"1\"", "\"version\":\"\"", "F-21" },
		{ ":4", ":04", "F-22" },
		{ ":4", ":-4", "F-22" },
		{ ":4", ":4.0", "F-20" },
		{ ":4", ":4e0", "F-20" },
		{ ":4", ":", "F-22" },
		{ ":4", ":\"4\"", "F-22" },
		{ ":4", ":9007199254740992", "F-22" },
		{ ":4", ":18446744073709551620", "F-22" }, /* 2^64 + 4 */
		{ "yank", "steal", "F-24" },
		{ "yank", "yan", "F-24" },
		{ "yank", "yanked", "F-24" },
	};
	struct pk_entry e;

	(void)state;
	assert_null(yank("yank", "yank", &e));
	for (size_t i = 0; i < T_COUNT(v); i++)
		assert_rule(yank(v[i].find, v[i].put, &e), v[i].rule);
	assert_ptr_equal(yank("yank", "steal", &e), pk_entry_newer);
}

static void strings_end_at_their_limits(void **state)
{
	static const struct {
		const char *find, *form;
		int max;
	} v[] = {
		{ "\"a\"", "\"%0*d\"", PK_ID_MAX },
		{ "\"1\"", "\"%0*d\"", PK_VERSION_MAX },
		{ "\"say \\\"no\\\"\"", "\"%0*d\"", PK_TEXT_MAX },
		{ "\"by\":\"\"", "\"by\":\"%0*d\"", PK_BY_MAX },
	};
	struct pk_entry e;
	char put[2048];

	(void)state;
	for (size_t i = 0; i < T_COUNT(v); i++) {
		snprintf(put, sizeof(put), v[i].form, v[i].max, 0);
		assert_null(yank(v[i].find, put, &e));
		snprintf(put, sizeof(put), v[i].form, v[i].max + 1, 0);
		assert_rule(yank(v[i].find, put, &e), "F-21");
	}
}

static void hashes_are_64_lower_case_digits(void **state)
{
	static const char *const bad[] = { "0", "", "x11", "A11", " 011" };
	struct pk_entry e;

	(void)state;
	assert_null(change(PK_OP_PURGE, "0011", "0011", &e));
	assert_rule(change(PK_OP_PURGE, HASH, HASH "0", &e), "F-22");
	for (size_t i = 0; i < T_COUNT(bad); i++)
		assert_rule(change(PK_OP_PURGE, "0011", bad[i], &e), "F-22");
}

static void more_than_8192_bytes_are_not_even_read(void **state)
{
	char *line = malloc(PK_ENTRY_MAX + 1);
	struct pk_entry e;

	(void)state;
	memset(line, ' ', PK_ENTRY_MAX + 1);
	assert_rule(pk_entry_decode(line, PK_ENTRY_MAX + 1, &e), "F-28");
	assert_rule(pk_entry_decode(line, PK_ENTRY_MAX, &e), "F-20");
	free(line);
}

static void damage_is_refused_or_another_entry(void **state)
{
	(void)state;
	for (int op = 0; op < PK_OPS; op++) {
		size_t n = strlen(lines[op]);

		assert_int_equal(each_cut(again_entry, lines[op], n), 0);
		each_flip(again_entry, lines[op], n);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_op_has_its_line),
		cmocka_unit_test(fields_arrive_where_they_belong),
		cmocka_unit_test(the_longest_entry_fits),
		cmocka_unit_test(a_line_of_ordinary_names_is_short),
		cmocka_unit_test(every_rule_is_answered_by_its_number),
		cmocka_unit_test(strings_end_at_their_limits),
		cmocka_unit_test(hashes_are_64_lower_case_digits),
		cmocka_unit_test(more_than_8192_bytes_are_not_even_read),
		cmocka_unit_test(damage_is_refused_or_another_entry),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
