/* canon_state.c - see canon_state.h. */
#include "canon_state.h"

int pk_canon_start(struct pk_canon *c, const char *json, size_t size,
		   int document)
{
	memset(c, 0, offsetof(struct pk_canon, frame));
	c->document = document;
	c->deepest = PK_DEPTH_MAX;
	if (size > PK_SOURCE_MAX) /* F-8 */
		return pk_canon_limit(c, NULL,
				      "the text is larger than 512 MiB");
	c->json = size ? json : "";
	c->end = c->json + size;
	c->cap = size + PK_SLACK;
	c->out = malloc(c->cap);
	return c->out ? 0 : pk_canon_nomem(c);
}

int pk_canon_fail(struct pk_canon *c, const char *at, const char *what)
{
	c->bad = at;
	c->what = at && at == c->end ? "unexpected end of the text" : what;
	return PK_CANON_INVALID;
}

int pk_canon_limit(struct pk_canon *c, const char *at, const char *what)
{
	c->bad = at;
	c->what = what;
	return PK_CANON_LIMIT;
}

int pk_canon_nomem(struct pk_canon *c)
{
	c->bad = NULL;
	c->what = "out of memory";
	return PK_CANON_NOMEM;
}

/* The text was laid from the end of buf; it belongs at its beginning. */
void pk_canon_replace(struct pk_canon *c, char *buf, size_t cap, const char *at)
{
	size_t n = (size_t)(buf + cap - at);

	memmove(buf, at, n);
	free(c->out);
	c->out = buf;
	c->len = n;
	c->cap = cap;
}

/* The text without the room it was written in. */
static void trim(struct pk_canon *c)
{
	char *out;

	c->out[c->len] = '\0';
	if (c->cap - c->len > PK_SLACK + c->len / 8) {
		out = realloc(c->out, c->len + 1);
		c->out = out ? out : c->out;
	}
}

/* Reading for the place only now keeps the way there free of counting. */
static void tell(const struct pk_canon *c, struct pk_canon_error *err)
{
	err->what = c->what;
	err->line = err->column = 0;
	if (!c->bad)
		return;
	err->line = err->column = 1;
	for (const char *p = c->json; p < c->bad; p++) {
		if (*p == '\n') {
			err->line++;
			err->column = 1;
		} else if ((*p & 0xc0) != 0x80) {
			err->column++;
		}
	}
}

int pk_canon_finish(struct pk_canon *c, int rc, size_t most,
		    struct pk_canon_error *err)
{
	if (most == 0 || most > PK_DOCUMENT_MAX)
		most = PK_DOCUMENT_MAX;
	if (!rc && c->len > most) /* F-8 */
		rc = pk_canon_limit(c, NULL, "the canonical text is too large");
	free(c->member);
	free(c->plan);
	free(c->piece);
	if (!rc) {
		trim(c);
		return 0;
	}
	free(c->out);
	if (err)
		tell(c, err);
	return rc;
}
