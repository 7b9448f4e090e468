/* apply.c - what an entry does to the rows of its package (F-25, F-26, F-90,
 * F-98).
 *
 * One implementation for an index in use and for one that is being made:
 * rows.h says where a row goes.
 */
#include "rows.h"
#include "attrs.h"

#include <string.h>

static int apply_publish(struct pk_txn *t, uint64_t seq,
			 const struct pk_entry *e, struct pk_bytes manifest,
			 struct pakhus_error *err)
{
	struct pk_line line = { .is_publish = 1 };
	struct pk_head head = { 0, 0, 0 };
	struct pk_live live = { .is_live = 0 };
	struct pk_purged purged;
	uint64_t ordinal;
	int rc = pk_index_purged(t, e->hash, &purged, err);

	if (rc == 1)
		return pk_fail(err, PAKHUS_ECORRUPT,
			       "log entry %llu: F-91 publishes a text that "
			       "entry %llu purged", (unsigned long long)seq,
			       (unsigned long long)purged.seq);
	if (!rc)
		rc = pk_index_head(t, e->id, &head, err);
	if (rc >= 0)
		rc = pk_index_version(t, e->id, e->version, &live, err);
	if (rc < 0)
		return rc;
	ordinal = t->ordinal = head.publishes++;
	if (!live.is_live) {
		rc = pk_row_del_latest(t, head.place, err);
		if (rc)
			return rc;
		live.is_live = line.is_place = 1;
		live.created = e->time;
		live.place = head.place = seq;
		live.place_ordinal = ordinal;
		head.live++;
		t->stamp.live++;
	}
	live.seq = seq;
	live.updated = e->time;
	live.manifest_size = e->manifest_size;
	live.metadata_size = e->metadata_size;
	memcpy(live.hash, e->hash, PK_HASH_SIZE);
	memcpy(line.hash, e->hash, PK_HASH_SIZE);
	strcpy(line.version, e->version);
	rc = pk_row_put_line(t, e->id, ordinal, seq, &line, err);
	if (!rc)
		rc = pk_row_put_version(t, e->id, e->version, &live, err);
	if (!rc && live.place == head.place)
		rc = pk_row_put_latest(t, e->id, e->version, &live, manifest,
				       err);
	return rc ? rc : pk_row_put_head(t, e->id, &head, err);
}

/* Takes a live version out. */
static int take_out(struct pk_txn *t, const struct pk_entry *e,
		    struct pk_head *head, struct pk_live *live,
		    struct pakhus_error *err)
{
	struct pk_line place = { .is_publish = 1 };
	struct pk_newest newest = { 0, "" };
	struct pk_bytes none = { NULL, 0 };
	struct pk_live other;
	/* the line entry of the insertion stands for a live one no more; its
	 * hash is the one it was inserted with */
	int rc = pk_row_get_place(t, e->id, live, &place, err);

	if (rc != 1)
		return rc < 0 ? rc : pk_index_fail_missing(t, err);
	place.is_place = 0;
	rc = pk_row_put_line(t, e->id, live->place_ordinal, live->place, &place,
			     err);
	if (rc)
		return rc;
	live->is_live = 0;
	head->live--;
	t->stamp.live--;
	rc = pk_row_put_version(t, e->id, e->version, live, err);
	if (!rc)
		rc = pk_row_del_attrs(t, e->id, e->version, err);
	if (rc || live->place != head->place)
		return rc;
	rc = pk_row_del_latest(t, head->place, err);
	if (!rc)
		rc = pk_row_find_newest(t, e->id, live->place, &newest, err);
	head->place = newest.place;
	if (rc == 1)
		rc = pk_index_version(t, e->id, newest.version, &other, err);
	return rc == 1 ? pk_row_put_latest(t, e->id, newest.version, &other,
					   none, err)
		       : rc;
}

