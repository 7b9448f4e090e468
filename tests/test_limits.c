/* test_limits.c - names, sizes and levels up to their limits, and beyond.
 *
 * wrap: fsync fdatasync
 */
#include "t.h"
#include "stores.h"
#include "nosync.h"

static char *long_name(size_t n, char c)
{
	char *p = malloc(n + 1);

	memset(p, c, n);
	p[n] = '\0';
	return p;
}

static void ids_and_versions_reach_their_limits(void **state)
{
	struct pakhus *s = fresh(state);
	char *id = long_name(PAKHUS_ID_MAX, 'i');
	char *version = long_name(PAKHUS_VERSION_MAX, 'v');
	char *id1 = long_name(PAKHUS_ID_MAX + 1, 'i');
	char *version1 = long_name(PAKHUS_VERSION_MAX + 1, 'v');
	char *by = long_name(PAKHUS_BY_MAX, 'b');
	char *by1 = long_name(PAKHUS_BY_MAX + 1, 'b');
	char *doc = s_document(id, version, 3);
	struct pakhus_package *p;
	struct pakhus_history *h;
	uint64_t n;

	assert_done(pakhus_publish(s, doc, strlen(doc), by, NULL, &err));
	assert_status(pakhus_publish(s, doc, strlen(doc), by1, NULL, &err),
		      PAKHUS_EINVAL);
	assert_status(pakhus_publish(s, doc, strlen(doc), "a\tb", NULL, &err),
		      PAKHUS_EINVAL);
	assert_status(pakhus_publish(s, doc, strlen(doc), "\xff", NULL, &err),
		      PAKHUS_EINVAL);
	assert_status(s_try(s, id1, version, 1, NULL), PAKHUS_ELIMIT);
	assert_status(s_try(s, id, version1, 1, NULL), PAKHUS_ELIMIT);
	assert_status(s_try(s, "", version, 1, NULL), PAKHUS_ELIMIT);
	assert_status(s_try(s, id, "", 1, NULL), PAKHUS_ELIMIT);
	assert_status(s_try(s, id, "latest", 1, NULL), PAKHUS_ELIMIT);
	assert_status(pakhus_get(s, id1, NULL, &p, &err), PAKHUS_ENOTFOUND);
	assert_status(pakhus_get(s, id, version1, &p, &err), PAKHUS_ENOTFOUND);
	assert_status(pakhus_delete(s, id1, NULL, NULL, &n, &err),
		      PAKHUS_EINVAL);
	assert_status(pakhus_delete(s, id, version1, NULL, &n, &err),
		      PAKHUS_EINVAL);
	assert_status(pakhus_delete(s, id, NULL, by1, &n, &err),
		      PAKHUS_EINVAL);
	h = s_history(s, id1, 0, 0);
	assert_int_equal(h->count, 0);
	pakhus_history_free(h);
	assert_holds(s, id, version, 3);
	assert_done(pakhus_sync(s, &err));
	h = s_history(s, id, 0, 0);
	assert_string_equal(h->items[0].by, by);
	pakhus_history_free(h);
	assert_int_equal(s_delete(s, id, version), 1);
	s_verify(s);
	pakhus_close(s);
	free(id), free(version), free(id1), free(version1);
	free(by), free(by1), free(doc);
}

/* Names as JSON has them, and as they are. */
static const struct {
	const char *json, *name;
} odd[] = {
	{ "a", "a" },
	{ "a.b", "a.b" },
	{ "ab", "ab" },
	{ "a ", "a " },
	{ "A", "A" },
	{ "a\\\"", "a\"" },
	{ "a\\\\", "a\\" },
	{ "\\\"\\\\\\\"", "\"\\\"" },
	{ "\\u00e6", "æ" },
	{ "a/../..", "a/../.." },
	{ "a@1", "a@1" },
	{ "\\ud83d\\ude00", "😀" },
	{ "\\u007f", "\x7f" },
};

static void names_that_begin_alike_or_look_odd_stay_apart(void **state)
{
	char *path = s_init(state, "o", 0);
	struct pakhus *s = s_open(path, 0);
	size_t n = T_COUNT(odd);

	if (s_try(s, odd[n - 1].json, "1", 1, NULL))
		n--; /* U+007F is a control character: refused is right too */
	for (size_t i = 0; i < n; i++)
		for (size_t k = 0; k < n; k++)
			s_publish(s, odd[i].json, odd[k].json,
				  (unsigned)(100 * i + k));
	for (int round = 0; round < 3; round++) {
		for (size_t i = 0; i < n; i++) {
			struct pakhus_versions *v =
				s_versions(s, odd[i].name, 0, 0);

			assert_int_equal(v->count, n);
			for (size_t k = 0; k < n; k++) {
				struct pakhus_package *p =
					s_get(s, odd[i].name, odd[k].name);
				char want[40];

				snprintf(want, sizeof(want),
					 "{\"objects\":[%zu]}}", 100 * i + k);
				assert_string_equal(p->metadata, want);
				assert_string_equal(p->record.id, odd[i].name);
				assert_string_equal(
					v->items[n - 1 - k].version,
					odd[k].name);
				pakhus_package_free(p);
			}
			pakhus_versions_free(v);
		}
		pakhus_close(s);
		s = s_open(path, round ? 0 : PAKHUS_REBUILD);
	}
	for (size_t i = 0; i < n; i++) {
		struct pakhus_list *l = s_list(s, 0, 0, 0);

		assert_int_equal(l->count, n - i);
		pakhus_list_free(l);
		assert_int_equal(s_delete(s, odd[i].name, NULL), n);
	}
	s_verify(s);
	pakhus_close(s);
	free(path);
}

