#include "record.h"

#include <stdio.h>

#include "obj.h"

static void put(const struct pakhus_record *r,
		const struct pakhus_package *texts)
{
	struct obj obj = obj_begin(stdout);

	obj_string(&obj, "id", r->id);
	obj_string(&obj, "version", r->version);
	if (texts && texts->manifest)
		obj_raw(&obj, "manifest", texts->manifest,
			texts->manifest_size);
	if (texts && texts->metadata)
		obj_raw(&obj, "metadata", texts->metadata,
			texts->metadata_size);
	obj_string(&obj, "hash", r->hash);
	obj_string(&obj, "created_at", r->created_at);
	obj_string(&obj, "updated_at", r->updated_at);
	obj_number(&obj, "created_us", r->created_us);
	obj_number(&obj, "updated_us", r->updated_us);
	obj_number(&obj, "seq", r->seq);
	obj_number(&obj, "place", r->place);
	obj_end(&obj);
}

void record_json_package(const struct pakhus_package *package)
{
	put(&package->record, package);
}

void record_json(const struct pakhus_record *record)
{
	put(record, NULL);
}

void record_columns(const struct pakhus_record *record)
{
	printf("%s\t%s\t%s\t%s\n", record->id, record->version,
	       record->updated_at, record->hash);
}
