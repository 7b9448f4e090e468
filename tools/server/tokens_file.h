/* tokens_file.h - the file that tokens are kept in.
 *
 * It is replaced whole: written beside itself, synced, renamed. Who changes it
 * holds a lock on its directory from before it is read until after that, so
 * two that change it at once lose nothing. Other lines of it stay as they are,
 * comments too. A new file is mode 0600; an old one keeps owner, group and who
 * of its group may read it.
 */
#ifndef TOKENS_FILE_H
#define TOKENS_FILE_H

#include <sys/stat.h>

#include "tokens.h"

/* Reads it; stamp (may be NULL) is then what the file was. Errors begin with
 * the path. */
int tokens_read(const char *path, struct tokens **out, struct stat *stamp,
		struct pakhus_error *err);
/* Whether others than owner and group may read a file, or others than its
 * owner write it. */
int tokens_is_exposed(const struct stat *stamp);
/* A token more; the file is made where there is none. PAKHUS_ECONFLICT: there
 * is one of the name or of the secret. */
int tokens_add(const char *path, const struct token *token,
	       struct pakhus_error *err);
/* PAKHUS_ENOTFOUND: there is none of the name. */
int tokens_remove(const char *path, const char *name,
		  struct pakhus_error *err);

#endif
