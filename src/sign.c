#include "sign.h"
#include "auto.h"
#include "base64.h"
#include "hex.h"
#include "io.h"
#include "sha256.h"

#include <openssl/evp.h>
#include <stdio.h>
#include <string.h>

#define PREFIX "PRIVATE+KEY+"
#define ED25519 0x01

static void free_key(EVP_PKEY **key)
{
	EVP_PKEY_free(*key);
}

static void free_ctx(EVP_MD_CTX **ctx)
{
	EVP_MD_CTX_free(*ctx);
}

/* The id of signed-note: SHA-256(name \n algorithm key), its first bytes. */
static int key_id(const struct pk_vkey *k, unsigned char id[4])
{
	unsigned char text[PK_ORIGIN_MAX + 2 + PK_PUBLIC_SIZE];
	unsigned char hash[PK_HASH_SIZE];
	size_t n = strlen(k->name);

	memcpy(text, k->name, n);
	text[n] = '\n';
	text[n + 1] = ED25519;
	memcpy(text + n + 2, k->key, PK_PUBLIC_SIZE);
	if (pk_sha256(text, n + 2 + PK_PUBLIC_SIZE, hash))
		return -1;
	memcpy(id, hash, 4);
	return 0;
}

int pk_vkey_is_sound(const struct pk_vkey *key)
{
	unsigned char id[4];

	return !key_id(key, id) && !memcmp(id, key->id, 4);
}

static EVP_PKEY *private_key(const struct pk_signer *s)
{
	return EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, NULL, s->seed,
					    PK_SEED_SIZE);
}

/* The public half of a private key, under a name. */
static int derive(EVP_PKEY *key, struct pk_vkey *k, struct pakhus_error *err)
{
	size_t n = PK_PUBLIC_SIZE;

	if (!key || !EVP_PKEY_get_raw_public_key(key, k->key, &n) ||
	    key_id(k, k->id))
		return pk_fail_nomem(err);
	return 0;
}

/* That the private key is the one of the id that stands beside it. */
static int check(EVP_PKEY *key, const struct pk_signer *s,
		 struct pakhus_error *err)
{
	struct pk_vkey k = s->public;
	int rc = derive(key, &k, err);

	if (rc || !memcmp(k.id, s->public.id, 4))
		return rc;
	return pk_fail(err, PAKHUS_ECORRUPT,
		       "local/key: F-36 the id is another key's");
}

int pk_signer_new(const char *name, struct pk_signer *s,
		  struct pakhus_error *err)
{
	AUTO(free_key) EVP_PKEY *key = NULL;
	int rc = pk_random(s->seed, PK_SEED_SIZE, err);

	if (rc)
		return rc;
	snprintf(s->public.name, sizeof(s->public.name), "%s", name);
	key = private_key(s);
	return derive(key, &s->public, err);
}

size_t pk_signer_encode(const struct pk_signer *s, char out[PK_SKEY_SIZE])
{
	unsigned char raw[1 + PK_SEED_SIZE] = { ED25519 };
	char id[9];
	int n;

	memcpy(raw + 1, s->seed, PK_SEED_SIZE);
	pk_hex(s->public.id, 4, id);
	n = sprintf(out, PREFIX "%s+%s+", s->public.name, id);
	return (size_t)n + pk_base64(raw, sizeof(raw), out + n);
}

int pk_signer_decode(const char *text, size_t size, struct pk_signer *s,
		     struct pakhus_error *err)
{
	size_t skip = strlen(PREFIX);
	struct pk_vkey k;
	const char *fault;

	if (size < skip || memcmp(text, PREFIX, skip))
		return pk_fail(err, PAKHUS_ECORRUPT,
			       "local/key: not a private key");
	/* behind the prefix it has a verifier key's form, with the seed */
	fault = pk_vkey_decode(text + skip, size - skip, &k);
	if (fault)
		return pk_fail(err, PAKHUS_ECORRUPT, "local/key: %s", fault);
	memcpy(s->seed, k.key, PK_SEED_SIZE);
	memset(k.key, 0, sizeof(k.key));
	s->public = k;
	return 0;
}

int pk_signer_check(const struct pk_signer *s, struct pakhus_error *err)
{
	AUTO(free_key) EVP_PKEY *key = private_key(s);

	return check(key, s, err);
}

int pk_signer_derive(struct pk_signer *s, struct pakhus_error *err)
{
	AUTO(free_key) EVP_PKEY *key = private_key(s);
	int rc = check(key, s, err);

	return rc ? rc : derive(key, &s->public, err);
}

int pk_sign(const struct pk_signer *s, const void *text, size_t size,
	    struct pk_signature *sig, struct pakhus_error *err)
{
	AUTO(free_key) EVP_PKEY *key = private_key(s);
	AUTO(free_ctx) EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	size_t n = PK_SIGNATURE_SIZE;
	int rc = check(key, s, err);

	if (rc)
		return rc;
	if (!ctx || !EVP_DigestSignInit(ctx, NULL, NULL, NULL, key) ||
	    !EVP_DigestSign(ctx, sig->bytes, &n, text, size))
		return pk_fail(err, PAKHUS_ENOMEM, "signing failed");
	memcpy(sig->name, s->public.name, sizeof(sig->name));
	memcpy(sig->id, s->public.id, 4);
	sig->is_ed25519 = 1;
	return 0;
}

int pk_is_signed(const struct pk_vkey *key, const void *text, size_t size,
		 const struct pk_signature *sig)
{
	AUTO(free_key) EVP_PKEY *pkey = NULL;
	AUTO(free_ctx) EVP_MD_CTX *ctx = NULL;

	if (!sig->is_ed25519 || memcmp(sig->id, key->id, 4) ||
	    strcmp(sig->name, key->name))
		return 0;
	pkey = EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, NULL, key->key,
					   PK_PUBLIC_SIZE);
	ctx = EVP_MD_CTX_new();
	return pkey && ctx &&
	       EVP_DigestVerifyInit(ctx, NULL, NULL, NULL, pkey) == 1 &&
	       EVP_DigestVerify(ctx, sig->bytes, PK_SIGNATURE_SIZE, text,
				size) == 1;
}
