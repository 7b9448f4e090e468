/* pakhus.h - the public interface of libpakhus, a content-addressed registry
 * of ObjectStack packages in a directory.
 *
 * This header is the contract: what is not declared here is not API.
 *
 * Errors     Calls return 0 or a negative enum pakhus_status. On failure no
 *            output parameter is touched and nothing needs releasing; what
 *            happened and where is one line in *err, which may be NULL.
 * Ownership  _open/_close and _new/_free pair, and the second of each accepts
 *            NULL. Inputs stay the caller's and are not kept, except the
 *            callbacks of pakhus_options and their arg, until the store is
 *            closed. Texts are UTF-8, pointer then size.
 * Versions   While it is 0.x structures may grow: what uses them is compiled
 *            anew with the header of the library that it runs with.
 * Threads    A handle may be shared by threads; handles on one directory in
 *            one process share one index. A batch belongs to one thread at a
 *            time. Results belong to who got them. Not usable in the child
 *            after fork(2): every call there says so with PAKHUS_EINVAL.
 *            The library starts no threads of its own, except inside a call
 *            on a handle opened with `threads`.
 * Units      Sizes are bytes, times are microseconds since 1970 in UTC,
 *            positions count log entries from 0. Entry 0 is never a
 *            publish, so 0 can mean "none" where a position is expected.
 */
#ifndef PAKHUS_H
#define PAKHUS_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#if defined(__GNUC__)
#pragma GCC visibility push(default)
#endif

#define PAKHUS_VERSION "0.1.0"

/* Limits, in bytes (FORMAT.md F-7 to F-9 and F-21 say why). */
#define PAKHUS_ID_MAX 214
#define PAKHUS_VERSION_MAX 128
#define PAKHUS_BY_MAX 64
#define PAKHUS_REASON_MAX 1024
#define PAKHUS_DOCUMENT_MAX ((size_t)64 << 20)
#define PAKHUS_ATTRS_MAX ((size_t)1 << 20)
#define PAKHUS_HASH_HEX 64

enum pakhus_status {
	PAKHUS_OK = 0,
	PAKHUS_ENOTFOUND = -1, /* no such store, package, version, object */
	PAKHUS_EINVAL = -2,    /* not a package, or a call that makes no sense */
	PAKHUS_ECONFLICT = -3, /* immutable store, other content; purged text */
	PAKHUS_ECORRUPT = -4,  /* bytes break FORMAT.md, or a bad signature */
	PAKHUS_EVERSION = -5,  /* written by a newer pakhus */
	PAKHUS_ELIMIT = -6,    /* beyond a limit of FORMAT.md or of an option */
	PAKHUS_EBUSY = -7,     /* others have the store open: PAKHUS_REBUILD,
				  or theirs is another PID namespace */
	PAKHUS_EDENIED = -8, /* permission, read-only, a copy of a store */
	PAKHUS_ENOMEM = -9,
	PAKHUS_ESYS = -10,     /* see pakhus_error.sys */
	PAKHUS_EUNKNOWN = -11, /* a sync failed: done or not, the disk knows */
	PAKHUS_ECANCELED = -12, /* the progress callback said stop */
	PAKHUS_ENETWORK = -13, /* a source could not be reached, or broke off */
	PAKHUS_ESTALE = -14 /* a version is not what the caller expects */
};

/* Filled on failure. text is one line without a full stop. */
struct pakhus_error {
	int status; /* an enum pakhus_status */
	int sys;    /* errno where the system said no, else 0 */
	char text[480];
};

/* The library's version, and a status in a few words; static strings. */
const char *pakhus_version(void);
const char *pakhus_strstatus(int status);

/* ---- A store ---- */

struct pakhus; /* an open store */

/* Told how far a long call is; total is 0 while unknown. Called on the
 * calling thread, by pakhus_verify() and by calls that read much of the log:
 * pakhus_open() that has to make the index, one that finds it damaged and
 * makes it anew, and one that follows a log without local/. Anything but 0
 * cancels: the call ends PAKHUS_ECANCELED, or with the damage that it met,
 * and the store is as valid as before. What encodes and syncs objects, as
 * pakhus_sync() does, does not tell. */
typedef int pakhus_progress_fn(void *arg, const char *what, uint64_t done,
			       uint64_t total);
/* Told, once each, things the user should know that are no errors: that
 * the index was rebuilt, and why. */
typedef void pakhus_notice_fn(void *arg, const char *text);

struct pakhus_init_options {
	const char *origin; /* name of the log: 1-200 printable ASCII bytes, no
			       space or '+'; NULL: pakhus.invalid/<random> */
	int immutable;	    /* a version's content never changes */
	const char *by;	    /* label in the first log entry, or NULL */
	/* The private key to begin with, in signed-note form (PRIVATE+KEY+…)
	 * and NUL-terminated; its name must be the origin, or gives it where
	 * that is NULL. NULL: a new one is made. */
	const char *key;
};

enum pakhus_open_flags {
	PAKHUS_CREATE = 1,   /* init with defaults where nothing is */
	PAKHUS_READONLY = 2, /* refuse to write; still uses the index */
	PAKHUS_REBUILD = 4   /* drop the index and make it anew; PAKHUS_EBUSY
				while another process has the store open */
};

