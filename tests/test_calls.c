/* test_calls.c - every system call of every operation fails, n = 1, 2, …
 *
 * With EIO, with a full disk, with half of the bytes, with a signal; once or
 * from then on. Whatever an operation answers then, it shows no wrong data,
 * and afterwards the store opens, verifies and does it, with no file left
 * open and no memory lost.
 *
 * Of operations with many calls not all are tried; with TORTURE=1 they are.
 *
 * wrap: open openat pread pwrite write fsync fdatasync fchmod ftruncate fallocate lseek fstat fstatat stat faccessat renameat mkdir mkdirat unlinkat mmap memfd_create fcntl flock fdopendir readdir getrandom
 * wrap: malloc calloc realloc strdup vasprintf free
 */
#include "t.h"
#include "stores.h"
#include "files.h"
#include "calls.h"
#include "memory.h"

#define STORE_LASTS 20 /* rounds */

static char *dir, *path, *other, *stick;
static struct pakhus *store;
static unsigned round_no; /* makes versions that were not there before */
static unsigned long objects; /* of the store, when its verify began */

static int count_fds(void)
{
	DIR *d = opendir("/proc/self/fd");
	int n = 0;

	while (readdir(d))
		n++;
	closedir(d);
	return n;
}

static const char *version(void)
{
	static char text[20];

	snprintf(text, sizeof(text), "1.0.%u", round_no);
	return text;
}

static void reopen(unsigned flags)
{
	pakhus_close(store);
	store = s_open(path, flags);
}

static void leave(void)
{
	pakhus_close(store);
	store = NULL;
}

static void nothing(void)
{
}

/* ---- what writes ---- */

static int go_publish(void)
{
	return s_try(store, "published", version(), round_no, NULL);
}

static void after_publish(void)
{
	assert_holds(store, "published", version(), round_no);
}

static void before_over(void)
{
	s_publish(store, "over", version(), round_no);
}

/* Read once, and published over what is there. */
static int go_over(void)
{
	char *doc = s_document("over", version(), round_no + 1);
	struct pakhus_document *d = NULL;
	struct pakhus_record r = { .seq = 0 };
	int rc = pakhus_document_new(store, doc, strlen(doc), &d, &err);

	if (!rc)
		rc = pakhus_find(store, "over", version(), &r, &err);
	if (!rc)
		rc = pakhus_publish_document(store, d, &r.seq, NULL, &r, &err);
	pakhus_document_free(d);
	free(doc);
	return rc;
}

static void after_over(void)
{
	assert_holds(store, "over", version(), round_no + 1);
}

static void before_delete(void)
{
	s_publish(store, "deleted", version(), round_no);
}

static int go_delete(void)
{
	return pakhus_delete(store, "deleted", version(), NULL, NULL, &err);
}

static int go_delete_over(void)
{
	struct pakhus_record r = { .seq = 0 };
	int rc = pakhus_find(store, "deleted", version(), &r, &err);

	return rc ? rc : pakhus_delete_over(store, "deleted", version(), r.seq,
					    NULL, &err);
}

/* The entry may be there. */
static int again_delete_over(void)
{
	int rc = go_delete_over();

	return rc == PAKHUS_ENOTFOUND ? 0 : rc;
}

static void after_delete(void)
{
	assert_status(pakhus_get(store, "deleted", version(), NULL, &err),
		      PAKHUS_ENOTFOUND);
}

/* The second is a delta of the first. */
static void before_sync(void)
{
	s_publish(store, "synced", version(), round_no);
	s_publish(store, "synced", version(), round_no + 1);
}

static int go_sync(void)
{
	return pakhus_sync(store, &err);
}

static void after_sync(void)
{
	assert_holds(store, "synced", version(), round_no + 1);
}

/* Whatever is left of one that failed, the next one goes on from it. */
static int go_rotate(void)
{
	struct pakhus_key key = { .seq = 0 };
	int rc = pakhus_rotate(store, NULL, "test", &key, &err);

	assert_true(rc || key.seq);
	return rc;
}

