/* test_proof.c - proofs from tiles, against the definitions of RFC 6962, and
 * what is not proven. tests/oracle/proofs asks Go for more of them. */
#include "t.h"
#include "stores.h"
#include "biglog.h"
#include "proof.h"

#define MAX 700 /* entries: three tiles */

/* The log of every test, and the hashes of its entries. */
static int dir = -1;
static struct pk_sha *sha;
static unsigned char leaf[MAX][PK_HASH_SIZE];

static int take_leaf(void *arg, uint64_t seq, const char *line, size_t size)
{
	(void)arg;
	return pk_leaf_hash(sha, line, size, leaf[seq]);
}

static int make_log(void **state)
{
	struct biglog b = { .entries = MAX, .packages = 7 };
	char *path;

	if (t_dir_make(state))
		return -1;
	path = s_init(state, "s", 0);
	assert_done(biglog_make(path, &b, &err));
	dir = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	sha = pk_sha_new();
	assert_done(pk_log_read(dir, MAX, 0, MAX, take_leaf, NULL, &err));
	free(path);
	return 0;
}

static int remove_log(void **state)
{
	close(dir);
	pk_sha_free(sha);
	return t_dir_remove(state);
}

/* ---- the definitions, as RFC 6962 writes them ---- */

static uint64_t split(uint64_t n)
{
	uint64_t k = 1;

	while (2 * k < n)
		k *= 2;
	return k;
}

static void mth(uint64_t from, uint64_t n, unsigned char out[PK_HASH_SIZE])
{
	unsigned char a[PK_HASH_SIZE], b[PK_HASH_SIZE];

	if (n == 1) {
		memcpy(out, leaf[from], PK_HASH_SIZE);
		return;
	}
	mth(from, split(n), a);
	mth(from + split(n), n - split(n), b);
	pk_node_hash(sha, a, b, out);
}

static void path_of(uint64_t m, uint64_t from, uint64_t n, struct pk_path *out)
{
	uint64_t k = split(n);

	if (n == 1)
		return;
	if (m < k) {
		path_of(m, from, k, out);
		mth(from + k, n - k, out->hash[out->n++]);
	} else {
		path_of(m - k, from + k, n - k, out);
		mth(from, k, out->hash[out->n++]);
	}
}

static void subproof(uint64_t m, uint64_t from, uint64_t n, int b,
		     struct pk_path *out)
{
	uint64_t k = split(n);

	if (m == n) {
		if (!b)
			mth(from, n, out->hash[out->n++]);
	} else if (m <= k) {
		subproof(m, from, k, b, out);
		mth(from + k, n - k, out->hash[out->n++]);
	} else {
		subproof(m - k, from + k, n - k, 0, out);
		mth(from, k, out->hash[out->n++]);
	}
}

static void assert_same(const struct pk_path *a, const struct pk_path *b)
{
	assert_int_equal(a->n, b->n);
	assert_memory_equal(a->hash, b->hash, a->n * PK_HASH_SIZE);
}

/* Every size where something changes, and all small ones. */
static const uint64_t *sizes(size_t *n)
{
	static uint64_t size[64];
	static const uint64_t edge[] = { 63, 64, 65, 127, 129, 255, 256, 257,
					 300, 511, 512, 513, 640, MAX };
	size_t i = 0;

	for (; i < 34; i++)
		size[i] = i + 1;
	for (size_t j = 0; j < T_COUNT(edge); j++)
		size[i++] = edge[j];
	*n = i;
	return size;
}

static void an_entry_has_the_path_of_the_definition(void **state)
{
	struct pk_path have, want;
	const uint64_t *size;
	size_t n;

	(void)state;
	size = sizes(&n);
	for (size_t i = 0; i < n; i++) {
		uint64_t step = 1 + size[i] / s_scale(64, 8, MAX);
		unsigned char root[PK_HASH_SIZE];

		mth(0, size[i], root);
		for (uint64_t m = 0; m < size[i]; m += step) {
			want.n = 0;
			path_of(m, 0, size[i], &want);
			assert_done(pk_inclusion(dir, sha, m, size[i], MAX,
						 &have, &err));
			assert_same(&have, &want);
			assert_int_equal(pk_check_inclusion(sha, leaf[m], m,
							    size[i], root,
							    &have), 1);
		}
	}
}

static void a_log_has_the_proof_of_the_definition(void **state)
{
	struct pk_path have, want;
	const uint64_t *size;
	size_t n;

	(void)state;
	size = sizes(&n);
	for (size_t i = 0; i < n; i++)
		for (size_t j = 0; j <= i; j++) {
			unsigned char first[PK_HASH_SIZE];
			unsigned char second[PK_HASH_SIZE];

			mth(0, size[j], first);
			mth(0, size[i], second);
			want.n = 0;
			subproof(size[j], 0, size[i], 1, &want);
			assert_done(pk_consistency(dir, sha, size[j], size[i],
						   MAX, &have, &err));
			assert_same(&have, &want);
			assert_int_equal(
				pk_check_consistency(sha, size[j], first,
						     size[i], second, &have),
				1);
		}
}

