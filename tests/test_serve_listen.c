/* test_serve_listen.c - what goes through sockets, with doors of its own:
 *
 * wrap: server_handle server_limit server_sync server_is_dirty
 */
#include <stdatomic.h>

#include "serving.h"
#include "stores.h"

#include "../tools/server/address.h"

#define H "Host: a\r\n"
#define ECHO "GET /echo HTTP/1.1\r\n" H "\r\n"

enum { BIG = 8 << 20, LIMIT = 1 << 20 };

static int gate[2];   /* /wait goes on with each byte */
static int handled[2]; /* a byte for each request that was handled */

/* ---- The doors ---- */

size_t __wrap_server_limit(struct server *s, enum http_method method,
			   const char *target);
void __wrap_server_handle(struct server *s, const struct request *rq,
			  struct reply *rp);

size_t __wrap_server_limit(struct server *s, enum http_method method,
			   const char *target)
{
	(void)s;
	(void)method;
	return strcmp(target, "/small") ? LIMIT : 0;
}

/* /write makes it dirty, and the first sync after that fails. */
static atomic_int is_dirty, syncs;

int __wrap_server_is_dirty(struct server *s);
int __wrap_server_sync(struct server *s, struct pakhus_error *e);

int __wrap_server_is_dirty(struct server *s)
{
	(void)s;
	return atomic_load(&is_dirty);
}

int __wrap_server_sync(struct server *s, struct pakhus_error *e)
{
	(void)s;
	if (!atomic_load(&is_dirty))
		return 0;
	if (!atomic_fetch_add(&syncs, 1)) {
		e->status = PAKHUS_ESYS;
		snprintf(e->text, sizeof(e->text), "no space");
		return e->status;
	}
	atomic_store(&is_dirty, 0);
	return 0;
}

static void give(struct reply *rp, const char *text)
{
	rp->body = strdup(text);
	rp->size = strlen(text);
}

static void give_file(struct reply *rp, uint64_t offset, uint64_t size)
{
	FILE *f = tmpfile();
	size_t i;

	for (i = 0; i < offset + size; i++)
		putc_unlocked((int)('a' + i % 23), f);
	fflush(f);
	rp->fd = dup(fileno(f));
	fclose(f);
	rp->offset = offset;
	rp->size = size;
}

void __wrap_server_handle(struct server *s, const struct request *rq,
			  struct reply *rp)
{
	const char *target = rq->target;
	char byte = 'h';

	(void)s;
	memset(rp, 0, sizeof(*rp));
	rp->fd = -1;
	rp->route = "/test";
	rp->status = 200;
	if (write(handled[1], &byte, 1) != 1)
		abort();
	if (!strncmp(target, "/echo", 5)) {
		rp->body = malloc(rq->size + strlen(target) + 1);
		rp->size = (size_t)sprintf(rp->body, "%s", target + 5);
		memcpy(rp->body + rp->size, rq->body, rq->size);
		rp->size += rq->size;
	} else if (!strcmp(target, "/wait")) {
		if (read(gate[0], &byte, 1) != 1)
			abort();
		give(rp, "waited");
	} else if (!strcmp(target, "/big")) {
		rp->body = malloc(BIG);
		memset(rp->body, 'b', BIG);
		rp->size = BIG;
	} else if (!strcmp(target, "/file")) {
		give_file(rp, 5, 1000);
	} else if (!strcmp(target, "/bigfile")) {
		give_file(rp, 3, 1000000);
	} else if (!strcmp(target, "/write")) {
		atomic_store(&is_dirty, 1);
	} else if (!strcmp(target, "/dirty")) {
		give(rp, atomic_load(&is_dirty) ? "yes" : "no");
	} else if (!strcmp(target, "/empty")) {
		rp->status = 204;
	} else if (!strcmp(target, "/same")) {
		rp->status = 304;
		give(rp, "not sent");
	} else if (!strcmp(target, "/peer")) {
		give(rp, rq->peer);
	} else if (!strcmp(target, "/tls")) {
		give(rp, rq->is_tls ? "yes" : "no");
	} else if (!strcmp(target, "/split")) {
		reply_field(rp, "X-Split", "a\r\nX-Evil: b");
		reply_field(rp, "X-Good", "b");
		snprintf(rp->who, sizeof(rp->who), "someone");
	} else if (!strcmp(target, "/small")) {
		rp->status = rq->size ? 413 : 200;
	} else {
		rp->status = 404;
	}
}

/* ---- The frame ---- */

static const struct listen_times quick = {300, 300, 300, 300, 300};
static struct serve_options opt;

/* How many requests were handled since it was asked last. */
static size_t count_handled(void)
{
	char bytes[4096];
	ssize_t n = read(handled[0], bytes, sizeof(bytes));

	return n > 0 ? (size_t)n : 0;
}

/* Until as many more were. */
static void wait_handled(size_t n)
{
	struct pollfd p = {.fd = handled[0], .events = POLLIN};
	char byte;

	for (; n; n--) {
		assert_int_equal(poll(&p, 1, 30000), 1);
		assert_int_equal(read(handled[0], &byte, 1), 1);
	}
}

