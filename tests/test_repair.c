/* test_repair.c - what is damaged comes back from elsewhere, and nothing that
 * was not checked takes the place of anything (F-14, F-16, F-17, F-85); what
 * a check tells does not depend on how many threads look.
 */
#include "t.h"
#include "stores.h"
#include "files.h"
#include "mirrors.h"
#include "hex.h"
#include "trailer.h"

#define VERSIONS 12

/* ---- what a check or a repair tells ---- */

struct told {
	char *text; /* a line each */
	size_t n;
};

static void tell(void *arg, const char *path, const char *rule,
		 const char *text)
{
	struct told *t = arg;
	char *more = s_text("%s%s %s %s\n", t->text ? t->text : "", path, rule,
			    text);

	free(t->text);
	t->text = more;
	t->n++;
}

static struct told mended;

static void on_mended(void *arg, const char *path, const char *text)
{
	(void)arg;
	tell(&mended, path, "", text);
}

static void forget(struct told *t)
{
	free(t->text);
	*t = (struct told){ NULL, 0 };
}

static struct pakhus_repair last;

static int repair_with(const char *path, struct copier *c,
		       struct pakhus_repair r)
{
	int rc;

	c->source = (struct pakhus_source){ copier_fetch, c, c->from };
	forget(&mended);
	r.mended = on_mended;
	rc = pakhus_repair(path, &c->source, &r, &err);
	last = r;
	return rc;
}

static int repair_from(const char *path, const char *from)
{
	struct copier c = copier_of(from);

	return repair_with(path, &c, (struct pakhus_repair){ .threads = 1 });
}

static int check(const char *path, unsigned threads, unsigned flags,
		 struct told *told)
{
	struct pakhus_options opt = { .threads = threads, .notice = s_notice };
	struct pakhus_verify v = { .flags = flags, .damage = tell,
				   .arg = told };
	struct pakhus *s;
	int rc;

	assert_done(pakhus_open(&s, path, &opt, &err));
	rc = pakhus_verify(s, &v, &err);
	assert_int_equal(v.damages, told->n);
	pakhus_close(s);
	return rc;
}

static void assert_whole(const char *path)
{
	struct told t = { NULL, 0 };

	if (check(path, 2, PAKHUS_VERIFY_FILES, &t)) {
		print_error("%s", t.text ? t.text : err.text);
		fail();
	}
}

/* ---- damage ---- */

enum damage { FRAME, TRAILER, CUT, EMPTY, MISSING, LINK, FIFO, OTHER, KINDS };

static void hurt(const char *file, enum damage how, const char *other)
{
	char *bytes;
	size_t size;

	if (how == FRAME || how == TRAILER || how == CUT) {
		bytes = slurp(file, &size);
		if (how == CUT)
			size /= 2;
		else
			bytes[how == FRAME ? (size - 64) / 2 : size - 30] ^= 4;
		assert_int_equal(chmod(file, 0600), 0);
		spill(file, bytes, size);
		free(bytes);
		return;
	}
	assert_int_equal(unlink(file), 0);
	if (how == EMPTY)
		spill(file, "", 0);
	else if (how == LINK)
		assert_int_equal(symlink("/dev/null", file), 0);
	else if (how == FIFO)
		assert_int_equal(mkfifo(file, 0600), 0);
	else if (how == OTHER)
		run("cp %s %s", other, file);
}

/* The file of what was published. */
static char *file_of(const char *store, const char *hash)
{
	return s_text("%s/objects/%.2s/%s", store, hash, hash + 2);
}

/* A store of one package, and its objects' hashes: so many versions from
 * the first on, or backwards from the last of these. */
static char *of_some(void **state, const char *name, unsigned count,
		     int is_backwards, char (*hash)[PAKHUS_HASH_HEX + 1])
{
	char *path = s_init(state, name, 0);
	struct pakhus *s = s_open(path, 0);

	for (unsigned i = 0; i < count; i++) {
		unsigned n = is_backwards ? count - 1 - i : i;
		char version[20];

		snprintf(version, sizeof(version), "1.0.%u", n);
		strcpy(hash[n], s_publish(s, "a", version, n).hash);
	}
	assert_done(pakhus_sync(s, &err));
	pakhus_close(s);
	return path;
}

