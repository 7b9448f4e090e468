/* test_mirror.c - a mirror is what the store is, and costs what changed
 * (F-75, F-78, F-79).
 *
 * wrap: fsync fdatasync
 */
#include "t.h"
#include "nosync.h"
#include "stores.h"
#include "files.h"
#include "mirrors.h"

struct pair {
	char *store, *mirror;
};

static struct pair pair(void **state)
{
	struct pair p = { s_init(state, "store", 0),
			  s_text("%s/mirror", (char *)*state) };

	return p;
}

static void part(struct pair *p)
{
	free(p->store);
	free(p->mirror);
}

static void a_first_sync_brings_the_store_as_it_is(void **state)
{
	struct pair p = pair(state);
	struct pakhus_stat a, b;
	struct pakhus *s;

	grow_by(p.store, "a", 0, 20);
	notices = 0;
	assert_done(sync_from(p.mirror, p.store));
	assert_true(mirrored.is_new && mirrored.is_changed);
	assert_int_equal(mirrored.before, 0);
	assert_int_equal(mirrored.entries, 21);
	assert_int_equal(mirrored.objects, 20);
	assert_int_equal(mirrored.tries, 1);
	assert_true(mirrored.bytes > 0 && mirrored.time_us > 0);
	/* which key, when none was given */
	assert_int_equal(notices, 1);
	assert_non_null(strstr(notice, "+"));
	assert_same_tree(p.store, p.mirror);
	assert_no_incoming(p.mirror);
	verify_at(p.mirror);
	s = s_open(p.store, 0);
	assert_done(pakhus_stat(s, 0, &a, &err));
	pakhus_close(s);
	s = s_open(p.mirror, 0);
	assert_done(pakhus_stat(s, 0, &b, &err));
	assert_string_equal(a.identity, b.identity);
	assert_string_equal(a.root, b.root);
	assert_string_equal(a.key, b.key);
	assert_int_equal(b.writable, 0);
	assert_non_null(strstr(b.why_not, p.store));
	assert_non_null(strstr(b.why_not, "mirror"));
	for (unsigned i = 0; i < 20; i++) {
		char version[20];

		snprintf(version, sizeof(version), "1.0.%u", i);
		assert_holds(s, "a", version, i);
	}
	assert_status(s_try(s, "a", "2", 1, NULL), PAKHUS_EDENIED);
	pakhus_close(s);
	part(&p);
}

static void where_nothing_changed_only_the_checkpoint_is_read(void **state)
{
	struct pair p = pair(state);
	struct copier c = copier_of(p.store);

	grow_by(p.store, "a", 0, 5);
	assert_done(sync_from(p.mirror, p.store));
	assert_done(sync_with(p.mirror, &c, (struct pakhus_mirror){ 0 }));
	assert_int_equal(c.asked, 1);
	assert_string_equal(c.last, "log/checkpoint");
	assert_int_equal(c.fresh, 1);
	assert_false(mirrored.is_new || mirrored.is_changed);
	assert_int_equal(mirrored.before, 6);
	assert_int_equal(mirrored.entries, 6);
	assert_int_equal(mirrored.objects, 0);
	part(&p);
}

static void a_sync_costs_what_changed(void **state)
{
	struct pair p = pair(state);
	struct copier c = copier_of(p.store);

	grow_by(p.store, "a", 0, 300);
	assert_done(sync_from(p.mirror, p.store));
	grow_by(p.store, "a", 300, 310);
	assert_done(sync_with(p.mirror, &c, (struct pakhus_mirror){ 0 }));
	/* a checkpoint, one bundle, ten objects */
	assert_int_equal(c.asked, 12);
	assert_int_equal(mirrored.objects, 10);
	assert_int_equal(mirrored.before, 301);
	assert_int_equal(mirrored.entries, 311);
	assert_same_tree(p.store, p.mirror);
	verify_at(p.mirror);
	part(&p);
}

/* Over several bundles, full and partial, at every kind of edge. */
static void a_mirror_follows_over_many_bundles(void **state)
{
	static const unsigned at[] = { 1, 100, 255, 256, 257, 511, 512, 700 };
	struct pair p = pair(state);
	unsigned n = 0;

	for (size_t i = 0; i < T_COUNT(at); i++) {
		grow_by(p.store, "a", n, at[i] - 1);
		n = at[i] - 1;
		assert_done(sync_from(p.mirror, p.store));
		assert_int_equal(mirrored.entries, at[i]);
		assert_no_incoming(p.mirror);
		verify_at(p.mirror);
	}
	assert_same_tree(p.store, p.mirror);
	part(&p);
}

