/* peer_pakhus.c - the library that the bench is about, by its public header
 * alone. */
#include "bench.h"
#include "pakhus.h"

#include <stdlib.h>

struct kind {
	int level; /* 0: as it is opened with */
	int one_thread;
};

static int64_t failed(const char *what, const struct pakhus_error *err)
{
	return bench_fail("pakhus: %s: %s", what, err->text);
}

static void notice(void *arg, const char *text)
{
	(void)arg;
	bench_fail("pakhus: %s", text);
}

static void *pakhus_peer_open(const struct peer *self, const char *dir,
			      const struct peer_options *opt)
{
	const struct kind *kind = self->arg;
	struct pakhus_options o = {
		.flags = PAKHUS_CREATE,
		.level = kind->level ? kind->level : opt->level,
		.cache_size = opt->cache,
		.threads = kind->one_thread ? 1 : opt->threads,
		.notice = notice,
	};
	struct pakhus_error err;
	struct pakhus *store = NULL;

	if (pakhus_open(&store, dir, &o, &err))
		failed("open", &err);
	return store;
}

static void pakhus_peer_close(void *client)
{
	pakhus_close(client);
}

static int64_t pakhus_peer_publish(void *client, const struct doc *doc)
{
	struct pakhus_error err;
	int64_t start = now_ns();
	int rc = pakhus_publish(client, doc->text, doc->size, NULL, NULL, &err);
	int64_t took = now_ns() - start;

	return rc ? failed("publish", &err) : took;
}

/* Until everything is in the tree: that is what `pakhus import` does. */
static int64_t pakhus_peer_import(void *client, const struct doc *docs,
				  size_t count)
{
	struct pakhus_batch *batch;
	struct pakhus_error err;
	int64_t start = now_ns();
	int rc = pakhus_batch_new(client, NULL, &batch, &err);

	if (rc)
		return failed("import", &err);
	for (size_t i = 0; i < count && !rc; i++)
		rc = pakhus_batch_publish(batch, docs[i].text, docs[i].size,
					  &err);
	if (!rc)
		rc = pakhus_batch_commit(batch, &err);
	pakhus_batch_free(batch);
	if (!rc)
		rc = pakhus_sync(client, &err);
	return rc ? failed("import", &err) : now_ns() - start;
}

static void free_package(void *package)
{
	pakhus_package_free(package);
}

static int64_t pakhus_peer_get(void *client, const char *id,
			       const char *version, struct answer *out)
{
	struct pakhus_package *p = NULL;
	struct pakhus_error err;
	int64_t start = now_ns();
	int rc = pakhus_get(client, id, version, &p, &err);
	int64_t took = now_ns() - start;

	*out = (struct answer){0};
	if (rc && rc != PAKHUS_ENOTFOUND)
		return failed("get", &err);
	if (!rc)
		*out = (struct answer){
			.manifest = p->manifest,
			.manifest_size = p->manifest_size,
			.metadata = p->metadata,
			.metadata_size = p->metadata_size,
			.owner = p,
			.release = free_package,
		};
	return took;
}

static int64_t pakhus_peer_list(void *client, size_t limit, size_t *count,
				uint64_t *bytes)
{
	struct pakhus_range range = {.limit = limit ? limit : 1000};
	struct pakhus_list *page;
	struct pakhus_error err;
	int64_t start = now_ns();

	*count = 0;
	*bytes = 0;
	do {
		if (pakhus_list(client, range, limit ? 0 : PAKHUS_DOCUMENTS,
				&page, &err))
			return failed("list", &err);
		for (size_t i = 0; i < page->count; i++)
			*bytes += page->items[i]->manifest_size +
				  page->items[i]->metadata_size;
		*count += page->count;
		range.before = page->next;
		pakhus_list_free(page);
	} while (range.before && !limit);
	return now_ns() - start;
}

static int64_t pakhus_peer_remove(void *client, const char *id,
				  const char *version)
{
	struct pakhus_error err;
	uint64_t count = 0;
	int64_t start = now_ns();
	int rc = pakhus_delete(client, id, version, NULL, &count, &err);
	int64_t took = now_ns() - start;

	if (!rc && count != 1)
		return bench_fail("pakhus: delete: %s@%s was not there", id,
				  version);
	return rc ? failed("delete", &err) : took;
}

static int pakhus_peer_objects(const char *dir, uint64_t *bytes,
			       uint64_t *blocks)
{
	struct pakhus_stat st;
	struct pakhus_error err;
	struct pakhus *store;
	int rc = pakhus_open(&store, dir, NULL, &err);

	if (rc)
		return (int)failed("open", &err);
	rc = pakhus_stat(store, PAKHUS_STAT_OBJECTS, &st, &err);
	pakhus_close(store);
	if (rc)
		return (int)failed("stat", &err);
	*bytes = st.object_bytes;
	*blocks = st.object_blocks;
	return 0;
}

#define PAKHUS_PEER                                                            \
	.open = pakhus_peer_open, .close = pakhus_peer_close,                  \
	.publish = pakhus_peer_publish, .import = pakhus_peer_import,          \
	.get = pakhus_peer_get, .list = pakhus_peer_list,                      \
	.remove = pakhus_peer_remove, .objects = pakhus_peer_objects

static const struct kind usual, level_19 = {.level = 19},
				one_thread = {.one_thread = 1};

const struct peer peer_pakhus = {
	.name = "pakhus",
	.can = PEER_SHARED | PEER_THREADS | PEER_PROCESSES | PEER_SCALE |
	       PEER_LIST | PEER_DELETE | PEER_BYTES | PEER_COLD | PEER_IMPORT,
	PAKHUS_PEER,
	.arg = &usual,
	.getter = "get_pakhus",
};
const struct peer peer_pakhus_19 = {
	.name = "pakhus-19",
	.can = PEER_BYTES | PEER_STILL,
	PAKHUS_PEER,
	.arg = &level_19,
};
const struct peer peer_pakhus_1 = {
	.name = "pakhus-one-thread",
	.can = PEER_IMPORT | PEER_STILL,
	PAKHUS_PEER,
	.arg = &one_thread,
};
