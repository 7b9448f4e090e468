/* test_regain.c - a store that came back from an old backup takes from its
 * mirror what it lacks, and there is one history (F-76).
 *
 * wrap: fsync fdatasync
 */
#include "t.h"
#include "nosync.h"
#include "stores.h"
#include "files.h"
#include "mirrors.h"

struct scene {
	char *store, *mirror, *backup;
};

static struct scene scene(void **state)
{
	struct scene s = { s_init(state, "store", 0),
			   s_text("%s/mirror", (char *)*state),
			   s_text("%s/backup", (char *)*state) };

	return s;
}

static void leave(struct scene *s)
{
	free(s->store);
	free(s->mirror);
	free(s->backup);
}

static void back_up(const struct scene *s)
{
	run("cp -a %s %s", s->store, s->backup);
}

static void restore(const struct scene *s)
{
	run("rm -rf %s && cp -a %s %s", s->store, s->backup, s->store);
}

static int adopt(const struct scene *sc, struct copier *c,
		 struct pakhus_mirror m)
{
	int rc;

	*c = copier_of(sc->mirror);
	c->source = (struct pakhus_source){ copier_fetch, c, c->from };
	m.notice = s_notice;
	rc = pakhus_adopt_from(sc->store, &c->source, &m, &err);
	mirrored = m;
	return rc;
}

static int adopt_it(const struct scene *sc)
{
	struct copier c;

	return adopt(sc, &c, (struct pakhus_mirror){ 0 });
}

/* The store is whole, has the versions below n, is written, and the mirror
 * follows it. */
static void check_goes_on(const struct scene *sc, unsigned n)
{
	struct pakhus *s = s_open(sc->store, 0);

	for (unsigned i = 0; i < n; i++) {
		char version[20];

		snprintf(version, sizeof(version), "1.0.%u", i);
		assert_holds(s, "a", version, i);
	}
	s_verify(s);
	s_publish(s, "b", "1", 1);
	assert_done(pakhus_sync(s, &err));
	s_verify(s);
	pakhus_close(s);
	assert_done(sync_from(sc->mirror, sc->store));
	s = s_open(sc->mirror, 0);
	assert_holds(s, "b", "1", 1);
	s_verify(s);
	pakhus_close(s);
	/* what was refused may have left an object */
	assert_same_tree(sc->mirror, sc->store);
}

static void a_restored_backup_gets_what_the_mirror_has(void **state)
{
	struct scene sc = scene(state);
	struct pakhus *s;

	grow_by(sc.store, "a", 0, 10);
	back_up(&sc);
	grow_by(sc.store, "a", 10, 300);
	assert_done(sync_from(sc.mirror, sc.store));
	restore(&sc);
	s = s_open(sc.store, 0);
	assert_status(s_try(s, "a", "2", 1, NULL), PAKHUS_EDENIED);
	pakhus_close(s);
	assert_done(adopt_it(&sc));
	assert_int_equal(mirrored.before, 11);
	assert_int_equal(mirrored.entries, 301);
	assert_int_equal(mirrored.objects, 290);
	assert_true(mirrored.is_changed && !mirrored.is_new);
	assert_no_incoming(sc.store);
	assert_same_tree(sc.mirror, sc.store);
	check_goes_on(&sc, 300);
	leave(&sc);
}

/* The log was put back, and what was signed says so. */
static void a_log_that_was_rolled_back_is_made_good(void **state)
{
	struct scene sc = scene(state);
	struct pakhus *s;

	grow_by(sc.store, "a", 0, 10);
	run("cp -a %s/log %s", sc.store, sc.backup);
	grow_by(sc.store, "a", 10, 20);
	assert_done(sync_from(sc.mirror, sc.store));
	run("rm -r %s/log %s/local/index* && cp -a %s %s/log", sc.store,
	    sc.store, sc.backup, sc.store);
	/* the journal's records are of entries that the log lacks */
	run("for i in 0 1; do : >%s/local/slot-$i; done; rm %s/local/page",
	    sc.store, sc.store);
	s = s_open(sc.store, 0);
	s_publish(s, "c", "1", 1);
	assert_status(pakhus_sync(s, &err), PAKHUS_EDENIED);
	assert_non_null(strstr(err.text, "rolled back"));
	pakhus_close(s);
	/* what was published to it since is not what the mirror has there */
	assert_status(adopt_it(&sc), PAKHUS_ECORRUPT);
	assert_non_null(strstr(err.text, "1 are not those of"));
	assert_non_null(strstr(err.text, "from 11 to 11"));
	run("for i in 0 1; do : >%s/local/slot-$i; done; rm %s/local/page "
	    "%s/local/index-state", sc.store, sc.store, sc.store);
	assert_done(adopt_it(&sc));
	check_goes_on(&sc, 20);
	leave(&sc);
}

static int publish_and_die(void *arg)
{
	struct pakhus *s = s_open(arg, 0);

	for (unsigned i = 10; i < 15; i++) {
		char version[20];

		snprintf(version, sizeof(version), "1.0.%u", i);
		s_publish(s, "a", version, i);
	}
	_exit(0);
}

/* A backup with a journal: the mirror has the same by now, and more. */
static void what_waits_and_is_in_the_mirror_is_dropped(void **state)
{
	struct scene sc = scene(state);

	grow_by(sc.store, "a", 0, 10);
	assert_int_equal(s_in_child(publish_and_die, sc.store), 0);
	back_up(&sc);
	grow_by(sc.store, "a", 15, 20);
	assert_done(sync_from(sc.mirror, sc.store));
	restore(&sc);
	assert_done(adopt_it(&sc));
	check_goes_on(&sc, 20);
	leave(&sc);
}

