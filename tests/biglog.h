/* biglog.h - a store with a long log, written by the log's own writer and
 * without the objects: what making an index takes, and nothing else.
 */
#ifndef BIGLOG_H
#define BIGLOG_H

#include "auto.h"
#include "entry.h"
#include "io.h"
#include "logwrite.h"
#include "tmpfile.h"

#include <fcntl.h>
#include <stdio.h>

struct biglog {
	uint64_t entries; /* of the whole log, entry 0 included */
	unsigned packages;
	unsigned deletes; /* of a thousand entries; 0 for none */
	const char *id, *version; /* formats of one %u; NULL: usual ones */
};

/* The publish at a position: packages take turns, each turn is a version. */
static inline void biglog_entry(const struct biglog *b, uint64_t seq,
				struct pk_entry *e)
{
	unsigned package = (unsigned)(seq * 7919 % b->packages);
	unsigned turn = (unsigned)(seq / b->packages);

	memset(e, 0, sizeof(*e));
	e->op = PK_OP_PUBLISH;
	snprintf(e->id, sizeof(e->id), b->id ? b->id : "com.example.app%u",
		 package);
	snprintf(e->version, sizeof(e->version),
		 b->version ? b->version : "1.%u.0", turn);
	for (unsigned i = 0; i < PK_HASH_SIZE; i++)
		e->hash[i] = (unsigned char)(seq * 0x9e3779b97f4a7c15 >> i);
	memcpy(e->hash, &seq, sizeof(seq));
	e->manifest_size = 300;
	e->metadata_size = 75000;
	e->time = 1700000000000000 + seq * 1000;
	strcpy(e->by, "ci");
}

static inline int biglog_fill(struct pk_log_writer *w, const struct biglog *b)
{
	struct pk_entry e;
	char line[PK_ENTRY_MAX];

	while (w->edge.size < b->entries) {
		uint64_t seq = w->edge.size;
		size_t n;
		int rc;

		biglog_entry(b, seq, &e);
		if (b->deletes && seq / b->packages == 1 &&
		    seq % 1000 < b->deletes && seq != b->packages) {
			/* the version of the turn before */
			biglog_entry(b, seq - b->packages, &e);
			e.op = PK_OP_DELETE;
			memset(e.hash, 0, sizeof(e.hash));
			e.manifest_size = e.metadata_size = 0;
		}
		n = pk_entry_encode(&e, line);
		rc = pk_log_add(w, line, n);
		if (rc)
			return rc;
	}
	return 0;
}

/* Continues the log of the new store at path. */
static inline int biglog_make(const char *path, const struct biglog *b,
			      struct pakhus_error *e)
{
	AUTO_CLOSE int dir = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	AUTO_FREE char *text = NULL;
	AUTO(pk_log_close_writer) struct pk_log_writer w = { .dir = -1 };
	struct pk_keys keys;
	struct pk_signer signer;
	struct pk_checkpoint c;
	char note[PK_CHECKPOINT_NOTE];
	size_t size;
	int rc = pk_read_file(dir, "local/key", PK_SKEY_SIZE + 1, &text, &size,
			      e);

	if (!rc)
		rc = pk_signer_decode(text, size - 1, &signer, e);
	if (!rc)
		rc = pk_log_keys(dir, &keys, e);
	if (!rc)
		rc = pk_log_checkpoint(dir, signer.public.name, &keys, &c, e);
	if (!rc)
		rc = pk_log_open_writer(&w, dir, &c, e);
	if (!rc)
		rc = biglog_fill(&w, b);
	if (!rc)
		rc = pk_log_finish(&w, c.root);
	c.size = b->entries;
	if (!rc)
		rc = pk_log_sign(&c, &signer, note, &size, e);
	if (!rc)
		rc = pk_install(dir, "local/last-signed", note, size, 0600, e);
	return rc ? rc : pk_log_install(dir, note, size, e);
}

#endif
