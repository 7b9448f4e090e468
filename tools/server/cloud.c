#include "cloud.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "market_load.h"
#include "state.h"

int cloud_known(struct exchange *x, const char *id, int must_be,
		struct pakhus_attrs **attrs, int *has_versions)
{
	struct pakhus_range one = {0, 1};
	struct pakhus_attrs *got = NULL;
	struct pakhus_versions *page;
	struct pakhus_error err = {0};
	size_t count;

	if (pakhus_versions(x->store, id, one, &page, &err)) {
		reply_failed(x, &err);
		return -1;
	}
	count = page->count;
	pakhus_versions_free(page);
	if (attrs_read(x->store, id, NULL, &got, &err)) {
		reply_failed(x, &err);
		return -1;
	}
	if (must_be && !got && !count) {
		reply_error(x, 404, "RESOURCE_NOT_FOUND",
			    "Package '%s' not found", id);
		return -1;
	}
	*attrs = got;
	*has_versions = count > 0;
	return 0;
}

/* ---- attrs ---- */

static const struct edit *edit_of(const struct edit *edits, size_t count,
				  const struct pakhus_json *it)
{
	size_t i;

	for (i = 0; i < count; i++)
		if (strlen(edits[i].key) == it->key_size &&
		    !memcmp(edits[i].key, it->key, it->key_size))
			return &edits[i];
	return NULL;
}

int cloud_edit(struct text *t, const struct pakhus_attrs *old,
	       const struct edit *edits, size_t count)
{
	struct pakhus_json it = {.text = old ? old->text : "{}",
				 .size = old ? old->size : 2};
	int differs = 0;
	size_t i;

	put_open(t, '{');
	while (pakhus_json_next(&it) == 1) {
		if (edit_of(edits, count, &it))
			continue;
		if (t->is_behind)
			text_puts(t, ",");
		text_puts(t, "\"");
		text_add(t, it.key, it.key_size);
		text_puts(t, "\":");
		text_add(t, it.value, it.value_size);
		t->is_behind = 1;
	}
	for (i = 0; i < count; i++) {
		struct slice was = {NULL, 0};

		if (old)
			was = canonical_get(old->text, old->size,
					    edits[i].key);
		differs |= !slice_equal(was, edits[i].value);
		if (!edits[i].value.text)
			continue;
		put_key(t, edits[i].key);
		put_raw(t, edits[i].value.text, edits[i].value.size);
	}
	put_close(t, '}');
	return differs;
}

int cloud_say(struct exchange *x, const char *id, const char *version,
	      const struct pakhus_attrs *old, const struct edit *edits,
	      size_t count)
{
	struct pakhus_error err = {0};
	struct text t = {0};
	int rc = 0;

	if (cloud_edit(&t, old, edits, count) && !t.is_failed) {
		rc = pakhus_set_attrs(x->store, id, version, t.data, t.size,
				      x->caller.by, NULL, &err);
		if (!rc)
			server_wrote(x->server);
	}
	if (t.is_failed)
		reply_no_memory(x);
	else if (rc)
		reply_failed(x, &err);
	rc = rc || t.is_failed ? -1 : 0;
	text_free(&t);
	return rc;
}

/* ---- bodies and replies ---- */

struct object *cloud_body(struct exchange *x, struct object *object)
{
	const char *fault = object_read(object, x->request->body,
					x->request->size);

	if (!fault)
		return object;
	if (fault == object_no_memory)
		reply_no_memory(x);
	else
		reply_error(x, 400, "VALIDATION_ERROR", "The body %s.", fault);
	return NULL;
}

void violation(struct violations *v, const char *fmt, ...)
{
	char sentence[1024];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(sentence, sizeof(sentence), fmt, ap);
	va_end(ap);
	put_string(&v->list, sentence);
	v->count++;
}

void reply_violations(struct exchange *x, const char *code,
		      const char *message, struct violations *v)
{
	struct text t = {0};

	put_error(&t, code, message);
	put_key(&t, "violations");
	put_open(&t, '[');
	text_add(&t, v->list.data, v->list.size);
	put_close(&t, ']');
	put_close(&t, '}');
	t.is_failed |= v->list.is_failed;
	text_free(&v->list);
	reply_json(x, 422, &t);
}
