/* keyring.h - the tokens that a server goes by, read again when their file
 * changes.
 *
 * A look at the file is taken at most once a second, by a thread that asks for
 * the tokens; the others go on meanwhile. What cannot be read or makes no
 * sense is told, once, and changes nothing: the tokens stay as they were. From
 * any thread.
 */
#ifndef KEYRING_H
#define KEYRING_H

#include "tokens.h"

struct keyring;

typedef void keyring_notice_fn(void *arg, const char *text);

int keyring_open(struct keyring **out, const char *path,
		 keyring_notice_fn *notice, void *arg,
		 struct pakhus_error *err);
void keyring_close(struct keyring *ring);
/* Reads the file now. */
int keyring_reload(struct keyring *ring, struct pakhus_error *err);

/* Those of now, in milliseconds of any clock that does not go back; they stay
 * until they are let go. */
struct tokens_held {
	struct tokens *tokens;
	/* private */
	struct tokens_shared *shared;
};
struct tokens_held keyring_hold(struct keyring *ring, uint64_t now_ms);
void keyring_let_go(struct tokens_held held);

#endif
