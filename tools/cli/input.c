#include "input.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "say.h"

const char *input_name(const char *path)
{
	return strcmp(path, "-") ? path : "stdin";
}

static int system_failed(const struct cli *cli, const char *path)
{
	int denied = errno == EACCES || errno == EPERM;

	return say_failed(cli, denied ? CLI_DENIED : CLI_FAILED, "%s: %s",
			  input_name(path), strerror(errno));
}

int input_open(const struct cli *cli, const char *path, int *fd)
{
	struct stat st;
	int f = STDIN_FILENO;

	if (!*path)
		return say_usage(cli, "the name of a file is empty");
	if (strcmp(path, "-") != 0)
		f = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	if (f < 0 || fstat(f, &st))
		return system_failed(cli, path);
	if (S_ISDIR(st.st_mode)) {
		close(f);
		errno = EISDIR; /* as read(2) would say it */
		return system_failed(cli, path);
	}
	*fd = f;
	return CLI_DONE;
}

/* Up to max bytes and one more, which says that there are too many. */
static int read_some(int fd, char **text, size_t *size, size_t max)
{
	size_t room = 0, n = 0;
	char *buf = NULL, *more;
	ssize_t got;

	for (;;) {
		if (n == room) {
			room = room ? 2 * room : 65536;
			if (room > max + 1)
				room = max + 1;
			more = realloc(buf, room);
			if (!more)
				break;
			buf = more;
		}
		got = read(fd, buf + n, room - n);
		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			break;
		n += (size_t)got;
		if (!got || n > max) {
			*text = buf;
			*size = n;
			return 0;
		}
	}
	free(buf);
	return -1;
}

int input_read(const struct cli *cli, const char *path, char **text,
	       size_t *size)
{
	char *buf = NULL;
	size_t n = 0;
	int fd = -1, rc, saved;

	rc = input_open(cli, path, &fd);
	if (rc)
		return rc;
	rc = read_some(fd, &buf, &n, INPUT_MAX);
	saved = errno;
	if (fd != STDIN_FILENO)
		close(fd);
	errno = saved;
	if (rc)
		return system_failed(cli, path);
	if (n > INPUT_MAX) {
		free(buf);
		return say_failed(cli, CLI_FAILED, "%s: larger than 64 MiB",
				  input_name(path));
	}
	*text = buf;
	*size = n;
	return CLI_DONE;
}
