/* coding.h - content codings (RFC 9110, section 8.4.1) of whole bodies.
 *
 * zlib stays in encode_gzip.c, zstd in encode_zstd.c.
 */
#ifndef CODING_H
#define CODING_H

#include <stddef.h>

/* In the order of what is preferred where a client likes all the same. */
enum coding { CODING_ZSTD, CODING_GZIP, CODING_IDENTITY, CODINGS };

extern const char *const coding_names[CODINGS];

enum {
	DECODE_BAD = -1,    /* not of the coding, cut off, or more behind it */
	DECODE_BIG = -2,    /* more than max comes out of it */
	DECODE_NOMEM = -3
};

/* *out is malloc'ed; 0, or -1: out of memory. */
int gzip_encode(const char *in, size_t n, char **out, size_t *size);
int zstd_encode(const char *in, size_t n, char **out, size_t *size);

/* *out is malloc'ed, NUL-terminated besides, and has at most max bytes; 0, or
 * DECODE_…. Memory follows what comes out, not what the input says of it. */
int gzip_decode(const char *in, size_t n, size_t max, char **out,
		size_t *size);
int zstd_decode(const char *in, size_t n, size_t max, char **out,
		size_t *size);

/* Room for what is decoded, for the two above: for more than used bytes, at
 * most max + 1 and a NUL. 0, or DECODE_NOMEM. */
int coding_room(char **out, size_t *room, size_t used, size_t max);

#endif
