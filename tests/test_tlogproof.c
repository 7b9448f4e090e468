/* test_tlogproof.c - proofs as text, with the example of C2SP tlog-proof. */
#include "t.h"
#include "hex.h"

#define FIRST "c2sp.org/tlog-proof@v1\n"
#define EXTRA "extra eyJvcCI6ImRlbGV0ZSJ9\n" /* {"op":"delete"} */
#define HASHES                                                                 \
	"gSKyXoYZUgZ6jduWYrkDOARinOMGJveXjgMkBTcdPlQ=\n"                       \
	"B95lDa8R83lS8n0eG+o0buTxRKQTYFi//1U8anccXmA=\n"                       \
	"EKNzoDWG8LGC0Yp9o+sv3qllpMP9uHQ9B20KNL+Q1zs=\n"                       \
	"RoopEkOdqkYqMB4MJXrbt/hMjOxsVn0IrWjpz1ZMMes=\n"                       \
	"AHCioX9nLjsrse6YhjRRmk1WUEirVOLLRoOQ6vfO5vk=\n"
#define NOTE                                                                   \
	"example.com/fancylog\n109482\n"                                       \
	"sFodV/vSp5O8n9a8QpW6PRY97tfOSW5bsc2Xl/EQi08=\n\n"                     \
	"\xE2\x80\x94 example.com/fancylog hI2DJwAA\n"
#define PROOF FIRST EXTRA "index 73894\n" HASHES "\n" NOTE
#define GROWTH "consistency 3 700\n" HASHES

static const char *decode(const char *text, size_t size, struct pk_proof *p)
{
	char *exact = (char *)t_exact(text, size);
	const char *fault = pk_proof_decode(exact, size, p);

	free(exact);
	return fault;
}

static const char *decode_growth(const char *text, struct pk_growth *g)
{
	char *exact = (char *)t_exact(text, strlen(text));
	const char *fault = pk_growth_decode(exact, strlen(text), g);

	free(exact);
	return fault;
}

static void a_proof_is_entry_position_hashes_and_note(void **state)
{
	unsigned char first[PK_HASH_SIZE];
	struct pk_proof p;

	(void)state;
	assert_null(pk_proof_decode(PROOF, strlen(PROOF), &p));
	assert_int_equal(p.entry_size, 15);
	assert_memory_equal(p.entry, "{\"op\":\"delete\"}", 15);
	assert_int_equal(p.index, 73894);
	assert_int_equal(p.path.n, 5);
	pk_unhex("8122b25e861952067a8ddb9662b9033804629ce30626f7978e0324"
		 "05371d3e54", first, sizeof(first));
	assert_memory_equal(p.path.hash[0], first, sizeof(first));
	assert_int_equal(p.note.left, strlen(NOTE));
	assert_memory_equal(p.note.at, NOTE, strlen(NOTE));
	assert_int_equal(t_again(again_proof, PROOF, strlen(PROOF)), 1);
}

static void a_log_of_one_entry_needs_no_hashes(void **state)
{
	static const char text[] = FIRST EXTRA "index 0\n\nx";
	struct pk_proof p;

	(void)state;
	assert_null(decode(text, strlen(text), &p));
	assert_int_equal(p.path.n, 0);
	assert_int_equal(p.note.left, 1);
}

static void what_is_no_proof_is_refused(void **state) /* F-70 */
{
	static const char *const bad[] = {
		"", "\n", FIRST, FIRST EXTRA, FIRST EXTRA "index 0\n",
		FIRST EXTRA "index 0\n\n", FIRST EXTRA "index 0\n" HASHES,
		/* C2SP may leave the entry out, we may not */
		FIRST "index 0\n\nx", FIRST "extra \nindex 0\n\nx",
		FIRST "extra\nindex 0\n\nx", FIRST "extra *\nindex 0\n\nx",
		FIRST "extra AAA\nindex 0\n\nx",
		FIRST "extra  AAAA\nindex 0\n\nx",
		FIRST EXTRA EXTRA "index 0\n\nx", EXTRA "index 0\n\nx",
		"c2sp.org/tlog-proof@v2\n" EXTRA "index 0\n\nx",
		"c2sp.org/tlog-proof@v1\r\n" EXTRA "index 0\n\nx",
		" " FIRST EXTRA "index 0\n\nx", FIRST EXTRA "index\n\nx",
		FIRST EXTRA "index \n\nx", FIRST EXTRA "index 00\n\nx",
		FIRST EXTRA "index 01\n\nx", FIRST EXTRA "index -1\n\nx",
		FIRST EXTRA "index +1\n\nx", FIRST EXTRA "index 1 \n\nx",
		FIRST EXTRA "index 12345678901234567\n\nx",
		FIRST EXTRA "index 0\nAAAA\n\nx",
		FIRST EXTRA "index 0\n \n\nx", FIRST EXTRA HASHES "\nx",
	};
	struct pk_proof p;

	(void)state;
	for (size_t i = 0; i < T_COUNT(bad); i++)
		assert_rule(decode(bad[i], strlen(bad[i]), &p), "F-70");
}

