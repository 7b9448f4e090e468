/* recover.c - coming into a store, alone or beside others, and leaving it.
 *
 * Whoever is alone recovers: the journal's page from its slots, the index
 * from log and journal. Numbers in parentheses are invariants of store.c.
 */
#include "store.h"
#include "io.h"
#include "mark.h"
#include "purge.h"

#include <stdio.h>
#include <sys/stat.h>

#define PAGE_MAGIC "pkpage1"

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

int pk_adopt_index(struct pk_env *env, struct pk_index *ix,
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
	if (rc)
		return rc;
	atomic_store(&env->journal.page->index, pk_index_inode(env->index));
	return pk_adopt_index(env, env->index, err);
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

		/* alone: it is the one in use, also where the page is new */
		atomic_store(&env->journal.page->index,
			     pk_index_inode(env->index));
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

static uint64_t pid_namespace(void)
{
	struct stat st;

	return stat("/proc/self/ns/pid", &st) ? 0 : st.st_ino;
}

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
	atomic_store(&p->purge, 0);
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

/* Ends a rotation that was not ended; and where the private key is one that
 * was in force before, as in an old copy of local/, nothing is to become
 * durable that could not be signed. */
static int settle_key(struct pk_env *env, struct pakhus_error *err)
{
	struct pakhus_error e = { .status = 0 };
	struct pk_stamp st;
	int rc = read_stamp(env->index, &st, err);

	if (rc)
		return rc;
	rc = pk_keys_settle(env, pk_stamp_key(&st, env->checkpoint.size), NULL,
			    &e);
	if (rc == PAKHUS_EDENIED) {
		env->can_write = 0;
		snprintf(env->why_not, sizeof(env->why_not), "%.230s", e.text);
		return 0;
	}
	return rc ? pk_fail(err, rc, "%s", e.text) : 0;
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
	rc = pk_keys_checkpoint(env, 1, &env->checkpoint, err);
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
	if (!rc && env->can_write && !(s->flags & PAKHUS_READONLY))
		rc = settle_key(env, err);
	if (!rc)
		atomic_store(&page->recovering, 0);
	if (rc || !env->can_write || s->flags & PAKHUS_READONLY)
		return rc;
	pk_journal_cursor(&env->journal, &c);
	if (c.seq == env->checkpoint.size) {
		rc = pk_purge_is_due(s, err);
		if (rc <= 0)
			return rc;
	}
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

int pk_come_in(struct pakhus *s, struct pakhus_error *err)
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

/* ---- the index, when another one has taken its place ---- */

int pk_is_current(const struct pk_env *env)
{
	return !env->has_local || !env->index ||
	       pk_index_inode(env->index) ==
		       atomic_load(&env->journal.page->index);
}

int pk_fail_replaced(struct pakhus_error *err)
{
	return pk_fail(err, PK_REPLACED,
		       "index: another one has taken its place");
}

/* env->use is held exclusively. In the moment between two that are put in
 * place there is none, so that is tried again. */
static int reopen(struct pk_env *env, struct pakhus_error *err)
{
	for (int tries = 0; !pk_is_current(env); tries++) {
		struct pk_index *ix;
		int rc;

		if (tries == 100) {
			pk_index_distrust(env->index);
			return pk_fail(err, PAKHUS_ECORRUPT,
				       "index: the one in use is not there");
		}
		if (tries)
			usleep(1000);
		if (pk_index_find(env->dir) !=
		    atomic_load(&env->journal.page->index))
			continue;
		rc = pk_index_open(&ix, env->dir, err);
		if (rc)
			return rc;
		pk_index_close(env->index);
		env->index = ix;
	}
	return 0;
}

int pk_use(struct pk_env *env, struct pakhus_error *err)
{
	for (;;) {
		int rc;

		pthread_rwlock_rdlock(&env->use);
		if (pk_is_current(env))
			return 0;
		pthread_rwlock_unlock(&env->use);
		pthread_rwlock_wrlock(&env->use);
		rc = reopen(env, err);
		pthread_rwlock_unlock(&env->use);
		if (rc)
			return rc;
	}
}

/* ---- mending, leaving ---- */

int pk_mend(struct pakhus *s, int rc, struct pakhus_error *err)
{
	struct pk_env *env = s->env;
	int mended = 0;

	if (rc == PK_REPLACED && !pk_use(env, NULL)) {
		pthread_rwlock_unlock(&env->use);
		pk_error_init(err);
		return 1;
	}
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
		if (!pk_keys_checkpoint(env, 0, &env->checkpoint, &e) &&
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

void pk_leave_clean(struct pk_env *env)
{
	struct pk_stamp st;
	uint64_t applied;

	if (!env->has_local || !env->index ||
	    pk_presence_try(&env->locks, NULL) != 1 || reopen(env, NULL) ||
	    pk_mark_read(env->dir, pk_index_inode(env->index), &applied) !=
		    PK_MARK_IN_USE)
		return;
	pk_journal_shrink(&env->journal);
	if (!pk_index_sync(env->index, NULL) &&
	    !read_stamp(env->index, &st, NULL))
		pk_mark_clean(env->dir, st.inode, st.applied, NULL);
}