static void let_go(size_t n)
{
	while (n--)
		assert_int_equal(write(gate[1], "g", 1), 1);
}

static int set_up(void **state)
{
	struct pakhus_error e;

	if (t_dir_make(state) || pipe(gate) || pipe(handled) ||
	    fcntl(handled[0], F_SETFL, O_NONBLOCK) ||
	    pakhus_init(*state, NULL, &e))
		return -1;
	memset(&opt, 0, sizeof(opt));
	opt.server.store = *state;
	opt.listen = "127.0.0.1:0";
	opt.threads = 4;
	return 0;
}

static int tear_down(void **state)
{
	close(gate[0]);
	close(gate[1]);
	close(handled[0]);
	close(handled[1]);
	return t_dir_remove(state);
}

#define SERVED(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

/* ---- Framing ---- */

static void test_what_is_refused_ends_the_connection_in_turn(void **state)
{
	static const struct {
		int status;
		const char *text;
	} bad[] = {
		{400, "POST /echo HTTP/1.1\r\n" H "Content-Length: 44\r\n"
		      "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n"},
		{411, "POST /echo HTTP/1.1\r\n" H
		      "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n"},
		{411, "POST /echo HTTP/1.1\r\n" H
		      "Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n"},
		{400, "POST /echo HTTP/1.1\r\n" H
		      "Content-Length: 0\r\nContent-Length: 0\r\n\r\n"},
		{400, "POST /echo HTTP/1.1\r\n" H
		      "Content-Length: 0\r\nContent-Length: 44\r\n\r\n"},
		{400, "POST /echo HTTP/1.1\r\n" H
		      "Content-Length : 44\r\n\r\n"},
		{400, "POST /echo HTTP/1.1\r\n" H
		      "X: y\r\n Content-Length: 44\r\n\r\n"},
		{400, "GET /echo HTTP/1.1\nHost: a\n\n"},
		{400, "GET /echo HTTP/1.1\r\n\r\n"},
		{400, "GET /echo HTTP/1.1\r\n" H H "\r\n"},
		{400, "GET /echo\r\n\r\n"},
		{400, "\r\nGET /echo HTTP/1.1\r\n" H "\r\n"},
		{400, "\x16\x03\x01\x02"},
		{505, "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"},
		{417, "GET /echo HTTP/1.1\r\n" H "Expect: x\r\n\r\n"},
	};
	struct answer a;
	size_t i;
	int fd;

	(void)state;
	serving_start(&opt);
	for (i = 0; i < T_COUNT(bad); i++) {
		fd = dial();
		say_to(fd, ECHO);
		say_to(fd, bad[i].text);
		say_to(fd, "GET /never HTTP/1.1\r\n" H "\r\n");
		assert_answer(fd, 200, "");
		assert_true(hear(fd, &a, 0));
		if (a.status != bad[i].status)
			fail_msg("%d: %s", a.status, bad[i].text);
		assert_non_null(strstr(a.body, "\"success\":false"));
		assert_non_null(strstr(answer_field(&a, "Content-Type"),
				       "application/json"));
		assert_int_equal(strncmp(answer_field(&a, "Connection"),
					 "close", 5), 0);
		answer_free(&a);
		assert_ended(fd);
		assert_int_equal(count_handled(), 1);
	}
	assert_int_equal(serving_stop(), 0);
}

static void test_heads_that_are_too_large_are_refused(void **state)
{
	char line[1024];
	int fd, i;

	(void)state;
	serving_start(&opt);
	memset(line, 'x', sizeof(line));
	fd = dial();
	say_to(fd, "GET /");
	for (i = 0; i < 16; i++)
		say_n(fd, line, sizeof(line));
	assert_answer(fd, 414, NULL);
	assert_ended(fd);
	fd = dial();
	say_to(fd, "GET / HTTP/1.1\r\n" H "X: ");
	for (i = 0; i < 40; i++)
		say_n(fd, line, sizeof(line));
	assert_answer(fd, 431, NULL);
	assert_ended(fd);
	assert_int_equal(serving_stop(), 0);
}

static void test_pipelined_requests_are_answered_in_order(void **state)
{
	enum { COUNT = 500 };
	char *text = malloc(COUNT * 128), *at = text, want[64];
	int fd, i;

	(void)state;
	serving_start(&opt);
	for (i = 0; i < COUNT; i++)
		at += sprintf(at, "POST /echo%d HTTP/1.1\r\n" H
			      "Content-Length: 5\r\n\r\n<%03d>", i, i);
	fd = dial();
	say_to(fd, text);
	for (i = 0; i < COUNT; i++) {
		snprintf(want, sizeof(want), "%d<%03d>", i, i);
		assert_answer(fd, 200, want);
	}
	close(fd);
	free(text);
	assert_int_equal(serving_stop(), 0);
}

