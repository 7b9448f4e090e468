/* canon.c - see canon.h.
 *
 * The text is read once, from left to right, and its canonical form written
 * as it is read. That form is in JavaScript's order already unless an object
 * has integer-like keys out of order or a key twice. Both are rare, so text
 * is never moved while reading: such an object leaves a plan, the pieces it
 * consists of in their right order, and if there are plans at the end, one
 * more pass lays the text out by them. Thus objects in disorder that nest
 * cost no more than the same bytes side by side.
 *
 * Nothing that the text grows by needs a check of the buffer: everything but
 * a number is written in at most as many bytes as it was read from. So there
 * is always room for what is left to read and SLACK bytes, and numbers alone
 * see to it that this stays true.
 */
#include <stdlib.h>
#include <string.h>

#include "canon.h"
#include "json.h"
#include "number.h"
#include "text.h"
#include "utf8.h"

#define SLACK 64
#define FRAMES (PK_DEPTH_MAX + 1) /* the document itself is around M and D */
#define FEW 128			  /* members that are compared on the stack */
#define HEAD 11			  /* bytes of "manifest": and of "metadata": */

/* Offsets are of the text written: PK_SOURCE_MAX bytes never grow beyond
 * 4 GiB, as no number of n bytes is written in more than 5 n. */
struct member {
	uint32_t at, size; /* of the key, quotes included */
	uint64_t hash;
};

struct frame {
	uint32_t at;		 /* of the bracket */
	uint32_t members, plans; /* how many there were when it opened */
	uint32_t next;		 /* the least integer-like key still in order */
	char close;
	char names;    /* has had a key that is not integer-like */
	char disorder; /* an integer-like key came late, or again */
};

struct piece {
	uint32_t at, end;
};

/* An object to be laid out anew. Plans stand in the order of their ends, so
 * those inside plan i are the ones from plan[i].first up to i. */
struct plan {
	uint32_t at, end, first, piece, pieces;
};

/* Where a value that the document's shape depends on was read and written;
 * at is 0 when there was none. */
struct noted {
	const char *src;
	uint32_t at;
};

struct canon {
	const char *json, *end;
	char *out;
	size_t len, cap;
	struct member *member;
	size_t members, members_cap;
	struct plan *plan;
	size_t plans, plans_cap;
	struct piece *piece;
	size_t pieces, pieces_cap;
	int depth, deepest; /* brackets open now, and allowed here */

	/* a document and not just a value; its root has no plan, but pieces */
	int document, disorder, in_manifest;
	struct plan root;
	struct noted manifest, metadata, id, version;
	const char *stray;

	const char *bad, *what; /* of a failure */
	struct frame frame[FRAMES];
};

static int fail(struct canon *c, const char *at, const char *what)
{
	c->bad = at;
	c->what = at && at == c->end ? "unexpected end of the text" : what;
	return PK_CANON_INVALID;
}

static int limit(struct canon *c, const char *at, const char *what)
{
	c->bad = at;
	c->what = what;
	return PK_CANON_LIMIT;
}

static int nomem(struct canon *c)
{
	c->bad = NULL;
	c->what = "out of memory";
	return PK_CANON_NOMEM;
}

/* The array with room for one more element of size bytes behind n of them;
 * NULL without memory, and then it stays what it was. */
static void *grow(void *array, size_t *cap, size_t n, size_t size)
{
	size_t want = *cap ? *cap * 2 : 64;
	void *new;

	if (n < *cap)
		return array;
	if (want > SIZE_MAX / size)
		return NULL;
	new = realloc(array, want * size);
	if (new)
		*cap = want;
	return new;
}

/* Room for what is left to read, after a number has taken of it. */
static int room(struct canon *c, const char *p, char **o)
{
	size_t left = (size_t)(c->end - p), cap;
	char *out;

	c->len = (size_t)(*o - c->out);
	if (c->cap - c->len >= left + SLACK)
		return 0;
	cap = c->len + c->len / 2 + left + 2 * SLACK;
	out = realloc(c->out, cap);
	if (!out)
		return -1;
	c->out = out;
	c->cap = cap;
	*o = out + c->len;
	return 0;
}

