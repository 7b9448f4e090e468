#include "object.h"

#include <stdlib.h>
#include <string.h>

#include "hex.h"
#include "pakhus.h"

struct scan {
	const char *at, *end;
	const char *fault;
};

static const char no_json[] = "is no JSON";
const char object_no_memory[] = "takes more memory than there is";

static int stop(struct scan *s, const char *fault)
{
	if (!s->fault)
		s->fault = fault;
	return 0;
}

static void space(struct scan *s)
{
	while (s->at < s->end && memchr(" \t\n\r", *s->at, 4))
		s->at++;
}

static int take(struct scan *s, char c)
{
	if (s->at == s->end || *s->at != c)
		return 0;
	s->at++;
	return 1;
}

/* Four hexadecimal digits, or -1. */
static int unit(const char *at, const char *end)
{
	int i, n = 0;

	if (end - at < 4)
		return -1;
	for (i = 0; i < 4; i++) {
		int digit = hex_value(at[i]);

		if (digit < 0)
			return -1;
		n = n << 4 | digit;
	}
	return n;
}

static int string(struct scan *s)
{
	if (!take(s, '"'))
		return stop(s, no_json);
	while (s->at < s->end && *s->at != '"') {
		unsigned char c = (unsigned char)*s->at++;

		if (c < 0x20)
			return stop(s, no_json);
		if (c != '\\')
			continue;
		if (s->at == s->end || !strchr("\"\\/bfnrtu", *s->at) ||
		    !*s->at)
			return stop(s, no_json);
		if (*s->at++ == 'u' && unit(s->at, s->end) < 0)
			return stop(s, no_json);
	}
	return take(s, '"') || stop(s, no_json);
}

static int digits(struct scan *s)
{
	const char *from = s->at;

	while (s->at < s->end && *s->at >= '0' && *s->at <= '9')
		s->at++;
	return s->at > from || stop(s, no_json);
}

static int number(struct scan *s)
{
	take(s, '-');
	if (!take(s, '0') && !digits(s))
		return 0;
	if (take(s, '.') && !digits(s))
		return 0;
	if (!take(s, 'e') && !take(s, 'E'))
		return 1;
	if (!take(s, '-'))
		take(s, '+');
	return digits(s);
}

static int literal(struct scan *s, const char *word)
{
	size_t size = strlen(word);

	if ((size_t)(s->end - s->at) < size || memcmp(s->at, word, size) != 0)
		return stop(s, no_json);
	s->at += size;
	return 1;
}

static int value(struct scan *s, int depth);

/* The comma or bracket behind a value. 1: another one follows. */
static int more(struct scan *s, char close)
{
	space(s);
	if (take(s, ','))
		return 1;
	if (!take(s, close))
		stop(s, no_json);
	return 0;
}

/* A member up to its value's end. */
static int member(struct scan *s, int depth, struct member *out)
{
	space(s);
	out->key.text = s->at + 1;
	if (!string(s))
		return 0;
	out->key.size = (size_t)(s->at - 1 - out->key.text);
	space(s);
	if (!take(s, ':'))
		return stop(s, no_json);
	space(s);
	out->value.text = s->at;
	if (!value(s, depth))
		return 0;
	out->value.size = (size_t)(s->at - out->value.text);
	return 1;
}

static int value(struct scan *s, int depth)
{
	struct member each;
	char c;

	if (s->at == s->end)
		return stop(s, no_json);
	if (depth > OBJECT_DEPTH)
		return stop(s, "is nested too deep");
	c = *s->at;
	switch (c) {
	case '"':
		return string(s);
	case 't':
		return literal(s, "true");
	case 'f':
		return literal(s, "false");
	case 'n':
		return literal(s, "null");
	case '{':
	case '[':
		break;
	default:
		return number(s);
	}
	s->at++;
	space(s);
	if (take(s, c == '{' ? '}' : ']'))
		return 1;
	do {
		space(s);
		if (c == '{' ? !member(s, depth + 1, &each)
			     : !value(s, depth + 1))
			return 0;
	} while (more(s, c == '{' ? '}' : ']'));
	return !s->fault;
}

static struct member *grown(struct object *o, size_t *room)
{
	struct member *items = o->items;

	if (o->count == *room) {
		*room = *room ? 2 * *room : 16;
		items = realloc(o->items, *room * sizeof(*items));
		if (!items)
			return NULL;
		o->items = items;
	}
	return items + o->count;
}

