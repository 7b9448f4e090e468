/* say.h - what is said about packages and versions beside their documents
 * (F-97 to F-99): on the way into a draft.
 */
#ifndef PK_SAY_H
#define PK_SAY_H

#include "store.h"

/* The entry and the text of what is to be said; *text stays NULL where it is
 * nothing. version NULL: of the package. */
int pk_say_prepare(const char *id, const char *version, const char *json,
		   size_t size, const char *by, struct pk_entry *e,
		   struct pk_shared **text, struct pakhus_error *err);
/* PAKHUS_ENOTFOUND where an attrs, which is to come behind the first n of a
 * draft, is of a version that is not live then. */
int pk_say_check(struct pk_view *v, const struct pk_draft *d, size_t n,
		 const struct pk_entry *e, struct pakhus_error *err);

#endif
