/* test_waiters.c - a sync that many wait for fails, or ends with its process.
 *
 * The first to sync is held until all of its group have appended, so that
 * each of them waits for that one sync.
 *
 * wrap: fdatasync pwrite
 */
#include "t.h"
#include "stores.h"
#include "entry.h"
#include "journal.h"
#include "tile.h"

#include <errno.h>
#include <pthread.h>
#include <sys/mman.h>

#define SINGLES 5 /* publishers of one; beside them a batch */
#define BATCH 3
#define RECORDS (SINGLES + 1)
#define ENTRIES (SINGLES + BATCH)
#define PROCESSES 5

/* ---- the gate, shared by processes ---- */

enum { FAIL, KILL };
static struct {
	atomic_int is_armed, is_open, is_reached;
	atomic_uint syncs; /* since it was armed */
	atomic_uint writes; /* since a process was killed in it */
	int is_killed;
	int mode, sys;
	unsigned at;   /* the sync that it is for; all others pass */
	uint64_t want; /* entries that must have been appended */
} *gate;

static struct pk_journal probe;

static uint64_t appended(void)
{
	struct pk_cursor c;

	pk_journal_cursor(&probe, &c);
	return c.seq;
}

static void until_appended(void)
{
	while (appended() < gate->want)
		usleep(100);
}

int __real_fdatasync(int fd);
int __wrap_fdatasync(int fd);
int __wrap_fdatasync(int fd)
{
	if (!atomic_load(&gate->is_armed))
		return __real_fdatasync(fd);
	atomic_store(&gate->is_reached, 1);
	until_appended();
	while (!atomic_load(&gate->is_open))
		usleep(100);
	if (atomic_fetch_add(&gate->syncs, 1) + 1 != gate->at)
		return __real_fdatasync(fd);
	if (gate->mode == KILL) {
		gate->is_killed = 1;
		raise(SIGKILL);
	}
	errno = gate->sys;
	return -1;
}

ssize_t __real_pwrite(int fd, const void *buf, size_t n, off_t at);
ssize_t __wrap_pwrite(int fd, const void *buf, size_t n, off_t at);
ssize_t __wrap_pwrite(int fd, const void *buf, size_t n, off_t at)
{
	if (gate->is_killed)
		atomic_fetch_add(&gate->writes, 1);
	return __real_pwrite(fd, buf, n, at);
}

static void arm(unsigned at, int mode, int sys, unsigned entries)
{
	gate->at = at;
	atomic_store(&gate->is_open, 0);
	atomic_store(&gate->is_reached, 0);
	atomic_store(&gate->syncs, 0);
	atomic_store(&gate->writes, 0);
	gate->is_killed = 0;
	gate->mode = mode;
	gate->sys = sys;
	gate->want = appended() + entries;
	atomic_store(&gate->is_armed, 1);
}

/* ---- the group ---- */

/* The group, in the order in which it is in the journal. */
static struct {
	char id[RECORDS][20];
	unsigned entries[RECORDS];
	uint64_t at[RECORDS];
	unsigned n, slot;
} order;

/* How many records of it were acknowledged. */
static unsigned acked;

/* ---- a store with two entries: its key, and one that was acknowledged ---- */

#define BASE 2

static char *path;

static struct pakhus *begin(void **state)
{
	struct pakhus *s;
	int dir;

	acked = 0;
	path = s_init(state, "s", 0);
	s = s_open(path, 0);
	s_publish(s, "before", "1", 1);
	dir = open(path, O_RDONLY | O_DIRECTORY);
	assert_done(pk_journal_open(&probe, dir, &err));
	close(dir);
	return s;
}

static void end(void **state)
{
	char *out = s_text("rm -rf %s/s", (char *)*state);

	pk_journal_release(&probe);
	assert_int_equal(system(out), 0);
	free(out);
	free(path);
}

static void id_of(int i, char id[20])
{
	snprintf(id, 20, "waiter-%d", i);
}

static uint64_t base(void)
{
	return BASE + (acked ? order.entries[0] : 0);
}

/* 0, or the line of what is wrong: of the group nothing is shown but what
 * was acknowledged. */
