/* cmd_completion.c - completion scripts for shells, made from the table.
 *
 * The scripts ask `pakhus list` and `pakhus versions` for packages, with
 * the -C of the line that is being completed.
 */
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "say.h"

static bool takes(const struct cli_command *c, int opt)
{
	return opt == OPT_STORE || opt == OPT_HELP ||
	       (c->options & CLI_OPT(opt));
}

/* ---- bash ---- */

static void bash_words(const struct cli_command *c)
{
	int i;

	for (i = 0; i < OPT_COUNT; i++) {
		if (!takes(c, i))
			continue;
		if (cli_options[i].name)
			printf(" --%s", cli_options[i].name);
		if (cli_options[i].letter)
			printf(" -%c", cli_options[i].letter);
	}
}

/* What completes a word; a shell function or an option of compgen. */
static const char *bash_kind(int word)
{
	static const char *const kind[] = {
		[WORD_NONE] = "none",	[WORD_FILE] = "file",
		[WORD_DIR] = "dir",	[WORD_ID] = "id",
		[WORD_SPEC] = "spec",	[WORD_COMMAND] = "command",
		[WORD_SHELL] = "shell",
	};

	return kind[word];
}

static void bash_commands(void)
{
	const struct cli_command *c;

	fputs("_pakhus_commands='", stdout);
	for (c = cli_commands; c->name; c++)
		printf("%s%s", c == cli_commands ? "" : " ", c->name);
	fputs("'\n\n", stdout);
	fputs("# options and operands of a command\n"
	      "_pakhus_command() {\n\tcase $1 in\n",
	      stdout);
	for (c = cli_commands; c->name; c++) {
		printf("\t%s) options='", c->name);
		bash_words(c);
		printf("' kind=%s ;;\n", bash_kind(c->word));
	}
	fputs("\tesac\n}\n\n", stdout);
}

static void bash_arguments(void)
{
	const struct cli_option_row *o;
	int i;

	fputs("# what the argument of an option is, \"\" for a flag\n"
	      "_pakhus_argument() {\n\tcase $1 in\n",
	      stdout);
	for (i = 0; i < OPT_COUNT; i++) {
		o = &cli_options[i];
		if (!o->arg || i == OPT_BEFORE_SEQ) /* OPT_BEFORE's name */
			continue;
		if (o->name)
			printf("\t--%s) kind=%s ;;\n", o->name,
			       bash_kind(o->word));
		else
			printf("\t-%c) kind=%s ;;\n", o->letter,
			       bash_kind(o->word));
	}
	fputs("\t*) kind= ;;\n\tesac\n}\n\n", stdout);
}

