/* test_purge.c - a purged text is gone, byte for byte, and nothing else is.
 *
 * Texts carry marks, long runs of letters that are in no other, and all files
 * of a store are searched for them: raw, and every object decoded.
 *
 * wrap: open openat pwrite write fsync fdatasync renameat mkdir mkdirat unlinkat fchmod ftruncate fstat fstatat
 */
#include "trace.h"
#include "stores.h"
#include "files.h"
#include "mirrors.h"
#include "index.h"
#include "hex.h"
#include "object.h"
#include "objpath.h"

#include <poll.h>

#define REASON "a key of ours was in it"
#define MARK 40

/* ---- documents with a mark ---- */

/* The mark of a number: letters that nothing compresses or repeats. */
static void mark_of(unsigned n, char out[MARK + 1])
{
	uint64_t x = (n + 1) * UINT64_C(0x9E3779B97F4A7C15);

	for (int i = 0; i < MARK; i++) {
		x ^= x << 13, x ^= x >> 7, x ^= x << 17;
		out[i] = (char)('A' + x % 26);
	}
	out[MARK] = '\0';
}

/* The mark stands in the manifest and in the metadata, n bytes of which are
 * alike in all documents. */
static char *marked(const char *id, const char *version, unsigned n,
		    size_t alike)
{
	char mark[MARK + 1], *filler = malloc(alike + 1), *doc;

	mark_of(n, mark);
	for (size_t i = 0; i < alike; i++)
		filler[i] = (char)('a' + (i * i / 7 + i / 3) % 26);
	filler[alike] = '\0';
	doc = s_text("{\"manifest\":{\"id\":\"%s\",\"version\":\"%s\","
		     "\"note\":\"%s\"},\"metadata\":{\"all\":\"%s\","
		     "\"one\":\"%s\"}}", id, version, mark, filler, mark);
	free(filler);
	return doc;
}

#define ALIKE 5000

static int try_marked(struct pakhus *s, const char *id, const char *version,
		      unsigned n, struct pakhus_record *out)
{
	char *doc = marked(id, version, n, ALIKE);
	int rc = pakhus_publish(s, doc, strlen(doc), NULL, out, &err);

	free(doc);
	return rc;
}

static uint64_t put(struct pakhus *s, const char *id, const char *version,
		    unsigned n)
{
	struct pakhus_record r;

	assert_done(try_marked(s, id, version, n, &r));
	return r.seq;
}

static void holds_marked(struct pakhus *s, const char *id,
			 const char *version, unsigned n)
{
	struct pakhus_package *p = s_get(s, id, version);
	char *doc = marked(id, version, n, ALIKE);

	assert_string_equal(p->document, doc);
	pakhus_package_free(p);
	free(doc);
}

static void purge(struct pakhus *s, const char *id, const char *version,
		  uint64_t texts)
{
	struct pakhus_purged out;

	assert_done(pakhus_purge(s, id, version, REASON, "me", &out, &err));
	assert_int_equal(out.texts, texts);
}

/* ---- every byte of a store ---- */

static struct search {
	char mark[MARK + 1];
	int dir, is_told;
	unsigned found;
} search;

static void found(const char *path)
{
	if (search.is_told)
		print_error("a piece of it is in %s\n", path);
	search.found++;
}

static int search_file(const char *path, const struct stat *st, int kind,
		       struct FTW *ftw)
{
	unsigned char hash[PK_HASH_SIZE];
	struct pk_shared *text;
	size_t size;
	char *bytes;

	(void)ftw;
	if (kind != FTW_F || !st->st_size)
		return 0;
	bytes = slurp(path, &size);
	/* half of a mark is enough to know it */
	for (int at = 0; at <= MARK / 2; at += MARK / 4)
		if (memmem(bytes, size, search.mark + at, MARK / 2)) {
			found(path);
			break;
		}
	free(bytes);
	if (!strstr(path, "/objects/") || pk_objpath_parse(path, hash))
		return 0;
	assert_done(pk_object_read(search.dir, NULL, NULL, hash, &text, &err));
	if (memmem(text->bytes, text->size, search.mark, MARK))
		found(path);
	pk_shared_free(text);
	return 0;
}

