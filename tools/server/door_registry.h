/* door_registry.h - what the files of the registry API share.
 *
 * JSON has the names that `pakhus --json` has. A list goes on at its
 * next_cursor, which nobody but the server understands.
 */
#ifndef DOOR_REGISTRY_H
#define DOOR_REGISTRY_H

#include "exchange.h"

#define REGISTRY "/api/v1/registry"
#define REGISTRY_PACKAGE REGISTRY "/packages/{id}"
#define REGISTRY_VERSION REGISTRY_PACKAGE "/versions/{version}"

/* The members of a record, into an object that is open. */
void registry_record(struct text *t, const struct pakhus_record *r);

/* The tag of a version's record: it changes with every publish. */
enum { REGISTRY_TAG = PAKHUS_HASH_HEX + 24 };
void registry_tag(const struct pakhus_record *r, char tag[REGISTRY_TAG]);
/* Whether a field has the record's tag or its document's, or "*". */
int registry_has_tag(const struct request *rq, const char *field,
		     int is_strong, const struct pakhus_record *r);

/* "/packages/ID/versions/VERSION", encoded, behind REGISTRY. */
void registry_path(struct text *t, const struct pakhus_record *r);

/* A page of a list: kind is a letter that its cursors begin with. 0, or -1
 * where it was answered. */
struct page {
	char kind;
	struct pakhus_range range;
};
int registry_page(struct exchange *x, char kind, struct page *page);
/* Whether a query parameter is "true"; -1 where it was answered. */
int registry_flag(struct exchange *x, const char *name);
/* Ends the page's object with next_cursor, and says it in a Link too. */
void registry_next(struct exchange *x, const struct page *page, uint64_t next,
		   struct text *t);

/* door_registry_read.c */
void registry_packages(struct exchange *x);
void registry_package(struct exchange *x);
void registry_versions(struct exchange *x);
void registry_version(struct exchange *x);
void registry_manifest(struct exchange *x);
void registry_metadata(struct exchange *x);
void registry_document(struct exchange *x);

/* door_registry_log.c */
void registry_history(struct exchange *x);
void registry_package_history(struct exchange *x);
void registry_text(struct exchange *x);
void registry_entry(struct exchange *x);
void registry_checkpoint(struct exchange *x);
void registry_proof(struct exchange *x);
void registry_keys(struct exchange *x);

/* door_registry_write.c */
void registry_publish(struct exchange *x);
void registry_delete(struct exchange *x);
void registry_delete_version(struct exchange *x);

/* door_registry_batch.c */
void registry_batch(struct exchange *x);

/* door_registry_attrs.c */
void registry_attrs(struct exchange *x);
void registry_set_attrs(struct exchange *x);

#endif
