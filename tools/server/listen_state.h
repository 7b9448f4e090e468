/* listen_state.h - what the files of listen*.c share. */
#ifndef LISTEN_STATE_H
#define LISTEN_STATE_H

#include <event2/event.h>
#include <pthread.h>
#include <stdatomic.h>
#include <sys/queue.h>

#include "address.h"
#include "condition.h"
#include "head.h"
#include "listen.h"

struct bufferevent;
struct evbuffer;
struct evconnlistener;
struct tls;

/* A connection goes round from CONN_HEAD to CONN_WRITE; CONN_LINGER is its
 * end: what still comes is read and dropped, as a client that is sent a reset
 * may lose the reply that it was sent before. */
enum conn_stage {
	CONN_SHAKE,  /* the TLS handshake */
	CONN_HEAD,
	CONN_BODY,
	CONN_RUN,    /* with the pool */
	CONN_WRITE,
	CONN_LINGER
};

/* A request, from its head until its reply is on the way. */
struct turn {
	struct job job;
	struct conn *conn;
	struct request request;
	struct reply reply;
	uint64_t begun_us;
	char *bytes; /* that head points into */
	char *body;
	size_t room; /* of body, which is counted in listener.bodies */
	int is_too_large; /* the body is not read: only said so */
	char id[65];
	char peer[PEER_MAX];
	struct head head;
};

struct conn {
	struct listener *l;
	TAILQ_ENTRY(conn) all, idle, holding;
	struct bufferevent *bev;
	int fd;
	enum conn_stage stage;
	int is_idle;   /* in listener.idle */
	int is_eof;    /* nothing more comes */
	int is_dead;   /* without bev; kept for the job that runs */
	int is_closing; /* once what is written is gone */
	uint64_t deadline; /* ms */
	size_t looked;	   /* how far head_find() came */
	size_t left;	   /* when the deadline was set: of what is written,
			      or of the body */
	size_t held;	   /* of a reply, in memory ... */
	uint64_t held_at;  /* ... and since when, ms */
	struct turn *turn;
	char peer[PEER_MAX];
};

TAILQ_HEAD(conns, conn);

struct listener {
	struct listen_options opt;
	struct listen_times times;
	struct event_base *base;
	struct evconnlistener *accept;
	struct event *wake, *tick, *nudge, *hup, *term, *interrupt;
	int wake_fd;
	struct pool *pool;
	struct tls *tls;
	struct conns all, idle, holding;
	unsigned count, most;
	size_t bodies, held; /* bytes */
	atomic_size_t made;  /* the same, of replies that threads made */
	pthread_mutex_t making;
	pthread_cond_t taken; /* some of made */
	struct job *spare; /* of turns that are over, for those to come */
	unsigned spare_count;
	uint64_t now;  /* ms, of this turn of the loop */
	int is_stopping, is_accepting, is_nudging;
	uint64_t stop_at;
	uint64_t id, ids; /* of requests: random, and counted */
	char date[DATE_SIZE]; /* as a field has it ... */
	time_t date_at;	      /* ... of this second */
	char name[ADDRESS_MAX];
	char url[ADDRESS_MAX + 16];
};

uint64_t listen_now_us(void);
uint64_t listen_now(void);

/* listen_conn.c: takes over fd. */
void conn_new(struct listener *l, int fd, const struct sockaddr *sa);
void conn_end(struct conn *c);
/* The same with a reset: the kernel does not keep trying. */
void conn_cut(struct conn *c);
/* What should have happened by now did not. */
void conn_late(struct conn *c);

/* listen_held.c: bytes of a reply on their way to the loop. */
void made_wait(struct listener *l);
void made_add(struct listener *l, size_t size);
void made_take(struct listener *l, size_t size);
/* And there: a reply of so many bytes in memory, until it is gone. Others
 * may end for it. */
void held_add(struct conn *c, size_t size);
void held_drop(struct conn *c);

/* listen_reply.c: queues a reply, or sends it; 1: all of it is with the
 * kernel, 0: not yet, -1: the connection is broken. */
int reply_send(struct conn *c, struct turn *t);

/* listen_tls.c */
struct tls *tls_new(const char *cert, const char *key,
		    struct pakhus_error *err);
int tls_reload(struct tls *tls, struct pakhus_error *err);
struct bufferevent *tls_bufferevent(struct tls *tls, struct event_base *base,
				    int fd);
/* Says that nothing more is sent. */
void tls_finish(struct bufferevent *bev);
void tls_free(struct tls *tls);

#endif
