/* test_stopped.c - a process ends at every call that changes a file.
 *
 * No power is lost: what was written is in the page cache, the lock page
 * and the index are of this boot. A child does a few things and ends in
 * front of its n-th call, or in the middle of it where it writes; the
 * parent opens the store afterwards, or had it open all the time.
 *
 * wrap: open openat pwrite write fsync fdatasync renameat mkdir mkdirat unlinkat fchmod ftruncate fstat fstatat
 */
#include "trace.h"
#include "stores.h"

#include <sys/mman.h>

#define SAID "{\"release_notes\":\"what is new\"}"

static int *done; /* how many of its steps the child has ended */

static void publish_and_say(struct pakhus *s, const char *id)
{
	char *doc = s_document(id, "2", 20);
	struct pakhus_batch *b;

	assert_done(pakhus_batch_new(s, NULL, &b, &err));
	assert_done(pakhus_batch_publish(b, doc, strlen(doc), &err));
	assert_done(pakhus_batch_attrs(b, id, "2", SAID, strlen(SAID), &err));
	assert_done(pakhus_batch_commit(b, &err));
	pakhus_batch_free(b);
	free(doc);
}

/* Whether it is said of a version, as it was with its second content. */
static int is_said(struct pakhus *s, const char *id, const char *version,
		   int want)
{
	struct pakhus_attrs *a;
	int rc = pakhus_attrs(s, id, version, &a, &err), same;

	if (rc)
		return rc == PAKHUS_ENOTFOUND && !want;
	same = want && !strcmp(a->text, SAID);
	pakhus_attrs_free(a);
	return same;
}

static void step(struct pakhus *s, const char *id, int i)
{
	struct pakhus_gc gc = { .grace_us = 0 };

	switch (i) {
	case 0:
	case 1:
		s_publish(s, id, i ? "2" : "1", 10);
		break;
	case 2:
	case 5:
		assert_done(pakhus_sync(s, &err));
		break;
	case 3:
		s_delete(s, id, "1");
		break;
	case 4: /* and what is said of it, in one step */
		publish_and_say(s, id);
		break;
	case 6:
		s_publish(s, id, "3", 30);
		break;
	case 7: /* two that nothing needs, one made against the other */
		s_publish(s, id, "5", 50);
		s_publish(s, id, "6", 60);
		s_delete(s, id, "5");
		s_delete(s, id, "6");
		assert_done(pakhus_gc(s, &gc, &err));
		break;
	case 8:
		assert_done(pakhus_gc(s, &gc, &err));
		assert_true(gc.freed >= 2);
		break;
	}
}
#define STEPS 9

/* What n steps leave; n steps or one more where the last is not certain. */
static int holds(struct pakhus *s, const char *id, int n)
{
	static const struct {
		const char *version;
		int from, to;
		unsigned number;
	} want[] = { { "1", 1, 4, 10 }, { "2", 2, 5, 10 }, { "2", 5, 99, 20 },
		     { "3", 7, 99, 30 } };
	static const char *const version[] = { "1", "2", "3" };
	int said = n >= 5;

	for (size_t i = 0; i < T_COUNT(version); i++) {
		struct pakhus_package *p = NULL;
		char *doc = NULL;
		int rc = pakhus_get(s, id, version[i], &p, &err), same;

		for (size_t k = 0; k < T_COUNT(want); k++)
			if (!strcmp(want[k].version, version[i]) &&
			    want[k].from <= n && n < want[k].to)
				doc = s_document(id, version[i],
						 want[k].number);
		same = doc ? !rc && !strcmp(p->document, doc)
			   : rc == PAKHUS_ENOTFOUND;
		free(doc);
		if (!rc)
			pakhus_package_free(p);
		if (!same || !is_said(s, id, version[i], i == 1 && said))
			return 0;
	}
	return 1;
}

static void check(struct pakhus *s, const char *id, int n)
{
	if (!holds(s, id, n) && !holds(s, id, n + 1)) {
		print_error("%s: neither what %d steps leave nor one more\n",
			    id, n);
		fail();
	}
}

static pid_t start(const char *path, const char *id, long n, int torn, int go)
{
	pid_t pid = fork();
	struct pakhus *s;
	char c;

	if (pid)
		return pid;
	if (go >= 0 && read(go, &c, 1) != 1)
		_exit(3);
	/* in the middle: only a write has one */
	trace.only_kind = torn ? TRACE_WRITE : -1;
	trace_kill(n, torn);
	s = s_open(path, 0);
	for (int i = 0; i < STEPS; i++) {
		step(s, id, i);
		*done = i + 1;
	}
	pakhus_close(s);
	_exit(0);
}

static int ended(pid_t pid)
{
	int status;

	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	assert_true(WEXITSTATUS(status) == 0 || WEXITSTATUS(status) == 42);
	return WEXITSTATUS(status) == 0;
}

