/* site.h - a marketplace of files, made from a store and kept up with it.
 *
 *	packages.json					the list
 *	packages/<id>.json				a package
 *	packages/<id>/versions/<version|latest>/manifest.json
 *
 * A hidden file says which store it is made from and up to which entry of its
 * log. A reader never finds something listed whose file is not there.
 */
#ifndef SITE_H
#define SITE_H

#include <stdbool.h>
#include <stdint.h>

#include "cli.h"
#include "tree.h"

struct site {
	const struct cli *cli;
	struct pakhus *store;
	struct tree tree;
	/* of the run, see site_state.h */
	char identity[33];
	uint64_t from; /* the first entry that it does not show yet */
	/* filled in */
	bool anew;	   /* not only what changed */
	uint64_t position; /* entries of the log that it shows */
	uint64_t packages; /* in the list */
	uint64_t packages_out, versions_out; /* whose names are no paths */
	char *example; /* one of them, freed with site_release() */
};

/* An exit status; what failed is said. */
int site_run(struct site *site);
void site_release(struct site *site);

#endif
