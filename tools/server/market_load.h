/* market_load.h - a package as the marketplace shows it, read from the store.
 */
#ifndef MARKET_LOAD_H
#define MARKET_LOAD_H

#include "market_body.h"

/* Reads a package with every live version; attrs of the latest one, or with
 * is_whole of all. listed, where it is not NULL, is the package as a list had
 * it, and saves a look at its text where it is the latest still.
 * PAKHUS_ENOTFOUND: it has no version. Free with market_package_free(). */
int market_load(struct pakhus *store, const char *id, int is_whole,
		const struct pakhus_package *listed,
		struct market_package **out, struct pakhus_error *err);
void market_package_free(struct market_package *package);

/* Attrs that may be not there: *out is NULL then, and 0 the result. */
int attrs_read(struct pakhus *store, const char *id, const char *version,
	       struct pakhus_attrs **out, struct pakhus_error *err);

#endif
