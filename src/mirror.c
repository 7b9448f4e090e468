/* mirror.c - one sync of a mirror, in an order that leaves a whole mirror
 * behind wherever it ends (F-75):
 *
 *  1. read the source's checkpoint, before anything that it speaks of
 *  2. bring the entries behind those that are held, and check them against
 *     it: signed, no smaller, the same history; try them out
 *  3. bring the texts that they name, and what those are made against, and
 *     check every one
 *  4. put the objects into their places, synced with their directories
 *  5. write bundles and tiles, as whoever wrote the log did; then the keys
 *  6. install the source's checkpoint; on the first sync FORMAT after it
 *  7. apply the log to the index, let other handles know, carry out what is
 *     purged, and bring pkg/ up to date
 *
 * Up to 4 everything lies in local/incoming, where the next sync finds it.
 * What 4 and 5 add nobody reads before 6: the invariants of store.c hold.
 */
#include "mirror.h"
#include "hex.h"
#include "io.h"
#include "logwrite.h"
#include "pkg.h"
#include "purge.h"
#include "tmpfile.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/file.h>
#include <sys/stat.h>

/* Checkpoints begun with where the source collects meanwhile, each with less
 * to bring: three were not enough beside two thousand publishes a second and
 * a collector every second that waits for nobody. */
#define TRIES 10
#define ORIGIN "local/mirror-of"

/* ---- whose directory it is ---- */

/* The names that an unfinished first sync leaves beside local/. */
static int is_ours(const char *name)
{
	return !strcmp(name, "objects") || !strcmp(name, "log") ||
	       !strcmp(name, "keys") || !strcmp(name, "local");
}

/* Nothing but what an unfinished first sync leaves may be there already. */
static int check_empty(struct pk_sync *x, const char *path)
{
	AUTO_DIR DIR *d = pk_opendir(x->dir, ".", 0);
	const char *name;
	int begun, rc;

	if (!d)
		return pk_fail_sys(x->err, "%s", path);
	/* empty: its maker ended before there was more */
	unlinkat(x->dir, "local", AT_REMOVEDIR);
	begun = rc = pk_exists(x->dir, PK_INCOMING, x->err);
	while (rc >= 0 && (rc = pk_readdir(d, path, &name, x->err)) == 1) {
		if (!strcmp(name, ".") || !strcmp(name, "..") ||
		    !strcmp(name, "lost+found") || (begun && is_ours(name)))
			continue;
		return pk_fail(x->err, PAKHUS_ECONFLICT,
			       "%s: neither empty nor a mirror (it holds %s)",
			       path, name);
	}
	return rc;
}

static int check_unwritten(struct pk_sync *x, const char *path)
{
	int rc = pk_exists(x->dir, "local/key", x->err);

	if (rc <= 0)
		return rc;
	return pk_fail(x->err, PAKHUS_ECONFLICT,
		       "%s: is no mirror, but where a store is written", path);
}

int pk_sync_lock(struct pk_sync *x, const char *path)
{
	int rc;

	while ((rc = flock(x->dir, LOCK_EX | LOCK_NB)) && errno == EINTR)
		;
	if (!rc)
		return 0;
	if (errno == EWOULDBLOCK)
		return pk_fail(x->err, PAKHUS_EBUSY,
			       "%s: another sync of it is at work", path);
	return pk_fail_sys(x->err, "lock %s", path);
}

/* ---- what is held ---- */

static int take_time(void *arg, uint64_t seq, const char *line, size_t size)
{
	AUTO_FREE struct pk_entry *e = malloc(sizeof(*e));
	struct pk_sync *x = arg;

	(void)seq;
	if (!e)
		return pk_fail_nomem(x->err);
	if (!pk_entry_decode(line, size, e))
		x->newest = e->time;
	return 0;
}

/* Trust is in the key in force at what is held. The index is as far as the
 * log. */
static int read_key(struct pk_sync *x)
{
	struct pk_env *env = x->store->env;
	AUTO(pk_txn_end) struct pk_txn t = PK_TXN_INIT;
	int rc = pk_txn_read(&t, env->index, x->err);

	if (!rc)
		rc = pk_keys_find(env, pk_stamp_key(&t.stamp, x->held.size),
				  &x->key, x->err);
	x->has_key = !rc;
	return rc;
}

static int read_held(struct pk_sync *x)
{
	struct pk_env *env = x->store->env;
	struct pk_cursor c;
	int rc = pk_keys_checkpoint(env, 0, &x->held, x->err);
	uint64_t n = x->held.size;

	x->format = env->format;
	pk_journal_cursor(&env->journal, &c);
	if (!rc && c.seq > n)
		rc = pk_fail(x->err, PAKHUS_ECONFLICT,
			     "entries were written here that are not in the "
			     "log; this is no mirror");
	/* what a sync that was killed installed */
	if (!rc && c.seq < n)
		rc = pk_show_log(x->store, &x->held, x->err);
	if (!rc)
		rc = read_key(x);
	if (!rc)
		rc = pk_log_walk(x->dir, n, n - 1, n, take_time, x, x->err);
	return rc ? rc : pk_lineage_given(x);
}

