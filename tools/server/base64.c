#include "base64.h"

#include <string.h>

static const char digit[] =
	"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

size_t base64_size(size_t size)
{
	return (size + 2) / 3 * 4;
}

void base64_encode(const void *bytes, size_t size, char *out)
{
	const unsigned char *at = bytes;
	size_t i;

	for (i = 0; i < size; i += 3, at += 3) {
		unsigned two = i + 1 < size ? at[1] : 0;
		unsigned three = i + 2 < size ? at[2] : 0;

		*out++ = digit[at[0] >> 2];
		*out++ = digit[(at[0] & 3u) << 4 | two >> 4];
		*out++ = i + 1 < size ? digit[(two & 15) << 2 | three >> 6]
				      : '=';
		*out++ = i + 2 < size ? digit[three & 63] : '=';
	}
	*out = '\0';
}

static int sextet(char c)
{
	if (c >= 'A' && c <= 'Z')
		return c - 'A';
	if (c >= 'a' && c <= 'z')
		return c - 'a' + 26;
	if (c >= '0' && c <= '9')
		return c - '0' + 52;
	return c == '+' ? 62 : c == '/' ? 63 : -1;
}

int base64_decode(const char *text, size_t size, unsigned char *out,
		  size_t *got)
{
	unsigned bits = 0;
	size_t i, pad = 0, n = 0;

	if (size % 4)
		return -1;
	while (pad < 2 && pad < size && text[size - 1 - pad] == '=')
		pad++;
	for (i = 0; i < size - pad; i++) {
		int value = sextet(text[i]);

		if (value < 0)
			return -1;
		bits = (bits << 6 | (unsigned)value) & 0xffffff;
		if (i % 4 == 3) {
			out[n++] = (unsigned char)(bits >> 16);
			out[n++] = (unsigned char)(bits >> 8);
			out[n++] = (unsigned char)bits;
		}
	}
	/* what is cut off is zero, or two texts would be the same bytes */
	if (pad == 1) {
		if (bits & 3)
			return -1;
		out[n++] = (unsigned char)(bits >> 10);
		out[n++] = (unsigned char)(bits >> 2);
	} else if (pad == 2) {
		if (bits & 15)
			return -1;
		out[n++] = (unsigned char)(bits >> 4);
	}
	*got = n;
	return 0;
}
