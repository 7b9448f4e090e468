#include "coding.h"

#include <stdlib.h>

const char *const coding_names[CODINGS] = {
	[CODING_ZSTD] = "zstd",
	[CODING_GZIP] = "gzip",
	[CODING_IDENTITY] = "identity",
};

int coding_room(char **out, size_t *room, size_t used, size_t max)
{
	size_t more = *room ? 2 * *room : 4096;
	char *p;

	if (used < *room)
		return 0;
	if (more > max + 1)
		more = max + 1;
	p = realloc(*out, more + 1);
	if (!p)
		return DECODE_NOMEM;
	*out = p;
	*room = more;
	return 0;
}
