#include "index.h"
#include "auto.h"
#include "gather.h"
#include "hex.h"
#include "io.h"
#include "mark.h"
#include "rows.h"

#include <fcntl.h>
#include <lmdb.h>
#include <stdatomic.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/statvfs.h>

enum { ENTRIES, HEADS, LATEST, PURGED, TEXTS, VERSIONS, META, ATTRS, DATABASES };
static const char *const names[DATABASES] = { "entries", "heads",  "latest",
					      "purged",	 "texts",  "versions",
					      "meta",	 "attrs" };

#define READERS 1024
/* as large as LMDB wants it for them, or it is cut to that size */
#define LOCK_SIZE (READERS * 64 + 8192)
/* What a record takes of the index at most, nearly always: the pages that
 * lead to what it changes, and the bytes that are new, in halves of pages. */
#define ROOM_MIN ((uint64_t)64 << 10)
#define ROOM_OF_ENTRY ((uint64_t)5 * 4096)
#define ROOM_MORE ((uint64_t)64 << 10) /* so that not every record asks */

struct pk_index {
	MDB_env *env;
	MDB_dbi db[DATABASES];
	int fd; /* of the index file */
	int is_memory;
	uint64_t inode;
	int dir; /* of the store; not owned */
	atomic_int is_marked; /* as in use, or need not be */
	atomic_int is_bad;
};

/* The name says what must be the same to read the file at all. */
static void index_path(char out[64], const char *file)
{
	snprintf(out, 64, "local/index-%d.%d-%zu-%ld%s%s", MDB_VERSION_MAJOR,
		 MDB_VERSION_MINOR, 8 * sizeof(size_t), sysconf(_SC_PAGESIZE),
		 *file ? "/" : "", file);
}

/* LMDB says "I/O error" of a write that was cut short. */
static int is_full(const struct pk_index *ix)
{
	struct statvfs st;

	return !fstatvfs(ix->fd, &st) && st.f_bavail < 16;
}

static int fail_mdb(struct pk_index *ix, struct pakhus_error *err, int rc,
		    const char *what)
{
	int status = PAKHUS_ECORRUPT; /* all of LMDB's own but these */

	if (rc == EIO && is_full(ix))
		rc = ENOSPC;
	if (rc > 0) {
		errno = rc;
		return pk_fail_sys(err, "index: %s", what);
	}
	if (rc == MDB_MAP_FULL || rc == MDB_READERS_FULL ||
	    rc == MDB_TXN_FULL)
		status = PAKHUS_ELIMIT;
	else
		atomic_store(&ix->is_bad, 1);
	return pk_fail(err, status, "index: %s: %s", what, mdb_strerror(rc));
}

static int fail_value(struct pk_index *ix, struct pakhus_error *err, int db,
		      const char *fault)
{
	atomic_store(&ix->is_bad, 1);
	return pk_fail(err, PAKHUS_ECORRUPT, "index: %s: %s", names[db],
		       fault);
}

/* ---- opening ---- */

static int mark(struct pk_index *ix, struct pakhus_error *err);

static int open_databases(struct pk_index *ix)
{
	struct pakhus_error e = { .status = 0 };
	MDB_txn *txn;
	int rc = mdb_txn_begin(ix->env, NULL, MDB_RDONLY, &txn), n = 0;

	for (; !rc && n < DATABASES; n++)
		rc = mdb_dbi_open(txn, names[n], 0, &ix->db[n]);
	if (!rc)
		return mdb_txn_commit(txn); /* keeps the handles */
	mdb_txn_abort(txn);
	if (rc != MDB_NOTFOUND)
		return rc;
	/* one that an earlier version made, which has something to lose, gets
	 * what it knew nothing of */
	if (n > 1 && !ix->is_memory && mark(ix, &e))
		return e.sys ? e.sys : EIO;
	rc = mdb_txn_begin(ix->env, NULL, 0, &txn);
	if (rc)
		return rc;
	for (int i = 0; !rc && i < DATABASES; i++)
		rc = mdb_dbi_open(txn, names[i], MDB_CREATE, &ix->db[i]);
	if (!rc)
		return mdb_txn_commit(txn);
	mdb_txn_abort(txn);
	return rc;
}

/* How long the file is, and how long its meta page says it is. */
static int lengths(struct pk_index *ix, uint64_t *is, uint64_t *says)
{
	MDB_envinfo info;
	MDB_stat st;
	struct stat file;

	if (mdb_env_info(ix->env, &info) || mdb_env_stat(ix->env, &st) ||
	    fstat(ix->fd, &file))
		return -1;
	*is = (uint64_t)file.st_size;
	*says = ((uint64_t)info.me_last_pgno + 1) * st.ms_psize;
	return 0;
}

/* A file shorter than its own meta page says would end in a SIGBUS. */
static int check_length(struct pk_index *ix)
{
	uint64_t is, says;

	if (lengths(ix, &is, &says))
		return EIO;
	return is < says ? MDB_CORRUPTED : 0;
}

/* LMDB counts pages that a transaction took and gave back, and does not
 * write them: where they are the last ones a sound file ends early, and
 * would be taken for a cut one. fallocate never shortens, whoever else
 * writes; where there is none, the index is made anew once too often. */
static void lengthen(struct pk_index *ix)
{
	uint64_t is, says;

	if (!lengths(ix, &is, &says) && is < says)
		(void)fallocate(ix->fd, 0, (off_t)is, (off_t)(says - is));
}

/* LMDB writes to its lock file through a map, which a full disk answers
 * with SIGBUS: the blocks are asked for here, where that is an error. */
static int fill_lock_file(int dir)
{
	AUTO_CLOSE int fd = openat(dir, "lock.mdb",
				   O_RDWR | O_CREAT | O_CLOEXEC, 0600);

	if (fd < 0)
		return errno;
	return fallocate(fd, 0, 0, LOCK_SIZE) && errno != EOPNOTSUPP ? errno
								     : 0;
}

static int open_env(struct pk_index *ix, const char *path, unsigned flags)
{
	/* address space only; less where a limit is set on it */
	static const size_t maps[] = {
#if SIZE_MAX > UINT32_MAX
		(size_t)1 << 40, (size_t)1 << 36, (size_t)1 << 33,
#endif
		(size_t)1 << 30
	};
	int rc = ENOMEM;

	for (size_t i = 0; rc == ENOMEM && i < sizeof(maps) / sizeof(*maps);
	     i++) {
		rc = mdb_env_create(&ix->env);
		if (rc)
			return rc;
		mdb_env_set_maxdbs(ix->env, DATABASES);
		mdb_env_set_maxreaders(ix->env, READERS);
		mdb_env_set_mapsize(ix->env, maps[i]);
		rc = mdb_env_open(ix->env, path,
				  flags | MDB_NOTLS | MDB_NOSYNC, 0600);
		if (rc) {
			mdb_env_close(ix->env);
			ix->env = NULL;
		}
	}
	return rc;
}

