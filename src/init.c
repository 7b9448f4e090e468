/* init.c - making a store.
 *
 * FORMAT is written last, so that a directory without one is no store, and
 * an init that was interrupted is begun again by the next one. The flock on
 * the directory keeps two apart.
 */
#include "io.h"
#include "logwrite.h"
#include "store.h"
#include "hex.h"
#include "tmpfile.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/file.h>
#include <sys/stat.h>

#define HOME "local/home"

int pk_home_write(int dir, struct pakhus_error *err)
{
	char text[64];
	struct stat st;
	int n;

	/* of the directory: a file's own would change when it is replaced */
	if (fstatat(dir, "local", &st, 0))
		return pk_fail_sys(err, "local");
	n = snprintf(text, sizeof(text), "inode %llu\n",
		     (unsigned long long)st.st_ino);
	return pk_install(dir, HOME, text, (size_t)n, 0600, err);
}

int pk_home_is_here(int dir, struct pakhus_error *err)
{
	AUTO_FREE char *text = NULL;
	char want[64];
	struct stat st;
	size_t size;
	int rc = pk_read_file(dir, HOME, 63, &text, &size, err);

	if (rc == PAKHUS_ENOTFOUND)
		return 0;
	if (rc)
		return rc;
	if (fstatat(dir, "local", &st, 0))
		return pk_fail_sys(err, "local");
	snprintf(want, sizeof(want), "inode %llu\n",
		 (unsigned long long)st.st_ino);
	return !strcmp(text, want);
}

/* Only what an interrupted init leaves may be there already. */
static int check_empty(int dir, const char *path, struct pakhus_error *err)
{
	static const char *const ours[] = { ".", "..", "objects", "log",
					    "keys", "local", "lost+found" };
	AUTO_DIR DIR *d = pk_opendir(dir, ".", 0);
	const char *name;
	int rc;

	if (!d)
		return pk_fail_sys(err, "%s", path);
	while ((rc = pk_readdir(d, path, &name, err)) == 1) {
		size_t i = 0, n = sizeof(ours) / sizeof(*ours);

		while (i < n && strcmp(name, ours[i]))
			i++;
		if (i < n)
			continue;
		return pk_fail(err, PAKHUS_ECONFLICT,
			       "%s: not empty and not a store (it holds %s)",
			       path, name);
	}
	return rc;
}

/* Whether a slot of the journal holds, or held, a record: 1, 0, or a
 * failure. */
static int has_record(int dir, const char *slot, struct pakhus_error *err)
{
	AUTO_CLOSE int fd = openat(dir, slot, O_RDONLY | O_CLOEXEC);
	char first = 0;

	if (fd < 0 && errno == ENOENT)
		return 0;
	if (fd < 0 || pk_pread(fd, &first, 1, 0) < 0)
		return pk_fail_sys(err, "%s", slot);
	return first != 0;
}

/* An init that was interrupted left no more than the log's first entry, and
 * slots of zeros; all else is a store that lost its FORMAT. */
static int check_begun(int dir, const char *path, struct pakhus_error *err)
{
	AUTO_FREE char *note = NULL;
	struct pakhus_error e = { .status = 0 };
	struct pk_bytes text, signatures;
	struct pk_checkpoint c = { .size = 0 };
	size_t size;
	int rc = pk_read_file(dir, "log/checkpoint", PK_NOTE_MAX, &note, &size,
			      &e);
	int is_more = rc == PAKHUS_ECORRUPT;

	if (!rc && (pk_note_decode(note, size, &text, &signatures) ||
		    pk_checkpoint_decode(text, &c) || c.size > 1))
		is_more = 1;
	else if (rc && rc != PAKHUS_ECORRUPT && rc != PAKHUS_ENOTFOUND)
		return pk_fail(err, rc, "%s", e.text);
	rc = is_more ? 0 : has_record(dir, "local/slot-0", err);
	if (!rc && !is_more)
		rc = has_record(dir, "local/slot-1", err);
	if (rc < 0 || (!rc && !is_more))
		return rc;
	return pk_fail(err, PAKHUS_ECORRUPT,
		       "%s/FORMAT: F-40 is missing, and there is more than an "
		       "interrupted init leaves", path);
}

