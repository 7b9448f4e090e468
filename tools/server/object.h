/* object.h - the members of a JSON object that a client sent, as they stand
 * there: what is handed on goes byte for byte, and nothing is built of what is
 * nested.
 *
 * Strict as RFC 8259 but for UTF-8, which who stores a text looks at. A key
 * that occurs again counts with its last value, as in JavaScript.
 */
#ifndef OBJECT_H
#define OBJECT_H

#include <stddef.h>

/* text NULL: none. */
struct slice {
	const char *text;
	size_t size;
};

struct member {
	struct slice key, value; /* the key without its quotes */
};

struct object {
	struct member *items;
	size_t count;
};

enum { OBJECT_DEPTH = 520 }; /* a document's 512 within what is around it */

/* What is wrong with the text, a static sentence's end ("is no JSON object"),
 * or NULL; object_no_memory where it is nothing of the text's. The members
 * point into the text. Free with object_free(). */
extern const char object_no_memory[];
const char *object_read(struct object *out, const char *text, size_t size);
void object_free(struct object *object);

/* key has at most 40 bytes. */
int member_is(const struct member *member, const char *key);
/* The last one of that name; none where there is none or it is null. */
struct slice object_get(const struct object *object, const char *key);

/* A member of an object that the library gave, which is canonical and has each
 * key once; null is a value there. */
struct slice canonical_get(const char *text, size_t size, const char *key);

/* A string's text, NUL-terminated besides, that the caller frees; NULL: no
 * string, or out of memory, and *is_failed is set. size may be NULL where a
 * NUL inside is not to be (then it is no string). */
char *slice_string(struct slice slice, size_t *size, int *is_failed);
int slice_is(struct slice slice, const char *literal);
/* Byte for byte; none is as none. */
int slice_equal(struct slice a, struct slice b);

#endif
