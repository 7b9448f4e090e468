/* test_bring.c - objects of two encodings in one mirror (F-17, F-77, F-78):
 * what is brought fits what is in place, and what is in place is mended.
 *
 * wrap: fsync fdatasync
 */
#include "t.h"
#include "nosync.h"
#include "stores.h"
#include "files.h"
#include "mirrors.h"
#include "auto.h"
#include "object.h"
#include "zst.h"

/* A store of a@1 whole, a@2 made against it, and z@1; a mirror of it. */
struct scene {
	char *store, *mirror;
	unsigned char one[PK_HASH_SIZE], two[PK_HASH_SIZE], z[PK_HASH_SIZE];
};

static void publish(const char *path, const char *id, const char *version,
		    unsigned n, unsigned char *hash)
{
	struct pakhus *s = s_open(path, 0);
	struct pakhus_record r = s_publish(s, id, version, n);

	assert_int_equal(pk_unhex(r.hash, hash, PK_HASH_SIZE), 0);
	assert_done(pakhus_sync(s, &err));
	pakhus_close(s);
}

static struct scene scene(void **state)
{
	struct scene sc = { .store = s_init(state, "store", 0),
			    .mirror = s_text("%s/mirror", (char *)*state) };

	publish(sc.store, "a", "1", 1, sc.one);
	publish(sc.store, "a", "2", 2, sc.two);
	publish(sc.store, "z", "1", 3, sc.z);
	assert_done(sync_from(sc.mirror, sc.store));
	return sc;
}

static void leave(struct scene *sc)
{
	free(sc->store);
	free(sc->mirror);
}

static char *object(const char *path, const unsigned char *hash)
{
	char name[PK_OBJPATH_SIZE];

	pk_objpath(hash, name);
	return s_text("%s/%s", path, name);
}

static int depth_at(const char *path, const unsigned char *hash)
{
	AUTO_CLOSE int dir = open(path, O_RDONLY | O_DIRECTORY);
	struct pk_trailer t;

	assert_done(pk_object_trailer(dir, hash, &t, &err));
	return (int)t.depth;
}

static struct pk_shared *text_at(int dir, const unsigned char *hash)
{
	struct pk_shared *text;

	assert_done(pk_object_read(dir, NULL, NULL, hash, &text, &err));
	return text;
}

/* Encodes an object anew, against a whole one, with any depth. */
static void deepen(const char *path, const unsigned char *hash,
		   const unsigned char *base, unsigned depth)
{
	AUTO_CLOSE int dir = open(path, O_RDONLY | O_DIRECTORY);
	AUTO(pk_zst_encoder_auto) struct pk_zst_encoder *zst =
		pk_zst_encoder_new();
	struct pk_shared *text = text_at(dir, hash);
	struct pk_base b = { .depth = depth - 1, .text = text_at(dir, base) };
	AUTO_FREE unsigned char *bytes = NULL;
	AUTO_FREE char *file = object(path, hash);
	size_t size;

	memcpy(b.hash, base, PK_HASH_SIZE);
	assert_done(pk_object_encode(zst, hash, text, &b, 3, &bytes, &size,
				     &err));
	unlink(file);
	spill(file, (char *)bytes, size);
	pk_shared_free(text);
	pk_shared_free(b.text);
	assert_int_equal(depth_at(path, hash), depth);
	verify_at(path);
}

/* A bit in the frame, so that the trailer is as it was. */
static void damage(const char *path, const unsigned char *hash)
{
	AUTO_FREE char *file = object(path, hash);
	AUTO_FREE char *bytes = NULL;
	size_t size;

	bytes = slurp(file, &size);
	bytes[12] ^= 4;
	unlink(file);
	spill(file, bytes, size);
}

static void remove_at(const char *path, const unsigned char *hash)
{
	char *file = object(path, hash);

	assert_int_equal(unlink(file), 0);
	free(file);
}

static void check(const struct scene *sc)
{
	struct pakhus *s = s_open(sc->mirror, 0);

	assert_holds(s, "a", "1", 1);
	assert_holds(s, "a", "2", 2);
	assert_holds(s, "a", "3", 4);
	s_verify(s);
	pakhus_close(s);
	assert_no_incoming(sc->mirror);
}

