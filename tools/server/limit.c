/* limit.c - the generic cell rate algorithm: a bucket is the one time at which
 * it will be full. */
#include "limit.h"

#include <arpa/inet.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#define MINUTE UINT64_C(60000000000)

/* 64 stripes of 32 sets of 8: 16,384 buckets in 256 KiB. */
enum { STRIPES = 64, SETS = 32, WAYS = 8 };

struct bucket {
	uint64_t key;
	uint64_t full_at; /* 0: it never was used */
};

struct stripe {
	pthread_mutex_t lock;
	struct bucket sets[SETS][WAYS];
};

struct limit {
	uint64_t every[LIMIT_KINDS]; /* ns that one takes to come back; 0: off */
	uint64_t secret[2]; /* or somebody could find addresses that collide */
	struct stripe stripes[STRIPES];
};

/* ---- Keys: SipHash-2-4 of who it is ---- */

static uint64_t rotl(uint64_t x, int n)
{
	return x << n | x >> (64 - n);
}

static void sip_round(uint64_t v[4])
{
	v[0] += v[1];
	v[1] = rotl(v[1], 13) ^ v[0];
	v[0] = rotl(v[0], 32);
	v[2] += v[3];
	v[3] = rotl(v[3], 16) ^ v[2];
	v[0] += v[3];
	v[3] = rotl(v[3], 21) ^ v[0];
	v[2] += v[1];
	v[1] = rotl(v[1], 17) ^ v[2];
	v[2] = rotl(v[2], 32);
}

static void sip_word(uint64_t v[4], uint64_t word)
{
	v[3] ^= word;
	sip_round(v);
	sip_round(v);
	v[0] ^= word;
}

static uint64_t sip(const uint64_t key[2], const unsigned char *at,
		    size_t size)
{
	uint64_t v[4] = {key[0] ^ UINT64_C(0x736f6d6570736575),
			 key[1] ^ UINT64_C(0x646f72616e646f6d),
			 key[0] ^ UINT64_C(0x6c7967656e657261),
			 key[1] ^ UINT64_C(0x7465646279746573)};
	uint64_t word = 0;
	size_t i;

	for (i = 0; i < size; i++) {
		word |= (uint64_t)at[i] << 8 * (i % 8);
		if (i % 8 == 7) {
			sip_word(v, word);
			word = 0;
		}
	}
	sip_word(v, word | (uint64_t)size << 56);
	v[2] ^= 0xff;
	for (i = 0; i < 4; i++)
		sip_round(v);
	return v[0] ^ v[1] ^ v[2] ^ v[3];
}

static uint64_t key_of(const struct limit *limit, enum limit_kind kind,
		       const char *name, const char *peer)
{
	unsigned char who[128] = {(unsigned char)kind};
	const char *text = name ? name : peer;
	struct in6_addr v6;
	size_t size;

	if (!name && inet_pton(AF_INET6, peer, &v6) == 1 &&
	    !IN6_IS_ADDR_V4MAPPED(&v6)) {
		who[1] = '6';
		memcpy(who + 2, &v6, 8);
		return sip(limit->secret, who, 10);
	}
	if (!name && !strncasecmp(peer, "::ffff:", 7) && strchr(peer, '.'))
		text = peer + 7; /* an IPv4 address in the other's clothes */
	who[1] = name ? 't' : 'p';
	size = strnlen(text, sizeof(who) - 2);
	memcpy(who + 2, text, size);
	return sip(limit->secret, who, size + 2);
}

/* ---- Buckets ---- */

struct limit *limit_new(const struct limit_rates *rates)
{
	const unsigned each[LIMIT_KINDS] = {rates->read, rates->write,
					    rates->failed};
	struct limit *limit = calloc(1, sizeof(*limit));
	size_t i;

	if (!limit)
		return NULL;
	/* Without it addresses can be made to collide, no more. */
	if (getrandom(limit->secret, sizeof(limit->secret), 0) < 0)
		limit->secret[0] = (uint64_t)(uintptr_t)limit;
	for (i = 0; i < LIMIT_KINDS; i++)
		limit->every[i] = each[i] ? MINUTE / each[i] : 0;
	for (i = 0; i < STRIPES; i++)
		pthread_mutex_init(&limit->stripes[i].lock, NULL);
	return limit;
}

void limit_free(struct limit *limit)
{
	size_t i;

	if (!limit)
		return;
	for (i = 0; i < STRIPES; i++)
		pthread_mutex_destroy(&limit->stripes[i].lock);
	free(limit);
}

/* The bucket of the key, or else the one that knows least: the fullest. */
static struct bucket *bucket_of(struct bucket set[WAYS], uint64_t key)
{
	struct bucket *fullest = set;
	size_t i;

	for (i = 0; i < WAYS; i++) {
		if (set[i].key == key && set[i].full_at)
			return &set[i];
		if (set[i].full_at < fullest->full_at)
			fullest = &set[i];
	}
	*fullest = (struct bucket){.key = key};
	return fullest;
}

static unsigned take(struct bucket *b, uint64_t every, uint64_t now)
{
	uint64_t full_at = b->full_at > now ? b->full_at : now;

	if (full_at + every > now + MINUTE)
		return (unsigned)((full_at + every - now - MINUTE + 999999999)
				  / 1000000000);
	b->full_at = full_at + every;
	return 0;
}

unsigned limit_take(struct limit *limit, enum limit_kind kind,
		    const char *name, const char *peer, uint64_t now_ns)
{
	uint64_t every = limit->every[kind], key;
	struct stripe *stripe;
	unsigned wait;

	if (!every)
		return 0;
	key = key_of(limit, kind, name, peer);
	stripe = &limit->stripes[key % STRIPES];
	pthread_mutex_lock(&stripe->lock);
	wait = take(bucket_of(stripe->sets[key / STRIPES % SETS], key), every,
		    now_ns);
	pthread_mutex_unlock(&stripe->lock);
	return wait;
}
