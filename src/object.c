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


static void stage_path(const unsigned char *hash, char out[PK_OBJPATH_SIZE + 8])
{
	char hex[PK_HEX_SIZE + 1];

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
	char path[PK_OBJPATH_SIZE], staged[PK_OBJPATH_SIZE + 8];
	AUTO_CLOSE int fd = -1;
	struct stat st;
	const char *fault;

	pk_objpath(hash, path);
	fd = openat(dir, path, O_RDONLY | O_CLOEXEC);
	if (fd < 0 && errno == ENOENT) {
		stage_path(hash, staged);
		fd = openat(dir, staged, O_RDONLY | O_CLOEXEC);
	}
	if (fd < 0 || fstat(fd, &st))
		return pk_fail_sys(err, "%s", path);
	if (st.st_size <= PK_TRAILER_SIZE ||
	    pk_pread(fd, bytes, sizeof(bytes),
		     (uint64_t)st.st_size - sizeof(bytes)) != sizeof(bytes))
		return pk_fail(err, PAKHUS_ECORRUPT,
			       "%s: F-12 shorter than a trailer", path);
	fault = pk_trailer_decode(bytes, hash, t);
	if (fault)
		return pk_fail(err, PAKHUS_ECORRUPT, "%s: %s", path, fault);
	return 0;
}

/* ---- reading ---- */

/* The files from a text to the nearest base that is known, last on top. */
struct chain {
	int n;
	struct link {
		unsigned char hash[PK_HASH_SIZE];
		struct pk_trailer trailer;
		char *file;
		size_t frame;
	} link[PK_CHAIN_MAX + 1];
};

static void chain_release(struct chain *c)
{
	while (c->n)
		free(c->link[--c->n].file);
}

/* The trailer, and where all is as it should be, the frame before it: how
 * long that may be follows from the text's size. NULL, or the broken rule;
 * *failed is set where the disk or the memory said no, with err filled. */
static const char *read_link(int fd, struct link *l, const struct link *above,
			     int *failed, struct pakhus_error *err)
{
	unsigned char trailer[PK_TRAILER_SIZE];
	const char *fault;
	struct stat st;
	uint64_t raw;

	if (fstat(fd, &st)) {
		*failed = pk_fail_sys(err, "stat an object");
		return "cannot be read";
	}
	if (!S_ISREG(st.st_mode))
		return "F-43 is not a regular file";
	if (st.st_size <= PK_TRAILER_SIZE)
		return "F-12 shorter than a trailer";
	l->frame = (size_t)st.st_size - PK_TRAILER_SIZE;
	if (pk_pread(fd, trailer, sizeof(trailer), l->frame) != sizeof(trailer))
		return "F-12 the trailer cannot be read";
	fault = pk_trailer_decode(trailer, l->hash, &l->trailer);
	if (fault)
		return fault;
	raw = l->trailer.raw_size;
	if (above && l->trailer.depth >= above->trailer.depth)
		return "F-17 a base is not less deep than what needs it";
	if ((above || l->trailer.encoding == PK_DELTA) && raw > PK_DELTA_MAX)
		return "F-19 a text this long is neither delta nor base";
	if (l->frame > raw + (raw >> 7) + 1024)
		return "F-15 the frame is longer than its text can need";
	l->file = malloc(l->frame);
	if (!l->file) {
		*failed = pk_fail_nomem(err);
		return "out of memory";
	}
	if (pk_pread(fd, l->file, l->frame, 0) != (ssize_t)l->frame)
		return "F-12 the frame cannot be read";
	return NULL;
}

static int load(int dir, struct chain *c, const unsigned char *hash,
		struct pakhus_error *err)
{
	struct link *l = &c->link[c->n], *above = c->n ? l - 1 : NULL;
	AUTO_CLOSE int fd = -1;
	char path[PK_OBJPATH_SIZE];
	const char *fault;
	int failed = 0;

