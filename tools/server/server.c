/* server.c - a server's life: its store and what it keeps beside it. */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "exchange.h"
#include "fail.h"
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
	if (rc == PAKHUS_EDENIED) {
		*err = (struct pakhus_error){0};
		return 0;
	}
	return rc;
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

static int open_parts(struct server *s, struct pakhus_error *err)
{
	struct pakhus_options options = {.notice = on_notice, .arg = s,
					 .max_document = s->opt.max_body};
	struct pakhus_stat st;
	int rc;

	s->limit = limit_new(&s->opt.rates);
	s->metrics = metrics_new(route_count());
	if (!s->limit || !s->metrics)
		return server_fail_nomem(err);
	if (s->opt.tokens) {
		rc = keyring_open(&s->keyring, s->opt.tokens, on_notice, s,
				  err);
		if (rc)
			return rc;
	}
	options.flags = s->opt.is_read_only ? PAKHUS_READONLY : PAKHUS_CREATE;
	rc = pakhus_open(&s->store, s->opt.store, &options, err);
	if (rc)
		return rc;
	/* who made tokens means to publish */
	if (s->keyring && !s->opt.is_read_only &&
	    !pakhus_stat(s->store, 0, &st, NULL) && !st.writable)
		server_notice(s, "nothing can be published here: %s",
			      st.why_not);
	s->catalog = catalog_new(s->store);
	if (!s->catalog)
		return server_fail_nomem(err);
	catalog_notice(s->catalog, on_notice, s);
	return 0;
}

int server_open(struct server **out, const struct server_options *opt,
		struct pakhus_error *err)
{
	struct server *s = calloc(1, sizeof(*s));
	int rc;

	if (!s)
		return server_fail_nomem(err);
	stripes_init(&s->packages);
	s->opt = *opt;
	s->started_at = (uint64_t)time(NULL);
	rc = open_parts(s, err);
	if (rc) {
		server_close(s);
		return rc;
	}
	rc = refresh(s, err);
	if (rc) { /* it holds nothing that the store lacks */
		on_notice(s, err->text);
		*err = (struct pakhus_error){0};
	}
	s->opt.store = s->opt.tokens = NULL; /* the caller's, and not needed */
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
	atomic_store(&s->has_sync_failed, rc != 0);
	if (rc)
		server_wrote(s);
	else
		atomic_store(&s->synced_at, (unsigned long long)time(NULL));
	return rc;
}

void server_drain(struct server *s)
{
	atomic_store(&s->is_draining, 1);
}

int server_reload(struct server *s, struct pakhus_error *err)
{
	return s->keyring ? keyring_reload(s->keyring, err) : 0;
}

void server_close(struct server *s)
{
	if (!s)
		return;
	catalog_free(s->catalog);
	stripes_release(&s->packages);
	pakhus_close(s->store);
	keyring_close(s->keyring);
	limit_free(s->limit);
	metrics_free(s->metrics);
	free(s);
}
