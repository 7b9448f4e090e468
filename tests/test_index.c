/* test_index.c - the index can be thrown away, and is never believed more
 * than the log. Syncs are left out: nothing here goes down.
 *
 * wrap: clock_gettime fsync fdatasync
 */
#include "t.h"
#include "stores.h"
#include "biglog.h"
#include "index.h"

#include <dirent.h>
#include <lmdb.h>
#include <time.h>

int __wrap_fsync(int fd);
int __wrap_fsync(int fd)
{
	(void)fd;
	return 0;
}

int __wrap_fdatasync(int fd);
int __wrap_fdatasync(int fd)
{
	(void)fd;
	return 0;
}

static int64_t clock_us;

int __real_clock_gettime(clockid_t id, struct timespec *t);
int __wrap_clock_gettime(clockid_t id, struct timespec *t);
int __wrap_clock_gettime(clockid_t id, struct timespec *t)
{
	if (!clock_us || id != CLOCK_REALTIME)
		return __real_clock_gettime(id, t);
	t->tv_sec = clock_us / 1000000;
	t->tv_nsec = clock_us % 1000000 * 1000;
	return 0;
}

static uint64_t seed;
static unsigned rnd(unsigned n)
{
	seed ^= seed << 13;
	seed ^= seed >> 7;
	seed ^= seed << 17;
	return (unsigned)(seed >> 33) % n;
}

/* SEED in the environment tries others. */
static void seed_from(unsigned usual)
{
	seed = usual;
	if (getenv("SEED"))
		seed += strtoul(getenv("SEED"), NULL, 10);
	seed |= 1;
}

/* ---- files ---- */

/* The directory of the index, or a file in it; free it. */
static char *index_file(const char *store, const char *file)
{
	char *local = s_text("%s/local", store), *out = NULL;
	DIR *d = opendir(local);
	struct dirent *e;

	assert_non_null(d);
	while ((e = readdir(d)))
		/* index-0.9-64-4096, and not what lies beside it */
		if (!out && !strncmp(e->d_name, "index-", 6) &&
		    strcmp(e->d_name, "index-state"))
			out = s_text("%s/%s%s", local, e->d_name, file);
	closedir(d);
	free(local);
	assert_non_null(out);
	return out;
}

static void run(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
static void run(const char *fmt, ...)
{
	char *command;
	va_list ap;

	va_start(ap, fmt);
	assert_true(vasprintf(&command, fmt, ap) >= 0);
	va_end(ap);
	assert_int_equal(system(command), 0);
	free(command);
}

static char *slurp(const char *path, size_t *size)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	struct stat st;
	char *p;

	assert_true(fd >= 0);
	assert_int_equal(fstat(fd, &st), 0);
	*size = (size_t)st.st_size;
	p = malloc(*size + 1);
	assert_int_equal(pk_pread(fd, p, *size, 0), *size);
	close(fd);
	return p;
}

/* Into the same inode, so that a stamp still names it. */
static void spill(const char *path, const char *bytes, size_t size)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	assert_true(fd >= 0);
	assert_int_equal(pk_pwrite(fd, bytes, size, 0), 0);
	close(fd);
}

/* ---- a store with known content ---- */

#define PACKAGES 30
#define VERSIONS 4

static unsigned number(unsigned package, unsigned version)
{
	return 100 * package + version;
}

/* Packages p0 to p29 of versions 0 to 3, some of them deleted. */
static char *make_known(void **state, const char *name)
{
	char *path = s_init(state, name, 0), id[8], version[8];
	struct pakhus *s = s_open(path, 0);

	for (unsigned v = 0; v < VERSIONS; v++)
		for (unsigned p = 0; p < PACKAGES; p++) {
			snprintf(id, sizeof(id), "p%u", p);
			snprintf(version, sizeof(version), "%u", v);
			s_publish(s, id, version, number(p, v));
		}
	s_delete(s, "p7", "3");
	s_delete(s, "p9", NULL);
	pakhus_close(s);
	return path;
}

static int is_there(unsigned p, unsigned v)
{
	return p != 9 && !(p == 7 && v == 3);
}

/* MISSING: something that is there was not found. That is what damage in
 * LMDB's own structure can do without anybody's noticing; whatever is
 * answered has to be right all the same. */
enum { RIGHT, REFUSED, MISSING, WRONG, STRANGE };
static const char *const told[] = { "right", "refused", "missing", "wrong",
				    "strange" };

/* What was asked last. */
static char asked[320];

static int same(const struct pakhus_package *q, const char *id,
		const char *version, unsigned n)
{
	char *want = s_document(id, version, n);
	int ok = !strcmp(q->document, want) && !strcmp(q->record.id, id) &&
		 !strcmp(q->record.version, version);

	free(want);
	return ok;
}

static int judge(int rc)
{
	return rc == PAKHUS_ECORRUPT ? REFUSED : STRANGE;
}

static int check_get(struct pakhus *s, const char *id, const char *version,
		     const char *want, unsigned n, int there)
{
	struct pakhus_package *q = NULL;
	int rc = pakhus_get(s, id, version, &q, &err), out = RIGHT;

	snprintf(asked, sizeof(asked), "get %s@%s", id,
		 version ? version : "");
	if (rc == PAKHUS_ENOTFOUND)
		return there ? MISSING : RIGHT;
	if (rc)
		return judge(rc);
	if (!there || !same(q, id, want, n))
		out = WRONG;
	pakhus_package_free(q);
	return out;
}

static int check_list(struct pakhus *s)
{
	struct pakhus_list *l = NULL;
	int rc = pakhus_list(s, (struct pakhus_range){ 0, 0 }, 0, &l, &err);
	int out = RIGHT;

	snprintf(asked, sizeof(asked), "list");
	if (rc)
		return judge(rc);
	if (l->count != PACKAGES - 1)
		out = l->count < PACKAGES - 1 ? MISSING : WRONG;
	if (out)
		snprintf(asked, sizeof(asked), "list: %zu packages", l->count);
	/* p7 lost its newest place, and stands where its older one does */
	for (size_t i = 0, p = PACKAGES; i < l->count && !out; i++) {
		const struct pakhus_record *r = &l->items[i]->record;
		char id[8], *doc;

		p--;
		if (i == PACKAGES - 2)
			p = 7;
		else
			while (p == 9 || p == 7)
				p--;
		snprintf(id, sizeof(id), "p%zu", p);
		doc = s_document(id, p == 7 ? "2" : "3",
				 number((unsigned)p, p == 7 ? 2 : 3));
		if (strcmp(r->id, id) ||
		    strncmp(l->items[i]->manifest, doc + 12,
			    l->items[i]->manifest_size)) {
			snprintf(asked, sizeof(asked), "list: %s for %s", r->id,
				 id);
			out = WRONG;
		}
		free(doc);
	}
	pakhus_list_free(l);
	return out;
}

