/* report.c - what a run of the bench found: a table, the targets, a chart.
 *
 *	report [-c CHART.svg] RESULT.jsonl
 *
 * Targets are ratios of medians of one run, as times of one machine mean
 * little on another. They are printed as README.md shows them.
 */
#include "chart.h"
#include "lines.h"

#include <math.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* ---- The table ---- */

static int same_group(const struct line *a, const struct line *b)
{
	return !strcmp(a->work, b->work) && !strcmp(a->docs, b->docs) &&
	       a->versions == b->versions && a->clients == b->clients;
}

/* "µs" is a byte longer than it is wide. */
static void column(const char *text, int width)
{
	printf(" %*s", width + (strstr(text, "µ") ? 1 : 0), text);
}

static void print_row(const struct line *line, const struct line *ours)
{
	char median[32], p99[32], ratio[32] = "";

	if (ours && ours != line && ours->median > 0)
		snprintf(ratio, sizeof(ratio), "%.2f",
			 line->median / ours->median);
	printf("    %-20s", line->peer);
	column(line_value(line->unit, line->median, median), 10);
	column(line_value(line->unit, line->p99, p99), 10);
	column(ratio, 9);
	printf(" %7llu\n", (unsigned long long)line->n);
}

static void print_group(const struct lines *lines, size_t first)
{
	const struct line *head = &lines->items[first], *ours = NULL;

	for (size_t i = first; i < lines->count; i++)
		if (same_group(&lines->items[i], head) &&
		    !strcmp(lines->items[i].peer, "pakhus"))
			ours = &lines->items[i];
	printf("%s: %s, %llu versions, %u client%s\n", head->work, head->docs,
	       (unsigned long long)head->versions, head->clients,
	       head->clients == 1 ? "" : "s");
	for (size_t i = first; i < lines->count; i++)
		if (same_group(&lines->items[i], head))
			print_row(&lines->items[i], ours);
}

static void print_table(const struct lines *lines)
{
	printf("%-24s %10s %10s %9s %7s\n", "", "median", "p99", "x pakhus",
	       "n");
	for (size_t i = 0; i < lines->count; i++) {
		size_t first = 0;

		while (!same_group(&lines->items[first], &lines->items[i]))
			first++;
		if (first == i)
			print_group(lines, i);
	}
}

/* ---- The targets ---- */

#define GENERATED "generated"
#define MILLION 1000000
#define PACKAGES MILLION /* 50,000 of them: of 20 versions each */

/* The first in units of the second; where that has no work, its own value in
 * units of scale. */
struct target {
	const char *what, *of;
	int at_least;
	double limit;
	struct line ours, theirs;
	double scale;
};

/* work, docs, peer, versions, clients */
#define L(w, d, p, v, c)                                                       \
	{                                                                      \
		.work = (w), .docs = (d), .peer = (p), .versions = (v),        \
		.clients = (c)                                                 \
	}

