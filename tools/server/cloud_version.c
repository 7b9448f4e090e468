/* cloud_version.c - a version that is published, with what is said of it in
 * one step.
 */
#include <stdlib.h>
#include <string.h>

#include "cloud_upload.h"
#include "market_load.h"
#include "state.h"

static int is_true(const struct object *body, const char *key)
{
	return slice_is(object_get(body, key), "true");
}

/* ---- what is said of it ---- */

static void put_attrs(struct upload *up)
{
	struct slice notes = object_get(&up->body, "release_notes");
	struct slice m = object_get(&up->body, "plugin_manifest");
	struct text *t = &up->attrs;
	struct object manifest;

	put_open(t, '{');
	if (notes.text && notes.text[0] == '"') {
		put_key(t, "release_notes");
		put_raw(t, notes.text, notes.size);
	}
	if (is_true(&up->body, "is_pre_release")) {
		put_key(t, "is_pre_release");
		put_bool(t, 1);
	}
	if (is_true(&up->body, "submit_for_review") ||
	    is_true(&up->body, "auto_approve")) {
		put_key(t, "submitted");
		put_bool(t, 1);
	}
	if (upload_is_plugin(up) && !upload_object(up, &manifest, m)) {
		struct slice runtime = object_get(&manifest, "runtime");

		put_pair(t, "artifact_kind", "plugin");
		put_key(t, "signed");
		put_bool(t, object_get(&up->body, "signature").text != NULL);
		if (runtime.text && runtime.text[0] == '"') {
			put_key(t, "runtime");
			put_raw(t, runtime.text, runtime.size);
		}
		object_free(&manifest);
	}
	put_close(t, '}');
}

/* A listing that people cannot make much of. */
static void warn_of_listing(struct upload *up)
{
	static const char *const wanted[] = {"description", "category",
					     "readme", "icon_url"};
	size_t i;

	for (i = 0; i < sizeof(wanted) / sizeof(*wanted); i++)
		if (!up->package ||
		    !canonical_get(up->package->text, up->package->size,
				   wanted[i]).text)
			upload_warn(up, "The listing has no %s.", wanted[i]);
}

/* -1 when it was answered: only what all may see can be listed. */
static int check_listing(struct exchange *x, const struct pakhus_attrs *attrs)
{
	struct violations v = {0};

	if (market_is_listed(attrs))
		return 0;
	violation(&v, "visibility: it is %s; only a package with visibility "
		  "marketplace can be listed",
		  visibility_name(market_visibility(attrs)));
	reply_violations(x, "VALIDATION_ERROR",
			 "This package cannot be listed in the marketplace",
			 &v);
	return -1;
}

static const char *listing_status(const struct pakhus_attrs *attrs)
{
	return market_is_listed(attrs) ? "approved" : "draft";
}

/* ---- publishing ---- */

/* What the store says of a document that it does not take. Of its limits only
 * that of the whole is no fault of the document. */
static void reply_refused(struct exchange *x, const struct pakhus_error *err,
			  size_t size)
{
	struct violations v = {0};

	if (err->status != PAKHUS_EINVAL &&
	    (err->status != PAKHUS_ELIMIT || size > server_max(x->server))) {
		reply_failed(x, err);
		return;
	}
	violation(&v, "%s", err->text);
	reply_violations(x, "VALIDATION_ERROR",
			 "This is no version that can be published", &v);
}

/* Document and attrs in one step. */
static int commit(struct exchange *x, const struct upload *up,
		  struct pakhus_error *err)
{
	struct pakhus_batch *batch;
	int rc = pakhus_batch_new(x->store, x->caller.by, &batch, err);

	if (rc)
		return rc;
	rc = pakhus_batch_document(batch, up->read, err);
	if (!rc && up->attrs.size > 2)
		rc = pakhus_batch_attrs(batch, up->id, up->version,
					up->attrs.data, up->attrs.size, err);
	if (!rc)
		rc = pakhus_batch_commit(batch, err);
	pakhus_batch_free(batch);
	return rc;
}

/* 0, or -1 when it was answered. With the package's lock held. */
static int publish(struct exchange *x, const struct upload *up)
{
	struct pakhus_record there;
	struct pakhus_error err = {0};
	int rc = pakhus_find(x->store, up->id, up->version, &there, &err);

	if (!rc) {
		reply_error(x, 409, "RESOURCE_CONFLICT",
			    "Version '%s' already exists for package '%s'. "
			    "Bump the version and retry.", up->version,
			    up->id);
		return -1;
	}
	if (err.status != PAKHUS_ENOTFOUND) {
		reply_failed(x, &err);
		return -1;
	}
	if (commit(x, up, &err)) {
		reply_refused(x, &err, up->read->size);
		return -1;
	}
	server_wrote(x->server);
	return 0;
}