static unsigned pieces_of(const char *path, unsigned n, int is_told)
{
	mark_of(n, search.mark);
	search.found = 0;
	search.is_told = is_told;
	search.dir = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	assert_int_equal(nftw(path, search_file, 16, FTW_PHYS), 0);
	close(search.dir);
	return search.found;
}

static void is_gone(const char *path, unsigned n)
{
	assert_int_equal(pieces_of(path, n, 1), 0);
}

/* So that the search can find. */
static void is_there(const char *path, unsigned n)
{
	assert_int_not_equal(pieces_of(path, n, 0), 0);
}

static void says(const char *text)
{
	if (strcmp(err.text, text)) {
		print_error("expected \"%s\", not \"%s\"\n", text, err.text);
		fail();
	}
}

static unsigned depth_of(const char *path, const char *hex)
{
	int dir = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	unsigned char hash[PK_HASH_SIZE];
	struct pk_trailer t;

	assert_int_equal(pk_unhex(hex, hash, PK_HASH_SIZE), 0);
	assert_done(pk_object_trailer(dir, hash, &t, &err));
	close(dir);
	return t.depth;
}

/* ---- what goes, and what stays ---- */

#define MANY 70 /* versions: the first is the base of 1 to 7, 8, 16 …, 64 */

static char *name_of(unsigned v)
{
	return s_text("1.0.%u", v);
}

static void publish_many(struct pakhus *s)
{
	for (unsigned v = 0; v < MANY; v++) {
		char *name = name_of(v);

		put(s, "many", name, v);
		free(name);
	}
}

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

/* ---- begun, and ended by somebody else ---- */

static void line_of(const char *path, const char *want)
{
	char *name = s_text("%s/local/purged", path);
	size_t size;
	char *text = slurp(name, &size);

	text[size] = '\0';
	assert_string_equal(text, want);
	free(text);
	free(name);
}

static void a_line_that_cannot_be_is_as_none(void **state) /* F-93 */
{
	static const char *const bad[] = { "", "x", "4", "04\n", "4\n\n",
					   " 4\n", "-1\n", "+4\n", "5\n",
					   "99999999999999999999999999\n" };
	char *path = s_init(state, "store", 0), *file;
	struct pakhus *s = s_open(path, 0);

	put(s, "a", "1", 1);
	put(s, "a", "2", 2);
	purge(s, "a", "1", 1);
	line_of(path, "4\n");
	pakhus_close(s);
	file = s_text("%s/local/purged", path);
	for (size_t i = 0; i < T_COUNT(bad); i++) {
		spill(file, bad[i], strlen(bad[i]));
		s = s_open(path, PAKHUS_READONLY);
		pakhus_close(s);
		s = s_open(path, 0);
		line_of(path, "4\n");
		holds_marked(s, "a", "2", 2);
		s_verify(s);
		pakhus_close(s);
	}
	assert_int_equal(unlink(file), 0);
	s = s_open(path, 0);
	line_of(path, "4\n");
	pakhus_close(s);
	free(file);
	free(path);
}

static void told(void *arg, const char *file, const char *rule,
		 const char *text)
{
	(void)file, (void)text;
	assert_string_equal(rule, "F-92");
	++*(int *)arg;
}

static void verify_finds_what_was_put_back(void **state) /* F-92 */
{
	char *path = s_init(state, "store", 0), *object, *aside;
	struct pakhus *s = s_open(path, 0);
	int found = 0;
	struct pakhus_verify v = { .damage = told, .arg = &found };
	struct pakhus_package *p;

	put(s, "a", "1", 1);
	put(s, "a", "2", 2);
	assert_done(pakhus_sync(s, &err));
	p = s_get(s, "a", "1");
	object = s_text("%s/objects/%.2s/%s", path, p->record.hash,
			p->record.hash + 2);
	aside = s_text("%s/aside", (char *)*state);
	pakhus_package_free(p);
	run("cp %s %s", object, aside);
	purge(s, "a", "1", 1);
	s_verify(s);
	run("cp %s %s", aside, object);
	assert_status(pakhus_verify(s, &v, &err), PAKHUS_ECORRUPT);
	assert_int_equal(found, 1);
	pakhus_close(s);
	free(object);
	free(aside);
	free(path);
}

