/* store.h - an open store: what its parts are, and how calls use them.
 *
 * An environment is one store in one process, shared by its handles. Its
 * parts know nothing of each other; the files below join them:
 *
 *	store.c      opening, closing; the invariants, numbered
 *	recover.c    coming in and leaving; recovery by whoever is alone
 *	init.c       making a store
 *	replay.c     the index from the log
 *	commit.c     appending to the journal, the sync, applying
 *	integrate.c  from the journal into objects and log
 *	base.c       which bases a text is encoded against (base.h)
 *	collect.c    what nothing live needs, out of the tree
 *	view.c       a consistent view for a reading call
 *	keys.c       the key in force, and the private one that signs
 *	purge.c      carrying out what purges say (purge.h)
 */
#ifndef PK_STORE_H
#define PK_STORE_H

#include "auto.h"
#include "cache.h"
#include "index.h"
#include "journal.h"
#include "lock.h"
#include "log.h"
#include "object.h"

#include <stdatomic.h>

struct pk_env {
	struct pk_env *next; /* of the process's list, under its lock */
	unsigned refs;
	uint64_t device, inode;
	pid_t pid; /* who may use it: not a child after fork */
	int dir;   /* the store's directory */
	struct pk_format format;
	pthread_mutex_t keys_lock; /* of keys and signer; innermost */
	struct pk_keys keys;	   /* what was in keys/; only grows */

	int has_local; /* 0: state in memory, as of the checkpoint */
	int can_write;
	char why_not[240];
	struct pk_signer signer; /* where can_write */
	atomic_int is_signer_checked; /* before the first write */
	struct pk_locks locks;	 /* where has_local, like the journal */
	struct pk_journal journal;
	unsigned char boot[PK_BOOT_SIZE]; /* likewise */

	/* Who uses the index holds use shared; who replaces it, or a
	 * memory index that catches up, exclusively. Outermost of locks. */
	pthread_rwlock_t use;
	struct pk_index *index;
	struct pk_checkpoint checkpoint; /* memory: what the index is as of */

	/* Where applying goes on in the journal, under the commit lock. */
	unsigned char at_generation[PK_GENERATION_SIZE];
	uint64_t at_offset, at_seq;
};

struct pakhus {
	struct pk_env *env;
	struct pk_cache *cache;
	struct pk_kept kept;
	int level;
	unsigned threads;
	size_t max_document;
	unsigned flags;
	pakhus_progress_fn *progress;
	pakhus_notice_fn *notice;
	void *arg;
	atomic_int wrote;
};

/* ---- store.c ---- */

/* First in every public call: empties err, and says whether the handle may
 * be used in this process. */
int pk_enter(struct pakhus *s, struct pakhus_error *err);
/* The same, and whether it may be written. */
int pk_enter_write(struct pakhus *s, struct pakhus_error *err);
/* Takes presence exclusively for a handle's life, and keeps this process from
 * writing through another: 1, 0 where others have the store open, or a
 * failure. why is told to who tries. */
int pk_alone(struct pakhus *s, const char *why, struct pakhus_error *err);
/* Whether a label, or NULL, can stand in an entry (F-21). */
int pk_check_by(const char *by, struct pakhus_error *err);
void pk_notice(struct pakhus *s, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));
int pk_progress(struct pakhus *s, const char *what, uint64_t done,
		uint64_t total, struct pakhus_error *err);

/* ---- recover.c ---- */

/* Presence, with recovery where we come first (7). */
int pk_come_in(struct pakhus *s, struct pakhus_error *err);
/* The last one out gives back room, and says that the index may be believed
 * after a reboot. */
void pk_leave_clean(struct pk_env *env);
/* Stamps a new index as this store's, so that replay can begin. */
int pk_adopt_index(struct pk_env *env, struct pk_index *ix,
		   struct pakhus_error *err);
/* After a call that failed: where the index was damaged and nobody else is
 * in the store, makes it anew, and gives 1: call again. */
int pk_mend(struct pakhus *s, int rc, struct pakhus_error *err);
/* Holds env->use shared, with the index open that is in use: another one may
 * have taken its place (purge.c). Who holds it goes on with the index that
 * was; only what is written to it has to be to the one in use. */
int pk_use(struct pk_env *env, struct pakhus_error *err);
int pk_is_current(const struct pk_env *env);
/* A status of our own, that pk_mend() takes for a reason to call again. */
#define PK_REPLACED (-100)
int pk_fail_replaced(struct pakhus_error *err);

/* ---- keys.c ---- */

#define PK_KEY_NEXT "local/key-next" /* while a rotation is under way */

