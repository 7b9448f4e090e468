#include "head.h"

#include <ctype.h>
#include <string.h>
#include <strings.h>

static int refuse(struct head_fault *fault, int status, const char *text)
{
	fault->status = status;
	fault->text = text;
	return -1;
}

/* ---- Where it ends ---- */

static int too_large(const char *bytes, size_t at, struct head_fault *fault)
{
	/* method, target and version, and what is between them */
	if (at > HEAD_METHOD_MAX + HEAD_TARGET_MAX + 16 &&
	    !memchr(bytes, '\n', HEAD_METHOD_MAX + HEAD_TARGET_MAX + 16))
		return refuse(fault, 414, "The request line is too long.");
	if (at >= HEAD_MAX)
		return refuse(fault, 431,
			      "The head of a request has at most 32768 bytes.");
	return 0;
}

long head_find(const char *bytes, size_t size, size_t *at,
	       struct head_fault *fault)
{
	size_t end = size < HEAD_MAX ? size : HEAD_MAX;
	size_t i;

	for (i = *at; i < end; i++) {
		unsigned char c = (unsigned char)bytes[i];

		if (c >= 0x20 && c != 0x7f)
			continue;
		if (c == '\r') {
			if (i + 1 == end)
				break; /* what follows is not there yet */
			if (bytes[i + 1] != '\n')
				return refuse(fault, 400,
					      "A CR has no LF behind it.");
		} else if (c == '\n') {
			if (!i || bytes[i - 1] != '\r')
				return refuse(fault, 400,
					      "A LF has no CR before it.");
			if (i == 1)
				return refuse(fault, 400,
					      "A request begins with an empty "
					      "line.");
			if (i > 2 && bytes[i - 2] == '\n')
				return too_large(bytes, i, fault) ? -1
								  : (long)i + 1;
		} else if (c != '\t') {
			return refuse(fault, 400,
				      "There is a control character in the "
				      "head.");
		}
	}
	*at = i;
	return too_large(bytes, size < HEAD_MAX ? i : size, fault);
}

/* ---- The request line ---- */

static int method_of(const char *name)
{
	static const char *const names[] = {
		[HTTP_GET] = "GET", [HTTP_HEAD] = "HEAD",
		[HTTP_POST] = "POST", [HTTP_PUT] = "PUT",
		[HTTP_DELETE] = "DELETE",
	};
	int i;

	for (i = 0; i < HTTP_OTHER; i++)
		if (!strcmp(names[i], name))
			break;
	return i;
}

/* RFC 9110, section 5.6.2. */
static int is_token(const char *s)
{
	if (!*s)
		return 0;
	for (; *s; s++)
		if (!isalnum((unsigned char)*s) &&
		    !strchr("!#$%&'*+-.^_`|~", *s))
			return 0;
	return 1;
}

static int is_hex2(const char *s)
{
	return isxdigit((unsigned char)s[0]) && isxdigit((unsigned char)s[1]);
}

/* uri-host [ ":" port ] of RFC 9110, section 7.2; not empty. */
static int is_host(const char *s, size_t size)
{
	const char *end = s + size, *at = s;

	if (at < end && *at == '[') {
		for (at++; at < end && *at != ']'; at++)
			if (!isxdigit((unsigned char)*at) &&
			    !strchr(":.", *at))
				return 0;
		if (at == end || at - s < 3)
			return 0;
		at++;
	} else {
		for (; at < end && *at != ':'; at++) {
			if (*at == '%' && end - at > 2 && is_hex2(at + 1))
				at += 2;
			else if (!isalnum((unsigned char)*at) &&
				 !strchr("-._~!$&'()*+,;=", *at))
				return 0;
		}
		if (at == s)
			return 0;
	}
	if (at == end)
		return 1;
	if (*at++ != ':' || end - at > 5)
		return 0;
	for (; at < end; at++)
		if (!isdigit((unsigned char)*at))
			return 0;
	return 1;
}

/* Absolute form becomes origin form (RFC 9112, section 3.2.2): the bytes
 * before the path are no longer needed, so "/" has room. */
static char *origin_form(char *target)
{
	size_t scheme = !strncasecmp(target, "http://", 7)    ? 7
			: !strncasecmp(target, "https://", 8) ? 8
							      : 0;
	size_t host;

	if (*target == '/')
		return target;
	if (!scheme)
		return NULL;
	host = strcspn(target + scheme, "/?");
	if (!is_host(target + scheme, host))
		return NULL;
	target += scheme + host;
	if (*target != '/')
		*--target = '/';
	return target;
}