static void deletes_and_overwrites_are_followed(void **state)
{
	struct pair p = pair(state);
	struct pakhus *s = s_open(p.store, 0);

	s_publish(s, "a", "1", 1);
	s_publish(s, "a", "2", 2);
	s_publish(s, "b", "1", 3);
	assert_done(pakhus_sync(s, &err));
	assert_done(sync_from(p.mirror, p.store));
	s_publish(s, "a", "2", 20);
	s_delete(s, "b", NULL);
	s_publish(s, "c", "1", 4);
	s_delete(s, "c", "1");
	/* and back again */
	s_publish(s, "a", "2", 2);
	assert_done(pakhus_sync(s, &err));
	pakhus_close(s);
	assert_done(sync_from(p.mirror, p.store));
	s = s_open(p.mirror, 0);
	assert_holds(s, "a", "1", 1);
	assert_holds(s, "a", "2", 2);
	assert_status(pakhus_get(s, "b", "1", NULL, &err), PAKHUS_ENOTFOUND);
	assert_status(pakhus_get(s, "c", "1", NULL, &err), PAKHUS_ENOTFOUND);
	s_verify(s);
	pakhus_close(s);
	part(&p);
}

/* F-33: who lacks the partial bundle takes the full one, and cuts it. */
static void a_partial_bundle_that_is_gone_is_cut_from_the_full_one(
	void **state)
{
	struct pair p = pair(state);
	char *old = s_text("%s/old", p.store);
	struct copier c = copier_of(p.store);

	grow_by(p.store, "a", 0, 99);
	run("cp %s/log/checkpoint %s", p.store, old);
	grow_by(p.store, "a", 99, 300);
	run("rm -r %s/log/tile/entries/000.p && chmod +w %s/log/checkpoint && "
	    "mv %s %s/log/checkpoint", p.store, p.store, old, p.store);
	assert_done(sync_with(p.mirror, &c, (struct pakhus_mirror){ 0 }));
	assert_int_equal(mirrored.entries, 100);
	verify_at(p.mirror);
	free(old);
	part(&p);
}

static void a_mirror_of_a_mirror_is_one(void **state)
{
	struct pair p = pair(state);
	char *far = s_text("%s/far", (char *)*state);

	grow_by(p.store, "a", 0, 30);
	assert_done(sync_from(p.mirror, p.store));
	assert_done(sync_from(far, p.mirror));
	grow_by(p.store, "a", 30, 40);
	assert_done(sync_from(p.mirror, p.store));
	assert_done(sync_from(far, p.mirror));
	assert_same_tree(p.store, far);
	/* and from another source of the same log */
	grow_by(p.store, "a", 40, 50);
	assert_done(sync_from(far, p.store));
	verify_at(far);
	free(far);
	part(&p);
}

/* An object that no live version needs may be gone; one that does not. */
static void what_was_collected_at_the_source_may_be_absent(void **state)
{
	struct pair p = pair(state);
	struct pakhus *s = s_open(p.store, 0);
	struct pakhus_record r = s_publish(s, "gone", "1", 1);

	s_publish(s, "kept", "1", 2);
	s_delete(s, "gone", "1");
	assert_done(pakhus_sync(s, &err));
	pakhus_close(s);
	run("rm %s/objects/%.2s/%s", p.store, r.hash, r.hash + 2);
	assert_done(sync_from(p.mirror, p.store));
	assert_int_equal(mirrored.objects, 1);
	s = s_open(p.mirror, 0);
	assert_holds(s, "kept", "1", 2);
	assert_true(pakhus_get_at(s, r.seq, NULL, &err) < 0);
	pakhus_close(s);
	part(&p);
}

static void a_live_object_that_is_absent_is_asked_for_again(void **state)
{
	struct pair p = pair(state);
	struct copier c = copier_of(p.store);

	grow_by(p.store, "a", 0, 3);
	c.how = EVIL_OMIT;
	c.on = "objects/";
	assert_status(sync_with(p.mirror, &c, (struct pakhus_mirror){ 0 }),
		      PAKHUS_ECORRUPT);
	assert_non_null(strstr(err.text, "F-78"));
	assert_non_null(strstr(err.text, "objects/"));
	/* FORMAT, a bundle, the same checkpoint twice, objects four times */
	assert_int_equal(c.asked, 2 + 2 + 2 * 2 * 3);
	part(&p);
}

