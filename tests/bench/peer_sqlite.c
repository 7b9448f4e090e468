/* peer_sqlite.c - the sys_packages table in SQLite, as a C programmer would
 * write it who knows SQLite: statements prepared once, WAL, default page
 * size, texts bound without a copy.
 *
 * To be fair it is spared what it could argue about. It does not parse or
 * canonicalise: where manifest and metadata lie in the text is told to it,
 * and it trusts that this is JSON. It does compute the SHA-256 that its hash
 * column holds. What it reads is used where SQLite put it, with no copy.
 *
 * full and normal are PRAGMA synchronous; only full is durable when publish
 * returns. The zstd peers compress both texts at level 3.
 */
#include "bench.h"

#include <openssl/evp.h>
#include <sqlite3.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <zstd.h>

#define BATCH ((size_t)8 << 20) /* of documents in a transaction */

struct kind {
	int full, zstd;
};

enum statement {
	INSERT,
	IMPORT,
	LATEST,
	PINNED,
	LIST,
	PAGE,
	REMOVE,
	BEGIN,
	COMMIT,
	STATEMENTS
};

#define INSERT_INTO                                                            \
	"INSERT INTO sys_packages (id, version, manifest, metadata, hash, "    \
	"created_at, updated_at) VALUES (?, ?, ?, ?, ?, "
#define ON_CONFLICT                                                            \
	" ON CONFLICT(id, version) DO UPDATE SET manifest = "                  \
	"excluded.manifest, metadata = excluded.metadata, hash = "             \
	"excluded.hash, updated_at = CURRENT_TIMESTAMP"
#define LIST_OF                                                                \
	" FROM sys_packages WHERE (id, created_at) IN ( SELECT id, "           \
	"MAX(created_at) FROM sys_packages GROUP BY id ) ORDER BY created_at " \
	"DESC"

static const char *const statements[STATEMENTS] = {
	[INSERT] =
		INSERT_INTO "CURRENT_TIMESTAMP, CURRENT_TIMESTAMP)" ON_CONFLICT,
	[IMPORT] = INSERT_INTO
	"datetime(?6, 'unixepoch'), CURRENT_TIMESTAMP)" ON_CONFLICT,
	[LATEST] = "SELECT * FROM sys_packages WHERE id = ? ORDER BY "
		   "created_at DESC LIMIT 1",
	[PINNED] = "SELECT * FROM sys_packages WHERE id = ? AND version = ?",
	[LIST] = "SELECT *" LIST_OF,
	[PAGE] = "SELECT *" LIST_OF " LIMIT ?",
	[REMOVE] = "DELETE FROM sys_packages WHERE id = ? AND version = ?",
	[BEGIN] = "BEGIN IMMEDIATE",
	[COMMIT] = "COMMIT",
};
/* As columns come out of SELECT *. */
enum column { MANIFEST = 2, METADATA = 3 };

struct lite {
	sqlite3 *db;
	sqlite3_stmt *st[STATEMENTS];
	const struct kind *kind;
	EVP_MD_CTX *md;
	ZSTD_CCtx *cctx;
	ZSTD_DCtx *dctx;
	char *packed[2]; /* room for two compressed texts */
	size_t room[2];
};

static int64_t failed(const struct lite *l, const char *what)
{
	return bench_fail("sqlite: %s: %s", what, sqlite3_errmsg(l->db));
}

static void lite_close(void *client)
{
	struct lite *l = client;

	for (int i = 0; i < STATEMENTS; i++)
		sqlite3_finalize(l->st[i]);
	sqlite3_close(l->db);
	EVP_MD_CTX_free(l->md);
	ZSTD_freeCCtx(l->cctx);
	ZSTD_freeDCtx(l->dctx);
	free(l->packed[0]);
	free(l->packed[1]);
	free(l);
}

