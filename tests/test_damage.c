/* test_damage.c - every file of a store cut, flipped, removed, replaced and
 * turned into a directory: nothing crashes, nothing wrong is read, and where
 * the file is part of the truth, somebody says so with path and rule.
 *
 * Part of the truth is all but local/ (F-43) and the records of the slots
 * that wait (F-57). The rest of local/ may be damaged unnoticed:
 *
 *	index-*		made anew from the log; test_index.c
 *	page		believed within one boot, and only as far as it can
 *			be; else the slots are read
 *	slot-*		while nothing waits in them; and behind their records
 *	lock		holds nothing
 *	home		says where the store is written; who cannot read it
 *			there does not write
 *	last-signed	asked before something is signed; test_durable.c
 *	key		the private half; asked when the store is opened
 *	stage, trash	nobody's
 *
 * Syncs are left out.
 *
 * wrap: fsync fdatasync malloc calloc realloc
 */
#include "t.h"
#include "stores.h"
#include "hex.h"
#include "io.h"
#include "object.h"
#include "log.h"
#include "objpath.h"
#include "record.h"
#include "sha256.h"
#include "tile.h"
#include "zst.h"
#include "files.h"
#include "nosync.h"

#include <errno.h>

/* The largest allocation of the library since it was set to 0, and what all
 * of them were. */
static size_t largest, all_of_them;

void *__real_malloc(size_t n);
void *__wrap_malloc(size_t n);
void *__wrap_malloc(size_t n)
{
	largest = n > largest ? n : largest;
	all_of_them += n;
	return __real_malloc(n);
}

void *__real_calloc(size_t n, size_t size);
void *__wrap_calloc(size_t n, size_t size);
void *__wrap_calloc(size_t n, size_t size)
{
	largest = n * size > largest ? n * size : largest;
	all_of_them += n * size;
	return __real_calloc(n, size);
}

void *__real_realloc(void *p, size_t n);
void *__wrap_realloc(void *p, size_t n);
void *__wrap_realloc(void *p, size_t n)
{
	largest = n > largest ? n : largest;
	all_of_them += n;
	return __real_realloc(p, n);
}

/* ---- a store, and what it holds ---- */

#define CHAIN 40 /* versions of one package, with deltas of several depths */
#define MANY 250 /* and of others, so that a bundle is full */
#define WAITING 3
#define ENTRIES (1 + CHAIN + MANY + WAITING)

static char hashes[ENTRIES][PAKHUS_HASH_HEX + 1];
static uint64_t known; /* entries that there are */

/* The document at a position. */
static char *document(unsigned seq)
{
	char text[2400];
	unsigned k = 0;

	if (seq > CHAIN)
		return s_text("{\"manifest\":{\"id\":\"m%u\",\"version\":\"%u\"},"
			      "\"metadata\":{}}", seq % 7, seq);
	for (unsigned i = 0; i < 200; i++)
		k += (unsigned)sprintf(text + k, "[%u,%u],", i * i * 7919 % 997,
				       i == seq ? 1 : i == seq * 3 ? 2 : 0);
	text[k - 1] = '\0';
	return s_text("{\"manifest\":{\"id\":\"chain\",\"version\":\"1.%u\"},"
		      "\"metadata\":{\"rows\":[%s]}}", seq, text);
}

static void publish(struct pakhus *s, unsigned seq)
{
	char *doc = document(seq);
	struct pakhus_record r;

	assert_done(pakhus_publish(s, doc, strlen(doc), NULL, &r, &err));
	assert_int_equal(r.seq, seq);
	strcpy(hashes[seq], r.hash);
	free(doc);
}

static char *make_store(void **state, const char *name)
{
	char *path = s_init(state, name, 0);
	struct pakhus *s = s_open(path, 0);
	unsigned seq = 1;

	for (; seq <= CHAIN + MANY; seq++) {
		publish(s, seq);
		if (seq == 5 || seq == CHAIN || seq == 255 || seq == 280)
			assert_done(pakhus_sync(s, &err));
	}
	pakhus_close(s);
	known = seq;
	return path;
}

