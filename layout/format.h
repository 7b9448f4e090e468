/* format.h - the file FORMAT that begins a store (F-40 to F-42).
 *
 *	pakhus 1
 *	identity <32 hexadecimal digits>
 *	origin <name of the log>
 *	immutable yes|no
 */
#ifndef PK_FORMAT_H
#define PK_FORMAT_H

#include "note.h"

#define PK_IDENTITY_SIZE 16
#define PK_FORMAT_SIZE (16 + 42 + 8 + PK_ORIGIN_MAX + 16)

struct pk_format {
	unsigned char identity[PK_IDENTITY_SIZE];
	char origin[PK_ORIGIN_MAX + 1];
	int immutable;
};

size_t pk_format_encode(const struct pk_format *f, char out[PK_FORMAT_SIZE]);
/* NULL, or the broken rule; pk_format_newer for another version (F-42). */
const char *pk_format_decode(const char *text, size_t size,
			     struct pk_format *f);
extern const char pk_format_newer[];

#endif
