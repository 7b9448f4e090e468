#include "incoming.h"
#include "auto.h"
#include "io.h"
#include "objpath.h"

#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

int pk_incoming_open(struct pk_incoming *in, int dir, const char *path,
		     const struct pakhus_source *source,
		     struct pakhus_error *err)
{
	char real[PATH_MAX];
	size_t size;
	int rc;

	in->source = source;
	if (!realpath(path, real))
		return pk_fail_sys(err, "%s", path);
	size = strlen(real) + sizeof("/" PK_INCOMING);
	in->path = malloc(size);
	if (!in->path)
		return pk_fail_nomem(err);
	snprintf(in->path, size, "%s/" PK_INCOMING, real);
	rc = pk_mkdir(dir, PK_INCOMING, 0700, err);
	if (rc)
		return rc;
	in->dir = openat(dir, PK_INCOMING,
			 O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
	return in->dir < 0 ? pk_fail_sys(err, PK_INCOMING) : 0;
}

void pk_incoming_close(struct pk_incoming *in)
{
	free(in->path);
	pk_auto_close(&in->dir);
	*in = (struct pk_incoming)PK_INCOMING_INIT;
}

void pk_incoming_empty(struct pk_incoming *in)
{
	static const char *const top[] = { "FORMAT", "log", "keys", "objects" };

	for (size_t i = 0; i < sizeof(top) / sizeof(*top); i++)
		pk_remove_tree(in->dir, top[i]);
}

/* Calls fn for each directory above a file, outermost first, until it gives
 * other than 0. */
static int each_parent(struct pk_incoming *in, const char *name,
		       int (*fn)(struct pk_incoming *in, const char *dir,
				 struct pakhus_error *err),
		       struct pakhus_error *err)
{
	char dir[PK_OBJPATH_SIZE + 8];
	const char *slash = name;
	int rc = 0;

	while (!rc && (slash = strchr(slash, '/'))) {
		memcpy(dir, name, (size_t)(slash - name));
		dir[slash++ - name] = '\0';
		rc = fn(in, dir, err);
	}
	return rc;
}

static int make_dir(struct pk_incoming *in, const char *dir,
		    struct pakhus_error *err)
{
	struct stat st;

	if (!mkdirat(in->dir, dir, 0700))
		return 0;
	if (errno == EEXIST &&
	    !fstatat(in->dir, dir, &st, AT_SYMLINK_NOFOLLOW)) {
		if (S_ISDIR(st.st_mode))
			return 0;
		unlinkat(in->dir, dir, 0);
		if (!mkdirat(in->dir, dir, 0700))
			return 0;
	}
	return pk_fail_sys(err, "make " PK_INCOMING "/%s", dir);
}

/* 1 where it is none, or a link to one. */
static int is_no_dir(struct pk_incoming *in, const char *dir,
		     struct pakhus_error *err)
{
	struct stat st;

	if (!fstatat(in->dir, dir, &st, AT_SYMLINK_NOFOLLOW))
		return !S_ISDIR(st.st_mode);
	return errno == ENOENT ? 1
			       : pk_fail_sys(err, PK_INCOMING "/%s", dir);
}

int pk_incoming_has(struct pk_incoming *in, const char *name, uint64_t *size,
		    struct pakhus_error *err)
{
	struct stat st;
	int rc = each_parent(in, name, is_no_dir, err);

	if (rc)
		return rc < 0 ? rc : 0;
	if (fstatat(in->dir, name, &st, AT_SYMLINK_NOFOLLOW))
		return errno == ENOENT ? 0
				       : pk_fail_sys(err, PK_INCOMING "/%s",
						     name);
	/* what has another name can be changed through it */
	if (!S_ISREG(st.st_mode) || st.st_nlink != 1 || !st.st_size)
		return 0;
	if (size)
		*size = (uint64_t)st.st_size;
	return 1;
}

/* Not through a directory that is a link. */
void pk_incoming_drop(struct pk_incoming *in, const char *name)
{
	if (!each_parent(in, name, is_no_dir, NULL))
		pk_remove_tree(in->dir, name);
}

/* Whatever is no file, or too long, is removed. */
static int sift(struct pk_incoming *in, const char *const *names, size_t n,
		uint64_t max, struct pakhus_error *err)
{
	for (size_t i = 0; i < n; i++) {
		uint64_t size = 0;
		int rc = pk_incoming_has(in, names[i], &size, err);

		if (rc < 0)
			return rc;
		if (!rc || size > max)
			pk_incoming_drop(in, names[i]);
	}
	return 0;
}

int pk_incoming_fetch(struct pk_incoming *in, const char *const *names,
		      size_t n, uint64_t max, unsigned flags,
		      struct pakhus_error *err)
{
	const struct pakhus_source *source = in->source;
	int rc = 0;

	if (!n)
		return 0;
	for (size_t i = 0; i < n && !rc; i++)
		rc = each_parent(in, names[i], make_dir, err);
	if (!rc)
		rc = sift(in, names, n, UINT64_MAX, err);
	if (rc)
		return rc;
	rc = source->fetch(source->arg, in->path, names, n, max, flags, err);
	if (rc) /* told already, or should have been */
		return pk_fail(err, rc, "%s: %s", source->name,
			       pakhus_strstatus(rc));
	return sift(in, names, n, max, err);
}

int pk_incoming_put(struct pk_incoming *in, int dir, const char *staged,
		    const char *name, struct pakhus_error *err)
{
	int rc = each_parent(in, name, make_dir, err);

	if (rc)
		return rc;
	pk_incoming_drop(in, name);
	if (renameat(dir, staged, in->dir, name))
		return pk_fail_sys(err, "move to " PK_INCOMING "/%s", name);
	return 0;
}