/* Two handles of this process and of another see the change. */
static void handles_see_the_old_state_and_then_the_new(void **state)
{
	struct pair p = pair(state);
	struct pakhus *one, *two;
	int go[2], back[2], status;
	char c = 0;
	pid_t pid;

	grow_by(p.store, "a", 0, 3);
	assert_done(sync_from(p.mirror, p.store));
	assert_int_equal(pipe(go), 0);
	assert_int_equal(pipe(back), 0);
	pid = fork();
	assert_true(pid >= 0);
	if (!pid) {
		two = s_open(p.mirror, 0);
		assert_latest(two, "a", "1.0.2");
		assert_int_equal(write(back[1], "", 1), 1);
		if (read(go[0], &c, 1) != 1)
			_exit(3);
		assert_latest(two, "a", "1.0.7");
		assert_holds(two, "a", "1.0.5", 5);
		s_verify(two);
		pakhus_close(two);
		_exit(0);
	}
	assert_int_equal(read(back[0], &c, 1), 1);
	one = s_open(p.mirror, 0);
	assert_latest(one, "a", "1.0.2");
	grow_by(p.store, "a", 3, 8);
	assert_done(sync_from(p.mirror, p.store));
	assert_latest(one, "a", "1.0.7");
	assert_holds(one, "a", "1.0.6", 6);
	s_verify(one);
	assert_int_equal(write(go[1], "", 1), 1);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	pakhus_close(one);
	for (int i = 0; i < 2; i++) {
		close(go[i]);
		close(back[i]);
	}
	part(&p);
}

static void look_meanwhile(struct copier *c, const char *name)
{
	struct pakhus *s = c->arg;

	(void)name;
	assert_latest(s, "a", "1.0.2");
	assert_holds(s, "a", "1.0.1", 1);
}

static void a_sync_shows_nothing_before_its_end(void **state)
{
	struct pair p = pair(state);
	struct copier c = copier_of(p.store);
	struct pakhus *s;

	grow_by(p.store, "a", 0, 3);
	assert_done(sync_from(p.mirror, p.store));
	grow_by(p.store, "a", 3, 12);
	s = s_open(p.mirror, 0);
	c.before = look_meanwhile;
	c.arg = s;
	assert_done(sync_with(p.mirror, &c, (struct pakhus_mirror){ 0 }));
	assert_latest(s, "a", "1.0.11");
	pakhus_close(s);
	part(&p);
}

/* ---- who may ---- */

static void sync_again(struct copier *c, const char *name)
{
	(void)name;
	assert_status(sync_from(c->arg, c->from), PAKHUS_EBUSY);
}

static void one_sync_at_a_time(void **state)
{
	struct pair p = pair(state);
	struct copier c = copier_of(p.store);

	grow_by(p.store, "a", 0, 3);
	c.before = sync_again;
	c.arg = p.mirror;
	assert_done(sync_with(p.mirror, &c, (struct pakhus_mirror){ 0 }));
	grow_by(p.store, "a", 3, 6);
	assert_done(sync_with(p.mirror, &c, (struct pakhus_mirror){ 0 }));
	part(&p);
}

static void what_is_no_mirror_is_left_alone(void **state)
{
	struct pair p = pair(state);
	char *other = s_init(state, "other", 0);

	grow_by(p.store, "a", 0, 3);
	assert_status(sync_from(other, p.store), PAKHUS_ECONFLICT);
	assert_non_null(strstr(err.text, "written"));
	verify_at(other);
	run("mkdir %s && touch %s/precious", p.mirror, p.mirror);
	assert_status(sync_from(p.mirror, p.store), PAKHUS_ECONFLICT);
	assert_non_null(strstr(err.text, "precious"));
	run("rm %s/precious", p.mirror);
	/* an empty directory, with a lost+found at most */
	run("mkdir %s/lost+found", p.mirror);
	assert_done(sync_from(p.mirror, p.store));
	/* a mirror of another store */
	assert_status(sync_from(p.mirror, other), PAKHUS_ECONFLICT);
	verify_at(p.mirror);
	free(other);
	part(&p);
}

