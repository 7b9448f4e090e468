#include <inttypes.h>
#include <stdio.h>

#include "args.h"
#include "obj.h"
#include "say.h"
#include "store.h"

static void print(const struct cli *cli, const struct pakhus_purged *purged)
{
	struct obj obj;

	if (!cli->value[OPT_JSON]) {
		printf("purged %" PRIu64 " text%s, stored %" PRIu64
		       " other%s anew\n",
		       purged->texts, purged->texts == 1 ? "" : "s",
		       purged->encoded, purged->encoded == 1 ? "" : "s");
		return;
	}
	obj = obj_begin(stdout);
	obj_number(&obj, "purged", purged->texts);
	obj_number(&obj, "seq", purged->seq);
	obj_number(&obj, "encoded", purged->encoded);
	obj_end(&obj);
}

static int run(const struct cli *cli, struct pakhus *store,
	       const struct args_spec *spec, uint64_t seq, const char *by)
{
	const char *reason = cli->value[OPT_REASON];
	struct pakhus_error err = {0};
	struct pakhus_purged purged;
	int rc;

	if (seq == UINT64_MAX)
		rc = pakhus_purge(store, spec->id, spec->version, reason, by,
				  &purged, &err);
	else
		rc = pakhus_purge_at(store, spec->id, spec->version, seq,
				     reason, by, &purged, &err);
	if (rc)
		return store_failed(cli, &err);
	print(cli, &purged);
	return CLI_DONE;
}

static int check(const struct cli *cli, const struct args_spec *spec,
		 int is_at)
{
	const char *reason = cli->value[OPT_REASON];

	if (!spec->id)
		return say_usage(cli, "an argument is missing");
	if (!spec->version && !is_at) /* what is said of a package has none */
		return say_usage(cli, "purge needs a version: ID@VERSION");
	if (!reason || !*reason)
		return say_usage(cli, "--reason is missing: say why, as the "
				      "log keeps it for ever");
	return CLI_DONE;
}

int cmd_purge(const struct cli *cli)
{
	struct args_spec spec = {NULL, NULL};
	uint64_t seq = UINT64_MAX;
	struct pakhus *store;
	const char *by;
	int rc;

	rc = args_by(cli, &by);
	if (!rc)
		rc = args_number(cli, OPT_AT, 0, UINT64_MAX - 1, &seq);
	if (!rc)
		rc = args_spec(cli, &spec);
	if (rc)
		return rc;
	rc = check(cli, &spec, seq != UINT64_MAX);
	if (!rc)
		rc = store_open(cli, 0, 0, &store);
	if (!rc) {
		rc = run(cli, store, &spec, seq, by);
		pakhus_close(store);
	}
	args_spec_release(&spec);
	return rc;
}
