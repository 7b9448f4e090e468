/* chart.c - the results that README.md shows, as an SVG.
 *
 * A panel is a work, a bar a peer; bars of one panel share a scale that
 * begins at 0. The card has its own ground, so that it is read on any page,
 * and changes with the reader's light or dark where the viewer tells it.
 */
#include "bench.h"
#include "chart.h"
#include "lines.h"

#include <stdio.h>
#include <string.h>

enum {
	WIDTH = 880,
	MARGIN = 24,
	COLUMN = 428,  /* from one panel to the one beside it */
	HEAD = 24,     /* a panel's title */
	ROW = 19,      /* a bar and the space below it */
	GAP = 20,      /* between panels */
	LABELS = 162,  /* names of peers, left of the bars */
	LONGEST = 138, /* bar */
	THICK = 13,
	LINE = 16 /* of the text below the panels */
};

struct panel {
	const char *title, *work, *docs;
	uint64_t versions;
	unsigned clients;
};

/* clang-format off */
static const struct panel panels[] = {
	{"Durable publish, 75 KB", "publish", "generated", 0, 1},
	{"Publishes a second, 8 processes", "publish-processes", "generated",
	 0, 8},
	{"Bulk import", "import", "generated", 0, 0},
	{"Get the latest, hot", "get-latest", "generated", 0, 0},
	{"Get any version", "get-pinned", "generated", 0, 0},
	{"Get in a fresh process", "get-cold", "generated", 0, 0},
	{"Get 300 bytes, cache off", "get-pinned", "small", 0, 0},
	{"First page of %s packages", "list-page", "small", 0, 0},
	{"Whole store of real packages", "bytes", "corpus", 0, 0},
	{"Disk for texts of real packages", "object-bytes", "corpus", 0, 0},
};
static const struct peer_name {
	const char *peer, *name;
} names[] = {
	{"pakhus", "pakhus"},
	{"pakhus-one-thread", "pakhus, one thread"},
	{"sqlite-full", "SQLite, synchronous FULL"},
	{"sqlite-full-zstd", "the same, zstd texts"},
	{"service", "service-package"},
	{"zstd-19", "each alone, zstd -19"},
	{"git", "git gc --aggressive"},
};
static const char *const below[] = {
	"Medians of one run. “1.3 x”: pakhus is 1.3 times better; "
	"below 1 it is the worse one.",
	"pakhus is slower than SQLite where it compresses (import), and at "
	"gets of small documents that are not cached.",
	"It waits for one sync for a group of publishes, where SQLite waits "
	"for one each. zstd texts: at level 3.",
};
/* clang-format on */
enum { BELOW = sizeof(below) / sizeof(*below) };
enum { PEERS = sizeof(names) / sizeof(*names) };

static const char style[] =
	"<style>\n"
	"text{font:12px system-ui,sans-serif;fill:#1f2328}\n"
	".t{font-weight:600}.n{fill:#59636e}\n"
	".g{fill:#ffffff;stroke:#d1d9e0}.b{fill:#818b98}.p{fill:#1a7f64}\n"
	"@media (prefers-color-scheme:dark){\n"
	"text{fill:#f0f6fc}.n{fill:#9198a1}\n"
	".g{fill:#0d1117;stroke:#3d444d}.b{fill:#656c76}.p{fill:#3fb68b}}\n"
	"</style>\n";

/* The lines of a panel, by peer; how many there are. */
static int panel_lines(const struct lines *lines, const struct panel *p,
		       const struct line *out[PEERS])
{
	struct line like = {.work = p->work,
			    .docs = p->docs,
			    .versions = p->versions,
			    .clients = p->clients};
	int count = 0;

	for (int i = 0; i < PEERS; i++) {
		like.peer = names[i].peer;
		out[i] = lines_find(lines, &like);
		count += out[i] != NULL;
	}
	return count;
}

static int panel_height(int bars)
{
	return bars ? HEAD + bars * ROW + GAP : 0;
}