/* All zero is the default of everything. */
struct pakhus_options {
	unsigned flags;	     /* enum pakhus_open_flags */
	int level;	     /* zstd level of new objects, 1-19; 0 is 12 */
	size_t cache_size;   /* decoded texts kept; 0 is 32 MiB, 1 is none */
	size_t max_document; /* lowers PAKHUS_DOCUMENT_MAX; 0 leaves it */
	pakhus_progress_fn *progress;
	pakhus_notice_fn *notice;
	void *arg; /* of both callbacks */
	/* How many threads encode objects, and decode them in
	 * pakhus_verify(), the caller's included; more than 64 is 64. While
	 * those are synced, up to 8 wait for the disk. 0 and 1: none is
	 * started. Calls that move what is durable into the tree use them:
	 * pakhus_sync(), pakhus_close(), one that writes when it fills the
	 * journal, pakhus_open() when it recovers. They take no signals and
	 * end with the call; where one cannot be started, those that could do
	 * it all. What is stored is the same. Each takes 10 MB for texts of
	 * 200 KB, and at most 110 MB, for texts of 4 MiB at level 19. */
	unsigned threads;
};

/* Makes a store at path: an empty or missing directory (its parent must
 * exist). PAKHUS_ECONFLICT when one is there already. */
int pakhus_init(const char *path, const struct pakhus_init_options *opt,
		struct pakhus_error *err);

/* Opens the store at path. opt may be NULL. Recovers what a crash left
 * when nobody else has the store open. Where local/ cannot be written (a
 * read-only mount, another user's store) the handle reads as of the log's
 * checkpoint, which it looks up again at every call, and refuses to write.
 * Free with pakhus_close(). */
int pakhus_open(struct pakhus **out, const char *path,
		const struct pakhus_options *opt, struct pakhus_error *err);

/* Moves what was published into the tree that mirrors copy, if this handle
 * wrote, and frees it. What fails here was durable before and is done by
 * the next one: call pakhus_sync() first to hear of it. */
void pakhus_close(struct pakhus *store);

/* Moves everything durable into the objects and the signed log, installs a
 * new checkpoint, and empties the journals. */
int pakhus_sync(struct pakhus *store, struct pakhus_error *err);

/* Says that the copy of a store at path is from now on the only one that
 * is written. A store whose local/ was copied refuses to publish before. */
int pakhus_adopt_here(const char *path, struct pakhus_error *err);

struct pakhus_stat {
	char identity[33]; /* 128 random bits in hexadecimal */
	char origin[201];
	char key[320];		  /* verifier key in force at the checkpoint,
				     signed-note vkey form */
	int immutable;
	int writable;		  /* 0: this handle can only read ... */
	char why_not[240];	  /* ... and this is why */
	uint64_t entries;	  /* durable log entries */
	uint64_t checkpoint;	  /* of them in the signed tree */
	char root[45];		  /* the checkpoint's root hash, base64 */
	uint64_t packages, versions; /* live ones */
	uint64_t objects;	  /* files in objects/ ... */
	uint64_t object_bytes;	  /* ... their sizes added up ... */
	uint64_t object_blocks;	  /* ... and what they take on disk, bytes */
	uint64_t max_depth;	  /* deltas to the farthest whole text */
	uint64_t journal_bytes;	  /* in the journals, not yet in the tree */
	uint64_t index_bytes;	  /* index file; 0 where it is in memory */
};

/* What needs no look at the objects, at once; with PAKHUS_STAT_OBJECTS the
 * four numbers of objects too, for which the last 64 bytes of each are read.
 * They are 0 otherwise. */
enum pakhus_stat_flags { PAKHUS_STAT_OBJECTS = 1 };
int pakhus_stat(struct pakhus *store, unsigned flags, struct pakhus_stat *out,
		struct pakhus_error *err);

/* ---- Writing ---- */

/* A version as the index knows it. */
struct pakhus_record {
	char id[PAKHUS_ID_MAX + 1];
	char version[PAKHUS_VERSION_MAX + 1];
	char hash[PAKHUS_HASH_HEX + 1]; /* SHA-256 of the document text */
	uint64_t manifest_size, metadata_size; /* of the canonical texts */
	uint64_t created_us, updated_us;
	char created_at[20], updated_at[20]; /* YYYY-MM-DD HH:MM:SS, UTC */
	uint64_t seq;	/* position of the entry that set the content */
	uint64_t place; /* position of the one that inserted the version */
};

/* Publishes one document, {"manifest":…,"metadata":…} or a build artifact;
 * by is an opaque label of who did it, at most PAKHUS_BY_MAX bytes without
 * control characters, or NULL. When it returns 0 the version is durable and
 * every later read sees it. out may be NULL. PAKHUS_EINVAL and
 * PAKHUS_ELIMIT name line and column where there is one: what is missing
 * has none; PAKHUS_ECONFLICT as told above;
 * PAKHUS_EUNKNOWN: durable or not, known when the store is next opened with
 * nobody else in it, and no writing before that. */
