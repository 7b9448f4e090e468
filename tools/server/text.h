/* text.h - a text that grows, and JSON written into it.
 *
 * Nothing of it fails by itself: where memory runs out is_failed is set, what
 * follows does nothing, and who sends the text looks at it once.
 */
#ifndef TEXT_H
#define TEXT_H

#include <stddef.h>
#include <stdint.h>

/* All zero is the empty text. data is NUL-terminated besides. */
struct text {
	char *data;
	size_t size;
	int is_failed;
	/* private */
	size_t room;
	int is_behind; /* a value was written: a comma comes before the next */
};

void text_add(struct text *t, const char *data, size_t size);
void text_puts(struct text *t, const char *s);
void text_printf(struct text *t, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));
void text_free(struct text *t);

/* Values one behind the other; commas come by themselves. What is no UTF-8 in
 * a string becomes '?'. raw is JSON already, and goes in byte for byte: a
 * manifest that went through a JSON library would no longer be the text that
 * was hashed. */
void json_open(struct text *t, char bracket); /* '{' or '[' */
void json_close(struct text *t, char bracket);
void json_key(struct text *t, const char *key);
void json_text(struct text *t, const char *s);
void json_text_n(struct text *t, const char *s, size_t size);
void json_number(struct text *t, uint64_t n);
void json_bool(struct text *t, int yes);
void json_null(struct text *t);
void json_raw(struct text *t, const char *json, size_t size);
/* A key and its string, where there is one: NULL writes neither. */
void json_pair(struct text *t, const char *key, const char *s);

#endif
