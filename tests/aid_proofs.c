/* aid_proofs.c - the log and the proofs of many sizes, for another program to
 * check (oracle/proofs).
 *
 * usage: aid_proofs DIRECTORY STEP SIZE...
 *
 * Makes a store in DIRECTORY, which must not exist, with a log of as many
 * entries as the last and greatest SIZE. Prints, numbers big-endian:
 *
 *	'E' size:2 line                   every entry, in order
 *	'I' index:8 size:8 n:1 n hashes   that it is in the first SIZE entries
 *	'C' from:8 to:8 n:1 n hashes      that SIZE begins with a smaller one
 *
 * for each SIZE, and each STEP-th index and smaller size, and the last three.
 *
 * wrap: fsync
 */
#include "biglog.h"
#include "nosync.h"
#include "proof.h"

#include <stdlib.h>

static struct pakhus_error err;

static void must(int rc)
{
	if (!rc)
		return;
	fprintf(stderr, "aid_proofs: %s\n", err.text);
	exit(1);
}

static int print_entry(void *arg, uint64_t seq, const char *line, size_t size)
{
	unsigned char head[3] = { 'E' };

	(void)arg, (void)seq;
	pk_put_be16(head + 1, (uint16_t)size);
	fwrite(head, 1, sizeof(head), stdout);
	fwrite(line, 1, size, stdout);
	return 0;
}

static void print_path(char kind, uint64_t a, uint64_t b,
		       const struct pk_path *path)
{
	unsigned char head[18] = { (unsigned char)kind };

	pk_put_be64(head + 1, a);
	pk_put_be64(head + 9, b);
	head[17] = (unsigned char)path->n;
	fwrite(head, 1, sizeof(head), stdout);
	fwrite(path->hash, PK_HASH_SIZE, path->n, stdout);
}

static void print_proofs(int dir, struct pk_sha *sha, uint64_t step,
			 uint64_t size, uint64_t of)
{
	struct pk_path path;

	for (uint64_t i = 0; i < size; i++) {
		if (i % step && i + 3 < size)
			continue;
		must(pk_inclusion(dir, sha, i, size, of, &path, &err));
		print_path('I', i, size, &path);
		must(pk_consistency(dir, sha, i + 1, size, of, &path, &err));
		print_path('C', i + 1, size, &path);
	}
}

int main(int argc, char **argv)
{
	AUTO(pk_sha_auto) struct pk_sha *sha = pk_sha_new();
	AUTO_CLOSE int dir = -1;
	struct biglog b = { .packages = 7 };
	uint64_t step;

	if (argc < 4 || !sha)
		return 2;
	step = strtoull(argv[2], NULL, 10);
	b.entries = strtoull(argv[argc - 1], NULL, 10);
	must(pakhus_init(argv[1], NULL, &err));
	must(biglog_make(argv[1], &b, &err));
	dir = open(argv[1], O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	must(pk_log_walk(dir, b.entries, 0, b.entries, print_entry, NULL,
			 &err));
	for (int i = 3; i < argc; i++)
		print_proofs(dir, sha, step, strtoull(argv[i], NULL, 10),
			     b.entries);
	return fflush(stdout) ? 1 : 0;
}
