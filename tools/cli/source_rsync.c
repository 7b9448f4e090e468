/* source_rsync.c - a store or a mirror that rsync reaches: a daemon
 * (rsync://HOST/MODULE/PATH, HOST::MODULE/PATH) or a remote shell (HOST:PATH).
 *
 * One rsync a fetch, without a shell. It gets the names on stdin from memory,
 * and what it says of errors goes to memory too, so neither can block, and
 * a connection that ssh keeps for the next one is not waited for. It ends
 * with this program (or it would go on to write where the next sync works),
 * and writes no file longer than it may, whatever its server sends.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "interrupt.h"
#include "mem.h"
#include "progress.h"
#include "say.h"
#include "source.h"

#define WORDS_MAX 4096	      /* of what rsync said, from the end */
#define FILE_FLOOR (16 << 20) /* for files that ssh may keep of its own */
#define LOOK_EVERY 500	      /* ms: an interrupt just before a wait */

enum { RSYNC_PARTIAL = 23, RSYNC_VANISHED = 24 };

struct rsync {
	char *name;
	char *from;  /* what is asked: a directory ... */
	char *below; /* ... and what each name begins with there */
	bool daemon;
	bool told; /* what it left out, once */
};

struct run {
	char *argv[24];
	int argc;
	int names, words; /* memory files: its stdin and stderr */
	uint64_t max;
	pid_t pid;
};

/* ---- The child ---- */

static void limit_files(uint64_t max)
{
	struct rlimit limit;

	if (max < FILE_FLOOR)
		max = FILE_FLOOR;
	if (!getrlimit(RLIMIT_FSIZE, &limit) && max < limit.rlim_cur) {
		limit.rlim_cur = max;
		setrlimit(RLIMIT_FSIZE, &limit);
	}
}

/* Never returns. Where rsync cannot be run, errno goes to tell. */
static void child(const struct run *run, pid_t parent, int tell)
{
	int out = STDERR_FILENO, sys;

	prctl(PR_SET_PDEATHSIG, SIGTERM);
	if (getppid() != parent)
		_exit(1);
	signal(SIGPIPE, SIG_DFL);
	limit_files(run->max);
	/* its progress is on stdout; ours has data there */
	if (dup2(out, STDOUT_FILENO) >= 0 &&
	    dup2(run->names, STDIN_FILENO) >= 0 &&
	    dup2(run->words, STDERR_FILENO) >= 0)
		execvp(run->argv[0], run->argv);
	sys = errno;
	_exit(write(tell, &sys, sizeof(sys)) < 0);
}

/* ---- Starting it, and its end ---- */

static int start(struct run *run, struct pakhus_error *err)
{
	pid_t parent = getpid();
	int tell[2], sys = 0;
	ssize_t n;

	if (pipe2(tell, O_CLOEXEC))
		return source_fail(err, PAKHUS_ESYS, errno, "pipe");
	run->pid = fork();
	if (!run->pid)
		child(run, parent, tell[1]);
	if (run->pid < 0)
		sys = errno;
	close(tell[1]);
	do {
		n = sys ? 0 : read(tell[0], &sys, sizeof(sys));
	} while (n < 0 && errno == EINTR);
	close(tell[0]);
	if (!sys)
		return 0;
	if (run->pid > 0)
		waitpid(run->pid, NULL, 0);
	if (sys == ENOENT)
		return source_fail(err, PAKHUS_ENETWORK, 0,
				   "rsync is not installed, and this source "
				   "is reached by it");
	return source_fail(err, PAKHUS_ESYS, sys, "run rsync");
}

/* Returns how it ended. An interrupt is passed on. */
static int wait_for(const struct run *run, bool *canceled)
{
	int fd = (int)syscall(SYS_pidfd_open, run->pid, 0), how = 0;
	struct pollfd ready = {.fd = fd, .events = POLLIN};

	while (fd >= 0 && poll(&ready, 1, LOOK_EVERY) <= 0) {
		if (!interrupt_pending() || *canceled)
			continue;
		*canceled = true;
		kill(run->pid, SIGTERM);
	}
	if (fd >= 0)
		close(fd);
	while (waitpid(run->pid, &how, 0) < 0 && errno == EINTR)
		;
	return how;
}

/* ---- What it said ---- */

struct words {
	char text[WORDS_MAX + 1];
};

static void read_words(const struct run *run, struct words *words)
{
	off_t size = lseek(run->words, 0, SEEK_END);
	off_t from = size > WORDS_MAX ? size - WORDS_MAX : 0;
	ssize_t n = pread(run->words, words->text, WORDS_MAX, from);

	words->text[n > 0 ? n : 0] = '\0';
}

