#include <stdio.h>

#include "obj.h"
#include "store.h"

static void print(const struct cli *cli, const char *text, size_t size)
{
	struct obj obj;

	if (!cli->value[OPT_JSON]) {
		fwrite(text, 1, size, stdout);
		return;
	}
	obj = obj_begin(stdout);
	obj_string(&obj, "checkpoint", text);
	obj_end(&obj);
}

int cmd_checkpoint(const struct cli *cli)
{
	struct pakhus_error err = {0};
	struct pakhus *store;
	size_t size;
	char *text;
	int rc;

	rc = store_open(cli, 0, 0, &store);
	if (rc)
		return rc;
	if (pakhus_checkpoint(store, cli->value[OPT_RENEW] != NULL, &text,
			      &size, &err)) {
		rc = store_failed(cli, &err);
	} else {
		print(cli, text, size);
		pakhus_free(text);
	}
	pakhus_close(store);
	return rc;
}
