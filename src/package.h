/* package.h - what reading calls hand out: a record with its texts. */
#ifndef PK_PACKAGE_H
#define PK_PACKAGE_H

#include "store.h"

/* The live version that get means: with version NULL or "latest" the one
 * inserted last. PAKHUS_ENOTFOUND where there is none. */
int pk_find(struct pk_view *v, const char *id, const char *version,
	    struct pk_latest *out, struct pakhus_error *err);
/* A version with its document, read through the view. PK_AGAIN where it was
 * deleted or replaced since, and its text collected: a new view knows better.
 * PAKHUS_ENOTFOUND where it was so in the view already. */
#define PK_AGAIN 2
int pk_package(struct pk_view *v, const char *id, const char *version,
	       const struct pk_live *live, struct pakhus_package **out,
	       struct pakhus_error *err);
/* A package's latest with the manifest that the index keeps. */
int pk_package_latest(const struct pk_latest *latest,
		      struct pakhus_package **out, struct pakhus_error *err);
/* Lets go of everything but the manifest. */
int pk_package_reduce(struct pakhus_package *p, struct pakhus_error *err);

/* A page's size within its bounds. */
size_t pk_limit(struct pakhus_range range);

#endif
