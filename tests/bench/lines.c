/* lines.c - results read back from lines of JSON. */
#include "lines.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int unpack(json_t *json, struct line *out)
{
	json_int_t versions, clients, n;

	if (json_unpack(json, "{s:s, s:s, s:I, s:I, s:s, s:s, s:I, s:F, s:F}",
			"work", &out->work, "docs", &out->docs, "versions",
			&versions, "clients", &clients, "peer", &out->peer,
			"unit", &out->unit, "n", &n, "median", &out->median,
			"p99", &out->p99))
		return -1;
	out->versions = (uint64_t)versions;
	out->clients = (unsigned)clients;
	out->n = (uint64_t)n;
	return 0;
}

static int unpack_machine(json_t *json, struct lines *out)
{
	return json_unpack(json, "{s:s, s:b}", "machine", &out->machine,
			   "short", &out->is_short);
}

static int same(const struct line *a, const struct line *b)
{
	return !strcmp(a->work, b->work) && !strcmp(a->docs, b->docs) &&
	       !strcmp(a->peer, b->peer);
}

static void add(struct lines *lines, const struct line *line)
{
	struct line *grown;

	for (size_t i = 0; i < lines->count; i++) {
		struct line *old = &lines->items[i];

		if (same(old, line) && old->versions == line->versions &&
		    old->clients == line->clients) {
			*old = *line;
			return;
		}
	}
	grown = realloc(lines->items, (lines->count + 1) * sizeof(*grown));
	if (!grown)
		abort();
	lines->items = grown;
	lines->items[lines->count++] = *line;
}

int lines_read(struct lines *out, const char *path)
{
	FILE *file = fopen(path, "r");
	json_t *all = json_array();
	char *text = NULL;
	size_t room = 0, number = 0;
	int rc = 0;

	*out = (struct lines){.owner = all};
	if (!file) {
		perror(path);
		return -1;
	}
	while (!rc && getline(&text, &room, file) > 0) {
		json_t *json = json_loads(text, 0, NULL);
		struct line line;

		number++;
		json_array_append_new(all, json);
		if (json_object_get(json, "machine"))
			rc = unpack_machine(json, out);
		else if (!(rc = json ? unpack(json, &line) : -1))
			add(out, &line);
		if (rc)
			fprintf(stderr, "%s: line %zu is not a result\n", path,
				number);
	}
	if (!rc && !out->count) {
		fprintf(stderr, "%s: no results\n", path);
		rc = -1;
	}
	free(text);
	fclose(file);
	return rc;
}

void lines_release(struct lines *lines)
{
	json_decref(lines->owner);
	free(lines->items);
}

const struct line *lines_find(const struct lines *lines,
			      const struct line *like)
{
	const struct line *found = NULL;

	for (size_t i = 0; i < lines->count; i++) {
		const struct line *line = &lines->items[i];

		if (same(line, like) &&
		    (!like->versions || like->versions == line->versions) &&
		    (!like->clients || like->clients == line->clients))
			found = line;
	}
	return found;
}

double line_better(const struct line *ours, const struct line *theirs)
{
	if (!strcmp(ours->unit, "per_s"))
		return ours->median / theirs->median;
	return theirs->median / ours->median;
}

/* Three digits that count, and a unit in which there are few more. */
static const char *scaled(double value, const char *const *units, double step,
			  size_t count, char out[32])
{
	size_t i = 0;

	while (i + 1 < count && value >= 0.9995 * step) {
		value /= step;
		i++;
	}
	snprintf(out, 32, "%.*f %s",
		 value >= 99.95 || i == 0 ? 0
		 : value >= 9.995	  ? 1
					  : 2,
		 value, units[i]);
	return out;
}

const char *line_value(const char *unit, double value, char out[32])
{
	static const char *const times[] = {"ns", "µs", "ms", "s"};
	static const char *const sizes[] = {"B", "KB", "MB", "GB"};

	if (!strcmp(unit, "bytes"))
		return scaled(value, sizes, 1000, 4, out);
	if (strcmp(unit, "per_s") != 0)
		return scaled(value, times, 1000, 4, out);
	snprintf(out, 32, "%.*f/s", value >= 100 ? 0 : 1, value);
	return out;
}