static int publish_and_die(void *arg)
{
	struct pakhus *s = s_open(arg, 0);

	for (unsigned i = 0; i < WAITING; i++)
		publish(s, CHAIN + MANY + 1 + i);
	return 0; /* _exit, with nothing closed */
}

/* ---- reading all of it ---- */

/* What a child found, as an exit status. */
enum { RIGHT = 0, NOTICED = 1, REFUSED = 2, WRONG = 4, STRANGE = 8 };

static char path_told[600], rule_told[16];
static const char *damaged_path;

static void found_damage(void *arg, const char *path, const char *rule,
			 const char *text)
{
	int *out = arg;

	(void)text;
	if (strncmp(rule, "F-", 2) || !rule[2])
		*out |= STRANGE;
	snprintf(path_told, sizeof(path_told), "%s", path);
	snprintf(rule_told, sizeof(rule_told), "%s", rule);
	/* a directory's damage is told of what is missing in it, and that of
	 * an entry of the tiles over it */
	if (!strncmp(path, damaged_path, strlen(damaged_path)) ||
	    !strncmp(path, "log/", 4))
		*out |= NOTICED;
	else if (!strncmp(path, "objects/", 8))
		*out |= REFUSED; /* one that is based on it */
}

static int is_refusal(int rc)
{
	return rc == PAKHUS_ECORRUPT || rc == PAKHUS_EVERSION;
}

static int read_all(struct pakhus *s)
{
	struct pakhus_range all = { 0, 10000 };
	struct pakhus_history *h = NULL;
	struct pakhus_list *l = NULL;
	int rc, out = RIGHT;

	for (unsigned seq = 1; seq < known; seq++) {
		struct pakhus_package *p = NULL;
		char *want;

		rc = pakhus_get_at(s, seq, &p, &err);
		if (rc) {
			out |= is_refusal(rc) ? REFUSED : STRANGE;
			continue;
		}
		want = document(seq);
		if (strcmp(p->document, want) ||
		    strcmp(p->record.hash, hashes[seq]))
			out |= WRONG;
		free(want);
		pakhus_package_free(p);
	}
	rc = pakhus_list(s, all, 0, &l, &err);
	if (rc)
		out |= is_refusal(rc) ? REFUSED : STRANGE;
	else if (l->count != 8 || l->items[0]->record.seq != known - 1)
		out |= WRONG;
	pakhus_list_free(l);
	rc = pakhus_history(s, NULL, all, &h, &err);
	if (rc)
		out |= is_refusal(rc) ? REFUSED : STRANGE;
	else if (h->count != known)
		out |= WRONG;
	for (size_t i = 0; h && i < h->count; i++)
		if (strcmp(h->items[i].hash, hashes[h->items[i].seq]))
			out |= WRONG;
	pakhus_history_free(h);
	return out;
}

static int open_and_read(void *arg)
{
	struct pakhus_options opt = { .cache_size = 1 };
	struct pakhus_verify v = { .flags = PAKHUS_VERIFY_FILES,
				   .damage = found_damage };
	struct pakhus *s;
	int rc, out, told = 0;

	rc = pakhus_open(&s, arg, &opt, &err);
	if (rc) { /* then the sentence has path and rule */
		if (!is_refusal(rc) && rc != PAKHUS_ENOTFOUND)
			return STRANGE;
		if (rc == PAKHUS_ENOTFOUND) /* without FORMAT, no store */
			return strstr(err.text, "FORMAT") ? NOTICED : STRANGE;
		/* a missing key is told of the checkpoint it signed, and a
		 * bundle's damage of its entries */
		if (strstr(err.text, ": F-") &&
		    (strstr(err.text, damaged_path) ||
		     strstr(err.text, "log entry ") ||
		     strstr(err.text, "log/tile") ||
		     strstr(err.text, "F-38")))
			return NOTICED;
		return REFUSED;
	}
	out = read_all(s);
	v.arg = &told;
	rc = pakhus_verify(s, &v, &err);
	if (rc && !is_refusal(rc))
		out |= STRANGE;
	out |= told & (NOTICED | STRANGE);
	pakhus_close(s);
	return out;
}

