/* document.c - the shape of a package document: {"manifest":M,"metadata":D}
 * out of either form it is handed in (F-1), and the two names it must have
 * (F-9).
 *
 * The pass over the text tells where the values are that decide; what is
 * wrong with them is said once the text is known to be JSON, so that the
 * first error is of syntax if there is one. In the root object order and form
 * change together, hence it has pieces but no plan.
 */
#include <stdlib.h>
#include <string.h>

#include "document.h"
#include "json.h"
#include "order.h"
#include "utf8.h"

#define HEAD 11 /* bytes of "manifest": and of "metadata": */

void pk_document_note(struct pk_canon *c, const char *key, const char *value,
		      const char *o)
{
	const struct pk_member *m = &c->member[c->members - 1];
	const char *k = c->out + m->at;
	struct pk_noted here = {value, (uint32_t)(o - c->out)};
	struct pk_noted none = {NULL, 0};

	if (c->depth == 1) {
		c->in_manifest = 0;
		c->deepest = PK_DEPTH_MAX + 1; /* F-7 */
		if (m->size == 10 && !memcmp(k, "\"manifest\"", 10)) {
			c->in_manifest = 1;
			c->manifest = here;
			c->id = c->version = none;
		} else if (m->size == 10 && !memcmp(k, "\"metadata\"", 10)) {
			c->metadata = here;
		} else {
			/* of a build artifact: one level is not there */
			c->deepest = PK_DEPTH_MAX;
			if (!c->stray)
				c->stray = key;
		}
	} else if (c->in_manifest) {
		if (m->size == 4 && !memcmp(k, "\"id\"", 4))
			c->id = here;
		else if (m->size == 9 && !memcmp(k, "\"version\"", 9))
			c->version = here;
	}
}

static char *lay_piece(const struct pk_canon *c, const struct pk_piece *piece,
		       uint32_t skip, char *to)
{
	return pk_order_lay(c, piece->at + skip, piece->end, to);
}

/* {"manifest":M,"metadata":D} of whatever order and form it was; m and d get
 * the bytes of M and D. F-1 */
static int lay_document(struct pk_canon *c, size_t *m, size_t *d)
{
	const struct pk_piece *piece = c->piece + c->root.piece, *man = NULL;
	size_t cap = c->len + PK_SLACK, n = c->root.pieces, i;
	char *buf, *to, *end;
	int more = 0;

	buf = malloc(cap);
	if (!buf)
		return pk_canon_nomem(c);
	to = buf + cap;
	*--to = '}';
	end = to;
	if (!c->metadata.at)
		*--to = '}';
	for (i = n; i-- > 0;) {
		if (piece[i].at + HEAD == c->manifest.at) {
			man = &piece[i];
		} else if (c->metadata.at) {
			to = lay_piece(c, &piece[i], HEAD, to);
		} else {
			if (more)
				*--to = ',';
			more = 1;
			to = lay_piece(c, &piece[i], 0, to);
		}
	}
	if (!c->metadata.at)
		*--to = '{';
	*d = (size_t)(end - to);
	to = pk_put_before(to, ",\"metadata\":", HEAD + 1);
	end = to;
	if (man) /* there is one, see check_shape() */
		to = lay_piece(c, man, HEAD, to);
	*m = (size_t)(end - to);
	to = pk_put_before(to, "{\"manifest\":", HEAD + 1);
	pk_canon_replace(c, buf, cap, to);
	return 0;
}

/* The same without a copy, for what already is in order. */
static int settle_document(struct pk_canon *c, size_t *m, size_t *d)
{
	const struct pk_piece *piece = c->piece + c->root.piece;
	size_t comma = c->root.pieces > 1;
	char *gap;

	if (c->disorder || c->plans || piece->at + HEAD != c->manifest.at)
		return lay_document(c, m, d);
	*m = piece->end - c->manifest.at;
	if (!c->metadata.at) {
		/* a build artifact: its members move into a metadata */
		gap = c->out + piece->end + comma;
		memmove(gap + HEAD + 2 - comma, gap,
			(size_t)(c->out + c->len - gap));
		memcpy(c->out + piece->end, ",\"metadata\":{", HEAD + 2);
		c->len += HEAD + 2 - comma;
		c->out[c->len++] = '}';
	}
	*d = c->len - 1 - (piece->end + HEAD + 1);
	return 0;
}

