/* market_body.h - what ObjectStack runtimes read of a marketplace: the bodies
 * {"success":true,"data":…} of a list, a package and a manifest, for the
 * server's doors and for the files of `pakhus site`.
 *
 * What was said of a package (its attrs) goes before what its manifest says;
 * both are told as they say it, byte for byte, and what neither says is left
 * out.
 */
#ifndef MARKET_BODY_H
#define MARKET_BODY_H

#include "object.h"
#include "pakhus.h"
#include "text.h"

struct market_version {
	struct pakhus_record record;
	struct pakhus_attrs *attrs; /* NULL: none, or not looked at */
};

/* A package: its versions, newest place first, and the latest one's manifest.
 */
struct market_package {
	char id[PAKHUS_ID_MAX + 1];
	struct slice manifest;
	struct pakhus_attrs *attrs; /* NULL: none */
	struct market_version *versions;
	size_t count;
	struct pakhus_package *latest; /* what the manifest is a slice of */
};

enum visibility { VISIBILITY_ABSENT, MARKETPLACE, ORG, PRIVATE };

enum visibility market_visibility(const struct pakhus_attrs *attrs);
/* Whether a package is for everybody: it is for the marketplace, or nothing is
 * said. */
int market_is_listed(const struct pakhus_attrs *attrs);
const char *visibility_name(enum visibility visibility);
/* By its version, or what was said of it. */
int market_is_prerelease(const char *version, const struct pakhus_attrs *attrs);

/* What people call it, and its category, as canonical JSON strings that point
 * into the package; a category may be none. */
struct slice market_name(const struct market_package *package);
struct slice market_category(const struct market_package *package);

/* One element of a list: members of more than 4 KiB are left out. */
void market_summary(struct text *t, const struct market_package *package);
/* items: elements with commas between them. */
void market_list(struct text *t, const struct text *items, uint64_t total,
		 uint64_t limit, uint64_t offset);
void market_detail(struct text *t, const struct market_package *package);
void market_manifest(struct text *t, const struct pakhus_package *document);

#endif
