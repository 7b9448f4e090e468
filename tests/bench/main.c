/* main.c - the bench program: its tables of peers, works and counts, and its
 * options, which bench.h describes. */
#include "seats.h"

#include <errno.h>
#include <libgen.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* In the order in which they are shown. */
static const struct peer *const all_peers[] = {
	&peer_pakhus,
	&peer_pakhus_19,
	&peer_pakhus_1,
	&peer_sqlite_full,
	&peer_sqlite_normal,
	&peer_sqlite_full_zstd,
	&peer_sqlite_normal_zstd,
	&peer_service,
	&peer_floor,
};
#define PEERS (sizeof(all_peers) / sizeof(*all_peers))

static const struct {
	const char *name;
	work_fn *run;
} works[] = {
	{"publish", work_publish},
	{"publish-threads", work_threads},
	{"publish-processes", work_processes},
	{"publish-program", work_program},
	{"import", work_import},
	{"get-latest", work_latest},
	{"get-pinned", work_pinned},
	{"get-pinned-nocache", work_nocache},
	{"get-miss", work_miss},
	{"get-cold", work_cold},
	{"delete", work_delete},
	{"bytes", work_bytes},
	{"open", work_open},
	{"list", work_list},
	{"scale", work_scale},
};
#define WORKS (sizeof(works) / sizeof(*works))

static struct counts counts = {
	.publish = 400,
	.clients = 8,
	.client_each = 16,
	.client_rounds = 12,
	.program = 40,
	.import = 1000,
	.import_rounds = 3,
	.versions = 2000,
	.gets = 6000, /* three times as many as versions: a cache that is warm */
	.colds = 40,
	.lists = 10,
	.deletes = 200,
	.scale = {1000, 10000, 100000, 1000000},
	.scale_each = 400,
	.bytes = 400,
};
static const struct counts short_counts = {
	.publish = 80,
	.clients = 8,
	.client_each = 4,
	.client_rounds = 4,
	.program = 8,
	.import = 200,
	.import_rounds = 1,
	.versions = 800,
	.gets = 200,
	.colds = 8,
	.lists = 3,
	.deletes = 40,
	.scale = {1000, 10000, 20000, 50000},
	.scale_each = 40,
	.bytes = 100,
	.corpus = 100,
};

static const struct {
	const char *name;
	uint64_t *count;
} count_names[] = {
	{"publish", &counts.publish},
	{"clients", &counts.clients},
	{"client-each", &counts.client_each},
	{"client-rounds", &counts.client_rounds},
	{"program", &counts.program},
	{"import", &counts.import},
	{"import-rounds", &counts.import_rounds},
	{"versions", &counts.versions},
	{"gets", &counts.gets},
	{"colds", &counts.colds},
	{"lists", &counts.lists},
	{"deletes", &counts.deletes},
	{"scale1", &counts.scale[0]},
	{"scale2", &counts.scale[1]},
	{"scale3", &counts.scale[2]},
	{"scale4", &counts.scale[3]},
	{"scale-each", &counts.scale_each},
	{"bytes", &counts.bytes},
	{"corpus", &counts.corpus},
};
#define COUNTS (sizeof(count_names) / sizeof(*count_names))

static _Noreturn void usage(FILE *to, int status)
{
	fputs("usage: bench [-d DIR] [-o FILE] [-p PEER,...] "
	      "[-c NAME=COUNT,...] [-s] [-k]\n"
	      "             [-C CORPUS] [-P PAKHUS] [WORK...]\n"
	      "       bench -e KIND COUNT\n"
	      "peers:",
	      to);
	for (size_t i = 0; i < PEERS; i++)
		fprintf(to, " %s", all_peers[i]->name);
	fputs("\nworks:", to);
	for (size_t i = 0; i < WORKS; i++)
		fprintf(to, " %s", works[i].name);
	fputs("\ncounts:", to);
	for (size_t i = 0; i < COUNTS; i++)
		fprintf(to, " %s=%llu", count_names[i].name,
			(unsigned long long)*count_names[i].count);
	fputs("\nkinds:", to);
	for (size_t i = 0; i < DOCS_KINDS; i++)
		fprintf(to, " %s", doc_kinds[i]);
	fputc('\n', to);
	exit(status);
}

static void set_counts(char *list)
{
	char *save = NULL;

	for (char *one = strtok_r(list, ",", &save); one;
	     one = strtok_r(NULL, ",", &save)) {
		char *value = strchr(one, '='), *end;
		size_t i = 0;

		if (!value)
			usage(stderr, 2);
		*value++ = 0;
		while (i < COUNTS && strcmp(count_names[i].name, one))
			i++;
		if (i == COUNTS)
			usage(stderr, 2);
		*count_names[i].count = strtoull(value, &end, 10);
		if (*end || end == value)
			usage(stderr, 2);
	}
}

