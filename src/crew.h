/* crew.h - threads for the length of one call. Tasks go in one by one and
 * are done by whoever is free, the caller included.
 *
 * A crew of no threads but the caller does each task when it is put. No
 * more are begun after one failed; what is put then is dropped.
 */
#ifndef PK_CREW_H
#define PK_CREW_H

#include "fail.h"

#include <pthread.h>

#define PK_CREW_MAX 64

struct pk_crew {
	/* Does a task, on any thread; *own is that thread's, for work() to
	 * make, and NULL before. */
	int (*work)(void *arg, void *task, void **own,
		    struct pakhus_error *err);
	void (*release)(void *own); /* frees what work() made; or NULL */
	void (*drop)(void *task);   /* frees one, done or not; or NULL */
	void *arg;
	unsigned threads; /* at most, with the caller; 0 is 1 */

	/* private */
	pthread_mutex_t lock;
	pthread_cond_t put, done;
	void *task[2 * PK_CREW_MAX]; /* a ring; NULL: free */
	uint64_t n_put, n_taken;
	int is_over, status;
	struct pakhus_error err; /* of the first that failed */
	pthread_t thread[PK_CREW_MAX];
	unsigned n;
	void *own; /* the caller's */
};

/* Set the first five members, the rest 0. */
void pk_crew_init(struct pk_crew *c);
/* Takes a task over, and waits while twice as many as threads are not done.
 * A failure is that of any task so far. */
int pk_crew_put(struct pk_crew *c, void *task, struct pakhus_error *err);
/* Waits until is(), which is asked under a lock, says 0 of every task that
 * is not done; is NULL: until all are done. */
int pk_crew_wait(struct pk_crew *c, int (*is)(void *arg, void *task),
		 void *arg, struct pakhus_error *err);
void pk_crew_release(struct pk_crew *c);

#endif
