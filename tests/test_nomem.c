/* test_nomem.c - memory runs out at every allocation of the library.
 *
 * Not those inside LMDB, zstd and OpenSSL, which have their own.
 *
 * wrap: malloc calloc realloc strdup vasprintf free
 */
#include "t.h"
#include "stores.h"
#include "memory.h"

#include <dirent.h>

static char *path, *dir;
static unsigned round_no;
static int for_good;
static struct pakhus *store;

static const char *version(void)
{
	static char text[20];

	snprintf(text, sizeof(text), "1.0.%u", round_no);
	return text;
}

static int go_publish(void)
{
	struct pakhus_record r;
	char *doc = s_document("p", version(), round_no);
	int rc = pakhus_publish(store, doc, strlen(doc), "by", &r, &err);

	free(doc);
	return rc;
}

static void after_publish(void)
{
	assert_holds(store, "p", version(), round_no);
}

/* Read once, and published over what is there. */
static int go_over(void)
{
	char *doc = s_document("before", version(), round_no + 1);
	struct pakhus_document *d = NULL;
	struct pakhus_record r = { .seq = 0 };
	int rc = pakhus_document_new(store, doc, strlen(doc), &d, &err);

	if (!rc)
		rc = pakhus_find(store, "before", version(), &r, &err);
	if (!rc)
		rc = pakhus_publish_document(store, d, &r.seq, NULL, &r, &err);
	pakhus_document_free(d);
	free(doc);
	return rc;
}

static void after_over(void)
{
	assert_holds(store, "before", version(), round_no + 1);
}

static int go_delete(void)
{
	return pakhus_delete(store, "before", version(), NULL, NULL, &err);
}

/* Again, it is done. */
static int go_delete_over(void)
{
	struct pakhus_record r = { .seq = 0 };
	int rc = pakhus_find(store, "before", version(), &r, &err);

	if (rc == PAKHUS_ENOTFOUND)
		return 0;
	return rc ? rc : pakhus_delete_over(store, "before", version(), r.seq,
					    NULL, &err);
}

static void after_delete(void)
{
	assert_status(pakhus_get(store, "before", version(), NULL, &err),
		      PAKHUS_ENOTFOUND);
}

/* Again, it is done. */
static int go_purge(void)
{
	int rc = pakhus_purge(store, "before", version(), "why", "by", NULL,
			      &err);

	return rc == PAKHUS_ENOTFOUND && strstr(err.text, "was purged") ? 0
									 : rc;
}

static int go_attrs(void)
{
	struct pakhus_attrs *a;
	char json[40];
	int n = sprintf(json, "{\"round\":%u}", round_no);
	int rc = pakhus_set_attrs(store, "before", NULL, json, (size_t)n, "by",
				  NULL, &err);

	if (!rc)
		rc = pakhus_attrs(store, "before", NULL, &a, &err);
	if (!rc)
		pakhus_attrs_free(a);
	return rc;
}

static void after_attrs(void)
{
	struct pakhus_attrs *a;
	char json[40];

	sprintf(json, "{\"round\":%u}", round_no);
	assert_done(pakhus_attrs(store, "before", NULL, &a, &err));
	assert_string_equal(a->text, json);
	pakhus_attrs_free(a);
}

static int go_sync(void)
{
	return pakhus_sync(store, &err);
}

static void after_nothing(void)
{
}

/* Twice, as the first one frees nothing. */
static int go_gc(void)
{
	struct pakhus_gc gc = { .grace_us = 0 };
	int rc = pakhus_delete(store, "freed", NULL, NULL, NULL, &err);

	if (!rc)
		rc = pakhus_gc(store, &gc, &err);
	return rc ? rc : pakhus_gc(store, &gc, &err);
}

static void after_gc(void)
{
	s_publish(store, "freed", version(), round_no);
	assert_holds(store, "freed", version(), round_no);
}

static int go_get(void)
{
	struct pakhus_package *p;
	int rc = pakhus_get(store, "before", NULL, &p, &err);

	if (!rc)
		pakhus_package_free(p);
	return rc;
}

static int go_artifact(void)
{
	char hash[PAKHUS_HASH_HEX + 1], *text;
	struct pakhus_package *p;
	size_t size;
	int rc = pakhus_get(store, "before", NULL, &p, &err);

	if (rc)
		return rc;
	rc = pakhus_artifact(p, &text, &size, hash, &err);
	if (!rc)
		pakhus_free(text);
	pakhus_package_free(p);
	return rc;
}

