#include "pool.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>

struct line {
	struct job *first, **last;
};

struct pool {
	pthread_mutex_t lock;
	pthread_cond_t more;
	struct line waiting, done;
	size_t waits, runs, queue;
	int is_ending;
	void (*wake)(void *arg);
	void *arg;
	unsigned threads;
	pthread_t thread[];
};

static void add(struct line *line, struct job *job)
{
	job->next = NULL;
	*line->last = job;
	line->last = &job->next;
}

static struct job *take(struct line *line)
{
	struct job *job = line->first;

	line->first = job->next;
	if (!line->first)
		line->last = &line->first;
	return job;
}

static void *work(void *arg)
{
	struct pool *p = arg;
	int is_first;

	pthread_mutex_lock(&p->lock);
	for (;;) {
		struct job *job;

		while (!p->waits && !p->is_ending)
			pthread_cond_wait(&p->more, &p->lock);
		if (p->is_ending)
			break;
		job = take(&p->waiting);
		p->waits--;
		p->runs++;
		pthread_mutex_unlock(&p->lock);
		job->run(job);
		pthread_mutex_lock(&p->lock);
		p->runs--;
		is_first = !p->done.first;
		add(&p->done, job);
		if (is_first)
			p->wake(p->arg);
	}
	pthread_mutex_unlock(&p->lock);
	return NULL;
}

/* Signals are the loop's. */
static void start(struct pool *p, unsigned threads)
{
	sigset_t all, before;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	while (p->threads < threads) {
		errno = pthread_create(&p->thread[p->threads], NULL, work, p);
		if (errno)
			break;
		p->threads++;
	}
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
	p->waiting.last = &p->waiting.first;
	p->done.last = &p->done.first;
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
	int is_full;

	pthread_mutex_lock(&p->lock);
	is_full = p->waits >= p->queue;
	if (!is_full) {
		add(&p->waiting, job);
		p->waits++;
		pthread_cond_signal(&p->more);
	}
	pthread_mutex_unlock(&p->lock);
	return is_full ? -1 : 0;
}

void pool_finish(struct pool *p)
{
	struct job *job, *next;

	pthread_mutex_lock(&p->lock);
	job = p->done.first;
	p->done.first = NULL;
	p->done.last = &p->done.first;
	pthread_mutex_unlock(&p->lock);
	for (; job; job = next) {
		next = job->next;
		job->done(job);
	}
}

int pool_is_idle(struct pool *p)
{
	int is_idle;

	pthread_mutex_lock(&p->lock);
	is_idle = !p->waits && !p->runs && !p->done.first;
	pthread_mutex_unlock(&p->lock);
	return is_idle;
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
