/* document.h - what the pass over a document tells of its outer two levels,
 * from which document.c knows its shape (F-1). The rest is in canon.h.
 */
#ifndef PK_DOCUMENT_H
#define PK_DOCUMENT_H

#include "canon_state.h"

/* The member noted last has its key at key of the source, and its value there
 * at value; that will be written at o. */
void pk_document_note(struct pk_canon *c, const char *key, const char *value,
		      const char *o);

#endif
