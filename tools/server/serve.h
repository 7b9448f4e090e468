/* serve.h - a server on a socket, from its start to the signal that ends it.
 */
#ifndef SERVE_H
#define SERVE_H

#include "access.h"
#include "listen.h"
#include "server.h"

struct serve_options {
	struct server_options server; /* notice and arg are told by it too */
	const char *listen; /* NULL: what systemd passed, or 127.0.0.1:4600 */
	const char *cert, *key;
	const char *access_log; /* FILE, "-" (stderr) or "off"; NULL is "-" */
	const char *trust_proxy;
	unsigned threads, connections; /* as struct listen_options has them */
	size_t bodies, replies;
	struct listen_times times;
	/* Told the address once it answers. */
	void (*started)(void *arg, const char *url);
};

/* Whether the addresses in it make sense; if not, *err says what to give. */
int serve_may(const struct serve_options *opt, struct pakhus_error *err);
/* Serves until SIGTERM or SIGINT. SIGHUP reads tokens and certificate again
 * and opens the access log anew. */
int serve_run(const struct serve_options *opt, struct pakhus_error *err);

#endif
