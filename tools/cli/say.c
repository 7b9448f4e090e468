#include "say.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "help.h"
#include "out.h"
#include "progress.h"

static void say_line(const char *head, const char *about, const char *fmt,
		     va_list ap)
{
	char *text = NULL;

	progress_clear();
	if (vasprintf(&text, fmt, ap) < 0)
		text = NULL;
	fputs("pakhus: ", stderr);
	if (head)
		fprintf(stderr, "%s: ", head);
	if (about) {
		out_plain(stderr, about);
		fputs(": ", stderr);
	}
	out_plain(stderr, text ? text : fmt);
	fputc('\n', stderr);
	free(text);
}

static const char *head_of(const struct cli *cli)
{
	return cli->command ? cli->command->name : NULL;
}

void say(const struct cli *cli, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	say_line(head_of(cli), NULL, fmt, ap);
	va_end(ap);
}

int say_failed(const struct cli *cli, enum cli_exit status, const char *fmt,
	       ...)
{
	va_list ap;

	va_start(ap, fmt);
	say_line(head_of(cli), NULL, fmt, ap);
	va_end(ap);
	return (int)status;
}

int say_usage(const struct cli *cli, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	say_line(head_of(cli), NULL, fmt, ap);
	va_end(ap);
	if (cli->command)
		help_usage(stderr, cli->command);
	else
		fputs("try: pakhus help\n", stderr);
	return CLI_USAGE;
}

static void say_about(const char *head, const char *about, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	say_line(head, about, fmt, ap);
	va_end(ap);
}

int say_error(const struct cli *cli, const char *about,
	      const struct pakhus_error *err)
{
	say_about(head_of(cli), about, "%s",
		  err->text[0] ? err->text : pakhus_strstatus(err->status));
	/* the library does not know what the store is called here */
	if (err->status == PAKHUS_EDENIED &&
	    strstr(err->text, "a copy of a store"))
		say(cli, "to adopt it: pakhus -C %s adopt --here", cli->store);
	return (int)exit_of(err->status);
}

void say_note(const char *text)
{
	say_about("note", NULL, "%s", text);
}

enum cli_exit exit_of(int status)
{
	switch (status) {
	case PAKHUS_OK:
		return CLI_DONE;
	case PAKHUS_ENOTFOUND:
		return CLI_NOT_FOUND;
	case PAKHUS_ECONFLICT:
	case PAKHUS_ESTALE:
		return CLI_CONFLICT;
	case PAKHUS_ECORRUPT:
		return CLI_DAMAGED;
	case PAKHUS_EBUSY:
		return CLI_BUSY;
	case PAKHUS_EDENIED:
		return CLI_DENIED;
	case PAKHUS_ENETWORK:
		return CLI_NETWORK;
	default:
		return CLI_FAILED;
	}
}

enum cli_exit exit_of_argument(int status)
{
	return status == PAKHUS_EINVAL ? CLI_USAGE : exit_of(status);
}