/* ---- doing damage ---- */

/* Whatever stands there goes. */
/* Whatever stands there goes. */
static void replace(const char *path, const char *bytes, size_t size)
{
	rmdir(path);
	unlink(path);
	spill(path, bytes, size);
}

struct target {
	const char *store, *path;
	const char *other; /* a good file of the same kind, or NULL */
	int is_truth;
	int may_be_absent; /* F-33: a partial one that was followed by others */
};

static void try(const struct target *t, const char *how)
{
	int out;

	damaged_path = t->path;
	out = s_in_child(open_and_read, (void *)t->store);
	if (out >= 0 && !(out & WRONG) &&
	    (!t->is_truth || (out & NOTICED && !(out & STRANGE))))
		return;
	print_error("%s %s: %s%s%s%s%d\n", t->path, how,
		    out < 0 ? "died " : "",
		    out > 0 && out & WRONG ? "wrong " : "",
		    out > 0 && out & STRANGE ? "strange " : "",
		    out >= 0 && !(out & NOTICED) ? "unnoticed " : "", out);
	fail();
}

static void damage(const struct target *t)
{
	char *file = s_text("%s/%s", t->store, t->path), *bytes, how[40];
	size_t size, other_size;

	bytes = slurp(file, &size);
	for (unsigned i = 0; i < 4; i++) {
		size_t cut = (size_t[]){ 0, 1, size / 2, size - 1 }[i];

		replace(file, bytes, cut);
		snprintf(how, sizeof(how), "cut at %zu", cut);
		try(t, how);
	}
	for (unsigned i = 0; i < 8; i++) {
		size_t last = size - 1;
		size_t at = (size_t[]){ 0, 5, size / 3, size / 2, last - 60,
					last - 50, last - 40, last }[i];

		if (at >= size)
			continue;
		bytes[at] ^= (char)(1 << i);
		replace(file, bytes, size);
		snprintf(how, sizeof(how), "bit %u of byte %zu", i, at);
		try(t, how);
		bytes[at] ^= (char)(1 << i);
	}
	unlink(file);
	if (!t->may_be_absent) {
		try(t, "removed");
		unlink(file); /* where it was made again */
		assert_int_equal(mkdir(file, 0700), 0);
		try(t, "a directory");
	}
	if (t->other) {
		char *other = slurp(t->other, &other_size);

		replace(file, other, other_size);
		try(t, "another of its kind");
		free(other);
	}
	replace(file, bytes, size);
	free(bytes);
	free(file);
}

static void each_truth(const struct target *base, const char *path,
		       const char *other)
{
	struct target t = *base;
	char *full = other ? s_text("%s/%s", t.store, other) : NULL;

	t.path = path;
	t.other = other && other[0] == '/' ? other : full;
	damage(&t);
	free(full);
}

