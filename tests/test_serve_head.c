/* test_serve_head.c - the head of a request, and all that is none. */
#include "t.h"
#include "heads.h"

static struct head head;
static struct head_fault fault;
static char *copy;

static int is(const char *text)
{
	free(copy);
	return heads_read(text, strlen(text), &head, &copy, &fault);
}

#define H "Host: a\r\n"
#define G "GET / HTTP/1.1\r\n"

static const struct {
	int status;
	const char *text;
} refused[] = {
	/* what two readers split in two ways */
	{400, "POST / HTTP/1.1\r\n" H "Content-Length: 1\r\n"
	      "Transfer-Encoding: chunked\r\n\r\n"},
	{400, "POST / HTTP/1.1\r\n" H "Transfer-Encoding: chunked\r\n"
	      "Content-Length: 1\r\n\r\n"},
	{411, "POST / HTTP/1.1\r\n" H "Transfer-Encoding: chunked\r\n\r\n"},
	{411, "POST / HTTP/1.1\r\n" H "transfer-encoding: identity\r\n\r\n"},
	{411, "POST / HTTP/1.1\r\n" H "Transfer-Encoding:\r\n\r\n"},
	{411, "POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n"},
	{400, "POST / HTTP/1.1\r\n" H
	      "Content-Length: 1\r\nContent-Length: 1\r\n\r\n"},
	{400, "POST / HTTP/1.1\r\n" H
	      "Content-Length: 1\r\ncontent-length: 2\r\n\r\n"},
	{400, "POST / HTTP/1.1\r\n" H "Content-Length: 1, 1\r\n\r\n"},
	{400, "POST / HTTP/1.1\r\n" H "Content-Length: +1\r\n\r\n"},
	{400, "POST / HTTP/1.1\r\n" H "Content-Length: -1\r\n\r\n"},
	{400, "POST / HTTP/1.1\r\n" H "Content-Length: 0x1\r\n\r\n"},
	{400, "POST / HTTP/1.1\r\n" H "Content-Length: 1 1\r\n\r\n"},
	{400, "POST / HTTP/1.1\r\n" H "Content-Length:\r\n\r\n"},
	{400, "POST / HTTP/1.1\r\n" H
	      "Content-Length: 18446744073709551617\r\n\r\n"},
	{400, "POST / HTTP/1.1\r\n" H "Content-Length : 1\r\n\r\n"},
	{400, "POST / HTTP/1.1\r\n" H "Content-Length\t: 1\r\n\r\n"},
	{400, "POST / HTTP/1.1\r\n" H " Content-Length: 1\r\n\r\n"},
	{400, "POST / HTTP/1.1\r\n Content-Length: 1\r\n" H "\r\n"},
	{400, "POST / HTTP/1.1\r\n" H "X: a\r\n b\r\n\r\n"},
	{400, "POST / HTTP/1.1\r\n" H "X: a\r\n\tb\r\n\r\n"},
	{400, "POST / HTTP/1.1\r\n" H "X: a\nContent-Length: 1\r\n\r\n"},
	{400, "POST / HTTP/1.1\r\n" H "X: a\rContent-Length: 1\r\n\r\n"},
	{400, "POST / HTTP/1.1\r\n" H "X: a\r\r\n\r\n"},
	{400, "POST / HTTP/1.1\n" H "\r\n"},
	{400, "POST / HTTP/1.1\r\n" H "\n\r\n"},
	{400, "POST / HTTP/1.1\r\nHost: a\n\n"},
	{400, "\r\n" G H "\r\n"},
	{400, "\n" G H "\r\n"},
	/* names and values */
	{400, G H "X\r\n\r\n"},
	{400, G H ": a\r\n\r\n"},
	{400, G H "X y: a\r\n\r\n"},
	{400, G H "X\"y: a\r\n\r\n"},
	{400, G H "X\xc3\xa9: a\r\n\r\n"},
	{400, G H "X: a\x01\r\n\r\n"},
	{400, G H "X: a\x7f\r\n\r\n"},
	{400, G H "X: a\x0b\r\n\r\n"},
	{400, G H "Authorization: Bearer a\r\nAuthorization: Bearer b\r\n\r\n"},
	/* Host */
	{400, G "\r\n"},
	{400, G H H "\r\n"},
	{400, G "Host:\r\n\r\n"},
	{400, G "Host: a b\r\n\r\n"},
	{400, G "Host: a/b\r\n\r\n"},
	{400, G "Host: a@b\r\n\r\n"},
	{400, G "Host: a:b\r\n\r\n"},
	{400, G "Host: a:1234567\r\n\r\n"},
	{400, G "Host: :80\r\n\r\n"},
	{400, G "Host: [::1\r\n\r\n"},
	{400, G "Host: []\r\n\r\n"},
	{400, G "Host: a%zz\r\n\r\n"},
	{400, "GET / HTTP/1.0\r\nHost: a\r\nHost: b\r\n\r\n"},
	/* the request line */
	{400, "GET /\r\n" H "\r\n"},
	{400, "GET\r\n" H "\r\n"},
	{400, " GET / HTTP/1.1\r\n" H "\r\n"},
	{400, "GET  / HTTP/1.1\r\n" H "\r\n"},
	{400, "GET /  HTTP/1.1\r\n" H "\r\n"},
	{400, "GET / HTTP/1.1 \r\n" H "\r\n"},
	{400, "GET\t/ HTTP/1.1\r\n" H "\r\n"},
	{400, "GET /a b HTTP/1.1\r\n" H "\r\n"},
	{400, "GET /a\tb HTTP/1.1\r\n" H "\r\n"},
	{400, "GET /\xc3\xa9 HTTP/1.1\r\n" H "\r\n"},
	{400, "GET /#a HTTP/1.1\r\n" H "\r\n"},
	{400, "GET a HTTP/1.1\r\n" H "\r\n"},
	{400, "OPTIONS * HTTP/1.1\r\n" H "\r\n"},
	{400, "CONNECT a:80 HTTP/1.1\r\n" H "\r\n"},
	{400, "GET ftp://a/ HTTP/1.1\r\n" H "\r\n"},
	{400, "GET http:///a HTTP/1.1\r\n" H "\r\n"},
	{400, "GET http://u@a/ HTTP/1.1\r\n" H "\r\n"},
	{400, "G(T / HTTP/1.1\r\n" H "\r\n"},
	{400, "GET / http/1.1\r\n" H "\r\n"},
	{400, "GET / HTTP/1.\r\n" H "\r\n"},
	{400, "GET / HTTP/1.11\r\n" H "\r\n"},
	{400, "GET / HTTP/1,1\r\n" H "\r\n"},
	{505, "GET / HTTP/1.2\r\n" H "\r\n"},
	{505, "GET / HTTP/2.0\r\n" H "\r\n"},
	{505, "GET / HTTP/0.9\r\n" H "\r\n"},
	{417, G H "Expect: 200-ok\r\n\r\n"},
	{417, G H "Expect: 100-continue, more\r\n\r\n"},
};

