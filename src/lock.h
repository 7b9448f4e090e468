/* lock.h - the four locks of a store, each a mutex between threads and one
 * byte of an OFD lock between processes. Always taken in this order:
 *
 *	presence    for life: shared by all who use local/; exclusive to
 *		    recover
 *	integrate   one at a time moves sealed journal into the tree
 *	append      the journal's end
 *	commit      the sync, and what readers may see
 *
 * OFD locks (fcntl(2), F_OFD_SETLK) belong to the open file, so they end
 * with the process however it ends.
 */
#ifndef PK_LOCK_H
#define PK_LOCK_H

#include "fail.h"

#include <pthread.h>

enum pk_lock_name {
	PK_LOCK_PRESENCE,
	PK_LOCK_INTEGRATE,
	PK_LOCK_APPEND,
	PK_LOCK_COMMIT,
	PK_LOCKS
};

struct pk_locks {
	int fd; /* local/lock; owned by the environment */
	pthread_mutex_t mutex[PK_LOCKS];
};

void pk_locks_init(struct pk_locks *l);
void pk_locks_release(struct pk_locks *l);

int pk_lock(struct pk_locks *l, enum pk_lock_name name,
	    struct pakhus_error *err);
void pk_unlock(struct pk_locks *l, enum pk_lock_name name);

/* Presence, which no mutex goes with. Without waiting: 1 got it exclusively,
 * 0 somebody else is there, or a failure. */
int pk_presence_try(struct pk_locks *l, struct pakhus_error *err);
/* Shared: waits for an exclusive holder, or lets go of exclusiveness. */
int pk_presence_share(struct pk_locks *l, struct pakhus_error *err);
void pk_presence_leave(struct pk_locks *l);

/* Unlocks at the end of the scope. */
struct pk_held {
	struct pk_locks *locks;
	enum pk_lock_name name;
};
int pk_hold(struct pk_held *h, struct pk_locks *l, enum pk_lock_name name,
	    struct pakhus_error *err);
/* Without waiting: 1 where it is held now. */
int pk_hold_try(struct pk_held *h, struct pk_locks *l, enum pk_lock_name name);
void pk_let_go(struct pk_held *h);
#define PK_HELD AUTO(pk_let_go) struct pk_held

#endif