static inline const char *skip_space(const char *p, const char *end)
{
	while (p < end && (*p == ' ' || *p == '\n' || *p == '\t' || *p == '\r'))
		p++;
	return p;
}

static inline char peek(const char *p, const char *end)
{
	return p < end ? *p : '\0'; /* no token begins with a NUL */
}

/* One escape, from its backslash; F-5. */
static int take_escape(struct canon *c, const char **at, char **out)
{
	static const char from[] = "\"\\/bfnrt", to[] = "\"\\/\b\f\n\r\t";
	static const char hex[] = "0123456789abcdef";
	const char *p = *at + 1, *end = c->end, *s;
	char *o = *out;
	int32_t v, low;

	if (peek(p, end) == 'u') {
		p++;
		v = pk_text_hex(p, (size_t)(end - p));
		if (v < 0)
			return fail(c, p + 5 + v,
				    "expected a hexadecimal digit");
		p += 4;
	} else {
		s = peek(p, end) ? strchr(from, *p) : NULL;
		if (!s)
			return fail(c, p, "unknown escape");
		v = (unsigned char)to[s - from];
		p++;
	}
	if (v >= 0xd800 && v < 0xe000) {
		low = -1;
		if (v < 0xdc00 && end - p >= 6 && p[0] == '\\' && p[1] == 'u')
			low = pk_text_hex(p + 2, 4);
		if (low < 0xdc00 || low >= 0xe000) /* F-6 */
			return fail(c, *at,
				    "a lone surrogate cannot be represented");
		v = 0x10000 + ((v - 0xd800) << 10) + (low - 0xdc00);
		p += 6;
	}
	s = v < 0x5d && v ? strchr(to, v) : NULL;
	if (s && v != '/') {
		*o++ = '\\';
		*o++ = from[s - to];
	} else if (v < 0x20) {
		memcpy(o, "\\u00", 4);
		o[4] = hex[v >> 4];
		o[5] = hex[v & 15];
		o += 6;
	} else {
		o = pk_utf8_put(o, (uint32_t)v);
	}
	*at = p;
	*out = o;
	return 0;
}

/* A string from its opening quote to behind its closing one; F-5. */
static inline int take_string(struct canon *c, const char **at, char **out)
{
	const char *p = *at, *end = c->end;
	char *o = *out;
	uint64_t w;
	size_t n;
	int rc;

	*o++ = *p++;
	for (;;) {
		while (end - p >= 8) {
			memcpy(o, p, 8);
			w = pk_text_stops(pk_le64((const unsigned char *)p));
			n = w ? (size_t)pk_text_run(w) : 8;
			p += n;
			o += n;
			if (w)
				break;
		}
		if (p == end)
			return fail(c, p, NULL);
		if (*p == '"') {
			*o++ = *p++;
			*at = p;
			*out = o;
			return 0;
		}
		if (*p == '\\') {
			rc = take_escape(c, &p, &o);
			if (rc)
				return rc;
		} else if ((unsigned char)*p < 0x20) { /* F-6 */
			return fail(c, p,
				    "a control character in a string "
				    "must be escaped");
		} else if ((unsigned char)*p < 0x80) {
			*o++ = *p++;
		} else {
			do {
				n = pk_utf8_len((const unsigned char *)p,
						(size_t)(end - p));
				if (!n) /* F-6 */
					return fail(c, p, "invalid UTF-8");
				memcpy(o, p, end - p >= 4 ? 4 : n);
				p += n;
				o += n;
			} while (p < end && (unsigned char)*p >= 0x80);
		}
	}
}

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

/* The value of an integer-like key, "0" to "4294967294"; or -1. F-3 */
static inline int64_t index_key(const char *key, size_t n)
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

