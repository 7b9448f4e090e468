/* bench.h - what the parts of the bench share: documents, peers, samples,
 * and the lines in which results are written down.
 *
 *	bench [-d DIR] [-o FILE] [-p PEER,...] [-c NAME=COUNT,...] [-s] [-k]
 *	      [-C CORPUS] [-P PAKHUS] [WORK...]
 *	bench -e KIND COUNT
 *
 * The first runs works, all of them where none is named, in stores below DIR
 * (build/bench/work), and appends results to FILE (stdout). -s takes the
 * counts of a short run. -k keeps the filled stores, and a run that finds
 * them there does not fill them again. The second prints documents, a line
 * each, in the order in which they are published; -h names all that can be
 * named.
 *
 * A peer is a store of packages: pakhus, and what it is compared with. A
 * work is something that is measured: one name, one function in a work_*.c.
 * Peers know nothing of works, and works nothing of peers but this header.
 * main.c holds both tables and the options. Times are taken inside the peer,
 * as near to the call as can be and in the process that does it; answers are
 * checked by the work, outside that span.
 */
#ifndef BENCH_H
#define BENCH_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

/* ---- Documents (docs.c) ---- */

/* Every version of a generated package differs in a few items from the one
 * before; VERSIONS_EACH of them make a package. Which document is the n-th is
 * a pure function of kind and n, so that nobody has to keep what was
 * published in order to check an answer. */
#define VERSIONS_EACH 20

enum doc_kind {
	DOCS_GENERATED, /* about 75 KB */
	DOCS_SMALL,	/* about 300 bytes */
	DOCS_KINDS
};
extern const char *const doc_kinds[DOCS_KINDS]; /* "generated", "small" */

struct doc {
	char *text; /* {"manifest":M,"metadata":D}: canonical, NUL-terminated */
	size_t size;
	const char *manifest, *metadata; /* M and D in text */
	size_t manifest_size, metadata_size;
	char id[216], version[132];
	/* When it was made, seconds since 1970, an hour later for each later
	 * version. import() stores it where a peer finds the latest version
	 * by the clock, as hours pass between real versions and a clock of
	 * seconds would leave "latest" open. publish() has it from the clock.
	 */
	int64_t created;
};

/* The document of a version, 0 and up, of a package, 0 and up. version may
 * be beyond VERSIONS_EACH. */
void doc_make(struct doc *out, enum doc_kind kind, uint64_t package,
	      uint64_t version);
/* The n-th of total documents that make a store: version 0 of all packages,
 * then version 1 of all, and so on, VERSIONS_EACH in the end. */
void doc_nth(struct doc *out, enum doc_kind kind, uint64_t n, uint64_t total);
void doc_release(struct doc *doc);

/* count documents from the first on: doc_nth(), or lines of files. */
struct docs {
	struct doc *items;
	size_t count;
	uint64_t bytes; /* of all texts */
};
void docs_make(struct docs *out, enum doc_kind kind, uint64_t first,
	       size_t count, uint64_t total);
/* The lines of all files NAME.jsonl.zst of dir, in the order of their names,
 * at most so many; 0 is all. None when the directory is not there. */
void docs_load(struct docs *out, const char *dir, uint64_t limit);
void docs_release(struct docs *docs);

uint64_t random_next(uint64_t *state); /* splitmix64 */
uint64_t random_below(uint64_t *state, uint64_t limit);

/* ---- Peers (peer_*.c) ---- */

struct peer_options {
	size_t cache;	  /* of decoded texts: 0 is the default, 1 is none */
	int level;	  /* of compression; 0 is the default */
	unsigned threads; /* that import() may use, if it can; 0 is one */
};

/* What get() found. manifest is NULL where nothing was. The texts are those
 * of the document as published. release() frees it, if it is not NULL. */
struct answer {
	const char *manifest, *metadata;
	size_t manifest_size, metadata_size;
	void *owner;
	void (*release)(void *owner);
};

