/* test_serve_represent.c - which form of an answer is sent: conditions, ranges
 * and content codings, without a socket.
 */
#include "t.h"
#include "stores.h"

#include "../tools/server/accept.h"
#include "../tools/server/condition.h"
#include "../tools/server/content.h"
#include "../tools/server/base64.h"
#include "../tools/server/digest.h"
#include "../tools/server/range.h"
#include "../tools/server/represent.h"

/* ---- Fields ---- */

static const char *order_of(const char *value)
{
	static const char letters[] = {[CODING_ZSTD] = 'z',
				       [CODING_GZIP] = 'g',
				       [CODING_IDENTITY] = 'i'};
	static char out[CODINGS + 1];
	struct accept a = ACCEPT_INIT;
	enum coding order[CODINGS];
	size_t n, i;
	char *exact;

	if (value) {
		exact = (char *)t_exact(value, strlen(value) + 1);
		accept_add(&a, exact);
		free(exact);
	}
	n = accept_order(&a, order);
	for (i = 0; i < n; i++)
		out[i] = letters[order[i]];
	out[n] = '\0';
	return out;
}

static void test_codings_are_ordered_by_what_the_client_likes(void **state)
{
	static const struct {
		const char *value, *order;
	} rows[] = {
		{NULL, "i"},
		{"", "i"},
		{"gzip", "gi"},
		{"GZip", "gi"},
		{"x-gzip", "gi"},
		{"zstd", "zi"},
		{"gzip, zstd", "zgi"},
		{"gzip, deflate, br, zstd", "zgi"},
		{"gzip;q=1.0, zstd;q=0.5", "gzi"},
		{"gzip ; q=0.2,zstd\t;\tQ=0.201", "zgi"},
		{"identity;q=1, gzip;q=0.5", "ig"},
		{"gzip;q=0.001", "gi"},
		{"gzip;q=0", "i"},
		{"gzip;q=0.000, *", "zi"},
		{"*", "zgi"},
		{"*;q=0.5", "zgi"},
		{"*;q=0", ""},
		{"identity;q=0", ""},
		{"identity;q=0, gzip", "g"},
		{"gzip, *;q=0", "g"},
		{"identity, *;q=0", "i"},
		{"br;q=1.0, identity;q=0.5, *;q=0", "i"},
		{"gzip;q=0, gzip", "i"}, /* the first counts */
		{"gzip;q=2, zstd", "zi"},
		{"gzip;q=1.001, zstd", "zi"},
		{"gzip;q=0.1234, zstd", "zi"},
		{"gzip;q=", "i"},
		{"gzip;x=1", "i"},
		{"gzip;q=0.5x", "i"},
		{"gzip zstd", "i"},
		{",, ,gzip,,", "gi"},
		{";q=1", "i"},
		{"gzipped, xzstd, identit", "i"},
	};

	(void)state;
	for (size_t i = 0; i < T_COUNT(rows); i++) {
		if (strcmp(order_of(rows[i].value), rows[i].order))
			print_error("\"%s\"\n", rows[i].value);
		assert_string_equal(order_of(rows[i].value), rows[i].order);
	}
}

static void test_lines_of_a_field_are_one_list(void **state)
{
	const struct field fields[] = {{"accept-encoding", "gzip;q=0.5"},
				       {"Host", "x"},
				       {"Accept-Encoding", "identity;q=0"}};
	struct request rq = {.fields = fields, .field_count = 3};
	enum coding order[CODINGS];

	(void)state;
	assert_int_equal(accept_of(&rq, order), 1);
	assert_int_equal(order[0], CODING_GZIP);
	rq.field_count = 0;
	assert_int_equal(accept_of(&rq, order), 1);
	assert_int_equal(order[0], CODING_IDENTITY);
}

