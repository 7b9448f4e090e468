/* attrs.c - what is said about packages and versions beside their documents
 * (F-97 to F-99): in, and out again.
 */
#include "attrs.h"
#include "hex.h"
#include "package.h"
#include "publish.h"
#include "say.h"
#include "sha256.h"
#include "utf8.h"

#include <stdio.h>

/* ---- in ---- */

static int is_name(const char *s, size_t max)
{
	size_t n = strlen(s);

	return n && n <= max && pk_is_plain(s, n);
}

static int check_names(const char *id, const char *version,
		       struct pakhus_error *err)
{
	if (!is_name(id, PK_ID_MAX))
		return pk_fail(err, PAKHUS_EINVAL,
			       "the id must have 1 to %d bytes, without control "
			       "characters", PK_ID_MAX);
	if (*version && !is_name(version, PK_VERSION_MAX))
		return pk_fail(err, PAKHUS_EINVAL,
			       "the version must have at most %d bytes, without "
			       "control characters; none at all means the "
			       "package", PK_VERSION_MAX);
	return strcmp(version, "latest") != 0
		       ? 0
		       : pk_fail(err, PAKHUS_EINVAL,
				 "attributes are those of a version with its "
				 "number, not of the latest");
}

int pk_say_prepare(const char *id, const char *version, const char *json,
		   size_t size, const char *by, struct pk_entry *e,
		   struct pk_shared **text, struct pakhus_error *err)
{
	struct pk_canon_error ce = { 0, 0, "" };
	size_t text_size, own;
	char *bytes;
	int rc;

	if (!version)
		version = "";
	rc = check_names(id, version, err);
	if (!rc)
		rc = pk_check_by(by, err);
	if (rc)
		return rc;
	rc = pk_attrs_canon(json, size, id, version, &bytes, &text_size, &own,
			    &ce);
	if (rc)
		return pk_fail_canon(err, rc, &ce);
	memset(e, 0, sizeof(*e));
	e->op = PK_OP_ATTRS;
	strcpy(e->id, id);
	strcpy(e->version, version);
	e->time = pk_now();
	if (by)
		strcpy(e->by, by);
	if (own == 2) { /* {}: F-97 */
		free(bytes);
		return 0;
	}
	e->size = own;
	if (pk_sha256(bytes, text_size, e->hash)) {
		free(bytes);
		return pk_fail_nomem(err);
	}
	*text = pk_shared_new(bytes, text_size); /* takes the text over */
	return *text ? 0 : pk_fail_nomem(err);
}

static int fail_none(const char *id, const char *version,
		     struct pakhus_error *err)
{
	return pk_fail(err, PAKHUS_ENOTFOUND, "not found: %s@%s", id, version);
}

int pk_say_check(struct pk_view *v, const struct pk_draft *d, size_t n,
		 const struct pk_entry *e, struct pakhus_error *err)
{
	struct pk_live live = { .is_live = 0 };
	int rc;

	if (e->op != PK_OP_ATTRS || !*e->version)
		return 0;
	while (n--)
		if (d->entry[n].op == PK_OP_PUBLISH &&
		    !strcmp(d->entry[n].id, e->id) &&
		    !strcmp(d->entry[n].version, e->version))
			return 0;
	rc = pk_index_version(&v->txn, e->id, e->version, &live, err);
	if (rc < 0)
		return rc;
	return live.is_live ? 0 : fail_none(e->id, e->version, err);
}

static int check_draft(void *arg, struct pk_view *v, struct pk_draft *d,
		       struct pakhus_error *err)
{
	(void)arg;
	return pk_say_check(v, d, 0, &d->entry[0], err);
}

int pakhus_set_attrs(struct pakhus *s, const char *id, const char *version,
		     const char *json, size_t size, const char *by,
		     uint64_t *seq, struct pakhus_error *err)
{
	AUTO(pk_draft_release) struct pk_draft d = { .n = 0 };
	AUTO(pk_shared_auto) struct pk_shared *text = NULL;
	AUTO_FREE struct pk_entry *e = calloc(1, sizeof(*e));
	uint64_t first;
	int rc = pk_enter_write(s, err);

	if (!rc && !e)
		rc = pk_fail_nomem(err);
	if (!rc)
		rc = pk_say_prepare(id, version, json, size, by, e, &text, err);
	if (!rc)
		rc = pk_draft_add(&d, e, text, err);
	if (!rc)
		rc = pk_write(s, &d, *e->version ? check_draft : NULL, NULL,
			      &first, err);
	if (!rc && seq)
		*seq = first;
	return rc;
}

/* ---- out ---- */

/* What the caller gets, and the text it points into. */
struct said {
	struct pakhus_attrs public;
	struct pk_shared *text;
};