static char *of_versions(void **state, const char *name, int is_backwards,
			 char (*hash)[PAKHUS_HASH_HEX + 1])
{
	return of_some(state, name, VERSIONS, is_backwards, hash);
}

static void every_damage_of_every_object_is_repaired(void **state)
{
	char hash[VERSIONS][PAKHUS_HASH_HEX + 1];
	char *path = of_versions(state, "s", 0, hash);
	char *from = s_text("%s/m", (char *)*state), *other;

	assert_done(sync_from(from, path));
	for (unsigned how = 0; how < KINDS; how++)
		for (unsigned i = 0; i < VERSIONS; i++) {
			struct told t = { NULL, 0 };
			char *file = file_of(path, hash[i]);

			other = file_of(path, hash[(i + 1) % VERSIONS]);
			hurt(file, (enum damage)how, other);
			assert_status(check(path, 1, PAKHUS_VERIFY_FILES, &t),
				      PAKHUS_ECORRUPT);
			assert_done(repair_from(path, from));
			/* this one, and what is made against it */
			assert_int_equal(last.restored, t.n);
			assert_int_equal(mended.n, t.n);
			assert_non_null(strstr(mended.text,
					       strstr(file, "objects/")));
			assert_int_equal(last.objects, VERSIONS);
			assert_int_equal(last.aside, 0);
			assert_whole(path);
			assert_no_incoming(path);
			forget(&t);
			free(file);
			free(other);
		}
	assert_same_tree(path, from);
	free(path);
	free(from);
}

static void a_mirror_is_repaired_as_a_store_is(void **state)
{
	char hash[VERSIONS][PAKHUS_HASH_HEX + 1];
	char *path = of_versions(state, "s", 0, hash);
	char *mirror = s_text("%s/m", (char *)*state);

	assert_done(sync_from(mirror, path));
	for (unsigned i = 0; i < VERSIONS; i++) {
		char *file = file_of(mirror, hash[i]);

		hurt(file, (enum damage)(i % KINDS),
		     "/dev/null");
		free(file);
	}
	assert_done(repair_from(mirror, path));
	assert_int_equal(last.restored, VERSIONS);
	assert_whole(mirror);
	assert_same_tree(path, mirror);
	/* where nothing is damaged nobody is asked */
	assert_done(repair_from(mirror, "/nonexistent"));
	free(path);
	free(mirror);
}

/* Another log's store has the same texts, made against others: what is based
 * on one here may be less deep than that one is there. */
static void encodings_from_another_store_keep_chains_valid(void **state)
{
	char hash[VERSIONS][PAKHUS_HASH_HEX + 1];
	char *path = of_versions(state, "s", 0, hash);
	char *from = of_versions(state, "back", 1, hash);

	for (unsigned how = 0; how < KINDS; how++)
		for (unsigned i = 0; i < VERSIONS; i++) {
			char *file = file_of(path, hash[i]);

			hurt(file, (enum damage)how, "/dev/null");
			assert_done(repair_from(path, from));
			assert_whole(path);
			free(file);
		}
	for (unsigned i = 0; i < VERSIONS; i += 2) {
		char *file = file_of(path, hash[i]);

		hurt(file, MISSING, NULL);
		free(file);
	}
	assert_done(repair_from(path, from));
	assert_whole(path);
	free(path);
	free(from);
}

/* And where the source has nothing of what is made against it here. */
static void a_base_is_as_deep_as_what_stays_needs_it(void **state)
{
	char hash[VERSIONS][PAKHUS_HASH_HEX + 1];
	char *path = of_versions(state, "s", 0, hash);
	char *from = of_some(state, "back", VERSIONS / 2, 1, hash);

	for (unsigned i = 0; i < VERSIONS / 2; i++) {
		char *file = file_of(path, hash[i]);

		hurt(file, MISSING, NULL);
		assert_done(repair_from(path, from));
		assert_whole(path);
		free(file);
	}
	free(path);
	free(from);
}

/* ---- what cannot be repaired ---- */