static void test_a_range_is_one_of_bytes(void **state)
{
	static const struct {
		const char *value;
		uint64_t size;
		enum range is;
		uint64_t from, count;
	} rows[] = {
		{"bytes=0-0", 10, RANGE_ONE, 0, 1},
		{"bytes=0-", 10, RANGE_ONE, 0, 10},
		{"Bytes=2-4", 10, RANGE_ONE, 2, 3},
		{"bytes=9-9", 10, RANGE_ONE, 9, 1},
		{"bytes=9-99999999999999999999999", 10, RANGE_ONE, 9, 1},
		{"bytes= 1-2\t ", 10, RANGE_ONE, 1, 2},
		{"bytes=-3", 10, RANGE_ONE, 7, 3},
		{"bytes=-30", 10, RANGE_ONE, 0, 10},
		{"bytes=-99999999999999999999999", 10, RANGE_ONE, 0, 10},
		{"bytes=10-", 10, RANGE_BEHIND, 0, 0},
		{"bytes=99999999999999999999999-", 10, RANGE_BEHIND, 0, 0},
		{"bytes=-0", 10, RANGE_BEHIND, 0, 0},
		{"bytes=0-", 0, RANGE_BEHIND, 0, 0},
		{"bytes=-1", 0, RANGE_NONE, 0, 0},
		{"bytes=-0", 0, RANGE_BEHIND, 0, 0},
		{"bytes=4-2", 10, RANGE_NONE, 0, 0},
		{"bytes=0-1,4-5", 10, RANGE_NONE, 0, 0},
		{"bytes=0-1,", 10, RANGE_NONE, 0, 0},
		{"bytes=", 10, RANGE_NONE, 0, 0},
		{"bytes=-", 10, RANGE_NONE, 0, 0},
		{"bytes=1", 10, RANGE_NONE, 0, 0},
		{"bytes=+1-2", 10, RANGE_NONE, 0, 0},
		{"bytes=1--2", 10, RANGE_NONE, 0, 0},
		{"bytes=--2", 10, RANGE_NONE, 0, 0},
		{"bytes=1 -2", 10, RANGE_NONE, 0, 0},
		{"bytes=1-2x", 10, RANGE_NONE, 0, 0},
		{"bytes 1-2", 10, RANGE_NONE, 0, 0},
		{"items=1-2", 10, RANGE_NONE, 0, 0},
		{"", 10, RANGE_NONE, 0, 0},
		{"bytes=0-9223372036854775806", INT64_MAX, RANGE_ONE, 0,
		 INT64_MAX},
		{"bytes=9223372036854775806-", INT64_MAX, RANGE_ONE,
		 INT64_MAX - 1, 1},
	};

	(void)state;
	for (size_t i = 0; i < T_COUNT(rows); i++) {
		char *exact = (char *)t_exact(rows[i].value,
					      strlen(rows[i].value) + 1);
		uint64_t from = 0, count = 0;

		if (range_parse(exact, rows[i].size, &from, &count) !=
			    rows[i].is ||
		    from != rows[i].from || count != rows[i].count) {
			print_error("\"%s\"\n", rows[i].value);
			fail();
		}
		free(exact);
	}
}

static void test_lists_of_tags_are_compared_as_they_are_written(void **state)
{
	static const struct {
		const char *list, *tag;
		int weakly, strongly;
	} rows[] = {
		{"\"a\"", "\"a\"", 1, 1},
		{"\"b\", \"a\"", "\"a\"", 1, 1},
		{"\"b\",\"a\"", "\"a\"", 1, 1},
		{" , \"b\" ,, \"a\" ,", "\"a\"", 1, 1},
		{"W/\"a\"", "\"a\"", 1, 0},
		{"\"a\"", "W/\"a\"", 1, 0},
		{"W/\"a\"", "W/\"a\"", 1, 0},
		{"W/\"a\", \"a\"", "\"a\"", 1, 1},
		{"*", "\"a\"", 1, 1},
		{" * ", "\"a\"", 1, 1},
		{"*, \"b\"", "\"a\"", 0, 0},
		{"\"b\", *", "\"a\"", 0, 0},
		{"\"x,\"a\"\"", "\"a\"", 0, 0},
		{"\"x,y\", \"a\"", "\"a\"", 1, 1},
		{"\"a", "\"a\"", 0, 0},
		{"a", "\"a\"", 0, 0},
		{"\"aa\"", "\"a\"", 0, 0},
		{"\"\"", "\"a\"", 0, 0},
		{"\"\"", "\"\"", 1, 1},
		{"w/\"a\"", "\"a\"", 0, 0},
		{"\"b\" \"a\"", "\"a\"", 1, 1}, /* read generously */
		{"\"b\"\"a\"", "\"a\"", 0, 0},
		{"\"b c\", \"a\"", "\"a\"", 0, 0},
		{"", "\"a\"", 0, 0},
	};

	(void)state;
	for (size_t i = 0; i < T_COUNT(rows); i++) {
		char *exact = (char *)t_exact(rows[i].list,
					      strlen(rows[i].list) + 1);

		if (tags_have(exact, rows[i].tag, 0) != rows[i].weakly ||
		    tags_have(exact, rows[i].tag, 1) != rows[i].strongly) {
			print_error("%s\n", rows[i].list);
			fail();
		}
		free(exact);
	}
}

