/* mirror.h - calls that bring something to a mirror or a store. */
#ifndef MIRROR_H
#define MIRROR_H

#include "values.h"
#include "verbs.h"

struct mirror {
	struct call call;
	const char *path, *file;
	struct pakhus_source source;
	struct pakhus_mirror mirror;
};

/* The name of the source, and its fetch, that asks JavaScript. */
const struct pakhus_source *source_take(struct args *a,
					struct pakhus_source *source);
/* key, maxAgeUs, threads; and the callbacks. */
void mirror_take(struct args *a, struct mirror *m);
napi_value mirror_result(napi_env env, struct call *c);

#endif