/* clang-format off */
static const struct target targets[] = {
	{"durable publish, one client", "x SQLite WAL FULL", 0, 1.0,
	 L("publish", GENERATED, "pakhus", 0, 1),
	 L("publish", GENERATED, "sqlite-full", 0, 1), 0},
	{"durable publish, one client", "x service-package", 0, 0.35,
	 L("publish", GENERATED, "pakhus", 0, 1),
	 L("publish", GENERATED, "service", 0, 1), 0},
	{"publishes a second, 8 threads", "x SQLite WAL FULL", 1, 2,
	 L("publish-threads", GENERATED, "pakhus", 0, 8),
	 L("publish-threads", GENERATED, "sqlite-full", 0, 8), 0},
	{"publishes a second, 8 processes", "x SQLite WAL FULL", 1, 2,
	 L("publish-processes", GENERATED, "pakhus", 0, 8),
	 L("publish-processes", GENERATED, "sqlite-full", 0, 8), 0},
	{"bulk import", "x service-package", 1, 1.0,
	 L("import", GENERATED, "pakhus", 0, 0),
	 L("import", GENERATED, "service", 0, 0), 0},
	{"get latest, hot", "x SQLite", 0, 0.2,
	 L("get-latest", GENERATED, "pakhus", 0, 0),
	 L("get-latest", GENERATED, "sqlite-full", 0, 0), 0},
	{"get any version", "x SQLite with zstd texts", 0, 1.0,
	 L("get-pinned", GENERATED, "pakhus", 0, 0),
	 L("get-pinned", GENERATED, "sqlite-full-zstd", 0, 0), 0},
	{"get any version", "x service-package", 0, 0.25,
	 L("get-pinned", GENERATED, "pakhus", 0, 0),
	 L("get-pinned", GENERATED, "service", 0, 0), 0},
	{"get any version, no cache", "x SQLite with zstd texts", 0, 3,
	 L("get-pinned-nocache", GENERATED, "pakhus", 0, 0),
	 L("get-pinned-nocache", GENERATED, "sqlite-full-zstd", 0, 0), 0},
	{"first page of 50,000 packages", "x SQLite's list", 0, 0.02,
	 L("list-page", "small", "pakhus", PACKAGES, 0),
	 L("list", "small", "sqlite-full", PACKAGES, 0), 0},
	{"open a million versions", "ms of processor time", 0, 1,
	 L("open", "small", "pakhus", MILLION, 0), {0}, 1e6},
	{"publish at a million versions", "x at 10,000", 0, 1.3,
	 L("publish", "small", "pakhus", MILLION, 0),
	 L("publish", "small", "pakhus", 10000, 0), 0},
	{"get at a million versions", "x at 10,000", 0, 1.3,
	 L("get-pinned", "small", "pakhus", MILLION, 0),
	 L("get-pinned", "small", "pakhus", 10000, 0), 0},
	{"memory of a get in a fresh process", "MB beside the texts", 0, 8,
	 L("get-memory", GENERATED, "pakhus", 0, 0), {0}, 1e6},
	{"real packages, default level", "x git gc --aggressive", 0, 1.05,
	 L("object-bytes", "corpus", "pakhus", 0, 0),
	 L("object-bytes", "corpus", "git", 0, 0), 0},
	{"real packages, level 19", "x git gc --aggressive", 0, 0.95,
	 L("object-bytes", "corpus", "pakhus-19", 0, 0),
	 L("object-bytes", "corpus", "git", 0, 0), 0},
	{"real packages, on 4 KiB blocks", "x each at zstd -19", 0, 0.3,
	 L("object-blocks", "corpus", "pakhus", 0, 0),
	 L("object-blocks", "corpus", "zstd-19", 0, 0), 0},
};
/* clang-format on */

/* NAN: it was not measured. */
static double measured(const struct lines *lines, const struct target *t)
{
	const struct line *ours = lines_find(lines, &t->ours);
	const struct line *theirs;

	if (!ours)
		return NAN;
	if (!t->theirs.work)
		return ours->median / t->scale;
	theirs = lines_find(lines, &t->theirs);
	return theirs && theirs->median > 0 ? ours->median / theirs->median
					    : NAN;
}

static void print_targets(const struct lines *lines)
{
	size_t count = sizeof(targets) / sizeof(*targets), met = 0, seen = 0;

	puts("\n| work | target | measured | |\n|---|---|---:|---|");
	for (const struct target *t = targets; t < targets + count; t++) {
		double value = measured(lines, t);
		int good = t->at_least ? value >= t->limit : value <= t->limit;

		printf("| %s | at %s %g %s | ", t->what,
		       t->at_least ? "least" : "most", t->limit, t->of);
		if (isnan(value)) {
			puts("- | not measured |");
			continue;
		}
		printf("%.3g | %s |\n", value, good ? "met" : "not met");
		seen++;
		met += good ? 1 : 0;
	}
	printf("\n%zu of %zu targets met, %zu not measured\n", met, count,
	       count - seen);
}

int main(int argc, char **argv)
{
	const char *chart = NULL;
	struct lines lines;
	int c, rc;

	while ((c = getopt(argc, argv, "c:")) == 'c')
		chart = optarg;
	if (c != -1 || optind + 1 != argc) {
		fputs("usage: report [-c CHART.svg] RESULT.jsonl\n", stderr);
		return 2;
	}
	rc = lines_read(&lines, argv[optind]);
	if (!rc) {
		print_table(&lines);
		print_targets(&lines);
		rc = chart ? chart_write(&lines, chart) : 0;
	}
	lines_release(&lines);
	if (fflush(stdout) || ferror(stdout))
		rc = -1;
	return rc ? 1 : 0;
}
