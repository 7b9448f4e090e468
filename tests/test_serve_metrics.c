/* test_serve_metrics.c - what a server counts, read by a strict reader of the
 * exposition format, and its probes. */
#include "t.h"
#include "stores.h"

#include <ctype.h>
#include <math.h>
#include <pthread.h>

#include "../tools/server/metrics.h"
#include "../tools/server/state.h"

/* ---- A strict reader ---- */

static size_t name_size(const char *at)
{
	size_t n = 0;

	while (isalpha((unsigned char)at[n]) || at[n] == '_' || at[n] == ':' ||
	       (n && isdigit((unsigned char)at[n])))
		n++;
	return n;
}

static const char *behind(const char *at, const char *what)
{
	size_t n = strlen(what);

	if (strncmp(at, what, n) != 0)
		fail_msg("no \"%s\" at \"%.60s\"", what, at);
	return at + n;
}

/* Behind {name="value",…}; nothing is escaped in ours. */
static const char *labels(const char *at)
{
	if (*at != '{')
		return at;
	do {
		size_t n = name_size(++at);

		assert_true(n > 0);
		at = behind(at + n, "=\"");
		while (*at != '"') {
			assert_true(*at >= ' ' && *at != '\\');
			at++;
		}
		at++;
	} while (*at == ',');
	return behind(at, "}");
}

static int is_of(const char *sample, size_t size, const char *family,
		 int is_histogram)
{
	static const char *const ends[] = {"_bucket", "_sum", "_count"};
	size_t n = strlen(family), i;

	if (size < n || strncmp(sample, family, n) != 0)
		return 0;
	if (!is_histogram)
		return size == n;
	for (i = 0; i < 3; i++)
		if (size == n + strlen(ends[i]) &&
		    !strncmp(sample + n, ends[i], size - n))
			return 1;
	return 0;
}

/* Families are HELP, TYPE and samples, in this order and each once; a sample
 * is there once; counters end with _total; histograms grow and end with +Inf,
 * which is their count. How many samples there are. */
static size_t check(const char *text)
{
	static char seen[65536];
	char family[100] = "", type[20] = "", series[300];
	double last = 0, inf = -1;
	size_t samples = 0;
	const char *at = text, *from;

	*seen = '\0';
	assert_int_equal(text[strlen(text) - 1], '\n');
	while (*at) {
		const char *line = at;
		double value;
		size_t n;
		char *end;

		if (*at == '#') {
			at = behind(at, "# HELP ");
			n = name_size(at);
			assert_in_range(n, 1, sizeof(family) - 1);
			snprintf(family, sizeof(family), "%.*s", (int)n, at);
			snprintf(series, sizeof(series), "\n# %s\n", family);
			assert_null(strstr(seen, series));
			strcat(seen, series);
			at = strchr(behind(at + n, " "), '\n');
			assert_non_null(at);
			at = behind(behind(behind(at, "\n# TYPE "), family), " ");
			n = strcspn(at, "\n");
			snprintf(type, sizeof(type), "%.*s", (int)n, at);
			assert_true(!strcmp(type, "counter") ||
				    !strcmp(type, "gauge") ||
				    !strcmp(type, "histogram"));
			assert_int_equal(!strcmp(type, "counter"),
					 strlen(family) > 6 &&
					 !strcmp(family + strlen(family) - 6,
						 "_total"));
			at = behind(at + n, "\n");
			continue;
		}
		n = name_size(at);
		if (!is_of(at, n, family, !strcmp(type, "histogram")))
			fail_msg("%.60s is not of %s", at, family);
		at = labels(at + n);
		snprintf(series, sizeof(series), "\n%.*s\n", (int)(at - line),
			 line);
		assert_null(strstr(seen, series));
		assert_true(strlen(seen) + strlen(series) < sizeof(seen));
		strcat(seen, series);
		from = behind(at, " ");
		assert_true(!isspace((unsigned char)*from));
		value = strtod(from, &end);
		assert_true(end > from && isfinite(value) && value >= 0);
		at = behind(end, "\n");
		if (strstr(series, "_bucket{")) {
			if (strstr(series, "le=\"0.001\""))
				last = 0;
			assert_true(value >= last);
			last = value;
			if (strstr(series, "le=\"+Inf\""))
				inf = value;
		} else if (strstr(series, "_count{")) {
			assert_true(value == inf);
		}
		samples++;
	}
	return samples;
}

/* The value of a series. */
static double value_of(const char *text, const char *series)
{
	char *line = s_text("\n%s ", series);
	const char *at = strstr(text, line);
	double value;

	if (!at)
		fail_msg("no %s in\n%s", series, text);
	value = strtod(at + strlen(line), NULL);
	free(line);
	return value;
}

