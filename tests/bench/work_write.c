/* work_write.c - one client that writes: publish, import, delete, and the
 * program. */
#include "seats.h"

#include <errno.h>
#include <fcntl.h>
#include <spawn.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

extern char **environ;

static int publish_block(struct seat *seat, const struct docs *docs)
{
	for (size_t i = 0; i < docs->count; i++)
		if (seat_add(seat, seat->peer->publish(seat->client,
						       &docs->items[i])))
			return -1;
	/* outside the time of all works: what was published comes back */
	return seat_get_all(seat, docs);
}

int work_publish(struct bench *b)
{
	uint64_t total = b->counts.publish;
	struct seats s;
	struct docs docs;
	int rc = seats_new(&s, b, "publish", 0);

	if (!rc)
		rc = seats_open(&s, NULL);
	for (uint64_t r = 0; r * BLOCK < total && !rc; r++) {
		docs_make(&docs, DOCS_GENERATED, r * BLOCK, BLOCK, total);
		for (size_t i = 0; i < s.count && !rc; i++)
			rc = publish_block(seats_turn(&s, r, i), &docs);
		docs_release(&docs);
	}
	if (!rc)
		seats_write(&s, "publish", doc_kinds[DOCS_GENERATED], 0, 1,
			    "ns");
	seats_release(&s);
	return rc;
}

int work_import(struct bench *b)
{
	struct peer_options opt = {
		.threads = (unsigned)sysconf(_SC_NPROCESSORS_ONLN)};
	size_t count = b->counts.import;
	struct seats s;
	struct docs docs;
	int rc = 0;

	docs_make(&docs, DOCS_GENERATED, 0, count, count);
	rc = seats_new(&s, b, "import", PEER_IMPORT);
	for (uint64_t r = 0; r < b->counts.import_rounds && !rc; r++)
		for (size_t i = 0; i < s.count && !rc; i++) {
			struct seat *seat = seats_turn(&s, r, i);
			int64_t took = -1;

			if (!remove_tree(seat->dir) && !seat_open(seat, &opt))
				took = seat->peer->import(seat->client,
							  docs.items, count);
			if (took > 0)
				samples_add(&seat->samples,
					    (double)count * 1e9 / (double)took);
			rc = took < 0 || seat_get_all(seat, &docs) ? -1 : 0;
			seat_close(seat);
		}
	if (!rc)
		seats_write(&s, "import", doc_kinds[DOCS_GENERATED], 0, 1,
			    "per_s");
	seats_release(&s);
	docs_release(&docs);
	return rc;
}

static int delete_block(struct seat *seat, const struct docs *docs)
{
	for (size_t i = 0; i < docs->count; i++) {
		struct doc *d = &docs->items[i], gone = *d;

		if (seat_add(seat, seat->peer->remove(seat->client, d->id,
						      d->version)))
			return -1;
		gone.text = NULL;
		if (seat_get(seat, &gone, gone.version) < 0)
			return -1;
	}
	return 0;
}

int work_delete(struct bench *b)
{
	size_t count = b->counts.deletes / BLOCK * BLOCK + BLOCK;
	struct seats s;
	struct docs docs;
	int rc;

	docs_make(&docs, DOCS_SMALL, 0, count, count);
	rc = seats_new(&s, b, "delete", PEER_DELETE);
	if (!rc)
		rc = seats_open(&s, NULL);
	for (size_t i = 0; i < s.count && !rc; i++)
		rc = s.at[i].peer->import(s.at[i].client, docs.items, count) < 0
			     ? -1
			     : 0;
	for (uint64_t r = 0; r * BLOCK < count && !rc; r++) {
		struct docs block = {.items = docs.items + r * BLOCK,
				     .count = BLOCK};

		for (size_t i = 0; i < s.count && !rc; i++)
			rc = delete_block(seats_turn(&s, r, i), &block);
	}
	if (!rc)
		seats_write(&s, "delete", doc_kinds[DOCS_SMALL], count, 1,
			    "ns");
	seats_release(&s);
	docs_release(&docs);
	return rc;
}

/* ---- The program ---- */

static int64_t run_program(const char *program, const char *store,
			   const char *file)
{
	char *argv[] = {(char *)program,   (char *)"-C", (char *)store,
			(char *)"publish", (char *)file, NULL};
	posix_spawn_file_actions_t fa;
	int64_t start, took;
	int status = 0, rc;
	pid_t pid;

	posix_spawn_file_actions_init(&fa);
	posix_spawn_file_actions_addopen(&fa, 1, "/dev/null", O_WRONLY, 0);
	start = now_ns();
	rc = posix_spawn(&pid, program, &fa, NULL, argv, environ);
	if (!rc)
		waitpid(pid, &status, 0);
	took = now_ns() - start;
	posix_spawn_file_actions_destroy(&fa);
	if (rc || status)
		return bench_fail("%s: %s", program,
				  rc ? strerror(rc) : "publish failed");
	return took;
}

static int write_file(const char *path, const char *text, size_t size)
{
	FILE *f = fopen(path, "w");

	if (!f || fwrite(text, 1, size, f) != size || fclose(f))
		return bench_fail("%s: %s", path, strerror(errno));
	return 0;
}

int work_program(struct bench *b)
{
	static const struct peer *const only[] = {&peer_pakhus, NULL};
	struct bench alone = *b;
	uint64_t total = b->counts.program;
	char file[4200];
	struct seats s;
	struct docs docs;
	int rc;

	if (!b->program)
		return 0;
	alone.peers = only;
	docs_make(&docs, DOCS_GENERATED, 0, total, total);
	rc = seats_new(&s, &alone, "program", 0);
	if (!rc)
		rc = seats_open(&s, NULL);
	for (size_t i = 0; i < s.count && !rc; i++)
		seat_close(&s.at[i]);
	snprintf(file, sizeof(file), "%s/document.json", s.root);
	for (uint64_t i = 0; i < total && !rc; i++) {
		rc = write_file(file, docs.items[i].text, docs.items[i].size);
		if (!rc)
			rc = seat_add(s.at,
				      run_program(b->program, s.at->dir, file));
	}
	if (!rc)
		rc = seats_open(&s, NULL);
	if (!rc)
		rc = seat_get_all(s.at, &docs);
	if (!rc)
		seats_write(&s, "publish-program", doc_kinds[DOCS_GENERATED], 0,
			    1, "ns");
	seats_release(&s);
	docs_release(&docs);
	return rc;
}
