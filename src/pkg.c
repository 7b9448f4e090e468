/* pkg.c - bringing pkg/ to what the log says.
 *
 *	1. Only one at a time: a lock on the directory pkg/ itself, as an older
 *	   file must not replace a newer one.
 *	2. The journal is integrated: what a file names is an object.
 *	3. The packages that entries since the noted position speak of, or all,
 *	   where nothing is noted that this log still says.
 *	4. Each one's file is written and renamed, or removed. What cannot be
 *	   told from what is there already stays, with its time.
 *	5. All of it is synced at once, and only then the position noted: who is
 *	   killed, or loses power, before that has it done again.
 */
#include "pkg.h"
#include "hex.h"
#include "io.h"
#include "sha256.h"
#include "tmpfile.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/file.h>
#include <sys/stat.h>

#define PKG "pkg"
#define NOTE "local/pkg"
#define SUFFIX ".jsonl"
#define NAME_SIZE (PK_HEX_SIZE - 2 + sizeof(SUFFIX) - 1)
#define PATH_SIZE (sizeof(PKG "/ab/") + NAME_SIZE)
#define PAGE 1000

/* ---- which packages ---- */

struct names {
	char **id;
	size_t n, cap;
};

static void names_release(struct names *names)
{
	for (size_t i = 0; i < names->n; i++)
		free(names->id[i]);
	free(names->id);
	*names = (struct names){ .id = NULL };
}

static int names_add(struct names *names, const char *id,
		     struct pakhus_error *err)
{
	if (names->n == names->cap) {
		size_t cap = names->cap ? 2 * names->cap : 64;
		char **p = realloc(names->id, cap * sizeof(*p));

		if (!p)
			return pk_fail_nomem(err);
		names->id = p;
		names->cap = cap;
	}
	names->id[names->n] = strdup(id);
	return names->id[names->n] ? (names->n++, 0) : pk_fail_nomem(err);
}

