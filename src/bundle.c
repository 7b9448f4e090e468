/* bundle.c - what came since, in one file for a stick (F-80 to F-83).
 *
 *  1. read log/checkpoint, once; what is in the bundle is as of it
 *  2. walk the entries since, hold them against its root, and note which
 *     objects the receiver may lack
 *  3. write: BUNDLE, FORMAT, the checkpoint, keys, entries, objects
 *
 * Nothing is locked: publishers go on, and a collector may. What it takes
 * away between 1 and 3 is found missing, and all begins again.
 */
#include "store.h"
#include "bundle.h"
#include "io.h"
#include "objpath.h"
#include "outfile.h"
#include "proof.h"
#include "set.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>

#define TRIES 3
#define GONE 1 /* no failure: begin again */
#define FILES_MAX (2 * PK_KEYS_MAX) /* of keys/ */
#define CHUNK ((size_t)64 << 10)

struct pack {
	struct pakhus *store;
	struct pakhus_bundle *b;
	struct pk_out *out;
	struct pk_checkpoint at;
	char *note; /* that says so */
	size_t note_size;
	struct pk_bundle head;
	struct pk_sha *sha;
	struct pk_edge *edge;
	struct pk_view view;
	struct pk_set wanted; /* objects that go in */
	struct pk_set held;   /* texts that were live at head.from ... */
	struct pk_set known;  /* ... of packages whose ids hash to these */
	unsigned char *lines; /* a bundle of entries */
	size_t size;
	struct pakhus_error *err;
};

static void pack_release(struct pack *p)
{
	pk_view_close(&p->view);
	free(p->note);
	pk_sha_free(p->sha);
	free(p->edge);
	pk_set_release(&p->wanted);
	pk_set_release(&p->held);
	pk_set_release(&p->known);
	free(p->lines);
}

/* ---- 1: from where to where ---- */

static int read_checkpoint(struct pack *p)
{
	free(p->note);
	p->note = NULL;
	return pk_checkpoint_note(p->store, &p->at, &p->note, &p->note_size,
				  p->err);
}

/* The receiver's checkpoint, whoever signed it: what counts is that its root
 * is this log's. */
static int read_since(struct pack *p, struct pk_checkpoint *c)
{
	struct pk_bytes text, signatures;
	const char *fault = pk_note_decode(p->b->checkpoint,
					   p->b->checkpoint_size, &text,
					   &signatures);

	if (!fault)
		fault = pk_checkpoint_decode(text, c);
	if (fault)
		return pk_fail(p->err, PAKHUS_ECORRUPT,
			       "the checkpoint to go on from: %s", fault);
	if (strcmp(c->origin, p->at.origin) != 0)
		return pk_fail(p->err, PAKHUS_ECONFLICT,
			       "the checkpoint to go on from is that of %s, "
			       "and this log is %s", c->origin, p->at.origin);
	return 0;
}

static int choose_from(struct pack *p)
{
	struct pk_checkpoint c = { .size = p->b->since };
	unsigned char *root = p->head.from_root;
	int rc = p->b->checkpoint ? read_since(p, &c) : 0;

	if (rc)
		return rc;
	if (c.size > p->at.size)
		return pk_fail(p->err, PAKHUS_ENOTFOUND,
			       "the log here holds %llu entries, not %llu",
			       (unsigned long long)p->at.size,
			       (unsigned long long)c.size);
	p->head.from = c.size;
	rc = pk_log_edge(p->store->env->dir, p->sha, c.size, p->at.size,
			 p->edge, p->err);
	if (rc)
		return rc;
	memcpy(root, pk_bundle_empty, PK_HASH_SIZE);
	if (c.size && pk_edge_root(p->edge, p->sha, root))
		return pk_fail_nomem(p->err);
	if (p->b->checkpoint && memcmp(root, c.root, PK_HASH_SIZE) != 0)
		return pk_fail(p->err, PAKHUS_ECORRUPT,
			       "the checkpoint to go on from has another root "
			       "over %llu entries than this log: another "
			       "history", (unsigned long long)c.size);
	return 0;
}

