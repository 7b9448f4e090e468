/* door_artifact.c - build artifacts, by version and by their own SHA-256, for
 * runtimes that boot from one: OS_ARTIFACT_URL=…#sha256=….
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "exchange.h"
#include "object.h"

struct artifact {
	char *text;
	size_t size;
	char hash[PAKHUS_HASH_HEX + 1];
};

static void absent(struct exchange *x)
{
	reply_error(x, 404, "RESOURCE_NOT_FOUND", "There is no such artifact.");
}

static void failed(struct exchange *x, const struct pakhus_error *err)
{
	if (err->status == PAKHUS_EINVAL)
		reply_error(x, 404, "NO_ARTIFACT", "%s", err->text);
	else
		reply_failed(x, err);
}

/* Takes the artifact. */
static void show(struct exchange *x, struct artifact *a)
{
	reply_digest(x->reply, a->text, a->size);
	if (reply_tag(x, a->hash))
		pakhus_free(a->text);
	else
		reply_bytes(x, 200, "application/json", a->text, a->size);
}

/* ---- By its version ---- */

static void by_version(struct exchange *x)
{
	struct pakhus_error err = {0};
	struct pakhus_package *p;
	struct artifact a;

	if (pakhus_get(x->store, x->param[0], x->param[1], &p, &err)) {
		reply_failed(x, &err);
		return;
	}
	if (pakhus_artifact(p, &a.text, &a.size, a.hash, &err)) {
		failed(x, &err);
	} else {
		reply_field(x->reply, "Content-Location",
			    "/api/v1/registry/artifacts/%s/%s.json",
			    p->record.hash, a.hash);
		show(x, &a);
	}
	pakhus_package_free(p);
}

/* ---- By its hash ---- */

/* The manifest's id or version, to be freed; NULL: out of memory. */
static char *name_of(const struct pakhus_package *p, const char *key)
{
	struct slice name = canonical_get(p->manifest, p->manifest_size, key);
	int is_failed = 0;

	return slice_string(name, NULL, &is_failed);
}

/* {"manifest":M,"metadata":D} taken apart; 0, or -1. */
static int open_document(struct pakhus_package *p)
{
	struct pakhus_json it = {.text = p->document,
				 .size = p->document_size};

	if (pakhus_json_next(&it) != 1)
		return -1;
	p->manifest = it.value;
	p->manifest_size = it.value_size;
	if (pakhus_json_next(&it) != 1)
		return -1;
	p->metadata = it.value;
	p->metadata_size = it.value_size;
	return 0;
}

static int is_live(struct exchange *x, const char *id, const char *version,
		   const char *document)
{
	struct pakhus_package *p;
	int same;

	if (pakhus_get(x->store, id, version, &p, NULL))
		return 0;
	same = !strcmp(p->record.hash, document);
	pakhus_package_free(p);
	return same;
}

/* A document shows what was replaced or deleted too, so that takes the right
 * to read all; what a version holds now is for who may read its package. */
static int may_see(struct exchange *x, const struct pakhus_package *p,
		   const char *document)
{
	char *id, *version;
	int may;

	if (caller_may(x, SCOPE_READ_ALL, NULL))
		return 1;
	id = name_of(p, "id");
	version = name_of(p, "version");
	may = id && version && caller_may(x, SCOPE_READ, id) &&
	      is_live(x, id, version, document);
	free(id);
	free(version);
	return may;
}

static int is_digest(const char *s, size_t size)
{
	return size == PAKHUS_HASH_HEX &&
	       strspn(s, "0123456789abcdef") >= PAKHUS_HASH_HEX;
}

static int has_digest(struct exchange *x)
{
	const char *name = x->param[1];
	size_t n = strlen(name);

	if (n > 5 && !strcmp(name + n - 5, ".json"))
		n -= 5;
	return is_digest(x->param[0], strlen(x->param[0])) &&
	       is_digest(name, n);
}

static void by_document(struct exchange *x, struct pakhus_package *p)
{
	struct pakhus_error err = {0};
	struct artifact a;

	if (open_document(p) || !may_see(x, p, x->param[0])) {
		absent(x);
	} else if (pakhus_artifact(p, &a.text, &a.size, a.hash, &err)) {
		failed(x, &err);
	} else if (memcmp(a.hash, x->param[1], PAKHUS_HASH_HEX) != 0) {
		pakhus_free(a.text);
		absent(x);
	} else {
		reply_immutable(x);
		show(x, &a);
	}
}

static void by_hash(struct exchange *x)
{
	struct pakhus_package p = {0};
	struct pakhus_error err = {0};
	char *text;

	if (!has_digest(x)) {
		absent(x);
		return;
	}
	if (pakhus_read(x->store, x->param[0], &text, &p.document_size, &err)) {
		/* why it is not there is history's to say */
		if (err.status == PAKHUS_ENOTFOUND)
			absent(x);
		else
			reply_failed(x, &err);
		return;
	}
	p.document = text;
	by_document(x, &p);
	pakhus_free(text);
}

const struct route artifact_routes[] = {
	{HTTP_GET, "/api/v1/registry/artifacts/{document}/{sha256}", by_hash,
	 SCOPE_NONE, 0},
	{HTTP_GET, "/api/v1/registry/packages/{id}/versions/{version}/artifact",
	 by_version, SCOPE_READ, 0},
	{0},
};
