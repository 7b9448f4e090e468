/* sample.c - clocks, sets of samples, and results as lines of JSON. */
#include "bench.h"

#include <math.h>
#include <stdarg.h>
#include <stdlib.h>
#include <time.h>

static int64_t clock_ns(clockid_t id)
{
	struct timespec t;

	clock_gettime(id, &t);
	return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

int64_t now_ns(void)
{
	return clock_ns(CLOCK_MONOTONIC);
}

int64_t cpu_ns(void)
{
	return clock_ns(CLOCK_PROCESS_CPUTIME_ID);
}

void *must(void *p)
{
	if (!p) {
		bench_fail("out of memory");
		exit(1);
	}
	return p;
}

int bench_fail(const char *fmt, ...)
{
	va_list ap;

	fputs("bench: ", stderr);
	va_start(ap, fmt);
	vfprintf(stderr, fmt, ap);
	va_end(ap);
	fputc('\n', stderr);
	return -1;
}

void samples_add(struct samples *s, double value)
{
	if (s->count == s->room) {
		s->room = s->room ? s->room * 2 : 64;
		s->values =
			must(realloc(s->values, s->room * sizeof(*s->values)));
	}
	s->values[s->count++] = value;
}

static int by_value(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

double samples_quantile(const struct samples *s, double part)
{
	double *sorted, value;
	size_t at;

	if (!s->count)
		return 0;
	sorted = must(malloc(s->count * sizeof(*sorted)));
	for (size_t i = 0; i < s->count; i++)
		sorted[i] = s->values[i];
	qsort(sorted, s->count, sizeof(*sorted), by_value);
	at = (size_t)ceil(part * (double)s->count);
	value = sorted[at ? at - 1 : 0];
	free(sorted);
	return value;
}

double samples_mean(const struct samples *s)
{
	double sum = 0;

	for (size_t i = 0; i < s->count; i++)
		sum += s->values[i];
	return s->count ? sum / (double)s->count : 0;
}

void samples_release(struct samples *s)
{
	free(s->values);
	*s = (struct samples){0};
}

void result_write(FILE *out, const struct result *r, const struct samples *s)
{
	int rate = r->unit[0] == 'p';

	fprintf(out,
		"{\"work\":\"%s\",\"docs\":\"%s\",\"versions\":%llu,"
		"\"clients\":%u,\"peer\":\"%s\",\"unit\":\"%s\",\"n\":%zu,"
		"\"median\":%.0f,\"p99\":%.0f,\"mean\":%.0f}\n",
		r->work, r->docs, (unsigned long long)r->versions, r->clients,
		r->peer, r->unit, s->count, samples_quantile(s, 0.5),
		samples_quantile(s, rate ? 0.01 : 0.99), samples_mean(s));
	fflush(out);
}
