/* nosync.h - syncs that do nothing, for programs in which no power is lost.
 * Their sources wrap fsync and fdatasync.
 */
#ifndef NOSYNC_H
#define NOSYNC_H

int __wrap_fsync(int fd);
int __wrap_fsync(int fd)
{
	(void)fd;
	return 0;
}

int __wrap_fdatasync(int fd);
int __wrap_fdatasync(int fd)
{
	(void)fd;
	return 0;
}

#endif
