/* encode_gzip.c - the coding gzip (RFC 1952); the home of zlib. */
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#include "coding.h"

#define GZIP_ONLY (16 + MAX_WBITS)
/* Of an artifact of 650 KB 6 takes 1.4 times the time for 7 % less, 4 0.9
 * times for 9 % more. */
#define LEVEL 5

int gzip_encode(const char *in, size_t n, char **out, size_t *size)
{
	z_stream z = {0};
	size_t room;

	if (n > UINT_MAX / 2 || deflateInit2(&z, LEVEL, Z_DEFLATED, GZIP_ONLY,
					     8, Z_DEFAULT_STRATEGY) != Z_OK)
		return -1;
	room = deflateBound(&z, (uLong)n);
	*out = malloc(room);
	if (!*out) {
		deflateEnd(&z);
		return -1;
	}
	z.next_in = (Bytef *)in;
	z.avail_in = (uInt)n;
	z.next_out = (Bytef *)*out;
	z.avail_out = (uInt)room;
	deflate(&z, Z_FINISH); /* there is room for all of it */
	*size = z.total_out;
	deflateEnd(&z);
	return 0;
}

/* Up to the end of the last member, of which there may be several. */
static int decode(z_stream *z, size_t max, char **out, size_t *size)
{
	size_t room = 0;
	int rc, is_whole = 0;

	*size = 0;
	while (!is_whole || z->avail_in) {
		if (is_whole && inflateReset(z) != Z_OK)
			return DECODE_NOMEM;
		if (coding_room(out, &room, *size, max))
			return DECODE_NOMEM;
		z->next_out = (Bytef *)*out + *size;
		z->avail_out = room - *size > UINT_MAX
				       ? UINT_MAX
				       : (uInt)(room - *size);
		rc = inflate(z, Z_NO_FLUSH);
		*size = (size_t)((char *)z->next_out - *out);
		if (*size > max)
			return DECODE_BIG;
		if (rc == Z_MEM_ERROR)
			return DECODE_NOMEM;
		if (rc != Z_OK && rc != Z_STREAM_END)
			return DECODE_BAD;
		is_whole = rc == Z_STREAM_END;
	}
	return 0;
}

int gzip_decode(const char *in, size_t n, size_t max, char **out, size_t *size)
{
	z_stream z = {0};
	int rc;

	*out = NULL;
	if (n > UINT_MAX)
		return DECODE_BIG;
	if (inflateInit2(&z, GZIP_ONLY) != Z_OK)
		return DECODE_NOMEM;
	z.next_in = (Bytef *)in;
	z.avail_in = (uInt)n;
	rc = decode(&z, max, out, size);
	inflateEnd(&z);
	if (rc) {
		free(*out);
		*out = NULL;
		return rc;
	}
	(*out)[*size] = '\0';
	return 0;
}
