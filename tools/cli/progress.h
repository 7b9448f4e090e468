/* progress.h - one line on a terminal's stderr that says how far it is.
 *
 * Nothing appears in the first moments nor where stderr is no terminal.
 * Whoever writes to stderr, or to a stdout that is a terminal, clears first.
 */
#ifndef PROGRESS_H
#define PROGRESS_H

void progress_show(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
void progress_clear(void);
/* Seconds since progress was first asked for. */
double progress_elapsed(void);

#endif
