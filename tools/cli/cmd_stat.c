#include <inttypes.h>
#include <stdio.h>

#include "obj.h"
#include "out.h"
#include "store.h"

static void print_json(const struct cli *cli, const struct pakhus_stat *st)
{
	struct obj obj = obj_begin(stdout);

	obj_string(&obj, "store", cli->store);
	obj_string(&obj, "identity", st->identity);
	obj_string(&obj, "origin", st->origin);
	obj_string(&obj, "key", st->key);
	obj_bool(&obj, "immutable", st->immutable != 0);
	obj_bool(&obj, "writable", st->writable != 0);
	if (!st->writable)
		obj_string(&obj, "why_not", st->why_not);
	obj_number(&obj, "entries", st->entries);
	obj_number(&obj, "checkpoint", st->checkpoint);
	obj_string(&obj, "root", st->root);
	obj_number(&obj, "packages", st->packages);
	obj_number(&obj, "versions", st->versions);
	obj_number(&obj, "objects", st->objects);
	obj_number(&obj, "object_bytes", st->object_bytes);
	obj_number(&obj, "object_blocks", st->object_blocks);
	obj_number(&obj, "max_depth", st->max_depth);
	obj_number(&obj, "journal_bytes", st->journal_bytes);
	obj_number(&obj, "index_bytes", st->index_bytes);
	obj_end(&obj);
}

static void text(const char *name, const char *value)
{
	printf("%-11s", name);
	out_plain(stdout, value);
	putchar('\n');
}

static void number(const char *name, uint64_t n)
{
	printf("%-11s%" PRIu64 "\n", name, n);
}

static void print_text(const struct cli *cli, const struct pakhus_stat *st)
{
	text("store", cli->store);
	text("identity", st->identity);
	text("origin", st->origin);
	text("key", st->key);
	text("immutable", st->immutable ? "yes" : "no");
	printf("%-11s%s%s\n", "writable",
	       st->writable ? "yes" : "no: ", st->writable ? "" : st->why_not);
	printf("%-11s%" PRIu64 ", %" PRIu64 " of them in the signed tree\n",
	       "entries", st->entries, st->checkpoint);
	text("root", st->root);
	number("packages", st->packages);
	number("versions", st->versions);
	printf("%-11s%" PRIu64 ", %" PRIu64 " bytes, %" PRIu64 " on disk\n",
	       "objects", st->objects, st->object_bytes, st->object_blocks);
	number("depth", st->max_depth);
	printf("%-11s%" PRIu64 " bytes\n", "journal", st->journal_bytes);
	printf("%-11s%" PRIu64 " bytes\n", "index", st->index_bytes);
}

int cmd_stat(const struct cli *cli)
{
	struct pakhus_error err = {0};
	struct pakhus_stat st;
	struct pakhus *store;
	int rc;

	rc = store_open(cli, 0, 0, &store);
	if (rc)
		return rc;
	if (pakhus_stat(store, PAKHUS_STAT_OBJECTS, &st, &err))
		rc = store_failed(cli, &err);
	else if (cli->value[OPT_JSON])
		print_json(cli, &st);
	else
		print_text(cli, &st);
	pakhus_close(store);
	return rc;
}
