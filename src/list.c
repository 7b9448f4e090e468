/* list.c - pages of packages and of versions, newest place first. */
#include "package.h"
#include "hex.h"

/* ---- packages ---- */

struct listing {
	struct pk_view *view;
	struct pakhus_list *page;
	size_t limit;
	unsigned flags;
	int filled; /* manifests that the index did not have */
	struct pakhus_error *err;
};

void pakhus_list_free(struct pakhus_list *list)
{
	if (!list)
		return;
	for (size_t i = 0; i < list->count; i++)
		pakhus_package_free(list->items[i]);
	free(list->items);
	free(list);
}

static void list_auto(struct pakhus_list **list)
{
	pakhus_list_free(*list);
}

static int list_item(void *arg, const struct pk_latest *latest)
{
	struct listing *l = arg;
	struct pakhus_list *page = l->page;
	int rc;

	if (page->count == l->limit) {
		/* the next page begins below the last one shown */
		page->next = page->items[page->count - 1]->record.place;
		return 1;
	}
	if (latest->manifest.at && !(l->flags & PAKHUS_DOCUMENTS)) {
		rc = pk_package_latest(latest, &page->items[page->count],
				       l->err);
	} else {
		rc = pk_package(l->view, latest->id, latest->version,
				&latest->live, &page->items[page->count],
				l->err);
		if (rc || l->flags & PAKHUS_DOCUMENTS)
			goto out;
		rc = pk_package_reduce(page->items[page->count], l->err);
		if (latest->live.manifest_size <= PK_MANIFEST_MAX)
			l->filled++;
	}
out:
	if (!rc)
		page->count++;
	return rc;
}

static int list(struct pakhus *s, struct pakhus_range range, unsigned flags,
		int *filled, struct pakhus_list **out, struct pakhus_error *err)
{
	AUTO(list_auto) struct pakhus_list *page = calloc(1, sizeof(*page));
	PK_VIEW v = PK_VIEW_INIT;
	struct listing l = { &v, page, pk_limit(range), flags, 0, err };
	int rc;

	if (page)
		page->items = calloc(l.limit, sizeof(*page->items));
	if (!page || !page->items)
		return pk_fail_nomem(err);
	rc = pk_view_open(&v, s, err);
	if (!rc)
		rc = pk_index_each_latest(&v.txn, range.before, list_item, &l,
					  err);
	if (!rc && !range.before && page->count != pk_index_packages(&v.txn))
		rc = pk_index_fail_missing(&v.txn, err);
	if (rc < 0 || rc == PK_AGAIN)
		return rc;
	page->position = v.txn.stamp.applied;
	*filled = l.filled;
	*out = PK_MOVE(page);
	return 0;
}

/* After a rebuild the index has no manifests: who reads them anyway puts
 * them there. What fails here only costs the next one the same. */
static void keep_manifests(struct pakhus *s, const struct pakhus_list *page)
{
	PK_HELD held = { NULL, 0 };
	AUTO(pk_txn_end) struct pk_txn t = PK_TXN_INIT;
	int rc;

	if (pk_use(s->env, NULL))
		return;
	/* a reader waits for no writer, who may be stopped; all who write to
	 * the index hold this */
	rc = pk_hold_try(&held, &s->env->locks, PK_LOCK_COMMIT) &&
			     pk_is_current(s->env)
		     ? pk_txn_write(&t, s->env->index, NULL)
		     : PAKHUS_EBUSY;
	for (size_t i = 0; i < page->count && !rc; i++) {
		const struct pakhus_package *p = page->items[i];
		struct pk_bytes manifest = { (const void *)p->manifest,
					     p->manifest_size };
		unsigned char hash[PK_HASH_SIZE];

		pk_unhex(p->record.hash, hash, PK_HASH_SIZE);
		if (manifest.left <= PK_MANIFEST_MAX)
			rc = pk_index_keep_manifest(&t, p->record.place, hash,
						    manifest, NULL);
	}
	if (!rc)
		pk_txn_commit(&t, NULL);
	pk_txn_end(&t);
	pk_let_go(&held);
	pthread_rwlock_unlock(&s->env->use);
}

int pakhus_list(struct pakhus *s, struct pakhus_range range, unsigned flags,
		struct pakhus_list **out, struct pakhus_error *err)
{
	int filled = 0, rc = pk_enter(s, err);

	if (rc)
		return rc;
	do
		rc = list(s, range, flags, &filled, out, err);
	while (rc == PK_AGAIN || pk_mend(s, rc, err));
	if (!rc && filled && s->env->has_local)
		keep_manifests(s, *out);
	return rc;
}

/* ---- versions ---- */

struct versions {
	struct pk_view *view;
	struct pakhus_versions *page;
	const char *id;
	size_t limit;
	struct pakhus_error *err;
};

void pakhus_versions_free(struct pakhus_versions *v)
{
	if (!v)
		return;
	free(v->items);
	free(v);
}

static void versions_auto(struct pakhus_versions **v)
{
	pakhus_versions_free(*v);
}

static int version_item(void *arg, uint64_t seq, const struct pk_line *line)
{
	struct versions *x = arg;
	struct pakhus_versions *page = x->page;
	struct pk_live live;
	int rc;

	(void)seq;
	if (!line->is_place)
		return 0;
	if (page->count == x->limit) {
		page->next = page->items[page->count - 1].place;
		return 1;
	}
	rc = pk_index_version(&x->view->txn, x->id, line->version, &live,
			      x->err);
	if (rc != 1)
		return rc ? rc : pk_index_fail_missing(&x->view->txn, x->err);
	pk_record_fill(&page->items[page->count++], x->id, line->version,
		       &live);
	return 0;
}

/* That all there are is as many as the package's head says. */
static int check_count(struct versions *x, struct pakhus_range range)
{
	struct pk_head head = { 0, 0, 0 };
	int rc;

	if (range.before || x->page->next || !*x->id ||
	    strlen(x->id) > PK_ID_MAX)
		return 0;
	rc = pk_index_head(&x->view->txn, x->id, &head, x->err);
	if (rc < 0 || head.live == x->page->count)
		return rc < 0 ? rc : 0;
	return pk_index_fail_missing(&x->view->txn, x->err);
}

static int versions(struct pakhus *s, const char *id,
		    struct pakhus_range range, struct pakhus_versions **out,
		    struct pakhus_error *err)
{
	AUTO(versions_auto) struct pakhus_versions *page =
		calloc(1, sizeof(*page));
	PK_VIEW v = PK_VIEW_INIT;
	struct versions x = { &v, page, id, pk_limit(range), err };
	int rc;

	if (page)
		page->items = calloc(x.limit, sizeof(*page->items));
	if (!page || !page->items)
		return pk_fail_nomem(err);
	rc = pk_view_open(&v, s, err);
	if (!rc && *id && strlen(id) <= PK_ID_MAX)
		rc = pk_index_each_line(&v.txn, id, range.before, version_item,
					&x, err);
	if (rc >= 0)
		rc = check_count(&x, range);
	if (rc < 0)
		return rc;
	page->position = v.txn.stamp.applied;
	*out = PK_MOVE(page);
	return 0;
}

int pakhus_versions(struct pakhus *s, const char *id,
		    struct pakhus_range range, struct pakhus_versions **out,
		    struct pakhus_error *err)
{
	int rc = pk_enter(s, err);

	if (rc)
		return rc;
	do
		rc = versions(s, id, range, out, err);
	while (pk_mend(s, rc, err));
	return rc;
}
