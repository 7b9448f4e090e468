/* journal.h - two slots of records, and the page that says where they end.
 *
 * local/slot-0 and local/slot-1 are files of zeros, extended and synced
 * before they are used, so that a sync of a record moves data and no
 * metadata. One slot is active; the other is free, or sealed: whole, synced,
 * and waiting to be integrated. Records (record.h) follow one another in a
 * slot; a slot is begun again with a new random generation.
 *
 * local/page is mapped by every process that has the store open. It is
 * believed only within the boot and under the inode it was made in, after
 * recovery by somebody who was alone (recover.c). The cursor has two copies and
 * a turn that says which one counts, so that a writer killed between two
 * stores leaves the old one.
 *
 * Locks are the caller's: append for _append, _seal, _grow and _free_sealed;
 * commit for _sync, _redo and page->durable. A cursor may be read under none.
 */
#ifndef PK_JOURNAL_H
#define PK_JOURNAL_H

#include "fail.h"
#include "key.h"
#include "recent.h"
#include "record.h"

#include <stdatomic.h>

#define PK_SLOT_FIRST_SIZE ((uint64_t)1 << 20) /* F-54 */

struct pk_cursor {
	uint32_t slot; /* the active one */
	uint32_t has_sealed;
	unsigned char generation[PK_GENERATION_SIZE];
	unsigned char before[PK_GENERATION_SIZE]; /* the generation before */
	uint64_t before_end;
	uint64_t end;	/* bytes used in the active slot */
	uint64_t chain; /* header checksum of its last record */
	uint64_t first; /* seq at its beginning */
	uint64_t seq;	/* entries appended, so the next one's position */
	unsigned char sealed_generation[PK_GENERATION_SIZE];
	uint64_t sealed_end, sealed_first;
	uint64_t size[2]; /* bytes of the slot files */
};

struct pk_page {
	unsigned char magic[8];
	unsigned char boot[PK_BOOT_SIZE];
	uint64_t pid_namespace;
	_Atomic uint64_t durable;    /* entries that a sync covered */
	_Atomic uint64_t checkpoint; /* entries that the log has */
	_Atomic uint64_t syncing;    /* a sync is under way, or its process
					died in it */
	_Atomic uint64_t failed;     /* a sync failed: nobody writes */
	_Atomic uint64_t turn;	     /* cursor[turn % 2] counts */
	struct pk_cursor cursor[2];
	_Atomic uint64_t recovering; /* somebody alone is, or died in it */
	uint64_t inode;		     /* of local/page: in a copy it differs */
	_Atomic uint64_t index;	     /* inode of the index in use */
	_Atomic uint64_t purge;	     /* where the last purge appended ends */
};

struct pk_journal {
	int dir; /* not owned */
	int fd[2];
	struct pk_page *page;
	uint64_t page_inode;
	struct pk_recent recent;
};

/* Makes, or makes good, the two slots; synced. local/ is not. */
int pk_journal_make(int dir, struct pakhus_error *err);
int pk_journal_open(struct pk_journal *j, int dir, struct pakhus_error *err);
void pk_journal_release(struct pk_journal *j);

void pk_journal_cursor(const struct pk_journal *j, struct pk_cursor *c);

/* Recovery, alone in the store: reads both slots and finds the records that
 * follow the checkpoint's size. PAKHUS_ECORRUPT with the place when a
 * record that was durable is not whole (F-57). */
int pk_journal_scan(struct pk_journal *j, uint64_t checkpoint,
		    struct pk_cursor *out, struct pakhus_error *err);
/* Makes c the cursor. */
void pk_journal_set(struct pk_journal *j, const struct pk_cursor *c);

/* Appends one record in one write. *buf begins with PK_RECORD_HEADER bytes
 * that are filled in here; the payload of size bytes follows. *at is where
 * the payload went in the active slot, or 0 where the record does not fit
 * and nothing was written. *buf may be taken over, and is NULL then. */
int pk_journal_append(struct pk_journal *j, unsigned char **buf, uint64_t size,
		      uint32_t entries, uint32_t texts, uint64_t *at,
		      struct pakhus_error *err);
/* Takes in a complete record that a dead writer left behind the end. */
int pk_journal_catch_up(struct pk_journal *j, struct pakhus_error *err);

int pk_journal_sync(struct pk_journal *j, struct pakhus_error *err);
/* Writes everything past page->durable once more, as a sync that nobody
 * heard the end of may have lost it. */
int pk_journal_redo(struct pk_journal *j, struct pakhus_error *err);

/* Makes the active slot larger. All that was appended must be synced: the
 * error of a failed sync is told once, and shall be of nothing but zeros. */
int pk_journal_grow(struct pk_journal *j, uint64_t size,
		    struct pakhus_error *err);
/* Gives back what free slots have beyond their first size. Nobody else may
 * have the store open. Not synced: a slot that is long again is as good. */
void pk_journal_shrink(struct pk_journal *j);
/* The active slot, which must be synced, becomes sealed, the other active.
 * size: what the other one is extended to before, if it is smaller. */
int pk_journal_seal(struct pk_journal *j, uint64_t size,
		    struct pakhus_error *err);
void pk_journal_free_sealed(struct pk_journal *j);
/* Writes zeros over all that no record of the active slot covers, synced.
 * The append lock is held, all that was appended is synced, and the other
 * slot is free. */
int pk_journal_wipe(struct pk_journal *j, struct pakhus_error *err);

/* Walks whole records. Set slot, at and end; release with _reading_release.
 * 1: record, sum and payload are set and at is behind it; 0: at the end. */
struct pk_reading {
	unsigned slot;
	uint64_t at, end;
	struct pk_record record;
	uint64_t from; /* where the record began */
	uint64_t sum;
	const unsigned char *payload;
	unsigned char *bytes; /* private: header and payload ... */
	size_t cap;	      /* ... in so much memory */
};
int pk_reading_next(struct pk_journal *j, struct pk_reading *r,
		    struct pakhus_error *err);
/* The same record if this process appended it, did not take it yet, and its
 * entries are below upto; it is not read back then. 0: it has to be. */
int pk_reading_take(struct pk_journal *j, struct pk_reading *r,
		    const unsigned char generation[PK_GENERATION_SIZE],
		    uint64_t upto);
void pk_reading_release(struct pk_reading *r);

/* The text at a location: *out is malloc'ed with a NUL behind, or NULL
 * where something else stands there by now. */
int pk_journal_text(struct pk_journal *j, const struct pk_location *l,
		    char **out, struct pakhus_error *err);

#endif
