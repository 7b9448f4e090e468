/* trace.h - the calls that change files, watched and made to fail.
 *
 * A program that includes this has to be linked with the calls wrapped: its
 * source says so in the line that the Makefile looks for,
 *
 *	open openat pwrite write fsync fdatasync renameat mkdir mkdirat
 *	unlinkat fchmod ftruncate fstat fstatat
 *
 * trace_at() names the store to watch; what happens outside of it, and in
 * the index, which is LMDB's, is left alone. Then
 *
 *	trace_start(), trace_stop()	keep what is called, with the bytes
 *	trace_fail()			let the n-th call fail
 *	trace_kill()			end the process in front of it
 *
 * trace_boot, when set, is the file read as the boot's id; trace_inode makes
 * local/ and the index keep their inodes when a store is copied.
 */
#ifndef TRACE_H
#define TRACE_H

#include "t.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <sys/stat.h>

enum trace_kind {
	TRACE_MAKE,  /* open, of what was not there, or to empty it */
	TRACE_WRITE, /* pwrite and write */
	TRACE_SYNC,
	TRACE_DATASYNC,
	TRACE_LOST, /* a sync that failed: what it was to cover is gone */
	TRACE_RENAME,
	TRACE_MKDIR,
	TRACE_UNLINK,
	TRACE_CHMOD,
	TRACE_TRUNCATE
};

struct trace_op {
	enum trace_kind kind;
	char *path, *to; /* inside the store; "." is itself, ".." its parent */
	uint64_t at;
	size_t size;
	unsigned char *bytes;
};

#define TRACE_FDS 1024
static struct {
	pthread_mutex_t lock;
	char root[512];
	char *fd[TRACE_FDS];
	int is_on;
	struct trace_op *op;
	size_t n, cap;

	/* faults: the countdown'th call from now on; 0: none */
	const char *only; /* path that a call must be on, or NULL */
	int only_kind;	  /* likewise, or -1 */
	long countdown;
	int fail, for_good, kill, torn;
	long hits; /* calls that could have been made to fail */
} trace = { .lock = PTHREAD_MUTEX_INITIALIZER, .only_kind = -1 };

static const char *trace_boot;
static int trace_inode;

int __real_open(const char *path, int flags, ...);
int __real_openat(int dir, const char *path, int flags, ...);
ssize_t __real_pwrite(int fd, const void *buf, size_t n, off_t at);
ssize_t __real_write(int fd, const void *buf, size_t n);
int __real_fsync(int fd);
int __real_fdatasync(int fd);
int __real_renameat(int from_dir, const char *from, int to_dir, const char *to);
int __real_mkdir(const char *path, mode_t mode);
int __real_mkdirat(int dir, const char *path, mode_t mode);
int __real_unlinkat(int dir, const char *path, int flags);
int __real_fchmod(int fd, mode_t mode);
int __real_ftruncate(int fd, off_t size);
int __real_fstat(int fd, struct stat *st);
int __real_fstatat(int dir, const char *path, struct stat *st, int flags);

/* Tests of many stores go where a sync costs nothing. */
static inline void trace_in_memory(void)
{
	if (!access("/dev/shm", W_OK))
		setenv("TMPDIR", "/dev/shm", 0);
}

/* ---- which file it is ---- */

/* The path inside the store, malloc'ed, or NULL. */
static char *trace_path(int dir, const char *path)
{
	size_t n = strlen(trace.root);
	const char *base;
	char *out;

	if (!n)
		return NULL;
	if (*path == '/') {
		if (strncmp(path, trace.root, n) ||
		    (path[n] && path[n] != '/'))
			return NULL;
		return strdup(path[n] ? path + n + 1 : ".");
	}
	base = dir >= 0 && dir < TRACE_FDS ? trace.fd[dir] : NULL;
	if (!base)
		return NULL;
	if (!strcmp(path, "."))
		return strdup(base);
	if (!strcmp(base, "."))
		return strdup(path);
	if (asprintf(&out, "%s/%s", base, path) < 0)
		abort();
	return out;
}

