/* fuzz_represent.c - the fields that say in which form an answer is sent, each
 * held against what must be so of any: and coded bodies, within their bound.
 */
#include "fuzz.h"

#include "../tools/server/accept.h"
#include "../tools/server/condition.h"
#include "../tools/server/range.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void check(int is_so)
{
	if (!is_so)
		abort();
}

/* No coding twice, and none that the field turns down by name. */
static void accept(const char *value)
{
	struct accept a = ACCEPT_INIT;
	enum coding order[CODINGS];
	unsigned seen = 0;
	size_t n, i;

	accept_add(&a, value);
	n = accept_order(&a, order);
	check(n <= CODINGS);
	for (i = 0; i < n; i++) {
		check(!(seen & 1U << order[i]));
		seen |= 1U << order[i];
		check(a.weight[order[i]] != 0);
	}
	for (i = 0; i < CODINGS; i++)
		check(a.weight[i] >= -1 && a.weight[i] <= 1000);
}

/* A range lies within what there is, and is found again by its own text. */
static void range(const char *value)
{
	static const uint64_t sizes[] = {0, 1, 10, 1000, INT64_MAX};
	uint64_t from, count, again, same;
	char text[80];
	size_t i;

	for (i = 0; i < sizeof(sizes) / sizeof(*sizes); i++) {
		if (range_parse(value, sizes[i], &from, &count) != RANGE_ONE)
			continue;
		check(count && from < sizes[i] && count <= sizes[i] - from);
		snprintf(text, sizeof(text), "bytes=%llu-%llu",
			 (unsigned long long)from,
			 (unsigned long long)(from + count - 1));
		check(range_parse(text, sizes[i], &again, &same) ==
			      RANGE_ONE &&
		      again == from && same == count);
	}
}

/* What is the same strongly is so weakly; "*" alone has what nothing names. */
static void tags(const char *list)
{
	int has = tags_have(list, "\"a\"", 0);

	check(!tags_have(list, "\"a\"", 1) || has);
	check(!has || strstr(list, "\"a\"") || strchr(list, '*'));
	check(tags_have(list, "W/\"a\"", 0) == has);
}

static void date(const char *text)
{
	char out[DATE_SIZE];
	int64_t t, again;

	if (date_parse(text, &t) || t < 0 || t > INT64_C(253402300799))
		return;
	date_format(t, out);
	check(!date_parse(out, &again) && again == t);
}

typedef int decode_fn(const char *in, size_t n, size_t max, char **out,
		      size_t *size);

static void body(decode_fn *decode, const char *bytes, size_t size)
{
	char *out;
	size_t n;

	if (decode(bytes, size, 5000, &out, &n))
		return;
	check(n <= 5000 && !out[n]);
	free(out);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	char *text = malloc(size + 1);

	memcpy(text, bytes, size);
	text[size] = '\0';
	accept(text);
	range(text);
	tags(text);
	date(text);
	free(text);
	body(gzip_decode, (const char *)bytes, size);
	body(zstd_decode, (const char *)bytes, size);
	return 0;
}