static void test_dates_are_read_in_their_three_forms(void **state)
{
	static const char *const bad[] = {
		"", "0", "784111777", "Sun, 06 Nov 1994", "Sun, 06 Nov 1994 "
		"08:49:37", "Sun, 06 Nov 1994 08:49:37 CET",
		"Sun, 06 Nov 1994 08:49:37 GMT x", "Sun, 36 Nov 1994 08:49:37 "
		"GMT", "1994-11-06T08:49:37Z",
	};
	char text[DATE_SIZE];
	int64_t t;

	(void)state;
	assert_int_equal(date_parse("Sun, 06 Nov 1994 08:49:37 GMT", &t), 0);
	assert_int_equal(t, 784111777);
	t = 0;
	assert_int_equal(date_parse("Sunday, 06-Nov-94 08:49:37 GMT", &t), 0);
	assert_int_equal(t, 784111777);
	t = 0;
	assert_int_equal(date_parse("Sun Nov  6 08:49:37 1994", &t), 0);
	assert_int_equal(t, 784111777);
	date_format(t, text);
	assert_string_equal(text, "Sun, 06 Nov 1994 08:49:37 GMT");
	for (size_t i = 0; i < T_COUNT(bad); i++)
		assert_int_equal(date_parse(bad[i], &t), -1);
}

/* ---- Replies ---- */

enum { LONG = 4000 };

static struct field fields[8];
static struct request rq;
static struct reply rp;
static struct exchange x;

/* A request of these fields, in pairs; and a door's 200 of LONG bytes with a
 * tag. */
static void ask(const char *name, ...)
{
	va_list ap;

	memset(&rp, 0, sizeof(rp));
	memset(&x, 0, sizeof(x));
	rq = (struct request){.target = "/", .body = "", .fields = fields};
	va_start(ap, name);
	for (; name; name = va_arg(ap, const char *)) {
		fields[rq.field_count].name = name;
		fields[rq.field_count++].value = va_arg(ap, const char *);
	}
	va_end(ap);
	x.request = &rq;
	x.reply = &rp;
	rp.fd = -1;
	rp.status = 200;
	rp.body = malloc(LONG + 1);
	for (size_t i = 0; i <= LONG; i++)
		rp.body[i] = (char)('a' + i * i % 23);
	rp.size = LONG;
	reply_field(&rp, "Content-Type", "application/json");
	reply_field(&rp, "ETag", "\"t\"");
}

static int has(const char *name, const char *value)
{
	const char *got = reply_value(&rp, name);

	if (value ? got && !strcmp(got, value) : !got)
		return 1;
	print_error("%s: %s\n", name, got ? got : "none");
	return 0;
}

/* What is sent is the bytes of ask() from..from+count-1. */
static int is_plain(size_t from, size_t count)
{
	size_t i;

	if (rp.size != count || rp.fd >= 0)
		return 0;
	for (i = 0; i < count; i++)
		if (rp.body[i] != (char)('a' + (from + i) * (from + i) % 23))
			return 0;
	return 1;
}

static int is_coded(const char *name)
{
	size_t size = 0;
	char *out = NULL;
	int rc;

	if (!has("Content-Encoding", name))
		return 0;
	rc = strcmp(name, "gzip")
		     ? zstd_decode(rp.body, rp.size, LONG, &out, &size)
		     : gzip_decode(rp.body, rp.size, LONG, &out, &size);
	if (rc)
		return 0;
	free(rp.body);
	rp.body = out;
	rp.size = size;
	return is_plain(0, LONG);
}

static void test_what_is_long_is_coded_as_the_client_likes(void **state)
{
	static const struct {
		const char *accept, *coding;
	} rows[] = {
		{"gzip", "gzip"}, {"zstd, gzip", "zstd"}, {"br", NULL},
		{"zstd;q=0.3, gzip;q=0.4", "gzip"}, {"", NULL},
		{"identity, gzip;q=0.5", NULL}, {"*", "zstd"},
		{"identity;q=0, gzip", "gzip"}, {"*;q=0, zstd;q=0.1", "zstd"},
	};

	(void)state;
	for (size_t i = 0; i < T_COUNT(rows); i++)
		for (int head = 0; head < 2; head++) {
			ask("Accept-Encoding", rows[i].accept, NULL);
			if (head)
				rq.method = HTTP_HEAD;
			represent(&x);
			assert_int_equal(rp.status, 200);
			assert_true(has("Vary", "Accept-Encoding"));
			if (!rows[i].coding) {
				assert_true(has("Content-Encoding", NULL));
				assert_true(has("ETag", "\"t\""));
				assert_true(has("Accept-Ranges", "bytes"));
				assert_true(is_plain(0, LONG));
			} else {
				char *tag = s_text("\"t-%s\"", rows[i].coding);

				assert_true(has("ETag", tag));
				assert_true(has("Accept-Ranges", NULL));
				assert_true(rp.size < LONG);
				assert_true(is_coded(rows[i].coding));
				free(tag);
			}
			reply_free(&rp);
		}
}