static int trace_is_ours(const char *path)
{
	return path && strncmp(path, "local/index", 11) &&
	       strncmp(path, "local/trash/index", 17);
}

static void trace_name(int fd, char *path)
{
	if (fd < 0 || fd >= TRACE_FDS) {
		free(path);
		return;
	}
	free(trace.fd[fd]);
	trace.fd[fd] = path;
}

static const char *trace_fd(int fd)
{
	return fd >= 0 && fd < TRACE_FDS ? trace.fd[fd] : NULL;
}

/* ---- what is done about a call ---- */

static void trace_keep(enum trace_kind kind, const char *path, const char *to,
		       uint64_t at, const void *bytes, size_t size)
{
	struct trace_op *op;

	if (!trace.is_on || !trace_is_ours(path))
		return;
	if (trace.n == trace.cap) {
		trace.cap = trace.cap ? 2 * trace.cap : 256;
		trace.op = realloc(trace.op, trace.cap * sizeof(*trace.op));
		if (!trace.op)
			abort();
	}
	op = &trace.op[trace.n++];
	*op = (struct trace_op){ kind, strdup(path), to ? strdup(to) : NULL,
				 at, size, NULL };
	if (bytes && size) {
		op->bytes = malloc(size);
		memcpy(op->bytes, bytes, size);
	}
}

/* Before a call: 1 where it has to fail, with errno set. */
static int trace_hit(enum trace_kind kind, const char *path)
{
	if (!trace_is_ours(path) ||
	    (trace.only && strcmp(path, trace.only)) ||
	    (trace.only_kind >= 0 && trace.only_kind != (int)kind))
		return 0;
	trace.hits++;
	if (!trace.countdown)
		return 0;
	if (trace.countdown > 1) {
		trace.countdown--;
		return 0;
	}
	if (trace.kill && !trace.torn)
		_exit(42);
	if (trace.kill)
		return 1;
	if (!trace.for_good)
		trace.countdown = 0;
	if (kind == TRACE_SYNC || kind == TRACE_DATASYNC)
		trace_keep(TRACE_LOST, path, NULL, 0, NULL, 0);
	errno = trace.fail;
	return 1;
}

static inline void trace_at(const char *root)
{
	snprintf(trace.root, sizeof(trace.root), "%s", root);
}

static inline void trace_clear(void)
{
	for (size_t i = 0; i < trace.n; i++) {
		free(trace.op[i].path);
		free(trace.op[i].to);
		free(trace.op[i].bytes);
	}
	free(trace.op);
	trace.op = NULL;
	trace.n = trace.cap = 0;
}

static inline void trace_start(void)
{
	trace_clear();
	trace.is_on = 1;
}

static inline void trace_stop(void)
{
	trace.is_on = 0;
}

/* The n-th call from now on fails; for_good: and those after it. */
static inline void trace_fail(long n, int sys, int for_good)
{
	pthread_mutex_lock(&trace.lock);
	trace.hits = 0;
	trace.kill = trace.torn = 0;
	trace.fail = sys;
	trace.for_good = for_good;
	trace.countdown = n;
	pthread_mutex_unlock(&trace.lock);
}

/* The process ends in front of the n-th call; torn: in the middle of it,
 * where it writes. */
static inline void trace_kill(long n, int torn)
{
	trace_fail(n, 0, 0);
	trace.kill = 1;
	trace.torn = torn;
}

/* Says how many calls there were, and lets all of them be again. */
static inline long trace_peace(void)
{
	trace.countdown = 0;
	trace.kill = trace.torn = 0;
	trace.only = NULL;
	trace.only_kind = -1;
	return trace.hits;
}

/* ---- the calls ---- */

