/* test_meanwhile.c - what a call finds when another process works on the store
 * in the middle of it.
 *
 * wrap: pread fcntl
 */
#include "t.h"
#include "stores.h"

#include <stdatomic.h>
#include <sys/mman.h>

/* Shared with the other process. */
static struct {
	atomic_int go, is_done, is_waiting;
} *both;

static int is_other;
static void (*at_slot)(void);

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

int main(void)
{
	const struct CMUnitTest tests[] = {
		T_IN_DIR(a_journal_that_is_begun_anew_is_not_damaged),
	};

	both = mmap(NULL, sizeof(*both), PROT_READ | PROT_WRITE,
		    MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
