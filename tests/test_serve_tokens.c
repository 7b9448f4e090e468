/* test_serve_tokens.c - the text that says who may do what, and its file. */
#include "t.h"
#include "stores.h"
#include "tokens_again.h"

#include "../tools/server/tokens_file.h"

#define ONE \
	"9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"
#define TWO \
	"60303ae22b998861bce3b28f33eec1be758a213c86c93c076dbe9f558c11c752"
#define SINCE " 2026-11-23T09:00:00Z"

static struct tokens *parsed(const char *text)
{
	struct tokens *tokens = NULL;

	assert_done(tokens_parse(text, strlen(text), &tokens, &err));
	return tokens;
}

static void test_a_line_says_who_may_do_what_and_until_when(void **state)
{
	struct tokens *t;

	(void)state;
	t = parsed("# who\n\n"
		   "  ci-acme\t" ONE
		   " publish:com.acme.*,delete:com.acme.crm,read:@x/*"
		   " 2027-02-21T09:00:00Z" SINCE "\n"
		   "root " TWO " admin -" SINCE);
	assert_int_equal(t->count, 2);
	assert_string_equal(t->items[0].name, "ci-acme");
	assert_int_equal(t->items[0].digest[0], 0x9f);
	assert_int_equal(t->items[0].digest[31], 0x08);
	assert_int_equal(t->items[0].grant_count, 3);
	assert_int_equal(t->items[0].expires, 1803200400);
	assert_int_equal(t->items[0].created, 1795424400);
	assert_int_equal(t->items[0].line, 3);
	assert_int_equal(t->items[1].expires, 0);
	assert_int_equal(t->items[1].line, 4);
	assert_false(token_has_expired(&t->items[0], 1803200399));
	assert_true(token_has_expired(&t->items[0], 1803200400));
	assert_false(token_has_expired(&t->items[1], UINT64_MAX));
	assert_ptr_equal(tokens_named(t, "root"), &t->items[1]);
	assert_null(tokens_named(t, "roo"));
	assert_ptr_equal(tokens_find(t, t->items[1].digest), &t->items[1]);
	t->items[1].digest[31] ^= 1;
	assert_null(tokens_find(t, (const unsigned char *)ONE));
	tokens_free(t);
}

/* may("grants", scope, id) */
static int may(const char *grants, enum scope scope, const char *id)
{
	struct token token = {0};
	char why[160];
	int yes;

	assert_int_equal(token_grant(&token, grants, strlen(grants), why), 0);
	yes = token_may(&token, scope, id);
	if (yes)
		assert_true(token_may_some(&token, scope));
	token_release(&token);
	return yes;
}

static void test_a_prefix_ends_where_a_name_does(void **state)
{
	(void)state;
	assert_true(may("read:com.acme.*", SCOPE_READ, "com.acme.crm"));
	assert_true(may("read:com.acme.*", SCOPE_READ, "com.acme.crm.x"));
	assert_false(may("read:com.acme.*", SCOPE_READ, "com.acme"));
	assert_false(may("read:com.acme.*", SCOPE_READ, "com.acmeevil.x"));
	assert_false(may("read:com.acme.*", SCOPE_READ, "xcom.acme.crm"));
	assert_true(may("read:com.acme", SCOPE_READ, "com.acme"));
	assert_false(may("read:com.acme", SCOPE_READ, "com.acme.crm"));
	assert_false(may("read:com.acme", SCOPE_READ, "com.acm"));
	assert_true(may("read:@acme/*", SCOPE_READ, "@acme/crm"));
	assert_true(may("read", SCOPE_READ, "anything"));
	assert_true(may("read:*", SCOPE_READ, ""));
	assert_false(may("read:com.acme.*", SCOPE_READ, NULL));
	assert_false(may("read:com.acme.*", SCOPE_READ_ALL, NULL));
	assert_true(may("read", SCOPE_READ_ALL, NULL));
}

