/* json.c - see json.h.
 *
 * What kind of value is walked needs no state of its own: the first byte and
 * the last say it, and at is the bracket before the first item, the comma
 * before any other, and the closing bracket at the end.
 */
#include <limits.h>
#include <string.h>

#include "json.h"
#include "text.h"
#include "utf8.h"

int pk_json_init(struct pk_json *it, const char *text, size_t size)
{
	memset(it, 0, sizeof(*it));
	if (size < 2 || !((text[0] == '{' && text[size - 1] == '}') ||
			  (text[0] == '[' && text[size - 1] == ']')))
		return -1;
	it->at = text;
	it->end = text + size;
	return 0;
}

/* From an opening quote to behind the closing one, or NULL. */
static const char *skip_string(const char *p, const char *end)
{
	uint64_t w;

	p++;
	for (;;) {
		while (end - p >= 8) {
			w = pk_text_stops(pk_le64((const unsigned char *)p));
			p += w ? pk_text_run(w) : 8;
			if (w)
				break;
		}
		if (p >= end || (unsigned char)*p < 0x20)
			return NULL;
		if (*p == '"')
			return p + 1;
		if (*p == '\\' && ++p >= end)
			return NULL;
		p++;
	}
}

/* From an opening bracket to behind the one that closes it. Which of the
 * two kinds the brackets between are is left to who walks in there. */
static const char *skip_brackets(const char *p, const char *end)
{
	size_t depth = 0;

	while (p < end) {
		switch (*p) {
		case '"':
			p = skip_string(p, end);
			if (!p)
				return NULL;
			continue;
		case '{':
		case '[':
			depth++;
			break;
		case '}':
		case ']':
			if (--depth == 0)
				return p + 1;
		}
		p++;
	}
	return NULL;
}

static const char *skip_word(const char *p, const char *end, const char *word)
{
	size_t n = strlen(word);

	return (size_t)(end - p) >= n && !memcmp(p, word, n) ? p + n : NULL;
}

static const char *skip_value(const char *p, const char *end)
{
	if (p >= end)
		return NULL;
	switch (*p) {
	case '"':
		return skip_string(p, end);
	case '{':
	case '[':
		return skip_brackets(p, end);
	case 't':
		return skip_word(p, end, "true");
	case 'f':
		return skip_word(p, end, "false");
	case 'n':
		return skip_word(p, end, "null");
	}
	if (*p != '-' && (*p < '0' || *p > '9'))
		return NULL;
	do
		p++;
	while (p < end && ((*p >= '0' && *p <= '9') || *p == '.' || *p == 'e' ||
			   *p == '+' || *p == '-'));
	return p;
}

static int stop(struct pk_json *it)
{
	it->at = NULL; /* once wrong, wrong for ever */
	return -1;
}

int pk_json_next(struct pk_json *it)
{
	const char *p = it->at, *last, *q;
	int first;

	if (!p)
		return -1;
	last = it->end - 1;
	first = *p == '{' || *p == '[';
	if (p == last || (first && p + 1 == last)) {
		it->at = last;
		return 0;
	}
	if (!first && *p != ',')
		return stop(it);
	p++;
	if (*last == '}') {
		q = *p == '"' ? skip_string(p, last) : NULL;
		if (!q || q >= last || *q != ':')
			return stop(it);
		it->key.at = p + 1;
		it->key.size = (size_t)(q - p) - 2;
		p = q + 1;
	}
	q = skip_value(p, last);
	if (!q || (q < last && *q != ','))
		return stop(it);
	it->value.at = p;
	it->value.size = (size_t)(q - p);
	it->at = q;
	return 1;
}

/* The character an escape stands for, *at behind its backslash; or -1. */
static int32_t take_escape(const char **at, const char *end)
{
	static const char from[] = "\"\\/bfnrt", to[] = "\"\\/\b\f\n\r\t";
	const char *p = *at, *s;
	int32_t v, low;

	if (p >= end || !*p)
		return -1;
	if (*p != 'u') {
		s = strchr(from, *p);
		*at = p + 1;
		return s ? (unsigned char)to[s - from] : -1;
	}
	v = pk_text_hex(p + 1, (size_t)(end - p - 1));
	p += 5;
	if (v >= 0xd800 && v < 0xe000) {
		if (v >= 0xdc00 || end - p < 6 || p[0] != '\\' || p[1] != 'u')
			return -1;
		low = pk_text_hex(p + 2, 4);
		if (low < 0xdc00 || low >= 0xe000)
			return -1;
		v = 0x10000 + ((v - 0xd800) << 10) + (low - 0xdc00);
		p += 6;
	}
	*at = p;
	return v < 0 ? -1 : v;
}

int pk_json_unescape(struct pk_span inside, char *out, size_t cap)
{
	const char *p = inside.at, *end = inside.at + inside.size;
	char utf8[4];
	size_t n = 0, k;
	int32_t v;

	while (p < end) {
		if (*p == '\\') {
			p++;
			v = take_escape(&p, end);
			if (v < 0)
				return -1;
			k = (size_t)(pk_utf8_put(utf8, (uint32_t)v) - utf8);
		} else {
			utf8[0] = *p++;
			k = 1;
		}
		if (n >= INT_MAX - k || n + k >= cap)
			return -1;
		memcpy(out + n, utf8, k);
		n += k;
	}
	if (n >= cap)
		return -1;
	out[n] = '\0';
	return (int)n;
}
