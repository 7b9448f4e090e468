/* test_time.c - times as text are what the C library makes of them. */
#include "t.h"
#include "store.h"

#include <time.h>

static void each_day_has_the_name_that_gmtime_gives_it(void **state)
{
	const uint64_t step = 86399; /* another second each day */
	char have[20], want[20];
	struct tm tm;

	(void)state;
	for (uint64_t s = 0; s < UINT64_C(253402300800); s += step) {
		time_t t = (time_t)s;

		gmtime_r(&t, &tm);
		strftime(want, sizeof(want), "%Y-%m-%d %H:%M:%S", &tm);
		pk_time_text(s * 1000000 + 999999, have);
		assert_string_equal(have, want);
	}
}

static void beyond_the_year_9999_there_is_none(void **state)
{
	char text[20];

	(void)state;
	pk_time_text(UINT64_C(253402300799999999), text);
	assert_string_equal(text, "9999-12-31 23:59:59");
	pk_time_text(UINT64_C(253402300800000000), text);
	assert_string_equal(text, "");
	pk_time_text(UINT64_MAX, text);
	assert_string_equal(text, "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_day_has_the_name_that_gmtime_gives_it),
		cmocka_unit_test(beyond_the_year_9999_there_is_none),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
