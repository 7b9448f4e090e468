/* bytes.h - loads and stores of named byte order, and the one way to advance
 * through bytes that came from a disk.
 *
 * Every decoder of layout/ reads through a struct pk_bytes: a take that does
 * not fit leaves it untouched and returns NULL, so no length is believed
 * before it was compared with what is there.
 */
#ifndef PK_BYTES_H
#define PK_BYTES_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#define PK_HASH_SIZE 32	 /* SHA-256, in bytes */
#define PK_HEX_SIZE 64	 /* and as lower-case hexadecimal digits */
#define PK_ID_MAX 214	 /* F-9 */
#define PK_VERSION_MAX 128 /* F-9 */
#define PK_BY_MAX 64	 /* F-21 */

struct pk_bytes {
	const unsigned char *at;
	size_t left;
};

static inline const unsigned char *pk_take(struct pk_bytes *b, size_t n)
{
	const unsigned char *p = b->at;

	if (n > b->left)
		return NULL;
	b->at += n;
	b->left -= n;
	return p;
}

static inline uint16_t pk_be16(const unsigned char *p)
{
	return (uint16_t)(p[0] << 8 | p[1]);
}

static inline uint32_t pk_le32(const unsigned char *p)
{
	return (uint32_t)p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 |
	       (uint32_t)p[3] << 24;
}

static inline uint64_t pk_le64(const unsigned char *p)
{
	return (uint64_t)pk_le32(p) | (uint64_t)pk_le32(p + 4) << 32;
}

static inline uint64_t pk_be64(const unsigned char *p)
{
	uint64_t v = 0;

	for (int i = 0; i < 8; i++)
		v = v << 8 | p[i];
	return v;
}

static inline void pk_put_be16(unsigned char *p, uint16_t v)
{
	p[0] = (unsigned char)(v >> 8);
	p[1] = (unsigned char)v;
}

static inline void pk_put_le32(unsigned char *p, uint32_t v)
{
	for (int i = 0; i < 4; i++)
		p[i] = (unsigned char)(v >> 8 * i);
}

static inline void pk_put_le64(unsigned char *p, uint64_t v)
{
	for (int i = 0; i < 8; i++)
		p[i] = (unsigned char)(v >> 8 * i);
}

static inline void pk_put_be64(unsigned char *p, uint64_t v)
{
	for (int i = 0; i < 8; i++)
		p[i] = (unsigned char)(v >> 8 * (7 - i));
}

#endif
