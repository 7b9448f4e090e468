/* test_follow.c - a mirror goes on when the log got another key, and believes
 * no other (F-67 to F-69).
 */
#include "t.h"
#include "stores.h"
#include "files.h"
#include "mirrors.h"

static void rotate(const char *path)
{
	struct pakhus *s = s_open(path, 0);

	assert_done(pakhus_rotate(s, NULL, NULL, NULL, &err));
	pakhus_close(s);
}

static char *key_of(const char *path)
{
	struct pakhus *s = s_open(path, 0);
	struct pakhus_stat st;

	assert_done(pakhus_stat(s, 0, &st, &err));
	pakhus_close(s);
	return strdup(st.key);
}

static void a_mirror_goes_on_with_the_next_key(void **state)
{
	char *store = s_init(state, "store", 0), *a, *b;
	char *mirror = s_text("%s/mirror", (char *)*state);
	struct copier c = copier_of(store);

	grow_by(store, "a", 0, 3);
	assert_done(sync_from(mirror, store));
	a = key_of(mirror);
	for (unsigned i = 0; i < 3; i++) {
		rotate(store);
		assert_done(sync_from(mirror, store));
		assert_true(mirrored.is_changed);
		verify_at(mirror);
		grow_by(store, "b", 10 * i, 10 * i + 2);
	}
	/* several at once */
	rotate(store);
	rotate(store);
	assert_done(sync_from(mirror, store));
	assert_int_equal(mirrored.tries, 1);
	verify_at(mirror);
	assert_same_tree(store, mirror);
	b = key_of(mirror);
	assert_string_not_equal(a, b);
	/* any of the log's keys may be given now */
	assert_done(sync_with(mirror, &c, (struct pakhus_mirror){ .key = a }));
	assert_done(sync_with(mirror, &c, (struct pakhus_mirror){ .key = b }));
	free(a);
	free(b);
	free(mirror);
	free(store);
}

static void a_first_sync_may_trust_any_key_that_leads_on(void **state)
{
	char *store = s_init(state, "store", 0), *key[4], *alien, *other;
	struct copier c = copier_of(store);

	grow_by(store, "a", 0, 3);
	for (unsigned i = 0; i < 3; i++) {
		key[i] = key_of(store);
		rotate(store);
	}
	grow_by(store, "a", 3, 6);
	key[3] = key_of(store);
	for (unsigned i = 0; i <= 4; i++) {
		char *mirror = s_text("%s/m%u", (char *)*state, i);

		assert_done(sync_with(mirror, &c, (struct pakhus_mirror){
			.key = i < 4 ? key[i] : NULL }));
		assert_same_tree(store, mirror);
		verify_at(mirror);
		free(mirror);
	}
	other = s_init(state, "other", 0);
	alien = key_of(other);
	free(other);
	other = s_text("%s/m9", (char *)*state);
	assert_status(sync_with(other, &c,
				(struct pakhus_mirror){ .key = alien }),
		      PAKHUS_ECORRUPT);
	free(other);
	other = s_text("%s/m0", (char *)*state);
	assert_status(sync_with(other, &c,
				(struct pakhus_mirror){ .key = alien }),
		      PAKHUS_ECORRUPT);
	verify_at(other);
	for (int i = 0; i < 4; i++)
		free(key[i]);
	free(alien);
	free(other);
	free(store);
}

/* Whatever becomes of the notes on their way. */
static void a_note_that_is_not_right_stops_the_sync(void **state)
{
	static const enum evil_how how[] = { EVIL_OMIT, EVIL_ALTER, EVIL_CUT,
					     EVIL_ENDLESS, EVIL_LINK,
					     EVIL_TWICE, EVIL_DIR };
	char *store = s_init(state, "store", 0), *key;
	char *mirror = s_text("%s/mirror", (char *)*state);
	char *fresh = s_text("%s/fresh", (char *)*state);

	grow_by(store, "a", 0, 3);
	assert_done(sync_from(mirror, store));
	key = key_of(mirror);
	rotate(store);
	grow_by(store, "a", 3, 5);
	for (size_t i = 0; i < T_COUNT(how); i++) {
		struct copier c = copier_of(store);

		c.how = how[i];
		c.on = "keys/";
		assert_status(sync_with(mirror, &c,
					(struct pakhus_mirror){ .key = NULL }),
			      PAKHUS_ECORRUPT);
		verify_at(mirror);
		assert_status(sync_with(fresh, &c,
					(struct pakhus_mirror){ .key = key }),
			      PAKHUS_ECORRUPT);
		assert_status(sync_with(fresh, &c,
					(struct pakhus_mirror){ .key = NULL }),
			      PAKHUS_ECORRUPT);
		run("test ! -e %s/FORMAT && rm -rf %s", fresh, fresh);
	}
	assert_done(sync_from(mirror, store));
	assert_same_tree(store, mirror);
	verify_at(mirror);
	free(key);
	free(fresh);
	free(mirror);
	free(store);
}

/* A source that breaks off at any file of a sync with a rotation. */
static void a_rotation_is_brought_in_full_or_not_at_all(void **state)
{
	char *store = s_init(state, "store", 0);
	char *mirror = s_text("%s/mirror", (char *)*state);
	char *kept = s_text("%s/kept", (char *)*state);
	long n = 0;
	int rc;

	grow_by(store, "a", 0, 3);
	assert_done(sync_from(mirror, store));
	run("cp -a %s %s", mirror, kept);
	rotate(store);
	grow_by(store, "a", 3, 5);
	rotate(store);
	do {
		struct copier c = copier_of(store);

		run("rm -rf %s && cp -a %s %s", mirror, kept, mirror);
		c.fail_at = ++n;
		rc = sync_with(mirror, &c,
			       (struct pakhus_mirror){ .key = NULL });
		assert_true(!rc || rc == PAKHUS_ENETWORK);
		verify_at(mirror);
		assert_done(sync_from(mirror, store));
		assert_same_tree(store, mirror);
		verify_at(mirror);
	} while (rc);
	assert_true(n > 5);
	free(kept);
	free(mirror);
	free(store);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		T_IN_DIR(a_mirror_goes_on_with_the_next_key),
		T_IN_DIR(a_first_sync_may_trust_any_key_that_leads_on),
		T_IN_DIR(a_note_that_is_not_right_stops_the_sync),
		T_IN_DIR(a_rotation_is_brought_in_full_or_not_at_all),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
