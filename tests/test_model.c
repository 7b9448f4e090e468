/* test_model.c - thousands of calls at random, against a simple model of what
 * they do. Syncs are left out: nothing here goes down.
 *
 * wrap: clock_gettime fsync fdatasync
 */
#include "t.h"
#include "stores.h"
#include "clock.h"
#include "files.h"
#include "nosync.h"
#include "random.h"

#define M_IDS 12
#define M_VERSIONS 14
#define M_LOG 40000
#define M_TEXTS 50

static struct model {
	struct m_version {
		int is_live;
		unsigned n;
		uint64_t created, updated, seq, place;
	} version[M_IDS][M_VERSIONS];
	/* what is said; of the package behind its versions */
	unsigned said[M_IDS][M_VERSIONS + 1];
	uint64_t said_at[M_IDS][M_VERSIONS + 1];
	struct m_entry {
		int op, id, version;
		unsigned n;
		uint64_t time;
	} log[M_LOG];
	uint64_t entries;
	char is_purged[M_IDS][M_VERSIONS][M_TEXTS];
	char is_unsaid[M_IDS][M_VERSIONS][M_TEXTS]; /* purged too */
} *model;

enum { M_DELETE, M_PUBLISH, M_PURGE, M_ATTRS };

static const char *m_id(int i)
{
	static const char *const ids[M_IDS] = {
		"a", "a.b", "ab", "a-b", "aa", "b", "b.a", "c", "com.x",
		"com.x.y", "comx", "z"
	};

	return ids[i];
}

static const char *m_name(int v)
{
	static const char *const names[M_VERSIONS] = {
		"1.0.0", "1.0.1", "1.1.0", "1.1.0-rc.1", "1.10.0", "1.2.0",
		"10.0.0", "2.0.0", "2.0.0+b", "2.1", "3", "30", "4.0.0", "v5"
	};

	return v == M_VERSIONS ? "" : names[v];
}

static void m_publish(int i, int v, unsigned n)
{
	struct m_version *x = &model->version[i][v];
	uint64_t seq = model->entries++;

	assert_true(seq < M_LOG);
	model->log[seq] = (struct m_entry){ M_PUBLISH, i, v, n,
					     (uint64_t)clock_us };
	if (!x->is_live) {
		x->is_live = 1;
		x->created = (uint64_t)clock_us;
		x->place = seq;
	}
	x->updated = (uint64_t)clock_us;
	x->seq = seq;
	x->n = n;
}

static void m_delete(int i, int v)
{
	uint64_t seq = model->entries++;

	assert_true(seq < M_LOG);
	model->log[seq] = (struct m_entry){ M_DELETE, i, v, 0,
					     (uint64_t)clock_us };
	model->version[i][v].is_live = 0;
	model->said[i][v] = 0;
}

/* n 0: nothing. */
static void m_say(int i, int v, unsigned n)
{
	uint64_t seq = model->entries++;

	assert_true(seq < M_LOG);
	model->log[seq] = (struct m_entry){ M_ATTRS, i, v, n,
					     (uint64_t)clock_us };
	model->said[i][v] = n;
	model->said_at[i][v] = seq;
}

/* Whether a text was purged, or is none: what is no more to be purged. */
static char *m_gone(const struct m_entry *e)
{
	static char yes;

	yes = 1;
	if (e->op == M_ATTRS && e->n)
		return &model->is_unsaid[e->id][e->version][e->n];
	return e->op == M_PUBLISH ? &model->is_purged[e->id][e->version][e->n]
				  : &yes;
}

/* Every text that the version ever had, and that was said of it, the one
 * published last first; how many that were. */
static unsigned m_purge(int i, int v)
{
	struct m_version *x = &model->version[i][v];
	unsigned n = 0;

	for (uint64_t seq = model->entries; --seq;) {
		const struct m_entry *e = &model->log[seq];

		if (e->id != i || e->version != v || *m_gone(e))
			continue;
		*m_gone(e) = 1;
		if (e->op == M_ATTRS && model->said[i][v] == e->n)
			model->said[i][v] = 0;
		if (e->op == M_PUBLISH && x->n == e->n) {
			x->is_live = 0;
			model->said[i][v] = 0;
		}
		assert_true(model->entries < M_LOG);
		model->log[model->entries++] = (struct m_entry){
			M_PURGE, i, v, e->n, (uint64_t)clock_us
		};
		n++;
	}
	return n;
}

