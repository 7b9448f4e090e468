/* files.h - whole files read and written, and shell commands that succeed. */
#ifndef FILES_H
#define FILES_H

#include "io.h"

#include <fcntl.h>
#include <stdarg.h>
#include <sys/stat.h>

static inline void run(const char *fmt, ...)
	__attribute__((format(printf, 1, 2)));
static inline void run(const char *fmt, ...)
{
	char *command;
	va_list ap;

	va_start(ap, fmt);
	assert_true(vasprintf(&command, fmt, ap) >= 0);
	va_end(ap);
	assert_int_equal(system(command), 0);
	free(command);
}

static inline char *slurp(const char *path, size_t *size)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	struct stat st;
	char *p;

	assert_true(fd >= 0);
	assert_int_equal(fstat(fd, &st), 0);
	*size = (size_t)st.st_size;
	p = malloc(*size + 1);
	assert_int_equal(pk_pread(fd, p, *size, 0), *size);
	close(fd);
	return p;
}

/* Into the same inode, so that a stamp still names it. */
static inline void spill(const char *path, const char *bytes, size_t size)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	assert_true(fd >= 0);
	assert_int_equal(pk_pwrite(fd, bytes, size, 0), 0);
	close(fd);
}

#endif
