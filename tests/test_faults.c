/* test_faults.c - every call that changes a file fails, once or from then on.
 *
 * Afterwards the store opens and verifies, what was acknowledged is there,
 * the operation succeeds, and no file is left open.
 *
 * wrap: open openat pwrite write fsync fdatasync renameat mkdir mkdirat unlinkat fchmod ftruncate fstat fstatat
 */
#include "trace.h"
#include "stores.h"

static char *path;
static unsigned round_no; /* makes versions that were not there before */

static int count_fds(void)
{
	DIR *d = opendir("/proc/self/fd");
	int n = 0;

	while (readdir(d))
		n++;
	closedir(d);
	return n;
}

/* An operation: what comes before it, itself, and what is to be seen of it
 * when it gave 0. */
struct operation {
	const char *name;
	void (*before)(struct pakhus *s);
	int (*go)(struct pakhus *s);
	void (*after)(struct pakhus *s);
};

static const char *version(void)
{
	static char text[20];

	snprintf(text, sizeof(text), "1.0.%u", round_no);
	return text;
}

static void nothing(struct pakhus *s)
{
	(void)s;
}

static int go_publish(struct pakhus *s)
{
	return s_try(s, "published", version(), round_no, NULL);
}

static void after_publish(struct pakhus *s)
{
	assert_holds(s, "published", version(), round_no);
}

static void before_delete(struct pakhus *s)
{
	s_publish(s, "deleted", version(), round_no);
}

static int go_delete(struct pakhus *s)
{
	return pakhus_delete(s, "deleted", version(), NULL, NULL, &err);
}

static void after_delete(struct pakhus *s)
{
	assert_status(pakhus_get(s, "deleted", version(), NULL, &err),
		      PAKHUS_ENOTFOUND);
}

static void before_sync(struct pakhus *s)
{
	s_publish(s, "synced", version(), round_no);
	s_publish(s, "synced", version(), round_no + 1);
}

static int go_sync(struct pakhus *s)
{
	return pakhus_sync(s, &err);
}

static void after_sync(struct pakhus *s)
{
	assert_holds(s, "synced", version(), round_no + 1);
}

static int go_batch(struct pakhus *s)
{
	struct pakhus_batch *b;
	int rc = pakhus_batch_new(s, NULL, &b, &err);

	for (unsigned i = 0; i < 5 && !rc; i++) {
		char id[20], *doc;

		snprintf(id, sizeof(id), "batch-%u", i);
		doc = s_document(id, version(), round_no);
		rc = pakhus_batch_publish(b, doc, strlen(doc), &err);
		free(doc);
	}
	if (!rc)
		rc = pakhus_batch_commit(b, &err);
	if (!rc)
		assert_int_equal(pakhus_batch_durable(b), 5);
	pakhus_batch_free(b);
	return rc;
}

static void after_batch(struct pakhus *s)
{
	assert_holds(s, "batch-0", version(), round_no);
	assert_holds(s, "batch-4", version(), round_no);
}

/* Longer than what a journal takes: an object before its entry. */
static int go_long(struct pakhus *s)
{
	size_t size = 5 << 20;
	char *doc = malloc(size + 200);
	int n, rc;

	n = sprintf(doc, "{\"manifest\":{\"id\":\"long\",\"version\":\"%s\"},"
			 "\"metadata\":{\"x\":\"", version());
	memset(doc + n, 'a', size);
	strcpy(doc + n + size, "\"}}");
	rc = pakhus_publish(s, doc, strlen(doc), NULL, NULL, &err);
	free(doc);
	return rc;
}

static void after_long(struct pakhus *s)
{
	struct pakhus_package *p = s_get(s, "long", version());

	assert_true(p->document_size > 5 << 20);
	pakhus_package_free(p);
}

static const struct operation operations[] = {
	{ "publish", nothing, go_publish, after_publish },
	{ "delete", before_delete, go_delete, after_delete },
	{ "sync", before_sync, go_sync, after_sync },
	{ "batch", nothing, go_batch, after_batch },
	{ "long", nothing, go_long, after_long },
};