static int go_list(void)
{
	struct pakhus_list *l;
	int rc = pakhus_list(store, (struct pakhus_range){ 0, 10 },
			     PAKHUS_DOCUMENTS, &l, &err);

	if (!rc)
		pakhus_list_free(l);
	return rc;
}

static int go_history(void)
{
	struct pakhus_history *h;
	int rc = pakhus_history(store, NULL, (struct pakhus_range){ 0, 10 },
				&h, &err);

	if (!rc)
		pakhus_history_free(h);
	return rc;
}

/* Of an entry that is in the tree, of one that is moved there, and back. */
static int go_prove(void)
{
	struct pakhus_stat st;
	struct pakhus_proof proof;
	char *text = NULL, hash[PAKHUS_HASH_HEX + 1], *doc;
	size_t size = 0;
	int rc = pakhus_prove_at(store, 0, &text, &size, &err);

	if (!rc)
		pakhus_free(text);
	if (!rc)
		rc = pakhus_prove(store, "before", NULL, &text, &size, &err);
	if (rc)
		return rc;
	rc = pakhus_stat(store, 0, &st, &err);
	if (!rc)
		rc = pakhus_check_proof(text, size, st.key, &proof, &err);
	pakhus_free(text);
	if (rc)
		return rc;
	doc = s_document("before", version(), round_no);
	rc = pakhus_hash(doc, strlen(doc), hash, &err);
	free(doc);
	return rc;
}

static int go_versions(void)
{
	struct pakhus_versions *v;
	int rc = pakhus_versions(store, "before",
				 (struct pakhus_range){ 0, 10 }, &v, &err);

	if (!rc)
		pakhus_versions_free(v);
	return rc;
}

static int go_verify(void)
{
	struct pakhus_verify v = { .flags = 0 };

	return pakhus_verify(store, &v, &err);
}

static int open_with(unsigned flags)
{
	struct pakhus_options opt = { .flags = flags };
	struct pakhus *s = NULL;
	int rc;

	pakhus_close(store);
	rc = pakhus_open(&s, path, &opt, &err);
	store = s;
	return rc;
}

static int go_open(void)
{
	return open_with(0);
}

static int go_rebuild(void)
{
	return open_with(PAKHUS_REBUILD);
}

static int go_batch(void)
{
	struct pakhus_batch *b = NULL;
	int rc = pakhus_batch_new(store, NULL, &b, &err);

	for (unsigned i = 0; i < 3 && !rc; i++) {
		char *doc = s_document("batch", i ? "2" : "1", i);

		rc = pakhus_batch_publish(b, doc, strlen(doc), &err);
		free(doc);
	}
	if (!rc)
		rc = pakhus_batch_attrs(b, "batch", "2", "{\"x\":2}", 7, &err);
	if (!rc)
		rc = pakhus_batch_commit(b, &err);
	pakhus_batch_free(b);
	return rc;
}

static void after_batch(void)
{
	assert_holds(store, "batch", "1", 0);
	assert_holds(store, "batch", "2", 2);
}

/* What it has no memory for is done when the store is next opened. */
static int go_close(void)
{
	pakhus_close(store);
	store = NULL;
	return 0;
}

/* Beside the store of this round, which is left alone. */
static int go_init(void)
{
	char *other = s_text("%s-other", path);
	int rc = pakhus_init(other, NULL, &err);

	if (rc == PAKHUS_ECONFLICT) /* by the one before */
		rc = 0;
	free(other);
	return rc;
}

static void after_init(void)
{
	char *other = s_text("%s-other", path);
	struct pakhus *s = s_open(other, 0);

	s_verify(s);
	pakhus_close(s);
	nftw(other, t_remove, 16, FTW_DEPTH | FTW_PHYS);
	free(other);
}

static int go_adopt(void)
{
	return pakhus_adopt_here(path, &err);
}

static int go_rotate(void)
{
	return pakhus_rotate(store, NULL, NULL, NULL, &err);
}

static int go_keys(void)
{
	struct pakhus_keys *keys;
	int rc = pakhus_keys(store, &keys, &err);

	if (!rc)
		pakhus_keys_free(keys);
	return rc;
}

