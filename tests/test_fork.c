/* test_fork.c - what a child after fork(2) does not keep of its parent: the
 * locks of one that is killed, and the lock of one of its threads.
 *
 * wrap: pwrite fsync fdatasync renameat
 */
#include "t.h"
#include "stores.h"

#include <pthread.h>
#include <stdatomic.h>
#include <sys/mman.h>

/* ---- the calls at which something happens ---- */

static long countdown; /* 1: the next one; 0: never */
static void (*at_call)(void);

static void count_down(void)
{
	if (countdown && !--countdown)
		at_call();
}

ssize_t __real_pwrite(int fd, const void *buf, size_t n, off_t at);
int __real_fsync(int fd);
int __real_fdatasync(int fd);
int __real_renameat(int a, const char *from, int b, const char *to);

ssize_t __wrap_pwrite(int fd, const void *buf, size_t n, off_t at);
ssize_t __wrap_pwrite(int fd, const void *buf, size_t n, off_t at)
{
	count_down();
	return __real_pwrite(fd, buf, n, at);
}

int __wrap_fsync(int fd);
int __wrap_fsync(int fd)
{
	count_down();
	return __real_fsync(fd);
}

int __wrap_fdatasync(int fd);
int __wrap_fdatasync(int fd)
{
	count_down();
	return __real_fdatasync(fd);
}

int __wrap_renameat(int a, const char *from, int b, const char *to);
int __wrap_renameat(int a, const char *from, int b, const char *to)
{
	count_down();
	return __real_renameat(a, from, b, to);
}

/* ---- locks ---- */

static _Atomic pid_t *left; /* the child that stays; shared */

static void fork_and_die(void)
{
	atomic_store(left, 0);
	if (!fork()) {
		alarm(100);
		atomic_store(left, getpid());
		for (;;)
			pause(); /* with all of the parent's files open */
	}
	while (!atomic_load(left))
		usleep(100);
	raise(SIGKILL);
}

static int work(void *arg)
{
	struct pakhus *s = s_open(arg, 0);

	s_publish(s, "a", "1", 1);
	assert_done(pakhus_sync(s, &err));
	s_publish(s, "a", "2", 2);
	pakhus_close(s);
	return 0;
}

static long at_which;

static int die_at(void *arg)
{
	countdown = at_which;
	at_call = fork_and_die;
	return work(arg);
}

/* In recovery, append, commit, integrate and close, each in turn. */
static void no_child_keeps_the_locks_of_a_parent_that_was_killed(void **state)
{
	char *path = s_init(state, "s", 0);
	int rc;

	for (at_which = 1;; at_which++) {
		struct pakhus *s;

		rc = s_in_child(die_at, path);
		alarm(60); /* a lock that stayed would be waited for */
		s = s_open(path, PAKHUS_REBUILD); /* busy, if presence did */
		s_publish(s, "b", "1", (unsigned)at_which);
		assert_done(pakhus_sync(s, &err));
		assert_holds(s, "b", "1", (unsigned)at_which);
		pakhus_close(s);
		alarm(0);
		if (rc != -SIGKILL)
			break;
		assert_true(atomic_load(left) > 1);
		kill(atomic_load(left), SIGKILL);
	}
	assert_int_equal(rc, 0);
	assert_true(at_which > 20);
	free(path);
}

static int is_busy(void *arg)
{
	struct pakhus_options opt = { .flags = PAKHUS_REBUILD };
	struct pakhus *s;

	return pakhus_open(&s, arg, &opt, &err) == PAKHUS_EBUSY ? 0 : 1;
}

static int do_nothing(void *arg)
{
	(void)arg;
	return 0;
}

static void a_child_takes_no_lock_from_its_parent(void **state)
{
	char *path = s_init(state, "s", 0);
	struct pakhus *s = s_open(path, 0);

	assert_int_equal(s_in_child(do_nothing, NULL), 0);
	assert_int_equal(s_in_child(is_busy, path), 0);
	s_publish(s, "a", "1", 1);
	pakhus_close(s);
	free(path);
}

/* ---- threads ---- */

static atomic_int is_inside, may_go_on;

static void stay_inside(void)
{
	atomic_store(&is_inside, 1);
	while (!atomic_load(&may_go_on))
		usleep(100);
}

static void stay_in_notice(void *arg, const char *text)
{
	(void)arg, (void)text;
	stay_inside();
}

static void *open_anew(void *arg)
{
	struct pakhus_options opt = { .flags = PAKHUS_REBUILD,
				      .notice = stay_in_notice };
	struct pakhus_error e;
	struct pakhus *s;

	if (!pakhus_open(&s, arg, &opt, &e))
		pakhus_close(s);
	return NULL;
}

static void *close_it(void *arg)
{
	pakhus_close(arg);
	return NULL;
}

static void while_inside(void *fn(void *arg), void *arg, char *other)
{
	pthread_t thread;

	atomic_store(&is_inside, 0);
	atomic_store(&may_go_on, 0);
	assert_int_equal(pthread_create(&thread, NULL, fn, arg), 0);
	while (!atomic_load(&is_inside))
		usleep(100);
	assert_int_equal(s_in_child(work, other), 0);
	atomic_store(&may_go_on, 1);
	pthread_join(thread, NULL);
}

static void a_child_opens_while_a_thread_of_its_parent_did(void **state)
{
	char *path = s_init(state, "s", 0), *other = s_init(state, "o", 0);

	while_inside(open_anew, path, other);
	assert_int_equal(s_in_child(work, path), 0);
	free(other);
	free(path);
}

static void a_child_opens_while_a_thread_of_its_parent_closed(void **state)
{
	char *path = s_init(state, "s", 0), *other = s_init(state, "o", 0);
	struct pakhus *s = s_open(path, 0);

	s_publish(s, "a", "1", 1);
	assert_done(pakhus_sync(s, &err));
	at_call = stay_inside;
	countdown = 1; /* with nothing to integrate, the index's mark */
	while_inside(close_it, s, other);
	assert_int_equal(s_in_child(work, path), 0);
	free(other);
	free(path);
}

static char *others;
static int forked;

static void fork_in_notice(void *arg, const char *text)
{
	(void)arg, (void)text;
	forked = s_in_child(work, others);
}

static void a_callback_may_fork(void **state)
{
	struct pakhus_options opt = { .flags = PAKHUS_REBUILD,
				      .notice = fork_in_notice };
	char *path = s_init(state, "s", 0);
	struct pakhus *s;

	others = s_init(state, "o", 0);
	forked = -1;
	alarm(60);
	assert_done(pakhus_open(&s, path, &opt, &err));
	alarm(0);
	assert_int_equal(forked, 0);
	s_publish(s, "a", "1", 1);
	pakhus_close(s);
	free(others);
	free(path);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		T_IN_DIR(no_child_keeps_the_locks_of_a_parent_that_was_killed),
		T_IN_DIR(a_child_takes_no_lock_from_its_parent),
		T_IN_DIR(a_child_opens_while_a_thread_of_its_parent_did),
		T_IN_DIR(a_child_opens_while_a_thread_of_its_parent_closed),
		T_IN_DIR(a_callback_may_fork),
	};

	left = mmap(NULL, sizeof(*left), PROT_READ | PROT_WRITE,
		    MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
