#include "http.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

const char *request_field(const struct request *rq, const char *name)
{
	size_t i;

	for (i = 0; i < rq->field_count; i++)
		if (!strcasecmp(rq->fields[i].name, name))
			return rq->fields[i].value;
	return NULL;
}

size_t request_lines(const struct request *rq, const char *name)
{
	size_t n = 0, i;

	for (i = 0; i < rq->field_count; i++)
		n += !strcasecmp(rq->fields[i].name, name);
	return n;
}

void reply_field(struct reply *rp, const char *name, const char *fmt, ...)
{
	char *value = NULL;
	va_list ap;
	size_t i;
	int n;

	va_start(ap, fmt);
	n = vasprintf(&value, fmt, ap);
	va_end(ap);
	if (n < 0)
		return;
	for (i = 0; i < rp->field_count; i++)
		if (!strcasecmp(rp->fields[i].name, name))
			break;
	if (i == REPLY_FIELDS) {
		free(value);
		return;
	}
	if (i == rp->field_count) {
		snprintf(rp->fields[i].name, sizeof(rp->fields[i].name), "%s",
			 name);
		rp->field_count++;
	} else {
		free(rp->fields[i].value);
	}
	rp->fields[i].value = value;
}

const char *reply_value(const struct reply *rp, const char *name)
{
	size_t i;

	for (i = 0; i < rp->field_count; i++)
		if (!strcasecmp(rp->fields[i].name, name))
			return rp->fields[i].value;
	return NULL;
}

void reply_free(struct reply *rp)
{
	size_t i;

	for (i = 0; i < rp->field_count; i++)
		free(rp->fields[i].value);
	free(rp->body);
	if (rp->fd >= 0)
		close(rp->fd);
	memset(rp, 0, sizeof(*rp));
	rp->fd = -1;
}

/* RFC 9110, section 15, and RFC 6585. */
const char *http_reason(int status)
{
	static const struct {
		int status;
		const char *reason;
	} reasons[] = {
		{200, "OK"}, {201, "Created"}, {204, "No Content"},
		{206, "Partial Content"}, {304, "Not Modified"},
		{400, "Bad Request"}, {401, "Unauthorized"},
		{403, "Forbidden"}, {404, "Not Found"},
		{405, "Method Not Allowed"}, {406, "Not Acceptable"},
		{408, "Request Timeout"}, {409, "Conflict"}, {410, "Gone"},
		{411, "Length Required"}, {412, "Precondition Failed"},
		{413, "Content Too Large"}, {414, "URI Too Long"},
		{415, "Unsupported Media Type"},
		{416, "Range Not Satisfiable"}, {417, "Expectation Failed"},
		{422, "Unprocessable Content"}, {428, "Precondition Required"},
		{429, "Too Many Requests"},
		{431, "Request Header Fields Too Large"},
		{500, "Internal Server Error"}, {501, "Not Implemented"},
		{503, "Service Unavailable"},
		{505, "HTTP Version Not Supported"},
		{507, "Insufficient Storage"},
	};
	size_t i;

	for (i = 0; i < sizeof(reasons) / sizeof(*reasons); i++)
		if (reasons[i].status == status)
			return reasons[i].reason;
	return "Unknown";
}
