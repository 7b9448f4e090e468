/* dump.c - one file of a store as text for people.
 *
 * What a file is follows from its place: the end of its path. What is
 * damaged is said where it stands, and what can be read is printed first.
 */
#include "store.h"
#include "base64.h"
#include "hex.h"
#include "io.h"
#include "objpath.h"

#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>

#define FILE_MAX ((size_t)80 << 20)

struct dump {
	pakhus_write_fn *write;
	void *arg;
	struct pakhus_error *err;
	const char *path;
	const char *bytes;
	size_t size;
	int rc; /* of write; nothing is written after the first that failed */
};

static void say(struct dump *d, const char *fmt, ...)
{
	char text[1024];
	va_list ap;
	int n;

	if (d->rc)
		return;
	va_start(ap, fmt);
	n = vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	if (n >= (int)sizeof(text))
		n = sizeof(text) - 1;
	d->rc = d->write(d->arg, text, (size_t)n);
}

static void say_bytes(struct dump *d, const void *bytes, size_t size)
{
	if (!d->rc)
		d->rc = d->write(d->arg, bytes, size);
}

static int broken(struct dump *d, const char *fault)
{
	return pk_fail(d->err, PAKHUS_ECORRUPT, "%s: %s", d->path, fault);
}

/* ---- each kind ---- */

static int dump_text(struct dump *d)
{
	say_bytes(d, d->bytes, d->size);
	return 0;
}

static int dump_format(struct dump *d)
{
	struct pk_format f;
	const char *fault;

	dump_text(d);
	fault = pk_format_decode(d->bytes, d->size, &f);
	return fault ? broken(d, fault) : 0;
}

static int dump_key(struct dump *d)
{
	struct pk_vkey k;
	const char *fault;

	dump_text(d);
	fault = pk_vkey_decode(d->bytes, d->size ? d->size - 1 : 0, &k);
	if (!fault && !pk_vkey_is_sound(&k))
		fault = "F-36 the key's id is not that of its name and key";
	return fault ? broken(d, fault) : 0;
}

/* Who signed the note of a rotation is for who has the keys to say. */
static int dump_checkpoint(struct dump *d)
{
	struct pk_bytes text, signatures;
	struct pk_checkpoint c;
	const char *fault;

	dump_text(d);
	fault = pk_note_decode(d->bytes, d->size, &text, &signatures);
	if (!fault)
		fault = pk_checkpoint_decode(text, &c);
	return fault ? broken(d, fault) : 0;
}

static int dump_object(struct dump *d)
{
	unsigned char hash[PK_HASH_SIZE];
	char hex[PK_HEX_SIZE + 1];
	struct pk_trailer t;
	const char *fault;

	pk_objpath_parse(d->path, hash);
	if (d->size <= PK_TRAILER_SIZE)
		return broken(d, "F-12 shorter than a trailer");
	fault = pk_trailer_decode((const unsigned char *)d->bytes + d->size -
					  PK_TRAILER_SIZE, hash, &t);
	if (fault)
		return broken(d, fault);
	pk_hex(hash, PK_HASH_SIZE, hex);
	say(d, "object %s\n", hex);
	say(d, "encoding %s\n", t.encoding == PK_WHOLE ? "whole" : "delta");
	say(d, "depth %u\n", t.depth);
	say(d, "text %llu bytes\n", (unsigned long long)t.raw_size);
	say(d, "frame %zu bytes\n", d->size - PK_TRAILER_SIZE);
	if (t.encoding == PK_DELTA) {
		pk_hex(t.base, PK_HASH_SIZE, hex);
		say(d, "base %s\n", hex);
	}
	return 0;
}

static int dump_tile(struct dump *d, const struct pk_tile *t)
{
	char hex[PK_HEX_SIZE + 1];
	uint64_t first = t->index * PK_TILE_WIDTH;

	for (size_t i = 0; (i + 1) * PK_HASH_SIZE <= d->size; i++) {
		pk_hex((const unsigned char *)d->bytes + i * PK_HASH_SIZE,
		       PK_HASH_SIZE, hex);
		say(d, "%llu %s\n", (unsigned long long)(first + i), hex);
	}
	return d->size == t->width * (size_t)PK_HASH_SIZE
		       ? 0
		       : broken(d, "F-33 the size is not that of its hashes");
}

static int dump_bundle(struct dump *d, const struct pk_tile *t)
{
	struct pk_bytes b = { (const unsigned char *)d->bytes, d->size };
	struct pk_bytes line;
	uint64_t seq = t->index * PK_TILE_WIDTH;
	AUTO_FREE struct pk_entry *e = malloc(sizeof(*e));
	int more;

	if (!e)
		return pk_fail_nomem(d->err);
	while ((more = pk_bundle_next(&b, &line)) == 1) {
		const char *fault = pk_entry_decode((const char *)line.at,
						    line.left, e);

		say(d, "%llu ", (unsigned long long)seq++);
		say_bytes(d, line.at, line.left);
		say(d, fault ? " (%s)\n" : "\n", fault);
	}
	if (more)
		return broken(d, "F-30 an entry goes beyond the file");
	return seq - t->index * PK_TILE_WIDTH == t->width
		       ? 0
		       : broken(d, "F-31 the number of entries is not that of "
				   "its name");
}

