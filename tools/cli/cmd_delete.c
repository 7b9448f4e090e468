#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "args.h"
#include "obj.h"
#include "say.h"
#include "store.h"

static void print(const struct cli *cli, uint64_t count)
{
	struct obj obj;

	if (!cli->value[OPT_JSON]) {
		printf("deleted %" PRIu64 " version%s\n", count,
		       count == 1 ? "" : "s");
		return;
	}
	obj = obj_begin(stdout);
	obj_number(&obj, "deleted", count);
	obj_end(&obj);
}

static int not_found(const struct cli *cli, const struct args_spec *spec)
{
	char *text = args_spec_text(spec);
	int rc = say_failed(cli, CLI_NOT_FOUND, "not found: %s", text);

	free(text);
	return rc;
}

static int run(const struct cli *cli, struct pakhus *store,
	       const struct args_spec *spec, const char *by)
{
	struct pakhus_error err = {0};
	uint64_t count = 0;

	if (pakhus_delete(store, spec->id, spec->version, by, &count, &err))
		return store_failed(cli, &err);
	if (!count)
		return not_found(cli, spec);
	print(cli, count);
	return store_sync(cli, store);
}

int cmd_delete(const struct cli *cli)
{
	struct args_spec spec = {NULL, NULL};
	struct pakhus *store;
	const char *by;
	int rc;

	rc = args_by(cli, &by);
	if (!rc)
		rc = args_spec(cli, &spec);
	if (rc)
		return rc;
	if (!spec.id)
		return say_usage(cli, "an argument is missing");
	rc = store_open(cli, 0, 0, &store);
	if (!rc) {
		rc = run(cli, store, &spec, by);
		pakhus_close(store);
	}
	args_spec_release(&spec);
	return rc;
}