int pakhus_publish(struct pakhus *store, const char *json, size_t size,
		   const char *by, struct pakhus_record *out,
		   struct pakhus_error *err);

/* Whether a document could be published, without a store; the errors are
 * those of pakhus_publish(). */
int pakhus_check(const char *json, size_t size, struct pakhus_error *err);

/* The hash that a document has or would have, that of its canonical text,
 * without a store; the errors are those of pakhus_publish(). */
int pakhus_hash(const char *json, size_t size, char hash[PAKHUS_HASH_HEX + 1],
		struct pakhus_error *err);

/* A document that was read and checked, and is not stored: for who has to
 * know what it is before it may be, and reads it once. */
struct pakhus_document {
	char id[PAKHUS_ID_MAX + 1], version[PAKHUS_VERSION_MAX + 1];
	char hash[PAKHUS_HASH_HEX + 1];
	uint64_t manifest_size, metadata_size;
	const char *text; /* canonical, NUL-terminated besides */
	size_t size;
};
/* The errors are those of pakhus_publish() about a document, with the limit
 * of the handle. Free with pakhus_document_free(), before pakhus_close(). */
int pakhus_document_new(struct pakhus *store, const char *json, size_t size,
			struct pakhus_document **out, struct pakhus_error *err);
void pakhus_document_free(struct pakhus_document *doc);
/* Publishes it, as often as one likes, through the handle that it was read
 * with. over NULL: as pakhus_publish() does. Else only where the version's
 * content was set by the entry at *over, as pakhus_record.seq says it, or
 * with 0 where the version is not there: PAKHUS_ESTALE otherwise, with
 * nothing changed. Whether it is so is looked at in the step that changes it,
 * and nobody in any process comes between. Such publishes share no sync. */
int pakhus_publish_document(struct pakhus *store,
			    const struct pakhus_document *doc,
			    const uint64_t *over, const char *by,
			    struct pakhus_record *out,
			    struct pakhus_error *err);

/* Many publishes with few syncs. Documents are gathered until about 8 MiB
 * and then made durable in one atomic step; what was durable before a
 * failure or a crash stays. */
struct pakhus_batch;
int pakhus_batch_new(struct pakhus *store, const char *by,
		     struct pakhus_batch **out, struct pakhus_error *err);
/* A document that is refused is not added; the batch stays usable after
 * PAKHUS_EINVAL, PAKHUS_ELIMIT and PAKHUS_ECONFLICT. */
int pakhus_batch_publish(struct pakhus_batch *batch, const char *json,
			 size_t size, struct pakhus_error *err);
/* The same for one that was read; the batch keeps nothing of it. */
int pakhus_batch_document(struct pakhus_batch *batch,
			  const struct pakhus_document *doc,
			  struct pakhus_error *err);
int pakhus_batch_commit(struct pakhus_batch *batch, struct pakhus_error *err);
/* How many of the documents and attrs added are durable: always the first
 * ones. */
uint64_t pakhus_batch_durable(const struct pakhus_batch *batch);
/* Drops what was not committed. Before pakhus_close() of its store. */
void pakhus_batch_free(struct pakhus_batch *batch);

/* Deletes one version, or with version NULL all of the package, in one
 * atomic and durable step; *count (may be NULL) says how many went, and 0
 * is no error. An empty version is PAKHUS_EINVAL. Content stays readable
 * by its position until pakhus_gc() takes it. */
int pakhus_delete(struct pakhus *store, const char *id, const char *version,
		  const char *by, uint64_t *count, struct pakhus_error *err);
/* Deletes a version whose content was set by the entry at seq, as
 * pakhus_record.seq says it; PAKHUS_ESTALE where it was not, or is deleted,
 * with nothing changed. Nobody comes between. */
int pakhus_delete_over(struct pakhus *store, const char *id,
		       const char *version, uint64_t seq, const char *by,
		       struct pakhus_error *err);

/* Makes texts unreadable for ever, for what must not be kept: secrets, what a
 * law forbids. All texts that were ever published for a version, live or not,
 * and all that was said of it (pakhus_set_attrs()), in one atomic step, with
 * an entry in the log for each. With version "" all that was ever said of the
 * package, its visibility too: set what still holds first, and purge the rest
 * by position. A version that has such a document is deleted by it; who
 * publishes it again gets PAKHUS_ECONFLICT, who reads it PAKHUS_ENOTFOUND with
 * the reason.
 *
 * Then no byte of them is left in the store: what was stored against them is
 * stored anew, and they go from objects, journals and index. That takes as
 * long as a look at every object and the making of the index. When it
 * returns 0 all of it is done. Where it fails or is killed after the step,
 * the next pakhus_sync() or opening by who may write finishes it; whether the
 * step was done, pakhus_history() says.
 *
 * Id, version, hash, reason and label stay in the log for ever: a secret does
 * not belong in a reason. Mirrors follow at their next sync; copies,
 * snapshots and bundles out of reach keep what they have.
 *
 * reason has at most PAKHUS_REASON_MAX bytes without control characters, and
 * at least one. *out may be NULL. PAKHUS_ENOTFOUND: nothing was published
 * for the version, or all of it was purged before. */
