/* test_damage.c - every file of a store, damaged in every way: no reader
 * crashes or gives wrong bytes, and verify finds it with path and rule.
 *
 * Files of local/ that may go unnoticed, and why: lock, stage/ and trash/
 * hold nothing; page is made anew when nobody has the store open; slots hold
 * nothing that counts while the journal is empty (F-50, F-54); the index is
 * test_index's. home and key decide only whether the store is written.
 */
#include "t.h"

#include "auto.h"
#include "hex.h"
#include "io.h"
#include "object.h"
#include "objpath.h"
#include "sha256.h"
#include "stores.h"
#include "zst.h"

#include <dirent.h>

#define VERSIONS 270 /* a full bundle, a full tile, and partial ones */

/* ---- the store, and what it must say ---- */

static void make_store(const char *dir)
{
	struct pakhus *s;

	assert_int_equal(chdir(dir), 0);
	s = s_open("s", PAKHUS_CREATE);
	for (unsigned i = 0; i < VERSIONS; i++) {
		char version[16];

		snprintf(version, sizeof(version), "1.%u", i);
		s_publish(s, "com.example.a", version, i);
	}
	for (unsigned i = 0; i < 9; i++) {
		char version[16];

		snprintf(version, sizeof(version), "2.%u", i);
		s_publish(s, "com.example.b", version, 1000 + i);
	}
	s_delete(s, "com.example.b", "2.3");
	pakhus_close(s);
}

/* Each answer is the right one, or an error; gives how many were errors. */
static unsigned ask(struct pakhus *s)
{
	unsigned errors = 0;

	for (unsigned i = 0; i < VERSIONS + 9; i += i < VERSIONS ? 30 : 1) {
		struct pakhus_package *p;
		char version[16], *want;
		int is_a = i < VERSIONS;
		const char *id = is_a ? "com.example.a" : "com.example.b";
		unsigned n = is_a ? i : 1000 + i - VERSIONS;
		int rc;

		snprintf(version, sizeof(version), is_a ? "1.%u" : "2.%u",
			 is_a ? i : i - VERSIONS);
		rc = pakhus_get(s, id, version, &p, &err);
		if (!is_a && i - VERSIONS == 3) {
			assert_int_not_equal(rc, PAKHUS_OK);
			continue;
		}
		errors += rc != 0;
		if (rc)
			continue;
		want = s_document(id, version, n);
		assert_string_equal(p->document, want);
		free(want);
		pakhus_package_free(p);
	}
	return errors;
}

/* ---- what verify tells ---- */

static char told_path[512], told_rule[16];
static unsigned told;

static void damage(void *arg, const char *path, const char *rule,
		   const char *text)
{
	(void)text;
	/* the first that speaks of the file that was damaged */
	if (!told++ || strstr(path, arg)) {
		snprintf(told_path, sizeof(told_path), "%s", path);
		snprintf(told_rule, sizeof(told_rule), "%s", rule);
	}
}

/* Opens, asks and verifies; found: the damage must be told of this path (or
 * of any, where it is ""), by opening or by verify. */
static void look(const char *path, const char *how)
{
	struct pakhus_options opt = { .notice = s_notice };
	struct pakhus_verify v = { .damage = damage, .arg = (void *)path };
	struct pakhus *s;
	int rc = pakhus_open(&s, "s", &opt, &err);

	told = 0;
	told_rule[0] = '\0';
	if (rc) {
		/* what cannot be opened is told there */
		if (!strstr(err.text, "F-") && rc != PAKHUS_ENOTFOUND &&
		    rc != PAKHUS_ESYS && rc != PAKHUS_EVERSION)
			fail_msg("%s %s: %s", path, how, err.text);
		return;
	}
	ask(s);
	rc = pakhus_verify(s, &v, &err);
	pakhus_close(s);
	if (rc != PAKHUS_ECORRUPT || !told)
		fail_msg("%s %s: verify says %d, %u told", path, how, rc,
			 told);
	if (strncmp(told_rule, "F-", 2))
		fail_msg("%s %s: no rule but %s", path, how, told_rule);
}