static int check_versions(struct pakhus *s, unsigned p)
{
	struct pakhus_versions *v = NULL;
	struct pakhus_history *h = NULL;
	struct pakhus_range all = { 0, 0 };
	size_t want = p == 9 ? 0 : p == 7 ? 3 : 4, k = want;
	char id[8], version[8];
	int rc, out = RIGHT;

	snprintf(id, sizeof(id), "p%u", p);
	snprintf(asked, sizeof(asked), "versions and history of %s", id);
	rc = pakhus_versions(s, id, all, &v, &err);
	if (rc)
		return judge(rc);
	if (v->count != want)
		out = WRONG;
	for (size_t i = 0; i < v->count && !out; i++) {
		snprintf(version, sizeof(version), "%zu", --k);
		if (strcmp(v->items[i].version, version))
			out = WRONG;
	}
	pakhus_versions_free(v);
	rc = out ? 0 : pakhus_history(s, id, all, &h, &err);
	if (rc)
		return judge(rc);
	k = (size_t)VERSIONS + (p == 9 ? 4 : p == 7);
	if (h && h->count != k)
		out = h->count < k ? MISSING : WRONG;
	pakhus_history_free(h);
	return out;
}

/* Everything that a known store answers. */
static int ask_all(struct pakhus *s)
{
	char id[8], version[8];
	int out = check_list(s);

	for (unsigned p = 0; p < PACKAGES && !out; p++) {
		unsigned last = p == 7 ? 2 : 3;

		snprintf(id, sizeof(id), "p%u", p);
		snprintf(version, sizeof(version), "%u", last);
		out = check_get(s, id, NULL, version, number(p, last), p != 9);
		for (unsigned v = 0; v < VERSIONS && !out; v++) {
			snprintf(version, sizeof(version), "%u", v);
			out = check_get(s, id, version, version, number(p, v),
					is_there(p, v));
		}
		if (!out)
			out = check_versions(s, p);
	}
	return out;
}

/* Opens, asks, and closes; notices are counted. */
static int open_and_ask(const char *path)
{
	struct pakhus_options opt = { .notice = s_notice };
	struct pakhus *s;
	int rc, out;

	notices = 0;
	rc = pakhus_open(&s, path, &opt, &err);
	if (rc)
		return judge(rc);
	out = ask_all(s);
	pakhus_close(s);
	return out;
}

static void expect(const char *path, int want, int want_notices,
		   const char *what)
{
	int out = open_and_ask(path);

	if (out == want && notices == want_notices)
		return;
	print_error("%s: %s with %d notices (%s): %s\n", what, told[out],
		    notices, notices ? notice : "", out ? err.text : "");
	fail();
}

/* Rebuilt, said so once, and believed the next time. */
#define assert_rebuilt(path, what)               \
	do {                                     \
		expect(path, RIGHT, 1, what);    \
		assert_non_null(strstr(notice, "rebuilt")); \
		expect(path, RIGHT, 0, what);    \
	} while (0)

/* ---- thrown away and replaced ---- */

static void an_undamaged_index_is_used_in_silence(void **state)
{
	char *path = make_known(state, "s");

	expect(path, RIGHT, 0, "nothing");
	free(path);
}

static void a_removed_index_is_made_again(void **state)
{
	char *path = make_known(state, "s");
	char *dir = index_file(path, ""), *data = index_file(path, "/data.mdb");
	char *lock = index_file(path, "/lock.mdb");

	run("rm -r %s", dir);
	assert_rebuilt(path, "no directory");
	run("rm %s", data);
	assert_rebuilt(path, "no data.mdb");
	run("rm %s", lock);
	expect(path, RIGHT, 0, "no lock.mdb");
	free(path), free(dir), free(data), free(lock);
}

static void a_cut_index_is_made_again(void **state)
{
	char *path = make_known(state, "s");
	char *data = index_file(path, "/data.mdb"), *bytes, what[32];
	static const size_t sizes[] = { 0, 1, 15, 100, 4095, 4096, 4097, 8191,
					8192, 8193, 12288, 20480 };
	size_t size;

	for (size_t i = 0; i < T_COUNT(sizes) + 4; i++) {
		size_t cut;

		bytes = slurp(data, &size);
		cut = i < T_COUNT(sizes) ? sizes[i]
		      : i % 4 == 0	 ? size / 2
		      : i % 4 == 1	 ? size / 2 / 4096 * 4096
		      : i % 4 == 2	 ? size - 4096
					 : size - 1;
		assert_true(cut < size);
		spill(data, bytes, cut);
		snprintf(what, sizeof(what), "cut at %zu", cut);
		assert_rebuilt(path, what);
		free(bytes);
	}
	free(path), free(data);
}

static void something_else_in_its_place_is_replaced(void **state)
{
	char *path = make_known(state, "s");
	char *dir = index_file(path, ""), *data = index_file(path, "/data.mdb");
	char *lock = index_file(path, "/lock.mdb");

	run("rm -r %s; echo x >%s", dir, dir);
	assert_rebuilt(path, "a file for the directory");
	run("rm -r %s; ln -s /nonexistent %s", dir, dir);
	assert_rebuilt(path, "a dangling link for the directory");
	run("rm %s; mkdir %s", data, data);
	assert_rebuilt(path, "a directory for data.mdb");
	run("rm %s; mkdir %s %s/sub; echo x >%s/sub/x", data, data, data, data);
	assert_rebuilt(path, "a full directory for data.mdb");
	run("rm %s; mkdir %s", lock, lock);
	assert_rebuilt(path, "a directory for lock.mdb");
	run("rm %s; mkfifo %s", data, data);
	assert_rebuilt(path, "a pipe for data.mdb");
	free(path), free(dir), free(data), free(lock);
}

