/* test_file.c - what of a store is shown by name, and that nothing else is
 * (F-11, F-32, F-36, F-43, F-68, F-95).
 *
 * wrap: fsync fdatasync
 */
#include "t.h"
#include "nosync.h"
#include "stores.h"
#include "files.h"
#include "mirrors.h"

/* A store with every kind of file: whole and partial tiles, two keys with
 * the note between them, and pkg/. */
static char *every_kind(void **state)
{
	char *path = s_init(state, "s", 0);
	struct pakhus_batch *b;
	struct pakhus *s;

	s = s_open(path, 0);
	assert_done(pakhus_batch_new(s, "by", &b, &err));
	for (unsigned i = 0; i < 300; i++) {
		char id[20], *doc;

		snprintf(id, sizeof(id), "p%u", i);
		doc = s_document(id, "1", i);
		assert_done(pakhus_batch_publish(b, doc, strlen(doc), &err));
		free(doc);
	}
	assert_done(pakhus_batch_commit(b, &err));
	pakhus_batch_free(b);
	assert_done(pakhus_rotate(s, NULL, "by", NULL, &err));
	assert_done(pakhus_refresh_pkg(s, &err));
	pakhus_close(s);
	return path;
}

/* What the walk below asks of, and what it found. */
static struct {
	struct pakhus *store;
	size_t root; /* bytes of its path */
	unsigned objects, full, partial, keys, notes, pkg, others;
} walk;

static int is_listed(const char *name)
{
	const char *leaf = strrchr(name, '/');

	if (!strncmp(name, "objects/", 8))
		walk.objects++;
	else if (!strncmp(name, "pkg/", 4))
		walk.pkg++;
	else if (!strncmp(name, "log/tile/", 9) && strstr(name, ".p/"))
		walk.partial++;
	else if (!strncmp(name, "log/tile/", 9))
		walk.full++;
	else if (!strncmp(name, "keys/", 5) && strchr(leaf, '.'))
		walk.notes++;
	else if (!strncmp(name, "keys/", 5))
		walk.keys++;
	else
		walk.others++;
	return !strncmp(name, "objects/", 8) ||
	       (!strncmp(name, "log/tile/", 9) && !strstr(name, ".p/")) ||
	       (!strncmp(name, "keys/", 5) && !strchr(leaf, '.'));
}

static int look(const char *path, const struct stat *st, int kind,
		struct FTW *ftw)
{
	const char *name = path + walk.root;
	struct pakhus_file f = {.fd = -1};
	char *want, *got;
	size_t size;

	(void)ftw;
	if (kind != FTW_F)
		return 0;
	if (!strncmp(name, "local/", 6)) {
		assert_status(pakhus_open_file(walk.store, name, &f, &err),
			      PAKHUS_EINVAL);
		return 0;
	}
	assert_done(pakhus_open_file(walk.store, name, &f, &err));
	assert_int_equal(f.size, st->st_size);
	assert_int_equal(f.is_immutable, is_listed(name));
	want = slurp(path, &size);
	got = malloc(size + 1);
	assert_int_equal(pk_pread(f.fd, got, size + 1, 0), size);
	assert_memory_equal(want, got, size);
	close(f.fd);
	free(want);
	free(got);
	return 0;
}

static void every_file_opens(const char *path, unsigned flags)
{
	memset(&walk, 0, sizeof(walk));
	walk.store = s_open(path, flags);
	walk.root = strlen(path) + 1;
	assert_int_equal(nftw(path, look, 16, FTW_PHYS), 0);
	pakhus_close(walk.store);
}

static void every_public_name_opens_with_its_bytes(void **state)
{
	char *path = every_kind(state);

	every_file_opens(path, 0);
	assert_int_equal(walk.objects, 300);
	assert_int_equal(walk.full, 2); /* a bundle and its tile */
	assert_in_range(walk.partial, 3, 12);
	assert_int_equal(walk.keys, 2);
	assert_int_equal(walk.notes, 1);
	assert_int_equal(walk.pkg, 300);
	assert_int_equal(walk.others, 2); /* FORMAT and log/checkpoint */
	every_file_opens(path, PAKHUS_READONLY);
	assert_int_equal(walk.objects, 300);
	free(path);
}

static void a_mirror_and_a_copy_without_local_show_the_same(void **state)
{
	char *path = every_kind(state);
	char *mirror = s_text("%s/m", (char *)*state);

	assert_done(sync_from(mirror, path));
	every_file_opens(mirror, 0);
	assert_int_equal(walk.objects, 300);
	assert_int_equal(walk.pkg, 300); /* its own */
	run("rm -r %s/local", path);
	every_file_opens(path, 0);
	assert_int_equal(walk.objects, 300);
	free(mirror);
	free(path);
}

#define H62 "8f399fd6b41ef330d7ff4e4c5422a350cd4566f44eadd7f065b4f5c0b6276a"

