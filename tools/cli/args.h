/* args.h - reading the arguments of a command: packages, numbers, labels.
 *
 * What is wrong is reported; what is returned is an exit status.
 */
#ifndef ARGS_H
#define ARGS_H

#include <stdint.h>

#include "cli.h"

/* A package and perhaps a version; id is freed with args_spec_release(). */
struct args_spec {
	char *id;
	const char *version; /* NULL: none was given */
};

/* ID[@VERSION], split at the last '@' that is not the first byte. */
int args_split(const struct cli *cli, const char *word, struct args_spec *out);
/* The same from the operand, --id and --version. Where none of them names
 * a package id is NULL. */
int args_spec(const struct cli *cli, struct args_spec *out);
void args_spec_release(struct args_spec *spec);
/* ID or ID@VERSION as it is shown, in memory that the caller frees. */
char *args_spec_text(const struct args_spec *spec);

/* A decimal number between min and max. Not given: *out is left alone. */
int args_number(const struct cli *cli, enum cli_option opt, uint64_t min,
		uint64_t max, uint64_t *out);
/* A number of seconds: 90s, 15m, 12h, 7d, and where min is 0 also 0. */
int args_duration(const struct cli *cli, enum cli_option opt, uint64_t min,
		  uint64_t *out);
/* --level; 0 where it was not given. */
int args_level(const struct cli *cli, int *level);
/* --threads; as many as there are processors where it was not given. */
int args_threads(const struct cli *cli, unsigned *threads);
/* --by, else $PAKHUS_BY, else NULL. */
int args_by(const struct cli *cli, const char **by);

/* Says that there is no such package; where id has a version behind it,
 * that none is taken. */
int args_id_not_found(const struct cli *cli, const char *id);

/* The file of tokens: --tokens, else $PAKHUS_TOKENS, else NULL. */
const char *args_tokens(const struct cli *cli);

#endif
