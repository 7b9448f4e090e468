/* cmd_verify.c - checking a store from child processes.
 *
 * LMDB maps its file and believes it: a damaged page can end a process that
 * only opens the index. So each part of the check runs in a child that
 * opens the store itself, the index first, and this process opens nothing:
 * a child that dies is a finding. Children print what they find and send
 * the numbers through a pipe.
 */
#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "args.h"
#include "interrupt.h"
#include "obj.h"
#include "out.h"
#include "progress.h"
#include "proof.h"
#include "say.h"
#include "source.h"
#include "store.h"

struct report {
	int status; /* enum cli_exit */
	int opened;
	int broken; /* damage that was printed keeps the store from opening */
	uint64_t entries, objects, bytes, damages;
	uint64_t restored, aside;
};

/* What a child does. */
struct part {
	unsigned what;	/* enum pakhus_verify_flags */
	unsigned flags; /* of opening the store */
	unsigned threads;
	bool repairs;
};

static void print_damage(const struct cli *cli, const char *path,
			 const char *rule, const char *text)
{
	struct obj obj;

	progress_clear();
	if (cli->value[OPT_JSON]) {
		obj = obj_begin(stdout);
		obj_string(&obj, "path", path);
		obj_string(&obj, "rule", rule);
		obj_string(&obj, "text", text);
		obj_end(&obj);
	} else {
		out_plain(stdout, path);
		printf(": %s%s", rule, *rule ? ": " : "");
		out_plain(stdout, text);
		putchar('\n');
	}
	out_flush(); /* what was found outlives a crash */
}

static void on_damage(void *arg, const char *path, const char *rule,
		      const char *text)
{
	print_damage(arg, path, rule ? rule : "", text);
}

static int verify(const struct cli *cli, unsigned what, struct pakhus *store,
		  struct report *report)
{
	/* the callback's argument is not const; nothing is changed by it */
	struct cli copy = *cli;
	struct pakhus_verify v = {
		.flags = what, .damage = on_damage, .arg = &copy};
	struct pakhus_error err = {0};
	int rc = pakhus_verify(store, &v, &err);

	progress_clear();
	report->entries = v.entries;
	report->objects = v.objects;
	report->bytes = v.bytes;
	report->damages = v.damages;
	if (!rc)
		return CLI_DONE;
	if (rc == PAKHUS_ECORRUPT && v.damages)
		return CLI_DAMAGED;
	return store_failed(cli, &err);
}

static void on_mended(void *arg, const char *path, const char *text)
{
	const struct cli *cli = arg;
	struct obj obj;

	progress_clear();
	if (cli->value[OPT_JSON]) {
		obj = obj_begin(stdout);
		obj_string(&obj, "path", path);
		obj_string(&obj, "mended", text);
		obj_end(&obj);
		return;
	}
	out_plain(stdout, path);
	printf(": %s\n", text);
}

static int repair(const struct cli *cli, const struct part *part,
		  struct report *report)
{
	struct cli copy = *cli;
	struct pakhus_repair r = {.threads = part->threads,
				  .damage = on_damage,
				  .mended = on_mended,
				  .progress = store_progress,
				  .notice = store_notice,
				  .arg = &copy};
	struct pakhus_error err = {0};
	struct source source;
	int rc = source_open(cli, cli->value[OPT_FROM], &source);

	if (rc)
		return rc;
	interrupt_catch();
	rc = pakhus_repair(cli->store, &source.as, &r, &err);
	source_close(&source);
	progress_clear();
	report->opened = 1;
	report->entries = r.entries;
	report->objects = r.objects;
	report->bytes = r.bytes;
	report->damages = r.damages;
	report->restored = r.restored;
	report->aside = r.aside;
	if (!rc)
		return CLI_DONE;
	if (rc == PAKHUS_ECORRUPT && r.damages)
		return CLI_DAMAGED;
	return store_failed(cli, &err);
}

static bool is_rule(const char *text, size_t size)
{
	return size > 2 && !strncmp(text, "F-", 2) &&
	       strspn(text + 2, "0123456789") == size - 2;
}

