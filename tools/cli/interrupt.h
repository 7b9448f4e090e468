/* interrupt.h - SIGINT and SIGTERM as something to look at.
 *
 * For commands that have to finish a step first. A second signal ends the
 * program at once, which a store survives as it survives a power cut.
 */
#ifndef INTERRUPT_H
#define INTERRUPT_H

#include <stdint.h>

void interrupt_catch(void);
int interrupt_pending(void); /* 0 where none was caught */
/* Sleeps so many seconds, or until an interrupt, be it one from before. */
void interrupt_wait(uint64_t seconds);
/* The step was left; what follows has to be interrupted anew. */
void interrupt_forget(void);

#endif
