/* test_record.c - one record of the journal: header, entries, texts. */
#include "t.h"
#include "record.h"
#include "sum.h"
#include "tile.h"

/* Two entries and a text of four bytes. */
static const unsigned char payload[] = {
	0, 3, 'o', 'n', 'e', 0, 0,
	'h', 'a', 's', 'h', 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16,
	17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31, 32,
	4, 0, 0, 0, 0, 0, 0, 0, 't', 'e', 'x', 't',
};
#define SIZE (PK_RECORD_HEADER + sizeof(payload))

static const unsigned char header[PK_RECORD_HEADER] = {
	0xFF, 'p', 'k', 'r', 'e', 'c', '1', '\n',
	'g', 'e', 'n', 'e', 'r', 'a', 't', 'i',		/* generation */
	'o', 'n', ' ', 'o', 'f', ' ', '1', '6',
	8, 7, 6, 5, 4, 3, 2, 1,				/* seq */
	2, 0, 0, 0, 1, 0, 0, 0,				/* entries, texts */
	51, 0, 0, 0, 0, 0, 0, 0,			/* payload */
	7, 7, 6, 5, 4, 3, 2, 1,				/* durable */
	0x18, 0x17, 0x16, 0x15, 0x14, 0x13, 0x12, 0x11,	/* chain */
	'b', 'e', 'f', 'o', 'r', 'e', ' ', 't',		/* before */
	'h', 'a', 't', ' ', 'o', 'n', 'e', '!',
	0, 0x10, 0, 0, 0, 0, 0, 0,			/* its end */
	0, 0, 0, 0, 0, 0, 0, 0,
	0, 0, 0, 0, 0, 0, 0, 0,
	0, 0, 0, 0, 0, 0, 0, 0,
	0, 0, 0, 0, 0, 0, 0, 0,				/* payload sum */
	0, 0, 0, 0, 0, 0, 0, 0,				/* header sum */
};

static struct pk_record example(void)
{
	struct pk_record r = {
		.seq = 0x0102030405060708,
		.entries = 2,
		.texts = 1,
		.payload = sizeof(payload),
		.durable = 0x0102030405060707,
		.chain = 0x1112131415161718,
		.before_end = PK_BLOCK,
		.payload_sum = pk_sum(0, payload, sizeof(payload)),
	};

	memcpy(r.generation, "generation of 16", PK_GENERATION_SIZE);
	memcpy(r.before, "before that one!", PK_GENERATION_SIZE);
	return r;
}

/* The example with its payload; out has SIZE bytes. */
static void whole(unsigned char *out)
{
	struct pk_record r = example();

	pk_record_encode(&r, out);
	memcpy(out + PK_RECORD_HEADER, payload, sizeof(payload));
}

static void a_header_is_spelled_out(void **state)
{
	struct pk_record r = example(), again;
	unsigned char out[PK_RECORD_HEADER];
	uint64_t sum = pk_record_encode(&r, out), read;

	(void)state;
	assert_memory_equal(out, header, 112);
	assert_int_equal(pk_le64(out + 112), r.payload_sum);
	assert_int_equal(pk_le64(out + 120), pk_sum(0, out, 120));
	assert_int_equal(sum, pk_le64(out + 120));
	assert_null(pk_record_decode(out, &again, &read));
	assert_int_equal(read, sum);
	assert_memory_equal(&again, &r, sizeof(r));
}

static void a_payload_is_entries_and_texts(void **state)
{
	struct pk_record r = example();
	unsigned char out[SIZE], head[PK_TEXT_HEADER];
	struct pk_bytes b = { payload + 7, sizeof(payload) - 7 };
	struct pk_text t;

	(void)state;
	assert_null(pk_record_check(&r, payload));
	assert_int_equal(pk_text_next(&b, &t), 1);
	assert_ptr_equal(t.hash, payload + 7);
	assert_int_equal(t.size, 4);
	assert_memory_equal(t.text, "text", 4);
	assert_int_equal(b.left, 0);
	pk_text_header(head, t.hash, t.size);
	assert_memory_equal(head, payload + 7, sizeof(head));
	whole(out);
	assert_int_equal(t_again(again_record, out, SIZE), 1);
}