static void *lite_open(const struct peer *self, const char *dir,
		       const struct peer_options *opt)
{
	struct lite *l = must(calloc(1, sizeof(*l)));
	char path[4096];

	(void)opt;
	mkdir(dir, 0777);
	snprintf(path, sizeof(path), "%s/registry.db", dir);
	l->kind = self->arg;
	l->md = must(EVP_MD_CTX_new());
	l->cctx = must(ZSTD_createCCtx());
	l->dctx = must(ZSTD_createDCtx());
	if (sqlite3_open_v2(path, &l->db,
			    SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE |
				    SQLITE_OPEN_NOMUTEX,
			    NULL) != SQLITE_OK)
		goto failed;
	sqlite3_busy_timeout(l->db, 60000);
	if (sqlite3_exec(l->db, "PRAGMA journal_mode = WAL", NULL, NULL,
			 NULL) != SQLITE_OK ||
	    sqlite3_exec(l->db,
			 l->kind->full ? "PRAGMA synchronous = FULL"
				       : "PRAGMA synchronous = NORMAL",
			 NULL, NULL, NULL) != SQLITE_OK ||
	    sqlite3_exec(
		    l->db,
		    "CREATE TABLE IF NOT EXISTS sys_packages ( id TEXT NOT "
		    "NULL, version TEXT NOT NULL, manifest TEXT NOT NULL, "
		    "metadata TEXT NOT NULL, hash TEXT NOT NULL, created_at "
		    "TEXT DEFAULT CURRENT_TIMESTAMP, updated_at TEXT DEFAULT "
		    "CURRENT_TIMESTAMP, PRIMARY KEY (id, version) );"
		    "CREATE INDEX IF NOT EXISTS idx_packages_latest ON "
		    "sys_packages(id, created_at DESC)",
		    NULL, NULL, NULL) != SQLITE_OK)
		goto failed;
	for (int i = 0; i < STATEMENTS; i++)
		if (sqlite3_prepare_v3(l->db, statements[i], -1,
				       SQLITE_PREPARE_PERSISTENT, &l->st[i],
				       NULL) != SQLITE_OK)
			goto failed;
	return l;
failed:
	failed(l, "open");
	lite_close(l);
	return NULL;
}

static int step_once(struct lite *l, enum statement s)
{
	int rc = sqlite3_step(l->st[s]);

	sqlite3_reset(l->st[s]);
	return rc == SQLITE_DONE ? 0 : -1;
}

/* ---- Writing ---- */

static void bind_text(struct lite *l, enum statement s, int at,
		      const char *text, size_t size)
{
	char **to = &l->packed[at & 1];
	size_t *room = &l->room[at & 1];

	if (!l->kind->zstd) {
		sqlite3_bind_text(l->st[s], at, text, (int)size, SQLITE_STATIC);
		return;
	}
	if (*room < ZSTD_compressBound(size)) {
		*room = ZSTD_compressBound(size);
		*to = must(realloc(*to, *room));
	}
	size = ZSTD_compressCCtx(l->cctx, *to, *room, text, size, 3);
	sqlite3_bind_blob(l->st[s], at, *to, (int)size, SQLITE_STATIC);
}

static int insert(struct lite *l, enum statement s, const struct doc *doc)
{
	static const char digits[] = "0123456789abcdef";
	unsigned char md[32];
	char hex[64];

	EVP_DigestInit_ex(l->md, EVP_sha256(), NULL);
	EVP_DigestUpdate(l->md, doc->text, doc->size);
	EVP_DigestFinal_ex(l->md, md, NULL);
	for (int i = 0; i < 64; i++)
		hex[i] = digits[md[i / 2] >> (i % 2 ? 0 : 4) & 15];
	sqlite3_bind_text(l->st[s], 1, doc->id, -1, SQLITE_STATIC);
	sqlite3_bind_text(l->st[s], 2, doc->version, -1, SQLITE_STATIC);
	bind_text(l, s, 3, doc->manifest, doc->manifest_size);
	bind_text(l, s, 4, doc->metadata, doc->metadata_size);
	sqlite3_bind_text(l->st[s], 5, hex, 64, SQLITE_STATIC);
	if (s == IMPORT)
		sqlite3_bind_int64(l->st[s], 6, doc->created);
	return step_once(l, s);
}

static int64_t lite_publish(void *client, const struct doc *doc)
{
	int64_t start = now_ns();
	int rc = insert(client, INSERT, doc);
	int64_t took = now_ns() - start;

	return rc ? failed(client, "publish") : took;
}

static int64_t lite_import(void *client, const struct doc *docs, size_t count)
{
	int64_t start = now_ns();
	size_t bytes = 0;

	if (step_once(client, BEGIN))
		return failed(client, "import");
	for (size_t i = 0; i < count; i++) {
		if (insert(client, IMPORT, &docs[i]))
			return failed(client, "import");
		bytes += docs[i].size;
		if (bytes < BATCH)
			continue;
		bytes = 0;
		if (step_once(client, COMMIT) || step_once(client, BEGIN))
			return failed(client, "import");
	}
	if (step_once(client, COMMIT))
		return failed(client, "import");
	return now_ns() - start;
}

static int64_t lite_remove(void *client, const char *id, const char *version)
{
	struct lite *l = client;
	int64_t start = now_ns(), took;
	int rc;

	sqlite3_bind_text(l->st[REMOVE], 1, id, -1, SQLITE_STATIC);
	sqlite3_bind_text(l->st[REMOVE], 2, version, -1, SQLITE_STATIC);
	rc = step_once(l, REMOVE);
	took = now_ns() - start;
	if (!rc && sqlite3_changes(l->db) != 1)
		return bench_fail("sqlite: delete: %s@%s was not there", id,
				  version);
	return rc ? failed(l, "delete") : took;
}

