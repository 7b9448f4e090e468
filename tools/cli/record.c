#include "record.h"

#include <stdio.h>

#include "obj.h"

static struct obj begin(const struct pakhus_record *r)
{
	struct obj obj = obj_begin(stdout);

	obj_string(&obj, "id", r->id);
	obj_string(&obj, "version", r->version);
	return obj;
}

static void end(struct obj *obj, const struct pakhus_record *r)
{
	obj_string(obj, "hash", r->hash);
	obj_string(obj, "created_at", r->created_at);
	obj_string(obj, "updated_at", r->updated_at);
	obj_number(obj, "created_us", r->created_us);
	obj_number(obj, "updated_us", r->updated_us);
	obj_number(obj, "seq", r->seq);
	obj_number(obj, "place", r->place);
	obj_end(obj);
}

void record_json_package(const struct pakhus_package *package)
{
	struct obj obj = begin(&package->record);

	if (package->manifest)
		obj_raw(&obj, "manifest", package->manifest,
			package->manifest_size);
	if (package->metadata)
		obj_raw(&obj, "metadata", package->metadata,
			package->metadata_size);
	end(&obj, &package->record);
}

void record_json(const struct pakhus_record *record)
{
	struct obj obj = begin(record);

	end(&obj, record);
}

void record_columns(const struct pakhus_record *record)
{
	printf("%s\t%s\t%s\t%s\n", record->id, record->version,
	       record->updated_at, record->hash);
}
