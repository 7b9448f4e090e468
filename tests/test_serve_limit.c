/* test_serve_limit.c - how much one client may ask for, on a clock of its own. */
#include "t.h"

#include <pthread.h>

#include "../tools/server/limit.h"

#define S UINT64_C(1000000000)

static struct limit *made(unsigned read, unsigned write, unsigned failed)
{
	const struct limit_rates rates = {read, write, failed};
	struct limit *limit = limit_new(&rates);

	assert_non_null(limit);
	return limit;
}

/* How many of n are granted at one time. */
static unsigned granted(struct limit *limit, const char *peer, unsigned n,
			uint64_t now)
{
	unsigned yes = 0;

	while (n--)
		yes += !limit_take(limit, LIMIT_READ, NULL, peer, now);
	return yes;
}

static void test_a_minutes_worth_and_then_evenly(void **state)
{
	struct limit *limit = made(60, 0, 0);
	const uint64_t from = 1000 * S;

	(void)state;
	assert_int_equal(granted(limit, "192.0.2.1", 100, from), 60);
	assert_int_equal(limit_take(limit, LIMIT_READ, NULL, "192.0.2.1",
				    from), 1);
	assert_int_equal(granted(limit, "192.0.2.1", 9, from + S - 1), 0);
	assert_int_equal(granted(limit, "192.0.2.1", 9, from + S), 1);
	assert_int_equal(granted(limit, "192.0.2.1", 99, from + 11 * S), 10);
	assert_int_equal(granted(limit, "192.0.2.1", 99, from + 500 * S), 60);
	limit_free(limit);
}

static void test_it_says_how_long_to_wait(void **state)
{
	struct limit *limit = made(2, 0, 0);

	(void)state;
	assert_int_equal(granted(limit, "a", 2, 0), 2);
	assert_int_equal(limit_take(limit, LIMIT_READ, NULL, "a", 0), 30);
	assert_int_equal(limit_take(limit, LIMIT_READ, NULL, "a", 29 * S), 1);
	assert_int_equal(limit_take(limit, LIMIT_READ, NULL, "a", 29 * S + 1),
			 1);
	assert_int_equal(limit_take(limit, LIMIT_READ, NULL, "a", 30 * S), 0);
	limit_free(limit);
}

static void test_nobody_pays_for_another(void **state)
{
	struct limit *limit = made(1, 1, 1);

	(void)state;
	assert_int_equal(granted(limit, "192.0.2.1", 2, 0), 1);
	assert_int_equal(granted(limit, "192.0.2.2", 2, 0), 1);
	/* nor reading for writing, nor an address for a token */
	assert_int_equal(limit_take(limit, LIMIT_WRITE, NULL, "192.0.2.1", 0),
			 0);
	assert_int_equal(limit_take(limit, LIMIT_FAILED, NULL, "192.0.2.1", 0),
			 0);
	assert_int_equal(limit_take(limit, LIMIT_READ, "192.0.2.1",
				    "192.0.2.1", 0), 0);
	assert_int_equal(limit_take(limit, LIMIT_READ, "192.0.2.1",
				    "192.0.2.9", 0), 60);
	limit_free(limit);
}

static void test_an_ipv6_network_is_one_client(void **state)
{
	struct limit *limit = made(1, 0, 0);

	(void)state;
	assert_int_equal(granted(limit, "2001:db8:1:2::1", 1, 0), 1);
	assert_int_equal(granted(limit, "2001:db8:1:2:ffff::9", 1, 0), 0);
	assert_int_equal(granted(limit, "2001:DB8:1:2:0:0:0:1", 1, 0), 0);
	assert_int_equal(granted(limit, "2001:db8:1:3::1", 1, 0), 1);
	/* IPv4 in IPv6 is IPv4, or all of it were one */
	assert_int_equal(granted(limit, "::ffff:192.0.2.1", 1, 0), 1);
	assert_int_equal(granted(limit, "::ffff:192.0.2.2", 1, 0), 1);
	assert_int_equal(granted(limit, "192.0.2.1", 1, 0), 0);
	assert_int_equal(granted(limit, "unix", 1, 0), 1);
	assert_int_equal(granted(limit, "unix", 1, 0), 0);
	limit_free(limit);
}

static void test_0_is_no_limit(void **state)
{
	struct limit *limit = made(0, 0, 0);

	(void)state;
	assert_int_equal(granted(limit, "a", 100000, 0), 100000);
	limit_free(limit);
}

/* The table has room for 16,384; who used all of theirs is not forgotten for
 * those who used one. */
static void test_a_crowd_does_not_wash_away_who_asked_too_much(void **state)
{
	struct limit *limit = made(100, 0, 0);
	char peer[40];
	unsigned i, again = 0;

	(void)state;
	assert_int_equal(granted(limit, "192.0.2.1", 200, 0), 100);
	for (i = 0; i < 200000; i++) {
		snprintf(peer, sizeof(peer), "10.%u.%u.%u", i >> 16,
			 i >> 8 & 255, i & 255);
		again += limit_take(limit, LIMIT_READ, NULL, peer, i) != 0;
	}
	assert_int_equal(again, 0);
	assert_int_equal(granted(limit, "192.0.2.1", 10, 200000), 0);
	limit_free(limit);
}

struct taker {
	struct limit *limit;
	unsigned granted;
};

static void *take_many(void *arg)
{
	struct taker *taker = arg;
	char peer[40];
	int i;

	for (i = 0; i < 2000; i++) {
		taker->granted += !limit_take(taker->limit, LIMIT_READ, "ci",
					      "", 0);
		snprintf(peer, sizeof(peer), "10.0.0.%d", i % 200);
		limit_take(taker->limit, LIMIT_WRITE, NULL, peer,
			   (uint64_t)i);
	}
	return NULL;
}

static void test_threads_share_one_bucket(void **state)
{
	struct limit *limit = made(3000, 50, 0);
	struct taker takers[4];
	pthread_t threads[4];
	unsigned sum = 0;
	size_t i;

	(void)state;
	for (i = 0; i < 4; i++) {
		takers[i] = (struct taker){limit, 0};
		assert_int_equal(pthread_create(&threads[i], NULL, take_many,
						&takers[i]), 0);
	}
	for (i = 0; i < 4; i++) {
		assert_int_equal(pthread_join(threads[i], NULL), 0);
		sum += takers[i].granted;
	}
	assert_int_equal(sum, 3000);
	limit_free(limit);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_minutes_worth_and_then_evenly),
		cmocka_unit_test(test_it_says_how_long_to_wait),
		cmocka_unit_test(test_nobody_pays_for_another),
		cmocka_unit_test(test_an_ipv6_network_is_one_client),
		cmocka_unit_test(test_0_is_no_limit),
		cmocka_unit_test(
			test_a_crowd_does_not_wash_away_who_asked_too_much),
		cmocka_unit_test(test_threads_share_one_bucket),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
