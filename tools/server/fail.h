/* fail.h - filling a struct pakhus_error. */
#ifndef FAIL_H
#define FAIL_H

#include "pakhus.h"

/* Gives status back. sys is an errno, whose words are put behind the text, or
 * 0. err may be NULL. */
int server_fail(struct pakhus_error *err, int status, int sys, const char *fmt,
		...) __attribute__((format(printf, 4, 5)));
/* Here, so that it is seen to fail. */
static inline int server_fail_nomem(struct pakhus_error *err)
{
	server_fail(err, PAKHUS_ENOMEM, 0, "out of memory");
	return PAKHUS_ENOMEM;
}
/* The status that goes with an errno. */
int server_status(int sys);

#endif
