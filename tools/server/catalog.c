/* catalog.c - how it stays what the store is:
 *
 *	(1) position says how many entries of the log are in it. A call that
 *	    finds the store's position beyond it brings it there first, one
 *	    thread at a time, and the others go on with what was.
 *	(2) A package that an entry names is read anew, at whatever position
 *	    the store is by then: it may be newer than position, never older,
 *	    and the next look brings it to the same.
 *	(3) It is made by a walk through the list after position was taken. A
 *	    package that moved meanwhile is met twice or not at all, and an
 *	    entry behind position names it.
 */
#include "catalog.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fail.h"
#include "market_load.h"

enum { PAGE = 1000 };

struct line {
	char *id;
	uint64_t place;
	int is_listed;
	char *name;	/* as people read it */
	char *category; /* canonical JSON, or NULL */
	char *summary;
	size_t summary_size;
};

struct lines {
	struct line **item;
	size_t count, room;
};

struct names {
	char **item;
	size_t count, room;
};

struct catalog {
	struct pakhus *store;
	void (*notice)(void *arg, const char *text);
	void *arg;
	struct names damaged;	  /* packages left out: with bringing held */
	pthread_mutex_t bringing; /* held by who changes anything below */
	pthread_rwlock_t lock;	  /* and this besides while it is changed */
	uint64_t position;	  /* 0: it was not made yet */
	struct lines by_id, by_place;
};

/* ---- lines ---- */

static void line_free(struct line *line)
{
	if (!line)
		return;
	free(line->id);
	free(line->name);
	free(line->category);
	free(line->summary);
	free(line);
}

static char *copy(struct slice s)
{
	return s.text ? strndup(s.text, s.size) : NULL;
}

/* NULL: out of memory. */
static struct line *line_of(const struct market_package *p)
{
	struct slice name = market_name(p), category = market_category(p);
	struct line *line = calloc(1, sizeof(*line));
	struct text t = {0};
	int is_failed = 0;

	if (!line)
		return NULL;
	if (category.size > PAKHUS_ID_MAX)
		category.text = NULL; /* what nobody searches by */
	if (name.size > 4096)
		name.text = NULL;
	line->id = strdup(p->id);
	line->place = p->versions[0].record.place;
	line->is_listed = market_is_listed(p->attrs);
	line->category = copy(category);
	line->name = name.text ? slice_string(name, NULL, &is_failed) : NULL;
	if (!line->name && !is_failed)
		line->name = strdup(p->id);
	market_summary(&t, p);
	line->summary_size = t.size;
	line->summary = t.data;
	if (!line->id || !line->name || t.is_failed ||
	    (category.text && !line->category)) {
		line_free(line);
		return NULL;
	}
	return line;
}

/* ---- their two orders ---- */

static int by_id(const struct line *a, const struct line *b)
{
	return strcmp(a->id, b->id);
}

static int by_place(const struct line *a, const struct line *b)
{
	return (a->place < b->place) - (a->place > b->place);
}

typedef int order_fn(const struct line *a, const struct line *b);

/* Where it stands, or would. */
static size_t find(const struct lines *l, order_fn *order,
		   const struct line *line)
{
	size_t from = 0, to = l->count, middle;

	while (from < to) {
		middle = from + (to - from) / 2;
		if (order(l->item[middle], line) < 0)
			from = middle + 1;
		else
			to = middle;
	}
	return from;
}

static int make_room(struct lines *l)
{
	size_t room = l->room ? 2 * l->room : 64;
	struct line **item;

	if (l->count < l->room)
		return 1;
	item = realloc(l->item, room * sizeof(struct line *));
	if (!item)
		return 0;
	l->item = item;
	l->room = room;
	return 1;
}

static void insert(struct lines *l, order_fn *order, struct line *line)
{
	size_t at = find(l, order, line);

	memmove(l->item + at + 1, l->item + at,
		(l->count++ - at) * sizeof(struct line *));
	l->item[at] = line;
}

static void take_out(struct lines *l, order_fn *order, const struct line *line)
{
	size_t at = find(l, order, line);

	memmove(l->item + at, l->item + at + 1,
		(--l->count - at) * sizeof(struct line *));
}

/* Puts a line in the place of what stands under its id; line NULL: nothing. */
static int put(struct catalog *c, const char *id, struct line *line)
{
	struct line key = {.id = (char *)(uintptr_t)id}, *old;
	size_t at = find(&c->by_id, by_id, &key);

	if (!make_room(&c->by_id) || !make_room(&c->by_place))
		return -1;
	if (at < c->by_id.count && !strcmp(c->by_id.item[at]->id, id)) {
		old = c->by_id.item[at];
		take_out(&c->by_id, by_id, old);
		take_out(&c->by_place, by_place, old);
		line_free(old);
	}
	if (line) {
		insert(&c->by_id, by_id, line);
		insert(&c->by_place, by_place, line);
	}
	return 0;
}

