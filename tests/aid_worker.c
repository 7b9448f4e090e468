/* aid_worker.c - a process that publishes, reads or checks until it is told
 * to stop, for tests that end it at a bad moment.
 *
 *	aid_worker publish STORE ID SEED
 *	aid_worker read STORE SEED
 *	aid_worker check STORE
 *
 * publish says on stdout what it is about to do ("? ID VERSION HASH", with -
 * for a delete) and that it was acknowledged ("+ ID VERSION HASH"), each line
 * with one write. Hashes are its own, of the text it made. read reads
 * whatever is there in every way there is, and holds every text against its
 * hash and every position against the one before; a line "." is 50 reads. check reads lines of ID,
 * VERSION and HASH[,HASH…] from stdin, of which one must be what is stored, and
 * answers "=".
 *
 * SIGTERM ends publish and read in order, status 0. Whatever should not have
 * happened is a line "! …" on stdout, and status 1.
 */
#include "pakhus.h"

#include <openssl/sha.h>

#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define CHUNKS 64
#define CHUNK 480 /* bytes of a chunk; a package is about 30 KB */
#define LONG_TEXT ((size_t)4500 << 10) /* longer than goes to the journal */

static volatile sig_atomic_t stopped;

static void stop(int signo)
{
	(void)signo;
	stopped = 1;
}

__attribute__((format(printf, 1, 2), noreturn)) static void
wrong(const char *fmt, ...)
{
	va_list ap;

	fputs("! ", stdout);
	va_start(ap, fmt);
	vprintf(fmt, ap);
	va_end(ap);
	putchar('\n');
	exit(1);
}

static uint64_t state;

static uint64_t next_random(void)
{
	state ^= state << 13;
	state ^= state >> 7;
	state ^= state << 17;
	return state;
}

static uint64_t below(uint64_t n)
{
	return next_random() % n;
}

static void seed_random(const char *text)
{
	state = strtoull(text, NULL, 10) * 2654435761u + 88172645463325252u;
}

static void hash_of(const char *text, size_t size, char out[65])
{
	unsigned char raw[SHA256_DIGEST_LENGTH];

	SHA256((const unsigned char *)text, size, raw);
	for (size_t i = 0; i < sizeof(raw); i++)
		sprintf(out + 2 * i, "%02x", raw[i]);
}

static struct pakhus *open_store(const char *path, unsigned flags)
{
	struct pakhus_options opt = { .flags = flags, .level = 1 };
	struct pakhus_error err;
	struct pakhus *s;

	if (pakhus_open(&s, path, &opt, &err))
		wrong("open: %s", err.text);
	return s;
}

/* ---- publish ---- */

static char chunk[CHUNKS][CHUNK];

static void change_chunk(size_t i)
{
	for (size_t k = 0; k < CHUNK; k++)
		chunk[i][k] = (char)('a' + below(26));
}

/* A canonical document; what is in it changes a little from one to the
 * next, and now and then it is a long one. */
static char *document(const char *id, const char *version, size_t *size)
{
	size_t rest = below(150) ? 0 : below(3) ? 700000 : LONG_TEXT;
	char *text = malloc(1000 + CHUNKS * (CHUNK + 3) + rest), *p = text;

	if (!text)
		wrong("out of memory");
	for (int i = 0; i < 3; i++)
		change_chunk(below(CHUNKS));
	p += sprintf(p, "{\"manifest\":{\"id\":\"%s\",\"version\":\"%s\"},"
			"\"metadata\":{\"objects\":[", id, version);
	for (size_t i = 0; i < CHUNKS; i++)
		p += sprintf(p, "%s\"%.*s\"", i ? "," : "", CHUNK, chunk[i]);
	p += sprintf(p, "],\"rest\":\"");
	memset(p, 'r', rest);
	p += rest;
	p += sprintf(p, "\"}}");
	*size = (size_t)(p - text);
	return text;
}

