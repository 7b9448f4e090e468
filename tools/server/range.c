#include "range.h"

#include <string.h>
#include <strings.h>

static int is_digit(char c)
{
	return c >= '0' && c <= '9';
}

/* At least one digit; what is too great is the greatest. */
static int number(const char **s, uint64_t *out)
{
	const char *p = *s;

	*out = 0;
	for (; is_digit(*p); p++)
		*out = *out > (UINT64_MAX - 9) / 10
			       ? UINT64_MAX
			       : *out * 10 + (uint64_t)(*p - '0');
	if (p == *s)
		return -1;
	*s = p;
	return 0;
}

enum range range_parse(const char *s, uint64_t size, uint64_t *from,
		       uint64_t *count)
{
	uint64_t first = 0, last = UINT64_MAX;
	int is_suffix;

	if (strncasecmp(s, "bytes=", 6) != 0)
		return RANGE_NONE;
	s += 6;
	s += strspn(s, " \t");
	is_suffix = *s == '-';
	if (!is_suffix && number(&s, &first))
		return RANGE_NONE;
	if (*s++ != '-')
		return RANGE_NONE;
	if ((is_suffix || is_digit(*s)) && number(&s, &last))
		return RANGE_NONE;
	if (s[strspn(s, " \t")] || last < first)
		return RANGE_NONE;
	if (is_suffix) {
		if (!last)
			return RANGE_BEHIND;
		first = last < size ? size - last : 0;
		last = UINT64_MAX;
		if (!size) /* all of nothing has no Content-Range */
			return RANGE_NONE;
	}
	if (first >= size)
		return RANGE_BEHIND;
	*from = first;
	*count = (last < size ? last + 1 : size) - first;
	return RANGE_ONE;
}
