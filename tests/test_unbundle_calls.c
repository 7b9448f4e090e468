/* test_unbundle_calls.c - every system call fails while a bundle is applied,
 * and every allocation (F-84).
 *
 * Whatever the answer, the mirror stays whole, no file is left open and no
 * memory lost, and who applies it again has it. What the disk says is not
 * laid on the bundle. Not all are tried; with TORTURE=1 they are.
 *
 * wrap: open openat pread pwrite write fsync fdatasync fchmod ftruncate fallocate lseek fstat fstatat stat faccessat renameat mkdir mkdirat unlinkat mmap memfd_create fcntl flock fdopendir readdir getrandom
 * wrap: malloc calloc realloc strdup vasprintf free
 */
#include "t.h"
#include "stores.h"
#include "calls.h"
#include "memory.h"
#include "files.h"

#define HELD 5	/* versions before */
#define ALL 9	/* and with the bundle */

static char *store, *mirror, *first, *next;

static int count_fds(void)
{
	DIR *d = opendir("/proc/self/fd");
	int n = 0;

	while (readdir(d))
		n++;
	closedir(d);
	return n;
}

static void publish(unsigned from, unsigned to, uint64_t since,
		    const char *file)
{
	struct pakhus_bundle b = { .since = since };
	struct pakhus *s = s_open(store, 0);

	for (unsigned i = from; i < to; i++) {
		char version[20];

		snprintf(version, sizeof(version), "1.0.%u", i);
		s_publish(s, "a", version, i);
	}
	assert_done(pakhus_bundle_create(s, file, &b, &err));
	pakhus_close(s);
}

static void begin(void **state)
{
	store = s_init(state, "store", 0);
	mirror = s_text("%s/mirror", (char *)*state);
	first = s_text("%s/first.tar", (char *)*state);
	next = s_text("%s/next.tar", (char *)*state);
	publish(0, HELD, 0, first);
	publish(HELD, ALL, 1 + HELD, next);
}

static void end(void)
{
	free(store);
	free(mirror);
	free(first);
	free(next);
}

static int apply(const char *file)
{
	struct pakhus_mirror m = { .notice = s_notice };

	return pakhus_bundle_apply(mirror, file, &m, &err);
}

/* That it holds so many versions, or as many as before. */
static void check(int is_done)
{
	struct pakhus *s = s_open(mirror, 0);
	struct pakhus_versions *v = s_versions(s, "a", 0, 100);

	assert_true(v->count == ALL || (!is_done && v->count == HELD));
	pakhus_versions_free(v);
	s_verify(s);
	pakhus_close(s);
}

/* Once in trouble, which is begun (1) and ended (0), and once in peace. */
static int in_between(void (*trouble)(int is_on))
{
	long live;
	int fds, rc;

	run("rm -rf %s", mirror);
	assert_done(apply(first));
	fds = count_fds();
	live = memory.live;
	memset(&err, 0, sizeof(err));
	trouble(1);
	rc = apply(next);
	trouble(0);
	assert_true(!rc || (err.status == rc && *err.text));
	assert_int_equal(count_fds(), fds);
	assert_int_equal(memory.live, live);
	check(!rc);
	assert_done(apply(next));
	assert_int_equal(memory.live, live);
	check(1);
	return rc;
}

static long fail_at, hits;
static enum calls_how fail_how;

static void calls_trouble(int is_on)
{
	if (is_on)
		calls_fail(fail_at, fail_how);
	else
		hits = calls_peace();
}

static void memory_trouble(int is_on)
{
	if (is_on)
		memory_deny(fail_at, 0);
	else
		hits = memory_peace();
}

static void every_call_fails(void **state)
{
	long step = s_scale(23, 149, 1);
	unsigned rounds = 0;

	begin(state);
	for (int how = 0; how < CALLS_HOWS; how++) {
		fail_how = (enum calls_how)how;
		/* those that read the bundle, one by one; then others */
		for (fail_at = 1;; fail_at += fail_at < 12 ? 1 : step) {
			int rc = in_between(calls_trouble);

			rounds++;
			if (how >= CALLS_SHORT ? rc
					       : rc == PAKHUS_ECORRUPT ||
							 rc == PAKHUS_ENOTFOUND ||
							 rc == PAKHUS_ECONFLICT) {
				print_error("call %ld, how %d: %s\n", fail_at,
					    how, err.text);
				fail();
			}
			if (hits < fail_at)
				break;
		}
		if (!how)
			print_message("# %ld calls\n", hits);
	}
	print_message("# %u rounds\n", rounds);
	assert_true(rounds > 50);
	end();
}

static void every_allocation_fails(void **state)
{
	long step = s_scale(7, 41, 1);

	begin(state);
	for (fail_at = 1;; fail_at += fail_at < 12 ? 1 : step) {
		int rc = in_between(memory_trouble);

		assert_true(!rc || rc == PAKHUS_ENOMEM);
		if (hits < fail_at)
			break;
	}
	print_message("# %ld allocations\n", hits);
	assert_true(hits > 30);
	end();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		T_IN_DIR(every_call_fails),
		T_IN_DIR(every_allocation_fails),
	};

	if (!access("/dev/shm", W_OK))
		setenv("TMPDIR", "/dev/shm", 0);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