static const char bash_rest[] =
	"_pakhus_ids() {\n"
	"\t\"${pakhus[@]}\" list 2>/dev/null </dev/null | cut -f1\n"
	"}\n"
	"\n"
	"_pakhus_versions() {\n"
	"\t\"${pakhus[@]}\" versions -- \"$1\" 2>/dev/null </dev/null\n"
	"}\n"
	"\n"
	"# ids, and behind an @ the versions of the one before it\n"
	"_pakhus_specs() {\n"
	"\tif [[ $1 == ?*@* ]]; then\n"
	"\t\t_pakhus_versions \"${1%@*}\" | cut -f1,2 | tr '\\t' '@'\n"
	"\telse\n"
	"\t\t_pakhus_ids\n"
	"\tfi\n"
	"}\n"
	"\n"
	"# Offers the lines of stdin that begin with what was typed. They are "
	"what\n"
	"# somebody published: compgen -W would run what is written in them, "
	"so\n"
	"# they are compared as they are, and quoted where they go into the "
	"line.\n"
	"_pakhus_lines() {\n"
	"\tlocal lines word quoted kept=''\n"
	"\n"
	"\t# readline replaces what follows the last @ only\n"
	"\t[[ $1 == *@* && $COMP_WORDBREAKS == *@* ]] && kept=${1%@*}@\n"
	"\tmapfile -t lines\n"
	"\tfor word in \"${lines[@]}\"; do\n"
	"\t\tprintf -v quoted %q \"$word\"\n"
	"\t\tif [[ $word == \"$1\"* ]]; then\n"
	"\t\t\tprintf -v quoted %q \"${word#\"$kept\"}\"\n"
	"\t\telif [[ $quoted == \"$1\"* ]]; then\n"
	"\t\t\tquoted=${quoted#\"$kept\"}\n"
	"\t\telse\n"
	"\t\t\tcontinue\n"
	"\t\tfi\n"
	"\t\tCOMPREPLY+=(\"$quoted\")\n"
	"\tdone\n"
	"}\n"
	"\n"
	"_pakhus_offer() {\n"
	"\tcase $1 in\n"
	"\tfile) compopt -o filenames; mapfile -t COMPREPLY \\\n"
	"\t\t< <(compgen -f -- \"$2\") ;;\n"
	"\tdir) compopt -o filenames; mapfile -t COMPREPLY \\\n"
	"\t\t< <(compgen -d -- \"$2\") ;;\n"
	"\tid) _pakhus_lines \"$2\" < <(_pakhus_ids) ;;\n"
	"\tspec) _pakhus_lines \"$2\" < <(_pakhus_specs \"$2\") ;;\n"
	"\tversion) _pakhus_lines \"$2\" \\\n"
	"\t\t< <(_pakhus_versions \"$3\" | cut -f2) ;;\n"
	"\tcommand) mapfile -t COMPREPLY \\\n"
	"\t\t< <(compgen -W \"$_pakhus_commands\" -- \"$2\") ;;\n"
	"\tshell) mapfile -t COMPREPLY \\\n"
	"\t\t< <(compgen -W 'bash zsh fish' -- \"$2\") ;;\n"
	"\tesac\n"
	"}\n"
	"\n"
	"_pakhus() {\n"
	"\tlocal line word words cur verb='' kind='' options='' i last='' "
	"first=''\n"
	"\tlocal pakhus=(pakhus)\n"
	"\n"
	"\t# words as they were typed: an @ starts no new one\n"
	"\tline=${COMP_LINE:0:COMP_POINT}\n"
	"\tread -ra words <<<\"$line\"\n"
	"\t[[ $line == *[[:space:]] ]] && words+=('')\n"
	"\tcur=${words[${#words[@]}-1]}\n"
	"\tfor ((i = 1; i < ${#words[@]} - 1; i++)); do\n"
	"\t\tword=${words[i]}\n"
	"\t\tif [[ $last == -C ]]; then\n"
	"\t\t\tpakhus=(pakhus -C \"${word/#\\~\\//$HOME/}\")\n"
	"\t\tfi\n"
	"\t\t_pakhus_argument \"$last\"\n"
	"\t\tif [[ ! $kind && $word != -* ]]; then\n"
	"\t\t\tif [[ ! $verb ]]; then\n"
	"\t\t\t\tverb=$word\n"
	"\t\t\telif [[ ! $first ]]; then\n"
	"\t\t\t\tfirst=$word\n"
	"\t\t\tfi\n"
	"\t\tfi\n"
	"\t\tlast=$word\n"
	"\tdone\n"
	"\n"
	"\tCOMPREPLY=()\n"
	"\t_pakhus_argument \"$last\"\n"
	"\tif [[ ! $kind && ! $verb ]]; then\n"
	"\t\tif [[ $cur == -* ]]; then\n"
	"\t\t\tmapfile -t COMPREPLY \\\n"
	"\t\t\t\t< <(compgen -W '-C --help --version' -- \"$cur\")\n"
	"\t\t\treturn\n"
	"\t\tfi\n"
	"\t\tkind='command'\n"
	"\telif [[ ! $kind ]]; then\n"
	"\t\t_pakhus_command \"$verb\"\n"
	"\t\tif [[ $cur == -* ]]; then\n"
	"\t\t\tmapfile -t COMPREPLY \\\n"
	"\t\t\t\t< <(compgen -W \"$options\" -- \"$cur\")\n"
	"\t\t\treturn\n"
	"\t\tfi\n"
	"\t\t# diff ID A B\n"
	"\t\tif [[ $verb == diff && $first && $first != ?*@* ]]; then\n"
	"\t\t\tkind='version'\n"
	"\t\tfi\n"
	"\tfi\n"
	"\t_pakhus_offer \"$kind\" \"$cur\" \"$first\"\n"
	"}\n"
	"\n"
	"complete -F _pakhus pakhus\n";

