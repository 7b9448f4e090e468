/* cmd_gc.c - taking out of the tree what nothing live needs. */
#include <inttypes.h>
#include <stdio.h>

#include "args.h"
#include "obj.h"
#include "out.h"
#include "progress.h"
#include "store.h"

static void json_object(const struct pakhus_garbage *g)
{
	struct obj obj = obj_begin(stdout);

	obj_string(&obj, "hash", g->hash);
	obj_number(&obj, "bytes", g->bytes);
	obj_string(&obj, "id", g->id);
	obj_string(&obj, "version", g->version);
	obj_number(&obj, "since_us", g->since_us);
	obj_bool(&obj, "freed", g->is_freed != 0);
	obj_end(&obj);
}

static void on_garbage(void *arg, const struct pakhus_garbage *g)
{
	const struct cli *cli = arg;

	progress_clear();
	if (cli->value[OPT_JSON]) {
		json_object(g);
		return;
	}
	printf("%s\t%s\t%" PRIu64 "\t", g->is_freed ? "free" : "wait", g->hash,
	       g->bytes);
	out_plain(stdout, g->id);
	if (*g->version)
		putchar('@');
	out_plain(stdout, g->version);
	putchar('\n');
}

static void json_summary(const struct cli *cli, const struct pakhus_gc *gc)
{
	struct obj obj = obj_begin(stdout);

	obj_bool(&obj, "dry_run", cli->value[OPT_DRY_RUN] != NULL);
	obj_number(&obj, "freed", gc->freed);
	obj_number(&obj, "freed_bytes", gc->freed_bytes);
	obj_number(&obj, "waiting", gc->waiting);
	obj_number(&obj, "waiting_bytes", gc->waiting_bytes);
	obj_number(&obj, "emptied", gc->emptied);
	obj_number(&obj, "emptied_bytes", gc->emptied_bytes);
	obj_end(&obj);
}

static void line(const char *does, uint64_t n, uint64_t bytes, const char *to)
{
	printf("%s%" PRIu64 " object%s, %" PRIu64 " byte%s%s\n", does, n,
	       n == 1 ? "" : "s", bytes, bytes == 1 ? "" : "s", to);
}

static void summary(const struct cli *cli, const struct pakhus_gc *gc)
{
	if (cli->value[OPT_JSON]) {
		json_summary(cli, gc);
		return;
	}
	if (cli->value[OPT_DRY_RUN])
		line("would free ", gc->freed, gc->freed_bytes, "");
	else
		line("freed ", gc->freed, gc->freed_bytes,
		     gc->freed ? ", which the next gc removes" : "");
	if (gc->waiting)
		line("", gc->waiting, gc->waiting_bytes,
		     gc->waiting == 1 ? " waits" : " wait");
	if (gc->emptied)
		line("removed ", gc->emptied, gc->emptied_bytes,
		     " that an earlier gc freed");
}

int cmd_gc(const struct cli *cli)
{
	/* the callback's argument is not const; nothing is changed by it */
	struct cli copy = *cli;
	struct pakhus_gc gc = {.arg = &copy};
	uint64_t grace = UINT64_C(14) * 86400;
	struct pakhus_error err = {0};
	struct pakhus *store;
	int rc;

	rc = args_duration(cli, OPT_GRACE, 0, &grace);
	if (rc)
		return rc;
	gc.grace_us = grace * 1000000;
	if (cli->value[OPT_DRY_RUN])
		gc.flags = PAKHUS_GC_DRY_RUN;
	if (cli->value[OPT_DRY_RUN] || cli->value[OPT_JSON])
		gc.garbage = on_garbage;
	rc = store_open(cli, 0, 0, &store);
	if (rc)
		return rc;
	rc = pakhus_gc(store, &gc, &err);
	progress_clear();
	if (rc)
		rc = store_failed(cli, &err);
	else
		summary(cli, &gc);
	pakhus_close(store);
	return rc;
}
