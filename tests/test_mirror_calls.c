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

static char *store, *mirror, *backup;
static unsigned held; /* versions in the store */

/* What is tried: a sync of a mirror, a first one, a store that came back
 * from a backup and takes what the mirror has, and a mirror that is repaired. */
enum mode { NEXT, FIRST, ADOPT, REPAIR };

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
static void check(const char *path, unsigned least)
{
	char *format = s_text("%s/FORMAT", path);
	struct pakhus_package *p;
	struct pakhus *s;
	unsigned last;

	if (!least && access(format, F_OK)) {
		free(format);
		return;
	}
	free(format);
	s = s_open(path, 0);
	p = s_get(s, "a", NULL);
	assert_int_equal(sscanf(p->record.version, "1.0.%u", &last), 1);
	pakhus_package_free(p);
	assert_true(last + 1 >= least && last < held);
	assert_holds(s, "a", NULL, last);
	s_verify(s);
	pakhus_close(s);
}

static int go(enum mode mode)
{
	struct copier c = copier_of(mirror);
	struct pakhus_mirror m = { .key = NULL };
	struct pakhus_repair r = { .threads = 1 };

	if (mode == REPAIR) {
		c.from = store;
		c.source = (struct pakhus_source){ copier_fetch, &c, c.from };
		return pakhus_repair(mirror, &c.source, &r, &err);
	}
	if (mode != ADOPT)
		return sync_from(mirror, store);
	c.source = (struct pakhus_source){ copier_fetch, &c, c.from };
	return pakhus_adopt_from(store, &c.source, &m, &err);
}

/* Gives how many versions are there before. */
static unsigned prepare(enum mode mode)
{
	if (mode == FIRST) {
		run("rm -rf %s", mirror);
		return 0;
	}
	if (mode == ADOPT) {
		run("rm -rf %s && cp -a %s %s", store, backup, store);
		return 2;
	}
	if (mode == REPAIR) {
		run("cd %s && set -- objects/*/* && rm $1 && chmod u+w $2 && "
		    "echo X >$2", mirror);
		return held;
	}
	grow_by(store, "a", held, held + 2);
	held += 2;
	return held - 2;
}

/* Once in trouble, and once in peace. */
static int in_between(enum mode mode, void (*trouble)(int on, long *hits),
		      long *hits)
{
	const char *path = mode == ADOPT ? store : mirror;
	unsigned before = prepare(mode);
	int fds = count_fds(), rc;
	long live = memory.live;

	memset(&err, 0, sizeof(err));
	trouble(1, hits);
	rc = go(mode);
	trouble(0, hits);
	assert_true(!rc || (err.status == rc && *err.text));
	assert_int_equal(count_fds(), fds);
	assert_int_equal(memory.live, live);
	if (!rc || mode != REPAIR)
		check(path, rc ? before : held);
	assert_done(go(mode));
	assert_int_equal(memory.live, live);
	check(path, held);
	return rc;
}

/* ---- calls ---- */

static long fail_at;
static enum calls_how fail_how;

static void calls_trouble(int on, long *hits)
{
	if (on)
		calls_fail(fail_at, fail_how);
	else
		*hits = calls_peace();
}

static const char *const how_name[CALLS_HOWS] = {
	"EIO", "EIO for good", "ENOSPC", "ENOSPC for good", "full",
	"short", "short for good", "EINTR", "EINTR often"
};

static void begin(void **state, enum mode mode)
{
	backup = s_text("%s/backup", (char *)*state);
	store = s_init(state, "store", 0);
	mirror = s_text("%s/mirror", (char *)*state);
	held = 0;
	grow_by(store, "a", 0, 2);
	held = 2;
	if (mode == ADOPT) {
		run("cp -a %s %s", store, backup);
		grow_by(store, "a", 2, 5);
		held = 5;
	}
	source_begins = in_peace;
	source_ends = in_trouble;
	assert_done(sync_from(mirror, store));
}

static void end(void)
{
	free(store);
	free(mirror);
	free(backup);
}

static void each_call(void **state, enum mode mode)
{
	unsigned rounds = 0;

	begin(state, mode);
	for (int how = 0; how < CALLS_HOWS; how++) {
		long hits, step = s_scale(mode == NEXT ? 23 : 61,
					  mode == NEXT ? 97 : 307, 1);

		for (fail_at = 1 + how % step, fail_how = (enum calls_how)how;;
		     fail_at += step) {
			int rc = in_between(mode, calls_trouble, &hits);

			rounds++;
			/* what ends with less, or later, is gone on with; and
			 * what the disk says is not laid on the source */
			if (mode == REPAIR && rc == PAKHUS_ECORRUPT)
				rc = PAKHUS_ESYS; /* as verify tells it */
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
	assert_true(rounds > 2 * CALLS_HOWS);
	end();
}

static void a_mirror_stays_whole_when_a_call_of_its_sync_fails(void **state)
{
	each_call(state, NEXT);
}

static void a_first_sync_is_done_again_when_a_call_fails(void **state)
{
	each_call(state, FIRST);
}

static void a_store_is_adopted_again_when_a_call_fails(void **state)
{
	each_call(state, ADOPT);
}

static void a_repair_is_done_again_when_a_call_fails(void **state)
{
	each_call(state, REPAIR);
}

/* ---- memory ---- */

static void memory_trouble(int on, long *hits)
{
	if (on) {
		memory.asked = 0;
		memory.countdown = fail_at;
	} else {
		memory.countdown = 0;
		*hits = memory.asked;
	}
}

static void each_allocation(void **state, enum mode mode)
{
	long hits = 0, step = s_scale(mode == FIRST ? 17 : 7, 41, 1);

	begin(state, mode);
	for (fail_at = 1;; fail_at += step) {
		int rc = in_between(mode, memory_trouble, &hits);

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
	each_allocation(state, NEXT);
}

static void a_first_sync_is_done_again_after_there_was_no_memory(void **state)
{
	each_allocation(state, FIRST);
}

static void a_store_is_adopted_again_after_there_was_no_memory(void **state)
{
	each_allocation(state, ADOPT);
}

static void a_repair_is_done_again_after_there_was_no_memory(void **state)
{
	each_allocation(state, REPAIR);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		T_IN_DIR(a_mirror_stays_whole_when_a_call_of_its_sync_fails),
		T_IN_DIR(a_first_sync_is_done_again_when_a_call_fails),
		T_IN_DIR(a_store_is_adopted_again_when_a_call_fails),
		T_IN_DIR(a_repair_is_done_again_when_a_call_fails),
		T_IN_DIR(a_mirror_stays_whole_without_memory),
		T_IN_DIR(a_first_sync_is_done_again_after_there_was_no_memory),
		T_IN_DIR(a_store_is_adopted_again_after_there_was_no_memory),
		T_IN_DIR(a_repair_is_done_again_after_there_was_no_memory),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
