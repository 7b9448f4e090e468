/* bundle.h - what is in a bundle for a stick: the member that begins it, and
 * which names the others have (F-81, F-82). Its tar is tar.h's; the bundles
 * of entries that are among its members are tile.h's.
 *
 *	pakhus bundle 1
 *	identity <32 hexadecimal digits>
 *	from <entries> <root in base64>
 *	to <entries> <root in base64>
 *	<hash in base64>
 *	...
 */
#ifndef PK_BUNDLE_H
#define PK_BUNDLE_H

#include "format.h"
#include "tar.h"
#include "tlogproof.h"

/* ---- the first member ---- */

#define PK_BUNDLE_HEAD \
	(16 + 42 + 5 + 17 + 45 + 3 + 17 + 45 + PK_PATH_TEXT + 1)

struct pk_bundle {
	unsigned char identity[PK_IDENTITY_SIZE];
	uint64_t from, to; /* entries; from <= to, and to is not 0 */
	unsigned char from_root[PK_HASH_SIZE], to_root[PK_HASH_SIZE];
	struct pk_path proof; /* that the one begins the other */
};

/* The root of no entries: SHA-256 of nothing (RFC 6962, 2.1). */
extern const unsigned char pk_bundle_empty[PK_HASH_SIZE];

size_t pk_bundle_encode(const struct pk_bundle *b, char out[PK_BUNDLE_HEAD]);
/* NULL, or the broken rule; pk_bundle_newer for another version (F-82). */
const char *pk_bundle_decode(const char *text, size_t size,
			     struct pk_bundle *b);
extern const char pk_bundle_newer[];

/* ---- members ---- */

/* In the order in which they stand. */
enum pk_member_kind {
	PK_MEMBER_BUNDLE,
	PK_MEMBER_FORMAT,
	PK_MEMBER_CHECKPOINT,
	PK_MEMBER_KEY,
	PK_MEMBER_ENTRIES,
	PK_MEMBER_OBJECT
};

/* Members of a kind go by key, as bytes: a key's by its name, entries by
 * where they begin, an object by its hash. */
struct pk_member {
	enum pk_member_kind kind;
	unsigned width; /* of entries: 1 to 256 */
	unsigned char key[PK_HASH_SIZE];
};

void pk_member_name(const struct pk_member *m, char out[PK_TAR_NAME]);
/* Takes exactly what that gives: 0, or -1 where no bundle has such a member. */
int pk_member_parse(const char *name, struct pk_member *m);
/* Which stands first: below, equal to or above 0. */
int pk_member_compare(const struct pk_member *a, const struct pk_member *b);
/* The most bytes one of the kind can have. */
uint64_t pk_member_max(enum pk_member_kind kind);

#endif
