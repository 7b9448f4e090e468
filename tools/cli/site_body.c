#include "site_body.h"

#include <ctype.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "mem.h"
#include "obj.h"

/* ---- what the manifest says ---- */

/* A member of a summary, the manifest's members that may give it, the first
 * that is there being it, and how their values have to begin. */
static const struct field {
	const char *name, *from[3];
	const char *begins;
} fields[] = {
	{"display_name", {"name"}, "\""},
	{"description", {"description"}, "\""},
	{"category", {"category"}, "\""},
	{"tags", {"tags", "keywords"}, "["},
	{"icon_url", {"icon_url", "iconUrl"}, "\""},
	{"homepage_url", {"homepage_url", "homepageUrl", "homepage"}, "\""},
	{"license", {"license"}, "\""},
	{"publisher", {"publisher"}, "\""},
	{"is_starter", {"is_starter", "isStarter"}, "tf"},
	{"translations", {"translations"}, "{"},
	{"readme", {"readme"}, "\""},
};
enum {
	NAME = 0,
	TAGS = 3,
	README = sizeof(fields) / sizeof(*fields) - 1,
	FIELDS
};

struct facts {
	const char *value[FIELDS]; /* NULL: not there */
	size_t size[FIELDS];
	int rank[FIELDS];
};

static bool key_is(const struct pakhus_json *it, const char *key)
{
	return it->key_size == strlen(key) &&
	       !memcmp(it->key, key, it->key_size);
}

static void take(struct facts *facts, size_t i, const struct pakhus_json *it)
{
	int rank;

	for (rank = 0; rank < 3 && fields[i].from[rank]; rank++) {
		if (!key_is(it, fields[i].from[rank]) ||
		    !strchr(fields[i].begins, it->value[0]) ||
		    !strncmp(it->value, "\"\"", 2) ||
		    (facts->value[i] && facts->rank[i] <= rank))
			continue;
		facts->value[i] = it->value;
		facts->size[i] = it->value_size;
		facts->rank[i] = rank;
	}
}

/* What is said of it, by the names that clients have for it. */
static void take_said(struct facts *facts, const struct pakhus_attrs *attrs)
{
	struct pakhus_json it = {.text = attrs->text, .size = attrs->size};
	size_t i;

	while (pakhus_json_next(&it) == 1)
		for (i = 0; i < FIELDS; i++) {
			if (!key_is(&it, fields[i].name) ||
			    (!strchr(fields[i].begins, it.value[0]) &&
			     (i != TAGS || it.value[0] != '"')) ||
			    !strncmp(it.value, "\"\"", 2))
				continue;
			facts->value[i] = it.value;
			facts->size[i] = it.value_size;
		}
}

static struct facts facts_of(const struct site_package *package)
{
	struct pakhus_json it = {.text = package->manifest,
				 .size = package->manifest_size};
	struct facts facts = {{NULL}, {0}, {0}};
	size_t i;

	while (pakhus_json_next(&it) == 1)
		for (i = 0; i < FIELDS; i++)
			take(&facts, i, &it);
	if (package->attrs)
		take_said(&facts, package->attrs);
	return facts;
}

bool site_is_hidden(const struct pakhus_attrs *attrs)
{
	struct pakhus_json it = {.text = attrs->text, .size = attrs->size};
	bool hidden = false;

	while (pakhus_json_next(&it) == 1)
		if (key_is(&it, "visibility"))
			hidden = strncmp(it.value, "\"marketplace\"", 13) != 0;
	return hidden;
}

/* ---- versions ---- */

/* 2026-11-22T10:11:12.345Z, as JavaScript has it. */
static void put_time(struct obj *obj, const char *key, const char *text,
		     uint64_t us)
{
	char iso[32];

	if (strlen(text) != 19)
		return; /* beyond the year 9999 */
	snprintf(iso, sizeof(iso), "%.10sT%.8s.%03uZ", text, text + 11,
		 (unsigned)(us / 1000 % 1000));
	obj_string(obj, key, iso);
}

/* Semantic versioning: digits.digits.digits-anything. */
static bool is_prerelease(const char *version)
{
	int dots = 0;

	for (; isdigit((unsigned char)*version) || *version == '.'; version++)
		dots += *version == '.';
	return dots == 2 && *version == '-';
}

static struct pakhus_json said_as(const struct pakhus_attrs *attrs,
				  const char *key)
{
	struct pakhus_json it = {.text = attrs->text, .size = attrs->size};

	while (pakhus_json_next(&it) == 1)
		if (key_is(&it, key))
			return it;
	it.value = "n"; /* of no kind that is told */
	return it;
}

