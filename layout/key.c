#include "key.h"
#include "sum.h"

static const char bad_sum[] = "F-61 a value's checksum does not match";
static const char bad_size[] = "F-62 a value's size is not its kind's";

/* ---- keys ---- */

static void add(struct pk_key *k, const void *bytes, size_t n)
{
	memcpy(k->bytes + k->size, bytes, n);
	k->size += n;
}

static void add_be64(struct pk_key *k, uint64_t v)
{
	pk_put_be64(k->bytes + k->size, v);
	k->size += 8;
}

void pk_key_id(struct pk_key *k, const char *id)
{
	k->size = 0;
	add(k, id, strlen(id));
}

void pk_key_entry(struct pk_key *k, const char *id, uint64_t ordinal,
		  uint64_t seq)
{
	k->size = 0;
	add(k, id, strlen(id) + 1);
	add_be64(k, ordinal);
	add_be64(k, seq);
}

void pk_key_place(struct pk_key *k, uint64_t place)
{
	k->size = 0;
	add_be64(k, place);
}

void pk_key_hash(struct pk_key *k, const unsigned char hash[PK_HASH_SIZE])
{
	k->size = 0;
	add(k, hash, PK_HASH_SIZE);
}

void pk_key_version(struct pk_key *k, const char *id, const char *version)
{
	k->size = 0;
	add(k, id, strlen(id) + 1);
	add(k, version, strlen(version));
}

void pk_key_stamp(struct pk_key *k)
{
	pk_key_id(k, "stamp");
}

int pk_key_entry_decode(struct pk_bytes key, const char *id, uint64_t *ordinal,
			uint64_t *seq)
{
	size_t n = strlen(id) + 1;

	if (key.left != n + 16 || memcmp(key.at, id, n))
		return -1;
	*ordinal = pk_be64(key.at + n);
	*seq = pk_be64(key.at + n + 8);
	return 0;
}

/* ---- values: a cursor that writes, and one that reads ---- */

static unsigned char *w8(unsigned char *p, int v)
{
	*p = (unsigned char)v;
	return p + 1;
}

static unsigned char *w64(unsigned char *p, uint64_t v)
{
	pk_put_le64(p, v);
	return p + 8;
}

static unsigned char *wn(unsigned char *p, const void *bytes, size_t n)
{
	memcpy(p, bytes, n);
	return p + n;
}

static unsigned char *wtext(unsigned char *p, const char *s)
{
	size_t n = strlen(s);

	return wn(w8(p, (int)n), s, n);
}

static uint64_t sum_of(const void *key, size_t key_size, const void *value,
		       size_t size)
{
	return pk_sum(pk_sum(0, key, key_size), value, size);
}

static size_t seal(const struct pk_key *k, unsigned char *from,
		   unsigned char *end)
{
	size_t n = (size_t)(end - from);

	w64(end, sum_of(k->bytes, k->size, from, n));
	return n + 8;
}

static int r8(struct pk_bytes *b, int *v, int max)
{
	const unsigned char *p = pk_take(b, 1);

	if (p)
		*v = *p;
	return p && *p <= max ? 0 : -1;
}

static int r64(struct pk_bytes *b, uint64_t *v)
{
	const unsigned char *p = pk_take(b, 8);

	if (p)
		*v = pk_le64(p);
	return p ? 0 : -1;
}

static int rn(struct pk_bytes *b, void *out, size_t n)
{
	const unsigned char *p = pk_take(b, n);

	if (p)
		memcpy(out, p, n);
	return p ? 0 : -1;
}

static int rtext(struct pk_bytes *b, char *out, int max)
{
	int n;

	if (r8(b, &n, max) || rn(b, out, (size_t)n))
		return -1;
	out[n] = '\0';
	return memchr(out, '\0', (size_t)n) ? -1 : 0;
}

