/* work_scale.c - how cost grows with what is in the store: the same works at
 * several sizes, small documents, interleaved across sizes as well. In each
 * store the same number of versions is asked for again and again, so that
 * sizes differ in what is in the store and not in how often it is asked.
 *
 * What is published here is deleted again, so that the filled stores stay
 * what they are for the next work. */
#include "cold.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#define SCALES 4
#define SMALL doc_kinds[DOCS_SMALL]
#define PAGE 100
#define ASKED 500

struct scales {
	struct seats at[SCALES];
	uint64_t versions[SCALES];
	int count; /* those before the first of 0 versions */
	struct bench *bench;
};

static void scales_release(struct scales *s)
{
	for (int i = 0; i < s->count; i++)
		seats_release(&s->at[i]);
}

static int scales_fill(struct scales *s, struct bench *b, unsigned can)
{
	int rc = 0;

	*s = (struct scales){.bench = b};
	for (int i = 0; i < SCALES && b->counts.scale[i] && !rc; i++) {
		s->versions[i] = b->counts.scale[i];
		s->count = i + 1;
		rc = seats_filled(&s->at[i], b, DOCS_SMALL, s->versions[i],
				  can | PEER_SCALE);
	}
	return rc;
}

static int scales_open(struct scales *s, const struct peer_options *opt)
{
	int rc = 0;

	for (int i = 0; i < s->count && !rc; i++)
		rc = seats_open(&s->at[i], opt);
	return rc;
}

typedef int block_fn(struct seat *seat, const struct docs *docs);

/* What a round of all seats of all scales does: makes a block of documents
 * for each scale, and lets the seats have their turn with it. */
struct task {
	const char *work;
	uint64_t rounds;
	void (*ask)(struct doc *out, uint64_t versions, uint64_t *random);
	block_fn *before, *block, *after; /* of these, block is measured */
};

static int scale_round(struct scales *s, const struct task *t, int scale,
		       uint64_t round)
{
	struct doc items[BLOCK];
	struct docs docs = {.items = items, .count = BLOCK};
	struct seats *seats = &s->at[scale];
	int rc = 0;

	for (size_t i = 0; i < BLOCK; i++)
		t->ask(&items[i], s->versions[scale], &s->bench->seed);
	for (size_t i = 0; i < seats->count && !rc && t->before; i++)
		rc = t->before(seats_turn(seats, round, i), &docs);
	for (size_t i = 0; i < seats->count && !rc; i++)
		rc = t->block(seats_turn(seats, round, i), &docs);
	for (size_t i = 0; i < seats->count && !rc && t->after; i++)
		rc = t->after(seats_turn(seats, round, i), &docs);
	for (size_t i = 0; i < BLOCK; i++)
		doc_release(&items[i]);
	return rc;
}

static int scales_run(struct scales *s, const struct task *t)
{
	int rc = 0;

	for (uint64_t r = 0; r < t->rounds && !rc; r++)
		for (int i = 0; i < s->count && !rc; i++)
			rc = scale_round(
				s, t,
				(int)((r + (unsigned)i) % (unsigned)s->count),
				r);
	for (int i = 0; i < s->count && !rc; i++)
		seats_write(&s->at[i], t->work, SMALL, s->versions[i], 1, "ns");
	return rc;
}

/* ---- What is asked ---- */

/* One of ASKED packages, spread over all of them; *i says which version is
 * asked for of it. */
static uint64_t ask_package(uint64_t versions, uint64_t *random, uint64_t *i)
{
	*i = random_below(random, ASKED);
	return *i * (versions / VERSIONS_EACH) / ASKED;
}

static void ask_any(struct doc *out, uint64_t versions, uint64_t *random)
{
	uint64_t i, package = ask_package(versions, random, &i);

	doc_make(out, DOCS_SMALL, package, i % VERSIONS_EACH);
}

static void ask_latest(struct doc *out, uint64_t versions, uint64_t *random)
{
	uint64_t i, package = ask_package(versions, random, &i);

	doc_make(out, DOCS_SMALL, package, VERSIONS_EACH - 1);
}

/* A version that was never there, in this run or in one before: a text that
 * the store knows already would cost less. */
static void ask_new(struct doc *out, uint64_t versions, uint64_t *random)
{
	static uint64_t made;
	uint64_t i, package = ask_package(versions, random, &i);

	doc_make(out, DOCS_SMALL, package,
		 ((uint64_t)time(NULL) << 20) + made++);
}

static int get_block(struct seat *seat, const struct docs *docs)
{
	for (size_t i = 0; i < docs->count; i++)
		if (seat_add(seat, seat_get(seat, &docs->items[i],
					    docs->items[i].version)))
			return -1;
	return 0;
}

static int latest_block(struct seat *seat, const struct docs *docs)
{
	for (size_t i = 0; i < docs->count; i++)
		if (seat_add(seat, seat_get(seat, &docs->items[i], NULL)))
			return -1;
	return 0;
}