static void garbage_is_replaced(void **state)
{
	char *path = make_known(state, "s");
	char *data = index_file(path, "/data.mdb");
	char *lock = index_file(path, "/lock.mdb"), *bytes;
	size_t size;

	bytes = slurp(data, &size);
	memset(bytes, 0, size);
	spill(data, bytes, size);
	assert_rebuilt(path, "zeros");
	memset(bytes, 0xff, size);
	spill(data, bytes, size);
	assert_rebuilt(path, "ones");
	spill(data, "hello\n", 6);
	assert_rebuilt(path, "a text");
	/* the lock file holds nothing that outlives its users */
	memset(bytes, 0xff, size);
	spill(lock, bytes, 8192);
	expect(path, RIGHT, 0, "a lock file of ones");
	spill(lock, bytes, 100);
	expect(path, RIGHT, 0, "a short lock file");
	free(path), free(data), free(lock), free(bytes);
}

static void another_stores_index_is_not_believed(void **state)
{
	char *path = make_known(state, "s"), *other = s_init(state, "o", 0);
	char *data = index_file(path, "/data.mdb"), *theirs, *bytes;
	struct pakhus *s = s_open(other, 0);
	size_t size;

	s_publish(s, "p1", "2", 9999);
	pakhus_close(s);
	theirs = index_file(other, "/data.mdb");
	bytes = slurp(theirs, &size);
	spill(data, bytes, size); /* the same inode as before */
	free(bytes);
	assert_rebuilt(path, "another store's bytes");
	run("mv %s %s", theirs, data);
	assert_rebuilt(path, "another store's file");
	free(path), free(other), free(data), free(theirs);
}

static void an_older_or_newer_index_of_this_store_is_seen(void **state)
{
	char *path = make_known(state, "s"), *old, *new, *data;
	char *checkpoint = s_text("%s/log/checkpoint", path), *was;
	struct pakhus_versions *v;
	struct pakhus *s;
	size_t old_size, new_size, size;

	data = index_file(path, "/data.mdb");
	old = slurp(data, &old_size);
	was = slurp(checkpoint, &size);
	s = s_open(path, 0);
	s_publish(s, "p9", "new", 1);
	s_delete(s, "p3", NULL);
	pakhus_close(s);
	new = slurp(data, &new_size);
	/* behind: it catches up */
	spill(data, old, old_size);
	s = s_open(path, 0);
	assert_holds(s, "p9", NULL, 1);
	v = s_versions(s, "p3", 0, 0);
	assert_int_equal(v->count, 0);
	pakhus_versions_free(v);
	s_verify(s);
	pakhus_close(s);
	/* ahead: it knows what the log does not */
	spill(data, new, new_size);
	spill(checkpoint, was, size);
	run("rm %s/local/page %s/local/slot-*", path, path);
	assert_rebuilt(path, "an index that is ahead of the log");
	free(path), free(old), free(new), free(data), free(checkpoint);
	free(was);
}

static void a_copied_store_reads_and_does_not_write(void **state)
{
	char *path = make_known(state, "s"), *copy;
	struct pakhus *s;

	copy = s_text("%s/copy", (char *)*state);
	run("cp -r %s %s", path, copy);
	assert_rebuilt(copy, "a copy");
	s = s_open(copy, 0);
	assert_status(s_try(s, "a", "1", 1, NULL), PAKHUS_EDENIED);
	s_verify(s);
	pakhus_close(s);
	assert_done(pakhus_adopt_here(copy, &err));
	s = s_open(copy, 0);
	s_publish(s, "a", "1", 1);
	pakhus_close(s);
	expect(path, RIGHT, 0, "the first one");
	free(path), free(copy);
}

static void with_no_local_at_all_it_is_in_memory_or_new(void **state)
{
	char *path = make_known(state, "s"), *copy;

	copy = s_text("%s/copy", (char *)*state);
	run("cp -r %s %s && rm -r %s/local", path, copy, copy);
	assert_rebuilt(copy, "no local");
	/* a file: nothing can be made there, so it is in memory */
	run("rm -r %s/local && echo >%s/local", copy, copy);
	expect(copy, RIGHT, 0, "local is a file");
	free(path), free(copy);
}

/* ---- damaged at random ---- */

struct flip {
	const char *path;
	int rebuild; /* the second try, in which nothing may go wrong */
};

static int child_asks(void *arg)
{
	struct flip *f = arg;
	struct pakhus_options opt = {
		.flags = f->rebuild ? PAKHUS_REBUILD : 0
	};
	struct pakhus *s;
	int rc, out;

	if (!freopen("/dev/null", "w", stderr)) /* LMDB's asserts */
		return STRANGE;
	rc = pakhus_open(&s, f->path, &opt, &err);
	if (rc)
		return judge(rc);
	out = ask_all(s);
	if (out == WRONG) {
		printf("wrong: %s\n", asked);
		fflush(stdout);
	}
	pakhus_close(s);
	return out;
}

static int child_verifies(void *arg)
{
	struct pakhus_verify v = { .flags = PAKHUS_VERIFY_INDEX };
	struct pakhus *s;
	int rc;

	if (!freopen("/dev/null", "w", stderr))
		return STRANGE;
	rc = pakhus_open(&s, arg, NULL, &err);
	if (!rc)
		rc = pakhus_verify(s, &v, &err);
	return rc ? REFUSED : RIGHT;
}

