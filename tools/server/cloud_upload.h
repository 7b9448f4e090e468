/* cloud_upload.h - the body that a version is published with: a bundle, or a
 * plugin's artifact, as the document that is stored.
 *
 * A bundle is stored as it came. Its manifest's version is the one that was
 * asked for, as the cloud has it; a manifest of another id is another package
 * and refused, as who installs it would get that one.
 */
#ifndef CLOUD_UPLOAD_H
#define CLOUD_UPLOAD_H

#include "cloud.h"

struct upload {
	const char *id;
	char *version;
	struct object body;
	struct text document;
	struct text attrs;
	struct text warnings; /* JSON strings with commas between them */
	struct pakhus_attrs *package;
	struct pakhus_document *read; /* the document, as the store has it */
	int is_failed; /* for want of memory: what was found is not told */
};

/* A sentence for who publishes. */
void upload_warn(struct upload *up, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));
/* The members of an object in the body, object_free(); -1: it is none, or
 * is_failed. */
int upload_object(struct upload *up, struct object *object, struct slice s);
int upload_is_plugin(const struct upload *up);

/* up->version, and up->document for it; 0, or -1 when it was answered. What
 * they hold is the caller's to free. */
int upload_read_version(struct exchange *x, struct upload *up);
int upload_read_document(struct exchange *x, struct upload *up);

#endif
