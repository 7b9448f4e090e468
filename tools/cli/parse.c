#include "parse.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "mem.h"
#include "say.h"

/* The options a command line may have at its present place. */
static uint64_t allowed(const struct cli *cli)
{
	return (cli->command ? cli->command->options : 0) | CLI_OPT(OPT_STORE) |
	       CLI_OPT(OPT_HELP);
}

/* The option that word is, its argument after '=' if it has one. */
static int option_of(const struct cli *cli, const char *word,
		     const char **value)
{
	uint64_t may = allowed(cli);
	size_t n;
	int i;

	*value = NULL;
	for (i = 0; i < OPT_COUNT; i++) {
		if (!(may & CLI_OPT(i)))
			continue;
		if (word[1] != '-') {
			if (word[1] != cli_options[i].letter)
				continue;
			*value = word[2] ? word + 2 : NULL;
			return i;
		}
		if (!cli_options[i].name)
			continue;
		n = strlen(cli_options[i].name);
		if (strncmp(word + 2, cli_options[i].name, n) != 0)
			continue;
		if (word[2 + n] && word[2 + n] != '=')
			continue;
		*value = word[2 + n] ? word + 2 + n + 1 : NULL;
		return i;
	}
	return -1;
}

/* Scopes add up; of all else what was given last counts. */
static const char *add_up(const char *before, const char *value)
{
	static char *all; /* one command line, so one of it */
	char *longer;

	if (!before)
		return value;
	if (asprintf(&longer, "%s,%s", before, value) < 0)
		longer = NULL;
	free(all);
	all = mem_need(longer);
	return all;
}

/* Reads the option at argv[*at] and moves *at behind it. */
static int parse_option(struct cli *cli, char **argv, int *at)
{
	const char *word = argv[(*at)++], *value;
	int opt = option_of(cli, word, &value);

	if (opt < 0)
		return say_usage(cli, "no such option: %s", word);
	if (cli_options[opt].arg && !value) {
		value = argv[*at];
		if (!value)
			return say_usage(cli, "%s needs an argument", word);
		++*at;
	}
	if (!cli_options[opt].arg && value)
		return say_usage(cli, "an option takes no argument: %s", word);
	if (opt == OPT_SCOPE)
		value = add_up(cli->value[opt], value);
	cli->value[opt] = value ? value : "";
	return CLI_DONE;
}

static bool is_option(const char *word)
{
	return word[0] == '-' && word[1];
}

int parse_command(struct cli *cli, char **argv)
{
	bool options = true;
	int at = 0, rc;

	cli->operand = argv;
	while (argv[at]) {
		if (options && !strcmp(argv[at], "--")) {
			options = false;
			at++;
			continue;
		}
		if (!options || !is_option(argv[at])) {
			cli->operand[cli->operands++] = argv[at++];
			continue;
		}
		rc = parse_option(cli, argv, &at);
		if (rc)
			return rc;
	}
	return CLI_DONE;
}

int parse_global(struct cli *cli, char **argv, int *at)
{
	int rc;

	while (argv[*at] && is_option(argv[*at])) {
		if (!strcmp(argv[*at], "--version"))
			return CLI_DONE;
		rc = parse_option(cli, argv, at);
		if (rc)
			return rc;
	}
	return CLI_DONE;
}