/* Flips a few bits in a copy of the index, some hundred times. */
static void flip_and_ask(void **state, int whole_file)
{
	char *path = make_known(state, "s");
	char *data = index_file(path, "/data.mdb"), *good, *bad;
	unsigned rounds = s_scale(250, 60, 5000);
	unsigned rebuilt = 0, refused = 0, missing = 0, died = 0;
	struct stat was, now;
	size_t size;

	seed_from(1234567u + (unsigned)whole_file);
	assert_int_equal(stat(data, &was), 0);
	good = slurp(data, &size);
	bad = malloc(size);
	for (unsigned i = 0; i < rounds; i++) {
		struct flip f = { path, 0 };
		int out;

		memcpy(bad, good, size);
		for (unsigned k = rnd(4) + 1; k; k--)
			/* the first two pages are LMDB's own */
			bad[whole_file ? rnd((unsigned)size)
				       : 8192 + rnd((unsigned)size - 8192)] ^=
				(char)(1 << rnd(8));
		spill(data, bad, size);
		out = s_in_child(child_asks, &f);
		if (out < 0)
			died++;
		if (out == REFUSED)
			refused++;
		if (out == MISSING) {
			missing++;
			assert_int_not_equal(s_in_child(child_verifies, path),
					     RIGHT);
		}
		if (out == WRONG || out == STRANGE || out == -SIGALRM)
			print_error("round %u: %s\n", i,
				    out < 0 ? "hangs" : told[out]);
		assert_true(out < 0 || out <= MISSING);
		assert_true(out != -SIGALRM);
		assert_int_equal(stat(data, &now), 0);
		if (out == RIGHT && now.st_ino == was.st_ino)
			continue;
		rebuilt += out == RIGHT;
		f.rebuild = 1;
		assert_int_equal(s_in_child(child_asks, &f), RIGHT);
		/* the next round begins with the new file */
		assert_int_equal(stat(data, &was), 0);
		free(good);
		good = slurp(data, &size);
		bad = realloc(bad, size);
	}
	print_message("%u rounds: %u rebuilt, %u refused, %u missed "
		      "something, %u died\n",
		      rounds, rebuilt, refused, missing, died);
	free(path), free(data), free(good), free(bad);
}

static void a_flipped_index_never_answers_wrongly(void **state)
{
	flip_and_ask(state, 0);
}

static void nor_does_one_with_flipped_meta_pages(void **state)
{
	flip_and_ask(state, 1);
}

/* ---- values changed behind the checksum's back ---- */

static const char *const databases[] = { "entries", "heads", "latest",
					 "texts", "versions", "meta" };

/* Changes one byte of the n-th value of a database, or removes the row;
 * 0 when it has no n-th. */
static int patch(const char *dir, const char *database, unsigned n,
		 unsigned at, int is_removed)
{
	MDB_env *env;
	MDB_txn *txn;
	MDB_dbi db;
	MDB_cursor *c;
	MDB_val key, value;
	unsigned char copy[8192], name[512];
	int rc;

	assert_int_equal(mdb_env_create(&env), 0);
	mdb_env_set_maxdbs(env, 6);
	mdb_env_set_mapsize(env, (size_t)1 << 30);
	assert_int_equal(mdb_env_open(env, dir, MDB_NOSYNC, 0600), 0);
	assert_int_equal(mdb_txn_begin(env, NULL, 0, &txn), 0);
	assert_int_equal(mdb_dbi_open(txn, database, 0, &db), 0);
	assert_int_equal(mdb_cursor_open(txn, db, &c), 0);
	rc = mdb_cursor_get(c, &key, &value, MDB_FIRST);
	while (!rc && n--)
		rc = mdb_cursor_get(c, &key, &value, MDB_NEXT);
	if (!rc && is_removed) {
		assert_int_equal(mdb_cursor_del(c, 0), 0);
	} else if (!rc) {
		assert_true(value.mv_size <= sizeof(copy));
		memcpy(name, key.mv_data, key.mv_size);
		memcpy(copy, value.mv_data, value.mv_size);
		copy[at % value.mv_size] ^= (unsigned char)(1 << at % 8);
		key.mv_data = name;
		value.mv_data = copy;
		assert_int_equal(mdb_cursor_put(c, &key, &value, MDB_CURRENT),
				 0);
	}
	mdb_cursor_close(c);
	assert_int_equal(mdb_txn_commit(txn), 0);
	mdb_env_close(env);
	return !rc;
}

static void a_value_with_a_wrong_checksum_is_never_believed(void **state)
{
	char *path = make_known(state, "s"), *dir = index_file(path, "");
	unsigned step = s_scale(13, 41, 1), found = 0, at = 0;

	for (size_t i = 0; i < T_COUNT(databases); i++)
		for (unsigned n = 0;
		     patch(dir, databases[i], n, at += 5, 0); n += step) {
			int out = open_and_ask(path);

			if (out)
				print_error("%s %u: %s: %s\n", databases[i], n,
					    told[out], err.text);
			assert_int_equal(out, RIGHT);
			/* what these calls do not read may stay */
			found += (unsigned)notices;
		}
	assert_true(found > 300 / step);
	free(path), free(dir);
}

/* No checksum tells that a row is not there; what stands in other rows
 * does. */
/* F-64, F-65 */
static void a_row_that_is_missing_is_not_taken_for_a_no(void **state)
{
	char *path = make_known(state, "s"), *dir = index_file(path, "");
	static const char *const rows[] = { "latest", "versions" };
	struct pakhus_package *p;
	struct pakhus *s;
	int wrong = 0;

	for (size_t i = 0; i < T_COUNT(rows); i++)
		for (unsigned n = 1; n < 25; n += 6) {
			struct pakhus_verify v = { .flags =
						   PAKHUS_VERIFY_INDEX };

			assert_true(patch(dir, rows[i], n, 0, 1));
			s = s_open(path, 0);
			assert_status(pakhus_verify(s, &v, &err),
				      PAKHUS_ECORRUPT);
			assert_int_equal(v.damages, 1);
			for (unsigned k = 0; k < PACKAGES; k++) {
				char id[8];

				snprintf(id, sizeof(id), "p%u", k);
				/* get asks both, and versions as well */
				wrong += pakhus_get(s, id, NULL, &p, &err) ?
						 k != 9 :
						 (pakhus_package_free(p), 0);
				if (check_versions(s, k) != RIGHT)
					wrong++;
			}
			pakhus_close(s);
			s = s_open(path, PAKHUS_REBUILD);
			s_verify(s);
			pakhus_close(s);
		}
	assert_int_equal(wrong, 0);
	free(path), free(dir);
}

/* Where the n-th key lies by which LMDB's branch pages part the keys; 0 when
 * there is no n-th. Pages are of 4096 bytes: F-62. */
