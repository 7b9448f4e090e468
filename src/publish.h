/* publish.h - the steps of a publish, for who has to look in between.
 */
#ifndef PK_PUBLISH_H
#define PK_PUBLISH_H

#include "canon.h"
#include "store.h"

/* A text that could not be made canonical, as a failure. */
int pk_fail_canon(struct pakhus_error *err, int rc,
		  const struct pk_canon_error *e);
/* The canonical text of a document, and of its entry what the text says. */
int pk_publish_read(const struct pakhus *s, const char *json, size_t size,
		    struct pk_entry *e, struct pk_shared **text,
		    struct pakhus_error *err);
/* The rest of the entry, with a label that was checked; a text that is too
 * long for the journal is written. */
int pk_publish_ready(struct pakhus *s, const char *by, struct pk_entry *e,
		     const struct pk_shared *text, struct pakhus_error *err);
/* Whether an immutable store takes a draft: a pk_draft_fn. */
int pk_publish_check(void *arg, struct pk_view *v, struct pk_draft *d,
		     struct pakhus_error *err);
/* Makes it durable; check is asked before, or with NULL what has to be. out
 * may be NULL. */
int pk_publish_write(struct pakhus *s, const struct pk_entry *e,
		     struct pk_shared *text, pk_draft_fn *check, void *arg,
		     struct pakhus_record *out, struct pakhus_error *err);
/* The last two for a batch of the store. */
int pk_publish_batch(struct pakhus_batch *b, struct pakhus *s,
		     struct pk_entry *e, struct pk_shared *text,
		     struct pakhus_error *err);
/* ready.c: whether the content of a version was set by the entry at over, or
 * with 0 that it is not live; PAKHUS_ESTALE otherwise. */
int pk_expect(struct pk_view *v, const char *id, const char *version,
	      uint64_t over, struct pakhus_error *err);

#endif
