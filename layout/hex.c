#include "hex.h"

void pk_hex(const unsigned char *bytes, size_t n, char *out)
{
	static const char digit[] = "0123456789abcdef";

	for (size_t i = 0; i < n; i++) {
		*out++ = digit[bytes[i] >> 4];
		*out++ = digit[bytes[i] & 15];
	}
	*out = '\0';
}

/* The digit's value and one more, 0 where it is none. Every line of the log
 * has a hash, so this is asked for often. */
static const unsigned char value[256] = {
	['0'] = 1, 2, 3, 4, 5, 6, 7, 8, 9, 10,
	['a'] = 11, 12, 13, 14, 15, 16,
};

int pk_unhex(const char *digits, unsigned char *out, size_t n)
{
	const unsigned char *p = (const unsigned char *)digits;

	/* not beyond a first digit that is none: it may be the text's NUL */
	for (size_t i = 0; i < n; i++, p += 2) {
		unsigned hi = value[p[0]], lo = hi ? value[p[1]] : 0;

		if (!lo)
			return -1;
		out[i] = (unsigned char)((hi - 1) << 4 | (lo - 1));
	}
	return 0;
}
