/* test_tile.c - paths of tiles and bundles, and what a bundle holds. */
#include "t.h"
#include "tile.h"

static const struct {
	const char *path;
	struct pk_tile tile;
} known[] = {
	/* the examples of C2SP tlog-tiles */
	{ "tile/0/x001/x234/067", { 0, 1234067, 256 } },
	{ "tile/0/000", { 0, 0, 256 } },
	{ "tile/0/x001/000", { 0, 1000, 256 } },
	{ "tile/1/000.p/1", { 1, 0, 1 } },
	{ "tile/entries/x001/x234/067.p/8", { PK_TILE_ENTRIES, 1234067, 8 } },
	/* and the edges */
	{ "tile/entries/000", { PK_TILE_ENTRIES, 0, 256 } },
	{ "tile/entries/999.p/255", { PK_TILE_ENTRIES, 999, 255 } },
	{ "tile/7/x999/999", { 7, 999999, 256 } },
	{ "tile/2/x001/x000/000", { 2, 1000000, 256 } },
	{ "tile/0/x018/x446/x744/x073/x709/x551/609",
	  { 0, 18446744073709551609U, 256 } },
};

static void paths_are_those_of_c2sp_tlog_tiles(void **state)
{
	char path[PK_TILE_PATH_SIZE];
	struct pk_tile t;

	(void)state;
	for (size_t i = 0; i < T_COUNT(known); i++) {
		pk_tile_path(&known[i].tile, path);
		assert_string_equal(path, known[i].path);
		assert_int_equal(pk_tile_parse(path, &t), 0);
		assert_int_equal(t.level, known[i].tile.level);
		assert_int_equal(t.index, known[i].tile.index);
		assert_int_equal(t.width, known[i].tile.width);
	}
}

static void the_longest_path_fits(void **state)
{
	const struct pk_tile t = { PK_TILE_ENTRIES, UINT64_MAX, 255 };
	char *path = malloc(PK_TILE_PATH_SIZE);

	(void)state;
	pk_tile_path(&t, path);
	assert_string_equal(path, "tile/entries/x018/x446/x744/x073/x709/x551"
				  "/615.p/255");
	free(path);
}

static void every_index_and_width_round_trips(void **state)
{
	char path[PK_TILE_PATH_SIZE];

	(void)state;
	for (uint64_t index = 1; index < (uint64_t)1 << 56;
	     index = index * 3 - 1 + index % 7)
		for (unsigned width = 1; width <= 256; width += 17) {
			struct pk_tile t = { (int)(index % 9) - 1, index,
					     width };

			pk_tile_path(&t, path);
			assert_int_equal(t_again(again_tile, path,
						 strlen(path)), 1);
		}
}

static void a_second_spelling_is_refused(void **state)
{
	static const char *const bad[] = {
		"", "tile", "tile/", "tile/0", "tile/0/", "tile/0/0",
		"tile/0/00", "tile/0/0000", "tile/0/000/", "/tile/0/000",
		"log/tile/0/000", "tile/0/x000/000", "tile/0/x000/001",
		"tile/0/001/001", "tile/0/x001/x001", "tile/0/x001",
		"tile/0/x1/001", "tile/0/X001/001", "tile/00/000",
		"tile/8/000", "tile/-1/000", "tile/63/000", "tile/x/000",
		"tile/0/000.p", "tile/0/000.p/", "tile/0/000.p/0",
		"tile/0/000.p/01", "tile/0/000.p/256", "tile/0/000.p/1000",
		"tile/0/000.p/1/", "tile/0/000.p/1x", "tile/0/000.q/1",
		"tile/0/0 0", "tile/0/+01", "tile/data/000", "tile/entries",
		"tile/entries/", "tile/entries/x000/000", "tile/8/0/000",
		"tile/0/x018/x446/x744/x073/x709/x551/616", /* 2^64 */
		"tile/0/x999/x999/x999/x999/x999/x999/999",
		/* longer than any path */
		"tile/0/x001/x000/x000/x000/x000/x000/x000/x000/x000/x000/000",
	};

	(void)state;
	for (size_t i = 0; i < T_COUNT(bad); i++)
		assert_int_equal(t_again(again_tile, bad[i], strlen(bad[i])),
				 0);
}

