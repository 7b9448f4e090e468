/* represent.h - what of a door's answer is sent, and in which form: not again
 * what the client has, a range, a content coding. Behind every door.
 */
#ifndef REPRESENT_H
#define REPRESENT_H

#include "exchange.h"

void represent(struct exchange *x);

#endif