/* Its objects may be older than what it says. */
static void a_copy_that_is_adopted_purges_again(void **state)
{
	char *path = s_init(state, "store", 0);
	char *copy = s_text("%s/copy", (char *)*state);
	struct pakhus *s = s_open(path, 0);

	put(s, "a", "1", 1);
	put(s, "a", "2", 2);
	assert_done(pakhus_sync(s, &err));
	run("mkdir %s && cp -a %s/objects %s/", copy, path, copy);
	purge(s, "a", "1", 1);
	pakhus_close(s);
	run("rm -r %s/objects && mv %s/objects %s/", path, copy, path);
	run("rmdir %s && cp -a %s %s", copy, path, copy);
	assert_done(pakhus_adopt_here(copy, &err));
	is_there(copy, 1);
	s = s_open(copy, 0);
	is_gone(copy, 1);
	line_of(copy, "4\n");
	holds_marked(s, "a", "2", 2);
	s_verify(s);
	pakhus_close(s);
	free(copy);
	free(path);
}

/* Dependents, a version with two texts, one in the journal, and what others
 * left in the trash. */
static void prepare(const char *path)
{
	struct pakhus *s = s_open(path, 0);

	for (unsigned v = 0; v < 10; v++) {
		char *name = name_of(v);

		put(s, "a", name, v);
		free(name);
	}
	put(s, "a", "1.0.0", 50);
	assert_done(pakhus_sync(s, &err));
	put(s, "a", "1.0.0", 51);
	pakhus_close(s);
}

static void check_purged(const char *path, struct pakhus *s)
{
	is_gone(path, 0);
	is_gone(path, 50);
	is_gone(path, 51);
	assert_status(pakhus_get(s, "a", "1.0.0", NULL, &err),
		      PAKHUS_ENOTFOUND);
	for (unsigned v = 1; v < 10; v++) {
		char *name = name_of(v);

		holds_marked(s, "a", name, v);
		free(name);
	}
	s_verify(s);
}

static int is_purged(struct pakhus *s)
{
	struct pakhus_history *h = s_history(s, NULL, 0, 1);
	int is = !strcmp(h->items[0].op, "purge");

	pakhus_history_free(h);
	return is;
}

static pid_t begin_purge(const char *path, long n, int torn, int go)
{
	pid_t pid = fork();
	struct pakhus *s;
	char c;

	if (pid)
		return pid;
	if (go >= 0 && read(go, &c, 1) != 1)
		_exit(3);
	s = s_open(path, 0);
	trace.only_kind = torn ? TRACE_WRITE : -1;
	trace_kill(n, torn);
	purge(s, "a", "1.0.0", 3);
	_exit(0);
}

/* Fewer where a sanitizer makes everything slow. */
static unsigned step(void)
{
	return s_scale(1, 5, 1);
}

static int ended(pid_t pid)
{
	int status;

	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	assert_true(WEXITSTATUS(status) == 0 || WEXITSTATUS(status) == 42);
	return WEXITSTATUS(status) == 0;
}