static int read_line(char *line, struct head *h, struct head_fault *fault)
{
	char *target = strchr(line, ' '), *version, *s;

	if (!target)
		return refuse(fault, 400, "The request line has no target.");
	*target++ = '\0';
	version = strchr(target, ' ');
	if (!version)
		return refuse(fault, 400, "The request line has no version.");
	*version++ = '\0';
	if (!is_token(line) || strlen(line) > HEAD_METHOD_MAX)
		return refuse(fault, 400, "The method is none.");
	if (strncmp(version, "HTTP/", 5) || !isdigit((unsigned char)version[5]) ||
	    version[6] != '.' || !isdigit((unsigned char)version[7]) ||
	    version[8])
		return refuse(fault, 400, "The version is none.");
	if (version[5] != '1' || version[7] > '1')
		return refuse(fault, 505, "HTTP/1.0 and HTTP/1.1 are spoken "
					  "here.");
	if (strlen(target) > HEAD_TARGET_MAX)
		return refuse(fault, 414,
			      "A target has at most 8192 bytes.");
	for (s = target; *s; s++)
		if (*s <= ' ' || *s == 0x7f || *s == '#' || *s & 0x80)
			return refuse(fault, 400,
				      "The target has a byte that has to be "
				      "percent-encoded.");
	h->method = (enum http_method)method_of(line);
	h->method_name = line;
	h->minor = version[7] - '0';
	h->target = target; /* as sent, for who tells of what is refused */
	target = origin_form(target);
	if (!target)
		return refuse(fault, 400, "The target is no path.");
	h->target = target;
	return 0;
}

/* ---- The fields ---- */

static int read_field(char *line, struct head *h, struct head_fault *fault)
{
	char *value = strchr(line, ':'), *end;

	if (*line == ' ' || *line == '\t')
		return refuse(fault, 400, "A field is folded.");
	if (!value)
		return refuse(fault, 400, "A field has no colon.");
	*value++ = '\0';
	if (!is_token(line))
		return refuse(fault, 400, "The name of a field is none.");
	value += strspn(value, " \t");
	end = value + strlen(value);
	while (end > value && (end[-1] == ' ' || end[-1] == '\t'))
		*--end = '\0';
	if (h->field_count == HEAD_FIELDS)
		return refuse(fault, 431, "A request has at most 100 fields.");
	h->fields[h->field_count].name = line;
	h->fields[h->field_count++].value = value;
	return 0;
}

/* Digits and nothing else, or -1. */
static int read_size(const char *s, uint64_t *out)
{
	uint64_t n = 0;

	if (!*s || strlen(s) > 18)
		return -1;
	for (; *s; s++) {
		if (!isdigit((unsigned char)*s))
			return -1;
		n = n * 10 + (uint64_t)(*s - '0');
	}
	*out = n;
	return 0;
}

static void read_connection(const char *s, struct head *h)
{
	size_t n;

	while (*s) {
		s += strspn(s, " \t,");
		n = strcspn(s, " \t,");
		if (n == 5 && !strncasecmp(s, "close", n))
			h->is_keep_alive = -1; /* whatever else is said */
		else if (n == 10 && !strncasecmp(s, "keep-alive", n) &&
			 !h->is_keep_alive)
			h->is_keep_alive = 1;
		s += n;
	}
}

/* What the fields say about the request as a message. */
static int read_framing(struct head *h, struct head_fault *fault)
{
	int hosts = 0, sizes = 0, codings = 0, callers = 0;
	size_t i;

	h->is_keep_alive = h->minor;
	for (i = 0; i < h->field_count; i++) {
		const char *name = h->fields[i].name;
		const char *value = h->fields[i].value;

		if (!strcasecmp(name, "Host")) {
			hosts++;
			if (!is_host(value, strlen(value)))
				return refuse(fault, 400, "Host is none.");
		} else if (!strcasecmp(name, "Content-Length")) {
			sizes++;
			if (read_size(value, &h->size))
				return refuse(fault, 400,
					      "Content-Length is no number.");
		} else if (!strcasecmp(name, "Transfer-Encoding")) {
			codings++;
		} else if (!strcasecmp(name, "Authorization")) {
			callers++;
		} else if (!strcasecmp(name, "Connection")) {
			read_connection(value, h);
		} else if (!strcasecmp(name, "Expect") && h->minor) {
			if (strcasecmp(value, "100-continue"))
				return refuse(fault, 417,
					      "Nothing is expected of this "
					      "server but 100-continue.");
			h->is_expecting = 1;
		}
	}
	h->is_keep_alive = h->is_keep_alive > 0;
	if (hosts > 1 || (h->minor && !hosts))
		return refuse(fault, 400, "A request has one Host.");
	if (sizes > 1)
		return refuse(fault, 400, "A request has one Content-Length.");
	if (codings && sizes)
		return refuse(fault, 400,
			      "Transfer-Encoding and Content-Length say two "
			      "things.");
	if (codings)
		return refuse(fault, 411,
			      "A body is taken with Content-Length, and not "
			      "with Transfer-Encoding.");
	if (callers > 1)
		return refuse(fault, 400, "A request has one Authorization.");
	return 0;
}

int head_parse(char *bytes, size_t size, struct head *out,
	       struct head_fault *fault)
{
	char *line = bytes, *end;

	memset(out, 0, offsetof(struct head, fields));
	memset(&out->field_count, 0,
	       sizeof(*out) - offsetof(struct head, field_count));
	out->method_name = out->target = "";
	for (; line < bytes + size - 2; line = end + 2) {
		end = memchr(line, '\r', (size_t)(bytes + size - line));
		*end = '\0';
		if (line == bytes ? read_line(line, out, fault)
				  : read_field(line, out, fault))
			return -1;
	}
	return read_framing(out, fault);
}
