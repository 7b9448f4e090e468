/* test_hostile.c - bytes made to hurt: each ends in an answer, within memory.
 *
 * An attack runs in a child that may take so much more address space than it
 * has, which counts whatever zstd, LMDB and libc take, touched or not: where
 * an allocation was wanted for a size that somebody else only claims, the
 * answer is "out of memory" and not the one that is expected. A sanitizer
 * takes terabytes of addresses and looks at bytes instead.
 *
 * That time is not quadratic shows in that the children end at all, within a
 * minute of processor time: what they get is so large that the square of it
 * would take hours.
 */
#include "t.h"
#include "stores.h"
#include "auto.h"
#include "hex.h"
#include "object.h"
#include "objpath.h"
#include "record.h"
#include "sum.h"
#include "trailer.h"

#include <zstd.h>

#define MIB ((size_t)1 << 20)
/* What reading a file, decoding it and printing an error take by themselves:
 * zstd's contexts, a window, stdio, and what malloc rounds up to. */
#define SMALL (4 * MIB)

static char *dir;

/* ---- a child and its limits ---- */

struct attack {
	int (*go)(const void *arg);
	const void *arg;
	size_t bound;
	int status;
	const char *says; /* in the error's text, or NULL */
};

static size_t address_space(void)
{
	FILE *f = fopen("/proc/self/statm", "r");
	size_t pages = 0;

	assert_int_equal(fscanf(f, "%zu", &pages), 1);
	fclose(f);
	return pages * (size_t)sysconf(_SC_PAGESIZE);
}

static int run(void *arg)
{
	const struct attack *a = arg;
	struct rlimit space = { address_space() + a->bound, RLIM_INFINITY };
	struct rlimit time = { 60, 60 };
	int rc;

	if (!getenv("SANITIZED"))
		setrlimit(RLIMIT_AS, &space);
	setrlimit(RLIMIT_CPU, &time);
	memset(&err, 0, sizeof(err));
	rc = a->go(a->arg);
	if (rc == a->status && (!a->says || strstr(err.text, a->says)))
		return 0;
	print_error("%s: %s, not %s%s%s\n", pakhus_strstatus(rc), err.text,
		    pakhus_strstatus(a->status), a->says ? " and " : "",
		    a->says ? a->says : "");
	return 1;
}

#define assert_ends(...) \
	assert_int_equal(s_in_child(run, &(struct attack){ __VA_ARGS__ }), 0)

/* ---- objects ---- */

static const unsigned char *name_of(unsigned n)
{
	static unsigned char hash[4][PK_HASH_SIZE];
	static unsigned turn;
	unsigned char *h = hash[turn++ % 4];

	memset(h, 0, PK_HASH_SIZE);
	h[0] = (unsigned char)n;
	return h;
}

static void put_file(const char *path, const void *bytes, size_t size)
{
	FILE *f = fopen(path, "w");

	assert_non_null(f);
	assert_int_equal(fwrite(bytes, 1, size, f), size);
	assert_int_equal(fclose(f), 0);
}

/* An object of a frame and a trailer that have nothing to do with each
 * other. */
static void put_object(unsigned n, const void *frame, size_t size,
		       const struct pk_trailer *t)
{
	char path[PK_OBJPATH_SIZE], *full;
	unsigned char *bytes = malloc(size + PK_TRAILER_SIZE);

	memcpy(bytes, frame, size);
	pk_trailer_encode(t, name_of(n), bytes + size);
	pk_objpath(name_of(n), path);
	full = s_text("%s/%s", dir, path);
	for (char *p = full + strlen(dir) + 1; (p = strchr(p, '/')); p++) {
		*p = '\0';
		mkdir(full, 0700);
		*p = '/';
	}
	put_file(full, bytes, size + PK_TRAILER_SIZE);
	free(bytes);
	free(full);
}

static int read_object(const void *arg)
{
	AUTO_CLOSE int fd = open(dir, O_RDONLY | O_DIRECTORY);
	struct pk_shared *text = NULL;
	int rc = pk_object_read(fd, NULL, NULL, name_of(*(const unsigned *)arg),
				&text, &err);

	if (!rc)
		pk_shared_free(text);
	return rc;
}

static const unsigned *number(unsigned n)
{
	static unsigned it;

	it = n;
	return &it;
}

