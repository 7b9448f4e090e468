/* cloud.h - what the parts of the cloud's door share.
 */
#ifndef CLOUD_H
#define CLOUD_H

#include "exchange.h"
#include "market_body.h"

/* What a package is known by: attrs (NULL: none), and whether a version of it
 * is live. 0, or -1 when it was answered: with 404 where it is not known at
 * all and must be. */
int cloud_known(struct exchange *x, const char *id, int must_be,
		struct pakhus_attrs **attrs, int *has_versions);

/* A change of attrs: a value that stands in the place of what was there, or,
 * with text NULL, takes it away. */
struct edit {
	const char *key;
	struct slice value;
};
/* The attrs with the edits in them; old may be NULL. 1: they differ. */
int cloud_edit(struct text *t, const struct pakhus_attrs *old,
	       const struct edit *edits, size_t count);
/* Says attrs, if they differ. 0, or -1 when it was answered. */
int cloud_say(struct exchange *x, const char *id, const char *version,
	      const struct pakhus_attrs *old, const struct edit *edits,
	      size_t count);

/* 422 with violations, what is wrong one by one; those are freed. */
struct violations {
	struct text list; /* JSON strings with commas between them */
	size_t count;
};
void violation(struct violations *v, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));
void reply_violations(struct exchange *x, const char *code,
		      const char *message, struct violations *v);

/* The body's members; NULL when it was answered. object_free(). */
struct object *cloud_body(struct exchange *x, struct object *object);

/* POST …/{id}/versions and …/{id}/versions/{version}/submit */
void cloud_post_version(struct exchange *x);
void cloud_post_submit(struct exchange *x);

#endif
