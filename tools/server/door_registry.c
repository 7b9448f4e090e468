/* door_registry.c - the registry API: its routes, and what it says of itself.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "condition.h"
#include "door_registry.h"

/* ---- what its files share ---- */

void registry_record(struct text *t, const struct pakhus_record *r)
{
	put_pair(t, "id", r->id);
	put_pair(t, "version", r->version);
	put_pair(t, "hash", r->hash);
	put_key(t, "manifest_size");
	put_number(t, r->manifest_size);
	put_key(t, "metadata_size");
	put_number(t, r->metadata_size);
	put_pair(t, "created_at", r->created_at);
	put_pair(t, "updated_at", r->updated_at);
	put_key(t, "created_us");
	put_number(t, r->created_us);
	put_key(t, "updated_us");
	put_number(t, r->updated_us);
	put_key(t, "seq");
	put_number(t, r->seq);
	put_key(t, "place");
	put_number(t, r->place);
}

void registry_tag(const struct pakhus_record *r, char tag[REGISTRY_TAG])
{
	snprintf(tag, REGISTRY_TAG, "%s-%" PRIu64, r->hash, r->seq);
}

/* In any coding, as it may have come from any. */
static int has_tag(const struct request *rq, const char *field, int is_strong,
		   const char *tag)
{
	char quoted[TAG_SIZE], coded[TAG_SIZE];
	enum coding c;

	snprintf(quoted, sizeof(quoted), "\"%s\"", tag);
	for (c = 0; c < CODINGS; c++) {
		tag_coded(quoted, c, coded);
		if (condition_has(rq, field, coded, is_strong))
			return 1;
	}
	return 0;
}

int registry_has_tag(const struct request *rq, const char *field,
		     int is_strong, const struct pakhus_record *r)
{
	char tag[REGISTRY_TAG];

	registry_tag(r, tag);
	return has_tag(rq, field, is_strong, tag) ||
		has_tag(rq, field, is_strong, r->hash);
}

void registry_path(struct text *t, const struct pakhus_record *r)
{
	text_puts(t, REGISTRY "/packages/");
	target_encode(t, r->id, strlen(r->id), "@");
	text_puts(t, "/versions/");
	target_encode(t, r->version, strlen(r->version), "+");
}

/* ---- pages ---- */

enum { LIMIT_DEFAULT = 100, LIMIT_MAX = 1000 };

/* Its kind, and the library's next as 16 hexadecimal digits at most. */
static int cursor_decode(const char *cursor, char kind, uint64_t *before)
{
	size_t size = strlen(cursor);
	char *end;

	if (size < 2 || size > 17 || *cursor != kind || cursor[1] == '0' ||
	    strspn(cursor + 1, "0123456789abcdef") != size - 1)
		return -1;
	*before = strtoull(cursor + 1, &end, 16);
	return *end ? -1 : 0;
}

int registry_page(struct exchange *x, char kind, struct page *page)
{
	int is_answered = 0;
	uint64_t limit;
	char *cursor;

	memset(page, 0, sizeof(*page));
	page->kind = kind;
	if (query_number(x, "limit", 1, LIMIT_MAX, LIMIT_DEFAULT, &limit))
		return -1;
	page->range.limit = (size_t)limit;
	cursor = query_value(x, "cursor", &is_answered);
	if (is_answered)
		return -1;
	if (cursor && cursor_decode(cursor, kind, &page->range.before)) {
		free(cursor);
		reply_error(x, 400, "VALIDATION_ERROR",
			    "The \"cursor\" query parameter is none that this "
			    "list gave: take it from \"next_cursor\".");
		return -1;
	}
	free(cursor);
	return 0;
}

int registry_flag(struct exchange *x, const char *name)
{
	int is_answered = 0, yes;
	char *value = query_value(x, name, &is_answered);

	if (is_answered)
		return -1;
	yes = value && !strcmp(value, "true");
	if (value && !yes && strcmp(value, "false")) {
		free(value);
		reply_error(x, 400, "VALIDATION_ERROR",
			    "The \"%s\" query parameter is true or false.",
			    name);
		return -1;
	}
	free(value);
	return yes;
}

/* The same address with another cursor, for RFC 8288. */
static void link_next(struct exchange *x, const struct page *page,
		      const char *cursor)
{
	const char *target = x->request->target, *query = x->query;
	struct text t = {0};

	target_encode(&t, target, strcspn(target, "?"), "!$&'()*+,;=:@/%");
	text_printf(&t, "?limit=%zu&cursor=%s", page->range.limit, cursor);
	while (*query) {
		size_t size = strcspn(query, "&");

		if (!strncmp(query, "documents=", 10)) {
			text_puts(&t, "&");
			target_encode(&t, query, size, "=%");
		}
		query += size;
		query += *query == '&';
	}
	if (!t.is_failed)
		reply_field(x->reply, "Link", "<%s>; rel=\"next\"", t.data);
	text_free(&t);
}

void registry_next(struct exchange *x, const struct page *page, uint64_t next,
		   struct text *t)
{
	char cursor[24];

	put_key(t, "next_cursor");
	if (next) {
		snprintf(cursor, sizeof(cursor), "%c%" PRIx64, page->kind,
			 next);
		put_string(t, cursor);
		link_next(x, page, cursor);
	} else {
		put_null(t);
	}
	put_close(t, '}');
}

/* ---- what this server is ---- */