/* The mirror has less than waits here: the rest goes on behind it. */
static void what_waits_behind_what_the_mirror_has_stays(void **state)
{
	struct scene sc = scene(state);

	grow_by(sc.store, "a", 0, 10);
	assert_done(sync_from(sc.mirror, sc.store));
	assert_int_equal(s_in_child(publish_and_die, sc.store), 0);
	back_up(&sc);
	restore(&sc);
	assert_done(adopt_it(&sc));
	assert_false(mirrored.is_changed);
	check_goes_on(&sc, 15);
	leave(&sc);
}

static void a_mirror_that_is_behind_gives_nothing(void **state)
{
	struct scene sc = scene(state);

	grow_by(sc.store, "a", 0, 5);
	assert_done(sync_from(sc.mirror, sc.store));
	grow_by(sc.store, "a", 5, 10);
	back_up(&sc);
	restore(&sc);
	*notice = 0;
	assert_done(adopt_it(&sc));
	assert_null(strstr(notice, "signed here"));
	assert_int_equal(mirrored.entries, 11);
	assert_int_equal(mirrored.objects, 0);
	check_goes_on(&sc, 10);
	leave(&sc);
}

/* It was signed, and is nowhere: said, as it cannot be had back. */
static void what_is_lost_is_said(void **state)
{
	struct scene sc = scene(state);

	grow_by(sc.store, "a", 0, 5);
	assert_done(sync_from(sc.mirror, sc.store));
	back_up(&sc);
	grow_by(sc.store, "a", 5, 10);
	run("cp %s/local/last-signed %s/local/", sc.store, sc.backup);
	restore(&sc);
	assert_done(adopt_it(&sc));
	assert_non_null(strstr(notice, "entries 6 to 10 were signed here"));
	check_goes_on(&sc, 5);
	leave(&sc);
}

static void two_histories_are_refused(void **state)
{
	struct scene sc = scene(state);
	struct pakhus *s;

	grow_by(sc.store, "a", 0, 5);
	back_up(&sc);
	grow_by(sc.store, "a", 5, 10);
	assert_done(sync_from(sc.mirror, sc.store));
	restore(&sc);
	assert_done(pakhus_adopt_here(sc.store, &err));
	/* shorter, as long, and longer than the mirror */
	for (unsigned n = 0; n < 3; n++) {
		grow_by(sc.store, "b", 4 * n, 4 * n + (n == 1 ? 1 : 4));
		assert_status(adopt_it(&sc), PAKHUS_ECORRUPT);
		assert_non_null(strstr(err.text, "F-76"));
		s = s_open(sc.store, 0);
		assert_latest(s, "a", "1.0.4");
		s_verify(s);
		pakhus_close(s);
	}
	leave(&sc);
}

static void who_may_not_adopt_is_told_why(void **state)
{
	struct scene sc = scene(state);
	char *other = s_init(state, "other", 0);
	struct pakhus *s;
	struct copier c;

	grow_by(sc.store, "a", 0, 5);
	assert_done(sync_from(sc.mirror, sc.store));
	s = s_open(sc.store, 0);
	assert_status(adopt_it(&sc), PAKHUS_EBUSY);
	/* and goes on */
	s_publish(s, "b", "0", 1);
	pakhus_close(s);
	run("mv %s/local/key %s", sc.store, sc.backup);
	assert_status(adopt_it(&sc), PAKHUS_EDENIED);
	run("mv %s %s/local/key", sc.backup, sc.store);
	assert_status(adopt(&sc, &c, (struct pakhus_mirror){ .key = "x" }),
		      PAKHUS_EINVAL);
	run("rm -rf %s && cp -a %s %s", sc.mirror, other, sc.mirror);
	assert_status(adopt_it(&sc), PAKHUS_ECONFLICT);
	run("rm -rf %s", sc.mirror);
	assert_status(adopt_it(&sc), PAKHUS_ENOTFOUND);
	assert_done(sync_from(sc.mirror, sc.store));
	assert_done(adopt_it(&sc));
	check_goes_on(&sc, 5);
	free(other);
	leave(&sc);
}

static void a_source_may_break_off_at_any_file(void **state)
{
	struct scene sc = scene(state);
	long n;

	grow_by(sc.store, "a", 0, 3);
	back_up(&sc);
	grow_by(sc.store, "a", 3, 8);
	assert_done(sync_from(sc.mirror, sc.store));
	restore(&sc);
	for (n = 1;; n++) {
		struct copier c = copier_of(sc.mirror);
		struct pakhus_mirror m = { .key = NULL };
		struct pakhus *s;

		c.fail_at = n;
		c.source = (struct pakhus_source){ copier_fetch, &c, c.from };
		if (!pakhus_adopt_from(sc.store, &c.source, &m, &err))
			break;
		assert_int_equal(err.status, PAKHUS_ENETWORK);
		s = s_open(sc.store, 0);
		assert_latest(s, "a", "1.0.2");
		assert_status(s_try(s, "a", "2", 1, NULL), PAKHUS_EDENIED);
		s_verify(s);
		pakhus_close(s);
	}
	assert_true(n > 3);
	check_goes_on(&sc, 8);
	leave(&sc);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		T_IN_DIR(a_restored_backup_gets_what_the_mirror_has),
		T_IN_DIR(a_log_that_was_rolled_back_is_made_good),
		T_IN_DIR(what_waits_and_is_in_the_mirror_is_dropped),
		T_IN_DIR(what_waits_behind_what_the_mirror_has_stays),
		T_IN_DIR(a_mirror_that_is_behind_gives_nothing),
		T_IN_DIR(what_is_lost_is_said),
		T_IN_DIR(two_histories_are_refused),
		T_IN_DIR(who_may_not_adopt_is_told_why),
		T_IN_DIR(a_source_may_break_off_at_any_file),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