struct pakhus_purged {
	uint64_t texts;	  /* that are gone, an entry each ... */
	uint64_t seq;	  /* ... the first of which stands here */
	uint64_t encoded; /* others that were stored anew without them */
};
int pakhus_purge(struct pakhus *store, const char *id, const char *version,
		 const char *reason, const char *by, struct pakhus_purged *out,
		 struct pakhus_error *err);
/* The same for one text: the one that was published for the version, or said
 * of it or of the package (version ""), at a log position; PAKHUS_ENOTFOUND
 * where that is of something else. */
int pakhus_purge_at(struct pakhus *store, const char *id, const char *version,
		    uint64_t seq, const char *reason, const char *by,
		    struct pakhus_purged *out, struct pakhus_error *err);

/* ---- Attributes ---- */

/* What is said about a package, or about one live version of it, beside its
 * documents: a JSON object that may change while they do not (display_name,
 * visibility, readme, release_notes …). What is in it is its users' matter.
 * hash is that of the object of the store that holds it, with the id and the
 * version: what pakhus_read() takes and pakhus_history() shows. */
struct pakhus_attrs {
	char id[PAKHUS_ID_MAX + 1];
	char version[PAKHUS_VERSION_MAX + 1]; /* "": of the package */
	char hash[PAKHUS_HASH_HEX + 1];
	uint64_t seq, time_us;
	char time[20]; /* YYYY-MM-DD HH:MM:SS, UTC */
	char by[PAKHUS_BY_MAX + 1];
	const char *text; /* canonical, NUL-terminated besides */
	size_t size;
};

/* Says it, durably, in the place of what was said before; {} takes that away.
 * Of a package, version NULL or "", it may be said before there is a version
 * of it, and outlives all of them. A version has to be live, or it is
 * PAKHUS_ENOTFOUND; what is said of it stays when it is published again, and
 * goes when it is deleted. *seq (may be NULL) gets the log position. by and
 * the errors besides as in pakhus_publish(): PAKHUS_EINVAL where it is not
 * JSON or no object, with line and column; PAKHUS_ELIMIT where its canonical
 * text is beyond PAKHUS_ATTRS_MAX; PAKHUS_ECONFLICT: this was purged. What was
 * replaced can be read by its hash until pakhus_gc() takes it. */
int pakhus_set_attrs(struct pakhus *store, const char *id, const char *version,
		     const char *json, size_t size, const char *by,
		     uint64_t *seq, struct pakhus_error *err);
/* The same in a batch, which makes it durable in one atomic step with the
 * document added before it (unless 8 MiB of attrs follow that): a version
 * that the batch publishes is live behind it. */
int pakhus_batch_attrs(struct pakhus_batch *batch, const char *id,
		       const char *version, const char *json, size_t size,
		       struct pakhus_error *err);

/* What is said now; PAKHUS_ENOTFOUND where nothing is. version NULL or "": of
 * the package. Free with pakhus_attrs_free(). */
int pakhus_attrs(struct pakhus *store, const char *id, const char *version,
		 struct pakhus_attrs **out, struct pakhus_error *err);
void pakhus_attrs_free(struct pakhus_attrs *attrs);

/* ---- Keys ---- */

/* A verifier key of the log, and the entry that brought it. */
struct pakhus_key {
	char key[320]; /* signed-note vkey form */
	uint64_t seq;  /* it signs every checkpoint beyond this position, until
			  the next one does */
	uint64_t time_us;
	char time[20]; /* YYYY-MM-DD HH:MM:SS, UTC */
	char by[PAKHUS_BY_MAX + 1];
};

/* Gives the log another key, which signs from then on: the private one in
 * key, a NUL-terminated text in signed-note form (PRIVATE+KEY+…) whose name
 * is the origin, or with NULL a new one. Both keys sign the step, so that
 * whoever trusts the old one goes on; the old private key is removed. Moves
 * everything into the tree, as pakhus_sync() does. by as in
 * pakhus_publish(); out may be NULL. PAKHUS_EINVAL: not a private key, or of
 * another name; PAKHUS_ECONFLICT: the log has or had it. Other processes
 * that have the store open go on with the new key. */
int pakhus_rotate(struct pakhus *store, const char *key, const char *by,
		  struct pakhus_key *out, struct pakhus_error *err);

/* Every key of the log, in the order in which they followed each other; the
 * last is in force, or is when what is durable was moved into the tree. Free
 * with pakhus_keys_free(). */
struct pakhus_keys {
	size_t count;
	struct pakhus_key *items;
};
int pakhus_keys(struct pakhus *store, struct pakhus_keys **out,
		struct pakhus_error *err);
void pakhus_keys_free(struct pakhus_keys *keys);

/* The signed note of the installed checkpoint: what a mirror copies, and who
 * wants to compare logs. *text is NUL-terminated besides and freed with
 * pakhus_free(). is_renewed: everything is moved into the tree first, and
 * the tree signed anew with the present time, for readers who refuse a
 * checkpoint that is too old. */
int pakhus_checkpoint(struct pakhus *store, int is_renewed, char **text,
		      size_t *size, struct pakhus_error *err);

