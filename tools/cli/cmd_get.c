#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "args.h"
#include "obj.h"
#include "record.h"
#include "say.h"
#include "store.h"

/* At most one of the four texts can be asked for. */
static int check_texts(const struct cli *cli)
{
	int n = !!cli->value[OPT_MANIFEST] + !!cli->value[OPT_METADATA] +
		!!cli->value[OPT_DOCUMENT] + !!cli->value[OPT_ARTIFACT];

	if (n > 1)
		return say_usage(cli, "one of --manifest, --metadata, "
				      "--document and --artifact");
	if (n && cli->value[OPT_JSON] && !cli->value[OPT_ARTIFACT])
		return say_usage(cli, "--json prints the whole record; "
				      "leave one of the two");
	return CLI_DONE;
}

/* Without a newline behind it: what is written is a file whose SHA-256 pins
 * it. */
static int print_artifact(const struct cli *cli,
			  const struct pakhus_package *p)
{
	char hash[PAKHUS_HASH_HEX + 1], *text;
	struct pakhus_error err = {0};
	struct obj obj;
	size_t size;

	if (pakhus_artifact(p, &text, &size, hash, &err))
		return say_error(cli, NULL, &err);
	if (cli->value[OPT_JSON]) {
		obj = obj_begin(stdout);
		obj_string(&obj, "id", p->record.id);
		obj_string(&obj, "version", p->record.version);
		obj_string(&obj, "hash", p->record.hash);
		obj_string(&obj, "sha256", hash);
		obj_number(&obj, "size", size);
		obj_raw(&obj, "artifact", text, size);
		obj_end(&obj);
	} else {
		fwrite(text, 1, size, stdout);
	}
	pakhus_free(text);
	return CLI_DONE;
}

static int print(const struct cli *cli, const struct pakhus_package *p)
{
	const char *text = NULL;
	size_t size = 0;

	if (cli->value[OPT_ARTIFACT])
		return print_artifact(cli, p);
	if (cli->value[OPT_MANIFEST]) {
		text = p->manifest;
		size = p->manifest_size;
	} else if (cli->value[OPT_METADATA]) {
		text = p->metadata;
		size = p->metadata_size;
	} else if (cli->value[OPT_DOCUMENT]) {
		text = p->document;
		size = p->document_size;
	}
	if (!text) {
		record_json_package(p);
		return CLI_DONE;
	}
	fwrite(text, 1, size, stdout);
	putchar('\n');
	return CLI_DONE;
}

static bool fits(const struct pakhus_record *record,
		 const struct args_spec *spec)
{
	if (spec->id && strcmp(spec->id, record->id) != 0)
		return false;
	return !spec->version || !strcmp(spec->version, record->version);
}

static int get_at(const struct cli *cli, struct pakhus *store, uint64_t seq,
		  const struct args_spec *spec)
{
	struct pakhus_error err = {0};
	struct pakhus_package *package;
	int rc;

	if (pakhus_get_at(store, seq, &package, &err))
		return store_failed(cli, &err);
	if (fits(&package->record, spec))
		rc = print(cli, package);
	else
		rc = say_failed(cli, CLI_NOT_FOUND,
				"not found: position %s holds %s@%s",
				cli->value[OPT_AT], package->record.id,
				package->record.version);
	pakhus_package_free(package);
	return rc;
}

static int get(const struct cli *cli, struct pakhus *store,
	       const struct args_spec *spec)
{
	struct pakhus_error err = {0};
	struct pakhus_package *package;
	int rc;

	if (pakhus_get(store, spec->id, spec->version, &package, &err))
		return store_failed(cli, &err);
	rc = print(cli, package);
	pakhus_package_free(package);
	return rc;
}

static int with_spec(const struct cli *cli, const struct args_spec *spec)
{
	uint64_t seq = UINT64_MAX;
	struct pakhus *store;
	int rc;

	rc = args_number(cli, OPT_AT, 0, UINT64_MAX - 1, &seq);
	if (rc)
		return rc;
	if (seq == UINT64_MAX && !spec->id)
		return say_usage(cli, "an argument is missing");
	rc = store_open(cli, 0, 0, &store);
	if (rc)
		return rc;
	if (seq == UINT64_MAX)
		rc = get(cli, store, spec);
	else
		rc = get_at(cli, store, seq, spec);
	pakhus_close(store);
	return rc;
}

int cmd_get(const struct cli *cli)
{
	struct args_spec spec = {NULL, NULL};
	int rc;

	rc = check_texts(cli);
	if (!rc)
		rc = args_spec(cli, &spec);
	if (!rc)
		rc = with_spec(cli, &spec);
	args_spec_release(&spec);
	return rc;
}