static void each_end(void **state, int torn, int survivor)
{
	char *model = s_init(state, "model", 0);
	char *path = s_text("%s/store", (char *)*state);
	unsigned begun = 0;
	int all = 0;
	long n;

	prepare(model);
	for (n = 1; !all; n += step()) {
		struct pakhus *s = NULL;
		int go[2];
		pid_t pid;

		run("rm -rf %s && cp -a %s %s", path, model, path);
		assert_done(pakhus_adopt_here(path, &err));
		trace_at(path);
		assert_int_equal(pipe(go), 0);
		pid = begin_purge(path, n, torn, survivor ? go[0] : -1);
		if (survivor) {
			s = s_open(path, 0);
			put(s, "b", "1", 60);
			assert_int_equal(write(go[1], "", 1), 1);
		}
		all = ended(pid);
		close(go[0]);
		close(go[1]);
		if (survivor) {
			/* what is in flight is taken in by who writes next */
			put(s, "b", "2", 61);
			assert_done(pakhus_sync(s, &err));
			holds_marked(s, "b", "1", 60);
			holds_marked(s, "b", "2", 61);
			s_delete(s, "b", NULL);
			purge(s, "b", "2", 1);
			assert_done(pakhus_sync(s, &err));
		} else {
			s = s_open(path, 0);
		}
		if (survivor || is_purged(s)) {
			struct pakhus_history *h = s_history(s, "a", 0, 1);

			if (!strcmp(h->items[0].op, "purge")) {
				check_purged(path, s);
				begun++;
			} else {
				holds_marked(s, "a", "1.0.0", 51);
			}
			pakhus_history_free(h);
		} else {
			holds_marked(s, "a", "1.0.0", 51);
			s_verify(s);
		}
		pakhus_close(s);
		trace_clear();
	}
	print_message("# ended at calls up to %ld, %u after the entry\n",
		      n, begun);
	assert_true(begun > (torn ? 3 : 30) / step());
	free(model);
	free(path);
}

static void it_is_finished_when_its_process_ended_at_any_call(void **state)
{
	each_end(state, 0, 0);
}

static void it_is_finished_when_its_process_ended_within_a_write(void **state)
{
	each_end(state, 1, 0);
}

static void another_process_finishes_it(void **state)
{
	each_end(state, 0, 1);
}

/* Between the old index and the new one there is none; what is half made is
 * made anew. */
static void without_an_index_it_is_finished_too(void **state)
{
	char *path = s_init(state, "store", 0), *index;
	struct pakhus *s;

	prepare(path);
	for (int torn = 0; torn < 2; torn++) {
		s = s_open(path, 0);
		put(s, "b", "1", 70);
		pakhus_close(s);
		s = s_open(path, 0);
		if (!torn)
			purge(s, "a", "1.0.0", 3);
		pakhus_close(s);
		index = index_file(path, "");
		run("rm %s/local/purged && mv %s %s/local/trash/index-x && "
		    "mkdir %s/local/index-next && "
		    "head -c %d %s/local/trash/index-x/data.mdb "
		    ">%s/local/index-next/data.mdb", path, index, path, path,
		    torn ? 5000 : 0, path, path);
		s = s_open(path, 0);
		line_of(path, torn ? "18\n" : "17\n");
		check_purged(path, s);
		pakhus_close(s);
		run("test ! -e %s/local/index-next -a "
		    "-z \"$(ls %s/local/trash)\"", path, path);
		free(index);
	}
	free(path);
}

/* Every call fails: once, or from then on. */
static void each_failure(void **state, int for_good)
{
	char *model = s_init(state, "model", 0);
	char *path = s_text("%s/store", (char *)*state);
	unsigned begun = 0;
	int all = 0;
	long n;

	prepare(model);
	for (n = 1; !all; n += step()) {
		struct pakhus *s;
		int rc;

		run("rm -rf %s && cp -a %s %s", path, model, path);
		assert_done(pakhus_adopt_here(path, &err));
		trace_at(path);
		s = s_open(path, 0);
		trace_fail(n, EIO, for_good);
		rc = pakhus_purge(s, "a", "1.0.0", REASON, NULL, NULL, &err);
		all = trace_peace() < n;
		if (all)
			assert_int_equal(rc, 0);
		/* a handle that can go on goes on */
		if (rc && rc != PAKHUS_EUNKNOWN && is_purged(s) &&
		    !pakhus_sync(s, &err)) {
			check_purged(path, s);
			begun++;
		}
		pakhus_close(s);
		s = s_open(path, 0);
		if (is_purged(s))
			check_purged(path, s);
		else
			holds_marked(s, "a", "1.0.0", 51);
		s_verify(s);
		pakhus_close(s);
		trace_clear();
	}
	print_message("# calls up to %ld failed, %u after the entry\n",
		      n, begun);
	assert_true(begun > 20 / step());
	free(model);
	free(path);
}