/* ---- Reading ---- */

/* A version with its texts. manifest and metadata are slices of document,
 * {"manifest":M,"metadata":D}, which is NUL-terminated besides. Where only
 * the manifest was asked for, document and metadata are NULL. */
struct pakhus_package {
	struct pakhus_record record;
	const char *manifest, *metadata, *document;
	size_t manifest_size, metadata_size, document_size;
};

/* version NULL or "latest": the most recently inserted one, by position in
 * the log and never by the clock. Free with pakhus_package_free(). */
int pakhus_get(struct pakhus *store, const char *id, const char *version,
	       struct pakhus_package **out, struct pakhus_error *err);

/* The record alone, which takes no look at its text. */
int pakhus_find(struct pakhus *store, const char *id, const char *version,
		struct pakhus_record *out, struct pakhus_error *err);

/* As pakhus_get(), for a thread that must not wait: answers where the text is
 * among those that the handle keeps decoded (`cache_size`), without a look at
 * a file. PAKHUS_EBUSY everywhere else, also for what is not there: then
 * pakhus_get() knows. */
int pakhus_get_cached(struct pakhus *store, const char *id,
		      const char *version, struct pakhus_package **out,
		      struct pakhus_error *err);

/* What the publish at a log position stored, also where it was overwritten
 * or deleted since: PAKHUS_ENOTFOUND where pakhus_gc() took its text. In the
 * record, created is the same as updated and place the same as seq. */
int pakhus_get_at(struct pakhus *store, uint64_t seq,
		  struct pakhus_package **out, struct pakhus_error *err);
void pakhus_package_free(struct pakhus_package *package);

/* The build artifact of a package that was read with its document: the
 * canonical text of one object, the manifest with the metadata's members
 * beside it, as JSON.stringify({manifest, ...metadata}) has it, and its own
 * SHA-256. *text is NUL-terminated besides and freed with pakhus_free(). Who
 * publishes it publishes the same document. PAKHUS_EINVAL: the metadata has a
 * key "manifest" or "metadata", which no artifact can hold, or the package
 * was read without it. Needs no store; from any thread. */
int pakhus_artifact(const struct pakhus_package *package, char **text,
		    size_t *size, char hash[PAKHUS_HASH_HEX + 1],
		    struct pakhus_error *err);

/* The text of one object by its SHA-256 in hexadecimal; *text is
 * NUL-terminated besides and freed with pakhus_free(). */
int pakhus_read(struct pakhus *store, const char *hash, char **text,
		size_t *size, struct pakhus_error *err);
void pakhus_free(void *text);

/* Pages run from the newest back: before 0 starts at the newest, and a
 * page's next goes into the following call; next 0 was the last page.
 * limit 0 is 100; at most 10,000. */
struct pakhus_range {
	uint64_t before;
	size_t limit;
};

/* One package per item, its latest version; newest place first. */
struct pakhus_list {
	uint64_t position; /* log entries that had been applied when read */
	uint64_t next;
	size_t count;
	struct pakhus_package **items;
};
enum pakhus_list_flags { PAKHUS_DOCUMENTS = 1 /* not manifests alone */ };
int pakhus_list(struct pakhus *store, struct pakhus_range range,
		unsigned flags, struct pakhus_list **out,
		struct pakhus_error *err);
void pakhus_list_free(struct pakhus_list *list);

/* Every live version of a package, newest place first. A package that is
 * not there gives a page of none. */
struct pakhus_versions {
	uint64_t position, next;
	size_t count;
	struct pakhus_record *items;
};
int pakhus_versions(struct pakhus *store, const char *id,
		    struct pakhus_range range, struct pakhus_versions **out,
		    struct pakhus_error *err);
void pakhus_versions_free(struct pakhus_versions *versions);

/* Log entries, newest first. id NULL: all of the log, the key entry
 * included; else the publishes, deletes, attrs and purges of that package. */
struct pakhus_entry {
	uint64_t seq;
	uint64_t time_us;
	char time[20]; /* YYYY-MM-DD HH:MM:SS, UTC */
	char op[12];   /* "publish", "delete", "key", ... */
	char id[PAKHUS_ID_MAX + 1];	      /* "" where the op has none */
	char version[PAKHUS_VERSION_MAX + 1]; /* likewise */
	char hash[PAKHUS_HASH_HEX + 1];	      /* likewise */
	uint64_t manifest_size, metadata_size;
	char by[PAKHUS_BY_MAX + 1];
	char reason[PAKHUS_REASON_MAX + 1]; /* of a purge */
	uint64_t attrs_size; /* of an attrs: bytes of its object; 0: nothing is
				said any more, and hash is "" */
};
struct pakhus_history {
	uint64_t position, next;
	size_t count;
	struct pakhus_entry *items;
};
int pakhus_history(struct pakhus *store, const char *id,
		   struct pakhus_range range, struct pakhus_history **out,
		   struct pakhus_error *err);
void pakhus_history_free(struct pakhus_history *history);

/* ---- Checking ---- */

