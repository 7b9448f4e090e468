/* test_key.c - keys and values of the index. */
#include "t.h"
#include "key.h"
#include "sum.h"

static void keys_are_spelled_out(void **state) /* F-60 */
{
	unsigned char hash[PK_HASH_SIZE] = { 0xAB, 0xCD };
	struct pk_key k;

	(void)state;
	pk_key_id(&k, "com.acme");
	assert_int_equal(k.size, 8);
	assert_memory_equal(k.bytes, "com.acme", 8);
	pk_key_entry(&k, "a", 1, 0x0203);
	assert_int_equal(k.size, 18);
	assert_memory_equal(k.bytes, "a\0\0\0\0\0\0\0\0\1\0\0\0\0\0\0\2\3", 18);
	pk_key_place(&k, 0x0102030405060708);
	assert_int_equal(k.size, 8);
	assert_memory_equal(k.bytes, "\1\2\3\4\5\6\7\10", 8);
	pk_key_hash(&k, hash);
	assert_int_equal(k.size, PK_HASH_SIZE);
	assert_memory_equal(k.bytes, hash, sizeof(hash));
	pk_key_version(&k, "a", "1.0");
	assert_int_equal(k.size, 5);
	assert_memory_equal(k.bytes, "a\0" "1.0", 5);
	pk_key_stamp(&k);
	assert_int_equal(k.size, 5);
	assert_memory_equal(k.bytes, "stamp", 5);
}

static void the_longest_keys_fit(void **state)
{
	struct pk_key *k = malloc(sizeof(*k));
	char id[PK_ID_MAX + 1] = "", version[PK_VERSION_MAX + 1] = "";

	(void)state;
	memset(id, 'i', PK_ID_MAX);
	memset(version, 'v', PK_VERSION_MAX);
	pk_key_version(k, id, version);
	assert_int_equal(k->size, PK_KEY_MAX);
	pk_key_entry(k, id, UINT64_MAX, UINT64_MAX);
	assert_in_range(k->size, PK_ID_MAX + 17, PK_KEY_MAX);
	assert_in_range(PK_KEY_MAX, 1, 511); /* what LMDB takes */
	free(k);
}

static int order(const struct pk_key *a, const struct pk_key *b)
{
	int d = memcmp(a->bytes, b->bytes,
		       a->size < b->size ? a->size : b->size);

	return d ? d : a->size < b->size ? -1 : a->size > b->size;
}

/* As memcmp sorts: packages apart, and each in the order of its log. */
static void entries_sort_by_id_then_ordinal_then_seq(void **state)
{
	static const struct {
		const char *id;
		uint64_t ordinal, seq;
	} sorted[] = {
		{ "a", 0, 1 },	 { "a", 0, 2 },	  { "a", 1, 0 },
		{ "a", 255, 9 }, { "a", 256, 9 }, { "a", 256, 65536 },
		{ "a!", 0, 0 },	 { "a.b", 0, 0 }, { "aa", 0, 0 },
		{ "b", 0, 0 },	 { "\xC3\xA6", 0, 0 },
	};
	struct pk_key a, b;

	(void)state;
	for (size_t i = 0; i + 1 < T_COUNT(sorted); i++) {
		pk_key_entry(&a, sorted[i].id, sorted[i].ordinal,
			     sorted[i].seq);
		pk_key_entry(&b, sorted[i + 1].id, sorted[i + 1].ordinal,
			     sorted[i + 1].seq);
		assert_true(order(&a, &b) < 0);
		pk_key_place(&a, sorted[i].seq);
		pk_key_place(&b, sorted[i].seq + 256);
		assert_true(order(&a, &b) < 0);
	}
}

static void an_entries_key_gives_its_numbers_to_its_own_id(void **state)
{
	uint64_t ordinal = 0, seq = 0;
	unsigned char *exact;
	struct pk_key k;

	(void)state;
	pk_key_entry(&k, "com.acme", 7, UINT64_MAX - 1);
	exact = t_exact(k.bytes, k.size);
	for (size_t cut = 0; cut < k.size; cut++) {
		unsigned char *part = t_exact(k.bytes, cut);

		assert_int_equal(pk_key_entry_decode(
			(struct pk_bytes){ part, cut }, "com.acme", &ordinal,
			&seq), -1);
		free(part);
	}
	for (size_t i = 0; i < 3; i++) {
		static const char *const other[] = { "com.acm", "com.acme.x",
						     "com.acmf" };

		assert_int_equal(pk_key_entry_decode(
			(struct pk_bytes){ exact, k.size }, other[i], &ordinal,
			&seq), -1);
	}
	assert_int_equal(ordinal | seq, 0);
	assert_int_equal(pk_key_entry_decode(
		(struct pk_bytes){ exact, k.size }, "com.acme", &ordinal, &seq),
		0);
	assert_int_equal(ordinal, 7);
	assert_int_equal(seq, UINT64_MAX - 1);
	free(exact);
}