static void what_is_no_public_name_is_refused_by_its_form(void **state)
{
	static const char *const bad[] = {
		"", "/", ".", "..", "FORMAT/", "/FORMAT", "format", "FORMAT\n",
		"./FORMAT", "local", "local/", "local/key", "local/home",
		"local/../FORMAT", "objects", "objects/", "objects/fa",
		"objects/fa/", "objects/fa/" H62 "/", "objects/fa/" H62 "0",
		"objects/FA/" H62, "objects/fa//" H62, "objects//fa/" H62,
		"objects/../objects/fa/" H62, "objects/./fa/" H62,
		"objects/fa/../../local/key", "objects/fg/" H62,
		"objects/fa/" H62 ".tmp", "objects/fa/.nfs", "xobjects/fa/" H62,
		"log", "log/", "log/tile", "log/checkpoint/", "log/checkpoint2",
		"log/../local/key", "log/tile/../checkpoint",
		"log/tile/entries/0", "log/tile/entries/000/",
		"log/tile/entries/x000/000", "log/tile/entries/000.p/0",
		"log/tile/entries/000.p/256", "log/tile/entries/000.p/01",
		"log/tile/8/000", "log/tile/-1/000", "log/tile/entries/000.p",
		"log//checkpoint", "keys", "keys/", "keys/0123456",
		"keys/012345678", "keys/0123456G", "keys/01234567.nex",
		"keys/01234567.next/", "keys/01234567/x", "keys/../local/key",
		"pkg", "pkg/", "pkg/fa/" H62, "pkg/fa/" H62 ".json",
		"pkg/fa/" H62 ".jsonl/", "pkg/../local/pkg", "pkg/pk-tmp",
		"objects/fa/" H62 H62 H62 H62, ".git/config",
	};
	char *path = every_kind(state);
	struct pakhus *s = s_open(path, 0);
	struct pakhus_file f = {.fd = -7};

	for (size_t i = 0; i < T_COUNT(bad); i++) {
		if (pakhus_open_file(s, bad[i], &f, &err) != PAKHUS_EINVAL)
			print_error("\"%s\"\n", bad[i]);
		assert_int_equal(err.status, PAKHUS_EINVAL);
	}
	assert_status(pakhus_open_file(s, "objects/fa/" H62, &f, &err),
		      PAKHUS_ENOTFOUND);
	assert_status(pakhus_open_file(s, "log/tile/entries/x001/000", &f,
				       &err), PAKHUS_ENOTFOUND);
	assert_status(pakhus_open_file(s, "keys/01234567", &f, &err),
		      PAKHUS_ENOTFOUND);
	assert_int_equal(f.fd, -7); /* untouched */
	pakhus_close(s);
	free(path);
}

static void damaged(struct pakhus *s, const char *name)
{
	struct pakhus_file f = {.fd = -7};

	assert_status(pakhus_open_file(s, name, &f, &err), PAKHUS_ECORRUPT);
	assert_non_null(strstr(err.text, "F-43"));
	assert_int_equal(f.fd, -7);
}

static void no_link_is_followed_and_nothing_is_waited_for(void **state)
{
	char *path = every_kind(state);
	struct pakhus *s = s_open(path, 0);

	run("cd %s && mv objects/fa ../fa && ln -s ../../fa objects/fa", path);
	damaged(s, "objects/fa/" H62);
	run("cd %s && rm objects/fa && mv ../fa objects/fa", path);
	run("cd %s && ln -s ../../local/key objects/fa/" H62, path);
	damaged(s, "objects/fa/" H62);
	run("cd %s && rm objects/fa/" H62 " && mkfifo objects/fa/" H62, path);
	damaged(s, "objects/fa/" H62);
	run("cd %s && rm objects/fa/" H62 " && mkdir objects/fa/" H62, path);
	damaged(s, "objects/fa/" H62);
	run("cd %s && mv keys ../keys && ln -s ../keys keys", path);
	damaged(s, "keys/01234567");
	run("cd %s && rm keys && touch keys", path);
	damaged(s, "keys/01234567");
	run("cd %s && rm keys && mv ../keys keys", path);
	run("cd %s && mv FORMAT ../FORMAT && ln -s ../FORMAT FORMAT", path);
	damaged(s, "FORMAT");
	pakhus_close(s);
	free(path);
}

static int in_child(void *arg)
{
	struct pakhus_file f;

	return pakhus_open_file(arg, "FORMAT", &f, &err) != PAKHUS_EINVAL;
}

static void a_child_is_told_that_it_cannot(void **state)
{
	struct pakhus *s = fresh(state);

	assert_int_equal(s_in_child(in_child, s), 0);
	pakhus_close(s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		T_IN_DIR(every_public_name_opens_with_its_bytes),
		T_IN_DIR(a_mirror_and_a_copy_without_local_show_the_same),
		T_IN_DIR(what_is_no_public_name_is_refused_by_its_form),
		T_IN_DIR(no_link_is_followed_and_nothing_is_waited_for),
		T_IN_DIR(a_child_is_told_that_it_cannot),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
