/* store.c - opening, recovering and closing a store.
 *
 * What holds at all times, and what the rest of src/ relies on:
 *
 *  (1) A publish or delete that returned 0 is in a whole record of a slot
 *	that was synced after it was written, or in a log that was synced
 *	before the checkpoint that covers it was installed.
 *  (2) Bytes that a sync covered are not written again before the entries
 *	they hold are covered by an installed checkpoint.
 *  (3) log/checkpoint names only entries, tiles and objects that were
 *	synced, with the directories that name them, before it.
 *  (4) Readers see an entry only after a sync covered it: the index is
 *	applied between the sync and the moment its publisher returns.
 *  (5) A checkpoint is signed only if what local/last-signed holds is a
 *	prefix of it, and last-signed is synced before it is installed.
 *  (6) The index is believed if its stamp names this store, its own inode,
 *	no entry that is not there, and this boot or a clean end; else it
 *	is made anew. Nothing in it cannot be.
 *  (7) local/page is believed within the boot it names. Whoever is alone
 *	in the store recovers before anybody else comes in.
 *  (8) After a failed sync nobody writes until somebody was alone.
 */
#include "store.h"
#include "io.h"
#include "mark.h"
#include "objpath.h"
#include "tmpfile.h"
#include "utf8.h"

#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/stat.h>

#define PAGE_MAGIC "pkpage1"
#define CACHE_SIZE ((size_t)32 << 20)

/* The library's only global: which stores this process has open, or is just
 * opening or closing. Who holds envs_lock may wait for another process;
 * fork_lock, inside of it, keeps list and lock files still for a fork. */
static pthread_mutex_t envs_lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_mutex_t fork_lock = PTHREAD_MUTEX_INITIALIZER;
static struct pk_env *envs;

/* ---- small things ---- */

void pk_notice(struct pakhus *s, const char *fmt, ...)
{
	char text[512];
	va_list ap;

	if (!s->notice)
		return;
	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	s->notice(s->arg, text);
}

int pk_check_by(const char *by, struct pakhus_error *err)
{
	if (!by || (strlen(by) <= PK_BY_MAX && pk_is_plain(by, strlen(by))))
		return 0;
	return pk_fail(err, PAKHUS_EINVAL,
		       "the label is longer than %d bytes or holds control "
		       "characters", PK_BY_MAX);
}

int pk_progress(struct pakhus *s, const char *what, uint64_t done,
		uint64_t total, struct pakhus_error *err)
{
	if (!s->progress || !s->progress(s->arg, what, done, total))
		return 0;
	return pk_fail(err, PAKHUS_ECANCELED, "%s: cancelled", what);
}

int pk_enter(struct pakhus *s, struct pakhus_error *err)
{
	pk_error_init(err);
	if (s->env->pid != getpid())
		return pk_fail(err, PAKHUS_EINVAL,
			       "a store cannot be used in the child after "
			       "fork; open it there");
	return 0;
}

int pk_enter_write(struct pakhus *s, struct pakhus_error *err)
{
	int rc = pk_enter(s, err);

	if (rc)
		return rc;
	if (s->flags & PAKHUS_READONLY)
		return pk_fail(err, PAKHUS_EDENIED,
			       "the store was opened to be read only");
	if (!s->env->can_write)
		return pk_fail(err, PAKHUS_EDENIED, "%s", s->env->why_not);
	/* before anything is durable that could not be signed */
	if (!atomic_load(&s->env->is_signer_checked)) {
		rc = pk_signer_check(&s->env->signer, err);
		atomic_store(&s->env->is_signer_checked, !rc);
	}
	return rc;
}

static uint64_t pid_namespace(void)
{
	struct stat st;

	return stat("/proc/self/ns/pid", &st) ? 0 : st.st_ino;
}

/* ---- the index, when somebody is alone ---- */

static const char *distrust(const struct pk_env *env, struct pk_index *ix,
			    const struct pk_stamp *st, uint64_t entries)
{
	static const unsigned char none[PK_IDENTITY_SIZE];
	uint64_t applied;

	if (!memcmp(st->identity, none, sizeof(none)))
		return "it was never finished";
	if (memcmp(st->identity, env->format.identity, PK_IDENTITY_SIZE))
		return "it is another store's";
	if (st->inode != pk_index_inode(ix))
		return "it is a copy";
	if (st->applied > entries)
		return "it knows entries that the log does not have";
	if (st->checkpoint == env->checkpoint.size &&
	    memcmp(st->root, env->checkpoint.root, PK_HASH_SIZE))
		return "it is of another history";
	if (pk_mark_read(env->dir, st->inode, &applied) == PK_MARK_CLEAN &&
	    applied != st->applied)
		return "it is not the one that was left clean";
	return NULL;
}

