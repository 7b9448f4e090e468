/* door_cloud.c - what `os package publish` and `os plugin publish` call: the
 * publish API of ObjectStack's cloud.
 *
 * A package's id is its manifest_id, and its row is the attrs of the package.
 * There are no organizations behind tokens: owner_org_id is kept and told, and
 * who may publish is what the token says. There is no review either: a
 * marketplace package is listed when it is published.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base64.h"
#include "cloud.h"
#include "digest.h"
#include "icon.h"
#include "market_load.h"
#include "state.h"

/* ---- a package ---- */

static int is_alnum(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
	       (c >= '0' && c <= '9');
}

/* /^[a-z0-9][a-z0-9._-]{0,254}$/i */
static int is_manifest_id(const char *id)
{
	size_t i;

	if (!is_alnum(*id) || strlen(id) > 255)
		return 0;
	for (i = 1; id[i]; i++)
		if (!is_alnum(id[i]) && !strchr("._-", id[i]))
			return 0;
	return 1;
}

/* Without the white space around it; the caller frees it. */
static char *trimmed(struct slice slice, int *is_failed)
{
	static const char space[] = " \t\n\v\f\r";
	char *text = slice_string(slice, NULL, is_failed);
	size_t size;

	if (!text)
		return NULL;
	memmove(text, text + strspn(text, space),
		strlen(text + strspn(text, space)) + 1);
	for (size = strlen(text); size && strchr(space, text[size - 1]);)
		text[--size] = '\0';
	return text;
}

/* The id that a body names, or NULL when it was answered. */
static char *read_id(struct exchange *x, const struct object *body)
{
	struct slice value = object_get(body, "manifest_id");
	int is_failed = 0;
	char *id;

	if (!value.text)
		value = object_get(body, "manifestId");
	id = trimmed(value, &is_failed);
	if (is_failed) {
		reply_no_memory(x);
	} else if (!id || !*id) {
		reply_error(x, 400, "MISSING_REQUIRED_FIELD",
			    "manifest_id is required");
	} else if (!is_manifest_id(id)) {
		reply_error(x, 400, "VALIDATION_ERROR",
			    "manifest_id must match /^[a-z0-9][a-z0-9._-]"
			    "{0,254}$/i (reverse-domain style, e.g. "
			    "local.acme.crm)");
	} else if (strlen(id) > PAKHUS_ID_MAX) {
		reply_error(x, 400, "VALIDATION_ERROR",
			    "manifest_id has %zu bytes; %d are the most here",
			    strlen(id), PAKHUS_ID_MAX);
	} else {
		return id;
	}
	free(id);
	return NULL;
}

static const struct {
	const char *key;
	char begins;
} row[] = {
	{"display_name", '"'}, {"visibility", '"'}, {"description", '"'},
	{"category", '"'}, {"homepage_url", '"'}, {"license", '"'},
	{"tagline", '"'}, {"icon_url", '"'}, {"readme", '"'},
	{"namespace", '"'}, {"translations", '{'},
};
enum { ROW = sizeof(row) / sizeof(*row), EDITS = ROW + 3 };

/* The members of a body that are kept; how many, or -1 when it was answered. */
static int read_row(struct exchange *x, const struct object *body,
		    struct edit edits[EDITS])
{
	struct slice value;
	int i, n = 0;

	for (i = 0; i < ROW; i++) {
		value = object_get(body, row[i].key);
		if (!value.text)
			continue;
		if (value.text[0] != row[i].begins) {
			reply_error(x, 400, "VALIDATION_ERROR",
				    "%s must be %s", row[i].key,
				    row[i].begins == '{' ? "an object"
							 : "a string");
			return -1;
		}
		edits[n].key = row[i].key;
		edits[n++].value = value;
	}
	value = object_get(body, "visibility");
	if (value.text && !slice_is(value, "\"private\"") &&
	    !slice_is(value, "\"org\"") &&
	    !slice_is(value, "\"marketplace\"")) {
		reply_error(x, 400, "VALIDATION_ERROR",
			    "visibility must be one of: private, org, "
			    "marketplace");
		return -1;
	}
	return n;
}

static struct edit *edit_find(struct edit *edits, int n, const char *key)
{
	int i;

	for (i = 0; i < n; i++)
		if (!strcmp(edits[i].key, key))
			return &edits[i];
	return NULL;
}

/* json NULL: none */
static struct slice slice_of(const char *json)
{
	struct slice s = {json, json ? strlen(json) : 0};

	return s;
}

/* What a row that is made has besides, and one that is changed loses: a
 * picture that was uploaded, when another address is said. */
static int complete(const struct object *body, const struct pakhus_attrs *old,
		    int has_versions, const struct text *by,
		    struct edit edits[EDITS], int n)
{
	const struct edit *url = edit_find(edits, n, "icon_url");
	struct slice org = object_get(body, "owner_org_id");