/* ---- Counting ---- */

static const char *pattern(size_t route)
{
	return route ? "/b/{id}" : "/a";
}

static void test_requests_are_counted_by_route_method_and_class(void **state)
{
	struct metrics *m = metrics_new(2);
	struct metrics_request rq = {.method = HTTP_GET, .status = 200,
				     .ns = 1000000, .received = 5, .sent = 7};
	struct text t = {0};

	(void)state;
	assert_non_null(m);
	metrics_begin(m);
	metrics_end(m, &rq);
	metrics_begin(m);
	rq.ns = 1000001;
	metrics_end(m, &rq);
	metrics_begin(m);
	rq = (struct metrics_request){.route = 1, .method = HTTP_DELETE,
				      .status = 404, .ns = 60000000000};
	metrics_end(m, &rq);
	metrics_begin(m);
	rq = (struct metrics_request){.route = 2, .method = HTTP_OTHER,
				      .status = 405};
	metrics_end(m, &rq);
	metrics_begin(m);
	metrics_count(m, METRIC_LIMITED);
	metrics_put(m, &t, pattern);
	assert_false(t.is_failed);
	check(t.data);
	assert_true(value_of(t.data, "pakhus_http_requests_total{route=\"/a\","
			     "method=\"GET\",code=\"2xx\"}") == 2);
	assert_true(value_of(t.data, "pakhus_http_requests_total{route=\""
			     "/b/{id}\",method=\"DELETE\",code=\"4xx\"}") == 1);
	assert_true(value_of(t.data, "pakhus_http_requests_total{route=\"\","
			     "method=\"other\",code=\"4xx\"}") == 1);
	assert_true(value_of(t.data, "pakhus_http_request_duration_seconds_"
			     "bucket{route=\"/a\",le=\"0.001\"}") == 1);
	assert_true(value_of(t.data, "pakhus_http_request_duration_seconds_"
			     "bucket{route=\"/a\",le=\"0.0025\"}") == 2);
	assert_true(value_of(t.data, "pakhus_http_request_duration_seconds_"
			     "bucket{route=\"/b/{id}\",le=\"10\"}") == 0);
	assert_true(value_of(t.data, "pakhus_http_request_duration_seconds_"
			     "sum{route=\"/b/{id}\"}") == 60);
	assert_true(value_of(t.data, "pakhus_http_request_bytes_total{route="
			     "\"/a\"}") == 10);
	assert_true(value_of(t.data, "pakhus_http_response_bytes_total{route="
			     "\"/a\"}") == 14);
	assert_true(value_of(t.data, "pakhus_http_requests_in_flight") == 1);
	assert_true(value_of(t.data, "pakhus_rate_limited_total") == 1);
	assert_true(value_of(t.data, "pakhus_auth_failures_total") == 0);
	text_free(&t);
	metrics_free(m);
}

enum { THREADS = 4, EACH = 5000 };

static void *count_many(void *arg)
{
	const struct metrics_request rq = {.method = HTTP_GET, .status = 200,
					   .ns = 1000};
	int i;

	for (i = 0; i < EACH; i++) {
		metrics_begin(arg);
		metrics_count(arg, METRIC_PUBLISHED);
		metrics_end(arg, &rq);
	}
	return NULL;
}

static void test_threads_lose_no_count(void **state)
{
	struct metrics *m = metrics_new(1);
	pthread_t threads[THREADS];
	struct text t = {0};
	size_t i;

	(void)state;
	assert_non_null(m);
	for (i = 0; i < THREADS; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, count_many,
						m), 0);
	for (i = 0; i < 20; i++) {
		metrics_put(m, &t, pattern);
		check(t.data);
		text_free(&t);
	}
	for (i = 0; i < THREADS; i++)
		assert_int_equal(pthread_join(threads[i], NULL), 0);
	metrics_put(m, &t, pattern);
	assert_true(value_of(t.data, "pakhus_publishes_total") ==
		    THREADS * EACH);
	assert_true(value_of(t.data, "pakhus_http_request_duration_seconds_"
			     "count{route=\"/a\"}") == THREADS * EACH);
	assert_true(value_of(t.data, "pakhus_http_requests_in_flight") == 0);
	text_free(&t);
	metrics_free(m);
}

/* ---- What the doors say ---- */

static struct reply ask(struct server *server, const char *target)
{
	struct request rq = {.target = target, .body = "", .peer = "::1"};
	struct reply rp;

	server_handle(server, &rq, &rp);
	return rp;
}

