/* tree.h - a directory of files that others read while it is changed.
 *
 * Files are written under one hidden name at the top and renamed, so nobody
 * sees half of one; one that has the same bytes already stays as it is, with
 * its time, which is what web servers make their ETag of. Nothing is synced
 * before tree_sync(). Paths are relative to the top; the directories of a
 * file are made with it, and taken away with the last file in them.
 *
 * Calls say what fails and return an exit status.
 */
#ifndef TREE_H
#define TREE_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "cli.h"

struct tree {
	const struct cli *cli;
	const char *path; /* as the user knows it */
	int dir;
	int sys; /* why not all of a file could be written, or 0 */
	uint64_t written, removed; /* files */
};

/* Makes the directory if it is not there, and locks it until
 * tree_close(). */
int tree_open(const struct cli *cli, const char *path, struct tree *out);
void tree_close(struct tree *tree);

/* A file in the making, to be written with stdio, much of it at once with
 * tree_write(), after which the reason of a failure is known. tree_put() takes
 * it, and needs no call after it, whether it failed or not. */
FILE *tree_new(struct tree *tree); /* NULL: said */
void tree_write(struct tree *tree, FILE *file, const char *bytes, size_t size);
int tree_put(struct tree *tree, FILE *file, const char *path);
void tree_drop(struct tree *tree, FILE *file);

/* A file that is not there is no failure. */
int tree_remove(struct tree *tree, const char *path);
/* Of a file of at most max bytes; NULL where there is none, or it is longer.
 * Freed by the caller. */
char *tree_read(const struct tree *tree, const char *path, size_t max);
/* The first size bytes of a file; false where it has not as many. */
bool tree_head(const struct tree *tree, const char *path, char *out,
	       size_t size);
/* Whether nothing is in it that somebody put there. */
bool tree_is_empty(const struct tree *tree);
int tree_sync(struct tree *tree);

/* The names in a directory, none where it is not there; ended by NULL, freed
 * with tree_names_free(). Hidden ones are left out. */
int tree_names(const struct tree *tree, const char *path, char ***out);
void tree_names_free(char **names);

#endif
