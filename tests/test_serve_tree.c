/* test_serve_tree.c - a store's files through the server: what a mirror needs,
 * and nothing that is private.
 *
 * wrap: fsync fdatasync
 */
#include "t.h"
#include "nosync.h"
#include "stores.h"
#include "files.h"
#include "serve.h"

static char *store_of(void **state)
{
	char *path = s_init(state, "s", 0);
	struct pakhus *s = s_open(path, 0);

	for (unsigned i = 0; i < 300; i++) {
		char id[20];

		snprintf(id, sizeof(id), "p%u", i % 10);
		s_publish(s, id, i % 2 ? "1" : "2", i);
	}
	assert_done(pakhus_rotate(s, NULL, "by", NULL, &err));
	pakhus_close(s);
	return path;
}

static size_t root;
static unsigned seen, kept;

/* By its kind. */
static const char *type_of(const char *name)
{
	if (!strncmp(name, "objects/", 8))
		return "application/zstd";
	if (!strncmp(name, "pkg/", 4))
		return "application/jsonl";
	if (!strncmp(name, "log/tile/", 9))
		return "application/octet-stream";
	return "text/plain; charset=utf-8";
}

static int look(const char *path, const struct stat *st, int kind,
		struct FTW *ftw)
{
	const char *name = path + root, *cache;
	char *target, *want, *got;
	size_t size;

	(void)st, (void)ftw;
	if (kind != FTW_F)
		return 0;
	target = s_text("/%s", name);
	if (!strncmp(name, "local/", 6)) {
		assert_int_equal(status_for(HTTP_GET, target, NULL), 404);
		free(target);
		return 0;
	}
	assert_int_equal(ask_for(HTTP_GET, target, NULL), 200);
	want = slurp(path, &size);
	got = answer_bytes();
	assert_int_equal(answer.size, size);
	assert_memory_equal(got, want, size);
	assert_true(answer_has("Content-Type", type_of(name)));
	assert_true(answer_has("Accept-Ranges", "bytes"));
	assert_non_null(reply_value(&answer, "Last-Modified"));
	assert_int_equal(*reply_value(&answer, "ETag"), '"');
	cache = reply_value(&answer, "Cache-Control");
	kept += !strcmp(cache, "public, max-age=31536000, immutable");
	seen++;
	free(want);
	free(got);
	reply_free(&answer);
	free(target);
	return 0;
}

static void test_every_file_is_there_with_its_bytes(void **state)
{
	char *path = store_of(state);

	serve_open((struct server_options){.store = path});
	root = strlen(path) + 1;
	seen = kept = 0;
	assert_int_equal(nftw(path, look, 16, FTW_PHYS), 0);
	assert_true(seen > 300 + 10 + 2); /* and what is partial */
	assert_int_equal(kept, 300 + 2 + 2); /* objects, a bundle, its tile,
						keys */
	serve_close();
	free(path);
}

static void test_what_is_no_file_of_the_tree_is_404(void **state)
{
	static const char *const bad[] = {
		"/local/key", "/objects/../local/key", "/keys/..%2flocal%2fkey",
		"/keys/%2e%2e/local/key", "/log//checkpoint", "/log/", "/keys/",
		"/FORMAT/", "//FORMAT", "/log/checkpoint/x", "/objects/fa/x",
		"/log/tile/entries/000.p/0", "/pkg/fa", "/log/%0a",
		"/keys/01234567", "/log/tile/entries/x999/999",
	};
	char *path = store_of(state), *longer;

	serve_open((struct server_options){.store = path});
	for (size_t i = 0; i < T_COUNT(bad); i++)
		assert_int_equal(status_for(HTTP_GET, bad[i], NULL), 404);
	longer = malloc(70000);
	memset(longer, 'a', 69999);
	memcpy(longer, "/log/", 5);
	longer[69999] = '\0';
	assert_int_equal(status_for(HTTP_GET, longer, NULL), 404);
	assert_int_equal(status_for(HTTP_GET, "/log/%00", NULL), 400);
	assert_int_equal(status_for(HTTP_PUT, "/FORMAT", NULL), 405);
	free(longer);
	serve_close();
	free(path);
}

static void test_who_has_a_file_is_told_so_until_it_changes(void **state)
{
	char *path = store_of(state), *tag, *date;
	struct pakhus *s;

	serve_open((struct server_options){.store = path});
	assert_int_equal(ask_for(HTTP_GET, "/log/checkpoint", NULL), 200);
	assert_true(answer_has("Cache-Control", "no-cache"));
	tag = strdup(reply_value(&answer, "ETag"));
	date = strdup(reply_value(&answer, "Last-Modified"));
	reply_free(&answer);

	assert_int_equal(ask_for(HTTP_GET, "/log/checkpoint", "If-None-Match",
				 tag, NULL), 304);
	assert_int_equal(answer.fd, -1);
	assert_true(answer_has("ETag", tag));
	reply_free(&answer);
	assert_int_equal(status_for(HTTP_HEAD, "/log/checkpoint",
				    "If-Modified-Since", date, NULL), 304);
	assert_int_equal(status_for(HTTP_GET, "/log/checkpoint", "Range",
				    "bytes=3-", "If-Range", date, NULL), 206);
	assert_int_equal(status_for(HTTP_GET, "/log/checkpoint", "Range",
				    "bytes=3-", "If-Range", tag, NULL), 206);

	s = s_open(path, 0);
	s_publish(s, "q", "1", 1);
	pakhus_close(s);
	assert_int_equal(status_for(HTTP_GET, "/log/checkpoint",
				    "If-None-Match", tag, NULL), 200);
	assert_int_equal(status_for(HTTP_GET, "/log/checkpoint", "Range",
				    "bytes=3-", "If-Range", tag, NULL), 200);
	serve_close();
	free(tag);
	free(date);
	free(path);
}