static void test_what_is_short_or_no_text_is_sent_as_it_is(void **state)
{
	(void)state;
	ask("Accept-Encoding", "gzip", NULL);
	rp.size = 1000;
	represent(&x);
	assert_true(has("Content-Encoding", NULL));
	assert_true(has("Vary", "Accept-Encoding"));
	assert_true(is_plain(0, 1000));
	reply_free(&rp);

	ask("Accept-Encoding", "gzip", NULL);
	reply_field(&rp, "Content-Type", "application/octet-stream");
	represent(&x);
	assert_true(has("Content-Encoding", NULL));
	assert_true(has("Vary", NULL));
	assert_true(is_plain(0, LONG));
	reply_free(&rp);

	/* yet where nothing else is taken it is coded */
	ask("Accept-Encoding", "gzip, identity;q=0", NULL);
	reply_field(&rp, "Content-Type", "application/octet-stream");
	represent(&x);
	assert_true(is_coded("gzip"));
	reply_free(&rp);

	/* what does not get shorter stays as it is */
	ask("Accept-Encoding", "gzip, zstd", NULL);
	for (size_t i = 0; i < LONG; i += DIGEST_SIZE)
		digest_sha256(&i, sizeof(i), (unsigned char *)rp.body + i);
	represent(&x);
	assert_true(has("Content-Encoding", NULL));
	assert_int_equal(rp.size, LONG);
	reply_free(&rp);

	/* a door's own Vary stays, a door's own coding too */
	ask("Accept-Encoding", "gzip", NULL);
	reply_field(&rp, "Vary", "Authorization");
	represent(&x);
	assert_true(has("Vary", "Authorization, Accept-Encoding"));
	reply_free(&rp);
	ask("Accept-Encoding", "zstd", NULL);
	reply_field(&rp, "Content-Encoding", "gzip");
	represent(&x);
	assert_true(has("Content-Encoding", "gzip"));
	assert_true(is_plain(0, LONG));
	reply_free(&rp);
}

static void test_errors_and_answers_to_posts_are_coded_too(void **state)
{
	(void)state;
	ask("Accept-Encoding", "gzip", "If-None-Match", "*", "Range",
	    "bytes=0-1", NULL);
	rq.method = HTTP_POST;
	rp.status = 201;
	represent(&x);
	assert_int_equal(rp.status, 201);
	assert_true(is_coded("gzip"));
	reply_free(&rp);
	ask("Accept-Encoding", "zstd", NULL);
	rp.status = 404;
	represent(&x);
	assert_int_equal(rp.status, 404);
	assert_true(is_coded("zstd"));
	reply_free(&rp);
	ask("Accept-Encoding", "*;q=0", NULL);
	rp.status = 404; /* said all the same */
	represent(&x);
	assert_int_equal(rp.status, 404);
	assert_true(is_plain(0, LONG));
	reply_free(&rp);
}

static void test_where_no_coding_is_taken_it_is_406(void **state)
{
	(void)state;
	ask("Accept-Encoding", "br, identity;q=0", NULL);
	reply_immutable(&x);
	represent(&x);
	assert_int_equal(rp.status, 406);
	assert_non_null(strstr(rp.body, "NOT_ACCEPTABLE"));
	assert_true(has("ETag", NULL));
	assert_true(has("Cache-Control", "no-cache"));
	reply_free(&rp);
}

static void test_what_the_client_has_is_not_sent_again(void **state)
{
	static const struct {
		const char *known, *accept;
		int status;
		const char *tag;
	} rows[] = {
		{"\"t\"", "", 304, "\"t\""},
		{"\"t\"", "gzip", 304, "\"t\""},
		{"W/\"t\"", "gzip", 304, "\"t\""},
		{"\"t-gzip\"", "gzip", 304, "\"t-gzip\""},
		{"W/\"t-gzip\"", "gzip", 304, "\"t-gzip\""},
		{"\"t-zstd\", \"t-gzip\"", "gzip", 304, "\"t-gzip\""},
		{"\"t\", \"t-zstd\"", "gzip, zstd", 304, "\"t-zstd\""},
		{"*", "", 304, "\"t\""},
		/* what cannot be read is not what one has */
		{"\"t-gzip\"", "", 200, NULL},
		{"\"t-gzip\"", "zstd", 200, NULL},
		{"\"t\"", "gzip, identity;q=0", 200, NULL},
		{"\"u\", \"v\"", "", 200, NULL},
		{"t", "", 200, NULL},
	};

	(void)state;
	for (size_t i = 0; i < T_COUNT(rows); i++)
		for (int head = 0; head < 2; head++) {
			ask("If-None-Match", rows[i].known, "Accept-Encoding",
			    rows[i].accept, "Range", "bytes=0-1", NULL);
			reply_immutable(&x);
			if (head)
				rq.method = HTTP_HEAD;
			represent(&x);
			if (rows[i].status != 304) {
				assert_in_range(rp.status, 200, 206);
				reply_free(&rp);
				continue;
			}
			assert_int_equal(rp.status, 304);
			assert_true(has("ETag", rows[i].tag));
			assert_true(has("Vary", "Accept-Encoding"));
			assert_true(has("Content-Type", NULL));
			assert_non_null(reply_value(&rp, "Cache-Control"));
			assert_null(rp.body);
			assert_int_equal(rp.size, 0);
			reply_free(&rp);
		}
}

