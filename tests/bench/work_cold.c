/* work_cold.c - a process that is started for one get. */
#include "cold.h"

#include <errno.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

extern char **environ;

/* 1 if what comes from f is the text. */
static int reads(FILE *f, const char *text, size_t size)
{
	char *got = must(malloc(size + 1));
	int same = fread(got, 1, size, f) == size && !memcmp(got, text, size);

	free(got);
	return same;
}

static int hear(FILE *f, const struct doc *doc, struct cold *out)
{
	unsigned long long peak, opened, manifest, metadata;
	int64_t start = out->took;
	char line[128], *at = line;

	if (!fgets(line, sizeof(line), f))
		return -1;
	out->took = now_ns() - start;
	peak = strtoull(at, &at, 10);
	opened = strtoull(at, &at, 10);
	manifest = strtoull(at, &at, 10);
	metadata = strtoull(at, &at, 10);
	if (*at != '\n' || manifest != doc->manifest_size ||
	    metadata != doc->metadata_size ||
	    !reads(f, doc->manifest, manifest) ||
	    !reads(f, doc->metadata, metadata))
		return -1;
	out->opened = (int64_t)opened;
	out->peak = peak - manifest - metadata;
	return 0;
}

int cold_get(const struct bench *b, const struct seat *seat,
	     const struct doc *doc, struct cold *out)
{
	char path[4200];
	char *argv[] = {path, (char *)seat->dir, (char *)doc->id,
			(char *)doc->version, NULL};
	posix_spawn_file_actions_t fa;
	int fds[2], rc, status = 0;
	pid_t pid;
	FILE *f;

	snprintf(path, sizeof(path), "%s/%s", b->bin, seat->peer->getter);
	if (pipe(fds))
		return bench_fail("pipe: %s", strerror(errno));
	posix_spawn_file_actions_init(&fa);
	posix_spawn_file_actions_adddup2(&fa, fds[1], 1);
	posix_spawn_file_actions_addclose(&fa, fds[0]);
	posix_spawn_file_actions_addclose(&fa, fds[1]);
	f = must(fdopen(fds[0], "r"));
	out->took = now_ns();
	rc = posix_spawn(&pid, path, &fa, NULL, argv, environ);
	close(fds[1]);
	posix_spawn_file_actions_destroy(&fa);
	if (rc) {
		fclose(f);
		return bench_fail("%s: %s", path, strerror(rc));
	}
	rc = hear(f, doc, out);
	fclose(f);
	waitpid(pid, &status, 0);
	return rc || status ? bench_fail("%s: no answer, or a wrong one", path)
			    : 0;
}

int work_cold(struct bench *b)
{
	uint64_t versions = b->counts.versions;
	const char *kind = doc_kinds[DOCS_GENERATED];
	struct samples *peaks;
	struct seats s;
	int rc = seats_filled(&s, b, DOCS_GENERATED, versions, PEER_COLD);

	peaks = must(calloc(s.count + 1, sizeof(*peaks)));
	for (uint64_t r = 0; r < b->counts.colds && !rc; r++) {
		struct doc doc;

		doc_nth(&doc, DOCS_GENERATED, random_below(&b->seed, versions),
			versions);
		for (size_t i = 0; i < s.count && !rc; i++) {
			struct seat *seat = seats_turn(&s, r, i);
			struct cold cold = {0};

			rc = cold_get(b, seat, &doc, &cold);
			if (rc)
				break;
			seat_add(seat, cold.took);
			samples_add(&peaks[seat - s.at], (double)cold.peak);
		}
		doc_release(&doc);
	}
	if (!rc)
		seats_write(&s, "get-cold", kind, versions, 1, "ns");
	for (size_t i = 0; i < s.count; i++)
		s.at[i].samples = peaks[i];
	if (!rc)
		seats_write(&s, "get-memory", kind, versions, 1, "bytes");
	free(peaks);
	seats_release(&s);
	return rc;
}