/* What cannot be asked of every peer. */
enum peer_can {
	PEER_SHARED = 1,    /* threads share one client; else one each */
	PEER_THREADS = 2,   /* can be used by threads */
	PEER_PROCESSES = 4, /* can be used by processes at once */
	PEER_SCALE = 8,	  /* takes part where stores are filled by a million */
	PEER_LIST = 16,	  /* list() means something here */
	PEER_DELETE = 32, /* remove() too */
	PEER_BYTES = 64,  /* takes part where bytes are counted */
	PEER_STILL = 128, /* in no work but those that ask for what it can */
	PEER_COLD = 256,  /* has a getter */
	PEER_IMPORT = 512 /* import() of the whole is measured */
};

/* Operations return the nanoseconds they took, or -1 after they said on
 * stderr what failed: bench_fail(). What an operation prepares or copies for
 * our sake alone lies outside of these nanoseconds. */
struct peer {
	const char *name;
	unsigned can;
	/* Why it cannot run on this machine, in one line, or NULL. The pointer
	 * may be NULL: can always. Asked before all else, may install. */
	const char *(*missing)(void);
	/* A client of the store in dir, which is made where nothing is; dir's
	 * parent is there. NULL after bench_fail(). Never called in a process
	 * that was forked while it had a client. */
	void *(*open)(const struct peer *self, const char *dir,
		      const struct peer_options *opt);
	void (*close)(void *client);
	/* From JSON text to durable. */
	int64_t (*publish)(void *client, const struct doc *doc);
	/* From JSON texts to durable and in the store's lasting form, the
	 * fastest way the peer has; order is kept. */
	int64_t (*import)(void *client, const struct doc *docs, size_t count);
	/* version NULL: the latest. */
	int64_t (*get)(void *client, const char *id, const char *version,
		       struct answer *out);
	/* The latest version of each package, newest first: with limit 0 all
	 * of them with both texts, else limit of them with manifests. *count
	 * is of rows, *bytes of texts seen. */
	int64_t (*list)(void *client, size_t limit, size_t *count,
			uint64_t *bytes);
	int64_t (*remove)(void *client, const char *id, const char *version);
	/* Bytes of content files, and on disk, apart from index and log; NULL
	 * where there is no such distinction. 0, or -1 after bench_fail(). */
	int (*objects)(const char *dir, uint64_t *bytes, uint64_t *blocks);
	/* A program that does one get in a process of its own: getter.c linked
	 * with the peer, below the directory of the bench program. Called
	 * GETTER DIR ID VERSION; NULL: the peer has none. It prints one line
	 * "PEAK CPU MANIFEST METADATA\n" when it is done (the store closed):
	 * peak resident bytes, nanoseconds of processor time of the opening
	 * alone, sizes; and then the two texts. */
	const char *getter;
	const void *arg; /* the peer's own */
};

extern const struct peer peer_pakhus, peer_pakhus_19, peer_pakhus_1;
extern const struct peer peer_sqlite_full, peer_sqlite_normal;
extern const struct peer peer_sqlite_full_zstd, peer_sqlite_normal_zstd;
extern const struct peer peer_floor;
extern const struct peer peer_service;

/* ---- Samples and results (sample.c) ---- */

int64_t now_ns(void); /* CLOCK_MONOTONIC */
int64_t cpu_ns(void); /* CLOCK_PROCESS_CPUTIME_ID */
void *must(void *p);  /* ends the program when p is NULL: no memory */