/* A store that is too damaged to be opened: the library's sentence,
 * "PATH: F-N TEXT", as the damage that it is. The path of FORMAT has the
 * store's before it. */
static void not_open(const struct cli *cli, const struct pakhus_error *err)
{
	size_t n = strlen(cli->store), rule = 0;
	char copy[sizeof(err->text)];
	const char *path = copy;
	char *text;

	memcpy(copy, err->text, sizeof(copy));
	if (!strncmp(path, cli->store, n) && path[n] == '/')
		path += n + 1;
	text = strstr(path, ": ");
	if (!text) {
		print_damage(cli, "store", "", copy);
		return;
	}
	*text = '\0';
	text += 2;
	n = strcspn(text, " ");
	if (is_rule(text, n) && text[n])
		rule = n + 1;
	if (rule)
		text[n] = '\0';
	print_damage(cli, path, rule ? text : "", text + rule);
}

/* Returns an exit status. */
static int open_it(const struct cli *cli, const struct part *part,
		   struct pakhus **store, struct report *report)
{
	struct store_options with = {.flags = part->flags,
				     .threads = part->threads};
	struct pakhus_error err = {0};
	int rc = store_try(cli, &with, store, &err);

	report->opened = !rc;
	if (!rc)
		return CLI_DONE;
	if (rc != PAKHUS_ECORRUPT)
		return store_not_open(cli, part->flags, &err);
	not_open(cli, &err);
	report->broken = 1;
	report->damages = 1;
	return CLI_DAMAGED;
}

static void check(const struct cli *cli, const struct part *part,
		  struct report *report)
{
	struct pakhus *store;

	report->status = open_it(cli, part, &store, report);
	if (report->status)
		return;
	report->status = verify(cli, part->what, store, report);
	pakhus_close(store);
}

static void child(const struct cli *cli, const struct part *part, int fd)
{
	struct report report = {0};

	if (part->repairs)
		report.status = repair(cli, part, &report);
	else
		check(cli, part, &report);
	report.status = out_finish(cli, report.status);
	if (write(fd, &report, sizeof(report)) != sizeof(report))
		_exit(CLI_FAILED);
	_exit(CLI_DONE);
}

static int wait_for(pid_t pid)
{
	int how = 0;

	while (waitpid(pid, &how, 0) < 0 && errno == EINTR)
		;
	return how;
}

/* Runs one part. Where its child did not report, *silent is set, and *how
 * is how it ended. */
static int run_part(const struct cli *cli, const struct part *part,
		    struct report *report, bool *silent, int *how)
{
	ssize_t got;
	pid_t pid;
	int fd[2];

	out_flush(); /* or the child prints it again */
	if (pipe(fd))
		return say_failed(cli, CLI_FAILED, "pipe: %s", strerror(errno));
	pid = fork();
	if (!pid) {
		close(fd[0]);
		child(cli, part, fd[1]);
	}
	close(fd[1]);
	if (pid < 0) {
		close(fd[0]);
		return say_failed(cli, CLI_FAILED, "fork: %s", strerror(errno));
	}
	do {
		got = read(fd[0], report, sizeof(*report));
	} while (got < 0 && errno == EINTR);
	close(fd[0]);
	*how = wait_for(pid);
	*silent = got != sizeof(*report);
	return CLI_DONE;
}

/* The end of who follows a wild pointer or fails an assertion, under a
 * sanitizer an exit; other signals came from outside. */
static bool is_crash(int how)
{
	if (!WIFSIGNALED(how))
		return true;
	return WTERMSIG(how) == SIGSEGV || WTERMSIG(how) == SIGBUS ||
	       WTERMSIG(how) == SIGABRT;
}

static int died(const struct cli *cli, const char *what, int how)
{
	if (WIFSIGNALED(how))
		return say_failed(cli, CLI_FAILED, "checking %s ended: %s",
				  what, strsignal(WTERMSIG(how)));
	return say_failed(cli, CLI_FAILED, "checking %s ended early", what);
}

