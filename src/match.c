#include "match.h"
#include "attrs.h"

#include <stdlib.h>
#include <string.h>

static int match_attrs(const char *text, size_t size,
		       const struct pk_claim *claim, const char **rule,
		       const char **fault)
{
	struct pk_canon_error ce = { 0, 0, "" };
	size_t n = claim->attrs_size, own_size;
	const char *at = pk_attrs_find(text, size, claim->id, claim->version,
				       n);
	char *own;
	int rc;

	*rule = "F-97";
	if (!at || *at != '{') {
		*fault = "is not of the id, version or size of its entry";
		return 0;
	}
	rc = pk_value_canon(at, n, PK_ATTRS_MAX, &own, &own_size, &ce);
	if (rc == PK_CANON_NOMEM)
		return -1;
	if (rc) {
		*fault = ce.what;
		return 0;
	}
	if (own_size == n && !memcmp(own, at, n))
		*rule = NULL;
	else
		*rule = "F-2";
	*fault = "is not canonical text";
	free(own);
	return 0;
}

int pk_match(const char *text, size_t size, const struct pk_claim *claim,
	     const char **rule, const char **fault)
{
	struct pk_canon_error ce = { 0, 0, "" };
	struct pk_document doc;
	int rc;

	if (claim->attrs_size)
		return match_attrs(text, size, claim, rule, fault);
	rc = pk_document_canon(text, size, 0, &doc, &ce);
	*rule = NULL;
	if (rc == PK_CANON_NOMEM)
		return -1;
	if (rc) {
		*rule = "F-10";
		*fault = ce.what;
		return 0;
	}
	if (doc.size != size || memcmp(doc.text, text, size)) {
		*rule = "F-2";
		*fault = "is not canonical text";
	} else if (strcmp(doc.id, claim->id) ||
		   strcmp(doc.version, claim->version) ||
		   doc.manifest.size != claim->manifest_size ||
		   doc.metadata.size != claim->metadata_size) {
		*rule = "F-25";
		*fault = "is not of the id, version or sizes of its entry";
	}
	pk_document_release(&doc);
	return 0;
}
