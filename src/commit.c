/* commit.c - the way of a record: appended, synced, applied.
 *
 * Publishers that wait for the commit lock while one of them syncs find
 * themselves covered by the next sync, so many share one.
 */
#include "store.h"
#include "io.h"
#include "purge.h"
#include "sum.h"

#include <stdio.h>

/* ---- drafts ---- */

int pk_draft_add(struct pk_draft *d, const struct pk_entry *e,
		 struct pk_shared *text, struct pakhus_error *err)
{
	char line[PK_ENTRY_MAX];

	if (d->n == d->cap) {
		size_t cap = d->cap ? 2 * d->cap : 1;
		void *entry = realloc(d->entry, cap * sizeof(*d->entry));
		void *texts;

		if (!entry)
			return pk_fail_nomem(err);
		d->entry = entry;
		texts = realloc(d->text, cap * sizeof(*d->text));
		if (!texts)
			return pk_fail_nomem(err);
		d->text = texts;
		d->cap = cap;
	}
	d->entry[d->n] = *e;
	d->text[d->n] = text ? pk_shared_ref(text) : NULL;
	d->size += 2 + pk_entry_encode(e, line);
	if (text)
		d->size += PK_TEXT_HEADER + text->size;
	d->n++;
	return 0;
}

void pk_draft_clear(struct pk_draft *d)
{
	for (size_t i = 0; i < d->n; i++)
		pk_shared_free(d->text[i]);
	d->n = 0;
	d->size = 0;
}

void pk_draft_release(struct pk_draft *d)
{
	pk_draft_clear(d);
	free(d->entry);
	free(d->text);
}

/* ---- applying ---- */

/* The text that an entry brought, if the next one of its record is that. */
static int take_text(struct pk_bytes *texts, const struct pk_entry *e,
		     struct pk_text *t)
{
	struct pk_bytes try = *texts;

	if (!pk_entry_has_text(e) || !try.left ||
	    pk_text_next(&try, t) != 1 ||
	    memcmp(t->hash, e->hash, PK_HASH_SIZE))
		return 0;
	*texts = try;
	return 1;
}

/* {"manifest": stands before the manifest in a document (F-10). */
#define MANIFEST_AT 12

static int apply_entry(struct pk_txn *txn, const struct pk_reading *r,
		       uint64_t seq, const struct pk_entry *e,
		       struct pk_bytes *texts, struct pakhus_error *err)
{
	struct pk_bytes manifest = { NULL, 0 };
	struct pk_location at = { .slot = r->slot };
	struct pk_text t;
	int has_text = take_text(texts, e, &t), rc;

	if (has_text && MANIFEST_AT + e->manifest_size <= t.size) {
		manifest.at = (const unsigned char *)t.text + MANIFEST_AT;
		manifest.left = e->manifest_size;
	}
	rc = pk_index_apply(txn, seq, e, manifest, err);
	if (rc || !has_text)
		return rc;
	memcpy(at.generation, r->record.generation, PK_GENERATION_SIZE);
	at.offset = r->from + PK_RECORD_HEADER +
		    (uint64_t)((const unsigned char *)t.text - r->payload);
	at.size = t.size;
	at.sum = pk_sum(0, t.text, t.size);
	at.ordinal = txn->ordinal;
	return pk_index_locate(txn, e->hash, &at, err);
}

static int apply_record(struct pk_txn *txn, const struct pk_reading *r,
			struct pakhus_error *err)
{
	struct pk_bytes entries = { r->payload, r->record.payload };
	struct pk_bytes texts = entries, line;
	struct pk_entry e;

	for (uint32_t i = 0; i < r->record.entries; i++)
		pk_bundle_next(&texts, &line);
	for (uint32_t i = 0; i < r->record.entries; i++) {
		uint64_t seq = r->record.seq + i;
		const char *fault;
		int rc;

		pk_bundle_next(&entries, &line);
		fault = pk_entry_decode((const char *)line.at, line.left, &e);
		if (fault)
			return pk_fail(err,
				       fault == pk_entry_newer
					       ? PAKHUS_EVERSION
					       : PAKHUS_ECORRUPT,
				       "journal entry %llu: %s",
				       (unsigned long long)seq, fault);
		if (seq < txn->stamp.applied) {
			struct pk_text passed;

			take_text(&texts, &e, &passed);
			continue;
		}
		rc = apply_entry(txn, r, seq, &e, &texts, err);
		if (rc)
			return rc;
	}
	return 0;
}

