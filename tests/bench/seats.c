/* seats.c - stores are made, filled, opened and removed here.
 *
 * While a store is filled nothing is synced, as that is not measured and
 * would take most of the time; all of it is, once, when the store is full.
 *
 * wrap: fsync fdatasync
 */
#include "seats.h"

#include <errno.h>
#include <ftw.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* ---- Trees of files ---- */

static int remove_one(const char *path, const struct stat *st, int type,
		      struct FTW *where)
{
	(void)st;
	(void)type;
	(void)where;
	return remove(path);
}

int remove_tree(const char *path)
{
	if (nftw(path, remove_one, 16, FTW_DEPTH | FTW_PHYS) && errno != ENOENT)
		return bench_fail("remove %s: %s", path, strerror(errno));
	return 0;
}

/* nftw hands nothing through. */
static uint64_t seen_bytes, seen_blocks;

static int add_one(const char *path, const struct stat *st, int type,
		   struct FTW *where)
{
	(void)path;
	(void)where;
	if (type == FTW_F) {
		seen_bytes += (uint64_t)st->st_size;
		seen_blocks += (uint64_t)st->st_blocks * 512;
	}
	return 0;
}

int tree_bytes(const char *path, uint64_t *bytes, uint64_t *blocks)
{
	seen_bytes = seen_blocks = 0;
	if (nftw(path, add_one, 16, FTW_PHYS))
		return bench_fail("%s: %s", path, strerror(errno));
	*bytes = seen_bytes;
	*blocks = seen_blocks;
	return 0;
}

/* ---- Seats ---- */

static int seats_init(struct seats *s, struct bench *b, const char *name,
		      unsigned can)
{
	*s = (struct seats){.bench = b};
	snprintf(s->root, sizeof(s->root), "%s/%s", b->dir, name);
	for (size_t i = 0; b->peers[i] && s->count < SEATS_MAX; i++) {
		struct seat *seat;

		if ((b->peers[i]->can & can) != can ||
		    (b->peers[i]->can & PEER_STILL && !can))
			continue;
		seat = &s->at[s->count++];
		*seat = (struct seat){.peer = b->peers[i]};
		snprintf(seat->dir, sizeof(seat->dir), "%s/%s", s->root,
			 seat->peer->name);
	}
	if (mkdir(s->root, 0777) && errno != EEXIST)
		return bench_fail("mkdir %s: %s", s->root, strerror(errno));
	return 0;
}

int seats_new(struct seats *s, struct bench *b, const char *work, unsigned can)
{
	return seats_init(s, b, work, can) || remove_tree(s->root) ||
			       mkdir(s->root, 0777)
		       ? -1
		       : 0;
}

int seat_open(struct seat *seat, const struct peer_options *opt)
{
	static const struct peer_options none;

	seat->client =
		seat->peer->open(seat->peer, seat->dir, opt ? opt : &none);
	return seat->client ? 0 : -1;
}

void seat_close(struct seat *seat)
{
	if (seat->client)
		seat->peer->close(seat->client);
	seat->client = NULL;
}

int seats_open(struct seats *s, const struct peer_options *opt)
{
	for (size_t i = 0; i < s->count; i++)
		if (seat_open(&s->at[i], opt))
			return -1;
	return 0;
}

/* A shuffle that only the round decides. */
struct seat *seats_turn(struct seats *s, uint64_t round, size_t i)
{
	size_t order[SEATS_MAX];

	for (size_t k = 0; k < s->count; k++) {
		size_t at = random_below(&round, k + 1);

		order[k] = order[at];
		order[at] = k;
	}
	return &s->at[order[i]];
}

void seats_write(struct seats *s, const char *work, const char *docs,
		 uint64_t versions, unsigned clients, const char *unit)
{
	for (size_t i = 0; i < s->count; i++) {
		struct result r = {work, docs,	   s->at[i].peer->name,
				   unit, versions, clients};

		if (s->at[i].samples.count)
			result_write(s->bench->out, &r, &s->at[i].samples);
		samples_release(&s->at[i].samples);
	}
}

void seats_release(struct seats *s)
{
	for (size_t i = 0; i < s->count; i++) {
		seat_close(&s->at[i]);
		samples_release(&s->at[i].samples);
	}
	if (!s->keep)
		remove_tree(s->root);
	*s = (struct seats){0};
}

int seat_add(struct seat *seat, int64_t took)
{
	if (took < 0)
		return -1;
	samples_add(&seat->samples, (double)took);
	return 0;
}

static int is_same(const struct answer *a, const struct doc *doc)
{
	if (!a->manifest || !doc->text)
		return !a->manifest && !doc->text;
	return a->manifest_size == doc->manifest_size &&
	       a->metadata_size == doc->metadata_size &&
	       !memcmp(a->manifest, doc->manifest, a->manifest_size) &&
	       !memcmp(a->metadata, doc->metadata, a->metadata_size);
}

int64_t seat_get(struct seat *seat, const struct doc *doc, const char *version)
{
	struct answer a = {0};
	int64_t took = seat->peer->get(seat->client, doc->id, version, &a);

	if (took >= 0 && !is_same(&a, doc))
		took = bench_fail("%s: get: %s@%s is not what was published",
				  seat->peer->name, doc->id,
				  version ? version : "latest");
	if (a.release)
		a.release(a.owner);
	return took;
}

int seat_get_all(struct seat *seat, const struct docs *docs)
{
	for (size_t i = 0; i < docs->count; i++)
		if (seat_get(seat, &docs->items[i], docs->items[i].version) < 0)
			return -1;
	return 0;
}

/* ---- Filling ---- */

static int filling;

int __real_fsync(int fd);
int __wrap_fsync(int fd);
int __wrap_fsync(int fd)
{
	return filling ? 0 : __real_fsync(fd);
}

int __real_fdatasync(int fd);
int __wrap_fdatasync(int fd);
int __wrap_fdatasync(int fd)
{
	return filling ? 0 : __real_fdatasync(fd);
}

#define CHUNK_BYTES ((size_t)64 << 20)

static int fill(struct seat *seat, enum doc_kind kind, uint64_t versions)
{
	size_t each =
		kind == DOCS_SMALL ? CHUNK_BYTES / 1024 : CHUNK_BYTES / 100000;
	struct docs docs;
	int64_t took = 0;

	filling = 1;
	if (remove_tree(seat->dir) || seat_open(seat, NULL))
		return -1;
	for (uint64_t n = 0; n < versions && took >= 0; n += each) {
		size_t count = versions - n < each ? versions - n : each;

		docs_make(&docs, kind, n, count, versions);
		took = seat->peer->import(seat->client, docs.items, count);
		docs_release(&docs);
	}
	seat_close(seat);
	filling = 0;
	sync();
	return took < 0 ? -1 : 0;
}

int seats_filled(struct seats *s, struct bench *b, enum doc_kind kind,
		 uint64_t versions, unsigned can)
{
	char name[64], mark[4200];

	snprintf(name, sizeof(name), "%s-%llu", doc_kinds[kind],
		 (unsigned long long)versions);
	if (seats_init(s, b, name, can))
		return -1;
	s->keep = 1;
	for (size_t i = 0; i < s->count; i++) {
		FILE *f;

		snprintf(mark, sizeof(mark), "%s.filled", s->at[i].dir);
		if (!access(mark, F_OK))
			continue;
		if (fill(&s->at[i], kind, versions))
			return -1;
		f = fopen(mark, "w");
		if (!f || fclose(f))
			return bench_fail("%s: %s", mark, strerror(errno));
	}
	return 0;
}