static int index_part(const struct cli *cli, struct report *report)
{
	bool rebuild = cli->value[OPT_REBUILD] != NULL;
	struct part part = {.what = PAKHUS_VERIFY_INDEX,
			    .flags = rebuild ? PAKHUS_REBUILD : 0};
	bool silent = false;
	int how = 0, rc;

	rc = run_part(cli, &part, report, &silent, &how);
	if (rc || !silent)
		return rc ? rc : report->status;
	if (!is_crash(how))
		return died(cli, "the index", how);
	print_damage(cli, "index", "",
		     rebuild ? "its damage ended the program that read it"
			     : "its damage ended the program that read it; "
			       "run `pakhus verify --rebuild`");
	report->damages = 1;
	return CLI_DAMAGED;
}

static int files_part(const struct cli *cli, struct report *report)
{
	struct part part = {.what = PAKHUS_VERIFY_FILES,
			    .repairs = cli->value[OPT_REPAIR] != NULL};
	bool silent = false;
	int how = 0, rc = args_threads(cli, &part.threads);

	if (cli->value[OPT_QUICK])
		part.what |= PAKHUS_VERIFY_QUICK;
	if (!rc)
		rc = run_part(cli, &part, report, &silent, &how);
	if (rc || !silent)
		return rc ? rc : report->status;
	return died(cli, "the files", how);
}

static void summary(const struct cli *cli, const struct report *r)
{
	struct obj obj;

	if (cli->value[OPT_JSON]) {
		obj = obj_begin(stdout);
		obj_number(&obj, "entries", r->entries);
		obj_number(&obj, "objects", r->objects);
		obj_number(&obj, "bytes", r->bytes);
		obj_number(&obj, "damages", r->damages);
		if (cli->value[OPT_REPAIR]) {
			obj_number(&obj, "restored", r->restored);
			obj_number(&obj, "set_aside", r->aside);
		}
		obj_end(&obj);
		return;
	}
	printf("checked %" PRIu64 " %s, %" PRIu64 " object%s, %" PRIu64
	       " byte%s: ",
	       r->entries, r->entries == 1 ? "entry" : "entries", r->objects,
	       r->objects == 1 ? "" : "s", r->bytes, r->bytes == 1 ? "" : "s");
	if (r->restored)
		printf("%" PRIu64 " restored, ", r->restored);
	if (r->aside)
		printf("%" PRIu64 " set aside, ", r->aside);
	if (r->damages)
		printf("%" PRIu64 " damaged\n", r->damages);
	else
		puts("no damage");
}

static int check_options(const struct cli *cli)
{
	bool repairs = cli->value[OPT_REPAIR] != NULL;
	bool quick = cli->value[OPT_QUICK] != NULL;
	unsigned threads;

	if (cli->operands || cli->value[OPT_VKEY])
		return say_usage(cli, "a document and --key go with --proof");
	if (repairs != (cli->value[OPT_FROM] != NULL))
		return say_usage(cli, "--repair and --from go together");
	if (quick && (repairs || cli->value[OPT_REBUILD]))
		return say_usage(cli, "--quick goes with neither --repair nor "
				      "--rebuild");
	return args_threads(cli, &threads);
}

int cmd_verify(const struct cli *cli)
{
	struct report index = {0}, files = {0};
	int rc = 0, rc2;

	if (cli->value[OPT_PROOF])
		return proof_verify(cli);
	rc = check_options(cli);
	if (rc)
		return rc;
	if (!cli->value[OPT_QUICK])
		rc = index_part(cli, &index);
	if (index.broken)
		summary(cli, &index);
	if (rc && !index.opened && (index.broken || !index.damages))
		return rc; /* the next would not get further */
	rc2 = files_part(cli, &files);
	if (files.entries < index.entries)
		files.entries = index.entries;
	files.damages += index.damages;
	if (!rc2 || rc2 == CLI_DAMAGED)
		summary(cli, &files);
	return rc ? rc : rc2;
}
