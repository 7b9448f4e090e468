/* test_note.c - verifier keys, signed notes and checkpoints, with the
 * examples of the specifications. */
#include "t.h"
#include "hex.h"
#include "note.h"

/* The examples of golang.org/x/mod/sumdb/note and of its checksum database. */
#define PETER                                                                  \
	"PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW"
#define GOSUM                                                                  \
	"sum.golang.org+033de0ae+Ac4zctda0e5eza+HJyk9SxEdh+s3Ux18htTTAD8OuAn8"
#define PROBLEM                                                                \
	"If you think cryptography is the answer to your problem,\n"           \
	"then you don't know what your problem is.\n"
#define PETER_SIGNS                                                            \
	"\xE2\x80\x94 PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcEl"  \
	"ZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n"
#define ENOCH_SIGNS                                                            \
	"\xE2\x80\x94 EnochRoot rwz+eBzmZa0SO3NbfRGzPCpDckykFXSdeX+MNtCOXm2/"  \
	"5n2tiOHp+vAF1aGrQ5ovTG01oOTGwnWLox33WWd1RvMc+QQ=\n"
/* The example of C2SP tlog-checkpoint. */
#define ORIGIN "example.com/behind-the-sofa"
#define ROOT "CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I="
#define TEXT ORIGIN "\n20852163\n" ROOT "\n"
#define LOG_SIGNS                                                              \
	"\xE2\x80\x94 " ORIGIN " Az3grlgtzPICa5OS8npVmf1Myq/5IZniMp+ZJurmRDeO" \
	"oRDe4URYN7u5/Zhcyv2q1gGzGku9nTo+zyWE+xeMcTOAYQ8=\n"

static void a_verifier_key_is_name_id_and_key(void **state)
{
	char text[PK_VKEY_SIZE];
	struct pk_vkey k;

	(void)state;
	assert_null(pk_vkey_decode(PETER, strlen(PETER), &k));
	assert_string_equal(k.name, "PeterNeumann");
	assert_memory_equal(k.id, "\xC7\x4F\x20\xA3", 4);
	assert_memory_equal(k.key, "\x1A\x5C\xD9\x07\x14", 5);
	assert_int_equal(t_again(again_vkey, PETER, strlen(PETER)), 1);
	assert_int_equal(t_again(again_vkey, GOSUM, strlen(GOSUM)), 1);
	memset(k.name, '~', PK_ORIGIN_MAX);
	k.name[PK_ORIGIN_MAX] = '\0';
	pk_vkey_encode(&k, text);
	assert_int_equal(strlen(text) + 1, PK_VKEY_SIZE);
	assert_null(pk_vkey_decode(text, strlen(text), &k));
}

static void a_key_that_is_no_ed25519_one_is_refused(void **state) /* F-35 */
{
	static const char *const bad[] = {
		"", "+", "name", "name+c74f20a3", "name+c74f20a3+",
		"+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW",
		"a b+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW",
		"n+C74F20A3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW",
		"n+c74f20a+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW",
		"n+c74f20a30+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW",
		"n+c74f20a3+AhpcQcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW",
		"n+c74f20a3+AhpcnQcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW",
		"n+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TWAAAA",
		(PETER "\n"), (" " PETER),
	};
	struct pk_vkey k;

	(void)state;
	for (size_t i = 0; i < T_COUNT(bad); i++) {
		char *exact = (char *)t_exact(bad[i], strlen(bad[i]));

		assert_rule(pk_vkey_decode(exact, strlen(bad[i]), &k), "F-35");
		free(exact);
	}
}

static void an_origin_is_ascii_without_space_or_plus(void **state)
{
	char name[PK_ORIGIN_MAX + 1];

	(void)state;
	for (int c = 0; c < 256; c++) {
		name[0] = (char)c;
		assert_int_equal(pk_is_origin(name, 1),
				 c > ' ' && c < 0x7F && c != '+');
	}
	memset(name, 'a', sizeof(name));
	assert_true(pk_is_origin(name, PK_ORIGIN_MAX));
	assert_false(pk_is_origin(name, PK_ORIGIN_MAX + 1));
	assert_false(pk_is_origin(name, 0));
}