	if (old) {
		if (url && !slice_equal(url->value,
				       canonical_get(old->text, old->size,
						     "icon_url"))) {
			edits[n].key = "icon";
			edits[n++].value = slice_of(NULL);
		}
		return n;
	}
	if (!org.text)
		org = object_get(body, "ownerOrgId");
	if (org.text && org.text[0] == '"') {
		edits[n].key = "owner_org_id";
		edits[n++].value = org;
	}
	if (!has_versions && !edit_find(edits, n, "visibility")) {
		edits[n].key = "visibility";
		edits[n++].value = slice_of("\"private\"");
	}
	edits[n].key = "created_by";
	edits[n++].value = slice_of(by->data);
	return n;
}

/* What is known of it afterwards. */
static void reply_package(struct exchange *x, const char *id, int is_new)
{
	struct pakhus_attrs *attrs;
	struct pakhus_error err = {0};
	struct text t = {0};
	struct slice org = {NULL, 0};

	if (attrs_read(x->store, id, NULL, &attrs, &err)) {
		reply_failed(x, &err);
		return;
	}
	if (attrs)
		org = canonical_get(attrs->text, attrs->size, "owner_org_id");
	put_open(&t, '{');
	put_pair(&t, "id", id);
	put_pair(&t, "manifest_id", id);
	put_key(&t, "created");
	put_bool(&t, is_new);
	put_key(&t, "owner_org_id");
	if (org.text)
		put_raw(&t, org.text, org.size);
	else
		put_null(&t);
	put_pair(&t, "visibility", visibility_name(market_visibility(attrs)));
	put_close(&t, '}');
	pakhus_attrs_free(attrs);
	reply_data(x, 200, &t);
}

static void upsert(struct exchange *x, const struct object *body,
		   const char *id, struct edit edits[EDITS], int n)
{
	struct pakhus_attrs *old = NULL;
	struct text by = {0};
	int has_versions, rc;

	put_string(&by, x->caller.by);
	rc = by.is_failed;
	if (rc)
		reply_no_memory(x);
	else
		rc = cloud_known(x, id, 0, &old, &has_versions);
	if (!rc) {
		n = complete(body, old, has_versions, &by, edits, n);
		rc = cloud_say(x, id, NULL, old, edits, (size_t)n);
	}
	if (!rc)
		reply_package(x, id, !old && !has_versions);
	pakhus_attrs_free(old);
	text_free(&by);
}

static void post_package(struct exchange *x)
{
	struct edit edits[EDITS];
	pthread_mutex_t *lock;
	struct object body;
	char *id;
	int n;

	if (!cloud_body(x, &body))
		return;
	id = read_id(x, &body);
	if (id && caller_must(x, SCOPE_PUBLISH, id)) {
		n = read_row(x, &body, edits);
		if (n >= 0) {
			lock = stripes_lock(&x->server->packages, id);
			upsert(x, &body, id, edits, n);
			pthread_mutex_unlock(lock);
		}
	}
	free(id);
	object_free(&body);
}

/* ---- its picture ---- */

/* "/icons/com.acme.crm.png" as JSON; in a path, an id is encoded. */
static void put_icon_url(struct text *t, const char *id, const char *end)
{
	put_open(t, '"');
	text_puts(t, "/icons/");
	target_encode(t, id, strlen(id), "");
	text_puts(t, end);
	put_close(t, '"');
}

/* {"type":…,"data":base64} */
static void put_icon(struct text *t, const struct icon_type *type,
		     const char *bytes, size_t size)
{
	char *data = malloc(base64_size(size) + 1);

	if (!data) {
		t->is_failed = 1;
		return;
	}
	base64_encode(bytes, size, data);
	put_open(t, '{');
	put_pair(t, "type", type->type);
	put_pair(t, "data", data);
	put_close(t, '}');
	free(data);
}

static const struct icon_type *read_type(struct exchange *x)
{
	const char *named = request_field(x->request, "Content-Type");
	const struct icon_type *type = named ? icon_named(named) : NULL;
	const struct icon_type *is = icon_sniff(x->request->body,
						x->request->size);

	if (!type)
		reply_error(x, 415, "VALIDATION_ERROR",
			    "The Content-Type of an icon is image/png, "
			    "image/jpeg, image/webp or image/svg+xml.");
	else if (is != type)
		reply_error(x, 400, "VALIDATION_ERROR",
			    "The body is not %s, as its Content-Type says, "
			    "but %s.", type->type,
			    is ? is->type : "no picture that is taken");
	else
		return type;
	return NULL;
}

static void set_icon(struct exchange *x, const char *id, struct text *url,
		     const struct text *icon)
{
	struct edit edits[2] = {{"icon_url", {url->data, url->size}},
				{"icon", {icon->data, icon->size}}};
	struct pakhus_attrs *old;
	struct text t = {0};
	int has_versions, rc;

	if (cloud_known(x, id, 1, &old, &has_versions))
		return;
	rc = cloud_say(x, id, NULL, old, edits, 2);
	pakhus_attrs_free(old);
	if (rc)
		return;
	put_open(&t, '{');
	put_key(&t, "icon_url");
	put_raw(&t, url->data, url->size);
	put_close(&t, '}');
	reply_data(x, 200, &t);
}

