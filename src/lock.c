#include "lock.h"

#include <errno.h>
#include <fcntl.h>

void pk_locks_init(struct pk_locks *l)
{
	for (int i = 0; i < PK_LOCKS; i++)
		pthread_mutex_init(&l->mutex[i], NULL);
}

void pk_locks_release(struct pk_locks *l)
{
	for (int i = 0; i < PK_LOCKS; i++)
		pthread_mutex_destroy(&l->mutex[i]);
}

static int set(struct pk_locks *l, enum pk_lock_name name, short type,
	       int cmd)
{
	struct flock lock = { .l_type = type,
			      .l_whence = SEEK_SET,
			      .l_start = name,
			      .l_len = 1 };
	int rc;

	while ((rc = fcntl(l->fd, cmd, &lock)) && errno == EINTR)
		;
	return rc;
}

int pk_lock(struct pk_locks *l, enum pk_lock_name name,
	    struct pakhus_error *err)
{
	pthread_mutex_lock(&l->mutex[name]);
	if (!set(l, name, F_WRLCK, F_OFD_SETLKW))
		return 0;
	pthread_mutex_unlock(&l->mutex[name]);
	return pk_fail_sys(err, "lock local/lock");
}

void pk_unlock(struct pk_locks *l, enum pk_lock_name name)
{
	set(l, name, F_UNLCK, F_OFD_SETLK);
	pthread_mutex_unlock(&l->mutex[name]);
}

int pk_presence_try(struct pk_locks *l, struct pakhus_error *err)
{
	if (!set(l, PK_LOCK_PRESENCE, F_WRLCK, F_OFD_SETLK))
		return 1;
	if (errno == EAGAIN || errno == EACCES)
		return 0;
	return pk_fail_sys(err, "lock local/lock");
}

int pk_presence_share(struct pk_locks *l, struct pakhus_error *err)
{
	if (set(l, PK_LOCK_PRESENCE, F_RDLCK, F_OFD_SETLKW))
		return pk_fail_sys(err, "lock local/lock");
	return 0;
}

void pk_presence_leave(struct pk_locks *l)
{
	set(l, PK_LOCK_PRESENCE, F_UNLCK, F_OFD_SETLK);
}

int pk_hold(struct pk_held *h, struct pk_locks *l, enum pk_lock_name name,
	    struct pakhus_error *err)
{
	int rc = pk_lock(l, name, err);

	if (rc)
		return rc;
	h->locks = l;
	h->name = name;
	return 0;
}

int pk_hold_try(struct pk_held *h, struct pk_locks *l, enum pk_lock_name name)
{
	if (pthread_mutex_trylock(&l->mutex[name]))
		return 0;
	if (set(l, name, F_WRLCK, F_OFD_SETLK)) {
		pthread_mutex_unlock(&l->mutex[name]);
		return 0;
	}
	h->locks = l;
	h->name = name;
	return 1;
}

void pk_let_go(struct pk_held *h)
{
	int saved = errno;

	if (h->locks)
		pk_unlock(h->locks, h->name);
	h->locks = NULL;
	errno = saved;
}
