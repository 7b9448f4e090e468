/* site_name.h - which ids and versions can be a part of a path, and the paths.
 *
 * A part is at most 255 bytes with what is put behind it, does not begin with
 * a dot, and has no '/' and no control character; ids may be @scope/name.
 */
#ifndef SITE_NAME_H
#define SITE_NAME_H

#include <stdbool.h>

/* packages/<id>/versions/<version>/manifest.json and a NUL */
#define SITE_PATH_MAX 512
#define SITE_LIST "packages.json"

bool site_id_fits(const char *id);
bool site_version_fits(const char *version);
void site_package_path(char out[SITE_PATH_MAX], const char *id);
void site_manifest_path(char out[SITE_PATH_MAX], const char *id,
			const char *version);
void site_versions_path(char out[SITE_PATH_MAX], const char *id);

#endif
