/* door_packages.c - the package routes of an ObjectStack 17 runtime with its
 * `marketplace` capability, answered by the registry itself.
 *
 * Where the original is silent or wrong this is not: what is not there cannot
 * be deleted (404), an empty ?version= is no leave to delete all versions, and
 * a list does not end early without saying so.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cloud.h"
#include "exchange.h"
#include "market_load.h"
#include "object.h"
#include "state.h"

/* A reply has at most so many bytes of documents. */
#define LIST_MAX ((size_t)64 << 20)
enum { PAGE = 100 };

/* Somebody who may write something is asked whether it is this. */
static int may_write(struct exchange *x, enum scope scope, const char *id)
{
	if (caller_may(x, scope, id))
		return 1;
	reply_error(x, 403, "FORBIDDEN",
		    "Managing packages requires the `manage_metadata` "
		    "capability.");
	return 0;
}

/* ---- publishing ---- */

/* A string that says something, or NULL. */
static char *word(const struct object *object, const char *key, int *is_failed)
{
	char *text = slice_string(object_get(object, key), NULL, is_failed);

	if (text && *text)
		return text;
	free(text);
	return NULL;
}

/* Of the limits only that of the whole is the server's. */
static void refused(struct exchange *x, const struct pakhus_error *err,
		    size_t size)
{
	if (err->status == PAKHUS_EINVAL ||
	    (err->status == PAKHUS_ELIMIT && size <= server_max(x->server)))
		reply_error(x, 400, "PACKAGE_MANIFEST_INVALID", "%s",
			    err->text);
	else
		reply_failed(x, err);
}

static void publish(struct exchange *x, struct slice manifest,
		    struct slice metadata)
{
	char message[PAKHUS_ID_MAX + PAKHUS_VERSION_MAX + 16];
	struct pakhus_record record;
	struct pakhus_error err = {0};
	struct text document = {0}, t = {0};
	int rc = PAKHUS_ENOMEM;
	size_t size;

	put_open(&document, '{');
	put_key(&document, "manifest");
	put_raw(&document, manifest.text, manifest.size);
	put_key(&document, "metadata");
	put_raw(&document, metadata.text, metadata.size);
	put_close(&document, '}');
	if (!document.is_failed)
		rc = pakhus_publish(x->store, document.data, document.size,
				    x->caller.by, &record, &err);
	else
		err.status = rc;
	size = document.size;
	text_free(&document);
	if (rc) {
		refused(x, &err, size);
		return;
	}
	server_wrote(x->server);
	snprintf(message, sizeof(message), "Published %s@%s", record.id,
		 record.version);
	put_open(&t, '{');
	put_pair(&t, "message", message);
	put_key(&t, "package");
	put_open(&t, '{');
	put_pair(&t, "id", record.id);
	put_pair(&t, "version", record.version);
	put_close(&t, '}');
	put_close(&t, '}');
	reply_data(x, 200, &t);
}

/* What JavaScript takes for nothing. */
static int is_falsy(struct slice s)
{
	return !s.text || slice_is(s, "\"\"") || slice_is(s, "false") ||
	       slice_is(s, "0");
}

/* Says what is wrong with a body, or publishes what is in it. */
static void take_body(struct exchange *x, const struct object *body)
{
	struct slice manifest = object_get(body, "manifest");
	struct slice metadata = object_get(body, "metadata");
	char *id = NULL, *version = NULL;
	struct object object = {0};
	const char *fault = NULL;
	int is_failed = 0;

	if (is_falsy(manifest) || is_falsy(metadata)) {
		reply_error(x, 400, "MISSING_REQUIRED_FIELD",
			    "Missing required fields: manifest, metadata");
		return;
	}
	fault = object_read(&object, manifest.text, manifest.size);
	if (!fault) {
		id = word(&object, "id", &is_failed);
		version = word(&object, "version", &is_failed);
		object_free(&object);
	}
	if (is_failed || fault == object_no_memory)
		reply_no_memory(x);
	else if (!id || !version)
		reply_error(x, 400, "PACKAGE_MANIFEST_INVALID",
			    "Invalid manifest: id and version are required");
	else if (may_write(x, SCOPE_PUBLISH, id))
		publish(x, manifest, metadata);
	free(id);
	free(version);
}

static void post_publish(struct exchange *x)
{
	struct object body;

	if (!cloud_body(x, &body))
		return;
	take_body(x, &body);
	object_free(&body);
}

/* ---- reading ---- */

static void put_package(struct text *t, const struct pakhus_package *p)
{
	put_open(t, '{');
	put_pair(t, "id", p->record.id);
	put_pair(t, "version", p->record.version);
	put_key(t, "manifest");
	put_raw(t, p->manifest, p->manifest_size);
	put_key(t, "metadata");
	put_raw(t, p->metadata, p->metadata_size);
	put_pair(t, "hash", p->record.hash);
	put_pair(t, "created_at", p->record.created_at);
	put_pair(t, "updated_at", p->record.updated_at);
	put_pair(t, "source", "database");
	put_close(t, '}');
}

