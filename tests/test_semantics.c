/* test_semantics.c - what the calls of pakhus.h promise, sentence by
 * sentence, on real stores. Syncs are left out: no promise of this file
 * needs one, and disks are slow.
 *
 * wrap: clock_gettime fsync fdatasync sync_file_range
 */
#include "t.h"
#include "stores.h"
#include "files.h"
#include "clock.h"
#include "nosync.h"

int __wrap_sync_file_range(int fd, off64_t from, off64_t n, unsigned flags);
int __wrap_sync_file_range(int fd, off64_t from, off64_t n, unsigned flags)
{
	(void)fd, (void)from, (void)n, (void)flags;
	return 0;
}

#define T0 INT64_C(1700000000000000) /* 2023-11-14 22:13:20 */

/* ---- publish ---- */

static void a_new_version_is_created_and_updated_now(void **state)
{
	struct pakhus *s = fresh(state);
	struct pakhus_record r;
	struct pakhus_package *p;

	set_clock(T0, 0);
	r = s_publish(s, "a", "1.0.0", 7);
	assert_string_equal(r.id, "a");
	assert_string_equal(r.version, "1.0.0");
	assert_int_equal(r.created_us, T0);
	assert_int_equal(r.updated_us, T0);
	assert_string_equal(r.created_at, "2023-11-14 22:13:20");
	assert_string_equal(r.updated_at, "2023-11-14 22:13:20");
	assert_int_equal(r.seq, 1);
	assert_int_equal(r.place, 1);
	p = s_get(s, "a", "1.0.0");
	assert_memory_equal(&p->record, &r, sizeof(r));
	assert_int_equal(p->manifest_size, r.manifest_size);
	assert_int_equal(p->metadata_size, r.metadata_size);
	assert_int_equal(strlen(p->document), p->document_size);
	assert_ptr_equal(p->manifest, p->document + 12);
	assert_string_equal(p->metadata, "{\"objects\":[7]}}");
	pakhus_package_free(p);
	pakhus_close(s);
}

static void publishing_again_keeps_created_and_place(void **state)
{
	struct pakhus *s = fresh(state);
	struct pakhus_record one, again;

	set_clock(T0, 5000000);
	one = s_publish(s, "a", "1.0.0", 1);
	s_publish(s, "a", "2.0.0", 2);
	again = s_publish(s, "a", "1.0.0", 3);
	assert_int_equal(again.created_us, one.created_us);
	assert_string_equal(again.created_at, one.created_at);
	assert_int_equal(again.place, one.place);
	assert_int_equal(again.updated_us, T0 + 10000000);
	assert_string_equal(again.updated_at, "2023-11-14 22:13:30");
	assert_int_equal(again.seq, 3);
	assert_string_not_equal(again.hash, one.hash);
	assert_holds(s, "a", "1.0.0", 3);
	assert_latest(s, "a", "2.0.0");
	pakhus_close(s);
}

static void the_same_content_again_moves_only_updated(void **state)
{
	struct pakhus *s = fresh(state);
	struct pakhus_record one, again;
	struct pakhus_stat before, after;

	set_clock(T0, 5000000);
	one = s_publish(s, "a", "1.0.0", 1);
	assert_done(pakhus_sync(s, &err));
	assert_done(pakhus_stat(s, PAKHUS_STAT_OBJECTS, &before, &err));
	again = s_publish(s, "a", "1.0.0", 1);
	assert_int_equal(again.created_us, one.created_us);
	assert_int_equal(again.place, one.place);
	assert_string_equal(again.hash, one.hash);
	/* the checkpoint between them asked for the time too */
	assert_int_equal(again.updated_us, one.updated_us + 10000000);
	assert_done(pakhus_sync(s, &err));
	assert_done(pakhus_stat(s, PAKHUS_STAT_OBJECTS, &after, &err));
	assert_int_equal(after.objects, before.objects);
	assert_int_equal(after.versions, 1);
	assert_int_equal(after.packages, 1);
	pakhus_close(s);
}

/* Two packages may hold one text only if one contains the other's names, so
 * the same text comes back only as the same version: deleted and published
 * again it is still one object. */
static void content_that_comes_back_is_stored_once(void **state)
{
	struct pakhus *s = fresh(state);
	struct pakhus_stat st;

	s_publish(s, "a", "1", 1);
	s_publish(s, "a", "1", 2);
	s_publish(s, "a", "1", 1);
	s_delete(s, "a", "1");
	s_publish(s, "a", "1", 2);
	assert_done(pakhus_sync(s, &err));
	assert_done(pakhus_stat(s, PAKHUS_STAT_OBJECTS, &st, &err));
	assert_int_equal(st.objects, 2);
	assert_holds(s, "a", "1", 2);
	s_verify(s);
	pakhus_close(s);
}

static void in_one_microsecond_the_position_decides(void **state)
{
	struct pakhus *s = fresh(state);
	struct pakhus_versions *v;

	set_clock(T0, 0);
	s_publish(s, "a", "1.0.0", 1);
	s_publish(s, "a", "1.0.2", 2);
	s_publish(s, "a", "1.0.1", 3);
	for (int i = 0; i < 20; i++)
		assert_latest(s, "a", "1.0.1");
	v = s_versions(s, "a", 0, 0);
	assert_int_equal(v->count, 3);
	assert_string_equal(v->items[0].version, "1.0.1");
	assert_string_equal(v->items[1].version, "1.0.2");
	assert_string_equal(v->items[2].version, "1.0.0");
	assert_int_equal(v->items[0].created_us, v->items[2].created_us);
	pakhus_versions_free(v);
	pakhus_close(s);
}