/* ---- what is not proven ---- */

/* How many changes of one hash, one hash less or one more are believed. */
typedef int holds_fn(const struct pk_path *path);
static int each_change(holds_fn *holds, const struct pk_path *path)
{
	struct pk_path p = *path;
	int believed = 0;

	for (size_t i = 0; i < p.n; i++)
		for (unsigned bit = 0; bit < 8 * PK_HASH_SIZE; bit += 7) {
			p.hash[i][bit / 8] ^= (unsigned char)(1 << bit % 8);
			believed += holds(&p);
			p.hash[i][bit / 8] ^= (unsigned char)(1 << bit % 8);
		}
	for (p.n = 0; p.n < path->n; p.n++)
		believed += holds(&p);
	for (p.n = path->n + 1; p.n <= PK_PATH_MAX; p.n++) {
		memset(p.hash[p.n - 1], 0, PK_HASH_SIZE);
		believed += holds(&p);
		memcpy(p.hash[p.n - 1], p.hash[0], PK_HASH_SIZE);
		believed += holds(&p);
	}
	return believed;
}

/* What a check is asked with, besides the path. */
static struct {
	uint64_t a, b;
	unsigned char from[PK_HASH_SIZE], to[PK_HASH_SIZE];
} asked;

static int included(const struct pk_path *path)
{
	return pk_check_inclusion(sha, asked.from, asked.a, asked.b, asked.to,
				  path);
}

static int consistent(const struct pk_path *path)
{
	return pk_check_consistency(sha, asked.a, asked.from, asked.b, asked.to,
				    path);
}

static int each_flipped_root(holds_fn *holds, const struct pk_path *path)
{
	int believed = 0;

	for (unsigned bit = 0; bit < 8 * PK_HASH_SIZE; bit += 3) {
		unsigned char mask = (unsigned char)(1 << bit % 8);

		asked.from[bit / 8] ^= mask;
		believed += holds(path);
		asked.from[bit / 8] ^= mask;
		asked.to[bit / 8] ^= mask;
		believed += holds(path);
		asked.to[bit / 8] ^= mask;
	}
	return believed;
}

static void no_changed_path_is_believed(void **state) /* F-71 */
{
	static const uint64_t size[] = { 1, 2, 3, 5, 8, 13, 300, 512, MAX };
	struct pk_path path;

	(void)state;
	for (size_t i = 0; i < T_COUNT(size); i++)
		for (uint64_t m = 0; m < size[i]; m += 1 + size[i] / 5) {
			asked.a = m;
			asked.b = size[i];
			memcpy(asked.from, leaf[m], PK_HASH_SIZE);
			mth(0, size[i], asked.to);
			assert_done(pk_inclusion(dir, sha, m, size[i], MAX,
						 &path, &err));
			assert_int_equal(included(&path), 1);
			assert_int_equal(each_change(included, &path), 0);
			assert_int_equal(each_flipped_root(included, &path), 0);
			for (asked.a = 0; asked.a < 2 * size[i]; asked.a++)
				assert_int_equal(included(&path),
						 asked.a == m);
		}
}

static void no_changed_growth_is_believed(void **state) /* F-72 */
{
	static const uint64_t size[] = { 1, 2, 3, 5, 8, 13, 300, 512, MAX };
	struct pk_path path;

	(void)state;
	for (size_t i = 0; i < T_COUNT(size); i++)
		for (size_t j = 0; j < i; j++) {
			asked.a = size[j];
			asked.b = size[i];
			mth(0, size[j], asked.from);
			mth(0, size[i], asked.to);
			assert_done(pk_consistency(dir, sha, size[j], size[i],
						   MAX, &path, &err));
			assert_int_equal(consistent(&path), 1);
			assert_int_equal(each_change(consistent, &path), 0);
			assert_int_equal(each_flipped_root(consistent, &path),
					 0);
			asked.b = size[j];
			assert_int_equal(consistent(&path), 0);
			asked.b = 0;
			assert_int_equal(consistent(&path), 0);
			asked.a = 0;
			asked.b = size[i];
			assert_int_equal(consistent(&path), 0);
		}
}

static void the_same_log_needs_no_hashes(void **state) /* F-72 */
{
	struct pk_path path;

	(void)state;
	assert_done(pk_consistency(dir, sha, 300, 300, MAX, &path, &err));
	assert_int_equal(path.n, 0);
	asked.a = asked.b = 300;
	mth(0, 300, asked.from);
	mth(0, 300, asked.to);
	assert_int_equal(consistent(&path), 1);
	assert_int_equal(each_flipped_root(consistent, &path), 0);
	path.n = 1;
	assert_int_equal(consistent(&path), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_entry_has_the_path_of_the_definition),
		cmocka_unit_test(a_log_has_the_proof_of_the_definition),
		cmocka_unit_test(no_changed_path_is_believed),
		cmocka_unit_test(no_changed_growth_is_believed),
		cmocka_unit_test(the_same_log_needs_no_hashes),
	};

	return cmocka_run_group_tests(tests, make_log, remove_log);
}
