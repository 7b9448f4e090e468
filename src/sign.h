/* sign.h - Ed25519 keys of the log, as C2SP signed-note has them. */
#ifndef PK_SIGN_H
#define PK_SIGN_H

#include "fail.h"
#include "note.h"

#define PK_SEED_SIZE 32

/* What signs: the public half, and the seed of the private one. */
struct pk_signer {
	struct pk_vkey public;
	unsigned char seed[PK_SEED_SIZE];
};

/* Makes a new key under a name. */
int pk_signer_new(const char *name, struct pk_signer *s,
		  struct pakhus_error *err);
/* The private key's text, PRIVATE+KEY+name+id+base64, and back: then without
 * the public key, which takes as long to compute as a text to read, and with
 * the id unchecked until _check() or pk_sign(). */
#define PK_SKEY_SIZE (12 + PK_VKEY_SIZE)
size_t pk_signer_encode(const struct pk_signer *s, char out[PK_SKEY_SIZE]);
int pk_signer_decode(const char *text, size_t size, struct pk_signer *s,
		     struct pakhus_error *err);
/* Whether the id is the private key's. */
int pk_signer_check(const struct pk_signer *s, struct pakhus_error *err);
/* The same, and fills in the public key that _decode() left out. */
int pk_signer_derive(struct pk_signer *s, struct pakhus_error *err);

/* Signs a note's text; sig is filled. */
int pk_sign(const struct pk_signer *s, const void *text, size_t size,
	    struct pk_signature *sig, struct pakhus_error *err);
/* 1 when the signature is this key's over the text, else 0. */
int pk_is_signed(const struct pk_vkey *key, const void *text, size_t size,
		 const struct pk_signature *sig);
/* Whether a verifier key's id is the one that its name and key give. */
int pk_vkey_is_sound(const struct pk_vkey *key);

#endif
