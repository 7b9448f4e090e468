/* entry.h - one log entry and the line of JSON that is it (F-20 to F-28).
 *
 * The line is canonical text with a fixed order of keys, so encoding what
 * was decoded gives the same bytes, and a reader needs no JSON library.
 */
#ifndef PK_ENTRY_H
#define PK_ENTRY_H

#include "bytes.h"

#define PK_ENTRY_MAX 8192 /* F-28: fits the uint16 of a bundle with room */
#define PK_TEXT_MAX 1024  /* F-21: a reason, a message, a verifier key */

enum pk_op {
	PK_OP_KEY,
	PK_OP_PUBLISH,
	PK_OP_DELETE,
	PK_OP_ATTRS,
	PK_OP_YANK,
	PK_OP_UNYANK,
	PK_OP_TAG,
	PK_OP_DEPRECATE,
	PK_OP_PURGE,
	PK_OP_REQUIRE,
	PK_OPS
};

/* Fields that an op does not have are zero. Strings are NUL-terminated,
 * well-formed UTF-8 without control characters. */
struct pk_entry {
	enum pk_op op;
	char id[PK_ID_MAX + 1];
	char version[PK_VERSION_MAX + 1];
	unsigned char hash[PK_HASH_SIZE];
	uint64_t manifest_size, metadata_size; /* bytes */
	uint64_t size;			       /* attrs: bytes of the text */
	uint64_t features;		       /* require: bits, F-27 */
	uint64_t time;			       /* microseconds since 1970 */
	char by[PK_BY_MAX + 1];
	char tag[PK_VERSION_MAX + 1];
	char text[PK_TEXT_MAX + 1]; /* key: vkey; else reason or message */
};

/* Gives the line's length; out need not be NUL-terminated. The entry's
 * strings must be as said above (asserted). */
size_t pk_entry_encode(const struct pk_entry *e, char out[PK_ENTRY_MAX]);
/* NULL, or the rule that is broken, in a sentence; pk_entry_newer where the
 * op is one that this program does not know (F-24). */
const char *pk_entry_decode(const char *line, size_t size, struct pk_entry *e);
extern const char pk_entry_newer[];
const char *pk_op_name(enum pk_op op);
/* Whether a text of the store belongs to it: to a publish, and to an attrs
 * that says something (F-97). */
static inline int pk_entry_has_text(const struct pk_entry *e)
{
	return e->op == PK_OP_PUBLISH || (e->op == PK_OP_ATTRS && e->size);
}

#endif
