#include "tmpfile.h"
#include "bytes.h"
#include "auto.h"
#include "hex.h"
#include "io.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#define LEFT_AGE 3600 /* seconds */

int pk_tmp_open(struct pk_tmp *t, int dir, const char *name,
		struct pakhus_error *err)
{
	int flags = O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC;

	t->dir = dir;
	snprintf(t->path, sizeof(t->path), PK_STAGE "/%s", name);
	t->fd = openat(dir, t->path, flags, 0644);
	/* who was killed before the rename left one, perhaps read-only */
	if (t->fd < 0 && errno == EEXIST && !unlinkat(dir, t->path, 0))
		t->fd = openat(dir, t->path, flags, 0644);
	if (t->fd < 0)
		return pk_fail_sys(err, "make %s", t->path);
	return 0;
}

int pk_tmp_write(struct pk_tmp *t, const void *buf, size_t n,
		 struct pakhus_error *err)
{
	const char *p = buf;

	while (n) {
		ssize_t r = write(t->fd, p, n);

		if (r < 0 && errno == EINTR)
			continue;
		if (r < 0)
			return pk_fail_sys(err, "write %s", t->path);
		p += r;
		n -= (size_t)r;
	}
	return 0;
}

int pk_tmp_sync(struct pk_tmp *t, struct pakhus_error *err)
{
	if (pk_fsync(t->fd))
		return pk_fail_sys(err, "sync %s", t->path);
	return 0;
}

int pk_tmp_publish(struct pk_tmp *t, const char *path, unsigned mode,
		   struct pakhus_error *err)
{
	if (fchmod(t->fd, mode) || renameat(t->dir, t->path, t->dir, path))
		return pk_fail_sys(err, "install %s", path);
	close(t->fd);
	t->fd = -1;
	return 0;
}

void pk_tmp_discard(struct pk_tmp *t)
{
	int saved = errno;

	if (t->fd >= 0) {
		close(t->fd);
		unlinkat(t->dir, t->path, 0);
		t->fd = -1;
	}
	errno = saved;
}

void pk_stage_clear(int dir)
{
	AUTO_DIR DIR *d = pk_opendir(dir, PK_STAGE, 0);
	time_t now = time(NULL);
	struct dirent *e;
	struct stat st;

	while (d && (e = readdir(d)))
		if (e->d_name[0] != '.' &&
		    (strlen(e->d_name) == PK_HEX_SIZE ||
		     (!fstatat(dirfd(d), e->d_name, &st,
			       AT_SYMLINK_NOFOLLOW) &&
		      st.st_mtime + LEFT_AGE < now)))
			unlinkat(dirfd(d), e->d_name, 0);
}

int pk_install(int dir, const char *path, const void *bytes, size_t size,
	       unsigned mode, struct pakhus_error *err)
{
	AUTO(pk_tmp_discard) struct pk_tmp tmp = PK_TMP_INIT;
	unsigned char id[8];
	char name[17];
	int rc = pk_random(id, sizeof(id), err);

	if (rc)
		return rc;
	pk_hex(id, sizeof(id), name);
	rc = pk_tmp_open(&tmp, dir, name, err);
	if (!rc)
		rc = pk_tmp_write(&tmp, bytes, size, err);
	if (!rc)
		rc = pk_tmp_sync(&tmp, err);
	if (!rc)
		rc = pk_tmp_publish(&tmp, path, mode, err);
	return rc;
}