#define TRACE_LOCKED(...)                          \
	do {                                       \
		pthread_mutex_lock(&trace.lock);   \
		__VA_ARGS__;                       \
		pthread_mutex_unlock(&trace.lock); \
	} while (0)

static int trace_open(int dir, const char *path, int flags, unsigned mode)
{
	char *name;
	int fd = -1, there, hit = 0;

	if (trace_boot && !strcmp(path, "/proc/sys/kernel/random/boot_id"))
		path = trace_boot;
	pthread_mutex_lock(&trace.lock);
	name = trace_path(dir, path);
	there = !faccessat(dir, path, F_OK, 0);
	if (flags & O_TRUNC || (flags & O_CREAT && !there))
		hit = trace_hit(TRACE_MAKE, name);
	if (hit && trace.kill)
		_exit(42);
	if (!hit)
		fd = __real_openat(dir, path, flags, mode);
	if (fd >= 0 && name &&
	    (flags & O_TRUNC || (flags & O_CREAT && !there)))
		trace_keep(TRACE_MAKE, name, NULL, 0, NULL, 0);
	if (fd >= 0)
		trace_name(fd, name);
	else
		free(name);
	pthread_mutex_unlock(&trace.lock);
	return fd;
}

int __wrap_open(const char *path, int flags, ...);
int __wrap_open(const char *path, int flags, ...)
{
	va_list ap;
	unsigned mode;

	va_start(ap, flags);
	mode = flags & O_CREAT ? va_arg(ap, unsigned) : 0;
	va_end(ap);
	return trace_open(AT_FDCWD, path, flags, mode);
}

int __wrap_openat(int dir, const char *path, int flags, ...);
int __wrap_openat(int dir, const char *path, int flags, ...)
{
	va_list ap;
	unsigned mode;

	va_start(ap, flags);
	mode = flags & O_CREAT ? va_arg(ap, unsigned) : 0;
	va_end(ap);
	return trace_open(dir, path, flags, mode);
}

/* at < 0: where the file is */
static ssize_t trace_write(int fd, const void *buf, size_t n, off_t at)
{
	const char *path;
	off_t where = at;
	ssize_t put = -1;

	pthread_mutex_lock(&trace.lock);
	path = trace_fd(fd);
	if (path && at < 0)
		where = lseek(fd, 0, SEEK_CUR);
	if (trace_hit(TRACE_WRITE, path)) {
		if (trace.torn && at < 0)
			put = __real_write(fd, buf, n / 2);
		else if (trace.torn)
			put = __real_pwrite(fd, buf, n / 2 / 512 * 512, at);
		if (trace.kill)
			_exit(42);
	} else {
		put = at < 0 ? __real_write(fd, buf, n)
			     : __real_pwrite(fd, buf, n, at);
	}
	if (put >= 0)
		trace_keep(TRACE_WRITE, path, NULL, (uint64_t)where, buf,
			   (size_t)put);
	pthread_mutex_unlock(&trace.lock);
	return put;
}

ssize_t __wrap_pwrite(int fd, const void *buf, size_t n, off_t at);
ssize_t __wrap_pwrite(int fd, const void *buf, size_t n, off_t at)
{
	return trace_write(fd, buf, n, at);
}

ssize_t __wrap_write(int fd, const void *buf, size_t n);
ssize_t __wrap_write(int fd, const void *buf, size_t n)
{
	return trace_fd(fd) ? trace_write(fd, buf, n, -1)
			    : __real_write(fd, buf, n);
}

/* Every other call on an fd or a path: fails, or is made and kept. */
#define TRACE_CALL(kind, path, to, at, call)                            \
	do {                                                            \
		int rc_ = -1;                                           \
		if (!trace_hit(kind, path))                             \
			rc_ = (call);                                   \
		else if (trace.kill)                                    \
			_exit(42);                                      \
		if (!rc_)                                               \
			trace_keep(kind, path, to, at, NULL, 0);        \
		rc = rc_;                                               \
	} while (0)

