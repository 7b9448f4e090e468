/* accesslog.h - a line of JSON for each request that was answered.
 *
 * Lines are gathered and written a few times a second, by the thread that
 * adds them.
 */
#ifndef ACCESSLOG_H
#define ACCESSLOG_H

#include "http.h"
#include "pakhus.h"

struct accesslog;

struct access_line {
	const char *peer, *method, *target, *route, *who, *user_agent, *id;
	int status;
	uint64_t bytes;	      /* of the body that was sent */
	uint64_t duration_us; /* from the whole head to the reply */
};

/* path: a file that is appended to, "-" for stderr, or "off". */
int accesslog_open(struct accesslog **out, const char *path,
		   struct pakhus_error *err);
void accesslog_add(struct accesslog *log, const struct access_line *line);
void accesslog_flush(struct accesslog *log);
/* Opens the file anew, for who rotates it; where that fails the old one is
 * written on. */
int accesslog_reopen(struct accesslog *log, struct pakhus_error *err);
void accesslog_close(struct accesslog *log);

#endif