/* Those that are named, or all, that can run here. */
static void choose_peers(const struct peer **chosen, const char *list)
{
	size_t n = 0;

	for (size_t i = 0; i < PEERS; i++) {
		const char *name = all_peers[i]->name, *why = NULL, *at = list;
		size_t size = strlen(name);

		while (at && (strncmp(at, name, size) ||
			      (at[size] && at[size] != ','))) {
			at = strchr(at, ',');
			if (at)
				at++;
		}
		if (list && !at)
			continue;
		if (all_peers[i]->missing)
			why = all_peers[i]->missing();
		if (why)
			fprintf(stderr, "bench: without %s: %s\n", name, why);
		else
			chosen[n++] = all_peers[i];
	}
	chosen[n] = NULL;
	if (!n)
		usage(stderr, 2);
}

static int print_documents(char **args)
{
	uint64_t total;
	struct doc doc;
	int kind = 0;

	if (!args[0] || !args[1])
		usage(stderr, 2);
	while (kind < DOCS_KINDS && strcmp(doc_kinds[kind], args[0]))
		kind++;
	if (kind == DOCS_KINDS)
		usage(stderr, 2);
	total = strtoull(args[1], NULL, 10);
	for (uint64_t i = 0; i < total; i++) {
		doc_nth(&doc, (enum doc_kind)kind, i, total);
		puts(doc.text);
		doc_release(&doc);
	}
	return fflush(stdout) ? 1 : 0;
}

static int run_work(struct bench *b, const char *name)
{
	for (size_t i = 0; i < WORKS; i++) {
		int64_t start = now_ns();

		if (name && strcmp(name, works[i].name))
			continue;
		fprintf(stderr, "bench: %s ...", works[i].name);
		fflush(stderr);
		if (works[i].run(b))
			return -1;
		fprintf(stderr, " %.1f s\n", (double)(now_ns() - start) / 1e9);
	}
	return 0;
}

/* All packages of a store have all of their versions. */
static void round_up(uint64_t *n)
{
	*n += (VERSIONS_EACH - *n % VERSIONS_EACH) % VERSIONS_EACH;
}

static void check_works(char **names)
{
	for (; *names; names++) {
		size_t i = 0;

		while (i < WORKS && strcmp(works[i].name, *names))
			i++;
		if (i == WORKS)
			usage(stderr, 2);
	}
}

static const char *own_directory(void)
{
	static char path[PATH_MAX];
	ssize_t n = readlink("/proc/self/exe", path, sizeof(path) - 1);

	path[n > 0 ? n : 0] = 0;
	return dirname(path);
}

/* It is removed in the end with all that is in it: so it was empty, or has
 * the mark of a run that kept its stores. */
static int take_directory(const char *dir)
{
	char mark[DIR_MAX + 32];
	FILE *f;

	if (strlen(dir) > DIR_MAX)
		return bench_fail("%s: too long", dir);
	snprintf(mark, sizeof(mark), "%s/made-by-bench", dir);
	if (!access(mark, F_OK))
		return 0;
	rmdir(dir);
	if (mkdir(dir, 0777) || !(f = fopen(mark, "w")) || fclose(f))
		return bench_fail("%s: %s", dir, strerror(errno));
	return 0;
}

int main(int argc, char **argv)
{
	const struct peer *chosen[PEERS + 1];
	struct bench b = {.out = stdout,
			  .dir = "build/bench/work",
			  .bin = own_directory(),
			  .peers = chosen,
			  .seed = 1};
	const char *peers = NULL;
	int c, export = 0, keep = 0, rc = 0;

	while ((c = getopt(argc, argv, "d:o:p:c:skC:P:eh")) != -1)
		switch (c) {
		case 'd':
			b.dir = optarg;
			break;
		case 'o':
			b.out = fopen(optarg, "a");
			break;
		case 'p':
			peers = optarg;
			break;
		case 'c':
			set_counts(optarg);
			break;
		case 's':
			counts = short_counts;
			break;
		case 'k':
			keep = 1;
			break;
		case 'C':
			b.corpus = optarg;
			break;
		case 'P':
			b.program = optarg;
			break;
		case 'e':
			export = 1;
			break;
		case 'h':
			usage(stdout, 0);
		default:
			usage(stderr, 2);
		}
	argv += optind;
	if (export)
		return print_documents(argv);
	check_works(argv);
	choose_peers(chosen, peers);
	round_up(&counts.versions);
	for (int i = 0; i < 4; i++)
		round_up(&counts.scale[i]);
	b.counts = counts;
	if (!b.out)
		return -bench_fail("the results: %s", strerror(errno));
	if (take_directory(b.dir))
		return 1;
	do
		rc = run_work(&b, *argv);
	while (!rc && *argv && *++argv);
	if (!keep)
		remove_tree(b.dir);
	return rc || fflush(b.out) ? 1 : 0;
}
