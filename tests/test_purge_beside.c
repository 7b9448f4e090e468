/* test_purge_beside.c - purges while others publish and read, and on mirrors.
 *
 * wrap: open openat pwrite write fsync fdatasync renameat mkdir mkdirat unlinkat fchmod ftruncate fstat fstatat
 */
#include "trace.h"
#include "purged.h"
#include "mirrors.h"

#include <poll.h>

/* ---- beside others ---- */

#define ROUNDS 100 /* of publishing */
#define EACH 8	   /* of many is purged */

/* Publishes, reads and lists, and then reads on for as long as it is let;
 * everything that it reads is right, or purged. */
static int work_once(struct pakhus *s, const char *id, unsigned n)
{
	char *name = name_of(n), *other = name_of(n % MANY);
	struct pakhus_package *p;
	int rc;

	if (n < ROUNDS) {
		put(s, id, name, 1000 + n);
		holds_marked(s, id, name, 1000 + n);
		if (n % 7 == 0)
			assert_done(pakhus_sync(s, &err));
	}
	rc = pakhus_get(s, "many", other, &p, &err);
	if (rc && (rc != PAKHUS_ENOTFOUND ||
		   !strstr(err.text, "was purged at entry"))) {
		print_error("%s: %s\n", other, err.text);
		return 1;
	}
	if (!rc)
		pakhus_package_free(p);
	pakhus_list_free(s_list(s, 0, 10, n % 2 ? PAKHUS_DOCUMENTS : 0));
	free(name);
	free(other);
	return 0;
}

static int work(const char *path, int number, int until)
{
	struct pollfd end = { .fd = until, .events = POLLIN };
	struct pakhus_options opt = { .level = 3, .cache_size = 1 };
	struct pakhus *s;
	unsigned n = 0;
	char id[20];

	/* with nothing kept, so that chains are read again and again */
	assert_done(pakhus_open(&s, path, &opt, &err));
	snprintf(id, sizeof(id), "w%d", number);
	do
		if (work_once(s, id, n++))
			return 1;
	while (n < ROUNDS || !poll(&end, 1, 0));
	for (unsigned i = 0; i < ROUNDS; i++) {
		char *name = name_of(i);

		holds_marked(s, id, name, 1000 + i);
		free(name);
	}
	pakhus_close(s);
	return 0;
}

static void others_publish_and_read_on_meanwhile(void **state)
{
	char *path = s_init(state, "store", 0);
	struct pakhus *s = s_open(path, 0);
	pid_t pid[3];
	int until[2];

	publish_many(s);
	pakhus_close(s);
	assert_int_equal(pipe(until), 0);
	fflush(NULL);
	for (int i = 0; i < 3; i++) {
		pid[i] = fork();
		if (!pid[i]) {
			alarm(100);
			_exit(work(path, i, until[0]));
		}
	}
	s = s_open(path, 0);
	for (unsigned v = 0; v < MANY; v += EACH) {
		char *name = name_of(v);

		purge(s, "many", name, 1);
		is_gone(path, v);
		free(name);
	}
	assert_int_equal(write(until[1], "x", 1), 1);
	for (int i = 0; i < 3; i++) {
		int status;

		assert_int_equal(waitpid(pid[i], &status, 0), pid[i]);
		assert_int_equal(status, 0);
	}
	close(until[0]);
	close(until[1]);
	s_verify(s);
	pakhus_close(s);
	for (unsigned v = 0; v < MANY; v += EACH)
		is_gone(path, v);
	s = s_open(path, PAKHUS_REBUILD);
	for (unsigned v = 0; v < MANY; v++) {
		char *name = name_of(v);

		if (v % EACH)
			holds_marked(s, "many", name, v);
		free(name);
	}
	s_verify(s);
	pakhus_close(s);
	free(path);
}

/* Threads of one process, which open the index again beside each other. */
static struct pakhus *shared;
static atomic_int thread_ends;

static void *thread_work(void *arg)
{
	struct pakhus_error e = { .status = 0 };
	char *id = arg, *doc = marked(id, "1", 500, 50);
	long failed = 0;

	for (unsigned n = 0; n < 50 || !atomic_load(&thread_ends); n++) {
		struct pakhus_package *p = NULL;
		struct pakhus_list *l = NULL;
		int rc = n < 200 ? pakhus_publish(shared, doc, strlen(doc),
						  NULL, NULL, &e)
				 : 0;

		if (!rc)
			rc = pakhus_get(shared, id, "1", &p, &e);
		if (!rc)
			rc = pakhus_list(shared,
					 (struct pakhus_range){ 0, 10 }, 0, &l,
					 &e);
		if (!rc && n % 10 == 0)
			rc = pakhus_sync(shared, &e);
		if (rc && !failed++)
			print_error("%d: %s\n", rc, e.text);
		pakhus_package_free(p);
		pakhus_list_free(l);
	}
	free(doc);
	return (void *)failed;
}

