/* test_index_damage.c - what is damaged in LMDB's file is refused, made anew,
 * or found by verify; it is never an answer. Syncs are left out.
 *
 * wrap: fsync fdatasync
 */
#include "t.h"
#include "known.h"
#include "index.h"
#include "nosync.h"
#include "random.h"

#include <lmdb.h>

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

int main(void)
{
	const struct CMUnitTest tests[] = {
		T_IN_DIR(a_flipped_index_never_answers_wrongly),
		T_IN_DIR(nor_does_one_with_flipped_meta_pages),
		T_IN_DIR(a_value_with_a_wrong_checksum_is_never_believed),
		T_IN_DIR(a_row_that_is_missing_is_not_taken_for_a_no),
		T_IN_DIR(verify_finds_a_branch_key_that_leads_astray),
		T_IN_DIR(a_row_whose_key_is_damaged_is_not_taken_for_a_no),
		T_IN_DIR(a_write_that_finds_the_index_damaged_is_done),
		T_IN_DIR(damage_found_in_company_is_told_and_mended_alone),
		T_IN_DIR(an_index_that_cannot_be_mended_is_an_error),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
