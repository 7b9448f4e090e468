/* unbundle.c - a bundle for a stick as the source of a mirror (F-84).
 *
 * The tar is read from end to end once, headers alone, and what does not have
 * the form of a bundle is refused before anything is written. Then it is held
 * against what the mirror has, so that who applies them in the wrong order is
 * told which one is missing. All the rest is mirror.c's: nothing that is in a
 * bundle is believed.
 */
#include "store.h"
#include "bundle.h"
#include "io.h"
#include "proof.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>

#define CHUNK ((size_t)64 << 10)

struct carried {
	struct pk_member member;
	uint64_t at, size; /* of its bytes, in the file */
};

struct unpack {
	int fd;
	const char *name; /* of the file */
	uint64_t size;
	struct carried *file; /* in order */
	size_t n, cap;
	struct pk_bundle head;
	struct pk_format format;
	struct pakhus_mirror *m;
	int has_lacked; /* an object that it was asked for */
	char *chunk;
	struct pakhus_error *err;
};

static void unpack_release(struct unpack *u)
{
	pk_auto_close(&u->fd);
	free(u->file);
	free(u->chunk);
}

static int damaged(struct unpack *u, const char *fault)
{
	return pk_fail(u->err, PAKHUS_ECORRUPT, "%s: %s", u->name, fault);
}

/* ---- the tar ---- */

static int read_at(struct unpack *u, void *buf, size_t n, uint64_t at)
{
	ssize_t got;

	if (at > u->size || n > u->size - at)
		return damaged(u, "F-80 ends before its end");
	got = pk_pread(u->fd, buf, n, at);
	if (got < 0)
		return pk_fail_sys(u->err, "%s", u->name);
	return (size_t)got == n ? 0 : damaged(u, "F-80 became shorter");
}

static int is_zero(const unsigned char *bytes, size_t n)
{
	while (n && !bytes[n - 1])
		n--;
	return !n;
}

static int add(struct unpack *u, const struct carried *c)
{
	if (u->n == u->cap) {
		size_t cap = u->cap ? 2 * u->cap : 64;
		void *p = realloc(u->file, cap * sizeof(*u->file));

		if (!p)
			return pk_fail_nomem(u->err);
		u->file = p;
		u->cap = cap;
	}
	u->file[u->n++] = *c;
	return 0;
}

/* A member's header; at is where its bytes begin. */
static int take_member(struct unpack *u, const unsigned char *block,
		       uint64_t at)
{
	struct carried c = { .at = at };
	const char *fault;
	struct pk_tar t;

	fault = pk_tar_decode(block, &t);
	if (fault)
		return pk_fail(u->err, PAKHUS_ECORRUPT,
			       "%s: member %zu, at %llu: %s%s", u->name, u->n,
			       (unsigned long long)(at - PK_TAR_BLOCK), fault,
			       u->n ? "" : ": it is no bundle");
	c.size = t.size;
	if (pk_member_parse(t.name, &c.member))
		fault = "F-81 no bundle has a member of this name";
	else if (u->n && pk_member_compare(&u->file[u->n - 1].member,
					   &c.member) >= 0)
		fault = "F-81 stands twice, or out of order";
	else if (t.size > pk_member_max(c.member.kind))
		fault = "F-81 is longer than such a file can be";
	else if (t.size + pk_tar_padding(t.size) > u->size - at)
		fault = "F-80 the file ends before it does";
	if (fault)
		return pk_fail(u->err, PAKHUS_ECORRUPT, "%s: %s: %s", u->name,
			       t.name, fault);
	return add(u, &c);
}

/* Reads, of each member, what fills the block of the one before up, and the
 * header. */
