/* credential.h - the secret in an Authorization field (RFC 6750, RFC 7617).
 */
#ifndef CREDENTIAL_H
#define CREDENTIAL_H

#include "bearer.h"

/* "Bearer SECRET", or "Basic" with the secret as password, by any user's name;
 * 1 where what is there looks like a secret of ours. secret is written then,
 * and has to be wiped. */
int credential_read(const char *field, char secret[BEARER_SIZE + 1]);
/* Whether nothing stands behind the scheme, or the scheme is missing. */
int credential_is_empty(const char *field);

#endif
