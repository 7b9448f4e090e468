/* test_purge.c - a purged text is gone, byte for byte, and nothing else is.
 *
 * wrap: open openat pwrite write fsync fdatasync renameat mkdir mkdirat unlinkat fchmod ftruncate fstat fstatat
 */
#include "trace.h"
#include "purged.h"
#include "mirrors.h"
#include "index.h"

/* ---- what goes, and what stays ---- */

/* Purges one of many, which others are made against, and looks at them. */
static void purge_one_of_many(void **state, unsigned which, int is_base)
{
	char *path = s_init(state, "store", 0), *gone = name_of(which);
	char hash[MANY][PAKHUS_HASH_HEX + 1];
	unsigned depth[MANY], whole = 0;
	struct pakhus *s = s_open(path, 0);
	struct pakhus_purged out;
	struct pakhus_stat st;

	publish_many(s);
	assert_done(pakhus_sync(s, &err));
	for (unsigned v = 0; v < MANY; v++) {
		char *name = name_of(v);
		struct pakhus_package *p = s_get(s, "many", name);

		strcpy(hash[v], p->record.hash);
		depth[v] = depth_of(path, hash[v]);
		pakhus_package_free(p);
		free(name);
	}
	is_there(path, which);
	assert_done(pakhus_purge(s, "many", gone, REASON, NULL, &out, &err));
	assert_int_equal(out.texts, 1);
	assert_int_equal(out.seq, MANY + 1);
	assert_true(is_base ? out.encoded >= 2 : !out.encoded);
	is_gone(path, which);
	for (int again = 0; again < 2; again++) {
		for (unsigned v = 0; v < MANY; v++) {
			char *name = name_of(v);
			struct pakhus_package *p;

			if (v != which) {
				holds_marked(s, "many", name, v);
				p = s_get(s, "many", name);
				assert_string_equal(p->record.hash, hash[v]);
				assert_true(depth_of(path, hash[v]) <=
					    depth[v]); /* F-92 */
				whole += !depth_of(path, hash[v]);
				pakhus_package_free(p);
			}
			free(name);
		}
		s_verify(s);
		pakhus_close(s);
		is_gone(path, which);
		s = s_open(path, again ? 0 : PAKHUS_REBUILD);
	}
	assert_done(pakhus_stat(s, PAKHUS_STAT_OBJECTS, &st, &err));
	assert_int_equal(st.versions, MANY - 1);
	assert_int_equal(st.objects, MANY - 1);
	assert_true(whole >= 2);
	pakhus_close(s);
	free(gone);
	free(path);
}

static void a_whole_base_with_many_dependents_goes(void **state)
{
	purge_one_of_many(state, 0, 1);
}

static void a_base_in_the_middle_of_a_chain_goes(void **state)
{
	purge_one_of_many(state, 8, 1);
}

static void one_that_nothing_is_made_against_goes(void **state)
{
	purge_one_of_many(state, MANY - 1, 0);
}

/* Each of them is made against the one before. */
static void a_chain_of_bases_goes_at_once(void **state)
{
	char *path = s_init(state, "store", 0);
	struct pakhus *s = s_open(path, 0);
	struct pakhus_purged out;

	for (unsigned i = 0; i < 4; i++)
		put(s, "a", "1", i);
	for (unsigned i = 4; i < 8; i++)
		put(s, "a", "2", i);
	assert_done(pakhus_sync(s, &err));
	assert_done(pakhus_purge(s, "a", "1", REASON, "me", &out, &err));
	assert_int_equal(out.texts, 4);
	assert_true(out.encoded >= 1);
	for (unsigned i = 0; i < 4; i++)
		is_gone(path, i);
	is_there(path, 4);
	holds_marked(s, "a", "2", 7);
	s_verify(s);
	pakhus_close(s);
	free(path);
}

