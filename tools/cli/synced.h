/* synced.h - telling what a mirror was brought.
 */
#ifndef SYNCED_H
#define SYNCED_H

#include "cli.h"

/* On stdout; mirror and source are what people call them. */
void synced_json(const char *mirror, const char *source,
		 const struct pakhus_mirror *r);
void synced_text(const char *mirror, const char *source,
		 const struct pakhus_mirror *r);

#endif