/* ---- 4 to 6: installing ---- */

static int add_entry(void *arg, uint64_t seq, const char *line, size_t size)
{
	(void)seq;
	return pk_log_add(arg, line, size);
}

int pk_sync_write_log(struct pk_sync *x)
{
	AUTO(pk_log_close_writer) struct pk_log_writer w = { .dir = -1 };
	unsigned char root[PK_HASH_SIZE];
	int rc = pk_log_open_writer(&w, x->dir, &x->held, x->err);

	if (!rc)
		rc = pk_log_walk(x->in.dir, x->next.size, x->held.size,
				 x->next.size, add_entry, &w, x->err);
	if (!rc)
		rc = pk_log_finish(&w, root);
	if (!rc && memcmp(root, x->next.root, PK_HASH_SIZE))
		rc = pk_fail(x->err, PAKHUS_ECORRUPT,
			     PK_INCOMING ": F-39 it changed while it was "
					 "installed");
	return rc;
}

/* Where it comes from, for people. */
static int write_origin(struct pk_sync *x)
{
	const char *name = x->in.source->name;
	size_t n = strcspn(name, "\n"), size;
	AUTO_FREE char *was = NULL;
	AUTO_FREE char *text = malloc(n + 2);
	int rc;

	if (!text)
		return pk_fail_nomem(x->err);
	memcpy(text, name, n);
	memcpy(text + n, "\n", 2);
	if (!pk_read_file(x->dir, ORIGIN, PK_NOTE_MAX, &was, &size, NULL) &&
	    !strcmp(was, text))
		return 0;
	rc = pk_install(x->dir, ORIGIN, text, strlen(text), 0600, x->err);
	return rc ? rc : pk_sync_dir(x->dir, "local", x->err);
}

static int install_checkpoint(struct pk_sync *x)
{
	return pk_log_install(x->dir, x->note, x->note_size, x->err);
}

/* Behind the checkpoint the index has to follow, or nobody who comes anew can
 * read: so the disk may be full before, and not after. A row takes about what
 * its line does. */
static int reserve(struct pk_sync *x)
{
	return pk_index_reserve(x->store->env->index,
				x->next.size - x->held.size, x->line_bytes,
				x->err);
}

static int install(struct pk_sync *x)
{
	int rc = reserve(x);

	if (rc)
		return rc;
	pk_stage_clear(x->dir);
	rc = pk_bring_install(x);
	if (!rc)
		rc = pk_sync_write_log(x);
	if (!rc)
		rc = pk_lineage_install(x);
	return rc ? rc : install_checkpoint(x);
}

/* FORMAT last, so that a directory without one is no store; what a first
 * sync that was interrupted left of its log may be another's. */
static int install_first(struct pk_sync *x)
{
	static const char *const dirs[] = { "objects", "keys", "log/tile",
					    "log", "local" };
	char format[PK_FORMAT_SIZE];
	size_t n = pk_format_encode(&x->format, format);
	int rc;

	pk_empty_dir(x->dir, PK_STAGE);
	pk_remove_tree(x->dir, "log");
	pk_remove_tree(x->dir, "keys");
	/* local/incoming says what the others are, so its name comes first */
	rc = pk_sync_dir(x->dir, "local", x->err);
	if (!rc)
		rc = pk_sync_dir(x->dir, ".", x->err);
	if (!rc)
		rc = pk_init_dirs(x->dir, x->err);
	if (!rc)
		rc = pk_bring_install(x);
	if (!rc)
		rc = pk_sync_write_log(x);
	if (!rc)
		rc = pk_lineage_install(x);
	if (!rc)
		rc = write_origin(x);
	if (!rc)
		rc = pk_journal_make(x->dir, x->err);
	for (size_t i = 0; i < sizeof(dirs) / sizeof(*dirs) && !rc; i++)
		rc = pk_sync_dir(x->dir, dirs[i], x->err);
	if (!rc)
		rc = install_checkpoint(x);
	if (!rc)
		rc = pk_sync_dir(x->dir, ".", x->err);
	if (!rc)
		rc = pk_init_sync_parent(x->dir, x->err);
	if (!rc)
		rc = pk_install(x->dir, "FORMAT", format, n, 0444, x->err);
	return rc ? rc : pk_sync_dir(x->dir, ".", x->err);
}

/* ---- 7: showing it ---- */

/* The log has the entries before the index speaks of them, and the index has
 * them before the page says that they are there. */
