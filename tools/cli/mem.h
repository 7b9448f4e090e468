/* mem.h - memory that is there: without it the program says so and ends.
 *
 * For small things of the program's own; a store that was open then is as
 * after a crash, which costs nothing that was durable.
 */
#ifndef MEM_H
#define MEM_H

#include <stddef.h>

void *mem_need(void *p); /* p, unless it is NULL */
char *mem_dup(const char *text);
/* Room for one more item than count in an array of room items. */
void *mem_grow(void *items, size_t count, size_t *room, size_t size);

#endif
