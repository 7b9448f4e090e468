#include "gather.h"
#include "sum.h"

#include <stdlib.h>

#define SLOTS 64 /* of a package with few versions */

/* ---- sheaves ---- */

struct pk_gather {
	struct slot {
		uint64_t sum;
		struct pk_sheaf *sheaf; /* NULL: free */
	} *slot;
	size_t n, cap; /* at most half full */
	struct pk_sheaf **sorted;
};

struct pk_gather *pk_gather_new(void)
{
	return calloc(1, sizeof(struct pk_gather));
}

void pk_gather_free(struct pk_gather *g)
{
	if (!g)
		return;
	for (size_t i = 0; i < g->cap; i++) {
		if (g->slot[i].sheaf)
			free(g->slot[i].sheaf->bytes);
		free(g->slot[i].sheaf);
	}
	free(g->slot);
	free(g->sorted);
	free(g);
}

static int make_room(struct pk_gather *g)
{
	size_t cap = g->cap ? 2 * g->cap : 1024;
	struct slot *slot;

	if (2 * g->n < g->cap)
		return 0;
	slot = calloc(cap, sizeof(*slot));
	if (!slot)
		return -1;
	for (size_t i = 0; i < g->cap; i++) {
		size_t to = (size_t)g->slot[i].sum & (cap - 1);

		if (!g->slot[i].sheaf)
			continue;
		while (slot[to].sheaf)
			to = (to + 1) & (cap - 1);
		slot[to] = g->slot[i];
	}
	free(g->slot);
	g->slot = slot;
	g->cap = cap;
	return 0;
}

/* The sheaf of an id, made if it is new. */
static struct pk_sheaf *sheaf_of(struct pk_gather *g, const char *id)
{
	size_t n = strlen(id), i;
	uint64_t sum = pk_sum(0, id, n);
	struct pk_sheaf *s;

	if (make_room(g))
		return NULL;
	for (i = (size_t)sum & (g->cap - 1); g->slot[i].sheaf;
	     i = (i + 1) & (g->cap - 1))
		if (g->slot[i].sum == sum && !strcmp(g->slot[i].sheaf->id, id))
			return g->slot[i].sheaf;
	s = calloc(1, sizeof(*s) + n + 1);
	if (!s)
		return NULL;
	memcpy(s->id, id, n + 1);
	g->slot[i] = (struct slot){ sum, s };
	g->n++;
	return s;
}

/* An entry in its sheaf: this, then the hash of all but a delete, then the
 * version with its NUL, and of an attrs the label with its NUL. */
struct head {
	uint64_t seq, time, manifest_size, metadata_size;
	unsigned char op, version_size; /* with the NUL */
};
#define HEAD_SIZE (4 * 8 + 2)

int pk_gather_takes(const struct pk_entry *e)
{
	return e->op == PK_OP_PUBLISH || e->op == PK_OP_DELETE ||
	       e->op == PK_OP_PURGE || e->op == PK_OP_ATTRS;
}

int pk_gather_put(struct pk_gather *g, uint64_t seq, const struct pk_entry *e)
{
	struct head h = { seq, e->time, e->manifest_size, e->metadata_size,
			  (unsigned char)e->op,
			  (unsigned char)(strlen(e->version) + 1) };
	size_t by = e->op == PK_OP_ATTRS ? strlen(e->by) + 1 : 0;
	struct pk_sheaf *s = sheaf_of(g, e->id);
	unsigned char *p;

	if (!s)
		return -1;
	if (by)
		h.manifest_size = e->size;
	if (!s->bytes || s->cap - s->size < (size_t)HEAD_SIZE + PK_HASH_SIZE +
						    h.version_size + by) {
		size_t cap = s->size + s->size / 2 + 2 * HEAD_SIZE +
			     2 * PK_HASH_SIZE + h.version_size + by;

		p = realloc(s->bytes, cap);
		if (!p)
			return -1;
		s->bytes = p;
		s->cap = cap;
	}
	p = s->bytes + s->size;
	memcpy(p, &h, HEAD_SIZE);
	p += HEAD_SIZE;
	if (e->op != PK_OP_DELETE) {
		memcpy(p, e->hash, PK_HASH_SIZE);
		p += PK_HASH_SIZE;
	}
	memcpy(p, e->version, h.version_size);
	p += h.version_size;
	if (by)
		memcpy(p, e->by, by);
	s->size = (size_t)(p - s->bytes) + by;
	return 0;
}

