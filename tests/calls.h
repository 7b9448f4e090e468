/* calls.h - every system call that the library makes, and the n-th fails.
 *
 * A program that includes this has to be linked with the calls wrapped: its
 * source says so in the line that the Makefile looks for,
 *
 *	open openat pread pwrite write fsync fdatasync fchmod ftruncate
 *	fallocate lseek fstat fstatat stat faccessat renameat mkdir mkdirat
 *	unlinkat mmap memfd_create fcntl flock fdopendir readdir getrandom
 *
 * Not those of LMDB, which is another library, nor what cannot fail: close,
 * munmap, and letting go of a lock.
 */
#ifndef CALLS_H
#define CALLS_H

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stddef.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <sys/stat.h>

/* What becomes of a call. */
enum calls_how {
	CALLS_EIO,
	CALLS_EIO_FOR_GOOD,
	CALLS_ENOSPC, /* of calls that write or make something */
	CALLS_ENOSPC_FOR_GOOD,
	CALLS_FULL,   /* half is written, and from then on nothing */
	CALLS_SHORT,  /* half is read or written */
	CALLS_SHORT_FOR_GOOD,
	CALLS_EINTR,  /* of calls that a signal ends */
	CALLS_EINTR_OFTEN, /* every second one */
	CALLS_HOWS
};

enum calls_kind {
	CALLS_OTHER = 0,
	CALLS_MAKES = 1,  /* may find the disk full */
	CALLS_MOVES = 2,  /* bytes, perhaps not all */
	CALLS_WAITS = 4	  /* may be interrupted */
};

static struct {
	enum calls_how how;
	long countdown; /* 0: none fails */
	long hits;	/* calls that could have been made to fail */
	long failed;	/* calls that did, in all */
	int is_full, turn;
} calls;

/* Before a call: 1 where it fails, with errno set, and 2 where it is to do
 * half of its work. */
static int calls_hit(int kind)
{
	static const int wants[CALLS_HOWS] = {
		[CALLS_ENOSPC] = CALLS_MAKES,
		[CALLS_ENOSPC_FOR_GOOD] = CALLS_MAKES,
		[CALLS_FULL] = CALLS_MAKES,
		[CALLS_SHORT] = CALLS_MOVES,
		[CALLS_SHORT_FOR_GOOD] = CALLS_MOVES,
		[CALLS_EINTR] = CALLS_WAITS,
		[CALLS_EINTR_OFTEN] = CALLS_WAITS,
	};

	if (!calls.countdown || (kind & wants[calls.how]) != wants[calls.how])
		return 0;
	calls.hits++;
	if (calls.countdown < 0)
		return 0;
	if (calls.countdown > 1) {
		calls.countdown--;
		return 0;
	}
	errno = EIO;
	switch (calls.how) {
	case CALLS_EIO:
	case CALLS_ENOSPC:
	case CALLS_SHORT:
	case CALLS_EINTR:
		calls.countdown = -1; /* only counts from now on */
		break;
	case CALLS_EINTR_OFTEN:
		calls.turn = !calls.turn;
		if (!calls.turn)
			return 0;
		break;
	default:
		break;
	}
	calls.failed++;
	switch (calls.how) {
	case CALLS_SHORT:
	case CALLS_SHORT_FOR_GOOD:
		return 2;
	case CALLS_FULL:
		if (!calls.is_full && kind & CALLS_MOVES) {
			calls.is_full = 1;
			return 2;
		}
		/* fall through */
	case CALLS_ENOSPC:
	case CALLS_ENOSPC_FOR_GOOD:
		errno = ENOSPC;
		break;
	case CALLS_EINTR:
	case CALLS_EINTR_OFTEN:
		errno = EINTR;
		break;
	default:
		break;
	}
	return 1;
}

static inline void calls_fail(long n, enum calls_how how)
{
	calls.how = how;
	calls.hits = 0;
	calls.is_full = calls.turn = 0;
	calls.countdown = n;
}

/* Says how many calls there were, and lets all of them be again. */
static inline long calls_peace(void)
{
	calls.countdown = 0;
	return calls.hits;
}

/* ---- the calls ---- */

#define CALLS_WRAP(type, name, params, args, kind, failed)      \
	type __real_##name params;                              \
	type __wrap_##name params;                              \
	type __wrap_##name params                               \
	{                                                       \
		return calls_hit(kind) ? (failed)               \
				       : __real_##name args;    \
	}

#define CALLS_MOVE(name, params, half, args, kind)              \
	ssize_t __real_##name params;                           \
	ssize_t __wrap_##name params;                           \
	ssize_t __wrap_##name params                            \
	{                                                       \
		int hit = calls_hit((kind) | CALLS_MOVES |      \
				    CALLS_WAITS);               \
								\
		if (hit == 2 && n > 1)                          \
			return __real_##name half;              \
		return hit == 1 ? -1 : __real_##name args;      \
	}

