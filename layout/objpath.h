/* objpath.h - a digest as the path of its object, and back (F-11). */
#ifndef PK_OBJPATH_H
#define PK_OBJPATH_H

#include "bytes.h"

#define PK_OBJPATH_SIZE 74 /* "objects/ab/" and 62 digits and a NUL */

void pk_objpath(const unsigned char hash[PK_HASH_SIZE],
		char out[PK_OBJPATH_SIZE]);
/* Takes a path that ends in ab/<62 digits>; 0, or -1. */
int pk_objpath_parse(const char *path, unsigned char hash[PK_HASH_SIZE]);

#endif