static void after_rotate(void)
{
	struct pakhus_keys *keys = NULL;
	struct pakhus_stat st;

	assert_done(pakhus_keys(store, &keys, &err));
	assert_true(keys->count > 1);
	assert_done(pakhus_stat(store, 0, &st, &err));
	assert_string_equal(keys->items[keys->count - 1].key, st.key);
	pakhus_keys_free(keys);
}

static int go_checkpoint(void)
{
	char *text = NULL;
	size_t size;
	int rc = pakhus_checkpoint(store, 1, &text, &size, &err);

	if (rc)
		return rc;
	assert_non_null(strstr(text, "time "));
	pakhus_free(text);
	return 0;
}

/* By threads: whichever of them a call fails in, the sync says so. */
static void before_crew(void)
{
	for (unsigned i = 0; i < 5; i++) {
		char id[20];

		snprintf(id, sizeof(id), "crew-%u", i % 2);
		s_publish(store, id, version(), round_no + i);
	}
}

static int go_crew(void)
{
	struct pakhus_options opt = { .level = 3, .threads = 4 };
	struct pakhus *four;
	int rc = pakhus_open(&four, path, &opt, &err);

	if (rc)
		return rc;
	rc = pakhus_sync(four, &err);
	pakhus_close(four);
	return rc;
}

static void after_crew(void)
{
	assert_holds(store, "crew-0", version(), round_no + 4);
	assert_holds(store, "crew-1", version(), round_no + 3);
}

/* The second cycle, which frees. */
static void before_gc(void)
{
	struct pakhus_gc gc = { .grace_us = 0 };

	s_publish(store, "kept", version(), round_no);
	s_publish(store, "freed", "1", round_no);
	s_publish(store, "freed", "2", round_no);
	s_delete(store, "freed", NULL);
	assert_done(pakhus_gc(store, &gc, &err));
	s_publish(store, "new", version(), round_no);
}

static int go_gc(void)
{
	struct pakhus_gc gc = { .grace_us = 0 };

	return pakhus_gc(store, &gc, &err);
}

static void after_gc(void)
{
	assert_holds(store, "kept", version(), round_no);
	assert_holds(store, "new", version(), round_no);
}

/* The second text is made against the first. */
static void before_purge(void)
{
	s_publish(store, "purged", version(), round_no);
	s_publish(store, "purged", "stays", round_no);
	assert_done(pakhus_sync(store, &err));
}

static int go_purge(void)
{
	return pakhus_purge(store, "purged", version(), "why", NULL, NULL,
			    &err);
}

static void after_purge(void)
{
	assert_status(pakhus_get(store, "purged", version(), NULL, &err),
		      PAKHUS_ENOTFOUND);
	assert_holds(store, "purged", "stays", round_no);
}

/* The entry may be there, and what it says is carried out then. */
static int again_purge(void)
{
	int rc = go_purge();

	return rc == PAKHUS_ENOTFOUND ? 0 : rc;
}

/* The second text is made against the first. */
static void before_attrs(void)
{
	assert_done(pakhus_set_attrs(store, "said", NULL, "{\"n\":0}", 7, NULL,
				     NULL, &err));
	assert_done(pakhus_sync(store, &err));
}

static int go_attrs(void)
{
	struct pakhus_attrs *a;
	char json[40];
	int n = sprintf(json, "{\"n\":1,\"round\":%u}", round_no);
	int rc = pakhus_set_attrs(store, "said", NULL, json, (size_t)n, NULL,
				  NULL, &err);

	if (!rc)
		rc = pakhus_sync(store, &err);
	if (!rc)
		rc = pakhus_attrs(store, "said", NULL, &a, &err);
	if (!rc)
		pakhus_attrs_free(a);
	return rc;
}

static void after_attrs(void)
{
	struct pakhus_attrs *a;
	char json[40];

	sprintf(json, "{\"n\":1,\"round\":%u}", round_no);
	assert_done(pakhus_attrs(store, "said", NULL, &a, &err));
	assert_string_equal(a->text, json);
	pakhus_attrs_free(a);
}

