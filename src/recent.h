/* recent.h - records that this process appended and has not applied yet.
 *
 * Who applies what a sync covered would read back from the slot, and check,
 * bytes that were in this process's memory a moment ago: a tenth of what a
 * publish costs. So an appended record's buffer is kept until it is applied,
 * here or by another process. Only memory is lost where one is not found.
 * May be used by several threads.
 */
#ifndef PK_RECENT_H
#define PK_RECENT_H

#include "record.h"

#include <pthread.h>

struct pk_recent_record {
	struct pk_recent_record *next;
	uint64_t at; /* in the slot that has the generation */
	struct pk_record record;
	uint64_t sum;	      /* of the header */
	unsigned char *bytes; /* malloc'ed: header and payload */
};

struct pk_recent {
	pthread_mutex_t lock;
	struct pk_recent_record *first;
};

void pk_recent_init(struct pk_recent *r);
void pk_recent_release(struct pk_recent *r);
/* Keeps a record, whose bytes it takes over where it gives 0, and drops
 * those of entries below durable. 1: there was no memory to. */
int pk_recent_put(struct pk_recent *r, const struct pk_recent_record *what,
		  uint64_t durable);
/* 1 and the record, bytes being the caller's; 0: it is not here, or not of
 * entries below upto. */
int pk_recent_take(struct pk_recent *r,
		   const unsigned char generation[PK_GENERATION_SIZE],
		   uint64_t at, uint64_t upto, struct pk_recent_record *out);

#endif