static void a_clock_that_goes_back_does_not_move_the_latest(void **state)
{
	struct pakhus *s = fresh(state);
	struct pakhus_record old;

	set_clock(T0, -3600 * INT64_C(1000000));
	s_publish(s, "a", "1", 1);
	s_publish(s, "a", "2", 2);
	s_publish(s, "a", "3", 3);
	assert_latest(s, "a", "3");
	old = s_publish(s, "a", "1", 4);
	assert_true(old.updated_us < old.created_us);
	assert_latest(s, "a", "3");
	assert_done(pakhus_sync(s, &err));
	assert_latest(s, "a", "3");
	pakhus_close(s);
}

/* A log entry holds no time that a double cannot: what the clock says
 * outside of that must not end in an entry that no reader takes. */
static void a_clock_before_1970_or_after_2255_writes_a_readable_log(
	void **state)
{
	char *path = s_init(state, "c", 0);
	struct pakhus *s = s_open(path, 0);
	struct pakhus_record r;

	set_clock(-5000001, 0);
	r = s_publish(s, "a", "1", 1);
	assert_int_equal(r.created_us, 0);
	assert_string_equal(r.created_at, "1970-01-01 00:00:00");
	s_delete(s, "a", "1");
	set_clock(INT64_C(9100000000000000), 0);
	r = s_publish(s, "a", "2", 2);
	assert_int_equal(r.created_us, (INT64_C(1) << 53) - 1);
	assert_int_equal(s_delete(s, "a", "2"), 1);
	s_publish(s, "a", "3", 3);
	assert_done(pakhus_sync(s, &err));
	s_verify(s);
	pakhus_close(s);
	s = s_open(path, PAKHUS_REBUILD);
	assert_latest(s, "a", "3");
	pakhus_close(s);
	set_clock(-1, 0);
	free(path);
	path = s_init(state, "d", 0);
	s = s_open(path, 0);
	s_verify(s);
	pakhus_close(s);
	free(path);
}

static void a_thousand_publishes_of_one_version_are_one_version(void **state)
{
	struct pakhus *s = fresh(state);
	/* each leaves a file, which on a busy disk is what this waits for;
	 * more than a page of history holds */
	unsigned n = s_scale(2000, 300, 11000);
	struct pakhus_versions *v;
	struct pakhus_history *h;
	struct pakhus_package *p;

	set_clock(T0, 1);
	for (unsigned i = 0; i < n; i++)
		s_publish(s, "a", "1", i);
	v = s_versions(s, "a", 0, 0);
	assert_int_equal(v->count, 1);
	assert_int_equal(v->items[0].place, 1);
	assert_int_equal(v->items[0].seq, n);
	assert_int_equal(v->items[0].created_us, T0);
	pakhus_versions_free(v);
	assert_holds(s, "a", "1", n - 1);
	h = s_history(s, "a", 0, 10000);
	assert_int_equal(h->count, n < 10000 ? n : 10000);
	pakhus_history_free(h);
	assert_done(pakhus_sync(s, &err));
	for (unsigned seq = 1; seq <= n; seq += 97) {
		char *want = s_document("a", "1", seq - 1);

		assert_done(pakhus_get_at(s, seq, &p, &err));
		assert_string_equal(p->document, want);
		pakhus_package_free(p);
		free(want);
	}
	assert_int_equal(s_delete(s, "a", NULL), 1);
	s_verify(s);
	pakhus_close(s);
}

static void an_artifact_is_a_package(void **state)
{
	static const char artifact[] =
		"{\"objects\":[1,2],\"manifest\":{\"id\":\"a\","
		"\"version\":\"1\"},\"views\":[ ],\"7\":null}";
	static const char bare[] =
		"{\"manifest\": {\"id\":\"a\",\"version\":\"2\"}}";
	static const char *const wrong[] = {
		"{\"manifest\":{\"id\":\"a\",\"version\":\"1\"},"
		"\"metadata\":{},\"objects\":[]}",
		"{\"manifest\":{\"id\":\"a\",\"version\":\"1\"},"
		"\"metadata\":[]}",
		"{\"manifest\":{\"id\":\"a\"},\"metadata\":{}}",
		"{\"manifest\":{\"version\":\"1\"},\"metadata\":{}}",
		"{\"manifest\":{\"id\":1,\"version\":\"1\"},\"metadata\":{}}",
		"{\"metadata\":{}}", "[]", "null", "", "{",
	};
	struct pakhus *s = fresh(state);
	struct pakhus_package *p;
	struct pakhus_record r;

	assert_done(pakhus_publish(s, artifact, strlen(artifact), NULL, &r,
				   &err));
	p = s_get(s, "a", "1");
	assert_string_equal(p->document,
			    "{\"manifest\":{\"id\":\"a\",\"version\":\"1\"},"
			    "\"metadata\":{\"7\":null,\"objects\":[1,2],"
			    "\"views\":[]}}");
	pakhus_package_free(p);
	assert_done(pakhus_publish(s, bare, strlen(bare), NULL, &r, &err));
	p = s_get(s, "a", NULL);
	assert_string_equal(p->metadata, "{}}");
	assert_int_equal(p->metadata_size, 2);
	pakhus_package_free(p);
	for (size_t i = 0; i < T_COUNT(wrong); i++) {
		assert_status(pakhus_publish(s, wrong[i], strlen(wrong[i]),
					     NULL, &r, &err),
			      PAKHUS_EINVAL);
		assert_true(*err.text);
	}
	assert_latest(s, "a", "2");
	pakhus_close(s);
}