static void threads_publish_and_read_on_meanwhile(void **state)
{
	static char id[3][3] = { "t0", "t1", "t2" };
	char *path = s_init(state, "store", 0);
	pthread_t thread[3];
	void *failed;

	shared = s_open(path, 0);
	atomic_store(&thread_ends, 0);
	for (unsigned v = 0; v < 9; v++) {
		char *name = name_of(v);

		put(shared, "many", name, v);
		free(name);
	}
	for (int i = 0; i < 3; i++)
		assert_int_equal(pthread_create(&thread[i], NULL, thread_work,
						id[i]), 0);
	for (unsigned v = 0; v < 8; v++) {
		char *name = name_of(v);

		purge(shared, "many", name, 1);
		free(name);
	}
	atomic_store(&thread_ends, 1);
	for (int i = 0; i < 3; i++) {
		assert_int_equal(pthread_join(thread[i], &failed), 0);
		assert_null(failed);
	}
	holds_marked(shared, "many", "1.0.8", 8);
	s_verify(shared);
	pakhus_close(shared);
	for (unsigned v = 0; v < 8; v++)
		is_gone(path, v);
	free(path);
}

/* ---- mirrors ---- */

/* All but those from..to-1. */
static void many_hold(const char *path, unsigned from, unsigned to)
{
	struct pakhus *s = s_open(path, 0);
	struct pakhus_package *p;

	for (unsigned v = 0; v < MANY; v++) {
		char *name = name_of(v);

		if (v < from || v >= to)
			holds_marked(s, "many", name, v);
		else
			assert_status(pakhus_get(s, "many", name, &p, &err),
				      PAKHUS_ENOTFOUND);
		free(name);
	}
	s_verify(s);
	pakhus_close(s);
}

/* What the source encoded anew it makes others against, which are less deep
 * then than that still is at the mirror. */
static void a_mirror_removes_what_its_source_removed(void **state)
{
	char *path = s_init(state, "store", 0);
	char *mirror = s_text("%s/mirror", (char *)*state);
	struct pakhus *s = s_open(path, 0), *reader;

	for (unsigned v = 0; v < 12; v++) {
		char *name = name_of(v);

		put(s, "many", name, v);
		free(name);
	}
	assert_done(pakhus_sync(s, &err));
	assert_done(sync_from(mirror, path));
	reader = s_open(mirror, 0);
	is_there(mirror, 8);
	for (unsigned v = 8; v < 11; v++) {
		char *name = name_of(v);

		purge(s, "many", name, 1);
		free(name);
	}
	for (unsigned v = 12; v < MANY; v++) {
		char *name = name_of(v);

		put(s, "many", name, v);
		free(name);
	}
	assert_done(pakhus_sync(s, &err));
	pakhus_close(s);
	assert_done(sync_from(mirror, path));
	for (unsigned v = 8; v < 11; v++)
		is_gone(mirror, v);
	/* who had it open meanwhile */
	holds_marked(reader, "many", "1.0.11", 11);
	holds_marked(reader, "many", "1.0.69", 69);
	assert_status(pakhus_get(reader, "many", "1.0.9", NULL, &err),
		      PAKHUS_ENOTFOUND);
	s_verify(reader);
	pakhus_close(reader);
	many_hold(mirror, 8, 11);
	/* nothing is done twice */
	assert_done(sync_from(mirror, path));
	assert_false(mirrored.is_changed);
	run("rm -r %s", mirror);
	assert_done(sync_from(mirror, path));
	many_hold(mirror, 8, 11);
	free(mirror);
	free(path);
}

/* Its source is not done yet, or never will be. */
static void a_mirror_keeps_nothing_that_the_log_has_purged(void **state)
{
	char *path = s_init(state, "store", 0), *kept;
	char *mirror = s_text("%s/mirror", (char *)*state);
	struct pakhus *s = s_open(path, 0);

	kept = s_text("%s/kept", (char *)*state);
	put(s, "a", "1", 1);
	put(s, "a", "2", 2);
	assert_done(pakhus_sync(s, &err));
	run("cp -a %s/objects %s", path, kept);
	purge(s, "a", "1", 1);
	pakhus_close(s);
	run("rm -r %s/objects && cp -a %s %s/objects", path, kept, path);
	assert_done(sync_from(mirror, path));
	is_gone(mirror, 1);
	verify_at(mirror);
	free(mirror);
	free(kept);
	free(path);
}

