/* lines.h - a descriptor line by line, without copying.
 *
 * A line is a slice of the buffer and gone with the next call. Set fd, the
 * rest 0; lines_release() frees the buffer and leaves fd alone.
 */
#ifndef LINES_H
#define LINES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define LINES_MAX ((size_t)64 << 20)

struct lines {
	int fd;
	const char *line; /* without its newline */
	size_t size;
	uint64_t number; /* of line, from 1 */
	uint64_t bytes;	 /* read, line included */
	/* private */
	char *buf;
	size_t room, start, end;
	bool eof;
};

/* 1: a line, 0: no more, -1: errno says why; EFBIG is a line beyond
 * LINES_MAX, EINTR a signal that was caught. */
int lines_next(struct lines *lines);
void lines_release(struct lines *lines);

#endif
