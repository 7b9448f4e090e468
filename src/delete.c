/* delete.c - versions out of the live set, an entry each, in one record. */
#include "publish.h"

struct deletion {
	const char *id, *version; /* version NULL: all */
	const uint64_t *over;	  /* NULL: whatever it is */
	struct pk_entry entry;
	struct pk_draft *draft;
	struct pakhus_error *err;
};

static int add_version(void *arg, const char *version,
		       const struct pk_live *live)
{
	struct deletion *x = arg;

	(void)live;
	strcpy(x->entry.version, version);
	return pk_draft_add(x->draft, &x->entry, NULL, x->err);
}

/* Under the append lock, so that what is live stays so. */
static int collect(void *arg, struct pk_view *v, struct pk_draft *d,
		   struct pakhus_error *err)
{
	struct deletion *x = arg;
	struct pk_live live = { .is_live = 0 };
	int rc;

	pk_draft_clear(d); /* an earlier try may have filled it */
	x->draft = d;
	x->err = err;
	if (!x->version)
		return pk_index_each_version(&v->txn, x->id, add_version, x,
					     err);
	rc = x->over ? pk_expect(v, x->id, x->version, *x->over, err) : 0;
	if (!rc)
		rc = pk_index_version(&v->txn, x->id, x->version, &live, err);
	if (rc != 1 || !live.is_live)
		return rc < 0 ? rc : 0;
	return add_version(x, x->version, &live);
}

static int check_names(const char *id, const char *version, const char *by,
		       struct pakhus_error *err)
{
	if (!*id || strlen(id) > PK_ID_MAX)
		return pk_fail(err, PAKHUS_EINVAL,
			       "the id must have 1 to %d bytes", PK_ID_MAX);
	if (version && (!*version || strlen(version) > PK_VERSION_MAX))
		return pk_fail(err, PAKHUS_EINVAL,
			       "the version must have 1 to %d bytes; none at "
			       "all means every version", PK_VERSION_MAX);
	return pk_check_by(by, err);
}

static int delete(struct pakhus *s, const char *id, const char *version,
		  const uint64_t *over, const char *by, uint64_t *count,
		  struct pakhus_error *err)
{
	AUTO(pk_draft_release) struct pk_draft d = { .n = 0 };
	AUTO_FREE struct deletion *x = calloc(1, sizeof(*x));
	uint64_t first;
	int rc = pk_enter_write(s, err);

	if (!rc)
		rc = check_names(id, version, by, err);
	if (!rc && over && !*over)
		rc = pk_fail(err, PAKHUS_EINVAL,
			     "entry 0 sets the content of no version");
	if (rc)
		return rc;
	if (!x)
		return pk_fail_nomem(err);
	x->id = id;
	x->version = version;
	x->over = over;
	x->entry.op = PK_OP_DELETE;
	x->entry.time = pk_now();
	strcpy(x->entry.id, id);
	if (by)
		strcpy(x->entry.by, by);
	rc = pk_write(s, &d, collect, x, &first, err);
	if (!rc && count)
		*count = d.n;
	return rc;
}

int pakhus_delete(struct pakhus *s, const char *id, const char *version,
		  const char *by, uint64_t *count, struct pakhus_error *err)
{
	return delete(s, id, version, NULL, by, count, err);
}

int pakhus_delete_over(struct pakhus *s, const char *id, const char *version,
		       uint64_t seq, const char *by, struct pakhus_error *err)
{
	return delete(s, id, version ? version : "", &seq, by, NULL, err);
}