static int fill_head(struct pack *p)
{
	struct pk_env *env = p->store->env;

	memcpy(p->head.identity, env->format.identity, PK_IDENTITY_SIZE);
	p->head.to = p->at.size;
	memcpy(p->head.to_root, p->at.root, PK_HASH_SIZE);
	if (!p->head.from || p->head.from == p->head.to)
		return 0;
	return pk_consistency(env->dir, p->sha, p->head.from, p->head.to,
			      p->head.to, &p->head.proof, p->err);
}

/* ---- 2: which objects ---- */

static int hash_text(struct pack *p, const char *text, unsigned char *hash)
{
	struct pk_bytes b = { (const unsigned char *)text, strlen(text) };

	return pk_sha_of(p->sha, &b, 1, hash) ? pk_fail_nomem(p->err) : 0;
}

struct holding {
	struct pack *pack;
	/* versions, and what is said of them, by the hashes of their names */
	struct pk_set seen;
};

/* 1 where it was not seen before, 0, or a failure. */
static int see(struct holding *h, const char *version, int is_attrs)
{
	char name[PK_VERSION_MAX + 2];
	unsigned char hash[PK_HASH_SIZE];
	int rc;

	/* no version has a control character */
	snprintf(name, sizeof(name), "%s%s", is_attrs ? "\1" : "", version);
	rc = hash_text(h->pack, name, hash);
	if (!rc)
		rc = pk_set_add(&h->seen, hash);
	return rc < 0 ? pk_fail_nomem(h->pack->err) : rc;
}

/* Newest first: what comes behind was live no more. A publish and an attrs
 * leave each other alone, any other line ends both. */
static int add_held(void *arg, uint64_t seq, const struct pk_line *line)
{
	static const unsigned char none[PK_HASH_SIZE];
	struct holding *h = arg;
	int rc = 0;

	(void)seq;
	if (!line->is_attrs)
		rc = see(h, line->version, 0);
	if (rc >= 0 && !line->is_publish)
		rc = see(h, line->version, 1);
	if (rc == 1 && (line->is_publish || line->is_attrs) &&
	    memcmp(line->hash, none, PK_HASH_SIZE))
		rc = pk_set_add(&h->pack->held, line->hash);
	return rc < 0 ? pk_fail_nomem(h->pack->err) : 0;
}

/* F-83: which texts of a package were live at head.from; the receiver has them,
 * with all that they need. */
static int know_package(struct pack *p, const char *id)
{
	struct holding h = { .pack = p };
	unsigned char hash[PK_HASH_SIZE];
	int rc = hash_text(p, id, hash);

	if (rc || !p->head.from)
		return rc;
	rc = pk_set_add(&p->known, hash);
	if (rc == 1)
		rc = pk_index_each_line(&p->view.txn, id, p->head.from,
					add_held, &h, p->err);
	pk_set_release(&h.seen);
	return rc < 0 ? pk_fail_nomem(p->err) : rc;
}

struct asked {
	struct pack *pack;
	const struct pk_entry *entry;
	int is_live;
};

/* Whether a line that is no publish and no attrs leaves the text alone: the
 * purge of another one that the version had before. 1, 0, or a failure. */
static int is_aside(struct asked *a, uint64_t seq)
{
	AUTO_FREE struct pk_entry *e = malloc(sizeof(*e));
	int rc = e ? pk_entry_at(&a->pack->view, seq, e, a->pack->err)
		   : pk_fail_nomem(a->pack->err);

	return rc ? rc
		  : e->op == PK_OP_PURGE &&
			    memcmp(e->hash, a->entry->hash, PK_HASH_SIZE);
}

