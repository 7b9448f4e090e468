/* mirror.h - one sync of a mirror, and what its parts share:
 *
 *	mirror.c    the order; who may; installing
 *	regain.c    the same for a store that is written, out of its mirror
 *	offer.c     what the source offers: FORMAT, checkpoint, entries
 *	lineage.c   the keys, from the trusted one to the one that signs
 *	bring.c     the texts that those name, and what they are made against
 *	want.c      the list of these texts
 *	incoming.c  where all that lies until it is checked
 *	repair.c    the same for what is held and damaged
 *
 * Nothing outside local/ changes before everything was checked.
 */
#ifndef PK_MIRROR_H
#define PK_MIRROR_H

#include "incoming.h"
#include "store.h"

/* ---- want.c ---- */

/* A text that is to be there. */
struct pk_want {
	unsigned char hash[PK_HASH_SIZE];
	/* as its entry has it; id is NULL for what is only a base */
	char *id, *version;
	uint64_t seq, manifest_size, metadata_size, attrs_size;
	unsigned depth; /* of what was brought */
	unsigned below; /* it must be less deep than this; 0: not so */
	/* The version has this content: it must not be absent. */
	unsigned char is_live;
	unsigned char is_placed;   /* an object is in place */
	unsigned char is_asked;	   /* the source was asked for it */
	unsigned char is_brought;  /* one is in incoming, to be placed */
	unsigned char is_followed; /* and its base was looked for */
	unsigned char is_listed;   /* to be asked for */
	unsigned char is_good;	   /* its text is what it should be */
	char *why;		   /* or what is wrong, in a sentence */
	struct pk_want *base;	    /* where that is one of these */
};

/* A list, with a way from the hash to the place in it. All zero is empty. */
struct pk_wants {
	struct pk_want **item;
	size_t n, cap;
	uint32_t *slot; /* from 1; 0 is free */
	size_t slots;
};
/* NULL where there is none. */
struct pk_want *pk_wants_find(const struct pk_wants *w,
			      const unsigned char hash[PK_HASH_SIZE]);
/* Adds one that is not there; NULL when out of memory. */
struct pk_want *pk_wants_add(struct pk_wants *w,
			     const unsigned char hash[PK_HASH_SIZE]);
void pk_wants_release(struct pk_wants *w);

/* ---- a sync ---- */

/* A key that the entries brought name. */
struct pk_heir {
	struct pk_vkey key;
	uint64_t seq;
	unsigned char root[PK_HASH_SIZE]; /* over the entries up to it */
};

struct pk_sync {
	struct pakhus_mirror *m;
	struct pakhus *store; /* NULL: the first sync */
	int dir;	      /* of the store */
	struct pk_incoming in;
	struct pk_format format;
	struct pk_vkey key; /* that is trusted, if has_key: in force at what
			       is held, or on first use the one given */
	int has_key;
	struct pk_vkey given; /* where m->key is */
	int is_given;	      /* and it is one of the log that is held */
	struct pk_heir heir[PK_KEYS_MAX]; /* in order */
	size_t heirs;
	uint64_t line_bytes; /* of the new entries, as they are checked */
	struct pk_checkpoint held, next;
	char *note; /* of next; the source's bytes */
	size_t note_size;
	/* For regain.c: next may be shorter than what is held, and what was
	 * signed before is to be part of it. */
	int is_regained;
	struct pk_checkpoint last;
	unsigned char last_root[PK_HASH_SIZE]; /* of next, at last's size */
	int is_same; /* it is the note that is installed */
	uint64_t newest; /* time of the newest entry */
	struct pk_wants wants;
	int is_absent; /* the failure: something was not at the source, which
			  a newer checkpoint may not need */
	struct pk_sha *sha;
	struct pakhus_error *err;
};

/* ---- mirror.c ---- */

/* What a caller asks, with nothing filled in. */
struct pakhus_mirror pk_sync_asked(const struct pakhus_mirror *m);
/* NULL when out of memory. dir is to be opened. */
struct pk_sync *pk_sync_new(struct pakhus_mirror *m,
			    const struct pakhus_source *source,
			    struct pakhus_error *err);
/* Closes the store, and dir with the lock. */
void pk_sync_free(struct pk_sync *x);
/* One sync at a time; pakhus_init() stays out too. */
int pk_sync_lock(struct pk_sync *x, const char *path);
/* Before it begins again with another checkpoint. */
void pk_sync_forget(struct pk_sync *x);
int pk_sync_check_age(struct pk_sync *x);
/* Writes bundles and tiles behind those that are held. */
int pk_sync_write_log(struct pk_sync *x);
int pk_sync_progress(struct pk_sync *x, const char *what, uint64_t done,
		     uint64_t total);

/* ---- offer.c ---- */

/* FORMAT, on the first sync. */
int pk_offer_format(struct pk_sync *x);
/* The checkpoint, and whether it may follow the one that is held. */
int pk_offer_checkpoint(struct pk_sync *x);
/* The entries: brought, checked, and tried out; sets wants. */
int pk_offer_entries(struct pk_sync *x);

/* ---- lineage.c ---- */

/* Reads m->key, once the key in force at what is held is known. */
int pk_lineage_given(struct pk_sync *x);
/* Whether the trusted key, or one that notes lead to, signed the checkpoint. */
int pk_lineage_lead(struct pk_sync *x);
/* Told every new entry, with the edge behind it: notes the keys. */
int pk_lineage_add(struct pk_sync *x, uint64_t seq, const char *line,
		   size_t size, const struct pk_edge *edge);
/* Whether these follow the trusted one, and the last signed the checkpoint. */
int pk_lineage_check(struct pk_sync *x);
/* The same of a log that did not grow. */
int pk_lineage_same(struct pk_sync *x);
/* Writes keys/, synced. */
int pk_lineage_install(struct pk_sync *x);

/* ---- bring.c ---- */

/* Brings what is wanted and checks it: afterwards all that is live is good,
 * and what is brought is good. */
int pk_bring(struct pk_sync *x);
/* The same for a repair, which sets wants itself, is_placed where what is in
 * place may stay: what is not good is left out. */
int pk_bring_again(struct pk_sync *x);
/* Moves it into objects/. */
int pk_bring_install(struct pk_sync *x);

#endif
