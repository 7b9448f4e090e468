#include "source.h"

#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "say.h"

static bool begins(const char *name, const char *with)
{
	return !strncasecmp(name, with, strlen(with));
}

/* What rsync takes for a host: a colon before any slash. */
static bool has_host(const char *name)
{
	return name[strcspn(name, ":/")] == ':';
}

/* NAME:// is no host of rsync's, though rsync would ask for one. */
static bool has_scheme(const char *name)
{
	return !strncmp(name + strcspn(name, ":/"), "://", 3);
}

/* NAME:SECRET@HOST, as an address has it: no host of rsync's has a colon and an
 * @ behind it. */
static bool has_secret(const char *name)
{
	const char *colon = strchr(name, ':'), *at = strchr(name, '@');

	return has_host(name) && colon && at && colon < at &&
	       at < name + strcspn(name, "/");
}

int source_open(const struct cli *cli, const char *name, struct source *out)
{
	if (!*name)
		return say_usage(cli, "the source's name is empty");
	if (begins(name, "http://") || begins(name, "https://"))
		return source_http_open(cli, name, out);
	if (begins(name, "rsync://"))
		return source_rsync_open(cli, name, out);
	if (has_scheme(name))
		return say_usage(cli,
				 "%s: a source is http://..., https://..., "
				 "rsync://..., HOST:PATH or a path",
				 name);
	if (has_secret(name)) /* and it is not printed */
		return say_usage(cli, "an address with a password begins with "
				      "https://");
	if (has_host(name))
		return source_rsync_open(cli, name, out);
	return source_path_open(cli, name, out);
}

void source_close(struct source *source)
{
	if (source->close)
		source->close(source->as.arg);
	source->close = NULL;
}

int source_fail(struct pakhus_error *err, int status, int sys, const char *fmt,
		...)
{
	int n, room = (int)sizeof(err->text);
	va_list ap;

	err->status = status;
	err->sys = sys;
	va_start(ap, fmt);
	n = vsnprintf(err->text, sizeof(err->text), fmt, ap);
	va_end(ap);
	if (sys && n >= 0 && n < room)
		snprintf(err->text + n, (size_t)(room - n), ": %s",
			 strerror(sys));
	return status;
}

int source_canceled(struct pakhus_error *err)
{
	return source_fail(err, PAKHUS_ECANCELED, 0, "interrupted");
}