/* What an end is told by when nothing else is known. */
static bool says_little(const char *line)
{
	return !strncmp(line, "rsync error: ", 13) ||
	       strstr(line, "connection unexpectedly closed") ||
	       strstr(line, "Broken pipe");
}

/* The last line that says something: what was wrong stands before what came
 * of it. */
static const char *last_words(struct words *words)
{
	const char *best = NULL, *little = NULL;
	char *line, *rest = words->text;

	while ((line = strsep(&rest, "\r\n"))) {
		if (!*line)
			continue;
		if (!says_little(line))
			best = line;
		else if (!little)
			little = line;
	}
	if (!best)
		best = little;
	return best ? best : "it said nothing";
}

static int ended(struct rsync *r, const struct run *run, int how,
		 struct pakhus_error *err)
{
	int status = WIFEXITED(how) ? WEXITSTATUS(how) : -1;
	struct words words;
	const char *last;
	char note[600];

	if (!status)
		return 0;
	read_words(run, &words);
	last = last_words(&words);
	if (status < 0)
		return source_fail(err, PAKHUS_ENETWORK, 0,
				   "%s: rsync ended: %s (%s)", r->name,
				   strsignal(WTERMSIG(how)), last);
	if (status != RSYNC_PARTIAL && status != RSYNC_VANISHED)
		return source_fail(err, PAKHUS_ENETWORK, 0,
				   "%s: rsync ended with %d: %s", r->name,
				   status, last);
	/* whatever it left out may be why the library has to complain */
	if (!r->told && status == RSYNC_PARTIAL) {
		snprintf(note, sizeof(note), "%s: %s", r->name, last);
		say_note(note);
		r->told = true;
	}
	return 0;
}

/* ---- A fetch ---- */

static void add(struct run *run, const char *word)
{
	run->argv[run->argc++] = mem_dup(word);
}

__attribute__((format(printf, 2, 3))) static void
add_format(struct run *run, const char *fmt, ...)
{
	char *word;
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vasprintf(&word, fmt, ap);
	va_end(ap);
	run->argv[run->argc++] = mem_need(n < 0 ? NULL : word);
}

/* --files-from implies --relative, and --dirs, which is taken back. What is
 * not asked for is not done: links, devices, owners and modes. */
static void arguments(struct run *run, const struct rsync *r, const char *into,
		      unsigned flags)
{
	add(run, "rsync");
	add(run, "--files-from=-");
	add(run, "--from0");
	add(run, "--no-implied-dirs");
	add(run, "--no-dirs");
	add(run, "--times");
	add(run, "--ignore-missing-args");
	add(run, "--partial-dir=.part");
	add_format(run, "--max-size=%" PRIu64, run->max);
	add_format(run, "--timeout=%d", SOURCE_PATIENCE);
	if (r->daemon)
		add_format(run, "--contimeout=%d", SOURCE_PATIENCE);
	if (flags & PAKHUS_FETCH_FRESH)
		add(run, "--ignore-times");
	if (isatty(STDERR_FILENO) && !(flags & PAKHUS_FETCH_FRESH))
		add(run, "--info=nonreg0,progress2");
	else
		add(run, "--quiet");
	add(run, "--");
	add(run, r->from);
	add_format(run, "%s/", into);
}

static int memory(const char *name, int *fd, struct pakhus_error *err)
{
	*fd = memfd_create(name, MFD_CLOEXEC);
	if (*fd < 0)
		return source_fail(err, PAKHUS_ESYS, errno, "memfd_create");
	return 0;
}

static int write_names(int fd, const char *below, const char *const *names,
		       size_t n, struct pakhus_error *err)
{
	int copy = dup(fd), rc = 0;
	FILE *f = copy < 0 ? NULL : fdopen(copy, "w");
	size_t i;

	if (!f) {
		rc = source_fail(err, PAKHUS_ESYS, errno, "memory for names");
		if (copy >= 0)
			close(copy);
		return rc;
	}
	for (i = 0; i < n; i++)
		fprintf(f, "%s%s%c", below, names[i], '\0');
	if (fclose(f) || lseek(fd, 0, SEEK_SET))
		rc = source_fail(err, PAKHUS_ESYS, errno, "memory for names");
	return rc;
}

static int prepare(struct run *run, const char *below, const char *const *names,
		   size_t n, struct pakhus_error *err)
{
	int rc = memory("names", &run->names, err);

	if (!rc)
		rc = memory("words", &run->words, err);
	return rc ? rc : write_names(run->names, below, names, n, err);
}

