/* get.c - one package out: latest, pinned, by position, by hash. */
#include "package.h"
#include "hex.h"
#include "purge.h"

#include <stdio.h>

/* ---- latest and pinned ---- */

static int fail_none(const char *id, const char *version,
		     struct pakhus_error *err)
{
	return pk_fail(err, PAKHUS_ENOTFOUND, "not found: %s%s%s", id,
		       version ? "@" : "", version ? version : "");
}

/* 1: live, 0: none; DEAD: it was published, and is not live. */
#define DEAD 2
static int look(struct pk_view *v, const char *id, const char *version,
		struct pk_latest *out, struct pakhus_error *err)
{
	struct pk_head head;
	int rc;

	if (!*id || strlen(id) > PK_ID_MAX ||
	    (version && strlen(version) > PK_VERSION_MAX))
		return 0;
	if (!version || !*version || !strcmp(version, "latest")) {
		rc = pk_index_head(&v->txn, id, &head, err);
		if (rc != 1 || !head.place)
			return rc < 0 ? rc : 0;
		rc = pk_index_latest(&v->txn, head.place, out, err);
		return rc ? rc : pk_index_fail_missing(&v->txn, err);
	}
	rc = pk_index_version(&v->txn, id, version, &out->live, err);
	snprintf(out->version, sizeof(out->version), "%s", version);
	return rc == 1 && !out->live.is_live ? DEAD : rc;
}

static int find(struct pk_view *v, const char *id, const char *version,
		struct pk_latest *out, struct pakhus_error *err)
{
	char name[PK_ID_MAX + 1 + PK_VERSION_MAX + 1];
	int rc = look(v, id, version, out, err);

	if (rc != DEAD)
		return rc;
	snprintf(name, sizeof(name), "%s@%s", id, version);
	return pk_purge_find(v, out->live.hash, name, PAKHUS_ENOTFOUND, err);
}

int pk_find(struct pk_view *v, const char *id, const char *version,
	    struct pk_latest *out, struct pakhus_error *err)
{
	int rc = find(v, id, version, out, err);

	if (rc == 1)
		return 0;
	return rc ? rc : fail_none(id, version, err);
}

static int get(struct pakhus *s, const char *id, const char *version,
	       struct pakhus_package **out, struct pakhus_error *err)
{
	PK_VIEW v = PK_VIEW_INIT;
	struct pk_latest latest;
	int rc = pk_view_open(&v, s, err);

	if (!rc)
		rc = pk_find(&v, id, version, &latest, err);
	if (rc)
		return rc;
	return pk_package(&v, id, latest.version, &latest.live, out, err);
}

int pakhus_get(struct pakhus *s, const char *id, const char *version,
	       struct pakhus_package **out, struct pakhus_error *err)
{
	int rc = pk_enter(s, err);

	if (rc)
		return rc;
	do
		rc = get(s, id, version, out, err);
	while (rc == PK_AGAIN || pk_mend(s, rc, err));
	return rc;
}

static int get_cached(struct pakhus *s, const char *id, const char *version,
		      struct pakhus_package **out, struct pakhus_error *err)
{
	AUTO(pk_shared_auto) struct pk_shared *text = NULL;
	PK_VIEW v = PK_VIEW_INIT;
	struct pk_latest latest;

	if (pk_view_try(&v, s, NULL) ||
	    look(&v, id, version, &latest, NULL) != 1)
		return PAKHUS_EBUSY;
	text = pk_cache_get(s->cache, latest.live.hash);
	return text ? pk_package(&v, id, latest.version, &latest.live, out, err)
		    : PAKHUS_EBUSY;
}

int pakhus_get_cached(struct pakhus *s, const char *id, const char *version,
		      struct pakhus_package **out, struct pakhus_error *err)
{
	int rc = pk_enter(s, err);

	if (rc)
		return rc;
	rc = get_cached(s, id, version, out, NULL);
	return rc ? pk_fail(err, PAKHUS_EBUSY,
			    "%s: what was asked for is not at hand", id)
		  : 0;
}

