#include <errno.h>
#include <stdio.h>
#include <unistd.h>

#include "obj.h"
#include "out.h"
#include "say.h"
#include "store.h"

int cmd_adopt(const struct cli *cli)
{
	struct pakhus_error err = {0};
	struct obj obj;

	if (!cli->value[OPT_HERE])
		return say_usage(
			cli,
			"--here is missing; it says that of all copies of "
			"this store %s is the only one that will be written",
			cli->store);
	if (pakhus_adopt_here(cli->store, &err) && err.sys == ENOENT &&
	    access(cli->store, F_OK))
		return say_failed(cli, CLI_NOT_FOUND, "%s: no store there",
				  cli->store);
	if (err.status)
		return store_failed(cli, &err);
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
