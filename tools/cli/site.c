/* site.c - one run:
 *
 *	1. The hidden file says how far the site is; a log that went back, or no
 *	   such file: everything is made anew.
 *	2. Every package of the store is looked at. Of one that changed the
 *	   manifests of new versions are written, then latest, then its own
 *	   file, from positions of the log, so that what is deleted meanwhile
 *	   does not matter.
 *	3. The list is written.
 *	4. What is gone is removed: a package's own file before its manifests.
 *	5. All is synced, and only then the hidden file written: a run that was
 *	   killed is done again by the next.
 */
#include "site.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "../server/market_body.h"
#include "ids.h"
#include "interrupt.h"
#include "mem.h"
#include "progress.h"
#include "say.h"
#include "site_name.h"
#include "site_state.h"
#include "store.h"

#define PAGE 1000

struct item {
	char *id;
	uint64_t place;
	struct text json; /* of a list; empty: left out */
	size_t versions_out;
};

struct run {
	struct site *site;
	struct ids gone; /* packages that lost versions since, sorted */
	struct item *item;
	size_t items, room;
};

/* ---- small things ---- */

static int failed(const struct run *run, const struct pakhus_error *err)
{
	return store_failed(run->site->cli, err);
}

static int stopped(const struct run *run)
{
	if (!interrupt_pending())
		return CLI_DONE;
	progress_clear();
	return say_failed(run->site->cli, CLI_FAILED,
			  "interrupted; the next run goes on");
}

/* The packages that the log says something of but publishes. */
static int collect_gone(struct run *run)
{
	struct pakhus_range range = {run->site->position, PAGE};
	const struct pakhus_entry *e;
	struct pakhus_history *page;
	struct pakhus_error err = {0};
	size_t i;

	while (!run->site->anew && range.before > run->site->from) {
		if (pakhus_history(run->site->store, NULL, range, &page, &err))
			return failed(run, &err);
		for (i = 0; i < page->count; i++) {
			e = &page->items[i];
			if (e->seq >= run->site->from && e->id[0] &&
			    strcmp(e->op, "publish") != 0)
				ids_add(&run->gone, e->id);
		}
		range.before = page->next;
		pakhus_history_free(page);
	}
	ids_settle(&run->gone);
	return CLI_DONE;
}

/* ---- one package ---- */

struct versions {
	struct pakhus_record *item; /* those that can be paths */
	size_t count, room, out;
	char example[PAKHUS_VERSION_MAX + 1]; /* one of those that cannot */
};

static int versions_read(const struct run *run, const char *id,
			 struct versions *v)
{
	struct pakhus_range range = {0, PAGE};
	struct pakhus_versions *page;
	struct pakhus_error err = {0};
	size_t i;

	do {
		if (pakhus_versions(run->site->store, id, range, &page, &err))
			return failed(run, &err);
		for (i = 0; i < page->count; i++) {
			if (!site_version_fits(page->items[i].version)) {
				snprintf(v->example, sizeof(v->example), "%s",
					 page->items[i].version);
				v->out++;
				continue;
			}
			v->item = mem_grow(v->item, v->count, &v->room,
					   sizeof(*v->item));
			v->item[v->count++] = page->items[i];
		}
		range.before = page->next;
		pakhus_versions_free(page);
	} while (range.before);
	return CLI_DONE;
}

static void need(const struct text *t)
{
	mem_need(t->is_failed ? NULL : t->data);
}

/* Takes the text. */
static int put_text(const struct run *run, struct text *t, const char *path)
{
	FILE *file = tree_new(&run->site->tree);

	need(t);
	if (file)
		tree_write(&run->site->tree, file, t->data, t->size);
	text_free(t);
	return file ? tree_put(&run->site->tree, file, path) : CLI_FAILED;
}

static int put_manifest(const struct run *run, const char *version,
			const struct pakhus_package *document)
{
	char path[SITE_PATH_MAX];
	struct text t = {0};

	market_manifest(&t, document);
	site_manifest_path(path, document->record.id, version);
	return put_text(run, &t, path);
}