/* ---- values, each under the key "id" ---- */

static const struct pk_live live = { 1, 2, 3, 4, 5, 6, 7, 8, { 9 } };
#define LIVE                                                                   \
	"\1\2\0\0\0\0\0\0\0\3\0\0\0\0\0\0\0\4\0\0\0\0\0\0\0\5\0\0\0\0\0\0\0"   \
	"\6\0\0\0\0\0\0\0\7\0\0\0\0\0\0\0\10\0\0\0\0\0\0\0\11" ZERO31
#define ZERO31 "\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0"
#define ZERO8 "\0\0\0\0\0\0\0\0"
#define SIXTEEN "sixteen bytes..."

static unsigned char value[PK_VALUE_MAX];

/* What an encoder left in value is this, and the sum of it. */
static void is_spelled(size_t n, const struct pk_key *k, const void *bytes,
		       size_t size, again_fn *again)
{
	unsigned char *whole = malloc(1 + k->size + n);
	uint64_t sum = pk_sum(pk_sum(0, k->bytes, k->size), bytes, size);

	assert_int_equal(n, size + 8);
	assert_memory_equal(value, bytes, size);
	assert_int_equal(pk_le64(value + size), sum);
	whole[0] = (unsigned char)k->size;
	memcpy(whole + 1, k->bytes, k->size);
	memcpy(whole + 1 + k->size, value, n);
	assert_int_equal(t_again(again, whole, 1 + k->size + n), 1);
	assert_int_equal(each_damage(again, whole, 1 + k->size + n), 0);
	free(whole);
}
#define IS_SPELLED(n, text, again)                                             \
	is_spelled(n, &k, text, sizeof(text) - 1, again)

/* src compares that many bytes of a row, and must not meet its sum. */
static void a_live_record_has_the_size_that_the_header_says(void **state)
{
	struct pk_key k;

	(void)state;
	pk_key_id(&k, "id");
	assert_int_equal(sizeof(LIVE) - 1, PK_LIVE_SIZE);
	assert_int_equal(pk_live_encode(&k, &live, value), PK_LIVE_SIZE + 8);
}

static void every_value_is_spelled_out_and_every_flip_refused(void **state)
{
	const struct pk_line line = { 1, 1, 0, { 1 }, "1.0" }, gone = { 0 };
	const struct pk_head head = { 1, 2, 256 };
	const struct pk_latest latest = {
		live, "id", "1.0", { (const unsigned char *)"{\"a\":1}", 7 }
	}, bare = { live, "id", "1.0", { NULL, 0 } };
	const struct pk_location location = { 1, SIXTEEN, 4096, PK_SLOT_MAX,
					      0x0807060504030201, 5 };
	const struct pk_stamp stamp = { SIXTEEN, 1, 2, 3, 4, { 9 },
					{ 10 }, 5, { 11 } };
	const struct pk_line said = { 0, 0, 1, { 2 }, "" };
	const struct pk_attrs attrs = { 256, 2, 7, { 1 }, { 2 }, "me" };
	const struct pk_purged purged = { 256 };
	struct pk_key k;

	(void)state;
	pk_key_id(&k, "id");
	IS_SPELLED(pk_line_encode(&k, &line, value),
		   "\3\1" ZERO31 "\3" "1.0", again_line);
	IS_SPELLED(pk_line_encode(&k, &gone, value),
		   "\0\0" ZERO31 "\0", again_line);
	IS_SPELLED(pk_line_encode(&k, &said, value),
		   "\4\2" ZERO31 "\0", again_line);
	IS_SPELLED(pk_attrs_encode(&k, &attrs, value),
		   "\0\1\0\0\0\0\0\0\2\0\0\0\0\0\0\0\7\0\0\0\0\0\0\0"
		   "\1" ZERO31 "\2" ZERO31 "\2" "me", again_attrs);
	IS_SPELLED(pk_head_encode(&k, &head, value),
		   "\1\0\0\0\0\0\0\0\2\0\0\0\0\0\0\0\0\1\0\0\0\0\0\0",
		   again_head);
	IS_SPELLED(pk_live_encode(&k, &live, value), LIVE, again_live);
	IS_SPELLED(pk_latest_encode(&k, &latest, value),
		   LIVE "\2id\3" "1.0{\"a\":1}", again_latest);
	IS_SPELLED(pk_latest_encode(&k, &bare, value),
		   LIVE "\2id\3" "1.0", again_latest);
	IS_SPELLED(pk_location_encode(&k, &location, value),
		   "\1" SIXTEEN "\0\20\0\0\0\0\0\0\0\0\0\2\0\0\0\0"
		   "\1\2\3\4\5\6\7\10\5\0\0\0\0\0\0\0", again_location);
	IS_SPELLED(pk_purged_encode(&k, &purged, value),
		   "\0\1\0\0\0\0\0\0", again_purged);
	IS_SPELLED(pk_stamp_encode(&k, &stamp, value),
		   SIXTEEN "\1\0\0\0\0\0\0\0"
		   "\2\0\0\0\0\0\0\0\3\0\0\0\0\0\0\0\4\0\0\0\0\0\0\0"
		   "\11" ZERO31 "\12" ZERO31 "\5\0\0\0\0\0\0\0"
		   "\13" ZERO31, again_stamp);
}

