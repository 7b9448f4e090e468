/* listen.h - sockets, and the requests that come through them.
 *
 * One thread has the sockets; requests are answered by a pool of others with
 * server_handle(), one at a time of each connection, so that replies go out in
 * the order of their requests. Whatever a client does or leaves undone costs
 * it its own connection.
 */
#ifndef LISTEN_H
#define LISTEN_H

#include "accesslog.h"
#include "pool.h"
#include "server.h"

struct listener;

/* Milliseconds; 0 is the default. */
struct listen_times {
	unsigned head;	/* from the first byte of a head to its end: 10 s */
	unsigned body;	/* in which a body grows by a KiB a second: 10 s */
	unsigned idle;	/* between two requests: 60 s */
	unsigned write; /* in which some of a reply is taken: 30 s */
	unsigned stop;	/* for what runs when it is told to stop: 30 s */
};

/* What it points to is the caller's, and there until listener_free(). */
struct listen_options {
	struct server *server;
	struct accesslog *log;
	const char *address;	 /* see address.h */
	const char *cert, *key;	 /* PEM files; NULL: no TLS */
	const char *trust;	 /* networks that may send X-Forwarded-For */
	unsigned threads;	 /* 0: two a processor, 4 to 64 */
	unsigned connections;	 /* at once; 0: 10,000 */
	size_t bodies;		 /* bytes of them in memory; 0: 256 MiB */
	size_t replies;		 /* the same of what is not taken yet */
	struct listen_times times;
	void (*tick)(void *arg); /* on the loop, a few times a second */
	void (*reload)(void *arg); /* SIGHUP */
	void (*stop)(void *arg);   /* nothing is accepted any more */
	void *arg;
};

int listener_new(struct listener **out, const struct listen_options *opt,
		 struct pakhus_error *err);
/* "http://127.0.0.1:4600" */
const char *listener_url(const struct listener *l);
/* How many connections there may be: fewer than asked for where the process
 * may not have the files open that they take. */
unsigned listener_connections(const struct listener *l);
/* A job of the caller's on the pool; done() is called by the loop. */
int listener_submit(struct listener *l, struct job *job);
/* Reads the certificate again; where that fails the old one stays. */
int listener_reload(struct listener *l, struct pakhus_error *err);
/* Until SIGTERM or SIGINT, and a second one ends the program. 0, or -1: jobs
 * still run that did not end in time, and nothing may be freed. */
int listener_run(struct listener *l);
void listener_free(struct listener *l);

#endif
