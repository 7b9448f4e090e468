#include "utf8.h"

size_t pk_utf8_len(const unsigned char *p, size_t left)
{
	/* the second byte's range follows from the first; RFC 3629 section 4 */
	unsigned lo = 0x80, hi = 0xBF;
	size_t n;

	if (p[0] < 0x80)
		return 1;
	if (p[0] < 0xC2 || p[0] > 0xF4)
		return 0;
	n = p[0] < 0xE0 ? 2 : p[0] < 0xF0 ? 3 : 4;
	if (n > left)
		return 0;
	if (p[0] == 0xE0)
		lo = 0xA0;
	else if (p[0] == 0xED)
		hi = 0x9F;
	else if (p[0] == 0xF0)
		lo = 0x90;
	else if (p[0] == 0xF4)
		hi = 0x8F;
	if (p[1] < lo || p[1] > hi)
		return 0;
	for (size_t i = 2; i < n; i++)
		if (p[i] < 0x80 || p[i] > 0xBF)
			return 0;
	return n;
}

int pk_is_plain(const char *text, size_t size)
{
	const unsigned char *p = (const unsigned char *)text;

	while (size) {
		size_t n = pk_utf8_len(p, size);

		if (!n || p[0] < 0x20 || p[0] == 0x7F)
			return 0;
		if (n == 2 && p[0] == 0xC2 && p[1] < 0xA0)
			return 0;
		p += n;
		size -= n;
	}
	return 1;
}
