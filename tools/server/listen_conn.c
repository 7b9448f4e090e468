/* listen_conn.c - a connection, from its first byte to its last.
 *
 * Its events end in advance(), which goes from stage to stage as far as what
 * has arrived allows. Where a connection ends inside a call that call gives
 * -1, and the connection is not looked at again.
 */
#include <assert.h>
#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "exchange.h"
#include "listen_state.h"
#include "proxy.h"

enum {
	READ_MAX = 65536,   /* bytes that wait in a connection unread */
	BODY_FIRST = 16384, /* memory for a body, which then doubles */
	SPARES = 64,
	LINGER_MS = 2000
};

/* ---- Requests ---- */

static void turn_free(struct listener *l, struct turn *t)
{
	if (!t)
		return;
	l->bodies -= t->room;
	reply_free(&t->reply);
	free(t->body);
	free(t->bytes);
	if (l->spare_count == SPARES) {
		free(t);
		return;
	}
	t->job.next = l->spare;
	l->spare = &t->job;
	l->spare_count++;
}

static void make_id(struct listener *l, char *out)
{
	uint64_t n = l->id + l->ids++;
	int i;

	for (i = 15; i >= 0; i--, n >>= 4)
		out[i] = "0123456789abcdef"[n & 15];
	out[16] = '\0';
}

static struct turn *turn_new(struct conn *c)
{
	struct turn *t = (struct turn *)c->l->spare;

	if (t) {
		c->l->spare = t->job.next;
		c->l->spare_count--;
	} else {
		t = malloc(sizeof(*t));
	}
	if (!t)
		return NULL;
	memset(t, 0, offsetof(struct turn, head));
	memset(&t->head, 0, offsetof(struct head, fields));
	t->head.field_count = 0;
	t->head.method_name = t->head.target = "";
	t->head.minor = 1;
	t->reply.fd = -1;
	t->reply.route = "";
	t->conn = c;
	t->begun_us = listen_now_us();
	memcpy(t->peer, c->peer, sizeof(t->peer));
	make_id(c->l, t->id);
	return t;
}

static void tell(struct listener *l, const struct turn *t)
{
	const struct access_line line = {
		.peer = t->peer,
		.method = t->head.method_name,
		.target = t->head.target,
		.route = t->reply.route,
		.status = t->reply.status,
		.bytes = t->head.method == HTTP_HEAD ? 0 : t->reply.size,
		.duration_us = listen_now_us() - t->begun_us,
		.who = t->reply.who,
		.user_agent = t->request.fields
			? request_field(&t->request, "User-Agent") : NULL,
		.id = t->id,
	};

	accesslog_add(l->opt.log, &line);
}

/* ---- The end ---- */

static void not_idle(struct conn *c)
{
	if (!c->is_idle)
		return;
	TAILQ_REMOVE(&c->l->idle, c, idle);
	c->is_idle = 0;
}

void conn_end(struct conn *c)
{
	struct listener *l = c->l;

	not_idle(c);
	held_drop(c);
	TAILQ_REMOVE(&l->all, c, all);
	l->count--;
	if (l->tls)
		tls_finish(c->bev);
	bufferevent_free(c->bev);
	c->bev = NULL;
	c->is_dead = 1;
	if (c->stage == CONN_RUN)
		return; /* until turn_done() */
	turn_free(l, c->turn);
	free(c);
}

void conn_cut(struct conn *c)
{
	const struct linger reset = {1, 0};

	setsockopt(c->fd, SOL_SOCKET, SO_LINGER, &reset, sizeof(reset));
	conn_end(c);
}

static int drop(struct conn *c)
{
	conn_end(c);
	return -1;
}

/* The reply is with the kernel. */
static int linger(struct conn *c)
{
	struct evbuffer *in = bufferevent_get_input(c->bev);

	if (c->is_eof)
		return drop(c);
	if (c->stage != CONN_LINGER) {
		c->stage = CONN_LINGER;
		c->deadline = c->l->now + LINGER_MS;
		if (c->l->tls)
			tls_finish(c->bev);
		shutdown(c->fd, SHUT_WR);
	}
	evbuffer_drain(in, evbuffer_get_length(in));
	return 0;
}

/* ---- Replies ---- */

