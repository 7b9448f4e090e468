/* trust.h - from a key that is trusted to the one that came after it.
 *
 * A rotation leaves a note, keys/<id>.next, that the old key and the new one
 * signed side by side (F-68). Who trusts a key of a log follows these, hop
 * by hop, to the one that signs it today, and needs nothing else.
 */
#ifndef PK_TRUST_H
#define PK_TRUST_H

#include "sign.h"

#define PK_NEXT_PATH 24 /* keys/<8 digits>.next */
void pk_next_path(const struct pk_vkey *old, char out[PK_NEXT_PATH]);

/* One hop: the key that the note of a rotation names, where both the trusted
 * one and the named one signed it under the origin. *at is its checkpoint,
 * whose last entry is the key entry. PAKHUS_ECORRUPT when it is not so. */
int pk_trust_next(const struct pk_vkey *trusted, const char *origin,
		  const char *note, size_t size, struct pk_vkey *next,
		  struct pk_checkpoint *at, struct pakhus_error *err);

/* The note of a rotation, its key being next's; next has its public half. */
#define PK_NEXT_NOTE                                                           \
	(PK_CHECKPOINT_SIZE + 4 + PK_VKEY_SIZE + 1 + 2 * PK_SIGNATURE_LINE)
int pk_next_sign(const struct pk_checkpoint *c, const struct pk_signer *old,
		 const struct pk_signer *next, char out[PK_NEXT_NOTE],
		 size_t *size, struct pakhus_error *err);

#endif
