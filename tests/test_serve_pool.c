/* test_serve_pool.c - jobs are run, once each, whoever sleeps or waits. */
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <sys/eventfd.h>

#include "t.h"

#include "../tools/server/pool.h"

struct work {
	struct job job;
	int gate; /* -1: it waits for nothing */
	atomic_int runs;
	int dones;
};

static int bell;
static atomic_int begun;

static void ring(void *arg)
{
	uint64_t one = 1;

	(void)arg;
	if (write(bell, &one, sizeof(one)) != sizeof(one))
		abort();
}

static void run(struct job *job)
{
	struct work *w = (struct work *)job;
	char byte;

	atomic_fetch_add(&w->runs, 1);
	atomic_fetch_add(&begun, 1);
	if (w->gate >= 0 && read(w->gate, &byte, 1) != 1)
		abort();
}

static void done(struct job *job)
{
	((struct work *)job)->dones++;
}

static struct work *works(size_t n, int gate)
{
	struct work *w = calloc(n, sizeof(*w));
	size_t i;

	for (i = 0; i < n; i++) {
		w[i].job.run = run;
		w[i].job.done = done;
		w[i].gate = gate;
	}
	return w;
}

/* Until nothing is left; half a minute is for ever. */
static void finish_all(struct pool *pool)
{
	struct pollfd p = {.fd = bell, .events = POLLIN};
	uint64_t n;

	while (!pool_is_idle(pool)) {
		assert_int_equal(poll(&p, 1, 30000), 1);
		assert_int_equal(read(bell, &n, sizeof(n)), sizeof(n));
		pool_finish(pool);
	}
}

static void wait_begun(int n)
{
	int i;

	for (i = 0; atomic_load(&begun) < n; i++) {
		assert_true(i < 30000);
		usleep(1000);
	}
}

static int open_bell(void **state)
{
	(void)state;
	atomic_store(&begun, 0);
	bell = eventfd(0, 0);
	return bell < 0;
}

static int close_bell(void **state)
{
	(void)state;
	return close(bell);
}

static void test_every_job_runs_once_whether_long_or_quick(void **state)
{
	enum { COUNT = 20000 };
	struct work *w = works(COUNT, -1);
	struct pool *pool;
	size_t i;

	(void)state;
	assert_int_equal(pool_new(&pool, 4, COUNT, ring, NULL), 0);
	for (i = 0; i < COUNT; i++) {
		w[i].job.is_quick = i % 3 != 0;
		assert_int_equal(pool_submit(pool, &w[i].job), 0);
		if (i % 100 == 0) /* so that threads fall asleep */
			finish_all(pool);
	}
	finish_all(pool);
	for (i = 0; i < COUNT; i++) {
		assert_int_equal(atomic_load(&w[i].runs), 1);
		assert_int_equal(w[i].dones, 1);
	}
	pool_free(pool);
	free(w);
}

static void test_long_jobs_run_beside_each_other(void **state)
{
	enum { THREADS = 4, COUNT = 6 };
	struct pool *pool;
	struct work *w;
	int gate[2], i;

	(void)state;
	assert_int_equal(pipe(gate), 0);
	w = works(COUNT, gate[0]);
	assert_int_equal(pool_new(&pool, THREADS, 100, ring, NULL), 0);
	for (i = 0; i < COUNT; i++)
		assert_int_equal(pool_submit(pool, &w[i].job), 0);
	wait_begun(THREADS);
	assert_int_equal(atomic_load(&begun), THREADS);
	assert_int_equal(write(gate[1], "123456", COUNT), COUNT);
	finish_all(pool);
	pool_free(pool);
	free(w);
	close(gate[0]);
	close(gate[1]);
}

static void test_a_quick_job_is_not_kept_waiting_by_a_slow_one(void **state)
{
	struct work *slow, *quick = works(1, -1);
	struct pool *pool;
	int gate[2];

	(void)state;
	assert_int_equal(pipe(gate), 0);
	slow = works(1, gate[0]);
	slow->job.is_quick = 1; /* as one thinks */
	quick->job.is_quick = 1;
	assert_int_equal(pool_new(&pool, 2, 100, ring, NULL), 0);
	assert_int_equal(pool_submit(pool, &slow->job), 0);
	wait_begun(1);
	assert_int_equal(pool_submit(pool, &quick->job), 0);
	while (pool_nudge(pool))
		usleep(1000);
	wait_begun(2);
	assert_int_equal(write(gate[1], "1", 1), 1);
	finish_all(pool);
	pool_free(pool);
	free(slow);
	free(quick);
	close(gate[0]);
	close(gate[1]);
}

static void test_no_more_wait_than_may(void **state)
{
	struct work *w;
	struct pool *pool;
	int gate[2], i;

	(void)state;
	assert_int_equal(pipe(gate), 0);
	w = works(5, gate[0]);
	assert_int_equal(pool_new(&pool, 1, 3, ring, NULL), 0);
	assert_int_equal(pool_submit(pool, &w[0].job), 0);
	wait_begun(1);
	for (i = 1; i < 4; i++)
		assert_int_equal(pool_submit(pool, &w[i].job), 0);
	assert_int_equal(pool_submit(pool, &w[4].job), -1);
	assert_int_equal(write(gate[1], "1234", 4), 4);
	finish_all(pool);
	assert_int_equal(atomic_load(&w[3].runs), 1);
	assert_int_equal(atomic_load(&w[4].runs), 0);
	pool_free(pool);
	free(w);
	close(gate[0]);
	close(gate[1]);
}

#define RUNG(test) cmocka_unit_test_setup_teardown(test, open_bell, close_bell)

int main(void)
{
	const struct CMUnitTest tests[] = {
		RUNG(test_every_job_runs_once_whether_long_or_quick),
		RUNG(test_long_jobs_run_beside_each_other),
		RUNG(test_a_quick_job_is_not_kept_waiting_by_a_slow_one),
		RUNG(test_no_more_wait_than_may),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
