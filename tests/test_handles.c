/* test_handles.c - several handles, threads and processes on one store.
 *
 * wrap: fsync fdatasync
 */
#include "t.h"
#include "stores.h"
#include "nosync.h"

#include <pthread.h>

static void a_readonly_handle_reads_and_does_not_write(void **state)
{
	char *path = s_init(state, "r", 0);
	struct pakhus *w = s_open(path, 0), *r = s_open(path, PAKHUS_READONLY);
	struct pakhus_batch *b;
	struct pakhus_stat st;

	s_publish(w, "a", "1", 1);
	assert_holds(r, "a", NULL, 1);
	assert_status(s_try(r, "a", "2", 1, NULL), PAKHUS_EDENIED);
	assert_status(pakhus_delete(r, "a", NULL, NULL, NULL, &err),
		      PAKHUS_EDENIED);
	assert_status(pakhus_batch_new(r, NULL, &b, &err), PAKHUS_EDENIED);
	assert_status(pakhus_sync(r, &err), PAKHUS_EDENIED);
	assert_done(pakhus_stat(r, PAKHUS_STAT_OBJECTS, &st, &err));
	assert_int_equal(st.writable, 0);
	assert_true(*st.why_not);
	pakhus_close(w);
	s_verify(r);
	pakhus_close(r);
	r = s_open(path, PAKHUS_READONLY); /* and when it is the first */
	assert_holds(r, "a", NULL, 1);
	w = s_open(path, 0);
	s_publish(w, "a", "2", 2);
	assert_latest(r, "a", "2");
	pakhus_close(r);
	pakhus_close(w);
	free(path);
}

static int every_call_refuses(void *arg)
{
	struct pakhus *s = arg;
	struct pakhus_package *p;
	struct pakhus_list *l;
	struct pakhus_versions *v;
	struct pakhus_history *h;
	struct pakhus_stat st;
	struct pakhus_verify check = { .flags = 0 };
	struct pakhus_range all = { 0, 0 };
	struct pakhus_batch *b;
	char *text;
	size_t size;
	int bad = 0;

	bad += pakhus_get(s, "a", NULL, &p, &err) != PAKHUS_EINVAL;
	bad += !strstr(err.text, "fork");
	bad += pakhus_get_cached(s, "a", NULL, &p, &err) != PAKHUS_EINVAL;
	bad += pakhus_get_at(s, 1, &p, &err) != PAKHUS_EINVAL;
	bad += pakhus_read(s, "00", &text, &size, &err) != PAKHUS_EINVAL;
	bad += pakhus_list(s, all, 0, &l, &err) != PAKHUS_EINVAL;
	bad += pakhus_versions(s, "a", all, &v, &err) != PAKHUS_EINVAL;
	bad += pakhus_history(s, "a", all, &h, &err) != PAKHUS_EINVAL;
	bad += pakhus_stat(s, PAKHUS_STAT_OBJECTS, &st, &err) != PAKHUS_EINVAL;
	bad += pakhus_verify(s, &check, &err) != PAKHUS_EINVAL;
	bad += pakhus_sync(s, &err) != PAKHUS_EINVAL;
	bad += pakhus_batch_new(s, NULL, &b, &err) != PAKHUS_EINVAL;
	bad += pakhus_delete(s, "a", NULL, NULL, NULL, &err) != PAKHUS_EINVAL;
	bad += s_try(s, "a", "2", 2, NULL) != PAKHUS_EINVAL;
	pakhus_close(s); /* frees what is the child's own */
	return bad;
}

static int child_opens_its_own(void *arg)
{
	struct pakhus *s;

	if (pakhus_open(&s, arg, NULL, &err))
		return 1;
	if (s_try(s, "a", "3", 3, NULL))
		return 2;
	pakhus_close(s);
	return 0;
}

