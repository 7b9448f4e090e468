/* store.c - opening and closing a store.
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
#include "tmpfile.h"
#include "utf8.h"

#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/stat.h>

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
		rc = pk_keys_signer_check(s->env, err);
		atomic_store(&s->env->is_signer_checked, !rc);
	}
	return rc;
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

static int has_public(const struct pk_env *env)
{
	for (size_t i = 0; i < env->keys.n; i++)
		if (!memcmp(env->keys.key[i].id, env->signer.public.id, 4))
			return 1;
	return 0;
}

static int load_signer(struct pk_env *env, struct pakhus_error *err)
{
	int rc = pk_keys_load(env->dir, "local/key", &env->signer, err);

	if (rc || has_public(env))
		return rc;
	/* another process may have rotated since they were read */
	rc = pk_keys_read(env, err);
	if (rc || has_public(env))
		return rc;
	return pk_fail(err, PAKHUS_ECORRUPT,
		       "local/key: F-36 its public half is not in keys/");
}

static void say_mirror(struct pk_env *env)
{
	AUTO_FREE char *of = NULL;
	size_t size;

	if (!pk_read_file(env->dir, "local/mirror-of", PK_NOTE_MAX, &of, &size,
			  NULL))
		snprintf(env->why_not, sizeof(env->why_not),
			 "this is a mirror of %.*s; publish there",
			 size < 180 ? (int)strcspn(of, "\n") : 180, of);
	else
		snprintf(env->why_not, sizeof(env->why_not),
			 "this copy of the store has no private key; publish "
			 "where it was made");
}

/* Finds out whether this is where the store is written. */
static int find_out(struct pk_env *env, struct pakhus_error *err)
{
	struct pakhus_error e = { .status = 0 };
	int rc = load_signer(env, &e);

	if (rc == PAKHUS_ENOTFOUND) {
		say_mirror(env);
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
		rc = pk_adopt_index(env, env->index, err);
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
	return rc ? rc : pk_come_in(s, err);
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
	pthread_mutex_destroy(&env->keys_lock);
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
	pthread_mutex_init(&env->keys_lock, NULL);
	s->env = env;
	rc = read_format(env, path, err);
	if (!rc)
		rc = pk_keys_read(env, err);
	if (!rc)
		rc = pk_keys_checkpoint(env, 1, &env->checkpoint, err);
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

int pk_alone(struct pakhus *s, const char *why, struct pakhus_error *err)
{
	struct pk_env *env = s->env;
	int rc = 0;

	pthread_mutex_lock(&envs_lock);
	if (env->refs == 1)
		rc = pk_presence_try(&env->locks, err);
	if (rc == 1) {
		env->can_write = 0; /* to who comes in by this process */
		snprintf(env->why_not, sizeof(env->why_not), "%s", why);
	}
	pthread_mutex_unlock(&envs_lock);
	return rc;
}

static int integrate(struct pakhus *s, struct pakhus_error *err)
{
	int rc;

	do {
		rc = pk_use(s->env, err);
		if (rc)
			return rc;
		rc = pk_integrate(s, err);
		pthread_rwlock_unlock(&s->env->use);
	} while (pk_mend(s, rc, err));
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
			pk_leave_clean(env);
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
		"cancelled", "network error", "changed meanwhile",
	};

	return status <= 0 && status >= PAKHUS_ESTALE ? text[-status]
							 : "unknown status";
}

void pakhus_free(void *text)
{
	free(text);
}