	pk_objpath(hash, path);
	fd = openat(dir, path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	if (fd < 0)
		return pk_fail_sys(err, "%s", path);
	memcpy(l->hash, hash, PK_HASH_SIZE);
	l->file = NULL;
	c->n++;
	fault = read_link(fd, l, above, &failed, err);
	if (failed)
		return failed;
	if (fault)
		return pk_fail(err, PAKHUS_ECORRUPT, "%s: %s", path, fault);
	return 0;
}

static int decode(struct link *l, struct pk_shared *base,
		  struct pk_shared **out, struct pakhus_error *err)
{
	char path[PK_OBJPATH_SIZE], *text;
	const char *fault;

	fault = pk_zst_decode((unsigned char *)l->file, l->frame,
			      base ? base->bytes : NULL, base ? base->size : 0,
			      l->trailer.raw_size, &text);
	if (fault == pk_zst_nomem)
		return pk_fail_nomem(err);
	if (fault) {
		pk_objpath(l->hash, path);
		return pk_fail(err, PAKHUS_ECORRUPT, "%s: %s", path, fault);
	}
	*out = pk_shared_new(text, l->trailer.raw_size);
	return *out ? 0 : pk_fail_nomem(err);
}

int pk_object_read(int dir, struct pk_cache *cache,
		   const unsigned char hash[PK_HASH_SIZE],
		   struct pk_shared **out, struct pakhus_error *err)
{
	AUTO(chain_release) struct chain c = { .n = 0 };
	AUTO(pk_shared_auto) struct pk_shared *text = NULL;
	const unsigned char *want = hash;

	for (;;) {
		int rc;

		text = cache ? pk_cache_get(cache, want) : NULL;
		if (text)
			break;
		rc = load(dir, &c, want, err);
		if (rc == PAKHUS_ENOTFOUND && c.n && err) {
			char path[PK_OBJPATH_SIZE];

			pk_objpath(c.link[c.n - 1].hash, path);
			err->status = 0;
			return pk_fail(err, PAKHUS_ECORRUPT,
				       "%s: F-17 its base is missing", path);
		}
		if (rc)
			return rc == PAKHUS_ENOTFOUND && c.n ? PAKHUS_ECORRUPT
							     : rc;
		if (c.link[c.n - 1].trailer.encoding == PK_WHOLE)
			break;
		want = c.link[c.n - 1].trailer.base;
	}
	while (c.n) {
		struct link *l = &c.link[c.n - 1];
		struct pk_shared *next;
		int rc = decode(l, text, &next, err);

		if (rc)
			return rc;
		pk_shared_free(text);
		text = next;
		if (cache)
			pk_cache_put(cache, l->hash, text);
		free(l->file);
		c.n--;
	}
	*out = PK_MOVE(text);
	return 0;
}

/* ---- writing ---- */

int pk_object_encode(const unsigned char hash[PK_HASH_SIZE], const char *text,
		     size_t size, const struct pk_base *base, int level,
		     unsigned char **out, size_t *out_size,
		     struct pakhus_error *err)
{
	struct pk_trailer t = { .encoding = PK_WHOLE, .raw_size = size };
	int rc;

	if (base) {
		t.encoding = PK_DELTA;
		t.depth = base->depth + 1;
		memcpy(t.base, base->hash, PK_HASH_SIZE);
	}
	rc = pk_zst_encode(text, size, base ? base->text->bytes : NULL,
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
	close(tmp.fd);
	tmp.fd = -1;
	return 0;
}

int pk_object_sync(int dir, const unsigned char hash[PK_HASH_SIZE],
		   struct pakhus_error *err)
{
	char path[PK_OBJPATH_SIZE + 8];
	AUTO_CLOSE int fd = -1;

	stage_path(hash, path);
	fd = openat(dir, path, O_RDONLY | O_CLOEXEC);
	if (fd < 0 || fchmod(fd, 0444) || pk_fsync(fd))
		return pk_fail_sys(err, "sync %s", path);
	return 0;
}

int pk_object_place(int dir, const unsigned char hash[PK_HASH_SIZE],
		    struct pakhus_error *err)
{
	char from[PK_OBJPATH_SIZE + 8], to[PK_OBJPATH_SIZE];

	stage_path(hash, from);
	pk_objpath(hash, to);
	if (renameat(dir, from, dir, to))
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