/* A frame of so many zeros that says it holds says of them. */
static size_t frame_of(size_t zeros, uint64_t says, unsigned char **out)
{
	AUTO_FREE char *text = calloc(1, zeros);
	ZSTD_CCtx *c = ZSTD_createCCtx();
	size_t cap = ZSTD_compressBound(zeros), n;

	ZSTD_CCtx_setParameter(c, ZSTD_c_checksumFlag, 1);
	*out = malloc(cap);
	n = ZSTD_compress2(c, *out, cap, text, zeros);
	assert_false(ZSTD_isError(n));
	ZSTD_freeCCtx(c);
	/* RFC 8878: 4 bytes of it, behind the descriptor and the window */
	assert_int_equal((*out)[4] & 0xe0, 0x80);
	for (int i = 0; i < 4; i++)
		(*out)[6 + i] = (unsigned char)(says >> 8 * i);
	assert_int_equal(ZSTD_getFrameContentSize(*out, n), says);
	return n;
}

static void declared_sizes_that_lie_take_no_memory(void **state)
{
	static const struct {
		uint64_t frame, trailer;
		const char *says;
		size_t bound;
	} lie[] = {
		/* what decodes to far more than both say */
		{ 100000, 100000, "F-15", SMALL },
		/* what says so, and one that says more than may be */
		{ 40 * MIB, 100000, "F-15", SMALL },
		{ 100000, 40 * MIB, "F-15", SMALL },
		{ 100000, UINT64_MAX, "F-13", SMALL },
		{ 100000, 64 * MIB + 1, "F-13", SMALL },
		/* both agree on more than there is: once that, and no more */
		{ 64 * MIB, 64 * MIB, "F-15", 64 * MIB + SMALL },
	};

	dir = *state;
	for (unsigned i = 0; i < T_COUNT(lie); i++) {
		struct pk_trailer t = { .encoding = PK_WHOLE,
					.raw_size = lie[i].trailer };
		unsigned char *frame;
		size_t n = frame_of(40 * MIB, lie[i].frame, &frame);

		put_object(i, frame, n, &t);
		free(frame);
		assert_ends(read_object, number(i), lie[i].bound,
			    PAKHUS_ECORRUPT, lie[i].says);
	}
}

/* Files that are longer than anything, without a block on the disk. */
static void an_object_longer_than_its_text_needs_is_not_read(void **state)
{
	struct pk_trailer t = { .encoding = PK_WHOLE, .raw_size = 1000 };
	AUTO_FREE unsigned char *frame = calloc(1, 200 * MIB);

	dir = *state;
	put_object(1, frame, 200 * MIB, &t);
	assert_ends(read_object, number(1), SMALL, PAKHUS_ECORRUPT, "F-15");
}

/* ---- chains ---- */

/* An object n, a delta on base, or whole for -1; all of so many zeros but the
 * number at the beginning. */
static void put_delta(unsigned n, int base, unsigned depth, size_t size)
{
	AUTO_FREE char *text = calloc(1, size + 1);
	AUTO_FREE char *below = calloc(1, size + 1);
	AUTO_FREE unsigned char *frame = malloc(ZSTD_compressBound(size));
	struct pk_trailer t = { .encoding = base < 0 ? PK_WHOLE : PK_DELTA,
				.depth = depth, .raw_size = size };
	ZSTD_CCtx *c = ZSTD_createCCtx();
	size_t k;

	text[0] = (char)n;
	below[0] = (char)base;
	ZSTD_CCtx_setParameter(c, ZSTD_c_checksumFlag, 1);
	ZSTD_CCtx_setParameter(c, ZSTD_c_windowLog, 24);
	if (base >= 0) {
		ZSTD_CCtx_refPrefix(c, below, size);
		memcpy(t.base, name_of((unsigned)base), PK_HASH_SIZE);
	}
	k = ZSTD_compress2(c, frame, ZSTD_compressBound(size), text, size);
	assert_false(ZSTD_isError(k));
	ZSTD_freeCCtx(c);
	put_object(n, frame, k, &t);
}

/* 68 MiB are decoded, of which two texts are held at any moment. */
static void the_longest_chain_of_the_largest_texts_holds_two(void **state)
{
	dir = *state;
	for (unsigned i = 0; i <= PK_CHAIN_MAX; i++)
		put_delta(i, (int)i - 1, i, 4 * MIB);
	assert_ends(read_object, number(PK_CHAIN_MAX), 8 * MIB + SMALL,
		    PAKHUS_OK, NULL);
}

static void a_delta_of_more_than_4_mib_is_not_decoded(void **state)
{
	dir = *state;
	put_delta(0, -1, 0, 4 * MIB + 1);
	put_delta(1, 0, 1, 4 * MIB + 1);
	put_delta(2, 0, 1, 4 * MIB); /* its base is too long */
	assert_ends(read_object, number(0), 4 * MIB + SMALL, PAKHUS_OK, NULL);
	assert_ends(read_object, number(1), SMALL, PAKHUS_ECORRUPT, "F-19");
	assert_ends(read_object, number(2), SMALL, PAKHUS_ECORRUPT, "F-19");
}