/* ---- the kinds of damage ---- */

struct file {
	char path[256];
	char *bytes;
	size_t size;
};

static struct file take(const char *path)
{
	struct file f = { .size = 0 };

	snprintf(f.path, sizeof(f.path), "%s", path);
	assert_done(pk_read_file(AT_FDCWD, path, (size_t)1 << 24, &f.bytes,
				 &f.size, &err));
	return f;
}

static void put(const char *path, const void *bytes, size_t size)
{
	FILE *out;

	remove(path);
	out = fopen(path, "w");
	assert_non_null(out);
	assert_int_equal(fwrite(bytes, 1, size, out), size);
	fclose(out);
}

static void each_way(const char *path, const char *other)
{
	struct file f = take(path);
	const char *name = path + 2; /* within the store */

	for (size_t keep = 0; keep < f.size; keep += f.size / 5 + 1) {
		put(path, f.bytes, keep);
		look(name, "truncated");
	}
	for (size_t at = 0; at < f.size; at += f.size / 11 + 1) {
		f.bytes[at] ^= 0x10;
		put(path, f.bytes, f.size);
		look(name, "flipped");
		f.bytes[at] ^= 0x10;
	}
	f.bytes = realloc(f.bytes, f.size + 1);
	f.bytes[f.size] = 'x';
	put(path, f.bytes, f.size + 1);
	look(name, "longer");
	remove(path);
	look(name, "removed");
	mkdir(path, 0777);
	look(name, "a directory");
	remove(path);
	if (other) {
		struct file o = take(other);

		put(path, o.bytes, o.size);
		look(name, "another of its kind");
		free(o.bytes);
	}
	put(path, f.bytes, f.size);
	free(f.bytes);
}

static void is_sound(void)
{
	struct pakhus_verify v = { .damage = damage, .arg = (void *)"" };
	struct pakhus *s = s_open("s", 0);

	assert_int_equal(ask(s), 0);
	assert_done(pakhus_verify(s, &v, &err));
	pakhus_close(s);
}

static void object_path(struct pakhus *s, const char *version, char out[256])
{
	struct pakhus_package *p = s_get(s, "com.example.b", version);

	snprintf(out, 256, "s/objects/%.2s/%s", p->record.hash,
		 p->record.hash + 2);
	pakhus_package_free(p);
}

static void damaged_objects_are_found(void **state)
{
	char whole[256], delta[256];
	struct pakhus *s;

	make_store(*state);
	s = s_open("s", 0);
	object_path(s, "2.0", whole);
	object_path(s, "2.8", delta);
	pakhus_close(s);
	each_way(whole, delta); /* F-14: good, under another name */
	each_way(delta, whole);
	is_sound();
}

static void first_in(const char *dir, char out[256])
{
	DIR *d = opendir(dir);
	struct dirent *e;

	assert_non_null(d);
	while ((e = readdir(d)))
		if (e->d_name[0] != '.')
			snprintf(out, 256, "%s/%.64s", dir, e->d_name);
	closedir(d);
}

static void damaged_logs_are_found(void **state)
{
	char path[256];
	unsigned width = (1 + VERSIONS + 10) % 256;

	make_store(*state);
	each_way("s/log/tile/entries/000", NULL);
	each_way("s/log/tile/0/000", NULL);
	snprintf(path, sizeof(path), "s/log/tile/entries/001.p/%u", width);
	each_way(path, "s/log/tile/entries/000"); /* F-31 */
	snprintf(path, sizeof(path), "s/log/tile/0/001.p/%u", width);
	each_way(path, "s/log/tile/0/000"); /* F-33 */
	each_way("s/log/tile/1/000.p/1", NULL);
	is_sound();
}

static void damaged_keys_checkpoints_and_formats_are_found(void **state)
{
	char key[256], other_key[256];
	struct pakhus *s;

	make_store(*state);
	s = s_open("t", PAKHUS_CREATE); /* another store: F-23, F-36, F-38 */
	pakhus_close(s);
	first_in("s/keys", key);
	first_in("t/keys", other_key);
	each_way(key, other_key);
	each_way("s/log/checkpoint", "t/log/checkpoint");
	each_way("s/FORMAT", "t/FORMAT");
	is_sound();
}