static int go_checkpoint(void)
{
	char *text;
	size_t size;
	int rc = pakhus_checkpoint(store, 1, &text, &size, &err);

	if (!rc)
		pakhus_free(text);
	return rc;
}

static int go_stat(void)
{
	struct pakhus_stat st;

	return pakhus_stat(store, PAKHUS_STAT_OBJECTS, &st, &err);
}

static int go_pkg(void)
{
	return pakhus_refresh_pkg(store, &err);
}

static int take(void *arg, const char *text, size_t size)
{
	(void)arg, (void)text, (void)size;
	return 0;
}

static int go_dump(void)
{
	char *name = s_text("%s/local/slot-0", path);
	int rc = pakhus_dump(name, take, NULL, &err);

	free(name);
	return rc;
}

static int go_bundle(void)
{
	struct pakhus_bundle b = { .since = 1 };
	char *name = s_text("%s-bundle", path);
	int rc = pakhus_bundle_create(store, name, &b, &err);

	/* whole, or not there */
	assert_int_equal(unlink(name), rc ? -1 : 0);
	free(name);
	return rc;
}

static const struct operation {
	const char *name;
	int (*go)(void);
	void (*after)(void);
} operations[] = {
	{ "publish", go_publish, after_publish },
	{ "over", go_over, after_over },
	{ "delete", go_delete, after_delete },
	{ "attrs", go_attrs, after_attrs },
	{ "delete over", go_delete_over, after_delete },
	{ "purge", go_purge, after_delete },
	{ "sync", go_sync, after_nothing },
	{ "gc", go_gc, after_gc },
	{ "get", go_get, after_nothing },
	{ "artifact", go_artifact, after_nothing },
	{ "list", go_list, after_nothing },
	{ "history", go_history, after_nothing },
	{ "versions", go_versions, after_nothing },
	{ "prove", go_prove, after_nothing },
	{ "verify", go_verify, after_nothing },
	{ "open", go_open, after_nothing },
	{ "rebuild", go_rebuild, after_nothing },
	{ "batch", go_batch, after_batch },
	{ "close", go_close, after_nothing },
	{ "init", go_init, after_init },
	{ "adopt", go_adopt, after_nothing },
	{ "stat", go_stat, after_nothing },
	{ "rotate", go_rotate, after_nothing },
	{ "keys", go_keys, after_nothing },
	{ "checkpoint", go_checkpoint, after_nothing },
	{ "dump", go_dump, after_nothing },
	{ "bundle", go_bundle, after_nothing },
	{ "pkg", go_pkg, after_nothing },
};

static int leave_a_journal(void *arg)
{
	struct pakhus *s = s_open(path, 0);

	(void)arg;
	s_publish(s, "left", version(), round_no);
	return 0;
}

static int is_done;

static int count_fds(void)
{
	DIR *d = opendir("/proc/self/fd");
	int n = 0;

	while (readdir(d))
		n++;
	closedir(d);
	return n;
}

static int opens(const struct operation *op)
{
	return op->go == go_open || op->go == go_rebuild;
}

static int removes(const struct operation *op)
{
	return op->go == go_delete || op->go == go_delete_over ||
		op->go == go_purge;
}

static void before(const struct operation *op)
{
	assert_done(pakhus_init(path, NULL, &err));
	store = s_open(path, 0);
	s_publish(store, "before", version(), round_no);
	s_publish(store, "before", version(), round_no + 1);
	if (op->go == go_gc) {
		s_publish(store, "freed", "1", 1);
		s_publish(store, "freed", "2", 2);
	}
	if (!opens(op))
		return;
	pakhus_close(store);
	store = NULL;
	assert_int_equal(s_in_child(leave_a_journal, NULL), 0);
}

