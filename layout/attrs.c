#include "attrs.h"
#include "canon_state.h"

#include <stdlib.h>

static char *put(char *out, const char *s)
{
	size_t n = strlen(s);

	memcpy(out, s, n);
	return out + n;
}

/* Neither name has a control character (F-9). */
static char *put_name(char *out, const char *s)
{
	*out++ = '"';
	for (; *s; s++) {
		if (*s == '"' || *s == '\\')
			*out++ = '\\';
		*out++ = *s;
	}
	*out++ = '"';
	return out;
}

size_t pk_attrs_head(const char *id, const char *version,
		     char out[PK_ATTRS_HEAD])
{
	char *p = put_name(put(out, "{\"id\":"), id);

	p = put_name(put(p, ",\"version\":"), version);
	return (size_t)(put(p, ",\"attrs\":") - out);
}

size_t pk_attrs_text_size(const char *id, const char *version, size_t size)
{
	char head[PK_ATTRS_HEAD];

	return pk_attrs_head(id, version, head) + size + 1;
}

const char *pk_attrs_find(const char *text, size_t text_size, const char *id,
			  const char *version, size_t size)
{
	char head[PK_ATTRS_HEAD];
	size_t n = pk_attrs_head(id, version, head);

	if (size > PK_ATTRS_MAX || text_size != n + size + 1 ||
	    memcmp(text, head, n) || text[text_size - 1] != '}')
		return NULL;
	return text + n;
}

int pk_attrs_is_sound(const unsigned char hash[PK_HASH_SIZE], uint64_t size)
{
	static const unsigned char none[PK_HASH_SIZE];
	int has_text = memcmp(hash, none, PK_HASH_SIZE) != 0;

	return has_text ? size > 2 && size <= PK_ATTRS_MAX : !size;
}

static int fail_object(const char *json, size_t size,
		       struct pk_canon_error *err)
{
	const char *at = pk_skip_space(json, json + size);

	err->line = err->column = 1;
	for (const char *p = json; p < at; p++) {
		err->column++;
		if (*p == '\n') {
			err->line++;
			err->column = 1;
		}
	}
	err->what = "what is said of a package is an object";
	return PK_CANON_INVALID;
}

int pk_attrs_canon(const char *json, size_t json_size, const char *id,
		   const char *version, char **out, size_t *out_size,
		   size_t *size, struct pk_canon_error *err)
{
	char head[PK_ATTRS_HEAD], *object, *text;
	size_t n = pk_attrs_head(id, version, head);
	int rc = pk_value_canon(json, json_size, PK_ATTRS_MAX, &object, size,
				err);

	if (rc)
		return rc;
	if (*object != '{') {
		free(object);
		return fail_object(json, json_size, err);
	}
	text = malloc(n + *size + 2);
	if (text) {
		memcpy(text, head, n);
		memcpy(text + n, object, *size);
		memcpy(text + n + *size, "}", 2);
		*out = text;
		*out_size = n + *size + 1;
	}
	free(object);
	return text ? 0 : PK_CANON_NOMEM;
}
