#include "object.h"
#include "auto.h"
#include "hex.h"
#include "io.h"
#include "objpath.h"
#include "canon.h"
#include "tmpfile.h"
#include "zst.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>


#define FROM_SIZE (sizeof(PK_INCOMING) + PK_OBJPATH_SIZE)

static void from_path(enum pk_from from, const unsigned char *hash,
		      char out[FROM_SIZE])
{
	char hex[PK_HEX_SIZE + 1];

	if (from == PK_FROM_INCOMING) {
		memcpy(out, PK_INCOMING "/", sizeof(PK_INCOMING));
		pk_objpath(hash, out + sizeof(PK_INCOMING));
		return;
	}
	pk_hex(hash, PK_HASH_SIZE, hex);
	sprintf(out, PK_STAGE "/%s", hex);
}

int pk_object_exists(int dir, const unsigned char hash[PK_HASH_SIZE],
		     struct pakhus_error *err)
{
	char path[PK_OBJPATH_SIZE];

	pk_objpath(hash, path);
	return pk_exists(dir, path, err);
}

int pk_object_trailer(int dir, const unsigned char hash[PK_HASH_SIZE],
		      struct pk_trailer *t, struct pakhus_error *err)
{
	unsigned char bytes[PK_TRAILER_SIZE];
	char path[PK_OBJPATH_SIZE], staged[FROM_SIZE];
	AUTO_CLOSE int fd = -1;
	struct stat st;
	const char *fault;
	ssize_t n = 0;

	pk_objpath(hash, path);
	fd = openat(dir, path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	if (fd < 0 && errno == ENOENT) {
		from_path(PK_FROM_STAGE, hash, staged);
		fd = openat(dir, staged, O_RDONLY | O_CLOEXEC);
	}
	if (fd < 0 || fstat(fd, &st))
		return pk_fail_sys(err, "%s", path);
	if (!S_ISREG(st.st_mode))
		return pk_fail(err, PAKHUS_ECORRUPT,
			       "%s: F-43 is not a regular file", path);
	if (st.st_size > PK_TRAILER_SIZE)
		n = pk_pread(fd, bytes, sizeof(bytes),
			     (uint64_t)st.st_size - sizeof(bytes));
	if (n < 0)
		return pk_fail_sys(err, "%s", path);
	if (n != sizeof(bytes))
		return pk_fail(err, PAKHUS_ECORRUPT,
			       "%s: F-12 shorter than a trailer", path);
	fault = pk_trailer_decode(bytes, hash, t);
	if (fault)
		return pk_fail(err, PAKHUS_ECORRUPT, "%s: %s", path, fault);
	return 0;
}

/* ---- reading ---- */

#define ONE_READ ((size_t)64 << 10) /* a file as long comes whole */
#define KEEP_MAX ((size_t)1 << 20) /* a longer buffer is not kept */

/* Bytes that grow and are kept. */
struct room {
	char *bytes;
	size_t cap;
};

/* What one read uses and the next one can use again. */
struct pk_reader {
	struct pk_zst_decoder *decoder;
	struct room files;   /* the files of a chain, one behind the other */
	struct room text[2]; /* a base that nobody keeps, and what is made
				of it, by turns */
};

static void reader_free(struct pk_reader *r)
{
	if (!r)
		return;
	pk_zst_decoder_free(r->decoder);
	free(r->files.bytes);
	free(r->text[0].bytes);
	free(r->text[1].bytes);
	free(r);
}

void pk_kept_release(struct pk_kept *k)
{
	reader_free(atomic_exchange(&k->reader, NULL));
}

static struct pk_reader *reader_take(struct pk_kept *k)
{
	struct pk_reader *r = k ? atomic_exchange(&k->reader, NULL) : NULL;

