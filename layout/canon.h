/* canon.h - JSON text in, the one text that is hashed out, in one pass.
 *
 * The canonical text of a JSON value is what JavaScript's
 * JSON.stringify(JSON.parse(text)) gives (ECMA-262 24.5, 25.5; FORMAT.md F-2
 * to F-8). A package document becomes {"manifest":M,"metadata":D} with M and
 * D canonical (F-1), and its SHA-256 is its name (F-10).
 *
 * Life cycle: pk_document_canon() fills a struct pk_document that
 * pk_document_release() empties. Nothing is kept on failure.
 */
#ifndef PK_CANON_H
#define PK_CANON_H

#include "bytes.h"

#define PK_DOCUMENT_MAX ((size_t)64 << 20) /* bytes, canonical, F-8 */
#define PK_SOURCE_MAX ((size_t)512 << 20)  /* and as it is handed in, F-8 */
#define PK_DEPTH_MAX 512		   /* of M and of D, F-7 */

enum pk_canon_status {
	PK_CANON_OK = 0,
	PK_CANON_INVALID = -1, /* not JSON, or not representable, or a shape */
	PK_CANON_LIMIT = -2,   /* beyond F-7, F-8 or F-9 */
	PK_CANON_NOMEM = -3
};

/* Where and why. line and column count from 1, column in characters;
 * both 0 where a place in the text means nothing. what is one sentence
 * without the place and without a full stop, valid for ever. */
struct pk_canon_error {
	size_t line, column;
	const char *what;
};

struct pk_span {
	const char *at;
	size_t size;
};

struct pk_document {
	char *text; /* {"manifest":M,"metadata":D}, NUL-terminated besides */
	size_t size;
	struct pk_span manifest, metadata; /* slices of text */
	char id[PK_ID_MAX + 1], version[PK_VERSION_MAX + 1]; /* unescaped */
};

/* limit lowers PK_DOCUMENT_MAX; 0 leaves it. */
int pk_document_canon(const char *json, size_t size, size_t limit,
		      struct pk_document *out, struct pk_canon_error *err);
void pk_document_release(struct pk_document *doc);

/* The canonical text of any one JSON value; *out is malloc'ed and
 * NUL-terminated besides. */
int pk_value_canon(const char *json, size_t size, size_t limit, char **out,
		   size_t *out_size, struct pk_canon_error *err);

#endif
