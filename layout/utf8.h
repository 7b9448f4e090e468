/* utf8.h - UTF-8: one sequence read or written, and is a text of it fit for
 * one line of a log? What reads texts byte by byte has these inlined.
 */
#ifndef PK_UTF8_H
#define PK_UTF8_H

#include <stddef.h>
#include <stdint.h>

/* Bytes of the well-formed UTF-8 sequence (RFC 3629) at p, 1 to 4; 0 where
 * there is none: overlong, surrogate, above U+10FFFF, cut off. left > 0. */
static inline size_t pk_utf8_len(const unsigned char *p, size_t left)
{
	/* the second byte's range follows from the first; RFC 3629 section 4 */
	unsigned lo = 0x80, hi = 0xBF;
	size_t n;

	if (p[0] < 0x80)
		return 1;
	if (p[0] < 0xC2 || p[0] > 0xF4)
		return 0;
	n = p[0] < 0xE0 ? 2 : p[0] < 0xF0 ? 3 : 4;
	if (n > left)
		return 0;
	if (p[0] == 0xE0)
		lo = 0xA0;
	else if (p[0] == 0xED)
		hi = 0x9F;
	else if (p[0] == 0xF0)
		lo = 0x90;
	else if (p[0] == 0xF4)
		hi = 0x8F;
	if (p[1] < lo || p[1] > hi)
		return 0;
	for (size_t i = 2; i < n; i++)
		if (p[i] < 0x80 || p[i] > 0xBF)
			return 0;
	return n;
}

/* Writes c, a scalar value, in at most four bytes and gives the end. */
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

/* Well-formed and without control characters (C0, DEL, C1). */
int pk_is_plain(const char *text, size_t size);

#endif