static void a_damaged_path_is_refused_or_another(void **state)
{
	static const char path[] = "tile/entries/x001/x234/067.p/218";

	(void)state;
	/* no .p, and widths of fewer digits */
	assert_int_equal(each_cut(again_tile, path, strlen(path)), 3);
	each_flip(again_tile, path, strlen(path));
}

static const unsigned char bundle[] = { 0, 3, 'o', 'n', 'e', 0, 0,
					1, 1, /* 257 more */ };
#define BUNDLE_SIZE (sizeof(bundle) + 257)

static unsigned char *bundle_new(void)
{
	unsigned char *all = malloc(BUNDLE_SIZE);

	memcpy(all, bundle, sizeof(bundle));
	memset(all + sizeof(bundle), 'x', 257);
	return all;
}

static void a_bundle_is_lengths_and_lines(void **state)
{
	unsigned char *all = bundle_new(), out[BUNDLE_SIZE], *p = out;
	struct pk_bytes b = { all, BUNDLE_SIZE }, line;

	(void)state;
	assert_int_equal(pk_bundle_next(&b, &line), 1);
	assert_int_equal(line.left, 3);
	assert_memory_equal(line.at, "one", 3);
	p += pk_bundle_put(p, line.at, line.left);
	assert_int_equal(pk_bundle_next(&b, &line), 1);
	assert_int_equal(line.left, 0);
	p += pk_bundle_put(p, line.at, line.left);
	assert_int_equal(pk_bundle_next(&b, &line), 1);
	assert_int_equal(line.left, 257);
	p += pk_bundle_put(p, line.at, line.left);
	assert_int_equal(pk_bundle_next(&b, &line), 0);
	assert_int_equal(p - out, BUNDLE_SIZE);
	assert_memory_equal(out, all, BUNDLE_SIZE);
	free(all);
}

static void the_longest_line_of_a_bundle_is_65535_bytes(void **state)
{
	unsigned char *line = calloc(1, 65535), *out = malloc(65537);

	(void)state;
	assert_int_equal(pk_bundle_put(out, line, 65535), 65537);
	assert_memory_equal(out, "\xFF\xFF", 2);
	assert_int_equal(t_again(again_bundle, out, 65537), 1);
	free(line);
	free(out);
}

/* F-30 */
static void a_length_beyond_the_bundle_leaves_it_where_it_was(void **state)
{
	static const char *const bad[] = { "\1", "\0\1", "\0\4abc",
					   "\xFF\xFF" };
	static const size_t size[] = { 1, 2, 5, 2 };
	struct pk_bytes line;

	(void)state;
	for (size_t i = 0; i < T_COUNT(bad); i++) {
		unsigned char *exact = t_exact(bad[i], size[i]);
		struct pk_bytes b = { exact, size[i] };

		assert_int_equal(pk_bundle_next(&b, &line), -1);
		assert_ptr_equal(b.at, exact);
		assert_int_equal(b.left, size[i]);
		free(exact);
	}
}

static void a_damaged_bundle_is_refused_or_another(void **state)
{
	unsigned char *all = bundle_new();

	(void)state;
	/* cuts between lines, and nothing at all, are bundles too */
	assert_int_equal(each_cut(again_bundle, all, BUNDLE_SIZE), 3);
	each_flip(again_bundle, all, BUNDLE_SIZE);
	free(all);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(paths_are_those_of_c2sp_tlog_tiles),
		cmocka_unit_test(the_longest_path_fits),
		cmocka_unit_test(every_index_and_width_round_trips),
		cmocka_unit_test(a_second_spelling_is_refused),
		cmocka_unit_test(a_damaged_path_is_refused_or_another),
		cmocka_unit_test(a_bundle_is_lengths_and_lines),
		cmocka_unit_test(the_longest_line_of_a_bundle_is_65535_bytes),
		cmocka_unit_test(
			a_length_beyond_the_bundle_leaves_it_where_it_was),
		cmocka_unit_test(a_damaged_bundle_is_refused_or_another),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