static void the_documented_hash_is_the_hash(void **state)
{
	static const char doc[] =
		"{\"manifest\":{\"id\":\"com.acme.crm\",\"name\":\"CRM\","
		"\"version\":\"1.0.0\",\"type\":\"app\"},\"metadata\":"
		"{\"objects\":[]}}";
	static const char hash[] = "fa8f399fd6b41ef330d7ff4e4c5422a350cd4566"
				   "f44eadd7f065b4f5c0b6276a";
	struct pakhus *s = fresh(state);
	struct pakhus_record r;
	char *text;
	size_t size;

	assert_done(pakhus_publish(s, doc, strlen(doc), NULL, &r, &err));
	assert_string_equal(r.hash, hash);
	for (int i = 0; i < 2; i++) {
		assert_done(pakhus_read(s, hash, &text, &size, &err));
		assert_string_equal(text, doc);
		assert_int_equal(size, strlen(doc));
		pakhus_free(text);
		assert_done(pakhus_sync(s, &err));
	}
	assert_status(pakhus_read(s, "ab", &text, &size, &err), PAKHUS_EINVAL);
	((char *)r.hash)[0] = '0';
	assert_status(pakhus_read(s, r.hash, &text, &size, &err),
		      PAKHUS_ENOTFOUND);
	pakhus_close(s);
}

/* ---- get ---- */

static void latest_nothing_and_empty_mean_the_newest(void **state)
{
	struct pakhus *s = fresh(state);
	struct pakhus_package *p;

	s_publish(s, "a", "2.0.0", 1);
	s_publish(s, "a", "1.0.1", 2);
	assert_holds(s, "a", NULL, 2);
	assert_holds(s, "a", "", 2);
	assert_holds(s, "a", "latest", 2);
	assert_holds(s, "a", "2.0.0", 1);
	assert_status(pakhus_get(s, "a", "2.0", &p, &err), PAKHUS_ENOTFOUND);
	assert_status(pakhus_get(s, "a", "Latest", &p, &err),
		      PAKHUS_ENOTFOUND);
	assert_status(pakhus_get(s, "b", NULL, &p, &err), PAKHUS_ENOTFOUND);
	assert_status(pakhus_get(s, "", NULL, &p, &err), PAKHUS_ENOTFOUND);
	pakhus_close(s);
}

/* ---- delete ---- */

static void published_after_a_delete_it_is_new(void **state)
{
	struct pakhus *s = fresh(state);
	struct pakhus_record r;

	set_clock(T0, 1000000);
	s_publish(s, "a", "1", 1);
	s_publish(s, "a", "2", 2);
	assert_int_equal(s_delete(s, "a", "1"), 1);
	r = s_publish(s, "a", "1", 1);
	assert_int_equal(r.created_us, T0 + 3000000);
	assert_int_equal(r.updated_us, r.created_us);
	assert_int_equal(r.place, 4);
	assert_int_equal(r.seq, 4);
	assert_latest(s, "a", "1");
	pakhus_close(s);
}

static void without_the_latest_the_next_newest_place_is_it(void **state)
{
	struct pakhus *s = fresh(state);
	struct pakhus_list *l;

	for (unsigned i = 0; i < 6; i++) {
		char version[4];

		snprintf(version, sizeof(version), "%u", i);
		s_publish(s, "a", version, i);
	}
	s_publish(s, "b", "1", 9);
	s_publish(s, "a", "2", 22); /* updated: no new place */
	assert_int_equal(s_delete(s, "a", "4"), 1);
	assert_latest(s, "a", "5");
	assert_int_equal(s_delete(s, "a", "5"), 1);
	assert_latest(s, "a", "3");
	assert_int_equal(s_delete(s, "a", "3"), 1);
	assert_holds(s, "a", NULL, 22);
	l = s_list(s, 0, 0, 0);
	assert_int_equal(l->count, 2);
	assert_string_equal(l->items[0]->record.id, "b");
	assert_string_equal(l->items[1]->record.version, "2");
	assert_int_equal(l->items[1]->record.place, 3);
	pakhus_list_free(l);
	s_delete(s, "a", "2");
	s_delete(s, "a", "0");
	assert_latest(s, "a", "1");
	assert_int_equal(s_delete(s, "a", "1"), 1);
	l = s_list(s, 0, 0, 0);
	assert_int_equal(l->count, 1);
	pakhus_list_free(l);
	s_verify(s);
	pakhus_close(s);
}

