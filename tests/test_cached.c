/* test_cached.c - what is answered without waiting, and what is not. */
#include "t.h"
#include "stores.h"

static int cached(struct pakhus *s, const char *id, const char *version)
{
	struct pakhus_package *p = NULL, *q = NULL;
	int rc = pakhus_get_cached(s, id, version, &p, &err);

	if (rc) {
		assert_null(p);
		assert_true(*err.text);
		return rc;
	}
	/* it is what a get gives */
	assert_done(pakhus_get(s, id, version, &q, &err));
	assert_string_equal(p->document, q->document);
	assert_memory_equal(&p->record, &q->record, sizeof(p->record));
	pakhus_package_free(p);
	pakhus_package_free(q);
	return 0;
}

static void what_is_decoded_is_answered(void **state)
{
	char *path = s_init(state, "s", 0);
	struct pakhus *s = s_open(path, 0);

	s_publish(s, "a", "1", 1);
	s_publish(s, "a", "2", 2);
	assert_done(pakhus_sync(s, &err));
	pakhus_close(s);
	s = s_open(path, 0);
	assert_status(cached(s, "a", "1"), PAKHUS_EBUSY); /* nobody read it */
	assert_holds(s, "a", "1", 1);
	assert_done(cached(s, "a", "1"));
	assert_holds(s, "a", NULL, 2);
	assert_done(cached(s, "a", "2"));
	assert_done(cached(s, "a", NULL));
	assert_done(cached(s, "a", "latest"));
	pakhus_close(s);
	free(path);
}

static void what_is_not_there_or_not_live_is_left_to_get(void **state)
{
	char *path = s_init(state, "s", 0);
	struct pakhus *s = s_open(path, 0);

	assert_status(cached(s, "a", NULL), PAKHUS_EBUSY);
	assert_status(cached(s, "", ""), PAKHUS_EBUSY);
	s_publish(s, "a", "1", 1);
	assert_holds(s, "a", "1", 1);
	assert_status(cached(s, "a", "3"), PAKHUS_EBUSY);
	assert_done(pakhus_delete(s, "a", "1", NULL, NULL, &err));
	assert_status(cached(s, "a", "1"), PAKHUS_EBUSY);
	assert_status(cached(s, "a", NULL), PAKHUS_EBUSY);
	s_publish(s, "a", "1", 2); /* not what was read before */
	assert_holds(s, "a", "1", 2);
	assert_done(cached(s, "a", "1"));
	pakhus_close(s);
	free(path);
}

static void without_a_cache_nothing_is(void **state)
{
	char *path = s_init(state, "s", 0);
	struct pakhus_options opt = { .cache_size = 1 };
	struct pakhus *s;

	assert_done(pakhus_open(&s, path, &opt, &err));
	s_publish(s, "a", "1", 1);
	assert_holds(s, "a", "1", 1);
	assert_status(cached(s, "a", "1"), PAKHUS_EBUSY);
	pakhus_close(s);
	free(path);
}

static void what_another_handle_published_is_seen(void **state)
{
	char *path = s_init(state, "s", 0);
	struct pakhus *s = s_open(path, 0), *w = s_open(path, 0);

	s_publish(w, "a", "1", 1);
	assert_holds(s, "a", "1", 1);
	assert_done(cached(s, "a", "1"));
	s_publish(w, "a", "1", 2);
	assert_status(cached(s, "a", "1"), PAKHUS_EBUSY); /* not the old one */
	assert_holds(s, "a", "1", 2);
	assert_done(cached(s, "a", "1"));
	pakhus_close(w);
	pakhus_close(s);
	free(path);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		T_IN_DIR(what_is_decoded_is_answered),
		T_IN_DIR(what_is_not_there_or_not_live_is_left_to_get),
		T_IN_DIR(without_a_cache_nothing_is),
		T_IN_DIR(what_another_handle_published_is_seen),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