int pk_sheaf_next(const struct pk_sheaf *s, size_t *at, uint64_t *seq,
		  struct pk_entry *e, const char **version)
{
	const unsigned char *p = s->bytes + *at;
	struct head h;

	if (*at == s->size)
		return 0;
	memcpy(&h, p, HEAD_SIZE);
	p += HEAD_SIZE;
	*seq = h.seq;
	e->op = h.op;
	e->time = h.time;
	e->manifest_size = h.manifest_size;
	e->metadata_size = h.metadata_size;
	e->size = h.manifest_size;
	if (e->op != PK_OP_DELETE) {
		memcpy(e->hash, p, PK_HASH_SIZE);
		p += PK_HASH_SIZE;
	}
	memcpy(e->version, p, h.version_size);
	*version = (const char *)p;
	p += h.version_size;
	if (e->op == PK_OP_ATTRS) {
		strcpy(e->by, (const char *)p);
		p += strlen(e->by) + 1;
	}
	*at = (size_t)(p - s->bytes);
	return 1;
}

void pk_sheaf_release(struct pk_sheaf *s)
{
	free(s->bytes);
	s->bytes = NULL;
	s->size = s->cap = 0;
}

static int by_id(const void *a, const void *b)
{
	struct pk_sheaf *const *x = a, *const *y = b;

	return strcmp((*x)->id, (*y)->id);
}

struct pk_sheaf *const *pk_gather_sort(struct pk_gather *g)
{
	size_t n = 0;

	g->sorted = calloc(g->n + 1, sizeof(struct pk_sheaf *));
	if (!g->sorted)
		return NULL;
	for (size_t i = 0; i < g->cap; i++)
		if (g->slot[i].sheaf)
			g->sorted[n++] = g->slot[i].sheaf;
	qsort(g->sorted, n, sizeof(struct pk_sheaf *), by_id);
	return g->sorted;
}

/* ---- rows ---- */

void pk_rows_begin(struct pk_rows *r)
{
	memset(&r->head, 0, sizeof(r->head));
	r->versions = r->lines = r->purges = r->saids = r->attrs = 0;
	/* few slots for few versions: most packages have few */
	r->slots = r->slot_cap < SLOTS ? r->slot_cap : SLOTS;
	if (r->slot)
		memset(r->slot, 0, r->slots * sizeof(*r->slot));
}

void pk_rows_release(struct pk_rows *r)
{
	free(r->version);
	free(r->line);
	free(r->purged);
	free(r->said);
	free(r->slot);
}

/* Where a version is in the table, or would be. */
static uint32_t *slot_of(struct pk_rows *r, const char *version)
{
	size_t i = (size_t)pk_sum(0, version, strlen(version)) & (r->slots - 1);

	while (r->slot[i] && strcmp(r->version[r->slot[i] - 1].version, version))
		i = (i + 1) & (r->slots - 1);
	return &r->slot[i];
}

struct pk_row_version *pk_rows_version(struct pk_rows *r, const char *version)
{
	uint32_t i = r->slots ? *slot_of(r, version) : 0;

	return i ? &r->version[i - 1] : NULL;
}

