#include "accept.h"

#include <string.h>
#include <strings.h>

static const char *space(const char *s)
{
	return s + strspn(s, " \t");
}

/* A weight in thousandths: 0.5, 1.000; or -1. */
static int number(const char **s)
{
	const char *p = *s;
	int q = 0, unit = 1000;

	if (*p != '0' && *p != '1')
		return -1;
	q = (*p++ - '0') * 1000;
	if (*p == '.')
		for (p++; *p >= '0' && *p <= '9' && unit > 1; p++)
			q += (*p - '0') * (unit /= 10);
	*s = p;
	return q <= 1000 ? q : -1;
}

/* What stands behind a coding's name, up to the comma. */
static int weight(const char *s)
{
	int q = 1000;

	s = space(s);
	if (*s == ';') {
		s = space(s + 1);
		if ((*s != 'q' && *s != 'Q') || s[1] != '=')
			return -1;
		s += 2;
		q = number(&s);
		s = space(s);
	}
	return *s && *s != ',' ? -1 : q;
}

static int *slot(struct accept *a, const char *name, size_t size)
{
	size_t i;

	if (size == 1 && *name == '*')
		return &a->any;
	if (size == 6 && !strncasecmp(name, "x-gzip", 6)) {
		name += 2; /* RFC 9110, section 8.4.1.3 */
		size -= 2;
	}
	for (i = 0; i < CODINGS; i++)
		if (strlen(coding_names[i]) == size &&
		    !strncasecmp(name, coding_names[i], size))
			return &a->weight[i];
	return NULL;
}

void accept_add(struct accept *a, const char *value)
{
	a->is_given = 1;
	while (*value) {
		size_t size;
		int *at, q;

		value += strspn(value, " \t,");
		size = strcspn(value, " \t,;");
		at = slot(a, value, size);
		q = weight(value + size);
		if (at && *at < 0)
			*at = q;
		value += strcspn(value, ",");
	}
}

static int weight_of(const struct accept *a, enum coding c)
{
	if (!a->is_given)
		return c == CODING_IDENTITY;
	if (a->weight[c] >= 0)
		return a->weight[c];
	if (a->any >= 0)
		return a->any;
	return c == CODING_IDENTITY; /* acceptable, and liked least */
}

size_t accept_order(const struct accept *a, enum coding out[CODINGS])
{
	size_t n = 0, i;
	enum coding c;

	for (c = 0; c < CODINGS; c++) {
		if (!weight_of(a, c))
			continue;
		for (i = n++; i && weight_of(a, out[i - 1]) < weight_of(a, c);
		     i--)
			out[i] = out[i - 1];
		out[i] = c;
	}
	return n;
}

size_t accept_of(const struct request *rq, enum coding out[CODINGS])
{
	struct accept a = ACCEPT_INIT;
	size_t i;

	for (i = 0; i < rq->field_count; i++)
		if (!strcasecmp(rq->fields[i].name, "Accept-Encoding"))
			accept_add(&a, rq->fields[i].value);
	return accept_order(&a, out);
}