static void test_what_could_be_read_in_two_ways_is_refused(void **state)
{
	size_t i;

	(void)state;
	for (i = 0; i < T_COUNT(refused); i++) {
		int status = is(refused[i].text);

		if (status != refused[i].status)
			fail_msg("%d and not %d: %s", status,
				 refused[i].status, refused[i].text);
		assert_true(strlen(fault.text) > 8);
	}
}

static void test_a_nul_is_refused_wherever_it_is(void **state)
{
	static const char text[] = G H "X: abc\r\n\r\n";
	size_t size = sizeof(text) - 1, i;
	char bytes[sizeof(text)];

	(void)state;
	for (i = 0; i < size; i++) {
		memcpy(bytes, text, size);
		bytes[i] = '\0';
		free(copy);
		assert_int_equal(heads_read(bytes, size, &head, &copy, &fault),
				 400);
	}
}

static void test_a_head_is_read_as_it_was_sent(void **state)
{
	(void)state;
	assert_int_equal(is("POST /a%2Fb?c=d HTTP/1.1\r\nhost: [::1]:80\r\n"
			    "Content-Length: 0017\r\nX-Y:\t a \xc3\xa9\tb \t\r\n"
			    "Empty:\r\n\r\nrest"), 0);
	assert_int_equal(head.method, HTTP_POST);
	assert_string_equal(head.method_name, "POST");
	assert_string_equal(head.target, "/a%2Fb?c=d");
	assert_int_equal(head.minor, 1);
	assert_int_equal(head.size, 17);
	assert_int_equal(head.field_count, 4);
	assert_string_equal(head.fields[0].name, "host");
	assert_string_equal(head.fields[0].value, "[::1]:80");
	assert_string_equal(head.fields[2].value, "a \xc3\xa9\tb");
	assert_string_equal(head.fields[3].value, "");
	assert_true(head.is_keep_alive);
	assert_false(head.is_expecting);
	assert_int_equal(is("get / HTTP/1.1\r\n" H "\r\n"), 0);
	assert_int_equal(head.method, HTTP_OTHER);
	assert_int_equal(is("PATCH / HTTP/1.1\r\n" H "\r\n"), 0);
	assert_int_equal(head.method, HTTP_OTHER);
}

