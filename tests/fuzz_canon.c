/* fuzz_canon.c - any bytes at all as a document and as a value: what is
 * accepted is canonical at once, and json.c can walk it to the bottom.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "canon.h"
#include "json.h"

#define REQUIRE(what)                                                          \
	do {                                                                   \
		if (!(what))                                                   \
			abort();                                               \
	} while (0)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* The fuzzer wants out of its way only what is wrong, hence abort(). */
static void walk(struct pk_span text)
{
	struct pk_json it;
	char *inside;
	int rc;

	if (*text.at != '{' && *text.at != '[')
		return;
	REQUIRE(!pk_json_init(&it, text.at, text.size));
	while ((rc = pk_json_next(&it)) > 0) {
		inside = malloc(it.key.size + 1);
		REQUIRE(inside);
		if (*text.at == '{')
			REQUIRE(pk_json_unescape(it.key, inside,
						 it.key.size + 1) >= 0);
		free(inside);
		walk(it.value);
	}
	REQUIRE(rc == 0);
}

static void check_value(const char *json, size_t size)
{
	struct pk_canon_error err = {0, 0, NULL};
	char *once, *twice;
	size_t n, n2;

	if (pk_value_canon(json, size, 0, &once, &n, &err)) {
		REQUIRE(err.what && !err.line == !err.column);
		return;
	}
	REQUIRE(!pk_value_canon(once, n, 0, &twice, &n2, &err));
	REQUIRE(n == n2 && !memcmp(once, twice, n + 1));
	walk((struct pk_span){once, n});
	free(once);
	free(twice);
}

static void check_document(const char *json, size_t size)
{
	struct pk_canon_error err = {0, 0, NULL};
	struct pk_document once, twice;

	if (pk_document_canon(json, size, 0, &once, &err)) {
		REQUIRE(err.what && !err.line == !err.column);
		return;
	}
	REQUIRE(!pk_document_canon(once.text, once.size, 0, &twice, &err));
	REQUIRE(once.size == twice.size);
	REQUIRE(!memcmp(once.text, twice.text, once.size + 1));
	REQUIRE(once.manifest.size == twice.manifest.size);
	REQUIRE(once.metadata.size == twice.metadata.size);
	REQUIRE(!strcmp(once.id, twice.id));
	REQUIRE(!strcmp(once.version, twice.version));
	walk((struct pk_span){once.text, once.size});
	walk(once.manifest);
	walk(once.metadata);
	pk_document_release(&once);
	pk_document_release(&twice);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *json = (const char *)data;
	struct pk_json it;

	check_document(json, size);
	check_value(json, size);
	/* and the walker, over what nobody checked */
	if (!pk_json_init(&it, json, size))
		while (pk_json_next(&it) > 0)
			;
	return 0;
}
