#include "credential.h"

#include <string.h>
#include <strings.h>

#include "base64.h"

/* A user's name of 255 bytes, a colon and a secret. */
enum { PAIR_MAX = 256 + BEARER_SIZE };

static int take(const char *text, size_t size, char secret[BEARER_SIZE + 1])
{
	if (!bearer_is_shaped(text, size))
		return 0;
	memcpy(secret, text, size);
	secret[size] = '\0';
	return 1;
}

static int basic(const char *text, size_t size, char secret[BEARER_SIZE + 1])
{
	unsigned char pair[(PAIR_MAX + 2) / 3 * 3];
	const unsigned char *colon;
	int is_taken = 0;
	size_t got;

	if (size / 4 * 3 > sizeof(pair) ||
	    base64_decode(text, size, pair, &got))
		return 0;
	colon = memchr(pair, ':', got);
	if (colon)
		is_taken = take((const char *)colon + 1,
				got - (size_t)(colon + 1 - pair), secret);
	explicit_bzero(pair, sizeof(pair));
	return is_taken;
}

int credential_is_empty(const char *field)
{
	size_t scheme = strcspn(field, " \t");

	return !field[scheme + strspn(field + scheme, " \t")];
}

int credential_read(const char *field, char secret[BEARER_SIZE + 1])
{
	size_t scheme = strcspn(field, " "), size;
	const char *text = field + scheme + strspn(field + scheme, " ");

	size = strlen(text);
	while (size && (text[size - 1] == ' ' || text[size - 1] == '\t'))
		size--;
	if (scheme == 6 && !strncasecmp(field, "Bearer", 6))
		return take(text, size, secret);
	if (scheme == 5 && !strncasecmp(field, "Basic", 5))
		return basic(text, size, secret);
	return 0;
}
