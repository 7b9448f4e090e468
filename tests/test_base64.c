/* test_base64.c - RFC 4648 section 4, strictly. */
#include "t.h"
#include "base64.h"

static void the_vectors_of_rfc_4648_come_out(void **state)
{
	static const char *const v[][2] = {
		{ "", "" },	    { "f", "Zg==" },
		{ "fo", "Zm8=" },   { "foo", "Zm9v" },
		{ "foob", "Zm9vYg==" }, { "fooba", "Zm9vYmE=" },
		{ "foobar", "Zm9vYmFy" },
	};

	(void)state;
	for (size_t i = 0; i < T_COUNT(v); i++) {
		size_t n = strlen(v[i][0]);
		char *text = malloc(PK_BASE64_SIZE(n));
		unsigned char *bytes = t_exact("", n ? n : 1);

		assert_int_equal(pk_base64((const unsigned char *)v[i][0], n,
					   text), strlen(v[i][1]));
		assert_string_equal(text, v[i][1]);
		assert_int_equal(pk_unbase64(text, strlen(text), bytes, n), n);
		assert_memory_equal(bytes, v[i][0], n);
		free(bytes);
		free(text);
	}
}

static void all_sixty_four_digits_round_trip(void **state)
{
	static const char all[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnop"
				  "qrstuvwxyz0123456789+/";
	unsigned char bytes[48];

	(void)state;
	assert_int_equal(t_again(again_base64, all, 64), 1);
	assert_int_equal(pk_unbase64(all, 64, bytes, 48), 48);
	assert_memory_equal(bytes, "\x00\x10\x83\x10\x51\x87", 6);
}

static void what_has_a_second_spelling_is_refused(void **state)
{
	static const char *const bad[] = {
		"Zh==", "Zm9=",		    /* padding bits not 0 */
		"Zg", "Zg=", "Z", "Z===",   /* padding missing, or odd */
		"====", "Zg==Zg==", "=Zg=", "Zg=g", "Zm8=Zm8=",
		"Zm9v\n", "Zm9\n", " Zm9", "Zm-_", "Zm9\x80",
	};

	(void)state;
	for (size_t i = 0; i < T_COUNT(bad); i++)
		assert_int_equal(t_again(again_base64, bad[i], strlen(bad[i])),
				 0);
	assert_int_equal(t_again(again_base64, "Zm\0v", 4), 0);
}

static void more_than_fits_is_refused(void **state)
{
	unsigned char out[6];

	(void)state;
	assert_int_equal(pk_unbase64("Zm9vYmFy", 8, out, 6), 6);
	for (size_t cap = 0; cap < 6; cap++) {
		unsigned char *small = malloc(cap ? cap : 1);

		assert_int_equal(pk_unbase64("Zm9vYmFy", 8, small, cap), -1);
		free(small);
	}
}

static void damage_is_refused_or_other_bytes(void **state)
{
	static const char text[] = "AAECAwQFBgcICQoLDA0ODxAREhM/+w==";

	(void)state;
	/* cuts: none, or a whole number of unpadded quanta */
	assert_int_equal(each_cut(again_base64, text, strlen(text)), 8);
	each_flip(again_base64, text, strlen(text));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_vectors_of_rfc_4648_come_out),
		cmocka_unit_test(all_sixty_four_digits_round_trip),
		cmocka_unit_test(what_has_a_second_spelling_is_refused),
		cmocka_unit_test(more_than_fits_is_refused),
		cmocka_unit_test(damage_is_refused_or_other_bytes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
