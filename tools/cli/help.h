/* help.h - usage texts, all made from the command table.
 */
#ifndef HELP_H
#define HELP_H

#include <stdio.h>

#include "cli.h"

/* `usage: pakhus get [--json] … ID[@VERSION]`, folded. */
void help_usage(FILE *f, const struct cli_command *command);
/* The page of one command. */
void help_command(FILE *f, const struct cli_command *command);
/* All commands, a line each. */
void help_all(FILE *f);

#endif
