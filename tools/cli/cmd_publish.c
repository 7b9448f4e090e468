#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "args.h"
#include "input.h"
#include "out.h"
#include "progress.h"
#include "record.h"
#include "say.h"
#include "store.h"

struct publish {
	const struct cli *cli;
	struct pakhus *store; /* NULL until there is something to publish */
	const char *by;
	int level;
	int status; /* of the first that failed */
	bool wrote;
	bool stop; /* the others would fail the same way */
};

static void failed(struct publish *p, int status)
{
	if (!p->status)
		p->status = status;
}

static void print_record(const struct cli *cli, const struct pakhus_record *r)
{
	if (cli->value[OPT_JSON])
		record_json(r);
	else
		printf("%s@%s %s\n", r->id, r->version, r->hash);
	/* who watches a pipe sees it when it is durable */
	out_flush();
	if (out_failed())
		say(cli, "%s@%s is durable, but this could not be printed",
		    r->id, r->version);
}

static void publish_text(struct publish *p, const char *path, const char *text,
			 size_t size)
{
	struct pakhus_error err = {0};
	struct pakhus_record record;
	int rc = pakhus_publish(p->store, text, size, p->by, &record, &err);

	progress_clear();
	if (rc) {
		failed(p, say_error(p->cli, input_name(path), &err));
		p->stop = rc == PAKHUS_EDENIED || rc == PAKHUS_EUNKNOWN;
		return;
	}
	p->wrote = true;
	print_record(p->cli, &record);
}

/* The store is opened, and made, when there is a text to put into it: a
 * mistyped file name, or a text that is no package, leaves no store. */
static void publish_file(struct publish *p, const char *path)
{
	struct pakhus_error err = {0};
	char *text;
	size_t size;
	int rc;

	rc = input_read(p->cli, path, &text, &size);
	if (rc) {
		failed(p, rc);
		return;
	}
	if (!size) {
		failed(p, say_failed(p->cli, CLI_FAILED, "%s: is empty",
				     input_name(path)));
		free(text);
		return;
	}
	if (!p->store && pakhus_check(text, size, &err)) {
		progress_clear();
		failed(p, say_error(p->cli, input_name(path), &err));
		free(text);
		return;
	}
	if (!p->store)
		rc = store_open(p->cli, PAKHUS_CREATE, p->level, &p->store);
	if (rc) {
		failed(p, rc);
		p->stop = true;
	} else {
		publish_text(p, path, text, size);
	}
	free(text);
}

static bool stdin_twice(const struct cli *cli)
{
	int i, n = 0;

	for (i = 0; i < cli->operands; i++)
		n += !strcmp(cli->operand[i], "-");
	return n > 1;
}

int cmd_publish(const struct cli *cli)
{
	struct publish p = {.cli = cli};
	int i, rc;

	rc = args_by(cli, &p.by);
	if (!rc)
		rc = args_level(cli, &p.level);
	if (rc)
		return rc;
	if (stdin_twice(cli))
		return say_usage(cli, "stdin can be read once only");
	for (i = 0; i < cli->operands && !p.stop; i++)
		publish_file(&p, cli->operand[i]);
	if (p.wrote && !p.stop)
		failed(&p, store_sync(cli, p.store));
	pakhus_close(p.store);
	return p.status;
}
