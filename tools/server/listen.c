/* listen.c - the loop: who comes, what ends, signals and time.
 *
 * evhttp is not under it. It tells of a request when all of the body is there,
 * and of a connection not before: who is refused, slow, too many or half
 * closed is ours to see to with it too. Behind a filter that does, it was left
 * with the heads of replies; and where memory ends it leaves a line out of one,
 * be it Content-Length, and keeps the connection. That took as many lines as
 * this, more than twice the memory of a connection, and a third of the speed.
 */
#include "listen.h"

#include <errno.h>
#include <event2/listener.h>
#include <inttypes.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include "fail.h"
#include "listen_state.h"

enum {
	TICK_MS = 250,
	NUDGE_US = 1000,
	CONNECTIONS = 10000,
	QUEUE = 4096,	/* requests that wait for a thread */
	SPARE_FDS = 256 /* of the store, and for the pool's files */
};

uint64_t listen_now_us(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000 + (uint64_t)t.tv_nsec / 1000;
}

uint64_t listen_now(void)
{
	return listen_now_us() / 1000;
}

/* ---- What comes and goes ---- */

static void on_accept(struct evconnlistener *accept, int fd,
		      struct sockaddr *sa, int size, void *arg)
{
	struct listener *l = arg;

	(void)accept;
	(void)size;
	l->now = listen_now();
	/* who is idle can come again; who comes wants something now */
	if (l->count >= l->most && !TAILQ_EMPTY(&l->idle))
		conn_end(TAILQ_FIRST(&l->idle));
	/* as many again are told that there are too many */
	if (l->count >= l->most + SPARE_FDS / 4)
		close(fd);
	else
		conn_new(l, fd, sa);
}

/* No descriptor, no memory: the next tick tries again. */
static void on_accept_error(struct evconnlistener *accept, void *arg)
{
	struct listener *l = arg;

	evconnlistener_disable(accept);
	l->is_accepting = 0;
}

static void on_wake(int fd, short what, void *arg)
{
	struct listener *l = arg;
	uint64_t n;

	(void)what;
	if (read(fd, &n, sizeof(n)) == sizeof(n))
		pool_finish(l->pool);
	if (l->is_stopping && !l->count)
		event_base_loopbreak(l->base);
}

static void nudge_soon(struct listener *l)
{
	const struct timeval soon = {0, NUDGE_US};

	if (!l->is_nudging)
		l->is_nudging = !event_add(l->nudge, &soon);
}

static void on_nudge(int fd, short what, void *arg)
{
	struct listener *l = arg;

	(void)fd;
	(void)what;
	l->is_nudging = 0;
	if (pool_nudge(l->pool))
		nudge_soon(l);
}

static void wake(void *arg)
{
	const struct listener *l = arg;
	uint64_t one = 1;

	while (write(l->wake_fd, &one, sizeof(one)) < 0 && errno == EINTR)
		;
}

static void on_tick(int fd, short what, void *arg)
{
	struct listener *l = arg;
	struct conn *c, *next;

	(void)fd;
	(void)what;
	l->now = listen_now();
	for (c = TAILQ_FIRST(&l->all); c; c = next) {
		next = TAILQ_NEXT(c, all);
		if (l->is_stopping && l->now >= l->stop_at)
			conn_end(c);
		else if (l->now >= c->deadline)
			conn_late(c);
	}
	if (l->is_stopping && !l->count) {
		event_base_loopbreak(l->base);
		return;
	}
	if (!l->is_accepting && !l->is_stopping) {
		evconnlistener_enable(l->accept);
		l->is_accepting = 1;
	}
	accesslog_flush(l->opt.log);
	if (l->opt.tick)
		l->opt.tick(l->opt.arg);
}

/* ---- Signals ---- */