static int list_members(struct unpack *u)
{
	unsigned char bytes[2 * PK_TAR_BLOCK], *block;
	uint64_t at = 0;
	size_t padding = 0;
	int rc;

	for (;;) {
		rc = read_at(u, bytes, padding + PK_TAR_BLOCK, at);
		if (rc)
			return rc;
		if (!is_zero(bytes, padding))
			return damaged(u, "F-80 there is something between two "
					  "members");
		block = bytes + padding;
		at += padding + PK_TAR_BLOCK;
		if (pk_tar_is_end(block))
			break;
		rc = take_member(u, block, at);
		if (rc)
			return rc;
		at += u->file[u->n - 1].size;
		padding = pk_tar_padding(at);
		if (u->m->progress &&
		    u->m->progress(u->m->arg, "reading the bundle", at,
				   u->size))
			return pk_fail(u->err, PAKHUS_ECANCELED,
				       "reading the bundle: cancelled");
	}
	if (at + PK_TAR_BLOCK < u->size)
		return damaged(u, "F-80 there is something behind its end");
	rc = read_at(u, bytes, PK_TAR_BLOCK, at);
	if (!rc && !pk_tar_is_end(bytes))
		rc = damaged(u, "F-80 its end is one block of zeros, not two");
	return rc;
}

static const struct carried *find(const struct unpack *u,
				  const struct pk_member *m)
{
	size_t from = 0, to = u->n;

	while (from < to) {
		size_t middle = from + (to - from) / 2;
		int order = pk_member_compare(&u->file[middle].member, m);

		if (!order)
			return &u->file[middle];
		if (order < 0)
			from = middle + 1;
		else
			to = middle;
	}
	return NULL;
}

/* ---- what it says of itself ---- */

/* The one member of a kind; the text is freed. */
static int read_kind(struct unpack *u, enum pk_member_kind kind, char **text,
		     size_t *size)
{
	struct pk_member m = { .kind = kind };
	const struct carried *c = find(u, &m);
	AUTO_FREE char *bytes = NULL;
	char name[PK_TAR_NAME];
	int rc;

	if (!c) {
		pk_member_name(&m, name);
		return pk_fail(u->err, PAKHUS_ECORRUPT,
			       "%s: F-81 has no member %s: it is no bundle",
			       u->name, name);
	}
	bytes = malloc((size_t)c->size + 1);
	rc = bytes ? read_at(u, bytes, (size_t)c->size, c->at)
		   : pk_fail_nomem(u->err);
	if (rc)
		return rc;
	*size = (size_t)c->size;
	*text = PK_MOVE(bytes);
	return 0;
}

static int fail_in(struct unpack *u, const char *member, const char *fault,
		   int is_newer)
{
	return pk_fail(u->err, is_newer ? PAKHUS_EVERSION : PAKHUS_ECORRUPT,
		       "%s: %s: %s%s", u->name, member, fault,
		       is_newer ? ": a later pakhus is needed" : "");
}

static int read_head(struct unpack *u)
{
	AUTO_FREE char *text = NULL;
	const char *fault;
	size_t size;
	int rc = read_kind(u, PK_MEMBER_BUNDLE, &text, &size);

	if (rc)
		return rc;
	fault = pk_bundle_decode(text, size, &u->head);
	return fault ? fail_in(u, "BUNDLE", fault, fault == pk_bundle_newer)
		     : 0;
}

static int read_format(struct unpack *u)
{
	AUTO_FREE char *text = NULL;
	const char *fault;
	size_t size;
	int rc = read_kind(u, PK_MEMBER_FORMAT, &text, &size);

	if (rc)
		return rc;
	fault = pk_format_decode(text, size, &u->format);
	if (!fault && memcmp(u->format.identity, u->head.identity,
			     PK_IDENTITY_SIZE))
		fault = "F-82 is not the store's that BUNDLE names";
	return fault ? fail_in(u, "FORMAT", fault, fault == pk_format_newer)
		     : 0;
}

