/* fail.h - filling a pakhus_error, once, where the fact is known.
 *
 * A function that fails returns what pk_fail() gave it; callers pass that
 * status up unchanged. The first error wins.
 */
#ifndef PK_FAIL_H
#define PK_FAIL_H

#include "pakhus.h"

/* Fills err, if there is one, and returns status. */
int pk_fail(struct pakhus_error *err, int status, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
/* The same for a failed system call: the status follows from errno, and
 * ": strerror" is appended. */
int pk_fail_sys(struct pakhus_error *err, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));
int pk_fail_nomem(struct pakhus_error *err);
/* Empties what the caller gave, at the beginning of every public call. */
void pk_error_init(struct pakhus_error *err);

#ifdef __clang_analyzer__ /* it does not see across files that none gives 0 */
#define pk_fail(err, status, ...) ((void)(err), (void)(status), -2)
#define pk_fail_sys(err, ...) ((void)(err), -2)
#define pk_fail_nomem(err) ((void)(err), -2)
#endif

#endif
