/* listen_held.c - replies that clients are slow to take, which are held in
 * memory. There is a bound to all of them together; beyond it who takes least
 * makes room, as who is refused instead could be anybody. As many bytes again
 * may be on their way from threads that make them to the loop; beyond that the
 * threads wait for it.
 */
#include <event2/buffer.h>
#include <event2/bufferevent.h>

#include "listen_state.h"

/* ---- From the threads to the loop ---- */

void made_wait(struct listener *l)
{
	if (atomic_load(&l->made) <= l->opt.replies)
		return;
	pthread_mutex_lock(&l->making);
	while (atomic_load(&l->made) > l->opt.replies)
		pthread_cond_wait(&l->taken, &l->making);
	pthread_mutex_unlock(&l->making);
}

void made_add(struct listener *l, size_t size)
{
	if (size)
		atomic_fetch_add(&l->made, size);
}

void made_take(struct listener *l, size_t size)
{
	if (!size || atomic_fetch_sub(&l->made, size) <= l->opt.replies)
		return;
	pthread_mutex_lock(&l->making);
	pthread_cond_broadcast(&l->taken);
	pthread_mutex_unlock(&l->making);
}

/* ---- From the loop to clients ---- */

/* Bytes in a millisecond, since it began. */
static double pace(const struct conn *c)
{
	struct evbuffer *out = bufferevent_get_output(c->bev);
	size_t left = evbuffer_get_length(out);

	return (double)(c->held - (left < c->held ? left : c->held)) /
		(double)(c->l->now - c->held_at + 1);
}

static struct conn *slowest(struct listener *l, const struct conn *but)
{
	struct conn *c, *found = NULL;
	double least = 0;

	for (c = TAILQ_FIRST(&l->holding); c; c = TAILQ_NEXT(c, holding)) {
		if (c == but || (found && pace(c) >= least))
			continue;
		found = c;
		least = pace(c);
	}
	return found;
}

/* All of it is there until the last byte is gone. */
void held_add(struct conn *c, size_t size)
{
	struct listener *l = c->l;
	struct conn *other;

	if (!size || !evbuffer_get_length(bufferevent_get_output(c->bev)))
		return;
	c->held = size;
	c->held_at = l->now;
	l->held += c->held;
	TAILQ_INSERT_TAIL(&l->holding, c, holding);
	while (l->held > l->opt.replies && (other = slowest(l, c)))
		conn_cut(other);
}

void held_drop(struct conn *c)
{
	if (!c->held)
		return;
	TAILQ_REMOVE(&c->l->holding, c, holding);
	c->l->held -= c->held;
	c->held = 0;
}
