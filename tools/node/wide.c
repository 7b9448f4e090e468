#include "wide.h"

#include <string.h>

static size_t ascii_run(const unsigned char *p, size_t size)
{
	uint64_t w;
	size_t i = 0;

	for (; i + 8 <= size; i += 8) {
		memcpy(&w, p + i, 8);
		if (w & UINT64_C(0x8080808080808080))
			break;
	}
	while (i < size && p[i] < 0x80)
		i++;
	return i;
}

/* The character at *p, which is moved behind it. */
static uint32_t next(const unsigned char **p)
{
	const unsigned char *q = *p;

	if (q[0] < 0xe0) {
		*p += 2;
		return (uint32_t)(q[0] & 0x1f) << 6 | (q[1] & 0x3f);
	}
	if (q[0] < 0xf0) {
		*p += 3;
		return (uint32_t)(q[0] & 0x0f) << 12 |
		       (uint32_t)(q[1] & 0x3f) << 6 | (q[2] & 0x3f);
	}
	*p += 4;
	return (uint32_t)(q[0] & 0x07) << 18 | (uint32_t)(q[1] & 0x3f) << 12 |
	       (uint32_t)(q[2] & 0x3f) << 6 | (q[3] & 0x3f);
}

/* Whether all is below U+0100: of what is not ASCII, C2 and C3 begin it. */
static int is_latin1(const unsigned char *p, const unsigned char *end)
{
	while ((p += ascii_run(p, (size_t)(end - p))) < end) {
		if (*p > 0xc3)
			return 0;
		p += 2;
	}
	return 1;
}

static size_t to_latin1(const unsigned char *p, const unsigned char *end,
			unsigned char *to)
{
	unsigned char *o = to;
	size_t n;

	while (p < end) {
		n = ascii_run(p, (size_t)(end - p));
		memcpy(o, p, n);
		p += n;
		o += n;
		while (p < end && *p >= 0x80)
			*o++ = (unsigned char)next(&p);
	}
	return (size_t)(o - to);
}

static size_t to_utf16(const unsigned char *p, const unsigned char *end,
		       char16_t *to)
{
	char16_t *o = to;
	uint32_t v;
	size_t n;

	while (p < end) {
		n = ascii_run(p, (size_t)(end - p));
		for (size_t i = 0; i < n; i++)
			o[i] = p[i];
		p += n;
		o += n;
		while (p < end && *p >= 0x80) {
			v = next(&p);
			if (v >= 0x10000) {
				v -= 0x10000;
				*o++ = (char16_t)(0xd800 + (v >> 10));
				v = 0xdc00 + (v & 0x3ff);
			}
			*o++ = (char16_t)v;
		}
	}
	return (size_t)(o - to);
}

int wide_make(struct call *c, const char *text, size_t size, struct wide *out)
{
	const unsigned char *p = (const unsigned char *)text;
	void *to;

	memset(out, 0, sizeof(*out));
	out->at = text;
	out->n = size;
	if (ascii_run(p, size) == size)
		return 0;
	out->is_utf16 = !is_latin1(p, p + size);
	to = call_alloc(c, out->is_utf16 ? 2 * size : size);
	if (!to)
		return -1;
	out->at = to;
	out->n = out->is_utf16 ? to_utf16(p, p + size, to)
			       : to_latin1(p, p + size, to);
	return 0;
}

napi_value wide_value(napi_env env, const struct wide *w)
{
	napi_status status;
	napi_value v;

	if (w->is_utf16)
		status = napi_create_string_utf16(env, w->at, w->n, &v);
	else
		status = napi_create_string_latin1(env, w->at, w->n, &v);
	return status == napi_ok ? v : NULL;
}
