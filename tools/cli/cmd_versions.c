#include "args.h"
#include "out.h"
#include "pages.h"
#include "record.h"
#include "say.h"
#include "store.h"
#include "table.h"

struct versions {
	struct pakhus *store;
	const char *id;
	struct table table;
	bool json, terminal;
};

static void to_table(struct table *table, const struct pakhus_record *r)
{
	const char *cells[] = {r->version, r->created_at, r->updated_at,
			       r->hash};

	table_row(table, cells);
}

static int read_page(void *arg, struct pakhus_range range, struct page *page,
		     struct pakhus_error *err)
{
	struct versions *v = arg;
	struct pakhus_versions *got;
	size_t i;
	int rc;

	rc = pakhus_versions(v->store, v->id, range, &got, err);
	if (rc)
		return rc;
	for (i = 0; i < got->count; i++) {
		if (v->json)
			record_json(&got->items[i]);
		else if (v->terminal)
			to_table(&v->table, &got->items[i]);
		else
			record_columns(&got->items[i]);
	}
	table_flush(&v->table);
	*page = (struct page){got->position, got->next, got->count};
	pakhus_versions_free(got);
	return 0;
}

int cmd_versions(const struct cli *cli)
{
	static const char *const heads[] = {"VERSION", "CREATED", "UPDATED",
					    "HASH"};
	struct versions v = {.id = cli->operand[0],
			     .table = {.heads = heads, .columns = 4},
			     .json = cli->value[OPT_JSON] != NULL,
			     .terminal = out_is_terminal()};
	struct pages pages = {.read = read_page, .arg = &v};
	int rc;

	if (!*v.id)
		return say_usage(cli, "the package id is empty");
	rc = store_open(cli, 0, 0, &v.store);
	if (rc)
		return rc;
	rc = pages_run(cli, &pages);
	if (!rc && !pages.count && !pages.partial)
		rc = args_id_not_found(cli, v.id);
	table_release(&v.table);
	pakhus_close(v.store);
	return rc;
}
