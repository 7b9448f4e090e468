/* test_collect.c - what nothing live needs goes, and nothing else (F-85 to
 * F-87), whatever happens between two cycles and inside of one.
 *
 * wrap: openat clock_gettime
 */
#include "t.h"
#include "stores.h"
#include "candidates.h"
#include "clock.h"
#include "files.h"
#include "hex.h"
#include "sum.h"

#include <pthread.h>
#include <stdatomic.h>

#define HOUR (INT64_C(3600) * 1000000)

/* ---- a call from inside of another ---- */

/* Done once, in front of the next open of an object. */
static void (*at_object)(void);

int __real_openat(int dir, const char *path, int flags, ...);
int __wrap_openat(int dir, const char *path, int flags, ...);
int __wrap_openat(int dir, const char *path, int flags, ...)
{
	void (*now)(void) = at_object;
	unsigned mode = 0;
	va_list ap;

	va_start(ap, flags);
	if (flags & O_CREAT)
		mode = va_arg(ap, unsigned);
	va_end(ap);
	if (now && !strncmp(path, "objects/", 8)) {
		at_object = NULL;
		now();
	}
	return __real_openat(dir, path, flags, mode);
}

/* ---- cycles ---- */

static struct pakhus_gc gc(struct pakhus *s, int64_t grace)
{
	struct pakhus_gc g = { .grace_us = (uint64_t)grace };

	assert_done(pakhus_gc(s, &g, &err));
	return g;
}

static struct pakhus_stat stat_of(struct pakhus *s)
{
	struct pakhus_stat st;

	assert_done(pakhus_stat(s, PAKHUS_STAT_OBJECTS, &st, &err));
	return st;
}

/* Two cycles that free all that can be; how many objects went. */
static uint64_t gc_all(struct pakhus *s)
{
	struct pakhus_stat before, after;
	struct pakhus_gc one = gc(s, 0), two;

	assert_done(pakhus_sync(s, &err));
	before = stat_of(s);
	two = gc(s, 0);
	after = stat_of(s);
	/* what is said to go is what is gone */
	assert_int_equal(two.freed, before.objects - after.objects);
	assert_int_equal(two.freed_bytes,
			 before.object_bytes - after.object_bytes);
	return one.freed + two.freed;
}

static int has_object(const char *path, const char *hash)
{
	char *name = s_text("%s/objects/%.2s/%s", path, hash, hash + 2);
	int has = !access(name, F_OK);

	free(name);
	return has;
}

/* Versions 1 to n of an id, each against the one before. */
static void chain(struct pakhus *s, const char *id, unsigned n)
{
	char version[12];

	for (unsigned i = 1; i <= n; i++) {
		snprintf(version, sizeof(version), "1.0.%u", i);
		s_publish(s, id, version, i);
	}
	assert_done(pakhus_sync(s, &err));
}

static void a_text_goes_after_two_cycles_and_the_grace_period(void **state)
{
	char *path = s_init(state, "s", 0);
	struct pakhus *s = s_open(path, 0);
	struct pakhus_package *p = NULL;
	struct pakhus_record r;
	struct pakhus_gc g;
	uint64_t bytes;
	char *text;
	size_t size;

	clock_us = INT64_C(1700000000000000);
	s_publish(s, "a", "1", 1);
	r = s_publish(s, "a", "2", 2);
	s_delete(s, "a", "2");
	g = gc(s, HOUR);
	assert_int_equal(g.freed + g.emptied, 0);
	assert_int_equal(g.waiting, 1);
	bytes = g.waiting_bytes;
	assert_true(bytes > 64);
	clock_us += HOUR - 1;
	g = gc(s, HOUR);
	assert_int_equal(g.waiting, 1);
	assert_true(has_object(path, r.hash));
	/* readable as long as it waits */
	assert_done(pakhus_get_at(s, r.seq, &p, &err));
	pakhus_package_free(p);
	clock_us += 1;
	g = gc(s, HOUR);
	assert_int_equal(g.freed, 1);
	assert_int_equal(g.freed_bytes, bytes);
	assert_int_equal(g.waiting + g.waiting_bytes, 0);
	assert_false(has_object(path, r.hash));
	g = gc(s, 0);
	assert_int_equal(g.emptied, 1);
	assert_int_equal(g.emptied_bytes, bytes);
	g = gc(s, 0);
	assert_int_equal(g.emptied + g.freed + g.waiting, 0);
	pakhus_close(s);

	s = s_open(path, 0); /* with nothing in its cache */
	assert_status(pakhus_get_at(s, r.seq, &p, &err), PAKHUS_ENOTFOUND);
	assert_non_null(strstr(err.text, "a@2: its text "));
	assert_non_null(strstr(err.text, " was collected"));
	assert_status(pakhus_read(s, r.hash, &text, &size, &err),
		      PAKHUS_ENOTFOUND);
	assert_non_null(strstr(err.text, "collected"));
	assert_holds(s, "a", NULL, 1);
	s_verify(s);
	pakhus_close(s);
	clock_us = 0;
	free(path);
}