static void a_note_is_cut_at_its_last_empty_line(void **state)
{
	static const char note[] = PROBLEM "\nmore\n\n" PETER_SIGNS ENOCH_SIGNS;
	struct pk_bytes text, signatures;
	struct pk_signature s;

	(void)state;
	assert_null(pk_note_decode(note, strlen(note), &text, &signatures));
	assert_int_equal(text.left, strlen(PROBLEM "\nmore\n"));
	assert_ptr_equal(text.at, note);
	assert_int_equal(signatures.left, strlen(PETER_SIGNS ENOCH_SIGNS));
	assert_int_equal(pk_signature_next(&signatures, &s), 1);
	assert_string_equal(s.name, "PeterNeumann");
	assert_memory_equal(s.id, "\xC7\x4F\x20\xA3", 4);
	assert_memory_equal(s.bytes, "\xF6\x49\x92\xE0", 4);
	assert_true(s.is_ed25519);
	assert_int_equal(pk_signature_next(&signatures, &s), 1);
	assert_string_equal(s.name, "EnochRoot");
	assert_memory_equal(s.id, "\xAF\x0C\xFE\x78", 4);
	assert_int_equal(pk_signature_next(&signatures, &s), 0);
}

static void what_is_no_note_is_refused(void **state) /* F-34 */
{
	static const char *const bad[] = {
		"", "\n", "\n\n", "\n\n\n", PROBLEM, PROBLEM "\n",
		PROBLEM PETER_SIGNS, PROBLEM "\n" PETER_SIGNS "\n",
		PROBLEM "\n\xE2\x80\x94 x08go", "\n" PETER_SIGNS,
	};
	struct pk_bytes text, signatures;
	char *big = malloc(PK_NOTE_MAX + 1);

	(void)state;
	for (size_t i = 0; i < T_COUNT(bad); i++) {
		char *exact = (char *)t_exact(bad[i], strlen(bad[i]));

		assert_rule(pk_note_decode(exact, strlen(bad[i]), &text,
					   &signatures), "F-34");
		free(exact);
	}
	memset(big, 'x', PK_NOTE_MAX + 1);
	memcpy(big + PK_NOTE_MAX - 3, "\n\nx\n", 4);
	assert_rule(pk_note_decode(big, PK_NOTE_MAX + 1, &text, &signatures),
		    "F-34");
	assert_null(pk_note_decode(big + 1, PK_NOTE_MAX, &text, &signatures));
	free(big);
}

/* signed-note: "MUST be valid UTF-8 and MUST NOT contain any ASCII control
 * characters (those below U+0020) other than newline". */
static void a_note_is_text_without_control_characters(void **state) /* F-34 */
{
	static const char *const bad[] = { "\t", "\r", "\x1F", "\x80",
					   "\xC0\x80", "\xED\xA0\x80" };
	struct pk_bytes text, signatures;

	(void)state;
	for (size_t i = 0; i <= T_COUNT(bad); i++) {
		char *note;
		int n = asprintf(&note, TEXT "%s\n\n" LOG_SIGNS,
				 i < T_COUNT(bad) ? bad[i] : "\x7F");
		const char *fault = pk_note_decode(note, (size_t)n, &text,
						   &signatures);

		if (i < T_COUNT(bad))
			assert_rule(fault, "F-34");
		else
			assert_null(fault);
		free(note);
	}
	assert_rule(pk_note_decode(TEXT "\0\n\n" LOG_SIGNS,
				   sizeof(TEXT "\0\n\n" LOG_SIGNS) - 1, &text,
				   &signatures), "F-34");
}

static int first_signature(const char *line, size_t size,
			   struct pk_signature *s)
{
	unsigned char *exact = t_exact(line, size);
	struct pk_bytes b = { exact, size };
	int rc = pk_signature_next(&b, s);

	free(exact);
	return rc;
}

static void what_is_no_signature_line_is_refused(void **state) /* F-34 */
{
#define DASH "\xE2\x80\x94 "
	static const char *const bad[] = {
		"\n", "-- n AAAAAAA=\n", "\xE2\x80\x94n AAAAAAA=\n", DASH "\n",
		DASH " AAAAAAA=\n", DASH "n\n", DASH "n \n", DASH "n AAAA\n",
		DASH "n AAAAA\n", DASH "n+n AAAAAAA=\n", DASH "n AAAAAAA= \n",
		DASH "n  AAAAAAA=\n", DASH "n AAAAAAA=", DASH "n AAAAAAB=\n",
		DASH "n AAAAAAA=\r\n", "\xE2\x80\n", "\xE2\x80\x94",
	};
	struct pk_signature s;

	(void)state;
	assert_int_equal(first_signature(DASH "n AAAAAAA=\n", 15, &s), 1);
	assert_int_equal(first_signature("", 0, &s), 0);
	for (size_t i = 0; i < T_COUNT(bad); i++)
		assert_int_equal(first_signature(bad[i], strlen(bad[i]), &s),
				 -1);
}

