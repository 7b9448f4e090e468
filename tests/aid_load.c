/* aid_load.c - many clients of a server on this host.
 *
 * usage: aid_load PORT PATH CONNECTIONS REQUESTS [SILENT [PID]]
 *
 * SILENT connections say some of a request and no more; then the others, which
 * stay open, ask for PATH until REQUESTS were answered, each with 200 and as
 * many bytes as the first. Prints how many were answered in how many seconds,
 * and with PID how many processor seconds that process took.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

struct client {
	int fd;
	size_t got;
	int is_checked; /* the status of the reply that comes */
};

static char request[1024], buffer[1 << 16];
static size_t request_size, reply_size;
static unsigned port;

static void fail(const char *what)
{
	fprintf(stderr, "aid_load: %s: %s\n", what, strerror(errno));
	exit(1);
}

static int dial(void)
{
	struct sockaddr_in sa = {.sin_family = AF_INET};
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	sa.sin_port = htons((unsigned short)port);
	sa.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	if (fd < 0 || connect(fd, (struct sockaddr *)&sa, sizeof(sa)))
		fail("connect");
	return fd;
}

static void ask(struct client *c)
{
	if (send(c->fd, request, request_size, MSG_NOSIGNAL) !=
	    (ssize_t)request_size)
		fail("send");
	c->got = 0;
	c->is_checked = 0;
}

/* The size of a reply, head and body. */
static size_t measure(void)
{
	struct client c = {.fd = dial()};
	char *end, *length;
	ssize_t n;
	size_t size;

	ask(&c);
	do {
		n = recv(c.fd, buffer + c.got, sizeof(buffer) - 1 - c.got, 0);
		if (n <= 0)
			fail("the first reply");
		c.got += (size_t)n;
		buffer[c.got] = '\0';
		end = strstr(buffer, "\r\n\r\n");
	} while (!end);
	length = strcasestr(buffer, "\r\nContent-Length: ");
	if (!length || length > end || strncmp(buffer + 8, " 200", 4)) {
		fprintf(stderr, "aid_load: %.60s\n", buffer);
		exit(1);
	}
	size = (size_t)(end + 4 - buffer) + strtoul(length + 18, NULL, 10);
	close(c.fd);
	return size;
}

static void fall_silent(unsigned count)
{
	static const char *const said[] = {
		"", "G", "GET / HTTP/1.1\r\nHost: a\r\n",
		("POST /api/v1/registry/packages HTTP/1.1\r\nHost: a\r\n"
		"Content-Length: 60000\r\n\r\n{"),
	};
	unsigned i;

	for (i = 0; i < count; i++) {
		const char *s = said[i % 4];

		if (send(dial(), s, strlen(s), MSG_NOSIGNAL) < 0)
			fail("send");
	}
}

/* Whether the reply is whole. */
static int hear(struct client *c)
{
	ssize_t n = recv(c->fd, buffer, sizeof(buffer), 0);

	if (n <= 0)
		fail("a reply");
	if (!c->is_checked && n > 12 && strncmp(buffer + 8, " 200", 4)) {
		fprintf(stderr, "aid_load: %.60s\n", buffer);
		exit(1);
	}
	c->is_checked = 1;
	c->got += (size_t)n;
	return c->got >= reply_size;
}

static double processor(const char *pid)
{
	unsigned long user = 0, system = 0;
	char path[64];
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%s/stat", pid);
	f = fopen(path, "r");
	if (!f || fscanf(f, "%*d (%*[^)]) %*c %*d %*d %*d %*d %*d %*u %*u %*u "
			    "%*u %*u %lu %lu", &user, &system) != 2)
		fail(path);
	fclose(f);
	return (double)(user + system) / (double)sysconf(_SC_CLK_TCK);
}

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void run(struct client *clients, unsigned count, unsigned long requests)
{
	struct epoll_event events[256], e = {.events = EPOLLIN};
	unsigned long asked = 0, answered = 0;
	int loop = epoll_create1(0), n, i;
	unsigned at;

	for (at = 0; at < count; at++) {
		e.data.ptr = &clients[at];
		if (epoll_ctl(loop, EPOLL_CTL_ADD, clients[at].fd, &e))
			fail("epoll");
	}
	for (at = 0; at < count && asked < requests; at++, asked++)
		ask(&clients[at]);
	while (answered < requests) {
		n = epoll_wait(loop, events, 256, 60000);
		if (n <= 0)
			fail("nothing comes");
		for (i = 0; i < n; i++) {
			struct client *c = events[i].data.ptr;

			if (!hear(c))
				continue;
			answered++;
			if (asked < requests) {
				ask(c);
				asked++;
			}
		}
	}
	close(loop);
}

int main(int argc, char **argv)
{
	struct rlimit limit;
	struct client *clients;
	unsigned count, i;
	double began, cpu = 0;

	if (argc < 5)
		return 2;
	getrlimit(RLIMIT_NOFILE, &limit);
	limit.rlim_cur = limit.rlim_max;
	setrlimit(RLIMIT_NOFILE, &limit);
	port = (unsigned)atoi(argv[1]);
	request_size = (size_t)snprintf(request, sizeof(request),
					"GET %s HTTP/1.1\r\nHost: a\r\n\r\n",
					argv[2]);
	count = (unsigned)atoi(argv[3]);
	reply_size = measure();
	if (argc > 5)
		fall_silent((unsigned)atoi(argv[5]));
	clients = calloc(count, sizeof(*clients));
	for (i = 0; i < count; i++)
		clients[i].fd = dial();
	if (argc > 6)
		cpu = processor(argv[6]);
	began = now();
	run(clients, count, strtoul(argv[4], NULL, 10));
	printf("%s %.3f", argv[4], now() - began);
	if (argc > 6)
		printf(" %.2f", processor(argv[6]) - cpu);
	puts("");
	free(clients);
	return 0;
}
