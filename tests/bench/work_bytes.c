/* work_bytes.c - what stores take on disk once they are closed. */
#include "seats.h"

#include <stdlib.h>
#include <unistd.h>
#include <zstd.h>

#define BLOCK_BYTES 4096

static void write_bytes(struct bench *b, const char *work, const char *docs,
			uint64_t versions, const char *peer, uint64_t bytes)
{
	struct result r = {work, docs, peer, "bytes", versions, 1};
	struct samples one = {0};

	samples_add(&one, (double)bytes);
	result_write(b->out, &r, &one);
	samples_release(&one);
}

/* Every document by itself, as small as zstd makes it. */
static void whole_documents(struct bench *b, const struct docs *docs,
			    const char *kind)
{
	ZSTD_CCtx *ctx = must(ZSTD_createCCtx());
	uint64_t bytes = 0, blocks = 0;

	for (size_t i = 0; i < docs->count; i++) {
		size_t room = ZSTD_compressBound(docs->items[i].size), n;
		char *frame = must(malloc(room));

		n = ZSTD_compressCCtx(ctx, frame, room, docs->items[i].text,
				      docs->items[i].size, 19);
		bytes += n;
		blocks += (n + BLOCK_BYTES - 1) / BLOCK_BYTES * BLOCK_BYTES;
		free(frame);
	}
	ZSTD_freeCCtx(ctx);
	write_bytes(b, "object-bytes", kind, docs->count, "zstd-19", bytes);
	write_bytes(b, "object-blocks", kind, docs->count, "zstd-19", blocks);
}

static int one_store(struct seat *seat, struct bench *b,
		     const struct docs *docs, const char *kind)
{
	const struct peer *p = seat->peer;
	uint64_t bytes, blocks;
	const struct peer_options opt = {
		.threads = (unsigned)sysconf(_SC_NPROCESSORS_ONLN)};
	int rc = seat_open(seat, &opt);

	if (!rc && p->import(seat->client, docs->items, docs->count) < 0)
		rc = -1;
	for (size_t i = 0; i < docs->count && !rc; i++)
		if (seat_get(seat, &docs->items[i], docs->items[i].version) < 0)
			rc = -1;
	seat_close(seat);
	if (rc || tree_bytes(seat->dir, &bytes, &blocks))
		return -1;
	write_bytes(b, "bytes", kind, docs->count, p->name, bytes);
	write_bytes(b, "blocks", kind, docs->count, p->name, blocks);
	if (!p->objects)
		return 0;
	if (p->objects(seat->dir, &bytes, &blocks))
		return -1;
	write_bytes(b, "object-bytes", kind, docs->count, p->name, bytes);
	write_bytes(b, "object-blocks", kind, docs->count, p->name, blocks);
	return 0;
}

static int all_stores(struct bench *b, struct docs *docs, const char *kind)
{
	struct seats s;
	int rc = seats_new(&s, b, "bytes", PEER_BYTES);

	for (size_t i = 0; i < s.count && !rc; i++)
		rc = one_store(&s.at[i], b, docs, kind);
	if (!rc)
		whole_documents(b, docs, kind);
	seats_release(&s);
	return rc;
}

int work_bytes(struct bench *b)
{
	uint64_t versions = b->counts.bytes;
	struct docs docs;
	int rc;

	docs_make(&docs, DOCS_GENERATED, 0, versions, versions);
	rc = all_stores(b, &docs, doc_kinds[DOCS_GENERATED]);
	docs_release(&docs);
	if (rc)
		return rc;
	docs_load(&docs, b->corpus, b->counts.corpus);
	if (docs.count)
		rc = all_stores(b, &docs, "corpus");
	docs_release(&docs);
	return rc;
}
