/* text.h - the small change of JSON text: eight bytes at a time and \uXXXX.
 * What reads JSON here, reads it through these.
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