static void where_there_is_no_store_nothing_is_left(void **state)
{
	struct pair p = pair(state);
	char *none = s_text("%s/none", (char *)*state);
	struct copier c = copier_of(p.store);
	struct stat st;

	assert_status(sync_from(p.mirror, none), PAKHUS_ENOTFOUND);
	assert_non_null(strstr(err.text, "no store there"));
	assert_int_equal(stat(p.mirror, &st), -1);
	c.fail_at = 1;
	assert_status(sync_with(p.mirror, &c, (struct pakhus_mirror){ 0 }),
		      PAKHUS_ENETWORK);
	assert_string_equal(err.text, "the cable was cut");
	assert_int_equal(stat(p.mirror, &st), -1);
	run("mkdir %s", p.mirror);
	assert_status(sync_from(p.mirror, none), PAKHUS_ENOTFOUND);
	run("rmdir %s", p.mirror);
	free(none);
	part(&p);
}

/* ---- interrupted ---- */

static void a_source_may_break_off_at_any_file(void **state)
{
	struct pair p = pair(state);
	struct pakhus *s;
	long n = 0, bytes = 0;

	grow_by(p.store, "a", 0, 10);
	for (int rc = -1; rc; n++) {
		struct copier c = copier_of(p.store);

		c.fail_at = n + 1;
		rc = sync_with(p.mirror, &c, (struct pakhus_mirror){ 0 });
		assert_true(!rc || rc == PAKHUS_ENETWORK);
		bytes = c.asked;
	}
	/* nothing came twice but FORMAT, and the checkpoint */
	assert_true(bytes <= 3);
	verify_at(p.mirror);
	grow_by(p.store, "a", 10, 20);
	n = 0;
	for (int rc = -1; rc; n++) {
		struct copier c = copier_of(p.store);

		s = s_open(p.mirror, 0);
		assert_latest(s, "a", "1.0.9");
		s_verify(s);
		pakhus_close(s);
		c.fail_at = n + 1;
		rc = sync_with(p.mirror, &c, (struct pakhus_mirror){ 0 });
		assert_true(!rc || rc == PAKHUS_ENETWORK);
	}
	assert_same_tree(p.store, p.mirror);
	verify_at(p.mirror);
	part(&p);
}

static int stop(void *arg, const char *what, uint64_t done, uint64_t total)
{
	int *n = arg;

	(void)what, (void)done, (void)total;
	return !--*n;
}

static void a_sync_can_be_cancelled_anywhere(void **state)
{
	struct pair p = pair(state);
	int at, left;

	grow_by(p.store, "a", 0, 10);
	for (at = 1;; at++) {
		struct copier c = copier_of(p.store);
		int rc;

		left = at;
		rc = sync_with(p.mirror, &c,
			       (struct pakhus_mirror){ .progress = stop,
						       .arg = &left });
		if (!rc)
			break;
		assert_int_equal(rc, PAKHUS_ECANCELED);
	}
	assert_true(at > 5);
	verify_at(p.mirror);
	part(&p);
}

/* By several threads the same comes out. */
static void threads_check_what_one_would(void **state)
{
	struct pair p = pair(state);
	struct copier c = copier_of(p.store);

	grow_by(p.store, "a", 0, 60);
	grow_by(p.store, "b", 0, 60);
	assert_done(sync_with(p.mirror, &c,
			      (struct pakhus_mirror){ .threads = 4 }));
	assert_same_tree(p.store, p.mirror);
	verify_at(p.mirror);
	part(&p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		T_IN_DIR(a_first_sync_brings_the_store_as_it_is),
		T_IN_DIR(where_nothing_changed_only_the_checkpoint_is_read),
		T_IN_DIR(a_sync_costs_what_changed),
		T_IN_DIR(a_mirror_follows_over_many_bundles),
		T_IN_DIR(deletes_and_overwrites_are_followed),
		T_IN_DIR(a_partial_bundle_that_is_gone_is_cut_from_the_full_one),
		T_IN_DIR(a_mirror_of_a_mirror_is_one),
		T_IN_DIR(what_was_collected_at_the_source_may_be_absent),
		T_IN_DIR(a_live_object_that_is_absent_is_asked_for_again),
		T_IN_DIR(handles_see_the_old_state_and_then_the_new),
		T_IN_DIR(a_sync_shows_nothing_before_its_end),
		T_IN_DIR(one_sync_at_a_time),
		T_IN_DIR(what_is_no_mirror_is_left_alone),
		T_IN_DIR(where_there_is_no_store_nothing_is_left),
		T_IN_DIR(a_source_may_break_off_at_any_file),
		T_IN_DIR(a_sync_can_be_cancelled_anywhere),
		T_IN_DIR(threads_check_what_one_would),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