/* generation of the active slot, whose records may be in memory still */
static int next_record(struct pk_env *env, struct pk_reading *r,
		       const unsigned char *generation, uint64_t upto,
		       struct pakhus_error *err)
{
	if (generation && pk_reading_take(&env->journal, r, generation,
					  upto))
		return 1;
	return pk_reading_next(&env->journal, r, err);
}

int pk_apply_journal(struct pakhus *s, struct pk_index *ix, uint64_t upto,
		     struct pakhus_error *err)
{
	struct pk_env *env = s->env;
	int is_own = ix == env->index;
	AUTO(pk_txn_end) struct pk_txn txn = PK_TXN_INIT;
	struct pk_cursor c;
	int rc;

	/* who replaces the index holds the commit lock too */
	if (is_own && !pk_is_current(env))
		return pk_fail_replaced(err);
	rc = pk_txn_read(&txn, ix, err);
	if (rc || txn.stamp.applied >= upto)
		return rc;
	pk_txn_end(&txn);
	rc = pk_txn_write(&txn, ix, err);
	if (rc)
		return rc;
	pk_journal_cursor(&env->journal, &c);
	/* a sealed slot was applied before the other took its first record,
	 * unless the index is made anew */
	for (int active = !c.has_sealed || c.first <= txn.stamp.applied;
	     active < 2; active++) {
		AUTO(pk_reading_release) struct pk_reading r = {
			.slot = active ? c.slot : !c.slot,
			.end = active ? c.end : c.sealed_end,
		};

		/* where the last time ended, if that is on the way */
		if (active && is_own && env->at_seq <= txn.stamp.applied &&
		    !memcmp(env->at_generation, c.generation,
			    PK_GENERATION_SIZE))
			r.at = env->at_offset;
		while ((rc = next_record(env, &r, active ? c.generation : NULL,
					 upto, err)) == 1) {
			if (r.record.seq >= upto) {
				r.at = r.from;
				break;
			}
			if (r.record.seq + r.record.entries <=
			    txn.stamp.applied)
				continue;
			rc = apply_record(&txn, &r, err);
			if (rc)
				return rc;
		}
		if (rc < 0)
			return rc;
		if (!is_own)
			continue;
		memcpy(env->at_generation, r.record.generation,
		       PK_GENERATION_SIZE);
		env->at_offset = r.at;
		env->at_seq = txn.stamp.applied;
	}
	if (txn.stamp.applied < upto) {
		pk_index_distrust(ix); /* behind the log: no other fills it */
		return pk_fail(err, PAKHUS_ECORRUPT,
			       "the journal ends at entry %llu, and %llu were "
			       "durable",
			       (unsigned long long)txn.stamp.applied,
			       (unsigned long long)upto);
	}
	return pk_txn_commit(&txn, err);
}

/* ---- the sync ---- */

static int fail_stopped(struct pakhus_error *err)
{
	return pk_fail(err, PAKHUS_ESYS,
		       "writing has stopped since a sync failed; it goes on "
		       "when the store is opened with nobody else in it");
}

/* The commit lock is held. */
static int sync_journal(struct pakhus *s, uint64_t *covered,
			struct pakhus_error *err)
{
	struct pk_journal *j = &s->env->journal;
	struct pakhus_error e = { .status = 0 };
	struct pk_cursor c;
	int rc = 0;

	if (atomic_load(&j->page->syncing))
		rc = pk_journal_redo(j, &e);
	pk_journal_cursor(j, &c);
	*covered = c.seq;
	if (!rc) {
		atomic_store(&j->page->syncing, 1);
		rc = pk_journal_sync(j, &e);
	}
	if (!rc) {
		atomic_store(&j->page->syncing, 0);
		return 0;
	}
	atomic_store(&j->page->failed, 1);
	return pk_fail(err, PAKHUS_EUNKNOWN,
		       "outcome unknown until the store is opened with nobody "
		       "else in it: %s", e.text);
}

int pk_commit(struct pakhus *s, uint64_t upto, struct pakhus_error *err)
{
	struct pk_page *page = s->env->journal.page;
	struct pakhus_error e = { .status = 0 };
	PK_HELD held = { NULL, 0 };
	uint64_t covered;
	int rc;

	rc = pk_hold(&held, &s->env->locks, PK_LOCK_COMMIT, err);
	if (rc || atomic_load(&page->durable) >= upto)
		return rc;
	if (atomic_load(&page->failed))
		return pk_fail(err, PAKHUS_EUNKNOWN,
			       "outcome unknown until the store is opened "
			       "with nobody else in it: a sync of the journal "
			       "failed");
	rc = sync_journal(s, &covered, err);
	if (rc)
		return rc;
	/* applied first, so that who reads is behind only if this fails (4) */
	rc = pk_apply_journal(s, s->env->index, covered, &e);
	atomic_store(&page->durable, covered);
	return rc ? pk_fail(err, rc, "durable, but not in the index yet: %s",
			    e.text)
		  : 0;
}

