/* test_mirror_stopped.c - a sync ends at every call that changes a file
 * (F-75, F-79).
 *
 * Its process ends in front of its n-th call, or in the middle of it where it
 * writes. What was there before is there, whole, or what was to come is; and
 * the next sync ends well.
 *
 * wrap: open openat pwrite write fsync fdatasync renameat mkdir mkdirat unlinkat fchmod ftruncate fstat fstatat
 */
#include "trace.h"
#include "stores.h"
#include "files.h"
#include "mirrors.h"

struct pair {
	char *store, *mirror;
};

static int sync_and_end(void *arg)
{
	struct pair *p = arg;

	return sync_from(p->mirror, p->store) ? 3 : 0;
}

/* 1 where the sync came to its end. */
static int end_at(struct pair *p, long n, int torn, int (*go)(void *arg))
{
	int status;
	pid_t pid;

	fflush(NULL);
	pid = fork();
	assert_true(pid >= 0);
	if (!pid) {
		trace.only_kind = torn ? TRACE_WRITE : -1;
		trace_kill(n, torn);
		_exit(go(p));
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	assert_true(WEXITSTATUS(status) == 0 || WEXITSTATUS(status) == 42);
	return WEXITSTATUS(status) == 0;
}

/* Not all of the many calls of a first sync, unless there is time. */
static long after(long n, long many)
{
	return n < many || getenv("TORTURE") ? n + 1
					     : n + (long)s_scale(7, 29, 1);
}

static void check(struct pakhus *s, unsigned old, unsigned new)
{
	struct pakhus_package *p = s_get(s, "a", NULL);
	unsigned last;

	assert_int_equal(sscanf(p->record.version, "1.0.%u", &last), 1);
	assert_true(last + 1 == old || last + 1 == new);
	pakhus_package_free(p);
	for (unsigned i = 0; i <= last; i++) {
		char version[20];

		snprintf(version, sizeof(version), "1.0.%u", i);
		assert_holds(s, "a", version, i);
	}
	s_verify(s);
}

static void each_first(void **state, int torn)
{
	struct pair p = { s_init(state, "store", 0),
			  s_text("%s/mirror", (char *)*state) };
	long n, tried = 0;
	int all = 0;

	grow_by(p.store, "a", 0, 4);
	trace_at(p.mirror);
	for (n = 1; !all; n = after(n, 100), tried++) {
		struct pakhus *s;
		char *format = s_text("%s/FORMAT", p.mirror);

		all = end_at(&p, n, torn, sync_and_end);
		if (!access(format, F_OK)) {
			s = s_open(p.mirror, 0);
			check(s, 4, 4);
			pakhus_close(s);
		}
		free(format);
		assert_done(sync_from(p.mirror, p.store));
		assert_no_incoming(p.mirror);
		assert_same_tree(p.store, p.mirror);
		s = s_open(p.mirror, 0);
		check(s, 4, 4);
		pakhus_close(s);
		run("rm -rf %s", p.mirror);
	}
	print_message("# ended at %ld calls of %ld\n", tried - 1, n - 1);
	assert_true(n > (torn ? 10 : 300));
	free(p.store);
	free(p.mirror);
}

/* survivor: somebody reads the mirror all the time. */
static void each_next(void **state, int torn, int survivor)
{
	struct pair p = { s_init(state, "store", 0),
			  s_text("%s/mirror", (char *)*state) };
	unsigned held = 3;
	struct pakhus *s = NULL;
	long n;
	int all = 0;

	grow_by(p.store, "a", 0, held);
	assert_done(sync_from(p.mirror, p.store));
	trace_at(p.mirror);
	if (survivor)
		s = s_open(p.mirror, 0);
	for (n = 1; !all; n = after(n, 400)) {
		grow_by(p.store, "a", held, held + 3);
		all = end_at(&p, n, torn, sync_and_end);
		if (!survivor)
			s = s_open(p.mirror, 0);
		check(s, held, held + 3);
		assert_done(sync_from(p.mirror, p.store));
		held += 3;
		check(s, held, held);
		if (!survivor)
			pakhus_close(s);
		assert_no_incoming(p.mirror);
	}
	if (survivor)
		pakhus_close(s);
	assert_same_tree(p.store, p.mirror);
	print_message("# ended at each of %ld calls\n", n - 2);
	assert_true(n > (torn ? 10 : 40));
	s = s_open(p.mirror, PAKHUS_REBUILD);
	check(s, held, held);
	pakhus_close(s);
	free(p.store);
	free(p.mirror);
}

/* ---- a repair ---- */

static int repair_and_end(void *arg)
{
	struct pair *p = arg;
	struct copier c = copier_of(p->store);
	struct pakhus_repair r = { .threads = 1 };

	c.source = (struct pakhus_source){ copier_fetch, &c, c.from };
	return pakhus_repair(p->mirror, &c.source, &r, &err) ? 3 : 0;
}

static void each_repair(void **state, int torn)
{
	struct pair p = { s_init(state, "store", 0),
			  s_text("%s/mirror", (char *)*state) };
	struct pakhus *s;
	long n;
	int all = 0;

	grow_by(p.store, "a", 0, 6);
	assert_done(sync_from(p.mirror, p.store));
	trace_at(p.mirror);
	for (n = 1; !all; n = after(n, 400)) {
		run("cd %s && set -- objects/*/* && rm $1 && chmod u+w $2 $3 "
		    "&& echo X >$2 && echo X >$3", p.mirror);
		all = end_at(&p, n, torn, repair_and_end);
		assert_int_equal(repair_and_end(&p), 0);
		assert_no_incoming(p.mirror);
		s = s_open(p.mirror, 0);
		check(s, 6, 6);
		pakhus_close(s);
	}
	print_message("# ended at each of %ld calls\n", n - 2);
	assert_true(n > (torn ? 1 : 20));
	free(p.store);
	free(p.mirror);
}

static void a_repair_goes_on_wherever_it_ended(void **state)
{
	each_repair(state, 0);
}

static void a_repair_goes_on_that_ended_within_a_write(void **state)
{
	each_repair(state, 1);
}

/* ---- the other way ---- */

static int adopt_and_end(void *arg)
{
	struct pair *p = arg;
	struct copier c = copier_of(p->mirror);
	struct pakhus_mirror m = { .key = NULL };

	c.source = (struct pakhus_source){ copier_fetch, &c, c.from };
	return pakhus_adopt_from(p->store, &c.source, &m, &err) ? 3 : 0;
}

/* A store that came back from a backup takes what its mirror has. */
static void each_adoption(void **state, int torn)
{
	struct pair p = { s_init(state, "store", 0),
			  s_text("%s/mirror", (char *)*state) };
	char *backup = s_text("%s/backup", (char *)*state);
	long n;
	int all = 0;

	grow_by(p.store, "a", 0, 3);
	run("cp -a %s %s", p.store, backup);
	grow_by(p.store, "a", 3, 6);
	assert_done(sync_from(p.mirror, p.store));
	trace_at(p.store);
	for (n = 1; !all; n = after(n, 60)) {
		struct pakhus *s;

		run("rm -rf %s && cp -a %s %s", p.store, backup, p.store);
		all = end_at(&p, n, torn, adopt_and_end);
		s = s_open(p.store, 0);
		check(s, 3, 6);
		pakhus_close(s);
		assert_int_equal(adopt_and_end(&p), 0);
		s = s_open(p.store, 0);
		check(s, 6, 6);
		s_publish(s, "b", "1", 1);
		assert_done(pakhus_sync(s, &err));
		s_verify(s);
		pakhus_close(s);
		assert_no_incoming(p.store);
	}
	assert_done(sync_from(p.mirror, p.store));
	print_message("# ended before %ld calls\n", n - 2);
	assert_true(n > (torn ? 5 : 40));
	free(backup);
	free(p.store);
	free(p.mirror);
}

static void an_adoption_that_ended_at_any_call_is_done_again(void **state)
{
	each_adoption(state, 0);
}

static void an_adoption_that_ended_within_a_write_is_done_again(void **state)
{
	each_adoption(state, 1);
}

static void a_first_sync_that_ended_at_any_call_is_finished(void **state)
{
	each_first(state, 0);
}

static void a_first_sync_that_ended_within_a_write_is_finished(void **state)
{
	each_first(state, 1);
}

static void a_mirror_is_whole_after_a_sync_ended_at_any_call(void **state)
{
	each_next(state, 0, 0);
}

static void a_mirror_is_whole_after_a_sync_ended_within_a_write(void **state)
{
	each_next(state, 1, 0);
}

static void a_reader_goes_on_when_a_sync_ended_at_any_call(void **state)
{
	each_next(state, 0, 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		T_IN_DIR(a_first_sync_that_ended_at_any_call_is_finished),
		T_IN_DIR(a_first_sync_that_ended_within_a_write_is_finished),
		T_IN_DIR(a_mirror_is_whole_after_a_sync_ended_at_any_call),
		T_IN_DIR(a_mirror_is_whole_after_a_sync_ended_within_a_write),
		T_IN_DIR(a_reader_goes_on_when_a_sync_ended_at_any_call),
		T_IN_DIR(an_adoption_that_ended_at_any_call_is_done_again),
		T_IN_DIR(a_repair_goes_on_wherever_it_ended),
		T_IN_DIR(a_repair_goes_on_that_ended_within_a_write),
		T_IN_DIR(an_adoption_that_ended_within_a_write_is_done_again),
	};

	trace_in_memory();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
