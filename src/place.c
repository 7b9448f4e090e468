#include "place.h"
#include "crew.h"

static int sync_object(void *arg, void *task, void **own,
		       struct pakhus_error *err)
{
	struct pk_placing *p = arg;

	(void)own;
	return pk_object_sync(p->dir, p->from, task, err);
}

static int sync_dir(void *arg, void *task, void **own,
		    struct pakhus_error *err)
{
	struct pk_placing *p = arg;
	unsigned char *touched = task;

	(void)own;
	return pk_object_sync_dir(p->dir,
				  (unsigned char)(touched - p->touched), err);
}

/* Threads that sync wait for the disk, not for a processor; and those who
 * wait together are served by one flush. 150 files and 256 directories took
 * 1.4 s one by one, 0.1 s by eight, on a disk that others used. */
#define SYNCERS 8

int pk_place(struct pk_placing *p, struct pakhus_error *err)
{
	unsigned threads = p->threads > 1 ? SYNCERS : 1;
	struct pk_crew files = { .work = sync_object,
				 .arg = p,
				 .threads = threads };
	struct pk_crew dirs = { .work = sync_dir,
				.arg = p,
				.threads = threads };
	int rc = 0;

	pk_crew_init(&files);
	for (size_t i = 0; i < p->n && !rc; i++)
		rc = pk_crew_put(&files, (void *)(p->hash + i * PK_HASH_SIZE),
				 err);
	if (!rc)
		rc = pk_crew_wait(&files, NULL, NULL, err);
	pk_crew_release(&files);
	for (size_t i = 0; i < p->n && !rc; i++) {
		const unsigned char *hash = p->hash + i * PK_HASH_SIZE;

		p->touched[*hash] = 1;
		rc = pk_object_place(p->dir, p->from, hash, err);
	}
	if (rc)
		return rc;
	pk_crew_init(&dirs);
	for (unsigned i = 0; i < 256 && !rc; i++)
		if (p->touched[i])
			rc = pk_crew_put(&dirs, &p->touched[i], err);
	if (!rc)
		rc = pk_crew_wait(&dirs, NULL, NULL, err);
	pk_crew_release(&dirs);
	return rc;
}
