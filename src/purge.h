/* purge.h - texts that are gone for ever (F-90 to F-93).
 *
 * An entry says it, and from then on nobody is given the text: that is
 * apply.c's part, and the looks into the index below. What is left is to
 * remove every byte of it from this host's store. That is done in steps which
 * can be done again, whoever was killed in between, and is over when
 * local/purged is behind the entry.
 */
#ifndef PK_PURGE_H
#define PK_PURGE_H

#include "set.h"
#include "store.h"

/* Where the text was purged, a failure of this status, "NAME was purged at
 * entry N: REASON"; else 0. */
int pk_purge_find(struct pk_view *v, const unsigned char *hash,
		  const char *name, int status, struct pakhus_error *err);
/* The same for who wants to append an entry: PAKHUS_ECONFLICT. */
int pk_purge_check(struct pk_view *v, const struct pk_entry *e,
		   struct pakhus_error *err);

/* Whether a purge is not carried out yet: 1, 0, or a failure. */
int pk_purge_is_due(struct pakhus *s, struct pakhus_error *err);
/* Of a log of so many entries, those whose purges are carried out. */
uint64_t pk_purge_done(int dir, uint64_t entries);

/* Encodes anew what is made against a text of the set, which are still to be
 * read; adds to *encoded, unless NULL, how many that were. The integrate lock
 * is held. Afterwards no object needs one of the set. */
int pk_purge_ready(struct pakhus *s, const struct pk_set *purged,
		   uint64_t *encoded, struct pakhus_error *err);
/* Carries out what the signed log says and is not carried out; the integrate
 * lock and env->use are held, and no slot is sealed. Makes the index anew:
 * what is written to it next is after pk_use(), or fails. Needs no key. */
int pk_purge_finish(struct pakhus *s, uint64_t *encoded,
		    struct pakhus_error *err);

#endif
