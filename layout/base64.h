/* base64.h - RFC 4648 section 4, with padding, strictly. */
#ifndef PK_BASE64_H
#define PK_BASE64_H

#include <stddef.h>

#define PK_BASE64_SIZE(n) (((n) + 2) / 3 * 4 + 1) /* with a NUL */

/* Gives the length; writes a NUL behind it. */
size_t pk_base64(const unsigned char *bytes, size_t n, char *out);
/* Gives the number of bytes written, or -1: not base64, padding bits that
 * are not zero, or more than cap bytes. */
long pk_unbase64(const char *text, size_t size, unsigned char *out,
		 size_t cap);

#endif
