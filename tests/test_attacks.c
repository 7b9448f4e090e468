/* test_attacks.c - sources that lie. Whatever they offer, the mirror stays
 * what it was, verifies, and goes on from a source that does not (F-76, F-77).
 *
 * That a name leads out of the tree cannot be tried: a source is given names
 * and does not give any.
 *
 * wrap: fsync fdatasync
 */
#include "t.h"
#include "nosync.h"
#include "stores.h"
#include "files.h"
#include "mirrors.h"

struct scene {
	char *store, *mirror, *fork;
};

/* A store of some versions, a mirror of it, and more in the store. */
static struct scene scene(void **state)
{
	struct scene s = { s_init(state, "store", 0),
			   s_text("%s/mirror", (char *)*state),
			   s_text("%s/fork", (char *)*state) };

	grow_by(s.store, "a", 0, 10);
	assert_done(sync_from(s.mirror, s.store));
	run("cp -a %s %s && mv %s %s.was", s.store, s.fork, s.mirror, s.mirror);
	assert_done(sync_from(s.mirror, s.store));
	run("rm -r %s.was", s.mirror);
	grow_by(s.store, "a", 10, 20);
	return s;
}

static void leave(struct scene *s)
{
	free(s->store);
	free(s->mirror);
	free(s->fork);
}

/* The mirror is what it was. */
static void check_old(const struct scene *sc)
{
	struct pakhus *s = s_open(sc->mirror, 0);

	assert_latest(s, "a", "1.0.9");
	for (unsigned i = 0; i < 10; i++) {
		char version[20];

		snprintf(version, sizeof(version), "1.0.%u", i);
		assert_holds(s, "a", version, i);
	}
	s_verify(s);
	pakhus_close(s);
}

static void check_goes_on(const struct scene *sc)
{
	struct pakhus *s;

	check_old(sc);
	assert_done(sync_from(sc->mirror, sc->store));
	s = s_open(sc->mirror, 0);
	assert_latest(s, "a", "1.0.19");
	s_verify(s);
	pakhus_close(s);
	assert_no_incoming(sc->mirror);
}

static int lie(const struct scene *sc, const char *path, const char *on,
	       enum evil_how how)
{
	struct copier c = copier_of(sc->store);

	c.how = how;
	c.on = on;
	return sync_with(path, &c, (struct pakhus_mirror){ 0 });
}

/* Each kind of file in each kind of way, for a mirror and for a first sync. */
static void no_file_is_believed(void **state)
{
	static const char *const on[] = { "FORMAT", "log/checkpoint",
					  "log/tile/", "objects/" };
	struct scene sc = scene(state);
	char *new = s_text("%s/new", (char *)*state);

	for (enum evil_how how = EVIL_OMIT; how <= EVIL_PARENT; how++)
		for (size_t i = 0; i < T_COUNT(on); i++) {
			int rc;

			/* of which there is one, at the top */
			if (how == EVIL_PARENT && !i)
				continue;
			rc = lie(&sc, new, on[i], how);
			/* what was good of it would be used the next time */
			run("rm -rf %s", new);
			if (i < 2 && how != EVIL_ALTER && how != EVIL_CUT)
				assert_int_equal(rc, PAKHUS_ENOTFOUND);
			else
				assert_int_equal(rc, PAKHUS_ECORRUPT);
			if (i < 1)
				continue;
			rc = lie(&sc, sc.mirror, on[i], how);
			assert_true(rc == PAKHUS_ENOTFOUND ||
				    rc == PAKHUS_ECORRUPT);
			run("rm -rf %s/local/incoming", sc.mirror);
			check_old(&sc);
		}
	check_goes_on(&sc);
	assert_done(sync_from(new, sc.store));
	verify_at(new);
	free(new);
	leave(&sc);
}

static void an_altered_object_is_named_with_its_rule(void **state)
{
	struct scene sc = scene(state);

	assert_status(lie(&sc, sc.mirror, "objects/", EVIL_ALTER),
		      PAKHUS_ECORRUPT);
	assert_non_null(strstr(err.text, ": objects/"));
	assert_non_null(strstr(err.text, ": F-1"));
	check_goes_on(&sc);
	leave(&sc);
}

