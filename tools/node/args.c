#include "args.h"
#include "call.h"

#include <math.h>
#include <string.h>

void *args_bad(struct args *a, const char *what)
{
	if (!a->is_bad)
		napi_throw_type_error(a->env, "ERR_INVALID_ARG_TYPE", what);
	a->is_bad = 1;
	return NULL;
}

napi_value take(struct args *a)
{
	napi_value v = a->at < a->n ? a->value[a->at] : NULL;
	napi_valuetype type = napi_undefined;

	a->at++;
	if (v)
		napi_typeof(a->env, v, &type);
	return type == napi_undefined || type == napi_null ? NULL : v;
}

static const char *take_string(struct args *a, napi_value v, size_t *size)
{
	char *text;

	if (napi_get_value_string_utf8(a->env, v, NULL, 0, size) != napi_ok)
		return args_bad(a, "expected a string");
	text = call_alloc(a->call, *size + 1);
	if (!text)
		return args_bad(a, "out of memory");
	napi_get_value_string_utf8(a->env, v, text, *size + 1, size);
	return text;
}

/* JavaScript may write to the array while the call runs, hence a copy. */
static const char *take_array(struct args *a, napi_value v, size_t *size)
{
	napi_typedarray_type type;
	void *bytes = NULL;
	char *text;

	if (napi_get_typedarray_info(a->env, v, &type, size, &bytes, NULL,
				     NULL) != napi_ok ||
	    type != napi_uint8_array)
		return args_bad(a, "expected a string or a Uint8Array");
	text = call_alloc(a->call, *size + 1);
	if (!text)
		return args_bad(a, "out of memory");
	if (*size)
		memcpy(text, bytes, *size);
	text[*size] = '\0';
	return text;
}

const char *args_text(struct args *a, napi_value v, size_t *size)
{
	bool is_array = false;

	napi_is_typedarray(a->env, v, &is_array);
	return is_array ? take_array(a, v, size) : take_string(a, v, size);
}

const char *take_text_or_null(struct args *a, size_t *size)
{
	napi_value v = take(a);

	*size = 0;
	return v && !a->is_bad ? args_text(a, v, size) : NULL;
}

const char *take_text(struct args *a, size_t *size)
{
	const char *text = take_text_or_null(a, size);

	return text ? text : args_bad(a, "expected a string or a Uint8Array");
}

const char *take_name_or_null(struct args *a)
{
	napi_value v = take(a);
	const char *name;
	size_t size;

	if (!v || a->is_bad)
		return NULL;
	name = take_string(a, v, &size);
	if (name && strlen(name) != size)
		return args_bad(a, "a string with a NUL character in it");
	return name;
}

const char *take_name(struct args *a)
{
	const char *name = take_name_or_null(a);

	return name ? name : args_bad(a, "expected a string");
}

int take_number_if(struct args *a, uint64_t max, uint64_t *out)
{
	napi_value v = take(a);
	double d = 0;

	*out = 0;
	if (!v || a->is_bad)
		return 0;
	if (napi_get_value_double(a->env, v, &d) != napi_ok || !(d >= 0) ||
	    d > (double)max || d != floor(d)) {
		args_bad(a, "expected a whole number in its range");
		return 0;
	}
	*out = (uint64_t)d;
	return 1;
}

uint64_t take_number(struct args *a, uint64_t max)
{
	uint64_t n;

	take_number_if(a, max, &n);
	return n;
}

int take_flag(struct args *a)
{
	napi_value v = take(a);
	bool is = false;

	if (v && !a->is_bad &&
	    napi_get_value_bool(a->env, v, &is) != napi_ok)
		args_bad(a, "expected true or false");
	return is;
}