/* ---- names ---- */

static int name_add(struct names *n, const char *id)
{
	size_t room = n->room ? 2 * n->room : 64;
	char **item = n->item;

	if (n->count == n->room) {
		item = realloc(n->item, room * sizeof(char *));
		if (!item)
			return -1;
		n->item = item;
		n->room = room;
	}
	item[n->count] = strdup(id);
	return item[n->count] ? (n->count++, 0) : -1;
}

static char **name_find(const struct names *n, const char *id)
{
	size_t i;

	for (i = 0; i < n->count; i++)
		if (!strcmp(n->item[i], id))
			return &n->item[i];
	return NULL;
}

static void name_remove(struct names *n, const char *id)
{
	char **at = name_find(n, id);

	if (!at)
		return;
	free(*at);
	*at = n->item[--n->count];
}

static void names_free(struct names *n)
{
	size_t i;

	for (i = 0; i < n->count; i++)
		free(n->item[i]);
	free(n->item);
}

/* ---- reading the store ---- */

/* One package that is damaged is no reason to list no other: it is said to
 * the operator, once, and looked at again whenever something is published. */
static int leave_out(struct catalog *c, const char *id,
		     struct pakhus_error *err)
{
	char text[sizeof(err->text) + PAKHUS_ID_MAX + 64];

	if (name_find(&c->damaged, id))
		return 0;
	if (name_add(&c->damaged, id))
		return server_fail_nomem(err);
	snprintf(text, sizeof(text), "%s is left out of the marketplace: %s",
		 id, err->text);
	if (c->notice)
		c->notice(c->arg, text);
	return 0;
}

/* Brings one package to what it is. */
static int refresh(struct catalog *c, const char *id,
		   const struct pakhus_package *listed,
		   struct pakhus_error *err)
{
	struct market_package *p = NULL;
	struct line *line = NULL;
	int rc = market_load(c->store, id, 0, listed, &p, err);
	int is_damaged = rc == PAKHUS_ECORRUPT;

	if (is_damaged)
		rc = leave_out(c, id, err);
	if (rc && rc != PAKHUS_ENOTFOUND)
		return rc;
	if (p) {
		line = line_of(p);
		market_package_free(p);
		if (!line)
			return server_fail_nomem(err);
	}
	pthread_rwlock_wrlock(&c->lock);
	rc = put(c, id, line);
	pthread_rwlock_unlock(&c->lock);
	if (rc) {
		line_free(line);
		return server_fail_nomem(err);
	}
	if (!is_damaged)
		name_remove(&c->damaged, id);
	return 0;
}

/* Those that were damaged. Of what is removed behind i the last takes the
 * place, which was looked at. */
static int refresh_damaged(struct catalog *c, struct pakhus_error *err)
{
	size_t i;
	int rc = 0;

	for (i = c->damaged.count; !rc && i-- > 0;)
		rc = refresh(c, c->damaged.item[i], NULL, err);
	return rc;
}

static int make(struct catalog *c, struct pakhus_error *err)
{
	struct pakhus_range range = {0, PAGE};
	struct pakhus_list *page;
	size_t i;
	int rc;

	do {
		rc = pakhus_list(c->store, range, 0, &page, err);
		if (rc)
			return rc;
		for (i = 0; !rc && i < page->count; i++)
			rc = refresh(c, page->items[i]->record.id,
				     page->items[i], err);
		range.before = page->next;
		pakhus_list_free(page);
	} while (!rc && range.before);
	return rc;
}

/* The packages that entries from a position on name, the first page of them
 * being there already. */
static int collect(struct catalog *c, struct pakhus_history *page,
		   struct names *names, struct pakhus_error *err)
{
	struct pakhus_range range = {0, PAGE};
	size_t i;
	int rc;

	for (;;) {
		for (i = 0; i < page->count; i++) {
			const struct pakhus_entry *e = &page->items[i];

			if (e->seq < c->position)
				break;
			if (e->id[0] && name_add(names, e->id)) {
				pakhus_history_free(page);
				return server_fail_nomem(err);
			}
		}
		range.before = i < page->count ? 0 : page->next;
		pakhus_history_free(page);
		if (!range.before || range.before <= c->position)
			return 0;
		rc = pakhus_history(c->store, NULL, range, &page, err);
		if (rc)
			return rc;
	}
}

static int compare_names(const void *left, const void *right)
{
	const char *const *a = left, *const *b = right;

	return strcmp(*a, *b);
}

static int follow(struct catalog *c, struct pakhus_history *page,
		  struct pakhus_error *err)
{
	struct names names = {0};
	int rc = collect(c, page, &names, err);
	size_t i;