static void chains_that_go_round_or_too_deep_end(void **state)
{
	dir = *state;
	put_delta(1, 1, 5, 1000); /* on itself */
	put_delta(2, 3, 2, 1000); /* on each other */
	put_delta(3, 2, 1, 1000);
	put_delta(4, 5, 3, 1000); /* not less deep */
	put_delta(5, 6, 3, 1000);
	put_delta(7, 8, PK_CHAIN_MAX + 1, 1000);
	put_delta(8, 9, 255, 1000);
	for (unsigned i = 1; i <= 4; i++)
		assert_ends(read_object, number(i), SMALL, PAKHUS_ECORRUPT,
			    "F-17");
	assert_ends(read_object, number(7), SMALL, PAKHUS_ECORRUPT, "F-17");
	assert_ends(read_object, number(8), SMALL, PAKHUS_ECORRUPT, "F-17");
}

/* ---- the journal ---- */

static int open_and_verify(const void *arg)
{
	struct pakhus_options opt = { .level = 1, .cache_size = 1 };
	struct pakhus *s = NULL;
	struct pakhus_verify v = { .flags = PAKHUS_VERIFY_FILES };
	int rc = pakhus_open(&s, arg, &opt, &err);

	if (rc)
		return rc;
	rc = pakhus_verify(s, &v, &err);
	pakhus_close(s);
	return rc;
}

/* What opening a sound store takes: an index of a map of 1 GiB, which is
 * address space alone, and the cache of verify. */
#define OPENED (1024 * MIB + 64 * MIB + SMALL)

static void put_record(const char *path, struct pk_record r, const void *payload,
		       size_t size)
{
	unsigned char *bytes = calloc(1, MIB);
	char *slot = s_text("%s/local/slot-0", path);

	r.seq = 1;
	memset(r.generation, 7, sizeof(r.generation));
	r.payload_sum = pk_sum(0, payload, size);
	pk_record_encode(&r, bytes);
	memcpy(bytes + PK_RECORD_HEADER, payload, size);
	put_file(slot, bytes, MIB);
	free(bytes);
	free(slot);
}

/* Torn, as far as anybody can tell: the sums are right, the numbers lie. */
static void records_that_lie_are_left_over(void **state)
{
	static const char entry[] = "\0\2{}";
	char *path = s_init(state, "store", 0);
	unsigned char text[4 + PK_TEXT_HEADER] = "\0\2{}";
	struct pk_record lie[] = {
		{ .entries = 1, .payload = 32 * MIB },
		{ .entries = 1, .payload = MIB },
		{ .entries = 1, .payload = UINT64_MAX },
		{ .entries = 1, .payload = UINT64_MAX - PK_RECORD_HEADER },
		{ .entries = UINT32_MAX, .payload = 4 },
		{ .entries = 1, .texts = UINT32_MAX, .payload = 4 },
		{ .entries = 0, .payload = 4 },
	};
	struct pk_record one = { .entries = 1, .texts = 1,
				 .payload = sizeof(text) };

	for (size_t i = 0; i < T_COUNT(lie); i++) {
		put_record(path, lie[i], entry, 4);
		assert_ends(open_and_verify, path, OPENED, PAKHUS_OK, NULL);
	}
	for (unsigned i = 0; i < 3; i++) {
		static const uint64_t size[] = { 1, UINT64_MAX, 64 * MIB };

		pk_text_header(text + 4, name_of(1), size[i]);
		put_record(path, one, text, sizeof(text));
		assert_ends(open_and_verify, path, OPENED, PAKHUS_OK, NULL);
	}
	free(path);
}

/* ---- files of a store ---- */

/* Entries that say they are longer than their bundle, and a bundle of more
 * entries than it is named for. */
static void bundles_that_lie_are_damage(void **state)
{
	static const struct {
		const char *bytes;
		size_t size;
	} lie[] = {
		{ "\xff\xff{}", 4 },
		{ "\0\0\0\0\0\0", 6 },
		{ "\0", 1 },
		{ "", 0 },
	};
	char *path = s_init(state, "store", 0);
	char *bundle = s_text("%s/log/tile/entries/000.p/1", path);
	char *local = s_text("%s/local", path);

	chmod(bundle, 0600);
	nftw(local, t_remove, 16, FTW_DEPTH | FTW_PHYS);
	for (size_t i = 0; i < T_COUNT(lie); i++) {
		put_file(bundle, lie[i].bytes, lie[i].size);
		assert_ends(open_and_verify, path, OPENED, PAKHUS_ECORRUPT,
			    NULL);
	}
	free(path);
	free(bundle);
	free(local);
}

