/* site_body.h - what ObjectStack runtimes read of a marketplace: the bodies
 * {"success":true,"data":…} of a list, a package and a manifest.
 *
 * What is said of a package (pakhus_attrs()) is told as it is said, and where
 * nothing is, what its manifest says, byte for byte; what neither says is left
 * out.
 */
#ifndef SITE_BODY_H
#define SITE_BODY_H

#include <stdbool.h>
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
	const struct pakhus_attrs *attrs; /* of it; NULL: nothing is said */
	/* of each version, so many of the first; or NULL */
	struct pakhus_attrs *const *said;
	size_t saids;
};

/* Whether it is said to be not for everybody. */
bool site_is_hidden(const struct pakhus_attrs *attrs);

/* One element of a list, without what is around it. */
void site_summary(FILE *out, const struct site_package *package);
#define SITE_LIST_HEAD "{\"success\":true,\"data\":{\"items\":["
void site_list_end(FILE *out, uint64_t total);
void site_detail(FILE *out, const struct site_package *package);
void site_manifest(FILE *out, const struct pakhus_package *document);

#endif