static void test_a_scope_is_that_scope(void **state)
{
	(void)state;
	assert_true(may("publish:a", SCOPE_PUBLISH, "a"));
	assert_true(may("publish:a", SCOPE_READ, "a"));
	assert_false(may("publish:a", SCOPE_READ, "b"));
	assert_true(may("publish", SCOPE_READ_ALL, NULL));
	assert_false(may("publish", SCOPE_DELETE, "a"));
	assert_false(may("publish", SCOPE_ADMIN, NULL));
	assert_false(may("read", SCOPE_PUBLISH, "a"));
	assert_true(may("delete:a", SCOPE_DELETE, "a"));
	assert_false(may("delete:a", SCOPE_READ, "a"));
	assert_false(may("delete:a", SCOPE_PUBLISH, "a"));
	assert_true(may("read:b,delete:a", SCOPE_DELETE, "a"));
	assert_true(may("admin", SCOPE_ADMIN, NULL));
	assert_true(may("admin", SCOPE_DELETE, "a"));
	assert_true(may("admin", SCOPE_PUBLISH, "a"));
	assert_true(may("admin", SCOPE_READ_ALL, NULL));
}

static void test_a_text_is_taken_whole_or_not_at_all(void **state)
{
	static const struct {
		const char *text, *why;
	} bad[] = {
		{"a " ONE " read -", "line 1: a token has five fields"},
		{"a " ONE " read -" SINCE " x", "line 1: a token has five"},
		{"a b " ONE " read -" SINCE, "line 1: a token has five"},
		{"# x\n\na/b " ONE " read -" SINCE, "line 3: a name has"},
		{"123456789012345678901234567890123456789012345678901 " ONE
		 " read -" SINCE, "line 1: a name has 1 to 50"},
		{"a 9f86 read -" SINCE, "line 1: the second field"},
		{"a 9F86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0"
		 "f00a08 read -" SINCE, "line 1: the second field"},
		{"a " ONE " write -" SINCE, "line 1: the scopes are"},
		{"a " ONE " reads -" SINCE, "line 1: the scopes are"},
		{"a " ONE " :x -" SINCE, "line 1: the scopes are"},
		{"a " ONE " read, -" SINCE, "line 1: the scopes are"},
		{"a " ONE " ,read -" SINCE, "line 1: the scopes are"},
		{"a " ONE " read: -" SINCE, "line 1: the packages of a"},
		{"a " ONE " read:com.acme* -" SINCE, "line 1: the packages"},
		{"a " ONE " read:com.*.x -" SINCE, "line 1: the packages"},
		{"a " ONE " read:** -" SINCE, "line 1: the packages"},
		{"a " ONE " admin:x -" SINCE, "line 1: admin is for all"},
		{"a " ONE " read never" SINCE, "line 1: the expiry is"},
		{"a " ONE " read 2026-02-30T00:00:00Z" SINCE,
		 "line 1: the expiry"},
		{"a " ONE " read 2026-02-03T24:00:00Z" SINCE,
		 "line 1: the expiry"},
		{"a " ONE " read 2026-02-03T00:00:00" SINCE,
		 "line 1: the expiry"},
		{"a " ONE " read - -", "line 1: the time of creation"},
		{"a " ONE " read -" SINCE "\r\n", "line 1: the time of"},
		{"a " ONE " read -" SINCE "\na " TWO " read -" SINCE,
		 "line 2: the name a is that of line 1 too"},
		{"a " ONE " read -" SINCE "\nb " ONE " read -" SINCE,
		 "line 2: the secret is that of line 1 too"},
	};
	struct tokens *none = NULL;
	size_t i;

	(void)state;
	for (i = 0; i < T_COUNT(bad); i++) {
		assert_status(tokens_parse(bad[i].text, strlen(bad[i].text),
					   &none, &err), PAKHUS_EINVAL);
		if (strncmp(err.text, bad[i].why, strlen(bad[i].why)) != 0)
			fail_msg("%s: %s", bad[i].text, err.text);
	}
	assert_null(none);
}

static void test_grants_have_a_limit(void **state)
{
	struct token token = {0};
	char why[160];
	int i;

	(void)state;
	for (i = 0; i < TOKEN_GRANTS_MAX; i++)
		assert_int_equal(token_grant(&token, "read:a", 6, why), 0);
	assert_int_equal(token_grant(&token, "read:a", 6, why), PAKHUS_ELIMIT);
	assert_string_equal(why, "more than 32 scopes");
	token_release(&token);
}

/* Sanitizers see a byte read too many: the copy is of exactly the size. */
static int again(const char *text, size_t size)
{
	char *copy = (char *)t_exact(text, size);
	int rc = tokens_again(copy, size);

	free(copy);
	assert_int_not_equal(rc, -1);
	return rc;
}