static size_t branch_key(const char *bytes, size_t size, unsigned n,
			 size_t *key_size)
{
	for (size_t page = 0; page < size; page += 4096) {
		uint16_t flags, end, at, length;

		memcpy(&flags, bytes + page + 10, 2);
		memcpy(&end, bytes + page + 12, 2);
		/* P_BRANCH; the first key of a page is never looked at */
		for (size_t i = 18; flags == 1 && i < end; i += 2) {
			memcpy(&at, bytes + page + i, 2);
			memcpy(&length, bytes + page + at + 6, 2);
			*key_size = length;
			if (!n--)
				return page + at + 8;
		}
	}
	return 0;
}

/* One flipped bit of such a key, and exact gets of what a walk still met
 * were answered "not found", and verify, which walked, found nothing. */
static void verify_finds_a_branch_key_that_leads_astray(void **state)
{
	char *path = make_known(state, "s");
	char *data = index_file(path, "/data.mdb"), *bytes;
	size_t size, at, length;
	unsigned n = 0;

	for (;; n++) {
		struct pakhus_verify v = { .flags = PAKHUS_VERIFY_INDEX };
		struct pakhus *s = s_open(path, PAKHUS_REBUILD);

		pakhus_close(s);
		bytes = slurp(data, &size);
		at = branch_key(bytes, size, n / 2, &length);
		if (!at)
			break;
		memset(bytes + at, n % 2 ? 0xff : 0, length);
		spill(data, bytes, size);
		free(bytes);
		s = s_open(path, 0);
		assert_status(pakhus_verify(s, &v, &err), PAKHUS_ECORRUPT);
		assert_int_equal(v.damages, 1);
		pakhus_close(s);
		assert_rebuilt(path, "a branch key");
	}
	assert_true(n > 4);
	free(path), free(data), free(bytes);
}

/* The row of a version, under another's name. */
static void a_row_whose_key_is_damaged_is_not_taken_for_a_no(void **state)
{
	static const char row[] = "p5\0002\001"; /* key, and that it is live */
	char *path = make_known(state, "s");
	char *data = index_file(path, "/data.mdb"), *bytes, *at;
	size_t size;

	for (unsigned i = 0; i < 4; i++)
		for (unsigned bit = 1; bit < 256; bit *= 2) {
			struct pakhus *s = s_open(path, PAKHUS_REBUILD);

			pakhus_close(s);
			bytes = slurp(data, &size);
			at = memmem(bytes, size, row, sizeof(row) - 1);
			assert_non_null(at);
			at[i] ^= (char)bit;
			spill(data, bytes, size);
			free(bytes);
			assert_rebuilt(path, "a key");
		}
	free(path), free(data);
}

/* What failed on the way to the append has to be done again, and is not
 * done because the index was mended. */
static void a_write_that_finds_the_index_damaged_is_done(void **state)
{
	char *path = make_known(state, "s"), *dir = index_file(path, "");
	struct pakhus_package *p;
	struct pakhus *s;

	for (unsigned n = 0; n < 120; n++)
		patch(dir, "versions", n, 3, 0);
	s = s_open(path, 0);
	assert_int_equal(s_delete(s, "p1", "1"), 1);
	assert_status(pakhus_get(s, "p1", "1", &p, &err), PAKHUS_ENOTFOUND);
	pakhus_close(s);
	for (unsigned n = 0; n < 120; n++)
		patch(dir, "versions", n, 3, 0);
	s = s_open(path, 0);
	s_publish(s, "p1", "1", 77);
	assert_holds(s, "p1", NULL, 77);
	s_verify(s);
	pakhus_close(s);
	free(path), free(dir);
}

/* With another process in the store the index cannot be made anew: then it
 * is an error, and the same handle answers when the other one is gone. */
static void damage_found_in_company_is_told_and_mended_alone(void **state)
{
	char *path = make_known(state, "s"), *dir = index_file(path, "");
	int gate[2], ready[2], status;
	struct pakhus_package *p;
	struct pakhus *s;
	pid_t pid;
	char c;

	for (unsigned n = 0; n < 120; n++)
		patch(dir, "versions", n, 3, 0);
	assert_int_equal(pipe(gate), 0);
	assert_int_equal(pipe(ready), 0);
	fflush(NULL);
	pid = fork();
	if (!pid) {
		close(gate[1]);
		if (pakhus_open(&s, path, NULL, &err))
			_exit(1);
		(void)!write(ready[1], "", 1);
		(void)!read(gate[0], &c, 1);
		pakhus_close(s);
		_exit(0);
	}
	assert_int_equal(read(ready[0], &c, 1), 1);
	s = s_open(path, 0);
	notices = 0;
	assert_status(pakhus_get(s, "p1", "1", &p, &err), PAKHUS_ECORRUPT);
	assert_int_equal(notices, 0);
	close(gate[1]);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	assert_holds(s, "p1", "1", number(1, 1));
	assert_int_equal(notices, 1);
	assert_int_equal(ask_all(s), RIGHT);
	s_publish(s, "new", "1", 1);
	pakhus_close(s);
	s = s_open(path, 0);
	assert_holds(s, "new", NULL, 1);
	s_verify(s);
	pakhus_close(s);
	free(path), free(dir);
}

/* Where it cannot be made anew either, that is an error and no crash. */
static void an_index_that_cannot_be_mended_is_an_error(void **state)
{
	char *path = make_known(state, "s"), *dir = index_file(path, "");
	struct pakhus_package *p;
	struct pakhus_list *l;
	struct pakhus *s;

	for (unsigned n = 0; n < 120; n++)
		patch(dir, "versions", n, 3, 0);
	s = s_open(path, 0);
	run("mv %s/log/tile/entries %s/log/tile/away", path, path);
	for (int i = 0; i < 3; i++) {
		assert_status(pakhus_get(s, "p1", "1", &p, &err),
			      PAKHUS_ECORRUPT);
		assert_status(pakhus_list(s, (struct pakhus_range){ 0, 0 }, 0,
					  &l, &err),
			      PAKHUS_ECORRUPT);
	}
	run("mv %s/log/tile/away %s/log/tile/entries", path, path);
	assert_holds(s, "p1", "1", number(1, 1));
	assert_int_equal(ask_all(s), RIGHT);
	pakhus_close(s);
	free(path), free(dir);
}

/* ---- the log is checked whenever the index is made of it ---- */

