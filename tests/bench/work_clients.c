/* work_clients.c - several clients that publish at once: threads of this
 * process, or processes of their own. */
#include "seats.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

/* Client c's documents in a round, all of them apart from the others'. */
static void round_docs(struct docs *out, const struct counts *n, uint64_t c,
		       uint64_t round)
{
	docs_make(out, DOCS_GENERATED,
		  (round * n->clients + c) * n->client_each, n->client_each,
		  n->clients * n->client_each * n->client_rounds);
}

static int publish_all(const struct peer *p, void *client,
		       const struct docs *docs)
{
	for (size_t i = 0; i < docs->count; i++)
		if (p->publish(client, &docs->items[i]) < 0)
			return -1;
	return 0;
}

static void add_rate(struct seat *seat, const struct counts *n, int64_t took)
{
	samples_add(&seat->samples,
		    (double)(n->clients * n->client_each) * 1e9 / (double)took);
}

/* All that was published comes back. The seat has a client. */
static int check_all(struct seat *seat, const struct counts *n)
{
	uint64_t total = n->clients * n->client_each * n->client_rounds;
	struct doc doc;
	int64_t took = 0;

	for (uint64_t i = 0; i < total && took >= 0; i++) {
		doc_nth(&doc, DOCS_GENERATED, i, total);
		took = seat_get(seat, &doc, doc.version);
		doc_release(&doc);
	}
	return took < 0 ? -1 : 0;
}

/* ---- Threads ---- */

struct worker {
	const struct peer *peer;
	void *client;
	struct docs docs;
	pthread_barrier_t *start;
	pthread_t thread;
	int rc;
};

static void *work(void *arg)
{
	struct worker *w = arg;

	pthread_barrier_wait(w->start);
	w->rc = publish_all(w->peer, w->client, &w->docs);
	return NULL;
}

static int threads_turn(struct seat *seat, const struct counts *n,
			void **clients, uint64_t round)
{
	struct worker *w = must(calloc(n->clients, sizeof(*w)));
	pthread_barrier_t start;
	int64_t began;
	int rc = 0;

	pthread_barrier_init(&start, NULL, (unsigned)n->clients + 1);
	for (uint64_t c = 0; c < n->clients; c++) {
		w[c].peer = seat->peer;
		w[c].client = clients[c];
		w[c].start = &start;
		round_docs(&w[c].docs, n, c, round);
		if (pthread_create(&w[c].thread, NULL, work, &w[c]))
			exit(-bench_fail("a thread cannot be started"));
	}
	pthread_barrier_wait(&start);
	began = now_ns();
	for (uint64_t c = 0; c < n->clients; c++) {
		pthread_join(w[c].thread, NULL);
		rc |= w[c].rc;
	}
	add_rate(seat, n, now_ns() - began);
	for (uint64_t c = 0; c < n->clients; c++)
		docs_release(&w[c].docs);
	pthread_barrier_destroy(&start);
	free(w);
	return rc;
}

/* clients[i * count + c]: seat i's c-th. */
static int open_threads(struct seats *s, const struct counts *n, void **clients)
{
	static const struct peer_options none;

	if (seats_open(s, NULL))
		return -1;
	for (size_t i = 0; i < s->count; i++)
		for (uint64_t c = 0; c < n->clients; c++) {
			const struct peer *p = s->at[i].peer;
			void **client = &clients[i * n->clients + c];

			*client = s->at[i].client;
			if (c && !(p->can & PEER_SHARED))
				*client = p->open(p, s->at[i].dir, &none);
			if (!*client)
				return -1;
		}
	return 0;
}

static void close_threads(struct seats *s, const struct counts *n,
			  void **clients)
{
	for (size_t i = 0; i < s->count; i++)
		for (uint64_t c = 0; c < n->clients; c++) {
			void *client = clients[i * n->clients + c];

			if (client && client != s->at[i].client)
				s->at[i].peer->close(client);
		}
}

int work_threads(struct bench *b)
{
	const struct counts *n = &b->counts;
	struct seats s;
	void **clients;
	int rc = seats_new(&s, b, "publish-threads", PEER_THREADS);

	clients = must(calloc(s.count * n->clients + 1, sizeof(*clients)));
	if (!rc)
		rc = open_threads(&s, n, clients);
	for (uint64_t r = 0; r < n->client_rounds && !rc; r++)
		for (size_t i = 0; i < s.count && !rc; i++) {
			struct seat *seat = seats_turn(&s, r, i);

			rc = threads_turn(seat, n,
					  clients + (size_t)(seat - s.at) *
							    n->clients,
					  r);
		}
	for (size_t i = 0; i < s.count && !rc; i++)
		rc = check_all(&s.at[i], n);
	if (!rc)
		seats_write(&s, "publish-threads", doc_kinds[DOCS_GENERATED], 0,
			    (unsigned)n->clients, "per_s");
	close_threads(&s, n, clients);
	free(clients);
	seats_release(&s);
	return rc;
}

