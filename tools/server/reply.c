/* reply.c - how doors answer. */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base64.h"
#include "condition.h"
#include "digest.h"
#include "exchange.h"
#include "state.h"

void reply_json(struct exchange *x, int status, struct text *t)
{
	struct reply *rp = x->reply;

	if (t->is_failed) {
		text_free(t);
		rp->status = 503;
		reply_field(rp, "Retry-After", "1");
		return;
	}
	rp->status = status;
	rp->body = t->data;
	rp->size = t->size;
	memset(t, 0, sizeof(*t));
	reply_field(rp, "Content-Type", "application/json");
}

void reply_data(struct exchange *x, int status, struct text *t)
{
	static const char head[] = "{\"success\":true,\"data\":";
	size_t size = t->size, n = sizeof(head) - 1;

	/* in place, as it may be a document of 64 MiB */
	text_puts(t, head);
	text_puts(t, "}");
	if (!t->is_failed) {
		memmove(t->data + n, t->data, size);
		memcpy(t->data, head, n);
	}
	reply_json(x, status, t);
}

void put_error(struct text *t, const char *code, const char *message)
{
	put_open(t, '{');
	put_key(t, "success");
	put_bool(t, 0);
	put_key(t, "error");
	put_open(t, '{');
	put_pair(t, "code", code);
	put_pair(t, "message", message);
	put_close(t, '}');
}

void reply_error(struct exchange *x, int status, const char *code,
		 const char *fmt, ...)
{
	struct text t = {0};
	char message[1024];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(message, sizeof(message), fmt, ap);
	va_end(ap);
	put_error(&t, code, message);
	put_close(&t, '}');
	reply_json(x, status, &t);
}

int reply_no_memory(struct exchange *x)
{
	reply_error(x, 503, "OUT_OF_MEMORY", "out of memory");
	return -1;
}

/* What went wrong here has file names in it, and is nothing that the client
 * could mend: it gets the number to ask with. */
static void reply_trouble(struct exchange *x, int status, const char *code,
			  const char *sentence, const struct pakhus_error *err)
{
	const char *id = x->request->id ? x->request->id : "none";

	server_notice(x->server, "request %s: %s: %s: %s", id,
		      x->route ? x->route->pattern : "", code, err->text);
	reply_error(x, status, code, "%s (request %s)", sentence, id);
}

void reply_failed(struct exchange *x, const struct pakhus_error *err)
{
	static const struct {
		int status, http;
		const char *code, *sentence; /* NULL: the library's */
	} rows[] = {
		{PAKHUS_ENOTFOUND, 404, "RESOURCE_NOT_FOUND", NULL},
		{PAKHUS_EINVAL, 400, "VALIDATION_ERROR", NULL},
		{PAKHUS_ECONFLICT, 409, "RESOURCE_CONFLICT", NULL},
		{PAKHUS_ESTALE, 412, "PRECONDITION_FAILED", NULL},
		{PAKHUS_ELIMIT, 413, "LIMIT_EXCEEDED", NULL},
		{PAKHUS_EDENIED, 403, "STORE_READ_ONLY",
		 "This registry takes no writes."},
		{PAKHUS_EBUSY, 503, "STORE_BUSY",
		 "The registry is busy. Try again."},
		{PAKHUS_ENOMEM, 503, "OUT_OF_MEMORY",
		 "The registry has no memory left. Try again."},
		{PAKHUS_ECORRUPT, 500, "STORE_DAMAGED",
		 "The registry is damaged here."},
		{PAKHUS_EVERSION, 500, "STORE_TOO_NEW",
		 "A later version of the registry is needed for this."},
		{PAKHUS_EUNKNOWN, 500, "OUTCOME_UNKNOWN",
		 "Whether this was stored is known when the registry was "
		 "started anew."},
		{PAKHUS_ESYS, 500, "INTERNAL_ERROR",
		 "The registry could not do this."},
	};
	const size_t last = sizeof(rows) / sizeof(*rows) - 1;
	size_t i = 0;

	if (err->status == PAKHUS_ESYS && err->sys == ENOSPC) {
		reply_trouble(x, 507, "DISK_FULL",
			      "The registry's disk is full.", err);
		return;
	}
	while (i < last && rows[i].status != err->status)
		i++;
	if (rows[i].http == 503)
		reply_field(x->reply, "Retry-After", "1");
	/* a file that is not there is trouble too */
	if (rows[i].sentence || err->sys)
		reply_trouble(x, rows[i].sentence ? rows[i].http : 500,
			      rows[i].sentence ? rows[i].code
					       : rows[last].code,
			      rows[i].sentence ? rows[i].sentence
					       : rows[last].sentence, err);
	else
		reply_error(x, rows[i].http, rows[i].code, "%s", err->text);
}

void reply_bytes(struct exchange *x, int status, const char *type, char *body,
		 size_t size)
{
	x->reply->status = status;
	x->reply->body = body;
	x->reply->size = size;
	reply_field(x->reply, "Content-Type", "%s", type);
}

void reply_file(struct exchange *x, const char *type, int fd, uint64_t size)
{
	x->reply->status = 200;
	x->reply->fd = fd;
	x->reply->size = size;
	reply_field(x->reply, "Content-Type", "%s", type);
}

int reply_tag(struct exchange *x, const char *tag)
{
	char quoted[TAG_SIZE], known[TAG_SIZE];

	snprintf(quoted, sizeof(quoted), "\"%s\"", tag);
	if (!condition_known(x->request, quoted, known)) {
		reply_field(x->reply, "ETag", "%s", quoted);
		return 0;
	}
	reply_field(x->reply, "ETag", "%s", known);
	x->reply->status = 304;
	return 1;
}

void reply_digest(struct reply *rp, const void *bytes, size_t size)
{
	unsigned char digest[DIGEST_SIZE];
	char base64[4 * (DIGEST_SIZE + 2) / 3 + 1];

	if (digest_sha256(bytes, size, digest))
		return;
	base64_encode(digest, DIGEST_SIZE, base64);
	reply_field(rp, "Repr-Digest", "sha-256=:%s:", base64);
}

void reply_modified(struct exchange *x, int64_t seconds)
{
	char date[DATE_SIZE];

	date_format(seconds, date);
	reply_field(x->reply, "Last-Modified", "%s", date);
}

void reply_immutable(struct exchange *x)
{
	reply_field(x->reply, "Cache-Control",
		    "%s, max-age=31536000, immutable",
		    request_field(x->request, "Authorization") ? "private"
							       : "public");
}
