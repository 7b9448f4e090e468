/* disk.h - a file tree in memory, as a disk has it while power may go.
 *
 * disk_do() replays calls that trace.h kept. Every file has bytes that a
 * sync covered and writes that came after it; every name has the file that
 * a sync of its directory covered and what it named after that. A name is
 * made or removed for certain only by a sync of its directory, whatever was
 * synced otherwise: POSIX promises no more. disk_crash() writes into a
 * directory one of the trees that may be found when power comes back.
 *
 * Which one is a choice for each thing in doubt: of a name, what a sync
 * covered or anything it named since, in no order with other names; of a
 * write, a cut or one made longer, that it got there, or did not, or that
 * zeros did, or its first or last blocks. disk_begin() and disk_next_state()
 * go through
 *
 *	- all in doubt kept, or lost, or zeros, or names kept and bytes lost,
 *	  or bytes kept and names lost, or each file's first write lost, or
 *	  each file's last
 *	- one thing as it may be, and all else kept, or all else lost, for
 *	  each thing and each way
 *	- each combination of the latest things in doubt, of as many of them
 *	  as have no more than bound combinations, and all else kept, or all
 *	  else lost; names in the stage are the last to be taken
 *	- so many where each name, and each block of a write, is for itself
 *
 * of which bound 0 leaves out the second and the third. More is not tried:
 * with n things in doubt there are about 4^n states, and n is often 40.
 */
#ifndef DISK_H
#define DISK_H

#include "trace.h"

/* A choice. A name takes what it named last, what a sync covered, and what
 * it named before that last one. */
enum disk_choice {
	DISK_KEPT,
	DISK_LOST,
	DISK_ZEROED,
	DISK_HEAD, /* the first half of its blocks */
	DISK_TAIL, /* the second half */
	DISK_CHOICES,
	DISK_MIXED = DISK_CHOICES /* each block for itself */
};

struct disk_write {
	struct trace_op *op;
	int choice;
	size_t at; /* of the trace */
};

struct disk_file {
	int is_dir;
	unsigned char *synced, *now;
	size_t synced_size, now_size;
	struct disk_write *write; /* since the sync */
	size_t n, cap;
	size_t dirty_from, dirty_to; /* what they touch */
};

struct disk_name {
	int dir;
	char *name;
	int synced;	/* a file, or -1 */
	int later[64];	/* what it named since */
	int n, choice;
	size_t at; /* of the trace, when that changed */
};

/* Something in doubt. */
struct disk_doubt {
	int *choice, choices, is_name;
	size_t at;
};

struct disk {
	struct disk_file file[4096];
	int files;
	struct disk_name name[4096];
	int names;
	int stage;  /* the directory */
	size_t ops; /* that were done */

	/* the states of one moment */
	struct disk_doubt doubt[8192];
	int doubts, recent;
	unsigned phase, bound, random;
	uint64_t i, combinations;
};

static uint64_t disk_seed;
static uint64_t disk_next(void)
{
	uint64_t z = disk_seed += UINT64_C(0x9e3779b97f4a7c15);

	z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
	return z ^ z >> 31;
}

static int disk_add(struct disk *d, int is_dir)
{
	assert_true(d->files < (int)T_COUNT(d->file));
	d->file[d->files].is_dir = is_dir;
	return d->files++;
}

static struct disk *disk_new(void)
{
	struct disk *d = calloc(1, sizeof(*d));

	disk_add(d, 1); /* 0 holds the store as "." */
	return d;
}

static void disk_free(struct disk *d)
{
	for (int i = 0; i < d->files; i++) {
		free(d->file[i].synced);
		free(d->file[i].now);
		free(d->file[i].write);
	}
	for (int i = 0; i < d->names; i++)
		free(d->name[i].name);
	free(d);
}

static int disk_now(const struct disk_name *n)
{
	return n->n ? n->later[n->n - 1] : n->synced;
}