static void deleting_nothing_is_no_error_and_writes_nothing(void **state)
{
	struct pakhus *s = fresh(state);
	struct pakhus_stat a, b;

	s_publish(s, "a", "1", 1);
	assert_done(pakhus_stat(s, PAKHUS_STAT_OBJECTS, &a, &err));
	assert_int_equal(s_delete(s, "a", "2"), 0);
	assert_int_equal(s_delete(s, "b", NULL), 0);
	assert_int_equal(s_delete(s, "b", "1"), 0);
	assert_int_equal(s_delete(s, "a", "latest"), 0);
	assert_done(pakhus_stat(s, PAKHUS_STAT_OBJECTS, &b, &err));
	assert_int_equal(a.entries, b.entries);
	assert_int_equal(s_delete(s, "a", "1"), 1);
	assert_int_equal(s_delete(s, "a", "1"), 0);
	assert_int_equal(s_delete(s, "a", NULL), 0);
	assert_done(pakhus_delete(s, "a", NULL, NULL, NULL, &err));
	pakhus_close(s);
}

static void an_empty_version_does_not_delete_all(void **state)
{
	struct pakhus *s = fresh(state);
	uint64_t count = 77;

	s_publish(s, "a", "1", 1);
	assert_status(pakhus_delete(s, "a", "", NULL, &count, &err),
		      PAKHUS_EINVAL);
	assert_status(pakhus_delete(s, "", NULL, NULL, &count, &err),
		      PAKHUS_EINVAL);
	assert_int_equal(count, 77);
	assert_latest(s, "a", "1");
	pakhus_close(s);
}

static void all_versions_go_in_one_record(void **state)
{
	struct pakhus *s = fresh(state);
	struct pakhus_stat a, b;
	struct pakhus_history *h;
	char version[8];

	for (unsigned i = 0; i < 40; i++) {
		snprintf(version, sizeof(version), "%u", i);
		s_publish(s, "a", version, i);
	}
	s_publish(s, "ab", "1", 1);
	s_delete(s, "a", "17");
	assert_done(pakhus_sync(s, &err));
	assert_done(pakhus_stat(s, PAKHUS_STAT_OBJECTS, &a, &err));
	assert_int_equal(s_delete(s, "a", NULL), 39);
	assert_done(pakhus_stat(s, PAKHUS_STAT_OBJECTS, &b, &err));
	assert_int_equal(b.entries, a.entries + 39);
	/* 39 lines of 75 bytes: one header, one span of blocks */
	assert_int_equal(b.journal_bytes - a.journal_bytes, 4096);
	assert_int_equal(b.versions, 1);
	assert_int_equal(b.packages, 1);
	h = s_history(s, "a", 0, 39);
	for (size_t i = 0; i < h->count; i++) {
		assert_string_equal(h->items[i].op, "delete");
		assert_int_equal(h->items[i].time_us, h->items[0].time_us);
	}
	pakhus_history_free(h);
	assert_latest(s, "ab", "1");
	pakhus_close(s);
}

static void versions_published_backwards_are_deleted_quickly(void **state)
{
	struct pakhus *s = fresh(state);
	unsigned n = s_scale(4000, 500, 20000);
	struct pakhus_batch *b;
	struct timespec t0, t1;
	char version[8];

	assert_done(pakhus_batch_new(s, NULL, &b, &err));
	for (unsigned i = n; i > 0; i--) {
		char *doc;

		snprintf(version, sizeof(version), "%06u", i);
		doc = s_document("a", version, i);
		assert_done(pakhus_batch_publish(b, doc, strlen(doc), &err));
		free(doc);
	}
	assert_done(pakhus_batch_commit(b, &err));
	pakhus_batch_free(b);
	assert_latest(s, "a", "000001");
	__real_clock_gettime(CLOCK_MONOTONIC, &t0);
	assert_int_equal(s_delete(s, "a", NULL), n);
	__real_clock_gettime(CLOCK_MONOTONIC, &t1);
	assert_true(t1.tv_sec - t0.tv_sec < 5);
	pakhus_close(s);
}

/* ---- history ---- */

static void what_was_overwritten_or_deleted_stays_readable(void **state)
{
	char *path = s_init(state, "h", 0);
	struct pakhus *s = s_open(path, 0);
	struct pakhus_package *p;

	set_clock(T0, 1000000);
	s_publish(s, "a", "1", 1);
	s_publish(s, "a", "1", 2);
	s_delete(s, "a", "1");
	s_publish(s, "a", "2", 3);
	for (int round = 0; round < 3; round++) {
		for (uint64_t seq = 1; seq <= 2; seq++) {
			char *want = s_document("a", "1", (unsigned)seq);

			assert_done(pakhus_get_at(s, seq, &p, &err));
			assert_string_equal(p->document, want);
			assert_int_equal(p->record.seq, seq);
			assert_int_equal(p->record.place, seq);
			assert_int_equal(p->record.created_us,
					 T0 + (int64_t)seq * 1000000 - 1000000);
			assert_int_equal(p->record.updated_us,
					 p->record.created_us);
			pakhus_package_free(p);
			free(want);
		}
		assert_status(pakhus_get_at(s, 0, &p, &err), PAKHUS_ENOTFOUND);
		assert_status(pakhus_get_at(s, 3, &p, &err), PAKHUS_ENOTFOUND);
		assert_status(pakhus_get_at(s, 5, &p, &err), PAKHUS_ENOTFOUND);
		assert_status(pakhus_get_at(s, UINT64_MAX, &p, &err),
			      PAKHUS_ENOTFOUND);
		if (!round) {
			assert_done(pakhus_sync(s, &err));
		} else {
			pakhus_close(s);
			s = s_open(path, round == 1 ? PAKHUS_REBUILD : 0);
		}
	}
	pakhus_close(s);
	free(path);
}

