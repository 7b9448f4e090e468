/* say.h - what the program says to people, all of it on stderr.
 *
 * One line each, `pakhus: <command>: <text>`. Control characters, which a
 * file name or a package can carry, arrive as '?'. The calls that report a
 * failure return the exit status that goes with it.
 */
#ifndef SAY_H
#define SAY_H

#include "cli.h"

#define SAY_FORMAT(a, b) __attribute__((format(printf, a, b)))

int say_failed(const struct cli *cli, enum cli_exit status, const char *fmt,
	       ...) SAY_FORMAT(3, 4);
/* The same with CLI_USAGE and, on a second line, the command's usage. */
int say_usage(const struct cli *cli, const char *fmt, ...) SAY_FORMAT(2, 3);
/* What the library reported; about is put before it unless NULL. */
int say_error(const struct cli *cli, const char *about,
	      const struct pakhus_error *err);
/* No failure: something the user should know. */
void say(const struct cli *cli, const char *fmt, ...) SAY_FORMAT(2, 3);
/* What the library wants to be known, `pakhus: note: …`. */
void say_note(const char *text);

/* The exit status of a library status; PAKHUS_EINVAL is CLI_FAILED, for
 * documents. Where it speaks of an argument, exit_of_argument(). */
enum cli_exit exit_of(int status);
enum cli_exit exit_of_argument(int status);

#endif
