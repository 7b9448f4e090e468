/* mark.h - whether the index may be believed: local/index-state (F-66).
 *
 *	boot <boot id> <inode>		in use, or left in use, since that boot
 *	clean <inode> <entries>		synced at the end, with so many applied
 *
 * Beside LMDB and not in it: after power loss LMDB's newest root can lie in
 * a page whose bytes are those of an older use, an old word of cleanness
 * among them. The file is asked before LMDB looks at a page.
 */
#ifndef PK_MARK_H
#define PK_MARK_H

#include "fail.h"
#include "key.h"

/* Both synced when they return. */
int pk_mark_in_use(int dir, uint64_t inode, struct pakhus_error *err);
int pk_mark_clean(int dir, uint64_t inode, uint64_t applied,
		  struct pakhus_error *err);

enum pk_mark { PK_MARK_NONE, PK_MARK_IN_USE, PK_MARK_CLEAN };
/* What is said of the index file of this inode; IN_USE only since this
 * boot, and NONE for all that is not believed. *applied is set for CLEAN. */
enum pk_mark pk_mark_read(int dir, uint64_t inode, uint64_t *applied);

int pk_boot_id(unsigned char out[PK_BOOT_SIZE], struct pakhus_error *err);

#endif
