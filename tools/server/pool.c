#include "pool.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>

struct pool {
	pthread_mutex_t lock; /* of what waits */
	pthread_cond_t more;
	struct job *first, **last;
	size_t waits, queue;
	unsigned sleeps; /* threads that nobody woke yet */
	unsigned wakes;	 /* threads that were, and do not know it yet */
	unsigned ready;	 /* threads that are at no long job and do not sleep */
	int is_ending;
	_Atomic(struct job *) done; /* the last before those before it */
	atomic_size_t open; /* submitted, and not finished */
	void (*wake)(void *arg);
	void *arg;
	unsigned threads;
	pthread_t thread[];
};

/* Gives whether more has to be signalled, best without the lock. */
static int rouse(struct pool *p)
{
	if (!p->sleeps)
		return 0;
	p->sleeps--;
	p->wakes++;
	p->ready++;
	return 1;
}

static void sleep_until_woken(struct pool *p)
{
	p->ready--;
	p->sleeps++;
	while (!p->wakes && !p->is_ending)
		pthread_cond_wait(&p->more, &p->lock);
	p->wakes -= !p->is_ending;
}

/* The next job, behind one that was long or not; NULL: no more come. Who goes
 * to a long job leaves the others to somebody. */
static struct job *take(struct pool *p, int was_long)
{
	struct job *job = NULL;
	int is_heard = 0;

	pthread_mutex_lock(&p->lock);
	p->ready += (unsigned)was_long;
	while (!p->first && !p->is_ending)
		sleep_until_woken(p);
	if (!p->is_ending) {
		job = p->first;
		p->first = job->next;
		if (!p->first)
			p->last = &p->first;
		p->waits--;
		p->ready -= !job->is_quick;
		is_heard = p->first && !p->ready && rouse(p);
	}
	pthread_mutex_unlock(&p->lock);
	if (is_heard)
		pthread_cond_signal(&p->more);
	return job;
}

static void *work(void *arg)
{
	struct pool *p = arg;
	struct job *job, *before;
	int was_long = 0;

	while ((job = take(p, was_long))) {
		was_long = !job->is_quick;
		job->run(job);
		before = atomic_load(&p->done);
		do {
			job->next = before;
		} while (!atomic_compare_exchange_weak(&p->done, &before, job));
		/* the job may be gone by now */
		if (!before)
			p->wake(p->arg);
	}
	return NULL;
}

/* Signals are the loop's. */
static void start(struct pool *p, unsigned threads)
{
	sigset_t all, before;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	pthread_mutex_lock(&p->lock);
	while (p->threads < threads) {
		errno = pthread_create(&p->thread[p->threads], NULL, work, p);
		if (errno)
			break;
		p->threads++;
		p->ready++;
	}
	pthread_mutex_unlock(&p->lock);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
}

int pool_new(struct pool **out, unsigned threads, size_t queue,
	     void (*wake)(void *arg), void *arg)
{
	struct pool *p =
		calloc(1, sizeof(*p) + threads * sizeof(p->thread[0]));

	if (!p)
		return -1;
	pthread_mutex_init(&p->lock, NULL);
	pthread_cond_init(&p->more, NULL);
	p->last = &p->first;
	p->queue = queue;
	p->wake = wake;
	p->arg = arg;
	start(p, threads);
	if (!p->threads) {
		pool_free(p);
		return -1;
	}
	*out = p;
	return 0;
}

int pool_submit(struct pool *p, struct job *job)
{
	int is_full, is_heard = 0;

	pthread_mutex_lock(&p->lock);
	is_full = p->waits >= p->queue;
	if (!is_full) {
		job->next = NULL;
		*p->last = job;
		p->last = &job->next;
		p->waits++;
		atomic_fetch_add(&p->open, 1);
		is_heard = !p->ready && rouse(p);
	}
	pthread_mutex_unlock(&p->lock);
	if (is_heard)
		pthread_cond_signal(&p->more);
	return is_full ? -1 : 0;
}

int pool_nudge(struct pool *p)
{
	int waits, is_heard;

	pthread_mutex_lock(&p->lock);
	waits = p->first != NULL;
	is_heard = waits && rouse(p);
	pthread_mutex_unlock(&p->lock);
	if (is_heard)
		pthread_cond_signal(&p->more);
	return waits;
}

void pool_finish(struct pool *p)
{
	struct job *job = atomic_exchange(&p->done, NULL), *next;
	struct job *in_order = NULL;

	for (; job; job = next) {
		next = job->next;
		job->next = in_order;
		in_order = job;
	}
	for (job = in_order; job; job = next) {
		next = job->next;
		atomic_fetch_sub(&p->open, 1);
		job->done(job);
	}
}

int pool_is_idle(struct pool *p)
{
	return !atomic_load(&p->open);
}

void pool_free(struct pool *p)
{
	unsigned i;

	if (!p)
		return;
	pthread_mutex_lock(&p->lock);
	p->is_ending = 1;
	pthread_cond_broadcast(&p->more);
	pthread_mutex_unlock(&p->lock);
	for (i = 0; i < p->threads; i++)
		pthread_join(p->thread[i], NULL);
	pthread_cond_destroy(&p->more);
	pthread_mutex_destroy(&p->lock);
	free(p);
}
