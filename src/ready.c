/* ready.c - documents that were read and are not stored yet, so that who has
 * to ask whether they may be stored need not read them twice; and publishes
 * that are done only where the version still is what the caller saw.
 */
#include "publish.h"
#include "hex.h"
#include "package.h"

struct document {
	struct pakhus_document public;
	struct pakhus *store;
	struct pk_shared *text;
	struct pk_entry entry;
};

void pakhus_document_free(struct pakhus_document *d)
{
	struct document *own = (struct document *)d;

	if (!own)
		return;
	pk_shared_free(own->text);
	free(own);
}

int pakhus_document_new(struct pakhus *s, const char *json, size_t size,
			struct pakhus_document **out, struct pakhus_error *err)
{
	struct document *d;
	int rc = pk_enter(s, err);

	if (rc)
		return rc;
	d = calloc(1, sizeof(*d));
	if (!d)
		return pk_fail_nomem(err);
	rc = pk_publish_read(s, json, size, &d->entry, &d->text, err);
	if (rc) {
		pakhus_document_free(&d->public);
		return rc;
	}
	d->store = s;
	strcpy(d->public.id, d->entry.id);
	strcpy(d->public.version, d->entry.version);
	pk_hex(d->entry.hash, PK_HASH_SIZE, d->public.hash);
	d->public.manifest_size = d->entry.manifest_size;
	d->public.metadata_size = d->entry.metadata_size;
	d->public.text = d->text->bytes;
	d->public.size = d->text->size;
	*out = &d->public;
	return 0;
}

int pk_expect(struct pk_view *v, const char *id, const char *version,
	      uint64_t over, struct pakhus_error *err)
{
	struct pk_live live = { .is_live = 0 };
	int rc = pk_index_version(&v->txn, id, version, &live, err);
	uint64_t now = live.is_live ? live.seq : 0;

	if (rc < 0 || now == over)
		return rc < 0 ? rc : 0;
	if (!now)
		return pk_fail(err, PAKHUS_ESTALE, "%s@%s is not there any more",
			       id, version);
	if (!over)
		return pk_fail(err, PAKHUS_ESTALE, "%s@%s is there already",
			       id, version);
	return pk_fail(err, PAKHUS_ESTALE,
		       "%s@%s was published again meanwhile, at entry %llu",
		       id, version, (unsigned long long)now);
}

/* Under the append lock, so that it stays what it is. */
static int check(void *arg, struct pk_view *v, struct pk_draft *d,
		 struct pakhus_error *err)
{
	const uint64_t *over = arg;
	int rc = pk_expect(v, d->entry->id, d->entry->version, *over, err);

	return rc ? rc : pk_publish_check(NULL, v, d, err);
}

int pakhus_publish_document(struct pakhus *s, const struct pakhus_document *doc,
			    const uint64_t *over, const char *by,
			    struct pakhus_record *out, struct pakhus_error *err)
{
	const struct document *d = (const struct document *)doc;
	AUTO_FREE struct pk_entry *e = malloc(sizeof(*e));
	uint64_t expected = over ? *over : 0;
	int rc = pk_enter_write(s, err);

	if (!rc)
		rc = pk_check_by(by, err);
	if (rc)
		return rc;
	if (!e)
		return pk_fail_nomem(err);
	if (d->store != s)
		return pk_fail(err, PAKHUS_EINVAL,
			       "the document was read for another store");
	*e = d->entry;
	rc = pk_publish_ready(s, by, e, d->text, err);
	return rc ? rc
		  : pk_publish_write(s, e, d->text, over ? check : NULL,
				     &expected, out, err);
}

int pakhus_batch_document(struct pakhus_batch *b,
			  const struct pakhus_document *doc,
			  struct pakhus_error *err)
{
	const struct document *d = (const struct document *)doc;
	AUTO_FREE struct pk_entry *e = malloc(sizeof(*e));
	int rc = pk_enter_write(d->store, err);

	if (!rc && !e)
		rc = pk_fail_nomem(err);
	if (rc)
		return rc;
	*e = d->entry;
	return pk_publish_batch(b, d->store, e, d->text, err);
}

int pakhus_find(struct pakhus *s, const char *id, const char *version,
		struct pakhus_record *out, struct pakhus_error *err)
{
	int rc = pk_enter(s, err);

	if (rc)
		return rc;
	do {
		PK_VIEW v = PK_VIEW_INIT;
		struct pk_latest latest;

		rc = pk_view_open(&v, s, err);
		if (!rc)
			rc = pk_find(&v, id, version, &latest, err);
		if (!rc)
			pk_record_fill(out, id, latest.version, &latest.live);
	} while (pk_mend(s, rc, err));
	return rc;
}