/* Looks for the keys that decide about the shape. */
static void note(struct canon *c, const struct member *m, const char *key,
		 const char *value, const char *o)
{
	const char *k = c->out + m->at;
	struct noted here = {value, (uint32_t)(o - c->out)};
	struct noted none = {NULL, 0};

	if (c->depth == 1) {
		c->in_manifest = 0;
		c->deepest = PK_DEPTH_MAX + 1; /* F-7 */
		if (m->size == 10 && !memcmp(k, "\"manifest\"", 10)) {
			c->in_manifest = 1;
			c->manifest = here;
			c->id = c->version = none;
		} else if (m->size == 10 && !memcmp(k, "\"metadata\"", 10)) {
			c->metadata = here;
		} else {
			/* of a build artifact: one level is not there */
			c->deepest = PK_DEPTH_MAX;
			if (!c->stray)
				c->stray = key;
		}
	} else if (c->in_manifest) {
		if (m->size == 4 && !memcmp(k, "\"id\"", 4))
			c->id = here;
		else if (m->size == 9 && !memcmp(k, "\"version\"", 9))
			c->version = here;
	}
}

static int take_key(struct canon *c, struct frame *f, const char **at,
		    char **out)
{
	const char *p = *at, *end = c->end, *key = p;
	struct member *m;
	char *o = *out;
	int64_t index;
	int rc;

	if (peek(p, end) != '"')
		return fail(c, p, "expected a key in quotes");
	m = grow(c->member, &c->members_cap, c->members, sizeof(*m));
	if (!m)
		return nomem(c);
	c->member = m;
	m += c->members++;
	m->at = (uint32_t)(o - c->out);
	rc = take_string(c, &p, &o);
	if (rc)
		return rc;
	m->size = (uint32_t)(o - c->out) - m->at;
	m->hash = hash_key(c->out + m->at + 1, m->size - 2);
	index = index_key(c->out + m->at + 1, m->size - 2);
	if (index < 0) {
		f->names = 1;
	} else if (f->names || index < f->next) {
		f->disorder = 1;
	} else {
		f->next = (uint32_t)index + 1;
	}
	p = skip_space(p, end);
	if (peek(p, end) != ':')
		return fail(c, p, "expected ':'");
	*o++ = *p++;
	p = skip_space(p, end);
	if (c->document && c->depth <= 2)
		note(c, m, key, p, o);
	*at = p;
	*out = o;
	return 0;
}

/* Whether some of the n keys may be equal: 0 is certain, 1 asks for a sort.
 * Keys made to collide only bring that about sooner. <0 without memory. */
static int in_doubt(struct canon *c, const struct member *m, size_t n)
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
			return nomem(c);
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
static size_t arrange(struct canon *c, struct member *m, size_t n,
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
		v = index_key(c->out + m[i].at + 1, m[i].size - 2);
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
static int cut(struct canon *c, struct plan *plan, const struct member *m,
	       size_t n, const struct entry *e, size_t kept)
{
	struct piece *piece;
	size_t i;

	for (size_t k = 0; k < kept; k++) {
		piece = grow(c->piece, &c->pieces_cap, c->pieces,
			     sizeof(*piece));
		if (!piece)
			return nomem(c);
		c->piece = piece;
		piece += c->pieces++;
		i = e ? e[k].i : k;
		piece->at = m[i].at;
		piece->end = (i + 1 < n ? m[i + 1].at : plan->end) - 1;
		plan->pieces++;
	}
	return 0;
}

/* What there is to do when an object ends, its bracket being written last:
 * a plan, if it is in disorder. */
static int close_object(struct canon *c, const struct frame *f, char *o)
{
	struct plan plan = {f->at, (uint32_t)(o - c->out), f->plans,
			    (uint32_t)c->pieces, 0},
		    *plans;
	int root = c->document && c->depth == 1, doubt, rc = 0;
	size_t n = c->members - f->members, kept = n;
	struct entry *e = NULL;
	struct member *m;

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
			return nomem(c);
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
		plans = grow(c->plan, &c->plans_cap, c->plans, sizeof(plan));
		if (!plans)
			return nomem(c);
		c->plan = plans;
		plans[c->plans++] = plan;
	}
	return 0;
}

static int take_word(struct canon *c, const char **at, char **out)
{
	static const char *const words[] = {"true", "false", "null"};
	const char *p = *at;

	for (size_t i = 0; i < 3; i++) {
		size_t n = strlen(words[i]);

		if ((size_t)(c->end - p) >= n && !memcmp(p, words[i], n)) {
			memcpy(*out, p, n);
			*at += n;
			*out += n;
			return 0;
		}
	}
	return fail(c, p, "expected a value");
}

