#include "zst.h"
#include "auto.h"
#include "bytes.h"

#define ZSTD_STATIC_LINKING_ONLY /* for the names of parameters alone */
#include <zstd.h>

/* log2, rounded up; at least zstd's smallest window */
static int window_log(size_t size)
{
	int n = 10;

	while (((size_t)1 << n) < size)
		n++;
	return n;
}

struct pk_zst_encoder *pk_zst_encoder_new(void)
{
	return (struct pk_zst_encoder *)ZSTD_createCCtx();
}

void pk_zst_encoder_free(struct pk_zst_encoder *z)
{
	ZSTD_freeCCtx((ZSTD_CCtx *)z);
}

void pk_zst_encoder_auto(struct pk_zst_encoder **z)
{
	pk_zst_encoder_free(*z);
}

/* Levels 10 to 15 of zstd are binary trees, which the long matches that
 * versions of one package have with each other make slow: 5 to 9 ms for a
 * delta of 75 to 200 KB. Chains through all of base and text find as much in
 * 0.3 to 1.5 ms. (Over ../shared/corpus, level 12 of zstd, then this: deltas
 * 1,299 and 1,294 KB, whole texts 146 and 148 KB.) What a libzstd does not
 * know of it, it does in its own way. */
static void set_chains(ZSTD_CCtx *ctx, int level, int window)
{
	int log = window < 23 ? window : 23;

	ZSTD_CCtx_setParameter(ctx, ZSTD_c_strategy, ZSTD_lazy2);
	ZSTD_CCtx_setParameter(ctx, ZSTD_c_useRowMatchFinder,
			       ZSTD_ps_disable);
	ZSTD_CCtx_setParameter(ctx, ZSTD_c_chainLog, log);
	ZSTD_CCtx_setParameter(ctx, ZSTD_c_hashLog, log - 2);
	ZSTD_CCtx_setParameter(ctx, ZSTD_c_searchLog, level - 5);
	ZSTD_CCtx_setParameter(ctx, ZSTD_c_minMatch, 5);
}

int pk_zst_encode(struct pk_zst_encoder *z, const char *text, size_t size,
		  const char *base, size_t base_size, int level, size_t tail,
		  unsigned char **out, size_t *out_size,
		  struct pakhus_error *err)
{
	ZSTD_CCtx *ctx = (ZSTD_CCtx *)z;
	size_t cap = ZSTD_compressBound(size), n;
	AUTO_FREE unsigned char *buf = malloc(cap + tail);
	int window = window_log(base_size + size);

	if (!buf)
		return pk_fail_nomem(err);
	ZSTD_CCtx_reset(ctx, ZSTD_reset_session_and_parameters);
	ZSTD_CCtx_setParameter(ctx, ZSTD_c_compressionLevel, level);
	ZSTD_CCtx_setParameter(ctx, ZSTD_c_checksumFlag, 1);
	if (level >= 10 && level <= 15)
		set_chains(ctx, level, window);
	if (base) {
		/* all of the base stays in reach to the text's last byte */
		ZSTD_CCtx_setParameter(ctx, ZSTD_c_windowLog, window);
		ZSTD_CCtx_refPrefix(ctx, base, base_size);
	}
	n = ZSTD_compress2(ctx, buf, cap, text, size);
	if (ZSTD_isError(n))
		return pk_fail(err, PAKHUS_ENOMEM, "zstd: %s",
			       ZSTD_getErrorName(n));
	*out_size = n;
	*out = PK_MOVE(buf);
	return 0;
}

struct pk_zst_decoder *pk_zst_decoder_new(void)
{
	return (struct pk_zst_decoder *)ZSTD_createDCtx();
}

void pk_zst_decoder_free(struct pk_zst_decoder *d)
{
	ZSTD_freeDCtx((ZSTD_DCtx *)d);
}

const char *pk_zst_check(const unsigned char *in, size_t in_size, size_t size)
{
	/* RFC 8878 3.1.1.1.1: the byte behind the magic, bit 2: a checksum */
	if (in_size < 6 || pk_le32(in) != ZSTD_MAGICNUMBER || !(in[4] & 4) ||
	    ZSTD_getFrameContentSize(in, in_size) != size)
		return "F-15 the frame's size or checksum flag is wrong";
	if (ZSTD_findFrameCompressedSize(in, in_size) != in_size)
		return "F-12 the frame does not end where the trailer begins";
	return NULL;
}

const char *pk_zst_decode(struct pk_zst_decoder *d, const unsigned char *in,
			  size_t in_size, const char *base, size_t base_size,
			  char *out, size_t size)
{
	/* as a dictionary that is no dictionary's format, which ours are not
	 * ("{" comes first), a base is referred to where it is; refPrefix
	 * allocates and fills tables for it */
	size_t n = ZSTD_decompress_usingDict((ZSTD_DCtx *)d, out, size, in,
					     in_size, base,
					     base ? base_size : 0);

	if (n != size)
		return "F-15 the frame does not decode, or not to its checksum";
	out[size] = '\0';
	return NULL;
}
