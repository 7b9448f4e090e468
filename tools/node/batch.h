/* batch.h - a batch, as JavaScript holds it; dropped when its store closes. */
#ifndef BATCH_H
#define BATCH_H

#include "handle.h"

/* Drops all batches of a store; none is in use. */
void batch_drop_all(struct handle *h);

extern const struct verb *const batch_verbs[];

#endif
