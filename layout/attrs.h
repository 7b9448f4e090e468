/* attrs.h - the text that holds what is said about a package, or about one of
 * its versions, beside its document (F-97).
 *
 * {"id":I,"version":V,"attrs":A}: A is a canonical object, I and V are the
 * entry's. Its size is counted without what is around A.
 */
#ifndef PK_ATTRS_H
#define PK_ATTRS_H

#include "canon.h"

#define PK_ATTRS_MAX ((size_t)1 << 20) /* bytes of A */
#define PK_ATTRS_HEAD (2 * (PK_ID_MAX + PK_VERSION_MAX) + 40)

/* What stands before A; gives its length. */
size_t pk_attrs_head(const char *id, const char *version,
		     char out[PK_ATTRS_HEAD]);
/* What a text with so many bytes of A has. */
size_t pk_attrs_text_size(const char *id, const char *version, size_t size);
/* A in a text that is of an id, version and size, or NULL where it is not. */
const char *pk_attrs_find(const char *text, size_t text_size, const char *id,
			  const char *version, size_t size);
/* Whether an entry may say so: a size of 0, with a hash of zeros, takes away
 * what was said. */
int pk_attrs_is_sound(const unsigned char hash[PK_HASH_SIZE], uint64_t size);

/* The text of what is handed in; *out is malloc'ed and NUL-terminated
 * besides. *size is that of A. */
int pk_attrs_canon(const char *json, size_t json_size, const char *id,
		   const char *version, char **out, size_t *out_size,
		   size_t *size, struct pk_canon_error *err);

#endif