static void dump_record(struct dump *d, uint64_t at, const struct pk_record *r,
			const unsigned char *payload)
{
	struct pk_bytes b = { payload, r->payload }, line;
	char hex[PK_HEX_SIZE + 1];
	struct pk_text t;

	pk_hex(r->generation, PK_GENERATION_SIZE, hex);
	say(d, "at %llu: generation %s, entries %llu to %llu, %llu durable, "
	       "%llu bytes\n", (unsigned long long)at, hex,
	    (unsigned long long)r->seq,
	    (unsigned long long)(r->seq + r->entries - 1),
	    (unsigned long long)r->durable, (unsigned long long)r->payload);
	for (uint32_t i = 0; i < r->entries; i++) {
		pk_bundle_next(&b, &line);
		say(d, "  %llu ", (unsigned long long)(r->seq + i));
		say_bytes(d, line.at, line.left);
		say(d, "\n");
	}
	while (b.left && pk_text_next(&b, &t) == 1) {
		pk_hex(t.hash, PK_HASH_SIZE, hex);
		say(d, "  text %s %llu bytes\n", hex,
		    (unsigned long long)t.size);
	}
}

/* Every boundary where a whole record begins, of whatever generation. */
static int dump_slot(struct dump *d)
{
	for (uint64_t at = 0; at + PK_RECORD_HEADER <= d->size;) {
		const unsigned char *p = (const unsigned char *)d->bytes + at;
		struct pk_record r;
		uint64_t sum;

		if (pk_record_decode(p, &r, &sum) ||
		    r.payload > d->size - at - PK_RECORD_HEADER ||
		    pk_record_check(&r, p + PK_RECORD_HEADER)) {
			at += PK_BLOCK;
			continue;
		}
		dump_record(d, at, &r, p + PK_RECORD_HEADER);
		at += pk_record_span(r.payload);
	}
	return 0;
}

/* ---- which kind ---- */

static int ends_with(const char *path, const char *end)
{
	size_t n = strlen(path), m = strlen(end);

	return n >= m && !strcmp(path + n - m, end) &&
	       (n == m || path[n - m - 1] == '/');
}

/* A name in keys/ of 8 digits and an end. */
static int is_key(const char *path, const char *end)
{
	const char *slash = strrchr(path, '/');
	unsigned char id[4];

	return slash && slash - path >= 4 && !memcmp(slash - 4, "keys", 4) &&
	       strlen(slash + 1) >= 8 && !pk_unhex(slash + 1, id, 4) &&
	       !strcmp(slash + 9, end);
}

static int dump(struct dump *d)
{
	unsigned char hash[PK_HASH_SIZE];
	const char *tile = strstr(d->path, "tile/");
	struct pk_tile t;

	if (ends_with(d->path, "FORMAT"))
		return dump_format(d);
	if (ends_with(d->path, "log/checkpoint") ||
	    ends_with(d->path, "local/last-signed") ||
	    is_key(d->path, ".next"))
		return dump_checkpoint(d);
	if (is_key(d->path, ""))
		return dump_key(d);
	if (!pk_objpath_parse(d->path, hash))
		return dump_object(d);
	if (ends_with(d->path, "slot-0") || ends_with(d->path, "slot-1"))
		return dump_slot(d);
	/* the last "tile/" of the path, as a store may lie below another */
	for (const char *next = tile; next; next = strstr(next + 1, "tile/"))
		tile = next;
	if (tile && !pk_tile_parse(tile, &t))
		return t.level < 0 ? dump_bundle(d, &t) : dump_tile(d, &t);
	return pk_fail(d->err, PAKHUS_EINVAL,
		       "%s: its place is not that of a store's file (FORMAT, "
		       "keys/…, log/checkpoint, log/tile/…, objects/…, "
		       "local/slot-…)", d->path);
}

int pakhus_dump(const char *path, pakhus_write_fn *write, void *arg,
		struct pakhus_error *err)
{
	AUTO_FREE char *bytes = NULL;
	struct dump d = { .write = write, .arg = arg, .err = err,
			  .path = path };
	int rc;

	pk_error_init(err);
	rc = pk_read_file(AT_FDCWD, path, FILE_MAX, &bytes, &d.size, err);
	if (rc)
		return rc;
	d.bytes = bytes;
	rc = dump(&d);
	if (d.rc)
		return pk_fail(err, PAKHUS_ECANCELED, "%s: not all was taken",
			       path);
	return rc;
}
