/* door_registry_write.c - versions in, and out again.
 *
 * If-Match and If-None-Match are held against the version that the request is
 * about, its record's tag or its document's. What is found so is named to the
 * library, which looks again in the step that changes it: of two who saw the
 * same version one is done, and the other hears 412.
 */
#include <string.h>

#include "door_registry.h"
#include "state.h"

/* Whether the fields let a request be done over the record, or with NULL over
 * nothing; else it is answered. */
static int is_wanted(struct exchange *x, const struct pakhus_record *r)
{
	if (request_field(x->request, "If-Match") &&
	    !(r && registry_has_tag(x->request, "If-Match", 1, r)))
		reply_error(x, 412, "PRECONDITION_FAILED",
			    r ? "The version was published again: its ETag is "
				"not one of If-Match."
			      : "The version is not there, and If-Match asks "
				"for one.");
	else if (r && registry_has_tag(x->request, "If-None-Match", 0, r))
		reply_error(x, 412, "PRECONDITION_FAILED",
			    "The version is there already, and If-None-Match "
			    "asks for none.");
	else
		return 1;
	return 0;
}

/* The record, and 1; 0: there is none; -1: it was answered. */
static int find(struct exchange *x, const char *id, const char *version,
		struct pakhus_record *r)
{
	struct pakhus_error err = {0};
	int rc = pakhus_find(x->store, id, version, r, &err);

	if (!rc)
		return 1;
	if (rc == PAKHUS_ENOTFOUND)
		return 0;
	reply_failed(x, &err);
	return -1;
}

/* ---- publish ---- */

static void reply_record(struct exchange *x, int status,
			 const struct pakhus_record *r)
{
	char tag[REGISTRY_TAG];
	struct text path = {0}, t = {0};

	registry_path(&path, r);
	registry_tag(r, tag);
	reply_field(x->reply, "ETag", "\"%s\"", tag);
	if (!path.is_failed)
		reply_field(x->reply,
			    status == 201 ? "Location" : "Content-Location",
			    "%s", path.data);
	text_free(&path);
	put_open(&t, '{');
	registry_record(&t, r);
	put_key(&t, "unchanged");
	put_bool(&t, status == 200);
	put_close(&t, '}');
	reply_data(x, status, &t);
}

static void publish(struct exchange *x, const struct pakhus_document *d)
{
	int is_conditional = request_field(x->request, "If-Match") ||
		request_field(x->request, "If-None-Match");
	struct pakhus_record r;
	int there, rc;

	do {
		struct pakhus_error err = {0};
		uint64_t over;

		there = find(x, d->id, d->version, &r);
		if (there < 0 || !is_wanted(x, there ? &r : NULL))
			return;
		if (there && !strcmp(r.hash, d->hash)) {
			reply_record(x, 200, &r);
			return;
		}
		over = there ? r.seq : 0;
		rc = pakhus_publish_document(x->store, d,
					     is_conditional ? &over : NULL,
					     x->caller.by, &r, &err);
		if (rc && rc != PAKHUS_ESTALE) {
			reply_failed(x, &err);
			return;
		}
	} while (rc);
	server_wrote(x->server);
	reply_record(x, 201, &r);
}

void registry_publish(struct exchange *x)
{
	struct pakhus_error err = {0};
	struct pakhus_document *d;

	if (pakhus_document_new(x->store, x->request->body, x->request->size,
				&d, &err)) {
		reply_failed(x, &err);
		return;
	}
	if (caller_must(x, SCOPE_PUBLISH, d->id))
		publish(x, d);
	pakhus_document_free(d);
}

/* ---- delete ---- */

static void reply_deleted(struct exchange *x, uint64_t count)
{
	struct text t = {0};

	if (!count) {
		reply_error(x, 404, "RESOURCE_NOT_FOUND", "not found: %s%s%s",
			    x->param[0], x->param[1] ? "@" : "",
			    x->param[1] ? x->param[1] : "");
		return;
	}
	server_wrote(x->server);
	put_open(&t, '{');
	put_key(&t, "deleted");
	put_number(&t, count);
	put_close(&t, '}');
	reply_data(x, 200, &t);
}

void registry_delete(struct exchange *x)
{
	struct pakhus_error err = {0};
	uint64_t count = 0;

	if (request_field(x->request, "If-Match") ||
	    request_field(x->request, "If-None-Match")) {
		reply_error(x, 400, "VALIDATION_ERROR",
			    "If-Match and If-None-Match are for one version, "
			    "not for all of a package.");
		return;
	}
	if (pakhus_delete(x->store, x->param[0], NULL, x->caller.by, &count,
			  &err))
		reply_failed(x, &err);
	else
		reply_deleted(x, count);
}

/* Over what the fields name. */
static void delete_wanted(struct exchange *x)
{
	struct pakhus_error err;
	struct pakhus_record r;
	int there, rc;

	do {
		there = find(x, x->param[0], x->param[1], &r);
		if (there > 0) /* "latest" is the name of none */
			there = !strcmp(r.version, x->param[1]);
		if (there < 0 || !is_wanted(x, there ? &r : NULL))
			return;
		if (!there) {
			reply_deleted(x, 0);
			return;
		}
		err.status = 0;
		rc = pakhus_delete_over(x->store, x->param[0], r.version,
					r.seq, x->caller.by, &err);
	} while (rc == PAKHUS_ESTALE);
	if (rc)
		reply_failed(x, &err);
	else
		reply_deleted(x, 1);
}

void registry_delete_version(struct exchange *x)
{
	struct pakhus_error err = {0};
	uint64_t count = 0;

	if (request_field(x->request, "If-Match") ||
	    request_field(x->request, "If-None-Match"))
		delete_wanted(x);
	else if (pakhus_delete(x->store, x->param[0], x->param[1],
			       x->caller.by, &count, &err))
		reply_failed(x, &err);
	else
		reply_deleted(x, count);
}
