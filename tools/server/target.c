#include "target.h"

#include <string.h>

#include "hex.h"

/* The decoded size, or -1; no byte that is decoded is NUL. */
static int decode(const char *s, size_t size, int is_query, char *out)
{
	char *at = out;
	size_t i;

	for (i = 0; i < size; i++) {
		char c = s[i];

		if (c == '%') {
			int is_whole = size - i > 2;
			int high = is_whole ? hex_value(s[i + 1]) : -1;
			int low = is_whole ? hex_value(s[i + 2]) : -1;

			if (high < 0 || low < 0 || !(high | low))
				return -1;
			c = (char)(high << 4 | low);
			i += 2;
		} else if (c == '+' && is_query) {
			c = ' ';
		}
		*at++ = c;
	}
	*at = '\0';
	return (int)(at - out);
}

int target_match(const char *pattern, const char *path, size_t size,
		 const char *param[TARGET_PARAMS], char *room)
{
	const char *end = path + size;
	size_t n = 0;

	while (*pattern) {
		const char *close, *to;
		int got;

		if (*pattern != '{') {
			if (path == end || *path++ != *pattern++)
				return 0;
			continue;
		}
		close = strchr(pattern, '}');
		to = end;
		if (close[-1] != '*') {
			to = memchr(path, '/', (size_t)(end - path));
			if (!to)
				to = end;
		}
		if (to == path)
			return 0;
		got = decode(path, (size_t)(to - path), 0, room);
		if (got < 0)
			return -1;
		param[n++] = room;
		room += got + 1;
		path = to;
		pattern = close + 1;
	}
	return path == end;
}

int target_query(const char *query, const char *name, char *out)
{
	size_t want = strlen(name);
	int count = 0;

	while (*query) {
		size_t size = strcspn(query, "&");
		const char *equals = memchr(query, '=', size);
		size_t key = equals ? (size_t)(equals - query) : size;

		if (key == want && !memcmp(query, name, want) && !count++ &&
		    decode(query + key + !!equals, size - key - !!equals, 1,
			   out) < 0)
			return -1;
		query += size;
		query += *query == '&';
	}
	return count;
}

void target_encode(struct text *t, const char *s, size_t size, const char *keep)
{
	size_t i;

	for (i = 0; i < size; i++) {
		unsigned char c = (unsigned char)s[i];

		if ((c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') ||
		    (c >= 'a' && c <= 'z') || (c && strchr("-._~", c)) ||
		    (c && strchr(keep, c)))
			text_add(t, s + i, 1);
		else
			text_printf(t, "%%%02X", c);
	}
}