/* Changes a digit of a version somewhere in a bundle: still good entries. */
static void tamper(const char *path, const char *bundle)
{
	static const char mark[] = "\"version\":\"1.";
	char *file = s_text("%s/log/tile/entries/%s", path, bundle);
	size_t size;
	char *bytes = slurp(file, &size);
	char *at = memmem(bytes, size, mark, strlen(mark));

	assert_non_null(at);
	at[strlen(mark)] ^= 1;
	run("chmod u+w %s", file);
	spill(file, bytes, size);
	free(file), free(bytes);
}

/* Also when the making was interrupted, or had failed before. */
static void entries_that_are_not_those_signed_are_refused_each_time(
	void **state)
{
	struct biglog b = { .entries = 120001, .packages = 90000 };
	char *path = s_init(state, "b", 0);
	struct pakhus *s;

	assert_done(biglog_make(path, &b, &err));
	tamper(path, "001");
	for (int i = 0; i < 3; i++) {
		assert_status(pakhus_open(&s, path, NULL, &err),
			      PAKHUS_ECORRUPT);
		assert_non_null(strstr(err.text, "F-39"));
	}
	free(path);
}

static void entries_that_an_index_catches_up_with_are_checked(void **state)
{
	struct biglog b = { .entries = 300, .packages = 200 };
	char *path = s_init(state, "b", 0), *data, *old;
	struct pakhus *s;
	size_t size;

	assert_done(biglog_make(path, &b, &err));
	s = s_open(path, 0);
	pakhus_close(s);
	data = index_file(path, "/data.mdb");
	old = slurp(data, &size);
	b.entries = 1000;
	assert_done(biglog_make(path, &b, &err));
	run("rm -f %s/local/page", path);
	s = s_open(path, 0); /* from 300 to 1000 */
	pakhus_close(s);
	spill(data, old, size);
	run("rm -r %s/log/tile/0/000.p %s/log/tile/0/001.p; "
	    "rm -f %s/local/page", path, path, path);
	s = s_open(path, 0); /* and where the tiles of 300 are gone */
	pakhus_close(s);
	spill(data, old, size);
	tamper(path, "002");
	run("rm -f %s/local/page", path);
	for (int i = 0; i < 2; i++)
		assert_status(pakhus_open(&s, path, NULL, &err),
			      PAKHUS_ECORRUPT);
	assert_non_null(strstr(err.text, "F-39"));
	free(path), free(data), free(old);
}

static int stop_at(void *arg, const char *what, uint64_t done, uint64_t total)
{
	(void)what, (void)total;
	return done && done >= *(uint64_t *)arg;
}

static void a_rebuild_can_be_stopped_and_begun_again(void **state)
{
	struct biglog b = { .entries = 150001, .packages = 70000,
			    .deletes = 30 };
	char *path = s_init(state, "b", 0);
	uint64_t at = 60000;
	struct pakhus_options opt = { .progress = stop_at, .arg = &at };
	struct pakhus_verify v = { .flags = PAKHUS_VERIFY_INDEX,
				   .damage = s_print_damage };
	struct pakhus_stat st;
	struct pakhus *s;

	assert_done(biglog_make(path, &b, &err));
	for (; at < 150000; at += 50000)
		assert_status(pakhus_open(&s, path, &opt, &err),
			      PAKHUS_ECANCELED);
	s = s_open(path, 0);
	assert_done(pakhus_verify(s, &v, &err));
	assert_done(pakhus_stat(s, 0, &st, &err));
	assert_int_equal(st.entries, 150001);
	pakhus_close(s);
	free(path);
}

/* What a delete leaves in a store whose record of it would not fit. */
static void a_delete_larger_than_a_slot_is_refused(void **state)
{
	struct biglog b = { .entries = 110001, .packages = 1, .id = NULL };
	char *path = s_init(state, "b", 0), id[220], version[140];
	struct pakhus *s;
	uint64_t n = 7;

	memset(id, 'i', sizeof(id));
	strcpy(id + 200, "%u");
	memset(version, 'v', sizeof(version));
	strcpy(version + 120, "%u");
	b.id = id;
	b.version = version;
	assert_done(biglog_make(path, &b, &err));
	s = s_open(path, 0);
	strcpy(id + 200, "0");
	alarm(100);
	assert_status(pakhus_delete(s, id, NULL, NULL, &n, &err),
		      PAKHUS_ELIMIT);
	assert_int_equal(n, 7);
	snprintf(version + 120, 20, "%u", 100);
	assert_int_equal(s_delete(s, id, version), 1);
	alarm(0);
	pakhus_close(s);
	free(path);
}

/* ---- manifests ---- */

static int count_manifest(void *arg, const struct pk_latest *latest)
{
	*(int *)arg += latest->manifest.at != NULL;
	return 0;
}

static int manifests_kept(const char *path)
{
	int dir = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC), n = 0;
	struct pk_txn t = PK_TXN_INIT;
	struct pk_index *ix;

	assert_done(pk_index_open(&ix, dir, &err));
	assert_done(pk_txn_read(&t, ix, &err));
	assert_done(pk_index_each_latest(&t, 0, count_manifest, &n, &err));
	pk_txn_end(&t);
	pk_index_close(ix);
	close(dir);
	return n;
}

/* F-63 */
static void list_fills_in_the_manifests_after_a_rebuild(void **state)
{
	char *path = make_known(state, "s");
	struct pakhus_list *l;
	struct pakhus *s;

	/* p7's is of a version that became the latest by a delete */
	assert_int_equal(manifests_kept(path), PACKAGES - 2);
	s = s_open(path, PAKHUS_REBUILD);
	pakhus_close(s);
	assert_int_equal(manifests_kept(path), 0);
	s = s_open(path, 0);
	l = s_list(s, 0, 10, 0);
	pakhus_list_free(l);
	pakhus_close(s);
	assert_int_equal(manifests_kept(path), 10);
	expect(path, RIGHT, 0, "after ten were filled");
	assert_int_equal(manifests_kept(path), PACKAGES - 1);
	s = s_open(path, 0);
	s_publish(s, "p1", "3", 5); /* the latest, again */
	l = s_list(s, 0, 0, 0);
	for (size_t i = 0; i < l->count; i++)
		if (!strcmp(l->items[i]->record.id, "p1"))
			assert_non_null(strstr(l->items[i]->manifest, "n5"));
	pakhus_list_free(l);
	s_verify(s);
	pakhus_close(s);
	assert_int_equal(manifests_kept(path), PACKAGES - 1);
	free(path);
}

