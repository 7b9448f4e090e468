#include <stdio.h>

#include "args.h"
#include "input.h"
#include "obj.h"
#include "say.h"
#include "secret.h"
#include "store.h"

static void print(const struct cli *cli, const char *origin, const char *key)
{
	struct obj obj;

	if (!cli->value[OPT_JSON]) {
		puts(key);
		return;
	}
	obj = obj_begin(stdout);
	obj_string(&obj, "origin", origin);
	obj_string(&obj, "key", key);
	obj_end(&obj);
}

static int print_one(const struct cli *cli, struct pakhus *store)
{
	struct pakhus_error err = {0};
	struct pakhus_stat st;

	if (pakhus_stat(store, 0, &st, &err))
		return store_failed(cli, &err);
	print(cli, st.origin, st.key);
	return CLI_DONE;
}

static void print_item(const struct cli *cli, const struct pakhus_key *k)
{
	struct obj obj;

	if (!cli->value[OPT_JSON]) {
		printf("%llu\t%s\t%s\n", (unsigned long long)k->seq, k->time,
		       k->key);
		return;
	}
	obj = obj_begin(stdout);
	obj_string(&obj, "key", k->key);
	obj_number(&obj, "seq", k->seq);
	obj_string(&obj, "time", k->time);
	obj_number(&obj, "time_us", k->time_us);
	obj_string(&obj, "by", k->by);
	obj_end(&obj);
}

static int print_all(const struct cli *cli, struct pakhus *store)
{
	struct pakhus_error err = {0};
	struct pakhus_keys *keys;
	size_t i;

	if (pakhus_keys(store, &keys, &err))
		return store_failed(cli, &err);
	for (i = 0; i < keys->count; i++)
		print_item(cli, &keys->items[i]);
	pakhus_keys_free(keys);
	return CLI_DONE;
}

static int rotate(const struct cli *cli, struct pakhus *store, const char *key)
{
	struct pakhus_error err = {0};
	const char *by = NULL;
	int rc;

	rc = args_by(cli, &by);
	if (rc)
		return rc;
	if (!pakhus_rotate(store, key, by, NULL, &err))
		return print_one(cli, store);
	if (key && err.status == PAKHUS_EINVAL)
		return say_error(cli, input_name(cli->value[OPT_IMPORT]), &err);
	return store_failed(cli, &err);
}

static int check_options(const struct cli *cli)
{
	int all = cli->value[OPT_ALL] != NULL;
	int rotates = cli->value[OPT_ROTATE] != NULL;
	int imports = cli->value[OPT_IMPORT] != NULL;

	if (all + rotates + imports > 1)
		return say_usage(cli, "--all, --rotate and --import exclude "
				      "each other");
	if (cli->value[OPT_BY] && !rotates && !imports)
		return say_usage(cli, "--by goes with --rotate or --import");
	return CLI_DONE;
}

int cmd_key(const struct cli *cli)
{
	struct pakhus *store;
	char *key = NULL;
	int rc;

	rc = check_options(cli);
	if (!rc && cli->value[OPT_IMPORT])
		rc = secret_read(cli, cli->value[OPT_IMPORT], &key);
	if (!rc)
		rc = store_open(cli, 0, 0, &store);
	if (rc) {
		secret_free(key);
		return rc;
	}
	if (key || cli->value[OPT_ROTATE])
		rc = rotate(cli, store, key);
	else if (cli->value[OPT_ALL])
		rc = print_all(cli, store);
	else
		rc = print_one(cli, store);
	secret_free(key);
	pakhus_close(store);
	return rc;
}