/* Cosignatures have a time before the 64 bytes; ML-DSA-44 ones are 2.4 kB;
 * and key names may be any text without spaces. */
static void signatures_of_other_kinds_are_passed_over(void **state)
{
	static const char *const names[] = { "witness.example/w1",
					     "vidne.\xC3\xA6\xC3\xB8.example" };
	static const size_t sizes[] = { 5, 67, 69, 76, 509, 2432, 8000 };
	unsigned char raw[8000] = { 1, 2, 3, 4 };
	char line[12000];
	struct pk_signature s;

	(void)state;
	for (size_t i = 0; i < T_COUNT(sizes) * T_COUNT(names); i++) {
		int n = sprintf(line, DASH "%s ", names[i % 2]);

		n += (int)pk_base64(raw, sizes[i / 2], line + n);
		line[n++] = '\n';
		assert_int_equal(first_signature(line, (size_t)n, &s), 1);
		assert_false(s.is_ed25519);
		assert_memory_equal(s.id, raw, 4);
		assert_string_equal(s.name, "");
	}
	memset(line, 'n', sizeof(line)); /* a name too long for F-35 */
	memcpy(line, DASH, 4);
	memcpy(line + 400, " AAAAAAA=\n", 10);
	assert_int_equal(first_signature(line, 410, &s), 1);
	assert_false(s.is_ed25519);
}

static void a_signature_is_written_as_it_is_read(void **state)
{
	struct pk_signature s = { .is_ed25519 = 1 };
	char *out = malloc(PK_SIGNATURE_LINE);
	size_t n;

	(void)state;
	assert_int_equal(t_again(again_signatures, PETER_SIGNS ENOCH_SIGNS,
				 strlen(PETER_SIGNS ENOCH_SIGNS)), 1);
	memset(s.name, 'n', PK_ORIGIN_MAX);
	n = pk_signature_encode(&s, out);
	assert_int_equal(t_again(again_signatures, out, n), 1);
	free(out);
}

static const char *checkpoint(const char *text, struct pk_checkpoint *c)
{
	unsigned char *exact = t_exact(text, strlen(text));
	const char *fault = pk_checkpoint_decode(
		(struct pk_bytes){ exact, strlen(text) }, c);

	free(exact);
	return fault;
}

static void a_checkpoint_is_origin_size_and_root(void **state)
{
	unsigned char root[PK_HASH_SIZE];
	char out[PK_CHECKPOINT_SIZE];
	struct pk_checkpoint c;

	(void)state;
	pk_unhex("0ac5186a91863e8e1d90c808014aa89bf5da8e3ee1d9f07630f0378f68f1"
		 "ab62", root, sizeof(root));
	assert_null(checkpoint(TEXT, &c));
	assert_string_equal(c.origin, ORIGIN);
	assert_int_equal(c.size, 20852163);
	assert_memory_equal(c.root, root, sizeof(root));
	assert_int_equal(pk_checkpoint_encode(&c, out), strlen(TEXT));
	assert_string_equal(out, TEXT);
	assert_null(checkpoint(TEXT "an extension\n", &c));
	assert_null(checkpoint("o\n0\n" ROOT "\n", &c));
	assert_int_equal(c.size, 0);
	assert_null(checkpoint("o\n9007199254740991\n" ROOT "\n", &c));
	assert_int_equal(c.size, 9007199254740991);
}