static void on_stop(int signo, short what, void *arg)
{
	struct listener *l = arg;

	(void)what;
	if (l->is_stopping) {
		signal(signo, SIG_DFL);
		raise(signo);
		return;
	}
	l->is_stopping = 1;
	l->now = listen_now();
	l->stop_at = l->now + l->times.stop;
	evconnlistener_free(l->accept);
	l->accept = NULL;
	if (l->opt.address)
		address_remove(l->name);
	if (l->opt.stop)
		l->opt.stop(l->opt.arg);
	while (!TAILQ_EMPTY(&l->idle))
		conn_end(TAILQ_FIRST(&l->idle));
	if (!l->count)
		event_base_loopbreak(l->base);
}

static void on_hup(int signo, short what, void *arg)
{
	struct listener *l = arg;

	(void)signo;
	(void)what;
	if (l->opt.reload)
		l->opt.reload(l->opt.arg);
}

/* ---- A listener ---- */

static unsigned threads_for(unsigned wanted)
{
	cpu_set_t set;
	unsigned n;

	if (wanted)
		return wanted;
	n = sched_getaffinity(0, sizeof(set), &set) ? 1
		: (unsigned)CPU_COUNT(&set);
	n *= 2; /* who publishes waits for the disk */
	return n < 4 ? 4 : n > 64 ? 64 : n;
}

/* Each connection may have a file of its reply open. */
static unsigned connections_for(unsigned wanted)
{
	struct rlimit limit;
	rlim_t most;

	if (!wanted)
		wanted = CONNECTIONS;
	if (getrlimit(RLIMIT_NOFILE, &limit))
		return wanted;
	limit.rlim_cur = limit.rlim_max;
	if (setrlimit(RLIMIT_NOFILE, &limit) &&
	    getrlimit(RLIMIT_NOFILE, &limit))
		return wanted;
	most = limit.rlim_cur > 4 * SPARE_FDS
		? (limit.rlim_cur - SPARE_FDS) / 2 : limit.rlim_cur / 4;
	return wanted < most ? wanted : (unsigned)most;
}

static void defaults(struct listener *l)
{
	static const struct listen_times usual = {10000, 10000, 60000, 30000,
						  30000};
	struct listen_times *t = &l->times;

	*t = l->opt.times;
	t->head = t->head ? t->head : usual.head;
	t->body = t->body ? t->body : usual.body;
	t->idle = t->idle ? t->idle : usual.idle;
	t->write = t->write ? t->write : usual.write;
	t->stop = t->stop ? t->stop : usual.stop;
	if (!l->opt.bodies)
		l->opt.bodies = (size_t)256 << 20;
	if (!l->opt.replies)
		l->opt.replies = (size_t)256 << 20;
	l->most = connections_for(l->opt.connections);
}

static int add_events(struct listener *l)
{
	const struct timeval tick = {0, TICK_MS * 1000L};

	l->base = event_base_new();
	l->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (!l->base || l->wake_fd < 0)
		return -1;
	l->wake = event_new(l->base, l->wake_fd, EV_READ | EV_PERSIST, on_wake,
			    l);
	l->tick = event_new(l->base, -1, EV_PERSIST, on_tick, l);
	l->nudge = evtimer_new(l->base, on_nudge, l);
	l->hup = evsignal_new(l->base, SIGHUP, on_hup, l);
	l->term = evsignal_new(l->base, SIGTERM, on_stop, l);
	l->interrupt = evsignal_new(l->base, SIGINT, on_stop, l);
	if (!l->wake || !l->tick || !l->nudge || !l->hup || !l->term ||
	    !l->interrupt)
		return -1;
	return event_add(l->wake, NULL) || event_add(l->tick, &tick) ||
		event_add(l->hup, NULL) || event_add(l->term, NULL) ||
		event_add(l->interrupt, NULL) ? -1 : 0;
}