static void key_path(const char *store, char out[32])
{
	struct pk_keys *keys = malloc(sizeof(*keys));
	int dir = open(store, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	char path[16];

	assert_done(pk_log_keys(dir, keys, &err));
	pk_log_key_path(&keys->key[0], path);
	strcpy(out, path);
	close(dir);
	free(keys);
}

/* F-1, F-10 to F-17: an object under its name, or none. */
static void damaged_objects_are_found(void **state)
{
	char *path = make_store(state, "s");
	struct target t = { .store = path, .is_truth = 1 };
	unsigned step = s_scale(9, 17, 1);

	damaged_path = "nothing";
	assert_int_equal(s_in_child(open_and_read, path), RIGHT);
	for (unsigned seq = 1; seq < known; seq += seq < CHAIN ? step : 97) {
		unsigned char hash[PK_HASH_SIZE], next[PK_HASH_SIZE];
		char name[PK_OBJPATH_SIZE], other[PK_OBJPATH_SIZE];

		assert_int_equal(pk_unhex(hashes[seq], hash, PK_HASH_SIZE), 0);
		assert_int_equal(pk_unhex(hashes[seq % CHAIN + 1], next,
					  PK_HASH_SIZE), 0);
		pk_objpath(hash, name);
		pk_objpath(next, other);
		each_truth(&t, name, other);
	}
	assert_int_equal(s_in_child(open_and_read, path), RIGHT);
	free(path);
}

static void count_dependent(void *arg, const char *path, const char *rule,
			    const char *text)
{
	unsigned *dependents = arg;

	if (strcmp(path, damaged_path)) {
		assert_string_equal(rule, "F-17");
		assert_non_null(strstr(text, damaged_path));
		++*dependents;
	}
}

/* F-17: the chain ends at its first version, without which no other one of
 * the package can be read. */
static void what_depends_on_a_damaged_base_is_told_of(void **state)
{
	char *path = make_store(state, "s"), *file, *bytes;
	struct pakhus_package *p = NULL;
	unsigned char hash[PK_HASH_SIZE];
	char name[PK_OBJPATH_SIZE];
	unsigned dependents = 0;
	struct pakhus_verify v = { .flags = PAKHUS_VERIFY_FILES,
				   .damage = count_dependent,
				   .arg = &dependents };
	struct pakhus *s;
	size_t size;

	assert_int_equal(pk_unhex(hashes[1], hash, PK_HASH_SIZE), 0);
	pk_objpath(hash, name);
	damaged_path = name;
	file = s_text("%s/%s", path, name);
	bytes = slurp(file, &size);
	bytes[size / 2] ^= 1;
	replace(file, bytes, size);
	s = s_open(path, 0);
	assert_status(pakhus_verify(s, &v, &err), PAKHUS_ECORRUPT);
	assert_int_equal(dependents, CHAIN - 1);
	assert_int_equal(v.damages, CHAIN);
	assert_status(pakhus_get(s, "chain", "1.9", &p, &err), PAKHUS_ECORRUPT);
	assert_ptr_equal(strstr(err.text, "chain@1.9: objects/"), err.text);
	assert_non_null(strstr(err.text, name));
	pakhus_close(s);
	free(path), free(file), free(bytes);
}

/* F-30 to F-33, F-38 to F-42: the log, its tiles, its checkpoint, FORMAT
 * and the keys. */
static void a_damaged_log_is_found(void **state)
{
	char *path = make_store(state, "s"), *strange = s_init(state, "o", 0);
	struct target t = { .store = path, .is_truth = 1 };
	char *other = s_text("%s/log/checkpoint", strange);
	char key[32], theirs[32], *their_key;

	each_truth(&t, "log/checkpoint", other);
	free(other);
	other = s_text("%s/FORMAT", strange);
	each_truth(&t, "FORMAT", other);
	key_path(path, key);
	key_path(strange, theirs);
	their_key = s_text("%s/%s", strange, theirs);
	each_truth(&t, key, their_key);
	each_truth(&t, "log/tile/entries/000", "log/tile/entries/001.p/35");
	each_truth(&t, "log/tile/entries/001.p/35", "log/tile/entries/000");
	t.may_be_absent = 1;
	each_truth(&t, "log/tile/entries/001.p/25", NULL);
	each_truth(&t, "log/tile/0/001.p/25", "log/tile/0/001.p/35");
	t.may_be_absent = 0;
	each_truth(&t, "log/tile/0/000", "log/tile/0/001.p/35");
	each_truth(&t, "log/tile/0/001.p/35", "log/tile/1/000.p/1");
	each_truth(&t, "log/tile/1/000.p/1", NULL);
	damaged_path = "nothing";
	assert_int_equal(s_in_child(open_and_read, path), RIGHT);
	free(path), free(strange), free(other), free(their_key);
}

/* Nothing of local/ is the truth while no record waits. */
static void a_damaged_local_does_not_matter(void **state)
{
	static const char *const files[] = { "page", "slot-0", "slot-1",
					     "lock", "home", "last-signed" };
	char *path = make_store(state, "s");
	struct target t = { .store = path };
	char name[32];

	for (size_t i = 0; i < T_COUNT(files); i++) {
		snprintf(name, sizeof(name), "local/%s", files[i]);
		if (!strcmp(files[i], "lock") || !strcmp(files[i], "home"))
			continue; /* empty, or too short for these */
		each_truth(&t, name, NULL);
	}
	t.path = "local/key";
	damage(&t);
	damaged_path = "nothing";
	assert_int_equal(s_in_child(open_and_read, path), RIGHT);
	free(path);
}

/* Entries that wait in a slot: with the page, which knows how many were
 * durable, and without it. */
static void damaged_records_that_wait_are_found(void **state)
{
	char *path = make_store(state, "s"), *slot = NULL, *bytes = NULL;
	struct target t = { .store = path, .is_truth = 1 };
	size_t size = 0, end = 0;
	struct pk_record r;
	uint64_t sum;
	char what[40];

	assert_int_equal(s_in_child(publish_and_die, path), 0);
	for (unsigned i = 0; i < WAITING; i++) { /* the child knew them */
		unsigned seq = CHAIN + MANY + 1 + i;
		unsigned char hash[PK_HASH_SIZE];
		char *doc = document(seq);

		pk_sha256(doc, strlen(doc), hash);
		pk_hex(hash, PK_HASH_SIZE, hashes[seq]);
		free(doc);
	}
	known += WAITING;
	/* a copy does not write, so that what waits waits on */
	slot = s_text("cp -a %s %s/c && echo inode 0 >%s/c/local/home", path,
		      (char *)*state, (char *)*state);
	assert_int_equal(system(slot), 0);
	free(slot);
	free(path);
	path = s_text("%s/c", (char *)*state);
	t.store = path;
	damaged_path = "nothing";
	assert_int_equal(s_in_child(open_and_read, path), RIGHT);
	for (unsigned i = 0; i < 2; i++) {
		slot = s_text("%s/local/slot-%u", path, i);
		bytes = slurp(slot, &size);
		for (end = 0; end < size; end += 4096)
			if (!pk_record_decode((unsigned char *)bytes + end, &r,
					      &sum) &&
			    r.seq == known - WAITING)
				break;
		if (end < size)
			break;
		free(bytes);
		free(slot);
	}
	assert_true(end < size);
	t.path = strrchr(slot, '/') - 5;
	for (unsigned k = 0; k < WAITING; k++)
		for (unsigned i = 0; i < 6; i++) {
			size_t at = end + 4096 * k +
				    (size_t[]){ 0, 30, 100, 125, 140,
						200 }[i];

			bytes[at] ^= 16;
			replace(slot, bytes, size);
			snprintf(what, sizeof(what), "byte %zu", at);
			try(&t, what);
			bytes[at] ^= 16;
		}
	replace(slot, bytes, size);
	free(slot), free(bytes), free(path);
}

/* ---- objects made to do harm ---- */

struct made {
	unsigned char hash[PK_HASH_SIZE];
	char path[PK_OBJPATH_SIZE + 200];
};

static void install_object(const char *store, const unsigned char *hash,
			   const struct pk_trailer *t, const unsigned char *frame,
			   size_t size)
{
	unsigned char *bytes = malloc(size + PK_TRAILER_SIZE);
	char path[PK_OBJPATH_SIZE], *full;

	memcpy(bytes, frame, size);
	pk_trailer_encode(t, hash, bytes + size);
	pk_objpath(hash, path);
	full = s_text("%s/%s", store, path);
	replace(full, (char *)bytes, size + PK_TRAILER_SIZE);
	free(full);
	free(bytes);
}

/* Reads an object in place of its store, with what it allocates counted. */
static void refused(const char *store, const unsigned char *hash,
		    const char *rule, size_t most)
{
	int dir = open(store, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	struct pk_shared *text = NULL;

	largest = all_of_them = 0;
	err.status = 0;
	assert_status(pk_object_read(dir, NULL, NULL, hash, &text, &err),
		      PAKHUS_ECORRUPT);
	if (!strstr(err.text, rule) || all_of_them > most) {
		print_error("%s, %zu bytes allocated: %s\n", rule, all_of_them,
			    err.text);
		fail();
	}
	close(dir);
}

#define MIB ((size_t)1 << 20)

static int zst_encode(const char *text, size_t size, const char *base,
		      size_t base_size, int level, size_t tail,
		      unsigned char **out, size_t *out_size,
		      struct pakhus_error *e)
{
	struct pk_zst_encoder *z = pk_zst_encoder_new();
	int rc = pk_zst_encode(z, text, size, base, base_size, level, tail,
			       out, out_size, e);

	pk_zst_encoder_free(z);
	return rc;
}

/* F-13, F-15: sizes are compared before anything is allocated for them. */
static void an_object_that_lies_about_its_size_is_refused(void **state)
{
	char *path = s_init(state, "s", 0), *zeros = calloc(1, 64 * MIB + 2);
	struct pk_trailer t = { .encoding = PK_WHOLE, .raw_size = 1000 };
	unsigned char hash[PK_HASH_SIZE] = { 1 }, *frame;
	size_t size;

	assert_done(zst_encode(zeros, 64 * MIB + 1, NULL, 0, 3, 0, &frame,
				  &size, &err));
	install_object(path, hash, &t, frame, size);
	refused(path, hash, "F-15", MIB); /* 64 MiB of zeros in 6 KB */
	t.raw_size = 64 * MIB + 1;
	install_object(path, hash, &t, frame, size);
	refused(path, hash, "F-13", MIB);
	t.raw_size = UINT64_MAX;
	install_object(path, hash, &t, frame, size);
	refused(path, hash, "F-13", MIB);
	t.raw_size = 0;
	install_object(path, hash, &t, frame, size);
	refused(path, hash, "F-13", MIB);
	free(frame);
	/* the frame says less than it holds: the size in its header is 4 or
	 * 8 bytes behind magic and descriptor */
	assert_done(zst_encode(zeros, 32 * MIB, NULL, 0, 3, 0, &frame,
				  &size, &err));
	assert_int_equal(frame[4] >> 6, 2);
	pk_put_le32(frame + (frame[4] & 32 ? 5 : 6), 1000);
	t.raw_size = 1000;
	install_object(path, hash, &t, frame, size);
	refused(path, hash, "F-15", 4 * MIB);
	free(frame), free(zeros), free(path);
}

/* F-17, F-19: depths fall, so there is no circle and no chain beyond 16. */
static void deltas_in_a_circle_are_refused(void **state)
{
	char *path = s_init(state, "s", 0);
	static const char text[] = "a text of some length, for a delta of it";
	unsigned char *frame, hash[20][PK_HASH_SIZE];
	struct pk_trailer t = { .encoding = PK_DELTA, .raw_size = sizeof(text),
				.depth = 3 };
	size_t size;

	assert_done(zst_encode(text, sizeof(text), text, sizeof(text), 3, 0,
				  &frame, &size, &err));
	for (int i = 0; i < 20; i++) {
		memset(hash[i], 0, PK_HASH_SIZE);
		hash[i][0] = (unsigned char)(i + 1);
	}
	memcpy(t.base, hash[0], PK_HASH_SIZE); /* on itself */
	install_object(path, hash[0], &t, frame, size);
	refused(path, hash[0], "F-17", MIB);
	for (int i = 0; i < 3; i++) { /* three of them, on each other */
		memcpy(t.base, hash[(i + 1) % 3], PK_HASH_SIZE);
		t.depth = (unsigned)(3 - i);
		install_object(path, hash[i], &t, frame, size);
	}
	for (int i = 0; i < 3; i++)
		refused(path, hash[i], "F-17", MIB);
	for (unsigned i = 0; i < 20; i++) { /* twenty in a row */
		memcpy(t.base, hash[(i + 1) % 20], PK_HASH_SIZE);
		t.depth = 20 - i;
		install_object(path, hash[i], &t, frame, size);
	}
	refused(path, hash[0], "F-17", MIB);
	t.depth = 1; /* the right depth, and no base */
	memset(t.base, 0xee, PK_HASH_SIZE);
	install_object(path, hash[0], &t, frame, size);
	refused(path, hash[0], "F-17", MIB);
	t.depth = 1; /* a delta, and a base, that are too long */
	t.raw_size = 4 * MIB + 1;
	install_object(path, hash[0], &t, frame, size);
	refused(path, hash[0], "F-19", MIB);
	free(frame), free(path);
}

/* A chain of deltas whose files are long although their texts are not: no
 * more is read than the sizes allow. */
static void long_files_of_short_texts_are_not_read(void **state)
{
	char *path = s_init(state, "s", 0);
	unsigned char hash[17][PK_HASH_SIZE], *junk = calloc(1, 8 * MIB);
	struct pk_trailer t = { .encoding = PK_DELTA, .raw_size = 100 };

	for (unsigned i = 0; i < 17; i++) {
		memset(hash[i], 0, PK_HASH_SIZE);
		hash[i][0] = (unsigned char)(i + 1);
	}
	for (unsigned i = 0; i < 16; i++) {
		memcpy(t.base, hash[i + 1], PK_HASH_SIZE);
		t.depth = 16 - i;
		install_object(path, hash[i], &t, junk, 8 * MIB);
	}
	refused(path, hash[0], "F-1", 16 * MIB);
	free(junk), free(path);
}

/* F-58: what stands where a pending text should be is not given out. F-54:
 * the slot is there in its full size from the beginning. */
static void a_damaged_text_in_the_journal_is_not_given_out(void **state)
{
	struct pakhus_options opt = { .flags = PAKHUS_CREATE, .cache_size = 1 };
	struct pakhus_package *p = NULL;
	struct pakhus *s;
	char *bytes, *text;
	size_t size;
	int fd;

	assert_int_equal(chdir(*state), 0);
	assert_done(pakhus_open(&s, "s", &opt, &err));
	s_publish(s, "com.example.a", "1.0", 7);
	assert_done(pk_read_file(AT_FDCWD, "s/local/slot-0", 2 * MIB, &bytes,
				 &size, &err));
	assert_int_equal(size, MIB);
	text = memmem(bytes, size, "\"objects\":[7]", 13);
	assert_non_null(text);
	fd = open("s/local/slot-0", O_WRONLY);
	assert_int_equal(pwrite(fd, "x", 1, text - bytes), 1);
	assert_status(pakhus_get(s, "com.example.a", NULL, &p, &err),
		      PAKHUS_ECORRUPT);
	assert_non_null(strstr(err.text, "F-58"));
	assert_int_equal(pwrite(fd, text, 1, text - bytes), 1);
	assert_holds(s, "com.example.a", "1.0", 7);
	close(fd);
	free(bytes);
	pakhus_close(s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		T_IN_DIR(damaged_objects_are_found),
		T_IN_DIR(what_depends_on_a_damaged_base_is_told_of),
		T_IN_DIR(a_damaged_log_is_found),
		T_IN_DIR(a_damaged_local_does_not_matter),
		T_IN_DIR(damaged_records_that_wait_are_found),
		T_IN_DIR(an_object_that_lies_about_its_size_is_refused),
		T_IN_DIR(deltas_in_a_circle_are_refused),
		T_IN_DIR(long_files_of_short_texts_are_not_read),
		T_IN_DIR(a_damaged_text_in_the_journal_is_not_given_out),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
