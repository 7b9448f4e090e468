/* base64.h - RFC 4648, section 4, with its padding. */
#ifndef BASE64_H
#define BASE64_H

#include <stddef.h>

/* The size of what size bytes become, without a NUL. */
size_t base64_size(size_t size);
/* out has base64_size() bytes and one more for a NUL. */
void base64_encode(const void *bytes, size_t size, char *out);
/* The one text of some bytes, and nothing around it; out has room for size / 4
 * times 3. 0, or -1: it is not. */
int base64_decode(const char *text, size_t size, unsigned char *out,
		  size_t *got);

#endif