/* With the n-th allocation denied; is_done when there were fewer. */
static void with_denial(const struct operation *op, long n)
{
	long live;
	int rc, fds;

	round_no++;
	path = s_text("%s/%u", dir, round_no);
	fds = count_fds();
	live = memory.live;
	before(op);
	memory_deny(n, for_good);
	rc = op->go();
	is_done = memory_peace() < n;
	/* without memory there may be a worse index or a worse base, but
	 * no other answer than this */
	if (rc && rc != PAKHUS_ENOMEM)
		print_error("%s, allocation %ld: %s\n", op->name, n, err.text);
	assert_true(!rc || rc == PAKHUS_ENOMEM);
	if (!store)
		store = s_open(path, 0);
	if (!rc)
		op->after();
	if (!removes(op))
		assert_holds(store, "before", version(), round_no + 1);
	pakhus_close(store);
	store = s_open(path, 0);
	if (!rc && op->go != go_init)
		op->after();
	s_verify(store);
	assert_done(op->go());
	if (!store)
		store = s_open(path, 0);
	op->after();
	if (!removes(op))
		assert_holds(store, "before", version(), round_no + 1);
	assert_done(pakhus_sync(store, &err));
	s_verify(store);
	pakhus_close(store);
	store = NULL;
	assert_int_equal(memory.live, live);
	assert_int_equal(count_fds(), fds);
	nftw(path, t_remove, 16, FTW_DEPTH | FTW_PHYS);
	free(path);
}

static void each_denial(void **state, int from_then_on)
{
	long denied = memory.denied;

	dir = *state;
	for_good = from_then_on;
	print_message("# memory runs out %s at:\n",
		      from_then_on ? "for good" : "once");
	for (size_t i = 0; i < T_COUNT(operations); i++) {
		long n = 0;

		do
			with_denial(&operations[i], ++n);
		while (!is_done);
		if (n > 1)
			print_message("# %s: each of %ld allocations\n",
				      operations[i].name, n - 1);
		else
			print_message("# %s: it allocates nothing\n",
				      operations[i].name);
	}
	print_message("# %ld allocations denied\n", memory.denied - denied);
}

static void each_allocation_fails_once(void **state)
{
	each_denial(state, 0);
}

static void each_allocation_fails_from_then_on(void **state)
{
	each_denial(state, 1);
}

/* Memory may run out between the sync and the index. Then the index is
 * behind what is durable, and nothing may be decided by it as it is. */
static void a_version_is_not_changed_because_the_index_is_behind(void **state)
{
	char *docs[2] = { s_document("a", "1", 1), s_document("a", "1", 2) };
	int behind = 0;

	is_done = 0;
	for (long n = 1; !is_done; n++) {
		char name[20];
		struct pakhus_history *h;
		int first, second;

		snprintf(name, sizeof(name), "%ld", n);
		path = s_init(state, name, 1);
		store = s_open(path, 0);
		memory_deny(n, 0);
		first = pakhus_publish(store, docs[0], strlen(docs[0]), NULL,
				       NULL, &err);
		is_done = memory_peace() < n;
		second = pakhus_publish(store, docs[1], strlen(docs[1]), NULL,
					NULL, &err);
		h = s_history(store, NULL, 0, 10);
		assert_int_equal(h->count, 2);
		behind += first && second;
		assert_true(second == 0 || second == PAKHUS_ECONFLICT);
		pakhus_history_free(h);
		assert_holds(store, "a", "1", second ? 1 : 2);
		pakhus_close(store);
		free(path);
	}
	assert_true(behind > 0); /* or this test is of no use */
	free(docs[0]);
	free(docs[1]);
}

static void a_slot_is_not_freed_before_the_index_has_it(void **state)
{
	char *doc = s_document("a", "1", 1);

	is_done = 0;
	for (long n = 1; !is_done; n++) {
		char name[20];

		snprintf(name, sizeof(name), "%ld", n);
		path = s_init(state, name, 0);
		store = s_open(path, 0);
		s_publish(store, "b", "1", 1);
		memory_deny(n, 0);
		pakhus_publish(store, doc, strlen(doc), NULL, NULL, &err);
		is_done = memory_peace() < n;
		assert_done(pakhus_sync(store, &err));
		s_publish(store, "c", "1", 1);
		assert_holds(store, "b", "1", 1);
		assert_holds(store, "c", "1", 1);
		s_verify(store);
		pakhus_close(store);
		free(path);
	}
	free(doc);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		T_IN_DIR(a_version_is_not_changed_because_the_index_is_behind),
		T_IN_DIR(a_slot_is_not_freed_before_the_index_has_it),
		T_IN_DIR(each_allocation_fails_once),
		T_IN_DIR(each_allocation_fails_from_then_on),
	};

	if (!access("/dev/shm", W_OK))
		setenv("TMPDIR", "/dev/shm", 0);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
