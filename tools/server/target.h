/* target.h - a request's target: path segments and query parameters,
 * percent-decoded and encoded (RFC 3986, section 2.1).
 */
#ifndef TARGET_H
#define TARGET_H

#include <stddef.h>

#include "text.h"

enum { TARGET_PARAMS = 4 };

/* Whether path, of size bytes and still encoded, is of the pattern; the
 * parameters are decoded one behind the other into room, which has at least
 * size + TARGET_PARAMS bytes. -1: badly encoded. */
int target_match(const char *pattern, const char *path, size_t size,
		 const char *param[TARGET_PARAMS], char *room);

/* The first value of a name in a query, decoded into out, which has room for
 * strlen(query) + 1; how often the name is there, or -1: badly encoded. */
int target_query(const char *query, const char *name, char *out);

/* Writes s encoded, but for RFC 3986's unreserved characters and those of
 * keep. */
void target_encode(struct text *t, const char *s, size_t size,
		   const char *keep);

#endif