static int go_batch(void)
{
	struct pakhus_batch *b = NULL;
	int rc = pakhus_batch_new(store, NULL, &b, &err);

	for (unsigned i = 0; i < 5 && !rc; i++) {
		char id[20], *doc;

		snprintf(id, sizeof(id), "batch-%u", i);
		doc = s_document(id, version(), round_no);
		rc = pakhus_batch_publish(b, doc, strlen(doc), &err);
		free(doc);
	}
	if (!rc)
		rc = pakhus_batch_commit(b, &err);
	if (!rc)
		assert_int_equal(pakhus_batch_durable(b), 5);
	pakhus_batch_free(b);
	return rc;
}

static void after_batch(void)
{
	assert_holds(store, "batch-0", version(), round_no);
	assert_holds(store, "batch-4", version(), round_no);
}

/* Longer than what a journal takes: an object before its entry. */
static int go_long(void)
{
	size_t size = 5 << 20;
	char *doc = malloc(size + 200);
	int n, rc;

	n = sprintf(doc, "{\"manifest\":{\"id\":\"long\",\"version\":\"%s\"},"
			 "\"metadata\":{\"x\":\"", version());
	memset(doc + n, 'a', size);
	strcpy(doc + n + size, "\"}}");
	rc = pakhus_publish(store, doc, strlen(doc), NULL, NULL, &err);
	free(doc);
	return rc;
}

static void after_long(void)
{
	struct pakhus_package *p = s_get(store, "long", version());

	assert_true(p->document_size > 5 << 20);
	pakhus_package_free(p);
}

/* ---- opening and closing ---- */

static int leave_a_journal(void *arg)
{
	struct pakhus *s = s_open(path, 0);

	(void)arg;
	s_publish(s, "left", version(), round_no);
	s_publish(s, "left", version(), round_no + 1);
	return 0;
}

/* A process was killed with entries in the journal. */
static void before_recovery(void)
{
	leave();
	assert_int_equal(s_in_child(leave_a_journal, NULL), 0);
}

static int try_open(unsigned flags)
{
	struct pakhus_options opt = { .flags = flags, .level = 3 };
	struct pakhus *s = NULL;
	int rc;

	leave();
	rc = pakhus_open(&s, path, &opt, &err);
	if (rc)
		assert_null(s);
	store = s;
	return rc;
}

static int go_open(void)
{
	return try_open(0);
}

static int go_rebuild(void)
{
	return try_open(PAKHUS_REBUILD);
}

static void after_recovery(void)
{
	assert_holds(store, "left", version(), round_no + 1);
}

static void before_close(void)
{
	s_publish(store, "closed", version(), round_no);
}

/* What it cannot do the next one does. */
static int go_close(void)
{
	leave();
	return 0;
}

static void after_close(void)
{
	if (!store)
		store = s_open(path, 0);
	assert_holds(store, "closed", version(), round_no);
}

static void before_init(void)
{
	leave();
	nftw(other, t_remove, 16, FTW_DEPTH | FTW_PHYS);
}

static int go_init(void)
{
	return pakhus_init(other, NULL, &err);
}

/* Whatever an init left, the next one can go on from it. */
static int go_create(void)
{
	struct pakhus_options opt = { .flags = PAKHUS_CREATE, .level = 3 };
	struct pakhus *s = NULL;
	int rc = pakhus_open(&s, other, &opt, &err);

	if (rc)
		return rc;
	s_publish(s, "new", "1", 1);
	assert_done(pakhus_sync(s, &err));
	s_verify(s);
	pakhus_close(s);
	return 0;
}

static int go_adopt(void)
{
	return pakhus_adopt_here(path, &err);
}

/* ---- what only reads ---- */

/* With nothing decoded yet, and texts in objects, deltas too. */
static void before_reading(void)
{
	s_publish(store, "read", version(), round_no);
	s_publish(store, "read", version(), round_no + 1);
	assert_done(pakhus_sync(store, &err));
	reopen(0);
}

static int read_history(void)
{
	struct pakhus_range newest = { 0, 2 };
	struct pakhus_history *h = NULL;
	struct pakhus_package *p = NULL;
	char *doc;
	int rc = pakhus_history(store, "read", newest, &h, &err);

	if (rc)
		return rc;
	assert_int_equal(h->count, 2);
	rc = pakhus_get_at(store, h->items[1].seq, &p, &err);
	pakhus_history_free(h);
	if (rc)
		return rc;
	doc = s_document("read", version(), round_no);
	assert_string_equal(p->document, doc);
	pakhus_package_free(p);
	free(doc);
	rc = pakhus_history(store, NULL, newest, &h, &err);
	if (rc)
		return rc;
	assert_string_equal(h->items[0].id, "read");
	pakhus_history_free(h);
	return 0;
}

