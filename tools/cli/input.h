/* input.h - a whole file, or stdin, in memory.
 */
#ifndef INPUT_H
#define INPUT_H

#include <stddef.h>

#include "cli.h"

#define INPUT_MAX PAKHUS_DOCUMENT_MAX

/* Opens path for reading, "-" is stdin. Failures are reported with the
 * path; what is returned is an exit status. */
int input_open(const struct cli *cli, const char *path, int *fd);
/* All of it; *text is freed with free(). */
int input_read(const struct cli *cli, const char *path, char **text,
	       size_t *size);
/* What path is called in reports. */
const char *input_name(const char *path);

#endif
