/* test_attrs.c - what is said about packages and versions beside their
 * documents (F-97 to F-99): in every state of a store, and out again.
 */
#include "t.h"
#include "stores.h"
#include "files.h"
#include "mirrors.h"
#include "index.h"
#include "match.h"

#include <lmdb.h>
#include <pthread.h>
#include <stdatomic.h>

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

static void a_batch_of_much_goes_in_several_steps(void **state)
{
	size_t size = PAKHUS_ATTRS_MAX - 100;
	char *json = malloc(PAKHUS_ATTRS_MAX), *doc = s_document("a", "1", 1);
	struct pakhus *s = fresh(state);
	struct pakhus_batch *b;

	assert_done(pakhus_batch_new(s, NULL, &b, &err));
	assert_done(pakhus_batch_publish(b, doc, strlen(doc), &err));
	for (int i = 0; i < 8; i++) {
		int n = sprintf(json, "{\"x\":\"%0*d\"}", (int)size, i);

		assert_done(pakhus_batch_attrs(b, "a", i ? NULL : "1", json,
					       (size_t)n, &err));
	}
	/* so much stays in the step of its publish */
	assert_int_equal(pakhus_batch_durable(b), 0);
	for (int i = 8; i < 30; i++) {
		int n = sprintf(json, "{\"x\":\"%0*d\"}", (int)size, i);

		assert_done(pakhus_batch_attrs(b, "a", "1", json, (size_t)n,
					       &err));
	}
	assert_in_range(pakhus_batch_durable(b), 9, 30);
	assert_done(pakhus_batch_commit(b, &err));
	assert_int_equal(pakhus_batch_durable(b), 31);
	pakhus_batch_free(b);
	assert_said(s, "a", "1", json);
	s_verify(s);
	pakhus_close(s);
	free(doc);
	free(json);
}