static void the_next_is_the_latest_where_that_is_purged(void **state)
{
	char *path = s_init(state, "store", 0);
	struct pakhus *s = s_open(path, 0);
	struct pakhus_list *l;
	struct pakhus_versions *v;

	put(s, "a", "1", 1);
	put(s, "a", "2", 2);
	put(s, "b", "1", 3);
	purge(s, "a", "2", 1);
	for (int i = 0; i < 2; i++) {
		assert_latest(s, "a", "1");
		l = s_list(s, 0, 10, 0);
		assert_int_equal(l->count, 2);
		assert_string_equal(l->items[1]->record.version, "1");
		assert_int_equal(l->items[1]->manifest_size,
				 l->items[1]->record.manifest_size);
		pakhus_list_free(l);
		v = s_versions(s, "a", 0, 10);
		assert_int_equal(v->count, 1);
		pakhus_versions_free(v);
	}
	purge(s, "a", "1", 1);
	assert_status(pakhus_get(s, "a", NULL, NULL, &err), PAKHUS_ENOTFOUND);
	l = s_list(s, 0, 10, 0);
	assert_int_equal(l->count, 1);
	pakhus_list_free(l);
	s_verify(s);
	pakhus_close(s);
	is_gone(path, 1);
	is_gone(path, 2);
	is_there(path, 3);
	free(path);
}

/* A, B, A, then C and deleted; B is live in between. */
static void all_that_a_version_ever_was_goes(void **state)
{
	char *path = s_init(state, "store", 0);
	struct pakhus *s = s_open(path, 0);
	struct pakhus_package *p;
	uint64_t a, b;

	a = put(s, "a", "1", 1);
	b = put(s, "a", "1", 2);
	put(s, "a", "1", 1);
	put(s, "a", "2", 3);
	s_delete(s, "a", "1");
	put(s, "a", "1", 4);
	/* one alone, which is not the live one */
	assert_done(pakhus_purge_at(s, "a", "1", b, REASON, NULL, NULL, &err));
	is_gone(path, 2);
	holds_marked(s, "a", "1", 4);
	assert_done(pakhus_get_at(s, a, &p, &err));
	pakhus_package_free(p);
	purge(s, "a", "1", 2);
	is_gone(path, 1);
	is_gone(path, 4);
	assert_status(pakhus_get(s, "a", "1", NULL, &err), PAKHUS_ENOTFOUND);
	holds_marked(s, "a", "2", 3);
	/* other content is a text of its own */
	put(s, "a", "1", 5);
	assert_latest(s, "a", "1");
	purge(s, "a", "1", 1);
	is_gone(path, 5);
	assert_latest(s, "a", "2");
	s_verify(s);
	pakhus_close(s);
	free(path);
}

static void what_is_in_the_journal_alone_goes(void **state)
{
	char *path = s_init(state, "store", 0);
	struct pakhus *s = s_open(path, 0);

	put(s, "a", "1", 1);
	put(s, "a", "2", 2);
	is_there(path, 1);
	purge(s, "a", "1", 1);
	is_gone(path, 1);
	holds_marked(s, "a", "2", 2);
	/* and what is left over in a slot that was used before */
	for (unsigned i = 0; i < 20; i++) {
		char *name = name_of(i);

		put(s, "b", name, 100 + i);
		if (i % 3 == 0)
			assert_done(pakhus_sync(s, &err));
		free(name);
	}
	purge(s, "b", "1.0.3", 1);
	is_gone(path, 103);
	for (unsigned i = 0; i < 20; i++) {
		char *name = name_of(i);

		if (i != 3)
			holds_marked(s, "b", name, 100 + i);
		free(name);
	}
	s_verify(s);
	pakhus_close(s);
	free(path);
}

static void a_long_text_goes(void **state)
{
	char *path = s_init(state, "store", 0);
	char *doc = marked("long", "1", 1, (size_t)5 << 20);
	struct pakhus *s = s_open(path, 0);

	put(s, "long", "2", 2);
	assert_done(pakhus_publish(s, doc, strlen(doc), NULL, NULL, &err));
	is_there(path, 1);
	purge(s, "long", "1", 1);
	is_gone(path, 1);
	/* it would be an object before its entry */
	assert_status(pakhus_publish(s, doc, strlen(doc), NULL, NULL, &err),
		      PAKHUS_ECONFLICT);
	is_gone(path, 1);
	holds_marked(s, "long", "2", 2);
	s_verify(s);
	pakhus_close(s);
	free(doc);
	free(path);
}

/* ---- what is answered ---- */

