/* source.h - where a mirror is copied from, by the form of its name:
 *
 *	http://HOST/… https://HOST/…	source_http.c
 *	rsync://HOST/… HOST:PATH	source_rsync.c
 *	PATH				source_path.c
 *
 * A source knows how to bring files, not what they are. It looks for an
 * interrupt (interrupt.h) and then ends PAKHUS_ECANCELED.
 */
#ifndef SOURCE_H
#define SOURCE_H

#include "cli.h"

struct source {
	struct pakhus_source as; /* for the library */
	/* private: releases as.arg, of which as.name is a part */
	void (*close)(void *arg);
};

/* Nothing is reached for yet; what is wrong with the name is reported, and
 * what is returned is an exit status. Close what was opened. */
int source_open(const struct cli *cli, const char *name, struct source *out);
void source_close(struct source *source);

/* ---- For the transports ---- */

/* These too return an exit status, CLI_USAGE where the name is wrong. */
int source_path_open(const struct cli *cli, const char *name,
		     struct source *out);
int source_rsync_open(const struct cli *cli, const char *name,
		      struct source *out);
int source_http_open(const struct cli *cli, const char *name,
		     struct source *out);

/* How long a source may be silent, in seconds. */
#define SOURCE_PATIENCE 60

/* Fills err and returns status; sys is an errno or 0. */
int source_fail(struct pakhus_error *err, int status, int sys, const char *fmt,
		...) __attribute__((format(printf, 4, 5)));
/* PAKHUS_ECANCELED. */
int source_canceled(struct pakhus_error *err);

#endif
