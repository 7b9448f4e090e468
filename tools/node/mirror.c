#include "mirror.h"
#include "event.h"

#include <limits.h>

static int fetch(void *arg, const char *into, const char *const *names,
		 size_t n, uint64_t max, unsigned flags,
		 struct pakhus_error *err)
{
	return event_fetch(arg, into, names, n, max,
			   (flags & PAKHUS_FETCH_FRESH) != 0, err);
}

const struct pakhus_source *source_take(struct args *a,
					struct pakhus_source *source)
{
	source->name = take_name(a);
	source->fetch = fetch;
	source->arg = a->call;
	return source;
}

void mirror_take(struct args *a, struct mirror *m)
{
	m->mirror.key = take_name_or_null(a);
	m->mirror.max_age_us = take_number(a, UINT64_C(1) << 53);
	m->mirror.threads = (unsigned)take_number(a, UINT_MAX);
	m->mirror.progress = verb_progress;
	m->mirror.notice = verb_notice;
	m->mirror.arg = a->call;
}

napi_value mirror_result(napi_env env, struct call *c)
{
	const struct pakhus_mirror *m = &((struct mirror *)c)->mirror;
	struct object o = object_new(env);

	put_flag(&o, "isNew", m->is_new);
	put_flag(&o, "isChanged", m->is_changed);
	put_number(&o, "before", m->before);
	put_number(&o, "entries", m->entries);
	put_number(&o, "objects", m->objects);
	put_number(&o, "bytes", m->bytes);
	put_number(&o, "timeUs", m->time_us);
	put_number(&o, "tries", m->tries);
	return o.value;
}