/* F-92: what a purge leaves has other bytes under the same name, so a copy
 * that broke off before must not be gone on with. */
static void test_an_object_of_other_bytes_has_another_tag(void **state)
{
	char *path = s_init(state, "s", 0), *target, *tag;
	struct pakhus *s = s_open(path, 0);
	struct pakhus_record second;

	s_publish(s, "q", "1.0.0", 1);
	second = s_publish(s, "q", "1.0.1", 2);
	assert_done(pakhus_sync(s, &err));
	target = s_text("/objects/%.2s/%s", second.hash, second.hash + 2);
	serve_open((struct server_options){.store = path});
	assert_int_equal(ask_for(HTTP_GET, target, NULL), 200);
	tag = strdup(reply_value(&answer, "ETag"));
	reply_free(&answer);
	assert_int_equal(status_for(HTTP_GET, target, "Range", "bytes=9-",
				    "If-Range", tag, NULL), 206);
	assert_done(pakhus_purge(s, "q", "1.0.0", "why", NULL, NULL, &err));
	assert_int_equal(status_for(HTTP_GET, target, "If-None-Match", tag,
				    NULL), 200);
	assert_int_equal(status_for(HTTP_GET, target, "Range", "bytes=9-",
				    "If-Range", tag, NULL), 200);
	serve_close();
	pakhus_close(s);
	free(target);
	free(tag);
	free(path);
}

static void test_texts_are_coded_and_objects_are_not(void **state)
{
	char *path = store_of(state), *target, *name;
	struct pakhus_package *p;
	struct pakhus *s;

	serve_open((struct server_options){.store = path});
	run("cd %s && ls pkg/*/*.jsonl | head -n 1 | tr -d '\\n' >../name",
	    path);
	target = s_text("%s/name", (char *)*state);
	name = slurp(target, &(size_t){0});
	free(target);
	target = s_text("/%.75s", name);
	assert_int_equal(ask_for(HTTP_GET, target, "Accept-Encoding", "gzip",
				 NULL), 200);
	/* two versions have less than is worth it */
	assert_true(answer_has("Vary", "Accept-Encoding"));
	reply_free(&answer);
	free(target);
	free(name);

	s = s_open(path, PAKHUS_READONLY);
	p = s_get(s, "p1", "1");
	target = s_text("/objects/%.2s/%s", p->record.hash, p->record.hash + 2);
	assert_int_equal(ask_for(HTTP_GET, target, "Accept-Encoding",
				 "gzip, zstd", NULL), 200);
	assert_true(answer_has("Content-Encoding", NULL));
	assert_true(answer_has("Vary", NULL));
	reply_free(&answer);
	pakhus_package_free(p);
	pakhus_close(s);
	free(target);
	serve_close();
	free(path);
}

static void count_lines(const char *path, const char *want)
{
	run("test $(cat %s/pkg/*/*.jsonl | wc -l) -eq %s", path, want);
}

static void test_pkg_is_made_at_the_start_and_with_each_sync(void **state)
{
	char *path = s_init(state, "s", 0);
	struct pakhus *s = s_open(path, 0);

	s_publish(s, "a", "1", 1);
	serve_open((struct server_options){.store = path});
	count_lines(path, "1");
	s_publish(s, "a", "2", 2);
	assert_done(server_sync(served, &err)); /* it wrote nothing itself */
	count_lines(path, "1");
	serve_close();
	pakhus_close(s);

	/* who may only read leaves it alone */
	run("rm -r %s/pkg %s/local/pkg", path, path);
	serve_open((struct server_options){.store = path, .is_read_only = 1});
	run("test ! -e %s/pkg", path);
	assert_int_equal(status_for(HTTP_GET, "/FORMAT", NULL), 200);
	serve_close();
	free(path);
}

static void test_what_shows_everything_asks_for_that_right(void **state)
{
	static const char *const names[] = {"/FORMAT", "/log/checkpoint",
					    "/keys/01234567", "/pkg/x",
					    "/objects/x", "/log/tile/x"};
	char *path = store_of(state);

	serve_open((struct server_options){.store = path,
					   .anonymous = ANONYMOUS_NONE});
	for (size_t i = 0; i < T_COUNT(names); i++)
		assert_int_not_equal(status_for(HTTP_GET, names[i], NULL), 200);
	assert_int_not_equal(status_for(HTTP_HEAD, "/FORMAT", "If-None-Match",
					"*", NULL), 304);
	serve_close();
	free(path);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		T_IN_DIR(test_every_file_is_there_with_its_bytes),
		T_IN_DIR(test_what_is_no_file_of_the_tree_is_404),
		T_IN_DIR(test_who_has_a_file_is_told_so_until_it_changes),
		T_IN_DIR(test_an_object_of_other_bytes_has_another_tag),
		T_IN_DIR(test_texts_are_coded_and_objects_are_not),
		T_IN_DIR(test_pkg_is_made_at_the_start_and_with_each_sync),
		T_IN_DIR(test_what_shows_everything_asks_for_that_right),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
