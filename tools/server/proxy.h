/* proxy.h - what a proxy that is trusted says of a request.
 */
#ifndef PROXY_H
#define PROXY_H

#include "address.h"
#include "http.h"

/* peer is where the request came from, and, where trust (networks, or NULL)
 * has that, becomes the last address that such a proxy took it from; is_tls is
 * then what the proxy says. */
void proxy_believe(const char *trust, struct request *rq, char peer[PEER_MAX]);

#endif
