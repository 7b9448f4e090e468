/* test_mirror_keys.c - mirrors of a log whose key was rotated (F-67 to F-69,
 * F-76).
 *
 * wrap: fsync fdatasync
 */
#include "t.h"
#include "nosync.h"
#include "stores.h"
#include "files.h"
#include "mirrors.h"

struct scene {
	char *store, *mirror;
	struct pakhus_stat first; /* of the store */
};

static struct pakhus_stat stat_of(const char *path)
{
	struct pakhus *s = s_open(path, 0);
	struct pakhus_stat st;

	assert_done(pakhus_stat(s, 0, &st, &err));
	pakhus_close(s);
	return st;
}

static struct scene scene(void **state)
{
	struct scene s = { .store = s_init(state, "store", 0),
			   .mirror = s_text("%s/mirror", (char *)*state) };

	grow_by(s.store, "a", 0, 5);
	s.first = stat_of(s.store);
	return s;
}

static void leave(struct scene *s)
{
	free(s->store);
	free(s->mirror);
}

static void rotate(const char *path)
{
	struct pakhus *s = s_open(path, 0);

	assert_done(pakhus_rotate(s, NULL, "test", NULL, &err));
	pakhus_close(s);
}

static int sync_key(const struct scene *sc, const char *path, const char *key)
{
	struct copier c = copier_of(sc->store);

	return sync_with(path, &c, (struct pakhus_mirror){ .key = key });
}

static void check(const struct scene *sc, const char *path, const char *latest)
{
	struct pakhus_stat a = stat_of(sc->store), b = stat_of(path);
	struct pakhus *s = s_open(path, 0);

	assert_string_equal(a.key, b.key);
	assert_string_equal(a.root, b.root);
	assert_latest(s, "a", latest);
	s_verify(s);
	pakhus_close(s);
	assert_same_tree(sc->store, path);
	assert_no_incoming(path);
}

static void a_rotation_is_followed(void **state)
{
	struct scene sc = scene(state);
	char *far = s_text("%s/far", (char *)*state);

	assert_done(sync_from(sc.mirror, sc.store));
	rotate(sc.store);
	/* the key entry last, and others behind it */
	assert_done(sync_from(sc.mirror, sc.store));
	check(&sc, sc.mirror, "1.0.4");
	grow_by(sc.store, "a", 5, 8);
	assert_done(sync_from(sc.mirror, sc.store));
	check(&sc, sc.mirror, "1.0.7");
	/* several at once, over bundles, and to a mirror of the mirror */
	assert_done(sync_from(far, sc.mirror));
	for (unsigned i = 0; i < 3; i++) {
		rotate(sc.store);
		grow_by(sc.store, "a", 8 + 200 * i, 8 + 200 * (i + 1));
	}
	assert_done(sync_from(sc.mirror, sc.store));
	check(&sc, sc.mirror, "1.0.607");
	assert_done(sync_from(far, sc.mirror));
	check(&sc, far, "1.0.607");
	free(far);
	leave(&sc);
}

static void a_first_sync_takes_any_key_that_the_log_had(void **state)
{
	struct scene sc = scene(state);
	struct pakhus_stat second, third;
	const char *keys[4];

	rotate(sc.store);
	second = stat_of(sc.store);
	grow_by(sc.store, "a", 5, 8);
	rotate(sc.store);
	third = stat_of(sc.store);
	grow_by(sc.store, "a", 8, 10);
	keys[0] = NULL;
	keys[1] = sc.first.key;
	keys[2] = second.key;
	keys[3] = third.key;
	for (size_t i = 0; i < T_COUNT(keys); i++) {
		assert_done(sync_key(&sc, sc.mirror, keys[i]));
		check(&sc, sc.mirror, "1.0.9");
		/* and with each of them afterwards */
		for (size_t k = 0; k < T_COUNT(keys); k++)
			assert_done(sync_key(&sc, sc.mirror, keys[k]));
		run("rm -rf %s", sc.mirror);
	}
	leave(&sc);
}

static void a_key_that_comes_with_the_sync_may_be_given(void **state)
{
	struct scene sc = scene(state);
	struct pakhus_stat second;
	char *other = s_init(state, "other", 0);
	struct pakhus_stat alien = stat_of(other);

	assert_done(sync_from(sc.mirror, sc.store));
	rotate(sc.store);
	grow_by(sc.store, "a", 5, 8);
	second = stat_of(sc.store);
	assert_status(sync_key(&sc, sc.mirror, alien.key), PAKHUS_ECORRUPT);
	assert_non_null(strstr(err.text, "the key that was given"));
	assert_string_equal(stat_of(sc.mirror).key, sc.first.key);
	assert_done(sync_key(&sc, sc.mirror, second.key));
	check(&sc, sc.mirror, "1.0.7");
	assert_status(sync_key(&sc, sc.mirror, alien.key), PAKHUS_ECORRUPT);
	free(other);
	leave(&sc);
}

