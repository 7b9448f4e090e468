#include "content.h"

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

static int refused(struct exchange *x, const char *name, int why, size_t max)
{
	if (why == DECODE_BIG)
		reply_error(x, 413, "LIMIT_EXCEEDED",
			    "The body decodes to more than the %zu bytes that "
			    "are taken here.", max);
	else if (why == DECODE_NOMEM)
		reply_error(x, 503, "OUT_OF_MEMORY", "out of memory");
	else
		reply_error(x, 400, "VALIDATION_ERROR",
			    "The body is damaged: it does not decode as %s.",
			    name);
	return 0;
}

int content_decode(struct exchange *x, size_t max, struct request *plain,
		   char **body)
{
	const struct request *rq = x->request;
	const char *name = request_field(rq, "Content-Encoding");
	size_t size = 0, i, lines = 0;
	int rc;

	*body = NULL;
	for (i = 0; i < rq->field_count; i++)
		lines += !strcasecmp(rq->fields[i].name, "Content-Encoding");
	if (!rq->size || !name || (lines == 1 && !strcasecmp(name, "identity")))
		return 1;
	if (lines == 1 && !strcasecmp(name, "zstd"))
		rc = zstd_decode(rq->body, rq->size, max, body, &size);
	else if (lines == 1 &&
		 (!strcasecmp(name, "gzip") || !strcasecmp(name, "x-gzip")))
		rc = gzip_decode(rq->body, rq->size, max, body, &size);
	else
		return unsupported(x, name);
	if (rc)
		return refused(x, name, rc, max);
	*plain = *rq;
	plain->body = *body;
	plain->size = size;
	x->request = plain;
	return 1;
}
