/* text.h - the small change of JSON text: eight bytes at a time, UTF-8,
 * and \uXXXX. What reads JSON here, reads it through these.
 */
#ifndef PK_TEXT_H
#define PK_TEXT_H

#include "bytes.h"

#define PK_EACH(byte) (UINT64_C(0x0101010101010101) * (byte))

/* Marks, of eight bytes, those that end a plain run inside a string: '"',
 * '\', below U+0020, and all of UTF-8 beyond ASCII. A borrow may mark bytes
 * above a marked one, so only the lowest mark means anything. */
static inline uint64_t pk_text_stops(uint64_t w)
{
	uint64_t quote = w ^ PK_EACH('"'), slash = w ^ PK_EACH('\\');

	return (((w - PK_EACH(0x20)) & ~w) | ((quote - PK_EACH(1)) & ~quote) |
		((slash - PK_EACH(1)) & ~slash) | w) &
	       PK_EACH(0x80);
}

/* Bytes before the lowest mark; marks is not 0. */
static inline int pk_text_run(uint64_t marks)
{
	return __builtin_ctzll(marks) >> 3;
}

/* Bytes of the UTF-8 sequence at p, whose first is 0x80 or more; 0 when it is
 * cut, overlong, a surrogate or beyond U+10FFFF (RFC 3629). */
static inline size_t pk_utf8_size(const char *text, size_t left)
{
	const unsigned char *p = (const unsigned char *)text;
	unsigned char lo = 0x80, hi = 0xbf;
	size_t n;

	if (p[0] < 0xc2 || p[0] > 0xf4)
		return 0;
	n = p[0] < 0xe0 ? 2 : p[0] < 0xf0 ? 3 : 4;
	if (left < n)
		return 0;
	if (p[0] == 0xe0)
		lo = 0xa0;
	else if (p[0] == 0xed)
		hi = 0x9f;
	else if (p[0] == 0xf0)
		lo = 0x90;
	else if (p[0] == 0xf4)
		hi = 0x8f;
	if (p[1] < lo || p[1] > hi)
		return 0;
	for (size_t i = 2; i < n; i++)
		if ((p[i] & 0xc0) != 0x80)
			return 0;
	return n;
}

/* Writes at most four bytes and gives the end. */
static inline char *pk_utf8_put(char *o, uint32_t c)
{
	if (c < 0x80) {
		*o++ = (char)c;
		return o;
	}
	if (c < 0x800) {
		*o++ = (char)(0xc0 | c >> 6);
	} else {
		if (c < 0x10000) {
			*o++ = (char)(0xe0 | c >> 12);
		} else {
			*o++ = (char)(0xf0 | c >> 18);
			*o++ = (char)(0x80 | (c >> 12 & 0x3f));
		}
		*o++ = (char)(0x80 | (c >> 6 & 0x3f));
	}
	*o++ = (char)(0x80 | (c & 0x3f));
	return o;
}

/* Four hexadecimal digits, or how many of them there are minus 5. */
static inline int32_t pk_text_hex(const char *p, size_t left)
{
	uint32_t v = 0;

	for (int i = 0; i < 4; i++) {
		unsigned char c = (size_t)i < left ? (unsigned char)p[i] : 0;

		if (c >= '0' && c <= '9')
			v = v << 4 | (uint32_t)(c - '0');
		else if ((c | 0x20) >= 'a' && (c | 0x20) <= 'f')
			v = v << 4 | (uint32_t)((c | 0x20) - 'a' + 10);
		else
			return i - 5;
	}
	return (int32_t)v;
}

#endif
