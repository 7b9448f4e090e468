/* test_ready.c - documents read once, and publishes and deletes that are done
 * only where a version is what the caller saw. */
#include "t.h"
#include "stores.h"

#include <pthread.h>

static struct pakhus_document *read_one(struct pakhus *s, const char *id,
					const char *version, unsigned n)
{
	char *json = s_document(id, version, n);
	struct pakhus_document *d = NULL;

	assert_done(pakhus_document_new(s, json, strlen(json), &d, &err));
	free(json);
	return d;
}

static void test_a_document_says_what_it_is_and_stores_nothing(void **state)
{
	static const char json[] =
		"{ \"manifest\": {\"version\":\"1.0\", \"id\":\"\\u0061\"}}";
	struct pakhus *s = fresh(state);
	struct pakhus_document *d = NULL;
	char hash[PAKHUS_HASH_HEX + 1];

	assert_done(pakhus_document_new(s, json, strlen(json), &d, &err));
	assert_string_equal(d->id, "a");
	assert_string_equal(d->version, "1.0");
	assert_string_equal(d->text, "{\"manifest\":{\"version\":\"1.0\","
				     "\"id\":\"a\"},\"metadata\":{}}");
	assert_int_equal(d->size, strlen(d->text));
	assert_int_equal(d->metadata_size, 2);
	assert_done(pakhus_hash(json, strlen(json), hash, &err));
	assert_string_equal(d->hash, hash);
	assert_status(pakhus_find(s, "a", NULL, &(struct pakhus_record){ 0 },
				  &err), PAKHUS_ENOTFOUND);
	pakhus_document_free(d);
	assert_status(pakhus_document_new(s, "{]", 2, &d, &err),
		      PAKHUS_EINVAL);
	pakhus_document_free(NULL);
	pakhus_close(s);
}

static void assert_same(const struct pakhus_record *a,
			const struct pakhus_record *b)
{
	assert_string_equal(a->id, b->id);
	assert_string_equal(a->version, b->version);
	assert_string_equal(a->hash, b->hash);
	assert_string_equal(a->created_at, b->created_at);
	assert_int_equal(a->updated_us, b->updated_us);
	assert_int_equal(a->seq, b->seq);
	assert_int_equal(a->place, b->place);
}

static void test_it_is_published_as_its_text_would_be(void **state)
{
	struct pakhus *s = fresh(state), *other;
	char *path = s_text("%s/s", (char *)*state);
	struct pakhus_document *d = read_one(s, "a", "1.0", 7);
	struct pakhus_record r, found;

	assert_done(pakhus_publish_document(s, d, NULL, "me", &r, &err));
	assert_done(pakhus_publish_document(s, d, NULL, NULL, &r, &err));
	assert_holds(s, "a", "1.0", 7);
	assert_done(pakhus_find(s, "a", NULL, &found, &err));
	assert_same(&r, &found);
	assert_done(pakhus_find(s, "a", "1.0", &found, &err));
	assert_same(&r, &found);
	assert_status(pakhus_find(s, "a", "2.0", &found, &err),
		      PAKHUS_ENOTFOUND);
	assert_status(pakhus_publish_document(s, d, NULL, "a\nb", NULL, &err),
		      PAKHUS_EINVAL);
	other = s_open(path, 0);
	assert_status(pakhus_publish_document(other, d, NULL, NULL, NULL,
					      &err), PAKHUS_EINVAL);
	pakhus_close(other);
	free(path);
	pakhus_document_free(d);
	s_verify(s);
	pakhus_close(s);
}

static void test_a_batch_takes_documents_that_were_read(void **state)
{
	struct pakhus *s = fresh(state), *other;
	char *path = s_text("%s/s", (char *)*state);
	struct pakhus_document *d = read_one(s, "a", "1.0", 1), *e;
	struct pakhus_batch *b = NULL;

	assert_done(pakhus_batch_new(s, "me", &b, &err));
	assert_done(pakhus_batch_document(b, d, &err));
	pakhus_document_free(d);
	d = read_one(s, "a", "2.0", 2);
	assert_done(pakhus_batch_document(b, d, &err));
	pakhus_document_free(d);
	other = s_open(path, 0);
	e = read_one(other, "a", "3.0", 3);
	assert_status(pakhus_batch_document(b, e, &err), PAKHUS_EINVAL);
	pakhus_document_free(e);
	pakhus_close(other);
	assert_done(pakhus_batch_commit(b, &err));
	assert_int_equal(pakhus_batch_durable(b), 2);
	pakhus_batch_free(b);
	assert_holds(s, "a", "1.0", 1);
	assert_latest(s, "a", "2.0");
	free(path);
	pakhus_close(s);
}

