/* out.h - stdout: what it is, plain text on it, and whether it arrived.
 */
#ifndef OUT_H
#define OUT_H

#include <stdbool.h>
#include <stdio.h>

#include "cli.h"

/* Text for people, control characters replaced by '?'. */
void out_plain(FILE *f, const char *text);
void out_plain_n(FILE *f, const char *text, size_t size);

bool out_is_terminal(void);
/* An ANSI colour (31 red, 32 green, …) or 0 for none, and nothing at all
 * where stdout is no terminal, NO_COLOR is set or TERM is dumb. */
void out_colour(int colour);

/* What was printed is seen now; out_finish() tells of what fails here. */
void out_flush(void);
/* Once stdout has failed there is no point in going on. */
bool out_failed(void);
/* Flushes and checks stdout; status, or CLI_FAILED when that failed. */
int out_finish(const struct cli *cli, int status);

#endif
