/* cli.h - what the commands of pakhus(1) share: the table that describes
 * them, and what was said on the command line.
 *
 * A command is one row of cli_commands[] (pakhus.c) and one cmd_<verb>.c.
 * The row is the only place that knows its name, operands and options: the
 * parser, the usage text and the completions are made from it. A command
 * gets a struct cli whose values are those that its row allows, and returns
 * an exit status. Nothing here outlives main().
 */
#ifndef CLI_H
#define CLI_H

#include "pakhus.h"

/* pakhus(1), EXIT STATUS. */
enum cli_exit {
	CLI_DONE = 0,
	CLI_FAILED = 1,
	CLI_USAGE = 2,
	CLI_NOT_FOUND = 3,
	CLI_DAMAGED = 4,
	CLI_CONFLICT = 5,
	CLI_BUSY = 6,
	CLI_DENIED = 7,
	CLI_NETWORK = 8
};

enum cli_option {
	OPT_STORE, /* this and the next go with every command */
	OPT_HELP,
	OPT_JSON,
	OPT_BY,
	OPT_LEVEL,
	OPT_THREADS,
	OPT_ORIGIN,
	OPT_IMMUTABLE,
	OPT_ID,
	OPT_VERSION,
	OPT_AT,
	OPT_MANIFEST,
	OPT_METADATA,
	OPT_DOCUMENT,
	OPT_ARTIFACT,
	OPT_LIMIT,
	OPT_BEFORE,	/* a place ... */
	OPT_BEFORE_SEQ, /* ... and, by the same name, a position */
	OPT_REBUILD,
	OPT_HERE,
	OPT_PROOF,
	OPT_VKEY,
	OPT_MAX_AGE,
	OPT_FOLLOW,
	OPT_EVERY,
	OPT_KEY_FILE,
	OPT_ALL,
	OPT_ROTATE,
	OPT_IMPORT,
	OPT_RENEW,
	OPT_SINCE,
	OPT_GRACE,
	OPT_DRY_RUN,
	OPT_REASON,
	OPT_QUICK,
	OPT_REPAIR,
	OPT_FROM,
	OPT_SET,
	OPT_UNSET,
	OPT_LISTEN,
	OPT_TOKENS,
	OPT_ANONYMOUS,
	OPT_READ_ONLY,
	OPT_TLS_CERT,
	OPT_TLS_KEY,
	OPT_ACCESS_LOG,
	OPT_TRUST_PROXY,
	OPT_REQUESTS, /* by the name of OPT_THREADS */
	OPT_CONNECTIONS,
	OPT_MAX_DOCUMENT,
	OPT_RATES,
	OPT_METRICS_PUBLIC,
	OPT_SCOPE, /* given again it adds up */
	OPT_EXPIRES,
	OPT_COUNT
};
#define CLI_OPT(o) (UINT64_C(1) << (o))

/* What a word of the command line is, for those who complete it. */
enum cli_word {
	WORD_NONE,
	WORD_FILE,
	WORD_DIR,
	WORD_ID,      /* a package id */
	WORD_SPEC,    /* id or id@version */
	WORD_COMMAND, /* one of the table */
	WORD_SHELL    /* bash, zsh or fish */
};

struct cli_option_row {
	const char *name;   /* without dashes; NULL: a letter alone */
	const char *arg;    /* what its argument is called; NULL: a flag */
	const char *text;   /* one line, no full stop */
	char letter;	    /* 0: none */
	unsigned char word; /* enum cli_word of the argument */
};

struct cli;
struct cli_command {
	const char *name;
	const char *operands; /* as usage shows them; "" for none */
	const char *summary;  /* one line, no full stop */
	const char *text;     /* paragraphs for help, lines of 78 columns */
	int (*run)(const struct cli *cli);
	uint64_t options;   /* CLI_OPT()s besides OPT_STORE and OPT_HELP */
	uint64_t needed;    /* those of options without which nothing is
			       done; the command says why */
	int min, max;	    /* operands; max -1: any number */
	unsigned char word; /* enum cli_word of the operands */
};

extern const struct cli_option_row cli_options[OPT_COUNT];
extern const struct cli_command cli_commands[]; /* ends with name NULL */

struct cli {
	const struct cli_command *command; /* NULL before it is known */
	const char *store;
	const char *value[OPT_COUNT]; /* NULL: not given; flags: "" */
	char **operand;
	int operands;
};

/* NULL when there is no such command. */
const struct cli_command *cli_find(const char *name);

int cmd_adopt(const struct cli *cli);
int cmd_attrs(const struct cli *cli);
int cmd_bundle(const struct cli *cli);
int cmd_cat(const struct cli *cli);
int cmd_checkpoint(const struct cli *cli);
int cmd_completion(const struct cli *cli);
int cmd_delete(const struct cli *cli);
int cmd_diff(const struct cli *cli);
int cmd_dump(const struct cli *cli);
int cmd_gc(const struct cli *cli);
int cmd_get(const struct cli *cli);
int cmd_help(const struct cli *cli);
int cmd_history(const struct cli *cli);
int cmd_import(const struct cli *cli);
int cmd_init(const struct cli *cli);
int cmd_key(const struct cli *cli);
int cmd_list(const struct cli *cli);
int cmd_prove(const struct cli *cli);
int cmd_mirror(const struct cli *cli);
int cmd_publish(const struct cli *cli);
int cmd_serve(const struct cli *cli);
int cmd_site(const struct cli *cli);
int cmd_purge(const struct cli *cli);
int cmd_stat(const struct cli *cli);
int cmd_token(const struct cli *cli);
int cmd_verify(const struct cli *cli);
int cmd_versions(const struct cli *cli);

#endif
