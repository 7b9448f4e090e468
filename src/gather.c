#include "gather.h"
#include "sum.h"

#include <stdlib.h>

#define CHUNK ((size_t)1 << 20) /* bytes of names and rows */

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
	for (size_t i = 0; i < g->packages.cap; i++)
		if (g->packages.slot[i].it)
			free(((struct pk_gathered *)g->packages.slot[i].it)
				     ->line);
	while (g->chunks) {
		struct chunk *next = g->chunks->next;

		free(g->chunks);
		g->chunks = next;
	}
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

struct pk_gathered_line *pk_gather_line(struct pk_gather *g, const char *id,
					uint64_t seq)
{
	struct pk_gathered *p = pk_gather_package(g, id);
	size_t low = 0, high = p ? p->lines : 0;

	while (low < high) {
		size_t mid = low + (high - low) / 2;

		if (p->line[mid].seq == seq)
			return &p->line[mid];
		if (p->line[mid].seq < seq)
			low = mid + 1;
		else
			high = mid;
	}
	return NULL;
}

struct pk_gathered_line *pk_gather_add_line(struct pk_gather *g, uint64_t seq,
					    const char *id,
					    const char *version)
{
	struct pk_gathered_version *v = pk_gather_add_version(g, id, version);
	struct pk_gathered *p = v ? v->package : NULL;
	struct pk_gathered_line *l;

	if (!v)
		return NULL;
	if (p->lines == p->cap) {
		size_t cap = p->cap + p->cap / 2 + 2;

		l = realloc(p->line, cap * sizeof(*l));
		if (!l)
			return NULL;
		p->line = l;
		p->cap = cap;
	}
	l = &p->line[p->lines++];
	l->version = v;
	l->seq = seq;
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

void pk_gather_sort_versions(struct pk_gathered *p)
{
	/* run[k] is empty or a sorted list of 2^k */
	struct pk_gathered_version *run[64] = { NULL }, *out = NULL;
	struct pk_gathered_version *list = p->versions;
	unsigned k, top = 0;

	while (list) {
		struct pk_gathered_version *one = list;

		list = list->next;
		one->next = NULL;
		for (k = 0; run[k]; k++) {
			one = merge(run[k], one);
			run[k] = NULL;
		}
		run[k] = one;
		if (k >= top)
			top = k + 1;
	}
	for (k = 0; k < top; k++)
		out = merge(run[k], out);
	p->versions = out;
}

struct pk_gathered *const *pk_gather_sort(struct pk_gather *g)
{
	const struct table *t = &g->packages;
	size_t n = 0;

	g->sorted = calloc(t->n + 1, sizeof(struct pk_gathered *));
	if (!g->sorted)
		return NULL;
	for (size_t i = 0; i < t->cap; i++)
		if (t->slot[i].it)
			g->sorted[n++] = t->slot[i].it;
	qsort(g->sorted, n, sizeof(struct pk_gathered *), by_id);
	return g->sorted;
}