static void after_fork_the_child_is_told(void **state)
{
	char *path = s_init(state, "f", 0);
	struct pakhus *s = s_open(path, 0);

	s_publish(s, "a", "1", 1);
	assert_int_equal(s_in_child(every_call_refuses, s), 0);
	assert_int_equal(s_in_child(child_opens_its_own, path), 0);
	assert_latest(s, "a", "3");
	s_publish(s, "a", "4", 4);
	pakhus_close(s);
	free(path);
}

static void handles_of_one_process_share_what_they_see(void **state)
{
	char *path = s_init(state, "m", 0), *other;
	struct pakhus *s[5];

	other = s_text("%s/../m/.", path);
	for (int i = 0; i < 5; i++)
		s[i] = s_open(i % 2 ? other : path, 0);
	for (unsigned i = 0; i < 25; i++) {
		char version[4];

		snprintf(version, sizeof(version), "%u", i);
		s_publish(s[i % 5], "a", version, i);
		for (int k = 0; k < 5; k++)
			assert_holds(s[k], "a", NULL, i);
		if (i % 7 == 0)
			assert_done(pakhus_sync(s[(i + 2) % 5], &err));
	}
	for (int i = 0; i < 5; i++) {
		pakhus_close(s[i]);
		if (i < 4)
			assert_holds(s[4], "a", NULL, 24);
	}
	free(path);
	free(other);
}

struct work {
	struct pakhus *s;
	unsigned who, rounds;
	int failed;
	char text[500];
};

static void *publish_and_read(void *arg)
{
	struct work *w = arg;
	struct pakhus_error e = { .text = "" };
	char id[16], version[16], want[40];

	snprintf(id, sizeof(id), "own%u", w->who);
	for (unsigned i = 0; i < w->rounds && !w->failed; i++) {
		unsigned n = 1000 * w->who + i;
		struct pakhus_package *p = NULL;
		struct pakhus_record r;
		char *doc;
		int rc;

		snprintf(version, sizeof(version), "%u", i);
		snprintf(want, sizeof(want), "{\"objects\":[%u]}}", n);
		doc = s_document(id, version, n);
		rc = pakhus_publish(w->s, doc, strlen(doc), NULL, &r, &e);
		free(doc);
		if (!rc)
			rc = pakhus_get(w->s, id, NULL, &p, &e);
		if (!rc && strcmp(p->metadata, want))
			rc = -100;
		pakhus_package_free(p);
		/* and one that all of them publish over one another */
		doc = s_document("shared", "1", n);
		if (!rc)
			rc = pakhus_publish(w->s, doc, strlen(doc), NULL, &r,
					    &e);
		free(doc);
		if (!rc && i % 16 == 15)
			rc = pakhus_delete(w->s, id, version, NULL, NULL, &e);
		if (!rc && i % 50 == 49)
			rc = pakhus_sync(w->s, &e);
		if (rc) {
			w->failed = rc;
			snprintf(w->text, sizeof(w->text), "%s", e.text);
		}
	}
	return NULL;
}

static int stop_listing;
static void *list_all_the_time(void *arg)
{
	struct work *w = arg;
	struct pakhus_error e = { .text = "" };
	uint64_t position = 0;

	while (!__atomic_load_n(&stop_listing, __ATOMIC_SEQ_CST) &&
	       !w->failed) {
		struct pakhus_list *l = NULL;
		int rc = pakhus_list(w->s, (struct pakhus_range){ 0, 0 },
				     w->rounds++ % 2 ? PAKHUS_DOCUMENTS : 0,
				     &l, &e);

		if (!rc && l->position < position)
			rc = -101;
		if (!rc)
			position = l->position;
		for (size_t i = 1; !rc && i < l->count; i++)
			if (l->items[i]->record.place >=
			    l->items[i - 1]->record.place)
				rc = -102;
		if (rc) {
			w->failed = rc;
			snprintf(w->text, sizeof(w->text), "%s", e.text);
		}
		pakhus_list_free(l);
	}
	return NULL;
}

