/* peer_floor.c - what nobody can do without: the least that a disk, an index
 * and a decoder take for each operation. No registry, but a line to measure
 * the others from.
 *
 *	publish		one write of the text into blocks that the file has,
 *			and fdatasync
 *	import		one write of all texts, and fdatasync
 *	get latest	one lookup in LMDB; the text is read in place
 *	get pinned	one lookup in LMDB, and one zstd frame decoded
 *
 * What get needs is put into LMDB after the clock was stopped.
 */
#include "bench.h"

#include <errno.h>
#include <fcntl.h>
#include <lmdb.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zstd.h>

#define RING ((off_t)64 << 20)

struct floor_store {
	MDB_env *env;
	MDB_dbi dbi;
	MDB_txn *reader; /* reset between reads */
	int fd;
	off_t at; /* where the next text goes */
	ZSTD_DCtx *dctx;
};

static int said(int rc, const char *what)
{
	return rc ? bench_fail("floor: %s: %s", what, mdb_strerror(rc)) : 0;
}

static void floor_close(void *client)
{
	struct floor_store *f = client;

	if (f->reader)
		mdb_txn_abort(f->reader);
	mdb_env_close(f->env);
	ZSTD_freeDCtx(f->dctx);
	if (f->fd >= 0)
		close(f->fd);
	free(f);
}

static void *floor_open(const struct peer *self, const char *dir,
			const struct peer_options *opt)
{
	struct floor_store *f = must(calloc(1, sizeof(*f)));
	char path[4096];
	MDB_txn *txn = NULL;
	int rc;

	(void)self;
	(void)opt;
	mkdir(dir, 0777);
	f->dctx = must(ZSTD_createDCtx());
	snprintf(path, sizeof(path), "%s/ring", dir);
	f->fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0666);
	rc = f->fd < 0 ? errno : mdb_env_create(&f->env);
	if (!rc)
		rc = mdb_env_set_mapsize(f->env, (size_t)1 << 36);
	if (!rc)
		rc = mdb_env_open(f->env, dir, MDB_NOSYNC | MDB_NORDAHEAD,
				  0666);
	if (!rc)
		rc = mdb_txn_begin(f->env, NULL, 0, &txn);
	if (!rc)
		rc = mdb_dbi_open(txn, NULL, 0, &f->dbi);
	if (!rc)
		rc = mdb_txn_commit(txn);
	if (!rc)
		rc = mdb_txn_begin(f->env, NULL, MDB_RDONLY, &f->reader);
	if (said(rc, "open")) {
		floor_close(f);
		return NULL;
	}
	mdb_txn_reset(f->reader);
	return f;
}

/* ---- Writing ---- */

static int fill_ring(const struct floor_store *f)
{
	static const char zeros[1 << 20];
	struct stat st;

	if (fstat(f->fd, &st))
		return bench_fail("floor: stat: %s", strerror(errno));
	for (off_t at = st.st_size; at < RING; at += (off_t)sizeof(zeros))
		if (pwrite(f->fd, zeros, sizeof(zeros), at) !=
		    (ssize_t)sizeof(zeros))
			return bench_fail("floor: write: %s", strerror(errno));
	return st.st_size < RING && fsync(f->fd)
		       ? bench_fail("floor: sync: %s", strerror(errno))
		       : 0;
}

static int64_t write_all(struct floor_store *f, const char *text, size_t size)
{
	ssize_t n;

	while (size) {
		n = pwrite(f->fd, text, size, f->at);
		if (n < 0)
			return bench_fail("floor: write: %s", strerror(errno));
		f->at += n;
		text += n;
		size -= (size_t)n;
	}
	return 0;
}

