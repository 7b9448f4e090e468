#include "market_body.h"

#include <ctype.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

enum { SUMMARY_VALUE_MAX = 4096 };

/* ---- what attrs and manifest say ---- */

/* A member of a summary, which is called the same in the attrs, the manifest's
 * members that may give it, the first that is there being it, and how their
 * values have to begin. */
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
	CATEGORY = 2,
	TAGS = 3,
	README = sizeof(fields) / sizeof(*fields) - 1,
	FIELDS
};

static int key_is(const struct pakhus_json *it, const char *key)
{
	return it->key_size == strlen(key) &&
	       !memcmp(it->key, key, it->key_size);
}

static struct slice good(struct slice value, const char *begins)
{
	struct slice none = {NULL, 0};

	if (!value.text || !strchr(begins, value.text[0]) ||
	    slice_is(value, "\"\""))
		return none;
	return value;
}

static struct slice field_of(const struct market_package *p, size_t i)
{
	const struct field *f = &fields[i];
	struct slice value = {NULL, 0};
	size_t n;

	if (p->attrs)
		value = good(canonical_get(p->attrs->text, p->attrs->size,
					   f->name),
			     i == TAGS ? "[\"" : f->begins);
	for (n = 0; !value.text && n < 3 && f->from[n]; n++)
		value = good(canonical_get(p->manifest.text, p->manifest.size,
					   f->from[n]), f->begins);
	return value;
}

struct slice market_name(const struct market_package *package)
{
	return field_of(package, NAME);
}

struct slice market_category(const struct market_package *package)
{
	return field_of(package, CATEGORY);
}

static const char *const visibilities[] = {
	[VISIBILITY_ABSENT] = NULL, [MARKETPLACE] = "\"marketplace\"",
	[ORG] = "\"org\"", [PRIVATE] = "\"private\"",
};

/* What is no word of these hides a package, not shows it. */
enum visibility market_visibility(const struct pakhus_attrs *attrs)
{
	struct slice value = {NULL, 0};
	int i;

	if (attrs)
		value = canonical_get(attrs->text, attrs->size, "visibility");
	if (!value.text)
		return VISIBILITY_ABSENT;
	for (i = MARKETPLACE; i < PRIVATE; i++)
		if (slice_is(value, visibilities[i]))
			break;
	return (enum visibility)i;
}

int market_is_listed(const struct pakhus_attrs *attrs)
{
	return market_visibility(attrs) <= MARKETPLACE;
}

const char *visibility_name(enum visibility visibility)
{
	static const char *const names[] = {
		[VISIBILITY_ABSENT] = "marketplace",
		[MARKETPLACE] = "marketplace", [ORG] = "org",
		[PRIVATE] = "private",
	};

	return names[visibility];
}

/* ---- versions ---- */

/* Semantic versioning: digits.digits.digits-anything. */
int market_is_prerelease(const char *version, const struct pakhus_attrs *attrs)
{
	int dots = 0;

	if (attrs && slice_is(canonical_get(attrs->text, attrs->size,
					    "is_pre_release"), "true"))
		return 1;
	for (; isdigit((unsigned char)*version) || *version == '.'; version++)
		dots += *version == '.';
	return dots == 2 && *version == '-';
}

/* 2026-11-22T10:11:12.345Z, as JavaScript has it. */
static void put_time(struct text *t, const char *key, const char *time,
		     uint64_t us)
{
	char iso[32];

	if (strlen(time) != 19)
		return; /* beyond the year 9999 */
	snprintf(iso, sizeof(iso), "%.10sT%.8s.%03uZ", time, time + 11,
		 (unsigned)(us / 1000 % 1000));
	put_pair(t, key, iso);
}

/* What was said of a version, where it is of the right kind. */
static const struct {
	const char *key, *begins;
} said[] = {
	{"release_notes", "\""}, {"artifact_kind", "\""}, {"runtime", "\""},
	{"signed", "tf"},
};

static void put_version(struct text *t, const struct market_version *v,
			size_t max)
{
	const struct pakhus_record *r = &v->record;
	struct slice value;
	size_t i;

	put_open(t, '{');
	put_pair(t, "id", r->version);
	put_pair(t, "version", r->version);
	put_key(t, "is_prerelease");
	put_bool(t, market_is_prerelease(r->version, v->attrs));
	put_time(t, "published_at", r->created_at, r->created_us);
	for (i = 0; v->attrs && i < sizeof(said) / sizeof(*said); i++) {
		value = canonical_get(v->attrs->text, v->attrs->size,
				      said[i].key);
		if (!value.text || value.size > max ||
		    !strchr(said[i].begins, value.text[0]))
			continue;
		put_key(t, said[i].key);
		put_raw(t, value.text, value.size);
	}
	put_close(t, '}');
}

