/* test_meanwhile.c - what a call finds when another process works on the store
 * in the middle of it.
 *
 * wrap: pread fcntl
 */
#include "t.h"
#include "stores.h"
#include "lock.h"

#include <stdatomic.h>
#include <sys/mman.h>

/* Shared with the other process. */
static struct {
	atomic_int go, is_done, is_waiting;
} *both;

static int is_other;
static void (*at_slot)(void);
static void (*at_note)(void); /* when the checkpoint is read */
static void (*at_integrate)(void); /* before the lock is waited for */

/* Of the other process it is seen that it waits for a lock. */
int __real_fcntl(int fd, int cmd, ...);
int __wrap_fcntl(int fd, int cmd, ...);
int __wrap_fcntl(int fd, int cmd, ...)
{
	va_list ap;
	void *arg;

	va_start(ap, cmd);
	arg = va_arg(ap, void *);
	va_end(ap);
	if (is_other && cmd == F_OFD_SETLKW) {
		if (!__real_fcntl(fd, F_OFD_SETLK, arg))
			return 0;
		atomic_store(&both->is_waiting, 1);
	}
	if (at_integrate && cmd == F_OFD_SETLKW &&
	    ((struct flock *)arg)->l_start == PK_LOCK_INTEGRATE)
		at_integrate();
	return __real_fcntl(fd, cmd, arg);
}

ssize_t __real_pread(int fd, void *buf, size_t n, off_t at);
ssize_t __wrap_pread(int fd, void *buf, size_t n, off_t at);
ssize_t __wrap_pread(int fd, void *buf, size_t n, off_t at)
{
	char link[40], path[600] = "";

	snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
	if (at_slot && readlink(link, path, sizeof(path) - 1) > 0 &&
	    strstr(path, "/local/slot-"))
		at_slot();
	if (at_note && readlink(link, path, sizeof(path) - 1) > 0 &&
	    strstr(path, "/log/checkpoint"))
		at_note();
	return __real_pread(fd, buf, n, at);
}

static void until_done_or_waiting(void)
{
	at_slot = NULL;
	atomic_store(&both->is_waiting, 0);
	atomic_store(&both->go, 1);
	while (!atomic_load(&both->is_done) && !atomic_load(&both->is_waiting))
		usleep(100);
}

static void publish_sized(struct pakhus *s, int size, int n)
{
	char *doc = s_text("{\"manifest\":{\"id\":\"a\",\"version\":\"%d\"},"
			   "\"metadata\":{\"n\":\"%0*d\"}}", n, size, n);

	assert_done(pakhus_publish(s, doc, strlen(doc), NULL, NULL, &err));
	free(doc);
}

/* Each slot is begun anew, with records that end elsewhere. */
static pid_t start_other(const char *path)
{
	pid_t pid = fork();
	struct pakhus *s;

	if (pid)
		return pid;
	is_other = 1;
	alarm(100);
	s = s_open(path, 0);
	while (!atomic_load(&both->go))
		usleep(100);
	for (int i = 10; i < 14; i++) {
		publish_sized(s, 5000, i);
		assert_done(pakhus_sync(s, &err));
	}
	atomic_store(&both->is_done, 1);
	pakhus_close(s);
	_exit(0);
}

static void a_journal_that_is_begun_anew_is_not_damaged(void **state)
{
	char *path = s_init(state, "s", 0);
	pid_t pid = start_other(path);
	struct pakhus_verify v = { .flags = PAKHUS_VERIFY_FILES,
				   .damage = s_print_damage };
	struct pakhus *s = s_open(path, 0);
	int status;

	publish_sized(s, 1, 1);
	publish_sized(s, 10000, 2);
	at_slot = until_done_or_waiting;
	assert_done(pakhus_verify(s, &v, &err));
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	s_verify(s);
	pakhus_close(s);
	free(path);
}

/* ---- who waits for the integrate lock ---- */

static void until_done(void)
{
	at_integrate = at_note = NULL;
	atomic_store(&both->go, 1);
	while (!atomic_load(&both->is_done))
		usleep(100);
}

/* A purge makes another index, so that the one that this process has open
 * says nothing of what came before: another key. */
static pid_t start_rotating(const char *path)
{
	pid_t pid = fork();
	struct pakhus *s;

	if (pid)
		return pid;
	alarm(100);
	s = s_open(path, 0);
	while (!atomic_load(&both->go))
		usleep(100);
	assert_done(pakhus_purge(s, "a", "1", "because", NULL, NULL, &err));
	assert_done(pakhus_rotate(s, NULL, NULL, NULL, &err));
	atomic_store(&both->is_done, 1);
	pakhus_close(s);
	_exit(0);
}

static void renew(struct pakhus *s)
{
	size_t size;
	char *note;

	assert_done(pakhus_checkpoint(s, 1, &note, &size, &err));
	pakhus_free(note);
}

static void rotate(struct pakhus *s)
{
	assert_done(pakhus_rotate(s, NULL, NULL, NULL, &err));
}

static void refresh(struct pakhus *s)
{
	assert_done(pakhus_refresh_pkg(s, &err));
}

static void with_another_index(void **state, void (*call)(struct pakhus *s))
{
	char *path = s_init(state, "s", 0);
	struct pakhus *s;
	int status;
	pid_t pid;

	atomic_store(&both->go, 0);
	atomic_store(&both->is_done, 0);
	pid = start_rotating(path);
	s = s_open(path, 0);
	publish_sized(s, 1, 1);
	publish_sized(s, 1, 2);
	assert_done(pakhus_sync(s, &err));
	at_integrate = until_done;
	call(s);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	s_verify(s);
	pakhus_close(s);
	s = s_open(path, 0);
	publish_sized(s, 1, 3);
	s_verify(s);
	pakhus_close(s);
	free(path);
}

static void the_key_before_signs_no_checkpoint(void **state)
{
	with_another_index(state, renew);
}

static void a_rotation_goes_on_with_another_index(void **state)
{
	with_another_index(state, rotate);
}

static void a_rotation_elsewhere_is_no_damage(void **state)
{
	with_another_index(state, s_verify);
}

static void pkg_is_refreshed_with_another_index(void **state)
{
	with_another_index(state, refresh);
}

static void a_rotation_does_not_keep_others_out(void **state)
{
	char *path = s_init(state, "s", 0);
	struct pakhus *s;
	int status;
	pid_t pid;

	atomic_store(&both->go, 0);
	atomic_store(&both->is_done, 0);
	pid = start_rotating(path);
	s = s_open(path, 0);
	publish_sized(s, 1, 1);
	pakhus_close(s);
	at_note = until_done;
	s = s_open(path, 0);
	assert_null(at_note);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	publish_sized(s, 1, 2);
	s_verify(s);
	pakhus_close(s);
	free(path);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		T_IN_DIR(a_journal_that_is_begun_anew_is_not_damaged),
		T_IN_DIR(the_key_before_signs_no_checkpoint),
		T_IN_DIR(a_rotation_goes_on_with_another_index),
		T_IN_DIR(a_rotation_elsewhere_is_no_damage),
		T_IN_DIR(pkg_is_refreshed_with_another_index),
		T_IN_DIR(a_rotation_does_not_keep_others_out),
	};

	both = mmap(NULL, sizeof(*both), PROT_READ | PROT_WRITE,
		    MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