static void a_rotation_without_its_note_is_refused(void **state)
{
	static const enum evil_how how[] = { EVIL_OMIT, EVIL_ALTER, EVIL_CUT,
					     EVIL_ENDLESS, EVIL_LINK };
	struct scene sc = scene(state);
	char *new = s_text("%s/new", (char *)*state);

	assert_done(sync_from(sc.mirror, sc.store));
	rotate(sc.store);
	grow_by(sc.store, "a", 5, 8);
	for (size_t i = 0; i < T_COUNT(how); i++) {
		struct copier c = copier_of(sc.store);

		c.how = how[i];
		c.on = "keys/";
		assert_status(sync_with(sc.mirror, &c,
					(struct pakhus_mirror){ 0 }),
			      PAKHUS_ECORRUPT);
		verify_at(sc.mirror);
		assert_status(sync_with(new, &c, (struct pakhus_mirror){ 0 }),
			      PAKHUS_ECORRUPT);
		run("rm -rf %s %s/local/incoming", new, sc.mirror);
	}
	assert_string_equal(stat_of(sc.mirror).key, sc.first.key);
	assert_done(sync_from(sc.mirror, sc.store));
	check(&sc, sc.mirror, "1.0.7");
	free(new);
	leave(&sc);
}

/* Who stole the private key before it was rotated has a history of his own;
 * a mirror that is past the rotation is not led into it. */
static void the_key_before_signs_nothing_any_more(void **state)
{
	struct scene sc = scene(state);
	char *fork = s_text("%s/fork", (char *)*state);

	run("cp -a %s %s", sc.store, fork);
	assert_done(pakhus_adopt_here(fork, &err));
	rotate(sc.store);
	assert_done(sync_from(sc.mirror, sc.store));
	grow_by(fork, "b", 0, 20);
	assert_status(sync_from(sc.mirror, fork), PAKHUS_ECORRUPT);
	assert_non_null(strstr(err.text, "F-76"));
	/* with a rotation of its own */
	rotate(fork);
	grow_by(fork, "b", 20, 25);
	assert_status(sync_from(sc.mirror, fork), PAKHUS_ECORRUPT);
	assert_done(sync_from(sc.mirror, sc.store));
	check(&sc, sc.mirror, "1.0.4");
	free(fork);
	leave(&sc);
}

/* Of a rotation in another history of the same log. */
static void the_note_of_another_rotation_is_refused(void **state)
{
	struct scene sc = scene(state);
	char *fork = s_text("%s/fork", (char *)*state);
	char *mix = s_text("%s/mix", (char *)*state);

	assert_done(sync_from(sc.mirror, sc.store));
	run("cp -a %s %s", sc.store, fork);
	assert_done(pakhus_adopt_here(fork, &err));
	rotate(sc.store);
	rotate(fork);
	run("cp -a %s %s && chmod -R +w %s/keys && "
	    "cp -f %s/keys/*.next %s/keys/", sc.store, mix, mix, fork, mix);
	assert_status(sync_from(sc.mirror, mix), PAKHUS_ECORRUPT);
	assert_string_equal(stat_of(sc.mirror).key, sc.first.key);
	assert_done(sync_from(sc.mirror, sc.store));
	check(&sc, sc.mirror, "1.0.4");
	free(fork);
	free(mix);
	leave(&sc);
}

/* A handle that was open before knows the new key when it meets it. */
static void an_open_handle_reads_on_behind_a_rotation(void **state)
{
	struct scene sc = scene(state);
	struct pakhus *s;

	assert_done(sync_from(sc.mirror, sc.store));
	s = s_open(sc.mirror, 0);
	rotate(sc.store);
	grow_by(sc.store, "a", 5, 8);
	assert_done(sync_from(sc.mirror, sc.store));
	assert_latest(s, "a", "1.0.7");
	s_verify(s);
	pakhus_close(s);
	leave(&sc);
}

/* Of the same tree, signed later: F-76 takes it, F-37 has its time. */
static void a_checkpoint_signed_anew_is_taken(void **state)
{
	struct scene sc = scene(state);
	struct copier c = copier_of(sc.store);
	struct pakhus *s;
	char *text;
	size_t size;
	uint64_t before;

	assert_done(sync_from(sc.mirror, sc.store));
	before = mirrored.time_us;
	usleep(1000);
	s = s_open(sc.store, 0);
	assert_done(pakhus_checkpoint(s, 1, &text, &size, &err));
	pakhus_free(text);
	pakhus_close(s);
	assert_done(sync_with(sc.mirror, &c, (struct pakhus_mirror){ 0 }));
	assert_int_equal(c.asked, 1);
	assert_true(mirrored.is_changed);
	assert_true(mirrored.time_us > before);
	assert_int_equal(mirrored.entries, mirrored.before);
	check(&sc, sc.mirror, "1.0.4");
	leave(&sc);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		T_IN_DIR(a_rotation_is_followed),
		T_IN_DIR(a_first_sync_takes_any_key_that_the_log_had),
		T_IN_DIR(a_key_that_comes_with_the_sync_may_be_given),
		T_IN_DIR(a_rotation_without_its_note_is_refused),
		T_IN_DIR(the_key_before_signs_nothing_any_more),
		T_IN_DIR(the_note_of_another_rotation_is_refused),
		T_IN_DIR(an_open_handle_reads_on_behind_a_rotation),
		T_IN_DIR(a_checkpoint_signed_anew_is_taken),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
