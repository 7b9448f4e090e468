#include <stdio.h>

#include "args.h"
#include "obj.h"
#include "input.h"
#include "say.h"
#include "secret.h"
#include "store.h"

static void print_json(const struct cli *cli, const struct pakhus_stat *st)
{
	struct obj obj = obj_begin(stdout);

	obj_string(&obj, "store", cli->store);
	obj_string(&obj, "identity", st->identity);
	obj_string(&obj, "origin", st->origin);
	obj_string(&obj, "key", st->key);
	obj_bool(&obj, "immutable", st->immutable != 0);
	obj_end(&obj);
}

static void print_text(const struct cli *cli, const struct pakhus_stat *st)
{
	printf("store      %s\n", cli->store);
	printf("identity   %s\n", st->identity);
	printf("origin     %s\n", st->origin);
	printf("key        %s\n", st->key);
	printf("immutable  %s\n", st->immutable ? "yes" : "no");
}

static int init(const struct cli *cli, const struct pakhus_init_options *opt)
{
	const char *file = cli->value[OPT_KEY_FILE];
	struct pakhus_error err = {0};

	if (!pakhus_init(cli->store, opt, &err))
		return CLI_DONE;
	if (opt->key && err.status == PAKHUS_EINVAL)
		return say_error(cli, input_name(file), &err);
	return store_failed(cli, &err);
}

int cmd_init(const struct cli *cli)
{
	struct pakhus_init_options opt = {
		.origin = cli->value[OPT_ORIGIN],
		.immutable = cli->value[OPT_IMMUTABLE] != NULL};
	struct pakhus_error err = {0};
	struct pakhus_stat st;
	struct pakhus *store;
	char *key = NULL;
	int rc;

	rc = args_by(cli, &opt.by);
	if (rc)
		return rc;
	if (cli->value[OPT_KEY_FILE])
		rc = secret_read(cli, cli->value[OPT_KEY_FILE], &key);
	if (rc)
		return rc;
	opt.key = key;
	rc = init(cli, &opt);
	secret_free(key);
	if (rc)
		return rc;
	rc = store_open(cli, 0, 0, &store);
	if (rc)
		return rc;
	rc = pakhus_stat(store, 0, &st, &err);
	pakhus_close(store);
	if (rc)
		return store_failed(cli, &err);
	if (cli->value[OPT_JSON])
		print_json(cli, &st);
	else
		print_text(cli, &st);
	return CLI_DONE;
}