/* However long ago it was deleted, and whatever the clock did. */
static void one_cycle_frees_nothing(void **state)
{
	struct pakhus *s = fresh(state);
	struct pakhus_gc g;

	clock_us = INT64_C(1700000000000000);
	s_publish(s, "a", "1", 1);
	s_delete(s, "a", NULL);
	clock_us += 1000 * HOUR;
	g = gc(s, 0);
	assert_int_equal(g.freed, 0);
	clock_us -= 500 * HOUR; /* went back: it only waits longer */
	g = gc(s, 0);
	assert_int_equal(g.freed, 0);
	assert_int_equal(g.waiting, 1);
	clock_us += 500 * HOUR;
	g = gc(s, 0);
	assert_int_equal(g.freed, 1);
	s_verify(s);
	pakhus_close(s);
	clock_us = 0;
}

static struct {
	unsigned freed, waiting, named;
	uint64_t bytes;
	struct pakhus_garbage last;
} told;

static void on_garbage(void *arg, const struct pakhus_garbage *g)
{
	assert_ptr_equal(arg, &told);
	told.freed += g->is_freed != 0;
	told.waiting += !g->is_freed;
	told.named += *g->id != '\0';
	told.bytes += g->bytes;
	told.last = *g;
}

static void a_dry_run_tells_and_changes_nothing(void **state)
{
	char *path = s_init(state, "s", 0);
	struct pakhus *s = s_open(path, 0);
	struct pakhus_gc g = { .flags = PAKHUS_GC_DRY_RUN,
			       .garbage = on_garbage, .arg = &told };
	struct pakhus_record r;

	chain(s, "a", 3);
	s_delete(s, "a", "1.0.3");
	r = s_publish(s, "b", "1", 1);
	s_delete(s, "b", NULL);
	assert_done(pakhus_sync(s, &err));
	for (int cycle = 0; cycle < 3; cycle++) {
		/* something in the journal: it stays there, and what it
		 * replaced is not needed */
		s_publish(s, "c", "1", (unsigned)cycle);
		run("cd %s && find . ! -name lock.mdb -type f -exec sha256sum "
		    "{} + | sort >../before", path);
		memset(&told, 0, sizeof(told));
		assert_done(pakhus_gc(s, &g, &err));
		run("cd %s && find . ! -name lock.mdb -type f -exec sha256sum "
		    "{} + | sort | diff - ../before", path);
		assert_int_equal(g.freed, cycle == 1 ? 2 : 0);
		assert_int_equal(g.waiting, cycle == 1 ? 1 : 2);
		assert_int_equal(told.freed, g.freed);
		assert_int_equal(told.waiting, g.waiting);
		assert_int_equal(told.named, told.freed + told.waiting);
		assert_int_equal(told.bytes, g.freed_bytes + g.waiting_bytes);
		if (cycle == 0) {
			assert_string_equal(told.last.id, "b");
			assert_string_equal(told.last.version, "1");
			assert_string_equal(told.last.hash, r.hash);
		}
		gc(s, 0);
	}
	s_verify(s);
	pakhus_close(s);
	free(path);
}

