/* limit.h - how much one client may ask for in a minute.
 *
 * Each key has a bucket of a minute's worth that fills evenly; what is asked
 * takes one out. Buckets that are full again are forgotten, and so, where the
 * table has no room, are those that are nearest to it: memory does not grow
 * with the number of clients. From any thread; the time is told, in
 * nanoseconds of a clock that does not go back.
 */
#ifndef LIMIT_H
#define LIMIT_H

#include <stddef.h>
#include <stdint.h>

enum limit_kind { LIMIT_READ, LIMIT_WRITE, LIMIT_FAILED, LIMIT_KINDS };

/* A minute; 0: as many as they like. */
struct limit_rates {
	unsigned read, write;
	unsigned failed; /* secrets that are none */
};

/* Generous: those of a hundred that install at once, behind one address. */
#define LIMIT_RATES_DEFAULT {.read = 12000, .write = 1200, .failed = 60}

struct limit;

/* NULL: out of memory. */
struct limit *limit_new(const struct limit_rates *rates);
void limit_free(struct limit *limit);
/* Takes one for the token of that name, or with NULL for the address, where an
 * IPv6 one counts by its first 64 bits: who has one has all of these. 0, or
 * the seconds until there is one again. */
unsigned limit_take(struct limit *limit, enum limit_kind kind,
		    const char *name, const char *peer, uint64_t now_ns);

#endif
