#include "visibility.h"

#include <string.h>

static int is(const char *text, size_t size, const char *want)
{
	return size == strlen(want) && !memcmp(text, want, size);
}

static int is_marketplace(const struct pakhus_attrs *attrs)
{
	struct pakhus_json it = {.text = attrs->text, .size = attrs->size};
	int yes = 1, rc;

	while ((rc = pakhus_json_next(&it)) == 1)
		if (is(it.key, it.key_size, "visibility"))
			yes = is(it.value, it.value_size, "\"marketplace\"");
	return !rc && yes;
}

int visibility_is_listed(struct exchange *x, const char *id)
{
	struct pakhus_error err = {0};
	struct pakhus_attrs *attrs;
	int yes;

	if (pakhus_attrs(x->store, id, NULL, &attrs, &err))
		return err.status == PAKHUS_ENOTFOUND;
	yes = is_marketplace(attrs);
	pakhus_attrs_free(attrs);
	return yes;
}
