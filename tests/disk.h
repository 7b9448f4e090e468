/* disk.h - a file tree in memory, as a disk has it while power may go.
 *
 * disk_do() replays calls that trace.h kept. Every file has bytes that a
 * sync covered and writes that came after it; every name has the file that
 * a sync of its directory covered and what it named after that. A name is
 * made or removed for certain only by a sync of its directory, whatever was
 * synced otherwise: POSIX promises no more. disk_crash() writes into a
 * directory one of the trees that may be found when power comes back.
 */
#ifndef DISK_H
#define DISK_H

#include "trace.h"

enum disk_loss {
	DISK_KEPT,	  /* everything got there */
	DISK_DROPPED,	  /* nothing that was not synced */
	DISK_NAMES,	  /* names did, bytes did not */
	DISK_ZEROED,	  /* names and sizes did, bytes are zeros */
	DISK_BYTES,	  /* bytes did, names did not */
	DISK_FIRST_LOST,  /* everything but a file's first write */
	DISK_LAST_LOST,	  /* everything but a file's last write */
	DISK_RANDOM	  /* from here on, seeds: each name and block for
			     itself */
};

struct disk_file {
	int is_dir;
	unsigned char *synced, *now;
	size_t synced_size, now_size;
	struct trace_op **write; /* since the sync */
	size_t n, cap;
	size_t dirty_from, dirty_to; /* what they touch */
};

struct disk_name {
	int dir;
	char *name;
	int synced;	/* a file, or -1 */
	int later[64];	/* what it named since */
	int n;
};

struct disk {
	struct disk_file file[4096];
	int files;
	struct disk_name name[4096];
	int names;
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
	d->name[d->names] = (struct disk_name){ dir, strndup(name, size), -1,
						{ 0 }, 0 };
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

static void disk_name_now(struct disk_name *n, int file)
{
	/* a name that changes very often: the states in the middle go */
	if (n->n == (int)T_COUNT(n->later))
		memmove(n->later, n->later + 1,
			(size_t)--n->n * sizeof(*n->later));
	n->later[n->n++] = file;
}

static void disk_write(struct disk_file *f, struct trace_op *op)
{
	size_t end = op->at + op->size;

	if (end > f->now_size) {
		f->now = realloc(f->now, end);
		memset(f->now + f->now_size, 0, end - f->now_size);
		f->now_size = end;
	}
	memcpy(f->now + op->at, op->bytes, op->size);
	if (f->n == f->cap) {
		f->cap = f->cap ? 2 * f->cap : 4;
		f->write = realloc(f->write, f->cap * sizeof(*f->write));
	}
	if (!f->n || op->at < f->dirty_from)
		f->dirty_from = op->at;
	if (!f->n || end > f->dirty_to)
		f->dirty_to = end;
	f->write[f->n++] = op;
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
		memcpy(f->synced + f->dirty_from, f->now + f->dirty_from,
		       f->dirty_to - f->dirty_from);
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
		disk_name_now(n, disk_add(d, 0));
		break;
	case TRACE_MKDIR:
		disk_name_now(n, disk_add(d, 1));
		break;
	case TRACE_WRITE:
		disk_write(&d->file[disk_now(n)], op);
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
		disk_name_now(to, disk_now(n));
		disk_name_now(n, -1);
		break;
	case TRACE_UNLINK:
		disk_name_now(n, -1);
		break;
	case TRACE_CHMOD:
		break;
	case TRACE_TRUNCATE:
		fail_msg("no file is cut");
	}
}

/* ---- what may be found ---- */

static int disk_choose_name(const struct disk_name *n, unsigned loss)
{
	uint64_t pick;

	if (loss == DISK_DROPPED || loss == DISK_BYTES)
		return n->synced;
	if (loss < DISK_RANDOM || !n->n)
		return disk_now(n);
	pick = disk_next() % ((unsigned)n->n + 1);
	return pick ? n->later[pick - 1] : n->synced;
}

/* A file's bytes, block by block. */
static unsigned char *disk_choose(const struct disk_file *f, unsigned loss,
				  size_t *size)
{
	size_t block = loss % 2 ? 512 : 4096, most = f->now_size;
	unsigned char *out = calloc(1, (most > f->synced_size ? most
							: f->synced_size) + 1);

	if (f->synced)
		memcpy(out, f->synced, f->synced_size);
	*size = most > f->synced_size ? most : f->synced_size;
	if (loss == DISK_DROPPED || loss == DISK_NAMES)
		*size = f->synced_size;
	else if (loss >= DISK_RANDOM && f->now_size > f->synced_size &&
		 disk_next() % 4 == 0)
		*size = f->synced_size +
			disk_next() % (f->now_size - f->synced_size + 1);
	for (size_t i = 0; i < f->n; i++) {
		const struct trace_op *w = f->write[i];

		for (size_t at = w->at; at < w->at + w->size;) {
			size_t n = block - at % block;
			int what = 0; /* kept, dropped, zeroed */

			if (n > w->at + w->size - at)
				n = w->at + w->size - at;
			if (loss == DISK_DROPPED || loss == DISK_NAMES ||
			    (loss == DISK_FIRST_LOST && !i) ||
			    (loss == DISK_LAST_LOST && i + 1 == f->n))
				what = 1;
			else if (loss == DISK_ZEROED)
				what = 2;
			else if (loss >= DISK_RANDOM)
				what = (int)(disk_next() % 8);
			/* most blocks get there or do not, few are zeros */
			if (!what || (what > 4 && what < 8))
				memcpy(out + at, w->bytes + (at - w->at), n);
			else if (what == 2)
				memset(out + at, 0, n);
			at += n;
		}
	}
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

static void disk_lay(struct disk *d, int dir, unsigned loss, const char *path)
{
	for (int i = 0; i < d->names; i++) {
		struct disk_name *n = &d->name[i];
		char below[600];
		unsigned char *bytes;
		size_t size;
		int at;

		if (n->dir != dir)
			continue;
		at = disk_choose_name(n, loss);
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
			disk_lay(d, at, loss, path ? below : NULL);
			continue;
		}
		bytes = disk_choose(&d->file[at], loss, &size);
		disk_add_sum(&size, sizeof(size));
		disk_add_sum(bytes, size);
		if (path)
			disk_put(below, bytes, size);
		free(bytes);
	}
}

/* Writes a tree to path, where directories may be; path NULL only sums up.
 * Gives a sum over all of it, by which states that are the same are known. */
static uint64_t disk_crash(struct disk *d, unsigned loss, uint64_t seed,
			   const char *path)
{
	disk_seed = seed;
	disk_sum = 0;
	disk_lay(d, 0, loss, path);
	return disk_sum;
}

#endif