static int hidden(struct pakhus *s)
{
	struct pakhus_range all = { 0, 100 };
	struct pakhus_package *p = NULL;
	struct pakhus_list *l = NULL;
	struct pakhus_history *h = NULL;
	struct pakhus_stat st = { .entries = 0 };
	int at = 0;

	for (int i = 0; i <= PROCESSES + 1 && !at; i++) {
		char id[20];

		id_of(i, id);
		if (acked && !strcmp(id, order.id[0]))
			continue;
		if (pakhus_get(s, id, NULL, &p, &err) != PAKHUS_ENOTFOUND)
			at = __LINE__;
	}
	for (uint64_t seq = base(); seq < gate->want && !at; seq++)
		if (pakhus_get_at(s, seq, &p, &err) != PAKHUS_ENOTFOUND)
			at = __LINE__;
	if (!at && (pakhus_list(s, all, 0, &l, &err) || l->count != 1 + acked ||
		    l->position != base()))
		at = __LINE__;
	if (!at && (pakhus_history(s, NULL, all, &h, &err) ||
		    h->count != base() || h->position != base()))
		at = __LINE__;
	if (!at && (pakhus_stat(s, 0, &st, &err) || st.entries != base()))
		at = __LINE__;
	pakhus_list_free(l);
	pakhus_history_free(h);
	if (at)
		return at;
	if (pakhus_get(s, "before", NULL, &p, &err))
		return __LINE__;
	pakhus_package_free(p);
	return 0;
}

/* The same, and that nobody writes. */
static int stopped(struct pakhus *s)
{
	static const char why[] = "writing has stopped since a sync failed; "
				  "it goes on when the store is opened with "
				  "nobody else in it";
	int at = hidden(s);

	if (at)
		return at;
	if (s_try(s, "more", "1", 1, NULL) != PAKHUS_ESYS ||
	    strcmp(err.text, why))
		return __LINE__;
	if (pakhus_delete(s, "before", NULL, NULL, NULL, &err) !=
		    PAKHUS_ESYS || strcmp(err.text, why))
		return __LINE__;
	if (pakhus_sync(s, &err) != PAKHUS_EUNKNOWN)
		return __LINE__;
	return hidden(s);
}

static int open_and_look(void *arg)
{
	struct pakhus *s = s_open(arg, 0);
	int at = stopped(s);

	pakhus_close(s);
	return at ? 1 : 0;
}

/* ---- what the journal got, and what became of it ---- */

static void read_order(void)
{
	struct pk_reading r = { .at = 0 };
	struct pk_cursor c;
	int rc;

	pk_journal_cursor(&probe, &c);
	r.slot = order.slot = c.slot;
	r.end = c.end;
	order.n = 0;
	while ((rc = pk_reading_next(&probe, &r, &err)) == 1) {
		struct pk_bytes b = { r.payload, r.record.payload }, line;
		struct pk_entry e;

		if (r.record.seq < BASE)
			continue;
		assert_true(order.n < RECORDS);
		assert_int_equal(pk_bundle_next(&b, &line), 1);
		assert_null(pk_entry_decode((const char *)line.at, line.left,
					    &e));
		snprintf(order.id[order.n], 20, "%.19s", e.id);
		order.entries[order.n] = r.record.entries;
		order.at[order.n++] = r.from;
	}
	assert_int_equal(rc, 0);
	pk_reading_release(&r);
}

/* What a disk that said no may have: not what it was to write. */
static void lose(unsigned from, unsigned to)
{
	static const char zeros[PK_BLOCK];
	char *slot = s_text("%s/local/slot-%u", path, order.slot);
	int fd = open(slot, O_WRONLY);

	for (unsigned i = from; i < to; i++)
		assert_int_equal(__real_pwrite(fd, zeros, sizeof(zeros),
					       (off_t)order.at[i]),
				 sizeof(zeros));
	close(fd);
	free(slot);
}

/* Exactly the first n records of the group, and what came before. */
static void assert_prefix(struct pakhus *s, unsigned n)
{
	struct pakhus_history *h = s_history(s, NULL, 0, 100);
	uint64_t seq = BASE;

	for (unsigned i = 0; i < n; i++) {
		assert_true(h->count > seq);
		assert_string_equal(h->items[h->count - 1 - seq].id,
				    order.id[i]);
		assert_holds(s, order.id[i], "1", 1);
		seq += order.entries[i];
	}
	assert_int_equal(h->count, seq);
	for (unsigned i = n; i < order.n; i++)
		assert_status(pakhus_get(s, order.id[i], NULL, NULL, &err),
			      PAKHUS_ENOTFOUND);
	assert_holds(s, "before", "1", 1);
	pakhus_history_free(h);
}

/* Recovered by who comes next, it is written again. */
static void goes_on(unsigned n)
{
	struct pakhus *s;

	s = s_open(path, 0);
	assert_prefix(s, n);
	s_verify(s);
	s_publish(s, "later", "1", 2);
	assert_done(pakhus_sync(s, &err));
	pakhus_close(s);
	s = s_open(path, PAKHUS_REBUILD);
	assert_holds(s, "later", "1", 2);
	assert_latest(s, "before", "1");
	s_verify(s);
	pakhus_close(s);
}

/* ---- threads ---- */

struct waiter {
	struct pakhus *s;
	int i, rc;
	uint64_t durable;
	struct pakhus_error e;
};