static void reply_version(struct exchange *x, const struct upload *up)
{
	struct text t = {0};

	put_open(&t, '{');
	put_key(&t, "success");
	put_bool(&t, 1);
	put_key(&t, "data");
	put_open(&t, '{');
	put_pair(&t, "id", up->version);
	put_pair(&t, "package_id", up->id);
	put_pair(&t, "manifest_id", up->id);
	put_pair(&t, "version", up->version);
	put_pair(&t, "checksum", up->read->hash);
	put_pair(&t, "listing_status", listing_status(up->package));
	put_key(&t, "installation");
	put_null(&t);
	put_key(&t, "warnings");
	put_open(&t, '[');
	text_add(&t, up->warnings.data, up->warnings.size);
	put_close(&t, ']');
	put_close(&t, '}');
	put_key(&t, "violations");
	put_open(&t, '[');
	put_close(&t, ']');
	put_close(&t, '}');
	t.is_failed |= up->warnings.is_failed;
	reply_json(x, 200, &t);
}

/* Reads all of an upload; 0, or -1 when it was answered. */
static int read_upload(struct exchange *x, struct upload *up)
{
	struct pakhus_error err = {0};
	int has_versions;

	if (upload_read_version(x, up) ||
	    cloud_known(x, up->id, 1, &up->package, &has_versions) ||
	    upload_read_document(x, up))
		return -1;
	if (is_true(&up->body, "submit_for_review") ||
	    is_true(&up->body, "auto_approve")) {
		if (check_listing(x, up->package))
			return -1;
		warn_of_listing(up);
	}
	if (object_get(&up->body, "install_env_id").text)
		upload_warn(up, "A registry has no environments: nothing was "
			    "installed. `os package install %s` does, against "
			    "a runtime.", up->id);
	put_attrs(up);
	if (up->is_failed || up->document.is_failed || up->attrs.is_failed)
		return reply_no_memory(x);
	if (pakhus_document_new(x->store, up->document.data, up->document.size,
				&up->read, &err)) {
		reply_refused(x, &err, up->document.size);
		return -1;
	}
	text_free(&up->document);
	return 0;
}

void cloud_post_version(struct exchange *x)
{
	struct upload up = {.id = x->param[0]};
	pthread_mutex_t *lock;
	int rc;

	if (!cloud_body(x, &up.body))
		return;
	if (!read_upload(x, &up)) {
		lock = stripes_lock(&x->server->packages, up.id);
		rc = publish(x, &up);
		pthread_mutex_unlock(lock);
		if (!rc)
			reply_version(x, &up);
	}
	object_free(&up.body);
	free(up.version);
	pakhus_document_free(up.read);
	text_free(&up.document);
	text_free(&up.attrs);
	text_free(&up.warnings);
	pakhus_attrs_free(up.package);
}

/* ---- submitting one that is there ---- */

static int submit(struct exchange *x, const char *id, const char *version)
{
	const struct edit edit = {"submitted", {"true", 4}};
	struct pakhus_attrs *old;
	struct pakhus_record there;
	struct pakhus_error err = {0};
	int rc;

	if (pakhus_find(x->store, id, version, &there, &err)) {
		if (err.status == PAKHUS_ENOTFOUND)
			reply_error(x, 404, "RESOURCE_NOT_FOUND",
				    "Version '%s' of package '%s' not found",
				    version, id);
		else
			reply_failed(x, &err);
		return -1;
	}
	rc = attrs_read(x->store, id, there.version, &old, &err);
	if (rc) {
		reply_failed(x, &err);
	} else {
		rc = cloud_say(x, id, there.version, old, &edit, 1);
		pakhus_attrs_free(old);
	}
	return rc;
}

void cloud_post_submit(struct exchange *x)
{
	const char *id = x->param[0], *version = x->param[1];
	struct pakhus_attrs *package;
	pthread_mutex_t *lock;
	struct text t = {0};
	int has_versions, rc;

	if (cloud_known(x, id, 1, &package, &has_versions))
		return;
	rc = check_listing(x, package);
	if (!rc) {
		lock = stripes_lock(&x->server->packages, id);
		rc = submit(x, id, version);
		pthread_mutex_unlock(lock);
	}
	if (!rc) {
		put_open(&t, '{');
		put_pair(&t, "id", version);
		put_pair(&t, "package_id", id);
		put_pair(&t, "manifest_id", id);
		put_pair(&t, "version", version);
		put_pair(&t, "listing_status", listing_status(package));
		put_close(&t, '}');
		reply_data(x, 200, &t);
	}
	pakhus_attrs_free(package);
}
