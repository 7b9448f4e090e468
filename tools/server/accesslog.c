#include "accesslog.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>
#include <unistd.h>

#include "fail.h"
#include "text.h"

enum {
	FLUSH = 65536,
	KEPT = 1 << 20 /* of what cannot be written */
};

struct accesslog {
	char *path; /* NULL: stderr */
	int fd;	    /* -1: off */
	struct text text;
};

static int open_file(const char *path, struct pakhus_error *err)
{
	int fd = open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0640);

	if (fd < 0)
		server_fail(err, server_status(errno), errno,
			    "open the access log %s", path);
	return fd;
}

int accesslog_open(struct accesslog **out, const char *path,
		   struct pakhus_error *err)
{
	struct accesslog *log = calloc(1, sizeof(*log));
	int is_file = strcmp(path, "-") && strcmp(path, "off");

	if (log && is_file)
		log->path = strdup(path);
	if (!log || (is_file && !log->path)) {
		free(log);
		return server_fail_nomem(err);
	}
	log->fd = is_file		? open_file(path, err)
		  : strcmp(path, "off") ? STDERR_FILENO
					: -1;
	if (is_file && log->fd < 0) {
		accesslog_close(log);
		return err->status;
	}
	*out = log;
	return 0;
}

/* What may be in a query though it belongs into a field. */
static int is_secret(const char *name, size_t size)
{
	static const char *const words[] = {
		"token", "secret", "password", "passwd", "api_key", "apikey",
		"access_key", "signature", "auth", "code",
	};
	size_t i, at;

	for (i = 0; i < sizeof(words) / sizeof(*words); i++)
		for (at = 0; at + strlen(words[i]) <= size; at++)
			if (!strncasecmp(name + at, words[i],
					 strlen(words[i])))
				return 1;
	return 0;
}

static void add_target(struct text *t, const char *target)
{
	struct text clean = {0};
	size_t path = strcspn(target, "?");
	const char *at = target + path;

	text_add(&clean, target, path);
	while (*at) {
		size_t size, key;

		text_add(&clean, at++, 1); /* ? or & */
		size = strcspn(at, "&");
		key = strcspn(at, "=&");
		if (key < size && is_secret(at, key)) {
			text_add(&clean, at, key);
			text_puts(&clean, "=***");
		} else {
			text_add(&clean, at, size);
		}
		at += size;
	}
	put_key(t, "target");
	put_string_n(t, clean.data ? clean.data : "", clean.size);
	text_free(&clean);
}

static void add_time(struct text *t)
{
	struct timespec now;
	struct tm tm;
	char text[40];

	clock_gettime(CLOCK_REALTIME, &now);
	gmtime_r(&now.tv_sec, &tm);
	strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%S", &tm);
	snprintf(text + strlen(text), sizeof(text) - strlen(text), ".%06ldZ",
		 now.tv_nsec / 1000);
	put_pair(t, "time", text);
}

void accesslog_add(struct accesslog *log, const struct access_line *line)
{
	struct text *t = &log->text;

	if (log->fd < 0)
		return;
	t->is_behind = 0;
	put_open(t, '{');
	add_time(t);
	put_pair(t, "peer", line->peer);
	put_pair(t, "method", line->method);
	add_target(t, line->target);
	put_pair(t, "route", line->route);
	put_key(t, "status");
	put_number(t, (uint64_t)line->status);
	put_key(t, "bytes");
	put_number(t, line->bytes);
	put_key(t, "duration_us");
	put_number(t, line->duration_us);
	put_pair(t, "who", line->who);
	put_pair(t, "user_agent", line->user_agent);
	put_pair(t, "id", line->id);
	put_close(t, '}');
	text_add(t, "\n", 1);
	if (t->size >= FLUSH)
		accesslog_flush(log);
}

/* So much that it does not wait: a pipe that says it takes something takes
 * PIPE_BUF bytes. -1: nothing now. */
static ssize_t write_some(const struct accesslog *log, const char *data,
			  size_t size)
{
	struct pollfd p = {.fd = log->fd, .events = POLLOUT};

	if (log->path)
		return write(log->fd, data, size);
	if (poll(&p, 1, 0) != 1)
		return -1;
	return write(log->fd, data, size < PIPE_BUF ? size : PIPE_BUF);
}

/* A log that cannot be written keeps nobody from being answered: what nobody
 * takes is dropped in the end. */
void accesslog_flush(struct accesslog *log)
{
	struct text *t = &log->text;
	size_t at = 0;
	ssize_t n;

	while (!t->is_failed && at < t->size) {
		n = write_some(log, t->data + at, t->size - at);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			break;
		at += (size_t)n;
	}
	if (t->is_failed || t->size - at > KEPT) {
		text_free(t);
		return;
	}
	if (at)
		memmove(t->data, t->data + at, t->size - at);
	t->size -= at;
}

int accesslog_reopen(struct accesslog *log, struct pakhus_error *err)
{
	int fd;

	if (!log->path)
		return 0;
	fd = open_file(log->path, err);
	if (fd < 0)
		return err->status;
	accesslog_flush(log);
	close(log->fd);
	log->fd = fd;
	return 0;
}

void accesslog_close(struct accesslog *log)
{
	if (!log)
		return;
	if (log->fd >= 0) {
		accesslog_flush(log);
		if (log->path)
			close(log->fd);
	}
	free(log->path);
	text_free(&log->text);
	free(log);
}
