/* accept.h - which content codings a client takes (RFC 9110, section 12.5.3).
 */
#ifndef ACCEPT_H
#define ACCEPT_H

#include "coding.h"
#include "http.h"

/* Begins as ACCEPT_INIT, and gets every line of Accept-Encoding. Weights are
 * thousandths; -1: not said. */
struct accept {
	int weight[CODINGS], any;
	int is_given;
};
#define ACCEPT_INIT {{-1, -1, -1}, -1, 0}

/* What is no element of the grammar is passed over; of a coding that is named
 * twice the first counts. */
void accept_add(struct accept *a, const char *value);
/* Those that may be sent, the best first; gives how many. Where nothing was
 * given only identity is sent, which everybody takes. */
size_t accept_order(const struct accept *a, enum coding out[CODINGS]);
/* The same of a request. */
size_t accept_of(const struct request *rq, enum coding out[CODINGS]);

#endif
