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

/* A copy was made while its original changed, so what that says of itself
 * need not be so here: all of it is carried out again. local/ is not synced. */
int pk_purge_forget(int dir, struct pakhus_error *err);

/* Carries out what the signed log says and is not carried out; adds to
 * *encoded, unless NULL, how many objects were encoded anew for it. The
 * integrate lock and env->use are held, and no slot is sealed. Makes the index
 * anew: what is written to it next is after pk_use(), or fails. Needs no key,
 * so mirrors do it too. */
int pk_purge_finish(struct pakhus *s, uint64_t *encoded,
		    struct pakhus_error *err);
/* The same of all that was appended; takes the locks, and mends the index. */
int pk_purge_all(struct pakhus *s, uint64_t *encoded,
		 struct pakhus_error *err);

#endif
