#include "verbs.h"
#include "event.h"
#include "values.h"

int texts_make(struct call *c, const struct pakhus_package *p,
	       struct texts *out)
{
	if (wide_make(c, p->manifest, p->manifest_size, &out->manifest))
		return -1;
	return p->metadata ? wide_make(c, p->metadata, p->metadata_size,
				       &out->metadata)
			   : 0;
}

napi_value texts_value(napi_env env, const struct pakhus_package *p,
		       const struct texts *t)
{
	return value_package(env, &p->record, wide_value(env, &t->manifest),
			     p->metadata ? wide_value(env, &t->metadata)
					 : NULL);
}

napi_value text_result(napi_env env, struct call *c)
{
	struct text_call *t = (struct text_call *)c;

	return value_text(env, t->text, t->size);
}

void text_release(struct call *c)
{
	pakhus_free(((struct text_call *)c)->text);
}

/* A handle's arg is not the call's: whoever runs here is the one. */
int verb_progress(void *arg, const char *what, uint64_t done, uint64_t total)
{
	struct call *c = call_current();

	(void)arg;
	if (!c || !c->id)
		return 0;
	event_progress(c->addon, c->id, what, done, total);
	return atomic_load(&c->is_cancelled);
}

void verb_notice(void *call, const char *text)
{
	struct call *c = call;

	event_notice(c->addon, c->id, text);
}
