/* test_threads.c - a store in the hands of many threads, held against a model:
 * what each writer was told is there, and nobody sees less than was there
 * before. Made for the thread sanitizer, and true without it.
 *
 * ROUNDS says how often each thread does what it does.
 */
#include "t.h"
#include "stores.h"

#include <pthread.h>
#include <stdatomic.h>

#define WRITERS 3
#define BATCH 5

/* What has been acknowledged; a reader looks before it asks. */
static atomic_uint published[WRITERS]; /* versions of writer-N: 1 to this */
static atomic_uint batched;
static atomic_ullong position;
static atomic_uint stopped; /* writers that are done */

struct worker {
	struct pakhus *s;
	const char *path;
	unsigned who, rounds, seed;
};

/* ---- failing in a thread ---- */

static atomic_int failed;
static char failure[700];

#define EXPECT(what, ...) \
	do { \
		if (!(what) && !atomic_exchange(&failed, 1)) \
			snprintf(failure, sizeof(failure), __VA_ARGS__); \
	} while (0)
#define DONE(call) EXPECT(!(call), "%s: %s", #call, e.text)

static unsigned below(struct worker *w, unsigned n)
{
	w->seed = w->seed * 1103515245u + 12345u;
	return (w->seed >> 8) % n;
}

static void see(unsigned long long seen)
{
	unsigned long long was = atomic_load(&position);

	while (was < seen &&
	       !atomic_compare_exchange_weak(&position, &was, seen))
		;
}

static void check_position(unsigned long long now, unsigned long long before)
{
	EXPECT(now >= before, "position %llu after %llu", now, before);
	see(now);
}

/* ---- documents ---- */

/* Long enough that a few of them fill a small cache. */
static char *document(const char *id, unsigned version, unsigned n)
{
	return s_text("{\"manifest\":{\"id\":\"%s\",\"version\":\"%u\"},"
		      "\"metadata\":{\"n\":%u,\"text\":\"%0500u\"}}",
		      id, version, n, n);
}

static void check_text(const struct pakhus_package *p, unsigned n)
{
	char *want = document(p->record.id,
			      (unsigned)atoi(p->record.version), n);

	EXPECT(!strcmp(want, p->document), "%s@%s: %.300s", p->record.id,
	       p->record.version, p->document);
	free(want);
}

static int publish(struct pakhus *s, const char *id, unsigned version,
		   unsigned n, struct pakhus_record *r, struct pakhus_error *e)
{
	char *doc = document(id, version, n);
	int rc = pakhus_publish(s, doc, strlen(doc), "thread", r, e);

	free(doc);
	return rc;
}

/* ---- writers ---- */

static void *write_versions(void *arg)
{
	struct worker *w = arg;
	char id[20], pinned[20];

	snprintf(id, sizeof(id), "writer-%u", w->who);
	for (unsigned i = 1; i <= w->rounds && !atomic_load(&failed); i++) {
		struct pakhus_error e = { .text = "" };
		struct pakhus_record r = { .seq = 0 };
		struct pakhus_package *p = NULL;
		uint64_t n = 0;

		DONE(publish(w->s, id, i, i, &r, &e));
		atomic_store(&published[w->who], i);
		see(r.seq + 1);
		/* what all write over one another, and what goes again */
		DONE(publish(w->s, "shared", 1, 1000 * w->who + i, &r, &e));
		DONE(publish(w->s, id, 1000 + w->who, i, &r, &e));
		snprintf(pinned, sizeof(pinned), "%u", 1000 + w->who);
		DONE(pakhus_delete(w->s, id, pinned, NULL, &n, &e));
		EXPECT(n == 1, "%u deleted", (unsigned)n);
		EXPECT(pakhus_get(w->s, id, pinned, &p, &e) ==
			       PAKHUS_ENOTFOUND,
		       "%s@%s: deleted and there", id, pinned);
		DONE(pakhus_get(w->s, id, NULL, &p, &e));
		if (p)
			check_text(p, i);
		pakhus_package_free(p);
	}
	atomic_fetch_add(&stopped, 1);
	return NULL;
}