static int put_version(const struct run *run, const struct versions *v,
		       size_t i, bool is_shown)
{
	bool is_new = !is_shown || v->item[i].seq >= run->site->from;
	struct pakhus_package *document;
	struct pakhus_error err = {0};
	int rc = CLI_DONE;

	if (!is_new && i)
		return CLI_DONE;
	if (pakhus_get_at(run->site->store, v->item[i].seq, &document, &err))
		return failed(run, &err);
	if (is_new)
		rc = put_manifest(run, v->item[i].version, document);
	if (!rc && !i)
		rc = put_manifest(run, "latest", document);
	pakhus_package_free(document);
	return rc;
}

static int put_package(const struct run *run, const struct versions *v,
		       const struct market_package *package)
{
	char path[SITE_PATH_MAX], head[1];
	struct text t = {0};
	bool is_shown;
	size_t i;
	int rc;

	/* one that was left out before has none of its files */
	site_package_path(path, package->id);
	is_shown = tree_head(&run->site->tree, path, head, sizeof(head));
	/* the latest last: it is a file of its own besides */
	for (i = v->count; i-- > 0;) {
		rc = stopped(run);
		if (!rc)
			rc = put_version(run, v, i, is_shown);
		if (rc)
			return rc;
	}
	market_detail(&t, package);
	return put_text(run, &t, path);
}

static bool is_changed(const struct run *run, const struct versions *v,
		       const char *id)
{
	size_t i;

	for (i = 0; i < v->count; i++)
		if (v->item[i].seq >= run->site->from)
			return true;
	return ids_have(&run->gone, id);
}

static void left_out(struct site *site, const char *id, const char *version)
{
	if (!site->example &&
	    asprintf(&site->example, "%s%s%s", id, version ? "@" : "",
		     version ? version : "") < 0)
		site->example = NULL;
}

/* What is said of a package, or of a version; *out NULL: nothing. */
static int read_attrs(const struct run *run, const char *id,
		      const char *version, struct pakhus_attrs **out)
{
	struct pakhus_error err = {0};
	int rc = pakhus_attrs(run->site->store, id, version, out, &err);

	if (!rc)
		return CLI_DONE;
	*out = NULL;
	return rc == PAKHUS_ENOTFOUND ? CLI_DONE : failed(run, &err);
}

static int put_item(struct run *run, const struct versions *v,
		    const struct market_package *package, bool changed,
		    struct item *item)
{
	int rc = changed ? put_package(run, v, package) : CLI_DONE;

	if (rc)
		return rc;
	market_summary(&item->json, package);
	need(&item->json);
	return CLI_DONE;
}

/* The list tells of the latest version alone. */
static int add_item(struct run *run, const struct versions *v,
		    struct market_package *package, struct item *item)
{
	bool changed = is_changed(run, v, package->id);
	struct market_version *version =
		mem_need(calloc(v->count, sizeof(*version)));
	int rc = CLI_DONE;
	size_t i;

	for (i = 0; i < v->count; i++) {
		version[i].record = v->item[i];
		if (!rc && (changed || !i))
			rc = read_attrs(run, package->id, v->item[i].version,
					&version[i].attrs);
	}
	package->versions = version;
	package->count = v->count;
	if (!rc)
		rc = put_item(run, v, package, changed, item);
	for (i = 0; i < v->count; i++)
		pakhus_attrs_free(version[i].attrs);
	free(version);
	return rc;
}

/* The package as list has it, or, where a version that can be a path is
 * another one, as it is read. */
static int with_manifest(struct run *run, const struct pakhus_package *listed,
			 const struct versions *v,
			 struct pakhus_attrs *attrs, struct item *item)
{
	struct market_package package = {
		.manifest = {listed->manifest, listed->manifest_size},
		.attrs = attrs,
	};
	struct pakhus_package *read = NULL;
	struct pakhus_error err = {0};
	int rc;

	snprintf(package.id, sizeof(package.id), "%s", listed->record.id);
	if (v->item[0].seq != listed->record.seq) {
		if (pakhus_get_at(run->site->store, v->item[0].seq, &read,
				  &err))
			return failed(run, &err);
		package.manifest.text = read->manifest;
		package.manifest.size = read->manifest_size;
	}
	rc = add_item(run, v, &package, item);
	pakhus_package_free(read);
	return rc;
}