static void what_is_damaged_there_too_stays_as_it_is(void **state)
{
	static const enum evil_how hows[] = { EVIL_OMIT,    EVIL_ALTER,
					      EVIL_CUT,	    EVIL_ENDLESS,
					      EVIL_LINK,    EVIL_TWICE,
					      EVIL_DIR,	    EVIL_PARENT };
	char hash[VERSIONS][PAKHUS_HASH_HEX + 1];
	char *path = of_versions(state, "s", 0, hash);
	char *from = s_text("%s/m", (char *)*state);
	char *file = file_of(path, hash[0]), *was, *now;
	size_t a, b;

	assert_done(sync_from(from, path));
	hurt(file, FRAME, NULL);
	was = slurp(file, &a);
	for (size_t i = 0; i < T_COUNT(hows); i++) {
		struct told t = { NULL, 0 };
		struct copier c = copier_of(from);

		c.how = hows[i];
		c.on = strstr(file, "objects/");
		assert_status(repair_with(path, &c,
					  (struct pakhus_repair){
						  .damage = tell, .arg = &t }),
			      PAKHUS_ECORRUPT);
		assert_true(t.n >= 1 && last.damages == t.n);
		assert_non_null(strstr(t.text, c.on));
		now = slurp(file, &b);
		assert_int_equal(a, b);
		assert_memory_equal(was, now, a);
		free(now);
		forget(&t);
	}
	/* a source that was wrong once is asked again */
	{
		struct copier c = copier_of(from);

		c.how = EVIL_ALTER;
		c.on = strstr(file, "objects/");
		c.is_healed = 1;
		assert_done(repair_with(path, &c,
					(struct pakhus_repair){ .arg = NULL }));
	}
	assert_whole(path);
	free(was);
	free(file);
	free(path);
	free(from);
}

static void what_nobody_has_and_nothing_needs_is_set_aside(void **state)
{
	char *path = s_init(state, "s", 0), *empty = s_init(state, "e", 0);
	struct pakhus *s = s_open(path, 0);
	struct pakhus_record dead = s_publish(s, "dead", "1", 1), live;
	struct told t = { NULL, 0 };
	char *file = file_of(path, dead.hash), *other;

	live = s_publish(s, "live", "1", 2);
	s_delete(s, "dead", NULL);
	assert_done(pakhus_sync(s, &err));
	pakhus_close(s);
	hurt(file, FRAME, NULL);
	assert_done(repair_from(path, empty));
	assert_int_equal(last.aside, 1);
	assert_int_equal(last.restored, 0);
	assert_int_equal(access(file, F_OK), -1);
	run("test -f %s/local/trash/%s", path, dead.hash);
	assert_whole(path);
	/* not so what is live, and missing there */
	other = file_of(path, live.hash);
	hurt(other, FRAME, NULL);
	assert_status(repair_with(path, &(struct copier){ .from = empty },
				  (struct pakhus_repair){ .damage = tell,
							  .arg = &t }),
		      PAKHUS_ECORRUPT);
	assert_int_equal(t.n, 1);
	assert_int_equal(access(other, F_OK), 0);
	hurt(other, MISSING, NULL);
	forget(&t);
	assert_status(repair_with(path, &(struct copier){ .from = empty },
				  (struct pakhus_repair){ .damage = tell,
							  .arg = &t }),
		      PAKHUS_ECORRUPT);
	assert_non_null(strstr(t.text, "F-11 is missing"));
	forget(&t);
	free(file);
	free(other);
	free(path);
	free(empty);
}

static void a_source_that_breaks_off_leaves_what_was(void **state)
{
	char hash[VERSIONS][PAKHUS_HASH_HEX + 1];
	char *path = of_versions(state, "s", 0, hash);
	char *from = s_text("%s/m", (char *)*state);
	long n;

	assert_done(sync_from(from, path));
	for (n = 1;; n++) {
		struct copier c = copier_of(from);
		int rc;

		for (unsigned i = 0; i < 4; i++) {
			char *file = file_of(path, hash[3 * i]);

			if (n == 1)
				hurt(file, FRAME, NULL);
			free(file);
		}
		run("rm -rf %s/local/incoming/objects", path);
		c.fail_at = n;
		rc = repair_with(path, &c,
				 (struct pakhus_repair){ .arg = NULL });
		if (!rc)
			break;
		assert_status(rc, PAKHUS_ENETWORK);
	}
	assert_true(n > 4);
	assert_whole(path);
	free(path);
	free(from);
}

