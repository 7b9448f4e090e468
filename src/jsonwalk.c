/* jsonwalk.c - the walker of layout/json.h for who uses pakhus.h. */
#include "json.h"
#include "pakhus.h"

int pakhus_json_next(struct pakhus_json *it)
{
	struct pk_json walk = { .at = it->at };
	int rc;

	if (!it->at && pk_json_init(&walk, it->text, it->size))
		return PAKHUS_EINVAL;
	walk.end = it->text + it->size;
	rc = pk_json_next(&walk);
	it->at = walk.at;
	if (rc != 1)
		return rc ? PAKHUS_EINVAL : 0;
	it->key = walk.key.at;
	it->key_size = walk.key.size;
	it->value = walk.value.at;
	it->value_size = walk.value.size;
	return 1;
}