static void test_every_cut_and_flip_is_refused_or_means_one_thing(void **state)
{
	static const char text[] = "# who\nci " ONE " publish:com.acme.*,read "
		"2027-02-21T09:00:00Z" SINCE "\nroot " TWO " admin -" SINCE
		"\n";
	size_t size = sizeof(text) - 1, i, taken = 0;
	char copy[sizeof(text)];

	(void)state;
	assert_int_equal(again(text, size), 1);
	for (i = 0; i < size; i++)
		taken += (size_t)again(text, i);
	/* In the comment, around the first newline, before the second. */
	assert_int_equal(taken, 7 + 2 + 1);
	memcpy(copy, text, sizeof(text));
	for (i = 0, taken = 0; i < 8 * size; i++) {
		copy[i / 8] = (char)(copy[i / 8] ^ 1 << i % 8);
		taken += (size_t)again(copy, size);
		copy[i / 8] = (char)(copy[i / 8] ^ 1 << i % 8);
	}
	assert_in_range(taken, 1, 8 * size - 1);
}

/* ---- secrets ---- */

static void test_a_secret_can_be_told_from_other_text(void **state)
{
	char one[BEARER_SIZE + 1], two[BEARER_SIZE + 1];
	unsigned char digest[DIGEST_SIZE], other[DIGEST_SIZE];
	size_t i;

	(void)state;
	assert_int_equal(bearer_new(one), 0);
	assert_int_equal(bearer_new(two), 0);
	assert_int_equal(strlen(one), 79);
	assert_int_equal(strncmp(one, "pakhus_", 7), 0);
	assert_int_equal(strspn(one + 7, "0123456789abcdef"), 72);
	assert_string_not_equal(one, two);
	assert_true(bearer_is_shaped(one, BEARER_SIZE));
	assert_false(bearer_is_shaped(one, BEARER_SIZE - 1));
	assert_false(bearer_is_shaped("", 0));
	for (i = 0; i < BEARER_SIZE; i++) {
		one[i] ^= 1;
		assert_false(bearer_is_shaped(one, BEARER_SIZE));
		one[i] ^= 1;
	}
	/* `printf %s test | sha256sum` */
	digest_sha256("test", 4, digest);
	assert_int_equal(digest[0], 0x9f);
	assert_int_equal(digest[31], 0x08);
	memcpy(other, digest, sizeof(other));
	assert_true(digest_is_same(digest, other));
	other[31] ^= 1;
	assert_false(digest_is_same(digest, other));
}

/* ---- the file ---- */

static struct token token_of(const char *name, unsigned char byte)
{
	struct token token = {.created = 1795424400};
	char why[160];

	snprintf(token.name, sizeof(token.name), "%s", name);
	memset(token.digest, byte, sizeof(token.digest));
	assert_int_equal(token_grant(&token, "read", 4, why), 0);
	return token;
}

static int add(const char *path, const char *name, unsigned char byte)
{
	struct token token = token_of(name, byte);
	int rc = tokens_add(path, &token, &err);

	token_release(&token);
	return rc;
}

static char *content(const char *path)
{
	static char text[65536];
	FILE *f = fopen(path, "r");
	size_t n;

	assert_non_null(f);
	n = fread(text, 1, sizeof(text) - 1, f);
	text[n] = '\0';
	fclose(f);
	return text;
}

static void put_content(const char *path, const char *text)
{
	FILE *f = fopen(path, "w");

	assert_non_null(f);
	fputs(text, f);
	fclose(f);
}

static void test_what_stands_in_the_file_stays(void **state)
{
	char *path = s_text("%s/tokens", (char *)*state), *want;
	struct stat st;
	size_t i;

	assert_done(add(path, "a", 1));
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0600);
	assert_false(tokens_is_exposed(&st));
	put_content(path, "# mine\n\nb " ONE "  read  -" SINCE);
	assert_done(add(path, "a", 1));
	want = s_text("# mine\n\nb " ONE "  read  -" SINCE "\na %064x read:* -"
		      SINCE "\n", 0);
	memset(strstr(want, "\na 0") + 3, '0', 64);
	for (i = 1; i < 64; i += 2)
		strstr(want, "\na 0")[3 + i] = '1';
	assert_string_equal(content(path), want);
	assert_done(add(path, "c", 2));
	assert_status(add(path, "c", 3), PAKHUS_ECONFLICT);
	/* A secret of two names would be known by either. */
	assert_status(add(path, "d", 2), PAKHUS_ECONFLICT);
	free(want);
	free(path);
}