/* A page of a list into t; -1 when it was answered. */
static int put_page(struct exchange *x, struct pakhus_range *range,
		    struct text *t, uint64_t *count)
{
	struct pakhus_error err = {0};
	struct pakhus_list *page;
	size_t i;

	if (pakhus_list(x->store, *range, PAKHUS_DOCUMENTS, &page, &err)) {
		reply_failed(x, &err);
		return -1;
	}
	for (i = 0; i < page->count && t->size <= LIST_MAX; i++) {
		if (!caller_may(x, SCOPE_READ, page->items[i]->record.id))
			continue;
		put_package(t, page->items[i]);
		++*count;
	}
	range->before = page->next;
	pakhus_list_free(page);
	if (t->size <= LIST_MAX)
		return 0;
	reply_error(x, 413, "LIMIT_EXCEEDED",
		    "The list has more than %zu bytes of packages. Ask for it "
		    "in parts: ?limit=100, and ?before= with the reply's next.",
		    LIST_MAX);
	return -1;
}

/* All of it, or with ?limit= a part, from ?before= on. */
static void get_list(struct exchange *x)
{
	struct pakhus_range range = {0};
	struct text t = {0};
	uint64_t limit, count = 0;

	if (!x->caller.token &&
	    x->server->opt.anonymous == ANONYMOUS_NONE &&
	    !caller_must(x, SCOPE_READ_ALL, NULL))
		return;
	if (query_number(x, "limit", 1, 1000, 0, &limit) ||
	    query_number(x, "before", 0, (uint64_t)1 << 53, 0, &range.before))
		return;
	range.limit = limit ? (size_t)limit : PAGE;
	put_open(&t, '{');
	put_key(&t, "packages");
	put_open(&t, '[');
	do {
		if (put_page(x, &range, &t, &count)) {
			text_free(&t);
			return;
		}
	} while (!limit && range.before);
	put_close(&t, ']');
	put_key(&t, "total");
	put_number(&t, count);
	if (range.before) {
		put_key(&t, "next");
		put_number(&t, range.before);
	}
	put_close(&t, '}');
	reply_data(x, 200, &t);
}

static void missing(struct exchange *x, const char *id)
{
	reply_error(x, 404, "RESOURCE_NOT_FOUND", "Package \"%s\" was not "
		    "found.", id);
}

/* An empty ?version= is the latest, as none is. */
static void get_one(struct exchange *x)
{
	struct pakhus_package *package;
	struct pakhus_error err = {0};
	struct text t = {0};
	int is_answered = 0;
	char *version = query_value(x, "version", &is_answered);

	if (is_answered)
		return;
	if (!pakhus_get(x->store, x->param[0],
			version && *version ? version : NULL, &package,
			&err)) {
		put_open(&t, '{');
		put_key(&t, "package");
		put_package(&t, package);
		put_close(&t, '}');
		pakhus_package_free(package);
		reply_data(x, 200, &t);
	} else if (err.status == PAKHUS_ENOTFOUND) {
		missing(x, x->param[0]);
	} else {
		reply_failed(x, &err);
	}
	free(version);
}

/* ---- deleting ---- */

static void reply_deleted(struct exchange *x, const char *id,
			  const char *version, uint64_t count)
{
	char message[PAKHUS_ID_MAX + PAKHUS_VERSION_MAX + 16];
	struct text t = {0};

	snprintf(message, sizeof(message), "Deleted %s%s%s", id,
		 version ? "@" : "", version ? version : "");
	put_open(&t, '{');
	put_pair(&t, "message", message);
	if (!version) {
		put_key(&t, "deletedCount");
		put_number(&t, count);
		put_key(&t, "cleanups");
		put_open(&t, '[');
		put_close(&t, ']');
	}
	put_close(&t, '}');
	reply_data(x, 200, &t);
}

static void delete_one(struct exchange *x)
{
	const char *id = x->param[0];
	struct pakhus_error err = {0};
	int is_answered = 0;
	uint64_t count = 0;
	char *version;

	if (!may_write(x, SCOPE_DELETE, id))
		return;
	version = query_value(x, "version", &is_answered);
	if (is_answered)
		return;
	if (version && !*version) {
		reply_error(x, 400, "VALIDATION_ERROR",
			    "The \"version\" query parameter is empty. Leave "
			    "it out to delete every version.");
	} else if (pakhus_delete(x->store, id, version, x->caller.by, &count,
				 &err)) {
		reply_failed(x, &err);
	} else if (!count) {
		missing(x, id);
	} else {
		server_wrote(x->server);
		reply_deleted(x, id, version, count);
	}
	free(version);
}

const struct route packages_routes[] = {
	{HTTP_POST, "/api/v1/packages/publish", post_publish, SCOPE_PUBLISH,
	 PAKHUS_DOCUMENT_MAX / 4 * 5},
	{HTTP_GET, "/api/v1/packages", get_list, SCOPE_NONE, 0},
	{HTTP_GET, "/api/v1/packages/{id}", get_one, SCOPE_READ, 0},
	{HTTP_DELETE, "/api/v1/packages/{package}", delete_one, SCOPE_DELETE,
	 0},
	{0},
};