static void a_copy_without_its_host_s_files_is_repaired(void **state)
{
	char hash[VERSIONS][PAKHUS_HASH_HEX + 1];
	char *path = of_versions(state, "s", 0, hash);
	char *copy = s_text("%s/copy", (char *)*state);
	char *file = file_of(copy, hash[0]);

	run("cp -r %s %s && rm -r %s/local", path, copy, copy);
	hurt(file, FRAME, NULL);
	assert_done(repair_from(copy, path));
	assert_whole(copy);
	assert_status(repair_from("/nonexistent", path), PAKHUS_ENOTFOUND);
	free(file);
	free(copy);
	free(path);
}

/* ---- threads ---- */

static void what_is_told_does_not_depend_on_threads(void **state)
{
	char *path = s_init(state, "s", 0);
	struct pakhus *s = s_open(path, 0);
	struct told one;
	unsigned n = 0;

	for (unsigned i = 0; i < 150; i++)
		for (unsigned p = 0; p < 3; p++) {
			char id[20], version[20], *file;
			struct pakhus_record r;

			snprintf(id, sizeof(id), "p%u", p);
			snprintf(version, sizeof(version), "1.0.%u", i);
			r = s_publish(s, id, version, i);
			if (i % 50 != 49)
				continue;
			assert_done(pakhus_sync(s, &err));
			file = file_of(path, r.hash);
			hurt(file, (enum damage)(n++ % KINDS), "/dev/null");
			free(file);
		}
	s_delete(s, "p2", NULL);
	assert_done(pakhus_sync(s, &err));
	pakhus_close(s);
	for (unsigned flags = 1; flags < 6; flags += 4) {
		one = (struct told){ NULL, 0 };
		assert_status(check(path, 1, flags, &one), PAKHUS_ECORRUPT);
		for (unsigned threads = 2; threads < 9; threads += 3) {
			struct told t = { NULL, 0 };

			assert_status(check(path, threads, flags, &t),
				      PAKHUS_ECORRUPT);
			assert_string_equal(t.text, one.text);
			forget(&t);
		}
		forget(&one);
	}
	free(path);
}

/* Says of an object that it is 1 deep; 0 where it is not deeper. */
static int lie_about_depth(const char *file, const char *hex)
{
	unsigned char hash[PK_HASH_SIZE];
	struct pk_trailer t;
	unsigned char *end;
	size_t size;
	char *bytes = slurp(file, &size);
	int is_lie;

	assert_int_equal(pk_unhex(hex, hash, PK_HASH_SIZE), 0);
	end = (unsigned char *)bytes + size - PK_TRAILER_SIZE;
	assert_null(pk_trailer_decode(end, hash, &t));
	is_lie = t.depth > 1;
	if (is_lie) {
		t.depth = 1;
		pk_trailer_encode(&t, hash, end);
		assert_int_equal(chmod(file, 0600), 0);
		spill(file, bytes, size);
	}
	free(bytes);
	return is_lie;
}

/* Who has the base in a cache would not see it. */
static void a_depth_that_is_wrong_is_found_whatever_is_cached(void **state)
{
	char hash[VERSIONS][PAKHUS_HASH_HEX + 1];
	char *path = of_versions(state, "s", 0, hash);
	char *file = file_of(path, hash[VERSIONS - 2]);

	assert_true(lie_about_depth(file, hash[VERSIONS - 2]));
	for (unsigned threads = 1; threads < 4; threads++)
		for (unsigned flags = 1; flags < 5; flags += 3) {
			struct told t = { NULL, 0 };

			assert_status(check(path, threads, flags, &t),
				      PAKHUS_ECORRUPT);
			assert_non_null(strstr(t.text, "F-17"));
			forget(&t);
		}
	free(file);
	free(path);
}

static uint64_t stop_at, seen_total, seen_done;

