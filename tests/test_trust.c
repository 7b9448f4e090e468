/* test_trust.c - following a rotation from a key to the next (F-68). */
#include "t.h"
#include "trust.h"

#define ORIGIN "example.org/trust"
#define LONGEST PK_NEXT_NOTE

static struct pk_signer old, new, other;
static struct pk_checkpoint at = { .origin = ORIGIN, .size = 7, .time = 5 };
static struct pakhus_error err;

static void make(const char *name, struct pk_signer *s)
{
	pk_error_init(&err);
	assert_int_equal(pk_signer_new(name, s, &err), 0);
}

static int setup(void **state)
{
	(void)state;
	memset(at.root, 0x5a, sizeof(at.root));
	make(ORIGIN, &old);
	make(ORIGIN, &new);
	make(ORIGIN, &other);
	return 0;
}

/* A note of any text, signed by any. */
static size_t sign(const char *text, const struct pk_signer *a,
		   const struct pk_signer *b, char *out)
{
	const struct pk_signer *by[] = { a, b };
	size_t n = strlen(text), end = n;

	memcpy(out, text, n);
	out[end++] = '\n';
	for (size_t i = 0; i < 2; i++) {
		struct pk_signature s;

		if (!by[i])
			continue;
		assert_int_equal(pk_sign(by[i], out, n, &s, &err), 0);
		end += pk_signature_encode(&s, out + end);
	}
	return end;
}

static int follow(const struct pk_signer *trusted, const char *origin,
		  const char *note, size_t size, struct pk_vkey *k)
{
	struct pk_checkpoint c;
	char *copy = (char *)t_exact(note, size);
	int rc;

	pk_error_init(&err);
	rc = pk_trust_next(&trusted->public, origin, copy, size, k, &c, &err);
	free(copy);
	if (!rc) {
		assert_int_equal(c.size, at.size);
		assert_memory_equal(c.root, at.root, PK_HASH_SIZE);
		assert_string_equal(c.origin, origin);
	}
	return rc;
}

static void refused(const struct pk_signer *trusted, const char *note,
		    size_t size, const char *why)
{
	struct pk_vkey k = { .name = "untouched" };

	assert_int_equal(follow(trusted, ORIGIN, note, size, &k),
			 PAKHUS_ECORRUPT);
	assert_string_equal(k.name, "untouched");
	assert_non_null(strstr(err.text, "keys/"));
	if (!strstr(err.text, why)) {
		print_error("expected %s, not %s\n", why, err.text);
		fail();
	}
}

static void the_next_key_is_the_one_that_both_signed(void **state)
{
	char note[LONGEST], path[PK_NEXT_PATH];
	struct pk_vkey k;
	size_t n;

	(void)state;
	assert_int_equal(pk_next_sign(&at, &old, &new, note, &n, &err), 0);
	assert_int_equal(follow(&old, ORIGIN, note, n, &k), 0);
	assert_memory_equal(&k.key, &new.public.key, PK_PUBLIC_SIZE);
	assert_string_equal(k.name, ORIGIN);
	pk_next_path(&old.public, path);
	assert_int_equal(strlen(path), PK_NEXT_PATH - 6);
	/* the other way leads nowhere, and no other key is followed */
	refused(&new, note, n, "F-68 the key is followed by itself");
	refused(&other, note, n, "F-68 the key before did not sign");
	assert_int_equal(follow(&old, "example.org/x", note, n, &k),
			 PAKHUS_ECORRUPT);
	assert_non_null(strstr(err.text, "F-68 it is of another log"));
}

static void a_rotation_that_one_did_not_sign_is_refused(void **state)
{
	char note[2 * LONGEST], text[LONGEST];
	struct pk_vkey k;
	size_t n;

	(void)state;
	assert_int_equal(pk_next_sign(&at, &old, &new, text, &n, &err), 0);
	text[n] = '\0';
	strstr(text, "\n\n")[1] = '\0';
	refused(&old, note, sign(text, &old, NULL, note),
		"F-68 the key that it names did not sign");
	refused(&old, note, sign(text, &new, NULL, note),
		"F-68 the key before did not sign");
	refused(&old, note, sign(text, &other, &new, note),
		"F-68 the key before did not sign");
	/* in any order, and beside others */
	assert_int_equal(follow(&old, ORIGIN, note,
				sign(text, &new, &old, note), &k), 0);
	assert_memory_equal(&k.key, &new.public.key, PK_PUBLIC_SIZE);
}