static struct disk_name *disk_find(struct disk *d, int dir, const char *name,
				   size_t size, int make)
{
	for (int i = 0; i < d->names; i++)
		if (d->name[i].dir == dir &&
		    !strncmp(d->name[i].name, name, size) &&
		    !d->name[i].name[size])
			return &d->name[i];
	if (!make)
		return NULL;
	assert_true(d->names < (int)T_COUNT(d->name));
	d->name[d->names] = (struct disk_name){ .dir = dir,
						.name = strndup(name, size),
						.synced = -1 };
	return &d->name[d->names++];
}

/* The name that a path is, and so what it names. */
static struct disk_name *disk_walk(struct disk *d, const char *path, int make)
{
	struct disk_name *n = disk_find(d, 0, ".", 1, make);

	if (!strcmp(path, "."))
		return n;
	for (;;) {
		size_t k = strcspn(path, "/");

		if (!n || disk_now(n) < 0)
			return NULL;
		n = disk_find(d, disk_now(n), path, k, make && !path[k]);
		if (!path[k])
			return n;
		path += k + 1;
	}
}

static void disk_name_now(struct disk *d, struct disk_name *n, int file)
{
	n->at = d->ops;
	/* a name that changes very often: the states in the middle go */
	if (n->n == (int)T_COUNT(n->later))
		memmove(n->later, n->later + 1,
			(size_t)--n->n * sizeof(*n->later));
	n->later[n->n++] = file;
}

static void disk_resize(struct disk_file *f, size_t size)
{
	f->now = realloc(f->now, size + 1);
	if (size > f->now_size)
		memset(f->now + f->now_size, 0, size - f->now_size);
	f->now_size = size;
}

/* A write, or what cuts a file or makes it longer. */
static void disk_write(struct disk *d, struct disk_file *f, struct trace_op *op)
{
	size_t from = op->at, to = op->at + op->size;

	if (op->kind == TRACE_TRUNCATE) {
		if (from > f->now_size)
			from = f->now_size;
		to = op->at > f->now_size ? op->at : f->now_size;
		disk_resize(f, op->at);
	} else {
		if (to > f->now_size)
			disk_resize(f, to);
		memcpy(f->now + op->at, op->bytes, op->size);
	}
	if (f->n == f->cap) {
		f->cap = f->cap ? 2 * f->cap : 4;
		f->write = realloc(f->write, f->cap * sizeof(*f->write));
	}
	if (!f->n || from < f->dirty_from)
		f->dirty_from = from;
	if (!f->n || to > f->dirty_to)
		f->dirty_to = to;
	f->write[f->n++] = (struct disk_write){ op, DISK_KEPT, d->ops };
}

static void disk_sync(struct disk *d, int at)
{
	struct disk_file *f = &d->file[at];

	for (int i = 0; f->is_dir && i < d->names; i++)
		if (d->name[i].dir == at) {
			d->name[i].synced = disk_now(&d->name[i]);
			d->name[i].n = 0;
		}
	if (f->is_dir)
		return;
	if (f->now_size != f->synced_size) {
		free(f->synced);
		f->synced = malloc(f->now_size + 1);
		f->synced_size = f->now_size;
		memcpy(f->synced, f->now, f->now_size);
	} else if (f->n) {
		size_t to = f->dirty_to < f->now_size ? f->dirty_to
						      : f->now_size;

		if (to > f->dirty_from)
			memcpy(f->synced + f->dirty_from,
			       f->now + f->dirty_from, to - f->dirty_from);
	}
	f->n = 0;
}

/* The page cache still has it, and a later sync will not write it. Not so
 * names: a file system whose journal fails goes down with it. */
static void disk_lose(struct disk *d, int at)
{
	struct disk_file *f = &d->file[at];

	if (f->is_dir)
		return;
	free(f->now);
	f->now = malloc(f->synced_size + 1);
	f->now_size = f->synced_size;
	if (f->synced)
		memcpy(f->now, f->synced, f->synced_size);
	f->n = 0;
}

