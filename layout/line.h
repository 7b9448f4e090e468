/* line.h - texts of lines: taking one, and reading a number. */
#ifndef PK_LINE_H
#define PK_LINE_H

#include "bytes.h"

/* The next line without its newline; 0 where there is none. */
static inline int pk_line_next(struct pk_bytes *b, const char **line,
			       size_t *size)
{
	const unsigned char *nl = b->left ? memchr(b->at, '\n', b->left) : NULL;

	if (!nl)
		return 0;
	*line = (const char *)b->at;
	*size = (size_t)(nl - b->at);
	pk_take(b, *size + 1);
	return 1;
}

/* A decimal number of at most 16 digits, without leading zeros; 0, or -1. */
static inline int pk_decimal(const char *text, size_t size, uint64_t *out)
{
	if (!size || size > 16 || (text[0] == '0' && size > 1))
		return -1;
	*out = 0;
	for (size_t i = 0; i < size; i++) {
		if (text[i] < '0' || text[i] > '9')
			return -1;
		*out = *out * 10 + (uint64_t)(text[i] - '0');
	}
	return 0;
}

#endif