enum pakhus_verify_flags {
	PAKHUS_VERIFY_FILES = 1, /* FORMAT, keys, log, journals, objects */
	PAKHUS_VERIFY_INDEX = 2, /* the index against the log */
	/* Of the files FORMAT, the keys, the signature, the whole log against
	 * it, and of every live object and what it is made against that it is
	 * there and its last 64 bytes are right. Nothing is decoded: what was
	 * altered before those bytes is not found, nor what is damaged in
	 * objects of versions that are not live, in the journals, and what
	 * does not belong in the tree. */
	PAKHUS_VERIFY_QUICK = 4
};
/* Told of each damage: the file inside the store, the rule of FORMAT.md it
 * breaks ("F-14"), and a sentence. An object that cannot be read because one
 * that it is based on is damaged counts as damaged too. */
typedef void pakhus_damage_fn(void *arg, const char *path, const char *rule,
			      const char *text);
struct pakhus_verify {
	unsigned flags; /* enum pakhus_verify_flags; without FILES and INDEX
			   it is both, or with QUICK the files */
	pakhus_damage_fn *damage;
	void *arg;
	/* filled in, also when the result is PAKHUS_ECORRUPT: */
	uint64_t entries, objects, bytes, damages;
};
/* Checks everything that can be checked, and changes nothing. 0 when all is
 * well, PAKHUS_ECORRUPT when there was damage, each told to v->damage, on the
 * calling thread. As many threads as the store was opened with decode the
 * objects, each with up to 64 MiB of texts kept; what is found, and the order
 * in which it is told, does not depend on them. A
 * damaged page inside LMDB's file can end the process while its
 * PAKHUS_VERIFY_INDEX part runs: who must survive that calls it in a child
 * that opens the store itself. */
int pakhus_verify(struct pakhus *store, struct pakhus_verify *v,
		  struct pakhus_error *err);

/* A proof that the entry which set the content of a live version is in the
 * signed log: a text (FORMAT.md F-70, at most 32 KiB) that convinces whoever
 * has the log's verifier key, and needs no store. It says that this was
 * published, not that it is still live. version as in pakhus_get(); _at()
 * proves any entry. *text is NUL-terminated besides and freed with
 * pakhus_free(). An entry that is not in the signed tree yet is moved there
 * first, as pakhus_sync() does and with its errors; on a handle that cannot
 * write it is PAKHUS_ENOTFOUND. PAKHUS_ECORRUPT where the log's files do not
 * give a proof that holds. */
int pakhus_prove(struct pakhus *store, const char *id, const char *version,
		 char **text, size_t *size, struct pakhus_error *err);
int pakhus_prove_at(struct pakhus *store, uint64_t seq, char **text,
		    size_t *size, struct pakhus_error *err);

/* What a proof proves. */
struct pakhus_proof {
	char origin[201];	 /* name of the log */
	uint64_t entries;	 /* of the log that was signed */
	uint64_t time_us;	 /* it was signed at; 0: not said ... */
	char time[20];		 /* ... and then empty */
	struct pakhus_entry entry; /* with its position */
};
/* Checks a proof against a verifier key (NAME+ID+BASE64), without a store;
 * from any thread. PAKHUS_EINVAL: vkey is not one. PAKHUS_ECORRUPT: not a
 * proof, signed by another key (the sentence says which; a log's key may
 * have been rotated), or not of this entry; PAKHUS_EVERSION: of an entry
 * that only a later version knows. */
int pakhus_check_proof(const char *text, size_t size, const char *vkey,
		       struct pakhus_proof *out, struct pakhus_error *err);

/* ---- Collecting ---- */

/* An object that nothing live needs. */
struct pakhus_garbage {
	char hash[PAKHUS_HASH_HEX + 1];
	uint64_t bytes;	   /* of its file */
	uint64_t since_us; /* when a collection first found it so */
	int is_freed;	   /* or would be; 0: it waits */
	/* What was published with it; "" where no log entry names it. */
	char id[PAKHUS_ID_MAX + 1], version[PAKHUS_VERSION_MAX + 1];
};
/* What g points at is gone when it returns. */
typedef void pakhus_garbage_fn(void *arg, const struct pakhus_garbage *g);
enum pakhus_gc_flags { PAKHUS_GC_DRY_RUN = 1 /* tell, and change nothing */ };
struct pakhus_gc {
	unsigned flags;	   /* enum pakhus_gc_flags */
	uint64_t grace_us; /* what has waited for less is not freed */
	/* Told at the end of every object that was freed or waits, those that
	 * the log names in its order; NULL: of none. Ids take a read of all
	 * of the log. */
	pakhus_garbage_fn *garbage;
	void *arg;
	/* filled in, also on failure as far as it came: */
	uint64_t freed, freed_bytes;	 /* taken out of the tree now, or that
					    would be */
	uint64_t waiting, waiting_bytes; /* not long enough */
	uint64_t emptied, emptied_bytes; /* removed for good, that an earlier
					    collection took out */
};
/* Takes objects out of the tree that no live version needs, not as a base
 * of others either, and with them the content of versions that were deleted
 * or replaced. Only what an earlier collection found so too, and that longer
 * ago than grace_us, goes: it goes to a trash in local/, which the next
 * collection empties. Moves what was published into the tree first. Others
 * may publish, delete and read meanwhile; who needs the journal moved into
 * the tree waits. In a mirror it does the same for what the mirror holds.
 * PAKHUS_ECORRUPT where something live is missing or damaged: nothing is
 * freed then. Calls progress with "collecting". */
