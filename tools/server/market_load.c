#include "market_load.h"

#include <stdio.h>
#include <stdlib.h>

#include "fail.h"

enum { PAGE = 1000, TRIES = 8 };

int attrs_read(struct pakhus *store, const char *id, const char *version,
	       struct pakhus_attrs **out, struct pakhus_error *err)
{
	int rc = pakhus_attrs(store, id, version, out, err);

	if (rc != PAKHUS_ENOTFOUND)
		return rc;
	*out = NULL;
	return 0;
}

static int add_page(struct market_package *p,
		    const struct pakhus_versions *page, struct pakhus_error *err)
{
	struct market_version *versions;
	size_t i;

	versions = realloc(p->versions,
			   (p->count + page->count + 1) * sizeof(*versions));
	if (!versions)
		return server_fail_nomem(err);
	p->versions = versions;
	for (i = 0; i < page->count; i++) {
		versions[p->count].record = page->items[i];
		versions[p->count++].attrs = NULL;
	}
	return 0;
}

static int load_versions(struct pakhus *store, struct market_package *p,
			 struct pakhus_error *err)
{
	struct pakhus_range range = {0, PAGE};
	struct pakhus_versions *page;
	int rc;

	do {
		rc = pakhus_versions(store, p->id, range, &page, err);
		if (rc)
			return rc;
		rc = add_page(p, page, err);
		range.before = page->next;
		pakhus_versions_free(page);
	} while (!rc && range.before);
	return rc;
}

static int load_manifest(struct pakhus *store, struct market_package *p,
			 const struct pakhus_package *listed,
			 struct pakhus_error *err)
{
	int rc;

	if (listed && listed->record.seq == p->versions[0].record.seq) {
		p->manifest.text = listed->manifest;
		p->manifest.size = listed->manifest_size;
		return 0;
	}
	rc = pakhus_get(store, p->id, p->versions[0].record.version,
			&p->latest, err);
	if (rc)
		return rc;
	p->manifest.text = p->latest->manifest;
	p->manifest.size = p->latest->manifest_size;
	return 0;
}

static int load(struct pakhus *store, struct market_package *p, int is_whole,
		const struct pakhus_package *listed, struct pakhus_error *err)
{
	size_t i;
	int rc = load_versions(store, p, err);

	if (rc || !p->count)
		return rc;
	rc = load_manifest(store, p, listed, err);
	if (!rc)
		rc = attrs_read(store, p->id, NULL, &p->attrs, err);
	for (i = 0; !rc && i < (is_whole ? p->count : 1); i++)
		rc = attrs_read(store, p->id, p->versions[i].record.version,
				&p->versions[i].attrs, err);
	return rc;
}

/* The reads are several: a version that is deleted between them is not found
 * by the later one, and all is read again. */
int market_load(struct pakhus *store, const char *id, int is_whole,
		const struct pakhus_package *listed,
		struct market_package **out, struct pakhus_error *err)
{
	struct market_package *p;
	int tries, rc = 0;

	for (tries = 0; tries < TRIES; tries++) {
		p = calloc(1, sizeof(*p));
		if (!p)
			return server_fail_nomem(err);
		snprintf(p->id, sizeof(p->id), "%s", id);
		rc = load(store, p, is_whole, listed, err);
		if (!rc && p->count) {
			*out = p;
			return 0;
		}
		market_package_free(p);
		if (rc != PAKHUS_ENOTFOUND)
			break;
	}
	if (rc)
		return rc;
	return server_fail(err, PAKHUS_ENOTFOUND, 0, "there is no package %s",
			   id);
}

void market_package_free(struct market_package *package)
{
	size_t i;

	if (!package)
		return;
	for (i = 0; i < package->count; i++)
		pakhus_attrs_free(package->versions[i].attrs);
	free(package->versions);
	pakhus_attrs_free(package->attrs);
	pakhus_package_free(package->latest);
	free(package);
}