static void test_metrics_tell_of_requests_store_and_process(void **state)
{
	static const char doc[] = "{\"manifest\":{\"id\":\"a\",\"version\":"
		"\"1\"},\"metadata\":{}}";
	const struct server_options opt = {.store = *state};
	struct server *server;
	struct pakhus *store;
	struct reply rp;

	assert_done(pakhus_init(*state, NULL, &err));
	store = s_open(*state, 0);
	assert_done(pakhus_publish(store, doc, sizeof(doc) - 1, NULL, NULL,
				   &err));
	pakhus_close(store);
	assert_done(server_open(&server, &opt, &err));
	rp = ask(server, "/livez");
	reply_free(&rp);
	rp = ask(server, "/none");
	reply_free(&rp);
	rp = ask(server, "/metrics");
	assert_int_equal(rp.status, 200);
	assert_string_equal(reply_value(&rp, "Content-Type"),
			    "text/plain; version=0.0.4; charset=utf-8");
	assert_string_equal(reply_value(&rp, "Cache-Control"), "no-store");
	assert_true(check(rp.body) > 40);
	assert_true(value_of(rp.body, "pakhus_http_requests_total{route=\""
			     "/livez\",method=\"GET\",code=\"2xx\"}") == 1);
	assert_true(value_of(rp.body, "pakhus_http_requests_total{route=\"\","
			     "method=\"GET\",code=\"4xx\"}") == 1);
	assert_true(value_of(rp.body, "pakhus_http_requests_in_flight") == 1);
	assert_true(value_of(rp.body, "pakhus_store_packages") == 1);
	assert_true(value_of(rp.body, "pakhus_store_versions") == 1);
	assert_true(value_of(rp.body, "pakhus_store_readable") == 1);
	assert_true(value_of(rp.body, "pakhus_store_last_sync_failed") == 0);
	assert_true(value_of(rp.body, "process_resident_memory_bytes") > 0);
	assert_true(value_of(rp.body, "process_open_fds") > 2);
	assert_null(strstr(rp.body, "seconds_since_sync"));
	reply_free(&rp);

	server_wrote(server);
	rp = ask(server, "/metrics");
	assert_true(value_of(rp.body, "pakhus_store_unsynced") == 1);
	reply_free(&rp);
	assert_done(server_sync(server, &err));
	rp = ask(server, "/metrics");
	check(rp.body);
	assert_true(value_of(rp.body, "pakhus_store_unsynced") == 0);
	assert_true(value_of(rp.body, "pakhus_store_seconds_since_sync") < 60);
	reply_free(&rp);
	server_close(server);
}

static void test_metrics_are_not_for_everybody(void **state)
{
	struct server_options opt = {.store = *state,
				     .anonymous = ANONYMOUS_LISTED};
	struct server *server;
	struct reply rp;

	assert_done(pakhus_init(*state, NULL, &err));
	assert_done(server_open(&server, &opt, &err));
	rp = ask(server, "/metrics");
	assert_int_equal(rp.status, 401);
	reply_free(&rp);
	server_close(server);
	opt.is_metrics_public = 1;
	assert_done(server_open(&server, &opt, &err));
	rp = ask(server, "/metrics");
	assert_int_equal(rp.status, 200);
	reply_free(&rp);
	server_close(server);
}

static void test_ready_says_why_not(void **state)
{
	const struct server_options opt = {.store = *state,
					   .anonymous = ANONYMOUS_NONE};
	struct server *server;
	struct reply rp;

	assert_done(pakhus_init(*state, NULL, &err));
	assert_done(server_open(&server, &opt, &err));
	rp = ask(server, "/readyz");
	assert_int_equal(rp.status, 200);
	assert_string_equal(rp.body, "{\"status\":\"ready\"}");
	reply_free(&rp);
	atomic_store(&server->has_sync_failed, 1);
	server_drain(server);
	rp = ask(server, "/readyz");
	assert_int_equal(rp.status, 503);
	assert_string_equal(rp.body, "{\"status\":\"not ready\",\"reasons\":["
			    "\"the server is ending\",\"the last sync of the "
			    "store failed\"]}");
	reply_free(&rp);
	rp = ask(server, "/livez");
	assert_int_equal(rp.status, 200);
	reply_free(&rp);
	server_close(server);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
			test_requests_are_counted_by_route_method_and_class),
		cmocka_unit_test(test_threads_lose_no_count),
		T_IN_DIR(test_metrics_tell_of_requests_store_and_process),
		T_IN_DIR(test_metrics_are_not_for_everybody),
		T_IN_DIR(test_ready_says_why_not),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
