/* outfile.h - a file anywhere that is whole when it is there.
 *
 * Written beside its name as NAME.part, synced and renamed. Whoever is
 * killed leaves NAME.part; the next one takes it over, and a lock keeps two
 * who write the same NAME apart. Without a path, bytes go to a callback.
 */
#ifndef PK_OUTFILE_H
#define PK_OUTFILE_H

#include "fail.h"

struct pk_out {
	const char *path; /* NULL: to write; both are the caller's */
	pakhus_write_fn *write;
	void *arg;
	/* private */
	char *part, *parent;
	int fd;
	char *buf;
	size_t n;
	uint64_t given; /* bytes, to file or callback */
};
#define PK_OUT_INIT { .fd = -1 }

/* path and write are set. PAKHUS_EBUSY: somebody else is writing it. */
int pk_out_open(struct pk_out *o, struct pakhus_error *err);
int pk_out_put(struct pk_out *o, const void *bytes, size_t n,
	       struct pakhus_error *err);
/* From the beginning again: 1, or 0 where a callback has had some. */
int pk_out_again(struct pk_out *o, struct pakhus_error *err);
/* The file has its name, durably. */
int pk_out_publish(struct pk_out *o, struct pakhus_error *err);
/* Takes away what was not published. */
void pk_out_discard(struct pk_out *o);

#endif