static int take(void *arg, const char *text, size_t size)
{
	(void)arg, (void)text, (void)size;
	return 0;
}

static int dump(const void *arg)
{
	return pakhus_dump(arg, take, NULL, &err);
}

/* A terabyte each, of holes. */
static void files_of_any_length_are_refused_before_they_are_read(void **state)
{
	static const char *const file[] = {
		"FORMAT", "log/checkpoint", "log/tile/entries/000.p/1",
		"log/tile/0/000.p/1",
	};
	for (size_t i = 0; i < T_COUNT(file); i++) {
		char *name = s_text("store-%zu", i);
		char *path = s_init(state, name, 0);
		char *full = s_text("%s/%s", path, file[i]);

		/* an index that is there would not ask the log */
		free(name);
		name = s_text("%s/local/index-state", path);
		unlink(name);
		chmod(full, 0600);
		assert_int_equal(truncate(full, (off_t)1 << 40), 0);
		assert_ends(open_and_verify, path, OPENED, PAKHUS_ECORRUPT,
			    NULL);
		assert_ends(dump, full, SMALL, PAKHUS_ECORRUPT, "F-43");
		free(name);
		free(path);
		free(full);
	}
}

/* A slot has at most 32 MiB; what is behind is not looked at. */
static void a_slot_of_any_length_is_opened(void **state)
{
	char *path = s_init(state, "store", 0);
	char *slot = s_text("%s/local/slot-1", path);

	assert_int_equal(truncate(slot, (off_t)1 << 40), 0);
	assert_ends(open_and_verify, path, OPENED, PAKHUS_OK, NULL);
	free(path);
	free(slot);
}

/* ---- documents ---- */

struct text {
	char *at;
	size_t n, cap;
};

static void add(struct text *t, const char *bytes, size_t n)
{
	if (t->n + n > t->cap) {
		t->cap = 2 * t->cap + n + 4096;
		t->at = realloc(t->at, t->cap);
		assert_non_null(t->at);
	}
	memcpy(t->at + t->n, bytes, n);
	t->n += n;
}

static void say(struct text *t, const char *s)
{
	add(t, s, strlen(s));
}

static void begin(struct text *t)
{
	*t = (struct text){ NULL, 0, 0 };
	say(t, "{\"manifest\":{\"id\":\"a\",\"version\":\"1\"},\"metadata\":{");
}

static int check(const void *arg)
{
	const struct text *t = arg;

	return pakhus_check(t->at, t->n, &err);
}

/* What a document takes: the text that is made of it, which may have to be
 * put in order into a second one, and 16 bytes a member with as many again
 * where they are sorted, and a member has 5 bytes and more. So, with arrays
 * that double, no more than 16 times its size. */
#define DOCUMENT(t) (16 * (t)->n + SMALL)

static void end_document(struct text *t)
{
	say(t, "}}");
	assert_ends(check, t, DOCUMENT(t), PAKHUS_OK, NULL);
	free(t->at);
}

#define MEMBERS s_scale(400000, 400000, 3000000)

static void many_keys_take_no_quadratic_time(void **state)
{
	char key[60];
	struct text t;

	(void)state;
	for (int kind = 0; kind < 4; kind++) {
		begin(&t);
		for (unsigned i = 0; i < MEMBERS; i++) {
			static const char *const form[] = {
				"%s\"k%u\":1", /* all different */
				"%s\"%u\":1",  /* integers, from the last */
				"%s\"same\":%u",
				"%s\"%u\":1", /* integers, in no order */
			};
			unsigned n = kind == 1 ? MEMBERS - i
				     : kind == 3 ? i * 2654435761u
						 : i;

			sprintf(key, form[kind], i ? "," : "", n);
			say(&t, key);
		}
		end_document(&t);
	}
}

/* The hash of order.c before its last step, for keys of 16 bytes. */
static uint64_t half_hash(const char *key)
{
	const uint64_t k = UINT64_C(0x9e3779b97f4a7c15);
	uint64_t h = 16 * k, a;

	memcpy(&a, key, 8);
	h = (h ^ a) * k;
	return h ^ h >> 32;
}

/* A second half with which the key has the hash of all others; 0 where that
 * would be no text. */
