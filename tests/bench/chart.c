/* chart.c - the results that README.md shows, as an SVG.
 *
 * A panel is a work, a bar a peer; bars of one panel share a scale that
 * begins at 0. The card has its own ground, so that it is read on any page,
 * and changes with the reader's light or dark where the viewer tells it.
 */
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
	LABELS = 124,  /* names of peers, left of the bars */
	LONGEST = 196, /* bar */
	THICK = 13
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
	{"First page of 50,000 packages", "list-page", "small", 1000000, 0},
	{"Get in a fresh process", "get-cold", "generated", 0, 0},
	{"Disk for real packages", "bytes", "corpus", 0, 0},
};
static const struct peer_name {
	const char *peer, *name;
} names[] = {
	{"pakhus", "pakhus"},
	{"sqlite-full", "SQLite"},
	{"sqlite-full-zstd", "SQLite, zstd texts"},
	{"service", "service-package"},
	{"git", "git gc --aggressive"},
};
/* clang-format on */
enum { PEERS = sizeof(names) / sizeof(*names) };

static const char style[] =
	"<style>\n"
	"text{font:12px system-ui,sans-serif;fill:#1f2328}\n"
	".t{font-weight:600}.n{fill:#59636e}\n"
	".g{fill:#ffffff;stroke:#d1d9e0}.b{fill:#9aa4ae}.p{fill:#1a7f64}\n"
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

static void draw_bar(FILE *svg, const struct line *line, const char *name,
		     double most, int x, int y)
{
	double width = most > 0 ? LONGEST * line->median / most : 0;
	char value[32];

	if (width < 1.5)
		width = 1.5;
	fprintf(svg,
		"<text class=\"n\" x=\"%d\" y=\"%d\" text-anchor=\"end\">%s"
		"</text>\n"
		"<rect class=\"%s\" x=\"%d\" y=\"%d\" width=\"%.1f\" "
		"height=\"%d\" rx=\"2\"/>\n"
		"<text x=\"%.1f\" y=\"%d\">%s</text>\n",
		x + LABELS - 8, y + 11, name,
		strcmp(line->peer, "pakhus") != 0 ? "b" : "p", x + LABELS, y,
		width, THICK, x + LABELS + width + 6, y + 11,
		line_value(line->unit, line->median, value));
}

static void draw_panel(FILE *svg, const struct panel *p,
		       const struct line *const found[PEERS], int x, int y)
{
	const char *better = "less is better";
	double most = 0;

	for (int i = 0; i < PEERS; i++) {
		if (!found[i])
			continue;
		if (found[i]->median > most)
			most = found[i]->median;
		if (!strcmp(found[i]->unit, "per_s"))
			better = "more is better";
	}
	fprintf(svg,
		"<text class=\"t\" x=\"%d\" y=\"%d\">%s <tspan class=\"n\" "
		"font-weight=\"400\">%s</tspan></text>\n",
		x, y + 12, p->title, better);
	y += HEAD;
	for (int i = 0; i < PEERS; i++) {
		if (!found[i])
			continue;
		draw_bar(svg, found[i], names[i].name, most, x, y);
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

int chart_write(const struct lines *lines, const char *path)
{
	FILE *svg = fopen(path, "w");
	int height = draw(NULL, lines), bad;

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
		draw(svg, lines);
		fputs("</svg>\n", svg);
		bad = ferror(svg);
		if (!fclose(svg) && !bad)
			return 0;
	}
	perror(path);
	return -1;
}