/* ---- against a model ---- */

#define M_IDS 12
#define M_VERSIONS 14
#define M_LOG 40000

static struct model {
	struct m_version {
		int is_live;
		unsigned n;
		uint64_t created, updated, seq, place;
	} version[M_IDS][M_VERSIONS];
	struct m_entry {
		int is_publish, id, version;
		unsigned n;
		uint64_t time;
	} log[M_LOG];
	uint64_t entries;
} *model;

static const char *m_id(int i)
{
	static const char *const ids[M_IDS] = {
		"a", "a.b", "ab", "a-b", "aa", "b", "b.a", "c", "com.x",
		"com.x.y", "comx", "z"
	};

	return ids[i];
}

static const char *m_name(int v)
{
	static const char *const names[M_VERSIONS] = {
		"1.0.0", "1.0.1", "1.1.0", "1.1.0-rc.1", "1.10.0", "1.2.0",
		"10.0.0", "2.0.0", "2.0.0+b", "2.1", "3", "30", "4.0.0", "v5"
	};

	return names[v];
}

static void m_publish(int i, int v, unsigned n)
{
	struct m_version *x = &model->version[i][v];
	uint64_t seq = model->entries++;

	assert_true(seq < M_LOG);
	model->log[seq] = (struct m_entry){ 1, i, v, n, (uint64_t)clock_us };
	if (!x->is_live) {
		x->is_live = 1;
		x->created = (uint64_t)clock_us;
		x->place = seq;
	}
	x->updated = (uint64_t)clock_us;
	x->seq = seq;
	x->n = n;
}

static void m_delete(int i, int v)
{
	uint64_t seq = model->entries++;

	assert_true(seq < M_LOG);
	model->log[seq] = (struct m_entry){ 0, i, v, 0, (uint64_t)clock_us };
	model->version[i][v].is_live = 0;
}

/* The live version of the highest place below one; -1 for none. */
static int m_newest(int i, uint64_t below)
{
	int best = -1;

	for (int v = 0; v < M_VERSIONS; v++)
		if (model->version[i][v].is_live &&
		    model->version[i][v].place < below &&
		    (best < 0 || model->version[i][v].place >
					 model->version[i][best].place))
			best = v;
	return best;
}

static void m_same(const struct pakhus_record *r, int i, int v)
{
	const struct m_version *x = &model->version[i][v];

	assert_string_equal(r->id, m_id(i));
	assert_string_equal(r->version, m_name(v));
	assert_int_equal(r->created_us, x->created);
	assert_int_equal(r->updated_us, x->updated);
	assert_int_equal(r->seq, x->seq);
	assert_int_equal(r->place, x->place);
}

static void m_check_package(struct pakhus *s, int i)
{
	int v = m_newest(i, UINT64_MAX);
	uint64_t before = 0, below = UINT64_MAX;
	struct pakhus_package *p;
	char *want;

	if (v < 0) {
		assert_status(pakhus_get(s, m_id(i), NULL, &p, &err),
			      PAKHUS_ENOTFOUND);
	} else {
		p = s_get(s, m_id(i), NULL);
		m_same(&p->record, i, v);
		want = s_document(m_id(i), m_name(v), model->version[i][v].n);
		assert_string_equal(p->document, want);
		free(want);
		pakhus_package_free(p);
	}
	v = (int)rnd(M_VERSIONS);
	if (!model->version[i][v].is_live) {
		assert_status(pakhus_get(s, m_id(i), m_name(v), &p, &err),
			      PAKHUS_ENOTFOUND);
	} else {
		p = s_get(s, m_id(i), m_name(v));
		m_same(&p->record, i, v);
		want = s_document(m_id(i), m_name(v), model->version[i][v].n);
		assert_string_equal(p->document, want);
		free(want);
		pakhus_package_free(p);
	}
	do {
		struct pakhus_versions *page =
			s_versions(s, m_id(i), before, rnd(6) + 1);

		for (size_t k = 0; k < page->count; k++) {
			v = m_newest(i, below);
			assert_true(v >= 0);
			m_same(&page->items[k], i, v);
			below = page->items[k].place;
		}
		before = page->next;
		pakhus_versions_free(page);
	} while (before);
	assert_int_equal(m_newest(i, below), -1);
}

static void m_check_list(struct pakhus *s)
{
	uint64_t before = 0, below = UINT64_MAX;

	do {
		struct pakhus_list *l = s_list(s, before, rnd(8) + 1,
					       rnd(2) ? PAKHUS_DOCUMENTS : 0);

		assert_int_equal(l->position, model->entries);
		for (size_t k = 0; k < l->count + !l->next; k++) {
			int best = -1, version = -1;
			char *want;

			for (int i = 0; i < M_IDS; i++) {
				int v = m_newest(i, UINT64_MAX);

				if (v >= 0 &&
				    model->version[i][v].place < below &&
				    (best < 0 ||
				     model->version[i][v].place >
					     model->version[best][version]
						     .place)) {
					best = i;
					version = v;
				}
			}
			if (k == l->count) {
				assert_int_equal(best, -1);
				break;
			}
			assert_true(best >= 0);
			m_same(&l->items[k]->record, best, version);
			want = s_document(m_id(best), m_name(version),
					  model->version[best][version].n);
			assert_memory_equal(l->items[k]->manifest, want + 12,
					    l->items[k]->manifest_size);
			free(want);
			below = l->items[k]->record.place;
		}
		before = l->next;
		pakhus_list_free(l);
	} while (before);
}

static void m_same_entry(const struct pakhus_entry *e, uint64_t seq)
{
	const struct m_entry *x = &model->log[seq];

	assert_int_equal(e->seq, seq);
	assert_int_equal(e->time_us, x->time);
	assert_string_equal(e->op, x->is_publish ? "publish" : "delete");
	assert_string_equal(e->id, m_id(x->id));
	assert_string_equal(e->version, m_name(x->version));
}

