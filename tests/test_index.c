/* test_index.c - the index can be thrown away, and is never believed more
 * than the log. What damage in it does: test_index_damage.c. Syncs are left
 * out: nothing here goes down.
 *
 * wrap: fsync fdatasync
 */
#include "t.h"
#include "known.h"
#include "biglog.h"
#include "index.h"
#include "nosync.h"

/* ---- thrown away and replaced ---- */

static void an_undamaged_index_is_used_in_silence(void **state)
{
	char *path = make_known(state, "s");

	expect(path, RIGHT, 0, "nothing");
	free(path);
}

static void a_removed_index_is_made_again(void **state)
{
	char *path = make_known(state, "s");
	char *dir = index_file(path, ""), *data = index_file(path, "/data.mdb");
	char *lock = index_file(path, "/lock.mdb");

	run("rm -r %s", dir);
	assert_rebuilt(path, "no directory");
	run("rm %s", data);
	assert_rebuilt(path, "no data.mdb");
	run("rm %s", lock);
	expect(path, RIGHT, 0, "no lock.mdb");
	free(path), free(dir), free(data), free(lock);
}

static void a_cut_index_is_made_again(void **state)
{
	char *path = make_known(state, "s");
	char *data = index_file(path, "/data.mdb"), *bytes, what[32];
	static const size_t sizes[] = { 0, 1, 15, 100, 4095, 4096, 4097, 8191,
					8192, 8193, 12288, 20480 };
	size_t size;

	for (size_t i = 0; i < T_COUNT(sizes) + 4; i++) {
		size_t cut;

		bytes = slurp(data, &size);
		cut = i < T_COUNT(sizes) ? sizes[i]
		      : i % 4 == 0	 ? size / 2
		      : i % 4 == 1	 ? size / 2 / 4096 * 4096
		      : i % 4 == 2	 ? size - 4096
					 : size - 1;
		assert_true(cut < size);
		spill(data, bytes, cut);
		snprintf(what, sizeof(what), "cut at %zu", cut);
		assert_rebuilt(path, what);
		free(bytes);
	}
	free(path), free(data);
}

static void something_else_in_its_place_is_replaced(void **state)
{
	char *path = make_known(state, "s");
	char *dir = index_file(path, ""), *data = index_file(path, "/data.mdb");
	char *lock = index_file(path, "/lock.mdb");

	run("rm -r %s; echo x >%s", dir, dir);
	assert_rebuilt(path, "a file for the directory");
	run("rm -r %s; ln -s /nonexistent %s", dir, dir);
	assert_rebuilt(path, "a dangling link for the directory");
	run("rm %s; mkdir %s", data, data);
	assert_rebuilt(path, "a directory for data.mdb");
	run("rm %s; mkdir %s %s/sub; echo x >%s/sub/x", data, data, data, data);
	assert_rebuilt(path, "a full directory for data.mdb");
	run("rm %s; mkdir %s", lock, lock);
	assert_rebuilt(path, "a directory for lock.mdb");
	run("rm %s; mkfifo %s", data, data);
	assert_rebuilt(path, "a pipe for data.mdb");
	free(path), free(dir), free(data), free(lock);
}

static void garbage_is_replaced(void **state)
{
	char *path = make_known(state, "s");
	char *data = index_file(path, "/data.mdb");
	char *lock = index_file(path, "/lock.mdb"), *bytes;
	size_t size;

	bytes = slurp(data, &size);
	memset(bytes, 0, size);
	spill(data, bytes, size);
	assert_rebuilt(path, "zeros");
	memset(bytes, 0xff, size);
	spill(data, bytes, size);
	assert_rebuilt(path, "ones");
	spill(data, "hello\n", 6);
	assert_rebuilt(path, "a text");
	/* the lock file holds nothing that outlives its users */
	memset(bytes, 0xff, size);
	spill(lock, bytes, 8192);
	expect(path, RIGHT, 0, "a lock file of ones");
	spill(lock, bytes, 100);
	expect(path, RIGHT, 0, "a short lock file");
	free(path), free(data), free(lock), free(bytes);
}

static void another_stores_index_is_not_believed(void **state)
{
	char *path = make_known(state, "s"), *other = s_init(state, "o", 0);
	char *data = index_file(path, "/data.mdb"), *theirs, *bytes;
	struct pakhus *s = s_open(other, 0);
	size_t size;

	s_publish(s, "p1", "2", 9999);
	pakhus_close(s);
	theirs = index_file(other, "/data.mdb");
	bytes = slurp(theirs, &size);
	spill(data, bytes, size); /* the same inode as before */
	free(bytes);
	assert_rebuilt(path, "another store's bytes");
	run("mv %s %s", theirs, data);
	assert_rebuilt(path, "another store's file");
	free(path), free(other), free(data), free(theirs);
}

