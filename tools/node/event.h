/* event.h - what a running call tells JavaScript, from any thread.
 *
 * Events are given to the function `tell` in the order in which they came, as
 * (id, kind, …), and before the promise of the call that sent them settles.
 */
#ifndef EVENT_H
#define EVENT_H

#include "addon.h"

/* "notice", text, and "progress", what, done, total, where the newest alone
 * counts. */
void event_notice(struct addon *addon, uint64_t id, const char *text);
void event_progress(struct addon *addon, uint64_t id, const char *what,
		    uint64_t done, uint64_t total);
/* "mended", path, text. */
void event_mended(struct addon *addon, uint64_t id, const char *path,
		  const char *text);
/* "fetch", into, names, max, fresh: waits until JavaScript answers. The
 * status, as pakhus_source has it. */
int event_fetch(struct call *c, const char *into, const char *const *names,
		size_t n, uint64_t max, int is_fresh, struct pakhus_error *err);
/* "write", bytes: likewise. */
int event_write(struct call *c, const char *bytes, size_t size,
		struct pakhus_error *err);
/* That the call's thread is over. */
void event_over(struct call *c);

/* Before a call may wait for answers; not 0 without memory. */
int event_expect(struct call *c);
/* JavaScript's answer, and that no answer will come any more. */
void event_answer(struct call *c, int status, const char *text);
void event_cancel(struct call *c);

/* Gives JavaScript what there is; on its thread. */
void event_drain(struct addon *addon);
/* Forgets what there is. */
void event_drop(struct addon *addon);

#endif
