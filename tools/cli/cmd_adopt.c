#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <unistd.h>

#include "args.h"
#include "interrupt.h"
#include "obj.h"
#include "out.h"
#include "progress.h"
#include "say.h"
#include "source.h"
#include "store.h"

static int failed(const struct cli *cli, const struct pakhus_error *err)
{
	if (err->sys == ENOENT && access(cli->store, F_OK))
		return say_failed(cli, CLI_NOT_FOUND, "%s: no store there",
				  cli->store);
	return store_failed(cli, err);
}

static int here(const struct cli *cli)
{
	struct pakhus_error err = {0};
	struct obj obj;

	if (pakhus_adopt_here(cli->store, &err))
		return failed(cli, &err);
	if (!cli->value[OPT_JSON]) {
		fputs("adopted ", stdout);
		out_plain(stdout, cli->store);
		putchar('\n');
		return CLI_DONE;
	}
	obj = obj_begin(stdout);
	obj_string(&obj, "adopted", cli->store);
	obj_end(&obj);
	return CLI_DONE;
}

static void print_from(const struct cli *cli, const char *source,
		       const struct pakhus_mirror *m)
{
	uint64_t more = m->entries - m->before;
	struct obj obj;

	if (cli->value[OPT_JSON]) {
		obj = obj_begin(stdout);
		obj_string(&obj, "adopted", cli->store);
		obj_string(&obj, "source", source);
		obj_number(&obj, "before", m->before);
		obj_number(&obj, "entries", m->entries);
		obj_number(&obj, "objects", m->objects);
		obj_number(&obj, "bytes", m->bytes);
		obj_end(&obj);
		return;
	}
	fputs("adopted ", stdout);
	out_plain(stdout, cli->store);
	printf(", with %" PRIu64 " %s from ", more,
	       more == 1 ? "entry" : "entries");
	out_plain(stdout, source);
	putchar('\n');
}

static int from(const struct cli *cli, const char *name)
{
	struct pakhus_mirror m = {.progress = store_progress,
				  .notice = store_notice};
	struct pakhus_error err = {0};
	struct source source;
	int rc;

	rc = args_threads(cli, &m.threads);
	if (!rc)
		rc = source_open(cli, name, &source);
	if (rc)
		return rc;
	interrupt_catch();
	if (pakhus_adopt_from(cli->store, &source.as, &m, &err))
		rc = failed(cli, &err);
	progress_clear();
	if (!rc)
		print_from(cli, source.as.name, &m);
	source_close(&source);
	return rc;
}

int cmd_adopt(const struct cli *cli)
{
	const char *source = cli->operands ? cli->operand[0] : NULL;

	if (cli->value[OPT_HERE] && source)
		return say_usage(cli, "--here or a source, one of the two");
	if (source)
		return from(cli, source);
	if (cli->value[OPT_HERE])
		return here(cli);
	return say_usage(cli,
			 "a source that has all of the log is missing, or "
			 "--here; that says that of all copies of this store "
			 "%s is the only one that will be written",
			 cli->store);
}