static int more_slots(struct pk_rows *r)
{
	size_t n = r->slots ? 2 * r->slots : SLOTS;

	if (2 * r->versions < r->slots)
		return 0;
	if (n > r->slot_cap) {
		void *p = realloc(r->slot, n * sizeof(*r->slot));

		if (!p)
			return -1;
		r->slot = p;
		r->slot_cap = n;
	}
	r->slots = n;
	memset(r->slot, 0, n * sizeof(*r->slot));
	for (size_t i = 0; i < r->versions; i++)
		/* set, as i < versions, which the analyzer does not follow */
		/* NOLINTNEXTLINE(clang-analyzer-core.CallAndMessage) */
		*slot_of(r, r->version[i].version) = (uint32_t)i + 1;
	return 0;
}

/* The array with room for one more of size bytes; NULL: out of memory, and
 * it is as before. */
static void *grow(void *array, size_t n, size_t *cap, size_t size)
{
	void *p = array;

	if (n < *cap)
		return p;
	p = realloc(array, (n + n / 2 + 64) * size);
	if (p)
		*cap = n + n / 2 + 64;
	return p;
}

struct pk_row_version *pk_rows_add_version(struct pk_rows *r,
					   const char *version)
{
	struct pk_row_version *v = pk_rows_version(r, version);

	if (v)
		return v;
	v = grow(r->version, r->versions, &r->version_cap, sizeof(*v));
	if (!v)
		return NULL;
	r->version = v;
	if (more_slots(r))
		return NULL;
	v += r->versions;
	v->version = version;
	v->attrs = 0;
	*slot_of(r, version) = (uint32_t)++r->versions;
	return v;
}

struct pk_row_line *pk_rows_line(struct pk_rows *r, uint64_t seq)
{
	size_t low = 0, high = r->lines;

	if (!high || r->line[high - 1].seq < seq)
		return NULL;
	while (low < high) {
		size_t mid = low + (high - low) / 2;

		if (r->line[mid].seq < seq)
			low = mid + 1;
		else
			high = mid;
	}
	return r->line[low].seq == seq ? &r->line[low] : NULL;
}

struct pk_row_line *pk_rows_add_line(struct pk_rows *r, uint64_t seq)
{
	struct pk_row_line *l;

	l = grow(r->line, r->lines, &r->line_cap, sizeof(*l));
	if (!l)
		return NULL;
	r->line = l;
	l += r->lines++;
	l->seq = seq;
	l->version = r->name;
	return l;
}

struct pk_row_purged *pk_rows_purged(struct pk_rows *r,
				     const unsigned char *hash)
{
	for (size_t i = 0; i < r->purges; i++)
		if (!memcmp(r->purged[i].hash, hash, PK_HASH_SIZE))
			return &r->purged[i];
	return NULL;
}

struct pk_row_purged *pk_rows_add_purged(struct pk_rows *r,
					 const unsigned char *hash)
{
	struct pk_row_purged *p;

	p = grow(r->purged, r->purges, &r->purged_cap, sizeof(*p));
	if (!p)
		return NULL;
	r->purged = p;
	p += r->purges++;
	memcpy(p->hash, hash, PK_HASH_SIZE);
	return p;
}

size_t *pk_rows_attrs(struct pk_rows *r, const char *version)
{
	struct pk_row_version *v;

	if (!*version)
		return &r->attrs;
	v = pk_rows_version(r, version);
	return v ? &v->attrs : NULL;
}

int pk_rows_say(struct pk_rows *r, size_t *attrs, const struct pk_attrs *v)
{
	struct pk_attrs *p;

	if (!*attrs) {
		p = grow(r->said, r->saids, &r->said_cap, sizeof(*p));
		if (!p)
			return -1;
		r->said = p;
		*attrs = ++r->saids;
	}
	r->said[*attrs - 1] = *v;
	return 0;
}

static int by_version(const void *a, const void *b)
{
	const struct pk_row_version *x = a, *y = b;

	return strcmp(x->version, y->version);
}

void pk_rows_sort(struct pk_rows *r)
{
	if (r->versions)
		qsort(r->version, r->versions, sizeof(*r->version), by_version);
}
