#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "args.h"
#include "obj.h"
#include "out.h"
#include "pages.h"
#include "say.h"
#include "store.h"
#include "table.h"

#define HASH_SHOWN 12 /* characters of a hash in the table */

struct history {
	struct pakhus *store;
	const char *id; /* NULL: of everything */
	struct table table;
	bool json, terminal;
};

static void to_table(struct table *table, const struct pakhus_entry *e)
{
	char seq[24], hash[HASH_SHOWN + 1];
	char by[PAKHUS_BY_MAX + 2 + PAKHUS_REASON_MAX + 1];
	const char *cells[] = {seq,	   e->time, e->op, e->id,
			       e->version, hash,    by};

	snprintf(by, sizeof(by), "%s%s%s", e->by,
		 e->by[0] && e->reason[0] ? ": " : "", e->reason);
	snprintf(seq, sizeof(seq), "%" PRIu64, e->seq);
	snprintf(hash, sizeof(hash), "%.*s", HASH_SHOWN, e->hash);
	table_row(table, cells);
}

static void to_columns(const struct pakhus_entry *e)
{
	printf("%s\t%" PRIu64 "\t%s\t%s\t%s\t%s\t%s%s%s\n", e->op, e->seq,
	       e->time, e->id, e->version, e->hash, e->by,
	       e->reason[0] ? "\t" : "", e->reason);
}

static void to_json(const struct pakhus_entry *e)
{
	struct obj obj = obj_begin(stdout);

	obj_string(&obj, "op", e->op);
	obj_number(&obj, "seq", e->seq);
	obj_string(&obj, "time", e->time);
	obj_number(&obj, "time_us", e->time_us);
	if (e->id[0])
		obj_string(&obj, "id", e->id);
	if (e->version[0])
		obj_string(&obj, "version", e->version);
	if (e->hash[0])
		obj_string(&obj, "hash", e->hash);
	if (!strcmp(e->op, "attrs"))
		obj_number(&obj, "size", e->attrs_size);
	if (e->reason[0])
		obj_string(&obj, "reason", e->reason);
	if (e->by[0])
		obj_string(&obj, "by", e->by);
	obj_end(&obj);
}

static int read_page(void *arg, struct pakhus_range range, struct page *page,
		     struct pakhus_error *err)
{
	struct history *h = arg;
	struct pakhus_history *got;
	size_t i;
	int rc;

	rc = pakhus_history(h->store, h->id, range, &got, err);
	if (rc)
		return rc;
	for (i = 0; i < got->count; i++) {
		if (h->json)
			to_json(&got->items[i]);
		else if (h->terminal)
			to_table(&h->table, &got->items[i]);
		else
			to_columns(&got->items[i]);
	}
	table_flush(&h->table);
	*page = (struct page){got->position, got->next, got->count};
	pakhus_history_free(got);
	return 0;
}

int cmd_history(const struct cli *cli)
{
	static const char *const heads[] = {"SEQ",     "TIME", "OP", "ID",
					    "VERSION", "HASH", "BY"};
	struct history h = {.id = cli->operands ? cli->operand[0] : NULL,
			    .table = {.heads = heads, .columns = 7},
			    .json = cli->value[OPT_JSON] != NULL,
			    .terminal = out_is_terminal()};
	struct pages pages = {.read = read_page, .arg = &h};
	int rc;

	if (h.id && !*h.id)
		return say_usage(cli, "the package id is empty");
	rc = store_open(cli, 0, 0, &h.store);
	if (rc)
		return rc;
	rc = pages_run(cli, &pages);
	if (!rc && h.id && !pages.count && !pages.partial)
		rc = args_id_not_found(cli, h.id);
	table_release(&h.table);
	pakhus_close(h.store);
	return rc;
}
