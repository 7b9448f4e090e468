/* test_mirror_calls.c - every system call of a sync fails, n = 1, 2, …
 *
 * With EIO, with a full disk, with half of the bytes, with a signal; once or
 * from then on; and with no memory. Whatever the sync answers, the mirror
 * stays whole, and the next one does it, with no file left open and no memory
 * lost. The source's own calls go well. Not all are tried; with TORTURE=1 they
 * are.
 *
 * wrap: open openat pread pwrite write fsync fdatasync fchmod ftruncate fallocate lseek fstat fstatat stat faccessat renameat mkdir mkdirat unlinkat mmap memfd_create fcntl flock fdopendir readdir getrandom
 * wrap: malloc calloc realloc strdup vasprintf free
 */
#include "t.h"
#include "stores.h"
#include "calls.h"
#include "memory.h"
#include "files.h"
#include "mirrors.h"

static char *store, *mirror;
static unsigned held; /* versions in the store */

static long calls_were, memory_was;

static void in_peace(void)
{
	calls_were = calls.countdown;
	memory_was = memory.countdown;
	calls.countdown = memory.countdown = 0;
}

static void in_trouble(void)
{
	calls.countdown = calls_were;
	memory.countdown = memory_was;
}

static int count_fds(void)
{
	DIR *d = opendir("/proc/self/fd");
	int n = 0;

	while (readdir(d))
		n++;
	closedir(d);
	return n;
}

/* What is there is whole. */
static void check(unsigned least)
{
	char *format = s_text("%s/FORMAT", mirror);
	struct pakhus_package *p;
	struct pakhus *s;
	unsigned last;

	if (!least && access(format, F_OK)) {
		free(format);
		return;
	}
	free(format);
	s = s_open(mirror, 0);
	p = s_get(s, "a", NULL);
	assert_int_equal(sscanf(p->record.version, "1.0.%u", &last), 1);
	pakhus_package_free(p);
	assert_true(last + 1 >= least && last < held);
	assert_holds(s, "a", NULL, last);
	s_verify(s);
	pakhus_close(s);
}

/* One sync in trouble, and one in peace. is_first: to a new mirror. */
static int in_between(int is_first, int (*trouble)(int rc, long *hits),
		      long *hits)
{
	unsigned before = is_first ? 0 : held;
	int fds, rc;
	long live;

	if (is_first)
		run("rm -rf %s", mirror);
	else
		grow_by(store, "a", held, held + 2);
	held += is_first ? 0 : 2;
	fds = count_fds();
	live = memory.live;
	memset(&err, 0, sizeof(err));
	trouble(1, hits);
	rc = sync_from(mirror, store);
	trouble(0, hits);
	assert_true(!rc || (err.status == rc && *err.text));
	assert_int_equal(count_fds(), fds);
	assert_int_equal(memory.live, live);
	check(rc ? before : held);
	assert_done(sync_from(mirror, store));
	assert_int_equal(memory.live, live);
	check(held);
	return rc;
}

/* ---- calls ---- */

static long fail_at;
static enum calls_how fail_how;

static int calls_trouble(int on, long *hits)
{
	if (on)
		calls_fail(fail_at, fail_how);
	else
		*hits = calls_peace();
	return 0;
}

static const char *const how_name[CALLS_HOWS] = {
	"EIO", "EIO for good", "ENOSPC", "ENOSPC for good", "full",
	"short", "short for good", "EINTR", "EINTR often"
};

static void begin(void **state)
{
	store = s_init(state, "store", 0);
	mirror = s_text("%s/mirror", (char *)*state);
	held = 0;
	grow_by(store, "a", 0, 2);
	held = 2;
	source_begins = in_peace;
	source_ends = in_trouble;
	assert_done(sync_from(mirror, store));
}

static void end(void)
{
	free(store);
	free(mirror);
}

static void each_call(void **state, int is_first)
{
	unsigned rounds = 0;

	begin(state);
	for (int how = 0; how < CALLS_HOWS; how++) {
		long hits, step = s_scale(is_first ? 61 : 23,
					  is_first ? 307 : 97, 1);

		for (fail_at = 1 + how % step, fail_how = (enum calls_how)how;;
		     fail_at += step) {
			int rc = in_between(is_first, calls_trouble, &hits);

			rounds++;
			/* what ends with less, or later, is gone on with; and
			 * what the disk says is not laid on the source */
			if (how >= CALLS_SHORT ? rc : rc == PAKHUS_ECORRUPT ||
						      rc == PAKHUS_ENOTFOUND ||
						      rc == PAKHUS_ECONFLICT) {
				print_error("call %ld, %s: %s\n", fail_at,
					    how_name[how], err.text);
				fail();
			}
			if (hits < fail_at)
				break;
		}
		if (!how)
			print_message("# %ld calls\n", hits);
	}
	print_message("# %u rounds\n", rounds);
	assert_true(rounds > 40);
	end();
}

static void a_mirror_stays_whole_when_a_call_of_its_sync_fails(void **state)
{
	each_call(state, 0);
}

static void a_first_sync_is_done_again_when_a_call_fails(void **state)
{
	each_call(state, 1);
}

/* ---- memory ---- */

static int memory_trouble(int on, long *hits)
{
	if (on) {
		memory.asked = 0;
		memory.countdown = fail_at;
	} else {
		memory.countdown = 0;
		*hits = memory.asked;
	}
	return 0;
}

static void each_allocation(void **state, int is_first)
{
	long hits = 0, step = s_scale(is_first ? 17 : 7, 41, 1);

	begin(state);
	for (fail_at = 1;; fail_at += step) {
		int rc = in_between(is_first, memory_trouble, &hits);

		assert_true(!rc || rc == PAKHUS_ENOMEM);
		if (hits < fail_at)
			break;
	}
	print_message("# %ld allocations\n", hits);
	assert_true(hits > 50);
	end();
}

static void a_mirror_stays_whole_without_memory(void **state)
{
	each_allocation(state, 0);
}

static void a_first_sync_is_done_again_after_there_was_no_memory(void **state)
{
	each_allocation(state, 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		T_IN_DIR(a_mirror_stays_whole_when_a_call_of_its_sync_fails),
		T_IN_DIR(a_first_sync_is_done_again_when_a_call_fails),
		T_IN_DIR(a_mirror_stays_whole_without_memory),
		T_IN_DIR(a_first_sync_is_done_again_after_there_was_no_memory),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
