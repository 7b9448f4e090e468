#include "mem.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "progress.h"

void *mem_need(void *p)
{
	if (p)
		return p;
	progress_clear();
	fputs("pakhus: out of memory\n", stderr);
	exit(1);
}

char *mem_dup(const char *text)
{
	return mem_need(strdup(text));
}

void *mem_grow(void *items, size_t count, size_t *room, size_t size)
{
	if (count < *room)
		return items;
	*room = *room ? 2 * *room : 16;
	return mem_need(reallocarray(items, *room, size));
}