static void disk_do(struct disk *d, struct trace_op *op)
{
	struct disk_name *n, *to;

	d->ops++;
	if (!strcmp(op->path, "..")) {
		if (op->kind == TRACE_SYNC)
			disk_sync(d, 0);
		return;
	}
	n = disk_walk(d, op->path,
		      op->kind == TRACE_MAKE || op->kind == TRACE_MKDIR);
	assert_non_null(n);
	switch (op->kind) {
	case TRACE_MAKE: /* emptied or made: as of another file */
		disk_name_now(d, n, disk_add(d, 0));
		break;
	case TRACE_MKDIR:
		disk_name_now(d, n, disk_add(d, 1));
		if (!strcmp(op->path, "local/stage"))
			d->stage = disk_now(n);
		break;
	case TRACE_WRITE:
	case TRACE_TRUNCATE:
		disk_write(d, &d->file[disk_now(n)], op);
		break;
	case TRACE_SYNC:
	case TRACE_DATASYNC:
		disk_sync(d, disk_now(n));
		break;
	case TRACE_LOST:
		disk_lose(d, disk_now(n));
		break;
	case TRACE_RENAME:
		to = disk_walk(d, op->to, 1);
		disk_name_now(d, to, disk_now(n));
		disk_name_now(d, n, -1);
		break;
	case TRACE_UNLINK:
		disk_name_now(d, n, -1);
		break;
	case TRACE_CHMOD:
		break;
	}
}

/* ---- what is in doubt ---- */

static int disk_is_later(const void *a, const void *b)
{
	const struct disk_doubt *x = a, *y = b;

	return x->at > y->at ? -1 : x->at < y->at;
}

static void disk_doubt(struct disk *d, int *choice, int choices, int is_name,
		       size_t at)
{
	assert_true(d->doubts < (int)T_COUNT(d->doubt));
	d->doubt[d->doubts++] = (struct disk_doubt){ choice, choices, is_name,
						     at };
}

static void disk_all(struct disk *d, int names, int writes)
{
	for (int i = 0; i < d->doubts; i++)
		*d->doubt[i].choice = d->doubt[i].is_name ? names : writes;
}

/* The states that may be found now; bound and random as said above. */
static void disk_begin(struct disk *d, unsigned bound, unsigned random)
{
	d->doubts = 0;
	for (int i = 0; i < d->names; i++)
		if (d->name[i].n)
			disk_doubt(d, &d->name[i].choice, d->name[i].n + 1, 1,
				   d->name[i].dir == d->stage ? 0
							      : d->name[i].at);
	for (int i = 0; i < d->files; i++)
		for (size_t k = 0; k < d->file[i].n; k++)
			disk_doubt(d, &d->file[i].write[k].choice,
				   DISK_CHOICES, 0, d->file[i].write[k].at);
	qsort(d->doubt, (size_t)d->doubts, sizeof(*d->doubt), disk_is_later);
	d->combinations = 1;
	for (d->recent = 0; d->recent < d->doubts; d->recent++) {
		int n = d->doubt[d->recent].choices;

		if (d->combinations * (unsigned)n > bound)
			break;
		d->combinations *= (unsigned)n;
	}
	d->phase = 0;
	d->i = 0;
	d->bound = bound;
	d->random = random;
}

/* The named ones. */
static int disk_named(struct disk *d)
{
	static const int way[][2] = {
		{ DISK_KEPT, DISK_KEPT },   { DISK_LOST, DISK_LOST },
		{ DISK_KEPT, DISK_LOST },   { DISK_KEPT, DISK_ZEROED },
		{ DISK_LOST, DISK_KEPT },
	};
	uint64_t i = d->i++;

	if (i < T_COUNT(way)) {
		disk_all(d, way[i][0], way[i][1]);
		return 1;
	}
	if (i > T_COUNT(way) + 1)
		return 0;
	disk_all(d, DISK_KEPT, DISK_KEPT);
	for (int k = 0; k < d->files; k++) {
		struct disk_file *f = &d->file[k];

		if (f->n)
			f->write[i == T_COUNT(way) ? 0 : f->n - 1].choice =
				DISK_LOST;
	}
	return 1;
}