/* The ratio stands at the bars of others. */
static void draw_bar(FILE *svg, const struct line *line, const char *name,
		     const struct line *ours, double most, int x, int y)
{
	double width = most > 0 ? LONGEST * line->median / most : 0;
	int own = !strncmp(line->peer, "pakhus", 6);
	char value[32], ratio[32] = "";

	if (!own && ours && ours->median > 0 && line->median > 0)
		snprintf(ratio, sizeof(ratio),
			 line_better(ours, line) < 1000 ? "· %.3g x"
							: "· %.0f x",
			 line_better(ours, line));

	if (width < 1.5)
		width = 1.5;
	fprintf(svg,
		"<text class=\"n\" x=\"%d\" y=\"%d\" text-anchor=\"end\">%s"
		"</text>\n"
		"<rect class=\"%s\" x=\"%d\" y=\"%d\" width=\"%.1f\" "
		"height=\"%d\" rx=\"2\"/>\n"
		"<text x=\"%.1f\" y=\"%d\">%s<tspan class=\"n\" "
		"dx=\"4\">%s</tspan>"
		"</text>\n",
		x + LABELS - 8, y + 11, name, own ? "p" : "b", x + LABELS, y,
		width, THICK, x + LABELS + width + 6, y + 11,
		line_value(line->unit, line->median, value), ratio);
}

/* 50,000 */
static const char *grouped(uint64_t n, char out[32])
{
	if (n < 1000)
		snprintf(out, 32, "%u", (unsigned)n);
	else
		snprintf(out, 32, "%u,%03u", (unsigned)(n / 1000),
			 (unsigned)(n % 1000));
	return out;
}

static void draw_panel(FILE *svg, const struct panel *p,
		       const struct line *const found[PEERS], int x, int y)
{
	const char *better = "less is better";
	uint64_t versions = 0;
	double most = 0;
	char count[32], title[80];

	for (int i = 0; i < PEERS; i++) {
		if (!found[i])
			continue;
		if (found[i]->median > most)
			most = found[i]->median;
		if (!strcmp(found[i]->unit, "per_s"))
			better = "more is better";
		versions = found[i]->versions;
	}
	snprintf(title, sizeof(title), p->title,
		 grouped(versions / VERSIONS_EACH, count));
	fprintf(svg,
		"<text class=\"t\" x=\"%d\" y=\"%d\">%s <tspan class=\"n\" "
		"font-weight=\"400\">%s</tspan></text>\n",
		x, y + 12, title, better);
	y += HEAD;
	for (int i = 0; i < PEERS; i++) {
		if (!found[i])
			continue;
		draw_bar(svg, found[i], names[i].name, found[0], most, x, y);
		y += ROW;
	}
}

/* Panels stand in two columns, and each goes where there is more room. svg
 * NULL: only how high that is. */
static int draw(FILE *svg, const struct lines *lines)
{
	int bottom[2] = {MARGIN, MARGIN};

	for (size_t i = 0; i < sizeof(panels) / sizeof(*panels); i++) {
		const struct line *found[PEERS];
		int bars = panel_lines(lines, &panels[i], found);
		int side = bottom[1] < bottom[0];

		if (bars && svg)
			draw_panel(svg, &panels[i], found,
				   MARGIN + side * COLUMN, bottom[side]);
		bottom[side] += panel_height(bars);
	}
	return bottom[0] > bottom[1] ? bottom[0] : bottom[1];
}

static void draw_below(FILE *svg, int y)
{
	for (int i = 0; i < BELOW; i++)
		fprintf(svg, "<text class=\"n\" x=\"%d\" y=\"%d\">%s</text>\n",
			MARGIN, y + 12 + i * LINE, below[i]);
}

int chart_write(const struct lines *lines, const char *path)
{
	FILE *svg = fopen(path, "w");
	int height = draw(NULL, lines) + BELOW * LINE + MARGIN, bad;

	if (svg) {
		fprintf(svg,
			"<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"%d\""
			" height=\"%d\" viewBox=\"0 0 %d %d\" role=\"img\">\n"
			"<title>pakhus beside SQLite, service-package and git: "
			"medians of one run</title>\n%s"
			"<rect class=\"g\" x=\".5\" y=\".5\" width=\"%d\" "
			"height=\"%d\" rx=\"6\"/>\n",
			WIDTH, height, WIDTH, height, style, WIDTH - 1,
			height - 1);
		draw_below(svg, draw(svg, lines));
		fputs("</svg>\n", svg);
		bad = ferror(svg);
		if (!fclose(svg) && !bad)
			return 0;
	}
	perror(path);
	return -1;
}