/* ---- Processes ---- */

/* A child reads a byte and makes the documents of its next round, says that
 * it has, reads a byte and publishes, says so again; it ends when there is
 * nothing to read. What it says is '+', or '-' when it failed. */
struct child {
	pid_t pid;
	int order, report; /* our ends; report is the same for all of a seat */
};

static int say(int fd, char byte)
{
	return write(fd, &byte, 1) == 1 ? 0 : -1;
}

static int hear(int fd)
{
	char byte;

	return read(fd, &byte, 1) == 1 && byte == '+' ? 0 : -1;
}

static _Noreturn void child_main(struct seat *seat, const struct counts *n,
				 uint64_t c, int order, int report)
{
	struct docs docs;
	int rc = seat_open(seat, NULL);

	for (uint64_t r = 0; !hear(order); r++) {
		round_docs(&docs, n, c, r);
		say(report, rc ? '-' : '+');
		if (rc || hear(order))
			break;
		rc = publish_all(seat->peer, seat->client, &docs);
		say(report, rc ? '-' : '+');
		docs_release(&docs);
	}
	seat_close(seat);
	_exit(rc ? 1 : 0);
}

/* Children get each other's pipes when they are forked, and close them: who
 * waits for the end of one would wait for all. */
static int start_children(struct seat *seat, const struct counts *n,
			  struct child *all, size_t first)
{
	int report[2], order[2];

	if (pipe(report))
		return bench_fail("pipe: %s", strerror(errno));
	for (size_t c = first; c < first + n->clients; c++) {
		if (pipe(order))
			return bench_fail("pipe: %s", strerror(errno));
		all[c].order = order[1];
		all[c].report = report[0];
		all[c].pid = fork();
		if (all[c].pid < 0)
			return bench_fail("fork: %s", strerror(errno));
		if (all[c].pid) {
			close(order[0]);
			continue;
		}
		for (size_t i = 0; i <= c; i++)
			close(all[i].order);
		child_main(seat, n, c - first, order[0], report[1]);
	}
	close(report[1]);
	return 0;
}

/* All are told, and all have answered. */
static int round_trip(const struct child *children, uint64_t count)
{
	int rc = 0;

	for (uint64_t c = 0; c < count; c++)
		rc |= say(children[c].order, '+');
	for (uint64_t c = 0; c < count && !rc; c++)
		rc = hear(children[c].report);
	return rc;
}

static int processes_turn(struct seat *seat, const struct counts *n,
			  const struct child *children)
{
	int64_t began;
	int rc = round_trip(children, n->clients);

	began = now_ns();
	if (!rc)
		rc = round_trip(children, n->clients);
	add_rate(seat, n, now_ns() - began);
	return rc ? bench_fail("%s: a process failed", seat->peer->name) : 0;
}

static int end_children(const struct child *all, size_t count)
{
	int rc = 0, status;

	for (size_t c = 0; c < count; c++)
		if (all[c].pid > 0)
			close(all[c].order);
	for (size_t c = 0; c < count; c++)
		if (all[c].pid > 0 &&
		    (waitpid(all[c].pid, &status, 0) < 0 || status))
			rc = -1;
	return rc;
}

int work_processes(struct bench *b)
{
	const struct counts *n = &b->counts;
	struct seats s;
	struct child *all;
	int rc = seats_new(&s, b, "publish-processes", PEER_PROCESSES);

	all = must(calloc(s.count * n->clients + 1, sizeof(*all)));
	fflush(NULL);
	for (size_t i = 0; i < s.count && !rc; i++) {
		rc = seat_open(&s.at[i], NULL); /* makes the store */
		seat_close(&s.at[i]);
		if (!rc)
			rc = start_children(&s.at[i], n, all, i * n->clients);
	}
	for (uint64_t r = 0; r < n->client_rounds && !rc; r++)
		for (size_t i = 0; i < s.count && !rc; i++) {
			struct seat *seat = seats_turn(&s, r, i);

			rc = processes_turn(seat, n,
					    all + (size_t)(seat - s.at) *
							    n->clients);
		}
	rc |= end_children(all, s.count * n->clients);
	if (!rc)
		rc = seats_open(&s, NULL);
	for (size_t i = 0; i < s.count && !rc; i++)
		rc = check_all(&s.at[i], n);
	if (!rc)
		seats_write(&s, "publish-processes", doc_kinds[DOCS_GENERATED],
			    0, (unsigned)n->clients, "per_s");
	for (size_t i = 0; i < s.count; i++)
		if (all[i * n->clients].pid > 0)
			close(all[i * n->clients].report);
	free(all);
	seats_release(&s);
	return rc;
}