static void what_was_purged_is_a_conflict_for_who_publishes(void **state)
{
	for (int immutable = 0; immutable < 2; immutable++) {
		char *path = s_init(state, immutable ? "i" : "s", immutable);
		struct pakhus *s = s_open(path, 0);
		char *doc = marked("a", "1", 1, ALIKE);
		struct pakhus_batch *b;

		put(s, "a", "1", 1);
		purge(s, "a", "1", 1);
		assert_status(try_marked(s, "a", "1", 1, NULL),
			      PAKHUS_ECONFLICT);
		says("a@1: this text was purged at entry 2: " REASON);
		assert_done(pakhus_batch_new(s, NULL, &b, &err));
		assert_status(pakhus_batch_publish(b, doc, strlen(doc), &err),
			      PAKHUS_ECONFLICT);
		free(doc);
		doc = marked("a", "2", 2, ALIKE);
		assert_done(pakhus_batch_publish(b, doc, strlen(doc), &err));
		assert_done(pakhus_batch_commit(b, &err));
		pakhus_batch_free(b);
		free(doc);
		holds_marked(s, "a", "2", 2);
		/* a version of an immutable store stays what it was */
		assert_status(try_marked(s, "a", "1", 3, NULL),
			      immutable ? PAKHUS_ECONFLICT : PAKHUS_OK);
		is_gone(path, 1);
		s_verify(s);
		pakhus_close(s);
		free(path);
	}
}

/* Added to a batch before, and refused when that is appended. */
static void a_batch_that_meets_a_purge_is_refused_whole(void **state)
{
	char *path = s_init(state, "store", 0);
	struct pakhus *s = s_open(path, 0);
	char *doc = marked("a", "1", 1, ALIKE);
	struct pakhus_batch *b;

	put(s, "a", "1", 1);
	assert_done(pakhus_batch_new(s, NULL, &b, &err));
	assert_done(pakhus_batch_publish(b, doc, strlen(doc), &err));
	purge(s, "a", "1", 1);
	assert_status(pakhus_batch_commit(b, &err), PAKHUS_ECONFLICT);
	assert_int_equal(pakhus_batch_durable(b), 0);
	pakhus_batch_free(b);
	is_gone(path, 1);
	s_verify(s);
	pakhus_close(s);
	free(doc);
	free(path);
}

static void who_asks_for_it_is_told(void **state)
{
	char *path = s_init(state, "store", 0), *text;
	struct pakhus *s = s_open(path, 0);
	struct pakhus_package *p;
	struct pakhus_history *h;
	char hash[PAKHUS_HASH_HEX + 1], want[200];
	uint64_t seq = put(s, "a", "1", 1);
	size_t size;

	p = s_get(s, "a", "1");
	strcpy(hash, p->record.hash);
	pakhus_package_free(p);
	purge(s, "a", "1", 1);
	for (int i = 0; i < 2; i++) {
		assert_status(pakhus_get(s, "a", "1", &p, &err),
			      PAKHUS_ENOTFOUND);
		says("a@1 was purged at entry 2: " REASON);
		assert_status(pakhus_get_at(s, seq, &p, &err),
			      PAKHUS_ENOTFOUND);
		says("log entry 1: a@1 was purged at entry 2: " REASON);
		assert_status(pakhus_read(s, hash, &text, &size, &err),
			      PAKHUS_ENOTFOUND);
		snprintf(want, sizeof(want), "%s was purged at entry 2: %s",
			 hash, REASON);
		says(want);
		h = s_history(s, i ? "a" : NULL, 0, 2);
		assert_int_equal(h->count, 2);
		assert_string_equal(h->items[0].op, "purge");
		assert_string_equal(h->items[0].id, "a");
		assert_string_equal(h->items[0].version, "1");
		assert_string_equal(h->items[0].hash, hash);
		assert_string_equal(h->items[0].reason, REASON);
		assert_string_equal(h->items[0].by, "me");
		assert_string_equal(h->items[1].op, "publish");
		assert_string_equal(h->items[1].reason, "");
		pakhus_history_free(h);
		pakhus_close(s);
		s = s_open(path, PAKHUS_READONLY);
	}
	assert_status(pakhus_purge(s, "a", "1", REASON, NULL, NULL, &err),
		      PAKHUS_EDENIED);
	pakhus_close(s);
	free(path);
}

