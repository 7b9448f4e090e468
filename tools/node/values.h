/* values.h - values for JavaScript.
 *
 * An object is filled member by member; where one cannot be made, value() is
 * NULL, and an exception may be pending.
 */
#ifndef VALUES_H
#define VALUES_H

#include "addon.h"

struct object {
	napi_env env;
	napi_value value; /* NULL once something failed */
};

struct object object_new(napi_env env);
void put(struct object *o, const char *name, napi_value v);
void put_text(struct object *o, const char *name, const char *text,
	      size_t size);
void put_string(struct object *o, const char *name, const char *text);
/* Below 2^53, as positions, sizes and times are. */
void put_number(struct object *o, const char *name, uint64_t n);
void put_flag(struct object *o, const char *name, int is);

napi_value value_text(napi_env env, const char *text, size_t size);
napi_value value_number(napi_env env, uint64_t n);
/* An array of n values that make() gives, or NULL. */
napi_value value_array(napi_env env, size_t n,
		       napi_value (*make)(napi_env env, const void *arg,
					  size_t i),
		       const void *arg);
/* A PakhusError. */
napi_value value_error(struct addon *addon, const struct pakhus_error *err);

napi_value value_record(napi_env env, const struct pakhus_record *r);
/* The record with manifest and metadata, where that is not NULL. */
napi_value value_package(napi_env env, const struct pakhus_record *r,
			 napi_value manifest, napi_value metadata);
napi_value value_entry(napi_env env, const struct pakhus_entry *e);
napi_value value_key(napi_env env, const struct pakhus_key *k);

#endif
