#include "synced.h"

#include <inttypes.h>
#include <stdio.h>

#include "obj.h"
#include "out.h"

void synced_json(const char *mirror, const char *source,
		 const struct pakhus_mirror *r)
{
	struct obj obj = obj_begin(stdout);

	obj_string(&obj, "mirror", mirror);
	obj_string(&obj, "source", source);
	obj_bool(&obj, "new", r->is_new != 0);
	obj_bool(&obj, "changed", r->is_changed != 0);
	obj_number(&obj, "before", r->before);
	obj_number(&obj, "entries", r->entries);
	obj_number(&obj, "objects", r->objects);
	obj_number(&obj, "bytes", r->bytes);
	obj_number(&obj, "time_us", r->time_us);
	obj_number(&obj, "tries", r->tries);
	obj_end(&obj);
}

void synced_text(const char *mirror, const char *source,
		 const struct pakhus_mirror *r)
{
	out_plain(stdout, mirror);
	if (r->entries == r->before && !r->objects) {
		puts(": up to date");
		return;
	}
	printf(": %" PRIu64 " %s (+%" PRIu64 "), %" PRIu64 " object%s, %" PRIu64
	       " byte%s from ",
	       r->entries, r->entries == 1 ? "entry" : "entries",
	       r->entries - r->before, r->objects, r->objects == 1 ? "" : "s",
	       r->bytes, r->bytes == 1 ? "" : "s");
	out_plain(stdout, source);
	putchar('\n');
}
