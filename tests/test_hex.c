/* test_hex.c - lower-case hexadecimal digits. */
#include "t.h"
#include "hex.h"

static void digits_are_lower_case_and_high_half_first(void **state)
{
	static const unsigned char bytes[] = { 0x00, 0x1F, 0xA0, 0xFF };
	char out[9];

	(void)state;
	pk_hex(bytes, sizeof(bytes), out);
	assert_string_equal(out, "001fa0ff");
	pk_hex(bytes, 0, out);
	assert_string_equal(out, "");
}

static void every_pair_of_bytes_is_two_digits_or_refused(void **state)
{
	size_t ok = 0;

	(void)state;
	for (int hi = 0; hi < 256; hi++)
		for (int lo = 0; lo < 256; lo++) {
			unsigned char pair[2] = { (unsigned char)hi,
						  (unsigned char)lo };

			ok += t_again(again_hex, pair, 2);
		}
	assert_int_equal(ok, 256);
}

static void a_first_bad_digit_ends_the_reading(void **state)
{
	unsigned char out[4], *bad = t_exact("0g", 2);

	(void)state;
	assert_int_equal(pk_unhex((char *)bad, out, 1), -1);
	bad[0] = '\0'; /* what follows is not looked at */
	assert_int_equal(pk_unhex((char *)bad, out, 4), -1);
	free(bad);
}

static void damage_is_refused_or_other_digits(void **state)
{
	(void)state;
	each_damage(again_hex, "00112233445566778899aabbccddeeff", 32);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(digits_are_lower_case_and_high_half_first),
		cmocka_unit_test(every_pair_of_bytes_is_two_digits_or_refused),
		cmocka_unit_test(a_first_bad_digit_ends_the_reading),
		cmocka_unit_test(damage_is_refused_or_other_digits),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
