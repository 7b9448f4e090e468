#include "cloud_upload.h"

#include <ctype.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base64.h"
#include "digest.h"

void upload_warn(struct upload *up, const char *fmt, ...)
{
	char sentence[512];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(sentence, sizeof(sentence), fmt, ap);
	va_end(ap);
	put_string(&up->warnings, sentence);
}

int upload_object(struct upload *up, struct object *object, struct slice s)
{
	const char *fault =
		s.text ? object_read(object, s.text, s.size) : "is not there";

	up->is_failed |= fault == object_no_memory;
	return fault ? -1 : 0;
}

static char *read_string(struct upload *up, const struct object *object,
			 const char *key)
{
	return slice_string(object_get(object, key), NULL, &up->is_failed);
}

/* -1 when it was answered, as something is wrong. */
static int invalid(struct exchange *x, const struct upload *up,
		   struct violations *v)
{
	if (up->is_failed || v->list.is_failed) {
		text_free(&v->list);
		return reply_no_memory(x);
	}
	if (!v->count)
		return 0;
	reply_violations(x, "VALIDATION_ERROR",
			 "This is no version that can be published", v);
	return -1;
}

static int required(struct exchange *x, const struct upload *up,
		    const char *sentence)
{
	if (up->is_failed)
		return reply_no_memory(x);
	reply_error(x, 400, "MISSING_REQUIRED_FIELD", "%s", sentence);
	return -1;
}

/* ---- the version's name ---- */

/* Semantic versioning 2.0.0: 1.2.3-rc.1+build, numbers without leading zeros
 * aside, which real versions have. */
static int is_semver(const char *s)
{
	int part;

	for (part = 0; part < 3; part++) {
		if (!isdigit((unsigned char)*s))
			return 0;
		while (isdigit((unsigned char)*s))
			s++;
		if (part < 2 && *s++ != '.')
			return 0;
	}
	for (part = 0; part < 2; part++) {
		if (*s != "-+"[part])
			continue;
		do {
			s++;
			if (!isalnum((unsigned char)*s) && *s != '-')
				return 0;
			while (isalnum((unsigned char)*s) || *s == '-')
				s++;
		} while (*s == '.');
	}
	return !*s;
}

int upload_read_version(struct exchange *x, struct upload *up)
{
	struct violations v = {0};

	up->version = read_string(up, &up->body, "version");
	if (!up->version || !*up->version)
		return required(x, up, "version is required (semver string)");
	if (!is_semver(up->version))
		violation(&v, "version: '%s' is no semantic version, such as "
			  "1.2.0 or 1.2.0-rc.1", up->version);
	else if (strlen(up->version) > PAKHUS_VERSION_MAX)
		violation(&v, "version: it has %zu bytes; %d are the most",
			  strlen(up->version), PAKHUS_VERSION_MAX);
	return invalid(x, up, &v);
}

/* ---- the document ---- */

/* An object's text with members more. One whose key is there already takes
 * its place (FORMAT.md F-3), so nothing is moved. */
static void open_again(struct text *t, struct slice object, size_t count)
{
	size_t size = object.size;

	while (object.text[size - 1] != '}')
		size--;
	text_add(t, object.text, size - 1);
	t->is_behind = count > 0;
}

/* What the artifact calls itself, against what was asked for: 1 where its
 * manifest has to say something else. */
static int differs(struct upload *up, const struct object *manifest,
		   struct violations *v, int is_signed)
{
	char *id = read_string(up, manifest, "id");
	char *version = read_string(up, manifest, "version");
	int is_id = id && !strcmp(id, up->id);
	int is_version = version && !strcmp(version, up->version);

	if (id && !is_id)
		violation(v, "manifest.id: the artifact is '%s', the package "
			  "'%s'. Publish it under its own id, or build it "
			  "with the package's.", id, up->id);
	if (is_signed && !is_version)
		violation(v, "plugin_manifest.version: it is '%s', not '%s'",
			  version ? version : "", up->version);
	else if (version && !is_version)
		upload_warn(up, "The artifact's manifest says version %s; "
			    "published as %s.", version, up->version);
	free(id);
	free(version);
	return !is_id || !is_version;
}

/* A manifest with the id and version that were asked for. */
static void put_manifest(struct upload *up, struct slice text,
			 const struct object *manifest)
{
	struct text *t = &up->document;

	open_again(t, text, manifest->count);
	put_pair(t, "id", up->id);
	put_pair(t, "version", up->version);
	put_close(t, '}');
}

static int no_bundle(struct exchange *x, const struct upload *up)
{
	return required(x, up, "bundle is required and must be a JSON object "
			"(or stringified JSON)");
}

/* text is the bundle's, which a manifest that has to be another one is put
 * behind. What is no object at all the store refuses, and says why. */
static int put_bundle(struct exchange *x, struct upload *up, struct slice text)
{
	struct violations v = {0};
	struct object bundle, manifest;
	struct slice m;

	if (upload_object(up, &bundle, text))
		return no_bundle(x, up);
	m = object_get(&bundle, "manifest");
	if (upload_object(up, &manifest, m)) {
		violation(&v, "manifest: the bundle has none, which is an "
			  "object with id, name, version and type");
	} else {
		if (differs(up, &manifest, &v, 0)) {
			open_again(&up->document, text, bundle.count);
			put_key(&up->document, "manifest");
			put_manifest(up, m, &manifest);
			put_close(&up->document, '}');
		} else {
			text_add(&up->document, text.text, text.size);
		}
		object_free(&manifest);
	}
	object_free(&bundle);
	return invalid(x, up, &v);
}

