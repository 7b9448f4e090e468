/* lines.h - the results of a run, read back from lines of JSON; bench.h says
 * what stands in them.
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
	void *owner; /* of the strings */
};

/* 0, or -1 after it said on stderr which line is not a result. Of two lines
 * about the same the later one counts, in the place of the first. */
int lines_read(struct lines *out, const char *path);
void lines_release(struct lines *lines);

/* A line is asked for by work, docs and peer; versions 0 and clients 0 are
 * any, and then the last one is given. NULL: it was not measured. */
const struct line *lines_find(const struct lines *lines,
			      const struct line *like);

/* A value in its unit, as people write it: "1.25 ms", "1.4 MB", "820/s". */
const char *line_value(const char *unit, double value, char out[32]);

#endif