static int take_number(struct canon *c, const char **at, char **out)
{
	const char *what = NULL;
	size_t n = pk_number_canon(at, c->end, *out, &what);

	if (!n)
		return fail(c, *at, what); /* F-4 */
	*out += n;
	return room(c, *at, out) ? nomem(c) : 0;
}

static int open_bracket(struct canon *c, const char *p, const char *o)
{
	struct frame *f = &c->frame[c->depth];

	if (c->depth >= c->deepest) /* F-7 */
		return limit(c, p, "nested deeper than 512 levels");
	c->depth++;
	memset(f, 0, sizeof(*f));
	f->at = (uint32_t)(o - c->out);
	f->members = (uint32_t)c->members;
	f->plans = (uint32_t)c->plans;
	f->close = *p == '{' ? '}' : ']';
	return 0;
}

/* Reads the one value that the text is. */
static int run(struct canon *c)
{
	const char *p = c->json, *end = c->end;
	char *o = c->out;
	struct frame *f = NULL; /* of the innermost bracket */
	int rc;

	if (end - p >= 3 && !memcmp(p, "\xef\xbb\xbf", 3)) /* F-6 */
		return fail(c, p, "a byte order mark");
value:
	p = skip_space(p, end);
	switch (peek(p, end)) {
	case '"':
		rc = take_string(c, &p, &o);
		break;
	case '{':
	case '[':
		rc = open_bracket(c, p, o);
		if (rc)
			return rc;
		f = &c->frame[c->depth - 1];
		*o++ = *p++;
		p = skip_space(p, end);
		if (peek(p, end) == f->close)
			goto close;
		if (f->close == ']')
			goto value;
		goto key;
	case '-':
	case '0':
	case '1':
	case '2':
	case '3':
	case '4':
	case '5':
	case '6':
	case '7':
	case '8':
	case '9':
		rc = take_number(c, &p, &o);
		break;
	default:
		rc = take_word(c, &p, &o);
	}
	if (rc)
		return rc;
next:
	p = skip_space(p, end);
	if (!f) {
		if (p < end)
			return fail(c, p, "unexpected text after the value");
		c->len = (size_t)(o - c->out);
		return 0;
	}
	if (peek(p, end) == ',') {
		*o++ = *p++;
		if (f->close == ']')
			goto value;
		p = skip_space(p, end);
		goto key;
	}
	if (peek(p, end) != f->close)
		return fail(c, p,
			    f->close == ']' ? "expected ',' or ']'"
					    : "expected ',' or '}'");
close:
	*o++ = *p++;
	if (f->close == '}') {
		rc = close_object(c, f, o);
		if (rc)
			return rc;
	}
	c->depth--;
	f = c->depth ? f - 1 : NULL;
	goto next;
key:
	rc = take_key(c, f, &p, &o);
	if (rc)
		return rc;
	goto value;
}

