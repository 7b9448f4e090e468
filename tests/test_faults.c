/* test_faults.c - a sync that fails with others waiting for it, and a stage
 * that cannot be emptied. That every call fails: test_calls.c.
 *
 * wrap: open openat pwrite write fsync fdatasync renameat mkdir mkdirat unlinkat fchmod ftruncate fstat fstatat
 */
#include "trace.h"
#include "stores.h"

static char *path;

/* The stage keeps what could not be removed; that is not this run's. */
static void leftovers_in_the_stage_are_not_taken_for_staged(void **state)
{
	struct pakhus *s;

	path = s_init(state, "store", 0);
	trace_at(path);
	s = s_open(path, 0);
	s_publish(s, "a", "1", 1);
	trace.only_kind = TRACE_RENAME;
	trace_fail(1, EIO, 1);
	assert_status(pakhus_sync(s, &err), PAKHUS_ESYS);
	trace.only_kind = TRACE_UNLINK;
	trace_fail(1, EIO, 1);
	pakhus_sync(s, &err);
	trace_peace();
	pakhus_close(s);
	s = s_open(path, PAKHUS_REBUILD);
	assert_holds(s, "a", "1", 1);
	s_verify(s);
	pakhus_close(s);
	free(path);
}

/* ---- a sync that fails ---- */

#define PUBLISHERS 4
static struct pakhus *shared;
static int results[PUBLISHERS];
static atomic_int waiting;

/* Until the others have appended and wait. */
static void wait_for_company(void)
{
	usleep(100000);
}

static void *publish_one(void *arg)
{
	struct pakhus_error e;
	int i = *(int *)arg;
	char id[20], *doc;

	snprintf(id, sizeof(id), "thread-%d", i);
	doc = s_document(id, "1", 1);
	atomic_fetch_add(&waiting, 1);
	results[i] = pakhus_publish(shared, doc, strlen(doc), NULL, NULL, &e);
	free(doc);
	return NULL;
}

static void assert_not_shown(struct pakhus *s, uint64_t entries)
{
	struct pakhus_list *l = s_list(s, 0, 100, 0);
	struct pakhus_history *h = s_history(s, NULL, 0, 100);

	assert_int_equal(l->count, 1);
	assert_int_equal(h->count, entries);
	assert_int_equal(h->position, entries);
	for (int i = 0; i < PUBLISHERS; i++) {
		char id[20];

		snprintf(id, sizeof(id), "thread-%d", i);
		assert_status(pakhus_get(s, id, NULL, NULL, &err),
			      PAKHUS_ENOTFOUND);
	}
	assert_holds(s, "before", "1", 1);
	pakhus_list_free(l);
	pakhus_history_free(h);
}

static int look_from_a_process(void *arg)
{
	struct pakhus *s = s_open(path, 0);

	(void)arg;
	assert_not_shown(s, 2);
	assert_status(s_try(s, "more", "1", 1, NULL), PAKHUS_ESYS);
	pakhus_close(s);
	return 0;
}

static void a_sync_that_fails_leaves_every_waiter_without_an_answer(
	void **state)
{
	pthread_t thread[PUBLISHERS];
	int number[PUBLISHERS], unknown = 0, shown = 0;
	struct pakhus *second;
	struct pakhus_history *h;

	path = s_init(state, "store", 0);
	trace_at(path);
	shared = s_open(path, 0);
	second = s_open(path, 0);
	s_publish(shared, "before", "1", 1);
	trace_before_datasync = wait_for_company;
	trace.only_kind = TRACE_DATASYNC;
	trace_fail(1, EIO, 0);
	for (int i = 0; i < PUBLISHERS; i++) {
		number[i] = i;
		pthread_create(&thread[i], NULL, publish_one, &number[i]);
	}
	for (int i = 0; i < PUBLISHERS; i++)
		pthread_join(thread[i], NULL);
	trace_before_datasync = NULL;
	trace_peace();
	for (int i = 0; i < PUBLISHERS; i++)
		unknown += results[i] == PAKHUS_EUNKNOWN;
	assert_int_equal(unknown, PUBLISHERS);
	assert_not_shown(shared, 2);
	assert_not_shown(second, 2);
	assert_int_equal(s_in_child(look_from_a_process, NULL), 0);

	assert_status(s_try(shared, "more", "1", 1, NULL), PAKHUS_ESYS);
	assert_non_null(strstr(err.text, "writing has stopped"));
	assert_status(s_try(second, "more", "1", 1, NULL), PAKHUS_ESYS);
	assert_status(pakhus_delete(second, "before", NULL, NULL, NULL, &err),
		      PAKHUS_ESYS);
	assert_int_not_equal(pakhus_sync(shared, &err), 0);
	assert_not_shown(second, 2);
	pakhus_close(shared);
	/* not alone yet */
	assert_status(s_try(second, "more", "1", 1, NULL), PAKHUS_ESYS);
	pakhus_close(second);

	shared = s_open(path, 0);
	h = s_history(shared, NULL, 0, 100);
	shown = (int)h->count - 2;
	assert_in_range(shown, 0, PUBLISHERS);
	pakhus_history_free(h);
	assert_holds(shared, "before", "1", 1);
	s_verify(shared);
	s_publish(shared, "more", "1", 1);
	assert_done(pakhus_sync(shared, &err));
	s_verify(shared);
	pakhus_close(shared);
	free(path);
}