int pk_init_dirs(int dir, struct pakhus_error *err)
{
	static const char *const dirs[] = { "objects", "log", "log/tile",
					    "log/tile/entries", "log/tile/0",
					    "keys" };
	static const char *const private[] = { "local", "local/stage",
					       "local/trash" };
	char path[16];
	int rc = 0;

	for (size_t i = 0; i < sizeof(dirs) / sizeof(*dirs) && !rc; i++)
		rc = pk_mkdir(dir, dirs[i], 0777, err);
	for (size_t i = 0; i < sizeof(private) / sizeof(*private) && !rc; i++)
		rc = pk_mkdir(dir, private[i], 0700, err);
	for (unsigned i = 0; i < 256 && !rc; i++) {
		sprintf(path, "objects/%02x", i);
		rc = pk_mkdir(dir, path, 0777, err);
	}
	return rc;
}

/* key: the private one to begin with, or NULL. */
static int make_key(int dir, const struct pk_format *f, const char *key,
		    struct pk_signer *s, struct pakhus_error *err)
{
	char text[PK_SKEY_SIZE + 1], path[16];
	size_t n;
	int rc = key ? pk_keys_import(key, f->origin, s, err)
		     : pk_signer_new(f->origin, s, err);

	if (rc)
		return rc;
	pk_empty_dir(dir, "keys");
	n = pk_signer_encode(s, text);
	text[n++] = '\n';
	rc = pk_install(dir, "local/key", text, n, 0600, err);
	if (rc)
		return rc;
	pk_vkey_encode(&s->public, text);
	strcat(text, "\n");
	pk_log_key_path(&s->public, path);
	return pk_install(dir, path, text, strlen(text), 0444, err);
}

/* The log's first entry, and the checkpoint over it. */
static int make_log(int dir, const char *format, size_t format_size,
		    const struct pk_signer *s, const char *by,
		    struct pakhus_error *err)
{
	AUTO(pk_log_close_writer) struct pk_log_writer w;
	struct pk_checkpoint c = { .size = 0 };
	struct pk_entry e = { .op = PK_OP_KEY };
	char line[PK_ENTRY_MAX], note[PK_CHECKPOINT_NOTE];
	size_t n;
	int rc;

	e.time = pk_now();
	if (by)
		strcpy(e.by, by);
	pk_vkey_encode(&s->public, e.text);
	if (pk_sha256(format, format_size, e.hash))
		return pk_fail_nomem(err);
	n = pk_entry_encode(&e, line);
	rc = pk_log_open_writer(&w, dir, &c, err);
	if (!rc)
		rc = pk_log_add(&w, line, n);
	if (!rc)
		rc = pk_log_finish(&w, c.root);
	if (rc)
		return rc;
	c.size = 1;
	c.time = e.time;
	strcpy(c.origin, s->public.name);
	rc = pk_log_sign(&c, s, note, &n, err);
	if (!rc)
		rc = pk_install(dir, "local/last-signed", note, n, 0600, err);
	return rc ? rc : pk_log_install(dir, note, n, err);
}

static int fill_format(const struct pakhus_init_options *opt,
		       struct pk_format *f, struct pakhus_error *err)
{
	const char *origin = opt ? opt->origin : NULL;
	char hex[2 * PK_IDENTITY_SIZE + 1];
	struct pk_signer s;
	int rc = pk_random(f->identity, PK_IDENTITY_SIZE, err);

