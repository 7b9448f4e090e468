/* vkey.h - the argument of --key: a verifier key, or a file that holds it.
 */
#ifndef VKEY_H
#define VKEY_H

#include "cli.h"

/* The key itself, or the one line of a file; *key is freed with free(), and
 * NULL where the option was not given. What is wrong is reported; what is
 * returned is an exit status. */
int vkey_read(const struct cli *cli, char **key);

#endif
