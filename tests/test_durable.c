/* test_durable.c - the calls that make things durable, in their order.
 *
 * No crash of a process shows that a sync is missing, so the calls are held
 * against a list here. LMDB's own are not in it: its file is a cache.
 *
 * wrap: open openat pwrite write fsync fdatasync renameat mkdir mkdirat unlinkat fchmod ftruncate fstat fstatat
 */
#include "pakhus.h"
#include "trace.h"

#include <sys/stat.h>
#include <sys/wait.h>

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

/* Objects, then the log, then what was signed, then the checkpoint: each
 * with its directory before the next. */
#define SYNC "make local/stage/HASH\n" \
	"write local/stage/HASH\n" \
	"chmod local/stage/HASH 444\n" \
	"fsync local/stage/HASH\n" \
	"rename local/stage/HASH objects/XX/HASH\n" \
	"fsync objects/XX\n" \
	"install log/tile/entries/000.p/2 444\n" \
	"install log/tile/0/000.p/2 444\n" \
	"fsync log/tile/entries/000.p\n" \
	"fsync log/tile/0/000.p\n" \
	"install local/last-signed 600\n" \
	"fsync local\n" \
	"install log/checkpoint 644\n" \
	"fsync log\n"

static void init_syncs_files_then_directories_then_names_them(void **state)
{
	char path[300];

	snprintf(path, sizeof(path), "%s/store", (char *)*state);
	trace_at(path);
	trace_start();
	ok(pakhus_init(path, NULL, &err));
	expect("mkdir .\n"
	       "mkdir objects\n"
	       "mkdir log\n"
	       "mkdir log/tile\n"
	       "mkdir log/tile/entries\n"
	       "mkdir log/tile/0\n"
	       "mkdir keys\n"
	       "mkdir local\n"
	       "mkdir local/stage\n"
	       "mkdir local/trash\n"
	       "mkdir objects/XX\n"
	       "install local/key 600\n"
	       "install keys/ID 444\n"
	       "mkdir log/tile/entries/000.p\n"
	       "install log/tile/entries/000.p/1 444\n"
	       "mkdir log/tile/0/000.p\n"
	       "install log/tile/0/000.p/1 444\n"
	       "fsync log/tile\n"
	       "fsync log/tile/entries\n"
	       "fsync log/tile/entries/000.p\n"
	       "fsync log/tile/0\n"
	       "fsync log/tile/0/000.p\n"
	       "install local/last-signed 600\n"
	       "install log/checkpoint 644\n"
	       "fsync log\n"
	       "make local/slot-0\n"
	       "write local/slot-0 0+1048576\n"
	       "fsync local/slot-0\n"
	       "make local/slot-1\n"
	       "write local/slot-1 0+1048576\n"
	       "fsync local/slot-1\n"
	       "install local/home 600\n"
	       "fsync objects\n"
	       "fsync keys\n"
	       "fsync log/tile\n"
	       "fsync log\n"
	       "fsync local\n"
	       "fsync .\n"
	       "fsync ..\n"
	       "install FORMAT 444\n"
	       "fsync .\n");
}

static void a_publish_is_one_write_and_one_sync(void **state)
{
	char path[300];
	struct pakhus *s = new_store(state, path);

	publish(s, "1.0.0", "one");
	trace_start();
	publish(s, "1.0.1", "two");
	expect("write local/slot-0 4096+443\n"
	       "fdatasync local/slot-0\n");
	pakhus_close(s);
}

static void the_first_publish_after_opening_is_no_different(void **state)
{
	char path[300];
	struct pakhus *s = new_store(state, path);

	trace_start();
	publish(s, "1.0.0", "one");
	expect("write local/slot-0 0+443\n"
	       "fdatasync local/slot-0\n");
	pakhus_close(s);
}

static void a_delete_is_one_write_and_one_sync(void **state)
{
	char path[300];
	struct pakhus *s = new_store(state, path);

	publish(s, "1.0.0", "one");
	publish(s, "1.0.1", "two");
	trace_start();
	ok(pakhus_delete(s, "com.acme.crm", NULL, NULL, NULL, &err));
	expect("write local/slot-0 8192+302\n"
	       "fdatasync local/slot-0\n");
	pakhus_close(s);
}