static void what_live_texts_are_made_against_stays(void **state)
{
	char *path = s_init(state, "s", 0), version[12];
	struct pakhus *s = s_open(path, 0);

	chain(s, "a", 20);
	for (unsigned i = 1; i < 20; i++) {
		snprintf(version, sizeof(version), "1.0.%u", i);
		s_delete(s, "a", version);
	}
	/* 19 is made against 18, 17, 16, 8, 0, counted from 0 */
	assert_int_equal(gc_all(s), 20 - 6);
	pakhus_close(s);
	s = s_open(path, 0);
	assert_holds(s, "a", NULL, 20);
	s_verify(s);
	s_delete(s, "a", NULL);
	assert_int_equal(gc_all(s), 6);
	assert_int_equal(stat_of(s).objects, 0);
	s_verify(s);
	/* and from nothing on */
	chain(s, "a", 3);
	assert_holds(s, "a", "1.0.1", 1);
	s_verify(s);
	pakhus_close(s);
	free(path);
}

static void spill_list(const char *path, uint64_t entries, const char *hex)
{
	unsigned char out[PK_CANDIDATES_SIZE(1)], hash[PK_HASH_SIZE];
	char *name = s_text("%s/local/candidates", path);

	assert_int_equal(pk_unhex(hex, hash, sizeof(hash)), 0);
	pk_candidates_begin(out, entries, 1);
	pk_candidates_put(out, 0, hash, 1);
	pk_candidates_end(out, 1);
	spill(name, (char *)out, sizeof(out));
	free(name);
}

/* What is dead could be published again, and its text would not be brought.
 * So it needs what it is made against (F-85). */
static void what_dead_texts_are_made_against_goes_after_them(void **state)
{
	char *path = s_init(state, "s", 0);
	struct pakhus *s = s_open(path, 0);
	struct pakhus_record one = s_publish(s, "a", "1.0.1", 1);
	struct pakhus_record two = s_publish(s, "a", "1.0.2", 2);
	struct pakhus_gc g;

	s_delete(s, "a", NULL);
	assert_done(pakhus_sync(s, &err));
	/* the base has been a candidate for ever, the other is new */
	spill_list(path, stat_of(s).entries, one.hash);
	g = gc(s, 0);
	assert_int_equal(g.freed, 0);
	assert_int_equal(g.waiting, 2);
	s_publish(s, "a", "1.0.2", 2);
	assert_holds(s, "a", "1.0.2", 2);
	s_delete(s, "a", NULL);
	/* the other way round, it may go */
	assert_done(pakhus_sync(s, &err));
	spill_list(path, stat_of(s).entries, two.hash);
	g = gc(s, 0);
	assert_int_equal(g.freed, 1);
	assert_false(has_object(path, two.hash));
	assert_true(has_object(path, one.hash));
	s_verify(s);
	pakhus_close(s);
	free(path);
}

static void what_is_published_between_cycles_waits_anew(void **state)
{
	char *path = s_init(state, "s", 0);
	struct pakhus *s = s_open(path, 0);
	struct pakhus_gc g;

	clock_us = INT64_C(1700000000000000);
	chain(s, "a", 3);
	s_delete(s, "a", NULL);
	gc(s, 0);
	clock_us += HOUR;
	/* live again, and dead again: what it is made against waits too */
	s_publish(s, "a", "1.0.2", 2);
	s_delete(s, "a", NULL);
	g = gc(s, 0);
	assert_int_equal(g.freed, 1); /* 1.0.3 */
	assert_int_equal(g.waiting, 2);
	clock_us += HOUR - 1;
	g = gc(s, HOUR);
	assert_int_equal(g.freed, 0);
	s_publish(s, "a", "1.0.2", 2);
	clock_us += HOUR;
	g = gc(s, 0);
	assert_int_equal(g.freed + g.waiting, 0);
	pakhus_close(s);
	s = s_open(path, 0);
	assert_holds(s, "a", NULL, 2);
	s_verify(s);
	pakhus_close(s);
	clock_us = 0;
	free(path);
}

/* ---- inside of a cycle ---- */

static struct pakhus *inside;
static void (*when_found)(void);

/* Told for the last time when the candidates are known. */
static int at_progress(void *arg, const char *what, uint64_t done,
		       uint64_t total)
{
	void (*now)(void) = when_found;

	(void)arg;
	if (now && !strcmp(what, "collecting") && done == total &&
	    total >= 256) {
		when_found = NULL;
		now();
	}
	return 0;
}

static struct pakhus *open_inside(const char *path)
{
	struct pakhus_options opt = { .level = 3, .progress = at_progress };

	assert_done(pakhus_open(&inside, path, &opt, &err));
	return inside;
}

static void publish_three(void)
{
	s_publish(inside, "a", "1.0.3", 3);
}

