/* file.c - a file of the public tree by its name, for who serves it (F-43).
 *
 * A name is taken apart by the codecs that make such names, so that none
 * leads anywhere else, and none into local/. Each directory on the way is
 * opened for itself and never through a link.
 */
#include "hex.h"
#include "key.h"
#include "objpath.h"
#include "store.h"
#include "tile.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#define NAME_MAX_SIZE 128 /* of the longest, an object of pkg/, and more */

static int is_digits(const char *s, size_t n)
{
	return strspn(s, "0123456789abcdef") >= n;
}

/* keys/ and 8 digits, with .next or not. F-36, F-68 */
static int judge_key(const char *rest, int *is_immutable)
{
	if (!is_digits(rest, 8))
		return 0;
	*is_immutable = !rest[8];
	return !rest[8] || !strcmp(rest + 8, ".next");
}

/* F-32; a partial one goes, and is asked for again in vain. */
static int judge_log(const char *rest, int *is_immutable)
{
	struct pk_tile t;

	if (!strcmp(rest, "checkpoint"))
		return 1;
	if (pk_tile_parse(rest, &t))
		return 0;
	*is_immutable = t.width == PK_TILE_WIDTH;
	return 1;
}

/* ab/ and 62 digits, and what stands behind them. F-11, F-95 */
static int judge_digest(const char *rest, const char *behind)
{
	return is_digits(rest, 2) && rest[2] == '/' &&
	       is_digits(rest + 3, PK_HEX_SIZE - 2) &&
	       !strcmp(rest + PK_HEX_SIZE + 1, behind);
}

static const char *below(const char *name, const char *dir)
{
	size_t n = strlen(dir);

	return strncmp(name, dir, n) ? NULL : name + n;
}

/* Whether it is a name of the public tree. */
static int judge(const char *name, int *is_immutable)
{
	const char *rest;

	*is_immutable = 0;
	if (!strcmp(name, "FORMAT"))
		return 1;
	rest = below(name, "objects/");
	if (rest)
		return *is_immutable = judge_digest(rest, "");
	rest = below(name, "log/");
	if (rest)
		return judge_log(rest, is_immutable);
	rest = below(name, "keys/");
	if (rest)
		return judge_key(rest, is_immutable);
	rest = below(name, "pkg/");
	return rest && judge_digest(rest, ".jsonl");
}

/* *at becomes the next one, and the one before is closed. */
static int step(int *at, int dir, const char *part, int flags)
{
	int fd = openat(*at, part, flags | O_NOFOLLOW | O_CLOEXEC);

	if (*at != dir)
		pk_auto_close(at);
	*at = fd;
	return fd < 0 ? -1 : 0;
}

/* Opens a name that judge() took; -1 with errno. */
static int walk(int dir, const char *name)
{
	char copy[NAME_MAX_SIZE], *part = copy, *slash;
	int at = dir;

	snprintf(copy, sizeof(copy), "%s", name);
	while ((slash = strchr(part, '/'))) {
		*slash = '\0';
		if (step(&at, dir, part, O_PATH | O_DIRECTORY))
			return -1;
		part = slash + 1;
	}
	/* what is no file must not be waited for */
	return step(&at, dir, part, O_RDONLY | O_NONBLOCK) ? -1 : at;
}

static int fail_kind(const char *name, struct pakhus_error *err)
{
	return pk_fail(err, PAKHUS_ECORRUPT,
		       "%s: F-43 is no regular file in directories that are "
		       "no links", name);
}

/* fd is what walk() gave. */
static int look(int fd, const char *name, struct stat *st,
		struct pakhus_error *err)
{
	if (fd < 0 && errno == ENOENT)
		return pk_fail(err, PAKHUS_ENOTFOUND, "not found: %s", name);
	if (fd < 0 && (errno == ELOOP || errno == ENOTDIR))
		return fail_kind(name, err);
	if (fd < 0 || fstat(fd, st))
		return pk_fail_sys(err, "open %s", name);
	return S_ISREG(st->st_mode) ? 0 : fail_kind(name, err);
}

int pakhus_open_file(struct pakhus *s, const char *name,
		     struct pakhus_file *out, struct pakhus_error *err)
{
	int is_immutable, fd;
	struct stat st;
	int rc = pk_enter(s, err);

	if (rc)
		return rc;
	if (strlen(name) >= NAME_MAX_SIZE || !judge(name, &is_immutable))
		return pk_fail(err, PAKHUS_EINVAL,
			       "not the name of a file that a store shows");
	fd = walk(s->env->dir, name);
	rc = look(fd, name, &st, err);
	if (rc) {
		pk_auto_close(&fd);
		return rc;
	}
	out->fd = fd;
	out->size = (uint64_t)st.st_size;
	out->is_immutable = is_immutable;
	return 0;
}
