#include "obj.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "mem.h"
#include "pakhus.h"

/* What the user typed and what a damaged file holds may be no UTF-8. */
static json_t *string_of(const char *text)
{
	json_t *string = json_string(text);
	char *copy, *p;

	if (string)
		return string;
	copy = strdup(text);
	if (!copy)
		return NULL;
	for (p = copy; *p; p++)
		if ((unsigned char)*p >= 0x80)
			*p = '?';
	string = json_string(copy);
	free(copy);
	return string;
}

static void quote(FILE *f, const char *text)
{
	json_t *string = string_of(text);

	if (!string || json_dumpf(string, f, JSON_ENCODE_ANY))
		fputs("null", f);
	json_decref(string);
}

static void key_put(struct obj *obj, const char *key)
{
	if (obj->some)
		fputc(',', obj->out);
	obj->some = true;
	fprintf(obj->out, "\"%s\":", key);
}

struct obj obj_begin(FILE *out)
{
	struct obj obj = {out, false};

	fputc('{', out);
	return obj;
}

void obj_end(struct obj *obj)
{
	fputs("}\n", obj->out);
}

void obj_close(struct obj *obj)
{
	fputc('}', obj->out);
}

void obj_string(struct obj *obj, const char *key, const char *text)
{
	key_put(obj, key);
	quote(obj->out, text);
}

void obj_strings(struct obj *obj, const char *key, const char *text)
{
	char *copy = mem_need(strdup(text)), *rest = copy, *one;
	const char *before = "[";

	key_put(obj, key);
	while ((one = strsep(&rest, ","))) {
		fputs(before, obj->out);
		quote(obj->out, one);
		before = ",";
	}
	fputc(']', obj->out);
	free(copy);
}

void obj_number(struct obj *obj, const char *key, uint64_t n)
{
	key_put(obj, key);
	fprintf(obj->out, "%llu", (unsigned long long)n);
}

void obj_bool(struct obj *obj, const char *key, bool yes)
{
	key_put(obj, key);
	fputs(yes ? "true" : "false", obj->out);
}

void obj_raw(struct obj *obj, const char *key, const char *json, size_t size)
{
	key_put(obj, key);
	fwrite(json, 1, size, obj->out);
}

/* A canonical string literal, quotes included, unescaped. */
static char *unquote(const char *literal, size_t size)
{
	json_t *string = json_loadb(literal, size, JSON_DECODE_ANY, NULL);
	char *text = NULL;

	if (json_is_string(string))
		text = strdup(json_string_value(string));
	json_decref(string);
	return text;
}

char *obj_name_of(const char *manifest, size_t size)
{
	struct pakhus_json it = {.text = manifest, .size = size};

	while (pakhus_json_next(&it) == 1)
		if (it.key_size == 4 && !memcmp(it.key, "name", 4))
			return unquote(it.value, it.value_size);
	return NULL;
}
