/* test_serve_catalog.c - the list in memory is what the store says, whoever
 * changes it. */
#include "t.h"
#include "stores.h"

#include <pthread.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "../tools/server/catalog.h"

struct catalog_test {
	char *path;
	struct pakhus *store;
	struct catalog *catalog;
};

static int setup(void **state)
{
	struct catalog_test *c = calloc(1, sizeof(*c));

	if (t_dir_make(state))
		return -1;
	c->path = *state;
	c->store = s_open(c->path, PAKHUS_CREATE);
	c->catalog = catalog_new(c->store);
	*state = c;
	return c->catalog ? 0 : -1;
}

static int teardown(void **state)
{
	struct catalog_test *c = *state;
	void *path = c->path;

	catalog_free(c->catalog);
	pakhus_close(c->store);
	free(c);
	return t_dir_remove(&path);
}

static void publish(struct pakhus *store, const char *id, const char *version,
		    const char *more)
{
	char *doc = s_text("{\"manifest\":{\"id\":\"%s\",\"version\":\"%s\"%s},"
			   "\"metadata\":{}}", id, version, more);

	assert_done(pakhus_publish(store, doc, strlen(doc), "t", NULL, &err));
	free(doc);
}

static void say(struct pakhus *store, const char *id, const char *version,
		const char *attrs)
{
	assert_done(pakhus_set_attrs(store, id, version, attrs, strlen(attrs),
				     "t", NULL, &err));
}

static int may_all(void *arg, const char *id, int is_listed)
{
	(void)arg, (void)id, (void)is_listed;
	return 1;
}

static int may_listed(void *arg, const char *id, int is_listed)
{
	(void)arg, (void)id;
	return is_listed;
}

static struct catalog_query all = {.may = may_all, .limit = 100};

/* The ids in the order in which they are listed, and how many there are. */
static const char *ids(struct catalog_test *c, const struct catalog_query *query,
		       uint64_t *total)
{
	static char out[4096];
	struct text t = {0};
	const char *at;
	uint64_t n;

	assert_done(catalog_list(c->catalog, query, &t, &n, &err));
	if (total)
		*total = n;
	*out = '\0';
	for (at = t.data; at && (at = strstr(at, "{\"id\":\"")); at++) {
		size_t size = strcspn(at + 7, "\"");

		/* the latest version's id has no manifest_id behind it */
		if (strncmp(at + 7 + size, "\",\"manifest_id\"", 15) != 0)
			continue;
		snprintf(out + strlen(out), sizeof(out) - strlen(out), "%s%.*s",
			 *out ? " " : "", (int)size, at + 7);
	}
	text_free(&t);
	return out;
}

static void test_the_newest_place_is_first_and_pages_end(void **state)
{
	struct catalog_query page = {.may = may_all, .limit = 2};
	struct catalog_test *c = *state;
	uint64_t total;

	assert_string_equal(ids(c, &all, &total), "");
	assert_int_equal(total, 0);
	publish(c->store, "a", "1.0.0", "");
	publish(c->store, "b", "1.0.0", "");
	publish(c->store, "c", "1.0.0", "");
	publish(c->store, "a", "1.0.1", "");
	assert_string_equal(ids(c, &all, &total), "a c b");
	assert_int_equal(total, 3);
	assert_string_equal(ids(c, &page, &total), "a c");
	assert_int_equal(total, 3);
	page.offset = 2;
	assert_string_equal(ids(c, &page, NULL), "b");
	page.offset = UINT64_MAX;
	assert_string_equal(ids(c, &page, &total), "");
	assert_int_equal(total, 3);
	/* published over: its place stays */
	publish(c->store, "b", "1.0.0", ",\"name\":\"B\"");
	assert_string_equal(ids(c, &all, NULL), "a c b");
	s_delete(c->store, "a", "1.0.1");
	assert_string_equal(ids(c, &all, NULL), "c b a");
	s_delete(c->store, "c", NULL);
	assert_string_equal(ids(c, &all, NULL), "b a");
}

