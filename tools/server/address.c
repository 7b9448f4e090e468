#include "address.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "fail.h"

enum { PASSED = 3, BACKLOG = 1024 };

/* ---- Sockets ---- */

static void name_of(int fd, char name[ADDRESS_MAX])
{
	struct sockaddr_storage sa;
	socklen_t size = sizeof(sa);
	char host[INET6_ADDRSTRLEN], port[8];

	memset(&sa, 0, sizeof(sa));
	snprintf(name, ADDRESS_MAX, "?");
	if (getsockname(fd, (struct sockaddr *)&sa, &size))
		return;
	if (sa.ss_family == AF_UNIX)
		snprintf(name, ADDRESS_MAX, "unix:%s",
			 ((struct sockaddr_un *)&sa)->sun_path);
	else if (!getnameinfo((struct sockaddr *)&sa, size, host, sizeof(host),
			      port, sizeof(port),
			      NI_NUMERICHOST | NI_NUMERICSERV))
		snprintf(name, ADDRESS_MAX,
			 sa.ss_family == AF_INET6 ? "[%s]:%s" : "%s:%s", host,
			 port);
}

/* A reply goes out in one piece, so waiting for more to send only delays it;
 * what accept() gives has it from here. */
static int ready(int fd, int is_inet)
{
	int yes = 1;

	return (is_inet && setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &yes,
				      sizeof(yes))) ||
		listen(fd, BACKLOG);
}

/* What is left of a server that was killed is a file that nobody answers at;
 * one that somebody answers at is not ours to take. */
static int is_stale(const struct sockaddr_un *sa)
{
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	struct stat st;
	int is_refused;

	if (fd < 0)
		return 0;
	is_refused = connect(fd, (const struct sockaddr *)sa, sizeof(*sa)) &&
		errno == ECONNREFUSED;
	close(fd);
	return is_refused && !lstat(sa->sun_path, &st) && S_ISSOCK(st.st_mode);
}

static int listen_unix(const char *path, struct pakhus_error *err)
{
	struct sockaddr_un sa = {.sun_family = AF_UNIX};
	size_t size = strlen(path);
	int fd, sys;

	if (!size || size >= sizeof(sa.sun_path))
		return server_fail(err, PAKHUS_EINVAL, 0,
				   "the path of a socket has 1 to %zu bytes: "
				   "%s", sizeof(sa.sun_path) - 1, path);
	memcpy(sa.sun_path, path, size + 1);
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd >= 0 && is_stale(&sa))
		unlink(path);
	if (fd >= 0 && !bind(fd, (struct sockaddr *)&sa, sizeof(sa)) &&
	    !ready(fd, 0))
		return fd;
	sys = errno;
	if (fd >= 0)
		close(fd);
	return server_fail(err, sys == EACCES ? PAKHUS_EDENIED : PAKHUS_ESYS,
			   sys, "listen at unix:%s", path);
}

static int bind_inet(const struct addrinfo *ai)
{
	int yes = 1, sys;
	int fd = socket(ai->ai_family,
			SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	if (fd < 0)
		return -1;
	if (!setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof(yes)) &&
	    !bind(fd, ai->ai_addr, ai->ai_addrlen) && !ready(fd, 1))
		return fd;
	sys = errno;
	close(fd);
	errno = sys;
	return -1;
}

/* HOST:PORT in its two parts; host is empty for every address. */
static int split(const char *text, char host[ADDRESS_MAX], const char **port)
{
	const char *colon = strrchr(text, ':');
	size_t size;

	if (!colon || strlen(text) >= ADDRESS_MAX)
		return -1;
	size = (size_t)(colon - text);
	if (*text == '[') {
		if (size < 3 || text[size - 1] != ']')
			return -1;
		text++;
		size -= 2;
	} else if (memchr(text, ':', size)) {
		return -1; /* a v6 address has brackets */
	}
	memcpy(host, text, size);
	host[size] = '\0';
	*port = colon + 1;
	size = strlen(*port);
	return size && size <= 5 && strspn(*port, "0123456789") == size &&
		atoi(*port) < 65536 ? 0 : -1;
}

static int listen_inet(const char *text, struct pakhus_error *err)
{
	struct addrinfo hint = {.ai_flags = AI_PASSIVE | AI_NUMERICSERV,
				.ai_socktype = SOCK_STREAM};
	struct addrinfo *all = NULL, *ai;
	char host[ADDRESS_MAX];
	const char *port;
	int fd = -1, rc, sys;

	if (split(text, host, &port))
		return server_fail(err, PAKHUS_EINVAL, 0,
				   "not HOST:PORT, [V6]:PORT, :PORT or "
				   "unix:PATH: %s", text);
	rc = getaddrinfo(*host ? host : NULL, port, &hint, &all);
	if (rc)
		return server_fail(err, PAKHUS_ENETWORK, 0, "listen at %s: %s",
				   text, gai_strerror(rc));
	/* [::] takes IPv4 as well, where the system does as it comes */
	for (ai = all; fd < 0 && ai; ai = ai->ai_next)
		if (*host || ai->ai_family == AF_INET6)
			fd = bind_inet(ai);
	for (ai = all; fd < 0 && ai; ai = ai->ai_next)
		if (!*host && ai->ai_family != AF_INET6)
			fd = bind_inet(ai);
	sys = errno;
	freeaddrinfo(all);
	if (fd < 0)
		return server_fail(err, sys == EACCES ? PAKHUS_EDENIED
						      : PAKHUS_ENETWORK,
				   sys, "listen at %s", text);
	return fd;
}

