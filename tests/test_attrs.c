/* test_attrs.c - what is said about packages and versions beside their
 * documents (F-97 to F-99): in every state of a store, and out again.
 */
#include "t.h"
#include "stores.h"
#include "files.h"
#include "mirrors.h"

static uint64_t say(struct pakhus *s, const char *id, const char *version,
		    const char *json)
{
	uint64_t seq = 0;

	assert_done(pakhus_set_attrs(s, id, version, json, strlen(json), "me",
				     &seq, &err));
	return seq;
}

/* What is said now; NULL: nothing. */
#define assert_said(s, id, version, text) \
	is_said(s, id, version, text, __FILE__, __LINE__)
static void is_said(struct pakhus *s, const char *id, const char *version,
		    const char *want, const char *file, int line)
{
	struct pakhus_attrs *a = NULL;
	int rc = pakhus_attrs(s, id, version, &a, &err);

	version = version ? version : "";
	if (!want) {
		if (rc != PAKHUS_ENOTFOUND) {
			print_error("%s@%s: %d %s\n", id, version, rc,
				    err.text);
			_fail(file, line);
		}
		return;
	}
	if (rc || strcmp(a->text, want) || a->size != strlen(want) ||
	    strcmp(a->id, id) || strcmp(a->version, version)) {
		print_error("%s@%s: %s\n", id, version,
			    rc ? err.text : a->text);
		_fail(file, line);
	}
	pakhus_attrs_free(a);
}

static void what_is_said_is_what_was_said_last(void **state)
{
	struct pakhus *s = fresh(state);
	struct pakhus_attrs *a;
	uint64_t first, last;

	for (int i = 0; i < 2; i++) {
		assert_said(s, "a", NULL, NULL);
		first = say(s, "a", NULL, "{\"visibility\" : \"private\"}");
		assert_said(s, "a", "", "{\"visibility\":\"private\"}");
		last = say(s, "a", "", "{\"b\":1.0,\"a\":[{}]}");
		assert_int_equal(last, first + 1);
		assert_done(pakhus_attrs(s, "a", NULL, &a, &err));
		assert_string_equal(a->text, "{\"b\":1,\"a\":[{}]}");
		assert_int_equal(a->seq, last);
		assert_string_equal(a->by, "me");
		assert_true(a->time_us > 0 && strlen(a->time) == 19);
		pakhus_attrs_free(a);
		assert_done(pakhus_sync(s, &err));
		assert_said(s, "a", NULL, "{\"b\":1,\"a\":[{}]}");
		say(s, "a", NULL, " {  } ");
		assert_said(s, "a", NULL, NULL);
		s_verify(s);
	}
	pakhus_close(s);
}

static void of_a_version_it_goes_with_it(void **state)
{
	struct pakhus *s = fresh(state);

	assert_status(pakhus_set_attrs(s, "a", "1", "{\"x\":1}", 7, NULL, NULL,
				       &err),
		      PAKHUS_ENOTFOUND);
	assert_string_equal(err.text, "not found: a@1");
	s_publish(s, "a", "1", 1);
	assert_said(s, "a", "1", NULL);
	assert_string_equal(err.text, "nothing is said of a@1");
	say(s, "a", "1", "{\"x\":1}");
	say(s, "a", NULL, "{\"y\":1}");
	s_publish(s, "a", "1", 2); /* another content: stays */
	assert_said(s, "a", "1", "{\"x\":1}");
	assert_int_equal(s_delete(s, "a", "1"), 1);
	assert_said(s, "a", "1", NULL);
	assert_said(s, "a", NULL, "{\"y\":1}");
	s_publish(s, "a", "1", 3); /* back, and nothing is said of it */
	assert_said(s, "a", "1", NULL);
	s_verify(s);
	pakhus_close(s);
}