/* A far rsync sends a directory of a name all the same, though empty. */
static void drop_directories(const char *into, const char *const *names,
			     size_t n)
{
	int dir = open(into, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	size_t i;

	if (dir < 0)
		return;
	for (i = 0; i < n; i++)
		unlinkat(dir, names[i], AT_REMOVEDIR);
	close(dir);
}

static int fetch(void *arg, const char *into, const char *const *names,
		 size_t n, uint64_t max, unsigned flags,
		 struct pakhus_error *err)
{
	struct run run = {.names = -1, .words = -1, .max = max};
	struct rsync *r = arg;
	bool canceled = false;
	int rc, how = 0;

	if (!n)
		return 0;
	if (interrupt_pending())
		return source_canceled(err);
	progress_clear();
	arguments(&run, r, into, flags);
	rc = prepare(&run, r->below, names, n, err);
	if (!rc)
		rc = start(&run, err);
	if (!rc) {
		how = wait_for(&run, &canceled);
		/* its terminal's signals are ours */
		rc = canceled || interrupt_pending() ? source_canceled(err)
						     : ended(r, &run, how, err);
		drop_directories(into, names, n);
	}
	if (run.names >= 0)
		close(run.names);
	if (run.words >= 0)
		close(run.words);
	while (run.argc)
		free(run.argv[--run.argc]);
	return rc;
}

static void rsync_close(void *arg)
{
	struct rsync *r = arg;

	free(r->name);
	free(r->from);
	free(r->below);
	free(r);
}

/* rsync and ssh would take it for an option. */
static bool is_option(const char *name)
{
	size_t host = strncasecmp(name, "rsync://", 8) ? 0 : 8;
	size_t n = host + strcspn(name + host, "/");
	size_t i;

	if (name[0] == '-' || name[host] == '-')
		return true;
	for (i = host; i + 1 < n; i++)
		if (name[i] == '@' && name[i + 1] == '-')
			return true;
	return false;
}

/* Where a daemon's module begins; NULL: it is a remote shell, and *path is
 * where its path does. */
static const char *module_of(const char *name, const char **path)
{
	const char *colon, *bracket;

	if (!strncasecmp(name, "rsync://", 8)) {
		name += 8 + strcspn(name + 8, "/");
		return name + strspn(name, "/");
	}
	bracket = name + strcspn(name, "[:/");
	if (*bracket == '[') /* IPv6 */
		name = bracket + strcspn(bracket, "]");
	colon = name + strcspn(name, ":");
	if (colon[0] == ':' && colon[1] == ':')
		return colon + 2;
	*path = colon + (*colon != '\0');
	return NULL;
}

/* A daemon is asked for names below its module: that of rsync 3.5.0 without
 * a chroot finds no file of --files-from where it is to begin below. What
 * stands before a /./ is not kept in names. */
static void split_module(struct rsync *r, const char *module)
{
	size_t n = strcspn(module, "/"), size;
	const char *path = module + n + strspn(module + n, "/");

	if (asprintf(&r->from, "%.*s/", (int)(module - r->name + (long)n),
		     r->name) < 0)
		r->from = mem_need(NULL);
	for (size = strlen(path); size && path[size - 1] == '/'; size--)
		;
	if (!size)
		r->below = mem_dup("");
	else if (asprintf(&r->below, "%.*s/./", (int)size, path) < 0)
		r->below = mem_need(NULL);
}

static void split_path(struct rsync *r, const char *path)
{
	size_t n = strlen(path);
	const char *slash = "/";

	if (!n) /* the home directory there */
		slash = "./";
	else if (path[n - 1] == '/')
		slash = "";
	r->below = mem_dup("");
	if (asprintf(&r->from, "%s%s", r->name, slash) < 0)
		r->from = mem_need(NULL);
}

int source_rsync_open(const struct cli *cli, const char *name,
		      struct source *out)
{
	const char *module, *path = "";
	struct rsync *r;

	if (is_option(name))
		return say_usage(cli, "%s: a host does not begin with -", name);
	if (name[0] == ':' || !strncasecmp(name, "rsync:///", 9))
		return say_usage(cli, "%s: the host is missing", name);
	module = module_of(name, &path);
	if (module && (!*module || *module == '/'))
		return say_usage(cli, "%s: the daemon's module is missing",
				 name);
	r = mem_need(calloc(1, sizeof(*r)));
	r->name = mem_dup(name);
	r->daemon = module != NULL;
	if (module)
		split_module(r, r->name + (module - name));
	else
		split_path(r, path);
	*out = (struct source){{fetch, r, r->name}, rsync_close};
	return CLI_DONE;
}
