#include "gather.h"
#include "sum.h"

#include <stdlib.h>

#define CHUNK ((size_t)1 << 20)	  /* bytes of names and rows */
#define LINES ((uint64_t)1 << 14) /* lines allocated at a time */

/* A hash table of things that know their sum, at most half full. */
struct table {
	struct slot {
		uint64_t sum;
		void *it; /* NULL: free */
	} *slot;
	size_t n, cap;
};

struct pk_gather {
	struct chunk {
		struct chunk *next;
		size_t used;
		_Alignas(16) char bytes[];
	} *chunks;
	struct table packages, versions;
	struct pk_gathered_line **lines; /* by seq / LINES */
	size_t blocks;
	struct pk_gathered *package; /* looked up last */
	struct pk_gathered_version *version;
	struct pk_gathered **sorted;
};

struct pk_gather *pk_gather_new(void)
{
	return calloc(1, sizeof(struct pk_gather));
}

void pk_gather_free(struct pk_gather *g)
{
	if (!g)
		return;
	while (g->chunks) {
		struct chunk *next = g->chunks->next;

		free(g->chunks);
		g->chunks = next;
	}
	for (size_t i = 0; i < g->blocks; i++)
		free(g->lines[i]);
	free(g->lines);
	free(g->packages.slot);
	free(g->versions.slot);
	free(g->sorted);
	free(g);
}

/* Zeroed, and kept until the end. */
static void *keep(struct pk_gather *g, size_t size)
{
	void *out;

	size = (size + 7) / 8 * 8;
	if (!g->chunks || g->chunks->used + size > CHUNK) {
		struct chunk *c = calloc(1, sizeof(*c) + CHUNK);

		if (!c)
			return NULL;
		c->next = g->chunks;
		g->chunks = c;
	}
	out = g->chunks->bytes + g->chunks->used;
	g->chunks->used += size;
	return out;
}

/* ---- tables ---- */

static int make_room(struct table *t)
{
	struct table larger = { .cap = t->cap ? 2 * t->cap : 1024, .n = t->n };

	if (2 * t->n < t->cap)
		return 0;
	larger.slot = calloc(larger.cap, sizeof(*larger.slot));
	if (!larger.slot)
		return -1;
	for (size_t i = 0; i < t->cap; i++) {
		size_t to = (size_t)t->slot[i].sum & (larger.cap - 1);

		if (!t->slot[i].it)
			continue;
		while (larger.slot[to].it)
			to = (to + 1) & (larger.cap - 1);
		larger.slot[to] = t->slot[i];
	}
	free(t->slot);
	*t = larger;
	return 0;
}

/* There is room. */
static void insert(struct table *t, uint64_t sum, void *it)
{
	size_t i = (size_t)sum & (t->cap - 1);

	while (t->slot[i].it)
		i = (i + 1) & (t->cap - 1);
	t->slot[i] = (struct slot){ sum, it };
	t->n++;
}

/* ---- by name ---- */

static uint64_t id_sum(const char *id)
{
	return pk_sum(0, id, strlen(id));
}

static uint64_t version_sum(const struct pk_gathered *p, const char *version)
{
	return pk_sum(p->sum, version, strlen(version));
}

struct pk_gathered *pk_gather_package(struct pk_gather *g, const char *id)
{
	struct table *t = &g->packages;
	uint64_t sum;

	if (g->package && !strcmp(g->package->id, id))
		return g->package;
	if (!t->cap)
		return NULL;
	sum = id_sum(id);
	for (size_t i = (size_t)sum & (t->cap - 1); t->slot[i].it;
	     i = (i + 1) & (t->cap - 1)) {
		struct pk_gathered *p = t->slot[i].it;

		if (t->slot[i].sum == sum && !strcmp(p->id, id))
			return g->package = p;
	}
	return NULL;
}

struct pk_gathered_version *pk_gather_version(struct pk_gather *g,
					      const char *id,
					      const char *version)
{
	struct pk_gathered *p = pk_gather_package(g, id);
	struct table *t = &g->versions;
	uint64_t sum;

	if (!p || !t->cap)
		return NULL;
	if (g->version && g->version->package == p &&
	    !strcmp(g->version->version, version))
		return g->version;
	sum = version_sum(p, version);
	for (size_t i = (size_t)sum & (t->cap - 1); t->slot[i].it;
	     i = (i + 1) & (t->cap - 1)) {
		struct pk_gathered_version *v = t->slot[i].it;

		if (t->slot[i].sum == sum && v->package == p &&
		    !strcmp(v->version, version))
			return g->version = v;
	}
	return NULL;
}

