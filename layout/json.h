/* json.h - walking canonical text without building a tree.
 *
 * For text that canon.c wrote (or whose hash was checked): the walker trusts
 * that it is canonical, yet never reads outside the span it was given, and
 * stops with an error at the first byte that does not fit.
 */
#ifndef PK_JSON_H
#define PK_JSON_H

#include "canon.h"

struct pk_json {
	struct pk_span key;   /* object: between the quotes, still escaped;
				 array: empty */
	struct pk_span value; /* whole value text */
	const char *at, *end; /* private */
};

/* Starts on one object or array; 0, or -1 when it is neither. */
int pk_json_init(struct pk_json *it, const char *text, size_t size);
/* 1: key and value are set; 0: no more; -1: not canonical text. */
int pk_json_next(struct pk_json *it);
/* Unescapes the inside of a string into out (cap bytes, NUL-terminated);
 * gives its length, or -1 when it does not fit or holds a lone surrogate. */
int pk_json_unescape(struct pk_span inside, char *out, size_t cap);

#endif