int pk_show_log(struct pakhus *s, const struct pk_checkpoint *to,
		struct pakhus_error *err)
{
	struct pk_env *env = s->env;
	struct pk_page *page = env->journal.page;
	PK_HELD append = { NULL, 0 };
	PK_HELD commit = { NULL, 0 };
	struct pk_cursor c;
	int rc = pk_hold(&append, &env->locks, PK_LOCK_APPEND, err);

	if (!rc)
		rc = pk_hold(&commit, &env->locks, PK_LOCK_COMMIT, err);
	if (rc)
		return rc;
	atomic_store(&page->checkpoint, to->size);
	rc = pk_replay(s, env->index, to, err);
	if (rc)
		return rc;
	pk_journal_cursor(&env->journal, &c);
	if (c.seq < to->size) {
		c.first = c.seq = to->size;
		pk_journal_set(&env->journal, &c);
	}
	atomic_store(&page->durable, to->size);
	return 0;
}

/* ---- the age ---- */

int pk_sync_check_age(struct pk_sync *x)
{
	uint64_t now = pk_now(), age, at = x->next.time;

	if (at < x->newest)
		at = x->newest;
	if (x->is_same && at < x->held.time)
		at = x->held.time;
	x->m->time_us = at;
	age = now > at ? now - at : 0;
	if (!x->m->max_age_us || age <= x->m->max_age_us)
		return 0;
	return pk_fail(x->err, PAKHUS_ECORRUPT,
		       "%s: F-76 its checkpoint is %llu seconds old, and at most "
		       "%llu are allowed: where the store is written, pakhus "
		       "checkpoint --renew signs one with the present time, or "
		       "use a source that is up to date", x->in.source->name,
		       (unsigned long long)(age / 1000000),
		       (unsigned long long)(x->m->max_age_us / 1000000));
}

/* ---- the whole ---- */

void pk_sync_forget(struct pk_sync *x)
{
	pk_wants_release(&x->wants);
	x->heirs = 0;
	x->is_absent = 0;
}

/* With one checkpoint. */
static int begin_with(struct pk_sync *x)
{
	int rc = pk_offer_checkpoint(x), is_longer;

	if (rc)
		return rc;
	is_longer = x->next.size > x->held.size;
	/* signed before the one that is held: that one stays */
	if (!is_longer && x->next.time <= x->held.time)
		x->is_same = 1;
	if (is_longer)
		rc = pk_offer_entries(x);
	else
		rc = pk_lineage_same(x);
	if (!rc)
		rc = pk_sync_check_age(x);
	if (rc || x->is_same)
		return rc;
	if (is_longer)
		rc = pk_bring(x);
	if (rc)
		return rc;
	return x->store ? install(x) : install_first(x);
}

static int sync_once(struct pk_sync *x)
{
	uint64_t before = 0;
	int rc;

	for (x->m->tries = 1;; x->m->tries++) {
		rc = begin_with(x);
		/* what is collected is dead in a newer checkpoint */
		if (!rc || !x->is_absent || x->m->tries == TRIES ||
		    x->next.size == before)
			break;
		before = x->next.size;
		pk_sync_forget(x);
		pk_error_init(x->err);
	}
	if (rc)
		return rc;
	x->m->is_changed = !x->is_same;
	x->m->before = x->held.size;
	x->m->entries = x->is_same ? x->held.size : x->next.size;
	return 0;
}

static struct pakhus_options options(const struct pk_sync *x)
{
	return (struct pakhus_options){ .threads = x->m->threads,
					.progress = x->m->progress,
					.notice = x->m->notice,
					.arg = x->m->arg };
}

/* The integrate lock is held, and env->use shared. */
static int sync_next(struct pk_sync *x)
{
	struct pk_env *env = x->store->env;
	int rc = read_held(x);

	if (!rc)
		rc = sync_once(x);
	if (!rc)
		rc = write_origin(x);
	if (!rc && !x->is_same) /* as installed, and who signed it */
		rc = pk_keys_checkpoint(env, 0, &x->next, x->err);
	if (!rc && !x->is_same)
		rc = pk_show_log(x->store, &x->next, x->err);
	if (!rc)
		rc = pk_purge_finish(x->store, NULL, x->err);
	if (rc)
		return rc;
	pk_incoming_empty(&x->in);
	pk_log_prune(x->dir, x->m->entries);
	return 0;
}

static int next_locked(struct pk_sync *x)
{
	struct pk_env *env = x->store->env;
	PK_HELD held = { NULL, 0 };
	int rc = pk_use(env, x->err);

	if (rc)
		return rc;
	pk_sync_forget(x);
	rc = pk_hold(&held, &env->locks, PK_LOCK_INTEGRATE, x->err);
	if (!rc)
		rc = sync_next(x);
	pk_let_go(&held);
	pthread_rwlock_unlock(&env->use);
	return rc;
}

