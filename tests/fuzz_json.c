/* fuzz_json.c - the walker of json.c over any bytes at all, which it takes
 * for canonical: it reads nothing outside of them, and its pieces lie inside.
 */
#include "fuzz.h"
#include "json.h"

static int is_inside(struct pk_span s, const char *text, size_t size)
{
	return s.at >= text && s.size <= size &&
	       (size_t)(s.at - text) <= size - s.size;
}

/* Not as deep as it goes: a real text ends at 512. */
static void walk(const char *text, size_t size, int depth)
{
	struct pk_json it;
	char inside[32];

	if (pk_json_init(&it, text, size))
		return;
	while (pk_json_next(&it) == 1) {
		if ((it.key.at && !is_inside(it.key, text, size)) ||
		    !is_inside(it.value, text, size))
			abort();
		if (it.key.at && pk_json_unescape(it.key, inside,
						  sizeof(inside)) >= 32)
			abort();
		if (depth < 512)
			walk(it.value.at, it.value.size, depth + 1);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	char *text = malloc(size ? size : 1);

	if (size)
		memcpy(text, bytes, size);
	walk(text, size, 0);
	free(text);
	return 0;
}