static void test_it_does_not_matter_in_what_pieces_bytes_come(void **state)
{
	static const char text[] = "POST /echo HTTP/1.1\r\n" H
		"Content-Length: 3\r\n\r\nabc" ECHO;
	int fd;
	size_t i;

	(void)state;
	serving_start(&opt);
	fd = dial();
	for (i = 0; i < sizeof(text) - 1; i++) {
		say_n(fd, text + i, 1);
		usleep(200);
	}
	assert_answer(fd, 200, "abc");
	assert_answer(fd, 200, "");
	close(fd);
	assert_int_equal(serving_stop(), 0);
}

static void test_a_large_body_comes_whole(void **state)
{
	char *body = malloc(LIMIT + 1);
	int fd, i;

	(void)state;
	serving_start(&opt);
	for (i = 0; i < LIMIT; i++)
		body[i] = (char)('a' + i % 19);
	body[LIMIT] = '\0';
	fd = dial();
	say_to(fd, "PUT /echo HTTP/1.1\r\n" H "Content-Length: 1048576\r\n\r\n");
	say_to(fd, body);
	say_to(fd, ECHO);
	assert_answer(fd, 200, body);
	assert_answer(fd, 200, "");
	close(fd);
	free(body);
	assert_int_equal(serving_stop(), 0);
}

static void test_a_body_that_is_too_large_is_not_waited_for(void **state)
{
	int fd;

	(void)state;
	serving_start(&opt);
	fd = dial();
	say_to(fd, "POST /small HTTP/1.1\r\n" H "Content-Length: 1048577\r\n"
		   "Expect: 100-continue\r\n\r\n");
	assert_answer(fd, 413, NULL);
	assert_ended(fd);
	fd = dial(); /* beyond any counting */
	say_to(fd, "POST /small HTTP/1.1\r\n" H
		   "Content-Length: 999999999999999999\r\n\r\n");
	assert_answer(fd, 413, NULL);
	assert_ended(fd);
	fd = dial(); /* a little is read, and the connection stays */
	say_to(fd, "POST /small HTTP/1.1\r\n" H "Content-Length: 3\r\n\r\nabc");
	assert_answer(fd, 413, NULL);
	say_to(fd, ECHO);
	assert_answer(fd, 200, "");
	close(fd);
	assert_int_equal(serving_stop(), 0);
}

static void test_who_expects_to_be_told_to_continue_is_told(void **state)
{
	int fd;

	(void)state;
	serving_start(&opt);
	fd = dial();
	say_to(fd, "POST /echo HTTP/1.1\r\n" H "Content-Length: 3\r\n"
		   "Expect: 100-continue\r\n\r\n");
	assert_answer(fd, 100, NULL);
	say_to(fd, "abc");
	assert_answer(fd, 200, "abc");
	/* who did not wait is not told; without a body there is nothing to */
	say_to(fd, "POST /echo HTTP/1.1\r\n" H "Content-Length: 3\r\n"
		   "Expect: 100-continue\r\n\r\nabc");
	assert_answer(fd, 200, "abc");
	say_to(fd, "GET /echo HTTP/1.1\r\n" H "Expect: 100-continue\r\n\r\n");
	assert_answer(fd, 200, "");
	close(fd);
	assert_int_equal(serving_stop(), 0);
}

/* ---- Replies ---- */

static void test_some_replies_have_no_body(void **state)
{
	struct answer a;
	int fd;

	(void)state;
	serving_start(&opt);
	fd = dial();
	say_to(fd, "HEAD /echo/12345 HTTP/1.1\r\n" H "\r\n"
		   "GET /empty HTTP/1.1\r\n" H "\r\n"
		   "GET /same HTTP/1.1\r\n" H "\r\n"
		   "HEAD /bigfile HTTP/1.1\r\n" H "\r\n" ECHO);
	assert_true(hear(fd, &a, 1));
	assert_int_equal(atoi(answer_field(&a, "Content-Length")), 6);
	answer_free(&a);
	assert_true(hear(fd, &a, 0));
	assert_int_equal(a.status, 204);
	assert_null(answer_field(&a, "Content-Length"));
	answer_free(&a);
	assert_true(hear(fd, &a, 0));
	assert_int_equal(a.status, 304);
	assert_null(answer_field(&a, "Content-Length"));
	answer_free(&a);
	assert_true(hear(fd, &a, 1));
	assert_int_equal(atoi(answer_field(&a, "Content-Length")), 1000000);
	answer_free(&a);
	assert_answer(fd, 200, "");
	close(fd);
	assert_int_equal(serving_stop(), 0);
}

static void test_files_are_sent_from_their_offset(void **state)
{
	static const struct {
		const char *target;
		size_t offset, size;
	} rows[] = {{"/file", 5, 1000}, {"/bigfile", 3, 1000000}};
	struct answer a;
	char text[64];
	size_t i, at;
	int fd;

	(void)state;
	serving_start(&opt);
	fd = dial();
	for (i = 0; i < T_COUNT(rows); i++) {
		snprintf(text, sizeof(text), "GET %s HTTP/1.1\r\n" H "\r\n",
			 rows[i].target);
		say_to(fd, text);
		assert_true(hear(fd, &a, 0));
		assert_int_equal(a.size, rows[i].size);
		for (at = 0; at < a.size; at++)
			if (a.body[at] != (char)('a' + (at + rows[i].offset) %
						 23))
				fail_msg("byte %zu", at);
		answer_free(&a);
	}
	close(fd);
	assert_int_equal(serving_stop(), 0);
}