static void a_base_that_is_too_deep_is_had_from_the_source(void **state)
{
	struct scene sc = scene(state);
	unsigned char three[PK_HASH_SIZE];

	deepen(sc.mirror, sc.two, sc.z, 7);
	publish(sc.store, "a", "3", 4, three);
	assert_int_equal(depth_at(sc.store, three), 2);
	assert_done(sync_from(sc.mirror, sc.store));
	assert_int_equal(mirrored.objects, 2);
	assert_int_equal(depth_at(sc.mirror, sc.two), 1);
	check(&sc);
	leave(&sc);
}

static void or_it_is_encoded_anew_and_whole(void **state)
{
	struct scene sc = scene(state);
	unsigned char three[PK_HASH_SIZE];
	struct copier c = copier_of(sc.store);
	char name[PK_OBJPATH_SIZE];

	deepen(sc.mirror, sc.two, sc.z, 7);
	publish(sc.store, "a", "3", 4, three);
	pk_objpath(sc.two, name);
	c.how = EVIL_OMIT;
	c.on = name;
	assert_done(sync_with(sc.mirror, &c, (struct pakhus_mirror){ 0 }));
	assert_int_equal(depth_at(sc.mirror, sc.two), 0);
	check(&sc);
	leave(&sc);
}

/* As deep as what needs it, here and there. */
static void the_source_may_have_it_too_deep_as_well(void **state)
{
	struct scene sc = scene(state);
	unsigned char three[PK_HASH_SIZE];

	publish(sc.store, "a", "3", 4, three);
	deepen(sc.mirror, sc.two, sc.z, 2);
	deepen(sc.mirror, sc.one, sc.z, 1);
	assert_done(sync_from(sc.mirror, sc.store));
	check(&sc);
	assert_true(depth_at(sc.mirror, sc.two) < 2);
	leave(&sc);
}

static void a_base_that_is_missing_is_brought(void **state)
{
	struct scene sc = scene(state);
	unsigned char three[PK_HASH_SIZE];

	remove_at(sc.mirror, sc.two);
	remove_at(sc.mirror, sc.one);
	publish(sc.store, "a", "3", 4, three);
	assert_done(sync_from(sc.mirror, sc.store));
	assert_int_equal(mirrored.objects, 3);
	check(&sc);
	leave(&sc);
}

/* What was damaged here keeps its depth, or gets a lesser one. */
static void a_base_that_is_damaged_is_mended(void **state)
{
	struct scene sc = scene(state);
	unsigned char three[PK_HASH_SIZE];

	damage(sc.mirror, sc.two);
	publish(sc.store, "a", "3", 4, three);
	assert_done(sync_from(sc.mirror, sc.store));
	check(&sc);
	leave(&sc);
}

/* The same content published again needs an object that is there, and good. */
static void what_is_published_again_is_checked_again(void **state)
{
	struct scene sc = scene(state);
	unsigned char hash[PK_HASH_SIZE];

	damage(sc.mirror, sc.two);
	publish(sc.store, "a", "2", 2, hash);
	publish(sc.store, "a", "3", 4, hash);
	assert_done(sync_from(sc.mirror, sc.store));
	check(&sc);
	leave(&sc);
}

static void what_no_version_needs_is_left_out_where_it_is_damaged(void **state)
{
	struct scene sc = scene(state);
	unsigned char three[PK_HASH_SIZE], gone[PK_HASH_SIZE];
	struct pakhus *s;
	char *file;

	publish(sc.store, "gone", "1", 9, gone);
	s = s_open(sc.store, 0);
	s_delete(s, "gone", "1");
	assert_done(pakhus_sync(s, &err));
	pakhus_close(s);
	publish(sc.store, "a", "3", 4, three);
	damage(sc.store, gone);
	assert_done(sync_from(sc.mirror, sc.store));
	assert_int_equal(mirrored.objects, 1);
	file = object(sc.mirror, gone);
	assert_int_equal(access(file, F_OK), -1);
	free(file);
	s = s_open(sc.mirror, 0);
	assert_holds(s, "a", "3", 4);
	pakhus_close(s);
	assert_no_incoming(sc.mirror);
	leave(&sc);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		T_IN_DIR(a_base_that_is_too_deep_is_had_from_the_source),
		T_IN_DIR(or_it_is_encoded_anew_and_whole),
		T_IN_DIR(the_source_may_have_it_too_deep_as_well),
		T_IN_DIR(a_base_that_is_missing_is_brought),
		T_IN_DIR(a_base_that_is_damaged_is_mended),
		T_IN_DIR(what_is_published_again_is_checked_again),
		T_IN_DIR(what_no_version_needs_is_left_out_where_it_is_damaged),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
