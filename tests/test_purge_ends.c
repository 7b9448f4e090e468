/* test_purge_ends.c - a purge that was begun is ended by whoever comes next,
 * wherever it stopped.
 *
 * wrap: open openat pwrite write fsync fdatasync renameat mkdir mkdirat unlinkat fchmod ftruncate fstat fstatat
 */
#include "trace.h"
#include "purged.h"

/* ---- begun, and ended by somebody else ---- */

static void line_of(const char *path, const char *want)
{
	char *name = s_text("%s/local/purged", path);
	size_t size;
	char *text = slurp(name, &size);

	text[size] = '\0';
	assert_string_equal(text, want);
	free(text);
	free(name);
}

static void a_line_that_cannot_be_is_as_none(void **state) /* F-93 */
{
	static const char *const bad[] = { "", "x", "4", "04\n", "4\n\n",
					   " 4\n", "-1\n", "+4\n", "5\n",
					   "99999999999999999999999999\n" };
	char *path = s_init(state, "store", 0), *file;
	struct pakhus *s = s_open(path, 0);

	put(s, "a", "1", 1);
	put(s, "a", "2", 2);
	purge(s, "a", "1", 1);
	line_of(path, "4\n");
	pakhus_close(s);
	file = s_text("%s/local/purged", path);
	for (size_t i = 0; i < T_COUNT(bad); i++) {
		spill(file, bad[i], strlen(bad[i]));
		s = s_open(path, PAKHUS_READONLY);
		pakhus_close(s);
		s = s_open(path, 0);
		line_of(path, "4\n");
		holds_marked(s, "a", "2", 2);
		s_verify(s);
		pakhus_close(s);
	}
	assert_int_equal(unlink(file), 0);
	s = s_open(path, 0);
	line_of(path, "4\n");
	pakhus_close(s);
	free(file);
	free(path);
}

static void told(void *arg, const char *file, const char *rule,
		 const char *text)
{
	(void)file, (void)text;
	assert_string_equal(rule, "F-92");
	++*(int *)arg;
}

static void verify_finds_what_was_put_back(void **state) /* F-92 */
{
	char *path = s_init(state, "store", 0), *object, *aside;
	struct pakhus *s = s_open(path, 0);
	int found = 0;
	struct pakhus_verify v = { .damage = told, .arg = &found };
	struct pakhus_package *p;

	put(s, "a", "1", 1);
	put(s, "a", "2", 2);
	assert_done(pakhus_sync(s, &err));
	p = s_get(s, "a", "1");
	object = s_text("%s/objects/%.2s/%s", path, p->record.hash,
			p->record.hash + 2);
	aside = s_text("%s/aside", (char *)*state);
	pakhus_package_free(p);
	run("cp %s %s", object, aside);
	purge(s, "a", "1", 1);
	s_verify(s);
	run("cp %s %s", aside, object);
	assert_status(pakhus_verify(s, &v, &err), PAKHUS_ECORRUPT);
	assert_int_equal(found, 1);
	pakhus_close(s);
	free(object);
	free(aside);
	free(path);
}

/* Its objects may be older than what it says. */
static void a_copy_that_is_adopted_purges_again(void **state)
{
	char *path = s_init(state, "store", 0);
	char *copy = s_text("%s/copy", (char *)*state);
	struct pakhus *s = s_open(path, 0);

	put(s, "a", "1", 1);
	put(s, "a", "2", 2);
	assert_done(pakhus_sync(s, &err));
	run("mkdir %s && cp -a %s/objects %s/", copy, path, copy);
	purge(s, "a", "1", 1);
	pakhus_close(s);
	run("rm -r %s/objects && mv %s/objects %s/", path, copy, path);
	run("rmdir %s && cp -a %s %s", copy, path, copy);
	assert_done(pakhus_adopt_here(copy, &err));
	is_there(copy, 1);
	s = s_open(copy, 0);
	is_gone(copy, 1);
	line_of(copy, "4\n");
	holds_marked(s, "a", "2", 2);
	s_verify(s);
	pakhus_close(s);
	free(copy);
	free(path);
}

/* Dependents, a version with two texts, one in the journal, and what others
 * left in the trash. */
static void prepare(const char *path)
{
	struct pakhus *s = s_open(path, 0);

	for (unsigned v = 0; v < 10; v++) {
		char *name = name_of(v);

		put(s, "a", name, v);
		free(name);
	}
	put(s, "a", "1.0.0", 50);
	assert_done(pakhus_sync(s, &err));
	put(s, "a", "1.0.0", 51);
	pakhus_close(s);
}

static void check_purged(const char *path, struct pakhus *s)
{
	is_gone(path, 0);
	is_gone(path, 50);
	is_gone(path, 51);
	assert_status(pakhus_get(s, "a", "1.0.0", NULL, &err),
		      PAKHUS_ENOTFOUND);
	for (unsigned v = 1; v < 10; v++) {
		char *name = name_of(v);

		holds_marked(s, "a", name, v);
		free(name);
	}
	s_verify(s);
}

static int is_purged(struct pakhus *s)
{
	struct pakhus_history *h = s_history(s, NULL, 0, 1);
	int is = !strcmp(h->items[0].op, "purge");

	pakhus_history_free(h);
	return is;
}

static pid_t begin_purge(const char *path, long n, int torn, int go)
{
	pid_t pid = fork();
	struct pakhus *s;
	char c;

	if (pid)
		return pid;
	if (go >= 0 && read(go, &c, 1) != 1)
		_exit(3);
	s = s_open(path, 0);
	trace.only_kind = torn ? TRACE_WRITE : -1;
	trace_kill(n, torn);
	purge(s, "a", "1.0.0", 3);
	_exit(0);
}

