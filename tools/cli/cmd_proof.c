/* cmd_proof.c - proofs out of a store, and checking them without one.
 */
#include "proof.h"

#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "args.h"
#include "input.h"
#include "obj.h"
#include "out.h"
#include "say.h"
#include "store.h"
#include "vkey.h"

/* ---- prove ---- */

static void print_text(const struct cli *cli, const char *text, size_t size)
{
	struct obj obj;

	if (!cli->value[OPT_JSON]) {
		fwrite(text, 1, size, stdout);
		return;
	}
	obj = obj_begin(stdout);
	obj_string(&obj, "proof", text);
	obj_end(&obj);
}

/* Whether an entry that was asked for by its position is of the package and
 * version that were named besides. */
static int check_fits(const struct cli *cli, struct pakhus *store,
		      const struct args_spec *spec, uint64_t seq)
{
	struct pakhus_range range = {.before = seq + 1, .limit = 1};
	struct pakhus_error err = {0};
	struct pakhus_history *history;
	const struct pakhus_entry *e;
	int rc = CLI_DONE;

	if (pakhus_history(store, NULL, range, &history, &err))
		return store_failed(cli, &err);
	e = history->items;
	if (history->count && e->seq == seq &&
	    (strcmp(e->id, spec->id) != 0 ||
	     (spec->version && strcmp(e->version, spec->version) != 0)))
		rc = say_failed(cli, CLI_NOT_FOUND,
				"not found: position %" PRIu64
				" holds %s%s%s%s%s",
				seq, e->op, *e->id ? " " : "", e->id,
				*e->version ? "@" : "", e->version);
	pakhus_history_free(history);
	return rc;
}

static int prove_in(const struct cli *cli, struct pakhus *store,
		    const struct args_spec *spec, uint64_t seq)
{
	struct pakhus_error err = {0};
	size_t size;
	char *text;
	int rc;

	if (!cli->value[OPT_AT])
		rc = pakhus_prove(store, spec->id, spec->version, &text, &size,
				  &err);
	else
		rc = pakhus_prove_at(store, seq, &text, &size, &err);
	if (rc)
		return store_failed(cli, &err);
	print_text(cli, text, size);
	pakhus_free(text);
	return CLI_DONE;
}

static int prove(const struct cli *cli, const struct args_spec *spec,
		 uint64_t seq)
{
	struct pakhus *store;
	int rc;

	rc = store_open(cli, 0, 0, &store);
	if (rc)
		return rc;
	if (spec->id && cli->value[OPT_AT])
		rc = check_fits(cli, store, spec, seq);
	if (!rc)
		rc = prove_in(cli, store, spec, seq);
	pakhus_close(store);
	return rc;
}

int cmd_prove(const struct cli *cli)
{
	struct args_spec spec = {NULL, NULL};
	uint64_t seq = 0;
	int rc;

	rc = args_number(cli, OPT_AT, 0, UINT64_MAX - 1, &seq);
	if (!rc)
		rc = args_spec(cli, &spec);
	if (!rc && !spec.id && !cli->value[OPT_AT])
		rc = say_usage(cli, "an argument is missing");
	if (!rc)
		rc = prove(cli, &spec, seq);
	args_spec_release(&spec);
	return rc;
}

/* ---- verify --proof ---- */

/* Whether the document is the one of the entry. */
static int check_document(const struct cli *cli,
			  const struct pakhus_entry *entry)
{
	const char *path = cli->operand[0];
	struct pakhus_error err = {0};
	char hash[PAKHUS_HASH_HEX + 1], *text;
	size_t size;
	int rc;

	if (strcmp(entry->op, "publish") != 0)
		return say_failed(cli, CLI_DAMAGED,
				  "the proof is of a %s, which has no document",
				  entry->op);
	rc = input_read(cli, path, &text, &size);
	if (rc)
		return rc;
	rc = pakhus_hash(text, size, hash, &err);
	free(text);
	if (rc)
		return say_error(cli, input_name(path), &err);
	if (strcmp(hash, entry->hash) != 0)
		return say_failed(cli, CLI_DAMAGED,
				  "%s is another document: its hash is %s, and "
				  "%s was published",
				  input_name(path), hash, entry->hash);
	return CLI_DONE;
}

static void print_json(const struct cli *cli, const struct pakhus_proof *p)
{
	const struct pakhus_entry *e = &p->entry;
	struct obj obj = obj_begin(stdout);

	obj_string(&obj, "op", e->op);
	obj_string(&obj, "id", e->id);
	obj_string(&obj, "version", e->version);
	obj_string(&obj, "hash", e->hash);
	obj_number(&obj, "seq", e->seq);
	obj_number(&obj, "time_us", e->time_us);
	obj_string(&obj, "by", e->by);
	obj_string(&obj, "origin", p->origin);
	obj_number(&obj, "entries", p->entries);
	obj_number(&obj, "signed_us", p->time_us);
	obj_bool(&obj, "document", cli->operands > 0);
	obj_end(&obj);
}

static void print_proof(const struct cli *cli, const struct pakhus_proof *p)
{
	const struct pakhus_entry *e = &p->entry;

	if (cli->value[OPT_JSON]) {
		print_json(cli, p);
		return;
	}
	fputs(e->op, stdout);
	if (*e->id) {
		putchar(' ');
		out_plain(stdout, e->id);
	}
	if (*e->version) {
		putchar('@');
		out_plain(stdout, e->version);
	}
	if (*e->hash)
		printf(" %s", e->hash);
	printf(" position %" PRIu64 " of %" PRIu64 ", signed%s%s by %s\n",
	       e->seq, p->entries, *p->time ? " " : "", p->time, p->origin);
	if (cli->operands) {
		out_plain(stdout, input_name(cli->operand[0]));
		puts(" is the document of this hash");
	}
}

static int check(const struct cli *cli, const char *text, size_t size,
		 const char *key)
{
	struct pakhus_error err = {0};
	struct pakhus_proof proof;
	int rc;

	if (pakhus_check_proof(text, size, key, &proof, &err)) {
		say_error(cli,
			  err.status == PAKHUS_EINVAL
				  ? "--key"
				  : input_name(cli->value[OPT_PROOF]),
			  &err);
		return (int)exit_of_argument(err.status);
	}
	rc = cli->operands ? check_document(cli, &proof.entry) : CLI_DONE;
	if (!rc)
		print_proof(cli, &proof);
	return rc;
}

int proof_verify(const struct cli *cli)
{
	const char *path = cli->value[OPT_PROOF];
	char *text, *key;
	size_t size;
	int rc;

	if (!cli->value[OPT_VKEY])
		return say_usage(cli, "--proof needs --key");
	if (cli->value[OPT_REBUILD])
		return say_usage(cli, "--proof opens no store; leave "
				      "--rebuild");
	if (cli->value[OPT_QUICK] || cli->value[OPT_REPAIR] ||
	    cli->value[OPT_FROM] || cli->value[OPT_THREADS])
		return say_usage(cli, "--proof opens no store; leave --quick, "
				      "--repair, --from and --threads");
	if (cli->operands && !strcmp(path, "-") &&
	    !strcmp(cli->operand[0], "-"))
		return say_usage(cli, "proof and document cannot both be "
				      "stdin");
	rc = vkey_read(cli, &key);
	if (rc)
		return rc;
	rc = input_read(cli, path, &text, &size);
	if (!rc) {
		rc = check(cli, text, size, key);
		free(text);
	}
	free(key);
	return rc;
}