/* ---- a package ---- */

static void put_fields(struct text *t, const struct market_package *p,
		       size_t max)
{
	struct slice value;
	size_t i;

	for (i = 0; i < FIELDS; i++) {
		value = field_of(p, i);
		if (value.size > max)
			value.text = NULL;
		if (i == NAME && !value.text)
			put_pair(t, fields[NAME].name, p->id);
		if (!value.text || (i == README && max != SIZE_MAX))
			continue;
		put_key(t, fields[i].name);
		/* clients take a string with JSON in it */
		if (i == TAGS && value.text[0] == '[')
			put_string_n(t, value.text, value.size);
		else
			put_raw(t, value.text, value.size);
	}
}

static void put_package(struct text *t, const struct market_package *p,
			size_t max)
{
	const struct pakhus_record *first = &p->versions[0].record,
				   *last = first, *r;
	size_t i;

	for (i = 1; i < p->count; i++) {
		r = &p->versions[i].record;
		if (r->created_us < first->created_us)
			first = r;
		if (r->updated_us > last->updated_us)
			last = r;
	}
	put_open(t, '{');
	put_pair(t, "id", p->id);
	put_pair(t, "manifest_id", p->id);
	put_fields(t, p, max);
	put_time(t, "created_at", first->created_at, first->created_us);
	put_time(t, "updated_at", last->updated_at, last->updated_us);
	put_key(t, "latest_version");
	put_version(t, &p->versions[0], max);
	put_close(t, '}');
}

void market_summary(struct text *t, const struct market_package *package)
{
	put_package(t, package, SUMMARY_VALUE_MAX);
}

static void begin(struct text *t)
{
	put_open(t, '{');
	put_key(t, "success");
	put_bool(t, 1);
	put_key(t, "data");
	put_open(t, '{');
}

static void end(struct text *t)
{
	put_close(t, '}');
	put_close(t, '}');
	text_add(t, "\n", 1);
}

void market_list(struct text *t, const struct text *items, uint64_t total,
		 uint64_t limit, uint64_t offset)
{
	begin(t);
	put_key(t, "items");
	put_open(t, '[');
	text_add(t, items->data, items->size);
	put_close(t, ']');
	put_key(t, "total");
	put_number(t, total);
	put_key(t, "limit");
	put_number(t, limit);
	put_key(t, "offset");
	put_number(t, offset);
	end(t);
	t->is_failed |= items->is_failed;
}

void market_detail(struct text *t, const struct market_package *package)
{
	size_t i;

	begin(t);
	put_key(t, "package");
	put_package(t, package, SIZE_MAX);
	put_key(t, "versions");
	put_open(t, '[');
	for (i = 0; i < package->count; i++)
		put_version(t, &package->versions[i], SIZE_MAX);
	put_close(t, ']');
	end(t);
}

/* ---- a manifest ---- */

/* The build artifact that the document is. Installers make one flat object of
 * it, {...manifest, ...sections}, where it has neither id nor name itself. So
 * members of the metadata that are called like this stay out: with them the
 * package would be installed under another name, or not at all. */
static void put_artifact(struct text *t, const struct pakhus_package *p)
{
	struct pakhus_json it = {.text = p->metadata, .size = p->metadata_size};

	text_puts(t, "{\"manifest\":");
	text_add(t, p->manifest, p->manifest_size);
	while (pakhus_json_next(&it) == 1) {
		if (key_is(&it, "manifest") || key_is(&it, "id") ||
		    key_is(&it, "name"))
			continue;
		text_puts(t, ",\"");
		text_add(t, it.key, it.key_size);
		text_puts(t, "\":");
		text_add(t, it.value, it.value_size);
	}
	text_puts(t, "}");
}

void market_manifest(struct text *t, const struct pakhus_package *document)
{
	begin(t);
	put_pair(t, "version_id", document->record.version);
	put_pair(t, "version", document->record.version);
	put_key(t, "manifest");
	put_artifact(t, document);
	end(t);
}
