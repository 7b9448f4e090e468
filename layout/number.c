/* number.c - see number.h.
 *
 * Nearly every number that people write has at most 15 significant digits,
 * and such a decimal is its own shortest form: two of them never share a
 * double (DBL_DIG). So its digits are laid out anew and nothing is computed.
 * Only longer and extreme ones take the way through strtod and snprintf;
 * both get and give digits without a decimal point, which is the locale's.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "number.h"

/* No double's neighbour, nor the middle between two, has more significant
 * digits than 767; what is cut here can only matter as "a little more". */
#define DIGITS_MAX 800
#define SHORTEST_MAX 17 /* digits always tell two doubles apart */
#define SAFE_DIGITS 15	/* digits always survive a double */
#define SAFE_POINT 300	/* and a decimal exponent well inside its range */

/* 0.d1d2d3… times ten to the power of point; no zero leads or trails. */
struct decimal {
	char digit[DIGITS_MAX + 1];
	int n;
	int64_t point;
};

static int is_digit(const char *p, const char *end)
{
	return p < end && *p >= '0' && *p <= '9';
}

static void trim(struct decimal *d)
{
	while (d->n > 0 && d->digit[d->n - 1] == '0')
		d->n--;
}

/* Takes the digits at p; before counts those in front of the point. */
static const char *take_digits(struct decimal *d, const char *p,
			       const char *end, int before)
{
	for (; is_digit(p, end); p++) {
		if (d->n == 0 && *p == '0') {
			d->point -= !before;
			continue;
		}
		if (d->n < DIGITS_MAX)
			d->digit[d->n++] = *p;
		else if (*p != '0') /* never less than it was, F-4 */
			d->digit[DIGITS_MAX] = '1';
		d->point += before;
	}
	return p;
}

/* The grammar of ECMA-404; NULL and *at where it ends. */
static const char *parse(struct decimal *d, const char **at, const char *end)
{
	const char *p = *at;
	int64_t e = 0;
	int minus;

	d->n = 0;
	d->point = 0;
	d->digit[DIGITS_MAX] = '0';
	if (p < end && *p == '-')
		p++;
	*at = p;
	if (!is_digit(p, end))
		return NULL;
	p = *p == '0' ? p + 1 : take_digits(d, p, end, 1);
	if (p < end && *p == '.') {
		*at = ++p;
		if (!is_digit(p, end))
			return NULL;
		p = take_digits(d, p, end, 0);
	}
	if (p < end && (*p == 'e' || *p == 'E')) {
		p++;
		minus = p < end && *p == '-';
		if (p < end && (*p == '-' || *p == '+'))
			p++;
		*at = p;
		if (!is_digit(p, end))
			return NULL;
		/* no text is so long that its zeros outweigh this */
		for (; is_digit(p, end); p++)
			if (e < INT64_C(1000000000000000))
				e = e * 10 + (*p - '0');
		d->point += minus ? -e : e;
	}
	if (d->n == DIGITS_MAX && d->digit[DIGITS_MAX] == '1')
		d->n++;
	else
		trim(d);
	return p;
}

/* digits times ten to the power of point - n */
static double to_double(const struct decimal *d)
{
	char s[DIGITS_MAX + 32];

	memcpy(s, d->digit, (size_t)d->n);
	snprintf(s + d->n, sizeof(s) - (size_t)d->n, "e%d",
		 (int)d->point - d->n);
	return strtod(s, NULL);
}

/* The decimal of n digits that is nearest to v. */
static void nearest(struct decimal *d, double v, int n)
{
	char s[64];
	const char *p;

	snprintf(s, sizeof(s), "%.*e", n - 1, v);
	d->n = 0;
	for (p = s; *p && *p != 'e'; p++)
		if (*p >= '0' && *p <= '9')
			d->digit[d->n++] = *p;
	d->point = *p ? strtol(p + 1, NULL, 10) + 1 : 1;
	trim(d);
}

/* The next larger decimal of n digits. */
static void step_up(struct decimal *d, int n)
{
	int i;

	memset(d->digit + d->n, '0', (size_t)(n - d->n));
	for (i = n - 1; i >= 0 && d->digit[i] == '9'; i--)
		d->digit[i] = '0';
	if (i >= 0) {
		d->digit[i]++;
	} else {
		d->digit[0] = '1';
		d->point++;
	}
	d->n = n;
	trim(d);
}