/* The entry in its package's line, and what the package adds up to. */
static int end_line(struct pk_txn *t, uint64_t seq, const struct pk_entry *e,
		    const struct pk_head *head, struct pakhus_error *err)
{
	struct pk_line line = { .is_attrs = e->op == PK_OP_ATTRS };
	uint64_t ordinal = head->publishes ? head->publishes - 1 : 0;
	int rc;

	strcpy(line.version, e->version);
	if (line.is_attrs)
		memcpy(line.hash, e->hash, PK_HASH_SIZE);
	rc = pk_row_put_line(t, e->id, ordinal, seq, &line, err);
	return rc ? rc : pk_row_put_head(t, e->id, head, err);
}

static int apply_delete(struct pk_txn *t, uint64_t seq,
			const struct pk_entry *e, struct pakhus_error *err)
{
	struct pk_head head;
	struct pk_live live = { .is_live = 0 };
	int rc = pk_index_head(t, e->id, &head, err);

	if (rc == 1)
		rc = pk_index_version(t, e->id, e->version, &live, err);
	if (rc < 0)
		return rc;
	if (!rc || !live.is_live)
		return pk_fail(err, PAKHUS_ECORRUPT,
			       "log entry %llu: F-26 deletes what is not there",
			       (unsigned long long)seq);
	rc = take_out(t, e, &head, &live, err);
	return rc ? rc : end_line(t, seq, e, &head, err);
}

static int fail_attrs(uint64_t seq, const char *what, struct pakhus_error *err)
{
	return pk_fail(err, PAKHUS_ECORRUPT, "log entry %llu: %s",
		       (unsigned long long)seq, what);
}

static int say(struct pk_txn *t, uint64_t seq, const struct pk_entry *e,
	       struct pakhus_error *err)
{
	struct pk_attrs old = { .seq = 0 };
	struct pk_attrs attrs = { .seq = seq, .time = e->time,
				  .size = e->size };
	int rc;

	if (!e->size)
		return pk_row_del_attrs(t, e->id, e->version, err);
	rc = pk_index_attrs(t, e->id, e->version, &old, err);
	if (rc < 0)
		return rc;
	memcpy(attrs.hash, e->hash, PK_HASH_SIZE);
	memcpy(attrs.before,
	       memcmp(old.hash, e->hash, PK_HASH_SIZE) ? old.hash : old.before,
	       PK_HASH_SIZE);
	strcpy(attrs.by, e->by);
	return pk_row_put_attrs(t, e->id, e->version, &attrs, err);
}

static int apply_attrs(struct pk_txn *t, uint64_t seq,
		       const struct pk_entry *e, struct pakhus_error *err)
{
	struct pk_live live = { .is_live = 0 };
	struct pk_head head = { 0, 0, 0 };
	struct pk_purged purged;
	int rc = 0;

	t->ordinal = 0;
	if (!pk_attrs_is_sound(e->hash, e->size))
		return fail_attrs(seq, "F-97 its size is not that of what can "
				       "be said", err);
	if (e->size)
		rc = pk_index_purged(t, e->hash, &purged, err);
	if (rc == 1)
		return fail_attrs(seq, "F-91 says what was purged", err);
	if (!rc)
		rc = pk_index_head(t, e->id, &head, err);
	if (rc >= 0 && *e->version)
		rc = pk_index_version(t, e->id, e->version, &live, err);
	if (rc < 0)
		return rc;
	if (*e->version && !live.is_live)
		return fail_attrs(seq, "F-98 speaks of a version that is not "
				       "there", err);
	rc = say(t, seq, e, err);
	return rc ? rc : end_line(t, seq, e, &head, err);
}

/* Whether the text was ever published for the version, or said. */
static int was_published(struct pk_txn *t, const struct pk_entry *e,
			 const struct pk_live *live, struct pakhus_error *err)
{
	static const unsigned char none[PK_HASH_SIZE];

	if (!memcmp(e->hash, none, PK_HASH_SIZE))
		return 0; /* F-97: of an attrs without a text */
	return !memcmp(live->hash, e->hash, PK_HASH_SIZE)
		       ? 1
		       : pk_row_was_published(t, e->id, e->version, e->hash,
					      err);
}

