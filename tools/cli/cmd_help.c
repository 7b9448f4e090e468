#include "help.h"
#include "say.h"

int cmd_help(const struct cli *cli)
{
	const struct cli_command *command;

	if (!cli->operands) {
		help_all(stdout);
		return CLI_DONE;
	}
	command = cli_find(cli->operand[0]);
	if (!command)
		return say_usage(cli, "no such command: %s", cli->operand[0]);
	help_command(stdout, command);
	return CLI_DONE;
}