static int read_bundle(struct exchange *x, struct upload *up)
{
	static const char *const names[] = {"bundle", "manifest_json",
					    "metadata"};
	struct slice value = {NULL, 0};
	char *text;
	int i, rc;

	for (i = 0; i < 3 && !value.text; i++)
		value = object_get(&up->body, names[i]);
	if (!value.text)
		return no_bundle(x, up);
	if (value.text[0] != '"')
		return put_bundle(x, up, value);
	text = slice_string(value, &value.size, &up->is_failed);
	value.text = text;
	rc = text ? put_bundle(x, up, value) : reply_no_memory(x);
	free(text);
	return rc;
}

/* ---- a plugin's ---- */

static int is_base64url(const char *s)
{
	if (!*s || strlen(s) > 256)
		return 0;
	for (; *s; s++)
		if (!isalnum((unsigned char)*s) && *s != '-' && *s != '_')
			return 0;
	return 1;
}

/* ed25519:<key id>:<base64url> */
static int is_signature(const char *s)
{
	static const char begin[] = "ed25519:";
	const char *key = s + sizeof(begin) - 1;
	const char *colon;

	if (strncmp(s, begin, sizeof(begin) - 1) != 0)
		return 0;
	colon = strrchr(key, ':');
	return colon && colon > key && colon - key <= 256 &&
	       is_base64url(colon + 1);
}

/* The checksum of the artifact that was sent, or -1. */
static int digest_of(struct upload *up, struct slice base64,
		     char hex[DIGEST_HEX + 1], size_t *size, int *is_gzip)
{
	unsigned char *bytes = malloc(base64.size);
	unsigned char digest[DIGEST_SIZE];
	int rc = -1;

	if (!bytes) {
		up->is_failed = 1;
	} else if (!base64_decode(base64.text + 1, base64.size - 2, bytes,
				  size)) {
		*is_gzip = *size > 18 && bytes[0] == 0x1f && bytes[1] == 0x8b;
		rc = digest_sha256(bytes, *size, digest);
		up->is_failed |= rc != 0;
	}
	if (!rc)
		digest_hex(digest, hex);
	free(bytes);
	return rc;
}

static void check_artifact(struct upload *up, const char *hex, int is_gzip,
			   struct violations *v)
{
	struct slice said = object_get(&up->body, "artifact_checksum");
	struct slice signature = object_get(&up->body, "signature");
	char *text;

	if (!is_gzip)
		violation(v, "osplugin: it is no .osplugin, which is a "
			  "compressed tar archive");
	text = read_string(up, &up->body, "artifact_checksum");
	if (said.text && (!text || strcmp(text, hex) != 0))
		violation(v, "artifact_checksum: the artifact that came has "
			  "%s", hex);
	free(text);
	text = read_string(up, &up->body, "signature");
	if (signature.text && (!text || !is_signature(text)))
		violation(v, "signature: it is not ed25519:<key id>:"
			  "<base64url>");
	free(text);
}

/* The document of a plugin: its manifest, and as metadata the artifact, so
 * that it is stored by its content, and copied, as any other is. */
static void put_plugin(struct upload *up, struct slice manifest,
		       struct slice artifact, const char *hex, size_t size)
{
	struct slice signature = object_get(&up->body, "signature");
	struct text *t = &up->document;

	put_open(t, '{');
	put_key(t, "manifest");
	put_raw(t, manifest.text, manifest.size);
	put_key(t, "metadata");
	put_open(t, '{');
	put_pair(t, "artifact_kind", "plugin");
	put_pair(t, "artifact_checksum", hex);
	put_key(t, "artifact_size");
	put_number(t, size);
	if (signature.text) {
		put_key(t, "signature");
		put_raw(t, signature.text, signature.size);
	}
	put_key(t, "osplugin");
	put_raw(t, artifact.text, artifact.size);
	put_close(t, '}');
	put_close(t, '}');
}

static int read_plugin(struct exchange *x, struct upload *up)
{
	struct slice artifact = object_get(&up->body, "osplugin");
	struct slice m = object_get(&up->body, "plugin_manifest");
	struct violations v = {0};
	char hex[DIGEST_HEX + 1];
	struct object manifest;
	int is_gzip;
	size_t size;

	if (upload_object(up, &manifest, m))
		return required(x, up, "plugin_manifest is required and must "
				"be a JSON object");
	differs(up, &manifest, &v, 1);
	if (!object_get(&manifest, "id").text)
		violation(&v, "plugin_manifest.id: it is not there");
	object_free(&manifest);
	if (!artifact.text || artifact.text[0] != '"' ||
	    digest_of(up, artifact, hex, &size, &is_gzip)) {
		text_free(&v.list);
		return required(x, up, "osplugin is required (base64 of the "
				".osplugin)");
	}
	check_artifact(up, hex, is_gzip, &v);
	if (invalid(x, up, &v))
		return -1;
	put_plugin(up, m, artifact, hex, size);
	return 0;
}

/* ---- either ---- */

int upload_is_plugin(const struct upload *up)
{
	return slice_is(object_get(&up->body, "artifact_kind"), "\"plugin\"");
}

int upload_read_document(struct exchange *x, struct upload *up)
{
	return upload_is_plugin(up) ? read_plugin(x, up) : read_bundle(x, up);
}