/* One thing in each of its ways. */
static int disk_single(struct disk *d)
{
	uint64_t i = d->i++;
	int rest = i % 2 ? DISK_LOST : DISK_KEPT;

	i /= 2;
	for (int k = 0; k < d->doubts; k++) {
		uint64_t n = (uint64_t)d->doubt[k].choices;

		if (i < n) {
			disk_all(d, rest, rest);
			*d->doubt[k].choice = (int)i;
			return 1;
		}
		i -= n;
	}
	return 0;
}

static int disk_combined(struct disk *d)
{
	uint64_t i = d->i++, left = i / 2;
	int rest = i % 2 ? DISK_LOST : DISK_KEPT;

	if (left >= d->combinations)
		return 0;
	disk_all(d, rest, rest);
	for (int k = 0; k < d->recent; k++) {
		uint64_t n = (uint64_t)d->doubt[k].choices;

		*d->doubt[k].choice = (int)(left % n);
		left /= n;
	}
	return 1;
}

static int disk_mixed(struct disk *d)
{
	if (d->i++ >= d->random)
		return 0;
	disk_seed = d->ops * 100000 + d->i;
	for (int k = 0; k < d->doubts; k++)
		*d->doubt[k].choice = d->doubt[k].is_name
			? (int)(disk_next() % (unsigned)d->doubt[k].choices)
			: DISK_MIXED;
	return 1;
}

/* Chooses the next state, for disk_crash(); 0 where there are no more. */
static int disk_next_state(struct disk *d)
{
	static int (*const phase[])(struct disk *) = {
		disk_named, disk_single, disk_combined, disk_mixed
	};

	for (; d->phase < T_COUNT(phase); d->phase++, d->i = 0)
		if ((d->bound || (d->phase != 1 && d->phase != 2)) &&
		    phase[d->phase](d))
			return 1;
	return 0;
}

/* ---- what is found ---- */

static int disk_chosen(const struct disk_name *n)
{
	if (!n->n || n->choice == DISK_LOST)
		return n->synced;
	return n->later[n->choice ? n->n - n->choice : n->n - 1];
}

/* A write as it got there: block by block where it is mixed. */
static void disk_put_write(unsigned char *out, const struct disk_write *w)
{
	size_t block = w->op->size > 65536 || disk_seed % 2 ? 4096 : 512;
	size_t from = w->op->at, end = from + w->op->size;
	size_t half = (from + w->op->size / 2) / 512 * 512;

	for (size_t at = from; at < end;) {
		size_t n = block - at % block;
		int is_there = w->choice == DISK_KEPT ||
			       (w->choice == DISK_HEAD && at < half) ||
			       (w->choice == DISK_TAIL && at >= half);
		int is_zero = w->choice == DISK_ZEROED;

		if (n > end - at)
			n = end - at;
		if (w->choice == DISK_MIXED) {
			/* most get there or do not, few are zeros */
			uint64_t what = disk_next() % 8;

			is_zero = what == 2;
			is_there = !what || what > 4;
		}
		if (is_there)
			memcpy(out + at, w->op->bytes + (at - from), n);
		else if (is_zero)
			memset(out + at, 0, n);
		at += n;
	}
}

/* A file's bytes. */
static unsigned char *disk_choose(const struct disk_file *f, size_t *size)
{
	size_t most = f->synced_size, now = f->synced_size;
	unsigned char *out;

	for (size_t i = 0; i < f->n; i++)
		if (f->write[i].op->at + f->write[i].op->size > most)
			most = f->write[i].op->at + f->write[i].op->size;
	out = calloc(1, most + 1);
	if (f->synced)
		memcpy(out, f->synced, f->synced_size);
	for (size_t i = 0; i < f->n; i++) {
		const struct disk_write *w = &f->write[i];
		size_t end = w->op->at + w->op->size;

		if (w->choice == DISK_LOST ||
		    (w->choice == DISK_MIXED && disk_next() % 8 == 0))
			continue;
		if (w->op->kind == TRACE_TRUNCATE) {
			if (end < now)
				memset(out + end, 0, now - end);
			now = end;
			continue;
		}
		disk_put_write(out, w);
		if (end > now)
			now = end;
	}
	*size = now;
	return out;
}

