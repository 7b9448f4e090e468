#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "args.h"
#include "input.h"
#include "interrupt.h"
#include "lines.h"
#include "obj.h"
#include "progress.h"
#include "say.h"
#include "store.h"

struct import {
	const struct cli *cli;
	const char *path;
	struct pakhus *store;
	struct pakhus_batch *batch;
	struct lines lines;
	uint64_t count; /* documents handed over */
	bool broken;	/* the batch cannot go on, not even commit */
};

static void show(const struct import *im)
{
	double seconds = progress_elapsed();
	double mb = (double)im->lines.bytes / 1e6;

	progress_show("%" PRIu64 " versions, %.1f MB, %.0f/s", im->count, mb,
		      seconds > 0 ? (double)im->count / seconds : 0.0);
}

static bool is_blank(const char *text, size_t size)
{
	size_t i;

	for (i = 0; i < size; i++)
		if (!strchr(" \t\r", text[i]) || !text[i])
			return false;
	return true;
}

/* The library sees one line at a time and calls it line 1; people look for
 * it in their file. */
static void say_line(const struct import *im, const struct pakhus_error *err)
{
	static const char first[] = "line 1, ";
	const char *text = err->text;
	bool placed = !strncmp(text, first, strlen(first));

	if (placed)
		text += strlen(first);
	say(im->cli, "%s: line %" PRIu64 "%s %s", input_name(im->path),
	    im->lines.number, placed ? "," : ":", text);
}

/* What the file may be instead, from its first line. */
static void say_hint(const struct import *im, const struct pakhus_error *err)
{
	static const char zstd[] = "\x28\xb5\x2f\xfd";
	bool named = strcmp(im->path, "-") != 0;

	if (im->lines.number != 1)
		return;
	if (im->lines.size >= 4 && !memcmp(im->lines.line, zstd, 4))
		say(im->cli, "(compressed: zstd -dc%s%s | pakhus import -)",
		    named ? " " : "", named ? im->path : "");
	else if (strstr(err->text, "unexpected end of the text"))
		say(im->cli, "(import takes one document a line; publish "
			     "takes one a file)");
}

static int document(struct import *im)
{
	struct pakhus_error err = {0};
	int rc;

	if (is_blank(im->lines.line, im->lines.size))
		return CLI_DONE;
	rc = pakhus_batch_publish(im->batch, im->lines.line, im->lines.size,
				  &err);
	if (!rc) {
		im->count++;
		show(im);
		return CLI_DONE;
	}
	if (rc == PAKHUS_ECANCELED) /* by a signal: cmd_import() tells */
		return CLI_FAILED;
	im->broken = rc != PAKHUS_EINVAL && rc != PAKHUS_ELIMIT &&
		     rc != PAKHUS_ECONFLICT;
	if (im->broken)
		return say_error(im->cli, NULL, &err);
	say_line(im, &err);
	say_hint(im, &err);
	return (int)exit_of(rc);
}

static int read_failed(const struct import *im, const char *path)
{
	if (errno == EINTR) /* by a signal: cmd_import() tells */
		return CLI_FAILED;
	if (errno == EFBIG)
		return say_failed(im->cli, CLI_FAILED,
				  "%s: line %" PRIu64 ": longer than 64 MiB",
				  input_name(path), im->lines.number + 1);
	return say_failed(im->cli, CLI_FAILED, "%s: %s", input_name(path),
			  strerror(errno));
}

static int all_lines(struct import *im, const char *path)
{
	int rc, more;

	while (!interrupt_pending()) {
		more = lines_next(&im->lines);
		if (more < 0)
			return read_failed(im, path);
		if (!more)
			return CLI_DONE;
		rc = document(im);
		if (rc)
			return rc;
	}
	return CLI_FAILED;
}

/* Makes durable what was read before whatever stopped it. */
static int commit(struct import *im)
{
	struct pakhus_error err = {0};

	if (im->broken)
		return CLI_DONE;
	interrupt_forget();
	if (!pakhus_batch_commit(im->batch, &err))
		return CLI_DONE;
	im->broken = true;
	return say_error(im->cli, NULL, &err);
}

static void summary(const struct cli *cli, uint64_t durable)
{
	struct obj obj;

	if (!cli->value[OPT_JSON]) {
		printf("imported %" PRIu64 " version%s\n", durable,
		       durable == 1 ? "" : "s");
		return;
	}
	obj = obj_begin(stdout);
	obj_number(&obj, "imported", durable);
	obj_end(&obj);
}

static int import(struct import *im, const char *path)
{
	int rc, rc2, interrupted;
	uint64_t durable;

	rc = all_lines(im, path);
	interrupted = interrupt_pending();
	rc2 = commit(im);
	if (!rc)
		rc = rc2;
	durable = pakhus_batch_durable(im->batch);
	if (rc)
		say(im->cli, "%s; %" PRIu64 " version%s durable",
		    interrupted ? "interrupted" : "stopped", durable,
		    durable == 1 ? " is" : "s are");
	if (durable && !im->broken) {
		rc2 = store_sync(im->cli, im->store);
		if (!rc)
			rc = rc2;
	}
	/* people were told above how many, where it stopped */
	progress_clear();
	if (!rc || im->cli->value[OPT_JSON])
		summary(im->cli, durable);
	return rc;
}

static int with_store(struct import *im, const char *path, const char *by)
{
	struct pakhus_error err = {0};
	int rc;

	if (pakhus_batch_new(im->store, by, &im->batch, &err))
		return store_failed(im->cli, &err);
	rc = import(im, path);
	pakhus_batch_free(im->batch);
	return rc;
}

int cmd_import(const struct cli *cli)
{
	struct import im = {.cli = cli, .path = cli->operand[0]};
	struct store_options with = {.flags = PAKHUS_CREATE};
	const char *path = im.path, *by;
	int rc;

	rc = args_by(cli, &by);
	if (!rc)
		rc = args_level(cli, &with.level);
	if (!rc)
		rc = args_threads(cli, &with.threads);
	if (!rc)
		rc = input_open(cli, path, &im.lines.fd);
	if (rc)
		return rc;
	rc = store_open_with(cli, &with, &im.store);
	if (!rc) {
		interrupt_catch();
		rc = with_store(&im, path, by);
	}
	pakhus_close(im.store);
	lines_release(&im.lines);
	if (im.lines.fd != STDIN_FILENO)
		close(im.lines.fd);
	return rc;
}
