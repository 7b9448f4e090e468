/* serving.h - a server in a process of its own, and raw clients of it. */
#ifndef SERVING_H
#define SERVING_H

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "t.h"

#include "../tools/server/serve.h"

static struct {
	pid_t pid;
	int told; /* the server's end of a pipe */
	char url[256];
} serving;

static void serving_started(void *arg, const char *url)
{
	(void)arg;
	if (write(serving.told, url, strlen(url)) < 0)
		_exit(9);
	close(serving.told);
}

/* Forks it, and waits until it answers. A server that does not start leaves
 * url empty. */
static inline void serving_start(const struct serve_options *opt)
{
	struct serve_options o = *opt;
	struct pakhus_error e = {0};
	size_t size = 0;
	int tell[2], rc;
	ssize_t n;

	o.started = serving_started;
	if (!o.access_log)
		o.access_log = "off";
	assert_int_equal(pipe(tell), 0);
	fflush(NULL);
	serving.pid = fork();
	assert_true(serving.pid >= 0);
	if (!serving.pid) {
		alarm(60); /* it does not outlive a test that hangs */
		close(tell[0]);
		serving.told = tell[1];
		rc = serve_run(&o, &e);
		if (rc)
			fprintf(stderr, "# %s\n", e.text);
		exit(rc ? 1 : 0);
	}
	close(tell[1]);
	while ((n = read(tell[0], serving.url + size,
			 sizeof(serving.url) - 1 - size)) > 0)
		size += (size_t)n;
	serving.url[size] = '\0';
	close(tell[0]);
}

/* Its exit status; -1: a signal ended it. */
static inline int serving_wait(void)
{
	int status;

	assert_int_equal(waitpid(serving.pid, &status, 0), serving.pid);
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static inline int serving_stop(void)
{
	assert_int_equal(kill(serving.pid, SIGTERM), 0);
	return serving_wait();
}

/* ---- Clients ---- */

/* A connection on which nothing waits longer than half a minute. */
static inline int dial(void)
{
	const struct timeval patience = {30, 0};
	struct sockaddr_in in = {.sin_family = AF_INET};
	struct sockaddr_un un = {.sun_family = AF_UNIX};
	int is_unix = !strncmp(serving.url, "unix:", 5), fd, yes = 1;

	fd = socket(is_unix ? AF_UNIX : AF_INET, SOCK_STREAM, 0);
	assert_true(fd >= 0);
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
	setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience));
	/* what is said in parts is not held back until the first is heard of */
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof(yes));
	if (is_unix) {
		assert_true(strlen(serving.url + 5) < sizeof(un.sun_path));
		memcpy(un.sun_path, serving.url + 5,
		       strlen(serving.url + 5) + 1);
		if (!connect(fd, (struct sockaddr *)&un, sizeof(un)))
			return fd;
	} else {
		in.sin_port = htons((uint16_t)atoi(strrchr(serving.url, ':') +
						   1));
		in.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
		if (!connect(fd, (struct sockaddr *)&in, sizeof(in)))
			return fd;
	}
	close(fd);
	return -1;
}

static inline void say_n(int fd, const char *text, size_t size)
{
	while (size) {
		ssize_t n = send(fd, text, size, MSG_NOSIGNAL);

		assert_true(n > 0);
		text += n;
		size -= (size_t)n;
	}
}

static inline void say_to(int fd, const char *text)
{
	say_n(fd, text, strlen(text));
}

struct answer {
	int status;
	char *head, *body; /* head NUL-terminated, with its empty line */
	size_t size;
};

static inline void answer_free(struct answer *a)
{
	free(a->head);
	free(a->body);
	memset(a, 0, sizeof(*a));
}

/* The value of a field, without regard to case, or NULL. */
static inline const char *answer_field(const struct answer *a, const char *name)
{
	const char *at = a->head;
	size_t n = strlen(name);

	while ((at = strstr(at, "\r\n")) != NULL) {
		at += 2;
		if (!strncasecmp(at, name, n) && at[n] == ':')
			return at + n + 2;
	}
	return NULL;
}

/* One reply, with the body that it says it has. is_head: it has none. 0: the
 * connection ended, or was reset, before one began. */
static inline int hear(int fd, struct answer *a, int is_head)
{
	size_t size = 0, room = 4096;
	const char *length;
	ssize_t n;

	memset(a, 0, sizeof(*a));
	a->head = malloc(room);
	for (;;) {
		assert_true(size + 1 < room);
		n = recv(fd, a->head + size, 1, 0);
		if (n <= 0) {
			assert_true(!n || errno == ECONNRESET);
			assert_int_equal(size, 0);
			answer_free(a);
			return 0;
		}
		a->head[++size] = '\0';
		if (size >= 4 && !strcmp(a->head + size - 4, "\r\n\r\n"))
			break;
	}
	assert_int_equal(sscanf(a->head, "HTTP/1.1 %d ", &a->status), 1);
	length = answer_field(a, "Content-Length");
	if (is_head || !length)
		return 1;
	a->size = strtoul(length, NULL, 10);
	a->body = malloc(a->size + 1);
	for (size = 0; size < a->size; size += (size_t)n) {
		n = recv(fd, a->body + size, a->size - size, 0);
		assert_true(n > 0);
	}
	a->body[size] = '\0';
	return 1;
}

/* The next reply has this status, and this body unless NULL. */
#define assert_answer(fd, status, body)                                       \
	t_answer(fd, status, body, __FILE__, __LINE__)
static inline void t_answer(int fd, int status, const char *body,
			    const char *file, int line)
{
	struct answer a;

	if (!hear(fd, &a, 0)) {
		print_error("the connection ended, and %d was expected\n",
			    status);
		_fail(file, line);
	}
	_assert_int_equal((unsigned long)a.status, (unsigned long)status, file,
			  line);
	if (body)
		_assert_string_equal(a.body ? a.body : "", body, file, line);
	answer_free(&a);
}

/* Nothing more comes. */
#define assert_ended(fd) t_ended(fd, __FILE__, __LINE__)
static inline void t_ended(int fd, const char *file, int line)
{
	char byte;
	ssize_t n = recv(fd, &byte, 1, 0);

	if (n > 0 || (n < 0 && errno != ECONNRESET)) {
		print_error("the connection did not end\n");
		_fail(file, line);
	}
	close(fd);
}

#endif
