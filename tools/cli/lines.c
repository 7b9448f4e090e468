#include "lines.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define LINES_ROOM ((size_t)1 << 20)

/* Makes room behind what is in the buffer. */
static int make_room(struct lines *lines)
{
	size_t room = lines->room ? 2 * lines->room : LINES_ROOM;
	char *buf;

	if (lines->start) {
		lines->end -= lines->start;
		memmove(lines->buf, lines->buf + lines->start, lines->end);
		lines->start = 0;
	}
	if (lines->end < lines->room)
		return 0;
	if (room > LINES_MAX + 1) /* one more: its newline */
		room = LINES_MAX + 1;
	if (room == lines->room) {
		errno = EFBIG;
		return -1;
	}
	buf = realloc(lines->buf, room);
	if (!buf)
		return -1;
	lines->buf = buf;
	lines->room = room;
	return 0;
}

static int fill(struct lines *lines)
{
	ssize_t got;

	if (lines->end == lines->room && make_room(lines))
		return -1;
	got = read(lines->fd, lines->buf + lines->end,
		   lines->room - lines->end);
	if (got < 0)
		return -1;
	lines->eof = !got;
	lines->end += (size_t)got;
	return 0;
}

/* The line that ends at end; skip is 1 where a newline follows. */
static int take(struct lines *lines, size_t end, size_t skip)
{
	lines->line = lines->buf + lines->start;
	lines->size = end - lines->start;
	lines->bytes += lines->size + skip;
	lines->number++;
	lines->start = end + skip;
	return 1;
}

int lines_next(struct lines *lines)
{
	size_t seen = 0; /* behind start, without a newline */
	char *nl;

	for (;;) {
		nl = NULL;
		if (lines->end > lines->start + seen)
			nl = memchr(lines->buf + lines->start + seen, '\n',
				    lines->end - lines->start - seen);
		if (nl)
			return take(lines, (size_t)(nl - lines->buf), 1);
		seen = lines->end - lines->start;
		if (lines->eof)
			return seen ? take(lines, lines->end, 0) : 0;
		if (fill(lines))
			return -1;
	}
}

void lines_release(struct lines *lines)
{
	free(lines->buf);
	lines->buf = NULL;
}
