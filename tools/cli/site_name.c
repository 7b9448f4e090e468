#include "site_name.h"

#include <stddef.h>
#include <stdio.h>
#include <string.h>

#define PART_MAX 255

static bool part_fits(const char *part, size_t size, const char *suffix)
{
	size_t i;

	if (!size || part[0] == '.' || size + strlen(suffix) > PART_MAX)
		return false;
	for (i = 0; i < size; i++)
		if (part[i] == '/' || (unsigned char)part[i] < 0x20 ||
		    part[i] == 0x7f)
			return false;
	return true;
}

/* The file of a would be the directory of a.json. */
static bool ends_in_json(const char *part)
{
	size_t size = strlen(part);

	return size >= 5 && !strcmp(part + size - 5, ".json");
}

bool site_id_fits(const char *id)
{
	const char *name = id;

	if (id[0] == '@') {
		name = strchr(id, '/');
		if (!name || name == id + 1 ||
		    !part_fits(id, (size_t)(name - id), ""))
			return false;
		name++;
	}
	return part_fits(name, strlen(name), ".json") && !ends_in_json(name);
}

bool site_version_fits(const char *version)
{
	return part_fits(version, strlen(version), "");
}

void site_package_path(char out[SITE_PATH_MAX], const char *id)
{
	snprintf(out, SITE_PATH_MAX, "packages/%s.json", id);
}

void site_versions_path(char out[SITE_PATH_MAX], const char *id)
{
	snprintf(out, SITE_PATH_MAX, "packages/%s/versions", id);
}

void site_manifest_path(char out[SITE_PATH_MAX], const char *id,
			const char *version)
{
	snprintf(out, SITE_PATH_MAX, "packages/%s/versions/%s/manifest.json",
		 id, version);
}