static void what_is_published_while_it_is_freed_stays(void **state)
{
	char *path = s_init(state, "s", 0);
	struct pakhus *s = open_inside(path);
	struct pakhus_gc g;

	chain(s, "a", 4);
	s_delete(s, "a", NULL);
	gc(s, 0);
	when_found = publish_three;
	g = gc(s, 0);
	assert_null(when_found);
	assert_int_equal(g.freed, 1);
	assert_int_equal(g.waiting, 3);
	pakhus_close(s);
	s = s_open(path, 0);
	assert_holds(s, "a", NULL, 3);
	s_verify(s);
	assert_int_equal(gc_all(s), 0);
	assert_holds(s, "a", NULL, 3);
	pakhus_close(s);
	free(path);
}

static void publish_and_delete_three(void)
{
	publish_three();
	s_delete(inside, "a", NULL);
	/* one nobody knew, which is made against what is to be freed */
	s_publish(inside, "a", "1.0.5", 5);
}

static void what_is_new_while_it_is_freed_stays(void **state)
{
	char *path = s_init(state, "s", 0);
	struct pakhus *s = open_inside(path);

	chain(s, "a", 4);
	s_delete(s, "a", NULL);
	gc(s, 0);
	when_found = publish_and_delete_three;
	gc(s, 0);
	pakhus_close(s);
	s = s_open(path, 0);
	assert_holds(s, "a", NULL, 5);
	s_verify(s);
	gc_all(s);
	pakhus_close(s);
	s = s_open(path, 0);
	assert_holds(s, "a", NULL, 5);
	s_verify(s);
	pakhus_close(s);
	free(path);
}

static char *long_document(unsigned n)
{
	size_t size = 5 << 20;
	char *fill = malloc(size + 1), *doc;

	memset(fill, 'a', size);
	fill[size] = '\0';
	doc = s_text("{\"manifest\":{\"id\":\"long\",\"version\":\"%u\"},"
		     "\"metadata\":{\"x\":\"%s\"}}", n, fill);
	free(fill);
	return doc;
}

/* A text of more than 4 MiB is written before anything names it. */
static void a_long_text_that_went_before_its_entry_is_written_again(
	void **state)
{
	char *path = s_init(state, "s", 0), *doc = long_document(1);
	struct pakhus *s = s_open(path, 0);
	struct pakhus_batch *b = NULL;
	struct pakhus_package *p;

	assert_done(pakhus_batch_new(s, NULL, &b, &err));
	assert_done(pakhus_batch_publish(b, doc, strlen(doc), &err));
	assert_int_equal(stat_of(s).objects, 1);
	gc(s, 0);
	assert_int_equal(gc(s, 0).freed, 1);
	assert_int_equal(stat_of(s).objects, 0);
	assert_done(pakhus_batch_commit(b, &err));
	pakhus_batch_free(b);
	assert_int_equal(gc_all(s), 0);
	pakhus_close(s);
	s = s_open(path, 0);
	p = s_get(s, "long", "1");
	assert_string_equal(p->document, doc);
	pakhus_package_free(p);
	s_verify(s);
	pakhus_close(s);
	free(doc);
	free(path);
}

/* What no entry names: told without a name. */
static void what_an_interrupted_publish_left_goes(void **state)
{
	char *path = s_init(state, "s", 0), *doc = long_document(1);
	struct pakhus *s = s_open(path, 0);
	struct pakhus_gc g = { .garbage = on_garbage, .arg = &told };
	struct pakhus_batch *b = NULL;

	assert_done(pakhus_batch_new(s, NULL, &b, &err));
	assert_done(pakhus_batch_publish(b, doc, strlen(doc), &err));
	pakhus_batch_free(b);
	gc(s, 0);
	memset(&told, 0, sizeof(told));
	assert_done(pakhus_gc(s, &g, &err));
	assert_int_equal(told.freed, 1);
	assert_int_equal(told.named, 0);
	assert_string_equal(told.last.version, "");
	s_verify(s);
	pakhus_close(s);
	free(doc);
	free(path);
}

/* ---- readers ---- */

static void delete_and_collect(void)
{
	s_delete(inside, "a", "2");
	gc(inside, 0);
	gc(inside, 0);
}

static void collect_and_replace(void)
{
	delete_and_collect();
	s_publish(inside, "a", "2", 22);
}

