/* object.h - object files: reading one through its deltas, staging one.
 *
 * An object is written into the stage first (named by its hash), and put in
 * its place when it is synced. Reading looks only at objects in place.
 */
#ifndef PK_OBJECT_H
#define PK_OBJECT_H

#include "cache.h"
#include "fail.h"
#include "trailer.h"

/* F-19: a longer text is whole and is no base, so that what one read may
 * have to decode stays bounded. */
#define PK_DELTA_MAX ((size_t)4 << 20)

/* What reading leaves for the next read: a decompressor and buffers, which
 * take longer to make than a delta to decode. One is kept; who finds it taken
 * makes his own. Begins all zero. */
struct pk_kept {
	_Atomic(struct pk_reader *) reader;
};
void pk_kept_release(struct pk_kept *k);

/* The text, decoded through at most PK_CHAIN_MAX bases; those and the text
 * go into the cache. cache and kept may be NULL. PAKHUS_ENOTFOUND when there is no
 * such object, PAKHUS_ECORRUPT with path and rule. Drop *out with
 * pk_shared_free(). */
int pk_object_read(int dir, struct pk_cache *cache, struct pk_kept *kept,
		   const unsigned char hash[PK_HASH_SIZE],
		   struct pk_shared **out, struct pakhus_error *err);
/* The same where some objects, which has() knows, are read from below another
 * directory: they are to stand in their place later. */
struct pk_over {
	int dir;
	int (*has)(void *arg, const unsigned char hash[PK_HASH_SIZE]);
	void *arg;
};
int pk_object_read_over(int dir, const struct pk_over *over,
			struct pk_cache *cache, struct pk_kept *kept,
			const unsigned char hash[PK_HASH_SIZE],
			struct pk_shared **out, struct pakhus_error *err);
/* Of an object in place, or else in the stage. */
int pk_object_trailer(int dir, const unsigned char hash[PK_HASH_SIZE],
		      struct pk_trailer *t, struct pakhus_error *err);
/* 1, 0, or a failure. */
int pk_object_exists(int dir, const unsigned char hash[PK_HASH_SIZE],
		     struct pakhus_error *err);

/* What a delta is made against. */
struct pk_base {
	unsigned char hash[PK_HASH_SIZE];
	unsigned depth;
	struct pk_shared *text;
};

/* Encodes a text; base NULL: whole. *out is malloc'ed, the file's bytes. */
struct pk_zst_encoder;
int pk_object_encode(struct pk_zst_encoder *zst,
		     const unsigned char hash[PK_HASH_SIZE],
		     const struct pk_shared *text, const struct pk_base *base,
		     int level, unsigned char **out, size_t *out_size,
		     struct pakhus_error *err);
/* Where a file lies before it is put in its place: written here, in the
 * stage; or brought from elsewhere, in the tree below PK_INCOMING. */
enum pk_from { PK_FROM_STAGE, PK_FROM_INCOMING };
#define PK_INCOMING "local/incoming"

/* Writes a file's bytes into the stage, not synced; then syncs it; then
 * moves it to its place, whose directory the caller syncs. */
int pk_object_stage(int dir, const unsigned char hash[PK_HASH_SIZE],
		    const unsigned char *bytes, size_t size,
		    struct pakhus_error *err);
int pk_object_sync(int dir, enum pk_from from,
		   const unsigned char hash[PK_HASH_SIZE],
		   struct pakhus_error *err);
int pk_object_place(int dir, enum pk_from from,
		    const unsigned char hash[PK_HASH_SIZE],
		    struct pakhus_error *err);
/* Syncs the directory an object stands in. */
int pk_object_sync_dir(int dir, unsigned char first_byte,
		       struct pakhus_error *err);

#endif