/* Past the cache all is well: no error. */
static void what_a_cache_damaged_is_asked_for_afresh(void **state)
{
	static const char *const on[] = { "log/tile/", "objects/" };
	struct scene sc = scene(state);

	for (size_t i = 0; i < T_COUNT(on); i++) {
		struct copier c = copier_of(sc.store);
		unsigned n = 20 + 10 * (unsigned)i;

		c.how = EVIL_ALTER;
		c.on = on[i];
		c.is_healed = 1;
		assert_done(sync_with(sc.mirror, &c,
				      (struct pakhus_mirror){ 0 }));
		assert_true(c.fresh > 1);
		assert_int_equal(mirrored.tries, 1);
		verify_at(sc.mirror);
		grow_by(sc.store, "a", n, n + 10);
	}
	leave(&sc);
}

static void a_rollback_is_refused(void **state)
{
	struct scene sc = scene(state);
	char *old = s_text("%s/old", (char *)*state);

	run("cp -a %s %s", sc.store, old);
	grow_by(sc.store, "a", 20, 30);
	assert_done(sync_from(sc.mirror, sc.store));
	assert_status(sync_from(sc.mirror, old), PAKHUS_ECORRUPT);
	assert_non_null(strstr(err.text, "F-76 rolled back"));
	assert_non_null(strstr(err.text, "21 entries, and 31"));
	verify_at(sc.mirror);
	free(old);
	leave(&sc);
}

/* Two histories from one beginning, both well signed. */
static void a_fork_is_refused(void **state)
{
	struct scene sc = scene(state);

	assert_done(pakhus_adopt_here(sc.fork, &err));
	/* as long as the mirror, and longer */
	grow_by(sc.fork, "b", 0, 5);
	assert_done(sync_from(sc.mirror, sc.store));
	assert_status(sync_from(sc.mirror, sc.fork), PAKHUS_ECORRUPT);
	assert_non_null(strstr(err.text, "rolled back"));
	grow_by(sc.fork, "b", 5, 10);
	assert_status(sync_from(sc.mirror, sc.fork), PAKHUS_ECORRUPT);
	assert_non_null(strstr(err.text, "F-76 another history"));
	grow_by(sc.fork, "b", 10, 20);
	assert_status(sync_from(sc.mirror, sc.fork), PAKHUS_ECORRUPT);
	assert_non_null(strstr(err.text, "F-76 is not the one"));
	grow_by(sc.fork, "b", 20, 400);
	assert_status(sync_from(sc.mirror, sc.fork), PAKHUS_ECORRUPT);
	assert_non_null(strstr(err.text, "F-76"));
	verify_at(sc.mirror);
	grow_by(sc.store, "a", 20, 300);
	assert_done(sync_from(sc.mirror, sc.store));
	grow_by(sc.fork, "b", 400, 600);
	/* the bundle that both would add to differs beyond what is held */
	assert_status(sync_from(sc.mirror, sc.fork), PAKHUS_ECORRUPT);
	assert_non_null(strstr(err.text, "F-76"));
	verify_at(sc.mirror);
	leave(&sc);
}

/* The checkpoint of one with the log, or the objects, of the other. */
static void files_of_two_histories_do_not_mix(void **state)
{
	struct scene sc = scene(state);
	char *mix = s_text("%s/mix", (char *)*state);

	assert_done(pakhus_adopt_here(sc.fork, &err));
	grow_by(sc.fork, "b", 0, 10);
	run("cp -a %s %s && rm -r %s/log/tile && cp -a %s/log/tile %s/log/",
	    sc.store, mix, mix, sc.fork, mix);
	assert_status(sync_from(sc.mirror, mix), PAKHUS_ECORRUPT);
	assert_non_null(strstr(err.text, "F-76"));
	check_old(&sc);
	run("rm -r %s && cp -a %s %s && rm -r %s/objects && "
	    "cp -a %s/objects %s/", mix, sc.store, mix, mix, sc.fork, mix);
	assert_status(sync_from(sc.mirror, mix), PAKHUS_ECORRUPT);
	assert_non_null(strstr(err.text, "F-78"));
	/* one object in another's place */
	run("cd %s/objects && rm -r * && cp -a %s/objects/* . && "
	    "set $(cd %s/objects && find . -type f | sort) && "
	    "for i; do test -e %s/objects/$i || { "
	    "chmod +w $i; cp %s/objects/$1 $i; }; done",
	    mix, sc.store, sc.store, sc.mirror, sc.store);
	assert_status(sync_from(sc.mirror, mix), PAKHUS_ECORRUPT);
	assert_non_null(strstr(err.text, "F-14"));
	check_goes_on(&sc);
	free(mix);
	leave(&sc);
}

