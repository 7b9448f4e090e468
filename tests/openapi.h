/* openapi.h - holds replies against the document that describes them: whether
 * the operation is there, the status, the content type, the fields, and the
 * body by its JSON schema. Of JSON Schema it knows what the document uses, and
 * fails at what it does not know. A test file includes t.h first.
 */
#ifndef OPENAPI_TEST_H
#define OPENAPI_TEST_H

#include <regex.h>

#include "../tools/server/exchange.h"
#include "../tools/server/openapi.h"

#include <jansson.h>

static json_t *o_document;

#define o_fail(...)                  \
	do {                         \
		print_error(__VA_ARGS__); \
		fail();              \
	} while (0)

static inline json_t *o_load(void)
{
	json_error_t e;

	if (!o_document)
		o_document = json_loadb(openapi_json, (size_t)openapi_size,
					JSON_REJECT_DUPLICATES, &e);
	if (!o_document)
		o_fail("openapi.json:%d: %s\n", e.line, e.text);
	return o_document;
}

static inline const char *o_method(enum http_method method)
{
	static const char *const names[] = {
		[HTTP_GET] = "get", [HTTP_HEAD] = "get", [HTTP_POST] = "post",
		[HTTP_PUT] = "put", [HTTP_DELETE] = "delete",
	};

	return names[method];
}

/* Whether a path of the document is that of a pattern, whatever their
 * parameters are called: those of one path are one in the document. */
static inline int o_is_path(const char *path, const char *pattern)
{
	while (*path && *pattern) {
		if (*path != *pattern)
			return 0;
		if (*path == '{') {
			path += strcspn(path, "}");
			pattern += strcspn(pattern, "}");
		}
		path++;
		pattern++;
	}
	return *path == *pattern;
}

static inline json_t *o_operation(const char *pattern, enum http_method method)
{
	json_t *paths = json_object_get(o_load(), "paths"), *item;
	const char *path;

	json_object_foreach(paths, path, item)
		if (o_is_path(path, pattern))
			return json_object_get(item, o_method(method));
	return NULL;
}

/* What "#/components/schemas/X" names, or the value itself. */
static inline json_t *o_follow(json_t *v)
{
	const char *at = json_string_value(json_object_get(v, "$ref"));
	json_t *to = o_load();
	char name[64];

	if (!at)
		return v;
	if (strncmp(at, "#/", 2))
		o_fail("not in the document: %s\n", at);
	at += 2;
	while (to && *at) {
		size_t n = strcspn(at, "/");

		snprintf(name, sizeof(name), "%.*s", (int)n, at);
		to = json_object_get(to, name);
		at += n + (at[n] == '/');
	}
	if (!to)
		o_fail("leads nowhere: %s\n",
		       json_string_value(json_object_get(v, "$ref")));
	return o_follow(to);
}

static inline int o_is_type(const json_t *v, const char *type)
{
	return !strcmp(type, "object")    ? json_is_object(v)
		: !strcmp(type, "array")   ? json_is_array(v)
		: !strcmp(type, "string")  ? json_is_string(v)
		: !strcmp(type, "integer") ? json_is_integer(v)
		: !strcmp(type, "number")  ? json_is_number(v)
		: !strcmp(type, "boolean") ? json_is_boolean(v)
		: !strcmp(type, "null")	   ? json_is_null(v)
					   : 0;
}

static inline int o_matches(const char *pattern, const char *s)
{
	regex_t re;
	int rc;

	assert_int_equal(regcomp(&re, pattern, REG_EXTENDED | REG_NOSUB), 0);
	rc = regexec(&re, s, 0, NULL, 0);
	regfree(&re);
	return !rc;
}

static inline int o_fits(json_t *schema, json_t *v, int is_loud);

