/* order.h - the members of objects in JavaScript's order (F-3): integer-like
 * keys by their value, then all others as they first came, and of equal keys
 * one, with the last value.
 *
 * Of every object, between its brackets, pk_order_key() notes each member and
 * pk_order_close() ends it. At the end of the text, pk_order_settle() brings
 * it in order; or who writes it anew, in pieces and from its end, does so by
 * pk_order_lay(). Nothing is ever moved within the text before that.
 */
#ifndef PK_ORDER_H
#define PK_ORDER_H

#include "canon_state.h"

/* Notes a member whose key, in its quotes, was written from at to o. */
int pk_order_key(struct pk_canon *c, struct pk_frame *f, const char *at,
		 const char *o);
/* Ends the object of f, its bracket being written last before o. */
int pk_order_close(struct pk_canon *c, const struct pk_frame *f, const char *o);
int pk_order_settle(struct pk_canon *c);

/* Lays the text from at to end out so that it ends at to, and gives where it
 * begins. */
char *pk_order_lay(const struct pk_canon *c, uint32_t at, uint32_t end,
		   char *to);

/* The value of an integer-like key, "0" to "4294967294"; or -1. F-3 */
int64_t pk_order_index(const char *key, size_t n);

static inline char *pk_put_before(char *to, const char *text, size_t n)
{
	return memcpy(to - n, text, n);
}

#endif
