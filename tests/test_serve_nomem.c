/* test_serve_nomem.c - memory runs out at every allocation of an answer: what
 * is sent is whole, and is what its fields say it is, or it is refused.
 *
 * wrap: malloc calloc realloc strdup vasprintf free
 */
#include "t.h"
#include "stores.h"
#include "memory.h"
#include "serve.h"

#include "../tools/server/coding.h"

static char *whole; /* what is asked for ... */
static size_t size; /* ... in bytes */

static int is_whole(const char *bytes, size_t n)
{
	return n == size && !memcmp(bytes, whole, n);
}

/* Where a door could not say it, another strong tag of the same bytes will
 * do; yet not one of another coding. */
static int is_tag_of(const char *coding)
{
	const char *got = reply_value(&answer, "ETag"), *at;

	if (!got)
		return 1;
	at = strrchr(got, '-');
	return *got == '"' && strncmp(at ? at + 1 : "", coding,
				      strlen(coding)) == 0;
}

static void check_coded(const char *coding, const char *bytes)
{
	char *out = NULL;
	size_t n = 0;

	assert_int_equal((strcmp(coding, "gzip") ? zstd_decode : gzip_decode)(
				 bytes, answer.size, size, &out, &n), 0);
	assert_true(is_whole(out, n));
	assert_true(is_tag_of(coding));
	free(out);
}

static void check_200(const char *bytes)
{
	const char *coding = reply_value(&answer, "Content-Encoding");

	assert_null(reply_value(&answer, "Content-Range"));
	if (coding) {
		check_coded(coding, bytes);
		return;
	}
	assert_true(is_whole(bytes, answer.size));
	assert_false(is_tag_of("gzip") && reply_value(&answer, "ETag"));
	assert_false(is_tag_of("zstd") && reply_value(&answer, "ETag"));
}

static void check_206(const char *bytes)
{
	char *want = s_text("bytes 5-14/%zu", size);

	assert_string_equal(reply_value(&answer, "Content-Range"), want);
	assert_null(reply_value(&answer, "Content-Encoding"));
	assert_int_equal(answer.size, 10);
	assert_memory_equal(bytes, whole + 5, 10);
	free(want);
}

static void check(void)
{
	char *bytes = answer_bytes();

	if (answer.status == 200)
		check_200(bytes);
	else if (answer.status == 206)
		check_206(bytes);
	else if (answer.status == 304)
		assert_int_equal(answer.size, 0);
	else if (answer.status != 500 && answer.status != 503)
		fail_msg("%d %s", answer.status, bytes);
	free(bytes);
}

static const struct field asked[][2] = {
	{{"Accept-Encoding", "gzip"}, {"X", ""}},
	{{"Accept-Encoding", "zstd"}, {"X", ""}},
	{{"Range", "bytes=5-14"}, {"X", ""}},
	{{"If-None-Match", "*"}, {"Accept-Encoding", "gzip"}},
};

static void each_denial(const char *target)
{
	for (size_t i = 0; i < T_COUNT(asked); i++)
		for (int for_good = 0; for_good < 2; for_good++)
			for (long n = 1, more = 1; more; n++) {
				long live = memory.live;

				memory_deny(n, for_good);
				ask_for(HTTP_GET, target, asked[i][0].name,
					asked[i][0].value, asked[i][1].name,
					asked[i][1].value, NULL);
				more = memory_peace() >= n;
				check();
				reply_free(&answer);
				assert_int_equal(memory.live, live);
			}
}

static void test_an_answer_is_whole_or_refused(void **state)
{
	static const char *const targets[] = {
		"/api/v1/registry/packages/p/versions/1/artifact", "/FORMAT",
		"/livez"};
	/* no texts are kept, as what is would count as a leak */
	char *path = s_init(state, "s", 0), *name, *doc;
	struct pakhus *s = s_open(path, 0);

	name = malloc(5001);
	memset(name, 'n', 5000);
	name[5000] = '\0';
	doc = s_text("{\"manifest\":{\"id\":\"p\",\"version\":\"1\",\"name\":"
		     "\"%s\"},\"metadata\":{}}", name);
	assert_done(pakhus_publish(s, doc, strlen(doc), NULL, NULL, &err));
	pakhus_close(s);
	serve_open((struct server_options){.store = path, .is_read_only = 1});
	memory.is_text = 1;
	for (size_t i = 0; i < T_COUNT(targets); i++) {
		/* the second time, what a handle keeps is there */
		ask_for(HTTP_GET, targets[i], NULL);
		reply_free(&answer);
		assert_int_equal(ask_for(HTTP_GET, targets[i], NULL), 200);
		whole = answer_bytes();
		size = answer.size;
		reply_free(&answer);
		each_denial(targets[i]);
		free(whole);
	}
	memory.is_text = 0;
	print_message("# %ld allocations denied\n", memory.denied);
	serve_close();
	free(name);
	free(doc);
	free(path);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		T_IN_DIR(test_an_answer_is_whole_or_refused),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