/* The live version of the highest place below one; -1 for none. */
static int m_newest(int i, uint64_t below)
{
	int best = -1;

	for (int v = 0; v < M_VERSIONS; v++)
		if (model->version[i][v].is_live &&
		    model->version[i][v].place < below &&
		    (best < 0 || model->version[i][v].place >
					 model->version[i][best].place))
			best = v;
	return best;
}

static void m_same(const struct pakhus_record *r, int i, int v)
{
	const struct m_version *x = &model->version[i][v];

	assert_string_equal(r->id, m_id(i));
	assert_string_equal(r->version, m_name(v));
	assert_int_equal(r->created_us, x->created);
	assert_int_equal(r->updated_us, x->updated);
	assert_int_equal(r->seq, x->seq);
	assert_int_equal(r->place, x->place);
}

static char *m_said(unsigned n)
{
	return n ? s_text("{\"readme\":\"of it\",\"n\":%u}", n) : s_text("{}");
}

static void m_check_said(struct pakhus *s, int i)
{
	int v = (int)rnd(M_VERSIONS + 1);
	unsigned n = model->said[i][v];
	struct pakhus_attrs *a;
	char *want;

	if (!n) {
		assert_status(pakhus_attrs(s, m_id(i), m_name(v), &a, &err),
			      PAKHUS_ENOTFOUND);
		return;
	}
	assert_done(pakhus_attrs(s, m_id(i), m_name(v), &a, &err));
	want = m_said(n);
	assert_string_equal(a->text, want);
	assert_int_equal(a->seq, model->said_at[i][v]);
	free(want);
	pakhus_attrs_free(a);
}

/* Of a version that is not live nothing can be said. */
static void m_try_say(struct pakhus *s, int i, int v, unsigned n)
{
	char *json = m_said(n);
	int rc = pakhus_set_attrs(s, m_id(i), m_name(v), json, strlen(json),
				  NULL, NULL, &err);

	free(json);
	if (v < M_VERSIONS && !model->version[i][v].is_live) {
		assert_int_equal(rc, PAKHUS_ENOTFOUND);
	} else if (v < M_VERSIONS && model->is_unsaid[i][v][n]) {
		assert_int_equal(rc, PAKHUS_ECONFLICT);
	} else {
		assert_done(rc);
		m_say(i, v, n);
	}
}

static void m_check_package(struct pakhus *s, int i)
{
	int v = m_newest(i, UINT64_MAX);
	uint64_t before = 0, below = UINT64_MAX;
	struct pakhus_package *p;
	char *want;

	if (v < 0) {
		assert_status(pakhus_get(s, m_id(i), NULL, &p, &err),
			      PAKHUS_ENOTFOUND);
	} else {
		p = s_get(s, m_id(i), NULL);
		m_same(&p->record, i, v);
		want = s_document(m_id(i), m_name(v), model->version[i][v].n);
		assert_string_equal(p->document, want);
		free(want);
		pakhus_package_free(p);
	}
	v = (int)rnd(M_VERSIONS);
	if (!model->version[i][v].is_live) {
		assert_status(pakhus_get(s, m_id(i), m_name(v), &p, &err),
			      PAKHUS_ENOTFOUND);
	} else {
		p = s_get(s, m_id(i), m_name(v));
		m_same(&p->record, i, v);
		want = s_document(m_id(i), m_name(v), model->version[i][v].n);
		assert_string_equal(p->document, want);
		free(want);
		pakhus_package_free(p);
	}
	do {
		struct pakhus_versions *page =
			s_versions(s, m_id(i), before, rnd(6) + 1);

		for (size_t k = 0; k < page->count; k++) {
			v = m_newest(i, below);
			assert_true(v >= 0);
			m_same(&page->items[k], i, v);
			below = page->items[k].place;
		}
		before = page->next;
		pakhus_versions_free(page);
	} while (before);
	assert_int_equal(m_newest(i, below), -1);
}

