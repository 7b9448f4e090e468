/* aid_rebuild.c - what making the index costs, beside reading the log.
 *
 * usage: aid_rebuild DIRECTORY [ENTRIES [PACKAGES]]
 *
 * Makes a store in DIRECTORY, which must not exist, with a log of ENTRIES
 * (1,000,000) of PACKAGES (50,000), times reading and hashing the log, and
 * opening the store with its index made anew, each three times, and prints
 * the best of each in seconds and what they are to one another.
 *
 * Objects are not made, and syncs of what is written are left out.
 *
 * wrap: fsync
 */
#include "biglog.h"
#include "nosync.h"

#include <stdlib.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <time.h>

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

struct reading {
	struct pk_sha *sha;
	struct pk_edge edge;
};

static int hash_entry(void *arg, uint64_t seq, const char *line, size_t size)
{
	struct reading *r = arg;
	unsigned char leaf[PK_HASH_SIZE];

	(void)seq;
	return pk_leaf_hash(r->sha, line, size, leaf) ||
	       pk_edge_add(&r->edge, r->sha, leaf, NULL, NULL);
}

static int read_log(const char *path, uint64_t n, struct pakhus_error *err)
{
	AUTO_CLOSE int dir = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	struct reading r = { .sha = pk_sha_new() };
	unsigned char root[PK_HASH_SIZE];
	int rc = pk_log_walk(dir, n, 0, n, hash_entry, &r, err);

	if (!rc)
		rc = pk_edge_root(&r.edge, r.sha, root);
	pk_sha_free(r.sha);
	return rc;
}

static int rebuild(const char *path, struct pakhus_error *err)
{
	struct pakhus_options opt = { .flags = PAKHUS_REBUILD };
	struct pakhus *s;
	int rc = pakhus_open(&s, path, &opt, err);

	if (!rc)
		pakhus_close(s);
	return rc;
}

static int run(int argc, char **argv, struct pakhus_error *err)
{
	struct biglog b = { .entries = 1000000, .packages = 50000 };
	double best[2] = { 1e9, 1e9 };
	struct rusage use;
	int rc;

	if (argc > 2)
		b.entries = strtoull(argv[2], NULL, 10);
	if (argc > 3)
		b.packages = (unsigned)strtoul(argv[3], NULL, 10);
	rc = pakhus_init(argv[1], NULL, err);
	if (!rc)
		rc = biglog_make(argv[1], &b, err);
	for (int i = 0; i < 6 && !rc; i++) {
		double t = now();

		rc = i % 2 ? rebuild(argv[1], err)
			   : read_log(argv[1], b.entries, err);
		t = now() - t;
		if (t < best[i % 2])
			best[i % 2] = t;
	}
	if (rc)
		return rc;
	getrusage(RUSAGE_SELF, &use);
	printf("read and hash %.2f s, rebuild %.2f s, ratio %.2f, peak %ld "
	       "bytes an entry\n",
	       best[0], best[1], best[1] / best[0],
	       use.ru_maxrss * 1024 / (long)b.entries);
	return 0;
}

int main(int argc, char **argv)
{
	struct pakhus_error err;

	if (argc < 2 || argc > 4) {
		fprintf(stderr, "usage: aid_rebuild DIRECTORY [ENTRIES "
				"[PACKAGES]]\n");
		return 2;
	}
	if (!run(argc, argv, &err))
		return 0;
	fprintf(stderr, "aid_rebuild: %s\n", err.text);
	return 1;
}
