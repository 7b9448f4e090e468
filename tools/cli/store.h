/* store.h - opening the store that the command line names.
 *
 * Failures are reported here; what is returned is an exit status.
 */
#ifndef STORE_H
#define STORE_H

#include "cli.h"

/* flags are those of pakhus_open(); level 0 is the library's own. Free
 * with pakhus_close(). */
int store_open(const struct cli *cli, unsigned flags, int level,
	       struct pakhus **out);
/* The same with all options that come from a command's own. */
struct store_options {
	unsigned flags;
	int level;
	unsigned threads;
};
int store_open_with(const struct cli *cli, const struct store_options *with,
		    struct pakhus **out);

/* The two halves of it, for who does something else about a store that does
 * not open: the library's status, nothing said; and saying it. */
int store_try(const struct cli *cli, const struct store_options *with,
	      struct pakhus **out, struct pakhus_error *err);
int store_not_open(const struct cli *cli, unsigned flags,
		   const struct pakhus_error *err);

/* The callbacks that go with every call; arg is not used. Progress is shown,
 * and an interrupt that was caught cancels. */
pakhus_progress_fn store_progress;
pakhus_notice_fn store_notice;

/* Moves what was written into the tree that mirrors copy. What failed
 * here is durable all the same, and the report says so. */
int store_sync(const struct cli *cli, struct pakhus *store);

/* Tells of a call that got far enough to know its own arguments: the
 * status of PAKHUS_EINVAL is CLI_USAGE. */
int store_failed(const struct cli *cli, const struct pakhus_error *err);

#endif