static void m_check_list(struct pakhus *s)
{
	uint64_t before = 0, below = UINT64_MAX;

	do {
		struct pakhus_list *l = s_list(s, before, rnd(8) + 1,
					       rnd(2) ? PAKHUS_DOCUMENTS : 0);

		assert_int_equal(l->position, model->entries);
		for (size_t k = 0; k < l->count + !l->next; k++) {
			int best = -1, version = -1;
			char *want;

			for (int i = 0; i < M_IDS; i++) {
				int v = m_newest(i, UINT64_MAX);

				if (v >= 0 &&
				    model->version[i][v].place < below &&
				    (best < 0 ||
				     model->version[i][v].place >
					     model->version[best][version]
						     .place)) {
					best = i;
					version = v;
				}
			}
			if (k == l->count) {
				assert_int_equal(best, -1);
				break;
			}
			assert_true(best >= 0);
			m_same(&l->items[k]->record, best, version);
			want = s_document(m_id(best), m_name(version),
					  model->version[best][version].n);
			assert_memory_equal(l->items[k]->manifest, want + 12,
					    l->items[k]->manifest_size);
			free(want);
			below = l->items[k]->record.place;
		}
		before = l->next;
		pakhus_list_free(l);
	} while (before);
}

static void m_same_entry(const struct pakhus_entry *e, uint64_t seq)
{
	static const char *const ops[] = { "delete", "publish", "purge",
					   "attrs" };
	const struct m_entry *x = &model->log[seq];

	assert_int_equal(e->seq, seq);
	assert_int_equal(e->time_us, x->time);
	assert_string_equal(e->op, ops[x->op]);
	assert_string_equal(e->id, m_id(x->id));
	assert_string_equal(e->version, m_name(x->version));
}

/* All of the log, and of one package. */
static void m_check_history(struct pakhus *s, int i)
{
	uint64_t before = 0, seq = model->entries;

	do {
		struct pakhus_history *h = s_history(s, NULL, before, 700);

		for (size_t k = 0; k < h->count; k++)
			if (--seq)
				m_same_entry(&h->items[k], seq);
		before = h->next;
		pakhus_history_free(h);
	} while (before);
	assert_int_equal(seq, 0);
	seq = model->entries;
	do {
		struct pakhus_history *h = s_history(s, m_id(i), before, 50);

		for (size_t k = 0; k < h->count; k++) {
			while (model->log[--seq].id != i)
				;
			m_same_entry(&h->items[k], seq);
		}
		before = h->next;
		pakhus_history_free(h);
	} while (before);
	while (--seq)
		assert_int_not_equal(model->log[seq].id, i);
}

static void m_check_at(struct pakhus *s)
{
	uint64_t seq = rnd((unsigned)model->entries);
	const struct m_entry *x = &model->log[seq];
	struct pakhus_package *p;
	char *want;

	if (!seq || x->op != M_PUBLISH ||
	    model->is_purged[x->id][x->version][x->n]) {
		assert_status(pakhus_get_at(s, seq, &p, &err),
			      PAKHUS_ENOTFOUND);
		return;
	}
	assert_done(pakhus_get_at(s, seq, &p, &err));
	want = s_document(m_id(x->id), m_name(x->version), x->n);
	assert_string_equal(p->document, want);
	free(want);
	pakhus_package_free(p);
}