static int is_version(void *arg, uint64_t seq, const struct pk_line *line)
{
	struct asked *a = arg;
	int is_attrs = a->entry->op == PK_OP_ATTRS, rc;

	/* a publish and an attrs leave each other alone, any other line ends
	 * both, unless it is the purge of another text */
	if (strcmp(line->version, a->entry->version) != 0 ||
	    (is_attrs ? line->is_publish : line->is_attrs))
		return 0;
	if (!line->is_publish && !line->is_attrs) {
		rc = is_aside(a, seq);
		if (rc)
			return rc < 0 ? rc : 0;
	}
	a->is_live = (is_attrs ? line->is_attrs : line->is_publish) &&
		     !memcmp(line->hash, a->entry->hash, PK_HASH_SIZE);
	return 1;
}

/* An object that is not there with all that it needs: no matter where its
 * version is not live. Where it is, it was collected since, or is damage. */
static int leave_out(struct pack *p, const struct pk_entry *e, int is_damaged,
		     const struct pakhus_error *why)
{
	struct asked a = { .pack = p, .entry = e };
	uint64_t was = p->at.size;
	int rc = pk_index_each_line(&p->view.txn, e->id, was, is_version, &a,
				    p->err);

	if (rc < 0)
		return rc;
	if (!a.is_live) {
		if (is_damaged)
			pk_notice(p->store, "left out of the bundle: %s",
				  why->text);
		return 0;
	}
	if (is_damaged)
		return pk_fail(p->err, PAKHUS_ECORRUPT, "%s", why->text);
	rc = read_checkpoint(p);
	if (rc || p->at.size > was)
		return rc ? rc : GONE;
	return pk_fail(p->err, PAKHUS_ECORRUPT, "%s", why->text);
}

/* One more text, and what it is made against, down to what the receiver has:
 * 1 where all is there, 0 where not, and why. */
static int walk_chain(struct pack *p, const unsigned char *hash,
		      unsigned char (*chain)[PK_HASH_SIZE], unsigned *n,
		      int *is_damaged, struct pakhus_error *why)
{
	int dir = p->store->env->dir;
	struct pk_trailer t = { .depth = PK_CHAIN_MAX + 1 };

	memcpy(t.base, hash, PK_HASH_SIZE);
	for (*n = 0; t.depth; ++*n) {
		unsigned above = t.depth;
		char path[PK_OBJPATH_SIZE];
		int rc;

		memcpy(chain[*n], t.base, PK_HASH_SIZE);
		if (pk_set_has(&p->held, t.base) ||
		    pk_set_has(&p->wanted, t.base))
			break;
		pk_objpath(t.base, path);
		rc = pk_object_exists(dir, t.base, why);
		if (!rc)
			pk_fail(why, PAKHUS_ECORRUPT,
				"%s: F-11 is missing, and a live version "
				"needs it", path);
		if (rc == 1)
			rc = pk_object_trailer(dir, chain[*n], &t, why);
		else if (!rc)
			return 0;
		if (rc == PAKHUS_ENOTFOUND)
			return 0;
		if (!rc && t.depth >= above)
			rc = pk_fail(why, PAKHUS_ECORRUPT,
				     "%s: F-17 is not less deep than what "
				     "needs it", path);
		*is_damaged = rc == PAKHUS_ECORRUPT;
		if (rc)
			return *is_damaged ? 0 : rc;
	}
	return 1;
}

static int add_object(struct pack *p, const struct pk_entry *e)
{
	unsigned char chain[PK_CHAIN_MAX + 2][PK_HASH_SIZE];
	struct pakhus_error why = { .status = 0 };
	int is_damaged = 0, rc = know_package(p, e->id);
	unsigned n;

	if (rc)
		return rc;
	rc = walk_chain(p, e->hash, chain, &n, &is_damaged, &why);
	if (!rc)
		return leave_out(p, e, is_damaged, &why);
	if (rc < 0)
		return pk_fail(p->err, rc, "%s", why.text);
	while (n)
		if (pk_set_add(&p->wanted, chain[--n]) < 0)
			return pk_fail_nomem(p->err);
	return 0;
}