/* ---- by position ---- */

static int get_at(struct pakhus *s, uint64_t seq, struct pakhus_package **out,
		  struct pakhus_error *err)
{
	PK_VIEW v = PK_VIEW_INIT;
	AUTO_FREE struct pk_entry *e = malloc(sizeof(*e));
	struct pk_live live = { .seq = seq, .place = seq };
	char name[40 + PK_ID_MAX + 1 + PK_VERSION_MAX + 1];
	int rc = e ? pk_view_open(&v, s, err) : pk_fail_nomem(err);

	if (!rc)
		rc = pk_entry_at(&v, seq, e, err);
	if (rc)
		return rc;
	if (e->op == PK_OP_ATTRS)
		return pk_fail(err, PAKHUS_ENOTFOUND,
			       "log entry %llu is no publish, but says what is "
			       "to be known of %s%s%s; its text is read by its "
			       "hash", (unsigned long long)seq, e->id,
			       *e->version ? "@" : "", e->version);
	if (e->op != PK_OP_PUBLISH)
		return pk_fail(err, PAKHUS_ENOTFOUND,
			       "log entry %llu is no publish but a %s",
			       (unsigned long long)seq, pk_op_name(e->op));
	live.created = live.updated = e->time;
	live.manifest_size = e->manifest_size;
	live.metadata_size = e->metadata_size;
	memcpy(live.hash, e->hash, PK_HASH_SIZE);
	snprintf(name, sizeof(name), "log entry %llu: %s@%s",
		 (unsigned long long)seq, e->id, e->version);
	rc = pk_purge_find(&v, live.hash, name, PAKHUS_ENOTFOUND, err);
	if (rc)
		return rc;
	return pk_package(&v, e->id, e->version, &live, out, err);
}

int pakhus_get_at(struct pakhus *s, uint64_t seq, struct pakhus_package **out,
		  struct pakhus_error *err)
{
	int rc = pk_enter(s, err);

	if (rc)
		return rc;
	do
		rc = get_at(s, seq, out, err);
	while (rc == PK_AGAIN || pk_mend(s, rc, err));
	return rc;
}

/* ---- by hash ---- */

static int read_text(struct pakhus *s, const unsigned char *hash, char **text,
		     size_t *size, struct pakhus_error *err)
{
	AUTO(pk_shared_auto) struct pk_shared *t = NULL;
	struct pakhus_error e = { .status = 0 };
	PK_VIEW v = PK_VIEW_INIT;
	int rc = pk_view_open(&v, s, err);
	char *copy, name[PK_HEX_SIZE + 1];

	pk_hex(hash, PK_HASH_SIZE, name);
	if (!rc)
		rc = pk_purge_find(&v, hash, name, PAKHUS_ENOTFOUND, err);
	if (!rc)
		rc = pk_text(&v, hash, &t, &e);
	if (rc == PAKHUS_ENOTFOUND && e.status)
		return pk_fail(err, rc, "%s: no such object, or one that was "
					"collected", name);
	if (rc && e.status && err)
		*err = e;
	if (rc)
		return rc;
	copy = malloc(t->size + 1);
	if (!copy)
		return pk_fail_nomem(err);
	memcpy(copy, t->bytes, t->size + 1);
	*text = copy;
	*size = t->size;
	return 0;
}

int pakhus_read(struct pakhus *s, const char *hash, char **text, size_t *size,
		struct pakhus_error *err)
{
	unsigned char raw[PK_HASH_SIZE];
	int rc = pk_enter(s, err);

	if (rc)
		return rc;
	if (strlen(hash) != PK_HEX_SIZE || pk_unhex(hash, raw, PK_HASH_SIZE))
		return pk_fail(err, PAKHUS_EINVAL,
			       "a hash is 64 hexadecimal digits in lower case");
	do
		rc = read_text(s, raw, text, size, err);
	while (pk_mend(s, rc, err));
	return rc;
}
