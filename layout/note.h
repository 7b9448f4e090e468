/* note.h - signed notes, verifier keys and checkpoints as text (C2SP
 * signed-note and tlog-checkpoint; F-34 to F-38).
 *
 * A note is a text that ends in a newline, an empty line, and signature
 * lines "(em dash) <name> <base64 of 4 bytes key id and the signature>".
 * Nothing here signs or checks a signature; see sign.h.
 */
#ifndef PK_NOTE_H
#define PK_NOTE_H

#include "bytes.h"

#define PK_ORIGIN_MAX 200
#define PK_NOTE_MAX 16384 /* F-34: no checkpoint of ours comes near it */
#define PK_VKEY_SIZE (PK_ORIGIN_MAX + 1 + 8 + 1 + 44 + 1)
#define PK_PUBLIC_SIZE 32    /* Ed25519 */
#define PK_SIGNATURE_SIZE 64 /* Ed25519 */

/* 1 to PK_ORIGIN_MAX printable ASCII bytes, no space and no '+' (F-35). */
int pk_is_origin(const char *name, size_t size);

struct pk_vkey {
	char name[PK_ORIGIN_MAX + 1];
	unsigned char id[4]; /* first bytes of SHA-256(name \n 0x01 key) */
	unsigned char key[PK_PUBLIC_SIZE];
};

void pk_vkey_encode(const struct pk_vkey *k, char out[PK_VKEY_SIZE]);
/* Checks the form; whether id belongs to the key is sign.h's to say. */
const char *pk_vkey_decode(const char *text, size_t size, struct pk_vkey *k);

struct pk_signature {
	char name[PK_ORIGIN_MAX + 1];
	unsigned char id[4];
	unsigned char bytes[PK_SIGNATURE_SIZE];
	int is_ed25519; /* 0: of another kind, to be passed over; no name */
};

/* Cuts a note: *text is what was signed, its last newline included, and
 * *signatures the lines behind the empty one. */
const char *pk_note_decode(const char *note, size_t size,
			   struct pk_bytes *text, struct pk_bytes *signatures);
/* 1: *s is set; 0: the end; -1: not a signature line (F-34). */
int pk_signature_next(struct pk_bytes *signatures, struct pk_signature *s);
/* Writes one signature line with its newline; gives its length. */
#define PK_SIGNATURE_LINE (4 + PK_ORIGIN_MAX + 1 + 92 + 2)
size_t pk_signature_encode(const struct pk_signature *s,
			   char out[PK_SIGNATURE_LINE]);

struct pk_checkpoint {
	char origin[PK_ORIGIN_MAX + 1];
	uint64_t size; /* entries */
	unsigned char root[PK_HASH_SIZE];
	uint64_t time; /* signed at, microseconds since 1970; 0: not said */
	/* of who checks signatures (log.h): the keys it asked that signed, a
	 * bit each, and whether one of the name did that it does not know */
	uint64_t by;
	int by_other;
};

/* The text that is signed: origin, size and root, a line each, and the time
 * where it is said (F-37). */
#define PK_CHECKPOINT_SIZE (PK_ORIGIN_MAX + 1 + 20 + 1 + 44 + 1 + 26 + 1)
size_t pk_checkpoint_encode(const struct pk_checkpoint *c,
			    char out[PK_CHECKPOINT_SIZE]);
/* Extension lines behind the third are allowed, and but for the time passed
 * over. */
const char *pk_checkpoint_decode(struct pk_bytes text, struct pk_checkpoint *c);

#endif
