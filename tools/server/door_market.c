/* door_market.c - what runtimes browse and install from: the marketplace of
 * ObjectStack's cloud, and the same as the files that `pakhus site` writes.
 */
#include <stdlib.h>
#include <string.h>

#include "catalog.h"
#include "exchange.h"
#include "market_load.h"
#include "state.h"
#include "tokens.h"

static void missing(struct exchange *x, const struct pakhus_error *err,
		    const char *id)
{
	if (err->status == PAKHUS_ENOTFOUND)
		reply_error(x, 404, "RESOURCE_NOT_FOUND",
			    "Package \"%s\" was not found.", id);
	else
		reply_failed(x, err);
}

/* ---- the list ---- */

/* As caller_may(), without a look into the store for each. */
static int may_know(void *arg, const char *id, int is_listed)
{
	const struct exchange *x = arg;
	enum anonymous who = x->server->opt.anonymous;

	if (who == ANONYMOUS_ALL || (who == ANONYMOUS_LISTED && is_listed))
		return 1;
	return x->caller.token && token_may(x->caller.token, SCOPE_READ, id);
}

/* Lists nothing to whom nothing is shown, and says that there is a way in. */
static int may_list(struct exchange *x)
{
	if (x->caller.token || x->server->opt.anonymous != ANONYMOUS_NONE)
		return 1;
	return caller_must(x, SCOPE_READ_ALL, NULL);
}

static void list(struct exchange *x, struct catalog_query *query, int is_whole)
{
	struct text items = {0}, t = {0};
	struct pakhus_error err = {0};
	uint64_t total;

	if (!may_list(x))
		return;
	query->may = may_know;
	query->arg = x;
	if (catalog_list(x->server->catalog, query, &items, &total, &err)) {
		text_free(&items);
		reply_failed(x, &err);
		return;
	}
	market_list(&t, &items, total, is_whole ? total : query->limit,
		    query->offset);
	text_free(&items);
	reply_json(x, 200, &t);
}

static void get_list(struct exchange *x)
{
	struct catalog_query query = {0};
	char *q = NULL, *category = NULL;
	int is_answered = 0;

	q = query_value(x, "q", &is_answered);
	if (!is_answered)
		category = query_value(x, "category", &is_answered);
	if (!is_answered &&
	    !query_number(x, "limit", 1, 100, 50, &query.limit) &&
	    !query_number(x, "offset", 0, UINT32_MAX, 0, &query.offset)) {
		query.q = q && *q ? q : NULL;
		query.category = category && *category ? category : NULL;
		list(x, &query, 0);
	}
	free(q);
	free(category);
}

static void get_list_file(struct exchange *x)
{
	struct catalog_query query = {.limit = UINT64_MAX};

	list(x, &query, 1);
}

/* ---- a package ---- */

static void detail(struct exchange *x, const char *id)
{
	struct market_package *package;
	struct pakhus_error err = {0};
	struct text t = {0};

	if (market_load(x->store, id, 1, NULL, &package, &err)) {
		missing(x, &err, id);
		return;
	}
	market_detail(&t, package);
	market_package_free(package);
	reply_json(x, 200, &t);
}

static void get_detail(struct exchange *x)
{
	detail(x, x->param[0]);
}

/* The document's own hash is the tag: what is read besides follows from it. */
static void manifest(struct exchange *x, const char *id, const char *version)
{
	struct pakhus_package *package;
	struct pakhus_error err = {0};
	struct text t = {0};

	if (pakhus_get(x->store, id, version, &package, &err)) {
		if (err.status == PAKHUS_ENOTFOUND)
			reply_error(x, 404, "RESOURCE_NOT_FOUND",
				    "Version \"%s\" of package \"%s\" was not "
				    "found.", version, id);
		else
			reply_failed(x, &err);
		return;
	}
	if (!reply_tag(x, package->record.hash)) {
		market_manifest(&t, package);
		reply_json(x, 200, &t);
	}
	pakhus_package_free(package);
}

static void get_manifest(struct exchange *x)
{
	manifest(x, x->param[0], x->param[1]);
}

/* ---- the same as files: ID.json, ID/versions/VERSION/manifest.json ---- */

static int cut_end(char *path, const char *end)
{
	size_t size = strlen(path), n = strlen(end);

	if (size <= n || strcmp(path + size - n, end) != 0)
		return 0;
	path[size - n] = '\0';
	return 1;
}

/* The version behind the last "/versions/", which is cut off (an id may have
 * slashes in it), or NULL. */
static char *cut_version(char *path)
{
	static const char part[] = "/versions/";
	char *at, *last = NULL;

	for (at = strstr(path, part); at; at = strstr(at + 1, part))
		last = at;
	if (!last || last == path || !cut_end(last, "/manifest.json") ||
	    strlen(last) < sizeof(part))
		return NULL;
	*last = '\0';
	return last + sizeof(part) - 1;
}

static void get_file(struct exchange *x)
{
	char *path = strdup(x->param[0]), *version;

	if (!path) {
		reply_no_memory(x);
		return;
	}
	version = cut_version(path);
	if (!version && !cut_end(path, ".json"))
		reply_error(x, 404, "RESOURCE_NOT_FOUND",
			    "There is nothing at this address.");
	else if (!caller_must(x, SCOPE_READ, path))
		; /* answered */
	else if (version)
		manifest(x, path, version);
	else
		detail(x, path);
	free(path);
}

const struct route market_routes[] = {
	{HTTP_GET, "/api/v1/marketplace/packages", get_list, SCOPE_NONE, 0},
	{HTTP_GET, "/api/v1/marketplace/packages/{id}", get_detail, SCOPE_READ,
	 0},
	{HTTP_GET,
	 "/api/v1/marketplace/packages/{id}/versions/{version}/manifest",
	 get_manifest, SCOPE_READ, 0},
	{HTTP_GET, "/packages.json", get_list_file, SCOPE_NONE, 0},
	{HTTP_GET, "/packages/{path*}", get_file, SCOPE_NONE, 0},
	{0},
};