static void test_old_clients_are_understood(void **state)
{
	struct answer a;
	int fd;

	(void)state;
	serving_start(&opt);
	fd = dial();
	say_to(fd, "GET /echo HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
	assert_true(hear(fd, &a, 0));
	assert_int_equal(strncmp(answer_field(&a, "Connection"), "keep-alive",
				 10), 0);
	answer_free(&a);
	say_to(fd, "GET /echo HTTP/1.0\r\n\r\n");
	assert_true(hear(fd, &a, 0));
	assert_int_equal(strncmp(answer_field(&a, "Connection"), "close", 5),
			 0);
	answer_free(&a);
	assert_ended(fd);
	assert_int_equal(serving_stop(), 0);
}

static void test_a_reply_has_the_fields_that_all_have(void **state)
{
	struct answer a;
	int fd, day, year;
	char name[4], month[4];

	(void)state;
	serving_start(&opt);
	fd = dial();
	say_to(fd, "GET /split HTTP/1.1\r\n" H "X-Request-Id: my-id.1\r\n\r\n");
	assert_true(hear(fd, &a, 0));
	assert_int_equal(sscanf(answer_field(&a, "Date"), "%3s, %d %3s %d",
				name, &day, month, &year), 4);
	assert_non_null(strstr(answer_field(&a, "Date"), " GMT\r\n"));
	assert_int_equal(strncmp(answer_field(&a, "Server"),
				 "pakhus/" PAKHUS_VERSION "\r\n",
				 strlen(PAKHUS_VERSION) + 9), 0);
	assert_int_equal(strncmp(answer_field(&a, "X-Request-Id"), "my-id.1\r",
				 8), 0);
	/* what a client can put into a field does not become two */
	assert_null(answer_field(&a, "X-Evil"));
	assert_non_null(answer_field(&a, "X-Good"));
	answer_free(&a);
	say_to(fd, "GET /echo HTTP/1.1\r\n" H "X-Request-Id: a b\r\n\r\n");
	assert_true(hear(fd, &a, 0));
	assert_int_equal(strspn(answer_field(&a, "X-Request-Id"),
				"0123456789abcdef"), 16);
	answer_free(&a);
	close(fd);
	assert_int_equal(serving_stop(), 0);
}

static void test_only_proxies_that_are_trusted_speak_for_others(void **state)
{
	static const char ask[] = "GET /peer HTTP/1.1\r\n" H
		"X-Forwarded-For: 6.6.6.6\r\n"
		"x-forwarded-for: 6.6.6.6, 192.0.2.7, 10.1.2.3\r\n\r\n";
	int fd;

	(void)state;
	serving_start(&opt);
	fd = dial();
	say_to(fd, ask);
	assert_answer(fd, 200, "127.0.0.1");
	close(fd);
	assert_int_equal(serving_stop(), 0);
	opt.trust_proxy = "127.0.0.1,10.0.0.0/8";
	serving_start(&opt);
	fd = dial();
	say_to(fd, ask);
	assert_answer(fd, 200, "192.0.2.7");
	say_to(fd, "GET /tls HTTP/1.1\r\n" H "X-Forwarded-Proto: https\r\n\r\n"
		   "GET /tls HTTP/1.1\r\n" H "\r\n"
		   "GET /peer HTTP/1.1\r\n" H "X-Forwarded-For: ,\r\n\r\n");
	assert_answer(fd, 200, "yes");
	assert_answer(fd, 200, "no");
	assert_answer(fd, 200, "127.0.0.1");
	close(fd);
	assert_int_equal(serving_stop(), 0);
}

/* ---- Clients that do not do their part ---- */

static void test_who_is_slow_is_told_and_left(void **state)
{
	int head, body, idle, silent;

	(void)state;
	opt.times = quick;
	serving_start(&opt);
	head = dial();
	say_to(head, "GET / HTT");
	body = dial();
	say_to(body, "POST /echo HTTP/1.1\r\n" H
		     "Content-Length: 100000\r\n\r\nabc");
	idle = dial();
	say_to(idle, ECHO);
	silent = dial();
	assert_answer(idle, 200, "");
	assert_answer(head, 408, NULL);
	assert_ended(head);
	assert_answer(body, 408, NULL);
	assert_ended(body);
	assert_ended(idle);
	assert_ended(silent);
	assert_int_equal(count_handled(), 1);
	assert_int_equal(serving_stop(), 0);
}

static void test_who_takes_nothing_is_left_and_others_are_served(void **state)
{
	enum { COUNT = 8 };
	int deaf[COUNT], fd, i, small = 4096;
	char bytes[65536];
	size_t got = 0;
	ssize_t n;

	(void)state;
	opt.times = quick;
	opt.times.idle = 30000;
	serving_start(&opt);
	for (i = 0; i < COUNT; i++) {
		deaf[i] = dial();
		setsockopt(deaf[i], SOL_SOCKET, SO_RCVBUF, &small,
			   sizeof(small));
		say_to(deaf[i], "GET /big HTTP/1.1\r\n" H "\r\n");
	}
	fd = dial();
	for (i = 0; i < 20; i++) {
		say_to(fd, ECHO);
		assert_answer(fd, 200, "");
	}
	close(fd);
	/* and one that had its reply cut short saw it */
	sleep(2);
	while ((n = recv(deaf[0], bytes, sizeof(bytes), 0)) > 0)
		got += (size_t)n;
	assert_true(got < BIG);
	for (i = 0; i < COUNT; i++)
		close(deaf[i]);
	assert_int_equal(serving_stop(), 0);
}

static void test_who_hangs_up_early_costs_nothing(void **state)
{
	static const char *const begun[] = {
		"", "G", "GET /echo HTTP/1.1\r\n",
		"POST /echo HTTP/1.1\r\n" H "Content-Length: 9\r\n\r\n",
		"POST /echo HTTP/1.1\r\n" H "Content-Length: 9\r\n\r\nabc",
		"GET /big HTTP/1.1\r\n" H "\r\n",
	};
	const struct linger reset = {1, 0};
	size_t i;
	int fd;

	(void)state;
	serving_start(&opt);
	for (i = 0; i < 2 * T_COUNT(begun); i++) {
		fd = dial();
		say_to(fd, begun[i / 2]);
		if (i % 2)
			setsockopt(fd, SOL_SOCKET, SO_LINGER, &reset,
				   sizeof(reset));
		close(fd);
	}
	/* one that is being answered */
	fd = dial();
	count_handled();
	say_to(fd, "GET /wait HTTP/1.1\r\n" H "\r\n");
	close(fd);
	let_go(1);
	fd = dial();
	say_to(fd, ECHO);
	assert_answer(fd, 200, "");
	close(fd);
	assert_int_equal(serving_stop(), 0);
}

static void test_who_has_said_all_still_hears(void **state)
{
	int fd;

	(void)state;
	serving_start(&opt);
	fd = dial();
	say_to(fd, "GET /wait HTTP/1.1\r\n" H "\r\n" ECHO "GET /ec");
	shutdown(fd, SHUT_WR);
	wait_handled(1);
	let_go(1);
	assert_answer(fd, 200, "waited");
	assert_answer(fd, 200, "");
	assert_ended(fd);
	assert_int_equal(serving_stop(), 0);
}

static void test_more_than_the_limit_are_told_or_take_an_idle_place(
	void **state)
{
	int busy[4], idle, fd, i;

	(void)state;
	opt.connections = 4;
	serving_start(&opt);
	for (i = 0; i < 3; i++) {
		busy[i] = dial();
		say_to(busy[i], "GET /wait HTTP/1.1\r\n" H "\r\n");
	}
	wait_handled(3);
	idle = dial();
	say_to(idle, ECHO);
	assert_answer(idle, 200, "");
	busy[3] = dial();
	say_to(busy[3], "GET /wait HTTP/1.1\r\n" H "\r\n");
	wait_handled(2);
	assert_ended(idle);
	fd = dial();
	assert_answer(fd, 503, NULL);
	assert_ended(fd);
	let_go(4);
	for (i = 0; i < 4; i++) {
		assert_answer(busy[i], 200, "waited");
		close(busy[i]);
	}
	assert_int_equal(serving_stop(), 0);
}

static void test_bodies_are_bounded_together(void **state)
{
	static const char head[] = "POST /echo HTTP/1.1\r\n" H
		"Content-Length: 100000\r\n\r\n";
	char body[100000];
	int one, two;

	(void)state;
	opt.bodies = 120000;
	serving_start(&opt);
	memset(body, 'b', sizeof(body));
	one = dial();
	say_to(one, head);
	say_n(one, body, sizeof(body) - 1);
	two = dial();
	say_to(two, head);
	/* who comes first is not known, but not both have room */
	send(two, body, sizeof(body) - 1, MSG_NOSIGNAL);
	usleep(100000);
	send(one, body, 1, MSG_NOSIGNAL);
	send(two, body, 1, MSG_NOSIGNAL);
	{
		struct answer a, b;

		assert_true(hear(one, &a, 0));
		assert_true(hear(two, &b, 0));
		assert_int_equal(a.status + b.status, 200 + 503);
		answer_free(&a);
		answer_free(&b);
	}
	close(one);
	close(two);
	/* and what is over is given back */
	one = dial();
	say_to(one, head);
	say_n(one, body, sizeof(body));
	assert_answer(one, 200, NULL);
	close(one);
	assert_int_equal(serving_stop(), 0);
}

static void test_who_may_send_nothing_takes_no_room_from_others(void **state)
{
	static const char rest[] = " HTTP/1.1\r\n" H
		"Content-Length: 30000\r\n\r\n";
	char body[30000];
	int fd;

	(void)state;
	opt.bodies = 50000; /* of which that is more than a half */
	serving_start(&opt);
	memset(body, 'b', sizeof(body));
	/* there is no token, and a door for those who have one */
	fd = dial();
	say_to(fd, "POST /api/v1/registry/packages");
	say_to(fd, rest);
	assert_answer(fd, 404, NULL);
	assert_ended(fd);
	fd = dial();
	say_to(fd, "POST /echo");
	say_to(fd, rest);
	say_n(fd, body, sizeof(body));
	assert_answer(fd, 200, NULL);
	close(fd);
	assert_int_equal(serving_stop(), 0);
}

static void test_replies_that_wait_are_bounded_together(void **state)
{
	enum { COUNT = 8 };
	int deaf[COUNT], fd, i, small = 4096, cut = 0;
	char bytes[65536];
	struct answer a;
	ssize_t n;

	(void)state;
	opt.replies = 1; /* whoever comes next needs all of it */
	serving_start(&opt);
	for (i = 0; i < COUNT; i++) {
		deaf[i] = dial();
		setsockopt(deaf[i], SOL_SOCKET, SO_RCVBUF, &small,
			   sizeof(small));
		say_to(deaf[i], "GET /big HTTP/1.1\r\n" H "\r\n");
		assert_int_equal(recv(deaf[i], bytes, 1, MSG_PEEK), 1);
	}
	/* who takes what was asked for gets it all */
	fd = dial();
	say_to(fd, "GET /big HTTP/1.1\r\n" H "\r\n");
	assert_true(hear(fd, &a, 0));
	assert_int_equal(a.size, BIG);
	answer_free(&a);
	close(fd);
	for (i = 0; i < COUNT; i++) {
		while ((n = recv(deaf[i], bytes, sizeof(bytes),
				 MSG_DONTWAIT)) > 0)
			;
		cut += n < 0 && errno == ECONNRESET;
		close(deaf[i]);
	}
	assert_true(cut >= COUNT - 1);
	assert_int_equal(serving_stop(), 0);
}

/* ---- Its life ---- */

static void test_what_runs_is_finished_when_it_is_told_to_stop(void **state)
{
	struct answer a;
	int fd, idle, i;

	(void)state;
	serving_start(&opt);
	idle = dial();
	say_to(idle, ECHO);
	assert_answer(idle, 200, "");
	fd = dial();
	say_to(fd, "GET /wait HTTP/1.1\r\n" H "\r\n" ECHO);
	wait_handled(2);
	kill(serving.pid, SIGTERM);
	assert_ended(idle);
	for (i = 0; i < 1000; i++) {
		int more = dial();

		if (more < 0)
			break;
		close(more);
		usleep(1000);
	}
	assert_true(i < 1000);
	let_go(1);
	assert_true(hear(fd, &a, 0));
	assert_string_equal(a.body, "waited");
	assert_int_equal(strncmp(answer_field(&a, "Connection"), "close", 5),
			 0);
	answer_free(&a);
	assert_ended(fd);
	assert_int_equal(serving_wait(), 0);
	assert_int_equal(count_handled(), 0);
}

static void test_what_does_not_end_is_left(void **state)
{
	int fd, twice;

	(void)state;
	opt.times = quick;
	for (twice = 0; twice < 2; twice++) {
		serving_start(&opt);
		fd = dial();
		say_to(fd, "GET /wait HTTP/1.1\r\n" H "\r\n");
		wait_handled(1);
		kill(serving.pid, SIGTERM);
		/* a second signal ends it at once, and else it is time */
		if (twice)
			kill(serving.pid, SIGINT);
		assert_int_equal(serving_wait(), twice ? -1 : 1);
		close(fd);
	}
}

static void test_a_unix_socket_is_made_and_taken_away(void **state)
{
	char address[256];
	pid_t first;
	int fd;

	snprintf(address, sizeof(address), "unix:%s/socket",
		 (const char *)*state);
	opt.listen = address;
	serving_start(&opt);
	assert_string_equal(serving.url, address);
	fd = dial();
	say_to(fd, "GET /peer HTTP/1.1\r\n" H "\r\n");
	assert_answer(fd, 200, "unix");
	close(fd);
	/* another does not take it away */
	first = serving.pid;
	serving_start(&opt);
	assert_string_equal(serving.url, "");
	assert_int_equal(serving_wait(), 1);
	/* but what was left of one that was killed is replaced */
	kill(first, SIGKILL);
	waitpid(first, NULL, 0);
	assert_int_equal(access(address + 5, F_OK), 0);
	serving_start(&opt);
	assert_string_equal(serving.url, address);
	assert_int_equal(serving_stop(), 0);
	assert_int_equal(access(address + 5, F_OK), -1);
}

static void test_addresses_that_are_none_are_refused(void **state)
{
	static const char *const none[] = {
		"", "4600", "127.0.0.1", "127.0.0.1:", "127.0.0.1:65536",
		"127.0.0.1:x", "::1:80", "[::1]", "[]:80", "[::1:80", "unix:",
	};
	struct pakhus_error e;
	char name[ADDRESS_MAX];
	size_t i;
	int fd;

	(void)state;
	for (i = 0; i < T_COUNT(none); i++) {
		memset(&e, 0, sizeof(e));
		if (address_listen(none[i], name, &e) >= 0)
			fail_msg("%s", none[i]);
		assert_int_equal(e.status, PAKHUS_EINVAL);
		assert_true(strlen(e.text) > 8);
	}
	fd = address_listen("localhost:0", name, &e);
	assert_true(fd >= 0);
	close(fd);
	fd = address_listen(":0", name, &e);
	assert_true(fd >= 0);
	close(fd);
	assert_int_equal(address_is_in("10.0.0.0/8", "10.255.1.2"), 1);
	assert_int_equal(address_is_in("10.0.0.0/15", "10.2.0.0"), 0);
	assert_int_equal(address_is_in("::1,fe80::/10", "febf::1"), 1);
	assert_int_equal(address_is_in("::/0", "10.0.0.1"), 0);
	assert_int_equal(address_is_in("unix", "unix"), 1);
	assert_int_equal(address_is_in("10.0.0.0/33", "10.0.0.1"), -1);
	assert_int_equal(address_is_in("10.0.0.0/", "10.0.0.1"), -1);
	assert_int_equal(address_is_in("host", "10.0.0.1"), -1);
	assert_int_equal(address_is_in("", "10.0.0.1"), -1);
}

static void test_systemd_is_told_and_may_bring_the_socket(void **state)
{
	struct sockaddr_un sa = {.sun_family = AF_UNIX};
	struct sockaddr_in in = {.sin_family = AF_INET};
	socklen_t size = sizeof(in);
	struct serve_options o = opt;
	struct pakhus_error e;
	char text[64], pid[32];
	int notes, passed, fd, status;
	pid_t child;

	in.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	snprintf(sa.sun_path, sizeof(sa.sun_path), "%s/notes",
		 (const char *)*state);
	notes = socket(AF_UNIX, SOCK_DGRAM, 0);
	assert_int_equal(bind(notes, (struct sockaddr *)&sa, sizeof(sa)), 0);
	passed = socket(AF_INET, SOCK_STREAM, 0);
	assert_int_equal(bind(passed, (struct sockaddr *)&in, sizeof(in)), 0);
	assert_int_equal(listen(passed, 8), 0);
	assert_int_equal(getsockname(passed, (struct sockaddr *)&in, &size), 0);
	snprintf(serving.url, sizeof(serving.url), "http://127.0.0.1:%d",
		 ntohs(in.sin_port));
	fflush(NULL);
	child = fork();
	if (!child) {
		dup2(passed, 3);
		snprintf(pid, sizeof(pid), "%ld", (long)getpid());
		setenv("LISTEN_PID", pid, 1);
		setenv("LISTEN_FDS", "1", 1);
		setenv("NOTIFY_SOCKET", sa.sun_path, 1);
		o.listen = NULL;
		o.access_log = "off";
		exit(serve_run(&o, &e) ? 1 : 0);
	}
	memset(text, 0, sizeof(text));
	assert_true(recv(notes, text, sizeof(text) - 1, 0) > 0);
	assert_string_equal(text, "READY=1");
	fd = dial();
	say_to(fd, ECHO);
	assert_answer(fd, 200, "");
	close(fd);
	kill(child, SIGTERM);
	memset(text, 0, sizeof(text));
	assert_true(recv(notes, text, sizeof(text) - 1, 0) > 0);
	assert_string_equal(text, "STOPPING=1");
	waitpid(child, &status, 0);
	assert_int_equal(WEXITSTATUS(status), 0);
	close(notes);
	close(passed);
}

static void test_the_access_log_has_a_line_a_request(void **state)
{
	char path[256], text[4096] = "";
	FILE *f;
	int fd;

	snprintf(path, sizeof(path), "%s/access", (const char *)*state);
	opt.access_log = path;
	serving_start(&opt);
	fd = dial();
	say_to(fd, "GET /split HTTP/1.1\r\n" H "User-Agent: me \"1\"\r\n"
		   "X-Request-Id: i\r\n\r\n"
		   "GET /x?a=b&Token=t&api_key=k&c HTTP/1.1\r\n" H "\r\n"
		   "BAD\r\n\r\n");
	assert_answer(fd, 200, NULL);
	assert_answer(fd, 404, NULL);
	assert_answer(fd, 400, NULL);
	assert_ended(fd);
	assert_int_equal(serving_stop(), 0);
	f = fopen(path, "r");
	assert_non_null(f);
	assert_true(fread(text, 1, sizeof(text) - 1, f) > 0);
	fclose(f);
	assert_non_null(strstr(text, "\"peer\":\"127.0.0.1\",\"method\":\"GET\","
			       "\"target\":\"/split\",\"route\":\"/test\","
			       "\"status\":200,\"bytes\":0,\"duration_us\":"));
	assert_non_null(strstr(text, "\"who\":\"someone\",\"user_agent\":"
			       "\"me \\\"1\\\"\",\"id\":\"i\"}\n{\"time\":\""));
	assert_non_null(strstr(text, "\"target\":\"/x?a=b&Token=***&"
			       "api_key=***&c\""));
	assert_non_null(strstr(text, "\"status\":400"));
}

static void test_the_access_log_tells_of_targets_that_are_no_path(
	void **state)
{
	static const char *const bad[] = {
		"GET x HTTP/1.1\r\n" H "\r\n",
		"OPTIONS * HTTP/1.1\r\n" H "\r\n",
		"CONNECT a:1 HTTP/1.1\r\n" H "\r\n",
	};
	char path[256];
	size_t i;
	int fd;

	snprintf(path, sizeof(path), "%s/access", (const char *)*state);
	opt.access_log = path;
	serving_start(&opt);
	for (i = 0; i < T_COUNT(bad); i++) {
		fd = dial();
		say_to(fd, bad[i]);
		assert_answer(fd, 400, NULL);
		assert_ended(fd);
	}
	assert_int_equal(serving_stop(), 0);
}

static int noted[2];

static void note(void *arg, const char *text)
{
	(void)arg;
	if (write(noted[1], text, strlen(text)) < 0 ||
	    write(noted[1], "\n", 1) != 1)
		abort();
}

static void test_a_sync_that_fails_is_tried_again_and_said_once(void **state)
{
	char text[1024] = "";
	int fd, i;
	struct answer a = {0};

	(void)state;
	assert_int_equal(pipe(noted), 0);
	opt.server.notice = note;
	serving_start(&opt);
	fd = dial();
	say_to(fd, "PUT /write HTTP/1.1\r\n" H "\r\n");
	assert_answer(fd, 200, NULL);
	for (i = 0; i < 3000; i++) {
		int is_over;

		say_to(fd, "GET /dirty HTTP/1.1\r\n" H "\r\n");
		assert_true(hear(fd, &a, 0));
		is_over = !strcmp(a.body, "no");
		answer_free(&a);
		if (is_over)
			break;
		usleep(10000);
	}
	assert_true(i < 3000);
	close(fd);
	assert_int_equal(serving_stop(), 0);
	assert_true(read(noted[0], text, sizeof(text) - 1) > 0);
	assert_string_equal(text,
		"what was published is durable, but not in the tree that "
		"mirrors copy; tried again: no space\n"
		"what was published is in the tree again\n");
	close(noted[0]);
	close(noted[1]);
}

static void test_a_log_that_nobody_reads_keeps_nobody_waiting(void **state)
{
	char target[4096];
	int fd, i, log[2], before = dup(2);

	(void)state;
	assert_int_equal(pipe(log), 0);
	dup2(log[1], 2);
	close(log[1]);
	opt.access_log = "-";
	serving_start(&opt);
	dup2(before, 2);
	close(before);
	fd = dial();
	memset(target, 'x', sizeof(target));
	for (i = 0; i < 600; i++) { /* more than a pipe and more than is kept */
		say_to(fd, "GET /echo");
		say_n(fd, target, sizeof(target));
		say_to(fd, " HTTP/1.1\r\n" H "\r\n");
		assert_answer(fd, 200, NULL);
	}
	close(fd);
	assert_int_equal(serving_stop(), 0);
	close(log[0]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		SERVED(test_what_is_refused_ends_the_connection_in_turn),
		SERVED(test_heads_that_are_too_large_are_refused),
		SERVED(test_pipelined_requests_are_answered_in_order),
		SERVED(test_it_does_not_matter_in_what_pieces_bytes_come),
		SERVED(test_a_large_body_comes_whole),
		SERVED(test_a_body_that_is_too_large_is_not_waited_for),
		SERVED(test_who_expects_to_be_told_to_continue_is_told),
		SERVED(test_some_replies_have_no_body),
		SERVED(test_files_are_sent_from_their_offset),
		SERVED(test_old_clients_are_understood),
		SERVED(test_a_reply_has_the_fields_that_all_have),
		SERVED(test_only_proxies_that_are_trusted_speak_for_others),
		SERVED(test_who_is_slow_is_told_and_left),
		SERVED(test_who_takes_nothing_is_left_and_others_are_served),
		SERVED(test_who_hangs_up_early_costs_nothing),
		SERVED(test_who_has_said_all_still_hears),
		SERVED(test_more_than_the_limit_are_told_or_take_an_idle_place),
		SERVED(test_bodies_are_bounded_together),
		SERVED(test_who_may_send_nothing_takes_no_room_from_others),
		SERVED(test_replies_that_wait_are_bounded_together),
		SERVED(test_what_runs_is_finished_when_it_is_told_to_stop),
		SERVED(test_what_does_not_end_is_left),
		SERVED(test_a_unix_socket_is_made_and_taken_away),
		SERVED(test_addresses_that_are_none_are_refused),
		SERVED(test_systemd_is_told_and_may_bring_the_socket),
		SERVED(test_the_access_log_has_a_line_a_request),
		SERVED(test_the_access_log_tells_of_targets_that_are_no_path),
		SERVED(test_a_sync_that_fails_is_tried_again_and_said_once),
		SERVED(test_a_log_that_nobody_reads_keeps_nobody_waiting),
	};
	if (getenv("ONLY"))
		cmocka_set_test_filter(getenv("ONLY"));
	return cmocka_run_group_tests(tests, NULL, NULL);
}
