#include "help.h"

#include <stdbool.h>
#include <string.h>

#define HELP_COLUMNS 80

static bool takes(const struct cli_command *command, int opt)
{
	return (command->options & CLI_OPT(opt)) != 0;
}

/* Prints one word of a folded line; indent is that of the lines after. */
static void fold(FILE *f, size_t *column, size_t indent, const char *word)
{
	size_t n = strlen(word);

	if (*column + 1 + n > HELP_COLUMNS) {
		fprintf(f, "\n%*s", (int)indent, "");
		*column = indent;
	}
	fprintf(f, " %s", word);
	*column += 1 + n;
}

static void option_word(const struct cli_command *command, int opt, char *buf,
			size_t size)
{
	const struct cli_option_row *row = &cli_options[opt];
	bool needed = (command->needed & CLI_OPT(opt)) != 0;

	snprintf(buf, size, "%s--%s%s%s%s", needed ? "" : "[", row->name,
		 row->arg ? " " : "", row->arg ? row->arg : "",
		 needed ? "" : "]");
}

void help_usage(FILE *f, const struct cli_command *command)
{
	size_t indent, column;
	char word[64];
	int i;

	column = (size_t)fprintf(f, "usage: pakhus %s", command->name);
	indent = column;
	for (i = 0; i < OPT_COUNT; i++) {
		if (!takes(command, i))
			continue;
		option_word(command, i, word, sizeof(word));
		fold(f, &column, indent, word);
	}
	if (command->operands[0])
		fold(f, &column, indent, command->operands);
	fputc('\n', f);
}

/* "-h, --help", "-C STORE", "--by LABEL" */
static void option_line(FILE *f, const struct cli_option_row *row)
{
	char letter[] = {'-', row->letter, '\0'}, head[64];

	snprintf(head, sizeof(head), "%s%s%s%s%s%s", row->letter ? letter : "",
		 row->letter && row->name ? ", " : "", row->name ? "--" : "",
		 row->name ? row->name : "", row->arg ? " " : "",
		 row->arg ? row->arg : "");
	fprintf(f, "  %-18s %s\n", head, row->text);
}

void help_command(FILE *f, const struct cli_command *command)
{
	int i;

	help_usage(f, command);
	fprintf(f, "\n%s.\n", command->summary);
	if (command->text)
		fprintf(f, "\n%s", command->text);
	fputs("\noptions:\n", f);
	for (i = 0; i < OPT_COUNT; i++)
		if (takes(command, i))
			option_line(f, &cli_options[i]);
	option_line(f, &cli_options[OPT_STORE]);
	option_line(f, &cli_options[OPT_HELP]);
}

void help_all(FILE *f)
{
	const struct cli_command *c;

	fputs("usage: pakhus [-C STORE] COMMAND [ARG...]\n\n"
	      "A content-addressed registry of ObjectStack packages in a "
	      "directory.\n\ncommands:\n",
	      f);
	for (c = cli_commands; c->name; c++)
		fprintf(f, "  %-10s %s\n", c->name, c->summary);
	fputs("\noptions:\n", f);
	option_line(f, &cli_options[OPT_STORE]);
	option_line(f, &cli_options[OPT_HELP]);
	fputs("  --version          print the version of the program\n\n"
	      "The store is STORE, else $PAKHUS_STORE, else ./pakhus-store.\n"
	      "`pakhus help COMMAND` and pakhus(1) say more.\n",
	      f);
}
