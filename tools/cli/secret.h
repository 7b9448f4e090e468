/* secret.h - a private key from a file or stdin. It is not printed, and wiped
 * from memory when it is freed.
 */
#ifndef SECRET_H
#define SECRET_H

#include "cli.h"

/* NUL-terminated; what is returned is an exit status. */
int secret_read(const struct cli *cli, const char *path, char **out);
void secret_free(char *secret);

#endif