static void a_batch_says_it_in_the_step_of_its_publish(void **state)
{
	struct pakhus *s = fresh(state);
	struct pakhus_batch *b;
	struct pakhus_stat before, after;
	char *doc = s_document("a", "1", 1);

	assert_done(pakhus_stat(s, 0, &before, &err));
	assert_done(pakhus_batch_new(s, "me", &b, &err));
	assert_status(pakhus_batch_attrs(b, "a", "1", "{\"n\":1}", 7, &err),
		      PAKHUS_ENOTFOUND);
	assert_done(pakhus_batch_attrs(b, "a", NULL, "{\"n\":2}", 7, &err));
	assert_done(pakhus_batch_publish(b, doc, strlen(doc), &err));
	assert_done(pakhus_batch_attrs(b, "a", "1", "{\"n\":1}", 7, &err));
	assert_said(s, "a", NULL, NULL); /* not durable yet */
	assert_int_equal(pakhus_batch_durable(b), 0);
	assert_done(pakhus_batch_commit(b, &err));
	assert_int_equal(pakhus_batch_durable(b), 3);
	pakhus_batch_free(b);
	free(doc);
	assert_done(pakhus_stat(s, 0, &after, &err));
	assert_int_equal(after.entries, before.entries + 3);
	assert_said(s, "a", NULL, "{\"n\":2}");
	assert_said(s, "a", "1", "{\"n\":1}");
	s_verify(s);
	pakhus_close(s);
}

static void what_cannot_be_said_changes_nothing(void **state)
{
	static const struct {
		const char *id, *version, *json;
		int status;
		const char *text;
	} bad[] = {
		{ "", NULL, "{}", PAKHUS_EINVAL,
		  "the id must have 1 to 214 bytes, without control characters" },
		{ "a\n", NULL, "{}", PAKHUS_EINVAL,
		  "the id must have 1 to 214 bytes, without control characters" },
		{ "a", "latest", "{}", PAKHUS_EINVAL,
		  "attributes are those of a version with its number, not of "
		  "the latest" },
		{ "a", NULL, "\n [1]", PAKHUS_EINVAL,
		  "line 2, column 2: what is said of a package is an object" },
		{ "a", NULL, "", PAKHUS_EINVAL,
		  "line 1, column 1: unexpected end of the text" },
		{ "a", NULL, "{\"a\":1,}", PAKHUS_EINVAL,
		  "line 1, column 8: expected a key in quotes" },
		{ "a", "9", "{}", PAKHUS_ENOTFOUND, "not found: a@9" },
	};
	struct pakhus *s = fresh(state);
	struct pakhus_stat st;
	char *big = malloc(PAKHUS_ATTRS_MAX + 64);
	int n;

	say(s, "a", NULL, "{\"x\":1}");
	for (size_t i = 0; i < T_COUNT(bad); i++) {
		assert_status(pakhus_set_attrs(s, bad[i].id, bad[i].version,
					       bad[i].json,
					       strlen(bad[i].json), NULL, NULL,
					       &err),
			      bad[i].status);
		assert_string_equal(err.text, bad[i].text);
	}
	/* exactly at the limit, and one byte beyond */
	n = sprintf(big, "{\"x\":\"%0*d\"}", (int)PAKHUS_ATTRS_MAX - 8, 0);
	assert_int_equal(n, PAKHUS_ATTRS_MAX);
	assert_done(pakhus_stat(s, 0, &st, &err));
	assert_int_equal(st.entries, 2);
	say(s, "a", NULL, big);
	assert_said(s, "a", NULL, big);
	n = sprintf(big, "{\"x\":\"%0*d\"}", (int)PAKHUS_ATTRS_MAX - 7, 0);
	assert_status(pakhus_set_attrs(s, "a", NULL, big, (size_t)n, NULL, NULL,
				       &err),
		      PAKHUS_ELIMIT);
	free(big);
	s_verify(s);
	pakhus_close(s);
}

