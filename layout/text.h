/* text.h - the small change of JSON text: eight bytes at a time and \uXXXX.
 * What reads JSON here, reads it through these.
 */
#ifndef PK_TEXT_H
#define PK_TEXT_H

#include "bytes.h"

#if defined(__SSE2__) && !defined(PK_PORTABLE)
#include <emmintrin.h>
#endif

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

/* Copies PK_STRIDE bytes and gives how many of them come before the first
 * one that ends a plain run: PK_STRIDE where none does. Most strings of a
 * document are shorter than 16 bytes, so a stride is all there is to do.
 * PK_PORTABLE is for testing what other processors have. */
#if defined(__SSE2__) && !defined(PK_PORTABLE)
#define PK_STRIDE 16
static inline size_t pk_text_copy(char *to, const char *from)
{
	__m128i v = _mm_loadu_si128((const __m128i *)from);
	/* signed: what is beyond ASCII is less than a space too */
	__m128i stop = _mm_or_si128(
		_mm_cmplt_epi8(v, _mm_set1_epi8(0x20)),
		_mm_or_si128(_mm_cmpeq_epi8(v, _mm_set1_epi8('"')),
			     _mm_cmpeq_epi8(v, _mm_set1_epi8('\\'))));

	_mm_storeu_si128((__m128i *)to, v);
	return (size_t)__builtin_ctz((unsigned)_mm_movemask_epi8(stop) |
				     1u << PK_STRIDE);
}
#else
#define PK_STRIDE 8
static inline size_t pk_text_copy(char *to, const char *from)
{
	uint64_t w = pk_text_stops(pk_le64((const unsigned char *)from));

	memcpy(to, from, PK_STRIDE);
	return w ? (size_t)pk_text_run(w) : PK_STRIDE;
}
#endif

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