/* A handle with nothing in its cache, and another that it is raced by. */
static struct pakhus *raced(const char *path)
{
	s_publish(inside, "a", "2", 2);
	assert_done(pakhus_sync(inside, &err));
	return s_open(path, 0);
}

static void who_reads_what_goes_looks_again(void **state)
{
	char *path = s_init(state, "s", 0);
	struct pakhus *s = open_inside(path);
	struct pakhus_package *p = NULL;
	struct pakhus_list *l;
	uint64_t seq;

	s_publish(s, "a", "1", 1);
	s = raced(path);
	at_object = delete_and_collect;
	assert_status(pakhus_get(s, "a", "2", &p, &err), PAKHUS_ENOTFOUND);
	assert_non_null(strstr(err.text, "not found"));
	pakhus_close(s);

	s = raced(path);
	at_object = delete_and_collect;
	assert_holds(s, "a", NULL, 1);
	pakhus_close(s);

	s = raced(path);
	at_object = collect_and_replace;
	assert_holds(s, "a", "2", 22);
	pakhus_close(s);
	s_delete(inside, "a", "2");

	s = raced(path);
	at_object = delete_and_collect;
	l = s_list(s, 0, 10, PAKHUS_DOCUMENTS);
	assert_int_equal(l->count, 1);
	assert_string_equal(l->items[0]->record.version, "1");
	pakhus_list_free(l);
	pakhus_close(s);

	s = raced(path);
	p = s_get(s, "a", "2");
	seq = p->record.seq;
	pakhus_package_free(p);
	pakhus_close(s);
	s = s_open(path, 0);
	at_object = delete_and_collect;
	assert_status(pakhus_get_at(s, seq, &p, &err), PAKHUS_ENOTFOUND);
	assert_non_null(strstr(err.text, "was collected"));
	assert_null(at_object);
	pakhus_close(s);
	s_verify(inside);
	pakhus_close(inside);
	free(path);
}

/* Without local/ what is read is as of the checkpoint, and that is looked at
 * again. */
static void who_reads_without_an_index_looks_again(void **state)
{
	char *path = s_init(state, "s", 0), *copy = s_text("%s-ro", path);
	struct pakhus *s = open_inside(path);
	struct pakhus_gc g = { .flags = PAKHUS_GC_DRY_RUN };
	struct pakhus_package *p = NULL;
	struct pakhus_record r;

	run("mkdir %s && cd %s && touch local && for f in FORMAT log keys "
	    "objects; do ln -s %s/$f $f; done", copy, copy, path);
	s_publish(s, "a", "1", 1);
	r = s_publish(s, "a", "2", 2);
	assert_done(pakhus_sync(s, &err));
	s = s_open(copy, 0);
	assert_status(pakhus_gc(s, &g, &err), PAKHUS_EDENIED);
	at_object = delete_and_collect;
	assert_holds(s, "a", NULL, 1);
	assert_null(at_object);
	assert_status(pakhus_get_at(s, r.seq, &p, &err), PAKHUS_ENOTFOUND);
	assert_non_null(strstr(err.text, "was collected"));
	pakhus_close(s);
	pakhus_close(inside);
	free(copy);
	free(path);
}

static void what_is_missing_and_live_is_damage(void **state)
{
	char *path = s_init(state, "s", 0);
	struct pakhus *s = s_open(path, 0);
	struct pakhus_record r = s_publish(s, "a", "1", 1);
	struct pakhus_package *p = NULL;
	struct pakhus_gc g = { .grace_us = 0 };
	struct pakhus_verify v = { .flags = 0 };

	s_publish(s, "b", "1", 1);
	s_delete(s, "b", NULL);
	gc(s, 0);
	run("rm -f %s/objects/%.2s/%s", path, r.hash, r.hash + 2);
	/* nothing goes while something is not as it should be */
	assert_status(pakhus_gc(s, &g, &err), PAKHUS_ECORRUPT);
	assert_non_null(strstr(err.text, "F-11 is missing"));
	assert_int_equal(g.freed, 0);
	pakhus_close(s);
	s = s_open(path, 0);
	assert_int_equal(stat_of(s).objects, 1);
	assert_status(pakhus_get(s, "a", "1", &p, &err), PAKHUS_ECORRUPT);
	assert_status(pakhus_get_at(s, r.seq, &p, &err), PAKHUS_ECORRUPT);
	assert_status(pakhus_verify(s, &v, &err), PAKHUS_ECORRUPT);
	assert_int_equal(v.damages, 1);
	pakhus_close(s);
	free(path);
}

