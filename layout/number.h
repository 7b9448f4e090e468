/* number.h - one JSON number in, ECMAScript's text of its double out.
 *
 * The text is that of Number::toString (ECMA-262 6.1.6.1.20): the shortest
 * digits that read back as the same double, "-0" and all that underflows as
 * "0" (FORMAT.md F-4). Neither locale nor length of the number matters.
 */
#ifndef PK_NUMBER_H
#define PK_NUMBER_H

#include <stddef.h>

#define PK_NUMBER_MAX 32 /* bytes pk_number_canon() may write */

/* Reads the number that begins at *at and ends before end, moves *at behind
 * it and gives the bytes written. On failure 0, *what says why, and *at is
 * the byte that does not fit, or the number's first when it is too large. */
size_t pk_number_canon(const char **at, const char *end, char *out,
		       const char **what);

#endif