static void test_absolute_form_becomes_origin_form(void **state)
{
	(void)state;
	assert_int_equal(is("GET http://a:80/b?c HTTP/1.1\r\n" H "\r\n"), 0);
	assert_string_equal(head.target, "/b?c");
	assert_int_equal(is("GET HTTPS://a HTTP/1.1\r\n" H "\r\n"), 0);
	assert_string_equal(head.target, "/");
	assert_int_equal(is("GET http://a?b HTTP/1.1\r\n" H "\r\n"), 0);
	assert_string_equal(head.target, "/?b");
	assert_int_equal(is("GET //a HTTP/1.1\r\n" H "\r\n"), 0);
	assert_string_equal(head.target, "//a");
}

/* The access log tells of heads that were refused too. */
static void test_a_target_that_is_no_path_can_be_told(void **state)
{
	static const char *const none[] = {"x", "*", "a:1", "http://",
					   "ftp://a/"};
	char text[64];
	size_t i;

	(void)state;
	for (i = 0; i < T_COUNT(none); i++) {
		snprintf(text, sizeof(text), "GET %s HTTP/1.1\r\n" H "\r\n",
			 none[i]);
		assert_int_equal(is(text), 400);
		assert_string_equal(head.target, none[i]);
	}
}

static void test_a_connection_is_kept_as_version_and_client_say(void **state)
{
	static const struct {
		int is_kept;
		const char *text;
	} rows[] = {
		{1, G H "\r\n"},
		{0, G H "Connection: close\r\n\r\n"},
		{0, G H "Connection: x, CLOSE ,y\r\n\r\n"},
		{0, G H "Connection: keep-alive\r\nConnection: close\r\n\r\n"},
		{0, G H "Connection: close\r\nConnection: keep-alive\r\n\r\n"},
		{1, G H "Connection: Upgrade\r\nUpgrade: h2c\r\n\r\n"},
		{1, G H "Connection: closed\r\n\r\n"},
		{0, "GET / HTTP/1.0\r\n\r\n"},
		{1, "GET / HTTP/1.0\r\nConnection: Keep-Alive\r\n\r\n"},
		{0, "GET / HTTP/1.0\r\nConnection: keep-alive, close\r\n\r\n"},
	};
	size_t i;

	(void)state;
	for (i = 0; i < T_COUNT(rows); i++) {
		assert_int_equal(is(rows[i].text), 0);
		if (head.is_keep_alive != rows[i].is_kept)
			fail_msg("%s", rows[i].text);
	}
}

static void test_an_expectation_of_an_old_client_is_none(void **state)
{
	(void)state;
	assert_int_equal(is(G H "Expect: 100-Continue\r\n\r\n"), 0);
	assert_true(head.is_expecting);
	assert_int_equal(is("GET / HTTP/1.0\r\nExpect: 100-continue\r\n\r\n"),
			 0);
	assert_false(head.is_expecting);
	assert_int_equal(is("GET / HTTP/1.0\r\nExpect: more\r\n\r\n"), 0);
}

