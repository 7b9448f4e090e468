/* http.h - a request and its reply, apart from any socket.
 *
 * What listens fills in a struct request, calls server_handle() on any thread
 * and sends the struct reply; tests do the same without a socket.
 */
#ifndef HTTP_H
#define HTTP_H

#include <stddef.h>
#include <stdint.h>

enum http_method {
	HTTP_GET,
	HTTP_HEAD,
	HTTP_POST,
	HTTP_PUT,
	HTTP_DELETE,
	HTTP_OTHER /* any that no route has */
};

struct field {
	const char *name, *value;
};

/* Belongs to who made it; not kept. Strings are NUL-terminated. */
struct request {
	enum http_method method;
	const char *target; /* as sent: path, then '?' and query if any */
	const struct field *fields;
	size_t field_count;
	const char *body; /* "" where there is none */
	size_t size;
	int is_unread; /* body is "" and size what it would have had */
	const char *peer; /* the client's address without its port */
	int is_tls;
	const char *id; /* what the operator's log calls it; NULL: nothing */
};

/* The value of a field by its name in any case, or NULL. */
const char *request_field(const struct request *rq, const char *name);
/* How many lines of that name there are. */
size_t request_lines(const struct request *rq, const char *name);

enum { REPLY_FIELDS = 24 };

/* Made by server_handle(); free with reply_free(). The body is size bytes at
 * body, or size bytes of the open file fd from offset on. A reply to HEAD has
 * a body too: what sends it sends only its size. */
struct reply {
	int status;
	struct {
		char name[32];
		char *value;
	} fields[REPLY_FIELDS];
	size_t field_count;
	char *body;
	uint64_t size;
	int fd; /* -1: none */
	uint64_t offset;
	int is_closing; /* the connection ends behind it */
	/* For the access log and metrics: */
	const char *route; /* its pattern; "" where none matched */
	char who[64];	   /* the token's name, or "" */
};

/* A field more, formatted; one of the same name is replaced. Where memory runs
 * out, or REPLY_FIELDS are there, it is left out. */
void reply_field(struct reply *rp, const char *name, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
const char *reply_value(const struct reply *rp, const char *name);
void reply_free(struct reply *rp);
/* The words behind a status: "Not Found". */
const char *http_reason(int status);

#endif
