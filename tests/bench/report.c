/* report.c - what a run of the bench found: a table, the targets, a chart.
 *
 *	report [-m] [-c CHART.svg] RESULT.jsonl
 *
 * Targets are ratios of medians of one run, as times of one machine mean
 * little on another. -m prints nothing but them, as README.md shows them.
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
	char median[32], worst[32] = "-", ratio[32] = "";

	if (ours && ours != line && ours->median > 0 && line->median > 0)
		snprintf(ratio, sizeof(ratio),
			 line_better(ours, line) < 1000 ? "%.3g x" : "%.0f x",
			 line_better(ours, line));
	if (line->n >= 100)
		line_value(line->unit, line->p99, worst);
	printf("    %-20s", line->peer);
	column(line_value(line->unit, line->median, median), 10);
	column(worst, 10);
	column(ratio, 13);
	printf(" %7llu\n", (unsigned long long)line->n);
}

/* Where the name alone would leave it open. */
static const char *work_words(const char *work)
{
	static const char *const words[][2] = {
		{"open", "open in a fresh process, processor time"},
		{"open-again", "open once more, processor time"},
		{"get-pinned", "get any version"},
		{"get-pinned-nocache", "get any version, cache off"},
		{"get-memory", "peak memory of get-cold, beside the texts"},
		{"bytes", "bytes of the whole store"},
		{"blocks", "the whole store in blocks on disk"},
		{"object-bytes", "bytes of the texts"},
		{"object-blocks", "the texts in blocks on disk"},
	};

	for (size_t i = 0; i < sizeof(words) / sizeof(*words); i++)
		if (!strcmp(words[i][0], work))
			return words[i][1];
	return work;
}

static const char *docs_words(const char *docs)
{
	return !strcmp(docs, "generated") ? "75 KB documents"
	       : !strcmp(docs, "small")	  ? "300-byte documents"
					  : "real packages";
}

static void print_head(const struct line *line)
{
	printf("%s: %s, ", work_words(line->work), docs_words(line->docs));
	if (line->versions)
		printf("%llu versions in the store",
		       (unsigned long long)line->versions);
	else
		fputs("store empty at the start", stdout);
	if (!strcmp(line->unit, "bytes"))
		puts("");
	else
		printf(", %u client%s\n", line->clients,
		       line->clients == 1 ? "" : "s");
}

static void print_group(const struct lines *lines, size_t first)
{
	const struct line *head = &lines->items[first], *ours = NULL;

	for (size_t i = first; i < lines->count; i++)
		if (same_group(&lines->items[i], head) &&
		    !strcmp(lines->items[i].peer, "pakhus"))
			ours = &lines->items[i];
	print_head(head);
	for (size_t i = first; i < lines->count; i++)
		if (same_group(&lines->items[i], head))
			print_row(&lines->items[i], ours);
}

static const char legend[] =
	"pakhus              imports with a thread for each processor\n"
	"pakhus-one-thread   imports with one\n"
	"pakhus-19           at zstd level 19\n"
	"sqlite-full         the sys_packages table in C; synchronous FULL\n"
	"sqlite-normal       not durable when publish returns\n"
	"sqlite-...-zstd     texts compressed at zstd level 3\n"
	"service             npm's @objectstack/service-package in Node, FULL\n"
	"floor               the least that disk, look-up and zstd need; no "
	"registry\n"
	"git                 a commit for each version, gc --aggressive\n"
	"zstd-19             every document by itself\n\n"
	"pakhus better: how many times, by medians; below 1 it is the worse "
	"one.\nworst 1 %: the slowest time or lowest rate but for one in a "
	"hundred;\n- where there are fewer than a hundred.\n";

static void print_table(const struct lines *lines)
{
	puts(legend);
	printf("%-24s %10s %10s %13s %7s\n", "", "median", "worst 1 %",
	       "pakhus better", "n");
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

/* Columns as wide as they need, or the table that README.md shows. */
static void print_target(const struct target *t, double value,
			 const char *verdict, int markdown)
{
	char limit[64], shown[32] = "-";

	snprintf(limit, sizeof(limit), "at %s %g %s",
		 t->at_least ? "least" : "most", t->limit, t->of);
	if (!isnan(value))
		snprintf(shown, sizeof(shown), "%.3g", value);
	printf(markdown ? "| %s | %s | %s | %s |\n" : "%-34s %-36s %8s  %s\n",
	       t->what, limit, shown, verdict);
}

static void print_targets(const struct lines *lines, int markdown)
{
	size_t count = sizeof(targets) / sizeof(*targets), met = 0, seen = 0;

	if (markdown)
		puts("| work | target | measured | |\n|---|---|---:|---|");
	else
		printf("\n%-34s %-36s %8s\n", "", "target", "measured");
	for (const struct target *t = targets; t < targets + count; t++) {
		double value = measured(lines, t);
		int good = t->at_least ? value >= t->limit : value <= t->limit;

		print_target(t, value,
			     isnan(value)      ? "not measured"
			     : good	       ? "met"
			     : lines->is_short ? "not met (short run)"
					       : "not met",
			     markdown);
		seen += isnan(value) ? 0 : 1;
		met += good ? 1 : 0;
	}
	if (!markdown)
		printf("\n%zu of %zu targets met, %zu not measured\n", met,
		       count, count - seen);
}

static void print_all(const struct lines *lines)
{
	if (lines->is_short)
		puts("A SHORT RUN: few samples, not all of the real packages; "
		     "no ground for a claim\n");
	if (lines->machine)
		printf("%s\n\n", lines->machine);
	print_table(lines);
	print_targets(lines, 0);
}

int main(int argc, char **argv)
{
	const char *chart = NULL;
	struct lines lines;
	int c, rc, markdown = 0;

	while ((c = getopt(argc, argv, "c:m")) == 'c' || c == 'm')
		if (c == 'c')
			chart = optarg;
		else
			markdown = 1;
	if (c != -1 || optind + 1 != argc) {
		fputs("usage: report [-m] [-c CHART.svg] RESULT.jsonl\n",
		      stderr);
		return 2;
	}
	rc = lines_read(&lines, argv[optind]);
	if (!rc) {
		if (markdown)
			print_targets(&lines, 1);
		else
			print_all(&lines);
		rc = chart ? chart_write(&lines, chart) : 0;
	}
	lines_release(&lines);
	if (fflush(stdout) || ferror(stdout))
		rc = -1;
	return rc ? 1 : 0;
}
