/* random.h - numbers that are the same in each run, or others: SEED in the
 * environment says which (xorshift64, Marsaglia 2003).
 */
#ifndef RANDOM_H
#define RANDOM_H

#include <stdint.h>
#include <stdlib.h>

static uint64_t seed;
static inline unsigned rnd(unsigned n)
{
	seed ^= seed << 13;
	seed ^= seed >> 7;
	seed ^= seed << 17;
	return (unsigned)(seed >> 33) % n;
}

static inline void seed_from(unsigned usual)
{
	seed = usual;
	if (getenv("SEED"))
		seed += strtoul(getenv("SEED"), NULL, 10);
	seed |= 1;
}

#endif