static void an_older_or_newer_index_of_this_store_is_seen(void **state)
{
	char *path = make_known(state, "s"), *old, *new, *data;
	char *checkpoint = s_text("%s/log/checkpoint", path), *was;
	struct pakhus_versions *v;
	struct pakhus *s;
	size_t old_size, new_size, size;

	data = index_file(path, "/data.mdb");
	old = slurp(data, &old_size);
	was = slurp(checkpoint, &size);
	s = s_open(path, 0);
	s_publish(s, "p9", "new", 1);
	s_delete(s, "p3", NULL);
	pakhus_close(s);
	new = slurp(data, &new_size);
	/* behind: it catches up */
	spill(data, old, old_size);
	s = s_open(path, 0);
	assert_holds(s, "p9", NULL, 1);
	v = s_versions(s, "p3", 0, 0);
	assert_int_equal(v->count, 0);
	pakhus_versions_free(v);
	s_verify(s);
	pakhus_close(s);
	/* ahead: it knows what the log does not */
	spill(data, new, new_size);
	spill(checkpoint, was, size);
	run("rm %s/local/page %s/local/slot-*", path, path);
	assert_rebuilt(path, "an index that is ahead of the log");
	free(path), free(old), free(new), free(data), free(checkpoint);
	free(was);
}

static void a_copied_store_reads_and_does_not_write(void **state)
{
	char *path = make_known(state, "s"), *copy;
	struct pakhus *s;

	copy = s_text("%s/copy", (char *)*state);
	run("cp -r %s %s", path, copy);
	assert_rebuilt(copy, "a copy");
	s = s_open(copy, 0);
	assert_status(s_try(s, "a", "1", 1, NULL), PAKHUS_EDENIED);
	s_verify(s);
	pakhus_close(s);
	assert_done(pakhus_adopt_here(copy, &err));
	s = s_open(copy, 0);
	s_publish(s, "a", "1", 1);
	pakhus_close(s);
	expect(path, RIGHT, 0, "the first one");
	free(path), free(copy);
}

static void with_no_local_at_all_it_is_in_memory_or_new(void **state)
{
	char *path = make_known(state, "s"), *copy;

	copy = s_text("%s/copy", (char *)*state);
	run("cp -r %s %s && rm -r %s/local", path, copy, copy);
	assert_rebuilt(copy, "no local");
	/* a file: nothing can be made there, so it is in memory */
	run("rm -r %s/local && echo >%s/local", copy, copy);
	expect(copy, RIGHT, 0, "local is a file");
	free(path), free(copy);
}

/* ---- the log is checked whenever the index is made of it ---- */

/* Changes a digit of a version somewhere in a bundle: still good entries. */
static void tamper(const char *path, const char *bundle)
{
	static const char mark[] = "\"version\":\"1.";
	char *file = s_text("%s/log/tile/entries/%s", path, bundle);
	size_t size;
	char *bytes = slurp(file, &size);
	char *at = memmem(bytes, size, mark, strlen(mark));

	assert_non_null(at);
	at[strlen(mark)] ^= 1;
	run("chmod u+w %s", file);
	spill(file, bytes, size);
	free(file), free(bytes);
}

/* Also when the making was interrupted, or had failed before. */
static void entries_that_are_not_those_signed_are_refused_each_time(
	void **state)
{
	struct biglog b = { .entries = 120001, .packages = 90000 };
	char *path = s_init(state, "b", 0);
	struct pakhus *s;

	assert_done(biglog_make(path, &b, &err));
	tamper(path, "001");
	for (int i = 0; i < 3; i++) {
		assert_status(pakhus_open(&s, path, NULL, &err),
			      PAKHUS_ECORRUPT);
		assert_non_null(strstr(err.text, "F-39"));
	}
	free(path);
}

static void entries_that_an_index_catches_up_with_are_checked(void **state)
{
	struct biglog b = { .entries = 300, .packages = 200 };
	char *path = s_init(state, "b", 0), *data, *old;
	struct pakhus *s;
	size_t size;

	assert_done(biglog_make(path, &b, &err));
	s = s_open(path, 0);
	pakhus_close(s);
	data = index_file(path, "/data.mdb");
	old = slurp(data, &size);
	b.entries = 1000;
	assert_done(biglog_make(path, &b, &err));
	run("rm -f %s/local/page", path);
	s = s_open(path, 0); /* from 300 to 1000 */
	pakhus_close(s);
	spill(data, old, size);
	run("rm -r %s/log/tile/0/000.p %s/log/tile/0/001.p; "
	    "rm -f %s/local/page", path, path, path);
	s = s_open(path, 0); /* and where the tiles of 300 are gone */
	pakhus_close(s);
	spill(data, old, size);
	tamper(path, "002");
	run("rm -f %s/local/page", path);
	for (int i = 0; i < 2; i++)
		assert_status(pakhus_open(&s, path, NULL, &err),
			      PAKHUS_ECORRUPT);
	assert_non_null(strstr(err.text, "F-39"));
	free(path), free(data), free(old);
}

static int stop_at(void *arg, const char *what, uint64_t done, uint64_t total)
{
	(void)what, (void)total;
	return done && done >= *(uint64_t *)arg;
}