static void a_missing_base_of_what_is_live_is_damage(void **state)
{
	char *path = s_init(state, "s", 0);
	struct pakhus *s = s_open(path, 0);
	struct pakhus_record r = s_publish(s, "a", "1", 1);
	struct pakhus_gc g = { .grace_us = 0 };
	struct pakhus_verify v = { .flags = 0 };

	s_publish(s, "a", "2", 2);
	s_delete(s, "a", "1");
	gc_all(s);
	run("rm -f %s/objects/%.2s/%s", path, r.hash, r.hash + 2);
	assert_status(pakhus_gc(s, &g, &err), PAKHUS_ECORRUPT);
	assert_status(pakhus_verify(s, &v, &err), PAKHUS_ECORRUPT);
	assert_int_equal(v.damages, 1);
	pakhus_close(s);
	free(path);
}

/* ---- the list ---- */

static void a_damaged_list_is_dropped_and_counted_anew(void **state)
{
	char *path = s_init(state, "s", 0);
	char *name = s_text("%s/local/candidates", path), *bytes;
	struct pakhus *s = s_open(path, 0);
	struct pakhus_gc g;
	size_t size;

	s_publish(s, "a", "1", 1);
	s_delete(s, "a", NULL);
	gc(s, 0);
	bytes = slurp(name, &size);
	for (int how = 0; how < 4; how++) {
		if (how == 0)
			bytes[30] ^= 1;
		else if (how == 2) /* of more entries than there are */
			pk_put_le64((unsigned char *)bytes + 8, 4);
		if (how == 2)
			pk_put_le64((unsigned char *)bytes + size - 8,
				    pk_sum(0, bytes, size - 8));
		spill(name, bytes, how == 1 ? size - 1 : how == 3 ? 0 : size);
		notices = 0;
		g = gc(s, 0);
		assert_int_equal(notices, 1);
		assert_non_null(strstr(notice, "local/candidates: F-86 "));
		assert_non_null(strstr(notice, "waits anew"));
		assert_int_equal(g.freed, 0);
		assert_int_equal(g.waiting, 1);
		free(bytes);
		bytes = slurp(name, &size);
	}
	assert_int_equal(gc(s, 0).freed, 1);
	assert_int_equal(notices, 1);
	pakhus_close(s);
	free(bytes);
	free(name);
	free(path);
}

/* ---- who may ---- */

static void a_mirror_collects_what_it_holds(void **state)
{
	char *path = s_init(state, "s", 0), *copy = s_text("%s-copy", path);
	struct pakhus *s = s_open(path, 0);

	chain(s, "a", 5);
	s_delete(s, "a", "1.0.5");
	s_publish(s, "b", "1", 1);
	s_delete(s, "b", NULL);
	assert_done(pakhus_sync(s, &err));
	run("cp -r %s %s && rm -r %s/local", path, copy, copy);
	pakhus_close(s);
	s = s_open(copy, 0);
	assert_int_equal(gc(s, 0).waiting, 2);
	assert_int_equal(gc(s, 0).freed, 2);
	assert_int_equal(gc(s, 0).emptied, 2);
	assert_holds(s, "a", NULL, 4);
	s_verify(s);
	pakhus_close(s);
	/* to be read only, it stays as it is; a dry run may look */
	s = s_open(copy, PAKHUS_READONLY);
	assert_int_equal(stat_of(s).objects, 4);
	{
		struct pakhus_gc g = { .flags = PAKHUS_GC_DRY_RUN };

		assert_done(pakhus_gc(s, &g, &err));
		g.flags = 0;
		assert_status(pakhus_gc(s, &g, &err), PAKHUS_EDENIED);
		g.flags = 8;
		assert_status(pakhus_gc(s, &g, &err), PAKHUS_EINVAL);
	}
	pakhus_close(s);
	free(copy);
	free(path);
}

/* A copy of all of a store that waits to be adopted: its journal is not in
 * the tree, and cannot be. */
