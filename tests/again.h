/* again.h - every codec of layout/ in one shape: decode, then encode what
 * came out. Tests and fuzz targets ask the same of it: bytes are refused, or
 * they are the one spelling of what they mean and come back unchanged.
 *
 * An again_fn gives how many bytes it wrote to out (AGAIN_MAX of them fit),
 * or -1 where the bytes are refused. What a format passes over, as lines of
 * other signers, is copied, and has to lie inside the input.
 */
#ifndef AGAIN_H
#define AGAIN_H

#include "base64.h"
#include "bundle.h"
#include "candidates.h"
#include "entry.h"
#include "format.h"
#include "hex.h"
#include "key.h"
#include "note.h"
#include "objpath.h"
#include "record.h"
#include "sum.h"
#include "tar.h"
#include "tile.h"
#include "tlogproof.h"
#include "trailer.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#define AGAIN_MAX ((size_t)1 << 18)

typedef long again_fn(const unsigned char *in, size_t size, unsigned char *out);

static inline long again_hex(const unsigned char *in, size_t size,
			     unsigned char *out)
{
	unsigned char *bytes = malloc(size / 2 + 1);
	long n = -1;

	if (size % 2 == 0 && !pk_unhex((const char *)in, bytes, size / 2)) {
		pk_hex(bytes, size / 2, (char *)out);
		n = (long)size;
	}
	free(bytes);
	return n;
}

static inline long again_base64(const unsigned char *in, size_t size,
				unsigned char *out)
{
	size_t cap = size / 4 * 3;
	unsigned char *bytes = malloc(cap ? cap : 1);
	long n = pk_unbase64((const char *)in, size, bytes, cap);

	if (n >= 0)
		n = (long)pk_base64(bytes, (size_t)n, (char *)out);
	free(bytes);
	return n;
}

static inline long again_candidates(const unsigned char *in, size_t size,
				    unsigned char *out)
{
	struct pk_candidates c;
	uint64_t since = 0;

	if (pk_candidates_decode((struct pk_bytes){ in, size }, &c))
		return -1;
	pk_candidates_begin(out, c.entries, c.n);
	for (uint64_t i = 0; i < c.n; i++) {
		const unsigned char *hash = c.at + i * PK_CANDIDATE_SIZE;

		assert(pk_candidates_find(&c, hash, &since) == 1);
		pk_candidates_put(out, i, hash, since);
	}
	pk_candidates_end(out, c.n);
	return (long)PK_CANDIDATES_SIZE(c.n);
}

/* The object that a trailer here belongs to. */
static const unsigned char again_name[PK_HASH_SIZE] = { 1, 2, 3, 4, 5,
							6, 7, 8, 9 };

static inline long again_trailer(const unsigned char *in, size_t size,
				 unsigned char *out)
{
	struct pk_trailer t;

	if (size != PK_TRAILER_SIZE ||
	    pk_trailer_decode(in, again_name, &t))
		return -1;
	pk_trailer_encode(&t, again_name, out);
	return PK_TRAILER_SIZE;
}

static inline long again_entry(const unsigned char *in, size_t size,
			       unsigned char *out)
{
	struct pk_entry e;

	if (pk_entry_decode((const char *)in, size, &e))
		return -1;
	return (long)pk_entry_encode(&e, (char *)out);
}

/* The two that take a path that ends in a NUL. */
static inline long again_tile(const unsigned char *in, size_t size,
			      unsigned char *out)
{
	char *path = strndup((const char *)in, size);
	struct pk_tile t;
	long n = -1;

	if (strlen(path) == size && !pk_tile_parse(path, &t)) {
		pk_tile_path(&t, (char *)out);
		n = (long)strlen((char *)out);
	}
	free(path);
	return n;
}

static inline long again_objpath(const unsigned char *in, size_t size,
				 unsigned char *out)
{
	char *path = strndup((const char *)in, size);
	unsigned char hash[PK_HASH_SIZE];
	char tail[PK_OBJPATH_SIZE];
	size_t head = size - (PK_HEX_SIZE + 1);
	long n = -1;

	if (strlen(path) == size && !pk_objpath_parse(path, hash)) {
		pk_objpath(hash, tail);
		memcpy(out, in, head); /* whatever directory it is in */
		memcpy(out + head, tail + strlen("objects/"), PK_HEX_SIZE + 1);
		n = (long)size;
	}
	free(path);
	return n;
}

static inline long again_bundle(const unsigned char *in, size_t size,
				unsigned char *out)
{
	struct pk_bytes b = { in, size }, line;
	unsigned char *p = out;
	int rc;

	while ((rc = pk_bundle_next(&b, &line)) == 1)
		p += pk_bundle_put(p, line.at, line.left);
	return rc ? -1 : p - out;
}

static inline long again_vkey(const unsigned char *in, size_t size,
			      unsigned char *out)
{
	struct pk_vkey k;

	if (pk_vkey_decode((const char *)in, size, &k))
		return -1;
	pk_vkey_encode(&k, (char *)out);
	return (long)strlen((char *)out);
}

static inline long again_signatures(const unsigned char *in, size_t size,
				    unsigned char *out)
{
	struct pk_bytes b = { in, size };
	struct pk_signature s;
	unsigned char *p = out;
	int rc;

	for (;;) {
		const unsigned char *from = b.at;

		rc = pk_signature_next(&b, &s);
		if (rc != 1)
			return rc ? -1 : p - out;
		if (s.is_ed25519) {
			p += pk_signature_encode(&s, (char *)p);
		} else {
			memcpy(p, from, (size_t)(b.at - from));
			p += b.at - from;
		}
	}
}

