/* parse.h - reading a command line with what the table allows.
 *
 * What is wrong is reported; what is returned is an exit status.
 */
#ifndef PARSE_H
#define PARSE_H

#include "cli.h"

/* Reads what stands before the command; *at is then where that is. Stops
 * before --version, which is an option of commands too. */
int parse_global(struct cli *cli, char **argv, int *at);
/* The rest, with cli->command set. Options and operands may be mixed; "--"
 * ends the options. Operands move to the front of argv. */
int parse_command(struct cli *cli, char **argv);

#endif