	if (!rc && opt && opt->key)
		rc = pk_keys_import(opt->key, origin, &s, err);
	if (rc)
		return rc;
	if (opt && opt->key) {
		explicit_bzero(s.seed, sizeof(s.seed));
		origin = s.public.name;
	}
	f->immutable = opt && opt->immutable;
	if (origin) {
		if (!pk_is_origin(origin, strlen(origin)))
			return pk_fail(err, PAKHUS_EINVAL,
				       "the origin must be 1 to %d printable "
				       "ASCII characters without space and +",
				       PK_ORIGIN_MAX);
		strcpy(f->origin, origin);
		return 0;
	}
	pk_hex(f->identity, PK_IDENTITY_SIZE, hex);
	snprintf(f->origin, sizeof(f->origin), "pakhus.invalid/%s", hex);
	return 0;
}

/* The store's own name. A directory that may be searched and not read
 * cannot be synced; it was there before. */
int pk_init_sync_parent(int dir, struct pakhus_error *err)
{
	struct pakhus_error e = { .status = 0 };
	int rc = pk_sync_dir(dir, "..", &e);

	return !rc || rc == PAKHUS_EDENIED ? 0 : pk_fail(err, rc, "%s", e.text);
}

static int make(int dir, const struct pakhus_init_options *opt,
		const struct pk_format *f, struct pakhus_error *err)
{
	static const char *const dirs[] = { "objects", "keys", "log/tile",
					    "log", "local", "." };
	struct pk_signer signer;
	char format[PK_FORMAT_SIZE];
	size_t n;
	int rc = pk_init_dirs(dir, err);

	if (!rc)
		rc = make_key(dir, f, opt ? opt->key : NULL, &signer, err);
	if (rc)
		return rc;
	n = pk_format_encode(f, format);
	rc = make_log(dir, format, n, &signer, opt ? opt->by : NULL, err);
	if (!rc)
		rc = pk_journal_make(dir, err);
	if (!rc)
		rc = pk_home_write(dir, err);
	for (size_t i = 0; i < sizeof(dirs) / sizeof(*dirs) && !rc; i++)
		rc = pk_sync_dir(dir, dirs[i], err);
	if (!rc)
		rc = pk_init_sync_parent(dir, err);
	if (!rc)
		rc = pk_install(dir, "FORMAT", format, n, 0444, err);
	return rc ? rc : pk_sync_dir(dir, ".", err);
}

static int lock_out(int dir)
{
	int rc;

	while ((rc = flock(dir, LOCK_EX)) && errno == EINTR)
		;
	return rc;
}

int pk_init_at(const char *path, const struct pakhus_init_options *opt,
	       int may_exist, struct pakhus_error *err)
{
	AUTO_CLOSE int dir = -1;
	struct pk_format f;
	int rc = fill_format(opt, &f, err); /* refused before a trace is left */

	if (rc)
		return rc;
	rc = mkdir(path, 0777) ? errno : 0;
	if (rc == ENOENT)
		return pk_fail(err, PAKHUS_ENOTFOUND,
			       "%s: the directory that it is to be in is not "
			       "there", path);
	if (rc && rc != EEXIST)
		return pk_fail_sys(err, "make the store %s", path);
	dir = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (dir < 0 && errno == ENOTDIR)
		return pk_fail(err, PAKHUS_ENOTFOUND,
			       "the store %s is not a directory", path);
	if (dir < 0)
		return pk_fail_sys(err, "the store %s", path);
	/* without waiting for a sync of what is a mirror already */
	rc = pk_exists(dir, "FORMAT", err);
	if (!rc && lock_out(dir))
		return pk_fail_sys(err, "the store %s", path);
	if (!rc)
		rc = pk_exists(dir, "FORMAT", err);
	if (rc < 0)
		return rc;
	if (rc)
		return may_exist ? 0
				 : pk_fail(err, PAKHUS_ECONFLICT,
					   "%s: there is a store already",
					   path);
	rc = check_empty(dir, path, err);
	if (!rc)
		rc = check_begun(dir, path, err);
	return rc ? rc : make(dir, opt, &f, err);
}

int pakhus_init(const char *path, const struct pakhus_init_options *opt,
		struct pakhus_error *err)
{
	int rc;

	pk_error_init(err);
	rc = pk_check_by(opt ? opt->by : NULL, err);
	return rc ? rc : pk_init_at(path, opt, 0, err);
}