static int visit(struct run *run, const struct pakhus_package *listed)
{
	const char *id = listed->record.id;
	struct item item = {mem_dup(id), listed->record.place, {0}, 0};
	struct versions v = {.item = NULL};
	struct pakhus_attrs *attrs = NULL;
	bool fits = site_id_fits(id), hidden;
	int rc = stopped(run);

	if (!rc)
		rc = read_attrs(run, id, NULL, &attrs);
	hidden = !market_is_listed(attrs);
	if (!rc && fits && !hidden)
		rc = versions_read(run, id, &v);
	if (!hidden && (!fits || v.out))
		left_out(run->site, id, fits ? v.example : NULL);
	if (!rc && v.count)
		rc = with_manifest(run, listed, &v, attrs, &item);
	free(v.item);
	pakhus_attrs_free(attrs);
	/* a tree of files is for everybody; or deleted meanwhile */
	if (hidden || (fits && !v.count && !v.out)) {
		free(item.id);
		return rc;
	}
	item.versions_out = v.out;
	run->item =
		mem_grow(run->item, run->items, &run->room, sizeof(*run->item));
	run->item[run->items++] = item;
	progress_show("%zu packages", run->items);
	return rc;
}

/* ---- the list ---- */

static int compare_items(const void *left, const void *right)
{
	const struct item *a = left, *b = right;
	int c = strcmp(a->id, b->id);

	return c ? c : (a->place < b->place) - (a->place > b->place);
}

static int compare_places(const void *left, const void *right)
{
	const struct item *a = left, *b = right;

	return (a->place < b->place) - (a->place > b->place);
}

/* Packages from the newest down to a place. */
static int walk(struct run *run, uint64_t down_to)
{
	struct pakhus_range range = {0, PAGE};
	struct pakhus_error err = {0};
	struct pakhus_list *page;
	size_t i;
	int rc = CLI_DONE;

	do {
		if (pakhus_list(run->site->store, range, 0, &page, &err))
			return failed(run, &err);
		range.before = page->next;
		for (i = 0; !rc && i < page->count; i++) {
			if (page->items[i]->record.place <= down_to)
				range.before = 0;
			else
				rc = visit(run, page->items[i]);
		}
		pakhus_list_free(page);
	} while (!rc && range.before);
	return rc;
}

/* Pages are read one after the other: what gets a new version meanwhile is
 * past them, and found at the front. */
static int collect_items(struct run *run)
{
	size_t before, i, kept = 0;
	uint64_t top = 0;
	int rc;

	do {
		before = run->items;
		rc = walk(run, top);
		for (i = before; i < run->items; i++)
			if (run->item[i].place > top)
				top = run->item[i].place;
	} while (!rc && run->items - before >= PAGE);
	if (rc || !run->items)
		return rc;
	qsort(run->item, run->items, sizeof(*run->item), compare_items);
	for (i = 1; i < run->items; i++) {
		if (strcmp(run->item[kept].id, run->item[i].id) != 0) {
			run->item[++kept] = run->item[i];
			continue;
		}
		free(run->item[i].id);
		text_free(&run->item[i].json);
	}
	run->items = kept + 1;
	qsort(run->item, run->items, sizeof(*run->item), compare_places);
	return rc;
}

static int put_list(struct run *run)
{
	struct site *site = run->site;
	FILE *file = tree_new(&site->tree);
	size_t i;

	if (!file)
		return CLI_FAILED;
	fputs(SITE_LIST_HEAD, file);
	for (i = 0; i < run->items; i++) {
		site->versions_out += run->item[i].versions_out;
		if (!run->item[i].json.size) {
			site->packages_out++;
			continue;
		}
		if (site->packages++)
			fputc(',', file);
		tree_write(&site->tree, file, run->item[i].json.data,
			   run->item[i].json.size);
	}
	fprintf(file,
		"],\"total\":%" PRIu64 ",\"limit\":%" PRIu64
		",\"offset\":0}}\n", site->packages, site->packages);
	return tree_put(&site->tree, file, SITE_LIST);
}

/* ---- what is gone ---- */

static int compare_versions(const void *left, const void *right)
{
	const struct pakhus_record *a = left, *b = right;

	return strcmp(a->version, b->version);
}