static void test_over_what_it_expects_and_nothing_else(void **state)
{
	struct pakhus *s = fresh(state);
	struct pakhus_document *one = read_one(s, "a", "1.0", 1);
	struct pakhus_document *two = read_one(s, "a", "1.0", 2);
	struct pakhus_history *h;
	uint64_t over = 0, entries;
	struct pakhus_record r;

	assert_done(pakhus_publish_document(s, one, &over, NULL, &r, &err));
	assert_status(pakhus_publish_document(s, two, &over, NULL, NULL, &err),
		      PAKHUS_ESTALE);
	assert_string_equal(err.text, "a@1.0 is there already");
	over = r.seq;
	assert_done(pakhus_publish_document(s, two, &over, NULL, &r, &err));
	assert_status(pakhus_publish_document(s, one, &over, NULL, NULL, &err),
		      PAKHUS_ESTALE);
	assert_string_equal(err.text, "a@1.0 was published again meanwhile, "
				      "at entry 2");
	assert_holds(s, "a", "1.0", 2);

	assert_status(pakhus_delete_over(s, "a", "1.0", over, NULL, &err),
		      PAKHUS_ESTALE);
	assert_status(pakhus_delete_over(s, "a", "1.0", 0, NULL, &err),
		      PAKHUS_EINVAL);
	assert_status(pakhus_delete_over(s, "a", NULL, r.seq, NULL, &err),
		      PAKHUS_EINVAL);
	assert_done(pakhus_delete_over(s, "a", "1.0", r.seq, "me", &err));
	assert_status(pakhus_delete_over(s, "a", "1.0", r.seq, NULL, &err),
		      PAKHUS_ESTALE);
	assert_string_equal(err.text, "a@1.0 is not there any more");
	over = r.seq;
	assert_status(pakhus_publish_document(s, one, &over, NULL, NULL, &err),
		      PAKHUS_ESTALE);
	h = s_history(s, NULL, 0, 0);
	entries = h->position;
	pakhus_history_free(h);
	assert_int_equal(entries, 4); /* what was refused left none */
	over = 0;
	assert_done(pakhus_publish_document(s, one, &over, NULL, NULL, &err));
	pakhus_document_free(one);
	pakhus_document_free(two);
	s_verify(s);
	pakhus_close(s);
}

static void test_an_immutable_store_stays_so(void **state)
{
	char *path = s_init(state, "s", 1);
	struct pakhus *s = s_open(path, 0);
	struct pakhus_record r = s_publish(s, "a", "1.0", 1);
	struct pakhus_document *two = read_one(s, "a", "1.0", 2);

	assert_status(pakhus_publish_document(s, two, &r.seq, NULL, NULL,
					      &err), PAKHUS_ECONFLICT);
	assert_status(pakhus_publish_document(s, two, NULL, NULL, NULL, &err),
		      PAKHUS_ECONFLICT);
	pakhus_document_free(two);
	pakhus_close(s);
	free(path);
}

/* A counter in a document: of all who saw the same one adds. */
struct adder {
	struct pakhus *store;
	unsigned times;
};

static unsigned count_of(struct pakhus *s, uint64_t *seq)
{
	struct pakhus_package *p = s_get(s, "a", "1.0");
	const char *at = strstr(p->document, "[");
	unsigned n = (unsigned)strtoul(at + 1, NULL, 10);

	*seq = p->record.seq;
	pakhus_package_free(p);
	return n;
}

static void *add(void *arg)
{
	struct adder *a = arg;
	struct pakhus_error e;
	unsigned done = 0;

	while (done < a->times) {
		struct pakhus_document *d = NULL;
		struct pakhus_package *p = NULL;
		uint64_t over;
		char *json;
		int rc = pakhus_get(a->store, "a", "1.0", &p, &e);

		if (rc)
			return "get";
		over = p->record.seq;
		json = s_document("a", "1.0",
				  (unsigned)strtoul(strstr(p->document, "[") + 1,
						    NULL, 10) + 1);
		pakhus_package_free(p);
		if (pakhus_document_new(a->store, json, strlen(json), &d, &e))
			return "read";
		free(json);
		rc = pakhus_publish_document(a->store, d, &over, NULL, NULL,
					     &e);
		pakhus_document_free(d);
		if (rc && rc != PAKHUS_ESTALE)
			return "publish";
		done += !rc;
	}
	return NULL;
}

static void test_of_many_who_saw_the_same_one_publishes(void **state)
{
	enum { ADDERS = 4 };
	struct pakhus *s = fresh(state);
	struct adder a = { s, s_scale(20, 10, 200) };
	pthread_t thread[ADDERS];
	uint64_t seq;

	s_publish(s, "a", "1.0", 0);
	for (int i = 0; i < ADDERS; i++)
		assert_int_equal(pthread_create(&thread[i], NULL, add, &a), 0);
	for (int i = 0; i < ADDERS; i++) {
		void *what;

		pthread_join(thread[i], &what);
		assert_null(what);
	}
	assert_int_equal(count_of(s, &seq), ADDERS * a.times);
	assert_int_equal(seq, 1 + ADDERS * a.times);
	pakhus_close(s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		T_IN_DIR(test_a_document_says_what_it_is_and_stores_nothing),
		T_IN_DIR(test_it_is_published_as_its_text_would_be),
		T_IN_DIR(test_a_batch_takes_documents_that_were_read),
		T_IN_DIR(test_over_what_it_expects_and_nothing_else),
		T_IN_DIR(test_an_immutable_store_stays_so),
		T_IN_DIR(test_of_many_who_saw_the_same_one_publishes),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
