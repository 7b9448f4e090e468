#include "text.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int text_room(struct text *t, size_t more)
{
	size_t room = t->room ? t->room : 256;
	char *data;

	if (t->is_failed)
		return 0;
	if (more > SIZE_MAX / 2 - t->size - 1) {
		t->is_failed = 1;
		return 0;
	}
	while (room < t->size + more + 1)
		room *= 2;
	if (room == t->room)
		return 1;
	data = realloc(t->data, room);
	if (!data) {
		t->is_failed = 1;
		return 0;
	}
	t->data = data;
	t->room = room;
	return 1;
}

void text_add(struct text *t, const char *data, size_t size)
{
	if (!text_room(t, size))
		return;
	if (size)
		memcpy(t->data + t->size, data, size);
	t->size += size;
	t->data[t->size] = '\0';
}

void text_puts(struct text *t, const char *s)
{
	text_add(t, s, strlen(s));
}

void text_printf(struct text *t, const char *fmt, ...)
{
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(NULL, 0, fmt, ap);
	va_end(ap);
	if (n < 0 || !text_room(t, (size_t)n)) {
		t->is_failed = 1;
		return;
	}
	va_start(ap, fmt);
	vsnprintf(t->data + t->size, (size_t)n + 1, fmt, ap);
	va_end(ap);
	t->size += (size_t)n;
}

void text_free(struct text *t)
{
	free(t->data);
	memset(t, 0, sizeof(*t));
}

static void value(struct text *t)
{
	if (t->is_behind)
		text_add(t, ",", 1);
	t->is_behind = 1;
}

void put_open(struct text *t, char bracket)
{
	value(t);
	text_add(t, &bracket, 1);
	t->is_behind = 0;
}

void put_close(struct text *t, char bracket)
{
	text_add(t, &bracket, 1);
	t->is_behind = 1;
}

/* The size of the well-formed UTF-8 character at s (RFC 3629), or 0. */
static size_t utf8(const unsigned char *s, size_t size)
{
	size_t n = *s < 0x80 ? 1 : *s < 0xc2 ? 0 : *s < 0xe0 ? 2
		: *s < 0xf0 ? 3 : *s < 0xf5 ? 4 : 0;
	size_t i;

	if (n > size)
		return 0;
	for (i = 1; i < n; i++)
		if ((s[i] & 0xc0) != 0x80)
			return 0;
	if ((*s == 0xe0 && s[1] < 0xa0) || (*s == 0xed && s[1] > 0x9f) ||
	    (*s == 0xf0 && s[1] < 0x90) || (*s == 0xf4 && s[1] > 0x8f))
		return 0;
	return n;
}

static void quote(struct text *t, const char *s, size_t size)
{
	static const char short_of[] = "btn\0fr"; /* U+0008 to U+000D */
	size_t i, n;

	text_add(t, "\"", 1);
	for (i = 0; i < size; i += n) {
		unsigned char c = (unsigned char)s[i];

		n = utf8((const unsigned char *)s + i, size - i);
		if (!n) {
			text_add(t, "?", 1);
			n = 1;
		} else if (c == '"' || c == '\\') {
			text_printf(t, "\\%c", c);
		} else if (c >= 8 && c <= 13 && short_of[c - 8]) {
			text_printf(t, "\\%c", short_of[c - 8]);
		} else if (c < 0x20) {
			text_printf(t, "\\u%04x", c);
		} else {
			text_add(t, s + i, n);
		}
	}
	text_add(t, "\"", 1);
}

void put_key(struct text *t, const char *key)
{
	value(t);
	quote(t, key, strlen(key));
	text_add(t, ":", 1);
	t->is_behind = 0;
}

void put_string_n(struct text *t, const char *s, size_t size)
{
	value(t);
	quote(t, s, size);
}

void put_string(struct text *t, const char *s)
{
	put_string_n(t, s, strlen(s));
}

void put_number(struct text *t, uint64_t n)
{
	value(t);
	text_printf(t, "%" PRIu64, n);
}

void put_bool(struct text *t, int yes)
{
	value(t);
	text_puts(t, yes ? "true" : "false");
}

void put_null(struct text *t)
{
	value(t);
	text_puts(t, "null");
}

void put_raw(struct text *t, const char *json, size_t size)
{
	value(t);
	text_add(t, json, size);
}

void put_pair(struct text *t, const char *key, const char *s)
{
	if (!s)
		return;
	put_key(t, key);
	put_string(t, s);
}
