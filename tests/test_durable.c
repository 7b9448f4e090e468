/* test_durable.c - the calls that make things durable, in their order.
 *
 * No crash of a process shows that a sync is missing, so the calls are held
 * against a list here. LMDB's own are not in it: its file is a cache.
 *
 * wrap: open openat pwrite write fsync fdatasync renameat mkdir mkdirat unlinkat fchmod ftruncate fstat fstatat
 */
#include "pakhus.h"
#include "trace.h"

static struct pakhus_error err;
#define ok(call) t_ok(call, #call, __FILE__, __LINE__)
static void t_ok(int rc, const char *what, const char *file, int line)
{
	if (!rc)
		return;
	print_error("%s: %d: %s\n", what, rc, err.text);
	_fail(file, line);
}

static const char doc[] = "{\"manifest\":{\"id\":\"com.acme.crm\","
			  "\"version\":\"%s\"},\"metadata\":{\"n\":\"%s\"}}";

static void publish(struct pakhus *s, const char *version, const char *n)
{
	char text[400];

	snprintf(text, sizeof(text), doc, version, n);
	ok(pakhus_publish(s, text, strlen(text), NULL, NULL, &err));
}

static void expect(const char *want)
{
	char *have = trace_text();

	trace_stop();
	if (strcmp(have, want))
		print_error("the calls were\n%s", have);
	assert_string_equal(have, want);
	free(have);
}

/* A store in *state's directory, open, with what is made at the first
 * opening done. */
static struct pakhus *new_store(void **state, char path[300])
{
	struct pakhus *s;

	snprintf(path, 300, "%s/store", (char *)*state);
	trace_at(path);
	ok(pakhus_init(path, NULL, &err));
	ok(pakhus_open(&s, path, NULL, &err));
	return s;
}

static void init_syncs_files_then_directories_then_names_them(void **state)
{
	char path[300];

	snprintf(path, sizeof(path), "%s/store", (char *)*state);
	trace_at(path);
	trace_start();
	ok(pakhus_init(path, NULL, &err));
	expect("");
}

static void a_publish_is_one_write_and_one_sync(void **state)
{
	char path[300];
	struct pakhus *s = new_store(state, path);

	publish(s, "1.0.0", "one");
	trace_start();
	publish(s, "1.0.1", "two");
	expect("");
	pakhus_close(s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		T_IN_DIR(init_syncs_files_then_directories_then_names_them),
		T_IN_DIR(a_publish_is_one_write_and_one_sync),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
