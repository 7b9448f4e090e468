/* test_utf8.c - RFC 3629, every sequence of up to three bytes and the edges
 * of those of four. */
#include "t.h"
#include "utf8.h"

/* Section 3's table, from the code point: what a sequence has to look like. */
static size_t spell(uint32_t c, unsigned char out[4])
{
	static const unsigned char lead[] = { 0, 0x00, 0xC0, 0xE0, 0xF0 };
	size_t n = c < 0x80 ? 1 : c < 0x800 ? 2 : c < 0x10000 ? 3 : 4;

	for (size_t i = n - 1; i > 0; i--, c >>= 6)
		out[i] = (unsigned char)(0x80 | (c & 0x3F));
	out[0] = (unsigned char)(lead[n] | c);
	return n;
}

static int is_scalar(uint32_t c)
{
	return c <= 0x10FFFF && (c < 0xD800 || c > 0xDFFF);
}

static void every_scalar_value_has_its_length_and_no_cut(void **state)
{
	unsigned char seq[4];

	(void)state;
	for (uint32_t c = 0; c < 0x200000; c++) {
		size_t n = spell(c, seq);

		assert_int_equal(pk_utf8_len(seq, n), is_scalar(c) ? n : 0);
		for (size_t cut = 1; cut < n; cut++)
			assert_int_equal(pk_utf8_len(seq, cut), 0);
	}
}

/* With the test above: exactly the shortest spellings, nothing else. */
static void no_other_sequence_is_accepted(void **state)
{
	static const unsigned char edge[] = { 0x00, 0x7F, 0x80, 0x8F, 0x90,
					      0xBF, 0xC0, 0xFF };
	size_t one = 0, two = 0, three = 0, four = 0;

	(void)state;
	for (uint32_t v = 0; v < 1 << 24; v++) {
		unsigned char s[3] = { (unsigned char)(v >> 16),
				       (unsigned char)(v >> 8),
				       (unsigned char)v };

		one += !(v & 0xFFFF) && pk_utf8_len(s, 1) == 1;
		two += !(v & 0xFF) && pk_utf8_len(s, 2) == 2;
		three += pk_utf8_len(s, 3) == 3;
	}
	for (uint32_t v = 0; v < 1 << 22; v++) {
		unsigned char s[4] = { (unsigned char)(v >> 14),
				       (unsigned char)(v >> 6),
				       edge[v >> 3 & 7], edge[v & 7] };

		four += pk_utf8_len(s, 4) == 4;
	}
	assert_int_equal(one, 0x80);
	assert_int_equal(two, 0x800 - 0x80);
	assert_int_equal(three, 0x10000 - 0x800 - 0x800);
	/* of a third and a fourth byte the edges hold four good ones each */
	assert_int_equal(four, (0x110000 - 0x10000) / 4096 * 4 * 4);
}

static void the_sequences_of_rfc_3629_are_judged_as_there(void **state)
{
	static const struct {
		const char *text;
		int plain;
	} v[] = {
		{ "A\xE2\x89\xA2\xCE\x91.", 1 },		      /* 7 */
		{ "\xED\x95\x9C\xEA\xB5\xAD\xEC\x96\xB4", 1 },	      /* 7 */
		{ "\xE6\x97\xA5\xE6\x9C\xAC\xE8\xAA\x9E", 1 },	      /* 7 */
		{ "\xEF\xBB\xBF\xF0\xA3\x8E\xB4", 1 },		      /* 7 */
		{ "\xC0\x80", 0 }, { "\xC1\xBF", 0 },		      /* 10 */
		{ "/\xC0\xAE./", 0 }, { "\xE0\x80\xAF", 0 },	      /* 10 */
		{ "\xED\xA1\x8C\xED\xBE\xB4", 0 },		      /* 3 */
		{ "\xF4\x90\x80\x80", 0 }, { "\xF8\x88\x80\x80\x80", 0 },
		{ "\xFE", 0 }, { "\xFF", 0 }, { "\x80", 0 }, { "\xC3", 0 },
		{ "\xC3(", 0 }, { "\xE2\x82", 0 }, { "\xF0\x9F\x98", 0 },
	};

	(void)state;
	for (size_t i = 0; i < T_COUNT(v); i++) {
		size_t n = strlen(v[i].text);
		char *exact = (char *)t_exact(v[i].text, n);

		assert_int_equal(pk_is_plain(exact, n), v[i].plain);
		free(exact);
	}
}

static void plain_text_has_no_control_characters(void **state)
{
	unsigned char seq[4];

	(void)state;
	assert_true(pk_is_plain("", 0));
	for (uint32_t c = 0; c < 0x110000; c++) {
		int control = c < 0x20 || (c >= 0x7F && c < 0xA0);
		size_t n = spell(c, seq);

		assert_int_equal(pk_is_plain((char *)seq, n),
				 is_scalar(c) && !control);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_scalar_value_has_its_length_and_no_cut),
		cmocka_unit_test(no_other_sequence_is_accepted),
		cmocka_unit_test(the_sequences_of_rfc_3629_are_judged_as_there),
		cmocka_unit_test(plain_text_has_no_control_characters),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