static void *write_batches(void *arg)
{
	struct worker *w = arg;

	for (unsigned i = 0; i < w->rounds && !atomic_load(&failed); i++) {
		struct pakhus_error e = { .text = "" };
		struct pakhus_batch *b = NULL;

		DONE(pakhus_batch_new(w->s, "batch", &b, &e));
		for (unsigned k = 1; b && k <= BATCH; k++) {
			unsigned n = i * BATCH + k;
			char *doc = document("batch", n, n);

			DONE(pakhus_batch_publish(b, doc, strlen(doc), &e));
			free(doc);
		}
		if (b)
			DONE(pakhus_batch_commit(b, &e));
		pakhus_batch_free(b);
		atomic_store(&batched, (i + 1) * BATCH);
	}
	atomic_fetch_add(&stopped, 1);
	return NULL;
}

/* ---- readers ---- */

static void get_latest(struct worker *w)
{
	struct pakhus_error e = { .text = "" };
	struct pakhus_package *p = NULL;
	unsigned who = below(w, WRITERS), floor, version;
	char id[20];
	int rc;

	snprintf(id, sizeof(id), "writer-%u", who);
	floor = atomic_load(&published[who]);
	rc = pakhus_get(w->s, id, NULL, &p, &e);
	EXPECT(!rc || (rc == PAKHUS_ENOTFOUND && !floor), "%s", e.text);
	if (rc)
		return;
	version = (unsigned)atoi(p->record.version);
	EXPECT(version >= floor, "%s: %u after %u", id, version, floor);
	if (version <= w->rounds)
		check_text(p, version);
	pakhus_package_free(p);
}

static void get_pinned(struct worker *w)
{
	struct pakhus_error e = { .text = "" };
	struct pakhus_package *p = NULL;
	unsigned who = below(w, WRITERS);
	unsigned upto = atomic_load(&published[who]), version;
	char id[20], text[20];

	if (!upto)
		return;
	version = 1 + below(w, upto);
	snprintf(id, sizeof(id), "writer-%u", who);
	snprintf(text, sizeof(text), "%u", version);
	DONE(pakhus_get(w->s, id, text, &p, &e));
	if (!p)
		return;
	check_text(p, version);
	pakhus_package_free(p);
}

static void list_all(struct worker *w)
{
	struct pakhus_error e = { .text = "" };
	unsigned long long before = atomic_load(&position);
	struct pakhus_list *l = NULL;

	DONE(pakhus_list(w->s, (struct pakhus_range){ 0, 0 },
			 below(w, 2) ? PAKHUS_DOCUMENTS : 0, &l, &e));
	if (!l)
		return;
	check_position(l->position, before);
	for (size_t i = 1; i < l->count; i++)
		EXPECT(l->items[i]->record.place <
			       l->items[i - 1]->record.place, "list: order");
	pakhus_list_free(l);
}

static void list_batched(struct worker *w)
{
	struct pakhus_error e = { .text = "" };
	unsigned long long before = atomic_load(&position);
	unsigned floor = atomic_load(&batched);
	struct pakhus_versions *v = NULL;

	DONE(pakhus_versions(w->s, "batch", (struct pakhus_range){ 0, 10000 },
			     &v, &e));
	if (!v)
		return;
	check_position(v->position, before);
	EXPECT(v->count >= floor && v->count % BATCH == 0,
	       "%zu of a batch, %u before", v->count, floor);
	pakhus_versions_free(v);
}

