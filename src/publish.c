/* publish.c - documents in, one by one and in batches. */
#include "publish.h"
#include "canon.h"
#include "hex.h"
#include "purge.h"
#include "say.h"

#include <stdio.h>

/* A batch is one record: what fits a new slot with room to spare. */
#define BATCH_BYTES ((uint64_t)8 << 20)
#define BATCH_ENTRIES 4096

int pk_fail_canon(struct pakhus_error *err, int rc,
		  const struct pk_canon_error *e)
{
	int status = rc == PK_CANON_LIMIT ? PAKHUS_ELIMIT : PAKHUS_EINVAL;

	if (rc == PK_CANON_NOMEM)
		return pk_fail_nomem(err);
	if (!e->line)
		return pk_fail(err, status, "%s", e->what);
	return pk_fail(err, status, "line %zu, column %zu: %s", e->line,
		       e->column, e->what);
}

int pakhus_check(const char *json, size_t size, struct pakhus_error *err)
{
	struct pk_canon_error ce = { 0, 0, "" };
	struct pk_document doc;
	int rc = pk_document_canon(json, size, 0, &doc, &ce);

	pk_error_init(err);
	if (rc)
		return pk_fail_canon(err, rc, &ce);
	pk_document_release(&doc);
	return 0;
}

int pakhus_hash(const char *json, size_t size, char hash[PAKHUS_HASH_HEX + 1],
		struct pakhus_error *err)
{
	struct pk_canon_error ce = { 0, 0, "" };
	unsigned char raw[PK_HASH_SIZE];
	struct pk_document doc;
	int rc = pk_document_canon(json, size, 0, &doc, &ce);

	pk_error_init(err);
	if (rc)
		return pk_fail_canon(err, rc, &ce);
	if (pk_sha256(doc.text, doc.size, raw))
		rc = pk_fail_nomem(err);
	else
		pk_hex(raw, PK_HASH_SIZE, hash);
	pk_document_release(&doc);
	return rc;
}

int pk_publish_read(const struct pakhus *s, const char *json, size_t size,
		    struct pk_entry *e, struct pk_shared **text,
		    struct pakhus_error *err)
{
	struct pk_canon_error ce = { 0, 0, "" };
	struct pk_document doc;
	int rc = pk_document_canon(json, size, s->max_document, &doc, &ce);

	if (rc)
		return pk_fail_canon(err, rc, &ce);
	memset(e, 0, sizeof(*e));
	e->op = PK_OP_PUBLISH;
	strcpy(e->id, doc.id);
	strcpy(e->version, doc.version);
	e->manifest_size = doc.manifest.size;
	e->metadata_size = doc.metadata.size;
	if (pk_sha256(doc.text, doc.size, e->hash)) {
		pk_document_release(&doc);
		return pk_fail_nomem(err);
	}
	*text = pk_shared_new(doc.text, doc.size); /* takes the text over */
	return *text ? 0 : pk_fail_nomem(err);
}

int pk_publish_ready(struct pakhus *s, const char *by, struct pk_entry *e,
		     const struct pk_shared *text, struct pakhus_error *err)
{
	int rc = 0;

	e->time = pk_now();
	if (by)
		strcpy(e->by, by);
	if (text->size <= PK_DELTA_MAX)
		return 0;
	do {
		rc = pk_use(s->env, err);
		if (!rc) {
			rc = pk_write_whole(s, e, text, err);
			pthread_rwlock_unlock(&s->env->use);
		}
	} while (pk_mend(s, rc, err));
	return rc;
}

static int prepare(struct pakhus *s, const char *json, size_t size,
		   const char *by, struct pk_entry *e, struct pk_shared **text,
		   struct pakhus_error *err)
{
	int rc = pk_check_by(by, err);

	if (!rc)
		rc = pk_publish_read(s, json, size, e, text, err);
	return rc ? rc : pk_publish_ready(s, by, e, *text, err);
}

/* ---- immutable stores ---- */

static int conflict(const struct pk_entry *e, struct pakhus_error *err)
{
	return pk_fail(err, PAKHUS_ECONFLICT,
		       "%s@%s: this store is immutable, and the version was "
		       "published with other content", e->id, e->version);
}

static int check_entry(struct pk_view *v, const struct pk_entry *e,
		       struct pakhus_error *err)
{
	struct pk_live live;
	int rc;

