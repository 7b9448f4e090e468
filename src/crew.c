#include "crew.h"

#include <signal.h>

void pk_crew_init(struct pk_crew *c)
{
	if (!c->threads)
		c->threads = 1;
	if (c->threads > PK_CREW_MAX)
		c->threads = PK_CREW_MAX;
	pthread_mutex_init(&c->lock, NULL);
	pthread_cond_init(&c->put, NULL);
	pthread_cond_init(&c->done, NULL);
}

static unsigned room(const struct pk_crew *c)
{
	return 2 * c->threads;
}

/* The lock is held, but not while the task is done. */
static void do_next(struct pk_crew *c, void **own)
{
	void **slot = &c->task[c->n_taken++ % room(c)];
	struct pakhus_error err = { .status = 0 };
	int rc = c->status;

	if (!rc) {
		pthread_mutex_unlock(&c->lock);
		rc = c->work(c->arg, *slot, own, &err);
		pthread_mutex_lock(&c->lock);
	}
	if (rc && !c->status) {
		c->status = rc;
		c->err = err;
	}
	if (c->drop)
		c->drop(*slot);
	*slot = NULL;
	pthread_cond_broadcast(&c->done);
}

static void release(const struct pk_crew *c, void *own)
{
	if (own && c->release)
		c->release(own);
}

static void *member(void *arg)
{
	struct pk_crew *c = arg;
	void *own = NULL;

	pthread_mutex_lock(&c->lock);
	while (!c->is_over || c->n_taken < c->n_put)
		if (c->n_taken < c->n_put)
			do_next(c, &own);
		else
			pthread_cond_wait(&c->put, &c->lock);
	pthread_mutex_unlock(&c->lock);
	release(c, own);
	return NULL;
}

/* One more, if it may be; signals are for the program's own threads. */
static void enlist(struct pk_crew *c)
{
	sigset_t all, before;

	if (c->n + 1 >= c->threads)
		return;
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	c->n += !pthread_create(&c->thread[c->n], NULL, member, c);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
}

static void help(struct pk_crew *c)
{
	if (c->n_taken < c->n_put)
		do_next(c, &c->own);
	else
		pthread_cond_wait(&c->done, &c->lock);
}

static int failure(const struct pk_crew *c, struct pakhus_error *err)
{
	if (c->status && err && !err->status)
		*err = c->err;
	return c->status;
}

int pk_crew_put(struct pk_crew *c, void *task, struct pakhus_error *err)
{
	void **slot;
	int rc;

	pthread_mutex_lock(&c->lock);
	slot = &c->task[c->n_put % room(c)];
	while (*slot)
		help(c);
	/* what waits already is more than those who are here take at once */
	if (c->n_taken < c->n_put)
		enlist(c);
	*slot = task;
	c->n_put++;
	pthread_cond_signal(&c->put);
	if (c->threads == 1)
		do_next(c, &c->own);
	rc = failure(c, err);
	pthread_mutex_unlock(&c->lock);
	return rc;
}

static int is_any(void *arg, void *task)
{
	(void)arg, (void)task;
	return 1;
}

int pk_crew_wait(struct pk_crew *c, int (*is)(void *arg, void *task),
		 void *arg, struct pakhus_error *err)
{
	unsigned i = 0;
	int rc;

	if (!is)
		is = is_any;
	pthread_mutex_lock(&c->lock);
	while (i < room(c)) {
		int waits = c->task[i] && is(arg, c->task[i]);

		if (waits)
			help(c);
		i = waits ? 0 : i + 1;
	}
	rc = failure(c, err);
	pthread_mutex_unlock(&c->lock);
	return rc;
}

void pk_crew_release(struct pk_crew *c)
{
	pk_crew_wait(c, NULL, NULL, NULL);
	pthread_mutex_lock(&c->lock);
	c->is_over = 1;
	pthread_cond_broadcast(&c->put);
	pthread_mutex_unlock(&c->lock);
	for (unsigned i = 0; i < c->n; i++)
		pthread_join(c->thread[i], NULL);
	pthread_cond_destroy(&c->done);
	pthread_cond_destroy(&c->put);
	pthread_mutex_destroy(&c->lock);
	release(c, c->own);
}