static void about(struct exchange *x)
{
	static const char *const links[][2] = {
		{"packages", REGISTRY "/packages"},
		{"batch", REGISTRY "/batch"},
		{"history", REGISTRY "/history"},
		{"checkpoint", REGISTRY "/checkpoint"},
		{"keys", REGISTRY "/keys"},
		{"stats", REGISTRY "/stats"},
		{"openapi", "/api/v1/openapi.json"},
	};
	struct pakhus_error err = {0};
	struct pakhus_stat st;
	struct text t = {0};
	size_t i;

	if (pakhus_stat(x->store, 0, &st, &err)) {
		reply_failed(x, &err);
		return;
	}
	put_open(&t, '{');
	put_pair(&t, "server", "pakhus");
	put_pair(&t, "version", pakhus_version());
	put_pair(&t, "origin", st.origin);
	put_pair(&t, "key", st.key);
	put_key(&t, "immutable");
	put_bool(&t, st.immutable);
	put_key(&t, "writable");
	put_bool(&t, st.writable);
	put_key(&t, "links");
	put_open(&t, '{');
	for (i = 0; i < sizeof(links) / sizeof(*links); i++)
		put_pair(&t, links[i][0], links[i][1]);
	put_close(&t, '}');
	put_close(&t, '}');
	reply_data(x, 200, &t);
}

static void stats(struct exchange *x)
{
	struct pakhus_error err = {0};
	struct pakhus_stat st;
	struct text t = {0};
	size_t i;

	if (pakhus_stat(x->store, 0, &st, &err)) {
		reply_failed(x, &err);
		return;
	}
	const struct {
		const char *name;
		uint64_t n;
	} numbers[] = {
		{"entries", st.entries},       {"checkpoint", st.checkpoint},
		{"packages", st.packages},     {"versions", st.versions},
		{"journal_bytes", st.journal_bytes},
		{"index_bytes", st.index_bytes},
	};
	put_open(&t, '{');
	put_pair(&t, "identity", st.identity);
	put_pair(&t, "origin", st.origin);
	put_pair(&t, "root", st.root);
	for (i = 0; i < sizeof(numbers) / sizeof(*numbers); i++) {
		put_key(&t, numbers[i].name);
		put_number(&t, numbers[i].n);
	}
	put_close(&t, '}');
	reply_data(x, 200, &t);
}

const struct route registry_routes[] = {
	{HTTP_GET, REGISTRY, about, SCOPE_NONE, 0},
	/* lists what the caller may read */
	{HTTP_GET, REGISTRY "/packages", registry_packages, SCOPE_NONE, 0},
	{HTTP_GET, REGISTRY_PACKAGE, registry_package, SCOPE_READ, 0},
	{HTTP_GET, REGISTRY_PACKAGE "/versions", registry_versions, SCOPE_READ,
	 0},
	{HTTP_GET, REGISTRY_PACKAGE "/history", registry_package_history,
	 SCOPE_HISTORY, 0},
	{HTTP_GET, REGISTRY_VERSION, registry_version, SCOPE_READ, 0},
	{HTTP_GET, REGISTRY_VERSION "/manifest", registry_manifest, SCOPE_READ,
	 0},
	{HTTP_GET, REGISTRY_VERSION "/metadata", registry_metadata, SCOPE_READ,
	 0},
	{HTTP_GET, REGISTRY_VERSION "/document", registry_document, SCOPE_READ,
	 0},
	{HTTP_GET, REGISTRY_VERSION "/proof", registry_proof, SCOPE_READ, 0},
	{HTTP_GET, REGISTRY "/history", registry_history, SCOPE_READ_ALL, 0},
	{HTTP_GET, REGISTRY "/records/{hash}", registry_text, SCOPE_READ_ALL,
	 0},
	{HTTP_GET, REGISTRY "/entries/{seq}", registry_entry, SCOPE_READ_ALL,
	 0},
	{HTTP_GET, REGISTRY "/checkpoint", registry_checkpoint,
	 SCOPE_READ_ALL, 0},
	{HTTP_GET, REGISTRY "/stats", stats, SCOPE_READ_ALL, 0},
	{HTTP_GET, REGISTRY "/keys", registry_keys, SCOPE_NONE, 0},
	{HTTP_GET, REGISTRY_PACKAGE "/attrs", registry_attrs, SCOPE_READ, 0},
	{HTTP_PUT, REGISTRY_PACKAGE "/attrs", registry_set_attrs,
	 SCOPE_PUBLISH, PAKHUS_ATTRS_MAX},
	{HTTP_GET, REGISTRY_VERSION "/attrs", registry_attrs, SCOPE_READ, 0},
	{HTTP_PUT, REGISTRY_VERSION "/attrs", registry_set_attrs,
	 SCOPE_PUBLISH, PAKHUS_ATTRS_MAX},
	/* whose id is in the body */
	{HTTP_POST, REGISTRY "/packages", registry_publish, SCOPE_PUBLISH,
	 PAKHUS_DOCUMENT_MAX},
	{HTTP_POST, REGISTRY "/batch", registry_batch, SCOPE_PUBLISH,
	 PAKHUS_DOCUMENT_MAX},
	{HTTP_DELETE, REGISTRY_PACKAGE, registry_delete, SCOPE_DELETE, 0},
	{HTTP_DELETE, REGISTRY_VERSION, registry_delete_version, SCOPE_DELETE,
	 0},
	{0},
};
