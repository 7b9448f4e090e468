/* work_get.c - reading from a store of generated documents. */
#include "seats.h"

/* What a work asks for: fills a block of documents, and tells by which
 * version they are asked for. */
struct question {
	const char *work;
	void (*ask)(struct doc *out, uint64_t versions, uint64_t *random);
	int latest;
	struct peer_options options;
};

static void ask_latest(struct doc *out, uint64_t versions, uint64_t *random)
{
	uint64_t packages = versions / VERSIONS_EACH;
	uint64_t few = packages < 4 ? packages : 4;

	doc_make(out, DOCS_GENERATED, random_below(random, few),
		 VERSIONS_EACH - 1);
}

static void ask_any(struct doc *out, uint64_t versions, uint64_t *random)
{
	doc_nth(out, DOCS_GENERATED, random_below(random, versions), versions);
}

static void ask_miss(struct doc *out, uint64_t versions, uint64_t *random)
{
	ask_any(out, versions, random);
	doc_release(out); /* leaves id and version; no text is to be found */
	snprintf(out->version, sizeof(out->version), "9.9.9");
}

static int turn(struct seat *seat, const struct question *q,
		const struct doc *docs, int warm)
{
	for (size_t i = 0; i < BLOCK; i++) {
		int64_t took = seat_get(seat, &docs[i],
					q->latest ? NULL : docs[i].version);

		if (took < 0 || (!warm && seat_add(seat, took)))
			return -1;
	}
	return 0;
}

/* The first quarter of the rounds warms caches and is not counted. */
static int rounds(struct seats *s, const struct question *q, uint64_t versions)
{
	uint64_t count = s->bench->counts.gets / BLOCK + 1;
	uint64_t warm = count / 4;
	struct doc docs[BLOCK];
	int rc = 0;

	for (uint64_t r = 0; r < count + warm && !rc; r++) {
		for (size_t i = 0; i < BLOCK; i++)
			q->ask(&docs[i], versions, &s->bench->seed);
		for (size_t i = 0; i < s->count && !rc; i++)
			rc = turn(seats_turn(s, r, i), q, docs, r < warm);
		for (size_t i = 0; i < BLOCK; i++)
			doc_release(&docs[i]);
	}
	return rc;
}

static int answer(struct bench *b, const struct question *q)
{
	uint64_t versions = b->counts.versions;
	struct seats s;
	int rc = seats_filled(&s, b, DOCS_GENERATED, versions, 0);

	if (!rc)
		rc = seats_open(&s, &q->options);
	if (!rc)
		rc = rounds(&s, q, versions);
	if (!rc)
		seats_write(&s, q->work, doc_kinds[DOCS_GENERATED], versions, 1,
			    "ns");
	seats_release(&s);
	return rc;
}

int work_latest(struct bench *b)
{
	return answer(b, &(struct question){.work = "get-latest",
					    .ask = ask_latest,
					    .latest = 1});
}

int work_pinned(struct bench *b)
{
	return answer(b,
		      &(struct question){.work = "get-pinned", .ask = ask_any});
}

int work_nocache(struct bench *b)
{
	return answer(b, &(struct question){.work = "get-pinned-nocache",
					    .ask = ask_any,
					    .options = {.cache = 1}});
}

int work_miss(struct bench *b)
{
	return answer(b,
		      &(struct question){.work = "get-miss", .ask = ask_miss});
}
