/* utf8.h - is this UTF-8, and fit for one line of a log? */
#ifndef PK_UTF8_H
#define PK_UTF8_H

#include <stddef.h>

/* Bytes of the well-formed UTF-8 sequence (RFC 3629) at p, 1 to 4; 0 where
 * there is none: overlong, surrogate, above U+10FFFF, cut off. left > 0. */
size_t pk_utf8_len(const unsigned char *p, size_t left);
/* Well-formed and without control characters (C0, DEL, C1). */
int pk_is_plain(const char *text, size_t size);

#endif