static int publish_block(struct seat *seat, const struct docs *docs)
{
	for (size_t i = 0; i < docs->count; i++)
		if (seat_add(seat, seat->peer->publish(seat->client,
						       &docs->items[i])))
			return -1;
	return 0;
}

static int delete_block(struct seat *seat, const struct docs *docs)
{
	for (size_t i = 0; i < docs->count; i++)
		if (seat->peer->remove(seat->client, docs->items[i].id,
				       docs->items[i].version) < 0)
			return -1;
	return 0;
}

int work_scale(struct bench *b)
{
	uint64_t rounds = b->counts.scale_each / BLOCK + 1;
	/* What is asked for is in memory then: the pages of a small store
	 * would be in any case, those of a large one had to be read. */
	const struct task tasks[] = {
		{"get-latest", rounds, ask_latest, seat_get_all, latest_block,
		 NULL},
		{"get-pinned", rounds, ask_any, seat_get_all, get_block, NULL},
		{"publish", rounds, ask_new, NULL, publish_block, delete_block},
	};
	const struct peer_options no_cache = {.cache = 1};
	struct scales s;
	int rc = scales_fill(&s, b, PEER_DELETE);

	if (!rc)
		rc = scales_open(&s, &no_cache);
	for (size_t i = 0; i < sizeof(tasks) / sizeof(*tasks) && !rc; i++)
		rc = scales_run(&s, &tasks[i]);
	scales_release(&s);
	return rc;
}

/* ---- Lists ---- */

static int list_scale(struct scales *s, int scale, size_t limit)
{
	uint64_t packages = s->versions[scale] / VERSIONS_EACH;
	uint64_t want = limit && packages > limit ? limit : packages;
	struct seats *seats = &s->at[scale];
	/* fewer where one of them takes seconds */
	uint64_t rounds = s->bench->counts.lists / (want / 10000 + 1) + 1;

	for (uint64_t r = 0; r < rounds; r++)
		for (size_t i = 0; i < seats->count; i++) {
			struct seat *seat = seats_turn(seats, r, i);
			uint64_t bytes;
			size_t count;

			if (seat_add(seat, seat->peer->list(seat->client, limit,
							    &count, &bytes)))
				return -1;
			if (count != want || !bytes)
				return bench_fail("%s: list: %zu packages, not "
						  "%llu",
						  seat->peer->name, count,
						  (unsigned long long)want);
		}
	seats_write(seats, limit ? "list-page" : "list", SMALL,
		    s->versions[scale], 1, "ns");
	return 0;
}

int work_list(struct bench *b)
{
	struct scales s;
	int rc = scales_fill(&s, b, PEER_LIST);

	if (!rc)
		rc = scales_open(&s, NULL);
	for (int i = 0; i < s.count && !rc; i++)
		rc = list_scale(&s, i, PAGE);
	for (int i = 0; i < s.count && !rc; i++)
		rc = list_scale(&s, i, 0);
	scales_release(&s);
	return rc;
}

/* ---- Opening ---- */

/* In a process of its own, or in this one, which has done it before. */
static int open_one(struct seat *seat, struct bench *b, const struct doc *doc)
{
	struct cold cold = {0};

	return cold_get(b, seat, doc, &cold) || seat_add(seat, cold.opened);
}

static int open_again(struct seat *seat, struct bench *b, const struct doc *doc)
{
	int64_t start = cpu_ns(), took;

	(void)b;
	if (seat_open(seat, NULL))
		return -1;
	took = cpu_ns() - start;
	if (seat_get(seat, doc, doc->version) < 0)
		return -1;
	seat_close(seat);
	return seat_add(seat, took);
}

typedef int open_fn(struct seat *seat, struct bench *b, const struct doc *doc);

static int open_scale(struct scales *s, int scale, open_fn *opens,
		      const char *work)
{
	struct seats *seats = &s->at[scale];
	int rc = 0;

	for (uint64_t r = 0; r < s->bench->counts.colds && !rc; r++) {
		struct doc doc;

		ask_any(&doc, s->versions[scale], &s->bench->seed);
		for (size_t i = 0; i < seats->count && !rc; i++)
			rc = opens(seats_turn(seats, r, i), s->bench, &doc);
		doc_release(&doc);
	}
	if (!rc)
		seats_write(seats, work, SMALL, s->versions[scale], 1,
			    "cpu_ns");
	return rc;
}

int work_open(struct bench *b)
{
	struct scales s;
	int rc = scales_fill(&s, b, PEER_COLD);

	for (int i = 0; i < s.count && !rc; i++)
		rc = open_scale(&s, i, open_one, "open");
	for (int i = 0; i < s.count && !rc; i++)
		rc = open_scale(&s, i, open_again, "open-again");
	scales_release(&s);
	return rc;
}