static void *publish_one(void *arg)
{
	struct waiter *w = arg;
	char id[20], *doc;

	id_of(w->i, id);
	doc = s_document(id, "1", 1);
	w->rc = pakhus_publish(w->s, doc, strlen(doc), NULL, NULL, &w->e);
	free(doc);
	return NULL;
}

static void *publish_batch(void *arg)
{
	struct waiter *w = arg;
	struct pakhus_batch *b = NULL;
	char id[20];

	id_of(w->i, id);
	w->rc = pakhus_batch_new(w->s, NULL, &b, &w->e);
	for (unsigned k = 1; k <= BATCH && !w->rc; k++) {
		char version[2] = { (char)('0' + k), 0 };
		char *doc = s_document(id, version, k);

		w->rc = pakhus_batch_publish(b, doc, strlen(doc), &w->e);
		free(doc);
	}
	if (!w->rc)
		w->rc = pakhus_batch_commit(b, &w->e);
	w->durable = pakhus_batch_durable(b);
	pakhus_batch_free(b);
	return NULL;
}

/* Threads with two handles; all but the first get want. A sync covers what was
 * appended before it: the others start when the first one's has begun, so that
 * it is for that one alone. */
static void wait_together(struct pakhus *a, struct pakhus *b, int first,
			  int want)
{
	pthread_t thread[RECORDS];
	struct waiter w[RECORDS];

	for (int i = 0; i < RECORDS; i++) {
		w[i] = (struct waiter){ .s = i % 2 ? a : b, .i = i, .rc = 1 };
		assert_int_equal(pthread_create(&thread[i], NULL,
						i < SINGLES ? publish_one
							    : publish_batch,
						&w[i]),
				 0);
		while (!atomic_load(&gate->is_reached))
			usleep(100);
	}
	until_appended();
	assert_int_equal(hidden(a), 0);
	assert_int_equal(hidden(b), 0);
	atomic_store(&gate->is_open, 1);
	for (int i = 0; i < RECORDS; i++)
		pthread_join(thread[i], NULL);
	assert_int_equal(atomic_load(&gate->syncs), first ? 1 : 2);
	atomic_store(&gate->is_armed, 0);
	read_order();
	assert_int_equal(order.n, RECORDS);
	for (int i = 0; i < RECORDS; i++) {
		char id[20];
		int rc;

		id_of(i, id);
		rc = strcmp(id, order.id[0]) ? want : first;
		assert_int_equal(w[i].rc, rc);
		if (rc)
			assert_non_null(strstr(w[i].e.text,
					       "outcome unknown"));
		if (i == SINGLES)
			assert_int_equal(w[i].durable, rc ? 0 : BATCH);
	}
	acked = !first;
}

static void a_group_shares_the_next_sync(void **state)
{
	struct pakhus *s = begin(state), *second = s_open(path, 0);

	arm(0, FAIL, 0, ENTRIES);
	wait_together(s, second, 0, 0);
	assert_prefix(second, RECORDS);
	pakhus_close(s);
	pakhus_close(second);
	goes_on(RECORDS);
	end(state);
}

/* from..to of the group's records are lost with the sync that failed. */
static void fail_threads(void **state, unsigned at, int sys, unsigned from,
			 unsigned to)
{
	struct pakhus *s = begin(state), *second = s_open(path, 0), *third;

	arm(at, FAIL, sys, ENTRIES);
	wait_together(s, second, at == 1 ? PAKHUS_EUNKNOWN : 0,
		      PAKHUS_EUNKNOWN);
	assert_int_equal(stopped(s), 0);
	assert_int_equal(stopped(second), 0);
	assert_int_equal(s_in_child(open_and_look, path), 0);
	pakhus_close(s);
	third = s_open(path, 0); /* not alone */
	assert_int_equal(stopped(third), 0);
	pakhus_close(second);
	assert_int_equal(stopped(third), 0);
	pakhus_close(third);
	lose(from, to);
	goes_on(from);
	end(state);
}

static void each_loss(void **state, int sys)
{
	unsigned step = s_scale(1, 3, 1);

	for (unsigned i = 0; i <= RECORDS; i += step) {
		fail_threads(state, 1, sys, i, RECORDS);
		if (i + 1 < RECORDS)
			fail_threads(state, 1, sys, i, i + 1);
		if (i)
			fail_threads(state, 2, sys, i, RECORDS);
	}
}

static void eio_leaves_every_thread_without_an_answer(void **state)
{
	each_loss(state, EIO);
}

static void enospc_leaves_every_thread_without_an_answer(void **state)
{
	each_loss(state, ENOSPC);
}

/* ---- processes ---- */

static struct {
	atomic_int ready, go, told, leave;
	atomic_int rc[PROCESSES], looked[PROCESSES];
} *meeting;

