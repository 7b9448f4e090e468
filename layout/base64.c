#include "base64.h"

#include <stdint.h>
#include <string.h>

static const char alphabet[] =
	"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

size_t pk_base64(const unsigned char *bytes, size_t n, char *out)
{
	char *p = out;

	for (size_t i = 0; i < n; i += 3) {
		size_t left = n - i;
		uint32_t v = (uint32_t)bytes[i] << 16;

		if (left > 1)
			v |= (uint32_t)bytes[i + 1] << 8;
		if (left > 2)
			v |= bytes[i + 2];
		*p++ = alphabet[v >> 18];
		*p++ = alphabet[v >> 12 & 63];
		*p++ = left > 1 ? alphabet[v >> 6 & 63] : '=';
		*p++ = left > 2 ? alphabet[v & 63] : '=';
	}
	*p = '\0';
	return (size_t)(p - out);
}

long pk_unbase64(const char *text, size_t size, unsigned char *out, size_t cap)
{
	size_t n = 0;

	if (size % 4)
		return -1;
	for (size_t i = 0; i < size; i += 4) {
		uint32_t v = 0;
		int pad = 0;

		for (size_t j = 0; j < 4; j++) {
			char c = text[i + j];
			const char *d = c ? strchr(alphabet, c) : NULL;

			if (c == '=' && i + 4 == size && j >= 2)
				pad++;
			else if (!d || pad)
				return -1;
			v = v << 6 | (d ? (uint32_t)(d - alphabet) : 0);
		}
		if (v & (pad == 2 ? 0xFFFFu : pad ? 0xFFu : 0))
			return -1;
		for (int j = 0; j < 3 - pad; j++) {
			if (n == cap)
				return -1;
			out[n++] = (unsigned char)(v >> (16 - 8 * j));
		}
	}
	return (long)n;
}