static void a_stamp_says_which_key_is_in_force(void **state) /* F-67 */
{
	struct pk_stamp stamp = { .key = { 1 }, .before = { 2 }, .since = 7 };

	(void)state;
	assert_int_equal(*pk_stamp_key(&stamp, 8), 1);
	assert_int_equal(*pk_stamp_key(&stamp, 7), 2);
	stamp.since = 0;
	assert_int_equal(*pk_stamp_key(&stamp, 1), 1);
}

static void the_longest_value_fits(void **state)
{
	struct pk_latest v = { .live.manifest_size = PK_MANIFEST_MAX }, again;
	unsigned char *manifest = calloc(1, PK_MANIFEST_MAX);
	unsigned char *out = malloc(PK_VALUE_MAX);
	struct pk_key k;
	size_t n;

	(void)state;
	pk_key_place(&k, 1);
	memset(v.id, 'i', PK_ID_MAX);
	memset(v.version, 'v', PK_VERSION_MAX);
	v.manifest = (struct pk_bytes){ manifest, PK_MANIFEST_MAX };
	n = pk_latest_encode(&k, &v, out);
	assert_null(pk_latest_decode((struct pk_bytes){ k.bytes, k.size },
				     (struct pk_bytes){ out, n }, &again));
	assert_string_equal(again.id, v.id);
	assert_string_equal(again.version, v.version);
	assert_int_equal(again.manifest.left, PK_MANIFEST_MAX);
	free(out);
	free(manifest);
}

/* Any bytes under a sum that is right. */
#define SEALED(kind, text) sealed_##kind(text, sizeof(text) - 1)
#define DEFINE_SEALED(kind)                                                    \
	static const char *sealed_##kind(const void *bytes, size_t size)       \
	{                                                                      \
		const struct pk_bytes key = { (const unsigned char *)"id", 2 };\
		unsigned char *all = malloc(size + 8);                         \
		struct pk_##kind v;                                            \
		const char *fault;                                             \
									       \
		memcpy(all, bytes, size);                                      \
		pk_put_le64(all + size,                                        \
			    pk_sum(pk_sum(0, "id", 2), bytes, size));          \
		fault = pk_##kind##_decode(                                    \
			key, (struct pk_bytes){ all, size + 8 }, &v);          \
		free(all);                                                     \
		return fault;                                                  \
	}
DEFINE_SEALED(line)
DEFINE_SEALED(head)
DEFINE_SEALED(live)
DEFINE_SEALED(latest)
DEFINE_SEALED(location)
DEFINE_SEALED(stamp)
DEFINE_SEALED(attrs)

static void a_value_of_another_size_is_refused(void **state) /* F-62 */
{
	static const unsigned char zero[PK_VALUE_MAX];
	static const char *(*const sealed[])(const void *, size_t) = {
		sealed_line,	 sealed_head,  sealed_live,
		sealed_latest,	 sealed_location, sealed_stamp,
		sealed_attrs,
	};
	/* of zeros, a value has exactly this size */
	static const size_t size[] = {
		34, 24, PK_LIVE_SIZE, PK_LIVE_SIZE + 2, 49, 152, 89
	};
	unsigned char small[7] = { 0 };
	struct pk_head head;

	(void)state;
	for (size_t i = 0; i < T_COUNT(sealed); i++)
		for (size_t n = 0; n < 200; n++) {
			if (n == size[i])
				assert_null(sealed[i](zero, n));
			else
				assert_rule(sealed[i](zero, n), "F-62");
		}
	assert_rule(sealed_latest(zero, PK_VALUE_MAX - 7), "F-62");
	for (size_t n = 0; n < 8; n++)
		assert_rule(pk_head_decode((struct pk_bytes){ zero, 2 },
					   (struct pk_bytes){ small, n },
					   &head), "F-62");
}