static int read_list(void)
{
	struct pakhus_list *l = NULL;
	char *doc;
	int rc = pakhus_list(store, (struct pakhus_range){ 0, 1 },
			     PAKHUS_DOCUMENTS, &l, &err);

	if (rc)
		return rc;
	assert_int_equal(l->count, 1);
	doc = s_document("read", version(), round_no + 1);
	assert_string_equal(l->items[0]->document, doc);
	pakhus_list_free(l);
	free(doc);
	return 0;
}

static int read_text(const char *hash)
{
	char *text = NULL, *doc;
	size_t size;
	int rc = pakhus_read(store, hash, &text, &size, &err);

	if (rc)
		return rc;
	doc = s_document("read", version(), round_no + 1);
	assert_string_equal(text, doc);
	pakhus_free(text);
	free(doc);
	return 0;
}

static int go_read(void)
{
	struct pakhus_versions *v = NULL;
	struct pakhus_package *p = NULL;
	struct pakhus_stat st;
	char hash[PAKHUS_HASH_HEX + 1], *doc;
	int rc = pakhus_get(store, "read", NULL, &p, &err);

	if (rc)
		return rc;
	doc = s_document("read", version(), round_no + 1);
	assert_string_equal(p->document, doc);
	strcpy(hash, p->record.hash);
	pakhus_package_free(p);
	free(doc);
	rc = pakhus_versions(store, "read", (struct pakhus_range){ 0, 1 }, &v,
			     &err);
	if (rc)
		return rc;
	assert_string_equal(v->items[0].version, version());
	pakhus_versions_free(v);
	rc = read_history();
	if (!rc)
		rc = read_list();
	if (!rc)
		rc = read_text(hash);
	return rc ? rc : pakhus_stat(store, 0, &st, &err);
}

/* Of an entry that is only in the journal yet. */
static void before_prove(void)
{
	s_publish(store, "proven", version(), round_no);
}

static int go_prove(void)
{
	struct pakhus_stat st;
	struct pakhus_proof proof;
	char *text = NULL;
	size_t size = 0;
	int rc = pakhus_prove(store, "proven", version(), &text, &size, &err);

	if (rc)
		return rc;
	rc = pakhus_stat(store, 0, &st, &err);
	if (!rc)
		assert_done(pakhus_check_proof(text, size, st.key, &proof,
					       &err));
	pakhus_free(text);
	return rc;
}

static void after_prove(void)
{
	assert_holds(store, "proven", version(), round_no);
}

static int go_stat(void)
{
	struct pakhus_stat st;
	int rc = pakhus_stat(store, PAKHUS_STAT_OBJECTS, &st, &err);

	if (!rc)
		assert_int_equal(st.objects, objects);
	return rc;
}

static int go_file(void)
{
	static const char *const names[] = {"FORMAT", "log/checkpoint"};
	struct pakhus_file f;
	int rc = 0;

	for (size_t i = 0; i < T_COUNT(names) && !rc; i++) {
		rc = pakhus_open_file(store, names[i], &f, &err);
		if (!rc)
			assert_int_equal(close(f.fd), 0);
	}
	return rc;
}

static int go_pkg(void)
{
	return pakhus_refresh_pkg(store, &err);
}

/* F-95: what one that begins anew would make. */
static void after_pkg(void)
{
	run("mv %s/pkg %s.pkg && rm %s/local/pkg", path, path, path);
	assert_done(pakhus_refresh_pkg(store, &err));
	run("diff -r %s/pkg %s.pkg && rm -r %s.pkg", path, path, path);
}

static int go_verify(void)
{
	struct pakhus_verify v = { .flags = 0 };
	int rc = pakhus_verify(store, &v, &err);

	if (!rc)
		assert_int_equal(v.objects, objects);
	/* what cannot be read may be told as damage */
	return rc == PAKHUS_ECORRUPT ? PAKHUS_ESYS : rc;
}

