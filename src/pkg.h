/* pkg.h - pkg/, the versions of each package in a file, for readers that have
 * HTTP and nothing else (F-95, F-96).
 *
 * All of it follows from the log, and can be thrown away. local/pkg says up
 * to which entry it was brought, so that the next time only the packages that
 * changed since are looked at.
 */
#ifndef PK_PKG_H
#define PK_PKG_H

#include "store.h"

/* Brings pkg/ to what the store holds. The handle may be a mirror's, which
 * does not write entries, but local/ has to be here: PAKHUS_EDENIED where it
 * is not, or where texts wait in the journal and this handle may not move
 * them into objects. Whatever fails is done by the next call. */
int pk_pkg_refresh(struct pakhus *s, struct pakhus_error *err);

#endif