	if (!v->store->env->format.immutable || e->op != PK_OP_PUBLISH)
		return 0;
	rc = pk_index_version(&v->txn, e->id, e->version, &live, err);

	if (rc == 1 && memcmp(live.hash, e->hash, PK_HASH_SIZE))
		return conflict(e, err);
	return rc < 0 ? rc : 0;
}

int pk_publish_check(void *arg, struct pk_view *v, struct pk_draft *d,
		     struct pakhus_error *err)
{
	int rc = 0;

	(void)arg;
	for (size_t i = 0; i < d->n && !rc; i++)
		rc = check_entry(v, &d->entry[i], err);
	for (size_t i = 0; i < d->n && !rc; i++)
		rc = pk_say_check(v, d, i, &d->entry[i], err);
	return rc;
}

static pk_draft_fn *check_of(const struct pakhus *s, const struct pk_draft *d)
{
	if (s->env->format.immutable)
		return pk_publish_check;
	for (size_t i = 0; i < d->n; i++)
		if (d->entry[i].op == PK_OP_ATTRS)
			return pk_publish_check;
	return NULL;
}

/* ---- one ---- */

/* The record of this publish. Others may have published the version again
 * since, or deleted it; of the index's row only the insertion is taken, and
 * that only if it is the one that this publish found or made. */
static int record_of(struct pakhus *s, uint64_t seq, const struct pk_entry *e,
		     struct pakhus_record *out, struct pakhus_error *err)
{
	PK_VIEW v = PK_VIEW_INIT;
	struct pk_live live = { .place = 0 };
	int rc = pk_view_open(&v, s, err);

	if (!rc)
		rc = pk_index_version(&v.txn, e->id, e->version, &live, err);
	if (rc < 0)
		return rc;
	if (!rc || live.place > seq) {
		live.created = e->time;
		live.place = seq;
	}
	live.seq = seq;
	live.updated = e->time;
	live.manifest_size = e->manifest_size;
	live.metadata_size = e->metadata_size;
	memcpy(live.hash, e->hash, PK_HASH_SIZE);
	pk_record_fill(out, e->id, e->version, &live);
	return 0;
}

int pk_publish_write(struct pakhus *s, const struct pk_entry *e,
		     struct pk_shared *text, pk_draft_fn *check, void *arg,
		     struct pakhus_record *out, struct pakhus_error *err)
{
	AUTO(pk_draft_release) struct pk_draft d = { .n = 0 };
	uint64_t first;
	int rc = pk_draft_add(&d, e, text, err);

	if (!rc)
		rc = pk_write(s, &d, check ? check : check_of(s, &d), arg,
			      &first, err);
	if (rc || !out)
		return rc;
	do
		rc = record_of(s, first, e, out, err);
	while (pk_mend(s, rc, err));
	return rc;
}

int pakhus_publish(struct pakhus *s, const char *json, size_t size,
		   const char *by, struct pakhus_record *out,
		   struct pakhus_error *err)
{
	AUTO(pk_shared_auto) struct pk_shared *text = NULL;
	AUTO_FREE struct pk_entry *e = malloc(sizeof(*e));
	int rc = pk_enter_write(s, err);

	if (!rc && !e)
		rc = pk_fail_nomem(err);
	if (!rc)
		rc = prepare(s, json, size, by, e, &text, err);
	return rc ? rc : pk_publish_write(s, e, text, NULL, NULL, out, err);
}

/* ---- many ---- */

struct pakhus_batch {
	struct pakhus *store;
	struct pk_draft draft;
	uint64_t durable;
	char by[PK_BY_MAX + 1];
};

int pakhus_batch_new(struct pakhus *s, const char *by,
		     struct pakhus_batch **out, struct pakhus_error *err)
{
	struct pakhus_batch *b;
	int rc = pk_enter_write(s, err);

	if (!rc)
		rc = pk_check_by(by, err);
	if (rc)
		return rc;
	b = calloc(1, sizeof(*b));
	if (!b)
		return pk_fail_nomem(err);
	b->store = s;
	if (by)
		strcpy(b->by, by);
	*out = b;
	return 0;
}