static void test_a_door_may_say_so_before_it_makes_a_body(void **state)
{
	(void)state;
	ask("If-None-Match", "\"y\", \"x-gzip\"", "Accept-Encoding", "gzip",
	    NULL);
	free(rp.body);
	rp.body = NULL;
	rp.size = 0;
	assert_int_equal(reply_tag(&x, "x"), 1);
	represent(&x);
	assert_int_equal(rp.status, 304);
	assert_true(has("ETag", "\"x-gzip\""));
	reply_free(&rp);
	ask("If-None-Match", "\"y\"", NULL);
	assert_int_equal(reply_tag(&x, "x"), 0);
	assert_true(has("ETag", "\"x\""));
	reply_free(&rp);
}

#define THEN "Sun, 06 Nov 1994 08:49:37 GMT"
#define BEFORE "Sun, 06 Nov 1994 08:49:36 GMT"
#define LATER "Mon, 07 Nov 1994 08:49:37 GMT"

static int status_of(const char *name, const char *value, const char *more,
		     const char *its)
{
	int status;

	ask(name, value, more, its, NULL);
	reply_modified(&x, 784111777);
	represent(&x);
	status = rp.status;
	reply_free(&rp);
	return status;
}

static void test_dates_decide_where_no_tag_does(void **state)
{
	(void)state;
	assert_int_equal(status_of("If-Modified-Since", THEN, NULL, NULL), 304);
	assert_int_equal(status_of("If-Modified-Since", LATER, NULL, NULL),
			 304);
	assert_int_equal(status_of("If-Modified-Since", BEFORE, NULL, NULL),
			 200);
	assert_int_equal(status_of("If-Modified-Since", "never", NULL, NULL),
			 200);
	assert_int_equal(status_of("If-Modified-Since", THEN, "If-None-Match",
				   "\"u\""), 200);
	assert_int_equal(status_of("If-Modified-Since", BEFORE,
				   "If-None-Match", "\"t\""), 304);
	ask("If-Modified-Since", LATER, NULL); /* no date to compare */
	represent(&x);
	assert_int_equal(rp.status, 200);
	reply_free(&rp);
}

static void test_what_is_asked_to_be_so_is_412_where_it_is_not(void **state)
{
	(void)state;
	assert_int_equal(status_of("If-Match", "\"t\"", NULL, NULL), 200);
	assert_int_equal(status_of("If-Match", "\"t-zstd\"", NULL, NULL), 200);
	assert_int_equal(status_of("If-Match", "*", NULL, NULL), 200);
	assert_int_equal(status_of("If-Match", "\"u\"", NULL, NULL), 412);
	assert_int_equal(status_of("If-Match", "W/\"t\"", NULL, NULL), 412);
	assert_int_equal(status_of("If-Match", "\"u\"", "If-None-Match",
				   "\"t\""), 412);
	assert_int_equal(status_of("If-Unmodified-Since", THEN, NULL, NULL),
			 200);
	assert_int_equal(status_of("If-Unmodified-Since", BEFORE, NULL, NULL),
			 412);
	assert_int_equal(status_of("If-Unmodified-Since", BEFORE, "If-Match",
				   "\"t\""), 200);
}

static void test_a_range_is_sent_of_the_bytes_as_they_are(void **state)
{
	(void)state;
	ask("Range", "bytes=100-149", "Accept-Encoding", "gzip", NULL);
	represent(&x);
	assert_int_equal(rp.status, 206);
	assert_true(has("Content-Range", "bytes 100-149/4000"));
	assert_true(has("Content-Encoding", NULL));
	assert_true(has("ETag", "\"t\""));
	assert_true(has("Accept-Ranges", "bytes"));
	assert_true(has("Vary", "Accept-Encoding"));
	assert_true(is_plain(100, 50));
	reply_free(&rp);

	ask("Range", "bytes=-1", NULL);
	represent(&x);
	assert_int_equal(rp.status, 206);
	assert_true(has("Content-Range", "bytes 3999-3999/4000"));
	assert_true(is_plain(3999, 1));
	reply_free(&rp);
}

static void test_a_range_that_begins_behind_the_end_is_416(void **state)
{
	(void)state;
	ask("Range", "bytes=4000-", "Accept-Encoding", "gzip", NULL);
	reply_immutable(&x);
	represent(&x);
	assert_int_equal(rp.status, 416);
	assert_true(has("Content-Range", "bytes */4000"));
	assert_true(has("ETag", NULL));
	assert_true(has("Cache-Control", "no-cache"));
	assert_non_null(strstr(rp.body, "RANGE_NOT_SATISFIABLE"));
	reply_free(&rp);
}

