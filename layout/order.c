/* order.c - see order.h.
 *
 * Most objects are in order. To know it costs a hash of each key and one look
 * into a table when the object ends; only where that leaves a doubt are keys
 * sorted and compared. An object that is in disorder leaves a plan, the
 * pieces it consists of in their right order, and all plans are carried out
 * at once, at the end. Thus objects in disorder that nest cost no more than
 * the same bytes side by side.
 */
#include <stdlib.h>
#include <string.h>

#include "order.h"

#define FEW 128 /* members that are compared on the stack */

/* Only tells keys apart quickly; that others can make it collide costs no
 * more than a sort, see in_doubt(). */
static inline uint64_t hash_key(const char *key, size_t n)
{
	const unsigned char *p = (const unsigned char *)key;
	const uint64_t k = UINT64_C(0x9e3779b97f4a7c15);
	uint64_t h = n * k, tail = 0;

	if (n >= 8) {
		for (size_t i = 0; i + 8 < n; i += 8) {
			h = (h ^ pk_le64(p + i)) * k;
			h ^= h >> 32;
		}
		tail = pk_le64(p + n - 8);
	} else if (n >= 4) {
		tail = pk_le32(p) | (uint64_t)pk_le32(p + n - 4) << 32;
	} else if (n) {
		tail = p[0] | (uint64_t)p[n / 2] << 8 |
		       (uint64_t)p[n - 1] << 16;
	}
	h = (h ^ tail) * k;
	return h ^ h >> 32;
}

int64_t pk_order_index(const char *key, size_t n)
{
	int64_t v = 0;

	if (n == 0 || n > 10 || (unsigned char)(*key - '0') > 9 ||
	    (*key == '0' && n > 1))
		return -1;
	for (size_t i = 0; i < n; i++) {
		if ((unsigned char)(key[i] - '0') > 9)
			return -1;
		v = v * 10 + (key[i] - '0');
	}
	return v < UINT32_MAX ? v : -1;
}

int pk_order_key(struct pk_canon *c, struct pk_frame *f, const char *at,
		 const char *o)
{
	size_t n = (size_t)(o - at);
	struct pk_member *m;
	int64_t index;

	m = pk_canon_grow(c->member, &c->members_cap, c->members, sizeof(*m));
	if (!m)
		return pk_canon_nomem(c);
	c->member = m;
	m += c->members++;
	m->at = (uint32_t)(at - c->out);
	m->size = (uint32_t)n;
	m->hash = hash_key(at + 1, n - 2);
	index = pk_order_index(at + 1, n - 2);
	if (index < 0) {
		f->names = 1;
	} else if (f->names || index < f->next) {
		f->disorder = 1;
	} else {
		f->next = (uint32_t)index + 1;
	}
	return 0;
}

/* Whether some of the n keys may be equal: 0 is certain, 1 asks for a sort.
 * Keys made to collide only bring that about sooner. <0 without memory. */
static int in_doubt(struct pk_canon *c, const struct pk_member *m, size_t n)
{
	uint32_t few[2 * FEW], *slot = few, *big = NULL;
	size_t size = 16, probes = 4 * n + 64, at;
	int found = 0, shift = 60; /* the high bits are the well mixed ones */

	if (n < 2)
		return 0;
	for (; size < 2 * n; size *= 2)
		shift--;
	if (n > FEW) {
		big = calloc(size, sizeof(*slot));
		if (!big)
			return pk_canon_nomem(c);
		slot = big;
	} else {
		memset(slot, 0, size * sizeof(*slot));
	}
	for (size_t i = 0; i < n && !found; i++) {
		at = (size_t)(m[i].hash >> shift);
		while (slot[at] && !found) {
			found = m[slot[at] - 1].hash == m[i].hash ||
				--probes == 0;
			at = (at + 1) & (size - 1);
		}
		slot[at] = (uint32_t)i + 1;
	}
	free(big);
	return found;
}

struct entry {
	uint64_t rank;
	const char *key;
	uint32_t size, i;
};

static int by_rank(const void *left, const void *right)
{
	const struct entry *a = left, *b = right;
	int d;

	if (a->rank != b->rank)
		return a->rank < b->rank ? -1 : 1;
	if (a->size != b->size)
		return a->size < b->size ? -1 : 1;
	d = memcmp(a->key, b->key, a->size);
	return d ? d : a->i < b->i ? -1 : a->i > b->i;
}

/* Gives every member, in hash, the number of the member whose text takes its
 * place: its own, the last one of the same key, or none. Then the members
 * that stay, in JavaScript's order, are entries 0 to the result. F-3 */
static size_t arrange(struct pk_canon *c, struct pk_member *m, size_t n,
		      struct entry *e)
{
	size_t i, j, kept = 0;
	int64_t v;

