/* cmd_mirror.c - a mirror of what a source has, once or for as long as
 * nobody stops it.
 */
#include <stdbool.h>
#include <stdlib.h>

#include "args.h"
#include "interrupt.h"
#include "out.h"
#include "progress.h"
#include "say.h"
#include "source.h"
#include "store.h"
#include "synced.h"
#include "vkey.h"

#define EVERY 60 /* s; a look is one small file */

struct mirror {
	const struct cli *cli;
	const char *dir;
	struct source source;
	struct pakhus_mirror how; /* as the command line has it */
	char *key;
	uint64_t every;
	bool follow, told; /* that nothing changed, before */
	bool came; /* anything, ever */
};

/* ---- A round ---- */

static void print_text(struct mirror *m, const struct pakhus_mirror *r)
{
	bool same = r->entries == r->before && !r->objects;

	if (!same || !m->told)
		synced_text(m->dir, m->source.as.name, r);
	m->told = same;
}

/* The library's status. */
static int sync_once(struct mirror *m)
{
	struct pakhus_mirror r = m->how;
	struct pakhus_error err = {0};
	int rc = pakhus_mirror(m->dir, &m->source.as, &r, &err);

	progress_clear();
	if (rc && m->follow && interrupt_pending())
		return PAKHUS_ECANCELED;
	if (rc) {
		say_error(m->cli, NULL, &err);
		return rc;
	}
	if (m->cli->value[OPT_JSON])
		synced_json(m->dir, m->source.as.name, &r);
	else
		print_text(m, &r);
	out_flush();
	m->came = true;
	return 0;
}

/* ---- One after the other ---- */

/* What may be over when it is tried again. That a source is not to be
 * believed has to be seen, not passed over, and so has a wrong address. */
static bool may_pass(const struct mirror *m, int status)
{
	return status == PAKHUS_ENETWORK ||
	       (status == PAKHUS_ENOTFOUND && m->came) ||
	       status == PAKHUS_EBUSY || status == PAKHUS_ESYS ||
	       status == PAKHUS_ENOMEM;
}

static int follow(struct mirror *m)
{
	uint64_t soon = m->every < EVERY ? m->every : EVERY;
	int rc;

	while (!interrupt_pending() && !out_failed()) {
		rc = sync_once(m);
		if (rc && rc != PAKHUS_ECANCELED && !may_pass(m, rc))
			return (int)exit_of_argument(rc);
		m->told = m->told && !rc;
		interrupt_wait(rc ? soon : m->every);
	}
	return CLI_DONE;
}

/* ---- The command line ---- */

static int read_options(struct mirror *m)
{
	const struct cli *cli = m->cli;
	uint64_t age = 0;
	int rc;

	if (cli->value[OPT_STORE])
		return say_usage(cli, "the mirror is named behind its source, "
				      "not by -C");
	if (!*m->dir)
		return say_usage(cli, "the mirror's name is empty");
	if (cli->value[OPT_EVERY] && !m->follow)
		return say_usage(cli, "--every goes with --follow");
	rc = args_threads(cli, &m->how.threads);
	if (!rc)
		rc = args_duration(cli, OPT_MAX_AGE, 1, &age);
	if (!rc)
		rc = args_duration(cli, OPT_EVERY, 1, &m->every);
	if (!rc)
		rc = vkey_read(cli, &m->key);
	m->how.max_age_us = age * 1000000;
	m->how.key = m->key;
	return rc;
}

int cmd_mirror(const struct cli *cli)
{
	struct mirror m = {.cli = cli,
			   .dir = cli->operand[1],
			   .how.progress = store_progress,
			   .how.notice = store_notice,
			   .every = EVERY,
			   .follow = cli->value[OPT_FOLLOW] != NULL};
	int rc = read_options(&m);

	if (!rc)
		rc = source_open(cli, cli->operand[0], &m.source);
	if (!rc) {
		interrupt_catch();
		rc = m.follow ? follow(&m)
			      : (int)exit_of_argument(sync_once(&m));
		source_close(&m.source);
	}
	free(m.key);
	return rc;
}