/* "bench: FMT" on stderr; returns -1. */
int bench_fail(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/* All zero is empty. */
struct samples {
	double *values;
	size_t count, room;
};
void samples_add(struct samples *s, double value);
/* The smallest value that at least this part, 0 to 1, does not exceed. */
double samples_quantile(const struct samples *s, double part);
double samples_mean(const struct samples *s);
void samples_release(struct samples *s);

/* Results are lines of JSON, one object each, keys in this order:
 *
 *   {"work":"publish","docs":"generated","versions":0,"clients":1,
 *    "peer":"pakhus","unit":"ns","n":400,"median":1,"p99":2,"mean":1}
 *
 * docs      generated, small or corpus
 * versions  in the store when the work began; of "bytes": all of them
 * unit      ns       of one operation
 *           cpu_ns   processor time of one operation
 *           per_s    operations a second, all clients together; p99 is then
 *                    the rate that 99 of 100 rounds reached
 *           bytes
 * n         samples; 1 where there is but one value, which all three repeat
 *
 * and the works, with those that have a unit other than ns named. bench
 * runs them by these names, but get-memory comes with get-cold, open-again
 * with open, list-page with list, and all that counts bytes with bytes;
 * scale is get-latest and get-pinned, without cache, and publish in stores of
 * small documents, of four sizes.
 *
 *   publish            one client, one by one
 *   publish-threads    per_s; clients threads of one process
 *   publish-processes  per_s; clients processes, each holds the store open
 *   publish-program    one run of `pakhus publish FILE`, store made before
 *   import             per_s; into an empty store
 *   get-latest         a few packages again and again
 *   get-pinned         any version of all, with the default cache
 *   get-pinned-nocache the same without; peers that have none do it again
 *   get-miss           a package that is there, a version that is not
 *   get-cold           a process that gets one version: from fork to answer
 *   get-memory         bytes; its peak, less the sizes of the two texts
 *   open               cpu_ns; the opening in such a process
 *   open-again         cpu_ns; in a process that opened and closed it before
 *   list               all packages with both texts
 *   list-page          the first hundred with manifests
 *   delete             one version
 *   bytes, blocks      bytes; all that a store takes after it was closed:
 *                      sizes added up, and st_blocks
 *   object-bytes, object-blocks
 *                      bytes; content alone, where the peer tells it apart.
 *                      Peer zstd-19 is every document by itself at zstd -19,
 *                      blocks of 4096 bytes
 */
struct result {
	const char *work, *docs, *peer, *unit;
	uint64_t versions;
	unsigned clients;
};
void result_write(FILE *out, const struct result *r, const struct samples *s);

/* ---- Works (work_*.c) ---- */

/* How much is done; main.c has the names by which -c sets them, and the
 * counts of the short run. */
struct counts {
	uint64_t publish;     /* publishes, per peer */
	uint64_t clients;     /* at once */
	uint64_t client_each; /* publishes of each client in a round ... */
	uint64_t client_rounds;
	uint64_t program; /* runs of the program */
	uint64_t import;  /* documents in a round ... */
	uint64_t import_rounds;
	uint64_t versions; /* in the store of generated documents */
	uint64_t gets;	   /* of each kind, per peer */
	uint64_t colds;	   /* processes, per peer */
	uint64_t lists;	   /* lists, per peer and scale */
	uint64_t deletes;
	uint64_t scale[4];   /* versions of the small stores, ascending; 0
			      * and what follows it are left out */
	uint64_t scale_each; /* publishes and gets at each scale */
	uint64_t bytes;	     /* generated documents whose bytes are counted */
	uint64_t corpus;     /* documents of it at most; 0 is all */
};

struct bench {
	FILE *out;			 /* results */
	const char *dir;		 /* stores lie below it */
	const char *bin;		 /* directory of the bench program */
	const char *program;		 /* pakhus(1), or NULL */
	const char *corpus;		 /* or NULL */
	const struct peer *const *peers; /* those that take part, to NULL */
	struct counts counts;
	uint64_t seed; /* of what is asked for, not of documents */
};

/* Does one work for all peers, interleaved, and writes its lines. 0 or -1. */
typedef int work_fn(struct bench *b);
work_fn work_publish, work_program, work_import, work_delete;
work_fn work_threads, work_processes;
work_fn work_latest, work_pinned, work_nocache, work_miss;
work_fn work_cold, work_open, work_list, work_scale, work_bytes;

#endif
