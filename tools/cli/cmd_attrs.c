#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "args.h"
#include "input.h"
#include "obj.h"
#include "say.h"
#include "store.h"

static void print(const struct cli *cli, const struct pakhus_attrs *a)
{
	struct obj obj;

	if (!cli->value[OPT_JSON]) {
		puts(a->text);
		return;
	}
	obj = obj_begin(stdout);
	obj_string(&obj, "id", a->id);
	if (a->version[0])
		obj_string(&obj, "version", a->version);
	obj_raw(&obj, "attrs", a->text, a->size);
	obj_string(&obj, "hash", a->hash);
	obj_number(&obj, "seq", a->seq);
	obj_string(&obj, "time", a->time);
	obj_number(&obj, "time_us", a->time_us);
	if (a->by[0])
		obj_string(&obj, "by", a->by);
	obj_end(&obj);
}

static int read_attrs(const struct cli *cli, struct pakhus *store,
		      const struct args_spec *spec)
{
	struct pakhus_error err = {0};
	struct pakhus_attrs *attrs;

	if (pakhus_attrs(store, spec->id, spec->version, &attrs, &err))
		return store_failed(cli, &err);
	print(cli, attrs);
	pakhus_attrs_free(attrs);
	return CLI_DONE;
}

static int failed(const struct cli *cli, const struct pakhus_error *err)
{
	const char *path = cli->value[OPT_SET];

	/* the names were checked with the arguments: it is the text */
	if (path && (err->status == PAKHUS_EINVAL ||
		     err->status == PAKHUS_ELIMIT))
		return say_error(cli, input_name(path), err);
	return store_failed(cli, err);
}

static int set_attrs(const struct cli *cli, struct pakhus *store,
		     const struct args_spec *spec, const char *text,
		     size_t size, const char *by)
{
	struct pakhus_error err = {0};
	struct obj obj;
	uint64_t seq;

	if (pakhus_set_attrs(store, spec->id, spec->version, text, size, by,
			     &seq, &err))
		return failed(cli, &err);
	if (cli->value[OPT_JSON]) {
		obj = obj_begin(stdout);
		obj_number(&obj, "seq", seq);
		obj_end(&obj);
	} else {
		printf("%s at position %" PRIu64 "\n",
		       cli->value[OPT_SET] ? "set" : "unset", seq);
	}
	return store_sync(cli, store);
}

static int run(const struct cli *cli, const struct args_spec *spec,
	       const char *text, size_t size, const char *by)
{
	struct pakhus *store;
	int rc = store_open(cli, 0, 0, &store);

	if (rc)
		return rc;
	rc = text ? set_attrs(cli, store, spec, text, size, by)
		  : read_attrs(cli, store, spec);
	pakhus_close(store);
	return rc;
}

static int with_spec(const struct cli *cli, const struct args_spec *spec,
		     const char *by)
{
	char *text;
	size_t size;
	int rc;

	if (!spec->id)
		return say_usage(cli, "an argument is missing");
	if (cli->value[OPT_SET] && cli->value[OPT_UNSET])
		return say_usage(cli, "one of --set and --unset");
	if (!cli->value[OPT_SET])
		return run(cli, spec, cli->value[OPT_UNSET] ? "{}" : NULL, 2,
			   by);
	rc = input_read(cli, cli->value[OPT_SET], &text, &size);
	if (rc)
		return rc;
	rc = run(cli, spec, text, size, by);
	free(text);
	return rc;
}

int cmd_attrs(const struct cli *cli)
{
	struct args_spec spec = {NULL, NULL};
	const char *by;
	int rc = args_by(cli, &by);

	if (!rc)
		rc = args_spec(cli, &spec);
	if (!rc)
		rc = with_spec(cli, &spec, by);
	args_spec_release(&spec);
	return rc;
}
