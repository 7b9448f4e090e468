/* seats.h - the peers that take part in a work, each with its store, its
 * client and its samples, and whose turn it is.
 *
 * A work opens seats, goes round by round, lets each seat do a small block
 * in a round, and writes the samples. The order is another one each round,
 * so that nobody always follows the same neighbour.
 */
#ifndef SEATS_H
#define SEATS_H

#include "bench.h"

#define SEATS_MAX 16
#define DIR_MAX 400 /* of bench.dir, so that what is in it has room */
#define BLOCK 8	    /* operations of one kind that a seat does in its turn */

struct seat {
	const struct peer *peer;
	void *client;  /* NULL until seat_open() */
	char dir[512]; /* of the store */
	struct samples samples;
};

struct seats {
	struct bench *bench;
	struct seat at[SEATS_MAX];
	size_t count;
	char root[448]; /* the stores lie in it */
	int keep;	/* what was filled stays for other works */
};

/* Seats for all peers that can do that; stores are empty. 0 or -1; seats are
 * to be released in both cases. */
int seats_new(struct seats *s, struct bench *b, const char *work, unsigned can);
/* The same with stores that hold so many documents. */
int seats_filled(struct seats *s, struct bench *b, enum doc_kind kind,
		 uint64_t versions, unsigned can);
int seat_open(struct seat *seat, const struct peer_options *opt);
void seat_close(struct seat *seat);
int seats_open(struct seats *s, const struct peer_options *opt);
/* The i-th in that round. */
struct seat *seats_turn(struct seats *s, uint64_t round, size_t i);
/* Writes a line for each seat that has samples, and empties them. */
void seats_write(struct seats *s, const char *work, const char *docs,
		 uint64_t versions, unsigned clients, const char *unit);
/* Closes all; removes the stores unless they were filled. */
void seats_release(struct seats *s);

/* Adds what an operation took. 0, or -1 if that was less than 0. */
int seat_add(struct seat *seat, int64_t took);
/* A get whose answer is compared with the document; doc->text NULL: nothing
 * must be found. Nanoseconds, or -1. */
int64_t seat_get(struct seat *seat, const struct doc *doc, const char *version);
/* The same of all of them. 0 or -1. */
int seat_get_all(struct seat *seat, const struct docs *docs);

int remove_tree(const char *path);
/* Sizes of all files below path added up, and what they take on disk. */
int tree_bytes(const char *path, uint64_t *bytes, uint64_t *blocks);

#endif