static void it_is_finished_when_any_call_failed_once(void **state)
{
	each_failure(state, 0);
}

static void it_is_finished_when_all_calls_failed_from_one_on(void **state)
{
	each_failure(state, 1);
}

/* ---- beside others ---- */

#define ROUNDS 100 /* of publishing */
#define EACH 8	   /* of many is purged */

/* Publishes, reads and lists, and then reads on for as long as it is let;
 * everything that it reads is right, or purged. */
static int work_once(struct pakhus *s, const char *id, unsigned n)
{
	char *name = name_of(n), *other = name_of(n % MANY);
	struct pakhus_package *p;
	int rc;

	if (n < ROUNDS) {
		put(s, id, name, 1000 + n);
		holds_marked(s, id, name, 1000 + n);
		if (n % 7 == 0)
			assert_done(pakhus_sync(s, &err));
	}
	rc = pakhus_get(s, "many", other, &p, &err);
	if (rc && (rc != PAKHUS_ENOTFOUND ||
		   !strstr(err.text, "was purged at entry"))) {
		print_error("%s: %s\n", other, err.text);
		return 1;
	}
	if (!rc)
		pakhus_package_free(p);
	pakhus_list_free(s_list(s, 0, 10, n % 2 ? PAKHUS_DOCUMENTS : 0));
	free(name);
	free(other);
	return 0;
}

static int work(const char *path, int number, int until)
{
	struct pollfd end = { .fd = until, .events = POLLIN };
	struct pakhus_options opt = { .level = 3, .cache_size = 1 };
	struct pakhus *s;
	unsigned n = 0;
	char id[20];

	/* with nothing kept, so that chains are read again and again */
	assert_done(pakhus_open(&s, path, &opt, &err));
	snprintf(id, sizeof(id), "w%d", number);
	do
		if (work_once(s, id, n++))
			return 1;
	while (n < ROUNDS || !poll(&end, 1, 0));
	for (unsigned i = 0; i < ROUNDS; i++) {
		char *name = name_of(i);

		holds_marked(s, id, name, 1000 + i);
		free(name);
	}
	pakhus_close(s);
	return 0;
}

static void others_publish_and_read_on_meanwhile(void **state)
{
	char *path = s_init(state, "store", 0);
	struct pakhus *s = s_open(path, 0);
	pid_t pid[3];
	int until[2];

	publish_many(s);
	pakhus_close(s);
	assert_int_equal(pipe(until), 0);
	fflush(NULL);
	for (int i = 0; i < 3; i++) {
		pid[i] = fork();
		if (!pid[i]) {
			alarm(100);
			_exit(work(path, i, until[0]));
		}
	}
	s = s_open(path, 0);
	for (unsigned v = 0; v < MANY; v += EACH) {
		char *name = name_of(v);

		purge(s, "many", name, 1);
		is_gone(path, v);
		free(name);
	}
	assert_int_equal(write(until[1], "x", 1), 1);
	for (int i = 0; i < 3; i++) {
		int status;

		assert_int_equal(waitpid(pid[i], &status, 0), pid[i]);
		assert_int_equal(status, 0);
	}
	close(until[0]);
	close(until[1]);
	s_verify(s);
	pakhus_close(s);
	for (unsigned v = 0; v < MANY; v += EACH)
		is_gone(path, v);
	s = s_open(path, PAKHUS_REBUILD);
	for (unsigned v = 0; v < MANY; v++) {
		char *name = name_of(v);

		if (v % EACH)
			holds_marked(s, "many", name, v);
		free(name);
	}
	s_verify(s);
	pakhus_close(s);
	free(path);
}