static void before_verify(void)
{
	struct pakhus_stat st;

	assert_done(pakhus_sync(store, &err));
	assert_done(pakhus_stat(store, PAKHUS_STAT_OBJECTS, &st, &err));
	objects = st.objects;
	reopen(0);
}

static int write_dump(void *arg, const char *text, size_t size)
{
	(void)text;
	*(size_t *)arg += size;
	return 0;
}

static int go_dump(void)
{
	static const char *const file[] = { "FORMAT", "log/checkpoint",
					    "local/slot-0" };
	int rc = 0;

	for (size_t i = 0; i < T_COUNT(file) && !rc; i++) {
		char *name = s_text("%s/%s", path, file[i]);
		size_t n = 0;

		rc = pakhus_dump(name, write_dump, &n, &err);
		assert_true(rc || n > 20);
		free(name);
	}
	return rc;
}

/* ---- bundles ---- */

static struct pakhus_bundle made;

static void before_bundle(void)
{
	before_reading();
	unlink(stick);
}

static int go_bundle(void)
{
	made = (struct pakhus_bundle){ .since = 0 };
	return pakhus_bundle_create(store, stick, &made, &err);
}

/* There is all of it, and nothing beside it. */
static void after_bundle(void)
{
	char *part = s_text("%s.part", stick);
	struct stat st;

	assert_int_equal(__real_stat(stick, &st), 0);
	assert_int_equal(st.st_size, made.bytes);
	assert_int_not_equal(access(part, F_OK), 0);
	free(part);
}

/* ---- the matrix ---- */

/* An operation: what comes before it, itself, what is to be seen of it when
 * it gave 0, and what has to go well afterwards (NULL: itself). */
static const struct operation {
	const char *name;
	void (*before)(void);
	int (*go)(void);
	void (*after)(void);
	int (*again)(void);
} operations[] = {
	{ "publish", nothing, go_publish, after_publish, NULL },
	{ "over", before_over, go_over, after_over, NULL },
	{ "delete", before_delete, go_delete, after_delete, NULL },
	{ "delete over", before_delete, go_delete_over, after_delete,
	  again_delete_over },
	{ "purge", before_purge, go_purge, after_purge, again_purge },
	{ "attrs", before_attrs, go_attrs, after_attrs, NULL },
	{ "batch", nothing, go_batch, after_batch, NULL },
	{ "long", nothing, go_long, after_long, NULL },
	{ "integrate", before_sync, go_sync, after_sync, NULL },
	{ "rotate", nothing, go_rotate, after_rotate, NULL },
	{ "checkpoint", nothing, go_checkpoint, nothing, NULL },
	{ "integrate by threads", before_crew, go_crew, after_crew, NULL },
	{ "gc", before_gc, go_gc, after_gc, NULL },
	{ "close", before_close, go_close, after_close, NULL },
	{ "open", leave, go_open, nothing, NULL },
	{ "recovery", before_recovery, go_open, after_recovery, NULL },
	{ "rebuild", before_recovery, go_rebuild, after_recovery, NULL },
	{ "init", before_init, go_init, nothing, go_create },
	{ "adopt", nothing, go_adopt, nothing, NULL },
	{ "read", before_reading, go_read, nothing, NULL },
	{ "prove", before_prove, go_prove, after_prove, NULL },
	{ "stat", before_verify, go_stat, nothing, NULL },
	{ "verify", before_verify, go_verify, nothing, NULL },
	{ "dump", nothing, go_dump, nothing, NULL },
	{ "bundle", before_bundle, go_bundle, after_bundle, NULL },
	{ "pkg", before_sync, go_pkg, after_pkg, NULL },
	{ "file", nothing, go_file, nothing, NULL },
};

static const char *const how_name[CALLS_HOWS] = {
	"EIO", "EIO for good", "ENOSPC", "ENOSPC for good", "full",
	"short", "short for good", "EINTR", "EINTR often"
};

/* That the answer is one that the disk's can have. */
static void check_answer(const struct operation *op, long n,
			 enum calls_how how, int rc)
{
	int is_fine = !rc || (err.status == rc && *err.text) ||
		      op->go == go_verify;