void pakhus_attrs_free(struct pakhus_attrs *a)
{
	struct said *own = (struct said *)a;

	if (!own)
		return;
	pk_shared_free(own->text);
	free(own);
}

static void said_auto(struct said **s)
{
	if (*s)
		pakhus_attrs_free(&(*s)->public);
}

/* The file that is damaged may be that of a base: says what was asked for. */
static int name_said(const struct pakhus_attrs *a, int rc,
		     struct pakhus_error *err)
{
	struct pakhus_error e;

	if (!err)
		return rc;
	e = *err;
	pk_error_init(err);
	return pk_fail(err, e.status, "%s%s%s: %s", a->id,
		       *a->version ? "@" : "", a->version, e.text);
}

/* The text cannot be read: what was replaced since may have been collected. */
static int no_text(struct pk_view *v, const struct pakhus_attrs *a, int rc,
		   struct pakhus_error *err)
{
	if (rc != PAKHUS_ECORRUPT && rc != PAKHUS_ENOTFOUND)
		return rc;
	if (pk_has_moved(v)) {
		pk_error_init(err);
		return PK_AGAIN;
	}
	if (rc == PAKHUS_ECORRUPT)
		return name_said(a, rc, err);
	pk_error_init(err);
	return pk_fail(err, PAKHUS_ECORRUPT,
		       "%s%s%s: F-11 the object %s of what is said of it is "
		       "missing", a->id, *a->version ? "@" : "", a->version,
		       a->hash);
}

static void fill(struct pakhus_attrs *a, const char *id, const char *version,
		 const struct pk_attrs *row)
{
	strcpy(a->id, id);
	strcpy(a->version, version);
	pk_hex(row->hash, PK_HASH_SIZE, a->hash);
	a->seq = row->seq;
	a->time_us = row->time;
	pk_time_text(row->time, a->time);
	strcpy(a->by, row->by);
	a->size = row->size;
}

/* A, without what is around it, and with a NUL behind. */
static int cut(struct said *s, struct pakhus_error *err)
{
	struct pakhus_attrs *a = &s->public;
	const char *at = pk_attrs_find(s->text->bytes, s->text->size, a->id,
				       a->version, a->size);
	char *copy;
	struct pk_shared *own;

	if (!at)
		return pk_fail(err, PAKHUS_ECORRUPT,
			       "log entry %llu: F-97 its text is of another id, "
			       "version or size", (unsigned long long)a->seq);
	copy = malloc(a->size + 1);
	if (!copy)
		return pk_fail_nomem(err);
	memcpy(copy, at, a->size);
	copy[a->size] = '\0';
	own = pk_shared_new(copy, a->size);
	if (!own)
		return pk_fail_nomem(err);
	pk_shared_free(s->text);
	s->text = own;
	a->text = own->bytes;
	return 0;
}

static int read_said(struct pk_view *v, const char *id, const char *version,
		     const struct pk_attrs *row, struct pakhus_attrs **out,
		     struct pakhus_error *err)
{
	AUTO(said_auto) struct said *s = calloc(1, sizeof(*s));
	int rc;

	if (!s)
		return pk_fail_nomem(err);
	fill(&s->public, id, version, row);
	rc = pk_text(v, row->hash, &s->text, err);
	if (rc)
		return no_text(v, &s->public, rc, err);
	rc = cut(s, err);
	if (rc)
		return rc;
	*out = &s->public;
	s = NULL;
	return 0;
}

static int said(struct pakhus *s, const char *id, const char *version,
		struct pakhus_attrs **out, struct pakhus_error *err)
{
	PK_VIEW v = PK_VIEW_INIT;
	struct pk_live live = { .is_live = 1 };
	struct pk_attrs row = { .seq = 0 };
	int rc = pk_view_open(&v, s, err);

	if (!rc)
		rc = pk_index_attrs(&v.txn, id, version, &row, err);
	if (rc == 1)
		return read_said(&v, id, version, &row, out, err);
	if (!rc && *version) {
		live.is_live = 0;
		rc = pk_index_version(&v.txn, id, version, &live, err);
	}
	if (rc < 0)
		return rc;
	return live.is_live ? pk_fail(err, PAKHUS_ENOTFOUND,
				      "nothing is said of %s%s%s", id,
				      *version ? "@" : "", version)
			    : fail_none(id, version, err);
}

int pakhus_attrs(struct pakhus *s, const char *id, const char *version,
		 struct pakhus_attrs **out, struct pakhus_error *err)
{
	int rc = pk_enter(s, err);

	if (!version)
		version = "";
	if (!rc)
		rc = check_names(id, version, err);
	if (rc)
		return rc;
	do
		rc = said(s, id, version, out, err);
	while (rc == PK_AGAIN || pk_mend(s, rc, err));
	return rc;
}