/* Threads of one process, which open the index again beside each other. */
static struct pakhus *shared;
static atomic_int thread_ends;

static void *thread_work(void *arg)
{
	struct pakhus_error e = { .status = 0 };
	char *id = arg, *doc = marked(id, "1", 500, 50);
	long failed = 0;

	for (unsigned n = 0; n < 50 || !atomic_load(&thread_ends); n++) {
		struct pakhus_package *p = NULL;
		struct pakhus_list *l = NULL;
		int rc = n < 200 ? pakhus_publish(shared, doc, strlen(doc),
						  NULL, NULL, &e)
				 : 0;

		if (!rc)
			rc = pakhus_get(shared, id, "1", &p, &e);
		if (!rc)
			rc = pakhus_list(shared,
					 (struct pakhus_range){ 0, 10 }, 0, &l,
					 &e);
		if (!rc && n % 10 == 0)
			rc = pakhus_sync(shared, &e);
		if (rc && !failed++)
			print_error("%d: %s\n", rc, e.text);
		pakhus_package_free(p);
		pakhus_list_free(l);
	}
	free(doc);
	return (void *)failed;
}

static void threads_publish_and_read_on_meanwhile(void **state)
{
	static char id[3][3] = { "t0", "t1", "t2" };
	char *path = s_init(state, "store", 0);
	pthread_t thread[3];
	void *failed;

	shared = s_open(path, 0);
	atomic_store(&thread_ends, 0);
	for (unsigned v = 0; v < 9; v++) {
		char *name = name_of(v);

		put(shared, "many", name, v);
		free(name);
	}
	for (int i = 0; i < 3; i++)
		assert_int_equal(pthread_create(&thread[i], NULL, thread_work,
						id[i]), 0);
	for (unsigned v = 0; v < 8; v++) {
		char *name = name_of(v);

		purge(shared, "many", name, 1);
		free(name);
	}
	atomic_store(&thread_ends, 1);
	for (int i = 0; i < 3; i++) {
		assert_int_equal(pthread_join(thread[i], &failed), 0);
		assert_null(failed);
	}
	holds_marked(shared, "many", "1.0.8", 8);
	s_verify(shared);
	pakhus_close(shared);
	for (unsigned v = 0; v < 8; v++)
		is_gone(path, v);
	free(path);
}

/* ---- mirrors ---- */

/* All but those from..to-1. */
static void many_hold(const char *path, unsigned from, unsigned to)
{
	struct pakhus *s = s_open(path, 0);
	struct pakhus_package *p;

	for (unsigned v = 0; v < MANY; v++) {
		char *name = name_of(v);

		if (v < from || v >= to)
			holds_marked(s, "many", name, v);
		else
			assert_status(pakhus_get(s, "many", name, &p, &err),
				      PAKHUS_ENOTFOUND);
		free(name);
	}
	s_verify(s);
	pakhus_close(s);
}

/* What the source encoded anew it makes others against, which are less deep
 * then than that still is at the mirror. */