static void a_copy_with_a_journal_is_left_alone(void **state)
{
	char *path = s_init(state, "s", 0), *copy = s_text("%s-copy", path);
	struct pakhus *s = s_open(path, 0);
	struct pakhus_gc g = { .grace_us = 0 };

	s_publish(s, "a", "1", 1);
	run("cp -r %s %s", path, copy);
	pakhus_close(s);
	s = s_open(copy, 0);
	assert_status(pakhus_gc(s, &g, &err), PAKHUS_EDENIED);
	assert_non_null(strstr(err.text, "adopted"));
	pakhus_close(s);
	free(copy);
	free(path);
}

static void an_immutable_store_remembers_what_it_freed(void **state)
{
	char *path = s_init(state, "s", 1);
	struct pakhus *s = s_open(path, 0);

	s_publish(s, "a", "1", 1);
	s_delete(s, "a", NULL);
	assert_int_equal(gc_all(s), 1);
	assert_status(s_try(s, "a", "1", 2, NULL), PAKHUS_ECONFLICT);
	s_publish(s, "a", "1", 1);
	pakhus_close(s);
	s = s_open(path, PAKHUS_REBUILD);
	assert_holds(s, "a", "1", 1);
	assert_status(s_try(s, "a", "1", 2, NULL), PAKHUS_ECONFLICT);
	s_verify(s);
	pakhus_close(s);
	free(path);
}

/* ---- all at once ---- */

#define IDS 3
#define VERSIONS 6

struct worker {
	struct pakhus *s;
	const char *path;
	unsigned who, rounds, seed;
};

static atomic_int failed;
static char failure[600];

#define EXPECT(what, ...) \
	do { \
		if (!(what) && !atomic_exchange(&failed, 1)) \
			snprintf(failure, sizeof(failure), __VA_ARGS__); \
	} while (0)

static unsigned below(struct worker *w, unsigned n)
{
	w->seed = w->seed * 1103515245u + 12345u;
	return (w->seed >> 8) % n;
}

/* The number of a version's content is always its own, so that what is
 * published again was there before. */
static void work_once(struct worker *w)
{
	struct pakhus_error e = { .status = 0 };
	struct pakhus_gc g = { .grace_us = 0 };
	struct pakhus_package *p = NULL;
	struct pakhus_list *l = NULL;
	unsigned n = below(w, VERSIONS);
	char id[12], version[12], *doc, *got;
	int rc;

	snprintf(id, sizeof(id), "p%u", below(w, IDS));
	snprintf(version, sizeof(version), "1.0.%u", n);
	switch (w->who) {
	case 0:
	case 1:
		doc = s_document(id, version, n + 10 * below(w, 2));
		rc = pakhus_publish(w->s, doc, strlen(doc), NULL, NULL, &e);
		EXPECT(!rc, "publish: %s", e.text);
		free(doc);
		break;
	case 2:
		rc = pakhus_delete(w->s, id, below(w, 4) ? version : NULL,
				   NULL, NULL, &e);
		EXPECT(!rc, "delete: %s", e.text);
		break;
	case 3:
		rc = pakhus_get(w->s, id, version, &p, &e);
		EXPECT(!rc || rc == PAKHUS_ENOTFOUND, "get: %s", e.text);
		if (rc)
			break;
		doc = s_document(id, version, n);
		got = s_document(id, version, n + 10);
		EXPECT(!strcmp(p->document, doc) || !strcmp(p->document, got),
		       "get: %.300s", p->document);
		free(doc);
		free(got);
		pakhus_package_free(p);
		break;
	case 4:
		rc = pakhus_list(w->s, (struct pakhus_range){ 0, 10 },
				 PAKHUS_DOCUMENTS, &l, &e);
		EXPECT(!rc, "list: %s", e.text);
		if (!rc)
			pakhus_list_free(l);
		rc = pakhus_get_at(w->s, 1 + below(w, w->rounds), &p, &e);
		EXPECT(!rc || rc == PAKHUS_ENOTFOUND, "get at: %s", e.text);
		if (!rc)
			pakhus_package_free(p);
		break;
	default:
		rc = pakhus_gc(w->s, &g, &e);
		EXPECT(!rc, "gc: %s", e.text);
		break;
	}
}
#define WORKERS 6

