/* hex.h - bytes as lower-case hexadecimal digits, and back. */
#ifndef PK_HEX_H
#define PK_HEX_H

#include <stddef.h>

/* Writes 2n digits and a NUL. */
void pk_hex(const unsigned char *bytes, size_t n, char *out);
/* Reads 2n digits, lower case only; 0, or -1 when one is not a digit. */
int pk_unhex(const char *digits, unsigned char *out, size_t n);

#endif