static void a_long_reason_is_cut_between_characters(void **state)
{
	char *path = s_init(state, "store", 0), reason[1026];
	struct pakhus *s = s_open(path, 0);
	char id[PAKHUS_ID_MAX + 1];
	struct pakhus_history *h;

	for (size_t i = 0; i < 1024; i += 2)
		memcpy(reason + i, "\303\246", 3);
	memset(id, 'i', PAKHUS_ID_MAX);
	for (size_t n = PAKHUS_ID_MAX - 3; n <= PAKHUS_ID_MAX; n++) {
		size_t size;

		id[n] = '\0';
		put(s, id, "1", 1);
		assert_done(pakhus_purge(s, id, "1", reason, NULL, NULL,
					 &err));
		assert_status(pakhus_get(s, id, "1", NULL, &err),
			      PAKHUS_ENOTFOUND);
		size = strlen(err.text);
		assert_string_equal(err.text + size - 3, "...");
		assert_memory_equal(err.text + size - 5, "\303\246", 2);
		h = s_history(s, id, 0, 1);
		assert_string_equal(h->items[0].reason, reason);
		pakhus_history_free(h);
		memset(id, 'i', PAKHUS_ID_MAX);
	}
	pakhus_close(s);
	free(path);
}

static void what_cannot_be_purged_changes_nothing(void **state)
{
	char *path = s_init(state, "store", 0), reason[1026];
	struct pakhus *s = s_open(path, 0);
	struct pakhus_purged out = { 7, 7, 7 };
	struct pakhus_stat st;
	uint64_t one = put(s, "a", "1", 1);

	put(s, "a", "2", 2);
	put(s, "b", "1", 3);
	memset(reason, 'r', sizeof(reason));
	reason[1025] = '\0';
#define REFUSED(status, ...) \
	assert_status(pakhus_purge(s, __VA_ARGS__, NULL, &out, &err), status)
	REFUSED(PAKHUS_EINVAL, "a", "1", "");
	REFUSED(PAKHUS_EINVAL, "a", "1", reason);
	REFUSED(PAKHUS_EINVAL, "a", "1", "two\nlines");
	REFUSED(PAKHUS_EINVAL, "a", "1", "\377");
	REFUSED(PAKHUS_EINVAL, "", "1", REASON);
	REFUSED(PAKHUS_ENOTFOUND, "a", "", REASON);
	says("nothing was ever said of a");
	REFUSED(PAKHUS_ENOTFOUND, "a", "3", REASON);
	says("a@3 was never published");
	REFUSED(PAKHUS_ENOTFOUND, "c", "1", REASON);
	REFUSED(PAKHUS_ENOTFOUND, "a", "latest", REASON);
	assert_status(pakhus_purge_at(s, "a", "2", one, REASON, NULL, &out,
				      &err), PAKHUS_ENOTFOUND);
	says("log entry 1 is no publish of a@2");
	assert_status(pakhus_purge_at(s, "b", "1", one, REASON, NULL, &out,
				      &err), PAKHUS_ENOTFOUND);
	for (uint64_t seq = 0; seq < 20; seq++)
		if (seq != one)
			assert_status(pakhus_purge_at(s, "a", "1", seq, REASON,
						      NULL, &out, &err),
				      PAKHUS_ENOTFOUND);
	assert_status(pakhus_purge_at(s, "a", "1", UINT64_MAX, REASON, NULL,
				      &out, &err), PAKHUS_ENOTFOUND);
	assert_status(pakhus_purge(s, "a", "1", REASON, reason, &out, &err),
		      PAKHUS_EINVAL);
	assert_int_equal(out.texts + out.seq + out.encoded, 21);
	assert_done(pakhus_stat(s, 0, &st, &err));
	assert_int_equal(st.entries, 4);
	purge(s, "a", "1", 1);
	REFUSED(PAKHUS_ENOTFOUND, "a", "1", REASON);
	says("a@1 was purged at entry 4: " REASON);
	assert_status(pakhus_purge_at(s, "a", "1", one, REASON, NULL, &out,
				      &err), PAKHUS_ENOTFOUND);
	says("a@1 was purged at entry 4: " REASON);
	assert_done(pakhus_stat(s, 0, &st, &err));
	assert_int_equal(st.entries, 5);
	s_verify(s);
	pakhus_close(s);
	free(path);
}

/* ---- logs that nobody writes ---- */