/* A document of exactly size bytes. */
static char *sized(const char *version, size_t size)
{
	char *head = s_text("{\"manifest\":{\"id\":\"big\",\"version\":\"%s\"},"
			    "\"metadata\":{\"x\":\"", version);
	size_t n = strlen(head), k = 0;
	char *doc = malloc(size + 1);

	memcpy(doc, head, n);
	while (n + k < size - 3) {
		doc[n + k] = (char)('a' + k % 23);
		k++;
	}
	memcpy(doc + size - 3, "\"}}", 4);
	free(head);
	return doc;
}

static void check_sized(struct pakhus *s, const char *version, size_t size)
{
	struct pakhus_package *p = s_get(s, "big", version);
	char *want = sized(version, size);

	assert_int_equal(p->document_size, size);
	assert_memory_equal(p->document, want, size + 1);
	free(want);
	pakhus_package_free(p);
}

static void long_texts_are_whole_objects(void **state)
{
	static const size_t mib4 = (size_t)4 << 20;
	struct { const char *version; size_t size; } doc[] = {
		{ "1", mib4 }, { "2", mib4 + 1 }, { "3", mib4 - 1 },
		{ "4", mib4 }, { "5", 3 * mib4 },
	};
	char *path = s_init(state, "l", 0);
	struct pakhus *s = s_open(path, 0);
	struct pakhus_stat st;

	for (size_t i = 0; i < T_COUNT(doc); i++) {
		char *text = sized(doc[i].version, doc[i].size);

		assert_done(pakhus_publish(s, text, doc[i].size, NULL, NULL,
					   &err));
		free(text);
		check_sized(s, doc[i].version, doc[i].size);
	}
	pakhus_close(s);
	s = s_open(path, 0);
	for (size_t i = 0; i < T_COUNT(doc); i++)
		check_sized(s, doc[i].version, doc[i].size);
	assert_done(pakhus_stat(s, PAKHUS_STAT_OBJECTS, &st, &err));
	assert_int_equal(st.objects, 5);
	assert_true(st.max_depth >= 1);
	s_verify(s);
	pakhus_close(s);
	free(path);
}

static void sixty_four_mebibytes_are_the_end(void **state)
{
	struct pakhus *s = fresh(state);
	char *text = sized("1", PAKHUS_DOCUMENT_MAX);

	assert_done(pakhus_publish(s, text, PAKHUS_DOCUMENT_MAX, NULL, NULL,
				   &err));
	free(text);
	check_sized(s, "1", PAKHUS_DOCUMENT_MAX);
	text = sized("2", PAKHUS_DOCUMENT_MAX + 1);
	assert_status(pakhus_publish(s, text, PAKHUS_DOCUMENT_MAX + 1, NULL,
				     NULL, &err),
		      PAKHUS_ELIMIT);
	free(text);
	pakhus_close(s);
}

static void a_handle_may_lower_the_limit(void **state)
{
	char *path = s_init(state, "m", 0), *text;
	struct pakhus_options opt = { .max_document = 1000 };
	struct pakhus_batch *b;
	struct pakhus *s;

	assert_done(pakhus_open(&s, path, &opt, &err));
	text = sized("1", 1000);
	assert_done(pakhus_publish(s, text, 1000, NULL, NULL, &err));
	free(text);
	text = sized("2", 1001);
	assert_status(pakhus_publish(s, text, 1001, NULL, NULL, &err),
		      PAKHUS_ELIMIT);
	assert_done(pakhus_batch_new(s, NULL, &b, &err));
	assert_status(pakhus_batch_publish(b, text, 1001, &err),
		      PAKHUS_ELIMIT);
	pakhus_batch_free(b);
	free(text);
	check_sized(s, "1", 1000);
	pakhus_close(s);
	free(path);
}

static void every_level_reads_back(void **state)
{
	char *path = s_init(state, "v", 0);
	struct pakhus_options opt = { .level = 20 };
	struct pakhus *s;
	static const int levels[] = { 1, 19, 1, 12 };
	char version[4];

	assert_status(pakhus_open(&s, path, &opt, &err), PAKHUS_EINVAL);
	opt.level = -1;
	assert_status(pakhus_open(&s, path, &opt, &err), PAKHUS_EINVAL);
	for (unsigned i = 0; i < 4; i++) {
		opt.level = levels[i];
		opt.cache_size = 1;
		assert_done(pakhus_open(&s, path, &opt, &err));
		for (unsigned k = 0; k < 20; k++) {
			snprintf(version, sizeof(version), "%u", 20 * i + k);
			s_publish(s, "a", version, 20 * i + k);
		}
		assert_done(pakhus_sync(s, &err));
		for (unsigned k = 0; k < 20 * i + 20; k++) {
			snprintf(version, sizeof(version), "%u", k);
			assert_holds(s, "a", version, k);
		}
		pakhus_close(s);
	}
	s = s_open(path, 0);
	s_verify(s);
	pakhus_close(s);
	free(path);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		T_IN_DIR(ids_and_versions_reach_their_limits),
		T_IN_DIR(names_that_begin_alike_or_look_odd_stay_apart),
		T_IN_DIR(long_texts_are_whole_objects),
		T_IN_DIR(sixty_four_mebibytes_are_the_end),
		T_IN_DIR(a_handle_may_lower_the_limit),
		T_IN_DIR(every_level_reads_back),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