static void strangers_in_the_tree_are_found(void **state)
{
	static const char *const strange[] = {
		"s/objects/ab/x", "s/objects/x",  "s/log/tile/x",
		"s/log/x",	  "s/x",	  "s/log/tile/entries/02",
	};

	make_store(*state);
	for (size_t i = 0; i < T_COUNT(strange); i++) {
		put(strange[i], "x", 1);
		look("", strange[i]); /* F-43, F-11, F-32 */
		remove(strange[i]);
		assert_int_equal(symlink("FORMAT", strange[i]), 0);
		look("", "a link");
		assert_string_equal(told_rule, "F-43");
		remove(strange[i]);
	}
	is_sound();
}

/* ---- objects that lie ---- */

/* Writes the object of a hash by hand. */
static void forge(const unsigned char hash[PK_HASH_SIZE], struct pk_trailer t,
		  const unsigned char *frame, size_t size)
{
	unsigned char *out = malloc(size + PK_TRAILER_SIZE);
	char path[PK_OBJPATH_SIZE], full[PK_OBJPATH_SIZE + 2];

	pk_objpath(hash, path);
	snprintf(full, sizeof(full), "s/%s", path);
	memcpy(out, frame, size);
	pk_trailer_encode(&t, hash, out + size);
	put(full, out, size + PK_TRAILER_SIZE);
	free(out);
}

static void hash_of(const char *version, unsigned char hash[PK_HASH_SIZE])
{
	struct pakhus *s = s_open("s", 0);
	struct pakhus_package *p = s_get(s, "com.example.b", version);

	assert_int_equal(pk_unhex(p->record.hash, hash, PK_HASH_SIZE), 0);
	pakhus_package_free(p);
	pakhus_close(s);
}

static void found(const char *rule)
{
	look("objects/", rule);
	assert_string_equal(told_rule, rule);
}

static void objects_that_lie_are_found_and_take_no_memory(void **state)
{
	static char text[1 << 16];
	struct pk_trailer t = { .encoding = PK_WHOLE, .raw_size = 65536 };
	unsigned char *frame, a[PK_HASH_SIZE], b[PK_HASH_SIZE];
	size_t size;

	make_store(*state);
	hash_of("2.7", a);
	hash_of("2.8", b);
	memset(text, ' ', sizeof(text));
	assert_done(pk_zst_encode(text, sizeof(text), NULL, 0, 3, 0, &frame,
				  &size, &err));
	forge(b, t, frame, size); /* a good frame of another text */
	found("F-16");
	t.raw_size = PAKHUS_DOCUMENT_MAX; /* a size that the frame has not */
	forge(b, t, frame, size);
	found("F-15");
	t.raw_size = UINT64_C(1) << 40; /* a bomb by its own word */
	forge(b, t, frame, size);
	found("F-13");
	t = (struct pk_trailer){ .encoding = PK_DELTA, .depth = 17,
				 .raw_size = 65536 };
	forge(b, t, frame, size);
	found("F-17");
	t.depth = 1; /* a base that is nowhere */
	memset(t.base, 7, sizeof(t.base));
	forge(b, t, frame, size);
	found("F-17");
	t.raw_size = PK_DELTA_MAX + 1;
	forge(b, t, frame, size);
	found("F-19");
	t = (struct pk_trailer){ .encoding = PK_WHOLE, .raw_size = 65536 };
	t.base[0] = 1;
	forge(b, t, frame, size);
	found("F-18");
	/* two that are made against each other */
	t = (struct pk_trailer){ .encoding = PK_DELTA, .depth = 5,
				 .raw_size = 65536 };
	memcpy(t.base, a, PK_HASH_SIZE);
	forge(b, t, frame, size);
	memcpy(t.base, b, PK_HASH_SIZE);
	t.depth = 6;
	forge(a, t, frame, size);
	look("objects/", "a cycle");
	assert_string_equal(told_rule, "F-17");
	free(frame);
}

/* ---- the journal ---- */

