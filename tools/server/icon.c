#include "icon.h"

#include <string.h>
#include <strings.h>

enum { PNG, JPEG, WEBP, SVG, TYPES };

static const struct icon_type types[TYPES] = {
	[PNG] = {"image/png", ".png"},
	[JPEG] = {"image/jpeg", ".jpg"},
	[WEBP] = {"image/webp", ".webp"},
	[SVG] = {"image/svg+xml", ".svg"},
};

static int begins(const char *bytes, size_t size, const char *with, size_t n)
{
	return size >= n && !memcmp(bytes, with, n);
}

/* Behind a construct that ends so; bytes where it does not end. */
static const char *behind(const char *at, const char *end, const char *close)
{
	const char *found = memmem(at, (size_t)(end - at), close,
				   strlen(close));

	return found ? found + strlen(close) : end;
}

/* The first element is svg: before it come white space, an XML declaration,
 * comments and a document type, which has no part of its own inside. */
static int is_svg(const char *at, size_t size)
{
	const char *end = at + size;

	if (memchr(at, '\0', size))
		return 0;
	if (begins(at, size, "\xef\xbb\xbf", 3))
		at += 3;
	while (at < end) {
		size_t left = (size_t)(end - at);

		if (strchr(" \t\r\n", *at))
			at++;
		else if (begins(at, left, "<?", 2))
			at = behind(at, end, "?>");
		else if (begins(at, left, "<!--", 4))
			at = behind(at, end, "-->");
		else if (begins(at, left, "<!", 2))
			at = behind(at, end, ">");
		else
			return left > 4 && begins(at, left, "<svg", 4) &&
			       strchr(" \t\r\n/>", at[4]) != NULL;
	}
	return 0;
}

const struct icon_type *icon_sniff(const char *bytes, size_t size)
{
	if (begins(bytes, size, "\x89PNG\r\n\x1a\n", 8))
		return &types[PNG];
	if (begins(bytes, size, "\xff\xd8\xff", 3))
		return &types[JPEG];
	if (size >= 12 && begins(bytes, size, "RIFF", 4) &&
	    !memcmp(bytes + 8, "WEBP", 4))
		return &types[WEBP];
	return is_svg(bytes, size) ? &types[SVG] : NULL;
}

const struct icon_type *icon_named(const char *content_type)
{
	size_t size = strcspn(content_type, "; \t");
	int i;

	for (i = 0; i < TYPES; i++)
		if (strlen(types[i].type) == size &&
		    !strncasecmp(types[i].type, content_type, size))
			return &types[i];
	return NULL;
}

const struct icon_type *icon_ending(const char *name)
{
	const char *end = strrchr(name, '.');
	int i;

	for (i = 0; end && end > name && i < TYPES; i++)
		if (!strcmp(types[i].end, end))
			return &types[i];
	return NULL;
}
