/* history.c - log entries, newest first. */
#include "package.h"
#include "hex.h"

#include <stdio.h>

struct history {
	struct pk_view *view;
	struct pakhus_history *page;
	size_t limit;
	struct pk_entry *scratch;
	struct pakhus_error *err;
};

void pakhus_history_free(struct pakhus_history *h)
{
	if (!h)
		return;
	free(h->items);
	free(h);
}

static void history_auto(struct pakhus_history **h)
{
	pakhus_history_free(*h);
}

void pk_entry_fill(struct pakhus_entry *out, uint64_t seq,
		   const struct pk_entry *e)
{
	out->seq = seq;
	out->time_us = e->time;
	pk_time_text(e->time, out->time);
	snprintf(out->op, sizeof(out->op), "%s", pk_op_name(e->op));
	strcpy(out->id, e->id);
	strcpy(out->version, e->version);
	strcpy(out->by, e->by);
	if (e->op == PK_OP_PUBLISH || e->op == PK_OP_PURGE ||
	    (e->op == PK_OP_ATTRS && e->size))
		pk_hex(e->hash, PK_HASH_SIZE, out->hash);
	if (e->op == PK_OP_PURGE)
		strcpy(out->reason, e->text);
	out->manifest_size = e->manifest_size;
	out->metadata_size = e->metadata_size;
	out->attrs_size = e->size;
}

static int line_item(void *arg, uint64_t seq, const struct pk_line *line)
{
	struct history *h = arg;
	struct pakhus_history *page = h->page;

	(void)line;
	if (page->count == h->limit) {
		page->next = page->items[page->count - 1].seq;
		return 1;
	}
	page->items[page->count++].seq = seq;
	return 0;
}

/* Of a walk over the log, those of the page; the next one is the last. */
static int pick_item(void *arg, uint64_t seq, const char *line, size_t size)
{
	struct history *h = arg;
	size_t at = h->limit - 1;
	const char *fault;

	if (h->page->items[at].seq != seq)
		return 0;
	fault = pk_entry_decode(line, size, h->scratch);
	if (fault)
		return pk_fail(h->err,
			       fault == pk_entry_newer ? PAKHUS_EVERSION
						       : PAKHUS_ECORRUPT,
			       "log entry %llu: %s", (unsigned long long)seq,
			       fault);
	pk_entry_fill(&h->page->items[at], seq, h->scratch);
	h->limit = at;
	return 0;
}

/* The entries of a page, in one walk for those of a bundle, and in one for
 * those in the journal, which has to be read from its beginning. */
static int fill_lines(struct history *h)
{
	struct pk_env *env = h->view->store->env;
	struct pakhus_entry *items = h->page->items;
	uint64_t log = env->has_local
			       ? atomic_load(&env->journal.page->checkpoint)
			       : UINT64_MAX;
	int rc = 0;

	h->limit = h->page->count;
	while (!rc && h->limit) {
		size_t last = h->limit - 1;
		uint64_t from = items[last].seq;
		uint64_t to = (from / PK_TILE_WIDTH + 1) * PK_TILE_WIDTH;

		to = from >= log ? UINT64_MAX : to < log ? to : log;
		while (last && items[last - 1].seq < to)
			last--;
		rc = pk_entries(h->view, from, items[last].seq + 1, pick_item,
				h, h->err);
	}
	return rc;
}

/* An entry of the whole log, which is walked upwards: its page is filled
 * from the end. */
static int log_item(void *arg, uint64_t seq, const char *line, size_t size)
{
	struct history *h = arg;
	const char *fault = pk_entry_decode(line, size, h->scratch);

	if (fault)
		return pk_fail(h->err,
			       fault == pk_entry_newer ? PAKHUS_EVERSION
						       : PAKHUS_ECORRUPT,
			       "log entry %llu: %s", (unsigned long long)seq,
			       fault);
	pk_entry_fill(&h->page->items[--h->limit], seq, h->scratch);
	return 0;
}

static int whole_log(struct history *h, uint64_t before)
{
	uint64_t to = h->view->txn.stamp.applied, from;

	if (before && before < to)
		to = before;
	from = to > h->limit ? to - h->limit : 0;
	h->page->count = h->limit = (size_t)(to - from);
	h->page->next = from;
	return pk_entries(h->view, from, to, log_item, h, h->err);
}

static int history(struct pakhus *s, const char *id, struct pakhus_range range,
		   struct pakhus_history **out, struct pakhus_error *err)
{
	AUTO(history_auto) struct pakhus_history *page =
		calloc(1, sizeof(*page));
	AUTO_FREE struct pk_entry *scratch = malloc(sizeof(*scratch));
	PK_VIEW v = PK_VIEW_INIT;
	struct history h = { &v, page, pk_limit(range), scratch, err };
	int rc;

	if (page)
		page->items = calloc(h.limit, sizeof(*page->items));
	if (!page || !page->items || !scratch)
		return pk_fail_nomem(err);
	rc = pk_view_open(&v, s, err);
	if (rc)
		return rc;
	page->position = v.txn.stamp.applied;
	if (!id)
		rc = whole_log(&h, range.before);
	else if (*id && strlen(id) <= PK_ID_MAX)
		rc = pk_index_each_line(&v.txn, id, range.before, line_item,
					&h, err);
	if (rc >= 0 && id)
		rc = fill_lines(&h);
	if (rc < 0)
		return rc;
	*out = PK_MOVE(page);
	return 0;
}

int pakhus_history(struct pakhus *s, const char *id, struct pakhus_range range,
		   struct pakhus_history **out, struct pakhus_error *err)
{
	int rc = pk_enter(s, err);

	if (rc)
		return rc;
	do
		rc = history(s, id, range, out, err);
	while (pk_mend(s, rc, err));
	return rc;
}