static void a_batch_is_one_write_and_one_sync(void **state)
{
	char path[300], text[400];
	struct pakhus *s = new_store(state, path);
	struct pakhus_batch *b;

	ok(pakhus_batch_new(s, NULL, &b, &err));
	for (int i = 0; i < 9; i++) {
		char version[8];

		snprintf(version, sizeof(version), "1.0.%d", i);
		snprintf(text, sizeof(text), doc, version, "n");
		ok(pakhus_batch_publish(b, text, strlen(text), &err));
	}
	trace_start();
	ok(pakhus_batch_commit(b, &err));
	expect("write local/slot-0 0+2936\n"
	       "fdatasync local/slot-0\n");
	pakhus_batch_free(b);
	pakhus_close(s);
}

static void a_sync_installs_each_thing_after_what_it_names(void **state)
{
	char path[300];
	struct pakhus *s = new_store(state, path);

	publish(s, "1.0.0", "one");
	trace_start();
	ok(pakhus_sync(s, &err));
	expect(SYNC);
	pakhus_close(s);
}

/* Said last, by the last one: the index may be believed (F-66). */
#define CLEAN "install local/index-state 600\nfsync local\n"

static void a_close_does_what_a_sync_does_and_marks_the_index(void **state)
{
	char path[300];
	struct pakhus *s = new_store(state, path);

	publish(s, "1.0.0", "one");
	trace_start();
	pakhus_close(s);
	expect(SYNC CLEAN);
}

static void a_sync_or_close_with_nothing_to_do_changes_nothing(void **state)
{
	char path[300];
	struct pakhus *s = new_store(state, path);

	publish(s, "1.0.0", "one");
	ok(pakhus_sync(s, &err));
	trace_start();
	ok(pakhus_sync(s, &err));
	pakhus_close(s);
	expect(CLEAN);
	trace_start();
	ok(pakhus_open(&s, path, NULL, &err));
	pakhus_close(s);
	expect("");
}

/* Synced, not written again: what was durable is not touched. */
static void a_recovery_makes_the_journal_durable_before_it_is_used(
	void **state)
{
	char path[300];
	struct pakhus *s = new_store(state, path);
	int status;
	pid_t pid;

	pakhus_close(s);
	pid = fork();
	if (!pid) {
		ok(pakhus_open(&s, path, NULL, &err));
		publish(s, "1.0.0", "one");
		_exit(0);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	trace_start();
	ok(pakhus_open(&s, path, NULL, &err));
	expect("fsync .\n"
	       "fsync local\n"
	       "fdatasync local/slot-0\n"
	       SYNC);
	pakhus_close(s);
}

/* Or a store that once took a burst would be 64 MiB for ever. */
static void a_store_at_rest_has_short_slots(void **state)
{
	char path[300], name[320], *text = malloc(900100);
	struct pakhus *s = new_store(state, path);
	struct stat st;

	trace_stop();
	for (int i = 0; i < 2; i++) {
		for (int n = 0; n < 3; n++) {
			int at = sprintf(text, doc, i ? "2" : "1", "");

			memset(text + at - 3, 'a' + n, 900000);
			memcpy(text + at - 3 + 900000, "\"}}", 4);
			ok(pakhus_publish(s, text, strlen(text), NULL, NULL,
					  &err));
		}
		snprintf(name, sizeof(name), "%s/local/slot-0", path);
		assert_int_equal(stat(name, &st), 0);
		assert_int_equal(st.st_size, i ? 1 << 20 : 4 << 20);
		snprintf(name, sizeof(name), "%s/local/slot-1", path);
		assert_int_equal(stat(name, &st), 0);
		assert_int_equal(st.st_size, i ? 4 << 20 : 1 << 20);
		pakhus_close(s);
		for (int n = 0; n < 2; n++) {
			snprintf(name, sizeof(name), "%s/local/slot-%d", path,
				 n);
			assert_int_equal(stat(name, &st), 0);
			assert_int_equal(st.st_size, 1 << 20);
		}
		ok(pakhus_open(&s, path, NULL, &err));
	}
	pakhus_close(s);
	free(text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		T_IN_DIR(init_syncs_files_then_directories_then_names_them),
		T_IN_DIR(a_publish_is_one_write_and_one_sync),
		T_IN_DIR(the_first_publish_after_opening_is_no_different),
		T_IN_DIR(a_delete_is_one_write_and_one_sync),
		T_IN_DIR(a_batch_is_one_write_and_one_sync),
		T_IN_DIR(a_sync_installs_each_thing_after_what_it_names),
		T_IN_DIR(a_close_does_what_a_sync_does_and_marks_the_index),
		T_IN_DIR(a_sync_or_close_with_nothing_to_do_changes_nothing),
		T_IN_DIR(
			a_recovery_makes_the_journal_durable_before_it_is_used),
		T_IN_DIR(a_store_at_rest_has_short_slots),
	};

	trace_in_memory();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
