/* content.h - the coding of a request's body, taken off (RFC 9110, section
 * 8.4).
 */
#ifndef CONTENT_H
#define CONTENT_H

#include "exchange.h"

/* Where the body has a coding, *plain becomes the request without it, and the
 * exchange goes on with that; what comes out has at most max bytes. 1: go on,
 * 0: it was answered with 400, 413 or 415. Free *body in any case. */
int content_decode(struct exchange *x, size_t max, struct request *plain,
		   char **body);

#endif