/* What a live version is, or what is said, with the text that goes. */
static int purge_current(struct pk_txn *t, const struct pk_entry *e,
			 struct pk_head *head, struct pk_live *live,
			 struct pakhus_error *err)
{
	struct pk_attrs attrs;
	int rc;

	if (live->is_live && !memcmp(live->hash, e->hash, PK_HASH_SIZE))
		return take_out(t, e, head, live, err);
	rc = pk_index_attrs(t, e->id, e->version, &attrs, err);
	if (rc != 1 || memcmp(attrs.hash, e->hash, PK_HASH_SIZE))
		return rc < 0 ? rc : 0;
	return pk_row_del_attrs(t, e->id, e->version, err);
}

static int apply_purge(struct pk_txn *t, uint64_t seq,
		       const struct pk_entry *e, struct pakhus_error *err)
{
	struct pk_purged purged;
	struct pk_head head = { 0, 0, 0 };
	struct pk_live live = { .is_live = 0 };
	int rc = pk_index_purged(t, e->hash, &purged, err);

	if (rc == 1)
		return pk_fail(err, PAKHUS_ECORRUPT,
			       "log entry %llu: F-90 purges what entry %llu "
			       "purged", (unsigned long long)seq,
			       (unsigned long long)purged.seq);
	if (!rc)
		rc = pk_index_head(t, e->id, &head, err);
	if (rc == 1 && *e->version)
		rc = pk_index_version(t, e->id, e->version, &live, err);
	if (rc == 1)
		rc = was_published(t, e, &live, err);
	if (rc < 0)
		return rc;
	if (!rc)
		return pk_fail(err, PAKHUS_ECORRUPT,
			       "log entry %llu: F-90 purges what was never "
			       "published", (unsigned long long)seq);
	purged.seq = seq;
	rc = pk_row_put_purged(t, e->hash, &purged, err);
	if (!rc)
		rc = purge_current(t, e, &head, &live, err);
	return rc ? rc : end_line(t, seq, e, &head, err);
}

static int apply_key(struct pk_txn *t, uint64_t seq, const struct pk_entry *e,
		     struct pakhus_error *err)
{
	struct pk_stamp *st = &t->stamp;
	struct pk_vkey k;
	const char *fault = pk_vkey_decode(e->text, strlen(e->text), &k);

	if (!fault && seq && !memcmp(k.key, st->key, PK_PUBLIC_SIZE))
		fault = "F-67 the key is in force already";
	if (fault)
		return pk_fail(err, PAKHUS_ECORRUPT, "log entry %llu: %s",
			       (unsigned long long)seq, fault);
	memcpy(st->before, st->key, PK_PUBLIC_SIZE);
	memcpy(st->key, k.key, PK_PUBLIC_SIZE);
	st->since = seq;
	return 0;
}

int pk_index_apply(struct pk_txn *t, uint64_t seq, const struct pk_entry *e,
		   struct pk_bytes manifest, struct pakhus_error *err)
{
	int rc;

	switch (e->op) {
	case PK_OP_PUBLISH:
		rc = apply_publish(t, seq, e, manifest, err);
		break;
	case PK_OP_DELETE:
		rc = apply_delete(t, seq, e, err);
		break;
	case PK_OP_PURGE:
		rc = apply_purge(t, seq, e, err);
		break;
	case PK_OP_ATTRS:
		rc = apply_attrs(t, seq, e, err);
		break;
	case PK_OP_KEY:
		rc = apply_key(t, seq, e, err);
		break;
	default:
		rc = pk_fail(err, PAKHUS_EVERSION,
			     "log entry %llu: F-24 a later pakhus is needed "
			     "for the op %s",
			     (unsigned long long)seq, pk_op_name(e->op));
	}
	if (!rc)
		t->stamp.applied = seq + 1;
	return rc;
}