/* With the n-th call failing; how many calls there were. */
static long with_fault(const struct operation *op, long n, int sys,
		       int for_good)
{
	int fds = count_fds(), rc;
	struct pakhus *s = s_open(path, 0);
	long hits;

	round_no++;
	s_publish(s, "before", version(), round_no);
	op->before(s);
	trace_fail(n, sys, for_good);
	rc = op->go(s);
	hits = trace_peace();
	if (rc)
		assert_true(err.status == rc && *err.text);
	else
		op->after(s);
	/* reading goes on in any case */
	assert_holds(s, "before", version(), round_no);
	pakhus_close(s);
	s = s_open(path, 0);
	assert_holds(s, "before", version(), round_no);
	if (!rc)
		op->after(s);
	s_verify(s);
	assert_done(op->go(s));
	op->after(s);
	assert_done(pakhus_sync(s, &err));
	s_verify(s);
	op->after(s);
	pakhus_close(s);
	assert_int_equal(count_fds(), fds);
	return hits;
}

static void each_fault(void **state, int sys, int for_good)
{
	path = s_init(state, "store", 0);
	trace_at(path);
	for (size_t i = 0; i < T_COUNT(operations); i++) {
		long n = 1;

		while (with_fault(&operations[i], n, sys, for_good) >= n)
			n++;
		print_message("# %s: each of %ld calls\n", operations[i].name,
			      n - 1);
		assert_true(n > 2);
	}
	free(path);
}

static void every_call_fails_once_with_eio(void **state)
{
	each_fault(state, EIO, 0);
}

static void every_call_fails_from_then_on_with_eio(void **state)
{
	each_fault(state, EIO, 1);
}

static void every_call_fails_once_with_enospc(void **state)
{
	each_fault(state, ENOSPC, 0);
}

static void every_call_fails_from_then_on_with_enospc(void **state)
{
	each_fault(state, ENOSPC, 1);
}

/* A process that ended with entries in the journal. */
static int leave_a_journal(void *arg)
{
	struct pakhus *s = s_open(path, 0);

	(void)arg;
	s_publish(s, "left", version(), round_no);
	s_publish(s, "left", version(), round_no + 1);
	return 0;
}

/* Opening fails or goes well, and the next one goes well. */
static void every_call_of_a_recovery_fails(void **state)
{
	long n = 1, hits = 1;
	int fds = count_fds();

	path = s_init(state, "store", 0);
	trace_at(path);
	for (unsigned kind = 0; kind < 4; kind++, n = hits = 1)
		for (; hits >= n; n++) {
			struct pakhus *s = NULL;
			int rc;

			round_no++;
			assert_int_equal(s_in_child(leave_a_journal, NULL), 0);
			trace_fail(n, kind & 1 ? EIO : ENOSPC, kind & 2);
			rc = pakhus_open(&s, path, NULL, &err);
			hits = trace_peace();
			if (rc)
				assert_null(s);
			else
				assert_holds(s, "left", version(),
					     round_no + 1);
			pakhus_close(s);
			s = s_open(path, 0);
			assert_holds(s, "left", version(), round_no + 1);
			s_verify(s);
			s_publish(s, "right", version(), round_no);
			assert_done(pakhus_sync(s, &err));
			assert_holds(s, "right", version(), round_no);
			pakhus_close(s);
		}
	assert_int_equal(count_fds(), fds);
	free(path);
}

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
		T_IN_DIR(every_call_fails_once_with_eio),
		T_IN_DIR(every_call_fails_from_then_on_with_eio),
		T_IN_DIR(every_call_fails_once_with_enospc),
		T_IN_DIR(every_call_fails_from_then_on_with_enospc),
		T_IN_DIR(every_call_of_a_recovery_fails),
		T_IN_DIR(leftovers_in_the_stage_are_not_taken_for_staged),
		T_IN_DIR(
			a_sync_that_fails_leaves_every_waiter_without_an_answer),
		T_IN_DIR(a_sync_that_fails_is_heard_of_in_every_process),
	};

	trace_in_memory();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
