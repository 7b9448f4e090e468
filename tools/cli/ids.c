#include "ids.h"

#include <stdlib.h>
#include <string.h>

#include "mem.h"

static int compare_ids(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

void ids_add(struct ids *ids, const char *id)
{
	ids->id = mem_grow(ids->id, ids->count, &ids->room, sizeof(*ids->id));
	ids->id[ids->count++] = mem_dup(id);
}

void ids_settle(struct ids *ids)
{
	size_t i, kept = 0;

	if (!ids->count)
		return;
	qsort(ids->id, ids->count, sizeof(*ids->id), compare_ids);
	for (i = 1; i < ids->count; i++) {
		if (strcmp(ids->id[kept], ids->id[i]) != 0)
			ids->id[++kept] = ids->id[i];
		else
			free(ids->id[i]);
	}
	ids->count = kept + 1;
}

bool ids_have(const struct ids *ids, const char *id)
{
	return ids->count &&
	       bsearch(&id, ids->id, ids->count, sizeof(*ids->id), compare_ids);
}

void ids_release(struct ids *ids)
{
	size_t i;

	for (i = 0; i < ids->count; i++)
		free(ids->id[i]);
	free(ids->id);
}