static void test_ranges_that_are_passed_over(void **state)
{
	(void)state;
	ask("Range", "bytes=0-1", "Range", "bytes=2-3", NULL);
	represent(&x);
	assert_int_equal(rp.status, 200);
	assert_true(is_plain(0, LONG));
	reply_free(&rp);

	ask("Range", "bytes=0-1", NULL); /* of a HEAD it means nothing */
	rq.method = HTTP_HEAD;
	represent(&x);
	assert_int_equal(rp.status, 200);
	assert_int_equal(rp.size, LONG);
	reply_free(&rp);

	ask("Range", "bytes=0-1", NULL); /* of what may change meanwhile */
	reply_field(&rp, "ETag", "W/\"t\"");
	represent(&x);
	assert_int_equal(rp.status, 200);
	assert_true(has("Accept-Ranges", NULL));
	reply_free(&rp);

	ask("Range", "bytes=0-1", "Accept-Encoding", "gzip, identity;q=0",
	    NULL);
	represent(&x);
	assert_int_equal(rp.status, 200);
	assert_true(is_coded("gzip"));
	reply_free(&rp);
}

static void test_if_range_asks_whether_it_is_still_the_same(void **state)
{
	static const struct {
		const char *value;
		int status;
	} rows[] = {
		{"\"t\"", 206}, {"\"u\"", 200}, {"W/\"t\"", 200},
		{"\"t-gzip\"", 200}, {THEN, 206}, {BEFORE, 200},
		{LATER, 200}, {"never", 200}, {"", 200},
	};

	(void)state;
	for (size_t i = 0; i < T_COUNT(rows); i++)
		assert_int_equal(status_of("If-Range", rows[i].value, "Range",
					   "bytes=5-"), rows[i].status);
}

static void of_file(const char *path)
{
	free(rp.body);
	rp.body = NULL;
	rp.fd = open(path, O_RDONLY | O_CLOEXEC);
	assert_true(rp.fd >= 0);
}

static void test_files_are_cut_where_they_lie_and_coded_in_memory(void **state)
{
	char *path = s_text("%s/f", (char *)*state);
	FILE *f = fopen(path, "w");

	ask(NULL);
	fwrite(rp.body, 1, LONG, f);
	fclose(f);
	reply_free(&rp);

	ask("Range", "bytes=100-149", NULL);
	of_file(path);
	represent(&x);
	assert_int_equal(rp.status, 206);
	assert_int_equal(rp.offset, 100);
	assert_int_equal(rp.size, 50);
	assert_true(rp.fd >= 0);
	reply_free(&rp);

	ask("Accept-Encoding", "gzip", NULL);
	of_file(path);
	represent(&x);
	assert_true(is_coded("gzip"));
	reply_free(&rp);

	ask("If-None-Match", "*", NULL);
	of_file(path);
	represent(&x);
	assert_int_equal(rp.status, 304);
	assert_int_equal(rp.fd, -1);
	reply_free(&rp);

	/* shorter than was said: it is sent for the connection to fail */
	ask("Accept-Encoding", "gzip", NULL);
	of_file(path);
	rp.size = LONG + 1;
	represent(&x);
	assert_true(has("Content-Encoding", NULL));
	assert_true(rp.fd >= 0);
	reply_free(&rp);

	/* no worker is kept by a file without end */
	ask("Accept-Encoding", "gzip", NULL);
	of_file(path);
	rp.size = UINT64_MAX / 2;
	represent(&x);
	assert_true(has("Content-Encoding", NULL));
	reply_free(&rp);
	free(path);
}

static void test_json_gets_a_tag_of_its_bytes(void **state)
{
	char first[TAG_SIZE];

	(void)state;
	ask("Range", "bytes=0-0", NULL);
	free(rp.fields[1].value);
	rp.field_count = 1;
	represent(&x);
	assert_int_equal(rp.status, 206);
	snprintf(first, sizeof(first), "%s", reply_value(&rp, "ETag"));
	assert_int_equal(strlen(first), 34);
	assert_true(has("Cache-Control", "no-cache"));
	reply_free(&rp);

	ask("If-None-Match", first, "Authorization", "Bearer x", NULL);
	free(rp.fields[1].value);
	rp.field_count = 1;
	represent(&x);
	assert_int_equal(rp.status, 304);
	assert_true(has("Cache-Control", "private, no-cache"));
	reply_free(&rp);

	ask("If-None-Match", first, NULL);
	free(rp.fields[1].value);
	rp.field_count = 1;
	rp.body[7] ^= 1;
	represent(&x);
	assert_int_equal(rp.status, 200);
	reply_free(&rp);

	ask(NULL); /* of a failure it would say nothing */
	free(rp.fields[1].value);
	rp.field_count = 1;
	rp.status = 404;
	represent(&x);
	assert_true(has("ETag", NULL));
	assert_true(has("Cache-Control", "no-cache"));
	reply_free(&rp);
}