static void each_end(void **state, int torn, int survivor)
{
	char *model = s_init(state, "model", 0);
	char *path = s_text("%s/store", (char *)*state);
	unsigned begun = 0;
	int all = 0;
	long n;

	prepare(model);
	for (n = 1; !all; n += step()) {
		struct pakhus *s = NULL;
		int go[2];
		pid_t pid;

		run("rm -rf %s && cp -a %s %s", path, model, path);
		assert_done(pakhus_adopt_here(path, &err));
		trace_at(path);
		assert_int_equal(pipe(go), 0);
		pid = begin_purge(path, n, torn, survivor ? go[0] : -1);
		if (survivor) {
			s = s_open(path, 0);
			put(s, "b", "1", 60);
			assert_int_equal(write(go[1], "", 1), 1);
		}
		all = ended(pid);
		close(go[0]);
		close(go[1]);
		if (survivor) {
			/* what is in flight is taken in by who writes next */
			put(s, "b", "2", 61);
			assert_done(pakhus_sync(s, &err));
			holds_marked(s, "b", "1", 60);
			holds_marked(s, "b", "2", 61);
			s_delete(s, "b", NULL);
			purge(s, "b", "2", 1);
			assert_done(pakhus_sync(s, &err));
		} else {
			s = s_open(path, 0);
		}
		if (survivor || is_purged(s)) {
			struct pakhus_history *h = s_history(s, "a", 0, 1);

			if (!strcmp(h->items[0].op, "purge")) {
				check_purged(path, s);
				begun++;
			} else {
				holds_marked(s, "a", "1.0.0", 51);
			}
			pakhus_history_free(h);
		} else {
			holds_marked(s, "a", "1.0.0", 51);
			s_verify(s);
		}
		pakhus_close(s);
		trace_clear();
	}
	print_message("# ended at calls up to %ld, %u after the entry\n",
		      n, begun);
	assert_true(begun > (torn ? 3 : 30) / step());
	free(model);
	free(path);
}

static void it_is_finished_when_its_process_ended_at_any_call(void **state)
{
	each_end(state, 0, 0);
}

static void it_is_finished_when_its_process_ended_within_a_write(void **state)
{
	each_end(state, 1, 0);
}

static void another_process_finishes_it(void **state)
{
	each_end(state, 0, 1);
}

/* Between the old index and the new one there is none; what is half made is
 * made anew. */
static void without_an_index_it_is_finished_too(void **state)
{
	char *path = s_init(state, "store", 0), *index;
	struct pakhus *s;

	prepare(path);
	for (int torn = 0; torn < 2; torn++) {
		s = s_open(path, 0);
		put(s, "b", "1", 70);
		pakhus_close(s);
		s = s_open(path, 0);
		if (!torn)
			purge(s, "a", "1.0.0", 3);
		pakhus_close(s);
		index = index_file(path, "");
		run("rm %s/local/purged && mv %s %s/local/trash/index-x && "
		    "mkdir %s/local/index-next && "
		    "head -c %d %s/local/trash/index-x/data.mdb "
		    ">%s/local/index-next/data.mdb", path, index, path, path,
		    torn ? 5000 : 0, path, path);
		s = s_open(path, 0);
		line_of(path, torn ? "18\n" : "17\n");
		check_purged(path, s);
		pakhus_close(s);
		run("test ! -e %s/local/index-next -a "
		    "-z \"$(ls %s/local/trash)\"", path, path);
		free(index);
	}
	free(path);
}

/* Every call fails: once, or from then on. */
static void each_failure(void **state, int for_good)
{
	char *model = s_init(state, "model", 0);
	char *path = s_text("%s/store", (char *)*state);
	unsigned begun = 0;
	int all = 0;
	long n;

	prepare(model);
	for (n = 1; !all; n += step()) {
		struct pakhus *s;
		int rc;

		run("rm -rf %s && cp -a %s %s", path, model, path);
		assert_done(pakhus_adopt_here(path, &err));
		trace_at(path);
		s = s_open(path, 0);
		trace_fail(n, EIO, for_good);
		rc = pakhus_purge(s, "a", "1.0.0", REASON, NULL, NULL, &err);
		all = trace_peace() < n;
		if (all)
			assert_int_equal(rc, 0);
		/* a handle that can go on goes on */
		if (rc && rc != PAKHUS_EUNKNOWN && is_purged(s) &&
		    !pakhus_sync(s, &err)) {
			check_purged(path, s);
			begun++;
		}
		pakhus_close(s);
		s = s_open(path, 0);
		if (is_purged(s))
			check_purged(path, s);
		else
			holds_marked(s, "a", "1.0.0", 51);
		s_verify(s);
		pakhus_close(s);
		trace_clear();
	}
	print_message("# calls up to %ld failed, %u after the entry\n",
		      n, begun);
	assert_true(begun > 20 / step());
	free(model);
	free(path);
}

static void it_is_finished_when_any_call_failed_once(void **state)
{
	each_failure(state, 0);
}

static void it_is_finished_when_all_calls_failed_from_one_on(void **state)
{
	each_failure(state, 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		T_IN_DIR(a_line_that_cannot_be_is_as_none),
		T_IN_DIR(verify_finds_what_was_put_back),
		T_IN_DIR(a_copy_that_is_adopted_purges_again),
		T_IN_DIR(it_is_finished_when_its_process_ended_at_any_call),
		T_IN_DIR(it_is_finished_when_its_process_ended_within_a_write),
		T_IN_DIR(another_process_finishes_it),
		T_IN_DIR(without_an_index_it_is_finished_too),
		T_IN_DIR(it_is_finished_when_any_call_failed_once),
		T_IN_DIR(it_is_finished_when_all_calls_failed_from_one_on),
	};

	trace_in_memory();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
