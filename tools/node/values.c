#include "values.h"

#include <string.h>

struct object object_new(napi_env env)
{
	struct object o = { env, NULL };

	if (napi_create_object(env, &o.value) != napi_ok)
		o.value = NULL;
	return o;
}

void put(struct object *o, const char *name, napi_value v)
{
	if (o->value &&
	    (!v || napi_set_named_property(o->env, o->value, name, v) !=
			   napi_ok))
		o->value = NULL;
}

napi_value value_text(napi_env env, const char *text, size_t size)
{
	napi_value v;

	return napi_create_string_utf8(env, text, size, &v) == napi_ok ? v
								       : NULL;
}

napi_value value_number(napi_env env, uint64_t n)
{
	napi_value v;

	return napi_create_double(env, (double)n, &v) == napi_ok ? v : NULL;
}

void put_text(struct object *o, const char *name, const char *text, size_t size)
{
	if (o->value)
		put(o, name, value_text(o->env, text, size));
}

void put_string(struct object *o, const char *name, const char *text)
{
	put_text(o, name, text, strlen(text));
}

void put_number(struct object *o, const char *name, uint64_t n)
{
	if (o->value)
		put(o, name, value_number(o->env, n));
}

void put_flag(struct object *o, const char *name, int is)
{
	napi_value v = NULL;

	if (o->value && napi_get_boolean(o->env, is, &v) != napi_ok)
		v = NULL;
	put(o, name, v);
}

napi_value value_array(napi_env env, size_t n,
		       napi_value (*make)(napi_env env, const void *arg,
					  size_t i),
		       const void *arg)
{
	napi_handle_scope scope;
	napi_value array, v;
	int is_bad = 0;

	if (napi_create_array_with_length(env, n, &array) != napi_ok)
		return NULL;
	for (size_t i = 0; i < n && !is_bad; i++) {
		if (napi_open_handle_scope(env, &scope) != napi_ok)
			return NULL;
		v = make(env, arg, i);
		is_bad = !v || napi_set_element(env, array, (uint32_t)i, v) !=
				       napi_ok;
		napi_close_handle_scope(env, scope);
	}
	return is_bad ? NULL : array;
}

napi_value value_error(struct addon *addon, const struct pakhus_error *err)
{
	napi_env env = addon->env;
	napi_value class, argv[3], v;

	argv[0] = value_text(env, err->text, strlen(err->text));
	if (napi_get_reference_value(env, addon->error, &class) != napi_ok ||
	    !argv[0] ||
	    napi_create_int32(env, err->status, &argv[1]) != napi_ok ||
	    napi_create_int32(env, err->sys, &argv[2]) != napi_ok ||
	    napi_new_instance(env, class, 3, argv, &v) != napi_ok)
		return NULL;
	return v;
}

static struct object record(napi_env env, const struct pakhus_record *r)
{
	struct object o = object_new(env);

	put_string(&o, "id", r->id);
	put_string(&o, "version", r->version);
	put_string(&o, "hash", r->hash);
	put_number(&o, "manifestSize", r->manifest_size);
	put_number(&o, "metadataSize", r->metadata_size);
	put_string(&o, "created_at", r->created_at);
	put_string(&o, "updated_at", r->updated_at);
	put_number(&o, "createdUs", r->created_us);
	put_number(&o, "updatedUs", r->updated_us);
	put_number(&o, "seq", r->seq);
	put_number(&o, "place", r->place);
	return o;
}

napi_value value_record(napi_env env, const struct pakhus_record *r)
{
	return record(env, r).value;
}

napi_value value_package(napi_env env, const struct pakhus_record *r,
			 napi_value manifest, napi_value metadata)
{
	struct object o = record(env, r);

	put(&o, "manifest", manifest);
	if (metadata)
		put(&o, "metadata", metadata);
	return o.value;
}

napi_value value_entry(napi_env env, const struct pakhus_entry *e)
{
	struct object o = object_new(env);

	put_number(&o, "seq", e->seq);
	put_number(&o, "timeUs", e->time_us);
	put_string(&o, "time", e->time);
	put_string(&o, "op", e->op);
	put_string(&o, "id", e->id);
	put_string(&o, "version", e->version);
	put_string(&o, "hash", e->hash);
	put_number(&o, "manifestSize", e->manifest_size);
	put_number(&o, "metadataSize", e->metadata_size);
	put_string(&o, "by", e->by);
	put_string(&o, "reason", e->reason);
	put_number(&o, "attrsSize", e->attrs_size);
	return o.value;
}

napi_value value_key(napi_env env, const struct pakhus_key *k)
{
	struct object o = object_new(env);

	put_string(&o, "key", k->key);
	put_number(&o, "seq", k->seq);
	put_number(&o, "timeUs", k->time_us);
	put_string(&o, "time", k->time);
	put_string(&o, "by", k->by);
	return o.value;
}