struct meeting {
	int ready[2], go[2];
};

/* A publisher in a process of its own: tells how its publish ended. */
static pid_t start_publisher(int i, int ready, int go)
{
	pid_t pid = fork();
	char id[20], c;
	struct pakhus *s;
	int rc;

	if (pid)
		return pid;
	snprintf(id, sizeof(id), "thread-%d", i);
	s = s_open(path, 0);
	if (write(ready, "", 1) != 1 || read(go, &c, 1) != 1)
		_exit(1);
	trace_before_datasync = wait_for_company;
	trace.only_kind = TRACE_DATASYNC;
	trace_fail(1, EIO, 1);
	rc = s_try(s, id, "1", 1, NULL);
	trace_peace();
	assert_not_shown(s, 2);
	/* stays until all were told */
	if (write(ready, "", 1) != 1 || read(go, &c, 1) != 1)
		_exit(1);
	pakhus_close(s);
	_exit(-rc);
}

static void a_sync_that_fails_is_heard_of_in_every_process(void **state)
{
	struct meeting m;
	pid_t pid[PUBLISHERS];
	struct pakhus *s;
	int unknown = 0;
	char c;

	path = s_init(state, "store", 0);
	trace_at(path);
	s = s_open(path, 0);
	s_publish(s, "before", "1", 1);
	pakhus_close(s);
	assert_int_equal(pipe(m.ready) | pipe(m.go), 0);
	for (int i = 0; i < PUBLISHERS; i++)
		pid[i] = start_publisher(i, m.ready[1], m.go[0]);
	for (int turn = 0; turn < 2; turn++) {
		for (int i = 0; i < PUBLISHERS; i++)
			assert_int_equal(read(m.ready[0], &c, 1), 1);
		for (int i = 0; i < PUBLISHERS; i++)
			assert_int_equal(write(m.go[1], "", 1), 1);
	}
	for (int i = 0; i < PUBLISHERS; i++) {
		int status;

		assert_int_equal(waitpid(pid[i], &status, 0), pid[i]);
		assert_true(WIFEXITED(status));
		/* who came late was refused, all others do not know */
		if (WEXITSTATUS(status) == -PAKHUS_EUNKNOWN)
			unknown++;
		else
			assert_int_equal(WEXITSTATUS(status), -PAKHUS_ESYS);
	}
	assert_true(unknown >= 1);
	s = s_open(path, 0);
	assert_holds(s, "before", "1", 1);
	s_verify(s);
	s_publish(s, "more", "1", 1);
	assert_done(pakhus_sync(s, &err));
	s_verify(s);
	pakhus_close(s);
	for (int i = 0; i < 2; i++) {
		close(m.ready[i]);
		close(m.go[i]);
	}
	free(path);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		T_IN_DIR(leftovers_in_the_stage_are_not_taken_for_staged),
		T_IN_DIR(
			a_sync_that_fails_leaves_every_waiter_without_an_answer),
		T_IN_DIR(a_sync_that_fails_is_heard_of_in_every_process),
	};

	trace_in_memory();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
