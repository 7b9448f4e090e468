/* aid_worker.c - a process that works on a store until it is told to stop,
 * for tests that end it at a bad moment.
 *
 *	aid_worker publish STORE ID SEED	and overwrites, and deletes
 *	aid_worker seven STORE SEED	batches of seven versions, deleted whole
 *	aid_worker sync STORE SEED	moves the journal into the tree
 *	aid_worker verify STORE SEED
 *	aid_worker read STORE SEED	with many handles, one after the other
 *	aid_worker stay STORE SEED	reads with one
 *	aid_worker check STORE
 *
 * publish pauses as it likes, or PAUSE microseconds each time.
 *
 * publish and seven say on stdout what they are about to do ("? ID VERSION
 * HASH", with - for a delete) and that it was acknowledged ("+ ID VERSION
 * HASH"), each line with one write. Hashes are their own, of the text they
 * made; SEED is in their names. read and stay read whatever is there in every
 * way there is, and hold every text against its hash, live versions against
 * the history; a line "." is 50 reads. check reads lines of ID, VERSION and
 * HASH[,HASH…] from stdin, of which one must be what is stored, and answers
 * "=".
 *
 * Of the processes that share a file $SEEN nobody may see a lower position
 * than one that another has seen, or was acknowledged, before it asked.
 *
 * SIGTERM ends all but check in order, status 0. Whatever should not have
 * happened is a line "! …" on stdout, and status 1; what the library wants
 * the user to know a line "n …".
 */
#include "pakhus.h"

#include <openssl/sha.h>

#include <fcntl.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define CHUNKS 64
#define CHUNK 480 /* bytes of a chunk; a package is about 30 KB */
#define LONG_TEXT ((size_t)4500 << 10) /* longer than goes to the journal */
#define SEVEN "org.example.seven" /* of which there are seven or none */

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

static void say(char what, const char *id, const char *version,
		const char *hash)
{
	char line[512];
	int n = snprintf(line, sizeof(line), "%c %s %s %s\n", what, id,
			 version, hash);

	if (write(STDOUT_FILENO, line, (size_t)n) != n)
		exit(1); /* nobody listens any more */
}

static void hear(void *arg, const char *text)
{
	(void)arg;
	say('n', text, "", "");
}

static struct pakhus *open_store(const char *path, unsigned flags)
{
	struct pakhus_options opt = { .flags = flags, .level = 1,
				      .notice = hear };
	struct pakhus_error err;
	struct pakhus *s;

	if (pakhus_open(&s, path, &opt, &err))
		wrong("open: %s", err.text);
	return s;
}

/* ---- what was seen ---- */

static _Atomic uint64_t *seen;

static void map_seen(void)
{
	const char *path = getenv("SEEN");
	int fd = path ? open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600) : -1;

	if (path && (fd < 0 || ftruncate(fd, sizeof(*seen))))
		wrong("%s", path);
	seen = mmap(NULL, sizeof(*seen), PROT_READ | PROT_WRITE,
		    path ? MAP_SHARED : MAP_PRIVATE | MAP_ANONYMOUS, fd, 0);
	if (seen == MAP_FAILED)
		wrong("out of memory");
	if (path)
		close(fd);
}

static void see(uint64_t position)
{
	uint64_t was = atomic_load(seen);

	while (was < position &&
	       !atomic_compare_exchange_weak(seen, &was, position))
		;
}

