/* listen_reply.c - a reply as bytes. */
#include <errno.h>
#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <stdlib.h>
#include <string.h>
#include <sys/uio.h>
#include <time.h>

#include "listen_state.h"

enum { HEAD_ROOM = 8192 };

struct out {
	char bytes[HEAD_ROOM];
	size_t size;
	int is_full;
};

static void put(struct out *o, const char *text)
{
	size_t size = strlen(text);

	if (size > sizeof(o->bytes) - o->size) {
		o->is_full = 1;
		return;
	}
	memcpy(o->bytes + o->size, text, size);
	o->size += size;
}

static void put_number(struct out *o, uint64_t n)
{
	char text[24], *at = text + sizeof(text) - 1;

	*at = '\0';
	do {
		*--at = (char)('0' + n % 10);
	} while (n /= 10);
	put(o, at);
}

static void put_field(struct out *o, const char *name, const char *value)
{
	put(o, name);
	put(o, ": ");
	put(o, value);
	put(o, "\r\n");
}

static const char *date(struct listener *l)
{
	time_t now = time(NULL);

	if (now != l->date_at) {
		date_format(now, l->date);
		l->date_at = now;
	}
	return l->date;
}

/* A door that got a line break from a client must not begin a field of the
 * client's. */
static int is_safe(const char *value)
{
	for (; *value; value++)
		if (((unsigned char)*value < 0x20 && *value != '\t') ||
		    *value == 0x7f)
			return 0;
	return 1;
}

static void put_head(struct out *o, struct conn *c, const struct turn *t)
{
	const struct reply *rp = &t->reply;
	size_t i;

	put(o, "HTTP/1.1 ");
	put_number(o, (uint64_t)rp->status);
	put(o, " ");
	put(o, http_reason(rp->status));
	put(o, "\r\n");
	put_field(o, "Date", date(c->l));
	put_field(o, "Server", "pakhus/" PAKHUS_VERSION);
	for (i = 0; i < rp->field_count; i++)
		if (rp->fields[i].value && is_safe(rp->fields[i].value))
			put_field(o, rp->fields[i].name, rp->fields[i].value);
	if (*t->id)
		put_field(o, "X-Request-Id", t->id);
	/* RFC 9110, section 8.6: not with 204, and with 304 what a 200 would
	 * have had, which nobody counted */
	if (rp->status != 204 && rp->status != 304) {
		put(o, "Content-Length: ");
		put_number(o, rp->size);
		put(o, "\r\n");
	}
	if (c->is_closing)
		put_field(o, "Connection", "close");
	else if (!t->head.minor)
		put_field(o, "Connection", "keep-alive");
	put(o, "\r\n");
}

/* Straight to the kernel while nothing waits before it, which spares two
 * turns of the loop. How much went; -1: broken. */
static long write_now(struct conn *c, const struct out *o, const char *body,
		      size_t size)
{
	struct iovec iov[2] = {{(void *)o->bytes, o->size},
			       {(void *)body, size}};
	ssize_t n;

	if (c->l->tls ||
	    evbuffer_get_length(bufferevent_get_output(c->bev)))
		return 0;
	n = writev(c->fd, iov, size ? 2 : 1);
	if (n < 0)
		return errno == EAGAIN || errno == EINTR ? 0 : -1;
	return n;
}

static void release(const void *data, size_t size, void *body)
{
	(void)data;
	(void)size;
	free(body);
}

/* What of head and body did not go yet. */
static int queue(struct conn *c, const struct out *o, struct reply *rp,
		 size_t size, size_t gone)
{
	struct evbuffer *out = bufferevent_get_output(c->bev);

	if (gone < o->size && evbuffer_add(out, o->bytes + gone,
					   o->size - gone))
		return -1;
	gone = gone > o->size ? gone - o->size : 0;
	if (gone >= size)
		return 0;
	if (evbuffer_add_reference(out, rp->body + gone, size - gone, release,
				   rp->body))
		return -1;
	rp->body = NULL;
	return 0;
}

int reply_send(struct conn *c, struct turn *t)
{
	struct reply *rp = &t->reply;
	int is_bare = t->head.method == HTTP_HEAD || rp->status == 204 ||
		rp->status == 304 || !rp->size;
	size_t size = is_bare || rp->fd >= 0 ? 0 : (size_t)rp->size;
	struct out o;
	long gone;

	o.size = 0;
	o.is_full = 0;
	put_head(&o, c, t);
	if (o.is_full)
		return -1;
	gone = write_now(c, &o, rp->body, size);
	if (gone < 0 || queue(c, &o, rp, size, (size_t)gone))
		return -1;
	if (!is_bare && rp->fd >= 0) {
		if (evbuffer_add_file(bufferevent_get_output(c->bev), rp->fd,
				      (ev_off_t)rp->offset,
				      (ev_off_t)rp->size))
			return -1;
		rp->fd = -1;
	}
	return !evbuffer_get_length(bufferevent_get_output(c->bev));
}
