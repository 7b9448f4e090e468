#include <stdio.h>

#include "obj.h"
#include "out.h"
#include "say.h"
#include "store.h"

static void print(const struct cli *cli, const char *text, size_t size)
{
	struct obj obj;

	if (cli->value[OPT_JSON]) {
		obj = obj_begin(stdout);
		obj_string(&obj, "hash", cli->operand[0]);
		obj_number(&obj, "size", size);
		obj_raw(&obj, "text", text, size);
		obj_end(&obj);
		return;
	}
	/* nothing added: the SHA-256 of what is printed is HASH */
	fwrite(text, 1, size, stdout);
	if (out_is_terminal())
		putchar('\n');
}

int cmd_cat(const struct cli *cli)
{
	struct pakhus_error err = {0};
	struct pakhus *store;
	size_t size;
	char *text;
	int rc;

	rc = store_open(cli, 0, 0, &store);
	if (rc)
		return rc;
	if (pakhus_read(store, cli->operand[0], &text, &size, &err)) {
		rc = store_failed(cli, &err);
	} else {
		print(cli, text, size);
		pakhus_free(text);
	}
	pakhus_close(store);
	return rc;
}
