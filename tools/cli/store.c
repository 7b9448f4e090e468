#include "store.h"

#include <dirent.h>
#include <errno.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stddef.h>
#include <string.h>
#include <sys/stat.h>

#include "interrupt.h"
#include "progress.h"
#include "say.h"

int store_progress(void *arg, const char *what, uint64_t done, uint64_t total)
{
	(void)arg;
	if (total)
		progress_show("%s: %" PRIu64 " of %" PRIu64, what, done, total);
	else
		progress_show("%s: %" PRIu64, what, done);
	return interrupt_pending();
}

void store_notice(void *arg, const char *text)
{
	(void)arg;
	say_note(text);
}

/* Nothing is there, or an empty directory. */
static bool could_be_made(const char *path)
{
	struct dirent *entry;
	DIR *dir = opendir(path);
	int names = 0;

	if (!dir)
		return errno == ENOENT;
	while ((entry = readdir(dir)))
		names += strcmp(entry->d_name, ".") != 0 &&
			 strcmp(entry->d_name, "..") != 0;
	closedir(dir);
	return !names;
}

static bool is_no_directory(const char *path)
{
	struct stat st;

	return !stat(path, &st) && !S_ISDIR(st.st_mode);
}

int store_try(const struct cli *cli, const struct store_options *with,
	      struct pakhus **out, struct pakhus_error *err)
{
	struct pakhus_options opt = {.flags = with->flags,
				     .level = with->level,
				     .threads = with->threads,
				     .progress = store_progress,
				     .notice = store_notice};
	int rc = pakhus_open(out, cli->store, &opt, err);

	progress_clear();
	return rc;
}

int store_open_with(const struct cli *cli, const struct store_options *with,
		    struct pakhus **out)
{
	struct pakhus_error err = {0};
	int rc = store_try(cli, with, out, &err);

	return rc ? store_not_open(cli, with->flags, &err) : CLI_DONE;
}

int store_open(const struct cli *cli, unsigned flags, int level,
	       struct pakhus **out)
{
	struct store_options with = {.flags = flags, .level = level};

	return store_open_with(cli, &with, out);
}

int store_not_open(const struct cli *cli, unsigned flags,
		   const struct pakhus_error *err)
{
	int rc = store_failed(cli, err);

	if (err->status == PAKHUS_ENOTFOUND && !(flags & PAKHUS_CREATE) &&
	    could_be_made(cli->store))
		say(cli,
		    "make one with `pakhus -C %s init`, or publish into "
		    "it",
		    cli->store);
	return rc;
}

int store_sync(const struct cli *cli, struct pakhus *store)
{
	struct pakhus_error err = {0};
	int rc = pakhus_sync(store, &err);

	progress_clear();
	if (!rc)
		return CLI_DONE;
	say_error(cli, "durable, not yet in the mirrored tree", &err);
	return CLI_FAILED;
}

int store_failed(const struct cli *cli, const struct pakhus_error *err)
{
	progress_clear();
	if (err->sys == ENOTDIR && is_no_directory(cli->store))
		say(cli, "the store %s is not a directory", cli->store);
	else
		say_error(cli, NULL, err);
	return (int)exit_of_argument(err->status);
}