int pakhus_gc(struct pakhus *store, struct pakhus_gc *gc,
	      struct pakhus_error *err);

/* ---- Printing ---- */

/* Prints any one file of a store (object, bundle, tile, checkpoint, key,
 * FORMAT, journal slot) as text for people, without opening a store: the
 * file's place in its store says what it is. write gets the text in pieces
 * and returns 0 to go on. */
typedef int pakhus_write_fn(void *arg, const char *text, size_t size);
int pakhus_dump(const char *path, pakhus_write_fn *write, void *arg,
		struct pakhus_error *err);

/* ---- Static hosting ---- */

/* Brings pkg/, where a reader that has HTTP and nothing else finds the
 * versions of a package (FORMAT.md F-95), to what the store holds. Looks at
 * what the log says since the last time. Not needed by anything of pakhus;
 * what fails here is done by the next call. PAKHUS_EDENIED where the handle
 * only reads; that of a mirror with local/ will do. */
int pakhus_refresh_pkg(struct pakhus *store, struct pakhus_error *err);

/* A file of the tree that mirrors copy, open for reading at its beginning;
 * the caller closes fd. */
struct pakhus_file {
	int fd;
	uint64_t size; /* bytes */
	/* What the name stands for does not change, and may be kept: objects,
	 * whole tiles and bundles of entries, keys. (An object can go, and be
	 * replaced by another one of the same text: F-92.) */
	int is_immutable;
};
/* Opens one by its name below the store, as a source is asked for it
 * ("log/checkpoint"), for who serves a store or a mirror to others; any handle
 * will do. PAKHUS_EINVAL: no name of a file that a store shows, so that
 * nothing private is opened, whatever a name has in it. PAKHUS_ENOTFOUND:
 * there is none. PAKHUS_ECORRUPT: a link, or no regular file, is there. */
int pakhus_open_file(struct pakhus *store, const char *name,
		     struct pakhus_file *out, struct pakhus_error *err);

/* ---- Sources ---- */

enum pakhus_fetch_flags {
	PAKHUS_FETCH_FRESH = 1 /* past caches, whatever is there already */
};
/* Where a store's files are copied from: another store or a mirror, as some
 * program can reach it. fetch() brings n files into the directory into, an
 * absolute path, each under its name, whose directories exist there; names
 * are relative, and nothing but the library knows what they mean. A file
 * that the source does not have, that is no regular file, or that has more
 * than max bytes is left out, and no failure. A file that is there already
 * from a transfer that broke off may be gone on with, or replaced. 0, or
 * PAKHUS_ENETWORK, PAKHUS_ECANCELED or what else kept all from coming. What
 * was brought is not believed, whoever brought it. */
struct pakhus_source {
	int (*fetch)(void *arg, const char *into, const char *const *names,
		     size_t n, uint64_t max, unsigned flags,
		     struct pakhus_error *err);
	void *arg;
	const char *name; /* what people call it: an address or a path */
};

/* ---- Mirrors ---- */

/* Zero what is not used, and what is filled in. */
struct pakhus_mirror {
	/* The verifier key to be trusted, as pakhus_stat() gives it. NULL: what
	 * the mirror trusts already; on first use the key that the log began
	 * with, which is told through notice. */
	const char *key;
	/* A checkpoint signed, and a newest entry made, longer ago than so
	 * many microseconds is refused; 0: none is. */
	uint64_t max_age_us;
	unsigned threads; /* that check objects, as in pakhus_options */
	pakhus_progress_fn *progress;
	pakhus_notice_fn *notice;
	void *arg; /* of both */
	/* filled in where the result is 0: */
	int is_new;	/* there was no mirror before */
	int is_changed; /* and there is more in it, or signed later */
	uint64_t before, entries; /* log entries held before, and now */
	uint64_t objects, bytes;  /* objects brought, and their files' sizes */
	uint64_t time_us; /* what the age was counted from */
	unsigned tries;	  /* checkpoints begun with, at most 3 */
};

/* Makes path, an empty or missing directory, a mirror of the store that
 * source reaches, or brings one up to date. All that comes is checked before
 * anything of it is shown, against the key, the log held so far and every
 * object's name; on failure, or where the process ends, what was there before
 * stays as it is, and the next call goes on. Other handles, in any process,
 * read the mirror meanwhile, and then see the new state.
 *
 * PAKHUS_ENOTFOUND: no store at the source. PAKHUS_ENETWORK: not reached.
 * PAKHUS_ECORRUPT: what it offers is damaged, signed by another key, rolled
 * back, another history, or too old; the text says which. PAKHUS_ECONFLICT:
 * path is no mirror, but where a store is written, or of another store.
 * PAKHUS_EBUSY: another call of this is at work on path. */
int pakhus_mirror(const char *path, const struct pakhus_source *source,
		  struct pakhus_mirror *m, struct pakhus_error *err);

