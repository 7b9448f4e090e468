/* test_serve_tokens_calls.c - every system call of a change to the file of
 * tokens fails, n = 1, 2, …, and then every allocation.
 *
 * Whatever the change answers, the file is the old one or the new one, and
 * the next change is done.
 *
 * wrap: open openat pread pwrite write fsync fdatasync fchmod ftruncate fallocate lseek fstat fstatat stat faccessat renameat mkdir mkdirat unlinkat mmap memfd_create fcntl flock fdopendir readdir getrandom
 * wrap: malloc calloc realloc strdup vasprintf free
 */
#include "t.h"
#include "stores.h"
#include "calls.h"
#include "memory.h"

#include "../tools/server/tokens_file.h"

#define OLD "# mine\nold 9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d" \
	"6c15b0f00a08 read:* - 2026-11-23T09:00:00Z\n"

static struct token added;
static char *path;

static void put_old(void)
{
	FILE *f = fopen(path, "w");

	assert_non_null(f);
	fputs(OLD, f);
	fclose(f);
}

/* Which of the two is there: fails the test where it is neither. */
static int has(const char *name)
{
	struct tokens *tokens;
	int yes;

	assert_done(tokens_read(path, &tokens, NULL, &err));
	yes = tokens_named(tokens, name) != NULL;
	tokens_free(tokens);
	return yes;
}

static int change(int removes)
{
	return removes ? tokens_remove(path, "old", &err)
		       : tokens_add(path, &added, &err);
}

static void check(int removes, int rc)
{
	int is_new = removes ? !has("old") : has("new");

	if (rc && rc != PAKHUS_EUNKNOWN)
		assert_false(is_new);
	else
		assert_true(is_new);
	if (rc)
		assert_true(*err.text);
	if (removes)
		assert_false(has("new"));
	else
		assert_true(has("old"));
	put_old();
	assert_done(change(removes));
}

static void test_the_nth_call_fails(void **state)
{
	int how, removes, rc;
	long n, tried = 0;

	(void)state;
	for (how = 0; how < CALLS_HOWS; how++)
		for (removes = 0; removes < 2; removes++)
			for (n = 1;; n++) {
				put_old();
				memset(&err, 0, sizeof(err));
				calls_fail(n, (enum calls_how)how);
				rc = change(removes);
				if (calls_peace() < n)
					break;
				tried++;
				check(removes, rc);
			}
	assert_true(tried > 100);
}

static void test_the_nth_allocation_fails(void **state)
{
	long n, were;
	int removes, rc;

	(void)state;
	for (removes = 0; removes < 2; removes++)
		for (n = 1;; n++) {
			put_old();
			memset(&err, 0, sizeof(err));
			were = memory.denied;
			memory.countdown = n;
			rc = change(removes);
			memory.countdown = 0;
			if (memory.denied == were)
				break;
			assert_int_equal(rc, PAKHUS_ENOMEM);
			check(removes, rc);
		}
}

static int begin(void **state)
{
	char why[160];

	if (t_dir_make(state) < 0)
		return -1;
	path = s_text("%s/tokens", (char *)*state);
	strcpy(added.name, "new");
	added.created = 1795424400;
	assert_int_equal(token_grant(&added, "read", 4, why), 0);
	put_old();
	return 0;
}

static int end(void **state)
{
	token_release(&added);
	free(path);
	return t_dir_remove(state);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_the_nth_call_fails, begin,
						end),
		cmocka_unit_test_setup_teardown(test_the_nth_allocation_fails,
						begin, end),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