static int stop(void *arg, const char *what, uint64_t done, uint64_t total)
{
	(void)arg, (void)what;
	assert_true(!total || done <= total);
	seen_total = total;
	seen_done = done;
	return stop_at && !--stop_at;
}

static void a_check_and_a_repair_can_be_stopped(void **state)
{
	char hash[VERSIONS][PAKHUS_HASH_HEX + 1];
	char *path = of_versions(state, "s", 0, hash);
	char *from = s_text("%s/m", (char *)*state);
	struct pakhus_options opt = { .threads = 2, .progress = stop };
	struct pakhus_verify v = { .flags = PAKHUS_VERIFY_FILES };
	struct pakhus *s;
	char *file = file_of(path, hash[2]);
	int rc = 1;

	assert_done(sync_from(from, path));
	assert_done(pakhus_open(&s, path, &opt, &err));
	for (uint64_t n = 1; rc; n++) {
		stop_at = n;
		rc = pakhus_verify(s, &v, &err);
		assert_true(!rc || rc == PAKHUS_ECANCELED);
		assert_true(n < 1000);
	}
	assert_true(seen_total > 0);
	assert_int_equal(seen_done, seen_total);
	pakhus_close(s);
	hurt(file, FRAME, NULL);
	rc = 1;
	for (uint64_t n = 1; rc; n++) {
		struct copier c = copier_of(from);

		stop_at = n;
		rc = repair_with(path, &c,
				 (struct pakhus_repair){ .threads = 2,
							 .progress = stop });
		assert_true(!rc || rc == PAKHUS_ECANCELED);
		assert_true(n < 1000);
	}
	stop_at = 0;
	assert_whole(path);
	free(file);
	free(path);
	free(from);
}

/* ---- quick ---- */

static void a_quick_check_finds_what_trailers_say(void **state)
{
	char hash[VERSIONS][PAKHUS_HASH_HEX + 1];
	char *path = of_versions(state, "s", 0, hash);
	char *from = s_text("%s/m", (char *)*state);

	assert_done(sync_from(from, path));
	for (unsigned how = 0; how < KINDS; how++) {
		struct told t = { NULL, 0 };
		char *file = file_of(path, hash[1]);
		char *other = file_of(path, hash[2]);
		int rc;

		hurt(file, (enum damage)how, other);
		free(other);
		rc = check(path, 1, PAKHUS_VERIFY_QUICK, &t);
		assert_int_equal(rc, how == FRAME ? 0 : PAKHUS_ECORRUPT);
		forget(&t);
		assert_done(repair_from(path, from));
		assert_done(check(path, 1, PAKHUS_VERIFY_QUICK, &t));
		free(file);
	}
	run("chmod u+w %s/log/tile/entries/000.p/*; for f in "
	    "%s/log/tile/entries/000.p/*; do printf X | dd of=$f bs=1 seek=99 "
	    "conv=notrunc status=none; done", path, path);
	{
		struct told t = { NULL, 0 };

		assert_status(check(path, 1, PAKHUS_VERIFY_QUICK, &t),
			      PAKHUS_ECORRUPT);
		forget(&t);
	}
	free(path);
	free(from);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		T_IN_DIR(every_damage_of_every_object_is_repaired),
		T_IN_DIR(a_mirror_is_repaired_as_a_store_is),
		T_IN_DIR(encodings_from_another_store_keep_chains_valid),
		T_IN_DIR(a_base_is_as_deep_as_what_stays_needs_it),
		T_IN_DIR(what_is_damaged_there_too_stays_as_it_is),
		T_IN_DIR(what_nobody_has_and_nothing_needs_is_set_aside),
		T_IN_DIR(a_source_that_breaks_off_leaves_what_was),
		T_IN_DIR(a_copy_without_its_host_s_files_is_repaired),
		T_IN_DIR(what_is_told_does_not_depend_on_threads),
		T_IN_DIR(a_depth_that_is_wrong_is_found_whatever_is_cached),
		T_IN_DIR(a_check_and_a_repair_can_be_stopped),
		T_IN_DIR(a_quick_check_finds_what_trailers_say),
	};
	int rc = cmocka_run_group_tests(tests, NULL, NULL);

	forget(&mended);
	return rc;
}