static int plan_entry(void *arg, uint64_t seq, const char *line, size_t size)
{
	struct pack *p = arg;
	unsigned char leaf[PK_HASH_SIZE];
	const char *fault;
	struct pk_entry e;

	if (pk_leaf_hash(p->sha, line, size, leaf) ||
	    pk_edge_add(p->edge, p->sha, leaf, NULL, NULL))
		return pk_fail_nomem(p->err);
	fault = pk_entry_decode(line, size, &e);
	if (fault)
		return pk_fail(p->err,
			       fault == pk_entry_newer ? PAKHUS_EVERSION
						       : PAKHUS_ECORRUPT,
			       "log entry %llu: %s", (unsigned long long)seq,
			       fault);
	return pk_entry_has_text(&e) ? add_object(p, &e) : 0;
}

/* The entries of a bundle that are below the checkpoint. */
static uint64_t end_of(const struct pack *p, uint64_t from)
{
	uint64_t end = from - from % PK_TILE_WIDTH + PK_TILE_WIDTH;

	return end < p->head.to ? end : p->head.to;
}

static int plan(struct pack *p)
{
	unsigned char root[PK_HASH_SIZE];
	uint64_t to = p->head.to;

	for (uint64_t from = p->head.from, end; from < to; from = end) {
		int rc = pk_view_open(&p->view, p->store, p->err);

		end = end_of(p, from);
		if (!rc)
			rc = pk_log_walk(p->store->env->dir, to, from, end,
					 plan_entry, p, p->err);
		pk_view_close(&p->view);
		if (!rc)
			rc = pk_progress(p->store, "reading the log", end, to,
					 p->err);
		if (rc)
			return rc;
	}
	if (pk_edge_root(p->edge, p->sha, root))
		return pk_fail_nomem(p->err);
	if (memcmp(root, p->head.to_root, PK_HASH_SIZE) != 0)
		return pk_fail(p->err, PAKHUS_ECORRUPT,
			       "log/tile/entries: F-39 the entries are not "
			       "those that log/checkpoint signs");
	return 0;
}

/* ---- 3: writing ---- */

static int put_header(struct pack *p, const struct pk_member *m, uint64_t size)
{
	unsigned char block[PK_TAR_BLOCK];
	struct pk_tar t = { .size = size };

	pk_member_name(m, t.name);
	if (size > pk_member_max(m->kind))
		return pk_fail(p->err, PAKHUS_ECORRUPT,
			       "%s: F-81 is longer than such a file can be",
			       t.name);
	pk_tar_encode(&t, block);
	return pk_out_put(p->out, block, sizeof(block), p->err);
}

static int put_padding(struct pack *p, uint64_t size)
{
	static const char zeros[PK_TAR_BLOCK];

	return pk_out_put(p->out, zeros, pk_tar_padding(size), p->err);
}

static int put_bytes(struct pack *p, const struct pk_member *m,
		     const void *bytes, size_t size)
{
	int rc = put_header(p, m, size);

	if (!rc)
		rc = pk_out_put(p->out, bytes, size, p->err);
	return rc ? rc : put_padding(p, size);
}

static int put_kind(struct pack *p, enum pk_member_kind kind,
		    const void *bytes, size_t size)
{
	struct pk_member m = { .kind = kind };

	return put_bytes(p, &m, bytes, size);
}

static int put_head(struct pack *p)
{
	char text[PK_BUNDLE_HEAD], format[PK_FORMAT_SIZE];
	size_t n = pk_bundle_encode(&p->head, text);
	int rc = put_kind(p, PK_MEMBER_BUNDLE, text, n);

	n = pk_format_encode(&p->store->env->format, format);
	if (!rc)
		rc = put_kind(p, PK_MEMBER_FORMAT, format, n);
	return rc ? rc
		  : put_kind(p, PK_MEMBER_CHECKPOINT, p->note, p->note_size);
}

static int compare_members(const void *a, const void *b)
{
	return pk_member_compare(a, b);
}