static void a_mirror_removes_what_its_source_removed(void **state)
{
	char *path = s_init(state, "store", 0);
	char *mirror = s_text("%s/mirror", (char *)*state);
	struct pakhus *s = s_open(path, 0), *reader;

	for (unsigned v = 0; v < 12; v++) {
		char *name = name_of(v);

		put(s, "many", name, v);
		free(name);
	}
	assert_done(pakhus_sync(s, &err));
	assert_done(sync_from(mirror, path));
	reader = s_open(mirror, 0);
	is_there(mirror, 8);
	for (unsigned v = 8; v < 11; v++) {
		char *name = name_of(v);

		purge(s, "many", name, 1);
		free(name);
	}
	for (unsigned v = 12; v < MANY; v++) {
		char *name = name_of(v);

		put(s, "many", name, v);
		free(name);
	}
	assert_done(pakhus_sync(s, &err));
	pakhus_close(s);
	assert_done(sync_from(mirror, path));
	for (unsigned v = 8; v < 11; v++)
		is_gone(mirror, v);
	/* who had it open meanwhile */
	holds_marked(reader, "many", "1.0.11", 11);
	holds_marked(reader, "many", "1.0.69", 69);
	assert_status(pakhus_get(reader, "many", "1.0.9", NULL, &err),
		      PAKHUS_ENOTFOUND);
	s_verify(reader);
	pakhus_close(reader);
	many_hold(mirror, 8, 11);
	/* nothing is done twice */
	assert_done(sync_from(mirror, path));
	assert_false(mirrored.is_changed);
	run("rm -r %s", mirror);
	assert_done(sync_from(mirror, path));
	many_hold(mirror, 8, 11);
	free(mirror);
	free(path);
}

/* Its source is not done yet, or never will be. */
static void a_mirror_keeps_nothing_that_the_log_has_purged(void **state)
{
	char *path = s_init(state, "store", 0), *kept;
	char *mirror = s_text("%s/mirror", (char *)*state);
	struct pakhus *s = s_open(path, 0);

	kept = s_text("%s/kept", (char *)*state);
	put(s, "a", "1", 1);
	put(s, "a", "2", 2);
	assert_done(pakhus_sync(s, &err));
	run("cp -a %s/objects %s", path, kept);
	purge(s, "a", "1", 1);
	pakhus_close(s);
	run("rm -r %s/objects && cp -a %s %s/objects", path, kept, path);
	assert_done(sync_from(mirror, path));
	is_gone(mirror, 1);
	verify_at(mirror);
	free(mirror);
	free(kept);
	free(path);
}

/* It is done there, but the source has an object that is made against it. */
static void a_mirror_purges_again_what_comes_as_a_base(void **state)
{
	char *path = s_init(state, "store", 0);
	char *twin = s_text("%s/twin", (char *)*state);
	char *mirror = s_text("%s/mirror", (char *)*state);
	struct pakhus *s = s_open(path, 0);

	put(s, "a", "1", 1);
	assert_done(pakhus_sync(s, &err));
	assert_done(sync_from(mirror, path));
	run("cp -a %s %s", path, twin);
	purge(s, "a", "1", 1);
	assert_done(sync_from(mirror, path));
	is_gone(mirror, 1);
	put(s, "a", "2", 2);
	assert_done(pakhus_sync(s, &err));
	pakhus_close(s);
	assert_done(pakhus_adopt_here(twin, &err));
	s = s_open(twin, 0);
	put(s, "a", "2", 2);
	assert_done(pakhus_sync(s, &err));
	pakhus_close(s);
	run("cp -af %s/objects/. %s/objects", twin, path);
	assert_done(sync_from(mirror, path));
	assert_int_equal(mirrored.objects, 2);
	is_gone(mirror, 1);
	s = s_open(mirror, 0);
	holds_marked(s, "a", "2", 2);
	s_verify(s);
	pakhus_close(s);
	free(mirror);
	free(twin);
	free(path);
}

/* A mirror's sync that ended within it is gone on with by the next. */
static int sync_child(void *arg)
{
	char **p = arg;

	sync_from(p[0], p[1]);
	return 0;
}