static void read_history(struct worker *w)
{
	struct pakhus_error e = { .text = "" };
	unsigned long long before = atomic_load(&position);
	struct pakhus_range range = { 0, 1 + below(w, 50) };
	struct pakhus_history *h = NULL;
	struct pakhus_package *p = NULL;
	const struct pakhus_entry *at;
	int rc;

	DONE(pakhus_history(w->s, NULL, range, &h, &e));
	if (!h)
		return;
	check_position(h->position, before);
	for (size_t i = 0; i < h->count; i++)
		EXPECT(h->items[i].seq == h->position - 1 - i, "history");
	at = &h->items[below(w, (unsigned)h->count)];
	rc = pakhus_get_at(w->s, at->seq, &p, &e);
	EXPECT(rc == (strcmp(at->op, "publish") ? PAKHUS_ENOTFOUND : 0),
	       "at %s: %s", at->op, e.text);
	EXPECT(rc || !strcmp(p->record.hash, at->hash), "at: another hash");
	if (!rc)
		pakhus_package_free(p);
	pakhus_history_free(h);
}

static void look(struct worker *w)
{
	static void (*const looks[])(struct worker *w) = {
		get_latest, get_pinned, list_all, list_batched, read_history
	};

	looks[below(w, T_COUNT(looks))](w);
}

static int is_over(void)
{
	return atomic_load(&stopped) == WRITERS + 1 || atomic_load(&failed);
}

static void *read_all(void *arg)
{
	while (!is_over())
		look(arg);
	return NULL;
}

/* ---- the rest ---- */

static int write_nothing(void *arg, const char *text, size_t size)
{
	(void)arg, (void)text, (void)size;
	return 0;
}

static void tell(void *arg, const char *path, const char *rule,
		 const char *text)
{
	(void)arg;
	EXPECT(0, "%s: %s %s", path, rule, text);
}

static void *tend(void *arg)
{
	struct worker *w = arg;
	char *slot = s_text("%s/log/checkpoint", w->path);

	while (!is_over()) {
		struct pakhus_error e = { .text = "" };
		unsigned long long before = atomic_load(&position);
		struct pakhus_verify v = { .damage = tell };
		struct pakhus_stat st;

		DONE(pakhus_sync(w->s, &e));
		DONE(pakhus_stat(w->s, PAKHUS_STAT_OBJECTS, &st, &e));
		check_position(st.entries, before);
		DONE(pakhus_dump(slot, write_nothing, NULL, &e));
		DONE(pakhus_verify(w->s, &v, &e));
	}
	free(slot);
	return NULL;
}

static void *come_and_go(void *arg)
{
	struct worker *w = arg, own = *w;

	while (!is_over()) {
		struct pakhus_options opt = {
			.level = 1, .cache_size = 1 + below(w, 2) * 4000,
			.flags = below(w, 2) ? PAKHUS_READONLY : 0
		};
		struct pakhus_error e = { .text = "" };

		own.s = NULL;
		DONE(pakhus_open(&own.s, w->path, &opt, &e));
		for (unsigned i = below(w, 20); own.s && i; i--)
			look(&own);
		if (!(opt.flags & PAKHUS_READONLY) && own.s)
			DONE(publish(own.s, "visitor", 1 + below(w, 9), 1,
				     NULL, &e));
		pakhus_close(own.s);
	}
	return NULL;
}

/* ---- all of it ---- */

static void start(pthread_t *t, void *(*fn)(void *arg), struct worker *w)
{
	assert_int_equal(pthread_create(t, NULL, fn, w), 0);
}

static void check_end(struct pakhus *s, unsigned rounds)
{
	struct pakhus_versions *v;
	struct pakhus_history *h;
	char id[20];

	for (unsigned who = 0; who < WRITERS; who++) {
		snprintf(id, sizeof(id), "writer-%u", who);
		v = s_versions(s, id, 0, 10000);
		assert_int_equal(v->count, rounds);
		for (unsigned i = 0; i < rounds; i++)
			assert_int_equal(atoi(v->items[i].version),
					 rounds - i);
		pakhus_versions_free(v);
		h = s_history(s, id, 0, 10000);
		assert_int_equal(h->count, 3 * rounds);
		pakhus_history_free(h);
	}
	v = s_versions(s, "batch", 0, 10000);
	assert_int_equal(v->count, BATCH * rounds);
	pakhus_versions_free(v);
	h = s_history(s, "shared", 0, 10000);
	assert_int_equal(h->count, WRITERS * rounds);
	pakhus_history_free(h);
	s_verify(s);
}

