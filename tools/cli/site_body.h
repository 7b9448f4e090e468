/* site_body.h - what ObjectStack runtimes read of a marketplace: the bodies
 * {"success":true,"data":…} of a list, a package and a manifest.
 *
 * What a manifest says is told as it says it, byte for byte; what it does not
 * say is left out.
 */
#ifndef SITE_BODY_H
#define SITE_BODY_H

#include <stdint.h>
#include <stdio.h>

#include "pakhus.h"

/* A package: its versions, newest place first and at least one, and the
 * manifest of that one. */
struct site_package {
	const char *id;
	const char *manifest;
	size_t manifest_size;
	const struct pakhus_record *versions;
	size_t count;
};

/* One element of a list, without what is around it. */
void site_summary(FILE *out, const struct site_package *package);
#define SITE_LIST_HEAD "{\"success\":true,\"data\":{\"items\":["
void site_list_end(FILE *out, uint64_t total);
void site_detail(FILE *out, const struct site_package *package);
void site_manifest(FILE *out, const struct pakhus_package *document);

#endif
