/* table.h - columns that line up, for terminals.
 *
 * Rows are gathered until table_flush() prints them, the heads before the
 * first; columns keep their width from one flush to the next at least. Set
 * heads and columns, the rest 0; table_release() frees.
 */
#ifndef TABLE_H
#define TABLE_H

#include <stdbool.h>
#include <stddef.h>

#define TABLE_COLUMNS 8

struct table {
	const char *const *heads;
	size_t columns;
	/* private */
	char **cells;
	size_t count, room, width[TABLE_COLUMNS];
	bool begun;
};

/* Copies cells; NULL is an empty one. */
void table_row(struct table *table, const char *const *cells);
void table_flush(struct table *table);
void table_release(struct table *table);

#endif
