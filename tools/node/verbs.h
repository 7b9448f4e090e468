/* verbs.h - what the module can do, by groups; each list ends with NULL. */
#ifndef VERBS_H
#define VERBS_H

#include "wide.h"

/* A package with its texts as JavaScript has them. */
struct texts {
	struct wide manifest, metadata;
};
int texts_make(struct call *c, const struct pakhus_package *p,
	       struct texts *out);
napi_value texts_value(napi_env env, const struct pakhus_package *p,
		       const struct texts *t);

/* A call whose result is a text of the library. */
struct text_call {
	struct call call;
	const char *id, *version, *input, *key;
	size_t size, input_size;
	uint64_t seq;
	int flag;
	char *text;
};
napi_value text_result(napi_env env, struct call *c);
void text_release(struct call *c);

/* Callbacks of the library for a watched call. */
int verb_progress(void *arg, const char *what, uint64_t done, uint64_t total);
void verb_notice(void *call, const char *text);

extern const struct verb *const store_verbs[];	/* opening, closing, stat */
extern const struct verb *const write_verbs[];	/* publish, delete, purge */
extern const struct verb *const read_verbs[];	/* one package or text */
extern const struct verb *const serve_verbs[];	/* what is served of it */
extern const struct verb *const attrs_verbs[];	/* what is said beside */
extern const struct verb *const page_verbs[];	/* lists */
extern const struct verb *const log_verbs[];	/* keys, proofs, checkpoints */
extern const struct verb *const check_verbs[];	/* verify, gc, dump */
extern const struct verb *const bundle_verbs[];
extern const struct verb *const mirror_verbs[]; /* and what else fetches */

#endif