/* id: the text itself; id@version: a frame of it. */
static int put(struct floor_store *f, const struct doc *docs, size_t count)
{
	char name[400], *frame;
	MDB_txn *txn = NULL;
	MDB_val key = {.mv_data = name}, val;
	int rc = mdb_txn_begin(f->env, NULL, 0, &txn);

	for (size_t i = 0; i < count && !rc; i++) {
		key.mv_size =
			(size_t)snprintf(name, sizeof(name), "%s", docs[i].id);
		val = (MDB_val){docs[i].size, docs[i].text};
		rc = mdb_put(txn, f->dbi, &key, &val, 0);
		if (rc)
			break;
		key.mv_size = (size_t)snprintf(name, sizeof(name), "%s@%s",
					       docs[i].id, docs[i].version);
		val.mv_size = ZSTD_compressBound(docs[i].size);
		frame = must(malloc(val.mv_size));
		val.mv_size = ZSTD_compress(frame, val.mv_size, docs[i].text,
					    docs[i].size, 3);
		val.mv_data = frame;
		rc = mdb_put(txn, f->dbi, &key, &val, 0);
		free(frame);
	}
	if (!rc)
		rc = mdb_txn_commit(txn);
	else if (txn)
		mdb_txn_abort(txn);
	return said(rc, "put");
}

static int64_t floor_publish(void *client, const struct doc *doc)
{
	struct floor_store *f = client;
	int64_t start, took;

	if (fill_ring(f))
		return -1;
	if (f->at + (off_t)doc->size > RING)
		f->at = 0;
	start = now_ns();
	if (write_all(f, doc->text, doc->size))
		return -1;
	if (fdatasync(f->fd))
		return bench_fail("floor: sync: %s", strerror(errno));
	took = now_ns() - start;
	return put(f, doc, 1) ? -1 : took;
}

static int64_t floor_import(void *client, const struct doc *docs, size_t count)
{
	struct floor_store *f = client;
	int64_t start = now_ns(), took;

	f->at = 0;
	for (size_t i = 0; i < count; i++)
		if (write_all(f, docs[i].text, docs[i].size))
			return -1;
	if (fdatasync(f->fd))
		return bench_fail("floor: sync: %s", strerror(errno));
	took = now_ns() - start;
	f->at = 0;
	return put(f, docs, count) ? -1 : took;
}

/* ---- Reading ---- */

static void floor_answer(struct answer *out, char *text, size_t size)
{
	const char *mid = memmem(text, size, "},\"metadata\":", 13);

	*out = (struct answer){.owner = text, .release = free};
	if (!mid)
		return;
	out->manifest = text + strlen("{\"manifest\":");
	out->manifest_size = (size_t)(mid + 1 - out->manifest);
	out->metadata = mid + 13;
	out->metadata_size = (size_t)(text + size - 1 - out->metadata);
}

static int64_t floor_get(void *client, const char *id, const char *version,
			 struct answer *out)
{
	struct floor_store *f = client;
	char name[400], *text = NULL;
	MDB_val key = {.mv_data = name}, val = {0, NULL};
	size_t size = 0;
	int64_t start = now_ns(), took;
	int rc = mdb_txn_renew(f->reader);

	*out = (struct answer){0};
	key.mv_size = (size_t)snprintf(name, sizeof(name),
				       version ? "%s@%s" : "%s", id, version);
	if (!rc)
		rc = mdb_get(f->reader, f->dbi, &key, &val);
	if (!rc && version) {
		size = (size_t)ZSTD_getFrameContentSize(val.mv_data,
							val.mv_size);
		text = must(malloc(size));
		size = ZSTD_decompressDCtx(f->dctx, text, size, val.mv_data,
					   val.mv_size);
	}
	took = now_ns() - start;
	if (!rc && !version) {
		size = val.mv_size;
		text = must(malloc(size));
		memcpy(text, val.mv_data, size);
	}
	mdb_txn_reset(f->reader);
	if (text)
		floor_answer(out, text, size);
	return rc && rc != MDB_NOTFOUND ? said(rc, "get") : took;
}

const struct peer peer_floor = {
	.name = "floor",
	.can = PEER_IMPORT,
	.open = floor_open,
	.close = floor_close,
	.publish = floor_publish,
	.import = floor_import,
	.get = floor_get,
};