static void bash(void)
{
	fputs("# bash completion for pakhus(1), "
	      "from `pakhus completion bash`\n\n",
	      stdout);
	bash_commands();
	bash_arguments();
	fputs(bash_rest, stdout);
}

/* ---- zsh ---- */

/* Inside single quotes, where _arguments reads [ ] : with a meaning. */
static void zsh_text(const char *text)
{
	for (; *text; text++) {
		if (*text == '\'')
			fputs("'\\''", stdout);
		else if (strchr("[]:\\", *text))
			printf("\\%c", *text);
		else
			putchar(*text);
	}
}

static const char *zsh_action(int word)
{
	static const char *const action[] = {
		[WORD_NONE] = " ",
		[WORD_FILE] = "_files",
		[WORD_DIR] = "_files -/",
		[WORD_ID] = "_pakhus_ids",
		[WORD_SPEC] = "_pakhus_specs",
		[WORD_COMMAND] = "_pakhus_commands",
		[WORD_SHELL] = "(bash zsh fish)",
	};

	return action[word];
}

static void zsh_option(const struct cli_option_row *o)
{
	const char *dashes = o->name ? "--" : "-";
	char letter[] = {o->letter, '\0'};

	printf(" \\\n\t\t\t'%s%s[", dashes, o->name ? o->name : letter);
	zsh_text(o->text);
	fputs("]", stdout);
	if (o->arg)
		printf(":%s:%s", o->arg, zsh_action(o->word));
	fputs("'", stdout);
}

static void zsh_command(const struct cli_command *c)
{
	int i;

	printf("\t\t(%s)\n\t\t\t_arguments", c->name);
	for (i = 0; i < OPT_COUNT; i++)
		if (takes(c, i))
			zsh_option(&cli_options[i]);
	if (c->word != WORD_NONE)
		printf(" \\\n\t\t\t'*:%s:%s'", c->name, zsh_action(c->word));
	fputs(" ;;\n", stdout);
}

static void zsh_head(void)
{
	const struct cli_command *c;

	fputs("#compdef pakhus\n"
	      "# zsh completion for pakhus(1), "
	      "from `pakhus completion zsh`\n\n"
	      "_pakhus_commands() {\n\tlocal -a commands=(\n",
	      stdout);
	for (c = cli_commands; c->name; c++) {
		printf("\t\t'%s:", c->name);
		zsh_text(c->summary);
		fputs("'\n", stdout);
	}
	fputs("\t)\n\t_describe command commands\n}\n\n", stdout);
	fputs("_pakhus_run() {\n"
	      "\t(( $+opt_args[-C] )) && store=(-C ${(Q)~opt_args[-C]})\n"
	      "\t_call_program pakhus pakhus \"${(@q)store}\" "
	      "\"${(@q)@}\" </dev/null\n}\n\n"
	      "_pakhus_ids() {\n"
	      "\tlocal -a ids=(${(f)\"$(_pakhus_run list | cut -f1)\"})\n"
	      "\tcompadd -- \"${ids[@]}\"\n}\n\n"
	      "_pakhus_specs() {\n"
	      "\tlocal id=${${(Q)PREFIX}%@*}\n"
	      "\tif [[ $PREFIX != ?*@* ]]; then\n"
	      "\t\t_pakhus_ids\n"
	      "\t\treturn\n"
	      "\tfi\n"
	      "\tlocal -a specs=(${(f)\"$(_pakhus_run versions -- $id |\n"
	      "\t\tcut -f1,2 | tr '\\t' '@')\"})\n"
	      "\tcompadd -- \"${specs[@]}\"\n}\n\n",
	      stdout);
}

static void zsh(void)
{
	const struct cli_command *c;

	zsh_head();
	fputs("_pakhus() {\n"
	      "\tlocal curcontext=$curcontext state line\n"
	      "\tlocal -A opt_args\n"
	      "\tlocal -a store\n"
	      "\t_arguments -C '-C[the directory of the store]:STORE:"
	      "_files -/' \\\n"
	      "\t\t'(- *)'{-h,--help}'[print help]' \\\n"
	      "\t\t'(- *)--version[print the version]' \\\n"
	      "\t\t'1:command:_pakhus_commands' '*::argument:->rest'\n"
	      "\t[[ $state == rest ]] || return 0\n"
	      "\t(( $+opt_args[-C] )) && store=(-C ${(Q)~opt_args[-C]})\n"
	      "\tcase $line[1] in\n",
	      stdout);
	for (c = cli_commands; c->name; c++)
		zsh_command(c);
	fputs("\tesac\n}\n\n_pakhus \"$@\"\n", stdout);
}

