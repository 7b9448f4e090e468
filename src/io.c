#include "io.h"
#include "auto.h"

#include <dirent.h>
#include <fcntl.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>

int pk_read_file(int dir, const char *path, size_t max, char **out,
		 size_t *size, struct pakhus_error *err)
{
	AUTO_CLOSE int fd = openat(dir, path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	AUTO_FREE char *buf = NULL;
	struct stat st;
	ssize_t n;

	if (fd < 0 || fstat(fd, &st))
		return pk_fail_sys(err, "%s", path);
	if (!S_ISREG(st.st_mode))
		return pk_fail(err, PAKHUS_ECORRUPT, "%s: F-43 not a regular file",
			       path);
	if ((uint64_t)st.st_size > max)
		return pk_fail(err, PAKHUS_ECORRUPT,
			       "%s: F-43 longer than %zu bytes", path,
			       max);
	buf = malloc((size_t)st.st_size + 1);
	if (!buf)
		return pk_fail_nomem(err);
	n = pk_pread(fd, buf, (size_t)st.st_size, 0);
	if (n < 0)
		return pk_fail_sys(err, "%s", path);
	buf[n] = '\0';
	*size = (size_t)n;
	*out = PK_MOVE(buf);
	return 0;
}

ssize_t pk_pread(int fd, void *buf, size_t n, uint64_t at)
{
	size_t got = 0;

	while (got < n) {
		ssize_t r = pread(fd, (char *)buf + got, n - got,
				  (off_t)(at + got));

		if (r < 0 && errno == EINTR)
			continue;
		if (r < 0)
			return -1;
		if (!r)
			break;
		got += (size_t)r;
	}
	return (ssize_t)got;
}

int pk_pwrite(int fd, const void *buf, size_t n, uint64_t at)
{
	size_t put = 0;

	while (put < n) {
		ssize_t r = pwrite(fd, (const char *)buf + put, n - put,
				   (off_t)(at + put));

		if (r < 0 && errno == EINTR)
			continue;
		if (r < 0)
			return -1;
		put += (size_t)r;
	}
	return 0;
}

/* EINTR is tried again: nothing was said yet about the bytes. Any other
 * failure is final, as the kernel may have dropped them. */
int pk_fsync(int fd)
{
	int rc;

	while ((rc = fsync(fd)) && errno == EINTR)
		;
	return rc;
}

int pk_fdatasync(int fd)
{
	int rc;

	while ((rc = fdatasync(fd)) && errno == EINTR)
		;
	return rc;
}

int pk_mkdir(int dir, const char *path, unsigned mode, struct pakhus_error *err)
{
	if (mkdirat(dir, path, mode) && errno != EEXIST)
		return pk_fail_sys(err, "make %s", path);
	return 0;
}

int pk_sync_dir(int dir, const char *path, struct pakhus_error *err)
{
	AUTO_CLOSE int fd =
		openat(dir, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (fd < 0 || pk_fsync(fd))
		return pk_fail_sys(err, "sync %s", path);
	return 0;
}

DIR *pk_opendir(int dir, const char *path, int flags)
{
	int fd = openat(dir, path,
			O_RDONLY | O_DIRECTORY | O_CLOEXEC | flags);
	DIR *d = fd < 0 ? NULL : fdopendir(fd);

	if (!d)
		pk_auto_close(&fd);
	return d;
}

int pk_readdir(DIR *d, const char *path, const char **name,
	       struct pakhus_error *err)
{
	struct dirent *e;

	errno = 0;
	e = readdir(d);
	if (!e)
		return errno ? pk_fail_sys(err, "list %s", path) : 0;
	*name = e->d_name;
	return 1;
}

void pk_empty_dir(int dir, const char *path)
{
	AUTO_DIR DIR *d = pk_opendir(dir, path, 0);
	struct dirent *e;

	while (d && (e = readdir(d)))
		if (e->d_name[0] != '.')
			unlinkat(dirfd(d), e->d_name, 0);
}

#define DEPTH_MAX 16 /* what is deeper nobody here made */

static void remove_tree(int dir, const char *path, int depth)
{
	AUTO_DIR DIR *d = NULL;
	struct dirent *e;

	if (!unlinkat(dir, path, 0) || errno == ENOENT || !depth)
		return;
	d = pk_opendir(dir, path, O_NOFOLLOW);
	while (d && (e = readdir(d)))
		if (strcmp(e->d_name, ".") && strcmp(e->d_name, ".."))
			remove_tree(dirfd(d), e->d_name, depth - 1);
	unlinkat(dir, path, AT_REMOVEDIR);
}

void pk_remove_tree(int dir, const char *path)
{
	remove_tree(dir, path, DEPTH_MAX);
}

int pk_exists(int dir, const char *path, struct pakhus_error *err)
{
	if (!faccessat(dir, path, F_OK, 0))
		return 1;
	if (errno == ENOENT)
		return 0;
	return pk_fail_sys(err, "%s", path);
}

int pk_random(void *buf, size_t n, struct pakhus_error *err)
{
	ssize_t got;

	/* at most 256 bytes: getrandom gives them whole, or, before there
	 * are any, a signal */
	while ((got = getrandom(buf, n, 0)) < 0 && errno == EINTR)
		;
	if (got != (ssize_t)n)
		return pk_fail_sys(err, "no random numbers");
	return 0;
}
