/* key.h - keys and values of the index (F-60 to F-66).
 *
 * Keys sort by memcmp. Numbers in keys are big-endian, in values
 * little-endian; an id in a key ends in a NUL, which no id holds. Every
 * value ends in the XXH64 of its key and of the value before it, seeded one
 * with the other, because LMDB 0.9 has no checksums of its own.
 *
 *  database  key                          value
 *  attrs     id NUL version               struct pk_attrs
 *  entries   id NUL ordinal seq           struct pk_line
 *  heads     id                           struct pk_head
 *  latest    place                        struct pk_live, id, version and
 *					   maybe the manifest's text
 *  purged    hash                         struct pk_purged
 *  texts     hash                         struct pk_location
 *  versions  id NUL version               struct pk_live
 *  meta      "stamp"                      struct pk_stamp
 */
#ifndef PK_KEY_H
#define PK_KEY_H

#include "bytes.h"
#include "format.h"
#include "record.h"

#define PK_KEY_MAX (PK_ID_MAX + 1 + PK_VERSION_MAX)
#define PK_BOOT_SIZE 16
/* F-63: a manifest longer than this is read from its object */
#define PK_MANIFEST_MAX 65536
#define PK_VALUE_MAX (128 + PK_ID_MAX + PK_VERSION_MAX + PK_MANIFEST_MAX + 64)

struct pk_key {
	unsigned char bytes[PK_KEY_MAX];
	size_t size;
};

void pk_key_entry(struct pk_key *k, const char *id, uint64_t ordinal,
		  uint64_t seq);
void pk_key_id(struct pk_key *k, const char *id);
void pk_key_place(struct pk_key *k, uint64_t place);
void pk_key_hash(struct pk_key *k, const unsigned char hash[PK_HASH_SIZE]);
void pk_key_version(struct pk_key *k, const char *id, const char *version);
void pk_key_stamp(struct pk_key *k);
/* From an entries key of this id: 0, or -1 when it is another id's. */
int pk_key_entry_decode(struct pk_bytes key, const char *id, uint64_t *ordinal,
			uint64_t *seq);

/* An entry in its package's line. The ordinal counts the publishes before
 * it; any other has the ordinal of the publish before it, or 0. */
struct pk_line {
	int is_publish;
	int is_place; /* inserted a version that is live now */
	int is_attrs;
	unsigned char hash[PK_HASH_SIZE]; /* zero for a delete */
	char version[PK_VERSION_MAX + 1];
};

/* What a package adds up to. */
struct pk_head {
	uint64_t publishes; /* ever made: the next ordinal */
	uint64_t live;	    /* versions */
	uint64_t place;	    /* of the latest; 0 when none is live */
};

/* A version, live or once live: what it was last is what an immutable store
 * compares with. */
#define PK_LIVE_SIZE 89 /* encoded, before what follows it */
struct pk_live {
	int is_live;
	uint64_t seq, place;	 /* of the content; of the insertion */
	uint64_t place_ordinal;	 /* of the insertion in the line */
	uint64_t created, updated; /* microseconds */
	uint64_t manifest_size, metadata_size;
	unsigned char hash[PK_HASH_SIZE];
};

/* A value of latest, as slices of it. manifest.at NULL: not kept. */
struct pk_latest {
	struct pk_live live;
	char id[PK_ID_MAX + 1], version[PK_VERSION_MAX + 1];
	struct pk_bytes manifest;
};

/* Where a text lies that is not an object yet. */
struct pk_location {
	unsigned slot; /* 0 or 1 */
	unsigned char generation[PK_GENERATION_SIZE];
	uint64_t offset, size; /* of the text, bytes in the slot */
	uint64_t sum;	       /* XXH64 of the text, seed 0 */
	uint64_t ordinal;      /* of its publish in the package's line */
};

/* A text that is gone for ever. */
struct pk_purged {
	uint64_t seq; /* of the entry that says so */
};

/* What is said of a package, version "", or of a live version (F-98). */
struct pk_attrs {
	uint64_t seq, time, size;
	unsigned char hash[PK_HASH_SIZE];
	unsigned char before[PK_HASH_SIZE]; /* was said before; zero: nothing */
	char by[PK_BY_MAX + 1];
};

struct pk_stamp {
	unsigned char identity[PK_IDENTITY_SIZE];
	uint64_t inode; /* of the index file itself */
	uint64_t applied; /* log entries */
	uint64_t live;	  /* versions, of all packages */
	uint64_t checkpoint; /* entries and root of the last one seen */
	unsigned char root[PK_HASH_SIZE];
	/* F-67: the key in force, the position of its entry, and the one that
	 * was in force before */
	unsigned char key[PK_PUBLIC_SIZE];
	uint64_t since;
	unsigned char before[PK_PUBLIC_SIZE];
};
/* The key in force at a size; below the one before, it is not known. */
const unsigned char *pk_stamp_key(const struct pk_stamp *v, uint64_t size);

/* Whether a value of any kind is one of its key: NULL or the broken rule. */
const char *pk_value_check(struct pk_bytes key, struct pk_bytes value);
/* Encoders give the value's size; out has PK_VALUE_MAX bytes. Decoders give
 * NULL or the broken rule. */
size_t pk_line_encode(const struct pk_key *k, const struct pk_line *v,
		      unsigned char *out);
const char *pk_line_decode(struct pk_bytes key, struct pk_bytes value,
			   struct pk_line *v);
size_t pk_head_encode(const struct pk_key *k, const struct pk_head *v,
		      unsigned char *out);
const char *pk_head_decode(struct pk_bytes key, struct pk_bytes value,
			   struct pk_head *v);
size_t pk_live_encode(const struct pk_key *k, const struct pk_live *v,
		      unsigned char *out);
const char *pk_live_decode(struct pk_bytes key, struct pk_bytes value,
			   struct pk_live *v);
size_t pk_latest_encode(const struct pk_key *k, const struct pk_latest *v,
			unsigned char *out);
const char *pk_latest_decode(struct pk_bytes key, struct pk_bytes value,
			     struct pk_latest *v);
size_t pk_location_encode(const struct pk_key *k, const struct pk_location *v,
			  unsigned char *out);
const char *pk_location_decode(struct pk_bytes key, struct pk_bytes value,
			       struct pk_location *v);
size_t pk_purged_encode(const struct pk_key *k, const struct pk_purged *v,
			unsigned char *out);
const char *pk_purged_decode(struct pk_bytes key, struct pk_bytes value,
			     struct pk_purged *v);
size_t pk_attrs_encode(const struct pk_key *k, const struct pk_attrs *v,
		       unsigned char *out);
const char *pk_attrs_decode(struct pk_bytes key, struct pk_bytes value,
			    struct pk_attrs *v);
size_t pk_stamp_encode(const struct pk_key *k, const struct pk_stamp *v,
		       unsigned char *out);
const char *pk_stamp_decode(struct pk_bytes key, struct pk_bytes value,
			    struct pk_stamp *v);

#endif