/* It is done there, but the source has an object that is made against it. */
static void a_mirror_purges_again_what_comes_as_a_base(void **state)
{
	char *path = s_init(state, "store", 0);
	char *twin = s_text("%s/twin", (char *)*state);
	char *mirror = s_text("%s/mirror", (char *)*state);
	struct pakhus *s = s_open(path, 0);

	put(s, "a", "1", 1);
	assert_done(pakhus_sync(s, &err));
	assert_done(sync_from(mirror, path));
	run("cp -a %s %s", path, twin);
	purge(s, "a", "1", 1);
	assert_done(sync_from(mirror, path));
	is_gone(mirror, 1);
	put(s, "a", "2", 2);
	assert_done(pakhus_sync(s, &err));
	pakhus_close(s);
	assert_done(pakhus_adopt_here(twin, &err));
	s = s_open(twin, 0);
	put(s, "a", "2", 2);
	assert_done(pakhus_sync(s, &err));
	pakhus_close(s);
	run("cp -af %s/objects/. %s/objects", twin, path);
	assert_done(sync_from(mirror, path));
	assert_int_equal(mirrored.objects, 2);
	is_gone(mirror, 1);
	s = s_open(mirror, 0);
	holds_marked(s, "a", "2", 2);
	s_verify(s);
	pakhus_close(s);
	free(mirror);
	free(twin);
	free(path);
}

/* A mirror's sync that ended within it is gone on with by the next. */
static int sync_child(void *arg)
{
	char **p = arg;

	sync_from(p[0], p[1]);
	return 0;
}

static void the_next_sync_of_a_mirror_finishes_it(void **state)
{
	char *path = s_init(state, "store", 0), *p[2];
	char *model = s_text("%s/model", (char *)*state);
	char *mirror = s_text("%s/mirror", (char *)*state);
	struct pakhus *s = s_open(path, 0);
	int ends = 0;
	long n;

	put(s, "a", "1", 1);
	put(s, "a", "2", 2);
	put(s, "a", "3", 3);
	assert_done(pakhus_sync(s, &err));
	assert_done(sync_from(model, path));
	purge(s, "a", "1", 1);
	pakhus_close(s);
	p[0] = mirror;
	p[1] = path;
	for (n = 1; !ends; n += step()) {
		run("rm -rf %s && cp -a %s %s", mirror, model, mirror);
		trace_at(mirror);
		trace_kill(n, 0);
		ends = s_in_child(sync_child, p) == 0;
		trace_peace();
		assert_done(sync_from(mirror, path));
		is_gone(mirror, 1);
		s = s_open(mirror, 0);
		holds_marked(s, "a", "2", 2);
		holds_marked(s, "a", "3", 3);
		s_verify(s);
		pakhus_close(s);
		trace_clear();
	}
	print_message("# ended at calls up to %ld\n", n);
	assert_true(n > 40);
	free(model);
	free(mirror);
	free(path);
}

/* An adoption or a sync that was killed left what it had of a file. */
static void what_came_in_part_goes_too(void **state)
{
	char *path = s_init(state, "store", 0);
	struct pakhus *s = s_open(path, 0);

	put(s, "a", "1", 1);
	put(s, "a", "2", 2);
	assert_done(pakhus_sync(s, &err));
	run("cd %s && for f in objects/*/*; do "
	    "n=local/incoming/$f && mkdir -p $(dirname $n)/.part && "
	    "cp $f $n.part && cp $f $(dirname $n)/.part/; done", path);
	is_there(path, 1);
	purge(s, "a", "1", 1);
	is_gone(path, 1);
	holds_marked(s, "a", "2", 2);
	s_verify(s);
	pakhus_close(s);
	free(path);
}

/* The trash, and indexes that nobody uses, may hold it too. */
static void what_lies_about_goes_too(void **state)
{
	char *path = s_init(state, "store", 0), *data = NULL;
	struct pakhus *s = s_open(path, 0);

	put(s, "a", "1", 1);
	put(s, "a", "2", 2);
	assert_done(pakhus_sync(s, &err));
	data = index_file(path, "/data.mdb");
	is_there(path, 1);
	run("mkdir -p %s/local/trash/index-x/y %s/local/index-0.8-32-4096 && "
	    "cp %s %s/local/trash/index-x/y/.z && "
	    "cp %s %s/local/index-0.8-32-4096/data.mdb && "
	    "cp %s/objects/*/* %s/local/trash/ && "
	    "cp %s/objects/*/* %s/local/trash/index-x/", path, path, data,
	    path, data, path, path, path, path, path);
	purge(s, "a", "1", 1);
	is_gone(path, 1);
	run("test -d %s/local/trash -a ! -e %s/local/trash/index-x "
	    "-a ! -e %s/local/index-0.8-32-4096", path, path, path);
	holds_marked(s, "a", "2", 2);
	s_verify(s);
	pakhus_close(s);
	free(data);
	free(path);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		T_IN_DIR(what_lies_about_goes_too),
		T_IN_DIR(what_came_in_part_goes_too),
		T_IN_DIR(others_publish_and_read_on_meanwhile),
		T_IN_DIR(threads_publish_and_read_on_meanwhile),
		T_IN_DIR(a_mirror_removes_what_its_source_removed),
		T_IN_DIR(a_mirror_keeps_nothing_that_the_log_has_purged),
		T_IN_DIR(a_mirror_purges_again_what_comes_as_a_base),
		T_IN_DIR(the_next_sync_of_a_mirror_finishes_it),
	};

	trace_in_memory();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