static void texts_and_numbers_keep_to_their_limits(void **state) /* F-62 */
{
	static unsigned char bytes[512];

	(void)state;
	/* a version of 128 bytes, and one of 129 */
	memset(bytes, 'v', sizeof(bytes));
	bytes[0] = 0;
	bytes[33] = PK_VERSION_MAX;
	assert_null(sealed_line(bytes, 34 + PK_VERSION_MAX));
	bytes[33] = PK_VERSION_MAX + 1;
	assert_rule(sealed_line(bytes, 34 + PK_VERSION_MAX + 1), "F-62");
	/* a manifest of another length than the record says */
	assert_null(SEALED(latest, LIVE "\2id\3" "1.01234567"));
	assert_rule(SEALED(latest, LIVE "\2id\3" "1.0123456"), "F-62");
	assert_rule(SEALED(latest, LIVE "\2id\3" "1.012345678"), "F-62");
	/* a text of a whole slot, one of more, and a third slot */
	assert_null(SEALED(location, "\1" SIXTEEN ZERO8 "\0\0\0\2\0\0\0\0"
				     ZERO8 ZERO8));
	assert_rule(SEALED(location, "\1" SIXTEEN ZERO8 "\1\0\0\2\0\0\0\0"
				     ZERO8 ZERO8), "F-62");
	assert_rule(SEALED(location, "\2" SIXTEEN ZERO8 ZERO8 ZERO8 ZERO8),
		    "F-62");
}

/* What the encoder never writes would be lost when a value is rewritten. */
static void flags_have_no_other_bits_and_texts_no_nul(void **state)
{
	(void)state;
	assert_null(SEALED(line, "\3\1" ZERO31 "\3" "1.0"));
	assert_null(SEALED(line, "\4\1" ZERO31 "\3" "1.0"));
	assert_rule(SEALED(line, "\5\1" ZERO31 "\3" "1.0"), "F-62");
	assert_rule(SEALED(line, "\10\1" ZERO31 "\3" "1.0"), "F-62");
	assert_rule(SEALED(line, "\3\1" ZERO31 "\3" "1\0" "0"), "F-62");
	assert_rule(SEALED(live, "\2" ZERO8 ZERO8 ZERO8 ZERO8 ZERO8 ZERO8 ZERO8
				 "\0" ZERO31), "F-62");
	assert_rule(SEALED(latest, LIVE "\2i\0\3" "1.0"), "F-62");
	assert_rule(SEALED(stamp, SIXTEEN ZERO8 ZERO8 ZERO8 ZERO8
				  "\0" ZERO31 "\0" ZERO31 ZERO8
				  "\0" ZERO31 "\2"),
		    "F-62"); /* of an F-66 stamp nothing may be left */
}

static void a_value_under_another_key_is_refused(void **state) /* F-61 */
{
	const struct pk_head head = { 1, 1, 1 };
	struct pk_key k, other;
	struct pk_head v;
	size_t n;

	(void)state;
	pk_key_id(&k, "id");
	pk_key_id(&other, "ie");
	n = pk_head_encode(&k, &head, value);
	assert_null(pk_head_decode((struct pk_bytes){ k.bytes, k.size },
				   (struct pk_bytes){ value, n }, &v));
	assert_rule(pk_head_decode((struct pk_bytes){ other.bytes, k.size },
				   (struct pk_bytes){ value, n }, &v), "F-61");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(keys_are_spelled_out),
		cmocka_unit_test(the_longest_keys_fit),
		cmocka_unit_test(entries_sort_by_id_then_ordinal_then_seq),
		cmocka_unit_test(
			an_entries_key_gives_its_numbers_to_its_own_id),
		cmocka_unit_test(
			every_value_is_spelled_out_and_every_flip_refused),
		cmocka_unit_test(
			a_live_record_has_the_size_that_the_header_says),
		cmocka_unit_test(a_stamp_says_which_key_is_in_force),
		cmocka_unit_test(the_longest_value_fits),
		cmocka_unit_test(a_value_of_another_size_is_refused),
		cmocka_unit_test(texts_and_numbers_keep_to_their_limits),
		cmocka_unit_test(flags_have_no_other_bits_and_texts_no_nul),
		cmocka_unit_test(a_value_under_another_key_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
