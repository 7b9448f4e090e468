/* pages.h - walking a list page by page, as --limit and --before say.
 */
#ifndef PAGES_H
#define PAGES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "cli.h"

/* What a page said of itself. */
struct page {
	uint64_t position, next;
	size_t count;
};

struct pages {
	/* Reads one page, prints it, and says what it was. Returns what the
	 * library returned. */
	int (*read)(void *arg, struct pakhus_range range, struct page *page,
		    struct pakhus_error *err);
	void *arg;
	/* filled in */
	uint64_t count; /* items printed */
	bool partial;	/* --before: none does not mean that there is none */
};

int pages_run(const struct cli *cli, struct pages *pages);

#endif
