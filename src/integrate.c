/* integrate.c - from a sealed slot into the tree that mirrors see.
 *
 *  1. stage every text that is no object yet: choose a base, encode, write
 *  2. sync what was staged, rename it into objects/, sync the directories,
 *     also of objects that were there already
 *  3. write bundles and tiles, full and partial, and sync their directories
 *  4. note in local/last-signed what is about to be signed, synced
 *  5. install log/checkpoint, sync log/
 *  6. let the index point at the objects
 *  7. free the slot
 *
 * A slot with a key entry (F-67) is signed at its end by the key that it
 * brings. Before that, 4 is done for the tree that ends in the entry, signed
 * by both keys, and the note is kept in keys/, synced (F-68). After 5 the
 * new private key takes the place of the old one.
 *
 * Killed anywhere, the next holder of the lock does it again from 1 with
 * the same result: names are hashes and positions, contents follow from the
 * slot. An object that was staged at another level or base is another
 * encoding of the same text.
 */
#include "logwrite.h"
#include "store.h"
#include "base.h"
#include "crew.h"
#include "io.h"
#include "place.h"
#include "purge.h"
#include "set.h"
#include "tmpfile.h"
#include "trust.h"
#include "zst.h"

#include <stdio.h>

struct job {
	struct pakhus *store;
	struct pk_txn txn;
	struct pk_cursor cursor;
	unsigned char (*staged)[PK_HASH_SIZE]; /* to be placed, in order */
	size_t n, cap;
	struct pk_set seen; /* the same */
	struct pk_set complete; /* of the choice of bases */
	unsigned char touched[256]; /* directories of objects to be synced */
	struct pk_crew crew;	    /* that encodes */
	struct pakhus_error *err;
};

static void job_release(struct job *j)
{
	pk_txn_end(&j->txn);
	free(j->staged);
	pk_set_release(&j->seen);
	pk_set_release(&j->complete);
}

typedef int job_fn(struct job *j, uint64_t seq, struct pk_bytes line,
		   const struct pk_entry *e, const struct pk_text *text,
		   void *arg);

/* Calls fn for every entry of the sealed slot from a position on, with the
 * text that it brought, or NULL. */
static int each_sealed(struct job *j, uint64_t from, job_fn *fn, void *arg)
{
	AUTO(pk_reading_release) struct pk_reading r = {
		.slot = !j->cursor.slot, .end = j->cursor.sealed_end
	};
	struct pk_entry e;
	int rc;

	while ((rc = pk_reading_next(&j->store->env->journal, &r, j->err)) ==
	       1) {
		struct pk_bytes entries = { r.payload, r.record.payload };
		struct pk_bytes texts = entries, line;

		for (uint32_t i = 0; i < r.record.entries; i++)
			pk_bundle_next(&texts, &line);
		for (uint32_t i = 0; i < r.record.entries; i++) {
			uint64_t seq = r.record.seq + i;
			struct pk_bytes try = texts;
			struct pk_text text;
			const char *fault;
			int has;

			pk_bundle_next(&entries, &line);
			fault = pk_entry_decode((const char *)line.at,
						line.left, &e);
			if (fault)
				return pk_fail(j->err, PAKHUS_ECORRUPT,
					       "journal entry %llu: %s",
					       (unsigned long long)seq, fault);
			has = pk_entry_has_text(&e) && try.left &&
			      pk_text_next(&try, &text) == 1 &&
			      !memcmp(text.hash, e.hash, PK_HASH_SIZE);
			if (has)
				texts = try;
			if (seq < from)
				continue;
			rc = fn(j, seq, line, &e, has ? &text : NULL, arg);
			if (rc)
				return rc;
		}
	}
	return rc;
}

/* ---- 1: encoding ---- */

static void task_drop(void *p)
{
	struct pk_task *t = p;

	pk_shared_free(t->text);
	pk_shared_free(t->base[0].text);
	pk_shared_free(t->base[1].text);
	free(t);
}

static void free_encoder(void *own)
{
	pk_zst_encoder_free(own);
}

/* The one part of integrating that several threads share: it depends on
 * nothing but texts and bases, which were chosen in order, so that the
 * objects are the same however many they are. */
