/* test_cache.c - what a cache of decoded texts keeps, and what it lets go. */
#include "t.h"
#include "cache.h"

/* Puts a text of so many bytes under a number. */
static void put(struct pk_cache *c, unsigned n, size_t size)
{
	unsigned char hash[PK_HASH_SIZE] = { 0 };
	char *bytes = malloc(size + 1);
	struct pk_shared *t;

	memset(bytes, (int)n, size);
	pk_put_le32(hash, n * 2654435761u);
	t = pk_shared_new(bytes, size);
	pk_cache_put(c, hash, t);
	pk_shared_free(t);
}

static int has(struct pk_cache *c, unsigned n)
{
	unsigned char hash[PK_HASH_SIZE] = { 0 };
	struct pk_shared *t;

	pk_put_le32(hash, n * 2654435761u);
	t = pk_cache_get(c, hash);
	if (!t)
		return 0;
	assert_int_equal(*(unsigned char *)t->bytes, n & 255);
	pk_shared_free(t);
	return 1;
}

static void what_was_used_last_is_kept(void **state)
{
	struct pk_cache *c = pk_cache_new(10000);

	(void)state;
	put(c, 1, 3000);
	put(c, 2, 3000);
	put(c, 3, 3000);
	assert_true(has(c, 1));
	put(c, 4, 3000);
	assert_true(has(c, 1) && has(c, 3) && has(c, 4));
	assert_false(has(c, 2));
	pk_cache_free(c);
}

/* Reading everything once does not drive out what is read again and again. */
static void what_is_asked_for_outlives_what_was_put_once(void **state)
{
	struct pk_cache *c = pk_cache_new(100000);

	(void)state;
	for (unsigned n = 0; n < 5; n++) {
		put(c, n, 3000);
		assert_true(has(c, n));
	}
	for (unsigned n = 100; n < 1000; n++)
		put(c, n, 3000);
	for (unsigned n = 0; n < 5; n++)
		assert_true(has(c, n));
	assert_true(has(c, 999) && has(c, 980));
	/* but what was wanted once goes as others are */
	for (unsigned n = 2000; n < 2100; n++) {
		put(c, n, 3000);
		assert_true(has(c, n));
	}
	assert_false(has(c, 0));
	pk_cache_free(c);
}

static void a_text_as_large_as_the_cache_leaves_it_alone(void **state)
{
	struct pk_cache *c = pk_cache_new(10000);

	(void)state;
	put(c, 1, 3000);
	put(c, 2, 10000);
	assert_true(has(c, 1));
	assert_false(has(c, 2));
	assert_false(pk_cache_takes(c, 10000));
	assert_true(pk_cache_takes(c, 3000));
	pk_cache_free(c);
}

static void thousands_of_short_texts_are_found_again(void **state)
{
	struct pk_cache *c = pk_cache_new((size_t)8 << 20);
	unsigned found = 0;

	(void)state;
	for (unsigned n = 0; n < 20000; n++)
		put(c, n, 10);
	for (unsigned n = 0; n < 20000; n++)
		found += (unsigned)has(c, n);
	assert_int_equal(found, 20000);
	pk_cache_free(c);
}

/* What is kept beside a text counts too. */
static void short_texts_take_no_more_than_the_cache_may(void **state)
{
	struct pk_cache *c = pk_cache_new(100000);
	unsigned found = 0;

	(void)state;
	for (unsigned n = 0; n < 5000; n++)
		put(c, n, 1);
	for (unsigned n = 0; n < 5000; n++)
		found += (unsigned)has(c, n);
	assert_in_range(found, 100, 100000 / 100);
	pk_cache_free(c);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_was_used_last_is_kept),
		cmocka_unit_test(what_is_asked_for_outlives_what_was_put_once),
		cmocka_unit_test(a_text_as_large_as_the_cache_leaves_it_alone),
		cmocka_unit_test(thousands_of_short_texts_are_found_again),
		cmocka_unit_test(short_texts_take_no_more_than_the_cache_may),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
