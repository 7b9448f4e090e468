/* test_work.c - what calls do is counted, where it must not grow with what
 * the store holds.
 *
 * wrap: pread openat faccessat malloc calloc realloc fsync fdatasync
 */
#include "t.h"
#include "stores.h"
#include "nosync.h"

static size_t bytes_read, opened, looked_for, allocated;

ssize_t __real_pread(int fd, void *buf, size_t n, off_t at);
ssize_t __wrap_pread(int fd, void *buf, size_t n, off_t at);
ssize_t __wrap_pread(int fd, void *buf, size_t n, off_t at)
{
	bytes_read += n;
	return __real_pread(fd, buf, n, at);
}

int __real_openat(int dir, const char *path, int flags, ...);
int __wrap_openat(int dir, const char *path, int flags, ...);
int __wrap_openat(int dir, const char *path, int flags, ...)
{
	va_list ap;
	int fd;

	opened++;
	va_start(ap, flags);
	fd = __real_openat(dir, path, flags,
			   flags & O_CREAT ? va_arg(ap, unsigned) : 0);
	va_end(ap);
	return fd;
}

int __real_faccessat(int dir, const char *path, int mode, int flags);
int __wrap_faccessat(int dir, const char *path, int mode, int flags);
int __wrap_faccessat(int dir, const char *path, int mode, int flags)
{
	looked_for++;
	return __real_faccessat(dir, path, mode, flags);
}

void *__real_malloc(size_t n);
void *__wrap_malloc(size_t n);
void *__wrap_malloc(size_t n)
{
	allocated += n;
	return __real_malloc(n);
}

void *__real_calloc(size_t n, size_t size);
void *__wrap_calloc(size_t n, size_t size);
void *__wrap_calloc(size_t n, size_t size)
{
	allocated += n * size;
	return __real_calloc(n, size);
}

void *__real_realloc(void *p, size_t n);
void *__wrap_realloc(void *p, size_t n);
void *__wrap_realloc(void *p, size_t n)
{
	allocated += n;
	return __real_realloc(p, n);
}

static void count(void)
{
	bytes_read = opened = looked_for = allocated = 0;
}

static void publish(struct pakhus *s, unsigned version, unsigned n)
{
	char text[32];

	snprintf(text, sizeof(text), "1.%u.0", version);
	s_publish(s, "com.acme.app", text, n);
}

#define BLOCKS 300 /* of a record each: more than a slot has */

static void a_publish_reads_no_slot_that_was_sealed(void **state)
{
	char *path = s_text("%s/store", (char *)*state);
	struct pakhus *s = s_open(path, PAKHUS_CREATE);

	for (unsigned i = 0; i < BLOCKS; i++)
		publish(s, i, i);
	count();
	publish(s, BLOCKS, 1);
	assert_in_range(bytes_read, 1, 65536);
	pakhus_close(s);
	free(path);
}

static void an_object_is_looked_for_where_its_version_had_it(void **state)
{
	char *path = s_text("%s/store", (char *)*state);
	struct pakhus *s = s_open(path, PAKHUS_CREATE);

	publish(s, 1, 1);
	assert_done(pakhus_sync(s, &err));
	count();
	publish(s, 2, 1);
	publish(s, 1, 2);
	assert_int_equal(looked_for, 0);
	assert_done(pakhus_sync(s, &err));
	count();
	publish(s, 1, 2);
	assert_int_equal(looked_for, 1);
	pakhus_close(s);
	free(path);
}

static size_t read_by_opening(const char *path)
{
	struct pakhus *s;

	count();
	s = s_open(path, 0);
	pakhus_close(s);
	return bytes_read;
}

static void opening_reads_the_same_of_a_longer_log(void **state)
{
	char *path = s_text("%s/store", (char *)*state);
	struct pakhus *s = s_open(path, PAKHUS_CREATE);
	size_t few;

	publish(s, 0, 0);
	pakhus_close(s);
	few = read_by_opening(path);
	s = s_open(path, 0);
	for (unsigned i = 1; i < BLOCKS; i++)
		publish(s, i, i);
	pakhus_close(s);
	/* the size of the log has more digits */
	assert_in_range(read_by_opening(path), few, few + 64);
	free(path);
}

#define LONG 100000

/* A text of LONG bytes that differs in a few. */
static void publish_long(struct pakhus *s, unsigned version)
{
	char *filler = __real_malloc(LONG + 1), *doc;
	uint32_t r = 1;

	for (size_t i = 0; i < LONG; i++) {
		r = r * 1664525 + 1013904223;
		filler[i] = (char)('a' + (r >> 24) % 26);
	}
	filler[LONG] = '\0';
	doc = s_text("{\"manifest\":{\"id\":\"a\",\"version\":\"%u\"},"
		     "\"metadata\":{\"s\":\"%s\"}}", version, filler);
	assert_done(pakhus_publish(s, doc, strlen(doc), NULL, NULL, &err));
	free(doc);
	free(filler);
}

/* The text is given away; bases, files and decompressor are kept. */
static void a_second_read_through_bases_allocates_one_text(void **state)
{
	struct pakhus_options opt = { .flags = PAKHUS_CREATE,
				      .cache_size = 1 };
	char *path = s_text("%s/store", (char *)*state);
	struct pakhus *s;

	assert_done(pakhus_open(&s, path, &opt, &err));
	for (unsigned i = 0; i < 4; i++)
		publish_long(s, i);
	assert_done(pakhus_sync(s, &err));
	for (int i = 0; i < 2; i++) {
		count();
		pakhus_package_free(s_get(s, "a", "3"));
		assert_int_equal(opened, 4);
	}
	assert_in_range(allocated, LONG, LONG + LONG / 8);
	pakhus_close(s);
	free(path);
}

static void history_opens_a_bundle_once(void **state)
{
	char *path = s_text("%s/store", (char *)*state);
	struct pakhus *s = s_open(path, PAKHUS_CREATE);
	struct pakhus_range range = { .limit = 100 };
	struct pakhus_history *h;

	for (unsigned i = 0; i < 100; i++)
		publish(s, i, i);
	assert_done(pakhus_sync(s, &err));
	count();
	assert_done(pakhus_history(s, "com.acme.app", range, &h, &err));
	assert_int_equal(h->count, 100);
	assert_int_equal(opened, 2); /* with its tile */
	pakhus_history_free(h);
	pakhus_close(s);
	free(path);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		T_IN_DIR(a_publish_reads_no_slot_that_was_sealed),
		T_IN_DIR(an_object_is_looked_for_where_its_version_had_it),
		T_IN_DIR(opening_reads_the_same_of_a_longer_log),
		T_IN_DIR(a_second_read_through_bases_allocates_one_text),
		T_IN_DIR(history_opens_a_bundle_once),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
