/* wide.h - a long text in the form that JavaScript keeps it in: a byte a
 * character where all are below U+0100, else UTF-16.
 *
 * It is made on the pool, where a call runs, as Node's own decoding of UTF-8
 * takes the loop longer than all the rest of a get.
 */
#ifndef WIDE_H
#define WIDE_H

#include "call.h"

struct wide {
	const void *at; /* what was handed in, or the call's */
	size_t n;	/* characters, or halves of them */
	int is_utf16;
};

/* text is valid UTF-8, as the library gives it. Not 0 without memory. */
int wide_make(struct call *c, const char *text, size_t size,
	      struct wide *out);
napi_value wide_value(napi_env env, const struct wide *w);

#endif