	/* what ends with less or later is gone on with */
	if (how >= CALLS_SHORT)
		is_fine &= !rc;
	else
		is_fine &= rc != PAKHUS_ECORRUPT && rc != PAKHUS_ENOTFOUND;
	if (is_fine)
		return;
	print_error("%s, call %ld, %s: %s: %s\n", op->name, n, how_name[how],
		    pakhus_strstatus(rc), err.text);
	fail();
}

/* One that was used often has many partial tiles, and so many calls. */
static void new_store(void)
{
	if (path)
		nftw(path, t_remove, 16, FTW_DEPTH | FTW_PHYS);
	free(path);
	path = s_text("%s/store-%u", dir, round_no);
	assert_done(pakhus_init(path, NULL, &err));
}

/* With the n-th call failing; how many calls there were. */
static long with_fault(const struct operation *op, long n, enum calls_how how)
{
	long hits, live;
	int fds, rc;

	if (round_no++ % STORE_LASTS == 0)
		new_store();
	fds = count_fds();
	live = memory.live;
	store = s_open(path, 0);
	s_publish(store, "before", version(), round_no);
	op->before();
	memset(&err, 0, sizeof(err));
	calls_fail(n, how);
	rc = op->go();
	hits = calls_peace();
	check_answer(op, n, how, rc);
	if (!rc)
		op->after();
	/* reading goes on in any case */
	if (store)
		assert_holds(store, "before", version(), round_no);
	reopen(0);
	assert_holds(store, "before", version(), round_no);
	if (!rc)
		op->after();
	s_verify(store);
	assert_done(op->again ? op->again() : op->go());
	op->after();
	if (!store)
		store = s_open(path, 0);
	assert_done(pakhus_sync(store, &err));
	op->after();
	leave();
	assert_int_equal(count_fds(), fds);
	assert_int_equal(memory.live, live);
	return hits;
}

static void each_operation(void **state, enum calls_how how)
{
	/* up to all none is passed over; then others each time */
	unsigned all = s_scale(5, 2, 1u << 30), step = s_scale(97, 211, 1);
	unsigned long rounds = 0;
	long failed = calls.failed;

	dir = *state;
	path = NULL; /* of a test that failed */
	round_no = 0;
	other = s_text("%s/other", dir);
	stick = s_text("%s/stick", dir);
	for (size_t i = 0; i < T_COUNT(operations); i++) {
		const struct operation *op = &operations[i];
		long n = 1, hits;

		while ((hits = with_fault(op, n, how)) >= n) {
			n += n < all ? 1 : n == all ? 1 + how : step;
			rounds++;
		}
		if (how == CALLS_EIO)
			print_message("# %s: %ld calls\n", op->name, hits);
	}
	assert_true(rounds > 15);
	print_message("# %s: %lu rounds, %ld calls failed\n", how_name[how],
		      rounds, calls.failed - failed);
	nftw(path, t_remove, 16, FTW_DEPTH | FTW_PHYS);
	free(path);
	free(other);
	free(stick);
	path = NULL;
}

/* ---- with others in the store, and where something is wrong ---- */

static long *hits_there; /* of a child */

static int open_in_child(void *arg)
{
	struct pakhus *s = NULL;
	int rc;

	calls_fail(labs(*(long *)arg), *(long *)arg < 0 ? CALLS_EIO_FOR_GOOD
							 : CALLS_EIO);
	rc = pakhus_open(&s, path, NULL, &err);
	*hits_there = calls_peace();
	if (!rc)
		assert_holds(s, "a", "1", 1);
	pakhus_close(s);
	/* busy: whose PID namespace it is could not be found out */
	if (!rc || rc == PAKHUS_ESYS || rc == PAKHUS_EBUSY)
		return 0;
	print_error("%s\n", err.text);
	return 1;
}

