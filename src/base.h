/* base.h - which texts one is encoded against: the one that F-19 names, and
 * in a branched history a nearer one beside it.
 *
 * Texts are asked for in the order of the journal. A base may be a task that
 * the crew has not done yet: the choice waits for it only where its depth is
 * not known before.
 */
#ifndef PK_BASE_H
#define PK_BASE_H

#include "crew.h"
#include "set.h"
#include "store.h"

/* A text to be encoded and staged, against the base that makes the smaller
 * object where there are two. */
struct pk_task {
	unsigned char hash[PK_HASH_SIZE];
	struct pk_shared *text;
	struct pk_base base[2];
	unsigned bases;
};

/* What a choice looks at; no part of it is owned. */
struct pk_choice {
	struct pakhus *store;
	struct pk_txn *txn;
	struct pk_crew *crew; /* whose tasks are struct pk_task */
	const struct pk_set *seen; /* what was given to it */
	struct pk_set *complete; /* were there, with all that they need */
	struct pakhus_error *err;
};
/* Gives a task the bases of the text that the entry at seq brought, the
 * ordinal-th publish of its id; none for 0. What cannot be read is no base,
 * and no failure. Not below 0, or a failure. */
int pk_choose_bases(const struct pk_choice *c, uint64_t seq,
		    const struct pk_entry *e, uint64_t ordinal,
		    const struct pk_text *text, struct pk_task *t);
/* The same for what is said of a package or version: what it replaced (F-99),
 * where that is known still, and this was not said before. */
int pk_choose_attrs_base(const struct pk_choice *c, uint64_t seq,
			 const struct pk_entry *e, const struct pk_text *text,
			 struct pk_task *t);

#endif
