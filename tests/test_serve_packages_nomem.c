/* test_serve_packages_nomem.c - memory runs out at every allocation of the
 * doors that packages go in and out by: what is answered with success is
 * whole, what is not changed nothing, or all of it, and the next request is
 * answered as if nothing had been.
 *
 * wrap: malloc calloc realloc strdup vasprintf free
 */
#include "t.h"
#include "stores.h"
#include "memory.h"

#include "serve_packages.h"

#define C "/api/v1/cloud/packages"
#define M "/api/v1/marketplace/packages"

static char secret[BEARER_SIZE + 1];

/* The n-th allocation is denied; gives whether there was one. */
static int deny(long n, int for_good, enum http_method method,
		const char *target, const char *json)
{
	char bearer[BEARER_SIZE + 8];
	struct field fields[] = {{"Content-Type", "image/svg+xml"},
				 {"Authorization", bearer}};
	struct request rq = {.method = method, .target = target,
			     .fields = fields, .field_count = 2,
			     .body = json ? json : "",
			     .size = json ? strlen(json) : 0,
			     .peer = "127.0.0.1"};

	reply_free(&reply);
	snprintf(bearer, sizeof(bearer), "Bearer %s", secret);
	memory_deny(n, for_good);
	server_handle(server, &rq, &reply);
	return memory_peace() >= n;
}

static void open_all(const char *path)
{
	struct server_options opt = {.store = path};
	char *tokens = s_text("%s.tokens", path);
	FILE *file = fopen(tokens, "w");

	assert_non_null(file);
	m_token(file, "all", "admin", secret);
	assert_int_equal(fclose(file), 0);
	opt.tokens = tokens;
	assert_done(server_open(&server, &opt, &err));
	free(tokens);
}

static int ask_all(enum http_method method, const char *target,
		   const char *json)
{
	deny(0, 0, method, target, json);
	return reply.status;
}

static void fill(const char *id)
{
	char *json = s_text("{\"manifest_id\":\"%s\",\"display_name\":\"N\","
			    "\"visibility\":\"marketplace\",\"category\":"
			    "\"c\"}", id);

	assert_asked(ask_all(HTTP_POST, C, json), 200);
	free(json);
	json = s_text("{\"version\":\"1.0.0\",\"bundle\":{\"manifest\":{\"id\":"
		      "\"%s\"}},\"release_notes\":\"r\"}", id);
	assert_asked(ask_all(HTTP_POST, C "/a/versions", json), 200);
	free(json);
	assert_asked(ask_all(HTTP_POST, C "/a/icon", "<svg/>"), 200);
}

static void assert_no_memory(const char *target)
{
	if (reply.status == 503 || reply.status == 500)
		return;
	print_error("%s: %d %s\n", target, reply.status, body());
	fail();
}

static void test_what_is_read_is_whole_or_refused(void **state)
{
	static const char *const targets[] = {
		M "?q=n&category=c", M "/a", M "/a/versions/latest/manifest",
		"/packages.json", "/packages/a.json",
		"/packages/a/versions/1.0.0/manifest.json", "/icons/a.svg",
		"/api/v1/packages", "/api/v1/packages/a?version=1.0.0",
		"/api/v1/auth/get-session",
	};
	char *path = s_text("%s/s", (char *)*state), *whole;
	size_t i, size;
	int for_good;
	long n;

	open_all(path);
	fill("a");
	memory.is_text = 1;
	for (i = 0; i < T_COUNT(targets); i++) {
		assert_asked(ask_all(HTTP_GET, targets[i], NULL), 200);
		size = reply.size;
		whole = s_text("%s", body());
		for (for_good = 0; for_good < 2; for_good++) {
			for (n = 1; deny(n, for_good, HTTP_GET, targets[i],
					 NULL); n++) {
				if (reply.status != 200) {
					assert_no_memory(targets[i]);
					continue;
				}
				assert_int_equal(reply.size, size);
				assert_body(whole);
			}
			assert_body(whole);
		}
		free(whole);
	}
	memory.is_text = 0;
	m_close();
	free(path);
}