static void a_span_is_whole_blocks(void **state)
{
	(void)state;
	assert_int_equal(pk_record_span(1), 4096);
	assert_int_equal(pk_record_span(4096 - 128), 4096);
	assert_int_equal(pk_record_span(4096 - 127), 8192);
	assert_int_equal(pk_record_span(PK_SLOT_MAX), PK_SLOT_MAX + 4096);
}

/* One changed byte under a checksum that is right. */
static void every_header_rule_is_answered_by_its_number(void **state) /* F-51 */
{
	static const struct {
		size_t at;
		unsigned char is;
	} v[] = {
		{ 0, 0 },  { 6, '2' },	      /* another magic */
		{ 88, 1 }, { 111, 1 },	      /* reserved */
		{ 32, 0 },		      /* no entries */
		{ 40, 0 }, { 43, 3 }, { 47, 1 }, /* no payload, or too much */
		{ 31, 0x80 },		      /* seq has run over */
		{ 48, 9 },		      /* durable before it is there */
	};
	struct pk_record r;
	unsigned char out[PK_RECORD_HEADER];
	uint64_t sum;

	(void)state;
	for (size_t i = 0; i < T_COUNT(v); i++) {
		r = example();
		pk_record_encode(&r, out);
		out[v[i].at] = v[i].is;
		pk_put_le64(out + 120, pk_sum(0, out, 120));
		assert_rule(pk_record_decode(out, &r, &sum), "F-51");
	}
	r = example();
	pk_record_encode(&r, out);
	out[56] ^= 1;
	assert_rule(pk_record_decode(out, &r, &sum), "F-51");
}

/* The example's header with other counts over some payload. */
static const char *check(uint32_t entries, uint32_t texts, const void *bytes,
			 size_t size)
{
	struct pk_record r = example();
	unsigned char *exact = t_exact(bytes, size);
	const char *fault;

	r.entries = entries;
	r.texts = texts;
	r.payload = size;
	r.payload_sum = pk_sum(0, exact, size);
	fault = pk_record_check(&r, exact);
	free(exact);
	return fault;
}

static void every_payload_rule_is_answered_by_its_number(void **state)
{
	struct pk_record r = example();
	const size_t n = sizeof(payload);

	(void)state;
	assert_null(check(2, 1, payload, n));
	r.payload_sum++;
	assert_rule(pk_record_check(&r, payload), "F-52");
	assert_rule(check(2, 1, payload, 4), "F-52");
	assert_rule(check(1, 0, payload, 1), "F-52");
	assert_rule(check(3, 0, payload, 7), "F-52");
	assert_rule(check(UINT32_MAX, 0, payload, n), "F-52");
	assert_rule(check(2, 1, payload, n - 1), "F-53");
	assert_rule(check(2, 1, payload, 7), "F-53");
	assert_rule(check(2, 2, payload, n), "F-53");
	assert_rule(check(2, UINT32_MAX, payload, n), "F-53");
	assert_rule(check(2, 0, payload, n), "F-53");
	assert_rule(check(1, 1, payload, n), "F-53");
	assert_null(check(2, 0, payload, 7));
}

/* 2^32 + 4 and the like are not cut to what a size_t of 32 bits holds. */
static void a_text_of_more_than_four_gibibytes_does_not_fit(void **state)
{
	unsigned char bytes[sizeof(payload)];
	struct pk_bytes b = { bytes + 7, sizeof(bytes) - 7 };
	struct pk_text t;

	(void)state;
	for (size_t at = 1; at < 8; at++) {
		memcpy(bytes, payload, sizeof(bytes));
		bytes[7 + PK_HASH_SIZE + at] = 1;
		assert_rule(check(2, 1, bytes, sizeof(bytes)), "F-53");
		assert_int_equal(pk_text_next(&b, &t), -1);
		assert_ptr_equal(b.at, bytes + 7);
	}
}

static void every_flip_is_refused(void **state)
{
	unsigned char out[SIZE];

	(void)state;
	whole(out);
	assert_int_equal(each_damage(again_record, out, SIZE), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_header_is_spelled_out),
		cmocka_unit_test(a_payload_is_entries_and_texts),
		cmocka_unit_test(a_span_is_whole_blocks),
		cmocka_unit_test(every_header_rule_is_answered_by_its_number),
		cmocka_unit_test(every_payload_rule_is_answered_by_its_number),
		cmocka_unit_test(
			a_text_of_more_than_four_gibibytes_does_not_fit),
		cmocka_unit_test(every_flip_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