static int answer(struct conn *c)
{
	struct turn *t = c->turn;
	int sent;

	if (!t->head.is_keep_alive || t->reply.is_closing ||
	    c->l->is_stopping)
		c->is_closing = 1;
	c->stage = CONN_WRITE;
	sent = reply_send(c, t);
	tell(c->l, t);
	c->turn = NULL;
	turn_free(c->l, t);
	if (sent < 0)
		return drop(c);
	c->deadline = c->l->now + c->l->times.write;
	c->left = evbuffer_get_length(bufferevent_get_output(c->bev));
	return 0;
}

/* A reply of our own, behind which the connection ends: nobody knows where
 * the next request would begin. */
static int refuse(struct conn *c, int status, const char *code,
		  const char *text)
{
	struct exchange x = {0};

	not_idle(c);
	if (!c->turn)
		c->turn = turn_new(c);
	if (!c->turn)
		return drop(c);
	x.reply = &c->turn->reply;
	reply_error(&x, status, code, "%s", text);
	if (status == 503)
		reply_field(x.reply, "Retry-After", "1");
	x.reply->is_closing = 1;
	return answer(c);
}

static int refuse_fault(struct conn *c, const struct head_fault *fault)
{
	return refuse(c, fault->status,
		      fault->status == 400   ? "BAD_REQUEST"
		      : fault->status == 411 ? "LENGTH_REQUIRED"
		      : fault->status == 417 ? "EXPECTATION_FAILED"
		      : fault->status == 505 ? "VERSION_NOT_SUPPORTED"
					     : "LIMIT_EXCEEDED",
		      fault->text);
}

/* ---- The pool's part ---- */

/* What is small goes out in one piece with the head of the reply, and is read
 * here, where waiting for a disk keeps nobody else. */
static void load(struct reply *rp)
{
	char *body;

	if (rp->fd < 0 || !rp->size || rp->size > READ_MAX)
		return;
	body = malloc((size_t)rp->size);
	if (!body)
		return;
	if (pread(rp->fd, body, (size_t)rp->size, (off_t)rp->offset) !=
	    (ssize_t)rp->size) {
		free(body);
		return;
	}
	close(rp->fd);
	rp->fd = -1;
	rp->body = body;
}

static size_t in_memory(const struct reply *rp)
{
	return rp->body ? (size_t)rp->size : 0;
}

static void turn_run(struct job *job)
{
	struct turn *t = (struct turn *)job;
	struct listener *l = t->conn->l;

	made_wait(l);
	server_handle(l->opt.server, &t->request, &t->reply);
	load(&t->reply);
	made_add(l, in_memory(&t->reply));
}

static int advance(struct conn *c);

static void turn_done(struct job *job)
{
	struct turn *t = (struct turn *)job;
	struct conn *c = t->conn;
	size_t size = in_memory(&t->reply);

	made_take(c->l, size);
	c->l->now = listen_now();
	if (t->is_too_large)
		t->reply.is_closing = 1;
	if (c->is_dead) {
		tell(c->l, t);
		turn_free(c->l, t);
		free(c);
		return;
	}
	if (answer(c))
		return;
	held_add(c, size);
	advance(c);
}

static int submit(struct conn *c)
{
	struct turn *t = c->turn;

	t->request.body = t->body && !t->is_too_large ? t->body : "";
	t->request.size = (size_t)t->head.size;
	t->request.is_unread = t->is_too_large;
	t->job.is_quick = t->head.method == HTTP_GET ||
		t->head.method == HTTP_HEAD;
	t->job.run = turn_run;
	t->job.done = turn_done;
	if (listener_submit(c->l, &t->job))
		return refuse(c, 503, "SERVER_BUSY",
			      "Too many requests wait already. Try again.");
	c->stage = CONN_RUN;
	return 0;
}

/* ---- Bodies ---- */

static int grow(struct conn *c)
{
	struct turn *t = c->turn;
	size_t whole = (size_t)t->head.size + 1;
	size_t room = t->room ? t->room * 2 : BODY_FIRST;
	char *body;

	if (room > whole)
		room = whole;
	if (c->l->bodies + room - t->room > c->l->opt.bodies)
		return -1;
	body = realloc(t->body, room);
	if (!body)
		return -1;
	c->l->bodies += room - t->room;
	t->body = body;
	t->room = room;
	return 0;
}