/* The largest of everything, written; then one more of each. */
static void a_proof_has_bounds(void **state) /* F-70 */
{
	struct pk_proof *p = calloc(1, sizeof(*p));
	char *note = malloc(PK_NOTE_MAX + 1);
	char *text = malloc(PK_PROOF_TEXT), *more;
	size_t n, at;

	(void)state;
	memset(note, 'n', PK_NOTE_MAX + 1);
	p->entry_size = PK_ENTRY_MAX;
	p->index = UINT64_C(9999999999999999);
	p->path.n = PK_PATH_MAX;
	p->note = (struct pk_bytes){ (unsigned char *)note, PK_NOTE_MAX };
	n = pk_proof_encode(p, text);
	assert_true(n < PK_PROOF_TEXT);
	assert_int_equal(t_again(again_proof, text, n), 1);
	/* a note longer by a byte */
	more = malloc(n + 100);
	memcpy(more, text, n);
	more[n] = 'n';
	assert_rule(decode(more, n + 1, p), "F-70");
	/* a hash more */
	at = n - PK_NOTE_MAX - 1;
	memcpy(more, text, at);
	memcpy(more + at, text + at - PK_HASH_LINE, PK_HASH_LINE);
	memcpy(more + at + PK_HASH_LINE, text + at, n - at);
	assert_rule(decode(more, n + PK_HASH_LINE, p), "F-70");
	/* an entry longer by one base64 group */
	at = strlen(FIRST "extra ");
	memcpy(more, text, at);
	memcpy(more + at, "AAAA", 4);
	memcpy(more + at + 4, text + at, n - at);
	assert_rule(decode(more, n + 4, p), "F-70");
	free(more);
	free(text);
	free(note);
	free(p);
}

static void growth_is_two_sizes_and_hashes(void **state) /* F-72 */
{
	static const char *const bad[] = {
		"", "\n", "consistency\n", "consistency 1\n",
		"consistency 1 \n", "consistency  1\n", "consistency 0 1\n",
		"consistency 2 1\n", "consistency 1 2 3\n",
		"consistency 01 2\n", "consistency 1 2", "Consistency 1 2\n",
		"consistency 1 2\r\n", "consistency 1 2\n\n",
		"consistency 1 2\nAAAA\n", GROWTH "x", GROWTH "\n",
		"consistency 1 12345678901234567\n",
	};
	char *text = malloc(PK_GROWTH_TEXT + PK_HASH_LINE);
	struct pk_growth g;
	size_t n;

	(void)state;
	assert_null(decode_growth(GROWTH, &g));
	assert_int_equal(g.from, 3);
	assert_int_equal(g.to, 700);
	assert_int_equal(g.path.n, 5);
	assert_null(decode_growth("consistency 7 7\n", &g));
	for (size_t i = 0; i < T_COUNT(bad); i++)
		assert_rule(decode_growth(bad[i], &g), "F-72");
	memset(&g, 0, sizeof(g));
	g.from = g.to = UINT64_C(9999999999999999);
	g.path.n = PK_PATH_MAX;
	n = pk_growth_encode(&g, text);
	assert_true(n < PK_GROWTH_TEXT);
	assert_int_equal(t_again(again_growth, text, n), 1);
	memcpy(text + n, text + n - PK_HASH_LINE, PK_HASH_LINE);
	text[n + PK_HASH_LINE] = '\0';
	assert_rule(decode_growth(text, &g), "F-72");
	free(text);
}

/* Cut inside the note it is still a proof in form; the note is judged by
 * who opens it. */
static void damage_is_refused_or_is_another_proof(void **state)
{
	size_t head = strlen(PROOF) - strlen(NOTE);

	(void)state;
	assert_int_equal(each_cut(again_proof, PROOF, head + 1), 0);
	assert_true(each_flip(again_proof, PROOF, strlen(PROOF)) >=
		    8 * strlen(NOTE));
	/* a growth is one with fewer hashes too */
	assert_int_equal(each_cut(again_growth, GROWTH, strlen(GROWTH)), 5);
	each_flip(again_growth, GROWTH, strlen(GROWTH));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_proof_is_entry_position_hashes_and_note),
		cmocka_unit_test(a_log_of_one_entry_needs_no_hashes),
		cmocka_unit_test(what_is_no_proof_is_refused),
		cmocka_unit_test(a_proof_has_bounds),
		cmocka_unit_test(growth_is_two_sizes_and_hashes),
		cmocka_unit_test(damage_is_refused_or_is_another_proof),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
