/* catalog.h - every package in a line, in memory: what a list shows, and what
 * it is searched by.
 *
 * Made from the store at its first use and kept by what the log says since,
 * whoever wrote it: each call looks first. A package takes what its line has
 * (market_summary()), about half a KiB, and no more than 64 KiB. From any
 * thread.
 */
#ifndef CATALOG_H
#define CATALOG_H

#include "pakhus.h"
#include "text.h"

struct catalog;

/* NULL: out of memory. The store has to be open as long as the catalog. */
struct catalog *catalog_new(struct pakhus *store);
/* Who is told, a line each, which packages are left out as they are damaged. */
void catalog_notice(struct catalog *catalog,
		    void (*notice)(void *arg, const char *text), void *arg);
void catalog_free(struct catalog *catalog);

struct catalog_query {
	const char *q; /* NULL: all; else what name or id has in it, in any
			  case of ASCII */
	const char *category; /* NULL: all; else the whole of it */
	/* Whether who asks may know of it; is_listed: everybody may. */
	int (*may)(void *arg, const char *id, int is_listed);
	void *arg;
	uint64_t limit, offset;
};
/* Writes those that fit, newest place first, from offset on as JSON with
 * commas between them, and says how many there are. */
int catalog_list(struct catalog *catalog, const struct catalog_query *query,
		 struct text *items, uint64_t *total, struct pakhus_error *err);

#endif