static pid_t start(int i)
{
	struct waiter w = { .i = i };
	pid_t pid = fork();

	if (pid)
		return pid;
	alarm(100);
	w.s = s_open(path, 0);
	atomic_fetch_add(&meeting->ready, 1);
	while (!atomic_load(&meeting->go))
		usleep(100);
	publish_one(&w);
	atomic_store(&meeting->rc[i], w.rc);
	atomic_store(&meeting->looked[i],
		     w.rc == PAKHUS_EUNKNOWN ? stopped(w.s) : 0);
	atomic_fetch_add(&meeting->told, 1);
	while (!atomic_load(&meeting->leave))
		usleep(100);
	pakhus_close(w.s);
	_exit(0);
}

/* All wait for the first one's sync, and s looks on. */
static void meet(struct pakhus *s, pid_t pid[PROCESSES], int told)
{
	memset(meeting, 0, sizeof(*meeting));
	for (int i = 0; i < PROCESSES; i++)
		atomic_store(&meeting->rc[i], 1); /* not told */
	for (int i = 0; i < PROCESSES; i++)
		pid[i] = start(i);
	while (atomic_load(&meeting->ready) < PROCESSES)
		usleep(100);
	atomic_store(&meeting->go, 1);
	until_appended();
	assert_int_equal(hidden(s), 0);
	atomic_store(&gate->is_open, 1);
	while (atomic_load(&meeting->told) < told)
		usleep(100);
	atomic_store(&gate->is_armed, 0);
}

/* Gives how many were killed. */
static int part(pid_t pid[PROCESSES])
{
	int killed = 0;

	atomic_store(&meeting->leave, 1);
	for (int i = 0; i < PROCESSES; i++) {
		int status;

		assert_int_equal(waitpid(pid[i], &status, 0), pid[i]);
		if (WIFSIGNALED(status))
			killed++;
		else
			assert_int_equal(status, 0);
	}
	return killed;
}

static void fail_processes(void **state, int sys, unsigned kept)
{
	struct pakhus *s = begin(state);
	pid_t pid[PROCESSES];

	arm(1, FAIL, sys, PROCESSES);
	meet(s, pid, PROCESSES);
	assert_int_equal(atomic_load(&gate->syncs), 1);
	for (int i = 0; i < PROCESSES; i++) {
		assert_int_equal(atomic_load(&meeting->rc[i]),
				 PAKHUS_EUNKNOWN);
		assert_int_equal(atomic_load(&meeting->looked[i]), 0);
	}
	assert_int_equal(stopped(s), 0);
	read_order();
	assert_int_equal(order.n, PROCESSES);
	assert_int_equal(part(pid), 0);
	assert_int_equal(stopped(s), 0);
	pakhus_close(s);
	lose(kept, PROCESSES);
	goes_on(kept);
	end(state);
}

static void eio_leaves_every_process_without_an_answer(void **state)
{
	fail_processes(state, EIO, 0);
	fail_processes(state, EIO, 2);
	fail_processes(state, EIO, PROCESSES);
}

static void enospc_leaves_every_process_without_an_answer(void **state)
{
	fail_processes(state, ENOSPC, 1);
	fail_processes(state, ENOSPC, PROCESSES);
}

/* Who comes next writes all of it again, payload and header, and syncs. */
static void who_waits_for_a_syncer_that_is_killed_does_it_again(void **state)
{
	struct pakhus *s = begin(state);
	pid_t pid[PROCESSES];
	int acknowledged = 0;

	arm(1, KILL, 0, PROCESSES);
	meet(s, pid, PROCESSES - 1);
	assert_int_equal(atomic_load(&gate->syncs), 2);
	assert_int_equal(atomic_load(&gate->writes), 2 * PROCESSES);
	for (int i = 0; i < PROCESSES; i++)
		acknowledged += !atomic_load(&meeting->rc[i]);
	read_order();
	assert_int_equal(order.n, PROCESSES);
	assert_prefix(s, PROCESSES); /* the dead one's is there, too */
	assert_int_equal(part(pid), 1);
	assert_int_equal(acknowledged, PROCESSES - 1);
	pakhus_close(s);
	goes_on(PROCESSES);
	end(state);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		T_IN_DIR(a_group_shares_the_next_sync),
		T_IN_DIR(eio_leaves_every_thread_without_an_answer),
		T_IN_DIR(enospc_leaves_every_thread_without_an_answer),
		T_IN_DIR(eio_leaves_every_process_without_an_answer),
		T_IN_DIR(enospc_leaves_every_process_without_an_answer),
		T_IN_DIR(
			who_waits_for_a_syncer_that_is_killed_does_it_again),
	};

	gate = mmap(NULL, sizeof(*gate), PROT_READ | PROT_WRITE,
		    MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	meeting = mmap(NULL, sizeof(*meeting), PROT_READ | PROT_WRITE,
		       MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
