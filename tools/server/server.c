/* server.c - a server's life: its store and what it keeps beside it. */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "state.h"

static void on_notice(void *arg, const char *text)
{
	const struct server *s = arg;

	if (s->opt.notice)
		s->opt.notice(s->opt.arg, text);
}

/* pkg/ is made where this handle may, and by whoever writes where not. */
static int refresh(struct server *s, struct pakhus_error *err)
{
	int rc;

	if (s->opt.is_read_only)
		return 0;
	rc = pakhus_refresh_pkg(s->store, err);
	return rc == PAKHUS_EDENIED ? 0 : rc;
}

void server_notice(struct server *s, const char *fmt, ...)
{
	char text[1024];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	on_notice(s, text);
}

int server_open(struct server **out, const struct server_options *opt,
		struct pakhus_error *err)
{
	struct pakhus_options options = {.notice = on_notice};
	struct server *s = calloc(1, sizeof(*s));
	int rc;

	if (!s) {
		err->status = PAKHUS_ENOMEM;
		return PAKHUS_ENOMEM;
	}
	s->opt = *opt;
	options.arg = s;
	options.max_document = opt->max_body;
	options.flags = opt->is_read_only ? PAKHUS_READONLY : PAKHUS_CREATE;
	rc = pakhus_open(&s->store, opt->store, &options, err);
	if (rc) {
		free(s);
		return rc;
	}
	rc = refresh(s, err);
	if (rc) { /* it holds nothing that the store lacks */
		on_notice(s, err->text);
		*err = (struct pakhus_error){0};
	}
	*out = s;
	return 0;
}

int server_is_dirty(struct server *s)
{
	return atomic_load(&s->is_dirty);
}

uint64_t server_writes(struct server *s)
{
	return atomic_load(&s->writes);
}

int server_sync(struct server *s, struct pakhus_error *err)
{
	int rc;

	if (!atomic_exchange(&s->is_dirty, 0))
		return 0;
	rc = pakhus_sync(s->store, err);
	if (!rc)
		rc = refresh(s, err);
	if (rc)
		server_wrote(s);
	return rc;
}

int server_reload(struct server *s, struct pakhus_error *err)
{
	(void)s;
	(void)err;
	return 0;
}

void server_close(struct server *s)
{
	if (!s)
		return;
	pakhus_close(s->store);
	free(s);
}