static inline long again_checkpoint(const unsigned char *in, size_t size,
				    unsigned char *out)
{
	struct pk_bytes b = { in, size };
	struct pk_checkpoint c;
	size_t n;

	if (pk_checkpoint_decode(b, &c))
		return -1;
	c.time = 0; /* it may stand behind lines that are passed over */
	n = pk_checkpoint_encode(&c, (char *)out);
	assert(n <= size);
	memcpy(out + n, in + n, size - n);
	return (long)size;
}

/* A checkpoint in a note with its signatures. */
static inline long again_note(const unsigned char *in, size_t size,
			      unsigned char *out)
{
	struct pk_bytes text, signatures;
	long n, m;

	if (pk_note_decode((const char *)in, size, &text, &signatures))
		return -1;
	n = again_checkpoint(text.at, text.left, out);
	if (n < 0)
		return -1;
	out[n++] = '\n';
	m = again_signatures(signatures.at, signatures.left, out + n);
	return m < 0 ? -1 : n + m;
}

/* The proof around its note, which is any here. */
static inline long again_proof(const unsigned char *in, size_t size,
			       unsigned char *out)
{
	struct pk_proof p;

	if (pk_proof_decode((const char *)in, size, &p))
		return -1;
	assert(p.note.at + p.note.left == in + size);
	return (long)pk_proof_encode(&p, (char *)out);
}

static inline long again_growth(const unsigned char *in, size_t size,
				unsigned char *out)
{
	struct pk_growth g;

	if (pk_growth_decode((const char *)in, size, &g))
		return -1;
	return (long)pk_growth_encode(&g, (char *)out);
}

static inline long again_format(const unsigned char *in, size_t size,
				unsigned char *out)
{
	struct pk_format f;

	if (pk_format_decode((const char *)in, size, &f))
		return -1;
	return (long)pk_format_encode(&f, (char *)out);
}

static inline long again_tar(const unsigned char *in, size_t size,
			     unsigned char *out)
{
	struct pk_tar t;

	if (size != PK_TAR_BLOCK || pk_tar_decode(in, &t))
		return -1;
	pk_tar_encode(&t, out);
	return PK_TAR_BLOCK;
}

static inline long again_stick(const unsigned char *in, size_t size,
			       unsigned char *out)
{
	struct pk_bundle b;

	if (pk_bundle_decode((const char *)in, size, &b))
		return -1;
	return (long)pk_bundle_encode(&b, (char *)out);
}

static inline long again_member(const unsigned char *in, size_t size,
				unsigned char *out)
{
	char *name = strndup((const char *)in, size);
	struct pk_member m;
	long n = -1;

	if (strlen(name) == size && !pk_member_parse(name, &m)) {
		pk_member_name(&m, (char *)out);
		n = (long)strlen((char *)out);
	}
	free(name);
	return n;
}

/* A header, and the payload it speaks of. */
static inline long again_record(const unsigned char *in, size_t size,
				unsigned char *out)
{
	struct pk_record r;
	struct pk_bytes b, line;
	struct pk_text t;
	unsigned char *p = out + PK_RECORD_HEADER;
	uint64_t sum;

	if (size < PK_RECORD_HEADER || pk_record_decode(in, &r, &sum) ||
	    r.payload != size - PK_RECORD_HEADER ||
	    pk_record_check(&r, in + PK_RECORD_HEADER))
		return -1;
	b = (struct pk_bytes){ in + PK_RECORD_HEADER, r.payload };
	for (uint32_t i = 0; i < r.entries && pk_bundle_next(&b, &line); i++)
		p += pk_bundle_put(p, line.at, line.left);
	while (b.left && pk_text_next(&b, &t) == 1) {
		pk_text_header(p, t.hash, t.size);
		p += PK_TEXT_HEADER;
		memcpy(p, t.text, t.size);
		p += t.size;
	}
	r.payload_sum = pk_sum(0, out + PK_RECORD_HEADER,
			       (size_t)(p - out) - PK_RECORD_HEADER);
	assert(pk_record_encode(&r, out) == sum);
	return p - out;
}

/* The values of the index. The first byte says how many bytes of key follow
 * it; the value is the rest. */
#define AGAIN_VALUE(kind)                                                      \
	static inline long again_##kind(const unsigned char *in, size_t size,  \
					unsigned char *out)                    \
	{                                                                      \
		struct pk_bytes key, value = { in, size };                     \
		struct pk_##kind v;                                            \
		struct pk_key k;                                               \
		const unsigned char *head = pk_take(&value, 1);                \
									       \
		if (!head)                                                     \
			return -1;                                             \
		k.size = key.left = *head;                                     \
		key.at = pk_take(&value, key.left);                            \
		if (!key.at || pk_##kind##_decode(key, value, &v))             \
			return -1;                                             \
		memcpy(k.bytes, key.at, k.size);                               \
		memcpy(out, in, 1 + k.size);                                   \
		out += 1 + k.size;                                             \
		return (long)(1 + k.size + pk_##kind##_encode(&k, &v, out));   \
	}
AGAIN_VALUE(line)
AGAIN_VALUE(attrs)
AGAIN_VALUE(head)
AGAIN_VALUE(live)
AGAIN_VALUE(latest)
AGAIN_VALUE(location)
AGAIN_VALUE(purged)
AGAIN_VALUE(stamp)

#endif
