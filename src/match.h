/* match.h - whether a text is the document that an entry of the log says it
 * is (F-2, F-10, F-25), or what it says beside one (F-97).
 */
#ifndef PK_MATCH_H
#define PK_MATCH_H

#include "entry.h"

/* What an entry says of a text. */
struct pk_claim {
	const char *id, *version;
	uint64_t manifest_size, metadata_size;
	uint64_t attrs_size; /* of an attrs; else 0 */
};
/* *rule is NULL where it is so, else the rule that is broken, and *fault a
 * sentence. 0, or -1: out of memory. */
int pk_match(const char *text, size_t size, const struct pk_claim *claim,
	     const char **rule, const char **fault);

#endif
