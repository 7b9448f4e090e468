/* io.h - full reads and writes, and syncs of files and directories.
 *
 * Paths are relative to an open directory, which is the store's own unless
 * said otherwise; they are what error texts name. All writes of the library
 * go through here and tmpfile.h, except LMDB's.
 */
#ifndef PK_IO_H
#define PK_IO_H

#include "fail.h"

#include <dirent.h>
#include <sys/types.h>

/* The whole file, at most max bytes, with a NUL behind; *out is malloc'ed. */
int pk_read_file(int dir, const char *path, size_t max, char **out,
		 size_t *size, struct pakhus_error *err);
/* Reads n bytes or up to the end; gives how many, or -1 with errno. */
ssize_t pk_pread(int fd, void *buf, size_t n, uint64_t at);
/* 0, or -1 with errno. */
int pk_pwrite(int fd, const void *buf, size_t n, uint64_t at);
int pk_fsync(int fd);
int pk_fdatasync(int fd);

/* An existing directory is no error. */
int pk_mkdir(int dir, const char *path, unsigned mode,
	     struct pakhus_error *err);
int pk_sync_dir(int dir, const char *path, struct pakhus_error *err);
/* Opens a directory to be read; NULL with errno. flags: 0 or O_NOFOLLOW. */
DIR *pk_opendir(int dir, const char *path, int flags);
/* The next name in it: 1, 0 at the end, or a failure. */
int pk_readdir(DIR *d, const char *path, const char **name,
	       struct pakhus_error *err);
/* Removes every file in a directory, as far as it goes. */
void pk_empty_dir(int dir, const char *path);
/* Removes what a path names, whatever it is, and all below it, as far as it
 * goes; never through a link. */
void pk_remove_tree(int dir, const char *path);
/* 1, 0, or a failure. */
int pk_exists(int dir, const char *path, struct pakhus_error *err);
int pk_random(void *buf, size_t n, struct pakhus_error *err);

static inline void pk_auto_closedir(DIR **d)
{
	if (*d)
		closedir(*d);
}
#define AUTO_DIR AUTO(pk_auto_closedir)

#endif