/* ---- the append ---- */

/* The text that an id and version had last, or what was said of them: 1, 0, or
 * a failure. */
static int last_hash(struct pk_view *v, const struct pk_entry *e,
		     unsigned char hash[PK_HASH_SIZE], struct pakhus_error *err)
{
	struct pk_attrs attrs;
	struct pk_live live;
	int is_attrs = e->op == PK_OP_ATTRS;
	int rc = is_attrs ? pk_index_attrs(&v->txn, e->id, e->version, &attrs,
					   err)
			  : pk_index_version(&v->txn, e->id, e->version, &live,
					     err);

	if (rc == 1)
		memcpy(hash, is_attrs ? attrs.hash : live.hash, PK_HASH_SIZE);
	return rc;
}

/* Whether the store has a text already, or will without this record. A text
 * names its id and version, so it is new where those were last another: no
 * look into a directory of thousands for that. Brought twice does no harm. */
static int has_text(struct pk_view *v, const struct pk_entry *e,
		    struct pakhus_error *err)
{
	unsigned char hash[PK_HASH_SIZE];
	struct pk_location at;
	int rc = last_hash(v, e, hash, err);

	if (rc != 1 || memcmp(hash, e->hash, PK_HASH_SIZE))
		return rc < 0 ? rc : 0;
	rc = pk_index_location(&v->txn, e->hash, &at, err);
	return rc ? rc : pk_object_exists(v->store->env->dir, e->hash, err);
}

/* The bytes of a record, with room for its header. */
static int build(struct pk_view *v, const struct pk_draft *d,
		 unsigned char **out, uint64_t *size, uint32_t *texts,
		 struct pakhus_error *err)
{
	AUTO_FREE unsigned char *buf = malloc(PK_RECORD_HEADER + d->size);
	unsigned char *p;
	char line[PK_ENTRY_MAX];

	if (!buf)
		return pk_fail_nomem(err);
	p = buf + PK_RECORD_HEADER;
	for (size_t i = 0; i < d->n; i++) {
		size_t n = pk_entry_encode(&d->entry[i], line);

		p += pk_bundle_put(p, line, n);
	}
	*texts = 0;
	for (size_t i = 0; i < d->n; i++) {
		const struct pk_shared *t = d->text[i];
		int has;

		if (!t || t->size > PK_DELTA_MAX)
			continue;
		has = has_text(v, &d->entry[i], err);
		if (has < 0)
			return has;
		if (has)
			continue;
		pk_text_header(p, d->entry[i].hash, t->size);
		memcpy(p + PK_TEXT_HEADER, t->bytes, t->size);
		p += PK_TEXT_HEADER + t->size;
		++*texts;
	}
	*size = (uint64_t)(p - buf) - PK_RECORD_HEADER;
	*out = PK_MOVE(buf);
	return 0;
}

/* A view of who holds env->use already. */
static void end_view(struct pk_view *v)
{
	pk_txn_end(&v->txn);
}

/* Before anything is durable, and not after it, the disk may be full. */
static int reserve(struct pk_index *ix, const struct pk_draft *d,
		   struct pakhus_error *err)
{
	uint64_t bytes = 0;

	for (size_t i = 0; i < d->n; i++)
		bytes += 512 + d->entry[i].manifest_size;
	return pk_index_reserve(ix, d->n, bytes, err);
}

/* A long text was written before its entry, when nothing named it: it may
 * have been collected, or be another's who did not sync its name yet. *gone
 * is the first one that is not there, or d->n. */
static int check_whole(struct pk_env *env, const struct pk_draft *d,
		       size_t *gone, struct pakhus_error *err)
{
	for (*gone = 0; *gone < d->n; ++*gone) {
		const struct pk_shared *t = d->text[*gone];
		const unsigned char *hash = d->entry[*gone].hash;
		int rc;

		if (!t || t->size <= PK_DELTA_MAX)
			continue;
		rc = pk_object_exists(env->dir, hash, err);
		if (rc != 1)
			return rc;
		rc = pk_object_sync_dir(env->dir, hash[0], err);
		if (rc)
			return rc;
	}
	return 0;
}