/* How many of the plans from lo up to hi end at or before end. */
static size_t plans_before(const struct canon *c, size_t lo, size_t hi,
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

static char *put_before(char *to, const char *text, size_t n)
{
	return memcpy(to - n, text, n);
}

/* Lays the text from at to end out so that it ends at to, and gives where it
 * begins; of the plans up to n, the last is the last in there, if any is.
 * Backwards, because a plan stands behind those inside it. Recurs once per
 * plan around a plan, hence at most FRAMES deep. */
static char *lay(const struct canon *c, uint32_t at, uint32_t end, size_t n,
		 char *to)
{
	const struct plan *plan;
	const struct piece *piece;
	size_t i;

	while (n > 0 && c->plan[n - 1].at >= at) {
		plan = &c->plan[--n];
		to = put_before(to, c->out + plan->end, end - plan->end);
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
	return put_before(to, c->out + at, end - at);
}

static char *lay_piece(const struct canon *c, const struct piece *piece,
		       uint32_t skip, char *to)
{
	return lay(c, piece->at + skip, piece->end,
		   plans_before(c, 0, c->plans, piece->end), to);
}

/* Puts the text that ends with buf, and was laid from its end, in place. */
static void take_over(struct canon *c, char *buf, const char *at, size_t n)
{
	memmove(buf, at, n);
	free(c->out);
	c->out = buf;
	c->len = n;
}

static int lay_value(struct canon *c)
{
	size_t cap = c->len + SLACK;
	char *buf, *at;

	if (!c->plans)
		return 0;
	buf = malloc(cap);
	if (!buf)
		return nomem(c);
	at = lay(c, 0, (uint32_t)c->len, c->plans, buf + cap);
	take_over(c, buf, at, (size_t)(buf + cap - at));
	c->cap = cap;
	return 0;
}

/* {"manifest":M,"metadata":D} of whatever order and form it was; m and d get
 * the bytes of M and D. F-1 */
static int lay_document(struct canon *c, size_t *m, size_t *d)
{
	const struct piece *piece = c->piece + c->root.piece, *man = NULL;
	size_t cap = c->len + SLACK, n = c->root.pieces, i;
	char *buf, *to, *end;
	int more = 0;

	buf = malloc(cap);
	if (!buf)
		return nomem(c);
	to = buf + cap;
	*--to = '}';
	end = to;
	if (!c->metadata.at)
		*--to = '}';
	for (i = n; i-- > 0;) {
		if (piece[i].at + HEAD == c->manifest.at) {
			man = &piece[i];
		} else if (c->metadata.at) {
			to = lay_piece(c, &piece[i], HEAD, to);
		} else {
			if (more)
				*--to = ',';
			more = 1;
			to = lay_piece(c, &piece[i], 0, to);
		}
	}
	if (!c->metadata.at)
		*--to = '{';
	*d = (size_t)(end - to);
	to = put_before(to, ",\"metadata\":", HEAD + 1);
	end = to;
	if (man) /* there is one, see check_shape() */
		to = lay_piece(c, man, HEAD, to);
	*m = (size_t)(end - to);
	to = put_before(to, "{\"manifest\":", HEAD + 1);
	take_over(c, buf, to, (size_t)(buf + cap - to));
	c->cap = cap;
	return 0;
}

/* The same without a copy, for what already is in order. */
static int settle_document(struct canon *c, size_t *m, size_t *d)
{
	const struct piece *piece = c->piece + c->root.piece;
	size_t comma = c->root.pieces > 1;
	char *gap;

	if (c->disorder || c->plans || piece->at + HEAD != c->manifest.at)
		return lay_document(c, m, d);
	*m = piece->end - c->manifest.at;
	if (!c->metadata.at) {
		/* a build artifact: its members move into a metadata */
		gap = c->out + piece->end + comma;
		memmove(gap + HEAD + 2 - comma, gap,
			(size_t)(c->out + c->len - gap));
		memcpy(c->out + piece->end, ",\"metadata\":{", HEAD + 2);
		c->len += HEAD + 2 - comma;
		c->out[c->len++] = '}';
	}
	*d = c->len - 1 - (piece->end + HEAD + 1);
	return 0;
}

static int check_shape(struct canon *c)
{
	if (c->out[0] != '{')
		return fail(c, skip_space(c->json, c->end),
			    "a package is an object with a manifest");
	if (!c->manifest.at)
		return fail(c, NULL, "the manifest is missing");
	if (c->out[c->manifest.at] != '{')
		return fail(c, c->manifest.src,
			    "the manifest must be an object");
	if (c->metadata.at && c->out[c->metadata.at] != '{')
		return fail(c, c->metadata.src,
			    "the metadata must be an object");
	if (c->metadata.at && c->stray)
		return fail(c, c->stray,
			    "unexpected key beside manifest and metadata");
	if (!c->id.at)
		return fail(c, c->manifest.src, "manifest.id is missing");
	if (c->out[c->id.at] != '"')
		return fail(c, c->id.src, "manifest.id must be a string");
	if (!c->version.at)
		return fail(c, c->manifest.src, "manifest.version is missing");
	if (c->out[c->version.at] != '"')
		return fail(c, c->version.src,
			    "manifest.version must be a string");
	return 0;
}

/* F-9; gives the length, 0 for none, -1 for too long, -2 for what nobody
 * could type. */
static int take_name(const struct canon *c, const struct noted *at, char *out,
		     size_t cap)
{
	const char *p = c->out + at->at + 1, *q = p;
	struct pk_span inside;
	int n;

	while (*q != '"')
		q += *q == '\\' ? 2 : 1;
	inside.at = p;
	inside.size = (size_t)(q - p);
	n = pk_json_unescape(inside, out, cap);
	return n > 0 && !pk_is_plain(out, (size_t)n) ? -2 : n;
}

static int check_names(struct canon *c, struct pk_document *doc)
{
	int n = take_name(c, &c->id, doc->id, sizeof(doc->id));

	if (n == -2)
		return limit(c, c->id.src,
			     "manifest.id has a control character");
	if (n <= 0)
		return limit(c, c->id.src,
			     n ? "manifest.id is longer than "
				 "214 bytes"
			       : "manifest.id is empty");
	n = take_name(c, &c->version, doc->version, sizeof(doc->version));
	if (n == -2)
		return limit(c, c->version.src,
			     "manifest.version has a control character");
	if (n <= 0)
		return limit(c, c->version.src,
			     n ? "manifest.version is longer than 128 bytes"
			       : "manifest.version is empty");
	if (!strcmp(doc->version, "latest"))
		return limit(c, c->version.src,
			     "no version may be called latest");
	return 0;
}

static int start(struct canon *c, const char *json, size_t size, int document)
{
	memset(c, 0, offsetof(struct canon, frame));
	c->document = document;
	c->deepest = PK_DEPTH_MAX;
	if (size > PK_SOURCE_MAX) /* F-8 */
		return limit(c, NULL, "the text is larger than 512 MiB");
	c->json = size ? json : "";
	c->end = c->json + size;
	c->cap = size + SLACK;
	c->out = malloc(c->cap);
	return c->out ? 0 : nomem(c);
}

/* The text without the room it was written in, or an error with its place.
 * Reading for the place only now keeps the way there free of counting. */
static int finish(struct canon *c, int rc, size_t most,
		  struct pk_canon_error *err)
{
	char *out;

	if (most == 0 || most > PK_DOCUMENT_MAX)
		most = PK_DOCUMENT_MAX;
	if (!rc && c->len > most) /* F-8 */
		rc = limit(c, NULL, "the canonical text is too large");
	free(c->member);
	free(c->plan);
	free(c->piece);
	if (!rc) {
		c->out[c->len] = '\0';
		if (c->cap - c->len > SLACK + c->len / 8) {
			out = realloc(c->out, c->len + 1);
			c->out = out ? out : c->out;
		}
		return 0;
	}
	free(c->out);
	if (!err)
		return rc;
	err->what = c->what;
	err->line = err->column = 0;
	if (c->bad) {
		err->line = err->column = 1;
		for (const char *p = c->json; p < c->bad; p++) {
			if (*p == '\n') {
				err->line++;
				err->column = 1;
			} else if ((*p & 0xc0) != 0x80) {
				err->column++;
			}
		}
	}
	return rc;
}

int pk_value_canon(const char *json, size_t size, size_t most, char **out,
		   size_t *out_size, struct pk_canon_error *err)
{
	struct canon c;
	int rc = start(&c, json, size, 0);

	if (!rc)
		rc = run(&c);
	if (!rc)
		rc = lay_value(&c);
	rc = finish(&c, rc, most, err);
	if (rc)
		return rc;
	*out = c.out;
	*out_size = c.len;
	return 0;
}

int pk_document_canon(const char *json, size_t size, size_t most,
		      struct pk_document *out, struct pk_canon_error *err)
{
	struct pk_document doc;
	size_t m = 0, d = 0;
	struct canon c;
	int rc = start(&c, json, size, 1);

	if (!rc)
		rc = run(&c);
	if (!rc)
		rc = check_shape(&c);
	if (!rc)
		rc = check_names(&c, &doc);
	if (!rc)
		rc = settle_document(&c, &m, &d);
	rc = finish(&c, rc, most, err);
	if (rc)
		return rc;
	doc.text = c.out;
	doc.size = c.len;
	doc.manifest.at = c.out + HEAD + 1;
	doc.manifest.size = m;
	doc.metadata.at = doc.manifest.at + m + HEAD + 1;
	doc.metadata.size = d;
	*out = doc;
	return 0;
}

void pk_document_release(struct pk_document *doc)
{
	if (!doc)
		return;
	free(doc->text);
	memset(doc, 0, sizeof(*doc));
}
