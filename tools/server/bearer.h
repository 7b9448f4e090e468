/* bearer.h - the secrets that are sent with requests.
 *
 *	pakhus_ + 64 hex digits, of 32 random bytes + 8 hex digits
 *
 * The last eight are the first of the SHA-256 of what stands before them, so
 * that a scanner which looks for leaks can tell a secret from other text. Kept
 * is the SHA-256 of the whole: what `printf %s SECRET | sha256sum` prints.
 */
#ifndef BEARER_H
#define BEARER_H

#include <stddef.h>

#define BEARER_PREFIX "pakhus_"
enum { BEARER_SIZE = sizeof(BEARER_PREFIX) - 1 + 64 + 8 };

/* A new one; 0, or an errno. */
int bearer_new(char secret[BEARER_SIZE + 1]);
/* Whether a text looks like one, its checksum included. */
int bearer_is_shaped(const char *text, size_t size);

#endif