static int encode_and_stage(void *arg, void *task, void **own,
			    struct pakhus_error *err)
{
	const struct pakhus *s = arg;
	const struct pk_task *t = task;
	AUTO_FREE unsigned char *bytes = NULL;
	AUTO_FREE unsigned char *other = NULL;
	size_t size, other_size;
	int rc;

	if (!*own)
		*own = pk_zst_encoder_new();
	if (!*own)
		return pk_fail_nomem(err);
	rc = pk_object_encode(*own, t->hash, t->text,
			      t->bases ? &t->base[0] : NULL, s->level, &bytes,
			      &size, err);
	if (!rc && t->bases == 2)
		rc = pk_object_encode(*own, t->hash, t->text, &t->base[1],
				      s->level, &other, &other_size, err);
	if (rc)
		return rc;
	if (other && other_size < size)
		return pk_object_stage(s->env->dir, t->hash, other, other_size,
				       err);
	return pk_object_stage(s->env->dir, t->hash, bytes, size, err);
}

/* ---- 1 and 2: objects ---- */

static int remember(struct job *j, const unsigned char *hash)
{
	if (j->n == j->cap) {
		size_t cap = j->cap ? 2 * j->cap : 16;
		void *p = realloc(j->staged, cap * sizeof(*j->staged));

		if (!p)
			return pk_fail_nomem(j->err);
		j->staged = p;
		j->cap = cap;
	}
	memcpy(j->staged[j->n++], hash, PK_HASH_SIZE);
	return pk_set_add(&j->seen, hash) < 0 ? pk_fail_nomem(j->err) : 0;
}

/* With the text in memory of its own: the record's ends with the record. The
 * cache has it then, for the version that is based on it. */
static struct pk_task *new_task(struct pakhus *s, const struct pk_text *text)
{
	struct pk_task *t = calloc(1, sizeof(*t));
	char *copy = malloc(text->size + 1);

	if (copy) {
		memcpy(copy, text->text, text->size);
		copy[text->size] = '\0';
	}
	if (t && copy)
		t->text = pk_shared_new(PK_MOVE(copy), text->size);
	free(copy);
	if (!t || !t->text) {
		free(t);
		return NULL;
	}
	memcpy(t->hash, text->hash, PK_HASH_SIZE);
	pk_cache_put(s->cache, t->hash, t->text);
	return t;
}

static int stage(struct job *j, uint64_t seq, struct pk_bytes line,
		 const struct pk_entry *e, const struct pk_text *text,
		 void *arg)
{
	struct pk_choice c = { .store = j->store,
			       .txn = &j->txn,
			       .crew = &j->crew,
			       .seen = &j->seen,
			       .complete = &j->complete,
			       .err = j->err };
	struct pk_location at;
	struct pk_task *t;
	int rc;

	(void)line, (void)arg;
	if (pk_entry_has_text(e))
		j->touched[e->hash[0]] = 1;
	/* brought twice, by publishers that did not see each other; asked of
	 * the job, as what could not be removed from the stage is not placed */
	if (!text || pk_set_has(&j->seen, text->hash))
		return 0;
	rc = pk_object_exists(j->store->env->dir, text->hash, j->err);
	if (rc)
		return rc < 0 ? rc : 0;
	/* its ordinal; not known after the index was rebuilt meanwhile, and
	 * then it is whole */
	rc = pk_index_location(&j->txn, text->hash, &at, j->err);
	if (rc < 0)
		return rc;
	t = new_task(j->store, text);
	if (!t)
		return pk_fail_nomem(j->err);
	rc = e->op == PK_OP_ATTRS
		     ? pk_choose_attrs_base(&c, seq, e, text, t)
		     : pk_choose_bases(&c, seq, e, rc ? at.ordinal : 0, text, t);
	if (rc >= 0)
		rc = remember(j, text->hash);
	if (!rc)
		return pk_crew_put(&j->crew, t, j->err);
	task_drop(t);
	return rc;
}

