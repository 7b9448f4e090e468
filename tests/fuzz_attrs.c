/* fuzz_attrs.c - what is said about a package, as it is handed in, and the
 * text that holds it. */
#include "attrs.h"
#include "fuzz.h"
#include "match.h"

#define ID "a\"b\\"

static int is_match(const char *text, size_t n, const char *version,
		    uint64_t size)
{
	const struct pk_claim claim = { ID, version, 0, 0, size };
	const char *rule = NULL, *fault;

	return !pk_match(text, n, &claim, &rule, &fault) && !rule;
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	const char *in = (const char *)bytes;
	struct pk_canon_error ce = { 0, 0, NULL };
	char *text, *again;
	size_t n, own, n2, own2;
	int rc = pk_attrs_canon(in, size, ID, "1", &text, &n, &own, &ce);
	size_t around = pk_attrs_text_size(ID, "", 0);
	const char *at;

	if (rc && (!ce.what || rc == PK_CANON_NOMEM))
		abort();
	/* a text as it is found in a store: of any size that it may have */
	if (size > around && is_match(in, size, "", size - around) && rc)
		abort();
	if (rc)
		return 0;
	at = pk_attrs_find(text, n, ID, "1", own);
	if (!at || n != pk_attrs_text_size(ID, "1", own) ||
	    !is_match(text, n, "1", own) || is_match(text, n, "2", own) ||
	    is_match(text, n - 1, "1", own - 1) ||
	    pk_attrs_canon(at, own, ID, "1", &again, &n2, &own2, &ce))
		abort();
	if (n2 != n || own2 != own || memcmp(text, again, n))
		abort();
	free(again);
	free(text);
	return 0;
}