/* Each time by a server that has no list yet. */
static void test_a_list_is_made_whole_or_not_at_all(void **state)
{
	char *path = s_text("%s/s", (char *)*state), *whole;
	int for_good, more;
	long n;

	open_all(path);
	fill("a");
	assert_asked(ask_all(HTTP_POST, "/api/v1/packages/publish",
			     "{\"manifest\":{\"id\":\"b\",\"version\":\"1\"},"
			     "\"metadata\":{}}"), 200);
	assert_asked(ask_all(HTTP_GET, M, NULL), 200);
	whole = s_text("%s", body());
	m_close();
	for (for_good = 0; for_good < 2; for_good++)
		for (n = 1, more = 1; more; n++) {
			open_all(path);
			more = deny(n, for_good, HTTP_GET, M, NULL);
			if (reply.status == 200)
				assert_body(whole);
			else
				assert_no_memory(M);
			assert_asked(ask_all(HTTP_GET, M, NULL), 200);
			assert_body(whole);
			m_close();
		}
	free(whole);
	free(path);
}

/* What is written is another thing each time, by its number. */
static const struct write {
	enum http_method method;
	const char *target, *json; /* each with %u in it, or without */
	int again; /* the status of the same once more, where it was done */
} writes[] = {
	{HTTP_POST, C, "{\"manifest_id\":\"a\",\"category\":\"c%u\"}", 200},
	{HTTP_POST, C, "{\"manifest_id\":\"n%u\",\"display_name\":\"N\"}", 200},
	{HTTP_POST, C "/a/icon", "<svg id=\"%u\"/>", 200},
	{HTTP_POST, C "/a/versions", "{\"version\":\"2.0.%u\",\"bundle\":"
	 "{\"manifest\":{\"id\":\"a\",\"version\":\"0.0.1\"}},"
	 "\"release_notes\":\"r\",\"submit_for_review\":true}", 409},
	{HTTP_POST, C "/a/versions", "{\"version\":\"3.0.%u\","
	 "\"artifact_kind\":\"plugin\",\"plugin_manifest\":{\"id\":\"a\","
	 "\"version\":\"3.0.%u\"},\"osplugin\":"
	 "\"H4sAAAAAAAAAAAAAAAAAAAAAAAA=\"}", 409},
	{HTTP_POST, C "/a/versions/1.0.0/submit", "", 200},
	{HTTP_POST, "/api/v1/packages/publish", "{\"manifest\":{\"id\":\"a\","
	 "\"version\":\"4.0.%u\"},\"metadata\":{}}", 200},
	{HTTP_DELETE, "/api/v1/packages/a?version=4.0.%u", NULL, 404},
};

static char *with(const char *text, unsigned number)
{
	char *out = s_text("%s", text ? text : ""), *at, *next;

	while ((at = strstr(out, "%u")) != NULL) {
		*at = '\0';
		next = s_text("%s%u%s", out, number, at + 2);
		free(out);
		out = next;
	}
	return out;
}

/* How often it is in the body. */
static unsigned times(const char *part)
{
	const char *at = body();
	unsigned n = 0;

	while ((at = strstr(at, part)) != NULL)
		at++, n++;
	return n;
}

static void test_what_is_written_is_written_or_is_not(void **state)
{
	char *path = s_text("%s/s", (char *)*state), *target, *json;
	unsigned number, most = 0;
	int for_good, more, status;
	size_t i;
	long n;

	open_all(path);
	fill("a");
	for (i = 0; i < T_COUNT(writes); i++) {
		const struct write *w = &writes[i];

		for (number = 0, for_good = 0; for_good < 2; for_good++) {
			for (n = 1, more = 1; more; n++, number++) {
				target = with(w->target, number);
				json = with(w->json, number);
				if (w->method == HTTP_DELETE && number >= most)
					break;
				more = deny(n, for_good, w->method, target,
					    json);
				status = reply.status;
				if (status != 200)
					assert_no_memory(target);
				ask_all(w->method, target, json);
				if (status == 200)
					assert_asked(reply.status, w->again);
				else
					assert_true(reply.status == 200 ||
						    reply.status == w->again);
				free(target);
				free(json);
			}
			if (w->method == HTTP_DELETE && number >= most) {
				free(target);
				free(json);
				break;
			}
		}
		if (strstr(w->target, "/publish"))
			most = number;
		/* what is said of a version came with it; 1.0.0 has it too */
		if (strstr(w->json ? w->json : "", "release_notes")) {
			assert_asked(ask_all(HTTP_GET, M "/a", NULL), 200);
			assert_int_equal(times("\"release_notes\":\"r\""),
					 times("\"version\":\"2.0.") + 1);
		}
	}
	print_message("# %ld allocations denied\n", memory.denied);
	m_close();
	free(path);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		T_IN_DIR(test_what_is_read_is_whole_or_refused),
		T_IN_DIR(test_a_list_is_made_whole_or_not_at_all),
		T_IN_DIR(test_what_is_written_is_written_or_is_not),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