static void a_checkpoint_may_say_its_time(void **state) /* F-37 */
{
	struct pk_checkpoint c;
	char out[PK_CHECKPOINT_SIZE];

	(void)state;
	assert_null(checkpoint(TEXT, &c));
	assert_int_equal(c.time, 0);
	assert_null(checkpoint(TEXT "time 1763817120000001\n", &c));
	assert_int_equal(c.time, 1763817120000001);
	out[pk_checkpoint_encode(&c, out)] = '\0';
	assert_string_equal(out, TEXT "time 1763817120000001\n");
	assert_null(checkpoint(TEXT "other\ntime 7\ntimes\n", &c));
	assert_int_equal(c.time, 7);
	assert_rule(checkpoint(TEXT "time 0\n", &c), "F-37");
	assert_rule(checkpoint(TEXT "time \n", &c), "F-37");
	assert_rule(checkpoint(TEXT "time 01\n", &c), "F-37");
	assert_rule(checkpoint(TEXT "time 1\ntime 2\n", &c), "F-37");
	assert_rule(checkpoint(TEXT "time 12345678901234567\n", &c), "F-37");
}

static void the_longest_checkpoint_fits(void **state)
{
	struct pk_checkpoint c = { .size = UINT64_MAX, .time = UINT64_MAX };
	char *out = malloc(PK_CHECKPOINT_SIZE);

	(void)state;
	memset(c.origin, 'o', PK_ORIGIN_MAX);
	assert_in_range(pk_checkpoint_encode(&c, out), PK_ORIGIN_MAX,
			PK_CHECKPOINT_SIZE - 1);
	free(out);
}

static void what_is_no_checkpoint_is_refused(void **state) /* F-37 */
{
	static const char *const bad[] = {
		"", "\n", "o", "o\n", " o\n1\n" ROOT "\n", "\n1\n" ROOT "\n",
		"o\n\n" ROOT "\n", "o\n01\n" ROOT "\n", "o\n+1\n" ROOT "\n",
		"o\n-1\n" ROOT "\n", "o\n1 \n" ROOT "\n", "o\n1\r\n" ROOT "\n",
		"o\n0x1\n" ROOT "\n", "o\n12345678901234567\n" ROOT "\n",
		"o\n18446744073709551617\n" ROOT "\n", "o\n1", "o\n1\n",
		"o\n1\n" ROOT, "o\n1\n\n", "o\n1\nAAAA\n", "o\n1\n" ROOT "=\n",
		"o\n1\n" ROOT " \n", "o\n1\nAAAA" ROOT "\n",
		"o\n1\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2J=\n",
	};
	struct pk_checkpoint c;

	(void)state;
	for (size_t i = 0; i < T_COUNT(bad); i++)
		assert_rule(checkpoint(bad[i], &c), "F-37");
}

static void damage_is_refused_or_says_something_else(void **state)
{
	static const char note[] = TEXT "\n" LOG_SIGNS;

	(void)state;
	assert_int_equal(t_again(again_note, note, strlen(note)), 1);
	assert_int_equal(each_cut(again_note, note, strlen(note)), 0);
	each_flip(again_note, note, strlen(note));
	assert_int_equal(each_cut(again_vkey, GOSUM, strlen(GOSUM)), 0);
	each_flip(again_vkey, GOSUM, strlen(GOSUM));
	assert_int_equal(each_cut(again_checkpoint, TEXT, strlen(TEXT)), 0);
	each_flip(again_checkpoint, TEXT, strlen(TEXT));
	/* the empty cut, and the one between the two lines */
	assert_int_equal(each_cut(again_signatures, LOG_SIGNS PETER_SIGNS,
				  strlen(LOG_SIGNS PETER_SIGNS)), 2);
	each_flip(again_signatures, LOG_SIGNS PETER_SIGNS,
		  strlen(LOG_SIGNS PETER_SIGNS));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_verifier_key_is_name_id_and_key),
		cmocka_unit_test(a_key_that_is_no_ed25519_one_is_refused),
		cmocka_unit_test(an_origin_is_ascii_without_space_or_plus),
		cmocka_unit_test(a_note_is_cut_at_its_last_empty_line),
		cmocka_unit_test(what_is_no_note_is_refused),
		cmocka_unit_test(a_note_is_text_without_control_characters),
		cmocka_unit_test(what_is_no_signature_line_is_refused),
		cmocka_unit_test(signatures_of_other_kinds_are_passed_over),
		cmocka_unit_test(a_signature_is_written_as_it_is_read),
		cmocka_unit_test(a_checkpoint_is_origin_size_and_root),
		cmocka_unit_test(a_checkpoint_may_say_its_time),
		cmocka_unit_test(the_longest_checkpoint_fits),
		cmocka_unit_test(what_is_no_checkpoint_is_refused),
		cmocka_unit_test(damage_is_refused_or_says_something_else),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
