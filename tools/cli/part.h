/* part.h - a file that is not under its name before all of it is there.
 *
 * It is written as NAME.part beside, and renamed by part_finish(); else
 * part_drop() removes it, or part_keep() leaves it for part_again(). Values
 * begin as PART_INIT. dir and name stay the caller's. Calls return 0, or -1
 * with errno.
 */
#ifndef PART_H
#define PART_H

#include <stddef.h>
#include <stdint.h>
#include <time.h>

struct part {
	int dir;
	const char *name;
	int fd; /* -1: none is open */
	uint64_t size;
};
#define PART_INIT                                                              \
	{                                                                      \
		-1, NULL, -1, 0                                                \
	}

/* Begins an empty one. */
int part_begin(struct part *part, int dir, const char *name);
/* Opens what part_keep() left, for more; *when is what it was told. Where
 * there is none, or too little to be worth it, errno is ENOENT. */
int part_again(struct part *part, int dir, const char *name, time_t *when);
int part_write(struct part *part, const void *bytes, size_t size);
int part_empty(struct part *part); /* writes from the beginning */
int part_finish(struct part *part);
void part_drop(struct part *part);
/* when: as of which time the source's file was that which this begins. */
void part_keep(struct part *part, time_t when);

#endif
