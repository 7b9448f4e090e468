/* encode_zstd.c - the coding zstd (RFC 8878); in the server the home of zstd.
 */
#include <stdlib.h>
#include <zstd.h>
#include <zstd_errors.h>

#include "coding.h"

#define LEVEL 3
/* What a client's window may take: RFC 9659 says 8 MB for this use. */
#define WINDOW_LOG 23

int zstd_encode(const char *in, size_t n, char **out, size_t *size)
{
	size_t room = ZSTD_compressBound(n), got;

	*out = malloc(room);
	if (!*out)
		return -1;
	got = ZSTD_compress(*out, room, in, n, LEVEL);
	if (ZSTD_isError(got)) {
		free(*out);
		return -1;
	}
	*size = got;
	return 0;
}

static int status_of(size_t code)
{
	return ZSTD_getErrorCode(code) == ZSTD_error_memory_allocation
		       ? DECODE_NOMEM
		       : DECODE_BAD;
}

/* Up to the end of the last frame, of which there may be several. */
static int decode(ZSTD_DStream *z, ZSTD_inBuffer *in, size_t max, char **out,
		  size_t *size)
{
	size_t room = 0, left = 1;

	*size = 0;
	while (left || in->pos < in->size) {
		size_t fed = in->pos, had = *size;
		ZSTD_outBuffer to;

		if (coding_room(out, &room, *size, max))
			return DECODE_NOMEM;
		to = (ZSTD_outBuffer){*out, room, *size};
		left = ZSTD_decompressStream(z, &to, in);
		*size = to.pos;
		if (ZSTD_isError(left))
			return status_of(left);
		if (*size > max)
			return DECODE_BIG;
		if (left && in->pos == fed && *size == had)
			return DECODE_BAD; /* cut off */
	}
	return 0;
}

int zstd_decode(const char *in, size_t n, size_t max, char **out, size_t *size)
{
	ZSTD_DStream *z = ZSTD_createDStream();
	ZSTD_inBuffer from = {in, n, 0};
	int rc;

	*out = NULL;
	if (!z)
		return DECODE_NOMEM;
	ZSTD_DCtx_setParameter(z, ZSTD_d_windowLogMax, WINDOW_LOG);
	rc = decode(z, &from, max, out, size);
	ZSTD_freeDStream(z);
	if (rc) {
		free(*out);
		*out = NULL;
		return rc;
	}
	(*out)[*size] = '\0';
	return 0;
}