static int reads_as(struct decimal *d, double v, int n)
{
	uint64_t bits;

	nearest(d, v, n);
	if (n >= SHORTEST_MAX || to_double(d) == v)
		return 1;
	/* Below a power of two doubles lie twice as close as above, so the
	 * nearest decimal may miss from below while the next one fits. */
	memcpy(&bits, &v, sizeof(bits));
	if (bits << 12)
		return 0;
	step_up(d, n);
	return to_double(d) == v;
}

/* v is positive and finite. If n digits do, so do n + 1: halve. Fewer than
 * 15 show as zeros at the end of 15, but not below the normal doubles. */
static void shortest(struct decimal *d, double v)
{
	int lo = v < 2.2250738585072014e-308 ? 1 : SAFE_DIGITS;
	int hi = SHORTEST_MAX, mid;

	while (lo < hi) {
		mid = (lo + hi) / 2;
		if (reads_as(d, v, mid))
			hi = mid;
		else
			lo = mid + 1;
	}
	reads_as(d, v, lo);
}

/* Number::toString; n and k as the standard calls them. */
static char *lay_out(char *o, const struct decimal *d)
{
	int k = d->n, n = (int)d->point, e;

	if (k <= n && n <= 21) {
		memcpy(o, d->digit, (size_t)k);
		memset(o + k, '0', (size_t)(n - k));
		return o + n;
	}
	if (0 < n && n <= 21) {
		memcpy(o, d->digit, (size_t)n);
		o[n] = '.';
		memcpy(o + n + 1, d->digit + n, (size_t)(k - n));
		return o + k + 1;
	}
	if (-6 < n && n <= 0) {
		memcpy(o, "0.00000", 7);
		memcpy(o + 2 - n, d->digit, (size_t)k);
		return o + 2 - n + k;
	}
	*o++ = d->digit[0];
	if (k > 1) {
		*o++ = '.';
		memcpy(o, d->digit + 1, (size_t)(k - 1));
		o += k - 1;
	}
	e = n - 1;
	*o++ = 'e';
	*o++ = e < 0 ? '-' : '+';
	e = abs(e);
	if (e >= 100)
		*o++ = (char)('0' + e / 100);
	if (e >= 10)
		*o++ = (char)('0' + e / 10 % 10);
	*o++ = (char)('0' + e % 10);
	return o;
}

/* An integer of at most 15 digits is written as it stands; 0 if it is none. */
static size_t plain(const char *first, const char *end, char *out)
{
	const char *p = first + (*first == '-'), *q = p;

	while (q - p <= SAFE_DIGITS && is_digit(q, end))
		q++;
	if (q == p || q - p > SAFE_DIGITS || *p == '0' ||
	    (q < end && (*q == '.' || *q == 'e' || *q == 'E')))
		return 0;
	memcpy(out, first, (size_t)(q - first));
	return (size_t)(q - first);
}

size_t pk_number_canon(const char **at, const char *end, char *out,
		       const char **what)
{
	const char *first = *at, *p;
	struct decimal d;
	char *o = out;
	size_t n;
	double v;

	if (first < end) {
		n = plain(first, end, out);
		if (n) {
			*at = first + n;
			return n;
		}
	}
	p = parse(&d, at, end);
	if (!p) {
		*what = "expected a digit";
		return 0;
	}
	*at = first;
	if (d.n > 0 && d.point > 310) {
		v = 1;
		d.n = -1; /* even 0.1 times that is no double */
	} else if (d.n == 0 || d.point < -330) {
		v = 0; /* even 0.9… times that rounds to nothing */
	} else if (d.n <= SAFE_DIGITS && d.point <= SAFE_POINT &&
		   d.point >= -SAFE_POINT) {
		v = 1;
	} else {
		v = to_double(&d);
		if (v > 1.7976931348623157e308)
			d.n = -1;
		else if (v > 0)
			shortest(&d, v);
	}
	if (d.n < 0) {
		*what = "number too large for a double"; /* F-6 */
		return 0;
	}
	*at = p;
	if (v == 0) {
		*o = '0';
		return 1;
	}
	if (*first == '-')
		*o++ = '-';
	return (size_t)(lay_out(o, &d) - out);
}
