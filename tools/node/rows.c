#include "rows.h"

#include <stdlib.h>
#include <string.h>

struct damage {
	char *path, *text;
	char rule[8];
};

void *rows_add(struct rows *r, size_t size)
{
	size_t cap = r->cap ? 2 * r->cap : 16;
	void *item;

	if (r->n == r->cap) {
		item = realloc(r->item, cap * size);
		if (!item) {
			r->is_short = 1;
			return NULL;
		}
		r->item = item;
		r->cap = cap;
	}
	item = (char *)r->item + r->n++ * size;
	memset(item, 0, size);
	return item;
}

void rows_free(struct rows *r)
{
	free(r->item);
	memset(r, 0, sizeof(*r));
}

void damage_add(void *rows, const char *path, const char *rule,
		const char *text)
{
	struct rows *r = rows;
	struct damage *d = rows_add(r, sizeof(*d));

	if (!d)
		return;
	d->path = strdup(path);
	d->text = strdup(text);
	strncat(d->rule, rule, sizeof(d->rule) - 1);
	if (!d->path || !d->text)
		r->is_short = 1;
}

static napi_value damage_at(napi_env env, const void *arg, size_t i)
{
	const struct damage *d = (const struct damage *)arg + i;
	struct object o = object_new(env);

	put_string(&o, "path", d->path);
	put_string(&o, "rule", d->rule);
	put_string(&o, "text", d->text);
	return o.value;
}

napi_value damage_value(napi_env env, const struct rows *r)
{
	return value_array(env, r->n, damage_at, r->item);
}

void damage_free(struct rows *r)
{
	struct damage *d = r->item;

	for (size_t i = 0; i < r->n; i++) {
		free(d[i].path);
		free(d[i].text);
	}
	rows_free(r);
}