static void history_and_positions_tell_of_it(void **state)
{
	struct pakhus *s = fresh(state);
	struct pakhus_history *h;
	struct pakhus_package *p;
	char *text;
	size_t size;

	say(s, "a", NULL, "{\"x\":1}");	  /* 1 */
	s_publish(s, "a", "1", 1);	  /* 2 */
	say(s, "a", "1", "{\"x\":22}");	  /* 3 */
	say(s, "a", "1", "{}");		  /* 4 */
	for (int i = 0; i < 2; i++) {
		h = s_history(s, "a", 0, 0);
		assert_int_equal(h->count, 4);
		assert_string_equal(h->items[0].op, "attrs");
		assert_string_equal(h->items[0].version, "1");
		assert_string_equal(h->items[0].hash, "");
		assert_int_equal(h->items[0].attrs_size, 0);
		assert_int_equal(h->items[1].attrs_size, 8);
		assert_string_equal(h->items[3].version, "");
		assert_int_equal(h->items[3].attrs_size, 7);
		assert_done(pakhus_read(s, h->items[1].hash, &text, &size,
					&err));
		assert_string_equal(text, "{\"id\":\"a\",\"version\":\"1\","
					  "\"attrs\":{\"x\":22}}");
		pakhus_free(text);
		pakhus_history_free(h);
		h = s_history(s, "a", 3, 1); /* in the middle */
		assert_int_equal(h->items[0].seq, 2);
		assert_int_equal(h->next, 2);
		pakhus_history_free(h);
		h = s_history(s, "a", 2, 9);
		assert_int_equal(h->count, 1);
		assert_int_equal(h->items[0].seq, 1);
		pakhus_history_free(h);
		assert_status(pakhus_get_at(s, 3, &p, &err), PAKHUS_ENOTFOUND);
		assert_string_equal(err.text,
				    "log entry 3 is no publish, but says what "
				    "is to be known of a@1; its text is read "
				    "by its hash");
		assert_done(pakhus_sync(s, &err));
	}
	pakhus_close(s);
}

/* The index of the log, row by row and gathered, and that of the journal. */
static void every_way_to_an_index_gives_the_same(void **state)
{
	char *path = s_init(state, "s", 0), *dir;
	struct pakhus *s = s_open(path, 0);

	say(s, "b", NULL, "{\"first\":1}");
	say(s, "b", NULL, "{\"first\":2}");
	for (unsigned i = 0; i < 70; i++) {
		char version[8], json[32];

		sprintf(version, "%u", i);
		sprintf(json, "{\"notes\":%u}", i);
		s_publish(s, "a", version, i);
		say(s, "a", version, json);
		if (i % 5 == 0)
			s_delete(s, "a", version);
		if (i % 7 == 0)
			say(s, "a", NULL, json);
		if (i % 10 == 1)
			say(s, "a", version, "{}");
		if (i == 40)
			assert_done(pakhus_sync(s, &err));
	}
	s_verify(s);
	for (int i = 0; i < 2; i++) {
		pakhus_close(s);
		dir = index_file(path, "");
		run("rm -r %s", dir);
		free(dir);
		s = s_open(path, 0);
		s_verify(s);
		assert_said(s, "a", NULL, "{\"notes\":63}");
		assert_said(s, "a", "69", "{\"notes\":69}");
		assert_said(s, "a", "65", NULL);
		assert_said(s, "a", "61", NULL);
		assert_said(s, "b", NULL, "{\"first\":2}");
	}
	pakhus_close(s);
	free(path);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		T_IN_DIR(what_is_said_is_what_was_said_last),
		T_IN_DIR(of_a_version_it_goes_with_it),
		T_IN_DIR(a_batch_says_it_in_the_step_of_its_publish),
		T_IN_DIR(what_cannot_be_said_changes_nothing),
		T_IN_DIR(history_and_positions_tell_of_it),
		T_IN_DIR(every_way_to_an_index_gives_the_same),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
