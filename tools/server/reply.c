/* reply.c - how doors answer. */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "condition.h"
#include "exchange.h"

static void text_reply(struct exchange *x, int status, struct text *t)
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

void reply_json(struct exchange *x, int status, struct text *t)
{
	text_reply(x, status, t);
}

void reply_data(struct exchange *x, int status, struct text *t)
{
	struct text whole = {0};

	text_puts(&whole, "{\"success\":true,\"data\":");
	text_add(&whole, t->data, t->size);
	text_puts(&whole, "}");
	whole.is_failed |= t->is_failed;
	text_free(t);
	text_reply(x, status, &whole);
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
	json_open(&t, '{');
	json_key(&t, "success");
	json_bool(&t, 0);
	json_key(&t, "error");
	json_open(&t, '{');
	json_pair(&t, "code", code);
	json_pair(&t, "message", message);
	json_close(&t, '}');
	json_close(&t, '}');
	text_reply(x, status, &t);
}

void reply_failed(struct exchange *x, const struct pakhus_error *err)
{
	static const struct {
		int status, http;
		const char *code;
	} rows[] = {
		{PAKHUS_ENOTFOUND, 404, "RESOURCE_NOT_FOUND"},
		{PAKHUS_EINVAL, 400, "VALIDATION_ERROR"},
		{PAKHUS_ECONFLICT, 409, "RESOURCE_CONFLICT"},
		{PAKHUS_ECORRUPT, 500, "STORE_DAMAGED"},
		{PAKHUS_EVERSION, 500, "STORE_TOO_NEW"},
		{PAKHUS_ELIMIT, 413, "LIMIT_EXCEEDED"},
		{PAKHUS_EBUSY, 503, "STORE_BUSY"},
		{PAKHUS_EDENIED, 403, "STORE_READ_ONLY"},
		{PAKHUS_ENOMEM, 503, "OUT_OF_MEMORY"},
		{PAKHUS_EUNKNOWN, 500, "OUTCOME_UNKNOWN"},
	};
	size_t i;

	if (err->status == PAKHUS_ESYS && err->sys == ENOSPC) {
		reply_error(x, 507, "DISK_FULL", "%s", err->text);
		return;
	}
	for (i = 0; i < sizeof(rows) / sizeof(*rows); i++)
		if (rows[i].status == err->status)
			break;
	if (i == sizeof(rows) / sizeof(*rows)) {
		reply_error(x, 500, "INTERNAL_ERROR", "%s", err->text);
		return;
	}
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