static uint64_t disk_sum;
static void disk_add_sum(const void *bytes, size_t n)
{
	disk_sum = pk_sum(disk_sum, bytes, n);
}

/* Zeros are left as holes: quicker, and nobody can tell. */
static void disk_put(const char *path, const unsigned char *bytes, size_t size)
{
	static const unsigned char zeros[4096];
	int fd = __real_open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);

	assert_true(fd >= 0);
	assert_int_equal(__real_ftruncate(fd, (off_t)size), 0);
	for (size_t at = 0; at < size; at += 4096) {
		size_t n = size - at < 4096 ? size - at : 4096;

		if (memcmp(bytes + at, zeros, n))
			assert_int_equal(__real_pwrite(fd, bytes + at, n,
						       (off_t)at), n);
	}
	close(fd);
}

static void disk_lay(struct disk *d, int dir, const char *path)
{
	for (int i = 0; i < d->names; i++) {
		struct disk_name *n = &d->name[i];
		char below[600];
		unsigned char *bytes;
		size_t size;
		int at;

		if (n->dir != dir)
			continue;
		at = disk_chosen(n);
		if (at < 0)
			continue;
		if (!dir)
			snprintf(below, sizeof(below), "%s", path);
		else
			snprintf(below, sizeof(below), "%s/%s", path, n->name);
		disk_add_sum(n->name, strlen(n->name) + 1);
		disk_add_sum(&dir, sizeof(dir));
		if (d->file[at].is_dir) {
			if (path && __real_mkdir(below, 0700))
				assert_int_equal(errno, EEXIST);
			disk_lay(d, at, path ? below : NULL);
			continue;
		}
		bytes = disk_choose(&d->file[at], &size);
		disk_add_sum(&size, sizeof(size));
		disk_add_sum(bytes, size);
		if (path)
			disk_put(below, bytes, size);
		free(bytes);
	}
}

/* Writes the tree that was chosen to path, where directories may be; path
 * NULL only sums up. Gives a sum over all of it, by which states that are
 * the same are known. */
static uint64_t disk_crash(struct disk *d, const char *path)
{
	disk_seed = d->ops * 1000 + d->phase * 100 + d->i;
	disk_sum = 0;
	disk_lay(d, 0, path);
	return disk_sum;
}

/* ---- a tree that is on the disk already ---- */

static void disk_take(struct disk *d, int dir, const char *path)
{
	struct dirent *e;
	DIR *list = opendir(path);

	assert_non_null(list);
	while ((e = readdir(list))) {
		struct disk_name *n;
		char below[600];
		struct stat st;
		int fd, at;

		/* LMDB's is not in a trace */
		if (*e->d_name == '.' || !strncmp(e->d_name, "index-", 6))
			continue;
		snprintf(below, sizeof(below), "%s/%s", path, e->d_name);
		assert_int_equal(__real_fstatat(AT_FDCWD, below, &st, 0), 0);
		at = disk_add(d, S_ISDIR(st.st_mode));
		n = disk_find(d, dir, e->d_name, strlen(e->d_name), 1);
		n->synced = at;
		if (S_ISDIR(st.st_mode)) {
			if (!strcmp(e->d_name, "stage"))
				d->stage = at;
			disk_take(d, at, below);
			continue;
		}
		fd = __real_open(below, O_RDONLY);
		disk_resize(&d->file[at], (size_t)st.st_size);
		assert_int_equal(pread(fd, d->file[at].now, d->file[at].now_size,
				       0), st.st_size);
		close(fd);
		disk_sync(d, at);
	}
	closedir(list);
}

/* All of it synced. */
static struct disk *disk_of(const char *path)
{
	struct disk *d = disk_new();
	struct disk_name *n = disk_find(d, 0, ".", 1, 1);

	n->synced = disk_add(d, 1);
	disk_take(d, n->synced, path);
	return d;
}

#endif