static void history_tells_who_and_pages_from_the_newest(void **state)
{
	struct pakhus *s = fresh(state);
	struct pakhus_history *h;
	uint64_t before = 0, seen = 0;
	char *doc = s_document("a", "1", 1);

	set_clock(T0, 1000000);
	assert_done(pakhus_publish(s, doc, strlen(doc), "Ærø", NULL, &err));
	free(doc);
	s_publish(s, "b", "1", 1);
	s_publish(s, "a", "2", 2);
	assert_done(pakhus_sync(s, &err)); /* half in the log, half not */
	s_delete(s, "a", "1");
	s_publish(s, "b", "2", 2);
	s_publish(s, "a", "1", 3);
	h = s_history(s, "a", 0, 0);
	assert_int_equal(h->count, 4);
	assert_int_equal(h->next, 0);
	assert_int_equal(h->position, 7);
	assert_int_equal(h->items[0].seq, 6);
	assert_string_equal(h->items[1].op, "delete");
	assert_string_equal(h->items[1].hash, "");
	assert_string_equal(h->items[1].version, "1");
	assert_int_equal(h->items[1].seq, 4);
	assert_string_equal(h->items[1].by, "test");
	assert_string_equal(h->items[3].op, "publish");
	assert_string_equal(h->items[3].by, "Ærø");
	assert_string_equal(h->items[3].time, "2023-11-14 22:13:20");
	assert_int_equal(strlen(h->items[3].hash), 64);
	pakhus_history_free(h);
	do { /* a page of one at a time, of the package */
		h = s_history(s, "a", before, 1);
		assert_int_equal(h->count, 1);
		assert_true(!before || h->items[0].seq < before);
		before = h->next;
		seen++;
		pakhus_history_free(h);
	} while (before);
	assert_int_equal(seen, 4);
	for (size_t limit = 1; limit < 9; limit++) { /* and of the log */
		uint64_t next = 7;

		before = 0;
		do {
			h = s_history(s, NULL, before, limit);
			assert_true(h->count && h->count <= limit);
			for (size_t i = 0; i < h->count; i++)
				assert_int_equal(h->items[i].seq, --next);
			before = h->next;
			if (!before)
				assert_string_equal(
					h->items[h->count - 1].op, "key");
			pakhus_history_free(h);
		} while (before);
		assert_int_equal(next, 0);
	}
	h = s_history(s, "nobody", 0, 0);
	assert_int_equal(h->count, 0);
	pakhus_history_free(h);
	h = s_history(s, "a", 1, 0);
	assert_int_equal(h->count, 0);
	assert_int_equal(h->next, 0);
	pakhus_history_free(h);
	pakhus_close(s);
}

/* ---- list and versions ---- */

static void list_shows_each_package_once_newest_place_first(void **state)
{
	struct pakhus *s = fresh(state);
	struct pakhus_list *l;

	s_publish(s, "a", "1", 1);
	s_publish(s, "b", "1", 2);
	s_publish(s, "a", "2", 3);
	s_publish(s, "c", "1", 4);
	s_publish(s, "b", "1", 5); /* no new place */
	for (int round = 0; round < 2; round++) {
		l = s_list(s, 0, 0, 0);
		assert_int_equal(l->count, 3);
		assert_int_equal(l->next, 0);
		assert_int_equal(l->position, 6);
		assert_string_equal(l->items[0]->record.id, "c");
		assert_string_equal(l->items[1]->record.id, "a");
		assert_string_equal(l->items[1]->record.version, "2");
		assert_string_equal(l->items[2]->record.id, "b");
		assert_string_equal(l->items[2]->manifest,
				    "{\"id\":\"b\",\"version\":\"1\","
				    "\"name\":\"n5\"}");
		assert_int_equal(l->items[2]->manifest_size,
				 strlen(l->items[2]->manifest));
		assert_null(l->items[2]->document);
		assert_null(l->items[2]->metadata);
		assert_int_equal(l->items[2]->document_size, 0);
		pakhus_list_free(l);
		l = s_list(s, 0, 0, PAKHUS_DOCUMENTS);
		assert_int_equal(l->count, 3);
		for (size_t i = 0; i < 3; i++)
			assert_int_equal(strlen(l->items[i]->document),
					 l->items[i]->document_size);
		assert_string_equal(l->items[2]->metadata,
				    "{\"objects\":[5]}}");
		pakhus_list_free(l);
		assert_done(pakhus_sync(s, &err));
	}
	pakhus_close(s);
}

/* Every package is seen once, whatever is published between the pages, if
 * it was there before the first and nothing was done to it. */