/* Stamps a new index as this store's, so that replay can begin. */
static int adopt_index(struct pk_env *env, struct pk_index *ix,
		       struct pakhus_error *err)
{
	AUTO(pk_txn_end) struct pk_txn t = PK_TXN_INIT;
	int rc = pk_txn_write(&t, ix, err);

	if (rc)
		return rc;
	memset(&t.stamp, 0, sizeof(t.stamp));
	memcpy(t.stamp.identity, env->format.identity, PK_IDENTITY_SIZE);
	t.stamp.inode = pk_index_inode(ix);
	return pk_txn_commit(&t, err);
}

static int read_stamp(struct pk_index *ix, struct pk_stamp *st,
		      struct pakhus_error *err)
{
	AUTO(pk_txn_end) struct pk_txn t = PK_TXN_INIT;
	int rc = pk_txn_read(&t, ix, err);

	if (!rc)
		*st = t.stamp;
	return rc;
}

/* Opens the index if it can be believed; else says why not. */
static const char *open_index(struct pk_env *env, uint64_t entries,
			      char why[480], int *is_new)
{
	struct pakhus_error e = { .status = 0 };
	uint64_t inode = pk_index_find(env->dir), applied;
	struct pk_stamp st;
	const char *fault;

	/* before LMDB follows what may be torn pages */
	if (inode && !pk_mark_read(env->dir, inode, &applied))
		return "it is a copy, or the machine went down while it was "
		       "in use";
	if (pk_index_open(&env->index, env->dir, &e) ||
	    read_stamp(env->index, &st, &e)) {
		snprintf(why, 480, "%s", e.text);
		return why;
	}
	fault = distrust(env, env->index, &st, entries);
	*is_new = fault && !st.inode && !st.applied;
	return fault;
}

/* Brings the index to what log and journal say. */
static int catch_up(struct pakhus *s, uint64_t upto, struct pakhus_error *err)
{
	int rc = pk_replay(s, s->env->index, &s->env->checkpoint, err);

	return rc ? rc : pk_apply_journal(s, s->env->index, upto, err);
}

static int replace_index(struct pk_env *env, struct pakhus_error *err)
{
	int rc;

	pk_index_close(env->index);
	env->index = NULL;
	rc = pk_index_remove(env->dir, err);
	if (!rc)
		rc = pk_index_open(&env->index, env->dir, err);
	return rc ? rc : adopt_index(env, env->index, err);
}

/* The same, from nothing if it has to be. */
static int make_index(struct pakhus *s, int drop, struct pakhus_error *err)
{
	struct pk_env *env = s->env;
	char why[480] = "it was asked for";
	struct pk_cursor c;
	const char *fault = why;
	int rc, is_new = 0;

	pk_journal_cursor(&env->journal, &c);
	if (!drop)
		fault = open_index(env, c.seq, why, &is_new);
	if (!fault) {
		struct pakhus_error e = { .status = 0 };

		rc = catch_up(s, c.seq, &e);
		if (rc && rc != PAKHUS_ECORRUPT && err)
			*err = e;
		if (rc != PAKHUS_ECORRUPT)
			return rc;
		/* its own damage, or what it was to go on from; if it is
		 * the log's, it will be found again */
		snprintf(why, sizeof(why), "%s", e.text);
		fault = why;
	}
	rc = replace_index(env, err);
	if (!rc)
		rc = catch_up(s, c.seq, err);
	/* the first index of a new store is no news */
	if (!rc && !(is_new && c.seq <= 1))
		pk_notice(s, "the index was rebuilt from the log: %s",
			  is_new ? "there was none" : fault);
	return rc;
}

/* ---- recovery ---- */

/* Whether the page was written here and since the machine came up. */
static int is_ours(const struct pk_env *env)
{
	const struct pk_journal *j = &env->journal;

	return !memcmp(j->page->magic, PAGE_MAGIC, 8) &&
	       !memcmp(j->page->boot, env->boot, PK_BOOT_SIZE) &&
	       j->page->inode == j->page_inode;
}