static void test_a_token_goes_and_nothing_else_does(void **state)
{
	char *path = s_text("%s/tokens", (char *)*state);

	put_content(path, "# mine\na " ONE " read -" SINCE "\n# b's\nb " TWO
			  " read -" SINCE);
	assert_status(tokens_remove(path, "c", &err), PAKHUS_ENOTFOUND);
	assert_done(tokens_remove(path, "a", &err));
	assert_string_equal(content(path), "# mine\n# b's\nb " TWO " read -"
			    SINCE);
	assert_done(tokens_remove(path, "b", &err));
	assert_string_equal(content(path), "# mine\n# b's\n");
	assert_status(tokens_remove(path, "b", &err), PAKHUS_ENOTFOUND);
	assert_int_equal(unlink(path), 0);
	assert_status(tokens_remove(path, "b", &err), PAKHUS_ENOTFOUND);
	free(path);
}

static void test_a_bad_file_is_not_touched(void **state)
{
	static const char bad[] = "a " ONE " write -" SINCE "\n";
	char *path = s_text("%s/tokens", (char *)*state), *want;

	put_content(path, bad);
	assert_status(add(path, "b", 1), PAKHUS_EINVAL);
	want = s_text("%s: line 1: the scopes", path);
	assert_int_equal(strncmp(err.text, want, strlen(want)), 0);
	assert_status(tokens_remove(path, "a", &err), PAKHUS_EINVAL);
	assert_string_equal(content(path), bad);
	assert_status(add(*state, "b", 1), PAKHUS_EINVAL);
	free(want);
	free(path);
}

static void test_a_link_stays_one_and_the_mode_too(void **state)
{
	char *path = s_text("%s/tokens", (char *)*state);
	char *link_path = s_text("%s/link", (char *)*state);
	struct stat st;

	put_content(path, "");
	assert_int_equal(chmod(path, 0664), 0);
	assert_int_equal(stat(path, &st), 0);
	assert_true(tokens_is_exposed(&st));
	assert_int_equal(symlink("tokens", link_path), 0);
	assert_done(add(link_path, "a", 1));
	assert_int_equal(lstat(link_path, &st), 0);
	assert_true(S_ISLNK(st.st_mode));
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0640);
	assert_false(tokens_is_exposed(&st));
	free(link_path);
	free(path);
}

enum { ADDERS = 4, EACH = 8 };

static void test_who_change_it_at_once_lose_nothing(void **state)
{
	char *path = s_text("%s/tokens", (char *)*state);
	struct tokens *tokens;
	int i, k, status, bad = 0;
	pid_t pids[ADDERS];

	for (i = 0; i < ADDERS; i++) {
		pids[i] = fork();
		assert_true(pids[i] >= 0);
		if (pids[i])
			continue;
		for (k = 0; k < EACH; k++) {
			char name[32];

			snprintf(name, sizeof(name), "t%d.%d", i, k);
			bad |= add(path, name, (unsigned char)(i * EACH + k));
		}
		_exit(bad ? 1 : 0);
	}
	for (i = 0; i < ADDERS; i++) {
		assert_int_equal(waitpid(pids[i], &status, 0), pids[i]);
		assert_int_equal(status, 0);
	}
	assert_done(tokens_read(path, &tokens, NULL, &err));
	assert_int_equal(tokens->count, ADDERS * EACH);
	tokens_free(tokens);
	free(path);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
			test_a_line_says_who_may_do_what_and_until_when),
		cmocka_unit_test(test_a_prefix_ends_where_a_name_does),
		cmocka_unit_test(test_a_scope_is_that_scope),
		cmocka_unit_test(test_a_text_is_taken_whole_or_not_at_all),
		cmocka_unit_test(test_grants_have_a_limit),
		cmocka_unit_test(
			test_every_cut_and_flip_is_refused_or_means_one_thing),
		cmocka_unit_test(test_a_secret_can_be_told_from_other_text),
		T_IN_DIR(test_what_stands_in_the_file_stays),
		T_IN_DIR(test_a_token_goes_and_nothing_else_does),
		T_IN_DIR(test_a_bad_file_is_not_touched),
		T_IN_DIR(test_a_link_stays_one_and_the_mode_too),
		T_IN_DIR(test_who_change_it_at_once_lose_nothing),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