/* A child that publishes and is gone, so that the journal is not empty. */
static void leave_pending(const char *dir)
{
	pid_t child;
	int status;

	make_store(dir);
	child = fork();
	if (!child) {
		struct pakhus *s = s_open("s", 0);

		for (unsigned i = 0; i < 4; i++) {
			char version[16];

			snprintf(version, sizeof(version), "9.%u", i);
			s_publish(s, "com.example.p", version, i);
		}
		_exit(0);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_int_equal(status, 0);
}

/* F-57: what was durable and is not whole is never dropped silently. */
static void a_damaged_journal_is_never_cut_silently(void **state)
{
	struct file slot[2];

	leave_pending(*state);
	slot[0] = take("s/local/slot-0");
	slot[1] = take("s/local/slot-1");
	for (size_t at = 0; at < 4 * 4096; at += 1000) {
		struct pakhus *s;
		struct file *f = NULL;

		/* the slot whose first record brought com.example.p */
		for (int i = 0; i < 2; i++)
			if (memmem(slot[i].bytes, 4096, "com.example.p", 13))
				f = &slot[i];
		assert_non_null(f);
		if (at % 4096 > 600)
			continue; /* behind the record: holds nothing */
		f->bytes[at] ^= 0x10;
		put(f->path, f->bytes, f->size);
		if (!pakhus_open(&s, "s", NULL, &err)) {
			/* taken in by another one before: nothing is lost */
			fail_msg("a flip at %zu was not found", at);
		}
		assert_int_equal(err.status, PAKHUS_ECORRUPT);
		assert_non_null(strstr(err.text, "F-57"));
		f->bytes[at] ^= 0x10;
		put(f->path, f->bytes, f->size);
	}
	free(slot[0].bytes);
	free(slot[1].bytes);
	for (unsigned i = 0; i < 4; i++) {
		struct pakhus *s = s_open("s", 0);
		char version[16];

		snprintf(version, sizeof(version), "9.%u", i);
		assert_holds(s, "com.example.p", version, i);
		pakhus_close(s);
	}
	is_sound();
}

static void is_clean(const char *path)
{
	struct pakhus_verify v = { .damage = damage, .arg = (void *)"" };
	struct pakhus *s = s_open(path, 0);

	assert_done(pakhus_verify(s, &v, &err));
	pakhus_close(s);
}

/* F-58: what stands where a pending text should be is not given out. */
static void a_damaged_text_in_the_journal_is_not_given_out(void **state)
{
	struct pakhus_options opt = { .flags = PAKHUS_CREATE, .cache_size = 1 };
	struct pakhus_package *p = NULL;
	struct pakhus *s;
	struct file f;
	char *text;
	int fd;

	assert_int_equal(chdir(*state), 0);
	assert_done(pakhus_open(&s, "s", &opt, &err));
	s_publish(s, "com.example.a", "1.0", 7);
	f = take("s/local/slot-0");
	text = memmem(f.bytes, f.size, "\"objects\":[7]", 13);
	assert_non_null(text);
	fd = open("s/local/slot-0", O_WRONLY);
	assert_int_equal(pwrite(fd, "x", 1, text - f.bytes), 1);
	assert_status(pakhus_get(s, "com.example.a", NULL, &p, &err),
		      PAKHUS_ECORRUPT);
	assert_non_null(strstr(err.text, "F-58"));
	assert_int_equal(pwrite(fd, text, 1, text - f.bytes), 1);
	assert_holds(s, "com.example.a", "1.0", 7);
	close(fd);
	free(f.bytes);
	pakhus_close(s);
	is_clean("s");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		T_IN_DIR(damaged_objects_are_found),
		T_IN_DIR(damaged_logs_are_found),
		T_IN_DIR(damaged_keys_checkpoints_and_formats_are_found),
		T_IN_DIR(strangers_in_the_tree_are_found),
		T_IN_DIR(objects_that_lie_are_found_and_take_no_memory),
		T_IN_DIR(a_damaged_journal_is_never_cut_silently),
		T_IN_DIR(a_damaged_text_in_the_journal_is_not_given_out),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
