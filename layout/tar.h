/* tar.h - one member's header of a tar, the form that a bundle for a stick
 * has (F-80): POSIX ustar, regular files alone, and one spelling of each.
 *
 *  offset size
 *       0  100  name, and NULs
 *     100    8  mode, "0000444" and a NUL
 *     108   16  owner and group, "0000000" and a NUL each
 *     124   12  size, eleven octal digits and a NUL
 *     136   12  time, eleven zeros and a NUL
 *     148    8  checksum, six octal digits, a NUL and a space
 *     156    1  type, "0"
 *     157  100  link, NULs
 *     257    8  "ustar", a NUL and "00"
 *     265   64  names of owner and group, NULs
 *     329   16  device, "0000000" and a NUL twice
 *     345  167  NULs
 */
#ifndef PK_TAR_H
#define PK_TAR_H

#include "bytes.h"

#define PK_TAR_BLOCK 512
#define PK_TAR_NAME 100 /* with a NUL */
#define PK_TAR_SIZE_MAX ((UINT64_C(1) << 33) - 1)

struct pk_tar {
	char name[PK_TAR_NAME]; /* printable ASCII; relative, no . or .. */
	uint64_t size;
};

void pk_tar_encode(const struct pk_tar *t, unsigned char out[PK_TAR_BLOCK]);
/* NULL, or the rule that is broken, in a sentence. */
const char *pk_tar_decode(const unsigned char in[PK_TAR_BLOCK],
			  struct pk_tar *t);
/* Whether a block is one of the two, all NULs, that end a tar. */
int pk_tar_is_end(const unsigned char in[PK_TAR_BLOCK]);
/* The bytes behind a member's own, up to the next block. */
size_t pk_tar_padding(uint64_t size);

#endif