static int prune_manifests(struct run *run, const char *id,
			   const struct versions *v)
{
	char path[SITE_PATH_MAX];
	struct pakhus_record key;
	char **names;
	size_t i;
	int rc;

	site_versions_path(path, id);
	rc = tree_names(&run->site->tree, path, &names);
	if (rc)
		return rc;
	for (i = 0; !rc && names[i]; i++) {
		if (v->count && !strcmp(names[i], "latest"))
			continue;
		snprintf(key.version, sizeof(key.version), "%s", names[i]);
		if (v->count && bsearch(&key, v->item, v->count,
					sizeof(*v->item), compare_versions))
			continue;
		site_manifest_path(path, id, names[i]);
		rc = tree_remove(&run->site->tree, path);
	}
	tree_names_free(names);
	return rc;
}

static int prune(struct run *run, const char *id)
{
	struct versions v = {.item = NULL};
	struct pakhus_attrs *attrs = NULL;
	char path[SITE_PATH_MAX];
	int rc = site_id_fits(id) ? stopped(run) : CLI_DONE;

	if (rc || !site_id_fits(id))
		return rc;
	rc = read_attrs(run, id, NULL, &attrs);
	if (!rc && market_is_listed(attrs))
		rc = versions_read(run, id, &v);
	pakhus_attrs_free(attrs);
	if (!rc && !v.count) {
		site_package_path(path, id);
		rc = tree_remove(&run->site->tree, path);
	}
	if (!rc && v.count)
		qsort(v.item, v.count, sizeof(*v.item), compare_versions);
	if (!rc)
		rc = prune_manifests(run, id, &v);
	if (!rc && !v.count) { /* with directories that a kill left */
		site_manifest_path(path, id, "latest");
		rc = tree_remove(&run->site->tree, path);
	}
	free(v.item);
	return rc;
}

/* Every id that a directory of the site has something of. */
static int collect_found(struct run *run, const char *path, const char *scope)
{
	char id[SITE_PATH_MAX], below[SITE_PATH_MAX];
	char **names;
	size_t i, size;
	int rc = tree_names(&run->site->tree, path, &names);

	for (i = 0; !rc && names[i]; i++) {
		if (!*scope && names[i][0] == '@') {
			snprintf(id, sizeof(id), "%.300s/", names[i]);
			snprintf(below, sizeof(below), "%.100s/%.300s", path,
				 names[i]);
			rc = collect_found(run, below, id);
			continue;
		}
		snprintf(id, sizeof(id), "%.250s%.255s", scope, names[i]);
		size = strlen(id);
		if (size > 5 && !strcmp(id + size - 5, ".json"))
			id[size - 5] = '\0';
		if (strlen(id) <= PAKHUS_ID_MAX)
			ids_add(&run->gone, id);
	}
	if (!rc || names)
		tree_names_free(names);
	return rc;
}

static int prune_all(struct run *run)
{
	size_t i;
	int rc = CLI_DONE;

	if (run->site->anew) {
		rc = collect_found(run, "packages", "");
		ids_settle(&run->gone);
	}
	for (i = 0; !rc && i < run->gone.count; i++)
		rc = prune(run, run->gone.id[i]);
	return rc;
}

/* ---- all of it ---- */

static int make(struct run *run)
{
	char mark[SITE_MARK_MAX];
	int rc = site_begin(run->site);

	if (!rc)
		rc = collect_gone(run);
	if (!rc)
		rc = site_mark(run->site, run->site->position, mark);
	if (!rc)
		rc = collect_items(run);
	if (!rc)
		rc = put_list(run);
	if (!rc)
		rc = prune_all(run);
	if (!rc)
		rc = tree_sync(&run->site->tree);
	if (!rc)
		rc = site_note(run->site, mark);
	progress_clear();
	return rc;
}

int site_run(struct site *site)
{
	struct run run = {.site = site};
	size_t i;
	int rc = make(&run);

	for (i = 0; i < run.items; i++) {
		free(run.item[i].id);
		text_free(&run.item[i].json);
	}
	free(run.item);
	ids_release(&run.gone);
	return rc;
}

void site_release(struct site *site)
{
	free(site->example);
	site->example = NULL;
	tree_close(&site->tree);
}