static int collide(char key[17], uint64_t hash)
{
	uint64_t tail = half_hash(key) ^ hash;

	memcpy(key + 8, &tail, 8);
	for (int i = 8; i < 16; i++)
		if (key[i] < ' ' || key[i] > '~' || key[i] == '"' ||
		    key[i] == '\\')
			return 0;
	return 1;
}

static void keys_that_hash_alike_take_no_quadratic_time(void **state)
{
	unsigned want = s_scale(100000, 20000, 200000), n = 0;
	char key[17] = "", all[40];
	uint64_t hash;
	struct text t;

	(void)state;
	memcpy(&hash, "pakhus's", 8);
	begin(&t);
	for (uint32_t i = 0; n < want; i++) {
		for (int k = 0; k < 8; k++)
			key[k] = (char)('a' + (i >> 4 * k & 15));
		if (!collide(key, hash))
			continue;
		sprintf(all, "%s\"%.16s\":1", n++ ? "," : "", key);
		say(&t, all);
	}
	end_document(&t);
}

/* Objects in disorder, one within another, each to be put in order. */
static void disorder_at_every_level_takes_no_quadratic_time(void **state)
{
	struct text t;

	(void)state;
	begin(&t);
	say(&t, "\"x\":[0");
	for (unsigned i = 0; i < 2000; i++) {
		say(&t, ",");
		for (unsigned k = 0; k < 500; k++)
			say(&t, "{\"b\":0,\"1\":");
		say(&t, "0");
		for (unsigned k = 0; k < 500; k++)
			say(&t, "}");
	}
	say(&t, "]");
	end_document(&t);
}

static void nest(struct text *t, unsigned levels)
{
	begin(t);
	say(t, "\"x\":");
	for (unsigned i = 0; i < levels; i++)
		say(t, i % 2 ? "{\"a\":" : "[");
	say(t, "0");
	while (levels--)
		say(t, levels % 2 ? "}" : "]");
	say(t, "}}");
}

/* The metadata itself is the first level. */
static void nesting_ends_at_512_however_deep_it_goes(void **state)
{
	static const unsigned level[] = { 499, 511, 512, 1000000, 10000000 };

	(void)state;
	for (size_t i = 0; i < T_COUNT(level); i++) {
		struct text t;

		nest(&t, level[i]);
		if (level[i] < 512)
			assert_ends(check, &t, SMALL, PAKHUS_OK, NULL);
		else
			assert_ends(check, &t, SMALL + 2 * t.n, PAKHUS_ELIMIT,
				    "512");
		free(t.at);
	}
}

/* 64 MiB, one byte more, and far more that is not kept. */
static void a_document_has_64_mib_and_no_byte_more(void **state)
{
	size_t more[] = { 0, 1, 100 * MIB };

	(void)state;
	for (size_t i = 0; i < T_COUNT(more); i++) {
		struct text t;
		size_t left;

		begin(&t);
		say(&t, "\"x\":\"");
		left = PAKHUS_DOCUMENT_MAX + more[i] - t.n - 3;
		t.at = realloc(t.at, t.n + left + 3);
		memset(t.at + t.n, 'a', left);
		t.n += left;
		memcpy(t.at + t.n, "\"}}", 3);
		t.n += 3;
		/* F-8: three times over, the text handed in being one; what
		 * is made of it is never longer than it */
		assert_ends(check, &t, t.n + PAKHUS_DOCUMENT_MAX + SMALL,
			    more[i] ? PAKHUS_ELIMIT : PAKHUS_OK,
			    more[i] ? "too large" : NULL);
		free(t.at);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		T_IN_DIR(declared_sizes_that_lie_take_no_memory),
		T_IN_DIR(an_object_longer_than_its_text_needs_is_not_read),
		T_IN_DIR(the_longest_chain_of_the_largest_texts_holds_two),
		T_IN_DIR(a_delta_of_more_than_4_mib_is_not_decoded),
		T_IN_DIR(chains_that_go_round_or_too_deep_end),
		T_IN_DIR(records_that_lie_are_left_over),
		T_IN_DIR(bundles_that_lie_are_damage),
		T_IN_DIR(files_of_any_length_are_refused_before_they_are_read),
		T_IN_DIR(a_slot_of_any_length_is_opened),
		T_IN_DIR(many_keys_take_no_quadratic_time),
		T_IN_DIR(keys_that_hash_alike_take_no_quadratic_time),
		T_IN_DIR(disorder_at_every_level_takes_no_quadratic_time),
		T_IN_DIR(nesting_ends_at_512_however_deep_it_goes),
		T_IN_DIR(a_document_has_64_mib_and_no_byte_more),
	};

	if (!access("/dev/shm", W_OK))
		setenv("TMPDIR", "/dev/shm", 0);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