	if (names.count)
		qsort(names.item, names.count, sizeof(char *), compare_names);
	for (i = 0; i < names.count; i++) {
		if (!rc && (!i || strcmp(names.item[i - 1], names.item[i])))
			rc = refresh(c, names.item[i], NULL, err);
	}
	names_free(&names);
	return rc;
}

/* Where a page cannot be read, as what is damaged is on it: by the log, which
 * names all that there are. */
static int make_by_log(struct catalog *c, struct pakhus_error *err)
{
	struct pakhus_range range = {0, PAGE};
	struct pakhus_history *page;
	int rc = pakhus_history(c->store, NULL, range, &page, err);

	return rc ? rc : follow(c, page, err);
}

/* With c->bringing held. */
static int bring(struct catalog *c, struct pakhus_error *err)
{
	struct pakhus_range range = {0, PAGE};
	struct pakhus_history *page;
	uint64_t position;
	int rc;

	if (!c->position)
		range.limit = 1;
	rc = pakhus_history(c->store, NULL, range, &page, err);
	if (rc)
		return rc;
	position = page->position;
	if (position <= c->position) {
		pakhus_history_free(page);
		return 0;
	}
	if (c->position) {
		rc = follow(c, page, err);
	} else {
		pakhus_history_free(page);
		rc = make(c, err);
		if (rc == PAKHUS_ECORRUPT)
			rc = make_by_log(c, err);
	}
	if (!rc)
		rc = refresh_damaged(c, err);
	if (rc)
		return rc;
	pthread_rwlock_wrlock(&c->lock);
	c->position = position;
	pthread_rwlock_unlock(&c->lock);
	return 0;
}

/* Everything that was durable when this was called is in it afterwards. */
static int freshen(struct catalog *c, struct pakhus_error *err)
{
	struct pakhus_range range = {0, 1};
	struct pakhus_history *page;
	uint64_t position, have;
	int rc = pakhus_history(c->store, NULL, range, &page, err);

	if (rc)
		return rc;
	position = page->position;
	pakhus_history_free(page);
	pthread_rwlock_rdlock(&c->lock);
	have = c->position;
	pthread_rwlock_unlock(&c->lock);
	if (have >= position)
		return 0;
	pthread_mutex_lock(&c->bringing);
	if (c->position < position)
		rc = bring(c, err);
	pthread_mutex_unlock(&c->bringing);
	return rc;
}

/* ---- asking ---- */

static int fits(const struct line *line, const struct catalog_query *query,
		const struct text *category)
{
	if (category->size &&
	    (!line->category || strcmp(line->category, category->data) != 0))
		return 0;
	if (query->q && !strcasestr(line->name, query->q) &&
	    !strcasestr(line->id, query->q))
		return 0;
	return query->may(query->arg, line->id, line->is_listed);
}

int catalog_list(struct catalog *catalog, const struct catalog_query *query,
		 struct text *items, uint64_t *total, struct pakhus_error *err)
{
	struct text category = {0};
	uint64_t n = 0;
	size_t i;
	int rc = freshen(catalog, err);

	if (rc)
		return rc;
	if (query->category)
		put_string(&category, query->category);
	pthread_rwlock_rdlock(&catalog->lock);
	for (i = 0; !category.is_failed && i < catalog->by_place.count; i++) {
		const struct line *line = catalog->by_place.item[i];

		if (!fits(line, query, &category))
			continue;
		if (n >= query->offset && n - query->offset < query->limit)
			put_raw(items, line->summary, line->summary_size);
		n++;
	}
	pthread_rwlock_unlock(&catalog->lock);
	if (category.is_failed)
		rc = server_fail_nomem(err);
	text_free(&category);
	if (!rc)
		*total = n;
	return rc;
}

struct catalog *catalog_new(struct pakhus *store)
{
	struct catalog *c = calloc(1, sizeof(*c));

	if (!c)
		return NULL;
	c->store = store;
	pthread_mutex_init(&c->bringing, NULL);
	pthread_rwlock_init(&c->lock, NULL);
	return c;
}

void catalog_notice(struct catalog *catalog,
		    void (*notice)(void *arg, const char *text), void *arg)
{
	catalog->notice = notice;
	catalog->arg = arg;
}

void catalog_free(struct catalog *catalog)
{
	size_t i;

	if (!catalog)
		return;
	for (i = 0; i < catalog->by_id.count; i++)
		line_free(catalog->by_id.item[i]);
	free(catalog->by_id.item);
	free(catalog->by_place.item);
	names_free(&catalog->damaged);
	pthread_mutex_destroy(&catalog->bringing);
	pthread_rwlock_destroy(&catalog->lock);
	free(catalog);
}
