#include "serve.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "address.h"
#include "fail.h"
#include "listen.h"

#define LISTEN_DEFAULT "127.0.0.1:4600"

enum { /* ticks of the loop, about four a second */
	SYNC_AFTER = 4,	     /* the last write ... */
	SYNC_AT_LATEST = 20, /* ... or the first, where they do not end */
	RETRY_FIRST = 8,
	RETRY_MAX = 960
};

struct serve {
	struct job job; /* the sync that comes behind writes ... */
	struct pakhus_error sync_error; /* ... and what became of it */
	const struct serve_options *opt;
	struct server *server;
	struct accesslog *log;
	struct listener *listener;
	int is_syncing, has_failed;
	unsigned quiet, dirty, wait, back_off; /* ticks */
	uint64_t writes; /* at the last tick */
};

static void tell(const struct serve *s, const char *what,
		 const struct pakhus_error *err)
{
	char text[600];

	snprintf(text, sizeof(text), "%s%s%s", what, err ? ": " : "",
		 err ? err->text : "");
	if (s->opt->server.notice)
		s->opt->server.notice(s->opt->server.arg, text);
}

/* ---- systemd: sd_notify(3) ---- */

static void notify(const char *state)
{
	const char *path = getenv("NOTIFY_SOCKET");
	struct sockaddr_un sa = {.sun_family = AF_UNIX};
	size_t size = path ? strlen(path) : 0;
	int fd;

	if (!size || size >= sizeof(sa.sun_path))
		return;
	memcpy(sa.sun_path, path, size);
	if (*path == '@')
		sa.sun_path[0] = '\0';
	fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return;
	sendto(fd, state, strlen(state), MSG_NOSIGNAL, (struct sockaddr *)&sa,
	       (socklen_t)(offsetof(struct sockaddr_un, sun_path) + size));
	close(fd);
}

/* ---- Syncs ---- */

static void sync_run(struct job *job)
{
	struct serve *s = (struct serve *)job;

	memset(&s->sync_error, 0, sizeof(s->sync_error));
	server_sync(s->server, &s->sync_error);
}

static void sync_done(struct job *job)
{
	struct serve *s = (struct serve *)job;

	s->is_syncing = 0;
	if (!s->sync_error.status) {
		if (s->has_failed)
			tell(s, "what was published is in the tree again",
			     NULL);
		s->has_failed = 0;
		s->back_off = 0;
		return;
	}
	if (!s->has_failed)
		tell(s, "what was published is durable, but not in the tree "
			"that mirrors copy; tried again", &s->sync_error);
	s->has_failed = 1;
	s->back_off = !s->back_off ? RETRY_FIRST
		      : s->back_off * 2 > RETRY_MAX ? RETRY_MAX
						    : s->back_off * 2;
	s->wait = s->back_off;
}

static void on_tick(void *arg)
{
	struct serve *s = arg;
	uint64_t writes = server_writes(s->server);

	if (s->is_syncing || !server_is_dirty(s->server)) {
		s->quiet = s->dirty = 0;
		return;
	}
	if (s->wait) {
		s->wait--;
		return;
	}
	s->dirty++;
	s->quiet = writes == s->writes ? s->quiet + 1 : 0;
	s->writes = writes;
	if (s->quiet < SYNC_AFTER && s->dirty < SYNC_AT_LATEST)
		return;
	s->job.run = sync_run;
	s->job.done = sync_done;
	s->is_syncing = !listener_submit(s->listener, &s->job);
}

/* ---- Signals ---- */

static void on_reload(void *arg)
{
	struct serve *s = arg;
	struct pakhus_error err = {0};

	notify("RELOADING=1");
	if (server_reload(s->server, &err))
		tell(s, "the tokens stay as they were", &err);
	memset(&err, 0, sizeof(err));
	if (listener_reload(s->listener, &err))
		tell(s, "the certificate stays as it was", &err);
	memset(&err, 0, sizeof(err));
	if (accesslog_reopen(s->log, &err))
		tell(s, "the access log stays where it was", &err);
	notify("READY=1");
}

static void on_stop(void *arg)
{
	const struct serve *s = arg;

	server_drain(s->server);
	notify("STOPPING=1");
}

/* ---- From start to end ---- */

int serve_may(const struct serve_options *opt, struct pakhus_error *err)
{
	if (opt->listen && !address_is_formed(opt->listen))
		server_fail(err, PAKHUS_EINVAL, 0,
			    "--listen: not HOST:PORT, [V6]:PORT, :PORT or "
			    "unix:PATH: %s", opt->listen);
	else if (opt->trust_proxy &&
		 address_is_in(opt->trust_proxy, "unix") < 0)
		server_fail(err, PAKHUS_EINVAL, 0,
			    "--trust-proxy: not addresses or networks with "
			    "commas between: %s", opt->trust_proxy);
	else
		return 1;
	return 0;
}

static int start(struct serve *s, struct pakhus_error *err)
{
	const struct serve_options *opt = s->opt;
	struct listen_options listen = {
		.address = opt->listen,
		.cert = opt->cert,
		.key = opt->key,
		.trust = opt->trust_proxy,
		.threads = opt->threads,
		.connections = opt->connections,
		.bodies = opt->bodies,
		.replies = opt->replies,
		.times = opt->times,
		.tick = on_tick,
		.reload = on_reload,
		.stop = on_stop,
		.arg = s,
	};
	char text[160];
	int rc;

	if (!serve_may(opt, err))
		return err->status;
	rc = accesslog_open(&s->log, opt->access_log ? opt->access_log : "-",
			    err);
	if (!rc)
		rc = server_open(&s->server, &opt->server, err);
	if (rc)
		return rc;
	if (!opt->listen && !address_is_passed())
		listen.address = LISTEN_DEFAULT;
	listen.server = s->server;
	listen.log = s->log;
	rc = listener_new(&s->listener, &listen, err);
	if (!rc && listener_connections(s->listener) < opt->connections) {
		snprintf(text, sizeof(text),
			 "%u connections at most: the limit of open files "
			 "(ulimit -n) is too low for %u",
			 listener_connections(s->listener), opt->connections);
		tell(s, text, NULL);
	}
	return rc;
}

int serve_run(const struct serve_options *opt, struct pakhus_error *err)
{
	struct serve s = {.opt = opt};
	struct pakhus_error last = {0};
	int rc;

	signal(SIGPIPE, SIG_IGN);
	rc = start(&s, err);
	if (!rc) {
		if (opt->started)
			opt->started(opt->server.arg,
				     listener_url(s.listener));
		notify("READY=1");
		if (listener_run(s.listener)) {
			/* what is durable is; threads are still in the store */
			tell(&s, "requests still ran and were left", NULL);
			accesslog_flush(s.log);
			_exit(1);
		}
		if (server_sync(s.server, &last))
			tell(&s, "what was published is durable, but not in "
				 "the tree that mirrors copy", &last);
	}
	listener_free(s.listener);
	server_close(s.server);
	accesslog_close(s.log);
	return rc;
}