/* ---- fish ---- */

/* Inside single quotes. */
static void fish_text(const char *text)
{
	for (; *text; text++) {
		if (*text == '\'' || *text == '\\')
			putchar('\\');
		putchar(*text);
	}
}

static const char *fish_words(int word)
{
	static const char *const words[] = {
		[WORD_NONE] = "",
		[WORD_FILE] = " -F",
		[WORD_DIR] = " -a '(__fish_complete_directories)'",
		[WORD_ID] = " -a '(__pakhus_ids)'",
		[WORD_SPEC] = " -a '(__pakhus_specs)'",
		[WORD_COMMAND] = " -a '$__pakhus_commands'",
		[WORD_SHELL] = " -a 'bash zsh fish'",
	};

	return words[word];
}

static void fish_option(const struct cli_option_row *o, const char *when)
{
	fputs("complete -c pakhus", stdout);
	if (when)
		printf(" -n '__fish_seen_subcommand_from %s'", when);
	if (o->name)
		printf(" -l %s", o->name);
	if (o->letter)
		printf(" -s %c", o->letter);
	if (o->arg)
		printf(" -x%s", fish_words(o->word));
	fputs(" -d '", stdout);
	fish_text(o->text);
	fputs("'\n", stdout);
}

static void fish_command(const struct cli_command *c)
{
	int i;

	printf("complete -c pakhus -n "
	       "'not __fish_seen_subcommand_from $__pakhus_commands' "
	       "-a %s -d '",
	       c->name);
	fish_text(c->summary);
	fputs("'\n", stdout);
	for (i = 0; i < OPT_COUNT; i++)
		if (c->options & CLI_OPT(i))
			fish_option(&cli_options[i], c->name);
	if (c->word != WORD_NONE)
		printf("complete -c pakhus -n "
		       "'__fish_seen_subcommand_from %s'%s\n",
		       c->name, fish_words(c->word));
}

static const char fish_functions[] =
	"function __pakhus_run\n"
	"\tset -l words (commandline -opc)\n"
	"\tset -l store\n"
	"\tif set -l at (contains -i -- -C $words)\n"
	"\t\tset store -C $words[(math $at + 1)]\n"
	"\tend\n"
	"\tcommand pakhus $store $argv 2>/dev/null </dev/null\n"
	"end\n\n"
	"function __pakhus_ids\n"
	"\t__pakhus_run list | cut -f1\n"
	"end\n\n"
	"function __pakhus_specs\n"
	"\tset -l id (commandline -ct | string replace -rf '^(.+)@.*$' "
	"'$1')\n"
	"\tif test -n \"$id\"\n"
	"\t\t__pakhus_run versions -- $id | cut -f1,2 | tr '\\t' '@'\n"
	"\telse\n"
	"\t\t__pakhus_ids\n"
	"\tend\n"
	"end\n\n";

static void fish(void)
{
	const struct cli_command *c;

	fputs("# fish completion for pakhus(1), "
	      "from `pakhus completion fish`\n\n"
	      "set -g __pakhus_commands",
	      stdout);
	for (c = cli_commands; c->name; c++)
		printf(" %s", c->name);
	fputs("\n\n", stdout);
	fputs(fish_functions, stdout);
	fputs("complete -c pakhus -f\n", stdout);
	fish_option(&cli_options[OPT_STORE], NULL);
	fish_option(&cli_options[OPT_HELP], NULL);
	fputs("complete -c pakhus -n 'not __fish_seen_subcommand_from "
	      "$__pakhus_commands' -l version -d 'print the "
	      "version'\n",
	      stdout);
	for (c = cli_commands; c->name; c++)
		fish_command(c);
}

int cmd_completion(const struct cli *cli)
{
	const char *shell = cli->operand[0];

	if (!strcmp(shell, "bash"))
		bash();
	else if (!strcmp(shell, "zsh"))
		zsh();
	else if (!strcmp(shell, "fish"))
		fish();
	else
		return say_usage(cli, "no such shell: %s", shell);
	return CLI_DONE;
}