static int stage_all(struct job *j, uint64_t from)
{
	int rc;

	j->crew = (struct pk_crew){ .work = encode_and_stage,
				    .release = free_encoder,
				    .drop = task_drop,
				    .arg = j->store,
				    .threads = j->store->threads };
	pk_crew_init(&j->crew);
	rc = each_sealed(j, from, stage, NULL);
	if (!rc)
		rc = pk_crew_wait(&j->crew, NULL, NULL, j->err);
	pk_crew_release(&j->crew);
	return rc;
}

static int place_staged(struct job *j)
{
	struct pk_placing p = { .dir = j->store->env->dir,
				.from = PK_FROM_STAGE,
				.threads = j->store->threads,
				.hash = (const unsigned char *)j->staged,
				.n = j->n };

	memcpy(p.touched, j->touched, sizeof(p.touched));
	return pk_place(&p, j->err);
}

/* ---- 3 to 5: the log ---- */

struct writing {
	struct pk_log_writer log;
	struct pk_checkpoint last; /* signed before */
	struct pk_signer signer;   /* of what is signed next */
	uint64_t rotated; /* the size that a rotation's note is of, or 0 */
	char path[PK_NEXT_PATH], note[PK_NEXT_NOTE];
	size_t size;
};

static int fail_rolled_back(struct job *j, const struct writing *w)
{
	return pk_fail(j->err, PAKHUS_EDENIED,
		       "the log was rolled back: %llu entries were signed "
		       "before, and they are not what it holds now",
		       (unsigned long long)w->last.size);
}

/* What was signed last is a prefix of what is signed next (5). It is longer
 * than the checkpoint only where the machine went down between 4 and 5. */
static int check_prefix(struct job *j, struct writing *w)
{
	unsigned char root[PK_HASH_SIZE];

	if (w->log.edge.size != w->last.size)
		return 0;
	if (pk_edge_root(&w->log.edge, w->log.sha, root))
		return pk_fail_nomem(j->err);
	return memcmp(root, w->last.root, PK_HASH_SIZE)
		       ? fail_rolled_back(j, w)
		       : 0;
}

/* The private key that a key entry brings is the next one, synced before the
 * entry was appended; both sign the tree that ends in it (F-68). */
static int rotate(struct job *j, struct writing *w, const struct pk_entry *e)
{
	struct pk_env *env = j->store->env;
	struct pk_checkpoint c = { .size = w->log.edge.size, .time = e->time };
	struct pk_signer next;
	struct pk_vkey k;
	int rc = pk_log_check_key(&env->format, c.size - 1, e, &k, j->err);

	if (!rc)
		rc = pk_keys_load(env->dir, PK_KEY_NEXT, &next, j->err);
	if (!rc)
		rc = pk_signer_derive(&next, j->err);
	if (rc)
		return rc;
	strcpy(c.origin, env->format.origin);
	if (w->rotated || memcmp(next.public.key, k.key, PK_PUBLIC_SIZE))
		rc = pk_fail(j->err, PAKHUS_ECORRUPT,
			     PK_KEY_NEXT ": F-67 is not the key of entry %llu",
			     (unsigned long long)c.size - 1);
	else if (pk_edge_root(&w->log.edge, w->log.sha, c.root))
		rc = pk_fail_nomem(j->err);
	else
		rc = pk_next_sign(&c, &w->signer, &next, w->note, &w->size,
				  j->err);
	if (!rc) {
		pk_next_path(&w->signer.public, w->path);
		w->signer = next;
		w->rotated = c.size;
	}
	explicit_bzero(&next, sizeof(next));
	return rc;
}

static int add_entry(struct job *j, uint64_t seq, struct pk_bytes line,
		     const struct pk_entry *e, const struct pk_text *text,
		     void *arg)
{
	struct writing *w = arg;
	int rc;

	(void)text;
	if (seq != w->log.edge.size)
		return pk_fail(j->err, PAKHUS_ECORRUPT,
			       "journal entry %llu: F-56 the log ends at %llu",
			       (unsigned long long)seq,
			       (unsigned long long)w->log.edge.size);
	rc = pk_log_add(&w->log, line.at, line.left);
	if (!rc)
		rc = check_prefix(j, w);
	return rc || e->op != PK_OP_KEY ? rc : rotate(j, w, e);
}

