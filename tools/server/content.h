/* content.h - the coding of a request's body, taken off (RFC 9110, section
 * 8.4).
 */
#ifndef CONTENT_H
#define CONTENT_H

#include "exchange.h"

/* A request without the coding that it came with. */
struct content {
	struct request plain;
	struct field *fields;
	char *body;
};

/* Where the body has a coding, the exchange goes on with c->plain, which is
 * the request without it; what comes out has at most max bytes. 1: go on, 0:
 * it was answered with 400, 413 or 415. content_release() in any case. */
int content_decode(struct exchange *x, size_t max, struct content *c);
void content_release(struct content *c);

#endif
