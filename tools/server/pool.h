/* pool.h - threads that do what may wait for a disk.
 *
 * A job belongs to the pool from pool_submit() until its done() is called, by
 * pool_finish() and on the thread that calls that. wake() is called, on any
 * thread, where there is something to finish and there was nothing before.
 *
 * To wake a thread costs more than most quick jobs do. So these wait for a
 * thread that is at another of them, and who submits calls pool_nudge() a
 * moment later, in case that one waits for a disk after all.
 */
#ifndef POOL_H
#define POOL_H

#include <stddef.h>

struct job {
	void (*run)(struct job *job);  /* on a thread of the pool */
	void (*done)(struct job *job); /* may submit it again */
	int is_quick;		       /* it rarely waits for anything */
	struct job *next;	       /* the pool's */
};

struct pool;

/* As many jobs as queue wait at most. -1: no memory, or no thread could be
 * started; errno says which. */
int pool_new(struct pool **out, unsigned threads, size_t queue,
	     void (*wake)(void *arg), void *arg);
/* -1: as many wait as may. */
int pool_submit(struct pool *pool, struct job *job);
/* Where a job waits and a thread sleeps, wakes one. Whether a job waits. */
int pool_nudge(struct pool *pool);
void pool_finish(struct pool *pool);
/* Whether nothing waits, runs or is to be finished. */
int pool_is_idle(struct pool *pool);
/* Waits for what runs. What is queued or done is not called any more. */
void pool_free(struct pool *pool);

#endif
