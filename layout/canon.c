/* canon.c - the one pass over a text; see canon.h.
 *
 * The text is read once, from left to right, and its canonical form written
 * as it is read. That form is in JavaScript's order already unless an object
 * has integer-like keys out of order or a key twice. Both are rare, so text
 * is never moved while reading: order.c keeps what there is to do, and if
 * there is any at the end, one more pass does it.
 *
 * Nothing that the text grows by needs a check of the buffer: everything but
 * a number is written in at most as many bytes as it was read from. So there
 * is always room for what is left to read and PK_SLACK bytes, and numbers
 * alone see to it that this stays true.
 */
#include <stdlib.h>
#include <string.h>

#include "canon_state.h"
#include "document.h"
#include "number.h"
#include "order.h"
#include "text.h"
#include "utf8.h"

/* Room for what is left to read, after a number has taken of it. */
static int room(struct pk_canon *c, const char *p, char **o)
{
	size_t left = (size_t)(c->end - p), cap;
	char *out;

	c->len = (size_t)(*o - c->out);
	if (c->cap - c->len >= left + PK_SLACK)
		return 0;
	cap = c->len + c->len / 2 + left + 2 * PK_SLACK;
	out = realloc(c->out, cap);
	if (!out)
		return -1;
	c->out = out;
	c->cap = cap;
	*o = out + c->len;
	return 0;
}

static inline char peek(const char *p, const char *end)
{
	return p < end ? *p : '\0'; /* no token begins with a NUL */
}

/* One escape, from its backslash; F-5. */
static int take_escape(struct pk_canon *c, const char **at, char **out)
{
	static const char from[] = "\"\\/bfnrt", to[] = "\"\\/\b\f\n\r\t";
	static const char hex[] = "0123456789abcdef";
	const char *p = *at + 1, *end = c->end, *s;
	char *o = *out;
	int32_t v, low;

	if (peek(p, end) == 'u') {
		p++;
		v = pk_text_hex(p, (size_t)(end - p));
		if (v < 0)
			return pk_canon_fail(c, p + 5 + v,
					     "expected a hexadecimal digit");
		p += 4;
	} else {
		s = peek(p, end) ? strchr(from, *p) : NULL;
		if (!s)
			return pk_canon_fail(c, p, "unknown escape");
		v = (unsigned char)to[s - from];
		p++;
	}
	if (v >= 0xd800 && v < 0xe000) {
		low = -1;
		if (v < 0xdc00 && end - p >= 6 && p[0] == '\\' && p[1] == 'u')
			low = pk_text_hex(p + 2, 4);
		if (low < 0xdc00 || low >= 0xe000) /* F-6 */
			return pk_canon_fail(
				c, *at,
				"a lone surrogate cannot be represented");
		v = 0x10000 + ((v - 0xd800) << 10) + (low - 0xdc00);
		p += 6;
	}
	s = v < 0x5d && v ? strchr(to, v) : NULL;
	if (s && v != '/') {
		*o++ = '\\';
		*o++ = from[s - to];
	} else if (v < 0x20) {
		memcpy(o, "\\u00", 4);
		o[4] = hex[v >> 4];
		o[5] = hex[v & 15];
		o += 6;
	} else {
		o = pk_utf8_put(o, (uint32_t)v);
	}
	*at = p;
	*out = o;
	return 0;
}

/* A string from its opening quote to behind its closing one; F-5. */
static inline int take_string(struct pk_canon *c, const char **at, char **out)
{
	const char *p = *at, *end = c->end;
	char *o = *out;
	size_t n;
	int rc;

	*o++ = *p++;
	for (;;) {
		while (end - p >= PK_STRIDE) {
			n = pk_text_copy(o, p);
			p += n;
			o += n;
			if (n < PK_STRIDE)
				break;
		}
		if (p == end)
			return pk_canon_fail(c, p, NULL);
		if (*p == '"') {
			*o++ = *p++;
			*at = p;
			*out = o;
			return 0;
		}
		if (*p == '\\') {
			rc = take_escape(c, &p, &o);
			if (rc)
				return rc;
		} else if ((unsigned char)*p < 0x20) { /* F-6 */
			return pk_canon_fail(c, p,
					     "a control character in a string "
					     "must be escaped");
		} else if ((unsigned char)*p < 0x80) {
			*o++ = *p++;
		} else {
			do {
				n = pk_utf8_len((const unsigned char *)p,
						(size_t)(end - p));
				if (!n) /* F-6 */
					return pk_canon_fail(c, p,
							     "invalid UTF-8");
				memcpy(o, p, end - p >= 4 ? 4 : n);
				p += n;
				o += n;
			} while (p < end && (unsigned char)*p >= 0x80);
		}
	}
}

