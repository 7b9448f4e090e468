/* args.h - the arguments of one call, taken from left to right.
 *
 * The first that is wrong is thrown as a TypeError, and all that follow are
 * empty: who takes them looks at is_bad once, at the end. Texts live as long
 * as the call they are taken for.
 */
#ifndef ARGS_H
#define ARGS_H

#include "addon.h"

#define ARGS_MAX 12

struct args {
	napi_env env;
	struct addon *addon;
	struct call *call;
	napi_value value[ARGS_MAX];
	size_t n, at;
	int is_bad;
};

/* The next one; NULL where there is none, or null or undefined. */
napi_value take(struct args *a);

/* A string without NUL; of the second kind it may be left out: NULL. */
const char *take_name(struct args *a);
const char *take_name_or_null(struct args *a);
/* A string, or a copy of a Uint8Array; NUL-terminated besides. */
const char *take_text(struct args *a, size_t *size);
const char *take_text_or_null(struct args *a, size_t *size);
/* A whole number from 0 to max; 0 where it is left out. */
uint64_t take_number(struct args *a, uint64_t max);
/* 1 where it is given. */
int take_number_if(struct args *a, uint64_t max, uint64_t *out);
int take_flag(struct args *a);

/* The text that a value is, for the call. */
const char *args_text(struct args *a, napi_value v, size_t *size);
/* Throws, unless something was already; gives NULL. */
void *args_bad(struct args *a, const char *what);

#endif