/* apart: each worker has a handle of its own. */
static void work(void **state, int apart)
{
	void *(*const fn[])(void *arg) = {
		write_versions, write_versions, write_versions, write_batches,
		read_all, read_all, tend, come_and_go, come_and_go
	};
	struct pakhus_options opt = { .level = 1, .cache_size = 4000 };
	const char *more = getenv("ROUNDS");
	unsigned rounds = more ? (unsigned)atoi(more) : s_scale(40, 12, 300);
	char *path = s_init(state, "s", 0);
	struct worker w[T_COUNT(fn)];
	struct pakhus *s[T_COUNT(fn)];
	pthread_t thread[T_COUNT(fn)];

	for (unsigned i = 0; i < WRITERS; i++)
		atomic_store(&published[i], 0);
	atomic_store(&batched, 0);
	atomic_store(&position, 0);
	atomic_store(&stopped, 0);
	for (unsigned i = 0; i < T_COUNT(fn); i++) {
		s[i] = NULL;
		if (!i || apart)
			assert_done(pakhus_open(&s[i], path, &opt, &err));
		w[i] = (struct worker){ s[apart ? i : 0], path, i, rounds, i };
	}
	for (unsigned i = 0; i < T_COUNT(fn); i++)
		start(&thread[i], fn[i], &w[i]);
	for (unsigned i = 0; i < T_COUNT(fn); i++)
		pthread_join(thread[i], NULL);
	if (atomic_load(&failed))
		print_error("%s\n", failure);
	assert_int_equal(atomic_load(&failed), 0);
	check_end(s[0], rounds);
	for (unsigned i = 0; i < T_COUNT(fn); i++)
		pakhus_close(s[i]);
	/* all of it from the log alone */
	s[0] = s_open(path, PAKHUS_REBUILD);
	check_end(s[0], rounds);
	pakhus_close(s[0]);
	free(path);
}

static void threads_share_one_handle(void **state)
{
	work(state, 0);
}

static void threads_have_a_handle_each(void **state)
{
	work(state, 1);
}

/* The last one to close stamps the index while the next one opens. */
static void *open_and_close(void *arg)
{
	struct worker *w = arg;

	for (unsigned i = 0; i < w->rounds && !atomic_load(&failed); i++) {
		struct pakhus_error e = { .text = "" };
		struct pakhus *s = NULL;
		struct pakhus_record r;

		DONE(pakhus_open(&s, w->path, NULL, &e));
		if (s && !below(w, 3))
			DONE(publish(s, "a", i, w->who, &r, &e));
		pakhus_close(s);
	}
	return NULL;
}

static void the_last_closes_while_the_next_opens(void **state)
{
	char *path = s_init(state, "s", 0);
	struct worker w[4];
	pthread_t thread[4];
	struct pakhus *s;

	for (unsigned i = 0; i < 4; i++) {
		w[i] = (struct worker){ NULL, path, i, s_scale(60, 15, 500),
					i };
		start(&thread[i], open_and_close, &w[i]);
	}
	for (unsigned i = 0; i < 4; i++)
		pthread_join(thread[i], NULL);
	if (atomic_load(&failed))
		print_error("%s\n", failure);
	assert_int_equal(atomic_load(&failed), 0);
	s = s_open(path, 0);
	s_verify(s);
	pakhus_close(s);
	free(path);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		T_IN_DIR(threads_share_one_handle),
		T_IN_DIR(threads_have_a_handle_each),
		T_IN_DIR(the_last_closes_while_the_next_opens),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