static void *work(void *arg)
{
	struct worker *w = arg;
	struct pakhus_options opt = { .level = 1, .cache_size = 1 };
	struct pakhus_error e;
	int rc = pakhus_open(&w->s, w->path, &opt, &e);

	EXPECT(!rc, "open: %s", e.text);
	/* a cycle costs as much as many of the others */
	for (unsigned i = 0; !rc && i < (w->who < 5 ? w->rounds
						    : w->rounds / 8); i++)
		work_once(w);
	if (!rc)
		pakhus_close(w->s);
	return NULL;
}

static int work_alone(void *arg)
{
	struct worker *w = arg;

	work(w);
	if (atomic_load(&failed))
		print_error("%s\n", failure);
	return atomic_load(&failed);
}

static void check_all(const char *path)
{
	struct pakhus *s = s_open(path, 0);
	struct pakhus_list *l;

	s_verify(s);
	gc_all(s);
	pakhus_close(s);
	s = s_open(path, PAKHUS_REBUILD);
	s_verify(s);
	l = s_list(s, 0, 100, PAKHUS_DOCUMENTS);
	for (size_t i = 0; i < l->count; i++) {
		const char *id = l->items[i]->record.id;
		struct pakhus_versions *v = s_versions(s, id, 0, 100);

		for (size_t k = 0; k < v->count; k++)
			pakhus_package_free(s_get(s, id, v->items[k].version));
		pakhus_versions_free(v);
	}
	pakhus_list_free(l);
	pakhus_close(s);
}

static void threads_publish_delete_read_and_collect(void **state)
{
	char *path = s_init(state, "s", 0);
	pthread_t thread[WORKERS];
	struct worker w[WORKERS];

	atomic_store(&failed, 0);
	for (unsigned i = 0; i < WORKERS; i++) {
		w[i] = (struct worker){ NULL, path, i, s_scale(300, 80, 5000),
					i + 1 };
		assert_int_equal(pthread_create(&thread[i], NULL, work, &w[i]),
				 0);
	}
	for (unsigned i = 0; i < WORKERS; i++)
		pthread_join(thread[i], NULL);
	if (atomic_load(&failed))
		fail_msg("%s", failure);
	check_all(path);
	free(path);
}

static void processes_publish_delete_read_and_collect(void **state)
{
	char *path = s_init(state, "s", 0);
	pid_t pid[WORKERS];
	int status;

	atomic_store(&failed, 0);
	fflush(NULL);
	for (unsigned i = 0; i < WORKERS; i++) {
		struct worker w = { NULL, path, i, s_scale(200, 60, 3000),
				    i + 7 };

		pid[i] = fork();
		assert_true(pid[i] >= 0);
		if (!pid[i])
			_exit(work_alone(&w));
	}
	for (unsigned i = 0; i < WORKERS; i++) {
		assert_int_equal(waitpid(pid[i], &status, 0), pid[i]);
		assert_int_equal(status, 0);
	}
	check_all(path);
	free(path);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		T_IN_DIR(a_text_goes_after_two_cycles_and_the_grace_period),
		T_IN_DIR(one_cycle_frees_nothing),
		T_IN_DIR(a_dry_run_tells_and_changes_nothing),
		T_IN_DIR(what_live_texts_are_made_against_stays),
		T_IN_DIR(what_dead_texts_are_made_against_goes_after_them),
		T_IN_DIR(what_is_published_between_cycles_waits_anew),
		T_IN_DIR(what_is_published_while_it_is_freed_stays),
		T_IN_DIR(what_is_new_while_it_is_freed_stays),
		T_IN_DIR(a_long_text_that_went_before_its_entry_is_written_again),
		T_IN_DIR(what_an_interrupted_publish_left_goes),
		T_IN_DIR(who_reads_what_goes_looks_again),
		T_IN_DIR(who_reads_without_an_index_looks_again),
		T_IN_DIR(what_is_missing_and_live_is_damage),
		T_IN_DIR(a_missing_base_of_what_is_live_is_damage),
		T_IN_DIR(a_damaged_list_is_dropped_and_counted_anew),
		T_IN_DIR(a_mirror_collects_what_it_holds),
		T_IN_DIR(a_copy_with_a_journal_is_left_alone),
		T_IN_DIR(an_immutable_store_remembers_what_it_freed),
		T_IN_DIR(threads_publish_delete_read_and_collect),
		T_IN_DIR(processes_publish_delete_read_and_collect),
	};

	if (!access("/dev/shm", W_OK))
		setenv("TMPDIR", "/dev/shm", 0);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