/* What is said of a version, where it is of the right kind. */
static void put_said(struct obj *obj, const struct pakhus_attrs *attrs)
{
	static const char *const said[][2] = {
		{"release_notes", "\""}, {"artifact_kind", "\""},
		{"runtime", "\""}, {"signed", "tf"},
	};
	struct pakhus_json it;
	size_t i;

	for (i = 0; i < sizeof(said) / sizeof(*said); i++) {
		it = said_as(attrs, said[i][0]);
		if (strchr(said[i][1], it.value[0]))
			obj_raw(obj, said[i][0], it.value, it.value_size);
	}
}

static bool is_said_prerelease(const struct pakhus_attrs *attrs)
{
	return said_as(attrs, "is_pre_release").value[0] == 't';
}

static void put_version(FILE *out, const struct site_package *package, size_t i)
{
	const struct pakhus_record *r = &package->versions[i];
	const struct pakhus_attrs *said =
		i < package->saids ? package->said[i] : NULL;
	struct obj obj = obj_begin(out);

	obj_string(&obj, "id", r->version);
	obj_string(&obj, "version", r->version);
	obj_bool(&obj, "is_prerelease", is_prerelease(r->version) ||
			(said && is_said_prerelease(said)));
	put_time(&obj, "published_at", r->created_at, r->created_us);
	if (said)
		put_said(&obj, said);
	obj_close(&obj);
}

/* ---- a package ---- */

static void put_fields(struct obj *obj, const struct site_package *package,
		       bool with_readme)
{
	struct facts facts = facts_of(package);
	char *text;
	size_t i;

	if (!facts.value[NAME])
		obj_string(obj, fields[NAME].name, package->id);
	for (i = 0; i < FIELDS; i++) {
		if (!facts.value[i] || (i == README && !with_readme))
			continue;
		if (i != TAGS || facts.value[i][0] == '"') {
			obj_raw(obj, fields[i].name, facts.value[i],
				facts.size[i]);
			continue;
		}
		/* clients take a string with JSON in it */
		text = mem_need(strndup(facts.value[i], facts.size[i]));
		obj_string(obj, fields[i].name, text);
		free(text);
	}
}

static void put_package(FILE *out, const struct site_package *package,
			bool with_readme)
{
	const struct pakhus_record *first = package->versions,
				   *last = package->versions;
	struct obj obj = obj_begin(out);
	size_t i;

	for (i = 1; i < package->count; i++) {
		if (package->versions[i].created_us < first->created_us)
			first = &package->versions[i];
		if (package->versions[i].updated_us > last->updated_us)
			last = &package->versions[i];
	}
	obj_string(&obj, "id", package->id);
	obj_string(&obj, "manifest_id", package->id);
	put_fields(&obj, package, with_readme);
	put_time(&obj, "created_at", first->created_at, first->created_us);
	put_time(&obj, "updated_at", last->updated_at, last->updated_us);
	fputs(",\"latest_version\":", out);
	put_version(out, package, 0);
	obj_close(&obj);
}

void site_summary(FILE *out, const struct site_package *package)
{
	put_package(out, package, false);
}

void site_list_end(FILE *out, uint64_t total)
{
	fprintf(out,
		"],\"total\":%" PRIu64 ",\"limit\":%" PRIu64
		",\"offset\":0}}\n",
		total, total);
}

void site_detail(FILE *out, const struct site_package *package)
{
	size_t i;

	fputs("{\"success\":true,\"data\":{\"package\":", out);
	put_package(out, package, true);
	fputs(",\"versions\":[", out);
	for (i = 0; i < package->count; i++) {
		if (i)
			fputc(',', out);
		put_version(out, package, i);
	}
	fputs("]}}\n", out);
}

/* ---- a manifest ---- */

/* The build artifact that the document is. Installers make one flat object of
 * it, {...manifest, ...sections}, where it has neither id nor name itself. So
 * members of the metadata that are called like this stay out: with them the
 * package would be installed under another name, or not at all. */
static void put_artifact(FILE *out, const struct pakhus_package *p)
{
	static const char *const passed[] = {"manifest", "id", "name"};
	struct pakhus_json it = {.text = p->metadata, .size = p->metadata_size};
	size_t i;

	fputs("{\"manifest\":", out);
	fwrite(p->manifest, 1, p->manifest_size, out);
	while (pakhus_json_next(&it) == 1) {
		for (i = 0; i < 3 && !key_is(&it, passed[i]);)
			i++;
		if (i < 3)
			continue;
		fputs(",\"", out);
		fwrite(it.key, 1, it.key_size, out);
		fputs("\":", out);
		fwrite(it.value, 1, it.value_size, out);
	}
	fputc('}', out);
}

void site_manifest(FILE *out, const struct pakhus_package *document)
{
	struct obj data;

	fputs("{\"success\":true,\"data\":", out);
	data = obj_begin(out);
	obj_string(&data, "version_id", document->record.version);
	obj_string(&data, "version", document->record.version);
	fputs(",\"manifest\":", out);
	put_artifact(out, document);
	obj_close(&data);
	fputs("}\n", out);
}