static void what_names_no_one_key_is_refused(void **state)
{
	char note[4 * LONGEST], text[3 * LONGEST], vkey[PK_VKEY_SIZE];
	char bare[PK_CHECKPOINT_SIZE], alien[PK_VKEY_SIZE];
	struct pk_signer far;
	struct pk_checkpoint first = at;

	(void)state;
	bare[pk_checkpoint_encode(&at, bare)] = '\0';
	pk_vkey_encode(&new.public, vkey);
	refused(&old, note, sign(bare, &old, &new, note), "F-68 it names no");
	snprintf(text, sizeof(text), "%skey %s\nkey %s\n", bare, vkey, vkey);
	refused(&old, note, sign(text, &old, &new, note), "F-68 it names two");
	snprintf(text, sizeof(text), "%skey %s \n", bare, vkey);
	refused(&old, note, sign(text, &old, &new, note), "F-35");
	snprintf(text, sizeof(text), "%skey nothing\n", bare);
	refused(&old, note, sign(text, &old, &new, note), "F-35");
	strcpy(alien, vkey);
	alien[strlen(ORIGIN) + 1] ^= 1; /* another digit of the id */
	if (!strchr("0123456789abcdef", alien[strlen(ORIGIN) + 1]))
		alien[strlen(ORIGIN) + 1] = '7';
	snprintf(text, sizeof(text), "%skey %s\n", bare, alien);
	refused(&old, note, sign(text, &old, &new, note), "F-36");
	make("example.org/far", &far);
	pk_vkey_encode(&far.public, alien);
	snprintf(text, sizeof(text), "%skey %s\n", bare, alien);
	refused(&old, note, sign(text, &old, &far, note),
		"F-68 it is of another log");
	first.size = 1;
	bare[pk_checkpoint_encode(&first, bare)] = '\0';
	snprintf(text, sizeof(text), "%skey %s\n", bare, vkey);
	refused(&old, note, sign(text, &old, &new, note),
		"F-68 its last entry");
	refused(&old, "", 0, "F-34");
	refused(&old, note, sign("one\n2\n", &old, &new, note), "F-37");
}

/* Every cut and every flipped bit: refused, or no byte that counts. */
static void a_damaged_rotation_is_refused(void **state)
{
	char note[LONGEST];
	struct pk_vkey k;
	size_t n, good = 0;

	(void)state;
	assert_int_equal(pk_next_sign(&at, &old, &new, note, &n, &err), 0);
	for (size_t cut = 0; cut < n; cut++)
		assert_int_equal(follow(&old, ORIGIN, note, cut, &k),
				 PAKHUS_ECORRUPT);
	for (size_t bit = 0; bit < 8 * n; bit++) {
		note[bit / 8] ^= (char)(1 << bit % 8);
		good += !follow(&old, ORIGIN, note, n, &k);
		note[bit / 8] ^= (char)(1 << bit % 8);
	}
	assert_int_equal(good, 0);
}

static void the_longest_rotation_fits(void **state)
{
	struct pk_checkpoint c = { .size = UINT64_MAX, .time = UINT64_MAX };
	struct pk_signer a, b;
	char *note = malloc(PK_NEXT_NOTE);
	size_t n;

	(void)state;
	memset(c.origin, 'o', PK_ORIGIN_MAX);
	make(c.origin, &a);
	make(c.origin, &b);
	assert_int_equal(pk_next_sign(&c, &a, &b, note, &n, &err), 0);
	assert_in_range(n, 1000, PK_NEXT_NOTE);
	assert_in_range(n, 1, PK_NOTE_MAX);
	free(note);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_next_key_is_the_one_that_both_signed),
		cmocka_unit_test(a_rotation_that_one_did_not_sign_is_refused),
		cmocka_unit_test(what_names_no_one_key_is_refused),
		cmocka_unit_test(a_damaged_rotation_is_refused),
		cmocka_unit_test(the_longest_rotation_fits),
	};

	return cmocka_run_group_tests(tests, setup, NULL);
}