	if (r)
		return r;
	r = calloc(1, sizeof(*r));
	if (r)
		r->decoder = pk_zst_decoder_new();
	if (r && r->decoder)
		return r;
	free(r);
	return NULL;
}

static void reader_give(struct pk_kept *k, struct pk_reader *r)
{
	if (k && r->files.cap + r->text[0].cap + r->text[1].cap <= KEEP_MAX)
		r = atomic_exchange(&k->reader, r);
	reader_free(r);
}

/* Room for so many bytes; what is there stays if it says how much it is. */
static int make_room(struct room *room, size_t size, int is_kept)
{
	void *p;

	if (size <= room->cap)
		return 0;
	if (!is_kept) {
		free(room->bytes);
		*room = (struct room){ NULL, 0 };
	}
	p = realloc(room->bytes, size);
	if (!p)
		return -1;
	room->bytes = p;
	room->cap = size;
	return 0;
}

/* The files from a text to the nearest base that is known, last on top. */
struct chain {
	struct pk_reader *reader;
	struct pk_kept *kept;
	size_t used; /* of the reader's files */
	int n;
	struct link {
		unsigned char hash[PK_HASH_SIZE];
		struct pk_trailer trailer;
		size_t at, frame; /* in the reader's files */
	} link[PK_CHAIN_MAX + 1];
};

static void chain_release(struct chain *c)
{
	if (c->reader)
		reader_give(c->kept, c->reader);
}

/* The trailer, and where all is as it should be, the frame before it: how
 * long that may be follows from the text's size. NULL, or the broken rule;
 * *failed is set where the disk or the memory said no, with err filled. */
static const char *read_link(int fd, struct chain *c, struct link *l,
			     const struct link *above, int *failed,
			     struct pakhus_error *err)
{
	struct room *files = &c->reader->files;
	const char *fault;
	size_t size, tail;
	struct stat st;
	uint64_t raw;
	ssize_t n;

