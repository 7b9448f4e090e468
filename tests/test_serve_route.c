/* test_serve_route.c - which door answers what, without a socket. */
#include "t.h"
#include "stores.h"
#include "utf8.h"

#include "../tools/server/server.h"
#include "../tools/server/target.h"
#include "../tools/server/text.h"

static void test_json_is_escaped_as_rfc_8259_says(void **state)
{
	struct text t = {0};

	(void)state;
	put_open(&t, '{');
	put_pair(&t, "a\"", "\b\t\n\v\f\r\x01\\ \xc3\xa9 \xed\xa0\x80\xff");
	put_key(&t, "n");
	put_open(&t, '[');
	put_number(&t, UINT64_MAX);
	put_bool(&t, 1);
	put_null(&t);
	put_close(&t, ']');
	put_pair(&t, "none", NULL);
	put_close(&t, '}');
	assert_false(t.is_failed);
	assert_string_equal(t.data,
		"{\"a\\\"\":\"\\b\\t\\n\\u000b\\f\\r\\u0001\\\\ \xc3\xa9 "
		"????\",\"n\":[18446744073709551615,true,null]}");
	text_free(&t);
}

/* Its bytes, with '?' for what layout/utf8.h says is none. */
static void check_utf8(struct text *t, const char *bytes, size_t size)
{
	char want[16] = "\"";
	size_t n = 1, i, k;

	for (i = 0; i < size; i += k) {
		k = pk_utf8_len((const unsigned char *)bytes + i, size - i);
		if (k)
			memcpy(want + n, bytes + i, k);
		else
			want[n] = '?';
		k += !k;
		n += k;
	}
	want[n++] = '"';
	t->size = 0;
	t->is_behind = 0;
	put_string_n(t, bytes, size);
	assert_int_equal(t->size, n);
	assert_memory_equal(t->data, want, n);
}

static void test_the_server_and_the_library_agree_on_utf_8(void **state)
{
	static const char next[] = "A\x7f\x80\x8f\x90\x9f\xa0\xbf\xc0\xff";
	struct text t = {0};
	char b[4];

	(void)state;
	for (int first = 0x80; first < 0x100; first++)
		for (const char *p = next; *p; p++)
			for (const char *q = next; *q; q++)
				for (const char *r = next; *r; r++) {
					b[0] = (char)first;
					b[1] = *p;
					b[2] = *q;
					b[3] = *r;
					for (size_t n = 1; n <= 4; n++)
						check_utf8(&t, b, n);
				}
	text_free(&t);
}

static int match(const char *pattern, const char *path, const char **param)
{
	static char room[256];

	return target_match(pattern, path, strlen(path), param, room);
}

static void test_paths_are_split_before_they_are_decoded(void **state)
{
	const char *param[TARGET_PARAMS];

	(void)state;
	assert_int_equal(match("/p/{id}/v/{v}", "/p/a%2Fb/v/1%2e0", param), 1);
	assert_string_equal(param[0], "a/b");
	assert_string_equal(param[1], "1.0");
	assert_int_equal(match("/f/{rest*}", "/f/a/b%20c", param), 1);
	assert_string_equal(param[0], "a/b c");
	assert_int_equal(match("/p/{id}", "/p/", param), 0);
	assert_int_equal(match("/p/{id}", "/p/a/", param), 0);
	assert_int_equal(match("/p/{id}", "/p/a%00", param), -1);
	assert_int_equal(match("/p/{id}", "/p/a%2", param), -1);
	assert_int_equal(match("/p/{id}", "/p/a%", param), -1);
	assert_int_equal(match("/p/{id}", "/p/a%g0", param), -1);
	assert_int_equal(match("/p", "/p", param), 1);
	assert_int_equal(match("/p", "/", param), 0);
}

static void test_a_query_says_how_often_a_name_is_there(void **state)
{
	char out[64];

	(void)state;
	assert_int_equal(target_query("a=1&b=x%26y+z&c", "b", out), 1);
	assert_string_equal(out, "x&y z");
	assert_int_equal(target_query("a=1&b=2&c", "c", out), 1);
	assert_string_equal(out, "");
	assert_int_equal(target_query("a=1&a=2", "a", out), 2);
	assert_string_equal(out, "1");
	assert_int_equal(target_query("aa=1", "a", out), 0);
	assert_int_equal(target_query("a=%zz", "a", out), -1);
}

static void test_what_no_door_answers_is_404_or_405(void **state)
{
	const struct server_options opt = { .store = *state };
	struct request rq = { .target = "/livez", .body = "", .peer = "::1" };
	struct server *server;
	struct reply rp;

	assert_done(pakhus_init(*state, NULL, &err));
	assert_done(server_open(&server, &opt, &err));
	server_handle(server, &rq, &rp);
	assert_int_equal(rp.status, 200);
	assert_string_equal(rp.body, "{\"status\":\"alive\"}");
	assert_string_equal(rp.route, "/livez");
	reply_free(&rp);

	rq.method = HTTP_DELETE;
	server_handle(server, &rq, &rp);
	assert_int_equal(rp.status, 405);
	assert_string_equal(reply_value(&rp, "allow"), "GET, HEAD");
	reply_free(&rp);

	rq.target = "/nowhere";
	server_handle(server, &rq, &rp);
	assert_int_equal(rp.status, 404);
	reply_free(&rp);
	server_close(server);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_json_is_escaped_as_rfc_8259_says),
		cmocka_unit_test(
			test_the_server_and_the_library_agree_on_utf_8),
		cmocka_unit_test(test_paths_are_split_before_they_are_decoded),
		cmocka_unit_test(test_a_query_says_how_often_a_name_is_there),
		T_IN_DIR(test_what_no_door_answers_is_404_or_405),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