/* Whether the page tells all there is to know about the journal. */
static int is_quiet(struct pk_env *env)
{
	struct pk_page *p = env->journal.page;
	struct pk_cursor c;
	struct stat st;

	if (!is_ours(env) || atomic_load(&p->failed) ||
	    atomic_load(&p->syncing))
		return 0;
	if (pk_journal_catch_up(&env->journal, NULL))
		return 0;
	pk_journal_cursor(&env->journal, &c);
	for (int i = 0; i < 2; i++)
		if (fstat(env->journal.fd[i], &st) ||
		    (uint64_t)st.st_size != c.size[i])
			return 0;
	return !c.has_sealed && c.seq == env->checkpoint.size &&
	       atomic_load(&p->checkpoint) == c.seq &&
	       atomic_load(&p->durable) == c.seq;
}

/* The page from the slots, and what they hold made durable. */
static int recover_journal(struct pk_env *env, int *is_recovered,
			   struct pakhus_error *err)
{
	struct pk_page *p = env->journal.page;
	uint64_t size = env->checkpoint.size, known = 0;
	struct pk_cursor c, was;
	int rc, is_other;

	if (!*is_recovered && is_quiet(env))
		return 0;
	*is_recovered = 1;
	pk_journal_cursor(&env->journal, &was);
	is_other = !is_ours(env);
	if (!is_other)
		known = atomic_load(&p->durable);
	/* FORMAT and the slots may be of somebody who was killed before he
	 * synced their names */
	rc = env->can_write ? pk_sync_dir(env->dir, ".", err) : 0;
	if (!rc && env->can_write)
		rc = pk_sync_dir(env->dir, "local", err);
	if (rc)
		return rc;
	rc = pk_journal_scan(&env->journal, size, &c, err);
	if (rc)
		return rc;
	if (known > c.seq)
		return pk_fail(err, PAKHUS_ECORRUPT,
			       "local/slot-%u: F-57 holds entries up to %llu, "
			       "and %llu were durable", was.slot & 1,
			       (unsigned long long)c.seq,
			       (unsigned long long)known);
	/* what is in the page cache need not be on the disk (8); what was
	 * durable is (2), and after a boot so is all that can be read. A page
	 * that is none is taken for one of before the boot: it is not synced,
	 * so power loss may leave it so */
	if (known < size)
		known = size;
	atomic_store(&p->durable, is_other ? c.seq : known);
	pk_journal_set(&env->journal, &c);
	if (c.seq > size) {
		rc = pk_journal_redo(&env->journal, err);
		if (!rc)
			rc = pk_journal_sync(&env->journal, err);
		if (rc)
			return rc;
	}
	atomic_store(&p->durable, c.seq);
	atomic_store(&p->checkpoint, size);
	atomic_store(&p->syncing, 0);
	atomic_store(&p->failed, 0);
	memcpy(p->boot, env->boot, PK_BOOT_SIZE);
	memcpy(p->magic, PAGE_MAGIC, 8);
	p->inode = env->journal.page_inode;
	return 0;
}

/* Whoever was killed between the checkpoint and the index left locations of
 * a slot that the next generation will write over. */
static int forget_stale(struct pk_env *env, struct pakhus_error *err)
{
	AUTO(pk_txn_end) struct pk_txn t = PK_TXN_INIT;
	struct pk_cursor c;
	int rc = pk_txn_write(&t, env->index, err);

	pk_journal_cursor(&env->journal, &c);
	if (!rc)
		rc = pk_index_forget(&t, c.generation,
				     c.has_sealed ? c.sealed_generation : NULL,
				     err);
	return rc ? rc : pk_txn_commit(&t, err);
}

/* Alone in the store. Who is killed in here leaves that on the page, and
 * who waits meanwhile begins again (7). */
