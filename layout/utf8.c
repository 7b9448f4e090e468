#include "utf8.h"

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