/* 1: all of it is there. */
static int read_body(struct conn *c)
{
	struct evbuffer *in = bufferevent_get_input(c->bev);
	struct turn *t = c->turn;
	size_t *size;

	assert(t); /* begin() went before */
	size = &t->request.size;
	while (*size < t->head.size && evbuffer_get_length(in)) {
		size_t want = (size_t)t->head.size - *size;
		int n;

		if (*size + 1 >= t->room && grow(c))
			return refuse(c, 503, "SERVER_BUSY",
				      "Too much is being sent. Try again.");
		if (want > t->room - *size - 1)
			want = t->room - *size - 1;
		n = evbuffer_remove(in, t->body + *size, want);
		if (n <= 0)
			return drop(c);
		*size += (size_t)n;
	}
	if (*size < t->head.size)
		return c->is_eof ? drop(c) : 0;
	t->body[*size] = '\0';
	return 1;
}

/* ---- Heads ---- */

static int is_plain(const char *id)
{
	size_t size = strspn(id, "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
				 "abcdefghijklmnopqrstuvwxyz0123456789._-");

	return size && size <= 64 && !id[size];
}

static void fill(struct conn *c, struct turn *t)
{
	struct request *rq = &t->request;
	const char *id;

	rq->method = t->head.method;
	rq->target = t->head.target;
	rq->fields = t->head.fields;
	rq->field_count = t->head.field_count;
	rq->peer = t->peer;
	rq->is_tls = c->l->tls != NULL;
	rq->id = t->id;
	proxy_believe(c->l->opt.trust, rq, t->peer);
	id = request_field(rq, "X-Request-Id");
	if (id && is_plain(id))
		memcpy(t->id, id, strlen(id) + 1);
}

/* Whose head is there: what becomes of the rest. */
static int begin(struct conn *c)
{
	static const char go_on[] = "HTTP/1.1 100 Continue\r\n\r\n";
	struct evbuffer *in = bufferevent_get_input(c->bev);
	struct turn *t = c->turn;

	fill(c, t);
	if (!t->head.size)
		return submit(c);
	/* a small body is read sooner than asked about, while there is room: of
	 * all of them only a half is for who may send nothing */
	if ((t->head.size > READ_MAX ||
	     c->l->bodies + t->head.size > c->l->opt.bodies / 2) &&
	    (t->head.size > server_limit(c->l->opt.server, t->head.method,
					 t->head.target) ||
	     !server_is_welcome(c->l->opt.server, &t->request))) {
		/* who may send nothing at all hears that rather */
		t->is_too_large = 1;
		return submit(c);
	}
	if (t->head.is_expecting && !evbuffer_get_length(in) &&
	    bufferevent_write(c->bev, go_on, sizeof(go_on) - 1))
		return drop(c);
	c->stage = CONN_BODY;
	c->deadline = c->l->now + c->l->times.body;
	c->left = (size_t)t->head.size;
	return 0;
}

static void rest(struct conn *c)
{
	struct listener *l = c->l;

	if (c->is_idle)
		return;
	c->deadline = l->now + l->times.idle;
	TAILQ_INSERT_TAIL(&l->idle, c, idle);
	c->is_idle = 1;
}

/* 1: one was there. */
static int read_head(struct conn *c)
{
	struct evbuffer *in = bufferevent_get_input(c->bev);
	size_t size = evbuffer_get_length(in);
	struct head_fault fault;
	struct turn *t;
	char *bytes;
	long end;

	if (!size && (c->is_eof || c->l->is_stopping))
		return drop(c);
	if (!size) {
		rest(c);
		return 0;
	}
	if (c->is_idle || !c->looked)
		c->deadline = c->l->now + c->l->times.head;
	not_idle(c);
	bytes = (char *)evbuffer_pullup(in, size < HEAD_MAX ? (ev_ssize_t)size
							    : HEAD_MAX);
	if (!bytes)
		return drop(c);
	end = head_find(bytes, size, &c->looked, &fault);
	if (end < 0)
		return refuse_fault(c, &fault);
	if (!end)
		return c->is_eof ? drop(c) : 0;
	c->looked = 0;
	t = c->turn = turn_new(c);
	if (t)
		t->bytes = malloc((size_t)end);
	if (!t || !t->bytes)
		return drop(c);
	evbuffer_remove(in, t->bytes, (size_t)end);
	if (head_parse(t->bytes, (size_t)end, &t->head, &fault)) {
		fill(c, t);
		return refuse_fault(c, &fault);
	}
	return begin(c) ? -1 : 1;
}