static int recover(struct pakhus *s, struct pakhus_error *err)
{
	struct pk_env *env = s->env;
	struct pakhus_error e = { .status = 0 };
	struct pk_page *page;
	struct pk_cursor c;
	int is_recovered, rc;

	/* again, as others were free to install one until now */
	rc = pk_log_checkpoint_here(env->dir, env->format.origin, &env->keys,
				    &env->checkpoint, err);
	if (!rc)
		rc = pk_journal_make(env->dir, err);
	if (!rc)
		rc = pk_journal_open(&env->journal, env->dir, err);
	if (rc)
		return rc;
	page = env->journal.page;
	page->pid_namespace = pid_namespace();
	is_recovered = atomic_exchange(&page->recovering, 1) != 0;
	rc = recover_journal(env, &is_recovered, err);
	if (!rc)
		rc = make_index(s, s->flags & PAKHUS_REBUILD ? 1 : 0, err);
	if (!rc && is_recovered)
		rc = forget_stale(env, err);
	if (!rc)
		atomic_store(&page->recovering, 0);
	if (rc || !env->can_write || s->flags & PAKHUS_READONLY)
		return rc;
	pk_journal_cursor(&env->journal, &c);
	if (c.seq == env->checkpoint.size)
		return 0;
	rc = pk_integrate(s, &e);
	/* the disk is full, or worse; but what is durable can be read */
	if (rc == PAKHUS_ESYS)
		pk_notice(s, "not in the mirrored tree yet: %s", e.text);
	else if (rc && err)
		*err = e;
	return rc == PAKHUS_ESYS ? 0 : rc;
}

/* Others are in the store and have recovered it. */
static int join(struct pakhus *s, struct pakhus_error *err)
{
	struct pk_env *env = s->env;

	if (s->flags & PAKHUS_REBUILD)
		return pk_fail(err, PAKHUS_EBUSY,
			       "the index can be made anew only while nobody "
			       "else has the store open");
	if (env->journal.page->pid_namespace != pid_namespace())
		return pk_fail(err, PAKHUS_EBUSY,
			       "the store is in use from another PID "
			       "namespace (container), which LMDB's locks "
			       "cannot see");
	return pk_index_open(&env->index, env->dir, err);
}

/* Presence, with recovery where we come first (7). */
static int enter(struct pakhus *s, struct pakhus_error *err)
{
	struct pk_env *env = s->env;

	for (;;) {
		int rc = pk_presence_try(&env->locks, err);

		if (rc < 0)
			return rc;
		if (rc) {
			rc = recover(s, err);
			return rc ? rc : pk_presence_share(&env->locks, err);
		}
		rc = pk_presence_share(&env->locks, err);
		if (!rc)
			rc = pk_journal_open(&env->journal, env->dir, err);
		if (rc)
			return rc;
		if (is_ours(env) &&
		    !atomic_load(&env->journal.page->recovering))
			return join(s, err);
		/* whoever was alone failed or was killed; out, as of two who
		 * wait here none could ever be alone */
		pk_journal_release(&env->journal);
		pk_presence_leave(&env->locks);
		usleep(1000);
	}
}

int pk_mend(struct pakhus *s, int rc, struct pakhus_error *err)
{
	struct pk_env *env = s->env;
	int mended = 0;

	if (rc != PAKHUS_ECORRUPT || env->pid != getpid() || !env->has_local ||
	    (env->index && !pk_index_is_bad(env->index)))
		return 0;
	pthread_rwlock_wrlock(&env->use);
	if (env->index && !pk_index_is_bad(env->index)) {
		mended = 1; /* by another thread meanwhile */
	} else if (pk_presence_try(&env->locks, NULL) == 1) {
		struct pakhus_error e = { .status = 0 };

		/* whatever it was that was damaged, it is dropped */
		atomic_store(&env->journal.page->recovering, 1);
		if (!pk_log_checkpoint(env->dir, env->format.origin,
				       &env->keys, &env->checkpoint, &e) &&
		    !make_index(s, 1, &e))
			mended = 1;
		else if (env->index)
			pk_index_distrust(env->index); /* half made */
		atomic_store(&env->journal.page->recovering, 0);
		pk_presence_share(&env->locks, NULL);
	}
	pthread_rwlock_unlock(&env->use);
	if (mended)
		pk_error_init(err);
	return mended;
}

/* ---- fork ---- */

static void before_fork(void)
{
	pthread_mutex_lock(&fork_lock);
}

static void after_fork(void)
{
	pthread_mutex_unlock(&fork_lock);
}

/* A child that neither execs nor ends would keep the locks of a parent that
 * is killed: it closes its descriptors of the lock files, which takes no lock
 * from the parent. envs_lock may have been held by a thread that the child
 * does not have. */