/* A head with so many bytes of target, fields and bytes of one value. */
static int sized(size_t target, size_t fields, size_t value)
{
	size_t size = target + 16 * fields + value + 64, n, i;
	char *text = malloc(size);
	int status;

	n = (size_t)sprintf(text, "GET ");
	memset(text + n, '/', target);
	n += target;
	n += (size_t)sprintf(text + n, " HTTP/1.1\r\n" H);
	for (i = 1; i < fields; i++)
		n += (size_t)sprintf(text + n, "A: b\r\n");
	if (value) {
		n += (size_t)sprintf(text + n, "V: ");
		memset(text + n, 'v', value);
		n += value;
		n += (size_t)sprintf(text + n, "\r\n");
	}
	memcpy(text + n, "\r\n", 3);
	status = is(text);
	free(text);
	return status;
}

static void test_limits_are_exact(void **state)
{
	const size_t rest = strlen("GET / HTTP/1.1\r\n" H "V: \r\n\r\n");

	(void)state;
	assert_int_equal(sized(HEAD_TARGET_MAX, 1, 0), 0);
	assert_int_equal(sized(HEAD_TARGET_MAX + 1, 1, 0), 414);
	assert_int_equal(sized(2 * HEAD_TARGET_MAX, 1, 0), 414);
	assert_int_equal(sized(2 * HEAD_MAX, 1, 0), 414);
	assert_int_equal(sized(1, HEAD_FIELDS, 0), 0);
	assert_int_equal(sized(1, HEAD_FIELDS + 1, 0), 431);
	assert_int_equal(sized(1, 1, HEAD_MAX - rest), 0);
	assert_int_equal(sized(1, 1, HEAD_MAX - rest + 1), 431);
	assert_int_equal(sized(1, 1, 2 * HEAD_MAX), 431);
	assert_int_equal(is("AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA / HTTP/1.1\r\n" H
			    "\r\n"), 0);
	assert_int_equal(is("AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA / HTTP/1.1\r\n" H
			    "\r\n"), 400);
}

/* No cut is a head; a flipped bit is refused, or means what its plain
 * spelling means. */
static void test_damage_is_refused_or_understood(void **state)
{
	static const char text[] =
		"POST http://a/b?c=%20 HTTP/1.1\r\nHost: [::1]:80\r\n"
		"Content-Length: 12\r\nExpect: 100-continue\r\n"
		"Connection: keep-alive, Upgrade\r\nX: \ty\r\n\r\n";
	size_t size = sizeof(text) - 1, i;
	unsigned char *exact;

	(void)state;
	for (i = 0; i < size; i++) {
		exact = t_exact(text, i);
		assert_false(heads_again((char *)exact, i));
		free(exact);
	}
	for (i = 0; i < size * 8; i++) {
		exact = t_exact(text, size);
		exact[i / 8] ^= (unsigned char)(1 << i % 8);
		heads_again((char *)exact, size);
		free(exact);
	}
	assert_true(heads_again(text, size));
}

static int forget(void **state)
{
	(void)state;
	free(copy);
	copy = NULL;
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
			test_what_could_be_read_in_two_ways_is_refused),
		cmocka_unit_test(test_a_nul_is_refused_wherever_it_is),
		cmocka_unit_test(test_a_head_is_read_as_it_was_sent),
		cmocka_unit_test(test_absolute_form_becomes_origin_form),
		cmocka_unit_test(test_a_target_that_is_no_path_can_be_told),
		cmocka_unit_test(
			test_a_connection_is_kept_as_version_and_client_say),
		cmocka_unit_test(test_an_expectation_of_an_old_client_is_none),
		cmocka_unit_test(test_limits_are_exact),
		cmocka_unit_test(test_damage_is_refused_or_understood),
	};
	return cmocka_run_group_tests(tests, NULL, forget);
}
