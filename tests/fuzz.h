/* fuzz.h - what the fuzz targets share: libFuzzer's entry point around one
 * or more again_fn, which refuse the bytes or give them back unchanged. */
#ifndef FUZZ_H
#define FUZZ_H

#include "again.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

static inline void fuzz_again(again_fn *again, const uint8_t *bytes,
			      size_t size)
{
	static unsigned char out[AGAIN_MAX];
	long n = size < AGAIN_MAX ? again(bytes, size, out) : -1;

	if (n >= 0 && ((size_t)n != size || memcmp(out, bytes, size)))
		abort();
}

/* A target that is nothing but these. */
#define FUZZ(...)                                                              \
	int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)          \
	{                                                                      \
		again_fn *const all[] = { __VA_ARGS__ };                       \
									       \
		for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++)      \
			fuzz_again(all[i], bytes, size);                       \
		return 0;                                                      \
	}

#endif
