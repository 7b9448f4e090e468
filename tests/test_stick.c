/* test_stick.c - bundles for sticks: what is in one while the store goes on,
 * and that no byte of one is believed (F-80 to F-84).
 */
#include "t.h"
#include "stores.h"
#include "files.h"
#include "bundle.h"
#include "hex.h"

static char *dir, *path, *mirror, *file;

static int begin(void **state)
{
	if (t_dir_make(state))
		return -1;
	dir = *state;
	path = s_init(state, "store", 0);
	mirror = s_text("%s/mirror", dir);
	file = s_text("%s/b.tar", dir);
	return 0;
}

static int end(void **state)
{
	free(path);
	free(mirror);
	free(file);
	return t_dir_remove(state);
}
#define TEST(test) cmocka_unit_test_setup_teardown(test, begin, end)

/* What create told last. */
static struct pakhus_bundle made;

static int create(struct pakhus *s, uint64_t since)
{
	made = (struct pakhus_bundle){ .since = since };
	return pakhus_bundle_create(s, file, &made, &err);
}

static int apply(const char *from)
{
	struct pakhus_mirror m = { .notice = s_notice };

	return pakhus_bundle_apply(mirror, from, &m, &err);
}

static void verify_mirror(void)
{
	struct pakhus *s = s_open(mirror, 0);

	s_verify(s);
	pakhus_close(s);
}

/* Of so many packages all that is live can be read. */
static void assert_live(size_t packages)
{
	struct pakhus *s = s_open(mirror, 0);
	struct pakhus_list *l = s_list(s, 0, 100, PAKHUS_DOCUMENTS);

	assert_int_equal(l->count, packages);
	for (size_t i = 0; i < l->count; i++) {
		struct pakhus_versions *v =
			s_versions(s, l->items[i]->record.id, 0, 1000);

		for (size_t j = 0; j < v->count; j++)
			pakhus_package_free(s_get(s, v->items[j].id,
						  v->items[j].version));
		pakhus_versions_free(v);
	}
	pakhus_list_free(l);
	pakhus_close(s);
}

/* Like the one before, as deltas are made of. */
static void publish(struct pakhus *s, const char *id, unsigned n)
{
	char version[20];

	snprintf(version, sizeof(version), "1.0.%u", n);
	s_publish(s, id, version, n);
}

static char *object_of(struct pakhus *s, const char *id, const char *version)
{
	struct pakhus_package *p = s_get(s, id, version);
	char *name = s_text("%s/objects/%.2s/%s", path, p->record.hash,
			    p->record.hash + 2);

	pakhus_package_free(p);
	return name;
}

/* ---- a store that goes on ---- */

/* A callback that does something once, when create says this. */
static struct {
	const char *what;
	void (*act)(void);
	int is_done;
} meanwhile;

static int on_progress(void *arg, const char *what, uint64_t done,
		       uint64_t total)
{
	(void)arg, (void)done, (void)total;
	if (meanwhile.is_done || !meanwhile.act || strcmp(what, meanwhile.what))
		return 0;
	meanwhile.is_done = 1;
	meanwhile.act();
	return 0;
}

static struct pakhus *open_told(void)
{
	struct pakhus_options opt = { .level = 3, .progress = on_progress };
	struct pakhus *s = NULL;

	assert_done(pakhus_open(&s, path, &opt, &err));
	return s;
}

static char *victim; /* an object's file */

static void publish_more(void)
{
	struct pakhus *s = s_open(path, 0);

	for (unsigned i = 0; i < 300; i++)
		publish(s, "meanwhile", i);
	assert_done(pakhus_sync(s, &err));
	pakhus_close(s);
}