/* A position that was read, and what had been seen before it was asked. */
static void check_position(uint64_t position, uint64_t before)
{
	if (position < before)
		wrong("position %llu after %llu", (unsigned long long)position,
		      (unsigned long long)before);
	see(position);
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

static void hold_against(struct pakhus *s, const char *id,
			 const char *version, const char *hash)
{
	struct pakhus_package *p;
	struct pakhus_error err;
	int rc = pakhus_get(s, id, version, &p, &err);

	if (rc == PAKHUS_ENOTFOUND && !strcmp(hash, "-"))
		return;
	if (rc)
		wrong("get %s@%s: %s", id, version, err.text);
	if (strcmp(p->record.hash, hash))
		wrong("get %s@%s: %s, not %s", id, version, p->record.hash,
		      hash);
	pakhus_package_free(p);
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
	see(record.seq + 1);
	if (!below(4))
		hold_against(s, id, version, hash);
	free(text);
}

static void delete_one(struct pakhus *s, const char *id, const char *version)
{
	struct pakhus_error err;

	say('?', id, version, "-");
	if (pakhus_delete(s, id, version, NULL, NULL, &err))
		wrong("delete %s@%s: %s", id, version, err.text);
	say('+', id, version, "-");
	hold_against(s, id, version, "-");
}

static void publish(struct pakhus *s, const char *id, const char *seed)
{
	const char *pause = getenv("PAUSE");
	useconds_t us = pause ? (useconds_t)strtoul(pause, NULL, 10) : 0;
	char version[60];
	struct pakhus_stat st;
	struct pakhus_error err;
	uint64_t n = 0;

	if (pakhus_stat(s, PAKHUS_STAT_OBJECTS, &st, &err))
		wrong("stat: %s", err.text);
	while (!stopped) {
		uint64_t dice = below(20);
		int old = n && dice < (st.immutable ? 1 : 2);

		snprintf(version, sizeof(version), "%s-%d.%llu.0",
			 seed, (int)getpid(),
			 (unsigned long long)(old ? below(n) : n++));
		if (dice)
			publish_one(s, id, version);
		else
			delete_one(s, id, version);
		if (us || !below(10))
			usleep(us ? us : (useconds_t)below(10000));
	}
}

/* ---- seven ---- */

static size_t count(struct pakhus *s, const char *id)
{
	struct pakhus_range range = { .limit = 10 };
	uint64_t before = atomic_load(seen);
	struct pakhus_versions *v;
	struct pakhus_error err;
	size_t n;

	if (pakhus_versions(s, id, range, &v, &err))
		wrong("versions %s: %s", id, err.text);
	check_position(v->position, before);
	n = v->count;
	pakhus_versions_free(v);
	return n;
}

static void publish_seven(struct pakhus *s, const char *id)
{
	static char hash[7][65];
	static const char *const version[7] = { "1", "2", "3", "4",
						"5", "6", "7" };
	struct pakhus_batch *b;
	struct pakhus_error err;

	if (pakhus_batch_new(s, "seven", &b, &err))
		wrong("batch %s: %s", id, err.text);
	for (int i = 0; i < 7; i++) {
		size_t size;
		char *text;

		/* together they stay below what a batch makes durable */
		do {
			text = document(id, version[i], &size);
			if (size > LONG_TEXT)
				free(text);
		} while (size > LONG_TEXT);
		hash_of(text, size, hash[i]);
		say('?', id, version[i], hash[i]);
		if (pakhus_batch_publish(b, text, size, &err))
			wrong("batch %s: %s", id, err.text);
		free(text);
	}
	if (pakhus_batch_durable(b))
		wrong("%s: durable before it was committed", id);
	if (pakhus_batch_commit(b, &err))
		wrong("batch %s: %s", id, err.text);
	for (int i = 0; i < 7; i++)
		say('+', id, version[i], hash[i]);
	pakhus_batch_free(b);
	if (count(s, id) != 7)
		wrong("%s: not seven", id);
	if (below(3))
		return;
	for (int i = 0; i < 7; i++)
		say('?', id, version[i], "-");
	if (pakhus_delete(s, id, NULL, NULL, NULL, &err))
		wrong("delete %s: %s", id, err.text);
	for (int i = 0; i < 7; i++)
		say('+', id, version[i], "-");
	if (count(s, id))
		wrong("%s: deleted and there", id);
}

static void seven(struct pakhus *s, const char *begin, const char *seed)
{
	char id[100];

	for (uint64_t n = 0; !stopped; n++) {
		snprintf(id, sizeof(id), "%s.%s.%llu", begin, seed,
			 (unsigned long long)n);
		publish_seven(s, id);
		usleep((useconds_t)below(20000));
	}
}

/* ---- sync and verify ---- */

static void sync_one(struct pakhus *s)
{
	struct pakhus_error err;

	if (pakhus_sync(s, &err))
		wrong("sync: %s", err.text);
	usleep((useconds_t)below(20000));
}

static void tell_damage(void *arg, const char *path, const char *rule,
			const char *text)
{
	(void)arg;
	wrong("verify: %s: %s %s", path, rule, text);
}

static void verify_one(struct pakhus *s)
{
	struct pakhus_verify v = { .damage = tell_damage,
				   .flags = (unsigned)below(4) };
	struct pakhus_error err;

	if (pakhus_verify(s, &v, &err))
		wrong("verify: %s", err.text);
	usleep((useconds_t)below(50000));
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

/* Whether a history, newest first, makes these versions live. */
static void replay(const struct pakhus_versions *v,
		   const struct pakhus_history *h, const char *id)
{
	size_t live = 0;

	for (size_t i = 0; i < h->count; i++) {
		const struct pakhus_entry *e = &h->items[i];
		const struct pakhus_record *r = NULL;
		size_t k;

		for (k = 0; k < i; k++)
			if (!strcmp(h->items[k].version, e->version))
				break;
		if (k < i || strcmp(e->op, "publish"))
			continue; /* not the last word, or a delete */
		for (k = 0; k < v->count; k++)
			if (!strcmp(v->items[k].version, e->version))
				r = &v->items[k];
		if (!r || r->seq != e->seq || strcmp(r->hash, e->hash))
			wrong("%s@%s: the log has %llu %s, the index %llu %s",
			      id, e->version, (unsigned long long)e->seq,
			      e->hash, (unsigned long long)(r ? r->seq : 0),
			      r ? r->hash : "-");
		live++;
	}
	if (live != v->count)
		wrong("%s: %zu versions are live in the log, %zu in the index",
		      id, live, v->count);
}

static void read_state(struct pakhus *s, const char *id)
{
	struct pakhus_range range = { .limit = 300 };
	uint64_t before = atomic_load(seen);
	struct pakhus_versions *v;
	struct pakhus_history *h;
	struct pakhus_error err;

	if (pakhus_versions(s, id, range, &v, &err))
		wrong("versions %s: %s", id, err.text);
	check_position(v->position, before);
	range.before = v->position;
	if (pakhus_history(s, id, range, &h, &err))
		wrong("history %s: %s", id, err.text);
	if (!v->next && !h->next)
		replay(v, h, id);
	if (!strncmp(id, SEVEN, strlen(SEVEN)) && v->count && v->count != 7)
		wrong("%s: %zu of seven", id, v->count);
	pakhus_history_free(h);
	pakhus_versions_free(v);
}

static void read_versions(struct pakhus *s, const char *id)
{
	struct pakhus_range range = { .limit = 1 + below(300) };
	uint64_t before = atomic_load(seen);
	struct pakhus_versions *v;
	struct pakhus_error err;

	if (pakhus_versions(s, id, range, &v, &err))
		wrong("versions %s: %s", id, err.text);
	check_position(v->position, before);
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
	uint64_t before = atomic_load(seen);
	struct pakhus_history *h;
	struct pakhus_error err;

	if (pakhus_history(s, NULL, range, &h, &err))
		wrong("history: %s", err.text);
	check_position(h->position, before);
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
	uint64_t before = atomic_load(seen);
	struct pakhus_list *l;
	struct pakhus_error err;

	if (pakhus_list(s, range, flags, &l, &err))
		wrong("list: %s", err.text);
	check_position(l->position, before);
	for (size_t i = 0; flags && i < l->count; i++)
		check_package(l->items[i]);
	if (l->count) {
		const char *id = l->items[below(l->count)]->record.id;

		get(s, id, NULL);
		read_versions(s, id);
		read_state(s, id);
	}
	pakhus_list_free(l);
}

static void read_one(struct pakhus *s)
{
	static unsigned n;

	if (below(3))
		read_list(s);
	else
		read_history(s);
	usleep((useconds_t)below(2000));
	if (++n % 50 == 0 && write(STDOUT_FILENO, ".\n", 2) != 2)
		exit(1);
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

/* ---- which ---- */

static void with_one(const char *path, void (*fn)(struct pakhus *s))
{
	struct pakhus *s = open_store(path, PAKHUS_READONLY);

	while (!stopped)
		fn(s);
	pakhus_close(s);
}

static void with_many(const char *path, int read_only,
		      void (*fn)(struct pakhus *s))
{
	while (!stopped) {
		int flags = read_only && below(2) ? PAKHUS_READONLY : 0;
		struct pakhus *s = open_store(path, (unsigned)flags);

		for (uint64_t i = below(100); i && !stopped; i--)
			fn(s);
		pakhus_close(s);
	}
}

static void write_to(const char *path, const char *id, const char *seed,
		     void (*fn)(struct pakhus *s, const char *id,
				const char *seed))
{
	struct pakhus *s = open_store(path, 0);

	for (size_t i = 0; i < CHUNKS; i++)
		change_chunk(i);
	fn(s, id, seed);
	pakhus_close(s);
}

int main(int argc, char **argv)
{
	struct sigaction sa = { .sa_handler = stop };
	const char *what = argc > 2 ? argv[1] : "";

	sigaction(SIGTERM, &sa, NULL);
	map_seen();
	if (argc > 3)
		seed_random(argv[argc - 1]);
	if (argc == 5 && !strcmp(what, "publish"))
		write_to(argv[2], argv[3], argv[4], publish);
	else if (argc == 4 && !strcmp(what, "seven"))
		write_to(argv[2], SEVEN, argv[3], seven);
	else if (argc == 4 && !strcmp(what, "sync"))
		with_many(argv[2], 0, sync_one);
	else if (argc == 4 && !strcmp(what, "verify"))
		with_many(argv[2], 1, verify_one);
	else if (argc == 4 && !strcmp(what, "read"))
		with_many(argv[2], 1, read_one);
	else if (argc == 4 && !strcmp(what, "stay"))
		with_one(argv[2], read_one);
	else if (argc == 3 && !strcmp(what, "check"))
		check(argv[2]);
	else
		return 2;
	return fflush(stdout) ? 1 : 0;
}
