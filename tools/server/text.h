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
void put_open(struct text *t, char bracket); /* '{' or '[' */
void put_close(struct text *t, char bracket);
void put_key(struct text *t, const char *key);
void put_string(struct text *t, const char *s);
void put_string_n(struct text *t, const char *s, size_t size);
void put_number(struct text *t, uint64_t n);
void put_bool(struct text *t, int yes);
void put_null(struct text *t);
void put_raw(struct text *t, const char *json, size_t size);
/* A key and its string, where there is one: NULL writes neither. */
void put_pair(struct text *t, const char *key, const char *s);

#endif
