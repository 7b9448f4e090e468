#include "table.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "mem.h"
#include "out.h"

/* Characters, near enough to columns: bytes that start one. */
static size_t width_of(const char *text)
{
	size_t n = 0;

	for (; *text; text++)
		n += ((unsigned char)*text & 0xc0) != 0x80;
	return n;
}

void table_row(struct table *table, const char *const *cells)
{
	size_t i, width;

	for (i = 0; i < table->columns; i++) {
		table->cells = mem_grow(table->cells, table->count,
					&table->room, sizeof(*table->cells));
		table->cells[table->count++] =
			mem_dup(cells[i] ? cells[i] : "");
		width = width_of(cells[i] ? cells[i] : "");
		if (width > table->width[i])
			table->width[i] = width;
	}
}

static void print_row(const struct table *table, const char *const *cells)
{
	size_t i, gap = 0; /* blanks that are printed if something follows */

	for (i = 0; i < table->columns; i++) {
		if (*cells[i]) {
			printf("%*s", (int)gap, "");
			out_plain(stdout, cells[i]);
			gap = 0;
		}
		gap += table->width[i] - width_of(cells[i]) + 2;
	}
}

static void print_heads(struct table *table)
{
	size_t i, width;

	for (i = 0; i < table->columns; i++) {
		width = width_of(table->heads[i]);
		if (width > table->width[i])
			table->width[i] = width;
	}
	out_colour(1);
	print_row(table, table->heads);
	out_colour(0);
	putchar('\n');
	table->begun = true;
}

void table_flush(struct table *table)
{
	size_t i;

	if (table->count && !table->begun)
		print_heads(table);
	for (i = 0; i < table->count; i++) {
		if (i % table->columns != 0)
			continue;
		print_row(table, (const char *const *)table->cells + i);
		putchar('\n');
	}
	for (i = 0; i < table->count; i++)
		free(table->cells[i]);
	table->count = 0;
}

void table_release(struct table *table)
{
	size_t i;

	for (i = 0; i < table->count; i++)
		free(table->cells[i]);
	free(table->cells);
	table->cells = NULL;
	table->count = 0;
}