static void in_an_immutable_store_it_changes_too(void **state)
{
	char *path = s_init(state, "s", 1), *doc = s_document("a", "2", 2);
	struct pakhus *s = s_open(path, 0);
	struct pakhus_batch *b;

	s_publish(s, "a", "1", 1);
	say(s, "a", "1", "{\"x\":1}");
	say(s, "a", "1", "{\"x\":2}");
	assert_done(pakhus_batch_new(s, NULL, &b, &err));
	assert_done(pakhus_batch_publish(b, doc, strlen(doc), &err));
	assert_done(pakhus_batch_attrs(b, "a", "2", "{\"x\":3}", 7, &err));
	assert_done(pakhus_batch_attrs(b, "a", "2", "{\"x\":4}", 7, &err));
	assert_done(pakhus_batch_publish(b, doc, strlen(doc), &err));
	assert_done(pakhus_batch_commit(b, &err));
	pakhus_batch_free(b);
	assert_said(s, "a", "1", "{\"x\":2}");
	assert_said(s, "a", "2", "{\"x\":4}");
	assert_status(s_try(s, "a", "1", 9, NULL), PAKHUS_ECONFLICT);
	s_verify(s);
	pakhus_close(s);
	free(doc);
	free(path);
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

/* ---- journal, read-only, mirrors, sticks ---- */

static void say_all(struct pakhus *s)
{
	char json[4000];

	for (unsigned i = 0; i < 12; i++) {
		char version[8];

		sprintf(version, "%u", i % 4);
		s_publish(s, "a", version, i);
		sprintf(json, "{\"readme\":\"%03000u\",\"n\":%u}", i, i);
		say(s, "a", NULL, json);
		say(s, "a", version, json);
		if (i == 5)
			assert_done(pakhus_sync(s, &err));
	}
	say(s, "gone", NULL, "{\"x\":1}");
	say(s, "gone", NULL, "{}");
}

static void assert_all(struct pakhus *s)
{
	char json[4000];

	for (unsigned i = 8; i < 12; i++) {
		char version[8];

		sprintf(version, "%u", i % 4);
		sprintf(json, "{\"readme\":\"%03000u\",\"n\":%u}", i, i);
		assert_said(s, "a", version, json);
		assert_said(s, "a", i == 11 ? NULL : version, json);
	}
	assert_said(s, "gone", NULL, NULL);
	s_verify(s);
}

static void who_cannot_write_reads_it_too(void **state)
{
	char *path = s_init(state, "s", 0), *copy = s_text("%s-copy", path);
	struct pakhus *s = s_open(path, 0), *r = s_open(path, PAKHUS_READONLY);

	say_all(s);
	assert_all(r); /* from the journal */
	assert_done(pakhus_sync(s, &err));
	assert_all(r);
	run("cp -a %s %s && rm -r %s/local", path, copy, copy);
	pakhus_close(r);
	r = s_open(copy, PAKHUS_READONLY);
	assert_all(r);
	assert_status(pakhus_set_attrs(r, "a", NULL, "{}", 2, NULL, NULL, &err),
		      PAKHUS_EDENIED);
	pakhus_close(r);
	pakhus_close(s);
	free(copy);
	free(path);
}

static void deltas_are_made_of_what_was_said_before(void **state)
{
	char *path = s_init(state, "s", 0), json[40000];
	struct pakhus *s = s_open(path, 0);
	struct pakhus_stat st;
	uint64_t bytes;

	for (unsigned i = 0; i < 20; i++) {
		size_t n = (size_t)sprintf(json, "{\"readme\":\"");
		uint32_t x = 1;

		for (unsigned k = 0; k < 20000; k++) {
			x = x * 1664525 + 1013904223;
			json[n++] = (char)('A' + (x >> 24) % 26);
		}
		sprintf(json + n, "\",\"n\":%u}", i);
		say(s, "a", NULL, json);
		assert_done(pakhus_sync(s, &err));
	}
	assert_done(pakhus_stat(s, PAKHUS_STAT_OBJECTS, &st, &err));
	assert_int_equal(st.objects, 20);
	assert_int_equal(st.max_depth, 16);
	bytes = st.object_bytes;
	assert_true(bytes < 2 * 20000);
	assert_said(s, "a", NULL, json);
	s_verify(s);
	pakhus_close(s);
	free(path);
}

static void mirrors_have_it(void **state)
{
	char *path = s_init(state, "s", 0);
	char *mirror = s_text("%s/mirror", (char *)*state);
	struct pakhus *s = s_open(path, 0), *m;

	say(s, "a", NULL, "{\"before\":1}");
	assert_done(pakhus_sync(s, &err));
	assert_done(sync_from(mirror, path));
	say_all(s);
	assert_done(pakhus_sync(s, &err));
	assert_done(sync_from(mirror, path));
	assert_same_tree(path, mirror);
	m = s_open(mirror, 0);
	assert_all(m);
	pakhus_close(m);
	/* made anew from the whole of it */
	run("rm -r %s", mirror);
	assert_done(sync_from(mirror, path));
	m = s_open(mirror, 0);
	assert_all(m);
	pakhus_close(m);
	pakhus_close(s);
	free(mirror);
	free(path);
}

static char *last_object(struct pakhus *s, const char *path, const char *id,
			 const char *version)
{
	struct pakhus_attrs *a;
	char *file;

	assert_done(pakhus_attrs(s, id, version, &a, &err));
	file = s_text("%s/objects/%.2s/%s", path, a->hash, a->hash + 2);
	pakhus_attrs_free(a);
	return file;
}

static void a_mirror_believes_no_byte_of_it(void **state)
{
	static const enum evil_how how[] = { EVIL_OMIT, EVIL_ALTER, EVIL_CUT };
	char *path = s_init(state, "s", 0), *file;
	char *mirror = s_text("%s/mirror", (char *)*state);
	struct pakhus *s = s_open(path, 0);

	say_all(s);
	assert_done(pakhus_sync(s, &err));
	file = last_object(s, path, "a", NULL);
	for (size_t i = 0; i < T_COUNT(how); i++) {
		struct copier c = copier_of(path);

		c.how = how[i];
		c.on = file + strlen(path) + 1;
		assert_status(sync_with(mirror, &c,
					(struct pakhus_mirror){ .key = NULL }),
			      PAKHUS_ECORRUPT);
		assert_done(sync_from(mirror, path));
		run("rm -r %s", mirror);
	}
	pakhus_close(s);
	free(file);
	free(mirror);
	free(path);
}

static void a_stick_brings_what_the_mirror_lacks(void **state)
{
	char *path = s_init(state, "s", 0);
	char *mirror = s_text("%s/mirror", (char *)*state);
	char *stick = s_text("%s/b.tar", (char *)*state);
	struct pakhus *s = s_open(path, 0), *m;
	struct pakhus_bundle b = { .since = 0 };
	struct pakhus_mirror with = { .notice = s_notice };
	struct pakhus_stat st;

	s_publish(s, "b", "1", 1);
	say(s, "b", "1", "{\"held\":1}");
	say(s, "b", NULL, "{\"held\":2}");
	assert_done(pakhus_bundle_create(s, stick, &b, &err));
	assert_int_equal(b.objects, 3);
	assert_done(pakhus_bundle_apply(mirror, stick, &with, &err));
	assert_done(pakhus_stat(s, 0, &st, &err));
	b = (struct pakhus_bundle){ .since = st.entries };
	say(s, "b", "1", "{\"held\":1}"); /* again: they have it */
	say(s, "b", NULL, "{\"held\":3}");
	assert_done(pakhus_bundle_create(s, stick, &b, &err));
	assert_int_equal(b.objects, 1);
	assert_done(pakhus_bundle_apply(mirror, stick, &with, &err));
	say_all(s);
	b = (struct pakhus_bundle){ .since = b.to };
	assert_done(pakhus_bundle_create(s, stick, &b, &err));
	assert_done(pakhus_bundle_apply(mirror, stick, &with, &err));
	m = s_open(mirror, 0);
	assert_all(m);
	assert_said(m, "b", "1", "{\"held\":1}");
	assert_said(m, "b", NULL, "{\"held\":3}");
	pakhus_close(m);
	pakhus_close(s);
	free(stick);
	free(mirror);
	free(path);
}

/* Taken out, and said again: what they hold may be gone there. */
static void a_stick_brings_what_was_taken_out_before(void **state)
{
	char *path = s_init(state, "s", 0);
	char *stick = s_text("%s/b.tar", (char *)*state);
	struct pakhus *s = s_open(path, 0);
	struct pakhus_bundle b;
	struct pakhus_stat st;

	s_publish(s, "b", "1", 1);
	say(s, "b", "1", "{\"x\":1}");
	s_delete(s, "b", "1");
	say(s, "b", NULL, "{\"x\":2}");
	say(s, "b", NULL, "{}");
	assert_done(pakhus_stat(s, 0, &st, &err));
	s_publish(s, "b", "1", 2);
	say(s, "b", "1", "{\"x\":1}");
	say(s, "b", NULL, "{\"x\":2}");
	b = (struct pakhus_bundle){ .since = st.entries };
	assert_done(pakhus_bundle_create(s, stick, &b, &err));
	assert_int_equal(b.objects, 4); /* the base of the document too */
	pakhus_close(s);
	free(stick);
	free(path);
}

/* ---- gc, verify, repair ---- */

static void what_is_said_stays_and_what_was_said_goes(void **state)
{
	char *path = s_init(state, "s", 0), *text;
	struct pakhus *s = s_open(path, 0);
	struct pakhus_gc gc = { .grace_us = 0 };
	struct pakhus_history *h;
	struct pakhus_stat st;
	size_t size;

	s_publish(s, "a", "1", 1);
	say(s, "a", NULL, "{\"gone\":1}");
	assert_done(pakhus_sync(s, &err));
	say(s, "a", NULL, "{}");
	say(s, "a", NULL, "{\"stays\":1}");
	say(s, "a", "1", "{\"stays\":2}");
	h = s_history(s, "a", 0, 0);
	assert_done(pakhus_gc(s, &gc, &err));
	assert_int_equal(gc.waiting, 1);
	assert_done(pakhus_read(s, h->items[3].hash, &text, &size, &err));
	pakhus_free(text);
	assert_done(pakhus_gc(s, &gc, &err));
	assert_int_equal(gc.freed, 1);
	assert_done(pakhus_stat(s, PAKHUS_STAT_OBJECTS, &st, &err));
	assert_int_equal(st.objects, 3);
	pakhus_close(s);
	s = s_open(path, 0);
	assert_status(pakhus_read(s, h->items[3].hash, &text, &size, &err),
		      PAKHUS_ENOTFOUND);
	pakhus_history_free(h);
	assert_said(s, "a", NULL, "{\"stays\":1}");
	assert_said(s, "a", "1", "{\"stays\":2}");
	/* said again after it was collected */
	say(s, "a", NULL, "{\"gone\":1}");
	assert_done(pakhus_sync(s, &err));
	assert_said(s, "a", NULL, "{\"gone\":1}");
	s_verify(s);
	pakhus_close(s);
	free(path);
}

static unsigned damages;
static void count_damage(void *arg, const char *file, const char *rule,
			 const char *text)
{
	(void)file, (void)rule, (void)text;
	assert_string_equal(rule, arg);
	damages++;
}

static int verify_finds(struct pakhus *s, unsigned flags, const char *rule)
{
	char name[8];
	struct pakhus_verify v = { .flags = flags, .damage = count_damage,
				   .arg = name };
	int rc;

	strcpy(name, rule);
	damages = 0;
	rc = pakhus_verify(s, &v, &err);
	assert_int_equal(rc, damages ? PAKHUS_ECORRUPT : 0);
	return (int)damages;
}

static void verify_finds_its_damage_and_repair_mends_it(void **state)
{
	char *path = s_init(state, "s", 0), *file, *bytes;
	char *mirror = s_text("%s/mirror", (char *)*state);
	struct pakhus *s = s_open(path, 0);
	struct copier c = copier_of(mirror);
	struct pakhus_repair r = { .notice = s_notice };
	struct pakhus_attrs *a;
	size_t size;

	s_publish(s, "a", "1", 1);
	say(s, "a", "1", "{\"x\":1}");
	assert_done(pakhus_sync(s, &err));
	assert_done(sync_from(mirror, path));
	file = last_object(s, path, "a", "1");
	pakhus_close(s);
	s = s_open(path, 0);
	bytes = slurp(file, &size);
	run("rm -f %s", file);
	assert_int_equal(verify_finds(s, 0, "F-11"), 1);
	assert_int_equal(verify_finds(s, PAKHUS_VERIFY_QUICK, "F-11"), 1);
	assert_status(pakhus_attrs(s, "a", "1", &a, &err), PAKHUS_ECORRUPT);
	assert_non_null(strstr(err.text, "a@1: F-11 the object "));
	assert_status(pakhus_gc(s, &(struct pakhus_gc){ .flags = 0 }, &err),
		      PAKHUS_ECORRUPT);
	bytes[10] ^= 1;
	spill(file, bytes, size);
	run("chmod 444 %s", file);
	assert_true(verify_finds(s, 0, "F-15") == 1);
	assert_status(pakhus_attrs(s, "a", "1", &a, &err), PAKHUS_ECORRUPT);
	pakhus_close(s);
	c.source = (struct pakhus_source){ copier_fetch, &c, c.from };
	assert_done(pakhus_repair(path, &c.source, &r, &err));
	assert_int_equal(r.restored, 1);
	run("rm -f %s", file);
	assert_done(pakhus_repair(path, &c.source, &r, &err));
	assert_int_equal(r.restored, 1);
	s = s_open(path, 0);
	assert_said(s, "a", "1", "{\"x\":1}");
	s_verify(s);
	pakhus_close(s);
	free(bytes);
	free(file);
	free(mirror);
	free(path);
}

/* ---- an index that an earlier pakhus made ---- */

/* Takes what it knew nothing of out of an index. */
static void make_old(const char *path)
{
	char *dir = index_file(path, "");
	MDB_env *env;
	MDB_txn *txn;
	MDB_dbi db;

	assert_int_equal(mdb_env_create(&env), 0);
	mdb_env_set_maxdbs(env, 1);
	assert_int_equal(mdb_env_open(env, dir, MDB_NOTLS, 0600), 0);
	assert_int_equal(mdb_txn_begin(env, NULL, 0, &txn), 0);
	assert_int_equal(mdb_dbi_open(txn, "attrs", 0, &db), 0);
	assert_int_equal(mdb_drop(txn, db, 1), 0);
	assert_int_equal(mdb_txn_commit(txn), 0);
	mdb_env_close(env);
	free(dir);
}

static void an_index_of_before_gets_what_it_lacks(void **state)
{
	char *path = s_init(state, "s", 0), *line = s_text("%s/local/index-state",
							   path);
	struct pakhus *s = s_open(path, 0);
	size_t size;
	char *was;

	s_publish(s, "a", "1", 1);
	pakhus_close(s);
	make_old(path);
	was = slurp(line, &size);
	assert_memory_equal(was, "clean ", 6);
	free(was);
	notices = 0;
	s = s_open(path, 0);
	assert_int_equal(notices, 0); /* it is not made anew */
	was = slurp(line, &size);
	assert_memory_equal(was, "boot ", 5); /* F-66: before it is written */
	free(was);
	assert_said(s, "a", "1", NULL);
	say(s, "a", "1", "{\"x\":1}");
	assert_said(s, "a", "1", "{\"x\":1}");
	s_verify(s);
	pakhus_close(s);
	free(line);
	free(path);
}

/* ---- others meanwhile ---- */

static struct pakhus *shared;
static atomic_int is_over;

static void *read_on(void *arg)
{
	long *n = arg;

	while (!atomic_load(&is_over)) {
		struct pakhus_error e = { .status = 0 };
		struct pakhus_attrs *a;
		int rc = pakhus_attrs(shared, "a", n[1] ? "1" : NULL, &a, &e);

		if (rc) {
			print_error("%s\n", e.text);
			n[0] = -1;
			break;
		}
		pakhus_attrs_free(a);
		n[0]++;
	}
	return NULL;
}

static void who_reads_meanwhile_misses_nothing(void **state)
{
	struct pakhus_gc gc = { .grace_us = 0 };
	struct pakhus_options opt = { .cache_size = 1, .level = 1 };
	long n[2][2] = { { 0, 0 }, { 0, 1 } };
	char *path = s_init(state, "s", 0);
	pthread_t thread[2];

	assert_done(pakhus_open(&shared, path, &opt, &err));
	s_publish(shared, "a", "1", 1);
	say(shared, "a", NULL, "{\"n\":-1}");
	say(shared, "a", "1", "{\"n\":-1}");
	atomic_store(&is_over, 0);
	for (int i = 0; i < 2; i++)
		assert_int_equal(pthread_create(&thread[i], NULL, read_on,
						n[i]), 0);
	for (unsigned i = 0; i < s_scale(60, 15, 1000); i++) {
		char json[40];

		sprintf(json, "{\"n\":%u}", i);
		say(shared, "a", NULL, json);
		say(shared, "a", "1", json);
		if (i % 3 == 0)
			assert_done(pakhus_sync(shared, &err));
		if (i % 5 == 0) /* whole, so that what was said goes */
			say(shared, "a", NULL, json);
		assert_done(pakhus_gc(shared, &gc, &err));
	}
	atomic_store(&is_over, 1);
	for (int i = 0; i < 2; i++) {
		pthread_join(thread[i], NULL);
		assert_true(n[i][0] > 0);
	}
	s_verify(shared);
	pakhus_close(shared);
	free(path);
}

/* ---- what a log cannot say ---- */

static int try_entry(struct pk_txn *t, const struct pk_entry *e)
{
	struct pk_bytes none = { NULL, 0 };

	err.status = 0;
	return pk_index_apply(t, t->stamp.applied, e, none, &err);
}

static void an_entry_that_cannot_be_is_damage(void **state)
{
	struct pk_entry e = { .op = PK_OP_ATTRS, .id = "a" };
	struct pk_txn t = PK_TXN_INIT;
	struct pk_attrs attrs;
	struct pk_index *ix;

	(void)state;
	assert_done(pk_index_open(&ix, -1, &err));
	assert_done(pk_txn_write(&t, ix, &err));
	t.stamp.applied = 1; /* the key */
#define REFUSED(rule)                                            \
	do {                                                     \
		assert_status(try_entry(&t, &e), PAKHUS_ECORRUPT); \
		assert_non_null(strstr(err.text, ": " rule " "));  \
	} while (0)
	e.size = 3;
	REFUSED("F-97");
	e.hash[0] = 1;
	for (uint64_t size = 0; size < 3; size++) {
		e.size = size;
		REFUSED("F-97");
	}
	e.size = PAKHUS_ATTRS_MAX + 1;
	REFUSED("F-97");
	e.size = PAKHUS_ATTRS_MAX;
	assert_done(try_entry(&t, &e));
	strcpy(e.version, "1");
	REFUSED("F-98");
	e.op = PK_OP_PURGE; /* of the version, and it was the package's */
	REFUSED("F-90");
	e.version[0] = '\0';
	assert_done(try_entry(&t, &e));
	assert_int_equal(pk_index_attrs(&t, "a", "", &attrs, &err), 0);
	REFUSED("F-90");
	e.op = PK_OP_ATTRS;
	REFUSED("F-91");
	/* nothing is no text that could be purged (F-97) */
	e.size = 0;
	e.hash[0] = 0;
	assert_done(try_entry(&t, &e));
	e.op = PK_OP_PURGE;
	REFUSED("F-90");
	pk_txn_end(&t);
	pk_index_close(ix);
}

static void a_text_is_that_of_its_entry_alone(void **state) /* F-97, F-2 */
{
	static const struct {
		const char *text, *rule;
	} bad[] = {
		{ "{\"id\":\"a\",\"version\":\"1\",\"attrs\":{\"x\":1}}", NULL },
		{ "{\"id\":\"b\",\"version\":\"1\",\"attrs\":{\"x\":1}}", "F-97" },
		{ "{\"id\":\"a\",\"version\":\"2\",\"attrs\":{\"x\":1}}", "F-97" },
		{ "{\"id\":\"a\",\"version\":\"1\",\"attrs\":{\"x\":10}}", "F-97" },
		{ "{\"id\":\"a\",\"version\":\"1\",\"attrs\":{\"x\":1}]", "F-97" },
		{ "{\"id\":\"a\",\"version\":\"1\",\"attrs\":[\"x\",1]}", "F-97" },
		{ "{\"id\":\"a\",\"version\":\"1\",\"attrs\":{\"x\":1]}", "F-97" },
		{ "{\"id\":\"a\",\"version\":\"1\",\"attrs\":{\"x\" 1}}", "F-97" },
		{ "{\"id\":\"a\",\"version\":\"1\",\"attrs\":{\"x\":1 }}", "F-97" },
		{ "{\"id\":\"a\",\"version\":\"1\",\"attrs\":{\"\": 1}}", "F-2" },
		{ "{\"manifest\":{\"id\":\"a\",\"version\":\"1\"},"
		  "\"metadata\":{}}", "F-97" },
	};
	const struct pk_claim claim = { "a", "1", 0, 0, 7 };

	(void)state;
	for (size_t i = 0; i < T_COUNT(bad); i++) {
		size_t n = strlen(bad[i].text);
		char *exact = (char *)t_exact(bad[i].text, n);
		const char *rule, *fault;

		assert_int_equal(pk_match(exact, n, &claim, &rule, &fault), 0);
		if (bad[i].rule)
			assert_string_equal(rule, bad[i].rule);
		else
			assert_null(rule);
		free(exact);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		T_IN_DIR(what_is_said_is_what_was_said_last),
		T_IN_DIR(of_a_version_it_goes_with_it),
		T_IN_DIR(a_batch_says_it_in_the_step_of_its_publish),
		T_IN_DIR(a_batch_of_much_goes_in_several_steps),
		T_IN_DIR(in_an_immutable_store_it_changes_too),
		T_IN_DIR(what_cannot_be_said_changes_nothing),
		T_IN_DIR(history_and_positions_tell_of_it),
		T_IN_DIR(every_way_to_an_index_gives_the_same),
		T_IN_DIR(who_cannot_write_reads_it_too),
		T_IN_DIR(deltas_are_made_of_what_was_said_before),
		T_IN_DIR(mirrors_have_it),
		T_IN_DIR(a_mirror_believes_no_byte_of_it),
		T_IN_DIR(a_stick_brings_what_the_mirror_lacks),
		T_IN_DIR(a_stick_brings_what_was_taken_out_before),
		T_IN_DIR(what_is_said_stays_and_what_was_said_goes),
		T_IN_DIR(verify_finds_its_damage_and_repair_mends_it),
		T_IN_DIR(an_index_of_before_gets_what_it_lacks),
		T_IN_DIR(who_reads_meanwhile_misses_nothing),
		cmocka_unit_test(an_entry_that_cannot_be_is_damage),
		cmocka_unit_test(a_text_is_that_of_its_entry_alone),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