int pk_last_signed(struct pk_env *env, struct pk_checkpoint *last,
		   struct pakhus_error *err)
{
	AUTO_FREE char *note = NULL;
	struct pk_bytes text, signatures;
	const char *fault;
	size_t size;
	int rc = pk_read_file(env->dir, "local/last-signed", PK_NOTE_MAX,
			      &note, &size, err);

	if (rc == PAKHUS_ENOTFOUND) {
		pk_error_init(err);
		return pk_fail(err, PAKHUS_ECORRUPT,
			       "local/last-signed: is missing");
	}
	if (rc)
		return rc;
	fault = pk_note_decode(note, size, &text, &signatures);
	if (!fault)
		fault = pk_checkpoint_decode(text, last);
	if (fault)
		return pk_fail(err, PAKHUS_ECORRUPT, "local/last-signed: %s",
			       fault);
	return 0;
}

static int note_signed(struct pk_env *env, const char *note, size_t size,
		       struct pakhus_error *err)
{
	int rc = pk_install(env->dir, "local/last-signed", note, size, 0600,
			    err);

	return rc ? rc : pk_sync_dir(env->dir, "local", err);
}

int pk_install_signed(struct pk_env *env, const char *note, size_t size,
		      struct pakhus_error *err)
{
	int rc = note_signed(env, note, size, err);

	return rc ? rc : pk_log_install(env->dir, note, size, err);
}

static void close_writing(struct writing *w)
{
	pk_log_close_writer(&w->log);
	explicit_bzero(&w->signer, sizeof(w->signer));
}

/* In keys/ for who trusts the key before. */
static int keep_note(struct job *j, const struct writing *w)
{
	struct pk_env *env = j->store->env;
	int rc = note_signed(env, w->note, w->size, j->err);

	if (!rc)
		rc = pk_install(env->dir, w->path, w->note, w->size, 0444,
				j->err);
	return rc ? rc : pk_sync_dir(env->dir, "keys", j->err);
}

static int write_log(struct job *j, struct pk_checkpoint *c)
{
	struct pk_env *env = j->store->env;
	AUTO(close_writing) struct writing w = { .log = { .dir = -1 } };
	char note[PK_CHECKPOINT_NOTE];
	size_t size;
	int rc = pk_last_signed(env, &w.last, j->err);

	if (!rc)
		rc = pk_keys_settle(env, pk_stamp_key(&j->txn.stamp, c->size),
				    &w.signer, j->err);
	if (!rc)
		rc = pk_log_open_writer(&w.log, env->dir, c, j->err);
	if (!rc)
		rc = check_prefix(j, &w);
	if (!rc)
		rc = each_sealed(j, c->size, add_entry, &w);
	if (!rc && w.last.size > w.log.edge.size)
		rc = fail_rolled_back(j, &w);
	if (!rc)
		rc = pk_log_finish(&w.log, c->root);
	if (!rc && w.rotated)
		rc = keep_note(j, &w);
	if (rc)
		return rc;
	c->size = w.log.edge.size;
	c->time = pk_now();
	if (c->size == w.rotated) /* the one that both signed is it */
		return pk_log_install(env->dir, w.note, w.size, j->err);
	rc = pk_log_sign(c, &w.signer, note, &size, j->err);
	return rc ? rc : pk_install_signed(env, note, size, j->err);
}

/* ---- 6: the index ---- */

static int forget_location(struct job *j, uint64_t seq, struct pk_bytes line,
			   const struct pk_entry *e, const struct pk_text *text,
			   void *arg)
{
	(void)seq, (void)line, (void)e;
	return text ? pk_index_locate(arg, text->hash, NULL, j->err) : 0;
}

static int point_at_objects(struct job *j, const struct pk_checkpoint *c)
{
	PK_HELD held = { NULL, 0 }; /* let go of after the transaction */
	AUTO(pk_txn_end) struct pk_txn t = PK_TXN_INIT;
	int rc = pk_hold(&held, &j->store->env->locks, PK_LOCK_COMMIT, j->err);

	if (!rc)
		rc = pk_txn_write(&t, j->store->env->index, j->err);

	if (!rc)
		rc = each_sealed(j, 0, forget_location, &t);
	if (rc)
		return rc;
	t.stamp.checkpoint = c->size;
	memcpy(t.stamp.root, c->root, PK_HASH_SIZE);
	return pk_txn_commit(&t, j->err);
}