static void say(char what, const char *id, const char *version,
		const char *hash)
{
	char line[512];
	int n = snprintf(line, sizeof(line), "%c %s %s %s\n", what, id,
			 version, hash);

	if (write(STDOUT_FILENO, line, (size_t)n) != n)
		exit(1); /* nobody listens any more */
}

static void publish_one(struct pakhus *s, const char *id, const char *version)
{
	struct pakhus_record record;
	struct pakhus_error err;
	char hash[65];
	size_t size;
	char *text = document(id, version, &size);

	hash_of(text, size, hash);
	say('?', id, version, hash);
	if (pakhus_publish(s, text, size, "worker", &record, &err))
		wrong("publish %s@%s: %s", id, version, err.text);
	if (strcmp(record.hash, hash))
		wrong("publish %s@%s: hash %s, not %s", id, version,
		      record.hash, hash);
	say('+', id, version, hash);
	free(text);
}

static void delete_one(struct pakhus *s, const char *id, const char *version)
{
	struct pakhus_error err;

	say('?', id, version, "-");
	if (pakhus_delete(s, id, version, NULL, NULL, &err))
		wrong("delete %s@%s: %s", id, version, err.text);
	say('+', id, version, "-");
}

static void publish(const char *path, const char *id)
{
	struct pakhus *s = open_store(path, 0);
	struct pakhus_stat st;
	struct pakhus_error err;
	char version[40];
	uint64_t n = 0;

	if (pakhus_stat(s, PAKHUS_STAT_OBJECTS, &st, &err))
		wrong("stat: %s", err.text);
	for (size_t i = 0; i < CHUNKS; i++)
		change_chunk(i);
	while (!stopped) {
		uint64_t dice = below(20);
		int old = n && dice < (st.immutable ? 1 : 2);

		snprintf(version, sizeof(version), "%d.%llu.0", (int)getpid(),
			 (unsigned long long)(old ? below(n) : n++));
		if (dice)
			publish_one(s, id, version);
		else
			delete_one(s, id, version);
		if (!below(10))
			usleep((useconds_t)below(10000));
	}
	pakhus_close(s);
}

/* ---- read ---- */

static void check_package(const struct pakhus_package *p)
{
	char hash[65];

	hash_of(p->document, p->document_size, hash);
	if (strcmp(hash, p->record.hash))
		wrong("%s@%s: text of %s, not of %s", p->record.id,
		      p->record.version, hash, p->record.hash);
	if (p->manifest != p->document + 12 ||
	    p->metadata != p->manifest + p->manifest_size + 12 ||
	    p->metadata + p->metadata_size + 1 !=
		    p->document + p->document_size)
		wrong("%s@%s: slices", p->record.id, p->record.version);
}

static void get(struct pakhus *s, const char *id, const char *version)
{
	struct pakhus_package *p;
	struct pakhus_error err;
	int rc = pakhus_get(s, id, version, &p, &err);

	if (rc == PAKHUS_ENOTFOUND)
		return; /* deleted meanwhile */
	if (rc)
		wrong("get %s@%s: %s", id, version ? version : "", err.text);
	check_package(p);
	pakhus_package_free(p);
}

static void get_at(struct pakhus *s, uint64_t seq)
{
	struct pakhus_package *p;
	struct pakhus_error err;
	int rc = pakhus_get_at(s, seq, &p, &err);

	if (rc == PAKHUS_ENOTFOUND)
		return; /* a delete */
	if (rc)
		wrong("get at %llu: %s", (unsigned long long)seq, err.text);
	check_package(p);
	pakhus_package_free(p);
}

/* Positions never go back within a process. */
static void check_position(uint64_t position)
{
	static uint64_t last;

	if (position < last)
		wrong("position %llu after %llu", (unsigned long long)position,
		      (unsigned long long)last);
	last = position;
}