/* All of the log, and of one package. */
static void m_check_history(struct pakhus *s, int i)
{
	uint64_t before = 0, seq = model->entries;

	do {
		struct pakhus_history *h = s_history(s, NULL, before, 700);

		for (size_t k = 0; k < h->count; k++)
			if (--seq)
				m_same_entry(&h->items[k], seq);
		before = h->next;
		pakhus_history_free(h);
	} while (before);
	assert_int_equal(seq, 0);
	seq = model->entries;
	do {
		struct pakhus_history *h = s_history(s, m_id(i), before, 50);

		for (size_t k = 0; k < h->count; k++) {
			while (model->log[--seq].id != i)
				;
			m_same_entry(&h->items[k], seq);
		}
		before = h->next;
		pakhus_history_free(h);
	} while (before);
	while (--seq)
		assert_int_not_equal(model->log[seq].id, i);
}

static void m_check_at(struct pakhus *s)
{
	uint64_t seq = rnd((unsigned)model->entries);
	const struct m_entry *x = &model->log[seq];
	struct pakhus_package *p;
	char *want;

	if (!seq || !x->is_publish) {
		assert_status(pakhus_get_at(s, seq, &p, &err),
			      PAKHUS_ENOTFOUND);
		return;
	}
	assert_done(pakhus_get_at(s, seq, &p, &err));
	want = s_document(m_id(x->id), m_name(x->version), x->n);
	assert_string_equal(p->document, want);
	free(want);
	pakhus_package_free(p);
}

static void m_step(struct pakhus *s)
{
	int i = (int)rnd(M_IDS), v = (int)rnd(M_VERSIONS);
	unsigned what = rnd(100), n = rnd(50);

	/* mostly forwards, now and then not at all or back */
	if (rnd(4))
		clock_us += rnd(1000000);
	else if (rnd(2))
		clock_us -= rnd(5000000);
	if (what < 70) {
		struct pakhus_record r = s_publish(s, m_id(i), m_name(v), n);

		m_publish(i, v, n);
		m_same(&r, i, v);
	} else if (what < 90) {
		uint64_t went = s_delete(s, m_id(i), m_name(v));

		assert_int_equal(went, model->version[i][v].is_live);
		if (went)
			m_delete(i, v);
	} else if (what < 93) {
		uint64_t went = s_delete(s, m_id(i), NULL);

		for (v = 0; v < M_VERSIONS; v++) /* in order of bytes */
			if (model->version[i][v].is_live) {
				m_delete(i, v);
				went--;
			}
		assert_int_equal(went, 0);
	} else if (what < 97) {
		struct pakhus_batch *b;

		assert_done(pakhus_batch_new(s, NULL, &b, &err));
		for (unsigned k = rnd(12) + 1; k; k--) {
			char *doc;

			i = (int)rnd(M_IDS);
			v = (int)rnd(M_VERSIONS);
			doc = s_document(m_id(i), m_name(v), k);
			assert_done(pakhus_batch_publish(b, doc, strlen(doc),
							 &err));
			free(doc);
			m_publish(i, v, k);
		}
		assert_done(pakhus_batch_commit(b, &err));
		pakhus_batch_free(b);
	} else {
		assert_done(pakhus_sync(s, &err));
	}
	m_check_package(s, i);
}

static struct pakhus *m_reopen(struct pakhus *s, const char *path)
{
	unsigned how = rnd(6);
	struct pakhus_verify v = { .flags = PAKHUS_VERIFY_INDEX,
				   .damage = s_print_damage };
	char *dir = index_file(path, "");

	assert_done(pakhus_verify(s, &v, &err));
	pakhus_close(s);
	if (how == 0)
		run("rm -r %s", dir);
	else if (how == 1)
		run("rm %s/local/page", path);
	free(dir);
	return s_open(path, how == 2 ? PAKHUS_REBUILD : 0);
}

static void it_does_what_a_simple_model_does(void **state)
{
	unsigned steps = s_scale(5000, 1200, 30000);
	char *path = s_init(state, "m", 0);
	struct pakhus *s = s_open(path, 0);

	model = calloc(1, sizeof(*model));
	model->entries = 1;
	clock_us = INT64_C(1700000000000000);
	seed_from(2463534242u);
	for (unsigned k = 0; k < steps; k++) {
		m_step(s);
		if (k % 20 == 0) {
			m_check_list(s);
			m_check_at(s);
		}
		if (k % 500 == 499)
			m_check_history(s, (int)rnd(M_IDS));
		if (rnd(100) == 0)
			s = m_reopen(s, path);
	}
	for (int i = 0; i < M_IDS; i++) {
		m_check_package(s, i);
		m_check_history(s, i);
	}
	m_check_list(s);
	s_verify(s);
	pakhus_close(s);
	free(model);
	free(path);
}

static int real_clock(void **state)
{
	clock_us = 0;
	return t_dir_make(state);
}

#define T(test) cmocka_unit_test_setup_teardown(test, real_clock, t_dir_remove)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(an_undamaged_index_is_used_in_silence),
		T(a_removed_index_is_made_again),
		T(a_cut_index_is_made_again),
		T(something_else_in_its_place_is_replaced),
		T(garbage_is_replaced),
		T(another_stores_index_is_not_believed),
		T(an_older_or_newer_index_of_this_store_is_seen),
		T(a_copied_store_reads_and_does_not_write),
		T(with_no_local_at_all_it_is_in_memory_or_new),
		T(a_flipped_index_never_answers_wrongly),
		T(nor_does_one_with_flipped_meta_pages),
		T(a_value_with_a_wrong_checksum_is_never_believed),
		T(a_row_that_is_missing_is_not_taken_for_a_no),
		T(verify_finds_a_branch_key_that_leads_astray),
		T(a_row_whose_key_is_damaged_is_not_taken_for_a_no),
		T(a_write_that_finds_the_index_damaged_is_done),
		T(damage_found_in_company_is_told_and_mended_alone),
		T(an_index_that_cannot_be_mended_is_an_error),
		T(entries_that_are_not_those_signed_are_refused_each_time),
		T(entries_that_an_index_catches_up_with_are_checked),
		T(a_rebuild_can_be_stopped_and_begun_again),
		T(a_delete_larger_than_a_slot_is_refused),
		T(list_fills_in_the_manifests_after_a_rebuild),
		T(it_does_what_a_simple_model_does),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
