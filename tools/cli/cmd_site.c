#include <inttypes.h>

#include "interrupt.h"
#include "obj.h"
#include "say.h"
#include "site.h"
#include "store.h"

static void say_left_out(const struct site *site)
{
	if (site->packages_out || site->versions_out)
		say(site->cli,
		    "left out, as their names can be no part of a path: "
		    "%" PRIu64 " package%s, %" PRIu64 " version%s (%s%s)",
		    site->packages_out, site->packages_out == 1 ? "" : "s",
		    site->versions_out, site->versions_out == 1 ? "" : "s",
		    site->packages_out + site->versions_out == 1 ? ""
								 : "one is ",
		    site->example ? site->example : "");
}

static void print(const struct site *site)
{
	struct obj obj;

	if (!site->cli->value[OPT_JSON]) {
		printf("%" PRIu64 " package%s: %" PRIu64 " file%s written, "
		       "%" PRIu64 " removed\n",
		       site->packages, site->packages == 1 ? "" : "s",
		       site->tree.written, site->tree.written == 1 ? "" : "s",
		       site->tree.removed);
		return;
	}
	obj = obj_begin(stdout);
	obj_number(&obj, "packages", site->packages);
	obj_number(&obj, "written", site->tree.written);
	obj_number(&obj, "removed", site->tree.removed);
	obj_number(&obj, "packages_left_out", site->packages_out);
	obj_number(&obj, "versions_left_out", site->versions_out);
	obj_bool(&obj, "anew", site->anew);
	obj_number(&obj, "entries", site->position);
	obj_end(&obj);
}

/* For readers that have no runtime but HTTP. Where the store is only read,
 * who writes it does this. */
static int refresh_pkg(const struct cli *cli, struct pakhus *store)
{
	struct pakhus_error err = {0};
	int rc = pakhus_refresh_pkg(store, &err);

	return rc && rc != PAKHUS_EDENIED ? store_failed(cli, &err) : CLI_DONE;
}

int cmd_site(const struct cli *cli)
{
	struct site site = {.cli = cli};
	int rc;

	if (!*cli->operand[0])
		return say_usage(cli, "the directory's name is empty");
	rc = store_open(cli, 0, 0, &site.store);
	if (rc)
		return rc;
	interrupt_catch();
	rc = tree_open(cli, cli->operand[0], &site.tree);
	if (!rc) {
		rc = site_run(&site);
		if (!rc)
			rc = refresh_pkg(cli, site.store);
		if (!rc) {
			say_left_out(&site);
			print(&site);
		}
		site_release(&site);
	}
	pakhus_close(site.store);
	return rc;
}
