/* fuzz_text.c - hexadecimal, base64, object paths and UTF-8. */
#include "fuzz.h"
#include "utf8.h"

/* RFC 3629 from the other end: the code point, and its shortest spelling. */
static size_t judge(const uint8_t *p, size_t left)
{
	static const uint32_t from[] = { 0, 0, 0x80, 0x800, 0x10000 };
	size_t n = p[0] < 0x80 ? 1 : p[0] < 0xE0 ? 2 : p[0] < 0xF0 ? 3 : 4;
	uint32_t c = n == 1 ? p[0] : p[0] & (0x7Fu >> n);

	if ((p[0] >= 0x80 && p[0] < 0xC0) || p[0] >= 0xF8 || n > left)
		return 0;
	for (size_t i = 1; i < n; i++) {
		if ((p[i] & 0xC0) != 0x80)
			return 0;
		c = c << 6 | (p[i] & 0x3F);
	}
	return c < from[n] || c > 0x10FFFF || (c >= 0xD800 && c < 0xE000) ? 0
									  : n;
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	int plain = 1;

	fuzz_again(again_hex, bytes, size);
	fuzz_again(again_base64, bytes, size);
	fuzz_again(again_objpath, bytes, size);
	for (size_t i = 0, n; i < size; i += n ? n : 1) {
		n = pk_utf8_len(bytes + i, size - i);
		if (n != judge(bytes + i, size - i))
			abort();
		if (!n || bytes[i] < 0x20 || bytes[i] == 0x7F ||
		    (bytes[i] == 0xC2 && bytes[i + 1] < 0xA0))
			plain = 0;
	}
	if (plain != pk_is_plain((const char *)bytes, size))
		abort();
	return 0;
}
