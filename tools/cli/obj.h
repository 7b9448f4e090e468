/* obj.h - writing one JSON object on one line, member by member.
 *
 * Texts that are JSON already are spliced in byte for byte: a manifest that
 * went through a JSON library would no longer be the text that was hashed.
 */
#ifndef OBJ_H
#define OBJ_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

struct obj {
	FILE *out;
	bool some; /* a member was written */
};

struct obj obj_begin(FILE *out);
void obj_end(struct obj *obj);
void obj_close(struct obj *obj); /* the end of one that is not a line */
void obj_string(struct obj *obj, const char *key, const char *text);
void obj_number(struct obj *obj, const char *key, uint64_t n);
void obj_bool(struct obj *obj, const char *key, bool yes);
/* An array of the strings in text, which has commas between them. */
void obj_strings(struct obj *obj, const char *key, const char *text);
void obj_raw(struct obj *obj, const char *key, const char *json, size_t size);

/* The name in a manifest, unescaped, in memory that the caller frees; NULL
 * where there is none. */
char *obj_name_of(const char *manifest, size_t size);

#endif