/* ---- the whole ---- */

int pk_integrate_sealed(struct pakhus *s, struct pakhus_error *err)
{
	struct pk_env *env = s->env;
	AUTO(job_release) struct job j = { .store = s,
					   .txn = PK_TXN_INIT,
					   .err = err };
	struct pk_view v = { .store = s, .txn = PK_TXN_INIT };
	PK_HELD held = { NULL, 0 };
	struct pk_checkpoint c;
	int rc;

	pk_journal_cursor(&env->journal, &j.cursor);
	if (!j.cursor.has_sealed)
		return 0;
	rc = pk_keys_checkpoint(env, 0, &c, err);
	if (rc)
		return rc;
	/* applied before the slot goes, of which alone it could be */
	rc = pk_view_begin(&v, s, err);
	j.txn = v.txn;
	if (!rc)
		rc = pk_keys_check(env, &c, pk_stamp_key(&j.txn.stamp, c.size),
				   err);
	if (rc)
		return rc;
	if (c.size < j.cursor.first) {
		/* what another run left there may be half of something */
		pk_stage_clear(env->dir);
		rc = stage_all(&j, c.size);
		if (!rc)
			rc = place_staged(&j);
		if (!rc)
			rc = write_log(&j, &c);
		if (rc)
			return rc;
	}
	rc = pk_keys_settle(env, pk_stamp_key(&j.txn.stamp, c.size), NULL,
			    err);
	if (rc)
		return rc;
	pk_txn_end(&j.txn);
	atomic_store(&env->journal.page->checkpoint, c.size);
	rc = point_at_objects(&j, &c);
	if (!rc)
		rc = pk_hold(&held, &env->locks, PK_LOCK_APPEND, err);
	if (rc)
		return rc;
	pk_journal_free_sealed(&env->journal);
	pk_log_prune(env->dir, c.size);
	return 0;
}

/* Seals the active slot, if it holds anything; the integrate lock is held
 * and no slot is sealed. at, where it is given, is begun at its end. */
static int seal(struct pakhus *s, uint64_t grow, uint64_t need,
		struct pk_view *at, struct pakhus_error *err)
{
	struct pk_env *env = s->env;
	PK_HELD append = { NULL, 0 };
	PK_HELD commit = { NULL, 0 };
	struct pk_cursor c;
	int rc = pk_hold(&append, &env->locks, PK_LOCK_APPEND, err);

	if (rc)
		return rc;
	rc = pk_journal_catch_up(&env->journal, err);
	pk_journal_cursor(&env->journal, &c);
	if (!rc)
		rc = pk_commit(s, c.seq, err);
	if (!rc && at)
		rc = pk_view_begin(at, s, err);
	if (!rc)
		rc = pk_hold(&commit, &env->locks, PK_LOCK_COMMIT, err);
	if (rc || (!c.end && !need))
		return rc;
	/* others may have made room meanwhile */
	if (need && c.end + need <= c.size[c.slot])
		return 0;
	rc = pk_journal_seal(&env->journal, grow, err);
	if (rc && c.size[!c.slot] >= need) {
		/* larger would be better, but the disk is full */
		pk_error_init(err);
		rc = pk_journal_seal(&env->journal, 0, err);
	}
	return rc;
}

int pk_integrate_held(struct pakhus *s, struct pk_view *at,
		      struct pakhus_error *err)
{
	int rc = 0;

	/* whoever waited for the lock may have an index that another one took
	 * the place of meanwhile, where there is nothing to be moved either */
	if (!pk_is_current(s->env))
		rc = pk_fail_replaced(err);
	if (!rc)
		rc = pk_integrate_sealed(s, err);
	if (!rc)
		rc = seal(s, 0, 0, at, err);
	return rc ? rc : pk_integrate_sealed(s, err);
}

