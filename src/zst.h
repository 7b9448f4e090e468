/* zst.h - one zstd frame, with content size and checksum, whole or against
 * a base. The home of libzstd. Output is always capped by a size that the
 * caller has compared with a limit.
 */
#ifndef PK_ZST_H
#define PK_ZST_H

#include "fail.h"

/* What encoding needs besides the text; kept from one to the next, as it is
 * large. Of one thread at a time. NULL when out of memory. */
struct pk_zst_encoder *pk_zst_encoder_new(void);
void pk_zst_encoder_free(struct pk_zst_encoder *z);
void pk_zst_encoder_auto(struct pk_zst_encoder **z);
/* *out is malloc'ed, with tail free bytes behind the frame. base may be
 * NULL. */
int pk_zst_encode(struct pk_zst_encoder *z, const char *text, size_t size,
		  const char *base, size_t base_size, int level, size_t tail,
		  unsigned char **out, size_t *out_size,
		  struct pakhus_error *err);

/* What decodes. Made once and kept: making it touches more memory than a
 * delta does. Not shared by threads. NULL when out of memory. */
struct pk_zst_decoder;
struct pk_zst_decoder *pk_zst_decoder_new(void);
void pk_zst_decoder_free(struct pk_zst_decoder *d);
/* The header of a frame that must be all of in and give size bytes. NULL, or
 * the broken rule. */
const char *pk_zst_check(const unsigned char *in, size_t in_size, size_t size);
/* Decodes a frame that was checked into size bytes and a NUL. NULL, or the
 * broken rule. */
const char *pk_zst_decode(struct pk_zst_decoder *d, const unsigned char *in,
			  size_t in_size, const char *base, size_t base_size,
			  char *out, size_t size);

#endif
