/* zst.h - one zstd frame, with content size and checksum, whole or against
 * a base. The home of libzstd. Output is always capped by a size that the
 * caller has compared with a limit.
 */
#ifndef PK_ZST_H
#define PK_ZST_H

#include "fail.h"

/* *out is malloc'ed, with tail free bytes behind the frame. base may be
 * NULL. */
int pk_zst_encode(const char *text, size_t size, const char *base,
		  size_t base_size, int level, size_t tail,
		  unsigned char **out, size_t *out_size,
		  struct pakhus_error *err);
/* The frame must be all of in and give exactly size bytes; NULL and *out
 * (malloc'ed, with a NUL behind), or the broken rule, or "out of memory". */
const char *pk_zst_decode(const unsigned char *in, size_t in_size,
			  const char *base, size_t base_size, size_t size,
			  char **out);
extern const char pk_zst_nomem[];

#endif