	for (i = 0; i < n; i++) {
		e[i].rank = m[i].hash;
		e[i].key = c->out + m[i].at;
		e[i].size = m[i].size;
		e[i].i = (uint32_t)i;
	}
	qsort(e, n, sizeof(*e), by_rank);
	for (i = 0; i < n; i = j) {
		for (j = i + 1; j < n && e[j].size == e[i].size &&
				!memcmp(e[j].key, e[i].key, e[i].size);
		     j++)
			m[e[j].i].hash = UINT64_MAX;
		m[e[i].i].hash = e[j - 1].i;
	}
	for (i = 0; i < n; i++) {
		if (m[i].hash == UINT64_MAX)
			continue;
		v = pk_order_index(c->out + m[i].at + 1, m[i].size - 2);
		e[kept].rank = v < 0 ? UINT64_MAX : (uint64_t)v;
		e[kept].size = 0;
		e[kept++].i = (uint32_t)i;
	}
	qsort(e, kept, sizeof(*e), by_rank);
	for (i = 0; i < kept; i++)
		e[i].i = (uint32_t)m[e[i].i].hash;
	return kept;
}

/* The pieces of an object: its n members, in the order of e if there is one.
 */
static int cut(struct pk_canon *c, struct pk_plan *plan,
	       const struct pk_member *m, size_t n, const struct entry *e,
	       size_t kept)
{
	struct pk_piece *piece;
	size_t i;

	for (size_t k = 0; k < kept; k++) {
		piece = pk_canon_grow(c->piece, &c->pieces_cap, c->pieces,
				      sizeof(*piece));
		if (!piece)
			return pk_canon_nomem(c);
		c->piece = piece;
		piece += c->pieces++;
		i = e ? e[k].i : k;
		piece->at = m[i].at;
		piece->end = (i + 1 < n ? m[i + 1].at : plan->end) - 1;
		plan->pieces++;
	}
	return 0;
}

static int add_plan(struct pk_canon *c, const struct pk_plan *plan)
{
	struct pk_plan *plans =
		pk_canon_grow(c->plan, &c->plans_cap, c->plans, sizeof(*plans));

	if (!plans)
		return pk_canon_nomem(c);
	c->plan = plans;
	plans[c->plans++] = *plan;
	return 0;
}

int pk_order_close(struct pk_canon *c, const struct pk_frame *f, const char *o)
{
	struct pk_plan plan = {f->at, (uint32_t)(o - c->out), f->plans,
			       (uint32_t)c->pieces, 0};
	int root = c->document && c->depth == 1, doubt, rc = 0;
	size_t n = c->members - f->members, kept = n;
	struct entry *e = NULL;
	struct pk_member *m;

	if (n == 0)
		return 0;
	m = c->member + f->members;
	c->members = f->members;
	doubt = f->disorder ? 1 : in_doubt(c, m, n);
	if (doubt < 0)
		return doubt;
	if (doubt) {
		e = malloc(n * sizeof(*e));
		if (!e)
			return pk_canon_nomem(c);
		kept = arrange(c, m, n, e);
		doubt = f->disorder || kept < n;
	}
	if (doubt || root)
		rc = cut(c, &plan, m, n, e, kept);
	free(e);
	if (rc)
		return rc;
	if (root) {
		c->root = plan;
		c->disorder = doubt;
	} else if (doubt) {
		rc = add_plan(c, &plan);
	}
	return rc;
}

/* How many of the plans from lo up to hi end at or before end. */
static size_t plans_before(const struct pk_canon *c, size_t lo, size_t hi,
			   uint32_t end)
{
	size_t mid;

	while (lo < hi) {
		mid = lo + (hi - lo) / 2;
		if (c->plan[mid].end <= end)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo;
}

/* Lays the text from at to end out so that it ends at to, and gives where it
 * begins; of the plans up to n, the last is the last in there, if any is.
 * Backwards, because a plan stands behind those inside it. Recurs once per
 * plan around a plan, hence at most PK_FRAMES deep. */
static char *lay(const struct pk_canon *c, uint32_t at, uint32_t end, size_t n,
		 char *to)
{
	const struct pk_plan *plan;
	const struct pk_piece *piece;
	size_t i;

	while (n > 0 && c->plan[n - 1].at >= at) {
		plan = &c->plan[--n];
		to = pk_put_before(to, c->out + plan->end, end - plan->end);
		*--to = '}';
		for (i = plan->pieces; i-- > 0;) {
			piece = &c->piece[plan->piece + i];
			to = lay(c, piece->at, piece->end,
				 plans_before(c, plan->first, n, piece->end),
				 to);
			if (i > 0)
				*--to = ',';
		}
		*--to = '{';
		end = plan->at;
		n = plan->first;
	}
	return pk_put_before(to, c->out + at, end - at);
}

char *pk_order_lay(const struct pk_canon *c, uint32_t at, uint32_t end,
		   char *to)
{
	return lay(c, at, end, plans_before(c, 0, c->plans, end), to);
}

int pk_order_settle(struct pk_canon *c)
{
	size_t cap = c->len + PK_SLACK;
	char *buf;

	if (!c->plans)
		return 0;
	buf = malloc(cap);
	if (!buf)
		return pk_canon_nomem(c);
	pk_canon_replace(c, buf, cap,
			 pk_order_lay(c, 0, (uint32_t)c->len, buf + cap));
	return 0;
}
