/* mirrors.h - a source of a mirror that is a directory, and may misbehave.
 * A test file includes t.h, stores.h and files.h first.
 */
#ifndef MIRRORS_H
#define MIRRORS_H

/* What becomes of a file whose name begins with evil.on. */
enum evil_how {
	EVIL_NOT,
	EVIL_OMIT,
	EVIL_ALTER,   /* a bit in the middle */
	EVIL_CUT,     /* its second half is missing */
	EVIL_ENDLESS, /* more than was asked for */
	EVIL_LINK,    /* a link to the file itself */
	EVIL_TWICE,   /* a file that has another name as well */
	EVIL_DIR,     /* a directory of that name */
	EVIL_PARENT   /* its directory is a link to the source's */
};

struct copier {
	const char *from;
	long asked, brought, fresh; /* files */
	uint64_t bytes;
	long fail_at; /* the file, from 1, at which the source breaks off */
	enum evil_how how;
	const char *on;
	int is_healed; /* by FRESH: only a cache was evil */
	char last[100]; /* the name asked for last */
	void (*before)(struct copier *c, const char *name);
	void *arg; /* of before */
	struct pakhus_source source;
};

static inline int evil_parent(const char *from, const char *to)
{
	char *a = strdup(from), *b = strdup(to);
	int rc;

	*strrchr(a, '/') = *strrchr(b, '/') = '\0';
	rmdir(b);
	rc = symlink(a, b);
	free(a);
	free(b);
	return rc;
}

/* Gives 0 where the file is to be copied as it is. */
static inline int evil_do(struct copier *c, const char *from, const char *to,
			  uint64_t max)
{
	size_t size;
	char *bytes;

	switch (c->how) {
	case EVIL_OMIT:
		unlink(to);
		return 1;
	case EVIL_LINK:
		unlink(to);
		assert_int_equal(symlink(from, to), 0);
		return 1;
	case EVIL_TWICE:
		unlink(to);
		assert_int_equal(link(from, to), 0);
		return 1;
	case EVIL_DIR:
		unlink(to);
		assert_int_equal(mkdir(to, 0700), 0);
		return 1;
	case EVIL_PARENT:
		evil_parent(from, to);
		return 1;
	case EVIL_ENDLESS:
		bytes = calloc(1, max + 1);
		spill(to, bytes, max + 1);
		free(bytes);
		return 1;
	case EVIL_ALTER:
	case EVIL_CUT:
		bytes = slurp(from, &size);
		if (c->how == EVIL_CUT)
			size /= 2;
		else
			bytes[size / 2] ^= 1;
		spill(to, bytes, size);
		free(bytes);
		return 1;
	default:
		return 0;
	}
}

static inline int copy_one(struct copier *c, const char *into,
			   const char *name, uint64_t max, unsigned flags)
{
	char *from = s_text("%s/%s", c->from, name);
	char *to = s_text("%s/%s", into, name), *bytes;
	struct stat st;
	size_t size;
	int is_evil = c->how && !strncmp(name, c->on, strlen(c->on)) &&
		      !(c->is_healed && flags & PAKHUS_FETCH_FRESH);

	c->asked++;
	c->fresh += flags & PAKHUS_FETCH_FRESH ? 1 : 0;
	snprintf(c->last, sizeof(c->last), "%s", name);
	if (c->before)
		c->before(c, name);
	if (!lstat(from, &st) && S_ISREG(st.st_mode) &&
	    (uint64_t)st.st_size <= max &&
	    !(is_evil && evil_do(c, from, to, max))) {
		bytes = slurp(from, &size);
		unlink(to);
		spill(to, bytes, size);
		free(bytes);
		c->brought++;
		c->bytes += size;
	}
	free(from);
	free(to);
	return c->asked == c->fail_at ? PAKHUS_ENETWORK : 0;
}

/* Around a fetch: what the library is tried with is not the source's. */
static void (*source_begins)(void), (*source_ends)(void);

static inline int copy_all(struct copier *c, const char *into,
			   const char *const *names, size_t n, uint64_t max,
			   unsigned flags)
{
	for (size_t i = 0; i < n; i++)
		if (copy_one(c, into, names[i], max, flags))
			return PAKHUS_ENETWORK;
	return 0;
}

static inline int copier_fetch(void *arg, const char *into,
			       const char *const *names, size_t n,
			       uint64_t max, unsigned flags,
			       struct pakhus_error *e)
{
	int rc;

	if (source_begins)
		source_begins();
	rc = copy_all(arg, into, names, n, max, flags);
	if (source_ends)
		source_ends();
	if (rc) {
		e->status = rc;
		strcpy(e->text, "the cable was cut");
	}
	return rc;
}

/* One that copies from a store, and counts from 0. */
static inline struct copier copier_of(const char *from)
{
	return (struct copier){ .from = from };
}

/* What a sync told last. */
static struct pakhus_mirror mirrored;

static inline int sync_with(const char *path, struct copier *c,
			    struct pakhus_mirror m)
{
	int rc;

	c->source = (struct pakhus_source){ copier_fetch, c, c->from };
	m.notice = s_notice;
	rc = pakhus_mirror(path, &c->source, &m, &err);
	mirrored = m;
	return rc;
}

/* From a store that behaves. */
static inline int sync_from(const char *path, const char *from)
{
	struct copier c = copier_of(from);

	return sync_with(path, &c, (struct pakhus_mirror){ .key = NULL });
}

/* That nothing is left of a sync that ended well. */
static inline void assert_no_incoming(const char *path)
{
	run("test -z \"$(find %s/local/incoming -mindepth 1)\"", path);
}

/* That a mirror is whole, and its tree that of the store. */
static inline void assert_same_tree(const char *a, const char *b)
{
	/* the partial tiles of checkpoints between stay where they were made */
	run("cd %s && find FORMAT log keys objects -type f ! -path '*.p/*' | "
	    "xargs sha256sum >%s.sums && cd %s && sha256sum --quiet -c >&2 "
	    "%s.sums; rc=$?; rm -f %s.sums; exit $rc",
	    a, a, b, a, a);
}

static inline void verify_at(const char *path)
{
	struct pakhus *s = s_open(path, 0);

	s_verify(s);
	pakhus_close(s);
}

/* Publishes versions from..to-1 of a package, and syncs. */
static inline void grow_by(const char *path, const char *id, unsigned from,
			   unsigned to)
{
	struct pakhus *s = s_open(path, 0);

	for (unsigned i = from; i < to; i++) {
		char version[20];

		snprintf(version, sizeof(version), "1.0.%u", i);
		s_publish(s, id, version, i);
	}
	assert_done(pakhus_sync(s, &err));
	pakhus_close(s);
}

#endif