static int list_keys(struct pack *p, struct pk_member *file, size_t *n)
{
	AUTO_DIR DIR *d = pk_opendir(p->store->env->dir, "keys", 0);
	const char *name;
	int rc;

	*n = 0;
	if (!d)
		return pk_fail_sys(p->err, "keys");
	while ((rc = pk_readdir(d, "keys", &name, p->err)) == 1) {
		char path[300];

		snprintf(path, sizeof(path), "keys/%s", name);
		if (pk_member_parse(path, &file[*n]))
			continue; /* F-43: passed over, or verify's to tell */
		if (++*n == FILES_MAX + 1)
			return pk_fail(p->err, PAKHUS_ECORRUPT,
				       "keys: F-36 more than %d files",
				       FILES_MAX);
	}
	return rc;
}

static int put_keys(struct pack *p)
{
	struct pk_member file[FILES_MAX + 1];
	size_t n;
	int rc = list_keys(p, file, &n);

	if (!rc)
		qsort(file, n, sizeof(*file), compare_members);
	for (size_t i = 0; i < n && !rc; i++) {
		AUTO_FREE char *bytes = NULL;
		char path[PK_TAR_NAME];
		size_t size;

		pk_member_name(&file[i], path);
		rc = pk_read_file(p->store->env->dir, path,
				  pk_member_max(PK_MEMBER_KEY), &bytes, &size,
				  p->err);
		if (!rc)
			rc = put_bytes(p, &file[i], bytes, size);
	}
	return rc;
}

static int add_line(void *arg, uint64_t seq, const char *line, size_t size)
{
	struct pack *p = arg;

	if (size > PK_ENTRY_MAX)
		return pk_fail(p->err, PAKHUS_ECORRUPT,
			       "log entry %llu: F-28 is longer than an entry "
			       "can be", (unsigned long long)seq);
	p->size += pk_bundle_put(p->lines + p->size, line, size);
	return 0;
}

/* From their lines: the one that the checkpoint's log has may be gone, where
 * it is how a longer one begins (F-33). */
static int put_entries(struct pack *p)
{
	uint64_t from = p->head.from - p->head.from % PK_TILE_WIDTH, end;
	int rc = 0;

	for (; from < p->head.to && !rc; from = end) {
		struct pk_member m = { .kind = PK_MEMBER_ENTRIES };

		end = end_of(p, from);
		m.width = (unsigned)(end - from);
		pk_put_be64(m.key, from / PK_TILE_WIDTH);
		p->size = 0;
		rc = pk_log_walk(p->store->env->dir, p->head.to, from, end,
				 add_line, p, p->err);
		if (!rc)
			rc = put_bytes(p, &m, p->lines, p->size);
	}
	return rc;
}

static int copy(struct pack *p, int fd, const char *path, uint64_t size)
{
	AUTO_FREE char *chunk = malloc(CHUNK);
	int rc = chunk ? 0 : pk_fail_nomem(p->err);

	for (uint64_t at = 0; at < size && !rc;) {
		size_t some = size - at < CHUNK ? (size_t)(size - at) : CHUNK;
		ssize_t n = pk_pread(fd, chunk, some, at);

		if (n < 0)
			return pk_fail_sys(p->err, "%s", path);
		if ((size_t)n != some)
			return pk_fail(p->err, PAKHUS_ECORRUPT,
				       "%s: F-12 became shorter while it was "
				       "read", path);
		rc = pk_out_put(p->out, chunk, some, p->err);
		at += some;
	}
	return rc;
}