static void a_bundle_is_as_of_its_checkpoint(void **state)
{
	struct pakhus *s = open_told();

	(void)state;
	for (unsigned i = 0; i < 20; i++)
		publish(s, "a", i);
	meanwhile.what = "reading the log";
	meanwhile.act = publish_more;
	meanwhile.is_done = 0;
	assert_done(create(s, 0));
	assert_true(meanwhile.is_done);
	assert_int_equal(made.from, 0);
	assert_int_equal(made.to, 21);
	assert_int_equal(made.objects, 20);
	pakhus_close(s);
	assert_done(apply(file));
	verify_mirror();
	s = s_open(mirror, 0);
	assert_holds(s, "a", "1.0.19", 19);
	assert_status(pakhus_get(s, "meanwhile", NULL, NULL, &err),
		      PAKHUS_ENOTFOUND);
	pakhus_close(s);
}

static void collect_it(void)
{
	assert_int_equal(unlink(victim), 0);
}

/* What is not live may go while it is copied: then all begins again. */
static void what_is_collected_while_it_is_copied_is_left_out(void **state)
{
	struct pakhus *s = open_told();

	(void)state;
	for (unsigned i = 0; i < 8; i++) {
		char id[2] = { (char)('a' + i), 0 };

		publish(s, id, i);
	}
	assert_done(pakhus_sync(s, &err));
	/* of the one that comes last */
	victim = strdup("");
	for (char id[2] = "a"; *id < 'i'; ++*id) {
		char *name = object_of(s, id, NULL);

		if (strcmp(name, victim) > 0) {
			free(victim);
			victim = name;
			made.since = (uint64_t)*id;
		} else {
			free(name);
		}
	}
	s_delete(s, (char[2]){ (char)made.since, 0 }, NULL);
	meanwhile.what = "copying objects";
	meanwhile.act = collect_it;
	meanwhile.is_done = 0;
	assert_done(create(s, 0));
	assert_true(meanwhile.is_done);
	assert_int_equal(made.objects, 7);
	free(victim);
	pakhus_close(s);
	assert_done(apply(file));
	assert_live(7);
}

static void delete_and_collect(void)
{
	struct pakhus *s = s_open(path, 0);

	s_delete(s, "last", NULL);
	assert_done(pakhus_sync(s, &err));
	pakhus_close(s);
	collect_it();
}

/* What was live may be gone too, where there is a newer checkpoint. */
static void what_is_deleted_and_collected_needs_a_newer_checkpoint(void **state)
{
	struct pakhus *s = open_told();

	(void)state;
	for (unsigned i = 0; i < 300; i++)
		publish(s, "a", i);
	publish(s, "last", 1);
	assert_done(pakhus_sync(s, &err));
	victim = object_of(s, "last", NULL);
	meanwhile.what = "reading the log";
	meanwhile.act = delete_and_collect;
	meanwhile.is_done = 0;
	assert_done(create(s, 0));
	assert_true(meanwhile.is_done);
	assert_int_equal(made.to, 303);
	assert_int_equal(made.objects, 300);
	pakhus_close(s);
	assert_done(apply(file));
	assert_live(1);
	free(victim);
}

/* The purge of what a version was before says nothing of what it is. */
static void a_live_text_that_is_missing_is_told_after_an_older_one_was_purged(
	void **state)
{
	struct pakhus_record old;
	struct pakhus *s = s_open(path, 0);

	(void)state;
	assert_done(s_try(s, "a", "1", 1, &old));
	s_publish(s, "a", "1", 2);
	assert_done(pakhus_purge_at(s, "a", "1", old.seq, "why", NULL, NULL,
				    &err));
	assert_done(pakhus_sync(s, &err));
	victim = object_of(s, "a", "1");
	assert_int_equal(unlink(victim), 0);
	assert_status(create(s, 0), PAKHUS_ECORRUPT);
	pakhus_close(s);
	free(victim);
}

static char *random_document(const char *version)
{
	size_t n = 300000;
	char *noise = malloc(n + 1), *doc;
	unsigned char byte;

	for (size_t i = 0; i < n; i++) {
		assert_int_equal(pk_random(&byte, 1, NULL), 0);
		noise[i] = "0123456789abcdef"[byte & 15];
	}
	noise[n] = '\0';
	doc = s_text("{\"manifest\":{\"id\":\"big\",\"version\":\"%s\"},"
		     "\"metadata\":{\"x\":\"%s\"}}", version, noise);
	free(noise);
	return doc;
}

