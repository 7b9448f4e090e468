/* head.h - the head of a request (RFC 9112), bytes in and a struct out.
 *
 * It decides where a request ends, and nothing else does: what two readers
 * could take for two different things is refused and not guessed. So there is
 * no folding, no space around names, no bare CR or LF, no control byte, one
 * Host, at most one Content-Length and never a Transfer-Encoding.
 *
 * Usage: head_find() on what arrived until it tells the head's size, then
 * head_parse() on a copy of that. Either may refuse; the connection is of no
 * use then, as nobody knows where the next request begins.
 */
#ifndef HEAD_H
#define HEAD_H

#include "http.h"

enum {
	HEAD_MAX = 32768, /* bytes, with the empty line */
	HEAD_TARGET_MAX = 8192,
	HEAD_METHOD_MAX = 32,
	HEAD_FIELDS = 100
};

/* Why a request is refused. */
struct head_fault {
	int status;
	const char *text; /* a sentence */
};

struct head {
	enum http_method method;
	const char *method_name;
	const char *target; /* in origin form */
	struct field fields[HEAD_FIELDS];
	size_t field_count;
	uint64_t size; /* of the body */
	int minor;     /* HTTP/1.minor */
	int is_keep_alive;
	int is_expecting; /* the body comes behind a 100 (Continue) */
};

/* The size of the head at the beginning of bytes, 0 where its end is not
 * there yet, or -1 where it is refused. *at is how far it looked before, 0 at
 * first. */
long head_find(const char *bytes, size_t size, size_t *at,
	       struct head_fault *fault);

/* Reads a whole head of size bytes, which is changed and then pointed into.
 * 0, or -1 where it is refused. */
int head_parse(char *bytes, size_t size, struct head *out,
	       struct head_fault *fault);

#endif
