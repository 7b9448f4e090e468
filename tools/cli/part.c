#include "part.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#define AGAIN_MIN 65536 /* less is as soon brought as asked for */

struct part_name {
	char text[300];
};

static struct part_name name_of(const char *name)
{
	struct part_name part;

	snprintf(part.text, sizeof(part.text), "%s.part", name);
	return part;
}

static int open_part(struct part *part, int dir, const char *name, int flags)
{
	struct part_name path = name_of(name);

	*part = (struct part){dir, name, -1, 0};
	part->fd = openat(dir, path.text,
			  O_WRONLY | O_CLOEXEC | O_NOFOLLOW | flags, 0644);
	return part->fd < 0 ? -1 : 0;
}

int part_begin(struct part *part, int dir, const char *name)
{
	return open_part(part, dir, name, O_CREAT | O_TRUNC);
}

int part_again(struct part *part, int dir, const char *name, time_t *when)
{
	struct stat st;

	if (open_part(part, dir, name, 0))
		return -1;
	if (fstat(part->fd, &st) || st.st_size < AGAIN_MIN ||
	    lseek(part->fd, 0, SEEK_END) < 0) {
		part_drop(part);
		errno = ENOENT;
		return -1;
	}
	part->size = (uint64_t)st.st_size;
	*when = st.st_mtime;
	return 0;
}

int part_write(struct part *part, const void *bytes, size_t size)
{
	const char *at = bytes;
	ssize_t n;

	while (size) {
		n = write(part->fd, at, size);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -1;
		at += n;
		size -= (size_t)n;
		part->size += (uint64_t)n;
	}
	return 0;
}

int part_empty(struct part *part)
{
	part->size = 0;
	if (ftruncate(part->fd, 0))
		return -1;
	return lseek(part->fd, 0, SEEK_SET) < 0 ? -1 : 0;
}

static int close_part(struct part *part)
{
	int rc = close(part->fd);

	part->fd = -1;
	return rc;
}

int part_finish(struct part *part)
{
	struct part_name path = name_of(part->name);

	if (close_part(part))
		return -1;
	return renameat(part->dir, path.text, part->dir, part->name);
}

void part_drop(struct part *part)
{
	struct part_name path;

	if (part->fd < 0)
		return;
	path = name_of(part->name);
	close_part(part);
	unlinkat(part->dir, path.text, 0);
}

void part_keep(struct part *part, time_t when)
{
	struct timespec times[2] = {{.tv_nsec = UTIME_OMIT}, {.tv_sec = when}};

	if (part->fd < 0)
		return;
	if (part->size < AGAIN_MIN || futimens(part->fd, times))
		part_drop(part);
	else
		close_part(part);
}