static void after_fork_in_child(void)
{
	static const pthread_mutex_t fresh = PTHREAD_MUTEX_INITIALIZER;

	for (struct pk_env *env = envs; env; env = env->next) {
		pk_auto_close(&env->locks.fd);
		env->locks.fd = -1;
		env->pid = 0;
	}
	envs = NULL;
	envs_lock = fresh;
	pthread_mutex_unlock(&fork_lock);
}

/* envs_lock is held. */
static int watch_forks(struct pakhus_error *err)
{
	static int is_done;

	if (!is_done &&
	    pthread_atfork(before_fork, after_fork, after_fork_in_child))
		return pk_fail_nomem(err);
	is_done = 1;
	return 0;
}

static void env_link(struct pk_env *env)
{
	pthread_mutex_lock(&fork_lock);
	env->next = envs;
	envs = env;
	pthread_mutex_unlock(&fork_lock);
}

static int open_lock_file(struct pk_env *env)
{
	int why;

	pthread_mutex_lock(&fork_lock);
	env->locks.fd = openat(env->dir, "local/lock",
			       O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	why = errno;
	pthread_mutex_unlock(&fork_lock);
	errno = why;
	return env->locks.fd;
}

static void env_unlink(struct pk_env *env)
{
	struct pk_env **at;

	pthread_mutex_lock(&fork_lock);
	for (at = &envs; *at != env; at = &(*at)->next)
		;
	*at = env->next;
	pk_auto_close(&env->locks.fd);
	pthread_mutex_unlock(&fork_lock);
}

/* ---- environments ---- */

static int load_signer(struct pk_env *env, struct pakhus_error *err)
{
	AUTO_FREE char *text = NULL;
	size_t size;
	int rc = pk_read_file(env->dir, "local/key", PK_SKEY_SIZE + 1, &text,
			      &size, err);

	if (rc)
		return rc;
	if (size && text[size - 1] == '\n')
		size--;
	rc = pk_signer_decode(text, size, &env->signer, err);
	if (rc)
		return rc;
	for (size_t i = 0; i < env->keys.n; i++)
		if (!memcmp(env->keys.key[i].id, env->signer.public.id, 4))
			return 0;
	return pk_fail(err, PAKHUS_ECORRUPT,
		       "local/key: F-36 its public half is not in keys/");
}

/* Finds out whether this is where the store is written. */
static int find_out(struct pk_env *env, struct pakhus_error *err)
{
	struct pakhus_error e = { .status = 0 };
	int rc = load_signer(env, &e);

	if (rc == PAKHUS_ENOTFOUND) {
		snprintf(env->why_not, sizeof(env->why_not),
			 "this copy of the store has no private key; publish "
			 "where it was made");
		return 0;
	}
	if (rc == PAKHUS_EDENIED) {
		snprintf(env->why_not, sizeof(env->why_not),
			 "the private key cannot be read: %.120s", e.text);
		return 0;
	}
	if (rc)
		return pk_fail(err, rc, "%s", e.text);
	rc = pk_home_is_here(env->dir, err);
	if (rc < 0)
		return rc;
	env->can_write = rc;
	if (!rc)
		snprintf(env->why_not, sizeof(env->why_not),
			 "this is a copy of a store, and is written only after "
			 "it was adopted as the only one that is");
	return 0;
}

/* local/ of a copy that came without one. */
static void make_local(int dir)
{
	if (!mkdirat(dir, "local", 0700)) {
		pk_mkdir(dir, PK_STAGE, 0700, NULL);
		pk_mkdir(dir, "local/trash", 0700, NULL);
	}
}

static int open_memory(struct pakhus *s, int why, struct pakhus_error *err)
{
	struct pk_env *env = s->env;
	int rc;

	errno = why == ENOENT ? EACCES : why;
	if (s->flags & PAKHUS_REBUILD)
		return pk_fail_sys(err, "the index cannot be made anew here: "
					"local/lock");
	errno = why;
	snprintf(env->why_not, sizeof(env->why_not),
		 "the store can only be read here: local/lock: %.100s",
		 strerror(why));
	rc = pk_index_open(&env->index, -1, err);
	if (!rc)
		rc = adopt_index(env, env->index, err);
	return rc ? rc : pk_replay(s, env->index, &env->checkpoint, err);
}

static int open_local(struct pakhus *s, struct pakhus_error *err)
{
	struct pk_env *env = s->env;
	int fd, rc;

	make_local(env->dir);
	fd = open_lock_file(env);
	if (fd < 0 && (errno == EACCES || errno == EROFS || errno == EPERM ||
		       errno == ENOENT || errno == ENOTDIR))
		return open_memory(s, errno, err);
	if (fd < 0)
		return pk_fail_sys(err, "local/lock");
	pk_locks_init(&env->locks);
	env->has_local = 1;
	rc = find_out(env, err);
	if (!rc)
		rc = pk_boot_id(env->boot, err);
	return rc ? rc : enter(s, err);
}

static void env_free(struct pk_env *env)
{
	pk_index_close(env->index);
	if (env->has_local) {
		pk_journal_release(&env->journal);
		/* said, as a child after fork may have the file open too */
		pk_presence_leave(&env->locks);
		pk_locks_release(&env->locks);
	}
	env_unlink(env);
	pthread_rwlock_destroy(&env->use);
	explicit_bzero(&env->signer, sizeof(env->signer));
	pk_auto_close(&env->dir);
	free(env);
}

static int read_format(struct pk_env *env, const char *path,
		       struct pakhus_error *err)
{
	struct pakhus_error e = { .status = 0 };
	AUTO_FREE char *text = NULL;
	const char *fault;
	size_t size;
	int rc = pk_read_file(env->dir, "FORMAT", PK_FORMAT_SIZE, &text, &size,
			      &e);

	if (rc == PAKHUS_ENOTFOUND)
		return pk_fail(err, rc, "%s: not a pakhus store (it has no "
					"file FORMAT)", path);
	if (rc)
		return pk_fail(err, rc, "%s/%s", path, e.text);
	fault = pk_format_decode(text, size, &env->format);
	if (fault == pk_format_newer)
		return pk_fail(err, PAKHUS_EVERSION,
			       "%s/FORMAT: F-42 a later pakhus is needed: it "
			       "begins with \"%.*s\"", path,
			       (int)strcspn(text, "\n"), text);
	if (fault)
		return pk_fail(err, PAKHUS_ECORRUPT, "%s/FORMAT: %s", path,
			       fault);
	return 0;
}

static int env_open(struct pakhus *s, int dir, const struct stat *st,
		    const char *path, struct pakhus_error *err)
{
	struct pk_env *env = calloc(1, sizeof(*env));
	int rc;

	if (!env) {
		close(dir);
		return pk_fail_nomem(err);
	}
	env->dir = dir;
	env->device = st->st_dev;
	env->inode = st->st_ino;
	env->pid = getpid();
	env->refs = 1;
	env->locks.fd = -1;
	env->journal.fd[0] = env->journal.fd[1] = -1;
	env_link(env);
	pthread_rwlock_init(&env->use, NULL);
	s->env = env;
	rc = read_format(env, path, err);
	if (!rc)
		rc = pk_log_keys(dir, &env->keys, err);
	if (!rc)
		rc = pk_log_checkpoint_here(dir, env->format.origin,
					    &env->keys, &env->checkpoint, err);
	if (!rc)
		rc = open_local(s, err);
	if (rc) {
		s->env = NULL;
		env_free(env);
	}
	return rc;
}

/* ---- handles ---- */

static int open_dir(const char *path, unsigned flags, int *dir,
		    struct pakhus_error *err)
{
	struct pakhus_error e = { .status = 0 };
	int create = flags & PAKHUS_CREATE && !(flags & PAKHUS_READONLY);
	int rc = create ? pk_init_at(path, NULL, 1, &e) : 0;

	*dir = -1;
	/* where it cannot be made it may be there all the same */
	if (!rc || rc == PAKHUS_EDENIED)
		*dir = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (*dir >= 0 && rc && faccessat(*dir, "FORMAT", F_OK, 0))
		pk_auto_close(dir);
	else if (*dir >= 0)
		return 0;
	if (rc)
		return pk_fail(err, rc, "%s", e.text);
	if (errno == ENOENT)
		return pk_fail(err, PAKHUS_ENOTFOUND, "%s: no store there",
			       path);
	return pk_fail_sys(err, "the store %s", path);
}

static int attach(struct pakhus *s, const char *path, struct pakhus_error *err)
{
	struct pk_env *env;
	struct stat st;
	int dir, rc = watch_forks(err);

	if (!rc)
		rc = open_dir(path, s->flags, &dir, err);
	if (rc)
		return rc;
	if (fstat(dir, &st)) {
		close(dir);
		return pk_fail_sys(err, "%s", path);
	}
	for (env = envs; env; env = env->next)
		if (env->device == st.st_dev && env->inode == st.st_ino &&
		    env->pid == getpid())
			break;
	if (!env)
		return env_open(s, dir, &st, path, err);
	close(dir);
	if (s->flags & PAKHUS_REBUILD)
		return pk_fail(err, PAKHUS_EBUSY,
			       "the index can be made anew only while nobody "
			       "else has the store open");
	env->refs++;
	s->env = env;
	return 0;
}

int pakhus_open(struct pakhus **out, const char *path,
		const struct pakhus_options *opt, struct pakhus_error *err)
{
	static const struct pakhus_options none;
	struct pakhus *s;
	int rc;

	pk_error_init(err);
	if (!opt)
		opt = &none;
	if (opt->level < 0 || opt->level > 19)
		return pk_fail(err, PAKHUS_EINVAL,
			       "the level must be 1 to 19, not %d", opt->level);
	s = calloc(1, sizeof(*s));
	if (!s)
		return pk_fail_nomem(err);
	s->flags = opt->flags;
	s->level = opt->level ? opt->level : 12;
	s->threads = opt->threads;
	s->max_document = opt->max_document;
	s->progress = opt->progress;
	s->notice = opt->notice;
	s->arg = opt->arg;
	s->cache = pk_cache_new(opt->cache_size ? opt->cache_size : CACHE_SIZE);
	if (!s->cache) {
		free(s);
		return pk_fail_nomem(err);
	}
	pthread_mutex_lock(&envs_lock);
	rc = attach(s, path, err);
	pthread_mutex_unlock(&envs_lock);
	if (rc) {
		/* recovery may have read */
		pk_kept_release(&s->kept);
		pk_cache_free(s->cache);
		free(s);
		return rc;
	}
	*out = s;
	return 0;
}

/* The last one out gives back room, and says that the index may be believed
 * after a reboot. */
static void leave_clean(struct pk_env *env)
{
	struct pk_stamp st;
	uint64_t applied;

	if (!env->has_local || !env->index ||
	    pk_presence_try(&env->locks, NULL) != 1 ||
	    pk_mark_read(env->dir, pk_index_inode(env->index), &applied) !=
		    PK_MARK_IN_USE)
		return;
	pk_journal_shrink(&env->journal);
	if (!pk_index_sync(env->index, NULL) &&
	    !read_stamp(env->index, &st, NULL))
		pk_mark_clean(env->dir, st.inode, st.applied, NULL);
}

static int integrate(struct pakhus *s, struct pakhus_error *err)
{
	int rc;

	pthread_rwlock_rdlock(&s->env->use);
	rc = pk_integrate(s, err);
	pthread_rwlock_unlock(&s->env->use);
	return rc;
}

void pakhus_close(struct pakhus *s)
{
	struct pk_env *env;

	if (!s)
		return;
	env = s->env;
	if (env->pid == getpid()) {
		if (atomic_load(&s->wrote))
			integrate(s, NULL);
		pthread_mutex_lock(&envs_lock);
		if (!--env->refs) {
			leave_clean(env);
			env_free(env);
		}
		pthread_mutex_unlock(&envs_lock);
	}
	pk_cache_free(s->cache);
	pk_kept_release(&s->kept);
	free(s);
}

int pakhus_sync(struct pakhus *s, struct pakhus_error *err)
{
	int rc = pk_enter_write(s, err);

	return rc ? rc : integrate(s, err);
}

/* ---- what needs no store ---- */

const char *pakhus_version(void)
{
	return PAKHUS_VERSION;
}

const char *pakhus_strstatus(int status)
{
	static const char *const text[] = {
		"done", "not found", "invalid", "conflict", "damaged",
		"a later version is needed", "beyond a limit", "busy",
		"denied", "out of memory", "system error", "outcome unknown",
		"cancelled",
	};

	return status <= 0 && status >= PAKHUS_ECANCELED ? text[-status]
							 : "unknown status";
}

void pakhus_free(void *text)
{
	free(text);
}