static inline int o_keyword(json_t *schema, const char *key, json_t *want,
			    json_t *v, int is_loud)
{
	const char *name, *s = json_string_value(v);
	json_int_t n = json_integer_value(want);
	json_t *member, *rest;
	int fits = 0;
	size_t i;

	if (!strcmp(key, "description") || !strcmp(key, "default") ||
	    !strcmp(key, "title") || !strcmp(key, "examples") ||
	    !strcmp(key, "contentMediaType"))
		return 1;
	if (!strcmp(key, "const"))
		return json_equal(want, v);
	if (!strcmp(key, "enum")) {
		json_array_foreach(want, i, member)
			fits |= json_equal(member, v);
		return fits;
	}
	if (!strcmp(key, "type")) {
		if (json_is_string(want))
			return o_is_type(v, json_string_value(want));
		json_array_foreach(want, i, member)
			fits |= o_is_type(v, json_string_value(member));
		return fits;
	}
	if (!strcmp(key, "oneOf") || !strcmp(key, "anyOf")) {
		json_array_foreach(want, i, member)
			fits += o_fits(member, v, 0);
		return key[0] == 'o' ? fits == 1 : fits > 0;
	}
	if (!strcmp(key, "allOf")) {
		json_array_foreach(want, i, member)
			if (!o_fits(member, v, is_loud))
				return 0;
		return 1;
	}
	if (!strcmp(key, "required")) {
		json_array_foreach(want, i, member)
			if (json_is_object(v) &&
			    !json_object_get(v, json_string_value(member)))
				return 0;
		return 1;
	}
	if (!strcmp(key, "properties")) {
		json_object_foreach(want, name, member) {
			json_t *value = json_object_get(v, name);

			if (value && !o_fits(member, value, is_loud))
				return 0;
		}
		return 1;
	}
	if (!strcmp(key, "additionalProperties")) {
		rest = json_object_get(schema, "properties");
		json_object_foreach(v, name, member)
			if (!json_object_get(rest, name) &&
			    (json_is_false(want) ||
			     (json_is_object(want) &&
			      !o_fits(want, member, is_loud))))
				return 0;
		return 1;
	}
	if (!strcmp(key, "items")) {
		json_array_foreach(v, i, member)
			if (!o_fits(want, member, is_loud))
				return 0;
		return 1;
	}
	if (!strcmp(key, "minItems"))
		return !json_is_array(v) ||
			json_array_size(v) >= (size_t)n;
	if (!strcmp(key, "maxItems"))
		return !json_is_array(v) ||
			json_array_size(v) <= (size_t)n;
	if (!strcmp(key, "minLength"))
		return !s || json_string_length(v) >= (size_t)n;
	if (!strcmp(key, "maxLength"))
		return !s || json_string_length(v) <= (size_t)n;
	if (!strcmp(key, "minimum"))
		return !json_is_integer(v) || json_integer_value(v) >= n;
	if (!strcmp(key, "maximum"))
		return !json_is_integer(v) || json_integer_value(v) <= n;
	if (!strcmp(key, "pattern"))
		return !s || o_matches(json_string_value(want), s);
	o_fail("a keyword of JSON Schema that is not known here: %s\n", key);
	return 0;
}

static inline int o_fits(json_t *schema, json_t *v, int is_loud)
{
	const char *key;
	json_t *want;

	schema = o_follow(schema);
	json_object_foreach(schema, key, want) {
		if (o_keyword(schema, key, want, v, is_loud))
			continue;
		if (is_loud) {
			char *a = json_dumps(v, JSON_ENCODE_ANY);
			char *b = json_dumps(want, JSON_ENCODE_ANY);

			print_error("\"%s\": %.300s does not take %.600s\n",
				    key, b, a);
			free(a);
			free(b);
		}
		return 0;
	}
	return 1;
}

/* Without its parameters. */
static inline int o_is_media(const char *type, const char *want)
{
	size_t n = strcspn(want, ";");

	return type && !strncmp(type, want, n) && strchr("; ", type[n]);
}

static inline void o_body(json_t *content, const struct reply *rp)
{
	const char *type = reply_value(rp, "Content-Type"), *want = NULL;
	json_t *media = NULL, *body;
	json_error_t e;

	json_object_foreach(content, want, media)
		if (o_is_media(type, want))
			break;
	if (!want)
		o_fail("content type %s of %d is not documented at %s\n",
		       type ? type : "(none)", rp->status, rp->route);
	if (!o_is_media(type, "application/json") || !rp->body)
		return;
	body = json_loadb(rp->body, (size_t)rp->size,
			  JSON_REJECT_DUPLICATES | JSON_DECODE_ANY, &e);
	if (!body)
		o_fail("%s: no JSON: %s: %.200s\n", rp->route, e.text,
		       rp->body);
	if (!o_fits(json_object_get(media, "schema"), body, 1))
		o_fail("%s: %d: %.1000s\n", rp->route, rp->status, rp->body);
	json_decref(body);
}

/* Fields that the document need not speak of. */
static inline int o_is_common(const char *name)
{
	static const char *const names[] = {
		"Accept-Ranges", "Cache-Control", "Content-Encoding",
		"Content-Type", "ETag", "Last-Modified", "Repr-Digest",
		"Retry-After", "Vary", "X-Content-Type-Options",
		"X-Request-Id",
	};
	size_t i;

	for (i = 0; i < T_COUNT(names); i++)
		if (!strcasecmp(name, names[i]))
			return 1;
	return 0;
}

/* The reply to a request that a route took is one that the document has. */
static inline void o_check(const struct reply *rp, enum http_method method)
{
	char status[16], range[16];
	json_t *op, *all, *response;
	size_t i;

	if (!*rp->route)
		return;
	op = o_operation(rp->route, method);
	if (!op)
		o_fail("not in openapi.json: %s %s\n", o_method(method),
		       rp->route);
	snprintf(status, sizeof(status), "%d", rp->status);
	snprintf(range, sizeof(range), "%dXX", rp->status / 100);
	all = json_object_get(op, "responses");
	response = json_object_get(all, status);
	if (!response)
		response = json_object_get(all, range);
	if (!response)
		o_fail("%s %s: %d is not documented\n", o_method(method),
		       rp->route, rp->status);
	response = o_follow(response);
	for (i = 0; i < rp->field_count; i++)
		if (!o_is_common(rp->fields[i].name) &&
		    !json_object_get(json_object_get(response, "headers"),
				     rp->fields[i].name))
			o_fail("%s %s: %d: the field %s is not documented\n",
			       o_method(method), rp->route, rp->status,
			       rp->fields[i].name);
	if (rp->status == 206)
		assert_non_null(reply_value(rp, "Content-Range"));
	else if (rp->status == 304)
		assert_int_equal(rp->size, 0);
	else
		o_body(json_object_get(response, "content"), rp);
}

#endif