static void a_cursor_is_stable_while_others_publish(void **state)
{
	struct pakhus *s = fresh(state);
	struct pakhus_list *l;
	uint64_t before = 0;
	char seen[40] = "", id[8];

	for (unsigned i = 0; i < 40; i++) {
		snprintf(id, sizeof(id), "p%u", i);
		s_publish(s, id, "1", i);
	}
	do {
		l = s_list(s, before, 7, 0);
		for (size_t i = 0; i < l->count; i++)
			if (l->items[i]->record.id[0] == 'p')
				seen[atoi(l->items[i]->record.id + 1)]++;
		if (l->next)
			assert_int_equal(l->count, 7);
		before = l->next;
		pakhus_list_free(l);
		snprintf(id, sizeof(id), "q%u", (unsigned)before);
		s_publish(s, id, "1", 1);
		s_publish(s, "p3", "1", (unsigned)before);
	} while (before);
	for (unsigned i = 0; i < 40; i++)
		assert_int_equal(seen[i], 1);
	l = s_list(s, 1, 0, 0);
	assert_int_equal(l->count, 0);
	pakhus_list_free(l);
	pakhus_close(s);
}

static void versions_page_newest_place_first(void **state)
{
	struct pakhus *s = fresh(state);
	char version[8];

	for (unsigned i = 0; i < 25; i++) {
		snprintf(version, sizeof(version), "%u", i);
		s_publish(s, "a", version, i);
	}
	s_delete(s, "a", "20");
	s_publish(s, "a", "5", 99);
	for (size_t limit = 1; limit < 30; limit += 6) {
		struct pakhus_versions *v;
		uint64_t before = 0, last = UINT64_MAX;
		size_t n = 0;

		do {
			v = s_versions(s, "a", before, limit);
			assert_int_equal(v->position, 28);
			for (size_t i = 0; i < v->count; i++, n++) {
				assert_true(v->items[i].place < last);
				last = v->items[i].place;
				assert_string_not_equal(v->items[i].version,
							"20");
			}
			before = v->next;
			pakhus_versions_free(v);
		} while (before);
		assert_int_equal(n, 24);
	}
	pakhus_close(s);
}

/* ---- immutable ---- */

static void an_immutable_store_keeps_what_a_version_was(void **state)
{
	char *path = s_init(state, "i", 1);
	struct pakhus *s = s_open(path, 0);
	struct pakhus_record r;
	struct pakhus_stat st;

	s_publish(s, "a", "1", 1);
	s_publish(s, "a", "1", 1);
	assert_status(s_try(s, "a", "1", 2, &r), PAKHUS_ECONFLICT);
	assert_non_null(strstr(err.text, "a@1"));
	s_delete(s, "a", "1");
	assert_status(s_try(s, "a", "1", 2, &r), PAKHUS_ECONFLICT);
	pakhus_close(s);
	s = s_open(path, PAKHUS_REBUILD);
	assert_status(s_try(s, "a", "1", 2, &r), PAKHUS_ECONFLICT);
	s_publish(s, "a", "1", 1);
	assert_latest(s, "a", "1");
	s_delete(s, "a", NULL);
	assert_status(s_try(s, "a", "1", 2, &r), PAKHUS_ECONFLICT);
	s_publish(s, "a", "2", 2);
	assert_done(pakhus_stat(s, PAKHUS_STAT_OBJECTS, &st, &err));
	assert_int_equal(st.immutable, 1);
	pakhus_close(s);
	free(path);
}

static int add(struct pakhus_batch *b, const char *id, const char *version,
	       unsigned n)
{
	char *doc = s_document(id, version, n);
	int rc = pakhus_batch_publish(b, doc, strlen(doc), &err);

	free(doc);
	return rc;
}

static void a_batch_keeps_an_immutable_version_too(void **state)
{
	char *path = s_init(state, "i", 1);
	struct pakhus *s = s_open(path, 0);
	struct pakhus_batch *b;

	s_publish(s, "a", "1", 1);
	assert_done(pakhus_batch_new(s, NULL, &b, &err));
	assert_done(add(b, "a", "2", 2));
	assert_done(add(b, "a", "2", 2));
	assert_status(add(b, "a", "2", 3), PAKHUS_ECONFLICT);
	assert_status(add(b, "a", "1", 3), PAKHUS_ECONFLICT);
	assert_done(add(b, "a", "1", 1));
	assert_int_equal(pakhus_batch_durable(b), 0);
	assert_done(pakhus_batch_commit(b, &err));
	assert_int_equal(pakhus_batch_durable(b), 3);
	assert_status(add(b, "a", "2", 3), PAKHUS_ECONFLICT);
	pakhus_batch_free(b);
	assert_holds(s, "a", NULL, 2);
	pakhus_close(s);
	free(path);
}

struct race {
	const char *path;
	unsigned n;
	int ready; /* read: when it closes, begin */
};

static int publish_conflicting(void *arg)
{
	struct race *r = arg;
	struct pakhus *s;
	char c;
	int rc;

	if (pakhus_open(&s, r->path, NULL, &err))
		return 100;
	(void)!read(r->ready, &c, 1);
	rc = s_try(s, "a", "1", r->n, NULL);
	pakhus_close(s);
	return rc ? rc == PAKHUS_ECONFLICT ? 1 : 101 : 0;
}