static int add_listener(struct listener *l, struct pakhus_error *err)
{
	int fd = address_listen(l->opt.address, l->name, err);

	if (fd < 0)
		return err->status;
	l->accept = evconnlistener_new(l->base, on_accept, l,
				       LEV_OPT_CLOSE_ON_FREE |
				       LEV_OPT_CLOSE_ON_EXEC, 0, fd);
	if (!l->accept) {
		close(fd);
		return server_fail_nomem(err);
	}
	evconnlistener_set_error_cb(l->accept, on_accept_error);
	l->is_accepting = 1;
	snprintf(l->url, sizeof(l->url), "%s%s",
		 strncmp(l->name, "unix:", 5) == 0 ? ""
		 : l->tls			   ? "https://"
						   : "http://", l->name);
	return 0;
}

int listener_new(struct listener **out, const struct listen_options *opt,
		 struct pakhus_error *err)
{
	struct listener *l = calloc(1, sizeof(*l));
	int rc = 0;

	if (!l)
		return server_fail_nomem(err);
	l->opt = *opt;
	l->wake_fd = -1;
	TAILQ_INIT(&l->all);
	TAILQ_INIT(&l->idle);
	TAILQ_INIT(&l->holding);
	pthread_mutex_init(&l->making, NULL);
	pthread_cond_init(&l->taken, NULL);
	defaults(l);
	l->now = listen_now();
	if (getrandom(&l->id, sizeof(l->id), 0) != sizeof(l->id))
		l->id = l->now;
	if (opt->cert) {
		l->tls = tls_new(opt->cert, opt->key, err);
		rc = l->tls ? 0 : err->status;
	}
	if (!rc && add_events(l))
		rc = server_fail(err, server_status(errno), errno,
				 "make the loop of events");
	if (!rc && pool_new(&l->pool, threads_for(opt->threads), QUEUE, wake,
			    l))
		rc = server_fail(err, server_status(errno), errno,
				 "start threads");
	if (!rc)
		rc = add_listener(l, err);
	if (rc) {
		listener_free(l);
		return rc;
	}
	*out = l;
	return 0;
}

const char *listener_url(const struct listener *l)
{
	return l->url;
}

unsigned listener_connections(const struct listener *l)
{
	return l->most;
}

int listener_submit(struct listener *l, struct job *job)
{
	if (pool_submit(l->pool, job))
		return -1;
	nudge_soon(l);
	return 0;
}

int listener_reload(struct listener *l, struct pakhus_error *err)
{
	return l->tls ? tls_reload(l->tls, err) : 0;
}

/* What runs for clients that are gone, and the caller's own jobs. */
static int wait_for_pool(struct listener *l)
{
	struct pollfd p = {.fd = l->wake_fd, .events = POLLIN};
	uint64_t n;

	pool_finish(l->pool);
	while (!pool_is_idle(l->pool)) {
		if (listen_now() >= l->stop_at)
			return -1;
		if (poll(&p, 1, TICK_MS) > 0 &&
		    read(l->wake_fd, &n, sizeof(n)) < 0)
			continue;
		pool_finish(l->pool);
	}
	return 0;
}

int listener_run(struct listener *l)
{
	event_base_dispatch(l->base);
	return wait_for_pool(l);
}

static void free_event(struct event *event)
{
	if (event)
		event_free(event);
}

void listener_free(struct listener *l)
{
	struct job *next;

	if (!l)
		return;
	pool_free(l->pool);
	if (l->accept)
		evconnlistener_free(l->accept);
	while (!TAILQ_EMPTY(&l->all))
		conn_end(TAILQ_FIRST(&l->all));
	for (; l->spare; l->spare = next) {
		next = l->spare->next;
		free(l->spare);
	}
	free_event(l->wake);
	free_event(l->tick);
	free_event(l->nudge);
	free_event(l->hup);
	free_event(l->term);
	free_event(l->interrupt);
	if (l->base)
		event_base_free(l->base);
	if (l->wake_fd >= 0)
		close(l->wake_fd);
	tls_free(l->tls);
	pthread_mutex_destroy(&l->making);
	pthread_cond_destroy(&l->taken);
	free(l);
}