struct pk_gathered *pk_gather_add_package(struct pk_gather *g, const char *id)
{
	struct pk_gathered *p = pk_gather_package(g, id);
	size_t n = strlen(id) + 1;

	if (p)
		return p;
	p = keep(g, sizeof(*p) + n);
	if (!p || make_room(&g->packages))
		return NULL;
	memcpy(p->id, id, n);
	p->sum = id_sum(id);
	insert(&g->packages, p->sum, p);
	return g->package = p;
}

struct pk_gathered_version *pk_gather_add_version(struct pk_gather *g,
						  const char *id,
						  const char *version)
{
	struct pk_gathered_version *v = pk_gather_version(g, id, version);
	struct pk_gathered *p = v ? NULL : pk_gather_add_package(g, id);
	size_t n = strlen(version) + 1;

	if (v || !p)
		return v;
	v = keep(g, sizeof(*v) + n);
	if (!v || make_room(&g->versions))
		return NULL;
	memcpy(v->version, version, n);
	v->package = p;
	v->sum = version_sum(p, version);
	v->next = p->versions;
	p->versions = v;
	insert(&g->versions, v->sum, v);
	return g->version = v;
}

/* ---- lines ---- */

struct pk_gathered_line *pk_gather_line(struct pk_gather *g, uint64_t seq)
{
	uint64_t block = seq / LINES;
	struct pk_gathered_line *l;

	if (block >= g->blocks || !g->lines[block])
		return NULL;
	l = &g->lines[block][seq % LINES];
	return l->version ? l : NULL;
}

struct pk_gathered_line *pk_gather_add_line(struct pk_gather *g, uint64_t seq,
					    const char *id,
					    const char *version)
{
	struct pk_gathered_version *v = pk_gather_add_version(g, id, version);
	size_t block = (size_t)(seq / LINES);
	struct pk_gathered_line *l;

	if (!v)
		return NULL;
	if (block >= g->blocks) {
		size_t n = 2 * block + 16;
		void *p = realloc(g->lines, n * sizeof(*g->lines));

		if (!p)
			return NULL;
		g->lines = p;
		memset(g->lines + g->blocks, 0,
		       (n - g->blocks) * sizeof(*g->lines));
		g->blocks = n;
	}
	if (!g->lines[block])
		g->lines[block] = calloc(LINES, sizeof(**g->lines));
	if (!g->lines[block])
		return NULL;
	l = &g->lines[block][seq % LINES];
	l->version = v;
	l->before = v->package->last;
	v->package->last = seq;
	v->package->lines++;
	return l;
}

/* ---- order ---- */

static int by_id(const void *a, const void *b)
{
	const struct pk_gathered *const *x = a, *const *y = b;

	return strcmp((*x)->id, (*y)->id);
}

/* Merges two sorted lists. */
static struct pk_gathered_version *merge(struct pk_gathered_version *a,
					 struct pk_gathered_version *b)
{
	struct pk_gathered_version *out = NULL, **end = &out;

	while (a && b) {
		struct pk_gathered_version **less =
			strcmp(a->version, b->version) < 0 ? &a : &b;

		*end = *less;
		end = &(*less)->next;
		*less = *end;
	}
	*end = a ? a : b;
	return out;
}

/* Sorts a list: run[k] is empty or a sorted list of 2^k. */
static struct pk_gathered_version *sort_list(struct pk_gathered_version *list)
{
	struct pk_gathered_version *run[64] = { NULL }, *out = NULL;
	unsigned k;

	while (list) {
		struct pk_gathered_version *one = list;

		list = list->next;
		one->next = NULL;
		for (k = 0; run[k]; k++) {
			one = merge(run[k], one);
			run[k] = NULL;
		}
		run[k] = one;
	}
	for (k = 0; k < 64; k++)
		out = merge(run[k], out);
	return out;
}

struct pk_gathered *const *pk_gather_sort(struct pk_gather *g, size_t *n)
{
	const struct table *t = &g->packages;

	*n = 0;
	g->sorted = malloc((t->n + 1) * sizeof(struct pk_gathered *));
	if (!g->sorted)
		return NULL;
	for (size_t i = 0; i < t->cap; i++)
		if (t->slot[i].it)
			g->sorted[(*n)++] = t->slot[i].it;
	qsort(g->sorted, *n, sizeof(struct pk_gathered *), by_id);
	for (size_t i = 0; i < *n; i++)
		g->sorted[i]->versions = sort_list(g->sorted[i]->versions);
	return g->sorted;
}