static void m_step(struct pakhus *s)
{
	int i = (int)rnd(M_IDS), v = (int)rnd(M_VERSIONS);
	unsigned what = rnd(1000), n = rnd(M_TEXTS);

	/* mostly forwards, now and then not at all or back */
	if (rnd(4))
		clock_us += rnd(1000000);
	else if (rnd(2))
		clock_us -= rnd(5000000);
	if (!rnd(5))
		m_try_say(s, i, (int)rnd(M_VERSIONS + 1), rnd(M_TEXTS));
	if (what < 700 && model->is_purged[i][v][n]) {
		assert_status(s_try(s, m_id(i), m_name(v), n, NULL),
			      PAKHUS_ECONFLICT);
	} else if (what < 700) {
		struct pakhus_record r = s_publish(s, m_id(i), m_name(v), n);

		m_publish(i, v, n);
		m_same(&r, i, v);
	} else if (what < 900) {
		uint64_t went = s_delete(s, m_id(i), m_name(v));

		assert_int_equal(went, model->version[i][v].is_live);
		if (went)
			m_delete(i, v);
	} else if (what < 930) {
		uint64_t went = s_delete(s, m_id(i), NULL);

		for (v = 0; v < M_VERSIONS; v++) /* in order of bytes */
			if (model->version[i][v].is_live) {
				m_delete(i, v);
				went--;
			}
		assert_int_equal(went, 0);
	} else if (what < 970) {
		struct pakhus_batch *b;

		assert_done(pakhus_batch_new(s, NULL, &b, &err));
		for (unsigned k = rnd(12) + 1; k; k--) {
			char *doc;

			i = (int)rnd(M_IDS);
			v = (int)rnd(M_VERSIONS);
			doc = s_document(m_id(i), m_name(v), k);
			if (model->is_purged[i][v][k]) {
				assert_status(pakhus_batch_publish(
					b, doc, strlen(doc), &err),
					PAKHUS_ECONFLICT);
			} else {
				assert_done(pakhus_batch_publish(
					b, doc, strlen(doc), &err));
				m_publish(i, v, k);
			}
			free(doc);
			if (model->version[i][v].is_live &&
			    !model->is_unsaid[i][v][k]) {
				doc = m_said(k);
				assert_done(pakhus_batch_attrs(
					b, m_id(i), m_name(v), doc,
					strlen(doc), &err));
				m_say(i, v, k);
				free(doc);
			}
		}
		assert_done(pakhus_batch_commit(b, &err));
		pakhus_batch_free(b);
	} else if (what < 995) {
		assert_done(pakhus_sync(s, &err));
	} else {
		struct pakhus_purged p = { 0, 0, 0 };
		int rc = pakhus_purge(s, m_id(i), m_name(v), "why", NULL, &p,
				      &err);
		unsigned went = m_purge(i, v);

		assert_int_equal(rc, went ? PAKHUS_OK : PAKHUS_ENOTFOUND);
		assert_int_equal(p.texts, went);
	}
	m_check_package(s, i);
	m_check_said(s, i);
}

static struct pakhus *m_reopen(struct pakhus *s, const char *path)
{
	unsigned how = rnd(6);
	struct pakhus_verify v = { .flags = PAKHUS_VERIFY_INDEX,
				   .damage = s_print_damage };
	char *dir = index_file(path, "");

	assert_done(pakhus_verify(s, &v, &err));
	pakhus_close(s);
	if (how == 0)
		run("rm -r %s", dir);
	else if (how == 1)
		run("rm %s/local/page", path);
	free(dir);
	return s_open(path, how == 2 ? PAKHUS_REBUILD : 0);
}

static void it_does_what_a_simple_model_does(void **state)
{
	unsigned steps = s_scale(5000, 1200, 30000);
	char *path = s_init(state, "m", 0);
	struct pakhus *s = s_open(path, 0);

	model = calloc(1, sizeof(*model));
	model->entries = 1;
	clock_us = INT64_C(1700000000000000);
	seed_from(2463534242u);
	for (unsigned k = 0; k < steps; k++) {
		m_step(s);
		if (k % 20 == 0) {
			m_check_list(s);
			m_check_at(s);
		}
		if (k % 500 == 499)
			m_check_history(s, (int)rnd(M_IDS));
		if (rnd(100) == 0)
			s = m_reopen(s, path);
	}
	for (int i = 0; i < M_IDS; i++) {
		m_check_package(s, i);
		m_check_history(s, i);
	}
	m_check_list(s);
	s_verify(s);
	pakhus_close(s);
	free(model);
	free(path);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		T_IN_DIR(it_does_what_a_simple_model_does),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
