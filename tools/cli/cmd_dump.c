#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "input.h"
#include "mem.h"
#include "obj.h"
#include "say.h"

static int write_piece(void *arg, const char *text, size_t size)
{
	return fwrite(text, 1, size, arg) == size ? 0 : -1;
}

static int failed(const struct cli *cli, const struct pakhus_error *err)
{
	if (ferror(stdout))
		return CLI_FAILED; /* out_finish() tells */
	say_error(cli, NULL, err);
	return (int)exit_of_argument(err->status);
}

/* One JSON string has to be whole before it can be checked and quoted. */
static int dump_json(const struct cli *cli, struct pakhus_error *err)
{
	char *text = NULL;
	size_t size = 0;
	FILE *f = mem_need(open_memstream(&text, &size));
	int rc = pakhus_dump(cli->operand[0], write_piece, f, err);
	struct obj obj;

	fclose(f);
	mem_need(text);
	if (!rc) {
		obj = obj_begin(stdout);
		obj_string(&obj, "file", cli->operand[0]);
		obj_string(&obj, "text", text);
		obj_end(&obj);
	}
	free(text);
	return rc;
}

/* What no file of a store can be is told as every command tells it. */
static int check_input(const struct cli *cli)
{
	int fd, rc = input_open(cli, cli->operand[0], &fd);

	if (!rc)
		close(fd);
	return rc;
}

int cmd_dump(const struct cli *cli)
{
	struct pakhus_error err = {0};
	int rc;

	if (!strcmp(cli->operand[0], "-"))
		return say_usage(cli, "the place of stdin says nothing");
	rc = check_input(cli);
	if (rc)
		return rc;
	if (cli->value[OPT_JSON])
		rc = dump_json(cli, &err);
	else
		rc = pakhus_dump(cli->operand[0], write_piece, stdout, &err);
	return rc ? failed(cli, &err) : CLI_DONE;
}
