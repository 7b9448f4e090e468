#include "metrics.h"

#include <inttypes.h>
#include <stdatomic.h>
#include <stdlib.h>

enum { METHODS = HTTP_OTHER + 1, CLASSES = 5 };

/* Microseconds; the words are what Prometheus calls them. */
static const struct {
	uint64_t us;
	const char *le;
} bounds[] = {
	{1000, "0.001"}, {2500, "0.0025"}, {5000, "0.005"}, {10000, "0.01"},
	{25000, "0.025"}, {50000, "0.05"}, {100000, "0.1"}, {250000, "0.25"},
	{500000, "0.5"}, {1000000, "1"}, {2500000, "2.5"}, {5000000, "5"},
	{10000000, "10"},
};
enum { BOUNDS = sizeof(bounds) / sizeof(*bounds) };

typedef atomic_uint_fast64_t counter;

struct of_route {
	counter requests[METHODS][CLASSES];
	counter took[BOUNDS + 1]; /* each alone; summed up when told */
	counter ns, received, sent;
};

struct metrics {
	size_t routes;
	atomic_int_fast64_t in_flight;
	counter counts[METRIC_COUNT];
	struct of_route of[]; /* the last: no route */
};

static void add(counter *c, uint64_t n)
{
	atomic_fetch_add_explicit(c, n, memory_order_relaxed);
}

static uint64_t get(counter *c)
{
	return atomic_load_explicit(c, memory_order_relaxed);
}

struct metrics *metrics_new(size_t routes)
{
	struct metrics *m = calloc(1, sizeof(*m) +
				   (routes + 1) * sizeof(*m->of));

	if (m)
		m->routes = routes;
	return m;
}

void metrics_free(struct metrics *m)
{
	free(m);
}

void metrics_count(struct metrics *m, enum metric what)
{
	add(&m->counts[what], 1);
}

void metrics_begin(struct metrics *m)
{
	atomic_fetch_add_explicit(&m->in_flight, 1, memory_order_relaxed);
}

void metrics_end(struct metrics *m, const struct metrics_request *rq)
{
	struct of_route *of = &m->of[rq->route < m->routes ? rq->route
							   : m->routes];
	size_t i = 0;

	if (rq->status >= 100 && rq->status < 600)
		add(&of->requests[rq->method][rq->status / 100 - 1], 1);
	while (i < BOUNDS && rq->ns > bounds[i].us * 1000)
		i++;
	add(&of->took[i], 1);
	add(&of->ns, rq->ns);
	add(&of->received, rq->received);
	add(&of->sent, rq->sent);
	atomic_fetch_sub_explicit(&m->in_flight, 1, memory_order_relaxed);
}

/* ---- Telling ---- */

static void head(struct text *t, const char *name, const char *type,
		 const char *help)
{
	text_printf(t, "# HELP %s %s\n# TYPE %s %s\n", name, help, name, type);
}

void metrics_put_one(struct text *t, const char *name, const char *type,
		     const char *help, double value)
{
	head(t, name, type, help);
	text_printf(t, "%s %.17g\n", name, value);
}

static uint64_t requests_of(struct of_route *of)
{
	uint64_t n = 0;
	size_t i;

	for (i = 0; i <= BOUNDS; i++)
		n += get(&of->took[i]);
	return n;
}

static const char *route_name(const struct metrics *m, size_t i,
			      const char *(*pattern)(size_t))
{
	return i < m->routes ? pattern(i) : "";
}

static void put_requests(struct text *t, const char *route,
			 struct of_route *of)
{
	static const char *const methods[METHODS] = {
		[HTTP_GET] = "GET", [HTTP_HEAD] = "HEAD",
		[HTTP_POST] = "POST", [HTTP_PUT] = "PUT",
		[HTTP_DELETE] = "DELETE", [HTTP_OTHER] = "other",
	};
	size_t i, k;

	for (i = 0; i < METHODS; i++)
		for (k = 0; k < CLASSES; k++)
			if (get(&of->requests[i][k]))
				text_printf(t, "pakhus_http_requests_total{"
					    "route=\"%s\",method=\"%s\","
					    "code=\"%zuxx\"} %" PRIu64 "\n",
					    route, methods[i], k + 1,
					    get(&of->requests[i][k]));
}

static void put_took(struct text *t, const char *route, struct of_route *of)
{
	static const char name[] = "pakhus_http_request_duration_seconds";
	uint64_t n = 0;
	size_t i;

	for (i = 0; i < BOUNDS; i++) {
		n += get(&of->took[i]);
		text_printf(t, "%s_bucket{route=\"%s\",le=\"%s\"} %" PRIu64
			    "\n", name, route, bounds[i].le, n);
	}
	n += get(&of->took[BOUNDS]);
	text_printf(t, "%s_bucket{route=\"%s\",le=\"+Inf\"} %" PRIu64 "\n"
		    "%s_sum{route=\"%s\"} %.9f\n"
		    "%s_count{route=\"%s\"} %" PRIu64 "\n", name, route, n,
		    name, route, (double)get(&of->ns) / 1e9, name, route, n);
}

static void put_received(struct text *t, const char *route,
			 struct of_route *of)
{
	text_printf(t, "pakhus_http_request_bytes_total{route=\"%s\"} %" PRIu64
		    "\n", route, get(&of->received));
}

static void put_sent(struct text *t, const char *route, struct of_route *of)
{
	text_printf(t, "pakhus_http_response_bytes_total{route=\"%s\"} %" PRIu64
		    "\n", route, get(&of->sent));
}

void metrics_put(struct metrics *m, struct text *t,
		 const char *(*pattern)(size_t))
{
	static const struct {
		const char *name, *type, *help;
		void (*put)(struct text *t, const char *route,
			    struct of_route *of);
	} families[] = {
		{"pakhus_http_requests_total", "counter",
		 "Requests answered, by route, method and class of status; "
		 "route is empty where none matched.", put_requests},
		{"pakhus_http_request_duration_seconds", "histogram",
		 "From a whole request to its reply, without sending it.",
		 put_took},
		{"pakhus_http_request_bytes_total", "counter",
		 "Bytes of request bodies.", put_received},
		{"pakhus_http_response_bytes_total", "counter",
		 "Bytes of reply bodies, before they are sent.", put_sent},
	};
	static const struct {
		const char *name, *help;
	} counts[METRIC_COUNT] = {
		[METRIC_AUTH_FAILED] = {"pakhus_auth_failures_total",
			"Requests with a secret that was none, or expired."},
		[METRIC_LIMITED] = {"pakhus_rate_limited_total",
			"Requests answered 429."},
		[METRIC_PUBLISHED] = {"pakhus_publishes_total",
			"Requests that published."},
		[METRIC_DELETED] = {"pakhus_deletes_total",
			"Requests that deleted."},
	};
	size_t i, k;

	for (i = 0; i < sizeof(families) / sizeof(*families); i++) {
		head(t, families[i].name, families[i].type, families[i].help);
		for (k = 0; k <= m->routes; k++)
			if (requests_of(&m->of[k]))
				families[i].put(t, route_name(m, k, pattern),
						&m->of[k]);
	}
	metrics_put_one(t, "pakhus_http_requests_in_flight", "gauge",
			"Requests being answered, this one included.",
			(double)atomic_load(&m->in_flight));
	for (i = 0; i < METRIC_COUNT; i++)
		metrics_put_one(t, counts[i].name, "counter", counts[i].help,
				(double)get(&m->counts[i]));
}