static int commit_batch(struct pakhus_batch *b, struct pakhus_error *err)
{
	uint64_t first;
	size_t n = b->draft.n;
	int rc;

	if (!n)
		return 0;
	rc = pk_write(b->store, &b->draft, check_of(b->store, &b->draft), NULL,
		      &first, err);
	/* also where it only could not be applied to the index */
	if (rc && !(b->draft.is_appended &&
		    atomic_load(&b->store->env->journal.page->durable) >=
			    first + n))
		return rc;
	b->durable += n;
	pk_draft_clear(&b->draft);
	return rc;
}

int pakhus_batch_commit(struct pakhus_batch *b, struct pakhus_error *err)
{
	int rc = pk_enter_write(b->store, err);

	return rc ? rc : commit_batch(b, err);
}

/* Refused before it is added, as far as can be known: against the store,
 * and against the batch itself. */
static int check_added(struct pakhus_batch *b, const struct pk_entry *e,
		       struct pakhus_error *err)
{
	PK_VIEW v = PK_VIEW_INIT;
	int rc;

	for (size_t i = 0; i < b->draft.n; i++)
		if (b->store->env->format.immutable &&
		    e->op == PK_OP_PUBLISH &&
		    b->draft.entry[i].op == PK_OP_PUBLISH &&
		    !strcmp(b->draft.entry[i].id, e->id) &&
		    !strcmp(b->draft.entry[i].version, e->version) &&
		    memcmp(b->draft.entry[i].hash, e->hash, PK_HASH_SIZE))
			return conflict(e, err);
	rc = pk_view_open(&v, b->store, err);
	if (!rc)
		rc = pk_purge_check(&v, e, err);
	if (!rc)
		rc = check_entry(&v, e, err);
	return rc ? rc : pk_say_check(&v, &b->draft, b->draft.n, e, err);
}

static int add(struct pakhus_batch *b, const struct pk_entry *e,
	       struct pk_shared *text, struct pakhus_error *err)
{
	int rc = check_added(b, e, err);

	/* a record's text is at most 4 MiB, so this stays below 12 */
	if (!rc && (b->draft.size + text->size > BATCH_BYTES ||
		    b->draft.n >= BATCH_ENTRIES))
		rc = commit_batch(b, err);
	return rc ? rc : pk_draft_add(&b->draft, e, text, err);
}

int pakhus_batch_publish(struct pakhus_batch *b, const char *json, size_t size,
			 struct pakhus_error *err)
{
	AUTO(pk_shared_auto) struct pk_shared *text = NULL;
	AUTO_FREE struct pk_entry *e = malloc(sizeof(*e));
	int rc = pk_enter_write(b->store, err);

	if (!rc && !e)
		rc = pk_fail_nomem(err);
	if (!rc)
		rc = prepare(b->store, json, size, b->by, e, &text, err);
	return rc ? rc : add(b, e, text, err);
}

/* What is said of a version stays in the record of its publish. */
int pakhus_batch_attrs(struct pakhus_batch *b, const char *id,
		       const char *version, const char *json, size_t size,
		       struct pakhus_error *err)
{
	AUTO(pk_shared_auto) struct pk_shared *text = NULL;
	AUTO_FREE struct pk_entry *e = malloc(sizeof(*e));
	int rc = pk_enter_write(b->store, err);

	if (!rc && !e)
		rc = pk_fail_nomem(err);
	if (!rc)
		rc = pk_say_prepare(id, version, json, size, b->by, e, &text,
				    err);
	if (!rc)
		rc = check_added(b, e, err);
	if (!rc && (b->draft.size + (text ? text->size : 0) >
			    2 * BATCH_BYTES + PK_DELTA_MAX ||
		    b->draft.n >= (size_t)2 * BATCH_ENTRIES))
		rc = commit_batch(b, err);
	return rc ? rc : pk_draft_add(&b->draft, e, text, err);
}

int pk_publish_batch(struct pakhus_batch *b, struct pakhus *s,
		     struct pk_entry *e, struct pk_shared *text,
		     struct pakhus_error *err)
{
	int rc;

	if (b->store != s)
		return pk_fail(err, PAKHUS_EINVAL,
			       "the document was read for another store");
	rc = pk_publish_ready(s, b->by, e, text, err);
	return rc ? rc : add(b, e, text, err);
}

uint64_t pakhus_batch_durable(const struct pakhus_batch *b)
{
	return b->durable;
}

void pakhus_batch_free(struct pakhus_batch *b)
{
	if (!b)
		return;
	pk_draft_release(&b->draft);
	free(b);
}
