#include "out.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "say.h"

/* C0, DEL, and C1 in its two bytes of UTF-8: what a terminal obeys. */
static size_t control_at(const unsigned char *p, size_t size)
{
	if (p[0] < 0x20 || p[0] == 0x7f)
		return 1;
	if (size > 1 && p[0] == 0xc2 && p[1] >= 0x80 && p[1] < 0xa0)
		return 2;
	return 0;
}

void out_plain_n(FILE *f, const char *text, size_t size)
{
	const unsigned char *p = (const unsigned char *)text;
	size_t i = 0, n;

	while (i < size) {
		n = control_at(p + i, size - i);
		if (n) {
			fputc('?', f);
			i += n;
			continue;
		}
		fputc(p[i++], f);
	}
}

void out_plain(FILE *f, const char *text)
{
	out_plain_n(f, text, strlen(text));
}

bool out_is_terminal(void)
{
	return isatty(STDOUT_FILENO) != 0;
}

static bool colours(void)
{
	const char *no = getenv("NO_COLOR"), *term = getenv("TERM");

	if (no && *no)
		return false;
	return term && strcmp(term, "dumb") != 0 && out_is_terminal();
}

void out_colour(int colour)
{
	if (colours())
		printf("\033[%dm", colour);
}

bool out_failed(void)
{
	return ferror(stdout) != 0;
}

/* Where it fails the buffer is gone, and the reason with the next call. */
static int flush_error;

void out_flush(void)
{
	if (fflush(stdout) && !flush_error)
		flush_error = errno;
}

int out_finish(const struct cli *cli, int status)
{
	int bad;

	out_flush();
	bad = ferror(stdout);
	if (!flush_error && !bad)
		return status;
	if (flush_error)
		say_failed(cli, CLI_FAILED, "write to stdout: %s",
			   strerror(flush_error));
	else
		say_failed(cli, CLI_FAILED, "write to stdout failed");
	return status ? status : CLI_FAILED;
}