static int next(struct pk_sync *x, const char *path)
{
	struct pakhus_options opt = options(x);
	struct pk_env *env;
	int rc = pakhus_open(&x->store, path, &opt, x->err);

	if (rc)
		return rc;
	env = x->store->env;
	if (!env->has_local)
		return pk_fail(x->err, PAKHUS_EDENIED, "%s", env->why_not);
	rc = pk_incoming_open(&x->in, x->dir, path, x->in.source, x->err);
	if (rc)
		return rc;
	do
		rc = next_locked(x);
	while (pk_mend(x->store, rc, x->err));
	return rc ? rc : pk_pkg_refresh(x->store, x->err);
}

/* Of a first sync that has nothing yet no trace is left. */
static void give_up(struct pk_sync *x)
{
	if (x->in.dir < 0 || !faccessat(x->in.dir, "log/tile", F_OK, 0))
		return;
	pk_incoming_empty(&x->in);
	unlinkat(x->dir, PK_INCOMING, AT_REMOVEDIR);
	unlinkat(x->dir, PK_STAGE, AT_REMOVEDIR);
	unlinkat(x->dir, "local", AT_REMOVEDIR);
}

static int first(struct pk_sync *x, const char *path)
{
	struct pakhus_options opt = options(x);
	struct pakhus *s;
	int rc = check_empty(x, path);

	if (!rc)
		rc = pk_lineage_given(x);
	if (!rc)
		rc = pk_mkdir(x->dir, "local", 0700, x->err);
	if (!rc)
		rc = pk_incoming_open(&x->in, x->dir, path, x->in.source,
				      x->err);
	if (!rc)
		rc = pk_mkdir(x->dir, PK_STAGE, 0700, x->err);
	if (!rc)
		rc = pk_offer_format(x);
	if (!rc)
		rc = sync_once(x);
	if (rc) {
		give_up(x);
		return rc;
	}
	x->m->is_new = 1;
	pk_incoming_empty(&x->in);
	/* its index */
	opt.notice = NULL;
	rc = pakhus_open(&s, path, &opt, x->err);
	if (rc)
		return rc;
	/* the source may have texts still that its log has purged */
	rc = pk_purge_all(s, NULL, x->err);
	if (!rc)
		rc = pk_pkg_refresh(s, x->err);
	pakhus_close(s);
	return rc;
}

void pk_sync_free(struct pk_sync *x)
{
	pk_sync_forget(x);
	free(x->note);
	pk_incoming_close(&x->in);
	pk_sha_free(x->sha);
	pakhus_close(x->store);
	pk_auto_close(&x->dir); /* and with it the lock */
	free(x);
}

struct pakhus_mirror pk_sync_asked(const struct pakhus_mirror *m)
{
	return (struct pakhus_mirror){ .key = m->key,
				       .max_age_us = m->max_age_us,
				       .threads = m->threads,
				       .progress = m->progress,
				       .notice = m->notice,
				       .arg = m->arg };
}

static int sync_at(struct pk_sync *x, const char *path)
{
	int rc = pk_sync_lock(x, path);

	if (!rc)
		rc = check_unwritten(x, path);
	if (!rc)
		rc = pk_exists(x->dir, "FORMAT", x->err);
	if (rc < 0)
		return rc;
	return rc ? next(x, path) : first(x, path);
}

struct pk_sync *pk_sync_new(struct pakhus_mirror *m,
			    const struct pakhus_source *source,
			    struct pakhus_error *err)
{
	struct pk_sync *x = calloc(1, sizeof(*x));

	if (x)
		x->sha = pk_sha_new();
	if (!x || !x->sha) {
		free(x);
		return NULL;
	}
	x->dir = -1;
	x->m = m;
	x->err = err;
	x->in = (struct pk_incoming)PK_INCOMING_INIT;
	x->in.source = source;
	return x;
}

int pakhus_mirror(const char *path, const struct pakhus_source *source,
		  struct pakhus_mirror *m, struct pakhus_error *err)
{
	struct pakhus_mirror own = pk_sync_asked(m);
	struct pakhus_error e = { .status = 0 };
	struct pk_sync *x = pk_sync_new(&own, source, &e);
	int is_made, rc;

	pk_error_init(err);
	if (!x)
		return pk_fail_nomem(err);
	is_made = !mkdir(path, 0777);
	if (is_made || errno == EEXIST)
		x->dir = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	rc = x->dir < 0 ? pk_fail_sys(&e, "the mirror %s", path)
			: sync_at(x, path);
	pk_sync_free(x);
	if (rc && is_made)
		rmdir(path); /* where nothing was brought */
	if (rc)
		return pk_fail(err, rc, "%s", e.text);
	*m = own;
	return 0;
}