static int compare_names(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

/* Each one once. */
static void names_settle(struct names *names)
{
	size_t kept = 0;

	if (!names->n)
		return;
	qsort(names->id, names->n, sizeof(*names->id), compare_names);
	for (size_t i = 1; i < names->n; i++) {
		if (strcmp(names->id[kept], names->id[i]))
			names->id[++kept] = names->id[i];
		else
			free(names->id[i]);
	}
	names->n = kept + 1;
}

/* What is noted: everything up to position was done, and this is the SHA-256
 * of the entry below it, by which a log that went back is told apart. */
struct note {
	uint64_t position;
	char entry[PK_HEX_SIZE + 1];
};

struct job {
	struct pakhus *store;
	int can_integrate, anew;
	struct note before, now;
	struct names names;
	struct pk_entry *scratch;
	struct pakhus_error *err;
};

static int note_read(struct job *j)
{
	AUTO_FREE char *text = NULL;
	unsigned long long position;
	size_t size;
	int end = 0;
	int rc = pk_read_file(j->store->env->dir, NOTE, 127, &text, &size,
			      NULL);

	j->before = (struct note){ .position = 0 };
	if (rc == PAKHUS_ENOMEM)
		return pk_fail_nomem(j->err);
	if (!rc && sscanf(text, "%16llu %64[0-9a-f]%n", &position,
			  j->before.entry, &end) == 2 &&
	    !strcmp(text + end, "\n"))
		j->before.position = position;
	return 0; /* a note that cannot be read is none */
}

static int note_write(const struct job *j)
{
	char text[128];
	int n = snprintf(text, sizeof(text), "%llu %s\n",
			 (unsigned long long)j->now.position, j->now.entry);

	return pk_install(j->store->env->dir, NOTE, text, (size_t)n, 0600,
			  j->err);
}

static int hash_entry(void *arg, uint64_t seq, const char *line, size_t size)
{
	unsigned char hash[PK_HASH_SIZE];

	(void)seq;
	if (pk_sha256(line, size, hash))
		return PAKHUS_ENOMEM;
	pk_hex(hash, PK_HASH_SIZE, arg);
	return 0;
}

static int note_of(struct pk_view *v, uint64_t position, struct note *out,
		   struct pakhus_error *err)
{
	int rc = pk_entries(v, position - 1, position, hash_entry, out->entry,
			    err);

	out->position = position;
	return rc == PAKHUS_ENOMEM ? pk_fail_nomem(err) : rc;
}

static int add_latest(void *arg, const struct pk_latest *latest)
{
	struct job *j = arg;

	return names_add(&j->names, latest->id, j->err);
}

static int add_entry(void *arg, uint64_t seq, const char *line, size_t size)
{
	struct job *j = arg;
	const char *fault = pk_entry_decode(line, size, j->scratch);

	if (fault)
		return pk_fail(j->err, PAKHUS_ECORRUPT, "log entry %llu: %s",
			       (unsigned long long)seq, fault);
	return *j->scratch->id ? names_add(&j->names, j->scratch->id, j->err)
			       : 0;
}

static int collect(struct job *j)
{
	PK_VIEW v = PK_VIEW_INIT;
	struct note same = { .position = 0 };
	int rc = pk_view_open(&v, j->store, j->err);
	uint64_t applied;

	names_release(&j->names);
	if (rc)
		return rc;
	applied = v.txn.stamp.applied;
	rc = note_of(&v, applied, &j->now, j->err);
	if (!rc && j->before.position && j->before.position <= applied)
		rc = note_of(&v, j->before.position, &same, j->err);
	if (rc)
		return rc;
	j->anew = !same.position || strcmp(same.entry, j->before.entry) != 0;
	rc = j->anew ? pk_index_each_latest(&v.txn, 0, add_latest, j, j->err)
		     : pk_entries(&v, j->before.position, applied, add_entry,
				  j, j->err);
	if (!rc)
		names_settle(&j->names);
	return rc;
}

/* ---- the file of one package (F-95) ---- */

static int path_of(const char *id, char path[PATH_SIZE],
		   struct pakhus_error *err)
{
	unsigned char hash[PK_HASH_SIZE];
	char hex[PK_HEX_SIZE + 1];

	if (pk_sha256(id, strlen(id), hash))
		return pk_fail_nomem(err);
	pk_hex(hash, PK_HASH_SIZE, hex);
	snprintf(path, PATH_SIZE, PKG "/%.2s/%s" SUFFIX, hex, hex + 2);
	return 0;
}

struct text {
	char *at;
	size_t size, cap;
};

static void text_release(struct text *t)
{
	free(t->at);
}

/* A string that has no control characters (F-9). */
static char *put_string(char *p, const char *s)
{
	*p++ = '"';
	for (; *s; s++) {
		if (*s == '"' || *s == '\\')
			*p++ = '\\';
		*p++ = *s;
	}
	*p++ = '"';
	*p = '\0';
	return p;
}

#define LINE_MAX_SIZE (2 * (PK_ID_MAX + PK_VERSION_MAX) + 600)

static int put_line(struct text *t, const struct pakhus_record *r,
		    struct pakhus_error *err)
{
	char *p;

	if (t->cap - t->size < LINE_MAX_SIZE) {
		size_t cap = 2 * t->cap + LINE_MAX_SIZE;

		p = realloc(t->at, cap);
		if (!p)
			return pk_fail_nomem(err);
		t->at = p;
		t->cap = cap;
	}
	p = stpcpy(t->at + t->size, "{\"id\":");
	p = stpcpy(put_string(p, r->id), ",\"version\":");
	p = put_string(p, r->version);
	p += sprintf(p,
		     ",\"hash\":\"%s\",\"manifest_size\":%llu,"
		     "\"metadata_size\":%llu,\"created_at\":\"%s\","
		     "\"updated_at\":\"%s\",\"created_us\":%llu,"
		     "\"updated_us\":%llu,\"seq\":%llu,\"place\":%llu}\n",
		     r->hash, (unsigned long long)r->manifest_size,
		     (unsigned long long)r->metadata_size, r->created_at,
		     r->updated_at, (unsigned long long)r->created_us,
		     (unsigned long long)r->updated_us,
		     (unsigned long long)r->seq,
		     (unsigned long long)r->place);
	t->size = (size_t)(p - t->at);
	return 0;
}

/* Whose text is in no object yet, as it was published meanwhile. */
static int settle(struct job *j, uint64_t seq)
{
	struct pk_env *env = j->store->env;

	if (seq < atomic_load(&env->journal.page->checkpoint))
		return 0;
	if (!j->can_integrate)
		return pk_fail(j->err, PAKHUS_EDENIED,
			       "pkg/: what was published waits in the journal "
			       "for one who may write");
	return pakhus_sync(j->store, j->err);
}

static void versions_auto(struct pakhus_versions **v)
{
	pakhus_versions_free(*v);
}

static int text_of(struct job *j, const char *id, struct text *t)
{
	struct pakhus_range range = { 0, PAGE };

	do {
		AUTO(versions_auto) struct pakhus_versions *page = NULL;
		int rc = pakhus_versions(j->store, id, range, &page, j->err);

		for (size_t i = 0; !rc && i < page->count; i++) {
			rc = settle(j, page->items[i].seq);
			if (!rc)
				rc = put_line(t, &page->items[i], j->err);
		}
		if (rc)
			return rc;
		range.before = page->next;
	} while (range.before);
	return 0;
}

static int is_there(int dir, const char *path, const struct text *t)
{
	AUTO_FREE char *have = NULL;
	size_t size;

	return !pk_read_file(dir, path, t->size, &have, &size, NULL) &&
	       size == t->size && !memcmp(have, t->at, size);
}

static int install(int dir, const char *path, const struct text *t,
		   struct pakhus_error *err)
{
	AUTO(pk_tmp_discard) struct pk_tmp tmp = PK_TMP_INIT;
	char parent[sizeof(PKG "/ab")];
	int rc;

	if (is_there(dir, path, t))
		return 0;
	memcpy(parent, path, sizeof(parent) - 1);
	parent[sizeof(parent) - 1] = '\0';
	rc = pk_mkdir(dir, parent, 0755, err);
	if (!rc)
		rc = pk_tmp_open(&tmp, dir, PKG, err); /* (1): ours alone */
	if (!rc)
		rc = pk_tmp_write(&tmp, t->at, t->size, err);
	if (!rc)
		rc = pk_tmp_publish(&tmp, path, 0644, err); /* synced by (5) */
	return rc;
}

static int take_out(int dir, const char *path, struct pakhus_error *err)
{
	if (unlinkat(dir, path, 0) && errno != ENOENT)
		return pk_fail_sys(err, "remove %s", path);
	return 0;
}

static int refresh_one(struct job *j, const char *id)
{
	AUTO(text_release) struct text t = { .at = NULL };
	int dir = j->store->env->dir;
	char path[PATH_SIZE];
	int rc = path_of(id, path, j->err);

	if (!rc)
		rc = text_of(j, id, &t);
	if (rc)
		return rc;
	return t.size ? install(dir, path, &t, j->err)
		      : take_out(dir, path, j->err);
}

/* ---- files of packages that are gone ---- */

static int is_digits(const char *s, size_t n)
{
	return strspn(s, "0123456789abcdef") == n;
}

static int compare_paths(const void *a, const void *b)
{
	return strcmp(a, b);
}

static int sweep_dir(struct job *j, const char *ab, char (*live)[PATH_SIZE])
{
	char path[PATH_SIZE];
	struct pk_env *env = j->store->env;
	AUTO_DIR DIR *d = NULL;
	const char *name;
	int rc;

	snprintf(path, sizeof(path), PKG "/%s", ab);
	d = pk_opendir(env->dir, path, 0);
	if (!d)
		return errno == ENOENT ? 0
				       : pk_fail_sys(j->err, "%s", path);
	while ((rc = pk_readdir(d, path, &name, j->err)) == 1) {
		if (strlen(name) != NAME_SIZE ||
		    !is_digits(name, NAME_SIZE - strlen(SUFFIX)))
			continue;
		snprintf(path, sizeof(path), PKG "/%s/%.*s", ab,
			 (int)NAME_SIZE, name);
		if (j->names.n && bsearch(path, live, j->names.n, PATH_SIZE,
					  compare_paths))
			continue;
		rc = take_out(env->dir, path, j->err);
		if (rc)
			return rc;
	}
	return rc;
}

/* Where all was written anew, what is not of it goes. */
static int sweep(struct job *j)
{
	AUTO_FREE char(*live)[PATH_SIZE] =
		malloc((j->names.n + 1) * sizeof(*live));
	int rc = live ? 0 : pk_fail_nomem(j->err);

	for (size_t i = 0; !rc && i < j->names.n; i++)
		rc = path_of(j->names.id[i], live[i], j->err);
	if (rc)
		return rc;
	qsort(live, j->names.n, sizeof(*live), compare_paths);
	for (unsigned i = 0; !rc && i < 256; i++) {
		char ab[3];

		snprintf(ab, sizeof(ab), "%02x", i);
		rc = sweep_dir(j, ab, live);
	}
	return rc;
}

/* ---- all of it ---- */

static int refresh(struct job *j)
{
	struct pk_env *env = j->store->env;
	int rc;

	if (j->can_integrate) {
		rc = pakhus_sync(j->store, j->err);
		if (rc)
			return rc;
	}
	rc = note_read(j);
	if (rc)
		return rc;
	do
		rc = collect(j);
	while (pk_mend(j->store, rc, j->err));
	if (rc || (!j->anew && j->now.position == j->before.position))
		return rc;
	for (size_t i = 0; !rc && i < j->names.n; i++)
		rc = refresh_one(j, j->names.id[i]);
	if (!rc && j->anew)
		rc = sweep(j);
	if (!rc && syncfs(env->dir))
		rc = pk_fail_sys(j->err, "sync " PKG);
	return rc ? rc : note_write(j);
}

/* A pkg/ that somebody took away is made anew, whatever the note says. */
static int open_pkg(int dir, int *out, struct pakhus_error *err)
{
	int rc = pk_exists(dir, PKG, err);

	if (!rc)
		rc = take_out(dir, NOTE, err);
	if (rc >= 0)
		rc = pk_mkdir(dir, PKG, 0755, err);
	if (rc)
		return rc;
	*out = openat(dir, PKG, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (*out < 0)
		return pk_fail_sys(err, PKG);
	while ((rc = flock(*out, LOCK_EX)) && errno == EINTR)
		;
	return rc ? pk_fail_sys(err, "lock " PKG) : 0;
}

int pk_pkg_refresh(struct pakhus *s, struct pakhus_error *err)
{
	AUTO_FREE struct pk_entry *scratch = malloc(sizeof(*scratch));
	AUTO_CLOSE int fd = -1;
	struct job j = { .store = s, .scratch = scratch, .err = err };
	int rc;

	if (!scratch)
		return pk_fail_nomem(err);
	if (!s->env->has_local || s->flags & PAKHUS_READONLY)
		return pk_fail(err, PAKHUS_EDENIED,
			       "pkg/: the store is only read here");
	j.can_integrate = s->env->can_write;
	rc = j.can_integrate ? pk_enter_write(s, err) : 0;
	if (!rc)
		rc = open_pkg(s->env->dir, &fd, err);
	if (!rc)
		rc = refresh(&j);
	names_release(&j.names);
	return rc;
}

int pakhus_refresh_pkg(struct pakhus *s, struct pakhus_error *err)
{
	int rc = pk_enter(s, err);

	return rc ? rc : pk_pkg_refresh(s, err);
}