static void post_icon(struct exchange *x)
{
	const struct icon_type *type = read_type(x);
	struct text url = {0}, icon = {0};
	pthread_mutex_t *lock;

	if (!type)
		return;
	put_icon_url(&url, x->param[0], type->end);
	put_icon(&icon, type, x->request->body, x->request->size);
	if (url.is_failed || icon.is_failed) {
		reply_no_memory(x);
	} else {
		lock = stripes_lock(&x->server->packages, x->param[0]);
		set_icon(x, x->param[0], &url, &icon);
		pthread_mutex_unlock(lock);
	}
	text_free(&url);
	text_free(&icon);
}

static void no_icon(struct exchange *x)
{
	reply_error(x, 404, "RESOURCE_NOT_FOUND", "There is no such icon.");
}

/* The bytes of attrs' icon, or NULL; of the type, or, with NULL, of any, which
 * is set. The caller frees them. */
static char *icon_of(const struct pakhus_attrs *attrs,
		     const struct icon_type **type, size_t *size,
		     int *is_failed)
{
	struct slice icon = canonical_get(attrs->text, attrs->size, "icon");
	struct slice data;
	unsigned char *bytes;
	const struct icon_type *is;
	char *name;

	if (!icon.text || icon.text[0] != '{')
		return NULL;
	data = canonical_get(icon.text, icon.size, "data");
	name = slice_string(canonical_get(icon.text, icon.size, "type"), NULL,
			    is_failed);
	is = name ? icon_named(name) : NULL;
	free(name);
	if (!is || (*type && is != *type) || !data.text ||
	    data.text[0] != '"')
		return NULL;
	bytes = malloc(data.size);
	if (!bytes) {
		*is_failed = 1;
		return NULL;
	}
	if (!base64_decode(data.text + 1, data.size - 2, bytes, size)) {
		*type = is;
		return (char *)bytes;
	}
	free(bytes);
	return NULL;
}

/* A picture may have scripts in it, which run nowhere. */
static void reply_icon(struct exchange *x, const struct icon_type *type,
		       char *bytes, size_t size)
{
	unsigned char digest[DIGEST_SIZE];
	char tag[DIGEST_HEX + 1];

	reply_field(x->reply, "Content-Security-Policy",
		    "default-src 'none'; style-src 'unsafe-inline'; sandbox");
	reply_field(x->reply, "X-Content-Type-Options", "nosniff");
	if (!digest_sha256(bytes, size, digest)) {
		digest_hex(digest, tag);
		if (reply_tag(x, tag)) {
			free(bytes);
			return;
		}
	}
	reply_bytes(x, 200, type->type, bytes, size);
}

/* ID.png, or ID */
static void get_icon(struct exchange *x)
{
	const struct icon_type *type = icon_ending(x->param[0]);
	struct pakhus_error err = {0};
	struct pakhus_attrs *attrs = NULL;
	char *id = strdup(x->param[0]), *bytes = NULL;
	int is_failed = 0;
	size_t size;

	if (!id) {
		reply_no_memory(x);
		return;
	}
	if (type)
		id[strlen(id) - strlen(type->end)] = '\0';
	if (!caller_must(x, SCOPE_READ, id))
		; /* answered */
	else if (attrs_read(x->store, id, NULL, &attrs, &err))
		reply_failed(x, &err);
	else if (attrs)
		bytes = icon_of(attrs, &type, &size, &is_failed);
	if (bytes)
		reply_icon(x, type, bytes, size);
	else if (is_failed)
		reply_no_memory(x);
	else if (!x->reply->status)
		no_icon(x);
	pakhus_attrs_free(attrs);
	free(id);
}

/* ---- who is asking, for `os cloud whoami` ---- */

static void get_session(struct exchange *x)
{
	struct text t = {0};

	if (!x->caller.token) {
		put_null(&t);
		reply_json(x, 200, &t);
		return;
	}
	put_open(&t, '{');
	put_key(&t, "user");
	put_open(&t, '{');
	put_pair(&t, "id", x->caller.by);
	put_close(&t, '}');
	put_close(&t, '}');
	reply_json(x, 200, &t);
}

/* A bundle is a document, in a body with a little more, or as a string in
 * which a quarter is escapes. */
#define VERSION_BODY_MAX (PAKHUS_DOCUMENT_MAX / 4 * 5 + ((size_t)1 << 20))

const struct route cloud_routes[] = {
	{HTTP_POST, "/api/v1/cloud/packages", post_package, SCOPE_PUBLISH,
	 PAKHUS_ATTRS_MAX * 2},
	{HTTP_POST, "/api/v1/cloud/packages/{id}/icon", post_icon,
	 SCOPE_PUBLISH, ICON_MAX},
	{HTTP_POST, "/api/v1/cloud/packages/{id}/versions", cloud_post_version,
	 SCOPE_PUBLISH, VERSION_BODY_MAX},
	{HTTP_POST, "/api/v1/cloud/packages/{id}/versions/{version}/submit",
	 cloud_post_submit, SCOPE_PUBLISH, 64 << 10},
	{HTTP_GET, "/icons/{file}", get_icon, SCOPE_NONE, 0},
	{HTTP_GET, "/api/v1/auth/get-session", get_session, SCOPE_NONE, 0},
	{0},
};