int __wrap_fsync(int fd);
int __wrap_fsync(int fd)
{
	int rc;

	TRACE_LOCKED(TRACE_CALL(TRACE_SYNC, trace_fd(fd), NULL, 0,
				__real_fsync(fd)));
	return rc;
}

static void (*trace_before_datasync)(void);

int __wrap_fdatasync(int fd);
int __wrap_fdatasync(int fd)
{
	int rc;

	if (trace_before_datasync)
		trace_before_datasync();
	TRACE_LOCKED(TRACE_CALL(TRACE_DATASYNC, trace_fd(fd), NULL, 0,
				__real_fdatasync(fd)));
	return rc;
}

int __wrap_fchmod(int fd, mode_t mode);
int __wrap_fchmod(int fd, mode_t mode)
{
	int rc;

	TRACE_LOCKED(TRACE_CALL(TRACE_CHMOD, trace_fd(fd), NULL, mode,
				__real_fchmod(fd, mode)));
	return rc;
}

int __wrap_ftruncate(int fd, off_t size);
int __wrap_ftruncate(int fd, off_t size)
{
	int rc;

	TRACE_LOCKED(TRACE_CALL(TRACE_TRUNCATE, trace_fd(fd), NULL,
				(uint64_t)size, __real_ftruncate(fd, size)));
	return rc;
}

int __wrap_renameat(int from_dir, const char *from, int to_dir,
		    const char *to);
int __wrap_renameat(int from_dir, const char *from, int to_dir, const char *to)
{
	char *a, *b;
	int rc;

	pthread_mutex_lock(&trace.lock);
	a = trace_path(from_dir, from);
	b = trace_path(to_dir, to);
	TRACE_CALL(TRACE_RENAME, a, b, 0,
		   __real_renameat(from_dir, from, to_dir, to));
	free(a);
	free(b);
	pthread_mutex_unlock(&trace.lock);
	return rc;
}

int __wrap_mkdirat(int dir, const char *path, mode_t mode);
int __wrap_mkdirat(int dir, const char *path, mode_t mode)
{
	char *a;
	int rc = -1;

	pthread_mutex_lock(&trace.lock);
	a = trace_path(dir, path);
	if (!faccessat(dir, path, F_OK, 0))
		errno = EEXIST;
	else
		TRACE_CALL(TRACE_MKDIR, a, NULL, mode,
			   __real_mkdirat(dir, path, mode));
	free(a);
	pthread_mutex_unlock(&trace.lock);
	return rc;
}

int __wrap_mkdir(const char *path, mode_t mode);
int __wrap_mkdir(const char *path, mode_t mode)
{
	return __wrap_mkdirat(AT_FDCWD, path, mode);
}

int __wrap_unlinkat(int dir, const char *path, int flags);
int __wrap_unlinkat(int dir, const char *path, int flags)
{
	char *a;
	int rc;

	pthread_mutex_lock(&trace.lock);
	a = trace_path(dir, path);
	TRACE_CALL(TRACE_UNLINK, a, NULL, 0, __real_unlinkat(dir, path, flags));
	free(a);
	pthread_mutex_unlock(&trace.lock);
	return rc;
}

int __wrap_fstat(int fd, struct stat *st);
int __wrap_fstat(int fd, struct stat *st)
{
	int rc = __real_fstat(fd, st);
	const char *path = trace_fd(fd);

	if (!rc && trace_inode && path && !trace_is_ours(path))
		st->st_ino = 4711;
	return rc;
}

int __wrap_fstatat(int dir, const char *path, struct stat *st, int flags);
int __wrap_fstatat(int dir, const char *path, struct stat *st, int flags)
{
	int rc = __real_fstatat(dir, path, st, flags);

	if (!rc && trace_inode && !strcmp(path, "local"))
		st->st_ino = 4712;
	return rc;
}

/* ---- a trace as text, with what is random left out ---- */

