#include <stdio.h>

#include "obj.h"
#include "store.h"

static void print(const struct cli *cli, const struct pakhus_stat *st)
{
	struct obj obj;

	if (!cli->value[OPT_JSON]) {
		puts(st->key);
		return;
	}
	obj = obj_begin(stdout);
	obj_string(&obj, "origin", st->origin);
	obj_string(&obj, "key", st->key);
	obj_end(&obj);
}

int cmd_key(const struct cli *cli)
{
	struct pakhus_error err = {0};
	struct pakhus_stat st;
	struct pakhus *store;
	int rc;

	rc = store_open(cli, 0, 0, &store);
	if (rc)
		return rc;
	if (pakhus_stat(store, 0, &st, &err))
		rc = store_failed(cli, &err);
	else
		print(cli, &st);
	pakhus_close(store);
	return rc;
}