static int read_checkpoint(struct unpack *u)
{
	struct pk_bytes text, signatures;
	AUTO_FREE char *note = NULL;
	struct pk_checkpoint c;
	const char *fault;
	size_t size;
	int rc = read_kind(u, PK_MEMBER_CHECKPOINT, &note, &size);

	if (rc)
		return rc;
	fault = pk_note_decode(note, size, &text, &signatures);
	if (!fault)
		fault = pk_checkpoint_decode(text, &c);
	if (!fault && (c.size != u->head.to ||
		       memcmp(c.root, u->head.to_root, PK_HASH_SIZE)))
		fault = "F-82 is not where BUNDLE says that it ends";
	return fault ? fail_in(u, "log/checkpoint", fault, 0) : 0;
}

/* From the one that holds the first entry to the last, as wide as they are
 * at its checkpoint. */
static int check_entries(struct unpack *u)
{
	uint64_t at = u->head.from - u->head.from % PK_TILE_WIDTH;

	for (size_t i = 0; i < u->n; i++) {
		const struct pk_member *m = &u->file[i].member;

		if (m->kind != PK_MEMBER_ENTRIES)
			continue;
		if (pk_be64(m->key) != at / PK_TILE_WIDTH ||
		    at >= u->head.to ||
		    m->width != (u->head.to - at < PK_TILE_WIDTH
					 ? u->head.to - at
					 : PK_TILE_WIDTH))
			return damaged(u, "F-81 its entries are not those that "
					  "BUNDLE says");
		at += m->width;
	}
	return at < u->head.to ? damaged(u, "F-81 entries are missing") : 0;
}

static int check_proof(struct unpack *u)
{
	AUTO(pk_sha_auto) struct pk_sha *sha = NULL;
	const struct pk_bundle *b = &u->head;
	int rc;

	if (!b->from || b->from == b->to)
		return 0;
	sha = pk_sha_new();
	rc = sha ? pk_check_consistency(sha, b->from, b->from_root, b->to,
					b->to_root, &b->proof)
		 : -1;
	if (rc < 0)
		return pk_fail_nomem(u->err);
	return rc ? 0
		  : fail_in(u, "BUNDLE", "F-82 what it ends with does not begin "
					 "with what it goes on from", 0);
}