/* ---- Bundles ---- */

/* A file that carries to a mirror, where no network goes, what it does not
 * hold yet. It says which entries the mirror must hold already. */
struct pakhus_bundle {
	uint64_t since; /* entries that the mirror holds; 0: none */
	const char *checkpoint; /* instead: its checkpoint, a signed note ... */
	size_t checkpoint_size; /* ... or NULL */
	pakhus_write_fn *write; /* gets the bytes where no path is given */
	void *arg;
	/* filled in: */
	uint64_t from, to; /* goes on from so many entries, and ends at these */
	uint64_t objects, bytes; /* objects in it, and its size */
};
/* Makes a bundle of the store's or mirror's installed checkpoint, after
 * pakhus_sync() where it is written here, while others publish. path is
 * written as PATH.part, synced and renamed, so that there is never half of
 * one; NULL: b->write gets it in pieces. PAKHUS_ENOTFOUND: the log does not
 * reach so far; PAKHUS_ECONFLICT: the checkpoint is another log's;
 * PAKHUS_ECORRUPT: another history's, or what a live version needs is
 * missing or damaged; PAKHUS_EBUSY: somebody else is writing path, or what
 * was to go in was collected meanwhile. */
int pakhus_bundle_create(struct pakhus *store, const char *path,
			 struct pakhus_bundle *b, struct pakhus_error *err);

/* Brings the mirror at path up to date from a bundle, or makes it from a
 * whole one, as pakhus_mirror() does from a source and with the same checks:
 * nothing that is in file is believed. A mirror that holds more already is
 * left as it is, which is told as a notice. PAKHUS_ECONFLICT besides: the
 * bundle goes on from entries that the mirror lacks, and the text says which
 * bundle comes before it; or it is of another store. PAKHUS_ECORRUPT: it has
 * not a bundle's form, or is of another history. */
int pakhus_bundle_apply(const char *path, const char *file,
			struct pakhus_mirror *m, struct pakhus_error *err);

/* Makes a store that is written, at path, what its mirror is: for one that
 * came back from an old backup, or was copied, and whose mirror knows more. It
 * has its private key, and is alone (PAKHUS_EBUSY). What is published here
 * afterwards follows what the mirror has. The log here has to be part of the
 * mirror's, or the mirror's of the log here; entries that wait in the journal
 * have to be the mirror's where it has some at their positions:
 * PAKHUS_ECORRUPT otherwise, and nothing is changed. PAKHUS_EDENIED: the
 * private key is missing, or another was rotated to. m is as above; is_new
 * stays 0. A mirror that is older than what was signed here is told through
 * notice: what was published between is lost, unless another mirror has it. */
int pakhus_adopt_from(const char *path, const struct pakhus_source *source,
		      struct pakhus_mirror *m, struct pakhus_error *err);

/* ---- Repairing ---- */

/* Zero what is not used, and what is filled in. */
struct pakhus_repair {
	unsigned threads; /* that check and decode, as in pakhus_options */
	/* Told of each damage that stays, as pakhus_verify() tells it; and of
	 * each object that was mended, by its file and how. */
	pakhus_damage_fn *damage;
	void (*mended)(void *arg, const char *path, const char *text);
	pakhus_progress_fn *progress;
	pakhus_notice_fn *notice;
	void *arg; /* of all four */
	/* filled in, also when the result is PAKHUS_ECORRUPT: */
	uint64_t entries, objects, bytes, damages; /* as in pakhus_verify */
	uint64_t restored; /* objects that were damaged or missing */
	uint64_t aside;	   /* damaged ones that nobody has and nothing needs:
			      moved to a trash that pakhus_gc() empties */
};

/* Checks the files of the store or mirror at path, and restores objects that
 * are damaged, or missing and live, from any store or mirror that has them,
 * be it another log's: what comes is believed for its SHA-256 alone, and
 * nothing is overwritten before that was checked. Other damage is told and
 * stays. 0 when all is well now, and then source is asked for nothing if it
 * was before; PAKHUS_ECORRUPT when there is damage still. PAKHUS_ENETWORK:
 * source was not reached. PAKHUS_EDENIED: path cannot be written.
 * PAKHUS_EBUSY: a sync of a mirror or another repair is at work on it. Who
 * needs the journal moved into the tree waits until it ends. */
int pakhus_repair(const char *path, const struct pakhus_source *source,
		  struct pakhus_repair *r, struct pakhus_error *err);

/* ---- Canonical text ---- */

/* Walks the members of one object, or the elements of one array, of a text
 * that this library gave, without building a tree. Set text and size, the
 * rest 0. key is the inside of the quotes, still escaped; for arrays it is
 * empty. 1: key and value are set, 0: no more, PAKHUS_EINVAL: neither
 * object nor array, or not canonical text. */
struct pakhus_json {
	const char *text;
	size_t size;
	const char *key, *value;
	size_t key_size, value_size;
	const char *at; /* private */
};
int pakhus_json_next(struct pakhus_json *it);

#if defined(__GNUC__)
#pragma GCC visibility pop
#endif

#ifdef __cplusplus
}
#endif

#endif
