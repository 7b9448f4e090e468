#include <stdlib.h>

#include "obj.h"
#include "out.h"
#include "pages.h"
#include "record.h"
#include "store.h"
#include "table.h"

struct list {
	struct pakhus *store;
	struct table table;
	bool json, terminal;
};

static void to_table(struct table *table, const struct pakhus_package *p)
{
	char *name = obj_name_of(p->manifest, p->manifest_size);
	const char *cells[] = {p->record.id, p->record.version,
			       p->record.updated_at, name};

	table_row(table, cells);
	free(name);
}

static int read_page(void *arg, struct pakhus_range range, struct page *page,
		     struct pakhus_error *err)
{
	struct list *list = arg;
	struct pakhus_list *got;
	size_t i;
	int rc;

	rc = pakhus_list(list->store, range, 0, &got, err);
	if (rc)
		return rc;
	for (i = 0; i < got->count; i++) {
		if (list->json)
			record_json_package(got->items[i]);
		else if (list->terminal)
			to_table(&list->table, got->items[i]);
		else
			record_columns(&got->items[i]->record);
	}
	table_flush(&list->table);
	*page = (struct page){got->position, got->next, got->count};
	pakhus_list_free(got);
	return 0;
}

int cmd_list(const struct cli *cli)
{
	static const char *const heads[] = {"ID", "VERSION", "UPDATED", "NAME"};
	struct list list = {.table = {.heads = heads, .columns = 4},
			    .json = cli->value[OPT_JSON] != NULL,
			    .terminal = out_is_terminal()};
	struct pages pages = {.read = read_page, .arg = &list};
	int rc;

	rc = store_open(cli, 0, 0, &list.store);
	if (rc)
		return rc;
	rc = pages_run(cli, &pages);
	table_release(&list.table);
	pakhus_close(list.store);
	return rc;
}