int address_is_formed(const char *text)
{
	char host[ADDRESS_MAX];
	const char *port;

	return !strncmp(text, "unix:", 5) || !split(text, host, &port);
}

/* sd_listen_fds(3) */
int address_is_passed(void)
{
	const char *pid = getenv("LISTEN_PID"), *count = getenv("LISTEN_FDS");

	return pid && count && atol(pid) == (long)getpid() && atoi(count) == 1;
}

static int listen_passed(struct pakhus_error *err)
{
	int yes = 0, domain = 0;
	socklen_t size = sizeof(yes);

	if (getsockopt(PASSED, SOL_SOCKET, SO_ACCEPTCONN, &yes, &size) ||
	    !yes || getsockopt(PASSED, SOL_SOCKET, SO_DOMAIN, &domain, &size) ||
	    fcntl(PASSED, F_SETFD, FD_CLOEXEC) ||
	    fcntl(PASSED, F_SETFL, O_NONBLOCK) ||
	    ready(PASSED, domain != AF_UNIX))
		return server_fail(err, PAKHUS_EINVAL, 0,
				   "the socket that was passed does not "
				   "listen");
	return PASSED;
}

int address_listen(const char *text, char name[ADDRESS_MAX],
		   struct pakhus_error *err)
{
	int fd;

	if (!text)
		fd = listen_passed(err);
	else if (!strncmp(text, "unix:", 5))
		fd = listen_unix(text + 5, err);
	else
		fd = listen_inet(text, err);
	if (fd >= 0)
		name_of(fd, name);
	return fd;
}

void address_remove(const char *name)
{
	if (!strncmp(name, "unix:", 5))
		unlink(name + 5);
}

/* ---- Clients ---- */

void address_peer(const struct sockaddr *sa, char out[PEER_MAX])
{
	const struct sockaddr_in6 *six = (const struct sockaddr_in6 *)sa;
	const struct sockaddr_in *four = (const struct sockaddr_in *)sa;

	snprintf(out, PEER_MAX, "unix");
	if (sa->sa_family == AF_INET)
		inet_ntop(AF_INET, &four->sin_addr, out, PEER_MAX);
	else if (sa->sa_family == AF_INET6 &&
		 IN6_IS_ADDR_V4MAPPED(&six->sin6_addr))
		inet_ntop(AF_INET, &six->sin6_addr.s6_addr[12], out, PEER_MAX);
	else if (sa->sa_family == AF_INET6)
		inet_ntop(AF_INET6, &six->sin6_addr, out, PEER_MAX);
}

/* How many bytes an address has; 0: it is none. */
static unsigned bytes_of(const char *text, unsigned char out[16])
{
	if (inet_pton(AF_INET, text, out) == 1)
		return 4;
	return inet_pton(AF_INET6, text, out) == 1 ? 16 : 0;
}

static int is_same(const unsigned char *a, const unsigned char *b,
		   unsigned bits)
{
	unsigned rest = bits % 8;

	return !memcmp(a, b, bits / 8) &&
		(!rest || !((a[bits / 8] ^ b[bits / 8]) >> (8 - rest)));
}

/* One of the networks. */
static int is_in(char *network, const char *peer)
{
	unsigned char wanted[16], has[16];
	char *slash = strchr(network, '/'), *end = NULL;
	unsigned long bits;
	unsigned size;

	if (!strcmp(network, "unix"))
		return !strcmp(peer, "unix");
	if (slash)
		*slash++ = '\0';
	size = bytes_of(network, wanted);
	bits = slash ? strtoul(slash, &end, 10) : 8UL * size;
	if (!size || bits > 8UL * size || (slash && (!*slash || *end)))
		return -1;
	return bytes_of(peer, has) == size && is_same(wanted, has,
						      (unsigned)bits);
}

int address_is_in(const char *networks, const char *peer)
{
	char one[PEER_MAX];
	int found = 0;

	for (;;) {
		size_t size = strcspn(networks, ",");
		int got;

		if (!size || size >= sizeof(one))
			return -1;
		memcpy(one, networks, size);
		one[size] = '\0';
		got = is_in(one, peer);
		if (got < 0)
			return -1;
		found |= got;
		networks += size;
		if (!*networks++)
			return found;
	}
}
