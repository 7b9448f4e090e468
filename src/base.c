#include "base.h"

/* The length of major.minor in a version. */
static size_t minor_length(const char *version)
{
	const char *dot = strchr(version, '.');

	dot = dot ? strchr(dot + 1, '.') : NULL;
	return dot ? (size_t)(dot - version) : strlen(version);
}

static int same_minor(const char *a, const char *b)
{
	size_t n = minor_length(a);

	return n == minor_length(b) && !memcmp(a, b, n);
}

/* The depth of a text that is being encoded; it is known before the end,
 * unless there is a choice. */
struct depth {
	const unsigned char *hash;
	unsigned depth;
	int is_known;
};

static int must_wait(void *arg, void *p)
{
	struct depth *d = arg;
	const struct pk_task *t = p;

	if (memcmp(d->hash, t->hash, PK_HASH_SIZE))
		return 0;
	if (t->bases == 2)
		return 1;
	d->depth = t->bases ? t->base[0].depth + 1 : 0;
	d->is_known = 1;
	return 0;
}

/* Whether an object that was there is, with all that it needs. After a crash
 * one can be there without its base; and that may be the text that looks for
 * a base now, where it was published again behind what is made against it. */
static int is_complete(const struct pk_choice *c, const unsigned char *hash)
{
	unsigned char chain[PK_CHAIN_MAX + 1][PK_HASH_SIZE];
	struct pk_trailer t = { .depth = PK_CHAIN_MAX + 1 };
	int dir = c->store->env->dir;
	unsigned n = 0, above;

	memcpy(t.base, hash, PK_HASH_SIZE);
	do {
		memcpy(chain[n], t.base, PK_HASH_SIZE);
		if (pk_set_has(c->seen, chain[n]) ||
		    pk_set_has(c->complete, chain[n]))
			break;
		above = t.depth;
		if (pk_object_exists(dir, chain[n], NULL) != 1 ||
		    pk_object_trailer(dir, chain[n], &t, NULL) ||
		    t.depth >= above)
			return 0;
		n++;
	} while (t.depth);
	while (n)
		if (pk_set_add(c->complete, chain[--n]) < 0)
			return pk_fail_nomem(c->err);
	return 1;
}

/* Whether an object, here or to be, can be a base. One that is damaged or
 * gone cannot; verify speaks of it. */
static int base_depth(const struct pk_choice *c, const unsigned char *hash,
		      unsigned *depth)
{
	struct depth d = { .hash = hash };
	struct pk_trailer t;
	int rc = pk_set_has(c->seen, hash) ? 1 : is_complete(c, hash);

	if (rc != 1)
		return rc;
	rc = pk_crew_wait(c->crew, must_wait, &d, c->err);
	if (rc)
		return rc;
	if (!d.is_known) {
		if (pk_object_trailer(c->store->env->dir, hash, &t, NULL) ||
		    t.raw_size > PK_DELTA_MAX)
			return 0;
		d.depth = t.depth;
	}
	*depth = d.depth;
	return d.depth < PK_CHAIN_MAX;
}

/* Takes the text of a hash as a base, if it can be one: 1, 0 or a failure. */
static int take_base(const struct pk_choice *c, const unsigned char *hash,
		     const struct pk_text *text, struct pk_base *out)
{
	struct pakhus_error e = { .status = 0 };
	struct pk_view v = { .store = c->store, .txn = *c->txn };
	int rc;

	if (!memcmp(hash, text->hash, PK_HASH_SIZE))
		return 0;
	rc = base_depth(c, hash, &out->depth);
	if (rc != 1)
		return rc;
	rc = pk_text(&v, hash, &out->text, &e);
	if (rc)
		return rc == PAKHUS_ENOMEM ? pk_fail_nomem(c->err) : 0;
	memcpy(out->hash, hash, PK_HASH_SIZE);
	return 1;
}

static int base_of_ordinal(const struct pk_choice *c, const char *id,
			   uint64_t ordinal, const struct pk_text *text,
			   struct pk_line *line, struct pk_base *out)
{
	int rc = pk_index_line(c->txn, id, ordinal, line, c->err);

	return rc == 1 && line->is_publish
		       ? take_base(c, line->hash, text, out)
		       : rc < 0 ? rc : 0;
}

/* F-19: n is made against n less 8^k, k its trailing zero digits in base 8;
 * where that one cannot be a base, n's lowest digit that is not zero is
 * cleared whole, and so on. A read decodes 7 texts on average this way and
 * the deltas stay nearly those of a chain; see FORMAT.md. */
static int rule_base(const struct pk_choice *c, const char *id, uint64_t n,
		     const struct pk_text *text, struct pk_line *line,
		     struct pk_base *out)
{
	unsigned shift = 0;
	int rc;

	if (!n)
		return 0;
	while (!(n >> shift & 7))
		shift += 3;
	rc = base_of_ordinal(c, id, n - (UINT64_C(1) << shift), text, line,
			     out);
	while (!rc && n) {
		while (!(n >> shift & 7))
			shift += 3;
		n &= ~(UINT64_C(7) << shift);
		rc = base_of_ordinal(c, id, n, text, line, out);
	}
	return rc;
}

/* In a branched history (2.1.9 after 3.0.0) the rule's base may be of
 * another line than this version; then the one that sorts before it is. */
static int line_base(const struct pk_choice *c, uint64_t seq,
		     const struct pk_entry *e, const struct pk_text *text,
		     const struct pk_base *rule,
		     const struct pk_line *rule_line, struct pk_base *out)
{
	char version[PK_VERSION_MAX + 1];
	struct pk_live live;
	int rc;

	if (!rule->text || same_minor(e->version, rule_line->version))
		return 0;
	rc = pk_index_neighbour(c->txn, e->id, e->version, version, c->err);
	if (rc != 1 || !same_minor(e->version, version))
		return rc < 0 ? rc : 0;
	rc = pk_index_version(c->txn, e->id, version, &live, c->err);
	/* what is newer may be based on this text */
	if (rc != 1 || live.seq >= seq)
		return rc < 0 ? rc : 0;
	return take_base(c, live.hash, text, out);
}

int pk_choose_bases(const struct pk_choice *c, uint64_t seq,
		    const struct pk_entry *e, uint64_t ordinal,
		    const struct pk_text *text, struct pk_task *t)
{
	struct pk_line line;
	int rc = rule_base(c, e->id, ordinal, text, &line, &t->base[0]);

	if (rc != 1)
		return rc;
	rc = line_base(c, seq, e, text, &t->base[0], &line, &t->base[1]);
	t->bases = rc == 1 ? 2 : 1;
	return rc;
}

int pk_choose_attrs_base(const struct pk_choice *c, uint64_t seq,
			 const struct pk_entry *e, const struct pk_text *text,
			 struct pk_task *t)
{
	static const unsigned char none[PK_HASH_SIZE];
	struct pk_attrs now;
	int rc = pk_index_attrs(c->txn, e->id, e->version, &now, c->err);

	if (rc != 1 || now.seq != seq ||
	    !memcmp(now.before, none, PK_HASH_SIZE))
		return rc < 0 ? rc : 0;
	rc = take_base(c, now.before, text, &t->base[0]);
	t->bases = rc == 1;
	return rc;
}