	if (fstat(fd, &st)) {
		*failed = pk_fail_sys(err, "stat an object");
		return "cannot be read";
	}
	if (!S_ISREG(st.st_mode))
		return "F-43 is not a regular file";
	if (st.st_size <= PK_TRAILER_SIZE)
		return "F-12 shorter than a trailer";
	size = (size_t)st.st_size;
	l->at = c->used;
	l->frame = size - PK_TRAILER_SIZE;
	/* a short file at once; of a long one the end says whether to go on */
	tail = size <= ONE_READ ? size : PK_TRAILER_SIZE;
	if (make_room(files, c->used + tail, 1))
		goto nomem;
	n = pk_pread(fd, files->bytes + l->at, tail, size - tail);
	if (n < 0)
		*failed = pk_fail_sys(err, "read an object");
	if (n != (ssize_t)tail)
		return "F-12 the trailer cannot be read";
	fault = pk_trailer_decode((unsigned char *)files->bytes + l->at + tail -
					  PK_TRAILER_SIZE,
				  l->hash, &l->trailer);
	if (fault)
		return fault;
	raw = l->trailer.raw_size;
	if (above && l->trailer.depth >= above->trailer.depth)
		return "F-17 a base is not less deep than what needs it";
	if ((above || l->trailer.encoding == PK_DELTA) && raw > PK_DELTA_MAX)
		return "F-19 a text this long is neither delta nor base";
	if (l->frame > raw + (raw >> 7) + 1024)
		return "F-15 the frame is longer than its text can need";
	if (tail < size) {
		if (make_room(files, c->used + l->frame, 1))
			goto nomem;
		n = pk_pread(fd, files->bytes + l->at, l->frame, 0);
		if (n < 0)
			*failed = pk_fail_sys(err, "read an object");
		if (n != (ssize_t)l->frame)
			return "F-12 the frame cannot be read";
	}
	c->used += l->frame;
	return NULL;
nomem:
	*failed = pk_fail_nomem(err);
	return "out of memory";
}

static int load(int dir, const struct pk_over *over, struct chain *c,
		const unsigned char *hash, struct pakhus_error *err)
{
	struct link *l = &c->link[c->n], *above = c->n ? l - 1 : NULL;
	AUTO_CLOSE int fd = -1;
	char path[PK_OBJPATH_SIZE];
	const char *fault;
	int failed = 0;

	pk_objpath(hash, path);
	if (over && over->has(over->arg, hash))
		dir = over->dir;
	fd = openat(dir, path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	if (fd < 0)
		return pk_fail_sys(err, "%s", path);
	memcpy(l->hash, hash, PK_HASH_SIZE);
	c->n++;
	fault = read_link(fd, c, l, above, &failed, err);
	if (failed)
		return failed;
	if (fault)
		return pk_fail(err, PAKHUS_ECORRUPT, "%s: %s", path, fault);
	return 0;
}

/* Loads the files from a text down to a base that the cache knows, which is
 * *base, or to a whole one. */
static int load_chain(int dir, const struct pk_over *over,
		      struct pk_cache *cache, struct chain *c,
		      const unsigned char *want, struct pk_shared **base,
		      struct pakhus_error *err)
{
	for (;;) {
		int rc;

		*base = cache ? pk_cache_get(cache, want) : NULL;
		if (*base)
			return 0;
		if (!c->reader)
			c->reader = reader_take(c->kept);
		if (!c->reader)
			return pk_fail_nomem(err);
		rc = load(dir, over, c, want, err);
		if (rc == PAKHUS_ENOTFOUND && c->n && err) {
			char path[PK_OBJPATH_SIZE];

			pk_objpath(c->link[c->n - 1].hash, path);
			err->status = 0;
			return pk_fail(err, PAKHUS_ECORRUPT,
				       "%s: F-17 its base is missing", path);
		}
		if (rc)
			return rc == PAKHUS_ENOTFOUND && c->n ? PAKHUS_ECORRUPT
							      : rc;
		if (c->link[c->n - 1].trailer.encoding == PK_WHOLE)
			return 0;
		want = c->link[c->n - 1].trailer.base;
	}
}

/* Decodes into a room, or where that is NULL into memory of its own; asked
 * for when the frame's header agrees with the trailer. */
static int decode(struct chain *c, const struct link *l, const char *base,
		  size_t base_size, struct room *room, char **out,
		  struct pakhus_error *err)
{
	const unsigned char *in =
		(const unsigned char *)c->reader->files.bytes + l->at;
	size_t size = l->trailer.raw_size;
	const char *fault = pk_zst_check(in, l->frame, size);
	char path[PK_OBJPATH_SIZE];

	if (!fault) {
		AUTO_FREE char *own = NULL;

		if (room ? make_room(room, size + 1, 0)
			 : !(own = malloc(size + 1)))
			return pk_fail_nomem(err);
		*out = room ? room->bytes : own;
		fault = pk_zst_decode(c->reader->decoder, in, l->frame, base,
				      base_size, *out, size);
		if (!fault) {
			own = NULL;
			return 0;
		}
	}
	pk_objpath(l->hash, path);
	return pk_fail(err, PAKHUS_ECORRUPT, "%s: %s", path, fault);
}

/* Whether an object that was read is another by now: one whose base is purged
 * is encoded anew before the base goes (F-92). */
static int is_other(int dir, const struct pk_over *over, const struct link *l)
{
	struct pk_trailer now;

	return !(over && over->has(over->arg, l->hash)) &&
	       !pk_object_trailer(dir, l->hash, &now, NULL) &&
	       (now.encoding != l->trailer.encoding ||
		memcmp(now.base, l->trailer.base, PK_HASH_SIZE));
}

/* The same, again where the base went that the last link needs. */
static int load_whole_chain(int dir, const struct pk_over *over,
			    struct pk_cache *cache, struct chain *c,
			    const unsigned char *want, struct pk_shared **base,
			    struct pakhus_error *err)
{
	for (;;) {
		struct pakhus_error e = { .status = 0 };
		int rc = load_chain(dir, over, cache, c, want, base, &e);

		if (rc != PAKHUS_ECORRUPT || !c->n ||
		    !is_other(dir, over, &c->link[c->n - 1])) {
			if (rc && err && !err->status)
				*err = e;
			return rc;
		}
		c->n = 0;
		c->used = 0;
	}
}

int pk_object_read_over(int dir, const struct pk_over *over,
			struct pk_cache *cache, struct pk_kept *kept,
			const unsigned char hash[PK_HASH_SIZE],
			struct pk_shared **out, struct pakhus_error *err)
{
	AUTO(chain_release) struct chain c = { .kept = kept };
	AUTO(pk_shared_auto) struct pk_shared *text = NULL;
	int rc = load_whole_chain(dir, over, cache, &c, hash,
				  &text, err);
	const char *base = text ? text->bytes : NULL;
	size_t size = text ? text->size : 0;

	for (; !rc && c.n; c.n--) {
		struct link *l = &c.link[c.n - 1];
		int keep = c.n == 1 || pk_cache_takes(cache, l->trailer.raw_size);
		char *bytes = NULL;

		rc = decode(&c, l, base, size,
			    keep ? NULL : &c.reader->text[c.n & 1], &bytes,
			    err);
		if (rc)
			return rc;
		base = bytes;
		size = l->trailer.raw_size;
		if (!keep)
			continue;
		pk_shared_free(text);
		text = pk_shared_new(bytes, size);
		if (!text)
			return pk_fail_nomem(err);
		if (cache)
			pk_cache_put(cache, l->hash, text);
	}
	if (rc)
		return rc;
	*out = PK_MOVE(text);
	return 0;
}

int pk_object_read(int dir, struct pk_cache *cache, struct pk_kept *kept,
		   const unsigned char hash[PK_HASH_SIZE],
		   struct pk_shared **out, struct pakhus_error *err)
{
	return pk_object_read_over(dir, NULL, cache, kept, hash, out, err);
}

/* ---- writing ---- */

int pk_object_encode(struct pk_zst_encoder *zst,
		     const unsigned char hash[PK_HASH_SIZE],
		     const struct pk_shared *text, const struct pk_base *base,
		     int level, unsigned char **out, size_t *out_size,
		     struct pakhus_error *err)
{
	struct pk_trailer t = { .encoding = PK_WHOLE, .raw_size = text->size };
	int rc;

	if (base) {
		t.encoding = PK_DELTA;
		t.depth = base->depth + 1;
		memcpy(t.base, base->hash, PK_HASH_SIZE);
	}
	rc = pk_zst_encode(zst, text->bytes, text->size,
			   base ? base->text->bytes : NULL,
			   base ? base->text->size : 0, level, PK_TRAILER_SIZE,
			   out, out_size, err);
	if (rc)
		return rc;
	pk_trailer_encode(&t, hash, *out + *out_size);
	*out_size += PK_TRAILER_SIZE;
	return 0;
}

int pk_object_stage(int dir, const unsigned char hash[PK_HASH_SIZE],
		    const unsigned char *bytes, size_t size,
		    struct pakhus_error *err)
{
	AUTO(pk_tmp_discard) struct pk_tmp tmp = PK_TMP_INIT;
	char hex[PK_HEX_SIZE + 1];
	int rc;

	pk_hex(hash, PK_HASH_SIZE, hex);
	rc = pk_tmp_open(&tmp, dir, hex, err);
	if (!rc)
		rc = pk_tmp_write(&tmp, bytes, size, err);
	if (rc)
		return rc;
	if (fchmod(tmp.fd, 0444))
		return pk_fail_sys(err, "write %s", tmp.path);
	/* on its way, so that the syncs of many find little left to do */
	sync_file_range(tmp.fd, 0, 0, SYNC_FILE_RANGE_WRITE);
	close(tmp.fd);
	tmp.fd = -1;
	return 0;
}

int pk_object_sync(int dir, enum pk_from from,
		   const unsigned char hash[PK_HASH_SIZE],
		   struct pakhus_error *err)
{
	char path[FROM_SIZE];
	AUTO_CLOSE int fd = -1;

	from_path(from, hash, path);
	fd = openat(dir, path, O_RDONLY | O_CLOEXEC);
	/* who brought a file gave it a mode of its own */
	if (fd < 0 || (from == PK_FROM_INCOMING && fchmod(fd, 0444)) ||
	    pk_fsync(fd))
		return pk_fail_sys(err, "sync %s", path);
	return 0;
}

int pk_object_place(int dir, enum pk_from from,
		    const unsigned char hash[PK_HASH_SIZE],
		    struct pakhus_error *err)
{
	char path[FROM_SIZE], to[PK_OBJPATH_SIZE];

	from_path(from, hash, path);
	pk_objpath(hash, to);
	if (renameat(dir, path, dir, to))
		return pk_fail_sys(err, "install %s", to);
	return 0;
}

int pk_object_sync_dir(int dir, unsigned char first_byte,
		       struct pakhus_error *err)
{
	char path[16];

	sprintf(path, "objects/%02x", first_byte);
	return pk_sync_dir(dir, path, err);
}
