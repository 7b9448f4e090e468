#include "match.h"
#include "canon.h"

#include <string.h>

int pk_match(const char *text, size_t size, const struct pk_claim *claim,
	     const char **rule, const char **fault)
{
	struct pk_canon_error ce = { 0, 0, "" };
	struct pk_document doc;
	int rc = pk_document_canon(text, size, 0, &doc, &ce);

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