static void eight_threads_publish_and_read_while_one_lists(void **state)
{
	char *path = s_init(state, "t", 0);
	struct pakhus *s[3];
	struct work w[9];
	pthread_t t[9];
	unsigned rounds = s_scale(200, 60, 2000);
	struct pakhus_stat st;

	stop_listing = 0;
	for (int i = 0; i < 3; i++)
		s[i] = s_open(path, 0);
	for (unsigned i = 0; i < 9; i++) {
		w[i] = (struct work){ s[i % 3], i, i < 8 ? rounds : 0, 0, "" };
		assert_int_equal(pthread_create(&t[i], NULL,
						i < 8 ? publish_and_read
						      : list_all_the_time,
						&w[i]),
				 0);
	}
	for (int i = 0; i < 8; i++)
		pthread_join(t[i], NULL);
	__atomic_store_n(&stop_listing, 1, __ATOMIC_SEQ_CST);
	pthread_join(t[8], NULL);
	for (int i = 0; i < 9; i++) {
		if (w[i].failed)
			print_error("thread %d: %d %s\n", i, w[i].failed,
				    w[i].text);
		assert_int_equal(w[i].failed, 0);
	}
	assert_done(pakhus_stat(s[0], PAKHUS_STAT_OBJECTS, &st, &err));
	assert_int_equal(st.entries, 1 + 8 * (2 * rounds + rounds / 16));
	assert_int_equal(st.packages, 9);
	assert_int_equal(st.versions, 1 + 8 * (rounds - rounds / 16));
	for (int i = 0; i < 3; i++)
		pakhus_close(s[i]);
	s[0] = s_open(path, 0);
	s_verify(s[0]);
	pakhus_close(s[0]);
	free(path);
}

/* What publish tells is its own, also when another one was quicker to
 * publish over it. */
static void *publish_over(void *arg)
{
	struct work *w = arg;
	struct pakhus_error e = { .text = "" };

	for (unsigned i = 0; i < w->rounds && !w->failed; i++) {
		char *doc = s_document("a", "1", 10000 * w->who + i);
		struct pakhus_record r;
		struct pakhus_package *p = NULL;
		int rc = pakhus_publish(w->s, doc, strlen(doc), NULL, &r, &e);

		if (!rc)
			rc = pakhus_get_at(w->s, r.seq, &p, &e);
		if (!rc && (strcmp(p->document, doc) ||
			    strcmp(p->record.hash, r.hash)))
			rc = -100;
		if (!rc && i % 5 == 4)
			rc = pakhus_delete(w->s, "a", NULL, NULL, NULL, &e);
		if (rc) {
			w->failed = rc;
			snprintf(w->text, sizeof(w->text), "%s", e.text);
		}
		pakhus_package_free(p);
		free(doc);
	}
	return NULL;
}

static void publish_tells_of_its_own_entry(void **state)
{
	struct pakhus *s = fresh(state);
	struct work w[4];
	pthread_t t[4];

	for (unsigned i = 0; i < 4; i++) {
		w[i] = (struct work){ s, i, s_scale(100, 30, 1000), 0, "" };
		assert_int_equal(pthread_create(&t[i], NULL, publish_over,
						&w[i]), 0);
	}
	for (int i = 0; i < 4; i++)
		pthread_join(t[i], NULL);
	for (int i = 0; i < 4; i++) {
		if (w[i].failed)
			print_error("%d %s\n", w[i].failed, w[i].text);
		assert_int_equal(w[i].failed, 0);
	}
	pakhus_close(s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		T_IN_DIR(a_readonly_handle_reads_and_does_not_write),
		T_IN_DIR(after_fork_the_child_is_told),
		T_IN_DIR(handles_of_one_process_share_what_they_see),
		T_IN_DIR(eight_threads_publish_and_read_while_one_lists),
		T_IN_DIR(publish_tells_of_its_own_entry),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
