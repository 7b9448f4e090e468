#include "site_state.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "say.h"
#include "site_name.h"
#include "store.h"

#define STATE ".pakhus-site"

/* What a log says of an entry, by which another log is told from it. */
int site_mark(const struct site *site, uint64_t position,
	      char out[SITE_MARK_MAX])
{
	struct pakhus_range range = {position, 1};
	struct pakhus_history *page;
	struct pakhus_error err = {0};
	const struct pakhus_entry *e;

	if (pakhus_history(site->store, NULL, range, &page, &err))
		return store_failed(site->cli, &err);
	e = page->items; /* there is one: a log begins with its key */
	snprintf(out, SITE_MARK_MAX, "%" PRIu64 " %" PRIu64 " %s", e->seq + 1,
		 e->time_us, e->hash[0] ? e->hash : "-");
	pakhus_history_free(page);
	return CLI_DONE;
}

int site_note(struct site *site, const char *mark)
{
	FILE *file = tree_new(&site->tree);
	uint64_t written = site->tree.written;
	int rc;

	if (!file)
		return CLI_FAILED;
	fprintf(file, "pakhus site 1\n%s\n%s\n", site->identity, mark);
	rc = tree_put(&site->tree, file, STATE);
	site->tree.written = written; /* nobody asked for this one */
	return rc;
}

static bool state_read(const struct site *site, char mark[SITE_MARK_MAX])
{
	char *text = tree_read(&site->tree, STATE, 511);
	char identity[33];
	int end = 0;
	bool good = text &&
		    sscanf(text, "pakhus site 1\n%32s\n%127[^\n]%n", identity,
			   mark, &end) == 2 &&
		    !strcmp(text + end, "\n") &&
		    !strcmp(identity, site->identity);

	free(text);
	return good;
}

/* Whether this directory is one that may be written to: it is empty, or was
 * made by this program, which its hidden file or its list tells. */
static bool is_site(const struct tree *tree)
{
	char *text = tree_read(tree, STATE, 511);
	char head[sizeof(SITE_LIST_HEAD)];
	bool good = text && !strncmp(text, "pakhus site ", 12);

	free(text);
	return good || tree_is_empty(tree) ||
	       (tree_head(tree, SITE_LIST, head, sizeof(head) - 1) &&
		!memcmp(head, SITE_LIST_HEAD, sizeof(head) - 1));
}

/* Whether the hidden file is another store's: a slip in -C would take down
 * what its runtimes read. */
static bool is_anothers(const struct site *site)
{
	char *text = tree_read(&site->tree, STATE, 511);
	char identity[33];
	bool other = text &&
		     sscanf(text, "pakhus site 1\n%32[0-9a-f]", identity) == 1 &&
		     strlen(identity) == 32 &&
		     strcmp(identity, site->identity) != 0;

	free(text);
	return other;
}

/* Sets where to go on from, and says in the site that a run was begun. */
int site_begin(struct site *site)
{
	char was[SITE_MARK_MAX], now[SITE_MARK_MAX];
	struct pakhus_error err = {0};
	struct pakhus_stat st;
	int rc;

	if (!is_site(&site->tree))
		return say_failed(site->cli, CLI_CONFLICT,
				  "%s: neither empty nor a site",
				  site->tree.path);
	if (pakhus_stat(site->store, 0, &st, &err))
		return store_failed(site->cli, &err);
	snprintf(site->identity, sizeof(site->identity), "%s", st.identity);
	site->position = st.entries;
	if (is_anothers(site))
		return say_failed(site->cli, CLI_CONFLICT,
				  "%s: the site of another store; take another "
				  "directory, or remove it first",
				  site->tree.path);
	if (state_read(site, was)) {
		site->from = strtoull(was, NULL, 10);
		if (site->from > st.entries)
			site->from = 0;
	}
	if (site->from) {
		rc = site_mark(site, site->from, now);
		if (rc)
			return rc;
		if (strcmp(was, now) != 0)
			site->from = 0;
	}
	site->anew = !site->from;
	return site->anew ? site_note(site, "0") : CLI_DONE;
}