static int check_shape(struct pk_canon *c)
{
	if (c->out[0] != '{')
		return pk_canon_fail(c, pk_skip_space(c->json, c->end),
				     "a package is an object with a manifest");
	if (!c->manifest.at)
		return pk_canon_fail(c, NULL, "the manifest is missing");
	if (c->out[c->manifest.at] != '{')
		return pk_canon_fail(c, c->manifest.src,
				     "the manifest must be an object");
	if (c->metadata.at && c->out[c->metadata.at] != '{')
		return pk_canon_fail(c, c->metadata.src,
				     "the metadata must be an object");
	if (c->metadata.at && c->stray)
		return pk_canon_fail(
			c, c->stray,
			"unexpected key beside manifest and metadata");
	if (!c->id.at)
		return pk_canon_fail(c, c->manifest.src,
				     "manifest.id is missing");
	if (c->out[c->id.at] != '"')
		return pk_canon_fail(c, c->id.src,
				     "manifest.id must be a string");
	if (!c->version.at)
		return pk_canon_fail(c, c->manifest.src,
				     "manifest.version is missing");
	if (c->out[c->version.at] != '"')
		return pk_canon_fail(c, c->version.src,
				     "manifest.version must be a string");
	return 0;
}

/* F-9; gives the length, 0 for none, -1 for too long, -2 for what nobody
 * could type. */
static int take_name(const struct pk_canon *c, const struct pk_noted *at,
		     char *out, size_t cap)
{
	const char *p = c->out + at->at + 1, *q = p;
	struct pk_span inside;
	int n;

	while (*q != '"')
		q += *q == '\\' ? 2 : 1;
	inside.at = p;
	inside.size = (size_t)(q - p);
	n = pk_json_unescape(inside, out, cap);
	return n > 0 && !pk_is_plain(out, (size_t)n) ? -2 : n;
}

static int check_names(struct pk_canon *c, struct pk_document *doc)
{
	int n = take_name(c, &c->id, doc->id, sizeof(doc->id));

	if (n == -2)
		return pk_canon_limit(c, c->id.src,
				      "manifest.id has a control character");
	if (n <= 0)
		return pk_canon_limit(c, c->id.src,
				      n ? "manifest.id is longer than "
					  "214 bytes"
					: "manifest.id is empty");
	n = take_name(c, &c->version, doc->version, sizeof(doc->version));
	if (n == -2)
		return pk_canon_limit(
			c, c->version.src,
			"manifest.version has a control character");
	if (n <= 0)
		return pk_canon_limit(
			c, c->version.src,
			n ? "manifest.version is longer than 128 bytes"
			  : "manifest.version is empty");
	if (!strcmp(doc->version, "latest"))
		return pk_canon_limit(c, c->version.src,
				      "no version may be called latest");
	return 0;
}

int pk_document_canon(const char *json, size_t size, size_t most,
		      struct pk_document *out, struct pk_canon_error *err)
{
	struct pk_document doc;
	size_t m = 0, d = 0;
	struct pk_canon c;
	int rc = pk_canon_start(&c, json, size, 1);

	if (!rc)
		rc = pk_canon_run(&c);
	if (!rc)
		rc = check_shape(&c);
	if (!rc)
		rc = check_names(&c, &doc);
	if (!rc)
		rc = settle_document(&c, &m, &d);
	rc = pk_canon_finish(&c, rc, most, err);
	if (rc)
		return rc;
	doc.text = c.out;
	doc.size = c.len;
	doc.manifest.at = c.out + HEAD + 1;
	doc.manifest.size = m;
	doc.metadata.at = doc.manifest.at + m + HEAD + 1;
	doc.metadata.size = d;
	*out = doc;
	return 0;
}

void pk_document_release(struct pk_document *doc)
{
	if (!doc)
		return;
	free(doc->text);
	memset(doc, 0, sizeof(*doc));
}