int pk_integrate(struct pakhus *s, struct pakhus_error *err)
{
	PK_HELD held = { NULL, 0 };
	int rc = pk_hold(&held, &s->env->locks, PK_LOCK_INTEGRATE, err);

	if (!rc)
		rc = pk_integrate_held(s, NULL, err);
	return rc ? rc : pk_purge_finish(s, NULL, err);
}

/* A larger slot costs a write of zeros, integrating twenty times that: a
 * burst of publishes is to end before it pays for being integrated. 1: there
 * is room; 0: the slot is as large as it gets, or the disk is full. */
static int grow(struct pakhus *s, uint64_t span, struct pakhus_error *err)
{
	struct pk_env *env = s->env;
	PK_HELD held = { NULL, 0 };
	struct pakhus_error full;
	struct pk_cursor c;
	uint64_t size;
	int rc = pk_hold(&held, &env->locks, PK_LOCK_APPEND, err);

	if (!rc)
		rc = pk_journal_catch_up(&env->journal, err);
	if (rc)
		return rc;
	pk_journal_cursor(&env->journal, &c);
	if (c.end + span <= c.size[c.slot])
		return 1; /* others made it meanwhile */
	size = 2 * c.size[c.slot];
	while (size < c.end + span)
		size *= 2;
	if (size > PK_SLOT_MAX)
		size = PK_SLOT_MAX;
	if (c.end + span > size)
		return 0;
	rc = pk_commit(s, c.seq, err);
	return rc ? rc : !pk_journal_grow(&env->journal, size, &full);
}

/* The integrate lock is held. */
static int make_room(struct pakhus *s, uint64_t span, struct pakhus_error *err)
{
	struct pk_cursor c;
	int rc = pk_integrate_sealed(s, err);

	if (rc)
		return rc;
	pk_journal_cursor(&s->env->journal, &c);
	return seal(s, c.size[c.slot] < span ? span : c.size[c.slot], span,
		    NULL, err);
}

int pk_make_room(struct pakhus *s, uint64_t span, struct pakhus_error *err)
{
	PK_HELD held = { NULL, 0 };
	int rc = grow(s, span, err);

	if (rc)
		return rc < 0 ? rc : 0;
	rc = pk_hold(&held, &s->env->locks, PK_LOCK_INTEGRATE, err);
	return rc ? rc : make_room(s, span, err);
}

int pk_make_room_held(struct pakhus *s, uint64_t span,
		      struct pakhus_error *err)
{
	int rc = grow(s, span, err);

	return rc ? (rc < 0 ? rc : 0) : make_room(s, span, err);
}

/* Under the integrate lock: what is purged later is removed later. */
static int check_purged(struct pakhus *s, const struct pk_entry *e,
			struct pakhus_error *err)
{
	struct pk_view v = { .store = s, .txn = PK_TXN_INIT };
	int rc = pk_view_begin(&v, s, err);

	if (!rc)
		rc = pk_purge_check(&v, e, err);
	pk_txn_end(&v.txn);
	return rc;
}

int pk_write_whole(struct pakhus *s, const struct pk_entry *e,
		   const struct pk_shared *text, struct pakhus_error *err)
{
	int dir = s->env->dir;
	const unsigned char *hash = e->hash;
	AUTO_FREE unsigned char *bytes = NULL;
	AUTO(pk_zst_encoder_auto) struct pk_zst_encoder *zst =
		pk_zst_encoder_new();
	PK_HELD held = { NULL, 0 };
	size_t size;
	int rc = zst ? pk_object_encode(zst, hash, text, NULL, s->level, &bytes,
					&size, err)
		     : pk_fail_nomem(err);

	/* the stage's names are hashes: one at a time */
	if (!rc)
		rc = pk_hold(&held, &s->env->locks, PK_LOCK_INTEGRATE, err);
	if (!rc)
		rc = check_purged(s, e, err);
	if (!rc)
		rc = pk_object_stage(dir, hash, bytes, size, err);
	if (!rc)
		rc = pk_object_sync(dir, PK_FROM_STAGE, hash, err);
	if (!rc)
		rc = pk_object_place(dir, PK_FROM_STAGE, hash, err);
	return rc ? rc : pk_object_sync_dir(dir, hash[0], err);
}
