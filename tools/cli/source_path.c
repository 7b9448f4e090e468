/* source_path.c - a store or a mirror that is a directory here.
 *
 * It is opened anew for each fetch: where it stands may be mounted and
 * unmounted between them.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "interrupt.h"
#include "mem.h"
#include "part.h"
#include "progress.h"
#include "source.h"

struct path {
	char *name;
	uint64_t max;
	int from, into; /* directories, during a fetch */
	char buffer[1 << 17];
};

static int status_of(int sys)
{
	if (sys == ENOENT)
		return PAKHUS_ENOTFOUND;
	return sys == EACCES ? PAKHUS_EDENIED : PAKHUS_ESYS;
}

static int read_failed(const struct path *p, const char *name,
		       struct pakhus_error *err)
{
	int sys = errno;

	return source_fail(err, status_of(sys), sys, "%s/%s", p->name, name);
}

/* *fd is -1 where it is to be left out. O_NONBLOCK: a FIFO does not wait. */
static int open_file(const struct path *p, const char *name, int *fd,
		     struct pakhus_error *err)
{
	struct stat st;

	*fd = openat(p->from, name,
		     O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	if (*fd < 0 && (errno == ENOENT || errno == ENOTDIR || errno == ELOOP ||
			errno == ENXIO))
		return 0;
	if (*fd < 0)
		return read_failed(p, name, err);
	if (!fstat(*fd, &st) && S_ISREG(st.st_mode) &&
	    (uint64_t)st.st_size <= p->max)
		return 0;
	close(*fd);
	*fd = -1;
	return 0;
}

/* As long as it is now, and no longer than max: it may be written. */
static int copy(struct path *p, const char *name, int fd, struct part *part,
		struct pakhus_error *err)
{
	ssize_t n;

	for (;;) {
		n = read(fd, p->buffer, sizeof(p->buffer));
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return read_failed(p, name, err);
		if (!n)
			break;
		if ((uint64_t)n > p->max - part->size) {
			part_drop(part);
			return 0;
		}
		if (part_write(part, p->buffer, (size_t)n))
			return source_fail(err, PAKHUS_ESYS, errno, "write %s",
					   name);
	}
	if (part_finish(part))
		return source_fail(err, PAKHUS_ESYS, errno, "write %s", name);
	return 0;
}

static int bring(struct path *p, const char *name, struct pakhus_error *err)
{
	struct part part = PART_INIT;
	int fd, rc;

	rc = open_file(p, name, &fd, err);
	if (rc || fd < 0)
		return rc;
	if (part_begin(&part, p->into, name))
		rc = source_fail(err, PAKHUS_ESYS, errno, "write %s", name);
	else
		rc = copy(p, name, fd, &part, err);
	part_drop(&part);
	close(fd);
	return rc;
}

static int open_both(struct path *p, const char *into, struct pakhus_error *err)
{
	int sys;

	p->from = open(p->name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (p->from < 0) {
		sys = errno;
		return source_fail(err, status_of(sys), sys, "%s", p->name);
	}
	p->into = open(into, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (p->into >= 0)
		return 0;
	sys = errno;
	close(p->from);
	return source_fail(err, PAKHUS_ESYS, sys, "%s", into);
}

static int fetch(void *arg, const char *into, const char *const *names,
		 size_t n, uint64_t max, unsigned flags,
		 struct pakhus_error *err)
{
	struct path *p = arg;
	size_t i;
	int rc;

	(void)flags; /* a directory is always fresh */
	rc = open_both(p, into, err);
	if (rc)
		return rc;
	p->max = max;
	for (i = 0; i < n && !rc; i++) {
		if (interrupt_pending())
			rc = source_canceled(err);
		else
			rc = bring(p, names[i], err);
		progress_show("copied %zu of %zu files", i + 1, n);
	}
	progress_clear();
	close(p->from);
	close(p->into);
	return rc;
}

static void path_close(void *arg)
{
	struct path *p = arg;

	free(p->name);
	free(p);
}

int source_path_open(const struct cli *cli, const char *name,
		     struct source *out)
{
	struct path *p = mem_need(calloc(1, sizeof(*p)));

	(void)cli; /* any name may be a path */
	p->name = mem_dup(name);
	*out = (struct source){{fetch, p, p->name}, path_close};
	return CLI_DONE;
}