static void a_source_that_stands_still_is_too_old_some_day(void **state)
{
	struct scene sc = scene(state);
	struct copier c = copier_of(sc.store);

	usleep(2000);
	assert_status(sync_with(sc.mirror, &c,
				(struct pakhus_mirror){ .max_age_us = 1 }),
		      PAKHUS_ECORRUPT);
	assert_non_null(strstr(err.text, "seconds old"));
	check_old(&sc);
	assert_done(sync_with(sc.mirror, &c,
			      (struct pakhus_mirror){ .max_age_us =
							      UINT64_C(3600) *
							      1000000 }));
	assert_true(mirrored.time_us > 0);
	/* also where nothing changed */
	assert_status(sync_with(sc.mirror, &c,
				(struct pakhus_mirror){ .max_age_us = 1 }),
		      PAKHUS_ECORRUPT);
	leave(&sc);
}

static void a_log_of_another_key_is_refused(void **state)
{
	struct scene sc = scene(state);
	char *new = s_text("%s/new", (char *)*state);
	char *other = s_init(state, "other", 0);
	struct copier c = copier_of(sc.store);
	struct pakhus_stat right, wrong;
	struct pakhus *s = s_open(sc.store, 0);

	assert_done(pakhus_stat(s, 0, &right, &err));
	pakhus_close(s);
	s = s_open(other, 0);
	assert_done(pakhus_stat(s, 0, &wrong, &err));
	pakhus_close(s);
	assert_status(sync_with(new, &c,
				(struct pakhus_mirror){ .key = wrong.key }),
		      PAKHUS_ECORRUPT);
	assert_non_null(strstr(err.text, "F-76"));
	assert_status(sync_with(sc.mirror, &c,
				(struct pakhus_mirror){ .key = wrong.key }),
		      PAKHUS_ECORRUPT);
	assert_status(sync_with(new, &c,
				(struct pakhus_mirror){ .key = "no key" }),
		      PAKHUS_EINVAL);
	notices = 0;
	assert_done(sync_with(new, &c,
			      (struct pakhus_mirror){ .key = right.key }));
	assert_int_equal(notices, 0);
	assert_done(sync_with(sc.mirror, &c,
			      (struct pakhus_mirror){ .key = right.key }));
	verify_at(new);
	free(new);
	free(other);
	leave(&sc);
}

/* A store made anew under the same name, with a key of its own. */
static void a_store_made_anew_under_the_same_name_is_refused(void **state)
{
	struct pakhus_init_options opt = { .origin = "example.org/one" };
	char *a = s_text("%s/a", (char *)*state);
	char *b = s_text("%s/b", (char *)*state);
	char *m = s_text("%s/m", (char *)*state);

	assert_done(pakhus_init(a, &opt, &err));
	assert_done(pakhus_init(b, &opt, &err));
	grow_by(a, "a", 0, 3);
	grow_by(b, "a", 0, 5);
	assert_done(sync_from(m, a));
	assert_status(sync_from(m, b), PAKHUS_ECORRUPT);
	assert_non_null(strstr(err.text, "F-76 it is not signed by the key"));
	verify_at(m);
	free(a);
	free(b);
	free(m);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		T_IN_DIR(no_file_is_believed),
		T_IN_DIR(an_altered_object_is_named_with_its_rule),
		T_IN_DIR(what_a_cache_damaged_is_asked_for_afresh),
		T_IN_DIR(a_rollback_is_refused),
		T_IN_DIR(a_fork_is_refused),
		T_IN_DIR(files_of_two_histories_do_not_mix),
		T_IN_DIR(a_source_that_stands_still_is_too_old_some_day),
		T_IN_DIR(a_log_of_another_key_is_refused),
		T_IN_DIR(a_store_made_anew_under_the_same_name_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
