#include "content.h"

#include <stdlib.h>
#include <strings.h>

#include "coding.h"

static int unsupported(struct exchange *x, const char *name)
{
	reply_field(x->reply, "Accept-Encoding", "zstd, gzip");
	reply_error(x, 415, "UNSUPPORTED_MEDIA_TYPE",
		    "The body's content coding is \"%s\"; zstd and gzip are "
		    "taken, one of them at a time.", name);
	return 0;
}

/* What curl -F sends: the document is in there, between lines of its own. */
static int is_form(const struct request *rq)
{
	const char *type = request_field(rq, "Content-Type");

	return type && !strncasecmp(type, "multipart/", 10);
}

static int refused(struct exchange *x, const char *name, int why, size_t max)
{
	if (why == DECODE_BIG)
		reply_error(x, 413, "LIMIT_EXCEEDED",
			    "The body decodes to more than the %zu bytes that "
			    "are taken here.", max);
	else if (why == DECODE_NOMEM)
		reply_no_memory(x);
	else
		reply_error(x, 400, "VALIDATION_ERROR",
			    "The body is damaged: it does not decode as %s.",
			    name);
	return 0;
}

/* Doors need not know that there was a coding. */
static int strip(const struct request *rq, struct content *c)
{
	size_t i, n = 0;

	c->fields = malloc(rq->field_count * sizeof(*c->fields));
	if (!c->fields)
		return DECODE_NOMEM;
	for (i = 0; i < rq->field_count; i++)
		if (strcasecmp(rq->fields[i].name, "Content-Encoding") != 0)
			c->fields[n++] = rq->fields[i];
	c->plain = *rq;
	c->plain.fields = c->fields;
	c->plain.field_count = n;
	return 0;
}

int content_decode(struct exchange *x, size_t max, struct content *c)
{
	const struct request *rq = x->request;
	const char *name = request_field(rq, "Content-Encoding");
	size_t lines = request_lines(rq, "Content-Encoding"), size = 0;
	int rc;

	*c = (struct content){.body = NULL};
	if (is_form(rq)) {
		reply_error(x, 415, "UNSUPPORTED_MEDIA_TYPE",
			    "A form is not taken: the body is the document "
			    "itself, as of curl --data-binary @FILE.");
		return 0;
	}
	if (!rq->size || !name || (lines == 1 && !strcasecmp(name, "identity")))
		return 1;
	if (lines == 1 && !strcasecmp(name, "zstd"))
		rc = zstd_decode(rq->body, rq->size, max, &c->body, &size);
	else if (lines == 1 &&
		 (!strcasecmp(name, "gzip") || !strcasecmp(name, "x-gzip")))
		rc = gzip_decode(rq->body, rq->size, max, &c->body, &size);
	else
		return unsupported(x, name);
	if (!rc)
		rc = strip(rq, c);
	if (rc)
		return refused(x, name, rc, max);
	c->plain.body = c->body;
	c->plain.size = size;
	x->request = &c->plain;
	return 1;
}

void content_release(struct content *c)
{
	free(c->fields);
	free(c->body);
}
