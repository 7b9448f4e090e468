/* metrics.h - what a server counts, as text for Prometheus (the exposition
 * format, version 0.0.4).
 *
 * Counting takes no lock. What is read while it is counted is right by itself,
 * and at most the requests of that moment apart from what stands beside it.
 */
#ifndef METRICS_H
#define METRICS_H

#include "http.h"
#include "text.h"

enum metric {
	METRIC_AUTH_FAILED, /* secrets that were none */
	METRIC_LIMITED,	    /* answered 429 */
	METRIC_PUBLISHED,
	METRIC_DELETED,
	METRIC_COUNT
};

struct metrics;

/* Routes are known by their number, from 0; any other is none of them. NULL:
 * out of memory. */
struct metrics *metrics_new(size_t routes);
void metrics_free(struct metrics *metrics);

void metrics_count(struct metrics *metrics, enum metric what);

/* A request, from when it is known until its reply is. */
struct metrics_request {
	size_t route;
	enum http_method method;
	int status;
	uint64_t ns, received, sent; /* bytes of bodies */
};
void metrics_begin(struct metrics *metrics);
void metrics_end(struct metrics *metrics, const struct metrics_request *rq);

/* All of it; pattern(i) is what route i is called. */
void metrics_put(struct metrics *metrics, struct text *t,
		 const char *(*pattern)(size_t route));

/* A family and the one sample that it has. type is "counter" or "gauge". */
void metrics_put_one(struct text *t, const char *name, const char *type,
		     const char *help, double value);
/* The process: processor time, memory, descriptors. */
void metrics_put_process(struct text *t);

#endif