static const char *open_value(struct pk_bytes key, struct pk_bytes *value)
{
	size_t n = value->left;

	/* the size before the checksum, which would read all of it */
	if (n < 8 || n > PK_VALUE_MAX)
		return bad_size;
	n -= 8;
	if (pk_le64(value->at + n) !=
	    sum_of(key.at, key.left, value->at, n))
		return bad_sum;
	value->left = n;
	return NULL;
}

const char *pk_value_check(struct pk_bytes key, struct pk_bytes value)
{
	return open_value(key, &value);
}

static const char *done(int failed, struct pk_bytes rest)
{
	return failed || rest.left ? bad_size : NULL;
}

/* ---- each kind ---- */

size_t pk_line_encode(const struct pk_key *k, const struct pk_line *v,
		      unsigned char *out)
{
	unsigned char *p = w8(out, v->is_publish | v->is_place << 1 |
					   v->is_attrs << 2);

	p = wn(p, v->hash, PK_HASH_SIZE);
	return seal(k, out, wtext(p, v->version));
}

const char *pk_line_decode(struct pk_bytes key, struct pk_bytes value,
			   struct pk_line *v)
{
	const char *fault = open_value(key, &value);
	int flags = 0, bad;

	if (fault)
		return fault;
	bad = r8(&value, &flags, 4) || rn(&value, v->hash, PK_HASH_SIZE) ||
	      rtext(&value, v->version, PK_VERSION_MAX);
	v->is_publish = flags & 1;
	v->is_place = flags >> 1 & 1;
	v->is_attrs = flags >> 2;
	return done(bad, value);
}

size_t pk_head_encode(const struct pk_key *k, const struct pk_head *v,
		      unsigned char *out)
{
	return seal(k, out, w64(w64(w64(out, v->publishes), v->live),
				v->place));
}

const char *pk_head_decode(struct pk_bytes key, struct pk_bytes value,
			   struct pk_head *v)
{
	const char *fault = open_value(key, &value);
	int bad;

	if (fault)
		return fault;
	bad = r64(&value, &v->publishes) || r64(&value, &v->live) ||
	      r64(&value, &v->place);
	return done(bad, value);
}

static unsigned char *wlive(unsigned char *p, const struct pk_live *v)
{
	p = w64(w64(w8(p, v->is_live), v->seq), v->place);
	p = w64(w64(w64(p, v->place_ordinal), v->created), v->updated);
	p = w64(w64(p, v->manifest_size), v->metadata_size);
	return wn(p, v->hash, PK_HASH_SIZE);
}

static int rlive(struct pk_bytes *b, struct pk_live *v)
{
	return r8(b, &v->is_live, 1) || r64(b, &v->seq) || r64(b, &v->place) ||
	       r64(b, &v->place_ordinal) || r64(b, &v->created) ||
	       r64(b, &v->updated) || r64(b, &v->manifest_size) ||
	       r64(b, &v->metadata_size) || rn(b, v->hash, PK_HASH_SIZE);
}

size_t pk_live_encode(const struct pk_key *k, const struct pk_live *v,
		      unsigned char *out)
{
	return seal(k, out, wlive(out, v));
}

const char *pk_live_decode(struct pk_bytes key, struct pk_bytes value,
			   struct pk_live *v)
{
	const char *fault = open_value(key, &value);

	if (fault)
		return fault;
	return done(rlive(&value, v), value);
}

size_t pk_latest_encode(const struct pk_key *k, const struct pk_latest *v,
			unsigned char *out)
{
	unsigned char *p = wlive(out, &v->live);

	p = wtext(wtext(p, v->id), v->version);
	if (v->manifest.at)
		p = wn(p, v->manifest.at, v->manifest.left);
	return seal(k, out, p);
}

const char *pk_latest_decode(struct pk_bytes key, struct pk_bytes value,
			     struct pk_latest *v)
{
	const char *fault = open_value(key, &value);

	if (fault)
		return fault;
	if (rlive(&value, &v->live) || rtext(&value, v->id, PK_ID_MAX) ||
	    rtext(&value, v->version, PK_VERSION_MAX))
		return bad_size;
	v->manifest = value;
	if (!value.left)
		v->manifest.at = NULL; /* a manifest is never empty */
	else if (value.left != v->live.manifest_size)
		return bad_size;
	return NULL;
}