static void of_two_processes_with_other_content_one_wins(void **state)
{
	for (unsigned round = 0; round < 8; round++) {
		char name[8], *path;
		pid_t pid[4];
		int gate[2], status, won = 0, winner = -1;
		struct pakhus *s;

		snprintf(name, sizeof(name), "i%u", round);
		path = s_init(state, name, 1);
		assert_int_equal(pipe(gate), 0);
		for (unsigned i = 0; i < 4; i++) {
			struct race r = { path, i, gate[0] };

			fflush(NULL);
			pid[i] = fork();
			if (!pid[i]) {
				close(gate[1]);
				_exit(publish_conflicting(&r));
			}
		}
		close(gate[1]);
		close(gate[0]);
		for (int i = 0; i < 4; i++) {
			assert_int_equal(waitpid(pid[i], &status, 0), pid[i]);
			assert_true(WIFEXITED(status));
			assert_true(WEXITSTATUS(status) <= 1);
			if (!WEXITSTATUS(status)) {
				won++;
				winner = i;
			}
		}
		assert_int_equal(won, 1);
		s = s_open(path, 0);
		assert_holds(s, "a", "1", (unsigned)winner);
		s_verify(s);
		pakhus_close(s);
		free(path);
	}
}

/* ---- batches ---- */

static void a_batch_goes_on_after_a_refusal(void **state)
{
	struct pakhus *s = fresh(state);
	struct pakhus_batch *b;

	assert_status(pakhus_batch_new(s, "a\nb", &b, &err), PAKHUS_EINVAL);
	assert_done(pakhus_batch_new(s, "me", &b, &err));
	assert_done(pakhus_batch_commit(b, &err));
	assert_done(add(b, "a", "1", 1));
	assert_status(pakhus_batch_publish(b, "{", 1, &err), PAKHUS_EINVAL);
	assert_status(add(b, "a", "latest", 1), PAKHUS_ELIMIT);
	assert_done(add(b, "a", "2", 2));
	assert_done(add(b, "a", "1", 3));
	assert_int_equal(pakhus_batch_durable(b), 0);
	assert_done(pakhus_batch_commit(b, &err));
	assert_int_equal(pakhus_batch_durable(b), 3);
	assert_done(add(b, "a", "3", 4));
	pakhus_batch_free(b); /* and the last one with it */
	assert_holds(s, "a", "1", 3);
	assert_latest(s, "a", "2");
	pakhus_close(s);
}

static uint64_t newest_seq(struct pakhus *s)
{
	struct pakhus_history *h = s_history(s, NULL, 0, 1);
	uint64_t seq = h->items[0].seq;

	pakhus_history_free(h);
	return seq;
}

static void a_large_batch_is_durable_in_order_and_by_parts(void **state)
{
	struct pakhus *s = fresh(state);
	struct pakhus_batch *b;
	size_t size = 300000;
	char *fill = malloc(size + 1), version[8];
	unsigned n = s_scale(200, 60, 800), i;
	uint64_t durable = 0, x = 88172645463325252;
	struct pakhus_history *h;

	assert_done(pakhus_batch_new(s, NULL, &b, &err));
	for (i = 0; i < n; i++) {
		char *doc;

		for (size_t k = 0; k < size; k++) { /* does not compress */
			x ^= x << 13, x ^= x >> 7, x ^= x << 17;
			fill[k] = (char)('a' + x % 26);
		}
		fill[size] = '\0';
		snprintf(version, sizeof(version), "%u", i);
		doc = s_text("{\"manifest\":{\"id\":\"a\",\"version\":\"%s\"},"
			     "\"metadata\":{\"x\":\"%s\"}}", version, fill);
		assert_done(pakhus_batch_publish(b, doc, strlen(doc), &err));
		free(doc);
		assert_true(pakhus_batch_durable(b) >= durable);
		durable = pakhus_batch_durable(b);
		assert_true(durable <= i);
		if (durable)
			assert_int_equal(newest_seq(s), durable);
	}
	assert_true(durable > n / 2);
	assert_done(pakhus_batch_commit(b, &err));
	assert_int_equal(pakhus_batch_durable(b), n);
	pakhus_batch_free(b);
	h = s_history(s, "a", 0, 1);
	assert_int_equal(h->items[0].seq, n);
	pakhus_history_free(h);
	free(fill);
	s_verify(s);
	pakhus_close(s);
}

/* ---- the rest of the contract ---- */

static void failures_leave_outputs_alone(void **state)
{
	struct pakhus *s = fresh(state), *none = (void *)state;
	struct pakhus_record r, was;
	struct pakhus_package *p = (void *)state;

	memset(&r, 0x5a, sizeof(r));
	was = r;
	assert_status(pakhus_publish(s, "[]", 2, NULL, &r, &err),
		      PAKHUS_EINVAL);
	assert_memory_equal(&r, &was, sizeof(r));
	assert_status(pakhus_get(s, "x", NULL, &p, &err), PAKHUS_ENOTFOUND);
	assert_ptr_equal(p, state);
	assert_int_equal(pakhus_get(s, "x", NULL, &p, NULL),
			 PAKHUS_ENOTFOUND);
	assert_status(pakhus_open(&none, "/nonexistent/x", NULL, &err),
		      PAKHUS_ENOTFOUND);
	assert_ptr_equal(none, state);
	pakhus_package_free(NULL);
	pakhus_list_free(NULL);
	pakhus_versions_free(NULL);
	pakhus_history_free(NULL);
	pakhus_batch_free(NULL);
	pakhus_close(NULL);
	pakhus_close(s);
}