static int put_object(struct pack *p, const struct pk_member *m)
{
	char path[PK_TAR_NAME];
	AUTO_CLOSE int fd = -1;
	struct stat st;
	int rc;

	pk_member_name(m, path);
	fd = openat(p->store->env->dir, path,
		    O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	if (fd < 0 && errno == ENOENT)
		return GONE;
	if (fd < 0 || fstat(fd, &st))
		return pk_fail_sys(p->err, "%s", path);
	if (!S_ISREG(st.st_mode))
		return pk_fail(p->err, PAKHUS_ECORRUPT,
			       "%s: F-43 not a regular file", path);
	rc = put_header(p, m, (uint64_t)st.st_size);
	if (!rc)
		rc = copy(p, fd, path, (uint64_t)st.st_size);
	return rc ? rc : put_padding(p, (uint64_t)st.st_size);
}

static int compare_hashes(const void *a, const void *b)
{
	return memcmp(a, b, PK_HASH_SIZE);
}

/* The set as it lies in memory is sorted in its place, and no set any more:
 * slots that are free, all zero, come first. */
static int put_objects(struct pack *p)
{
	struct pk_set *s = &p->wanted;
	int rc = 0;

	if (s->cap)
		qsort(s->slot, s->cap, sizeof(*s->slot), compare_hashes);
	for (size_t i = 0; i < s->n && !rc; i++) {
		struct pk_member m = { .kind = PK_MEMBER_OBJECT };

		memcpy(m.key, s->slot[s->cap - s->n + i], PK_HASH_SIZE);
		rc = put_object(p, &m);
		if (!rc)
			rc = pk_progress(p->store, "copying objects", i + 1,
					 s->n, p->err);
	}
	return rc;
}

static int put_end(struct pack *p)
{
	static const char zeros[2 * PK_TAR_BLOCK];

	return pk_out_put(p->out, zeros, sizeof(zeros), p->err);
}

/* ---- the whole ---- */

static int try_once(struct pakhus *s, struct pakhus_bundle *b,
		    struct pk_out *out, struct pakhus_error *err)
{
	AUTO(pack_release) struct pack p = { .store = s, .b = b, .out = out,
					     .view = PK_VIEW_INIT,
					     .err = err };
	int rc;

	p.sha = pk_sha_new();
	p.edge = calloc(1, sizeof(*p.edge));
	p.lines = malloc(pk_member_max(PK_MEMBER_ENTRIES));
	if (!p.sha || !p.edge || !p.lines)
		return pk_fail_nomem(err);
	rc = read_checkpoint(&p);
	if (!rc)
		rc = choose_from(&p);
	if (!rc)
		rc = fill_head(&p);
	if (!rc)
		rc = plan(&p);
	if (!rc)
		rc = put_head(&p);
	if (!rc)
		rc = put_keys(&p);
	if (!rc)
		rc = put_entries(&p);
	if (!rc)
		rc = put_objects(&p);
	if (!rc)
		rc = put_end(&p);
	b->from = p.head.from;
	b->to = p.head.to;
	b->objects = p.wanted.n;
	return rc;
}

static int create(struct pakhus *s, const char *path, struct pakhus_bundle *b,
		  struct pakhus_error *err)
{
	AUTO(pk_out_discard) struct pk_out out = PK_OUT_INIT;
	struct pakhus_bundle made = *b;
	int rc;

	out.path = path;
	out.write = b->write;
	out.arg = b->arg;
	rc = pk_out_open(&out, err);
	if (!rc)
		rc = try_once(s, &made, &out, err);
	for (int tries = 1; rc == GONE && tries < TRIES; tries++) {
		int is_empty = pk_out_again(&out, err);

		if (!is_empty)
			break;
		rc = is_empty < 0 ? is_empty : try_once(s, &made, &out, err);
	}
	if (rc == GONE)
		return pk_fail(err, PAKHUS_EBUSY,
			       "objects were collected while they were copied; "
			       "try again");
	if (!rc)
		rc = pk_out_publish(&out, err);
	if (rc)
		return rc;
	made.bytes = out.given;
	*b = made;
	return 0;
}

int pakhus_bundle_create(struct pakhus *s, const char *path,
			 struct pakhus_bundle *b, struct pakhus_error *err)
{
	int rc = pk_enter(s, err);

	if (!rc && s->env->can_write && !(s->flags & PAKHUS_READONLY))
		rc = pakhus_sync(s, err);
	return rc ? rc : create(s, path, b, err);
}
