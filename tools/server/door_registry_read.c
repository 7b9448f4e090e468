/* door_registry_read.c - packages, their versions and their texts. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "door_registry.h"
#include "state.h"

/* ---- the list ---- */

/* Asked of the library at a time, with manifests and with documents, so that
 * a page of what is large does not fill the memory; a page ends when it has
 * so many bytes, or when so many packages were looked at that the caller may
 * not read. */
enum { MANIFESTS = 16, DOCUMENTS = 4, LOOKS = 64 };
#define PAGE_BYTES ((size_t)16 << 20)

static void put_package(struct text *t, const struct pakhus_package *p)
{
	put_open(t, '{');
	registry_record(t, &p->record);
	if (p->manifest) {
		put_key(t, "manifest");
		put_raw(t, p->manifest, p->manifest_size);
	}
	if (p->metadata) {
		put_key(t, "metadata");
		put_raw(t, p->metadata, p->metadata_size);
	}
	put_close(t, '}');
}

/* Those of one look that the caller may read; next is where it goes on. */
static size_t put_visible(struct exchange *x, const struct pakhus_list *list,
			  struct text *t)
{
	size_t i, n = 0;

	for (i = 0; i < list->count; i++)
		if (caller_may(x, SCOPE_READ, list->items[i]->record.id)) {
			put_package(t, list->items[i]);
			n++;
		}
	return n;
}

void registry_packages(struct exchange *x)
{
	int documents = registry_flag(x, "documents"), looks = 0;
	struct pakhus_error err = {0};
	struct pakhus_range range;
	struct pakhus_list *list;
	struct text t = {0};
	struct page page;
	size_t left;

	if (documents < 0 || registry_page(x, 'p', &page))
		return;
	if (!x->caller.token && x->server->opt.anonymous == ANONYMOUS_NONE &&
	    !caller_must(x, SCOPE_READ_ALL, NULL))
		return;
	put_open(&t, '{');
	put_key(&t, "packages");
	put_open(&t, '[');
	range.before = page.range.before;
	left = page.range.limit;
	do {
		size_t most = documents ? DOCUMENTS : MANIFESTS;

		range.limit = left < most ? left : most;
		if (pakhus_list(x->store, range,
				documents ? PAKHUS_DOCUMENTS : 0, &list,
				&err)) {
			text_free(&t);
			reply_failed(x, &err);
			return;
		}
		left -= put_visible(x, list, &t);
		range.before = list->next;
		pakhus_list_free(list);
	} while (range.before && left && t.size < PAGE_BYTES &&
		 ++looks < LOOKS && !t.is_failed);
	put_close(&t, ']');
	registry_next(x, &page, range.before, &t);
	reply_data(x, 200, &t);
}

/* ---- one version ---- */

/* Whether the client has what it would get, which needs no look at a text.
 * part is put behind the hash, or NULL says that the record is meant. */
static int is_known(struct exchange *x, const struct pakhus_record *r,
		    const char *part)
{
	char tag[REGISTRY_TAG];

	registry_tag(r, tag);
	if (part)
		snprintf(tag, sizeof(tag), "%s%s", r->hash, part);
	return reply_tag(x, tag);
}

/* NULL where it was answered. */
static struct pakhus_package *get(struct exchange *x, const char *version,
				  const char *part)
{
	struct pakhus_package *p = NULL;
	struct pakhus_error err = {0};
	struct pakhus_record r;

	if (request_field(x->request, "If-None-Match") &&
	    !pakhus_find(x->store, x->param[0], version, &r, NULL) &&
	    is_known(x, &r, part))
		return NULL;
	if (pakhus_get(x->store, x->param[0], version, &p, &err)) {
		reply_failed(x, &err);
		return NULL;
	}
	if (!is_known(x, &p->record, part))
		return p;
	pakhus_package_free(p);
	return NULL;
}

static void reply_package(struct exchange *x, const char *version)
{
	int is_answered = 0;
	char *fields = query_value(x, "fields", &is_answered);
	struct pakhus_package *p;
	struct text t = {0};

	if (is_answered)
		return;
	if (fields && strcmp(fields, "manifest")) {
		free(fields);
		reply_error(x, 400, "VALIDATION_ERROR",
			    "The \"fields\" query parameter is \"manifest\", "
			    "or not there for all of them.");
		return;
	}
	p = get(x, version, NULL);
	if (p) {
		if (fields)
			p->metadata = NULL;
		put_package(&t, p);
		pakhus_package_free(p);
		reply_data(x, 200, &t);
	}
	free(fields);
}

void registry_package(struct exchange *x)
{
	reply_package(x, NULL);
}

void registry_version(struct exchange *x)
{
	reply_package(x, x->param[1]);
}

/* ---- its texts ---- */

static void reply_slice(struct exchange *x, struct pakhus_package *p,
			const char *slice, size_t size)
{
	char *body = malloc(size + 1);

	if (body) {
		memcpy(body, slice, size);
		body[size] = '\0';
	}
	pakhus_package_free(p);
	if (body)
		reply_bytes(x, 200, "application/json", body, size);
	else
		reply_no_memory(x);
}

void registry_manifest(struct exchange *x)
{
	struct pakhus_package *p = get(x, x->param[1], "-manifest");

	if (p)
		reply_slice(x, p, p->manifest, p->manifest_size);
}

void registry_metadata(struct exchange *x)
{
	struct pakhus_package *p = get(x, x->param[1], "-metadata");

	if (p)
		reply_slice(x, p, p->metadata, p->metadata_size);
}

void registry_document(struct exchange *x)
{
	struct pakhus_package *p = get(x, x->param[1], "");

	if (p)
		reply_slice(x, p, p->document, p->document_size);
}

/* ---- versions ---- */

void registry_versions(struct exchange *x)
{
	struct pakhus_error err = {0};
	struct pakhus_versions *v;
	struct text t = {0};
	struct page page;
	size_t i;

	if (registry_page(x, 'v', &page))
		return;
	if (pakhus_versions(x->store, x->param[0], page.range, &v, &err)) {
		reply_failed(x, &err);
		return;
	}
	if (!v->count && !page.range.before) {
		pakhus_versions_free(v);
		reply_error(x, 404, "RESOURCE_NOT_FOUND", "not found: %s",
			    x->param[0]);
		return;
	}
	put_open(&t, '{');
	put_key(&t, "versions");
	put_open(&t, '[');
	for (i = 0; i < v->count; i++) {
		put_open(&t, '{');
		registry_record(&t, &v->items[i]);
		put_close(&t, '}');
	}
	put_close(&t, ']');
	registry_next(x, &page, v->next, &t);
	pakhus_versions_free(v);
	reply_data(x, 200, &t);
}