static int count_bytes(void *arg, const char *bytes, size_t size)
{
	(void)bytes;
	*(uint64_t *)arg += size;
	return 0;
}

/* Who was given some of it already cannot be given it again. */
static void a_stream_does_not_begin_again(void **state)
{
	struct pakhus *s = open_told();
	struct pakhus_bundle b = { .write = count_bytes };
	uint64_t given = 0;

	(void)state;
	for (unsigned i = 0; i < 4; i++) {
		char version[2] = { (char)('0' + i), 0 };
		char *doc = random_document(version);

		assert_done(pakhus_publish(s, doc, strlen(doc), NULL, NULL,
					   &err));
		free(doc);
	}
	assert_done(pakhus_sync(s, &err));
	victim = strdup("");
	for (char v[2] = "0"; *v < '4'; ++*v) {
		char *name = object_of(s, "big", v);
		int is_later = strcmp(name, victim) > 0;

		free(is_later ? victim : name);
		victim = is_later ? name : victim;
	}
	s_delete(s, "big", NULL);
	b.arg = &given;
	assert_done(pakhus_bundle_create(s, NULL, &b, &err));
	assert_true(given == b.bytes && given > 500000);
	given = 0;
	meanwhile.what = "copying objects";
	meanwhile.act = collect_it;
	meanwhile.is_done = 0;
	/* the first object is beyond what is held back */
	assert_status(pakhus_bundle_create(s, NULL, &b, &err), PAKHUS_EBUSY);
	assert_true(meanwhile.is_done && given > 0);
	free(victim);
	pakhus_close(s);
}

static int stop(void *arg, const char *what, uint64_t done, uint64_t total)
{
	(void)arg, (void)done, (void)total;
	return !strcmp(what, "copying objects");
}

static void a_bundle_that_is_cancelled_leaves_nothing(void **state)
{
	struct pakhus_options opt = { .progress = stop };
	struct pakhus *s = NULL;

	(void)state;
	assert_done(pakhus_open(&s, path, &opt, &err));
	publish(s, "a", 1);
	assert_status(create(s, 0), PAKHUS_ECANCELED);
	assert_int_not_equal(access(file, F_OK), 0);
	run("test -z \"$(find %s -name '*.part')\"", dir);
	pakhus_close(s);
}

/* ---- from where ---- */

/* Whoever holds `since` entries can go on: from every one of them. */
static void a_bundle_from_any_entry_makes_the_mirror_whole(void **state)
{
	enum { N = 30 };
	struct pakhus *s = s_open(path, 0);
	char *at[N];

	(void)state;
	/* republished, deleted, branched: bases of all kinds */
	for (unsigned i = 0; i < N; i++) {
		at[i] = s_text("%s/at-%u.tar", dir, i);
		switch (i % 5) {
		case 3:
			s_delete(s, "a", i % 2 ? "1.0.1" : NULL);
			break;
		case 4:
			publish(s, "a", i - 4);
			break;
		default:
			publish(s, i % 2 ? "a" : "b", i);
		}
		assert_done(pakhus_sync(s, &err));
		made = (struct pakhus_bundle){ .since = 0 };
		assert_done(pakhus_bundle_create(s, at[i], &made, &err));
	}
	for (unsigned i = 0; i < N; i += s_scale(1, 7, 1)) {
		uint64_t entries;

		assert_done(apply(at[i]));
		verify_mirror();
		{
			struct pakhus_stat st;
			struct pakhus *m = s_open(mirror, 0);

			assert_done(pakhus_stat(m, 0, &st, &err));
			entries = st.entries;
			pakhus_close(m);
		}
		assert_done(create(s, entries));
		assert_int_equal(made.from, entries);
		assert_done(apply(file));
		verify_mirror();
		nftw(mirror, t_remove, 16, FTW_DEPTH | FTW_PHYS);
	}
	for (unsigned i = 0; i < N; i++)
		free(at[i]);
	pakhus_close(s);
}