const char *object_read(struct object *out, const char *text, size_t size)
{
	struct scan s = {text, text + size, NULL};
	struct object o = {NULL, 0};
	struct member *next;
	size_t room = 0;

	space(&s);
	if (s.at == s.end)
		return "is empty";
	if (!take(&s, '{'))
		return "is no JSON object";
	space(&s);
	if (!take(&s, '}')) {
		do {
			next = grown(&o, &room);
			if (!next)
				stop(&s, object_no_memory);
			else if (member(&s, 1, next))
				o.count++;
		} while (!s.fault && more(&s, '}'));
	}
	space(&s);
	if (!s.fault && s.at != s.end)
		stop(&s, "has something behind its object");
	if (s.fault) {
		free(o.items);
		return s.fault;
	}
	*out = o;
	return NULL;
}

void object_free(struct object *object)
{
	free(object->items);
	object->items = NULL;
	object->count = 0;
}

/* Of a code point that is none of a surrogate pair, but for a lone one, which
 * becomes what no UTF-8 is, and is refused as that. */
static char *utf8(char *to, unsigned c)
{
	if (c < 0x80) {
		*to++ = (char)c;
		return to;
	}
	if (c < 0x800) {
		*to++ = (char)(0xc0 | c >> 6);
	} else {
		if (c < 0x10000) {
			*to++ = (char)(0xe0 | c >> 12);
		} else {
			*to++ = (char)(0xf0 | c >> 18);
			*to++ = (char)(0x80 | (c >> 12 & 0x3f));
		}
		*to++ = (char)(0x80 | (c >> 6 & 0x3f));
	}
	*to++ = (char)(0x80 | (c & 0x3f));
	return to;
}

/* An escape behind its backslash; *at goes behind it. */
static char *unescape(char *to, const char **at, const char *end)
{
	static const char names[] = "\"\\/bfnrt", values[] = "\"\\/\b\f\n\r\t";
	int high, low;
	char c = *(*at)++;

	if (c != 'u') {
		*to++ = values[strchr(names, c) - names];
		return to;
	}
	high = unit(*at, end);
	*at += 4;
	if (high >= 0xd800 && high < 0xdc00 && end - *at >= 6 &&
	    (*at)[0] == '\\' && (*at)[1] == 'u') {
		low = unit(*at + 2, end);
		if (low >= 0xdc00 && low < 0xe000) {
			*at += 6;
			high = 0x10000 + ((high - 0xd800) << 10) +
			       (low - 0xdc00);
		}
	}
	return utf8(to, (unsigned)high);
}

/* The inside of a string's quotes, which was scanned, into as many bytes: no
 * text is longer without its escapes. */
static size_t plain(struct slice in, char *out)
{
	const char *at = in.text, *end = in.text + in.size;
	char *to = out;

	while (at < end) {
		if (*at != '\\') {
			*to++ = *at++;
			continue;
		}
		at++;
		to = unescape(to, &at, end);
	}
	return (size_t)(to - out);
}

enum { KEY_MAX = 40, ESCAPE = 6 };

int member_is(const struct member *m, const char *key)
{
	char text[ESCAPE * KEY_MAX];
	size_t size = strlen(key);

	if (!memchr(m->key.text, '\\', m->key.size))
		return m->key.size == size && !memcmp(m->key.text, key, size);
	return m->key.size <= sizeof(text) && plain(m->key, text) == size &&
	       !memcmp(text, key, size);
}

struct slice object_get(const struct object *object, const char *key)
{
	struct slice none = {NULL, 0};
	size_t i;

	for (i = object->count; i-- > 0;) {
		if (!member_is(&object->items[i], key))
			continue;
		return slice_is(object->items[i].value, "null")
			? none : object->items[i].value;
	}
	return none;
}

char *slice_string(struct slice slice, size_t *size, int *is_failed)
{
	struct slice inside = slice;
	size_t got;
	char *out;

	if (!slice.text || slice.text[0] != '"')
		return NULL;
	inside.text++;
	inside.size -= 2;
	out = malloc(inside.size + 1);
	if (!out) {
		*is_failed = 1;
		return NULL;
	}
	got = plain(inside, out);
	out[got] = '\0';
	if (!size && strlen(out) != got) {
		free(out);
		return NULL;
	}
	if (size)
		*size = got;
	return out;
}

int slice_is(struct slice slice, const char *word)
{
	return slice.text && slice.size == strlen(word) &&
	       !memcmp(slice.text, word, slice.size);
}

int slice_equal(struct slice a, struct slice b)
{
	if (!a.text || !b.text)
		return a.text == b.text;
	return a.size == b.size && !memcmp(a.text, b.text, a.size);
}

struct slice canonical_get(const char *text, size_t size, const char *key)
{
	struct pakhus_json it = {.text = text, .size = size};
	struct slice value = {NULL, 0};

	while (!value.text && pakhus_json_next(&it) == 1)
		if (it.key_size == strlen(key) &&
		    !memcmp(it.key, key, it.key_size))
			value = (struct slice){it.value, it.value_size};
	return value;
}
