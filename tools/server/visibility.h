/* visibility.h - who a package is for, by its attributes.
 */
#ifndef VISIBILITY_H
#define VISIBILITY_H

#include "exchange.h"

/* Whether a package is for everybody: its attribute "visibility" is
 * "marketplace", or it has none. What cannot be read is for nobody. */
int visibility_is_listed(struct exchange *x, const char *id);

#endif