/* ---- Reading ---- */

/* A column of the row that s stands at. Where texts are compressed it is
 * decoded into *room, which the caller frees. */
static const char *column(struct lite *l, sqlite3_stmt *s, int c, size_t *size,
			  char **room)
{
	const char *at = sqlite3_column_blob(s, c);
	unsigned long long raw;
	size_t n;

	*size = (size_t)sqlite3_column_bytes(s, c);
	if (!l->kind->zstd)
		return at;
	raw = ZSTD_getFrameContentSize(at, *size);
	if (raw > (unsigned long long)1 << 30)
		return NULL;
	*room = must(malloc(raw + 1));
	n = ZSTD_decompressDCtx(l->dctx, *room, raw, at, *size);
	if (ZSTD_isError(n))
		return NULL;
	*size = n;
	return *room;
}

static int64_t lite_get(void *client, const char *id, const char *version,
			struct answer *out)
{
	struct lite *l = client;
	sqlite3_stmt *s = l->st[version ? PINNED : LATEST];
	const char *manifest = NULL, *metadata = NULL;
	char *room[2] = {NULL, NULL}, *copy;
	size_t sizes[2] = {0, 0};
	int64_t start = now_ns(), took;
	int rc;

	*out = (struct answer){0};
	sqlite3_bind_text(s, 1, id, -1, SQLITE_STATIC);
	if (version)
		sqlite3_bind_text(s, 2, version, -1, SQLITE_STATIC);
	rc = sqlite3_step(s);
	if (rc == SQLITE_ROW) {
		manifest = column(l, s, MANIFEST, &sizes[0], &room[0]);
		metadata = column(l, s, METADATA, &sizes[1], &room[1]);
	}
	took = now_ns() - start;
	if (manifest && metadata) { /* ours, to be checked */
		copy = must(malloc(sizes[0] + sizes[1] + 1));
		memcpy(copy, manifest, sizes[0]);
		memcpy(copy + sizes[0], metadata, sizes[1]);
		*out = (struct answer){
			.manifest = copy,
			.manifest_size = sizes[0],
			.metadata = copy + sizes[0],
			.metadata_size = sizes[1],
			.owner = copy,
			.release = free,
		};
	}
	free(room[0]);
	free(room[1]);
	start = now_ns();
	sqlite3_reset(s);
	took += now_ns() - start;
	if (rc == SQLITE_DONE || out->manifest)
		return took;
	return failed(l, "get");
}

static int64_t lite_list(void *client, size_t limit, size_t *count,
			 uint64_t *bytes)
{
	struct lite *l = client;
	sqlite3_stmt *s = l->st[limit ? PAGE : LIST];
	int64_t start = now_ns();
	int rc;

	*count = 0;
	*bytes = 0;
	if (limit)
		sqlite3_bind_int64(s, 1, (sqlite3_int64)limit);
	while ((rc = sqlite3_step(s)) == SQLITE_ROW) {
		int last = limit ? MANIFEST : METADATA;

		for (int c = MANIFEST; c <= last; c++) {
			char *room = NULL;
			size_t size;

			if (!column(l, s, c, &size, &room))
				return failed(l, "list");
			*bytes += size;
			free(room);
		}
		++*count;
	}
	sqlite3_reset(s);
	return rc == SQLITE_DONE ? now_ns() - start : failed(l, "list");
}

#define LITE_PEER                                                              \
	.open = lite_open, .close = lite_close, .publish = lite_publish,       \
	.import = lite_import, .get = lite_get, .list = lite_list,             \
	.remove = lite_remove
#define MANY (PEER_THREADS | PEER_PROCESSES | PEER_DELETE | PEER_IMPORT)

static const struct kind full = {.full = 1}, normal = {0};
static const struct kind full_zstd = {.full = 1, .zstd = 1};
static const struct kind normal_zstd = {.zstd = 1};

const struct peer peer_sqlite_full = {
	.name = "sqlite-full",
	.can = MANY | PEER_SCALE | PEER_LIST | PEER_BYTES | PEER_COLD,
	LITE_PEER,
	.getter = "get_sqlite_full",
	.arg = &full,
};
const struct peer peer_sqlite_normal = {
	.name = "sqlite-normal",
	.can = MANY,
	LITE_PEER,
	.arg = &normal,
};
const struct peer peer_sqlite_full_zstd = {
	.name = "sqlite-full-zstd",
	.can = MANY | PEER_BYTES | PEER_COLD,
	LITE_PEER,
	.getter = "get_sqlite_full_zstd",
	.arg = &full_zstd,
};
const struct peer peer_sqlite_normal_zstd = {
	.name = "sqlite-normal-zstd",
	.can = MANY,
	LITE_PEER,
	.arg = &normal_zstd,
};