/* All files of one directory, as another may take its place meanwhile. */
static int open_files(struct pk_index *ix, const char *path, char full[96],
		      int *own, struct pakhus_error *err)
{
	int rc;

	if (ix->is_memory) {
		ix->fd = memfd_create("pakhus-index", MFD_CLOEXEC);
		snprintf(full, 96, "/proc/self/fd/%d", ix->fd);
		return 0;
	}
	rc = pk_mkdir(ix->dir, path, 0700, err);
	if (rc)
		return rc;
	*own = openat(ix->dir, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (*own < 0)
		return pk_fail_sys(err, "index: %s", path);
	ix->fd = openat(*own, "data.mdb", O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	/* LMDB takes a path */
	snprintf(full, 96, "/proc/self/fd/%d", *own);
	return 0;
}

static int open_at(struct pk_index **out, int dir, const char *path,
		   struct pakhus_error *err)
{
	struct pk_index *ix = calloc(1, sizeof(*ix));
	AUTO_CLOSE int own = -1;
	char full[96];
	struct stat st;
	int rc;

	if (!ix)
		return pk_fail_nomem(err);
	ix->fd = -1;
	ix->is_memory = dir < 0;
	atomic_init(&ix->is_marked, dir < 0);
	ix->dir = dir;
	rc = open_files(ix, path, full, &own, err);
	if (rc)
		goto fail;
	if (ix->fd < 0 || fstat(ix->fd, &st)) {
		rc = pk_fail_sys(err, "index");
		goto fail;
	}
	ix->inode = st.st_ino;
	rc = ix->is_memory ? 0 : fill_lock_file(own);
	if (!rc)
		rc = open_env(ix, full,
			      ix->is_memory ? MDB_NOSUBDIR | MDB_NOLOCK : 0);
	if (!rc && st.st_size)
		rc = check_length(ix);
	if (!rc && !ix->is_memory) {
		int dead;

		rc = mdb_reader_check(ix->env, &dead);
	}
	if (!rc)
		rc = open_databases(ix);
	if (rc) {
		rc = fail_mdb(ix, err, rc, "open");
		goto fail;
	}
	*out = ix;
	return 0;
fail:
	pk_index_close(ix);
	return rc;
}

int pk_index_open(struct pk_index **out, int dir, struct pakhus_error *err)
{
	struct pakhus_error e;
	char path[64];
	int rc, tries = 0;

	index_path(path, "");
	do {
		e.status = 0;
		rc = open_at(out, dir, path, &e);
		/* it was replaced, and the old one removed, meanwhile */
	} while (rc == PAKHUS_ENOTFOUND && ++tries < 10);
	if (rc && err && !err->status)
		*err = e;
	return rc;
}

void pk_index_close(struct pk_index *ix)
{
	if (!ix)
		return;
	if (ix->env)
		mdb_env_close(ix->env);
	pk_auto_close(&ix->fd);
	free(ix);
}

/* Into the trash; nothing there is no failure. */
static int move_away(int dir, const char *path, struct pakhus_error *err)
{
	char trash[64] = "local/trash/index-";
	unsigned char id[8];
	int rc = pk_random(id, sizeof(id), err);

	if (rc)
		return rc;
	pk_hex(id, sizeof(id), trash + strlen(trash));
	if (renameat(dir, path, dir, trash) && errno != ENOENT)
		return pk_fail_sys(err, "move %s to %s", path, trash);
	return 0;
}

#define NEXT "local/index-next"

int pk_index_drop_others(int dir, struct pakhus_error *err)
{
	char own[64];
	const char *name;
	AUTO_DIR DIR *d = pk_opendir(dir, "local", 0);
	int rc;

	if (!d)
		return pk_fail_sys(err, "local");
	index_path(own, "");
	while ((rc = pk_readdir(d, "local", &name, err)) == 1) {
		char path[sizeof("local/") + NAME_MAX];

		snprintf(path, sizeof(path), "local/%s", name);
		if (strncmp(name, "index-", 6) || !strcmp(path, own) ||
		    !strcmp(name, "index-state"))
			continue;
		rc = move_away(dir, path, err);
		if (rc)
			return rc;
	}
	return rc;
}

int pk_index_make(struct pk_index **out, int dir, struct pakhus_error *err)
{
	int rc = move_away(dir, NEXT, err);

	return rc ? rc : open_at(out, dir, NEXT, err);
}

/* Who opens the index meanwhile may find none and make an empty one, which
 * has to go as well. */
int pk_index_install(int dir, struct pakhus_error *err)
{
	char path[64];

	index_path(path, "");
	for (int tries = 0; tries < 100; tries++) {
		int rc = move_away(dir, path, err);

		if (rc)
			return rc;
		if (!renameat(dir, NEXT, dir, path))
			return 0;
		if (errno != ENOTEMPTY && errno != EEXIST)
			break;
	}
	return pk_fail_sys(err, "move %s to %s", NEXT, path);
}

int pk_index_remove(int dir, struct pakhus_error *err)
{
	static const char *const file[] = { "data.mdb", "lock.mdb" };
	char path[64];

	for (int i = 0; i < 2; i++) {
		index_path(path, file[i]);
		if (!unlinkat(dir, path, 0) || errno == ENOENT)
			continue;
		if (errno == EISDIR || errno == EPERM || errno == ENOTDIR)
			break;
		return pk_fail_sys(err, "remove %s", path);
	}
	/* a link to nowhere, say */
	index_path(path, "");
	if (unlinkat(dir, path, AT_REMOVEDIR) && errno != ENOENT)
		return move_away(dir, path, err);
	return 0;
}

/* That it is in use is on the disk before anything of it is (6). */
static int mark(struct pk_index *ix, struct pakhus_error *err)
{
	uint64_t applied;
	int rc = 0;

	if (pk_mark_read(ix->dir, ix->inode, &applied) != PK_MARK_IN_USE)
		rc = pk_mark_in_use(ix->dir, ix->inode, err);
	if (!rc)
		atomic_store(&ix->is_marked, 1);
	return rc;
}

int pk_index_reserve(struct pk_index *ix, uint64_t entries, uint64_t bytes,
		     struct pakhus_error *err)
{
	uint64_t is, says, pages = entries * ROOM_OF_ENTRY;
	int rc = atomic_load(&ix->is_marked) ? 0 : mark(ix, err);

	if (rc || ix->is_memory || lengths(ix, &is, &says))
		return rc;
	if (pages > says)
		pages = says; /* each is copied once at most */
	says += pages + 3 * bytes + ROOM_MIN;
	if (is >= says ||
	    !fallocate(ix->fd, 0, (off_t)is,
		       (off_t)(says + ROOM_MORE - is)) ||
	    (errno != ENOSPC && errno != EDQUOT && errno != EFBIG))
		return 0;
	return pk_fail_sys(err, "index: make room");
}

uint64_t pk_index_bytes(struct pk_index *ix)
{
	struct stat st;

	return ix->is_memory || fstat(ix->fd, &st) ? 0
						   : (uint64_t)st.st_blocks * 512;
}

int pk_index_is_bad(const struct pk_index *ix)
{
	return atomic_load(&ix->is_bad);
}

void pk_index_distrust(struct pk_index *ix)
{
	atomic_store(&ix->is_bad, 1);
}

uint64_t pk_index_find(int dir)
{
	char path[64];
	struct stat st;

	index_path(path, "data.mdb");
	if (!fstatat(dir, path, &st, 0))
		return st.st_ino;
	return errno == ENOENT ? 0 : UINT64_MAX; /* no index has that one */
}

uint64_t pk_index_inode(const struct pk_index *ix)
{
	return ix->inode;
}

int pk_index_sync(struct pk_index *ix, struct pakhus_error *err)
{
	int rc = mdb_env_sync(ix->env, 1);

	return rc ? fail_mdb(ix, err, rc, "sync") : 0;
}

/* ---- cursors ---- */

static struct pk_bytes span(MDB_val v)
{
	return (struct pk_bytes){ v.mv_data, v.mv_size };
}

static void close_cursor(MDB_cursor **c)
{
	if (*c)
		mdb_cursor_close(*c);
}

static int open_cursor(struct pk_txn *t, int db, MDB_cursor **c,
		       struct pakhus_error *err)
{
	int rc = mdb_cursor_open(t->handle, t->ix->db[db], c);

	if (rc)
		*c = NULL;
	return rc ? fail_mdb(t->ix, err, rc, names[db]) : 0;
}

static int is_below(MDB_val key, const struct pk_key *bound)
{
	size_t n = key.mv_size < bound->size ? key.mv_size : bound->size;
	int order = memcmp(key.mv_data, bound->bytes, n);

	return order ? order < 0 : key.mv_size < bound->size;
}

/* Of the key on one side of a bound, whether it may stand there. */
static int check_side(int rc, MDB_val key, MDB_val value,
		      const struct pk_key *bound, int below)
{
	if (rc)
		return rc;
	return is_below(key, bound) != below ||
			       pk_value_check(span(key), span(value))
		       ? MDB_CORRUPTED
		       : 0;
}

/* Puts a cursor on the last key below a bound; MDB_NOTFOUND where none is.
 * A key that is damaged has no checksum on a branch page, and leads astray
 * there; on a leaf its row is taken for another. Either shows in the keys
 * between which the search ends. */
static int seek_below(MDB_cursor *c, const struct pk_key *bound, MDB_val *key,
		      MDB_val *value)
{
	int rc;

	key->mv_data = (void *)bound->bytes;
	key->mv_size = bound->size;
	rc = mdb_cursor_get(c, key, value, MDB_SET_RANGE);
	rc = check_side(rc, *key, *value, bound, 0);
	if (rc && rc != MDB_NOTFOUND)
		return rc;
	rc = mdb_cursor_get(c, key, value, rc ? MDB_LAST : MDB_PREV);
	return check_side(rc, *key, *value, bound, 1);
}

/* On the first key that is not below it. */
static int seek(MDB_cursor *c, const struct pk_key *bound, MDB_val *key,
		MDB_val *value)
{
	int rc = seek_below(c, bound, key, value);

	if (rc && rc != MDB_NOTFOUND)
		return rc;
	return mdb_cursor_get(c, key, value, rc ? MDB_FIRST : MDB_NEXT);
}

/* That a key which a look-up did not find is not there: 0, or a failure. */
static int check_absent(struct pk_txn *t, int db, const struct pk_key *k,
			struct pakhus_error *err)
{
	AUTO(close_cursor) MDB_cursor *c = NULL;
	MDB_val key, value;
	int rc = open_cursor(t, db, &c, err);

	if (rc)
		return rc;
	rc = seek(c, k, &key, &value);
	if (!rc && key.mv_size == k->size &&
	    !memcmp(key.mv_data, k->bytes, k->size))
		rc = MDB_CORRUPTED; /* the look-up went elsewhere */
	return rc && rc != MDB_NOTFOUND ? fail_mdb(t->ix, err, rc, names[db])
					: 0;
}

/* ---- values in and out ---- */

static int get(struct pk_txn *t, int db, struct pk_key *k, MDB_val *key,
	       MDB_val *value, struct pakhus_error *err)
{
	int rc;

	key->mv_data = k->bytes;
	key->mv_size = k->size;
	rc = mdb_get(t->handle, t->ix->db[db], key, value);
	if (rc == MDB_NOTFOUND)
		return check_absent(t, db, k, err);
	return rc ? fail_mdb(t->ix, err, rc, names[db]) : 1;
}

static int put(struct pk_txn *t, int db, struct pk_key *k,
	       const unsigned char *bytes, size_t size,
	       struct pakhus_error *err)
{
	MDB_val key = { k->size, k->bytes };
	MDB_val value = { size, (void *)bytes };
	int rc = mdb_put(t->handle, t->ix->db[db], &key, &value, 0);

	return rc ? fail_mdb(t->ix, err, rc, names[db]) : 0;
}

static int del(struct pk_txn *t, int db, struct pk_key *k,
	       struct pakhus_error *err)
{
	MDB_val key = { k->size, k->bytes };
	int rc = mdb_del(t->handle, t->ix->db[db], &key, NULL);

	return rc && rc != MDB_NOTFOUND ? fail_mdb(t->ix, err, rc, names[db]) : 0;
}

/* What every look-up of one value is. */
#define GET(db, k, decode, out)                                              \
	do {                                                                 \
		MDB_val key_, value_;                                        \
		const char *fault_;                                          \
		int rc_ = get(t, db, k, &key_, &value_, err);                \
                                                                             \
		if (rc_ != 1)                                                \
			return rc_;                                          \
		fault_ = decode(span(key_), span(value_), out);              \
		return fault_ ? fail_value(t->ix, err, db, fault_) : 1;             \
	} while (0)

int pk_index_head(struct pk_txn *t, const char *id, struct pk_head *out,
		  struct pakhus_error *err)
{
	struct pk_key k;

	if (t->rows) {
		*out = t->rows->head;
		return t->rows->lines != 0;
	}
	pk_key_id(&k, id);
	GET(HEADS, &k, pk_head_decode, out);
}

int pk_index_version(struct pk_txn *t, const char *id, const char *version,
		     struct pk_live *out, struct pakhus_error *err)
{
	struct pk_key k;

	if (t->rows) {
		const struct pk_row_version *v =
			pk_rows_version(t->rows, version);

		if (v)
			*out = v->live;
		return v != NULL;
	}
	pk_key_version(&k, id, version);
	GET(VERSIONS, &k, pk_live_decode, out);
}

int pk_index_latest(struct pk_txn *t, uint64_t place, struct pk_latest *out,
		    struct pakhus_error *err)
{
	struct pk_key k;

	pk_key_place(&k, place);
	GET(LATEST, &k, pk_latest_decode, out);
}

int pk_index_location(struct pk_txn *t, const unsigned char *hash,
		      struct pk_location *out, struct pakhus_error *err)
{
	struct pk_key k;

	pk_key_hash(&k, hash);
	GET(TEXTS, &k, pk_location_decode, out);
}

/* Nearly always there are none, which the database's head says. */
static int has_any(struct pk_txn *t, int db)
{
	MDB_stat st;

	return mdb_stat(t->handle, t->ix->db[db], &st) || st.ms_entries;
}

int pk_index_purged(struct pk_txn *t, const unsigned char *hash,
		    struct pk_purged *out, struct pakhus_error *err)
{
	struct pk_key k;

	if (t->rows) {
		const struct pk_row_purged *p = pk_rows_purged(t->rows, hash);

		if (p)
			out->seq = p->seq;
		return p != NULL;
	}
	if (!has_any(t, PURGED))
		return 0;
	pk_key_hash(&k, hash);
	GET(PURGED, &k, pk_purged_decode, out);
}

int pk_index_attrs(struct pk_txn *t, const char *id, const char *version,
		   struct pk_attrs *out, struct pakhus_error *err)
{
	struct pk_key k;

	if (t->rows) {
		const size_t *at = pk_rows_attrs(t->rows, version);

		if (at && *at)
			*out = t->rows->said[*at - 1];
		return at && *at;
	}
	if (!has_any(t, ATTRS))
		return 0;
	pk_key_version(&k, id, version);
	GET(ATTRS, &k, pk_attrs_decode, out);
}

static int get_stamp(struct pk_txn *t, struct pk_stamp *out,
		     struct pakhus_error *err)
{
	struct pk_key k;

	pk_key_stamp(&k);
	GET(META, &k, pk_stamp_decode, out);
}

/* ---- transactions ---- */

static int begin(struct pk_txn *t, struct pk_index *ix, int is_write,
		 struct pakhus_error *err)
{
	MDB_txn *txn;
	int rc;

	if (!ix)
		return pk_fail(err, PAKHUS_ECORRUPT,
			       "index: it was damaged, and could not be made "
			       "anew");
	rc = mdb_txn_begin(ix->env, NULL, is_write ? 0 : MDB_RDONLY, &txn);
	if (rc)
		return fail_mdb(ix, err, rc, "begin");
	t->ix = ix;
	t->handle = txn;
	t->is_write = is_write;
	memset(&t->stamp, 0, sizeof(t->stamp));
	rc = get_stamp(t, &t->stamp, err);
	if (rc < 0) {
		pk_txn_end(t);
		return rc;
	}
	return 0;
}

int pk_txn_read(struct pk_txn *t, struct pk_index *ix, struct pakhus_error *err)
{
	return begin(t, ix, 0, err);
}

int pk_txn_write(struct pk_txn *t, struct pk_index *ix,
		 struct pakhus_error *err)
{
	int rc = ix && !atomic_load(&ix->is_marked) ? mark(ix, err) : 0;

	return rc ? rc : begin(t, ix, 1, err);
}

int pk_txn_commit(struct pk_txn *t, struct pakhus_error *err)
{
	unsigned char value[256];
	struct pk_key k;
	int rc;

	pk_key_stamp(&k);
	rc = put(t, META, &k, value, pk_stamp_encode(&k, &t->stamp, value),
		 err);
	if (rc)
		return rc;
	rc = mdb_txn_commit(t->handle);
	t->handle = NULL;
	if (rc)
		return fail_mdb(t->ix, err, rc, "commit");
	lengthen(t->ix);
	return 0;
}

void pk_txn_end(struct pk_txn *t)
{
	int saved = errno;

	if (t->handle)
		mdb_txn_abort(t->handle);
	t->handle = NULL;
	errno = saved;
}

/* ---- walks ---- */

int pk_index_each_latest(struct pk_txn *t, uint64_t before, pk_latest_fn *fn,
			 void *arg, struct pakhus_error *err)
{
	AUTO(close_cursor) MDB_cursor *c = NULL;
	struct pk_latest latest;
	struct pk_key bound;
	MDB_val key, value;
	int rc = open_cursor(t, LATEST, &c, err);

	if (rc)
		return rc;
	pk_key_place(&bound, before ? before : UINT64_MAX);
	for (rc = seek_below(c, &bound, &key, &value); !rc;
	     rc = mdb_cursor_get(c, &key, &value, MDB_PREV)) {
		const char *fault = pk_latest_decode(span(key), span(value),
						     &latest);
		int stop = fault ? fail_value(t->ix, err, LATEST, fault)
				 : fn(arg, &latest);

		if (stop)
			return stop;
	}
	return rc == MDB_NOTFOUND ? 0 : fail_mdb(t->ix, err, rc, "latest");
}

/* The ordinal in which a walk that ends before a position begins: that of
 * the last publish before it, found by halving. */
static int ordinal_before(struct pk_txn *t, MDB_cursor *c, const char *id,
			  uint64_t before, uint64_t *out,
			  struct pakhus_error *err)
{
	struct pk_head head = { 0, 0, 0 };
	uint64_t low = 0, high;
	int rc = pk_index_head(t, id, &head, err);

	if (rc < 0)
		return rc;
	high = head.publishes;
	while (before && high > low + 1) {
		uint64_t mid = low + (high - low) / 2, ordinal, seq;
		struct pk_key k;
		MDB_val key, value;

		pk_key_entry(&k, id, mid, 0);
		rc = seek(c, &k, &key, &value);
		if (rc)
			return fail_mdb(t->ix, err, rc, "entries");
		if (pk_key_entry_decode(span(key), id, &ordinal, &seq))
			return fail_value(t->ix, err, ENTRIES,
					  "F-64 an ordinal has no line");
		if (seq < before)
			low = mid;
		else
			high = mid;
	}
	*out = before ? low : UINT64_MAX;
	return 0;
}

int pk_index_each_line(struct pk_txn *t, const char *id, uint64_t before,
		       pk_line_fn *fn, void *arg, struct pakhus_error *err)
{
	AUTO(close_cursor) MDB_cursor *c = NULL;
	struct pk_line line;
	struct pk_key bound;
	MDB_val key, value;
	uint64_t ordinal = 0, seq;
	int rc = open_cursor(t, ENTRIES, &c, err);

	if (rc)
		return rc;
	/* keys go by ordinal first, which grows with seq */
	rc = ordinal_before(t, c, id, before, &ordinal, err);
	if (rc)
		return rc;
	pk_key_entry(&bound, id, ordinal, before ? before : UINT64_MAX);
	for (rc = seek_below(c, &bound, &key, &value); !rc;
	     rc = mdb_cursor_get(c, &key, &value, MDB_PREV)) {
		const char *fault;
		int stop;

		if (pk_key_entry_decode(span(key), id, &ordinal, &seq))
			return 0;
		fault = pk_line_decode(span(key), span(value), &line);
		stop = fault ? fail_value(t->ix, err, ENTRIES, fault)
			     : fn(arg, seq, &line);
		if (stop)
			return stop;
	}
	return rc == MDB_NOTFOUND ? 0 : fail_mdb(t->ix, err, rc, "entries");
}

int pk_index_line(struct pk_txn *t, const char *id, uint64_t ordinal,
		  struct pk_line *out, struct pakhus_error *err)
{
	AUTO(close_cursor) MDB_cursor *c = NULL;
	struct pk_key k;
	MDB_val key, value;
	uint64_t found, seq;
	int rc = open_cursor(t, ENTRIES, &c, err);

	if (rc)
		return rc;
	/* the publish has the lowest seq of its ordinal, but for what was said
	 * of the package before any */
	pk_key_entry(&k, id, ordinal, 0);
	for (rc = seek(c, &k, &key, &value); !rc;
	     rc = mdb_cursor_get(c, &key, &value, MDB_NEXT)) {
		const char *fault;

		if (pk_key_entry_decode(span(key), id, &found, &seq) ||
		    found != ordinal)
			return 0;
		fault = pk_line_decode(span(key), span(value), out);
		if (fault)
			return fail_value(t->ix, err, ENTRIES, fault);
		if (out->is_publish)
			return 1;
	}
	return rc == MDB_NOTFOUND ? 0 : fail_mdb(t->ix, err, rc, "entries");
}

int pk_index_neighbour(struct pk_txn *t, const char *id, const char *version,
		       char *out, struct pakhus_error *err)
{
	AUTO(close_cursor) MDB_cursor *c = NULL;
	size_t prefix = strlen(id) + 1;
	struct pk_key k;
	MDB_val key, value;
	int rc = open_cursor(t, VERSIONS, &c, err);

	if (rc)
		return rc;
	pk_key_version(&k, id, version);
	rc = seek_below(c, &k, &key, &value);
	if (rc)
		return rc == MDB_NOTFOUND ? 0 : fail_mdb(t->ix, err, rc, "versions");
	if (key.mv_size <= prefix || key.mv_size > prefix + PK_VERSION_MAX ||
	    memcmp(key.mv_data, k.bytes, prefix))
		return 0;
	memcpy(out, (char *)key.mv_data + prefix, key.mv_size - prefix);
	out[key.mv_size - prefix] = '\0';
	return 1;
}

int pk_index_each_version(struct pk_txn *t, const char *id, pk_version_fn *fn,
			  void *arg, struct pakhus_error *err)
{
	AUTO(close_cursor) MDB_cursor *c = NULL;
	size_t prefix = strlen(id) + 1;
	char version[PK_VERSION_MAX + 1];
	struct pk_live live;
	struct pk_key k;
	MDB_val key, value;
	int rc = open_cursor(t, VERSIONS, &c, err);

	if (rc)
		return rc;
	pk_key_version(&k, id, "");
	for (rc = seek(c, &k, &key, &value); !rc;
	     rc = mdb_cursor_get(c, &key, &value, MDB_NEXT)) {
		const char *fault;
		int stop;

		if (key.mv_size <= prefix ||
		    key.mv_size > prefix + PK_VERSION_MAX ||
		    memcmp(key.mv_data, k.bytes, prefix))
			return 0;
		fault = pk_live_decode(span(key), span(value), &live);
		if (fault)
			return fail_value(t->ix, err, VERSIONS, fault);
		memcpy(version, (char *)key.mv_data + prefix,
		       key.mv_size - prefix);
		version[key.mv_size - prefix] = '\0';
		stop = live.is_live ? fn(arg, version, &live) : 0;
		if (stop)
			return stop;
	}
	return rc == MDB_NOTFOUND ? 0 : fail_mdb(t->ix, err, rc, "versions");
}

int pk_index_each_live(struct pk_txn *t, pk_live_fn *fn, void *arg,
		       struct pakhus_error *err)
{
	AUTO(close_cursor) MDB_cursor *c = NULL;
	struct pk_live live;
	MDB_val key, value;
	int rc = open_cursor(t, VERSIONS, &c, err);

	if (rc)
		return rc;
	while (!(rc = mdb_cursor_get(c, &key, &value, MDB_NEXT))) {
		const char *fault = pk_live_decode(span(key), span(value),
						   &live);
		int stop = 0;

		if (fault)
			return fail_value(t->ix, err, VERSIONS, fault);
		if (live.is_live)
			stop = fn(arg, &live);
		if (stop)
			return stop;
	}
	return rc == MDB_NOTFOUND ? 0 : fail_mdb(t->ix, err, rc, "versions");
}

int pk_index_each_attrs(struct pk_txn *t, pk_live_fn *fn, void *arg,
			struct pakhus_error *err)
{
	AUTO(close_cursor) MDB_cursor *c = NULL;
	struct pk_live live = { .is_live = 1 };
	struct pk_attrs attrs;
	MDB_val key, value;
	uint64_t n = 0;
	int rc = open_cursor(t, ATTRS, &c, err);

	if (rc)
		return rc;
	while (!(rc = mdb_cursor_get(c, &key, &value, MDB_NEXT))) {
		const char *fault = pk_attrs_decode(span(key), span(value),
						    &attrs);
		int stop;

		if (fault)
			return fail_value(t->ix, err, ATTRS, fault);
		n++;
		live.seq = attrs.seq;
		memcpy(live.hash, attrs.hash, PK_HASH_SIZE);
		stop = fn(arg, &live);
		if (stop)
			return stop;
	}
	if (rc != MDB_NOTFOUND)
		return fail_mdb(t->ix, err, rc, "attrs");
	return n == pk_index_said(t) ? 0 : pk_index_fail_missing(t, err);
}

int pk_index_each_purged(struct pk_txn *t, pk_purged_fn *fn, void *arg,
			 struct pakhus_error *err)
{
	AUTO(close_cursor) MDB_cursor *c = NULL;
	struct pk_purged purged;
	MDB_val key, value;
	int rc = open_cursor(t, PURGED, &c, err);

	if (rc)
		return rc;
	while (!(rc = mdb_cursor_get(c, &key, &value, MDB_NEXT))) {
		const char *fault = pk_purged_decode(span(key), span(value),
						     &purged);
		int stop;

		if (!fault && key.mv_size != PK_HASH_SIZE)
			fault = "F-62 a key is no hash";
		stop = fault ? fail_value(t->ix, err, PURGED, fault)
			     : fn(arg, key.mv_data, &purged);
		if (stop)
			return stop;
	}
	return rc == MDB_NOTFOUND ? 0 : fail_mdb(t->ix, err, rc, "purged");
}

int pk_index_fail_missing(struct pk_txn *t, struct pakhus_error *err)
{
	pk_index_distrust(t->ix);
	return pk_fail(err, PAKHUS_ECORRUPT, "index: F-65 a row is missing");
}

uint64_t pk_index_packages(struct pk_txn *t)
{
	MDB_stat st;

	return mdb_stat(t->handle, t->ix->db[LATEST], &st) ? 0 : st.ms_entries;
}

uint64_t pk_index_said(struct pk_txn *t)
{
	MDB_stat st;

	return mdb_stat(t->handle, t->ix->db[ATTRS], &st) ? 0 : st.ms_entries;
}

/* ---- rows, here or gathered (rows.h) ---- */

int pk_row_put_line(struct pk_txn *t, const char *id, uint64_t ordinal,
		    uint64_t seq, const struct pk_line *v,
		    struct pakhus_error *err)
{
	unsigned char value[256];
	struct pk_key k;

	if (t->rows) {
		struct pk_row_line *l = pk_rows_line(t->rows, seq);

		if (!l)
			l = pk_rows_add_line(t->rows, seq);
		if (!l)
			return pk_fail_nomem(err);
		l->ordinal = ordinal;
		l->is_publish = (unsigned char)v->is_publish;
		l->is_place = (unsigned char)v->is_place;
		l->is_attrs = (unsigned char)v->is_attrs;
		memcpy(l->hash, v->hash, PK_HASH_SIZE);
		return 0;
	}
	pk_key_entry(&k, id, ordinal, seq);
	return put(t, ENTRIES, &k, value, pk_line_encode(&k, v, value), err);
}

int pk_row_put_head(struct pk_txn *t, const char *id, const struct pk_head *v,
		    struct pakhus_error *err)
{
	unsigned char value[64];
	struct pk_key k;

	if (t->rows) {
		t->rows->head = *v;
		return 0;
	}
	pk_key_id(&k, id);
	return put(t, HEADS, &k, value, pk_head_encode(&k, v, value), err);
}

int pk_row_put_version(struct pk_txn *t, const char *id, const char *version,
		       const struct pk_live *v, struct pakhus_error *err)
{
	unsigned char value[128];
	struct pk_key k;

	if (t->rows) {
		struct pk_row_version *to =
			pk_rows_add_version(t->rows, t->rows->name);

		if (!to)
			return pk_fail_nomem(err);
		to->live = *v;
		return 0;
	}
	pk_key_version(&k, id, version);
	return put(t, VERSIONS, &k, value, pk_live_encode(&k, v, value), err);
}

int pk_row_put_latest(struct pk_txn *t, const char *id, const char *version,
		      const struct pk_live *live, struct pk_bytes manifest,
		      struct pakhus_error *err)
{
	AUTO_FREE unsigned char *value = NULL;
	struct pk_latest v = { .live = *live };
	struct pk_key k;

	if (t->rows)
		return 0; /* it follows from the head */
	value = malloc(PK_VALUE_MAX);
	if (!value)
		return pk_fail_nomem(err);
	strcpy(v.id, id);
	strcpy(v.version, version);
	if (manifest.left <= PK_MANIFEST_MAX) /* F-63 */
		v.manifest = manifest;
	pk_key_place(&k, live->place);
	return put(t, LATEST, &k, value, pk_latest_encode(&k, &v, value), err);
}

int pk_row_del_latest(struct pk_txn *t, uint64_t place,
		      struct pakhus_error *err)
{
	struct pk_key k;

	if (t->rows || !place)
		return 0;
	pk_key_place(&k, place);
	return del(t, LATEST, &k, err);
}

/* The line of an insertion. */
int pk_row_get_place(struct pk_txn *t, const char *id,
		     const struct pk_live *live, struct pk_line *out,
		     struct pakhus_error *err)
{
	struct pk_key k;

	if (t->rows) {
		const struct pk_row_line *l =
			pk_rows_line(t->rows, live->place);

		if (!l)
			return 0;
		out->is_publish = l->is_publish;
		out->is_place = l->is_place;
		out->is_attrs = l->is_attrs;
		memcpy(out->hash, l->hash, PK_HASH_SIZE);
		strcpy(out->version, l->version);
		return 1;
	}
	pk_key_entry(&k, id, live->place_ordinal, live->place);
	GET(ENTRIES, &k, pk_line_decode, out);
}

int pk_row_put_purged(struct pk_txn *t, const unsigned char *hash,
		      const struct pk_purged *v, struct pakhus_error *err)
{
	unsigned char value[64];
	struct pk_key k;

	if (t->rows) {
		struct pk_row_purged *to = pk_rows_add_purged(t->rows, hash);

		if (!to)
			return pk_fail_nomem(err);
		to->seq = v->seq;
		return 0;
	}
	pk_key_hash(&k, hash);
	return put(t, PURGED, &k, value, pk_purged_encode(&k, v, value), err);
}

int pk_row_put_attrs(struct pk_txn *t, const char *id, const char *version,
		     const struct pk_attrs *v, struct pakhus_error *err)
{
	unsigned char value[256];
	struct pk_key k;

	if (t->rows) {
		size_t *at = pk_rows_attrs(t->rows, version);

		if (!at)
			return pk_index_fail_missing(t, err);
		return pk_rows_say(t->rows, at, v) ? pk_fail_nomem(err) : 0;
	}
	pk_key_version(&k, id, version);
	return put(t, ATTRS, &k, value, pk_attrs_encode(&k, v, value), err);
}

int pk_row_del_attrs(struct pk_txn *t, const char *id, const char *version,
		     struct pakhus_error *err)
{
	struct pk_key k;

	if (t->rows) {
		size_t *at = pk_rows_attrs(t->rows, version);

		if (at)
			*at = 0;
		return 0;
	}
	if (!has_any(t, ATTRS))
		return 0;
	pk_key_version(&k, id, version);
	return del(t, ATTRS, &k, err);
}

struct published {
	const char *version;
	const unsigned char *hash;
};

static int is_published(void *arg, uint64_t seq, const struct pk_line *line)
{
	const struct published *p = arg;

	(void)seq;
	return (line->is_publish || line->is_attrs) &&
	       !strcmp(line->version, p->version) &&
	       !memcmp(line->hash, p->hash, PK_HASH_SIZE);
}

int pk_row_was_published(struct pk_txn *t, const char *id, const char *version,
			 const unsigned char *hash, struct pakhus_error *err)
{
	struct published p = { version, hash };

	if (!t->rows)
		return pk_index_each_line(t, id, 0, is_published, &p, err);
	for (size_t i = 0; i < t->rows->lines; i++) {
		const struct pk_row_line *l = &t->rows->line[i];

		if ((l->is_publish || l->is_attrs) &&
		    !memcmp(l->hash, hash, PK_HASH_SIZE) &&
		    !strcmp(l->version, version))
			return 1;
	}
	return 0;
}

static int is_newest(void *arg, uint64_t seq, const struct pk_line *line)
{
	struct pk_newest *n = arg;

	if (!line->is_place)
		return 0;
	n->place = seq;
	strcpy(n->version, line->version);
	return 1;
}

/* Of those before a place: 1 where there is one, else 0. */
int pk_row_find_newest(struct pk_txn *t, const char *id, uint64_t before,
		       struct pk_newest *out, struct pakhus_error *err)
{
	const struct pk_row_line *l;

	if (!t->rows)
		return pk_index_each_line(t, id, before, is_newest, out, err);
	l = pk_rows_line(t->rows, before);
	while (l > t->rows->line)
		if ((--l)->is_place) {
			out->place = l->seq;
			strcpy(out->version, l->version);
			return 1;
		}
	return 0;
}

/* ---- writing what was gathered ---- */

#define FILL_ROWS 200000 /* a transaction, to bound its dirty pages */

/* What a row of latest is made of, when all packages are done. */
struct newest_row {
	const struct pk_sheaf *sheaf;
	struct pk_live live;
	char *version;
};

/* Cursors that stand at the end of their databases. */
struct fill {
	struct pk_txn txn;
	MDB_cursor *end[DATABASES];
	size_t n; /* rows in this transaction */
	struct pk_rows rows;
	struct newest_row *newest;
	size_t packages, cap;
	struct pakhus_error *err;
};

static void fill_release(struct fill *f)
{
	for (int i = 0; i < DATABASES; i++)
		close_cursor(&f->end[i]);
	pk_txn_end(&f->txn);
	pk_rows_release(&f->rows);
	for (size_t i = 0; i < f->packages; i++)
		free(f->newest[i].version);
	free(f->newest);
}

static int fill_begin(struct fill *f)
{
	int rc = pk_txn_write(&f->txn, f->txn.ix, f->err);

	for (int i = 0; i < DATABASES && !rc; i++)
		rc = open_cursor(&f->txn, i, &f->end[i], f->err);
	f->n = 0;
	return rc;
}

static int fill_commit(struct fill *f)
{
	for (int i = 0; i < DATABASES; i++) {
		close_cursor(&f->end[i]);
		f->end[i] = NULL;
	}
	return pk_txn_commit(&f->txn, f->err);
}

static int append(struct fill *f, int db, struct pk_key *k,
		  const unsigned char *bytes, size_t size)
{
	MDB_val key = { k->size, k->bytes };
	MDB_val value = { size, (void *)bytes };
	int rc = mdb_cursor_put(f->end[db], &key, &value, MDB_APPEND);

	f->n++;
	return rc ? fail_mdb(f->txn.ix, f->err, rc, names[db]) : 0;
}

static int fill_attrs(struct fill *f, const char *id, const char *version,
		      size_t at)
{
	unsigned char value[256];
	struct pk_key k;

	pk_key_version(&k, id, version);
	return append(f, ATTRS, &k, value,
		      pk_attrs_encode(&k, &f->rows.said[at - 1], value));
}

/* The rows of the package, but for its latest. */
static int fill_rows(struct fill *f, const char *id)
{
	struct pk_rows *r = &f->rows;
	struct pk_line line = { .is_publish = 0 };
	unsigned char value[256];
	struct pk_key k;
	int rc = 0;

	if (r->attrs)
		rc = fill_attrs(f, id, "", r->attrs);
	for (size_t i = 0; i < r->versions && !rc; i++) {
		const struct pk_row_version *v = &r->version[i];

		pk_key_version(&k, id, v->version);
		rc = append(f, VERSIONS, &k, value,
			    pk_live_encode(&k, &v->live, value));
		if (!rc && v->attrs)
			rc = fill_attrs(f, id, v->version, v->attrs);
	}
	/* of all packages, by hash: in no order here, and few */
	for (size_t i = 0; i < r->purges && !rc; i++) {
		struct pk_purged p = { r->purged[i].seq };

		rc = pk_row_put_purged(&f->txn, r->purged[i].hash, &p, f->err);
	}
	for (size_t i = 0; i < r->lines && !rc; i++) {
		const struct pk_row_line *l = &r->line[i];

		line.is_publish = l->is_publish;
		line.is_place = l->is_place;
		line.is_attrs = l->is_attrs;
		memcpy(line.hash, l->hash, PK_HASH_SIZE);
		strcpy(line.version, l->version);
		pk_key_entry(&k, id, l->ordinal, l->seq);
		rc = append(f, ENTRIES, &k, value,
			    pk_line_encode(&k, &line, value));
	}
	if (rc)
		return rc;
	pk_key_id(&k, id);
	return append(f, HEADS, &k, value, pk_head_encode(&k, &r->head, value));
}

/* Keeps what the row of the package's latest will be. */
static int keep_newest(struct fill *f, const struct pk_sheaf *s)
{
	const struct pk_rows *r = &f->rows;
	struct newest_row *to;
	size_t i = 0;

	if (!r->head.place)
		return 0;
	if (f->packages == f->cap) {
		size_t cap = f->cap + f->cap / 2 + 64;
		void *p = realloc(f->newest, cap * sizeof(*f->newest));

		if (!p)
			return pk_fail_nomem(f->err);
		f->newest = p;
		f->cap = cap;
	}
	while (!r->version[i].live.is_live ||
	       r->version[i].live.place != r->head.place)
		i++;
	to = &f->newest[f->packages];
	to->sheaf = s;
	to->live = r->version[i].live;
	to->version = strdup(r->version[i].version);
	f->packages += to->version != NULL;
	return to->version ? 0 : pk_fail_nomem(f->err);
}

static int fill_package(struct fill *f, struct pk_txn *t, struct pk_sheaf *s,
			struct pk_entry *e)
{
	struct pk_bytes none = { NULL, 0 };
	size_t at = 0;
	uint64_t seq;
	int rc = 0;

	pk_rows_begin(&f->rows);
	strcpy(e->id, s->id);
	while (!rc && pk_sheaf_next(s, &at, &seq, e, &f->rows.name))
		rc = pk_index_apply(t, seq, e, none, f->err);
	if (rc)
		return rc;
	pk_rows_sort(&f->rows);
	rc = keep_newest(f, s);
	if (!rc)
		rc = fill_rows(f, s->id);
	pk_sheaf_release(s);
	return rc;
}

static int by_place(const void *a, const void *b)
{
	const struct newest_row *x = a, *y = b;

	return x->live.place < y->live.place ? -1
	       : x->live.place > y->live.place;
}

static int fill_latest(struct fill *f)
{
	unsigned char value[512];
	struct pk_key k;
	int rc = 0;

	if (f->packages)
		qsort(f->newest, f->packages, sizeof(*f->newest), by_place);
	for (size_t i = 0; i < f->packages && !rc; i++) {
		struct pk_latest v = { .live = f->newest[i].live };

		strcpy(v.id, f->newest[i].sheaf->id);
		strcpy(v.version, f->newest[i].version);
		pk_key_place(&k, v.live.place);
		rc = append(f, LATEST, &k, value,
			    pk_latest_encode(&k, &v, value));
	}
	return rc;
}

static int fill(struct fill *f, struct pk_txn *t, struct pk_gather *g,
		struct pk_entry *e)
{
	struct pk_sheaf *const *s = pk_gather_sort(g);
	int rc = s ? fill_begin(f) : pk_fail_nomem(f->err);

	for (; !rc && *s; s++) {
		rc = fill_package(f, t, *s, e);
		if (rc || f->n < FILL_ROWS)
			continue;
		memset(f->txn.stamp.identity, 0, PK_IDENTITY_SIZE);
		rc = fill_commit(f);
		if (!rc)
			rc = fill_begin(f);
	}
	return rc ? rc : fill_latest(f);
}

int pk_index_fill(struct pk_txn *t, struct pk_gather *g, uint64_t upto,
		  struct pakhus_error *err)
{
	AUTO(fill_release) struct fill f = { .txn = { .ix = t->ix },
					     .err = err };
	AUTO_FREE struct pk_entry *e = calloc(1, sizeof(*e));
	int rc;

	if (!e)
		return pk_fail_nomem(err);
	t->rows = &f.rows;
	rc = fill(&f, t, g, e);
	t->rows = NULL;
	if (rc)
		return rc;
	t->stamp.applied = upto;
	f.txn.stamp = t->stamp;
	return fill_commit(&f);
}

/* ---- texts and manifests ---- */

int pk_index_locate(struct pk_txn *t, const unsigned char *hash,
		    const struct pk_location *at, struct pakhus_error *err)
{
	unsigned char value[128];
	struct pk_key k;

	pk_key_hash(&k, hash);
	if (!at)
		return del(t, TEXTS, &k, err);
	return put(t, TEXTS, &k, value, pk_location_encode(&k, at, value), err);
}

static int is_of(const struct pk_location *at, const unsigned char *generation)
{
	return generation &&
	       !memcmp(at->generation, generation, PK_GENERATION_SIZE);
}

int pk_index_forget(struct pk_txn *t, const unsigned char *generation,
		    const unsigned char *other, struct pakhus_error *err)
{
	AUTO(close_cursor) MDB_cursor *c = NULL;
	struct pk_location at;
	MDB_val key, value;
	int rc = open_cursor(t, TEXTS, &c, err);

	if (rc)
		return rc;
	while (!(rc = mdb_cursor_get(c, &key, &value, MDB_NEXT))) {
		const char *fault = pk_location_decode(span(key), span(value),
						       &at);

		if (fault)
			return fail_value(t->ix, err, TEXTS, fault);
		if (is_of(&at, generation) || is_of(&at, other))
			continue;
		rc = mdb_cursor_del(c, 0);
		if (rc)
			break;
	}
	return rc == MDB_NOTFOUND ? 0 : fail_mdb(t->ix, err, rc, "texts");
}

int pk_index_keep_manifest(struct pk_txn *t, uint64_t place,
			   const unsigned char *hash, struct pk_bytes manifest,
			   struct pakhus_error *err)
{
	struct pk_latest latest;
	int rc = pk_index_latest(t, place, &latest, err);

	if (rc != 1)
		return rc;
	if (latest.manifest.at || memcmp(latest.live.hash, hash, PK_HASH_SIZE))
		return 0;
	return pk_row_put_latest(t, latest.id, latest.version, &latest.live, manifest,
			  err);
}

/* ---- comparing ---- */

static const char *same_latest(MDB_val hk, MDB_val hv, MDB_val wk, MDB_val wv)
{
	struct pk_latest have, want;
	const char *fault = pk_latest_decode(span(hk), span(hv), &have);

	if (!fault)
		fault = pk_latest_decode(span(wk), span(wv), &want);
	if (fault)
		return fault;
	return strcmp(have.id, want.id) || strcmp(have.version, want.version) ||
			       memcmp(hv.mv_data, wv.mv_data, PK_LIVE_SIZE)
		       ? "F-65 a row is not what the log says"
		       : NULL;
}

/* A walk passes the keys of branch pages by, a look-up goes by them: what
 * the one meets may be lost to the other. */
static int is_found(struct pk_txn *t, int db, MDB_val key, MDB_val value)
{
	MDB_val found;

	return !mdb_get(t->handle, t->ix->db[db], &key, &found) &&
	       found.mv_data == value.mv_data;
}

static int compare(struct pk_txn *have, struct pk_txn *want, int db,
		   pk_differs_fn *differs, void *arg, struct pakhus_error *err)
{
	AUTO(close_cursor) MDB_cursor *h = NULL;
	AUTO(close_cursor) MDB_cursor *w = NULL;
	MDB_val hk, hv, wk, wv;
	char text[96];
	int rc = open_cursor(have, db, &h, err), hr, wr;

	if (!rc)
		rc = open_cursor(want, db, &w, err);
	if (rc)
		return rc;
	hr = mdb_cursor_get(h, &hk, &hv, MDB_FIRST);
	wr = mdb_cursor_get(w, &wk, &wv, MDB_FIRST);
	while (!hr && !wr) {
		const char *fault = NULL;

		if (hk.mv_size != wk.mv_size ||
		    memcmp(hk.mv_data, wk.mv_data, wk.mv_size))
			fault = "F-65 a row is missing or too many";
		else if (db == LATEST)
			fault = same_latest(hk, hv, wk, wv);
		else if (hv.mv_size != wv.mv_size ||
			 memcmp(hv.mv_data, wv.mv_data, wv.mv_size))
			fault = "F-65 a row is not what the log says";
		if (!fault && !is_found(have, db, hk, hv))
			fault = "F-65 a row is not found by its key";
		if (fault) {
			snprintf(text, sizeof(text), "%s: %s", names[db],
				 fault + 5);
			differs(arg, fault, text);
			return 1; /* the rows behind it need not line up */
		}
		hr = mdb_cursor_get(h, &hk, &hv, MDB_NEXT);
		wr = mdb_cursor_get(w, &wk, &wv, MDB_NEXT);
	}
	if (hr == MDB_NOTFOUND && wr == MDB_NOTFOUND)
		return 0;
	snprintf(text, sizeof(text), "%s: %s", names[db],
		 hr && hr != MDB_NOTFOUND ? mdb_strerror(hr)
					  : "a row is missing or too many");
	differs(arg, "F-65", text);
	return 1;
}

int pk_index_compare(struct pk_txn *have, struct pk_txn *want,
		     pk_differs_fn *differs, void *arg,
		     struct pakhus_error *err)
{
	static const int rows[] = { ATTRS,  ENTRIES, HEADS,
				    LATEST, PURGED,  VERSIONS };
	int found = 0;

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		int rc = compare(have, want, rows[i], differs, arg, err);

		if (rc < 0)
			return rc;
		found += rc;
	}
	return found;
}