static void test_names_ids_and_categories_are_searched(void **state)
{
	struct catalog_query q = {.may = may_all, .limit = 100};
	struct catalog_test *c = *state;

	publish(c->store, "com.acme.crm", "1.0.0",
		",\"name\":\"Acme \\\"Sales\\\"\",\"category\":\"crm\"");
	publish(c->store, "com.acme.hr", "1.0.0",
		",\"name\":\"People\",\"category\":\"h\\\"r\"");
	q.q = "ACME.H";
	assert_string_equal(ids(c, &q, NULL), "com.acme.hr");
	q.q = "\"sales\"";
	assert_string_equal(ids(c, &q, NULL), "com.acme.crm");
	q.q = "com.";
	assert_string_equal(ids(c, &q, NULL), "com.acme.hr com.acme.crm");
	q.category = "h\"r";
	assert_string_equal(ids(c, &q, NULL), "com.acme.hr");
	q.category = "cr";
	assert_string_equal(ids(c, &q, NULL), "");
	q.category = "CRM";
	assert_string_equal(ids(c, &q, NULL), "");
	/* what is said of a package goes before its manifest */
	say(c->store, "com.acme.hr", NULL,
	    "{\"display_name\":\"Staff\",\"category\":\"crm\"}");
	q.category = "crm";
	q.q = "staff";
	assert_string_equal(ids(c, &q, NULL), "com.acme.hr");
	q.q = "people";
	assert_string_equal(ids(c, &q, NULL), "");
	say(c->store, "com.acme.hr", NULL, "{}");
	q.category = NULL;
	assert_string_equal(ids(c, &q, NULL), "com.acme.hr");
}

static void test_who_may_not_know_of_one_does_not_count_it(void **state)
{
	struct catalog_query listed = {.may = may_listed, .limit = 100};
	struct catalog_test *c = *state;
	uint64_t total;

	publish(c->store, "a", "1.0.0", "");
	publish(c->store, "b", "1.0.0", "");
	publish(c->store, "c", "1.0.0", "");
	publish(c->store, "d", "1.0.0", "");
	say(c->store, "a", NULL, "{\"visibility\":\"marketplace\"}");
	say(c->store, "b", NULL, "{\"visibility\":\"org\"}");
	say(c->store, "c", NULL, "{\"visibility\":\"no such word\"}");
	assert_string_equal(ids(c, &listed, &total), "d a");
	assert_int_equal(total, 2);
	say(c->store, "b", NULL, "{\"visibility\":\"marketplace\"}");
	say(c->store, "d", NULL, "{\"visibility\":\"private\"}");
	assert_string_equal(ids(c, &listed, &total), "b a");
}

static void test_a_package_said_of_and_not_published_is_not_listed(void **state)
{
	struct catalog_test *c = *state;

	say(c->store, "a", NULL, "{\"display_name\":\"A\"}");
	assert_string_equal(ids(c, &all, NULL), "");
	publish(c->store, "a", "1.0.0", "");
	assert_string_equal(ids(c, &all, NULL), "a");
	assert_done(pakhus_purge(c->store, "a", "1.0.0", "secret", "t", NULL,
				 &err));
	assert_string_equal(ids(c, &all, NULL), "");
}

/* More entries and more packages than a page of either has. */
static void test_many_are_read_at_first_use_and_after_it(void **state)
{
	struct catalog_test *c = *state;
	struct pakhus_batch *batch;
	uint64_t total;
	unsigned i, half;
	char id[32];

	for (half = 0; half < 2; half++) {
		assert_done(pakhus_batch_new(c->store, "t", &batch, &err));
		for (i = 0; i < 1500; i++) {
			char *doc;

			snprintf(id, sizeof(id), "p%u.%u", half, i);
			doc = s_document(id, "1.0.0", i);
			assert_done(pakhus_batch_publish(batch, doc,
							 strlen(doc), &err));
			free(doc);
		}
		assert_done(pakhus_batch_commit(batch, &err));
		pakhus_batch_free(batch);
		ids(c, &all, &total);
		assert_int_equal(total, 1500 * (half + 1));
	}
}

