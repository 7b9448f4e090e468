/* tmpfile.h - a file that does not exist until it is published.
 *
 * Written in local/stage, synced, and renamed to where it belongs, so that
 * nobody sees half of it. The directory it went to is not synced here: a
 * caller that publishes many syncs each directory once.
 */
#ifndef PK_TMPFILE_H
#define PK_TMPFILE_H

#include "fail.h"

struct pk_tmp {
	int dir; /* of the store; not owned */
	int fd;
	char path[128];
};
#define PK_TMP_INIT { -1, -1, "" }
#define PK_STAGE "local/stage"

/* Name is the file's in the stage; what was there is overwritten. */
int pk_tmp_open(struct pk_tmp *t, int dir, const char *name,
		struct pakhus_error *err);
int pk_tmp_write(struct pk_tmp *t, const void *buf, size_t n,
		 struct pakhus_error *err);
int pk_tmp_sync(struct pk_tmp *t, struct pakhus_error *err);
/* Renames; what is at path is replaced. Sync before. */
int pk_tmp_publish(struct pk_tmp *t, const char *path, unsigned mode,
		   struct pakhus_error *err);
void pk_tmp_discard(struct pk_tmp *t); /* nothing when published */

/* Removes what who was killed left: objects, by whoever has the lock that is
 * needed to stage them, and other files when they are an hour old, as somebody
 * may be about to rename one. */
void pk_stage_clear(int dir);

/* All of the above for bytes that are there. */
int pk_install(int dir, const char *path, const void *bytes, size_t size,
	       unsigned mode, struct pakhus_error *err);

#endif