static void a_rebuild_can_be_stopped_and_begun_again(void **state)
{
	struct biglog b = { .entries = 150001, .packages = 70000,
			    .deletes = 30 };
	char *path = s_init(state, "b", 0);
	uint64_t at = 60000;
	struct pakhus_options opt = { .progress = stop_at, .arg = &at };
	struct pakhus_verify v = { .flags = PAKHUS_VERIFY_INDEX,
				   .damage = s_print_damage };
	struct pakhus_stat st;
	struct pakhus *s;

	assert_done(biglog_make(path, &b, &err));
	for (; at < 150000; at += 50000)
		assert_status(pakhus_open(&s, path, &opt, &err),
			      PAKHUS_ECANCELED);
	s = s_open(path, 0);
	assert_done(pakhus_verify(s, &v, &err));
	assert_done(pakhus_stat(s, 0, &st, &err));
	assert_int_equal(st.entries, 150001);
	pakhus_close(s);
	free(path);
}

/* What a delete leaves in a store whose record of it would not fit. */
static void a_delete_larger_than_a_slot_is_refused(void **state)
{
	struct biglog b = { .entries = 110001, .packages = 1, .id = NULL };
	char *path = s_init(state, "b", 0), id[220], version[140];
	struct pakhus *s;
	uint64_t n = 7;

	memset(id, 'i', sizeof(id));
	strcpy(id + 200, "%u");
	memset(version, 'v', sizeof(version));
	strcpy(version + 120, "%u");
	b.id = id;
	b.version = version;
	assert_done(biglog_make(path, &b, &err));
	s = s_open(path, 0);
	strcpy(id + 200, "0");
	alarm(100);
	assert_status(pakhus_delete(s, id, NULL, NULL, &n, &err),
		      PAKHUS_ELIMIT);
	assert_int_equal(n, 7);
	snprintf(version + 120, 20, "%u", 100);
	assert_int_equal(s_delete(s, id, version), 1);
	alarm(0);
	pakhus_close(s);
	free(path);
}

/* ---- manifests ---- */

static int count_manifest(void *arg, const struct pk_latest *latest)
{
	*(int *)arg += latest->manifest.at != NULL;
	return 0;
}

static int manifests_kept(const char *path)
{
	int dir = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC), n = 0;
	struct pk_txn t = PK_TXN_INIT;
	struct pk_index *ix;

	assert_done(pk_index_open(&ix, dir, &err));
	assert_done(pk_txn_read(&t, ix, &err));
	assert_done(pk_index_each_latest(&t, 0, count_manifest, &n, &err));
	pk_txn_end(&t);
	pk_index_close(ix);
	close(dir);
	return n;
}

/* F-63 */
static void list_fills_in_the_manifests_after_a_rebuild(void **state)
{
	char *path = make_known(state, "s");
	struct pakhus_list *l;
	struct pakhus *s;

	/* p7's is of a version that became the latest by a delete */
	assert_int_equal(manifests_kept(path), PACKAGES - 2);
	s = s_open(path, PAKHUS_REBUILD);
	pakhus_close(s);
	assert_int_equal(manifests_kept(path), 0);
	s = s_open(path, 0);
	l = s_list(s, 0, 10, 0);
	pakhus_list_free(l);
	pakhus_close(s);
	assert_int_equal(manifests_kept(path), 10);
	expect(path, RIGHT, 0, "after ten were filled");
	assert_int_equal(manifests_kept(path), PACKAGES - 1);
	s = s_open(path, 0);
	s_publish(s, "p1", "3", 5); /* the latest, again */
	l = s_list(s, 0, 0, 0);
	for (size_t i = 0; i < l->count; i++)
		if (!strcmp(l->items[i]->record.id, "p1"))
			assert_non_null(strstr(l->items[i]->manifest, "n5"));
	pakhus_list_free(l);
	s_verify(s);
	pakhus_close(s);
	assert_int_equal(manifests_kept(path), PACKAGES - 1);
	free(path);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		T_IN_DIR(an_undamaged_index_is_used_in_silence),
		T_IN_DIR(a_removed_index_is_made_again),
		T_IN_DIR(a_cut_index_is_made_again),
		T_IN_DIR(something_else_in_its_place_is_replaced),
		T_IN_DIR(garbage_is_replaced),
		T_IN_DIR(another_stores_index_is_not_believed),
		T_IN_DIR(an_older_or_newer_index_of_this_store_is_seen),
		T_IN_DIR(a_copied_store_reads_and_does_not_write),
		T_IN_DIR(with_no_local_at_all_it_is_in_memory_or_new),
		T_IN_DIR(
			entries_that_are_not_those_signed_are_refused_each_time),
		T_IN_DIR(entries_that_an_index_catches_up_with_are_checked),
		T_IN_DIR(a_rebuild_can_be_stopped_and_begun_again),
		T_IN_DIR(a_delete_larger_than_a_slot_is_refused),
		T_IN_DIR(list_fills_in_the_manifests_after_a_rebuild),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
