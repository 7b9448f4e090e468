#include "format.h"
#include "hex.h"

#include <stdio.h>

const char pk_format_newer[] =
	"F-42 a format version that this program does not know";

size_t pk_format_encode(const struct pk_format *f, char out[PK_FORMAT_SIZE])
{
	char identity[2 * PK_IDENTITY_SIZE + 1];

	pk_hex(f->identity, PK_IDENTITY_SIZE, identity);
	return (size_t)snprintf(out, PK_FORMAT_SIZE,
				"pakhus 1\nidentity %s\norigin %s\n"
				"immutable %s\n",
				identity, f->origin,
				f->immutable ? "yes" : "no");
}

/* Another number than 1: a whole line of it, or the file is only cut. */
static int is_newer(const char *p, const char *end)
{
	const char *from = p;

	while (p < end && *p >= '0' && *p <= '9')
		p++;
	return p > from && p < end && *p == '\n' && *from != '0' &&
	       !(p == from + 1 && *from == '1');
}

const char *pk_format_decode(const char *text, size_t size, struct pk_format *f)
{
	static const char head[] = "pakhus 1\nidentity ";
	static const char origin[] = "\norigin ";
	char again[PK_FORMAT_SIZE];
	const char *p, *nl, *end = text + size;

	if (size < 7 || memcmp(text, "pakhus ", 7))
		return "F-40 does not begin with the word pakhus";
	if (is_newer(text + 7, end))
		return pk_format_newer;
	if (size < 9 || memcmp(text, "pakhus 1\n", 9))
		return "F-40 the first line is not a version";
	if (size < strlen(head) + 2 * PK_IDENTITY_SIZE + strlen(origin) ||
	    memcmp(text, head, strlen(head)) ||
	    pk_unhex(text + strlen(head), f->identity, PK_IDENTITY_SIZE))
		return "F-41 the identity is not 32 hexadecimal digits";
	p = text + strlen(head) + 2 * PK_IDENTITY_SIZE;
	if (memcmp(p, origin, strlen(origin)))
		return "F-41 the origin is missing";
	p += strlen(origin);
	nl = memchr(p, '\n', (size_t)(end - p));
	if (!nl || !pk_is_origin(p, (size_t)(nl - p)))
		return "F-41 the origin is not plain";
	memcpy(f->origin, p, (size_t)(nl - p));
	f->origin[nl - p] = '\0';
	f->immutable = end - nl > 11 && nl[11] == 'y';
	/* what is left, and the whole, has one spelling */
	if (pk_format_encode(f, again) != size || memcmp(again, text, size))
		return "F-41 something is missing, unknown or out of order";
	return NULL;
}
