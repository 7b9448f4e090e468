#include "pages.h"

#include <inttypes.h>

#include "args.h"
#include "out.h"
#include "say.h"
#include "store.h"

#define PAGE_LIMIT 1000

/* A page is read at one moment, the pages after it at others. */
static void compare_positions(const struct cli *cli, uint64_t *first,
			      const struct page *page)
{
	if (!*first)
		*first = page->position;
	if (page->position == *first || *first == UINT64_MAX)
		return;
	say(cli, "the store was written meanwhile; what moved to the front "
		 "since is not shown");
	*first = UINT64_MAX; /* once is enough */
}

int pages_run(const struct cli *cli, struct pages *pages)
{
	uint64_t left = UINT64_MAX, before = 0, position = 0;
	enum cli_option from =
		cli->value[OPT_BEFORE_SEQ] ? OPT_BEFORE_SEQ : OPT_BEFORE;
	struct pakhus_error err = {0};
	struct pakhus_range range;
	struct page page;
	int rc;

	rc = args_number(cli, OPT_LIMIT, 1, UINT64_MAX, &left);
	if (!rc)
		rc = args_number(cli, from, 1, UINT64_MAX, &before);
	if (rc)
		return rc;
	pages->partial = before != 0;
	while (left && !out_failed()) {
		range.before = before;
		range.limit = left < PAGE_LIMIT ? (size_t)left : PAGE_LIMIT;
		if (pages->read(pages->arg, range, &page, &err))
			return store_failed(cli, &err);
		compare_positions(cli, &position, &page);
		pages->count += page.count;
		left -= page.count;
		before = page.next;
		if (!before)
			return CLI_DONE;
	}
	if (!left)
		say(cli, "there is more: --before %" PRIu64, before);
	return CLI_DONE;
}