/* Who cannot find out that others have recovered does not wait for ever. */
static void who_joins_others_fails_or_joins(void **state)
{
	struct pakhus *s;
	long n = 1;

	path = s_init(state, "store", 0);
	hits_there = mmap(NULL, sizeof(*hits_there), PROT_READ | PROT_WRITE,
			  MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	s = s_open(path, 0);
	s_publish(s, "a", "1", 1);
	do {
		long for_good = -n;

		assert_int_equal(s_in_child(open_in_child, &n), 0);
		assert_int_equal(s_in_child(open_in_child, &for_good), 0);
		s_publish(s, "b", "1", (unsigned)n);
	} while (*hits_there >= n++);
	print_message("# join: each of %ld calls\n", n - 2);
	assert_true(n > 20);
	pakhus_close(s);
	munmap(hits_there, sizeof(*hits_there));
	free(path);
}

/* A read that fails is no reason to find nothing. */
static void damage_is_never_passed_over(void **state)
{
	static const char *const junk[] = { "junk", "log/junk",
					    "objects/80/junk",
					    "log/tile/entries/junk" };
	long step = s_scale(7, 61, 1);

	path = s_init(state, "store", 0);
	for (size_t i = 0; i < T_COUNT(junk); i++) {
		char *name = s_text("%s/%s", path, junk[i]);
		struct pakhus *s;
		long hits = 1;

		assert_int_equal(close(open(name, O_CREAT | O_WRONLY, 0600)),
				 0);
		s = s_open(path, 0);
		for (long n = 1; n <= hits; n += step) {
			struct pakhus_verify v = { .flags = 0 };
			int rc;

			calls_fail(n, CALLS_EIO);
			rc = pakhus_verify(s, &v, &err);
			hits = calls_peace();
			assert_int_not_equal(rc, 0);
		}
		pakhus_close(s);
		assert_int_equal(unlink(name), 0);
		free(name);
	}
	free(path);
}

/* A store that lost its FORMAT is not begun anew, whatever cannot be read. */
static void init_spares_what_it_cannot_read(void **state)
{
	long hits = 1;
	char *format, *aside;

	path = s_init(state, "store", 0);
	assert_int_equal(s_in_child(leave_a_journal, NULL), 0);
	format = s_text("%s/FORMAT", path);
	aside = s_text("%s/FORMAT", (char *)*state);
	assert_int_equal(rename(format, aside), 0);
	for (long n = 1; n <= hits; n++) {
		int rc;

		calls_fail(n, CALLS_EIO);
		rc = pakhus_init(path, NULL, &err);
		hits = calls_peace();
		assert_int_not_equal(rc, 0);
	}
	assert_int_equal(rename(aside, format), 0);
	store = s_open(path, 0);
	after_recovery();
	s_verify(store);
	leave();
	free(format);
	free(aside);
	free(path);
}

static void every_call_fails_once_with_eio(void **state)
{
	each_operation(state, CALLS_EIO);
}

static void every_call_fails_from_then_on_with_eio(void **state)
{
	each_operation(state, CALLS_EIO_FOR_GOOD);
}

static void the_disk_is_full_at_every_call_once(void **state)
{
	each_operation(state, CALLS_ENOSPC);
}

static void the_disk_is_full_from_every_call_on(void **state)
{
	each_operation(state, CALLS_ENOSPC_FOR_GOOD);
}

static void the_disk_fills_in_the_middle_of_every_write(void **state)
{
	each_operation(state, CALLS_FULL);
}

static void who_moves_half_of_the_bytes_goes_on(void **state)
{
	each_operation(state, CALLS_SHORT);
	each_operation(state, CALLS_SHORT_FOR_GOOD);
}

static void who_is_interrupted_begins_again(void **state)
{
	each_operation(state, CALLS_EINTR);
	each_operation(state, CALLS_EINTR_OFTEN);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		T_IN_DIR(who_joins_others_fails_or_joins),
		T_IN_DIR(damage_is_never_passed_over),
		T_IN_DIR(init_spares_what_it_cannot_read),
		T_IN_DIR(every_call_fails_once_with_eio),
		T_IN_DIR(every_call_fails_from_then_on_with_eio),
		T_IN_DIR(the_disk_is_full_at_every_call_once),
		T_IN_DIR(the_disk_is_full_from_every_call_on),
		T_IN_DIR(the_disk_fills_in_the_middle_of_every_write),
		T_IN_DIR(who_moves_half_of_the_bytes_goes_on),
		T_IN_DIR(who_is_interrupted_begins_again),
	};

	if (!access("/dev/shm", W_OK))
		setenv("TMPDIR", "/dev/shm", 0);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