static void test_what_is_too_long_is_left_out_of_the_list(void **state)
{
	struct catalog_test *c = *state;
	char *longs = malloc(100001), *more;
	struct text t = {0};
	uint64_t total;

	memset(longs, 'x', 100000);
	longs[100000] = '\0';
	more = s_text(",\"name\":\"%s\",\"description\":\"%s\","
		      "\"license\":\"MIT\",\"category\":\"%s\","
		      "\"readme\":\"short\"", longs, longs, longs);
	publish(c->store, "a", "1.0.0", more);
	assert_done(catalog_list(c->catalog, &all, &t, &total, &err));
	assert_true(t.size < 400);
	assert_non_null(strstr(t.data, "\"display_name\":\"a\""));
	assert_non_null(strstr(t.data, "\"license\":\"MIT\""));
	assert_null(strstr(t.data, "readme"));
	text_free(&t);
	free(more);
	free(longs);
}

static void test_what_another_process_publishes_is_there(void **state)
{
	struct catalog_test *c = *state;
	int status;
	pid_t pid;

	publish(c->store, "a", "1.0.0", "");
	assert_string_equal(ids(c, &all, NULL), "a");
	pid = fork();
	if (!pid) {
		struct pakhus_options opt = {.level = 1};
		struct pakhus *s;
		const char *doc = "{\"manifest\":{\"id\":\"b\",\"version\":"
				  "\"1.0.0\"},\"metadata\":{}}";

		_exit(pakhus_open(&s, c->path, &opt, NULL) ||
		      pakhus_publish(s, doc, strlen(doc), NULL, NULL, NULL) ||
		      pakhus_delete(s, "a", NULL, NULL, NULL, NULL));
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	assert_string_equal(ids(c, &all, NULL), "b");
}

/* ---- threads ---- */

enum { READERS = 3, WRITERS = 2, EACH = 40 };

struct worker {
	pthread_t thread;
	struct catalog_test *c;
	unsigned n;
	int failed;
};

/* After a publish returned, a list has it. */
static void *write_some(void *arg)
{
	struct worker *w = arg;
	struct catalog_query own = {.may = may_all, .limit = 100};
	struct pakhus_error e;
	char id[32], doc[128];
	uint64_t total;
	unsigned i;

	snprintf(id, sizeof(id), "w%u.", w->n);
	own.q = id;
	for (i = 0; i < EACH; i++) {
		struct text t = {0};

		snprintf(doc, sizeof(doc), "{\"manifest\":{\"id\":\"w%u.%u\","
			 "\"version\":\"1.0.0\"},\"metadata\":{}}", w->n, i);
		if (pakhus_publish(w->c->store, doc, strlen(doc), NULL, NULL,
				   &e) ||
		    catalog_list(w->c->catalog, &own, &t, &total, &e) ||
		    total != i + 1)
			w->failed = 1;
		text_free(&t);
	}
	return NULL;
}

static void *read_some(void *arg)
{
	struct worker *w = arg;
	struct pakhus_error e;
	uint64_t total, before = 0;
	unsigned i;

	for (i = 0; i < EACH; i++) {
		struct text t = {0};

		if (catalog_list(w->c->catalog, &all, &t, &total, &e) ||
		    total < before || t.is_failed)
			w->failed = 1;
		before = total;
		text_free(&t);
	}
	return NULL;
}

static void test_threads_list_what_others_publish(void **state)
{
	struct worker w[READERS + WRITERS];
	uint64_t total;
	unsigned i;

	for (i = 0; i < READERS + WRITERS; i++) {
		w[i] = (struct worker){.c = *state, .n = i};
		assert_int_equal(pthread_create(&w[i].thread, NULL,
						i < READERS ? read_some
							    : write_some,
						&w[i]), 0);
	}
	for (i = 0; i < READERS + WRITERS; i++) {
		pthread_join(w[i].thread, NULL);
		assert_false(w[i].failed);
	}
	ids(*state, &all, &total);
	assert_int_equal(total, WRITERS * EACH);
}

#define TEST(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

/* ---- Damage ---- */

/* The object of a text, whose bytes turn; twice is as before. */
static void turn(const char *path, const char *hash)
{
	char *name = s_text("%s/objects/%.2s/%s", path, hash, hash + 2);
	unsigned char bytes[256];
	size_t size, i;
	FILE *f;

	chmod(name, 0600);
	f = fopen(name, "r+");
	assert_non_null(f);
	size = fread(bytes, 1, sizeof(bytes), f);
	for (i = 0; i < size; i++)
		bytes[i] ^= 0x55;
	rewind(f);
	assert_int_equal(fwrite(bytes, 1, size, f), size);
	fclose(f);
	free(name);
}

static char told[1024];

static void tell(void *arg, const char *text)
{
	(void)arg;
	snprintf(told + strlen(told), sizeof(told) - strlen(told), "%.40s\n",
		 text);
}

static void reopen(struct catalog_test *c)
{
	catalog_free(c->catalog);
	pakhus_close(c->store);
	c->store = s_open(c->path, 0);
	c->catalog = catalog_new(c->store);
	assert_non_null(c->catalog);
	catalog_notice(c->catalog, tell, NULL);
}

static void test_damage_of_one_hides_no_other(void **state)
{
	struct catalog_test *c = *state;
	struct pakhus_attrs *attrs;
	struct pakhus_record big;
	char *more;

	*told = '\0';
	publish(c->store, "a", "1.0.0", "");
	publish(c->store, "b", "1.0.0", "");
	say(c->store, "b", NULL, "{\"display_name\":\"B\"}");
	/* too large for the index: the list has to read it */
	more = s_text(",\"x\":\"%0*d\"", 100000, 0);
	publish(c->store, "c", "1.0.0", more);
	free(more);
	publish(c->store, "d", "1.0.0", "");
	assert_done(pakhus_sync(c->store, &err));
	assert_done(pakhus_attrs(c->store, "b", NULL, &attrs, &err));
	assert_done(pakhus_find(c->store, "c", NULL, &big, &err));
	turn(c->path, attrs->hash);
	turn(c->path, big.hash);
	reopen(c);
	assert_string_equal(ids(c, &all, NULL), "d a");
	assert_non_null(strstr(told, "b is left out"));
	assert_non_null(strstr(told, "c is left out"));
	/* said once, and looked at again */
	*told = '\0';
	publish(c->store, "e", "1.0.0", "");
	assert_string_equal(ids(c, &all, NULL), "e d a");
	turn(c->path, attrs->hash);
	publish(c->store, "f", "1.0.0", "");
	assert_string_equal(ids(c, &all, NULL), "f e d b a");
	turn(c->path, big.hash);
	publish(c->store, "g", "1.0.0", "");
	assert_string_equal(ids(c, &all, NULL), "g f e d c b a");
	assert_string_equal(told, "");
	pakhus_attrs_free(attrs);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_the_newest_place_is_first_and_pages_end),
		TEST(test_names_ids_and_categories_are_searched),
		TEST(test_who_may_not_know_of_one_does_not_count_it),
		TEST(test_a_package_said_of_and_not_published_is_not_listed),
		TEST(test_many_are_read_at_first_use_and_after_it),
		TEST(test_what_is_too_long_is_left_out_of_the_list),
		TEST(test_what_another_process_publishes_is_there),
		TEST(test_threads_list_what_others_publish),
		TEST(test_damage_of_one_hides_no_other),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