static void the_next_sync_of_a_mirror_finishes_it(void **state)
{
	char *path = s_init(state, "store", 0), *p[2];
	char *model = s_text("%s/model", (char *)*state);
	char *mirror = s_text("%s/mirror", (char *)*state);
	struct pakhus *s = s_open(path, 0);
	int ends = 0;
	long n;

	put(s, "a", "1", 1);
	put(s, "a", "2", 2);
	put(s, "a", "3", 3);
	assert_done(pakhus_sync(s, &err));
	assert_done(sync_from(model, path));
	purge(s, "a", "1", 1);
	pakhus_close(s);
	p[0] = mirror;
	p[1] = path;
	for (n = 1; !ends; n += step()) {
		run("rm -rf %s && cp -a %s %s", mirror, model, mirror);
		trace_at(mirror);
		trace_kill(n, 0);
		ends = s_in_child(sync_child, p) == 0;
		trace_peace();
		assert_done(sync_from(mirror, path));
		is_gone(mirror, 1);
		s = s_open(mirror, 0);
		holds_marked(s, "a", "2", 2);
		holds_marked(s, "a", "3", 3);
		s_verify(s);
		pakhus_close(s);
		trace_clear();
	}
	print_message("# ended at calls up to %ld\n", n);
	assert_true(n > 40);
	free(model);
	free(mirror);
	free(path);
}

/* An adoption or a sync that was killed left what it had of a file. */
static void what_came_in_part_goes_too(void **state)
{
	char *path = s_init(state, "store", 0);
	struct pakhus *s = s_open(path, 0);

	put(s, "a", "1", 1);
	put(s, "a", "2", 2);
	assert_done(pakhus_sync(s, &err));
	run("cd %s && for f in objects/*/*; do "
	    "n=local/incoming/$f && mkdir -p $(dirname $n)/.part && "
	    "cp $f $n.part && cp $f $(dirname $n)/.part/; done", path);
	is_there(path, 1);
	purge(s, "a", "1", 1);
	is_gone(path, 1);
	holds_marked(s, "a", "2", 2);
	s_verify(s);
	pakhus_close(s);
	free(path);
}

/* The trash, and indexes that nobody uses, may hold it too. */
static void what_lies_about_goes_too(void **state)
{
	char *path = s_init(state, "store", 0), *data = NULL;
	struct pakhus *s = s_open(path, 0);

	put(s, "a", "1", 1);
	put(s, "a", "2", 2);
	assert_done(pakhus_sync(s, &err));
	data = index_file(path, "/data.mdb");
	is_there(path, 1);
	run("mkdir -p %s/local/trash/index-x/y %s/local/index-0.8-32-4096 && "
	    "cp %s %s/local/trash/index-x/y/.z && "
	    "cp %s %s/local/index-0.8-32-4096/data.mdb && "
	    "cp %s/objects/*/* %s/local/trash/ && "
	    "cp %s/objects/*/* %s/local/trash/index-x/", path, path, data,
	    path, data, path, path, path, path, path);
	purge(s, "a", "1", 1);
	is_gone(path, 1);
	run("test -d %s/local/trash -a ! -e %s/local/trash/index-x "
	    "-a ! -e %s/local/index-0.8-32-4096", path, path, path);
	holds_marked(s, "a", "2", 2);
	s_verify(s);
	pakhus_close(s);
	free(data);
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
		T_IN_DIR(a_line_that_cannot_be_is_as_none),
		T_IN_DIR(verify_finds_what_was_put_back),
		T_IN_DIR(a_copy_that_is_adopted_purges_again),
		T_IN_DIR(what_lies_about_goes_too),
		T_IN_DIR(what_came_in_part_goes_too),
		T_IN_DIR(it_is_finished_when_its_process_ended_at_any_call),
		T_IN_DIR(it_is_finished_when_its_process_ended_within_a_write),
		T_IN_DIR(another_process_finishes_it),
		T_IN_DIR(without_an_index_it_is_finished_too),
		T_IN_DIR(it_is_finished_when_any_call_failed_once),
		T_IN_DIR(it_is_finished_when_all_calls_failed_from_one_on),
		T_IN_DIR(others_publish_and_read_on_meanwhile),
		T_IN_DIR(threads_publish_and_read_on_meanwhile),
		T_IN_DIR(a_mirror_removes_what_its_source_removed),
		T_IN_DIR(a_mirror_keeps_nothing_that_the_log_has_purged),
		T_IN_DIR(a_mirror_purges_again_what_comes_as_a_base),
		T_IN_DIR(the_next_sync_of_a_mirror_finishes_it),
	};

	trace_in_memory();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