static int open_file(struct unpack *u)
{
	struct stat st;
	int rc;

	u->fd = open(u->name, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	if (u->fd < 0 && (errno == ENOENT || errno == ENOTDIR))
		return pk_fail(u->err, PAKHUS_ESYS, "%s: there is no such file",
			       u->name);
	if (u->fd < 0 || fstat(u->fd, &st))
		return pk_fail_sys(u->err, "%s", u->name);
	if (!S_ISREG(st.st_mode))
		return pk_fail(u->err, PAKHUS_EINVAL,
			       "%s: not a regular file; a bundle is looked into "
			       "at many places, so copy it into one", u->name);
	u->size = (uint64_t)st.st_size;
	rc = list_members(u);
	if (!rc)
		rc = read_head(u);
	if (!rc)
		rc = read_format(u);
	if (!rc)
		rc = read_checkpoint(u);
	if (!rc)
		rc = check_entries(u);
	return rc ? rc : check_proof(u);
}

/* ---- what the mirror holds ---- */

struct mirror {
	int dir;
	const char *path;
	uint64_t size; /* entries; 0 where there is none yet */
	unsigned char root[PK_HASH_SIZE];
};

static int fail_held(struct unpack *u, const struct mirror *d,
		     const char *what, const char *fault)
{
	return pk_fail(u->err, PAKHUS_ECORRUPT, "%s/%s: %s", d->path, what,
		       fault);
}

/* What stands in FORMAT and checkpoint; whether that may be believed, and
 * whether a directory that is no store can become a mirror, mirror.c says. */
static int look_at(struct unpack *u, struct mirror *d)
{
	AUTO_FREE char *format = NULL;
	AUTO_FREE char *note = NULL;
	struct pk_bytes text, signatures;
	struct pk_checkpoint c;
	struct pk_format f;
	const char *fault;
	size_t size;
	int rc;

	d->dir = open(d->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (d->dir < 0)
		return errno == ENOENT ? 0 : pk_fail_sys(u->err, "%s", d->path);
	rc = pk_exists(d->dir, "FORMAT", u->err);
	if (rc <= 0)
		return rc;
	rc = pk_read_file(d->dir, "FORMAT", PK_FORMAT_SIZE, &format, &size,
			  u->err);
	if (rc)
		return rc;
	fault = pk_format_decode(format, size, &f);
	if (fault)
		return fail_held(u, d, "FORMAT", fault);
	if (memcmp(f.identity, u->head.identity, PK_IDENTITY_SIZE))
		return pk_fail(u->err, PAKHUS_ECONFLICT,
			       "%s is of the store %s, and %s holds another, %s",
			       u->name, u->format.origin, d->path, f.origin);
	if (f.immutable != u->format.immutable ||
	    strcmp(f.origin, u->format.origin) != 0)
		return fail_in(u, "FORMAT", "F-84 is not the one that the "
			       "mirror has", 0);
	rc = pk_read_file(d->dir, "log/checkpoint", PK_NOTE_MAX, &note, &size,
			  u->err);
	if (rc)
		return rc;
	fault = pk_note_decode(note, size, &text, &signatures);
	if (!fault)
		fault = pk_checkpoint_decode(text, &c);
	if (fault)
		return fail_held(u, d, "log/checkpoint", fault);
	d->size = c.size;
	memcpy(d->root, c.root, PK_HASH_SIZE);
	return 0;
}

/* Which one comes before it. */
static int fail_missing(struct unpack *u, const struct mirror *d)
{
	if (!d->size)
		return pk_fail(u->err, PAKHUS_ECONFLICT,
			       "this bundle goes on from entry %llu and %s holds "
			       "nothing yet: apply one that was made without "
			       "--since first", (unsigned long long)u->head.from,
			       d->path);
	return pk_fail(u->err, PAKHUS_ECONFLICT,
		       "this bundle goes on from entry %llu and %s holds %llu: "
		       "apply the one made with --since %llu (or of an earlier "
		       "one that reaches %llu) first",
		       (unsigned long long)u->head.from, d->path,
		       (unsigned long long)d->size,
		       (unsigned long long)d->size,
		       (unsigned long long)u->head.from);
}

/* The root over as many entries as the bundle speaks of, of a mirror that has
 * them. */
static int root_at(struct unpack *u, const struct mirror *d, uint64_t size,
		   unsigned char root[PK_HASH_SIZE])
{
	AUTO(pk_sha_auto) struct pk_sha *sha = pk_sha_new();
	AUTO_FREE struct pk_edge *edge = calloc(1, sizeof(*edge));
	int rc;

	if (!sha || !edge)
		return pk_fail_nomem(u->err);
	rc = pk_log_edge(d->dir, sha, size, d->size, edge, u->err);
	if (!rc && pk_edge_root(edge, sha, root))
		rc = pk_fail_nomem(u->err);
	return rc;
}

/* Where both speak of the same entries they are the same: at from, and where
 * the mirror is further, at to. */
static int check_same(struct unpack *u, const struct mirror *d, uint64_t size,
		      const unsigned char want[PK_HASH_SIZE])
{
	unsigned char root[PK_HASH_SIZE];
	int rc = size && size <= d->size ? root_at(u, d, size, root) : 0;

	if (rc || !size || size > d->size || !memcmp(root, want, PK_HASH_SIZE))
		return rc;
	return pk_fail(u->err, PAKHUS_ECORRUPT,
		       "%s: F-84 is of another history: the first %llu entries "
		       "that %s holds are not those that it speaks of", u->name,
		       (unsigned long long)size, d->path);
}

/* Whether it fits: 1 where the mirror has all of it, and more. */
static int check_fits(struct unpack *u, struct mirror *d)
{
	int rc = look_at(u, d);

	if (rc)
		return rc;
	if (d->size < u->head.from)
		return fail_missing(u, d);
	rc = check_same(u, d, u->head.from, u->head.from_root);
	if (!rc)
		rc = check_same(u, d, u->head.to, u->head.to_root);
	return rc ? rc : d->size > u->head.to;
}

/* ---- the source ---- */

static int copy(struct unpack *u, const struct carried *c, int fd,
		const char *name)
{
	int rc = 0;

	for (uint64_t at = 0; at < c->size && !rc;) {
		size_t some = c->size - at < CHUNK ? (size_t)(c->size - at)
						   : CHUNK;

		rc = read_at(u, u->chunk, some, c->at + at);
		if (!rc && pk_pwrite(fd, u->chunk, some, at))
			rc = pk_fail_sys(u->err, "write %s", name);
		at += some;
	}
	return rc;
}

/* What was there is taken away first: an earlier one may be read-only. */
static int bring(struct unpack *u, const struct carried *c, int into,
		 const char *name)
{
	AUTO_CLOSE int fd = -1;

	if (unlinkat(into, name, 0) && errno != ENOENT)
		return pk_fail_sys(u->err, "remove %s", name);
	fd = openat(into, name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
	if (fd < 0)
		return pk_fail_sys(u->err, "make %s", name);
	return copy(u, c, fd, name);
}

static int fetch(void *arg, const char *into, const char *const *names,
		 size_t n, uint64_t max, unsigned flags,
		 struct pakhus_error *err)
{
	struct unpack *u = arg;
	AUTO_CLOSE int dir = open(into, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int rc = dir < 0 ? pk_fail_sys(err, "%s", into) : 0;

	(void)flags; /* there is one of each */
	u->err = err;
	for (size_t i = 0; i < n && !rc; i++) {
		const struct carried *c;
		struct pk_member m;

		if (pk_member_parse(names[i], &m))
			continue;
		c = find(u, &m);
		u->has_lacked |= !c && m.kind == PK_MEMBER_OBJECT;
		if (c && c->size <= max && c->member.width == m.width)
			rc = bring(u, c, dir, names[i]);
	}
	return rc;
}

/* ---- the whole ---- */

static int nothing_to_do(const struct unpack *u, const struct mirror *d,
			 struct pakhus_mirror *m)
{
	char text[480];

	snprintf(text, sizeof(text),
		 "%s holds %llu entries already, and the bundle ends at %llu: "
		 "nothing to do", d->path, (unsigned long long)d->size,
		 (unsigned long long)u->head.to);
	if (m->notice)
		m->notice(m->arg, text);
	m->is_new = m->is_changed = 0;
	m->before = m->entries = d->size;
	m->objects = m->bytes = m->time_us = 0;
	m->tries = 0;
	return 0;
}

/* What was live at from a mirror that is further may have collected since. */
static int go_on(struct unpack *u, const struct mirror *d,
		 const struct pakhus_source *source)
{
	struct pakhus_error *err = u->err, e = { .status = 0 };
	int rc = pakhus_mirror(d->path, source, u->m, &e);

	if (rc == PAKHUS_ECORRUPT && u->has_lacked && d->size > u->head.from)
		return pk_fail(err, rc,
			       "%s; the mirror may have collected it, and a "
			       "bundle made with --since %llu has it", e.text,
			       (unsigned long long)d->size);
	if (rc && err)
		*err = e;
	return rc;
}

int pakhus_bundle_apply(const char *path, const char *file,
			struct pakhus_mirror *m, struct pakhus_error *err)
{
	AUTO(unpack_release) struct unpack u = { .fd = -1, .name = file,
						 .m = m, .err = err };
	struct pakhus_source source = { fetch, &u, file };
	struct mirror d = { .dir = -1, .path = path };
	int rc;

	pk_error_init(err);
	u.chunk = malloc(CHUNK);
	if (!u.chunk)
		return pk_fail_nomem(err);
	rc = open_file(&u);
	if (!rc)
		rc = check_fits(&u, &d);
	if (rc == 1)
		rc = nothing_to_do(&u, &d, m);
	else if (!rc)
		rc = go_on(&u, &d, &source);
	pk_auto_close(&d.dir);
	return rc;
}
