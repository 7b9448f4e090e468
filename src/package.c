#include "package.h"

#include <stdio.h>

#define LIMIT_DEFAULT 100
#define LIMIT_MAX 10000

/* {"manifest":M,"metadata":D}: 12, 12 and 1 bytes around M and D (F-10). */
#define BEFORE_M 12
#define BEFORE_D 12

/* What the caller gets, and the text it points into. */
struct package {
	struct pakhus_package public;
	struct pk_shared *text;
};

void pakhus_package_free(struct pakhus_package *p)
{
	struct package *own = (struct package *)p;

	if (!own)
		return;
	pk_shared_free(own->text);
	free(own);
}

static int cut(struct package *p, struct pakhus_error *err)
{
	struct pakhus_package *q = &p->public;
	size_t m = q->record.manifest_size, d = q->record.metadata_size;

	if (p->text->size != BEFORE_M + m + BEFORE_D + d + 1)
		return pk_fail(err, PAKHUS_ECORRUPT,
			       "log entry %llu: F-25 its sizes are not those "
			       "of the text",
			       (unsigned long long)q->record.seq);
	q->document = p->text->bytes;
	q->document_size = p->text->size;
	q->manifest = p->text->bytes + BEFORE_M;
	q->manifest_size = m;
	q->metadata = q->manifest + m + BEFORE_D;
	q->metadata_size = d;
	return 0;
}

/* The file that is damaged may be that of a base: says what was asked for. */
static void name_version(const struct pakhus_record *r,
			 struct pakhus_error *err)
{
	struct pakhus_error e;

	if (!err)
		return;
	e = *err;
	pk_error_init(err);
	pk_fail(err, e.status, "%s@%s: %s", r->id, r->version, e.text);
}

/* A text cannot be read. It is damage unless it may have been collected. */
static int no_text(struct pk_view *v, const struct pakhus_record *r,
		   const struct pk_live *live, int rc,
		   struct pakhus_error *err)
{
	AUTO(pk_txn_end) struct pk_txn t = PK_TXN_INIT;
	struct pk_live now = { .is_live = 0 };
	int moved = pk_has_moved(v);
	int found = pk_txn_read(&t, v->txn.ix, NULL);

	if (!found)
		found = pk_index_version(&t, r->id, r->version, &now, NULL);
	if (moved && found >= 0 &&
	    !(now.is_live && now.seq == live->seq &&
	      v->store->env->has_local)) {
		pk_error_init(err);
		return PK_AGAIN;
	}
	if (rc == PAKHUS_ECORRUPT) {
		name_version(r, err);
		return rc;
	}
	pk_error_init(err);
	if (found >= 0 &&
	    !(now.is_live && !memcmp(now.hash, live->hash, PK_HASH_SIZE)))
		return pk_fail(err, PAKHUS_ENOTFOUND,
			       "%s@%s: its text %s was collected", r->id,
			       r->version, r->hash);
	return pk_fail(err, PAKHUS_ECORRUPT,
		       "%s@%s: F-11 its object %s is missing", r->id,
		       r->version, r->hash);
}

int pk_package(struct pk_view *v, const char *id, const char *version,
	       const struct pk_live *live, struct pakhus_package **out,
	       struct pakhus_error *err)
{
	struct package *p = calloc(1, sizeof(*p));
	int rc;

	if (!p)
		return pk_fail_nomem(err);
	pk_record_fill(&p->public.record, id, version, live);
	rc = pk_text(v, live->hash, &p->text, err);
	if (rc == PAKHUS_ECORRUPT || rc == PAKHUS_ENOTFOUND)
		rc = no_text(v, &p->public.record, live, rc, err);
	if (!rc)
		rc = cut(p, err);
	if (rc) {
		pakhus_package_free(&p->public);
		return rc;
	}
	*out = &p->public;
	return 0;
}

/* Gives a package a copy of its manifest as its only text. */
static int set_manifest(struct package *p, const void *manifest, size_t size,
			struct pakhus_error *err)
{
	char *copy = malloc(size + 1);
	struct pk_shared *text;

	if (!copy)
		return pk_fail_nomem(err);
	memcpy(copy, manifest, size);
	copy[size] = '\0';
	text = pk_shared_new(copy, size);
	if (!text)
		return pk_fail_nomem(err);
	pk_shared_free(p->text);
	p->text = text;
	p->public.manifest = text->bytes;
	p->public.manifest_size = size;
	p->public.document = p->public.metadata = NULL;
	p->public.document_size = p->public.metadata_size = 0;
	return 0;
}

int pk_package_latest(const struct pk_latest *latest,
		      struct pakhus_package **out, struct pakhus_error *err)
{
	struct package *p = calloc(1, sizeof(*p));
	int rc;

	if (!p)
		return pk_fail_nomem(err);
	pk_record_fill(&p->public.record, latest->id, latest->version,
		       &latest->live);
	rc = set_manifest(p, latest->manifest.at, latest->manifest.left, err);
	if (rc) {
		free(p);
		return rc;
	}
	*out = &p->public;
	return 0;
}

int pk_package_reduce(struct pakhus_package *q, struct pakhus_error *err)
{
	return set_manifest((struct package *)q, q->manifest, q->manifest_size,
			    err);
}

size_t pk_limit(struct pakhus_range range)
{
	if (!range.limit)
		return LIMIT_DEFAULT;
	return range.limit < LIMIT_MAX ? range.limit : LIMIT_MAX;
}