CALLS_MOVE(pread, (int fd, void *buf, size_t n, off_t at),
	   (fd, buf, n / 2, at), (fd, buf, n, at), 0)
CALLS_MOVE(pwrite, (int fd, const void *buf, size_t n, off_t at),
	   (fd, buf, n / 2, at), (fd, buf, n, at), CALLS_MAKES)
CALLS_MOVE(write, (int fd, const void *buf, size_t n), (fd, buf, n / 2),
	   (fd, buf, n), CALLS_MAKES)
CALLS_WRAP(int, fsync, (int fd), (fd), CALLS_MAKES | CALLS_WAITS, -1)
CALLS_WRAP(int, fdatasync, (int fd), (fd), CALLS_MAKES | CALLS_WAITS, -1)
CALLS_WRAP(int, fchmod, (int fd, mode_t mode), (fd, mode), CALLS_OTHER, -1)
CALLS_WRAP(int, ftruncate, (int fd, off_t size), (fd, size), CALLS_OTHER, -1)
CALLS_WRAP(int, fallocate, (int fd, int mode, off_t at, off_t n),
	   (fd, mode, at, n), CALLS_MAKES, -1)
CALLS_WRAP(off_t, lseek, (int fd, off_t at, int whence), (fd, at, whence),
	   CALLS_OTHER, -1)
CALLS_WRAP(int, fstat, (int fd, struct stat *st), (fd, st), CALLS_OTHER, -1)
CALLS_WRAP(int, fstatat, (int dir, const char *path, struct stat *st, int f),
	   (dir, path, st, f), CALLS_OTHER, -1)
CALLS_WRAP(int, stat, (const char *path, struct stat *st), (path, st),
	   CALLS_OTHER, -1)
CALLS_WRAP(int, faccessat, (int dir, const char *path, int mode, int f),
	   (dir, path, mode, f), CALLS_OTHER, -1)
CALLS_WRAP(int, renameat, (int from, const char *a, int to, const char *b),
	   (from, a, to, b), CALLS_MAKES, -1)
CALLS_WRAP(int, mkdir, (const char *path, mode_t mode), (path, mode),
	   CALLS_MAKES, -1)
CALLS_WRAP(int, mkdirat, (int dir, const char *path, mode_t mode),
	   (dir, path, mode), CALLS_MAKES, -1)
CALLS_WRAP(int, unlinkat, (int dir, const char *path, int flags),
	   (dir, path, flags), CALLS_OTHER, -1)
CALLS_WRAP(void *, mmap,
	   (void *at, size_t n, int prot, int flags, int fd, off_t from),
	   (at, n, prot, flags, fd, from), CALLS_OTHER, MAP_FAILED)
CALLS_WRAP(int, memfd_create, (const char *name, unsigned flags),
	   (name, flags), CALLS_OTHER, -1)
CALLS_WRAP(int, flock, (int fd, int how), (fd, how), CALLS_WAITS, -1)
CALLS_WRAP(DIR *, fdopendir, (int fd), (fd), CALLS_OTHER, NULL)
CALLS_WRAP(struct dirent *, readdir, (DIR * d), (d), CALLS_OTHER, NULL)
CALLS_WRAP(ssize_t, getrandom, (void *buf, size_t n, unsigned flags),
	   (buf, n, flags), CALLS_WAITS, -1)

int __real_openat(int dir, const char *path, int flags, ...);
int __wrap_openat(int dir, const char *path, int flags, ...);
int __wrap_open(const char *path, int flags, ...);
int __real_fcntl(int fd, int cmd, ...);
int __wrap_fcntl(int fd, int cmd, ...);

static int calls_open(int dir, const char *path, int flags, va_list ap)
{
	unsigned mode = flags & O_CREAT ? va_arg(ap, unsigned) : 0;

	if (calls_hit(flags & O_CREAT ? CALLS_MAKES : CALLS_OTHER))
		return -1;
	return __real_openat(dir, path, flags, mode);
}

int __wrap_openat(int dir, const char *path, int flags, ...)
{
	va_list ap;
	int fd;

	va_start(ap, flags);
	fd = calls_open(dir, path, flags, ap);
	va_end(ap);
	return fd;
}

int __wrap_open(const char *path, int flags, ...)
{
	va_list ap;
	int fd;

	va_start(ap, flags);
	fd = calls_open(AT_FDCWD, path, flags, ap);
	va_end(ap);
	return fd;
}

/* Of locks alone. */
int __wrap_fcntl(int fd, int cmd, ...)
{
	struct flock *lock;
	va_list ap;

	va_start(ap, cmd);
	lock = va_arg(ap, struct flock *);
	va_end(ap);
	if (lock->l_type != F_UNLCK && calls_hit(CALLS_WAITS))
		return -1;
	return __real_fcntl(fd, cmd, lock);
}

#endif