/* ---- From stage to stage ---- */

static int advance(struct conn *c)
{
	int rc = 1;

	while (rc > 0) {
		switch (c->stage) {
		case CONN_SHAKE:
		case CONN_RUN:
			return 0;
		case CONN_HEAD:
			rc = read_head(c);
			break;
		case CONN_BODY:
			rc = read_body(c);
			if (rc > 0)
				rc = submit(c) ? -1 : 1;
			break;
		case CONN_WRITE:
			if (evbuffer_get_length(
				    bufferevent_get_output(c->bev)))
				return 0;
			held_drop(c);
			if (c->is_closing)
				return linger(c);
			c->stage = CONN_HEAD;
			break;
		case CONN_LINGER:
			return linger(c);
		}
		/* what was refused is now being written */
		if (!rc && c->stage == CONN_WRITE)
			rc = 1;
	}
	return rc;
}

static void on_bytes(struct bufferevent *bev, void *arg)
{
	struct conn *c = arg;

	(void)bev;
	c->l->now = listen_now();
	advance(c);
}

static void on_event(struct bufferevent *bev, short what, void *arg)
{
	struct conn *c = arg;

	(void)bev;
	c->l->now = listen_now();
	if (what & BEV_EVENT_CONNECTED) {
		c->stage = CONN_HEAD;
		advance(c);
	} else if (what & BEV_EVENT_EOF) {
		/* who has said all may still wait for replies */
		c->is_eof = 1;
		if (c->stage == CONN_SHAKE)
			conn_end(c);
		else
			advance(c);
	} else {
		conn_end(c);
	}
}

/* In stages whose deadline is an amount in a time, it is moved on. */
void conn_late(struct conn *c)
{
	const struct listen_times *times = &c->l->times;
	size_t left;

	switch (c->stage) {
	case CONN_RUN:
		c->deadline = UINT64_MAX;
		return;
	case CONN_HEAD:
		if (!c->is_idle &&
		    !refuse(c, 408, "REQUEST_TIMEOUT",
			    "The head of the request did not come in time."))
			advance(c);
		else if (c->is_idle)
			conn_end(c);
		return;
	case CONN_BODY:
		left = (size_t)c->turn->head.size - c->turn->request.size;
		if (c->left - left < (size_t)times->body * 1024 / 1000) {
			if (!refuse(c, 408, "REQUEST_TIMEOUT",
				    "The body of the request comes too "
				    "slowly."))
				advance(c);
			return;
		}
		c->deadline = c->l->now + times->body;
		break;
	case CONN_WRITE:
		left = evbuffer_get_length(bufferevent_get_output(c->bev));
		if (left == c->left) {
			conn_cut(c);
			return;
		}
		c->deadline = c->l->now + times->write;
		break;
	default:
		conn_end(c);
		return;
	}
	c->left = left;
}

/* ---- The beginning ---- */

void conn_new(struct listener *l, int fd, const struct sockaddr *sa)
{
	struct conn *c = calloc(1, sizeof(*c));

	if (c)
		c->bev = l->tls ? tls_bufferevent(l->tls, l->base, fd)
				: bufferevent_socket_new(l->base, fd,
							 BEV_OPT_CLOSE_ON_FREE);
	if (!c || !c->bev) {
		free(c);
		close(fd);
		return;
	}
	c->l = l;
	c->fd = fd;
	address_peer(sa, c->peer);
	TAILQ_INSERT_TAIL(&l->all, c, all);
	l->count++;
	bufferevent_setcb(c->bev, on_bytes, on_bytes, on_event, c);
	bufferevent_setwatermark(c->bev, EV_READ, 0, READ_MAX);
	bufferevent_set_max_single_read(c->bev, READ_MAX);
	bufferevent_set_max_single_write(c->bev, 4 * READ_MAX);
	bufferevent_enable(c->bev, EV_READ | EV_WRITE);
	c->stage = l->tls ? CONN_SHAKE : CONN_HEAD;
	c->deadline = l->now + l->times.head;
	if (l->count > l->most && !l->tls) {
		if (!refuse(c, 503, "SERVER_BUSY",
			    "Too many connections are open. Try again."))
			advance(c);
	} else if (l->count > l->most) {
		conn_end(c);
	} else if (c->stage == CONN_HEAD) {
		rest(c);
	}
}
