/* lines.h - the results of a run, read back from lines of JSON; bench.h says
 * what stands in them. A line {"machine":"...","short":true} says where they
 * come from; tests/bench/run writes it.
 */
#ifndef BENCH_LINES_H
#define BENCH_LINES_H

#include <stddef.h>
#include <stdint.h>

struct line {
	const char *work, *docs, *peer, *unit;
	uint64_t versions;
	unsigned clients;
	uint64_t n;
	double median, p99;
};

struct lines {
	struct line *items;
	size_t count;
	const char *machine; /* or NULL */
	int is_short;	     /* few samples: targets mean little */
	void *owner;	     /* of the strings */
};

/* 0, or -1 after it said on stderr which line is not a result, or that there
 * is none. Of two lines about the same the later one counts, in the place of
 * the first. */
int lines_read(struct lines *out, const char *path);
void lines_release(struct lines *lines);

/* A line is asked for by work, docs and peer; versions 0 and clients 0 are
 * any, and then the last one is given. NULL: it was not measured. */
const struct line *lines_find(const struct lines *lines,
			      const struct line *like);

/* How many times better ours is than theirs: above 1 it is the better one,
 * for what is to be small and for rates alike. */
double line_better(const struct line *ours, const struct line *theirs);

/* A value in its unit, as people write it: "1.25 ms", "1.4 MB", "820/s". */
const char *line_value(const char *unit, double value, char out[32]);

#endif