size_t pk_location_encode(const struct pk_key *k, const struct pk_location *v,
			  unsigned char *out)
{
	unsigned char *p = w8(out, (int)v->slot);

	p = wn(p, v->generation, PK_GENERATION_SIZE);
	p = w64(w64(w64(p, v->offset), v->size), v->sum);
	return seal(k, out, w64(p, v->ordinal));
}

const char *pk_location_decode(struct pk_bytes key, struct pk_bytes value,
			       struct pk_location *v)
{
	const char *fault = open_value(key, &value);
	int slot = 0, bad;

	if (fault)
		return fault;
	bad = r8(&value, &slot, 1) ||
	      rn(&value, v->generation, PK_GENERATION_SIZE) ||
	      r64(&value, &v->offset) || r64(&value, &v->size) ||
	      r64(&value, &v->sum) || r64(&value, &v->ordinal) ||
	      v->size > PK_SLOT_MAX;
	v->slot = (unsigned)slot;
	return done(bad, value);
}

size_t pk_purged_encode(const struct pk_key *k, const struct pk_purged *v,
			unsigned char *out)
{
	return seal(k, out, w64(out, v->seq));
}

const char *pk_purged_decode(struct pk_bytes key, struct pk_bytes value,
			     struct pk_purged *v)
{
	const char *fault = open_value(key, &value);

	return fault ? fault : done(r64(&value, &v->seq), value);
}

size_t pk_attrs_encode(const struct pk_key *k, const struct pk_attrs *v,
		       unsigned char *out)
{
	unsigned char *p = w64(w64(w64(out, v->seq), v->time), v->size);

	p = wn(wn(p, v->hash, PK_HASH_SIZE), v->before, PK_HASH_SIZE);
	return seal(k, out, wtext(p, v->by));
}

const char *pk_attrs_decode(struct pk_bytes key, struct pk_bytes value,
			    struct pk_attrs *v)
{
	const char *fault = open_value(key, &value);
	int bad;

	if (fault)
		return fault;
	bad = r64(&value, &v->seq) || r64(&value, &v->time) ||
	      r64(&value, &v->size) || rn(&value, v->hash, PK_HASH_SIZE) ||
	      rn(&value, v->before, PK_HASH_SIZE) ||
	      rtext(&value, v->by, PK_BY_MAX);
	return done(bad, value);
}

size_t pk_stamp_encode(const struct pk_key *k, const struct pk_stamp *v,
		       unsigned char *out)
{
	unsigned char *p = wn(out, v->identity, PK_IDENTITY_SIZE);

	p = w64(w64(p, v->inode), v->applied);
	p = w64(w64(p, v->live), v->checkpoint);
	p = wn(wn(p, v->root, PK_HASH_SIZE), v->key, PK_PUBLIC_SIZE);
	return seal(k, out, wn(w64(p, v->since), v->before, PK_PUBLIC_SIZE));
}

const unsigned char *pk_stamp_key(const struct pk_stamp *v, uint64_t size)
{
	return size > v->since ? v->key : v->before; /* F-67 */
}

const char *pk_stamp_decode(struct pk_bytes key, struct pk_bytes value,
			    struct pk_stamp *v)
{
	const char *fault = open_value(key, &value);
	int bad;

	if (fault)
		return fault;
	bad = rn(&value, v->identity, PK_IDENTITY_SIZE) ||
	      r64(&value, &v->inode) || r64(&value, &v->applied) ||
	      r64(&value, &v->live) || r64(&value, &v->checkpoint) ||
	      rn(&value, v->root, PK_HASH_SIZE) ||
	      rn(&value, v->key, PK_PUBLIC_SIZE) || r64(&value, &v->since) ||
	      rn(&value, v->before, PK_PUBLIC_SIZE);
	return done(bad, value);
}