static void test_what_a_token_was_needed_for_is_kept_by_one_alone(void **state)
{
	(void)state;
	ask("Authorization", "Bearer x", NULL);
	reply_immutable(&x);
	represent(&x);
	assert_true(has("Cache-Control",
			"private, max-age=31536000, immutable"));
	reply_free(&rp);
	ask(NULL);
	reply_immutable(&x);
	represent(&x);
	assert_true(has("Cache-Control",
			"public, max-age=31536000, immutable"));
	reply_free(&rp);
}

static void test_repr_digest_is_of_what_is_sent(void **state)
{
	static const char *const accepts[] = {"", "gzip", "zstd"};

	(void)state;
	for (size_t i = 0; i < T_COUNT(accepts); i++) {
		unsigned char digest[DIGEST_SIZE];
		char base64[4 * (DIGEST_SIZE + 2) / 3 + 1], *want;

		ask("Accept-Encoding", accepts[i], NULL);
		digest_sha256(rp.body, rp.size, digest);
		base64_encode(digest, DIGEST_SIZE, base64);
		reply_field(&rp, "Repr-Digest", "sha-256=:%s:", base64);
		represent(&x);
		digest_sha256(rp.body, rp.size, digest);
		base64_encode(digest, DIGEST_SIZE, base64);
		want = s_text("sha-256=:%s:", base64);
		assert_true(has("Repr-Digest", want));
		free(want);
		reply_free(&rp);
	}
	/* and of all of it where a part is sent */
	ask("Range", "bytes=0-0", NULL);
	reply_field(&rp, "Repr-Digest", "sha-256=:x:");
	represent(&x);
	assert_true(has("Repr-Digest", "sha-256=:x:"));
	reply_free(&rp);
}

/* ---- Bodies of requests ---- */

static struct content content;

static int take(const char *coding, const char *bytes, size_t size, size_t max)
{
	memset(&rp, 0, sizeof(rp));
	rp.fd = -1;
	fields[0] = (struct field){"Content-Encoding", coding};
	rq = (struct request){.method = HTTP_POST, .body = bytes, .size = size,
			      .fields = fields, .field_count = !!coding};
	x = (struct exchange){.request = &rq, .reply = &rp};
	return content_decode(&x, max, &content);
}

static void let_go(void)
{
	content_release(&content);
	reply_free(&rp);
}

static void test_bodies_are_decoded_within_their_bound(void **state)
{
	static char text[100000];
	char *coded[2];
	size_t size[2];

	(void)state;
	memset(text, 'x', sizeof(text));
	assert_int_equal(gzip_encode(text, sizeof(text), &coded[0], &size[0]),
			 0);
	assert_int_equal(zstd_encode(text, sizeof(text), &coded[1], &size[1]),
			 0);
	for (int i = 0; i < 2; i++) {
		const char *name = i ? "ZSTD" : "GZIP";
		char *twice = malloc(2 * size[i]);

		assert_int_equal(take(name, coded[i], size[i], sizeof(text)),
				 1);
		assert_ptr_equal(x.request, &content.plain);
		assert_null(request_field(x.request, "Content-Encoding"));
		assert_int_equal(content.plain.size, sizeof(text));
		assert_memory_equal(content.plain.body, text, sizeof(text));
		assert_int_equal(content.plain.body[sizeof(text)], 0);
		let_go();

		assert_int_equal(take(name, coded[i], size[i],
				      sizeof(text) - 1), 0);
		assert_int_equal(rp.status, 413);
		let_go();

		memcpy(twice, coded[i], size[i]);
		memcpy(twice + size[i], coded[i], size[i]);
		assert_int_equal(take(name, twice, 2 * size[i],
				      2 * sizeof(text)), 1);
		assert_int_equal(content.plain.size, 2 * sizeof(text));
		let_go();
		assert_int_equal(take(name, twice, 2 * size[i],
				      2 * sizeof(text) - 1), 0);
		assert_int_equal(rp.status, 413);
		let_go();
		assert_int_equal(take(name, twice, size[i] + 1, sizeof(text)),
				 0);
		assert_int_equal(rp.status, 400);
		let_go();
		free(twice);
		free(coded[i]);
	}
}

static void test_bombs_take_no_more_than_their_bound(void **state)
{
	size_t size = (size_t)64 << 20, n, m;
	char *zeros = calloc(1, size), *once, *twice;

	(void)state;
	assert_int_equal(zstd_encode(zeros, size, &once, &n), 0);
	assert_in_range(n, 1, 10000);
	assert_int_equal(take("zstd", once, n, 1 << 20), 0);
	assert_int_equal(rp.status, 413);
	let_go();
	free(once);
	assert_int_equal(gzip_encode(zeros, size, &once, &n), 0);
	assert_int_equal(gzip_encode(once, n, &twice, &m), 0);
	assert_int_equal(take("gzip", once, n, 1 << 20), 0);
	assert_int_equal(rp.status, 413);
	let_go();
	assert_int_equal(take("gzip", twice, m, 1 << 20), 1);
	let_go();
	free(once);
	free(twice);
	free(zeros);
	/* a frame that says it needs a window of 3.75 TB */
	assert_int_equal(take("zstd", "\x28\xb5\x2f\xfd\x00\xff\x01\x00\x00",
			      9, 1 << 20), 0);
	assert_int_equal(rp.status, 400);
	let_go();
}