static void init_refuses_what_is_there(void **state)
{
	char *path = s_init(state, "x", 0);
	struct pakhus_init_options opt = { .origin = "a b" };
	struct pakhus *s;

	assert_status(pakhus_init(path, NULL, &err), PAKHUS_ECONFLICT);
	free(path);
	path = s_text("%s/y", (char *)*state);
	assert_status(pakhus_init(path, &opt, &err), PAKHUS_EINVAL);
	opt.origin = "example.org/log";
	opt.by = "\n";
	assert_status(pakhus_init(path, &opt, &err), PAKHUS_EINVAL);
	opt.by = "me";
	assert_done(pakhus_init(path, &opt, &err));
	s = s_open(path, PAKHUS_CREATE);
	s_verify(s);
	pakhus_close(s);
	free(path);
	path = s_text("%s/z", (char *)*state);
	assert_status(pakhus_open(&s, path, NULL, &err), PAKHUS_ENOTFOUND);
	s = s_open(path, PAKHUS_CREATE);
	s_publish(s, "a", "1", 1);
	pakhus_close(s);
	free(path);
	assert_status(pakhus_init(*state, NULL, &err), PAKHUS_ECONFLICT);
}

static int real_clock(void **state)
{
	set_clock(0, 0);
	return t_dir_make(state);
}

#define T(test) cmocka_unit_test_setup_teardown(test, real_clock, t_dir_remove)

static void a_store_closed_after_a_fork_is_free(void **state)
{
	char *path = s_init(state, "s", 0);
	struct pakhus *s = s_open(path, 0);
	pid_t child;

	s_publish(s, "a", "1", 1);
	child = fork();
	if (!child) {
		pause(); /* with all of the parent's files open */
		_exit(0);
	}
	pakhus_close(s);
	alarm(60); /* an exclusive presence would have stayed with the child */
	s = s_open(path, 0);
	alarm(0);
	assert_holds(s, "a", "1", 1);
	pakhus_close(s);
	kill(child, SIGKILL);
	waitpid(child, NULL, 0);
	free(path);
}

/* Written beside the lock that objects are staged under: a file of pkg/, say. */
static void what_another_is_about_to_rename_stays_in_the_stage(void **state)
{
	static const char *const name[] = { "pkg", "0123456789abcdef" };
	const struct timespec old[2] = { { .tv_sec = 1 }, { .tv_sec = 1 } };
	char *path = s_init(state, "s", 0), *object;
	struct pakhus *s = s_open(path, 0);

	object = s_text("%s/local/stage/%064d", path, 0);
	for (int is_old = 0; is_old < 2; is_old++) {
		spill(object, "x", 1);
		for (size_t i = 0; i < T_COUNT(name); i++) {
			char *file = s_text("%s/local/stage/%s", path, name[i]);

			spill(file, "x", 1);
			if (is_old)
				assert_int_equal(utimensat(AT_FDCWD, file, old,
							   0), 0);
			free(file);
		}
		s_publish(s, "a", is_old ? "2" : "1", 1);
		assert_done(pakhus_sync(s, &err));
		assert_int_equal(access(object, F_OK), -1);
		for (size_t i = 0; i < T_COUNT(name); i++) {
			char *file = s_text("%s/local/stage/%s", path, name[i]);

			assert_int_equal(access(file, F_OK), is_old ? -1 : 0);
			free(file);
		}
	}
	pakhus_close(s);
	free(object);
	free(path);
}

static void what_is_opened_to_be_read_is_not_made(void **state)
{
	struct pakhus_options opt = { .flags = PAKHUS_CREATE |
					       PAKHUS_READONLY };
	struct pakhus *s = NULL;

	assert_int_equal(chdir(*state), 0);
	assert_status(pakhus_open(&s, "none", &opt, &err), PAKHUS_ENOTFOUND);
	assert_int_not_equal(access("none", F_OK), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(a_new_version_is_created_and_updated_now),
		T(publishing_again_keeps_created_and_place),
		T(the_same_content_again_moves_only_updated),
		T(content_that_comes_back_is_stored_once),
		T(in_one_microsecond_the_position_decides),
		T(a_clock_that_goes_back_does_not_move_the_latest),
		T(a_clock_before_1970_or_after_2255_writes_a_readable_log),
		T(a_thousand_publishes_of_one_version_are_one_version),
		T(an_artifact_is_a_package),
		T(the_documented_hash_is_the_hash),
		T(latest_nothing_and_empty_mean_the_newest),
		T(published_after_a_delete_it_is_new),
		T(without_the_latest_the_next_newest_place_is_it),
		T(deleting_nothing_is_no_error_and_writes_nothing),
		T(an_empty_version_does_not_delete_all),
		T(all_versions_go_in_one_record),
		T(versions_published_backwards_are_deleted_quickly),
		T(what_was_overwritten_or_deleted_stays_readable),
		T(history_tells_who_and_pages_from_the_newest),
		T(list_shows_each_package_once_newest_place_first),
		T(a_cursor_is_stable_while_others_publish),
		T(versions_page_newest_place_first),
		T(an_immutable_store_keeps_what_a_version_was),
		T(a_batch_keeps_an_immutable_version_too),
		T(of_two_processes_with_other_content_one_wins),
		T(a_batch_goes_on_after_a_refusal),
		T(a_large_batch_is_durable_in_order_and_by_parts),
		T(failures_leave_outputs_alone),
		T(init_refuses_what_is_there),
		T(a_store_closed_after_a_fork_is_free),
		T(what_another_is_about_to_rename_stays_in_the_stage),
		T(what_is_opened_to_be_read_is_not_made),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