static void read_versions(struct pakhus *s, const char *id)
{
	struct pakhus_range range = { .limit = 1 + below(300) };
	struct pakhus_versions *v;
	struct pakhus_error err;

	if (pakhus_versions(s, id, range, &v, &err))
		wrong("versions %s: %s", id, err.text);
	check_position(v->position);
	for (size_t i = 1; i < v->count; i++)
		if (v->items[i].place >= v->items[i - 1].place)
			wrong("versions %s: out of order", id);
	if (v->count)
		get(s, id, v->items[below(v->count)].version);
	pakhus_versions_free(v);
}

static void read_history(struct pakhus *s)
{
	struct pakhus_range range = { .limit = 1 + below(600) };
	struct pakhus_history *h;
	struct pakhus_error err;

	if (pakhus_history(s, NULL, range, &h, &err))
		wrong("history: %s", err.text);
	check_position(h->position);
	for (size_t i = 0; i < h->count; i++)
		if (h->items[i].seq != h->position - 1 - i)
			wrong("history: %llu at place %zu of %llu",
			      (unsigned long long)h->items[i].seq, i,
			      (unsigned long long)h->position);
	get_at(s, h->items[below(h->count)].seq);
	pakhus_history_free(h);
}

static void read_list(struct pakhus *s)
{
	unsigned flags = below(4) ? 0 : PAKHUS_DOCUMENTS;
	struct pakhus_range range = { .limit = 1 + below(20) };
	struct pakhus_list *l;
	struct pakhus_error err;

	if (pakhus_list(s, range, flags, &l, &err))
		wrong("list: %s", err.text);
	check_position(l->position);
	for (size_t i = 0; flags && i < l->count; i++)
		check_package(l->items[i]);
	if (l->count) {
		const char *id = l->items[below(l->count)]->record.id;

		get(s, id, NULL);
		read_versions(s, id);
	}
	pakhus_list_free(l);
}

static void read_all(const char *path)
{
	unsigned n = 0;

	while (!stopped) {
		struct pakhus *s =
			open_store(path, below(2) ? PAKHUS_READONLY : 0);

		for (uint64_t i = below(100); i && !stopped; i--) {
			if (below(3))
				read_list(s);
			else
				read_history(s);
			usleep((useconds_t)below(2000));
			if (++n % 50 == 0 && write(STDOUT_FILENO, ".\n", 2) != 2)
				exit(1);
		}
		pakhus_close(s);
	}
}

/* ---- check ---- */

static void check(const char *path)
{
	struct pakhus *s = open_store(path, 0);
	static char line[1 << 16], id[300], version[200], hashes[1 << 15];

	while (fgets(line, sizeof(line), stdin)) {
		struct pakhus_package *p;
		struct pakhus_error err;
		int rc;

		if (sscanf(line, "%299s %199s %32767s", id, version, hashes) !=
		    3)
			wrong("not understood: %s", line);
		rc = pakhus_get(s, id, version, &p, &err);
		if (rc && rc != PAKHUS_ENOTFOUND)
			wrong("get %s@%s: %s", id, version, err.text);
		if (!strstr(hashes, rc ? "-" : p->record.hash))
			wrong("%s@%s is %s, not one of %s", id, version,
			      rc ? "-" : p->record.hash, hashes);
		if (!rc) {
			check_package(p);
			pakhus_package_free(p);
		}
		if (write(STDOUT_FILENO, "=\n", 2) != 2)
			exit(1);
	}
	pakhus_close(s);
}

int main(int argc, char **argv)
{
	struct sigaction sa = { .sa_handler = stop };

	sigaction(SIGTERM, &sa, NULL);
	if (argc == 5 && !strcmp(argv[1], "publish")) {
		seed_random(argv[4]);
		publish(argv[2], argv[3]);
	} else if (argc == 4 && !strcmp(argv[1], "read")) {
		seed_random(argv[3]);
		read_all(argv[2]);
	} else if (argc == 3 && !strcmp(argv[1], "check")) {
		check(argv[2]);
	} else {
		return 2;
	}
	return fflush(stdout) ? 1 : 0;
}