static void test_other_codings_are_415(void **state)
{
	static const char *const bad[] = {"br", "deflate", "gzip, zstd", "",
					  "gzip,", "compress", "*"};

	(void)state;
	for (size_t i = 0; i < T_COUNT(bad); i++) {
		assert_int_equal(take(bad[i], "{}", 2, 100), 0);
		assert_int_equal(rp.status, 415);
		assert_true(has("Accept-Encoding", "zstd, gzip"));
		let_go();
	}
	fields[1] = (struct field){"Content-Encoding", "gzip"};
	assert_int_equal(take("identity", "{}", 2, 100), 1);
	assert_ptr_equal(x.request, &rq);
	let_go();
	rq.field_count = 2; /* on two lines */
	assert_int_equal(content_decode(&x, 100, &content), 0);
	assert_int_equal(rp.status, 415);
	let_go();
	assert_int_equal(take(NULL, "{}", 2, 100), 1);
	let_go();
	assert_int_equal(take("br", "", 0, 100), 1); /* there is no body */
	let_go();
}

static void damaged(const char *name, const char *bytes, size_t size)
{
	char *exact = (char *)t_exact(bytes, size);

	if (take(name, exact, size, 5000))
		assert_in_range(content.plain.size, 0, 5000);
	else
		assert_true(rp.status == 400 || rp.status == 413);
	let_go();
	free(exact);
}

static void test_damaged_bodies_are_refused_or_within_their_bound(void **state)
{
	char text[4000];

	(void)state;
	for (size_t i = 0; i < sizeof(text); i++)
		text[i] = (char)('a' + i * i % 23);
	for (int i = 0; i < 2; i++) {
		const char *name = i ? "zstd" : "gzip";
		char *coded;
		size_t n;

		assert_int_equal((i ? zstd_encode : gzip_encode)(
					 text, sizeof(text), &coded, &n), 0);
		for (size_t cut = 1; cut < n; cut++) {
			char *exact = (char *)t_exact(coded, cut);

			assert_int_equal(take(name, exact, cut, 5000), 0);
			assert_int_equal(rp.status, 400);
			let_go();
			free(exact);
		}
		for (size_t bit = 0; bit < 8 * n; bit++) {
			coded[bit / 8] ^= (char)(1 << bit % 8);
			damaged(name, coded, n);
			coded[bit / 8] ^= (char)(1 << bit % 8);
		}
		free(coded);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
			test_codings_are_ordered_by_what_the_client_likes),
		cmocka_unit_test(test_lines_of_a_field_are_one_list),
		cmocka_unit_test(test_a_range_is_one_of_bytes),
		cmocka_unit_test(
			test_lists_of_tags_are_compared_as_they_are_written),
		cmocka_unit_test(test_dates_are_read_in_their_three_forms),
		cmocka_unit_test(
			test_what_is_long_is_coded_as_the_client_likes),
		cmocka_unit_test(
			test_what_is_short_or_no_text_is_sent_as_it_is),
		cmocka_unit_test(
			test_errors_and_answers_to_posts_are_coded_too),
		cmocka_unit_test(test_where_no_coding_is_taken_it_is_406),
		cmocka_unit_test(test_what_the_client_has_is_not_sent_again),
		cmocka_unit_test(test_a_door_may_say_so_before_it_makes_a_body),
		cmocka_unit_test(test_dates_decide_where_no_tag_does),
		cmocka_unit_test(
			test_what_is_asked_to_be_so_is_412_where_it_is_not),
		cmocka_unit_test(test_a_range_is_sent_of_the_bytes_as_they_are),
		cmocka_unit_test(
			test_a_range_that_begins_behind_the_end_is_416),
		cmocka_unit_test(test_ranges_that_are_passed_over),
		cmocka_unit_test(
			test_if_range_asks_whether_it_is_still_the_same),
		T_IN_DIR(test_files_are_cut_where_they_lie_and_coded_in_memory),
		cmocka_unit_test(test_json_gets_a_tag_of_its_bytes),
		cmocka_unit_test(
			test_what_a_token_was_needed_for_is_kept_by_one_alone),
		cmocka_unit_test(test_repr_digest_is_of_what_is_sent),
		cmocka_unit_test(test_bodies_are_decoded_within_their_bound),
		cmocka_unit_test(test_bombs_take_no_more_than_their_bound),
		cmocka_unit_test(test_other_codings_are_415),
		cmocka_unit_test(
			test_damaged_bodies_are_refused_or_within_their_bound),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
