/* icon.h - the pictures that packages have.
 */
#ifndef ICON_H
#define ICON_H

#include <stddef.h>

enum { ICON_MAX = 256 << 10 };

struct icon_type {
	const char *type; /* image/png */
	const char *end;  /* .png */
};

/* What the bytes are, as they begin, or NULL. */
const struct icon_type *icon_sniff(const char *bytes, size_t size);
/* By its Content-Type, parameters or not, or NULL. */
const struct icon_type *icon_named(const char *content_type);
/* By the end of a file's name, or NULL. */
const struct icon_type *icon_ending(const char *name);

#endif