static int apply(struct pk_txn *t, const struct pk_entry *e)
{
	struct pk_bytes none = { NULL, 0 };

	err.status = 0;
	return pk_index_apply(t, t->stamp.applied, e, none, &err);
}

static void a_purge_of_what_is_not_there_is_damage(void **state)
{
	struct pk_entry e;
	struct pk_index *ix;
	struct pk_txn t = PK_TXN_INIT;
	struct pk_purged purged;

	(void)state;
	assert_done(pk_index_open(&ix, -1, &err));
	assert_done(pk_txn_write(&t, ix, &err));
	t.stamp.applied = 1; /* the key */
	e = (struct pk_entry){ .op = PK_OP_PUBLISH, .id = "a", .version = "1",
			       .hash = { 1 } };
	assert_done(apply(&t, &e));
	e.op = PK_OP_PURGE;
	/* of another hash, version, package (F-90) */
	e.hash[0] = 2;
	assert_status(apply(&t, &e), PAKHUS_ECORRUPT);
	assert_non_null(strstr(err.text, ": F-90 "));
	e.hash[0] = 1;
	e.version[0] = '2';
	assert_status(apply(&t, &e), PAKHUS_ECORRUPT);
	e.version[0] = '1';
	e.id[0] = 'b';
	assert_status(apply(&t, &e), PAKHUS_ECORRUPT);
	e.id[0] = 'a';
	assert_done(apply(&t, &e));
	assert_int_equal(pk_index_purged(&t, e.hash, &purged, &err), 1);
	assert_int_equal(purged.seq, 2);
	assert_int_equal(t.stamp.live, 0);
	/* again */
	assert_status(apply(&t, &e), PAKHUS_ECORRUPT);
	assert_non_null(strstr(err.text, ": F-90 "));
	e.op = PK_OP_PUBLISH;
	assert_status(apply(&t, &e), PAKHUS_ECORRUPT);
	assert_non_null(strstr(err.text, ": F-91 "));
	assert_int_equal(t.stamp.applied, 3);
	pk_txn_end(&t);
	pk_index_close(ix);
}

/* ---- what is said beside documents ---- */

static uint64_t say(struct pakhus *s, const char *id, const char *version,
		    unsigned n)
{
	char mark[MARK + 1], *json;
	uint64_t seq;

	mark_of(n, mark);
	json = s_text("{\"release_notes\":\"%s\",\"same\":true}", mark);
	assert_done(pakhus_set_attrs(s, id, version, json, strlen(json), NULL,
				     &seq, &err));
	free(json);
	return seq;
}

static int is_said(struct pakhus *s, const char *id, const char *version,
		   unsigned n)
{
	char mark[MARK + 1];
	struct pakhus_attrs *a;
	int rc = pakhus_attrs(s, id, version, &a, &err);

	mark_of(n, mark);
	if (rc == PAKHUS_ENOTFOUND)
		return 0;
	assert_done(rc);
	rc = strstr(a->text, mark) != NULL;
	pakhus_attrs_free(a);
	return rc;
}

static void what_is_said_of_a_version_goes_with_it(void **state)
{
	char *path = s_init(state, "store", 0);
	char *mirror = s_text("%s/mirror", (char *)*state);
	struct pakhus *s = s_open(path, 0);

	put(s, "a", "1", 1);
	put(s, "a", "2", 2);
	say(s, "a", "1", 3);
	say(s, "a", "1", 4); /* made against the one before */
	assert_done(pakhus_sync(s, &err));
	say(s, "a", "1", 5);
	say(s, "a", NULL, 5); /* the same of others: not these */
	say(s, "a", "2", 5);
	say(s, "a", "2", 6);
	assert_done(pakhus_sync(s, &err));
	assert_done(sync_from(mirror, path));
	for (unsigned n = 3; n < 7; n++) {
		is_there(path, n);
		is_there(mirror, n);
	}
	purge(s, "a", "1", 4);
	is_gone(path, 1);
	is_gone(path, 3);
	is_gone(path, 4);
	is_there(path, 5);
	assert_true(is_said(s, "a", NULL, 5));
	assert_true(is_said(s, "a", "2", 6));
	holds_marked(s, "a", "2", 2);
	s_verify(s);
	assert_done(sync_from(mirror, path));
	is_gone(mirror, 1);
	is_gone(mirror, 3);
	is_gone(mirror, 4);
	verify_at(mirror);
	pakhus_close(s);
	free(mirror);
	free(path);
}