static int take_key(struct pk_canon *c, struct pk_frame *f, const char **at,
		    char **out)
{
	const char *p = *at, *end = c->end, *key = p;
	char *o = *out;
	int rc;

	if (peek(p, end) != '"')
		return pk_canon_fail(c, p, "expected a key in quotes");
	rc = take_string(c, &p, &o);
	if (rc)
		return rc;
	rc = pk_order_key(c, f, *out, o);
	if (rc)
		return rc;
	p = pk_skip_space(p, end);
	if (peek(p, end) != ':')
		return pk_canon_fail(c, p, "expected ':'");
	*o++ = *p++;
	p = pk_skip_space(p, end);
	if (c->document && c->depth <= 2)
		pk_document_note(c, key, p, o);
	*at = p;
	*out = o;
	return 0;
}

static int take_word(struct pk_canon *c, const char **at, char **out)
{
	static const char *const words[] = {"true", "false", "null"};
	const char *p = *at;

	for (size_t i = 0; i < 3; i++) {
		size_t n = strlen(words[i]);

		if ((size_t)(c->end - p) >= n && !memcmp(p, words[i], n)) {
			memcpy(*out, p, n);
			*at += n;
			*out += n;
			return 0;
		}
	}
	return pk_canon_fail(c, p, "expected a value");
}

static int take_number(struct pk_canon *c, const char **at, char **out)
{
	const char *what = NULL;
	size_t n = pk_number_canon(at, c->end, *out, &what);

	if (!n)
		return pk_canon_fail(c, *at, what); /* F-4 */
	*out += n;
	return room(c, *at, out) ? pk_canon_nomem(c) : 0;
}

static int open_bracket(struct pk_canon *c, const char *p, const char *o)
{
	struct pk_frame *f = &c->frame[c->depth];

	if (c->depth >= c->deepest) /* F-7 */
		return pk_canon_limit(c, p, "nested deeper than 512 levels");
	c->depth++;
	memset(f, 0, sizeof(*f));
	f->at = (uint32_t)(o - c->out);
	f->members = (uint32_t)c->members;
	f->plans = (uint32_t)c->plans;
	f->close = *p == '{' ? '}' : ']';
	return 0;
}

int pk_canon_run(struct pk_canon *c)
{
	const char *p = c->json, *end = c->end;
	char *o = c->out;
	struct pk_frame *f = NULL; /* of the innermost bracket */
	int rc;

	if (end - p >= 3 && !memcmp(p, "\xef\xbb\xbf", 3)) /* F-6 */
		return pk_canon_fail(c, p, "a byte order mark");
value:
	p = pk_skip_space(p, end);
	switch (peek(p, end)) {
	case '"':
		rc = take_string(c, &p, &o);
		break;
	case '{':
	case '[':
		rc = open_bracket(c, p, o);
		if (rc)
			return rc;
		f = &c->frame[c->depth - 1];
		*o++ = *p++;
		p = pk_skip_space(p, end);
		if (peek(p, end) == f->close)
			goto close;
		if (f->close == ']')
			goto value;
		goto key;
	case '-':
	case '0':
	case '1':
	case '2':
	case '3':
	case '4':
	case '5':
	case '6':
	case '7':
	case '8':
	case '9':
		rc = take_number(c, &p, &o);
		break;
	default:
		rc = take_word(c, &p, &o);
	}
	if (rc)
		return rc;
next:
	p = pk_skip_space(p, end);
	if (!f) {
		if (p < end)
			return pk_canon_fail(c, p,
					     "unexpected text after the value");
		c->len = (size_t)(o - c->out);
		return 0;
	}
	if (peek(p, end) == ',') {
		*o++ = *p++;
		if (f->close == ']')
			goto value;
		p = pk_skip_space(p, end);
		goto key;
	}
	if (peek(p, end) != f->close)
		return pk_canon_fail(c, p,
				     f->close == ']' ? "expected ',' or ']'"
						     : "expected ',' or '}'");
close:
	*o++ = *p++;
	if (f->close == '}') {
		rc = pk_order_close(c, f, o);
		if (rc)
			return rc;
	}
	c->depth--;
	f = c->depth ? f - 1 : NULL;
	goto next;
key:
	rc = take_key(c, f, &p, &o);
	if (rc)
		return rc;
	goto value;
}

int pk_value_canon(const char *json, size_t size, size_t most, char **out,
		   size_t *out_size, struct pk_canon_error *err)
{
	struct pk_canon c;
	int rc = pk_canon_start(&c, json, size, 0);

	if (!rc)
		rc = pk_canon_run(&c);
	if (!rc)
		rc = pk_order_settle(&c);
	rc = pk_canon_finish(&c, rc, most, err);
	if (rc)
		return rc;
	*out = c.out;
	*out_size = c.len;
	return 0;
}