static int trace_is_hex(const char *s, size_t n)
{
	return strspn(s, "0123456789abcdef") >= n;
}

static inline void trace_plain(const char *path, char out[256])
{
	size_t n = strlen(path);

	if (!strncmp(path, "objects/", 8) && n == 8 + 2)
		strcpy(out, "objects/XX");
	else if (!strncmp(path, "objects/", 8) && n == 8 + 3 + 62)
		strcpy(out, "objects/XX/HASH");
	else if (!strncmp(path, "local/stage/", 12) && n == 12 + 64)
		strcpy(out, "local/stage/HASH");
	else if (!strncmp(path, "local/stage/", 12) && n == 12 + 16)
		strcpy(out, "local/stage/TMP");
	else if (!strncmp(path, "keys/", 5) && trace_is_hex(path + 5, 8))
		strcpy(out, "keys/ID");
	else
		snprintf(out, 256, "%s", path);
}

/* A line for an operation, without the newline. Sizes are told for slots:
 * elsewhere they depend on zstd. */
static inline void trace_line(const struct trace_op *op, uint64_t size,
			      char out[600])
{
	static const char *const name[] = { "make",   "write",	 "fsync",
					    "fdatasync", "lost",  "rename", "mkdir",
					    "unlink", "chmod",	 "truncate" };
	char path[256], to[256];
	int n;

	trace_plain(op->path, path);
	n = snprintf(out, 600, "%s %s", name[op->kind], path);
	if (op->to) {
		trace_plain(op->to, to);
		snprintf(out + n, 600 - (size_t)n, " %s", to);
	} else if (op->kind == TRACE_CHMOD) {
		snprintf(out + n, 600 - (size_t)n, " %o", (unsigned)op->at);
	} else if (op->kind == TRACE_WRITE &&
		   !strncmp(path, "local/slot", 10)) {
		snprintf(out + n, 600 - (size_t)n, " %llu+%llu",
			 (unsigned long long)op->at, (unsigned long long)size);
	}
}

/* Whether b goes on writing where a ended. */
static inline int trace_goes_on(const struct trace_op *a,
				const struct trace_op *b)
{
	return a->kind == TRACE_WRITE && b->kind == TRACE_WRITE &&
	       !strcmp(a->path, b->path) && b->at == a->at + a->size;
}

/* A temporary file that is made, written, synced, given its mode and renamed
 * over something is one line; only exactly that. */
static inline int trace_is_install(size_t i)
{
	static const enum trace_kind kind[] = { TRACE_MAKE, TRACE_WRITE,
						TRACE_SYNC, TRACE_CHMOD,
						TRACE_RENAME };

	for (size_t k = 0; k < 5; k++)
		if (i + k >= trace.n || trace.op[i + k].kind != kind[k] ||
		    strcmp(trace.op[i + k].path, trace.op[i].path))
			return 0;
	return 1;
}

/* The trace as lines, freed by the caller. Writes that go on where the one
 * before ended are one; lines that repeat are told once. */
static inline char *trace_text(void)
{
	char *text = NULL, line[600], last[600] = "";
	size_t size;
	FILE *f = open_memstream(&text, &size);

	for (size_t i = 0; i < trace.n; i++) {
		struct trace_op *op = &trace.op[i];
		uint64_t n = op->size;

		if (trace_is_install(i)) {
			char to[256];

			trace_plain(trace.op[i + 4].to, to);
			fprintf(f, "install %s %o\n", to,
				(unsigned)trace.op[i + 3].at);
			*last = '\0';
			i += 4;
			continue;
		}
		while (i + 1 < trace.n &&
		       trace_goes_on(&trace.op[i], &trace.op[i + 1]))
			n += trace.op[++i].size;
		trace_line(op, n, line);
		if (strcmp(line, last))
			fprintf(f, "%s\n", line);
		strcpy(last, line);
	}
	fclose(f);
	return text;
}

#endif
