#include "outfile.h"
#include "auto.h"
#include "io.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>

#define BUFFER ((size_t)256 << 10)

/* What is there and no file, a terminal or a disk, would be renamed over. */
static int check_place(const char *path, struct pakhus_error *err)
{
	struct stat st;

	if (stat(path, &st))
		return errno == ENOENT ? 0 : pk_fail_sys(err, "%s", path);
	if (S_ISREG(st.st_mode))
		return 0;
	return pk_fail(err, PAKHUS_EINVAL,
		       "%s: is there, and not a regular file", path);
}

/* Locks the file that has the name: who had it before may have renamed it
 * since it was opened. 1, 0: try again, or a failure. */
static int take_part(struct pk_out *o, struct pakhus_error *err)
{
	struct stat own, named;
	int rc;

	o->fd = open(o->part, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0666);
	if (o->fd < 0 && (errno == ENOENT || errno == ENOTDIR))
		return pk_fail(err, PAKHUS_ESYS,
			       "make %s: there is no such directory", o->part);
	if (o->fd < 0 || fstat(o->fd, &own))
		return pk_fail_sys(err, "make %s", o->part);
	if (!S_ISREG(own.st_mode))
		return pk_fail(err, PAKHUS_EINVAL,
			       "%s: is there, and not a regular file", o->part);
	while ((rc = flock(o->fd, LOCK_EX | LOCK_NB)) && errno == EINTR)
		;
	if (rc && errno == EWOULDBLOCK)
		return pk_fail(err, PAKHUS_EBUSY,
			       "%s: somebody else is writing it", o->path);
	if (rc)
		return pk_fail_sys(err, "lock %s", o->part);
	if (!stat(o->part, &named) && named.st_dev == own.st_dev &&
	    named.st_ino == own.st_ino)
		return 1;
	pk_auto_close(&o->fd);
	o->fd = -1;
	return 0;
}

/* NAME.part, and the directory: nothing is left to fail for want of memory
 * when the file has its name. */
static int name_them(struct pk_out *o, struct pakhus_error *err)
{
	size_t n = strlen(o->path);
	const char *slash = strrchr(o->path, '/');

	o->part = malloc(n + sizeof(".part"));
	o->parent = strdup(slash ? o->path : ".");
	if (!o->part || !o->parent)
		return pk_fail_nomem(err);
	memcpy(o->part, o->path, n);
	memcpy(o->part + n, ".part", sizeof(".part"));
	if (slash)
		o->parent[slash - o->path + 1] = '\0';
	return 0;
}

int pk_out_open(struct pk_out *o, struct pakhus_error *err)
{
	int rc = o->path ? check_place(o->path, err) : 0;

	if (rc)
		return rc;
	o->buf = malloc(BUFFER);
	if (!o->buf)
		return pk_fail_nomem(err);
	if (!o->path)
		return 0;
	rc = name_them(o, err);
	if (rc)
		return rc;
	do {
		rc = take_part(o, err);
	} while (!rc);
	if (rc < 0) {
		/* it is not ours to take away */
		pk_auto_close(&o->fd);
		o->fd = -1;
		return rc;
	}
	if (ftruncate(o->fd, 0))
		return pk_fail_sys(err, "empty %s", o->part);
	return 0;
}

static int flush(struct pk_out *o, struct pakhus_error *err)
{
	if (!o->n)
		return 0;
	if (!o->path && o->write(o->arg, o->buf, o->n))
		return pk_fail(err, PAKHUS_ECANCELED, "writing was cancelled");
	if (o->path && pk_pwrite(o->fd, o->buf, o->n, o->given))
		return pk_fail_sys(err, "write %s", o->part);
	o->given += o->n;
	o->n = 0;
	return 0;
}

int pk_out_put(struct pk_out *o, const void *bytes, size_t n,
	       struct pakhus_error *err)
{
	const char *p = bytes;

	while (n) {
		size_t some = BUFFER - o->n < n ? BUFFER - o->n : n;
		int rc;

		memcpy(o->buf + o->n, p, some);
		o->n += some;
		p += some;
		n -= some;
		rc = o->n == BUFFER ? flush(o, err) : 0;
		if (rc)
			return rc;
	}
	return 0;
}

int pk_out_again(struct pk_out *o, struct pakhus_error *err)
{
	if (!o->path && o->given)
		return 0;
	o->n = 0;
	o->given = 0;
	if (o->path && ftruncate(o->fd, 0))
		return pk_fail_sys(err, "empty %s", o->part);
	return 1;
}

static int sync_parent(const char *dir, struct pakhus_error *err)
{
	struct pakhus_error e = { .status = 0 };
	int rc = pk_sync_dir(AT_FDCWD, dir, &e);

	/* one that may be searched and not read cannot be synced */
	return !rc || rc == PAKHUS_EDENIED ? 0 : pk_fail(err, rc, "%s", e.text);
}

int pk_out_publish(struct pk_out *o, struct pakhus_error *err)
{
	int rc = flush(o, err);

	if (rc || !o->path)
		return rc;
	if (pk_fsync(o->fd))
		return pk_fail_sys(err, "sync %s", o->part);
	if (renameat(AT_FDCWD, o->part, AT_FDCWD, o->path))
		return pk_fail_sys(err, "install %s", o->path);
	pk_auto_close(&o->fd);
	o->fd = -1;
	return sync_parent(o->parent, err);
}

void pk_out_discard(struct pk_out *o)
{
	int saved = errno;

	if (o->fd >= 0) {
		unlinkat(AT_FDCWD, o->part, 0);
		close(o->fd);
		o->fd = -1;
	}
	free(o->part);
	free(o->parent);
	free(o->buf);
	o->part = o->parent = o->buf = NULL;
	errno = saved;
}