int pk_keys_read(struct pk_env *env, struct pakhus_error *err);
/* Reads log/checkpoint, signed by any of keys/: that it was the one in force
 * is for pk_keys_check(), once the log was read. is_here: without the
 * arithmetic where this host signed it. The note is the caller's to free. */
int pk_keys_checkpoint(struct pk_env *env, int is_here,
		       struct pk_checkpoint *out, struct pakhus_error *err);
int pk_keys_note(struct pk_env *env, int is_here, struct pk_checkpoint *out,
		 char **note, size_t *size, struct pakhus_error *err);
/* Whether a checkpoint that these read was signed by a key (F-38). */
int pk_keys_check(struct pk_env *env, const struct pk_checkpoint *c,
		  const unsigned char key[PK_PUBLIC_SIZE],
		  struct pakhus_error *err);
/* A key with its name and id, from keys/. */
int pk_keys_find(struct pk_env *env, const unsigned char key[PK_PUBLIC_SIZE],
		 struct pk_vkey *out, struct pakhus_error *err);
/* Sees to it that env->signer is the private key of the one in force, and
 * copies it to out, unless that is NULL; ends a rotation that was not ended.
 * Presence exclusively, or the integrate lock. */
int pk_keys_settle(struct pk_env *env, const unsigned char key[PK_PUBLIC_SIZE],
		   struct pk_signer *out, struct pakhus_error *err);
int pk_keys_load(int dir, const char *path, struct pk_signer *s,
		 struct pakhus_error *err);
/* A private key that a user gave, with its public half. origin NULL: of any
 * name. PAKHUS_EINVAL says what it is not, without telling any of it. */
int pk_keys_import(const char *text, const char *origin, struct pk_signer *s,
		   struct pakhus_error *err);
int pk_keys_signer_check(struct pk_env *env, struct pakhus_error *err);

/* ---- checkpoint.c ---- */

/* The installed checkpoint and its note, signed by the key in force; free
 * the note. Opens a view. */
int pk_checkpoint_note(struct pakhus *s, struct pk_checkpoint *c, char **text,
		       size_t *size, struct pakhus_error *err);
/* The same with the view, which is at it or later. */
struct pk_view;
int pk_checkpoint_view(struct pk_view *v, struct pakhus *s,
		       struct pk_checkpoint *c, char **text, size_t *size,
		       struct pakhus_error *err);

/* ---- keylist.c ---- */

void pk_key_fill(struct pakhus_key *out, const struct pk_vkey *k, uint64_t seq,
		 const struct pk_entry *e);

/* ---- init.c ---- */

int pk_init_at(const char *path, const struct pakhus_init_options *opt,
	       int may_exist, struct pakhus_error *err);
/* The directories that a store has from the beginning. */
int pk_init_dirs(int dir, struct pakhus_error *err);
/* Syncs the name of the store itself, where that can be done. */
int pk_init_sync_parent(int dir, struct pakhus_error *err);
/* Notes in local/home which inode local/ has; whether it is still so. */
int pk_home_write(int dir, struct pakhus_error *err);
int pk_home_is_here(int dir, struct pakhus_error *err);

/* ---- replay.c ---- */

/* Applies the log up to the checkpoint to the index, from where it is. What
 * is applied was held against the checkpoint's root before. */
int pk_replay(struct pakhus *s, struct pk_index *ix,
	      const struct pk_checkpoint *to, struct pakhus_error *err);

/* One entry of a log, applied to the index, or where there is a gather,
 * which is written later, put into that. */
struct pk_gather;
int pk_replay_entry(struct pk_txn *txn, struct pk_gather *gather, uint64_t seq,
		    const struct pk_entry *e, struct pakhus_error *err);

/* ---- mirror.c ---- */

/* Lets readers see what the log has and the journal never had: after a sync
 * of a mirror, and where one ended before it did that. The integrate lock is
 * held, and to is installed. */
int pk_show_log(struct pakhus *s, const struct pk_checkpoint *to,
		struct pakhus_error *err);

/* ---- commit.c ---- */

/* Makes entries durable and visible up to a position. */
int pk_commit(struct pakhus *s, uint64_t upto, struct pakhus_error *err);
/* Applies to an index what a sync covered, up to a position. For the
 * store's own the commit lock is held, or presence exclusively. */
int pk_apply_journal(struct pakhus *s, struct pk_index *ix, uint64_t upto,
		     struct pakhus_error *err);

/* A record in the making: entries, and the texts they bring, in order. */
struct pk_draft {
	struct pk_entry *entry;
	struct pk_shared **text; /* of those that have one, by entry */
	size_t n, cap;
	uint64_t size; /* of the payload, if every text is new */
	int is_appended;
	int is_integrating; /* its writer holds the integrate lock */
};
int pk_draft_add(struct pk_draft *d, const struct pk_entry *e,
		 struct pk_shared *text, struct pakhus_error *err);
