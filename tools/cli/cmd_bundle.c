#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "args.h"
#include "input.h"
#include "interrupt.h"
#include "obj.h"
#include "out.h"
#include "progress.h"
#include "say.h"
#include "store.h"
#include "synced.h"
#include "vkey.h"

/* ---- create ---- */

static int write_piece(void *arg, const char *bytes, size_t size)
{
	return fwrite(bytes, 1, size, arg) == size ? 0 : -1;
}

/* --since: a number of entries, else a file with a checkpoint. */
static int read_since(const struct cli *cli, struct pakhus_bundle *b,
		      char **text)
{
	const char *since = cli->value[OPT_SINCE];
	int rc;

	if (!since)
		return CLI_DONE;
	if (*since && !since[strspn(since, "0123456789")])
		return args_number(cli, OPT_SINCE, 0, UINT64_MAX, &b->since);
	rc = input_read(cli, since, text, &b->checkpoint_size);
	b->checkpoint = *text;
	return rc;
}

static void print_created(const struct cli *cli, const struct pakhus_bundle *b)
{
	const char *file = cli->operand[1];
	struct obj obj;

	if (cli->value[OPT_JSON]) {
		obj = obj_begin(stdout);
		obj_string(&obj, "file", file);
		obj_number(&obj, "from", b->from);
		obj_number(&obj, "to", b->to);
		obj_number(&obj, "objects", b->objects);
		obj_number(&obj, "bytes", b->bytes);
		obj_end(&obj);
		return;
	}
	out_plain(stdout, file);
	printf(": entries from %" PRIu64 " to %" PRIu64 ", %" PRIu64
	       " object%s, %" PRIu64 " bytes\n",
	       b->from, b->to, b->objects, b->objects == 1 ? "" : "s",
	       b->bytes);
}

static int create_in(const struct cli *cli, struct pakhus_bundle *b,
		     const char *path)
{
	struct pakhus_error err = {0};
	struct pakhus *store;
	int rc = store_open(cli, 0, 0, &store);

	if (rc)
		return rc;
	interrupt_catch();
	rc = pakhus_bundle_create(store, path, b, &err);
	pakhus_close(store);
	if (!rc)
		return CLI_DONE;
	if (!path && out_failed())
		return CLI_FAILED; /* out_finish() tells */
	return store_failed(cli, &err);
}

static int create(const struct cli *cli)
{
	const char *file = cli->operand[1];
	const char *path = strcmp(file, "-") != 0 ? file : NULL;
	struct pakhus_bundle b = {.write = write_piece, .arg = stdout};
	char *since = NULL;
	int rc;

	if (!path && cli->value[OPT_JSON])
		return say_usage(cli, "stdout is where the bundle goes; "
				      "--json has no place there");
	if (!path && out_is_terminal())
		return say_usage(cli, "a bundle is nothing for a terminal");
	rc = read_since(cli, &b, &since);
	if (!rc)
		rc = create_in(cli, &b, path);
	if (!rc && path)
		print_created(cli, &b);
	free(since);
	return rc;
}

/* ---- apply ---- */

static int apply_to(const struct cli *cli, struct pakhus_mirror *m)
{
	const char *file = cli->operand[1];
	struct pakhus_error err = {0};
	int rc;

	interrupt_catch();
	rc = pakhus_bundle_apply(cli->store, file, m, &err);
	progress_clear();
	if (rc)
		return store_failed(cli, &err);
	if (cli->value[OPT_JSON])
		synced_json(cli->store, file, m);
	else
		synced_text(cli->store, file, m);
	return CLI_DONE;
}

static int apply(const struct cli *cli)
{
	struct pakhus_mirror m = {.progress = store_progress,
				  .notice = store_notice};
	uint64_t age = 0;
	char *key = NULL;
	int rc;

	if (!strcmp(cli->operand[1], "-"))
		return say_usage(cli, "a bundle is looked into at many places, "
				      "which a pipe does not allow: copy it "
				      "into a file");
	rc = args_threads(cli, &m.threads);
	if (!rc)
		rc = args_duration(cli, OPT_MAX_AGE, 1, &age);
	if (!rc)
		rc = vkey_read(cli, &key);
	m.max_age_us = age * 1000000;
	m.key = key;
	if (!rc)
		rc = apply_to(cli, &m);
	free(key);
	return rc;
}

/* ---- which of the two ---- */

/* An option of the one is none of the other. */
static int only_of(const struct cli *cli, enum cli_option opt, const char *what)
{
	if (!cli->value[opt] || !strcmp(cli->operand[0], what))
		return CLI_DONE;
	return say_usage(cli, "--%s goes with %s", cli_options[opt].name, what);
}

int cmd_bundle(const struct cli *cli)
{
	const char *what = cli->operand[0];
	bool is_create = !strcmp(what, "create");
	int rc;

	if (!is_create && strcmp(what, "apply") != 0)
		return say_usage(cli, "create and apply are what can be done "
				      "with a bundle, not %s", what);
	if (!*cli->operand[1])
		return say_usage(cli, "the name of a file is empty");
	rc = only_of(cli, OPT_SINCE, "create");
	if (!rc)
		rc = only_of(cli, OPT_VKEY, "apply");
	if (!rc)
		rc = only_of(cli, OPT_MAX_AGE, "apply");
	if (!rc)
		rc = only_of(cli, OPT_THREADS, "apply");
	if (rc)
		return rc;
	return is_create ? create(cli) : apply(cli);
}