/* Whether no text of it was purged. */
static int check_purged(struct pk_view *v, const struct pk_draft *d,
			struct pakhus_error *err)
{
	int rc = 0;

	for (size_t i = 0; i < d->n && !rc; i++)
		rc = pk_purge_check(v, &d->entry[i], err);
	return rc;
}

static int has_purge(const struct pk_draft *d)
{
	for (size_t i = 0; i < d->n; i++)
		if (d->entry[i].op == PK_OP_PURGE)
			return 1;
	return 0;
}

/* One try; *at 0 where there is no room, *gone where a text is not there. */
static int append(struct pakhus *s, struct pk_draft *d, pk_draft_fn *check,
		  void *arg, uint64_t *first, uint64_t *at, uint64_t *span,
		  size_t *gone, struct pakhus_error *err)
{
	struct pk_env *env = s->env;
	struct pk_page *page = env->journal.page;
	PK_HELD held = { NULL, 0 };
	AUTO_FREE unsigned char *buf = NULL;
	AUTO(end_view) struct pk_view view = { .store = s };
	struct pk_cursor c;
	uint64_t size = 0;
	uint32_t texts = 0;
	int rc = pk_hold(&held, &env->locks, PK_LOCK_APPEND, err);

	if (rc)
		return rc;
	if (atomic_load(&page->failed))
		return fail_stopped(err);
	rc = pk_journal_catch_up(&env->journal, err);
	if (rc)
		return rc;
	pk_journal_cursor(&env->journal, &c);
	*first = c.seq;
	/* a purge that is appended and not applied counts too */
	if (check || atomic_load(&page->purge) > atomic_load(&page->durable)) {
		rc = pk_commit(s, c.seq, err);
		if (rc)
			return rc;
	}
	/* caught up: what was durable may not have been applied */
	rc = pk_view_begin(&view, s, err);
	if (!rc && check)
		rc = check(arg, &view, d, err);
	*at = 1;
	if (rc || !d->n)
		return rc;
	rc = check_purged(&view, d, err);
	if (!rc)
		rc = check_whole(env, d, gone, err);
	if (rc || *gone < d->n)
		return rc;
	rc = reserve(env->index, d, err);
	if (!rc)
		rc = build(&view, d, &buf, &size, &texts, err);
	if (rc)
		return rc;
	*span = pk_record_span(size);
	if (has_purge(d))
		atomic_store(&page->purge, c.seq + d->n);
	return pk_journal_append(&env->journal, &buf, size, (uint32_t)d->n,
				 texts, at, err);
}

static int write_draft(struct pakhus *s, struct pk_draft *d, pk_draft_fn *check,
		       void *arg, uint64_t *first, struct pakhus_error *err)
{
	for (;;) {
		uint64_t at = 0, span = 0;
		size_t gone = 0;
		int rc = append(s, d, check, arg, first, &at, &span, &gone,
				err);

		if (rc || !d->n)
			return rc;
		if (gone < d->n) {
			rc = pk_write_whole(s, &d->entry[gone], d->text[gone],
					    err);
			if (rc)
				return rc;
			continue;
		}
		if (at) {
			d->is_appended = 1;
			atomic_store(&s->wrote, 1);
			return pk_commit(s, *first + d->n, err);
		}
		if (span > PK_SLOT_MAX)
			return pk_fail(err, PAKHUS_ELIMIT,
				       "this step is %llu bytes in the "
				       "journal, and at most %llu can be made "
				       "durable at once",
				       (unsigned long long)span,
				       (unsigned long long)PK_SLOT_MAX);
		rc = d->is_integrating ? pk_make_room_held(s, span, err)
				       : pk_make_room(s, span, err);
		if (rc)
			return rc;
	}
}

int pk_write_held(struct pakhus *s, struct pk_draft *d, uint64_t *first,
		  struct pakhus_error *err)
{
	d->is_appended = 0;
	d->is_integrating = 1;
	return write_draft(s, d, NULL, NULL, first, err);
}

int pk_write(struct pakhus *s, struct pk_draft *d, pk_draft_fn *check,
	     void *arg, uint64_t *first, struct pakhus_error *err)
{
	int rc;

	d->is_appended = 0;
	do {
		rc = pk_use(s->env, err);
		if (!rc) {
			rc = write_draft(s, d, check, arg, first, err);
			pthread_rwlock_unlock(&s->env->use);
		}
		if (!pk_mend(s, rc, err))
			return rc;
		/* durable, if it was the index that could not take it, and
		 * made anew it has it; else it is still to be appended */
	} while (!d->is_appended);
	return 0;
}