static void one_text_that_was_said_goes(void **state)
{
	char *path = s_init(state, "store", 0);
	char *mirror = s_text("%s/mirror", (char *)*state), *json;
	struct pakhus *s = s_open(path, 0);
	struct pakhus_purged out;
	uint64_t of_package, of_version, seq;

	put(s, "a", "1", 1);
	of_package = say(s, "a", NULL, 2);
	of_version = say(s, "a", "1", 3);
	assert_done(pakhus_sync(s, &err));
	say(s, "a", NULL, 4); /* made against what goes */
	assert_done(pakhus_sync(s, &err));
	assert_done(sync_from(mirror, path));
	/* of the other one, of neither, and it is no document either */
	assert_status(pakhus_purge_at(s, "a", "1", of_package, REASON, NULL,
				      &out, &err), PAKHUS_ENOTFOUND);
	assert_status(pakhus_purge_at(s, "a", "", of_version, REASON, NULL,
				      &out, &err), PAKHUS_ENOTFOUND);
	assert_status(pakhus_purge_at(s, "a", "", 1, REASON, NULL, &out, &err),
		      PAKHUS_ENOTFOUND);
	says("log entry 1 says nothing of a");
	assert_done(pakhus_purge_at(s, "a", "", of_package, REASON, NULL, &out,
				    &err));
	assert_int_equal(out.texts, 1);
	assert_int_equal(out.encoded, 1);
	is_gone(path, 2);
	assert_true(is_said(s, "a", NULL, 4));
	assert_true(is_said(s, "a", "1", 3));
	assert_done(pakhus_purge_at(s, "a", "1", of_version, REASON, NULL,
				    &out, &err));
	is_gone(path, 3);
	holds_marked(s, "a", "1", 1); /* it is live all the same */
	assert_false(is_said(s, "a", "1", 3));
	s_verify(s);
	/* said again it is refused */
	json = s_text("{\"release_notes\":\"%s\",\"same\":true}",
		      (mark_of(3, search.mark), search.mark));
	assert_status(pakhus_set_attrs(s, "a", "1", json, strlen(json), NULL,
				       NULL, &err), PAKHUS_ECONFLICT);
	assert_done(pakhus_set_attrs(s, "a", NULL, json, strlen(json), NULL,
				     &seq, &err));
	free(json);
	/* all that was said of the package, from the journal too */
	assert_done(pakhus_purge(s, "a", "", REASON, NULL, &out, &err));
	assert_int_equal(out.texts, 2);
	is_gone(path, 3);
	is_gone(path, 4);
	assert_false(is_said(s, "a", NULL, 4));
	assert_done(sync_from(mirror, path));
	for (unsigned n = 2; n < 5; n++)
		is_gone(mirror, n);
	verify_at(mirror);
	pakhus_close(s);
	s = s_open(path, PAKHUS_REBUILD);
	s_verify(s);
	pakhus_close(s);
	free(mirror);
	free(path);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		T_IN_DIR(a_whole_base_with_many_dependents_goes),
		T_IN_DIR(a_base_in_the_middle_of_a_chain_goes),
		T_IN_DIR(one_that_nothing_is_made_against_goes),
		T_IN_DIR(a_chain_of_bases_goes_at_once),
		T_IN_DIR(the_next_is_the_latest_where_that_is_purged),
		T_IN_DIR(all_that_a_version_ever_was_goes),
		T_IN_DIR(what_is_in_the_journal_alone_goes),
		T_IN_DIR(a_long_text_goes),
		T_IN_DIR(what_was_purged_is_a_conflict_for_who_publishes),
		T_IN_DIR(a_batch_that_meets_a_purge_is_refused_whole),
		T_IN_DIR(who_asks_for_it_is_told),
		T_IN_DIR(a_long_reason_is_cut_between_characters),
		T_IN_DIR(what_cannot_be_purged_changes_nothing),
		T_IN_DIR(what_is_said_of_a_version_goes_with_it),
		T_IN_DIR(one_text_that_was_said_goes),
		cmocka_unit_test(a_purge_of_what_is_not_there_is_damage),
	};

	trace_in_memory();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