static void work_on(struct pakhus *s, const char *id)
{
	s_publish(s, id, "4", 40);
	assert_holds(s, id, "4", 40);
	assert_done(pakhus_sync(s, &err));
	assert_holds(s, id, "4", 40);
	s_verify(s);
}

static void each_end(void **state, int torn, int survivor)
{
	char *path = s_init(state, "store", 0), id[40];
	struct pakhus *s = s_open(path, 0);
	long n;
	int all = 0;

	trace_at(path);
	s_publish(s, "first", "1", 1);
	pakhus_close(s);
	for (n = 1; !all; n++) {
		int go[2], before;
		pid_t pid;

		assert_int_equal(pipe(go), 0);
		snprintf(id, sizeof(id), "package-%ld", n);
		*done = 0;
		pid = start(path, id, n, torn, survivor ? go[0] : -1);
		if (survivor) {
			s = s_open(path, 0);
			/* something of its own in the journal */
			s_publish(s, id, "own", 7);
			assert_int_equal(write(go[1], "", 1), 1);
		}
		all = ended(pid);
		close(go[0]);
		close(go[1]);
		if (!survivor)
			s = s_open(path, 0);
		/* what is in flight may be taken in by the next publish */
		before = *done;
		check(s, id, before);
		work_on(s, id);
		check(s, id, before);
		if (survivor)
			assert_holds(s, id, "own", 7);
		pakhus_close(s);
		s = s_open(path, 0);
		check(s, id, before);
		assert_holds(s, id, "4", 40);
		assert_holds(s, "first", "1", 1);
		s_verify(s);
		pakhus_close(s);
	}
	print_message("# ended at each of %ld calls\n", n - 2);
	assert_true(n > (torn ? 10 : 40));
	/* all of it from the log alone */
	s = s_open(path, PAKHUS_REBUILD);
	for (long i = 1; i < n; i++) {
		snprintf(id, sizeof(id), "package-%ld", i);
		assert_holds(s, id, "4", 40);
	}
	s_verify(s);
	pakhus_close(s);
	free(path);
}

static void a_store_is_whole_after_its_process_ended_at_any_call(void **state)
{
	each_end(state, 0, 0);
}

static void a_store_is_whole_after_its_process_ended_within_a_write(
	void **state)
{
	each_end(state, 1, 0);
}

static void another_process_goes_on_when_one_ended_at_any_call(void **state)
{
	each_end(state, 0, 1);
}

static void another_process_goes_on_when_one_ended_within_a_write(void **state)
{
	each_end(state, 1, 1);
}

static void die_in_sync(void)
{
	_exit(42);
}

/* Nobody knows what the sync that nobody saw the end of has done. */
static void who_finds_a_sync_unfinished_writes_its_records_again(void **state)
{
	char *path = s_init(state, "store", 0), *calls;
	struct pakhus *s;
	int go[2];
	pid_t pid;

	trace_at(path);
	assert_int_equal(pipe(go), 0);
	pid = fork();
	if (!pid) {
		char c;

		if (read(go[0], &c, 1) != 1)
			_exit(3);
		s = s_open(path, 0);
		trace_before_datasync = die_in_sync;
		s_publish(s, "a", "1", 1);
		_exit(3);
	}
	s = s_open(path, 0);
	assert_int_equal(write(go[1], "", 1), 1);
	ended(pid);
	assert_status(pakhus_get(s, "a", "1", NULL, &err), PAKHUS_ENOTFOUND);
	trace_start();
	s_publish(s, "b", "1", 1);
	trace_stop();
	calls = trace_text();
	/* its own, then the dead one's payload and header, and its own */
	assert_int_equal(trace.n, 6);
	assert_non_null(strstr(calls, "write local/slot-0 128+"));
	assert_non_null(strstr(calls, "write local/slot-0 0+128\n"));
	assert_non_null(strstr(calls, "write local/slot-0 4096+128\n"
				      "fdatasync local/slot-0\n"));
	free(calls);
	assert_holds(s, "a", "1", 1);
	assert_holds(s, "b", "1", 1);
	pakhus_close(s);
	close(go[0]);
	close(go[1]);
	free(path);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		T_IN_DIR(a_store_is_whole_after_its_process_ended_at_any_call),
		T_IN_DIR(
			a_store_is_whole_after_its_process_ended_within_a_write),
		T_IN_DIR(another_process_goes_on_when_one_ended_at_any_call),
		T_IN_DIR(
			another_process_goes_on_when_one_ended_within_a_write),
		T_IN_DIR(who_finds_a_sync_unfinished_writes_its_records_again),
	};

	trace_in_memory();
	done = mmap(NULL, sizeof(*done), PROT_READ | PROT_WRITE,
		    MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