/* ---- damage ---- */

static size_t held(void)
{
	char *name = s_text("%s/log/checkpoint", mirror);
	size_t size;
	char *note = slurp(name, &size);
	unsigned long long n = 0;

	sscanf(strchr(note, '\n'), "%llu", &n);
	free(note);
	free(name);
	return (size_t)n;
}

static char *ten; /* the bundle that the mirror was made of */

static void mirror_anew(void)
{
	nftw(mirror, t_remove, 16, FTW_DEPTH | FTW_PHYS);
	assert_done(apply(ten));
}

/* A mirror of ten entries, and a bundle of two more. */
static char *two_more(size_t *size)
{
	struct pakhus *s = s_open(path, 0);

	for (unsigned i = 0; i < 9; i++)
		publish(s, "a", i);
	ten = s_text("%s/ten.tar", dir);
	made = (struct pakhus_bundle){ .since = 0 };
	assert_done(pakhus_bundle_create(s, ten, &made, &err));
	mirror_anew();
	publish(s, "a", 9);
	publish(s, "a", 10);
	assert_done(create(s, 10));
	pakhus_close(s);
	return slurp(file, size);
}

/* Nothing of it that matters can be changed: a flip in what is not looked at,
 * a key that is known, does no harm. */
static void a_bit_that_is_flipped_changes_nothing(void **state)
{
	size_t size, refused = 0, passed = 0;
	char *bytes = two_more(&size), *bad = s_text("%s/bad.tar", dir);
	unsigned step = s_scale(7, 61, 1);

	(void)state;
	for (size_t i = 0; i < size; i += step) {
		bytes[i] ^= (char)(1 << i / step % 8);
		spill(bad, bytes, size);
		bytes[i] ^= (char)(1 << i / step % 8);
		if (!apply(bad)) {
			passed++;
			verify_mirror();
			mirror_anew();
			continue;
		}
		refused++;
		assert_true(err.status == PAKHUS_ECORRUPT ||
			    err.status == PAKHUS_ECONFLICT ||
			    err.status == PAKHUS_EVERSION);
		assert_true(*err.text);
		assert_int_equal(held(), 10);
	}
	print_message("# %zu flips refused, %zu did not matter\n", refused,
		      passed);
	assert_true(refused > 20 * passed);
	assert_done(apply(file));
	assert_int_equal(held(), 12);
	verify_mirror();
	free(bytes);
	free(bad);
	free(ten);
}

static void a_bundle_that_is_cut_changes_nothing(void **state)
{
	size_t size;
	char *bytes = two_more(&size), *bad = s_text("%s/bad.tar", dir);

	(void)state;
	for (size_t n = 0; n < size; n += s_scale(13, 401, 1)) {
		spill(bad, bytes, n);
		assert_status(apply(bad), PAKHUS_ECORRUPT);
		assert_non_null(strstr(err.text, "F-80"));
	}
	assert_int_equal(held(), 10);
	assert_done(apply(file));
	assert_int_equal(held(), 12);
	free(bytes);
	free(bad);
	free(ten);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_bundle_is_as_of_its_checkpoint),
		TEST(what_is_collected_while_it_is_copied_is_left_out),
		TEST(what_is_deleted_and_collected_needs_a_newer_checkpoint),
		TEST(a_live_text_that_is_missing_is_told_after_an_older_one_was_purged),
		TEST(a_stream_does_not_begin_again),
		TEST(a_bundle_that_is_cancelled_leaves_nothing),
		TEST(a_bundle_from_any_entry_makes_the_mirror_whole),
		TEST(a_bit_that_is_flipped_changes_nothing),
		TEST(a_bundle_that_is_cut_changes_nothing),
	};

	if (!access("/dev/shm", W_OK))
		setenv("TMPDIR", "/dev/shm", 0);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