void pk_draft_clear(struct pk_draft *d); /* keeps the memory */
void pk_draft_release(struct pk_draft *d);

/* Is asked under the append lock, with everything appended applied to the
 * index, whether the draft may be appended; may change it. */
struct pk_view;
typedef int pk_draft_fn(void *arg, struct pk_view *v, struct pk_draft *d,
			struct pakhus_error *err);
/* Appends and commits; where check leaves no entries nothing is done.
 * *first is the position of the first entry. Mends the index, if it must. */
int pk_write(struct pakhus *s, struct pk_draft *d, pk_draft_fn *check,
	     void *arg, uint64_t *first, struct pakhus_error *err);

/* The same for who holds env->use and the integrate lock; mends nothing. */
int pk_write_held(struct pakhus *s, struct pk_draft *d, uint64_t *first,
		  struct pakhus_error *err);

/* ---- integrate.c ---- */

/* Moves a sealed slot into the tree; the integrate lock is held. */
int pk_integrate_sealed(struct pakhus *s, struct pakhus_error *err);
/* Moves everything, and carries out what purges say; takes the locks. */
int pk_integrate(struct pakhus *s, struct pakhus_error *err);
/* The first of it for who holds the integrate lock; at, a view that is not begun or
 * NULL, is then of exactly what the new checkpoint covers. */
struct pk_view;
int pk_integrate_held(struct pakhus *s, struct pk_view *at,
		      struct pakhus_error *err);
/* Makes room for a record of span bytes in the active slot. */
int pk_make_room(struct pakhus *s, uint64_t span, struct pakhus_error *err);
int pk_make_room_held(struct pakhus *s, uint64_t span,
		      struct pakhus_error *err);
/* What was signed last here, by local/last-signed. */
int pk_last_signed(struct pk_env *env, struct pk_checkpoint *last,
		   struct pakhus_error *err);
/* Makes a note the checkpoint: noted in local/last-signed before (5). */
int pk_install_signed(struct pk_env *env, const char *note, size_t size,
		      struct pakhus_error *err);
/* Writes the long text of an entry as a whole object, durably, before it;
 * PAKHUS_ECONFLICT where it was purged. env->use is held. */
int pk_write_whole(struct pakhus *s, const struct pk_entry *e,
		   const struct pk_shared *text, struct pakhus_error *err);

/* ---- view.c ---- */

struct pk_view {
	struct pakhus *store; /* NULL when closed */
	struct pk_txn txn;
};
#define PK_VIEW AUTO(pk_view_close) struct pk_view
#define PK_VIEW_INIT { .store = NULL }
int pk_view_open(struct pk_view *v, struct pakhus *s, struct pakhus_error *err);
/* The same for who holds env->use already. */
int pk_view_begin(struct pk_view *v, struct pakhus *s,
		  struct pakhus_error *err);
/* The same, but waits for nobody and reads no file: PAKHUS_EBUSY. */
int pk_view_try(struct pk_view *v, struct pakhus *s, struct pakhus_error *err);
void pk_view_close(struct pk_view *v);
/* The text of a hash, from journal or object. PAKHUS_ENOTFOUND where there
 * is none. */
int pk_text(struct pk_view *v, const unsigned char hash[PK_HASH_SIZE],
	    struct pk_shared **out, struct pakhus_error *err);
/* Whether a new view would know more. */
int pk_has_moved(struct pk_view *v);
/* The log entries from..to-1, which lie below the view's position. */
int pk_entries(struct pk_view *v, uint64_t from, uint64_t to, pk_log_fn *fn,
	       void *arg, struct pakhus_error *err);
int pk_entry_at(struct pk_view *v, uint64_t seq, struct pk_entry *out,
		struct pakhus_error *err);
int pk_fail_no_entry(const struct pk_view *v, uint64_t seq,
		     struct pakhus_error *err);
/* A record from the index's row. */
void pk_record_fill(struct pakhus_record *r, const char *id,
		    const char *version, const struct pk_live *live);
/* A log entry for who asks for one; *out was zero. */
void pk_entry_fill(struct pakhus_entry *out, uint64_t seq,
		   const struct pk_entry *e);
void pk_time_text(uint64_t us, char out[20]);
/* The clock, as far as an entry can hold it (F-22): 1970 where it goes
 * before, the year 2255 where it goes beyond. */
#define PK_TIME_MAX ((UINT64_C(1) << 53) - 1)
uint64_t pk_now(void);

#endif
