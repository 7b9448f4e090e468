#include "trust.h"
#include "hex.h"

#include <stdio.h>
#include <string.h>

void pk_next_path(const struct pk_vkey *old, char out[PK_NEXT_PATH])
{
	memcpy(out, "keys/", 5);
	pk_hex(old->id, 4, out + 5);
	strcpy(out + 13, ".next");
}

/* The key of the one line that says it, behind origin, size and root. */
static const char *find_key(struct pk_bytes text, struct pk_vkey *k)
{
	const char *fault = "F-68 it names no key";
	const unsigned char *nl;
	int found = 0;

	for (int line = 0; (nl = memchr(text.at, '\n', text.left)); line++) {
		size_t size = (size_t)(nl - text.at);
		const char *at = (const char *)pk_take(&text, size + 1);

		if (line < 3 || size < 4 || memcmp(at, "key ", 4))
			continue;
		if (found++)
			return "F-68 it names two keys";
		fault = pk_vkey_decode(at + 4, size - 4, k);
		if (!fault && !pk_vkey_is_sound(k))
			fault = "F-36 the key's id is not that of its name "
				"and key";
	}
	return fault;
}

static int has_signed(const struct pk_vkey *k, struct pk_bytes text,
		      struct pk_bytes signatures)
{
	struct pk_signature s;

	while (pk_signature_next(&signatures, &s) == 1)
		if (pk_is_signed(k, text.at, text.left, &s))
			return 1;
	return 0;
}

static const char *follow(const struct pk_vkey *trusted, const char *origin,
			  const char *note, size_t size, struct pk_vkey *next,
			  struct pk_checkpoint *at)
{
	struct pk_bytes text, signatures;
	const char *fault = pk_note_decode(note, size, &text, &signatures);

	if (!fault)
		fault = pk_checkpoint_decode(text, at);
	if (!fault)
		fault = find_key(text, next);
	if (fault)
		return fault;
	if (strcmp(at->origin, origin) || strcmp(next->name, origin))
		return "F-68 it is of another log";
	if (at->size < 2)
		return "F-68 its last entry is not one that rotates";
	if (!memcmp(next->key, trusted->key, PK_PUBLIC_SIZE))
		return "F-68 the key is followed by itself";
	if (!has_signed(trusted, text, signatures))
		return "F-68 the key before did not sign it";
	if (!has_signed(next, text, signatures))
		return "F-68 the key that it names did not sign it";
	return NULL;
}

int pk_trust_next(const struct pk_vkey *trusted, const char *origin,
		  const char *note, size_t size, struct pk_vkey *next,
		  struct pk_checkpoint *at, struct pakhus_error *err)
{
	char path[PK_NEXT_PATH];
	struct pk_checkpoint c;
	struct pk_vkey k;
	const char *fault = follow(trusted, origin, note, size, &k, &c);

	pk_next_path(trusted, path);
	if (fault)
		return pk_fail(err, PAKHUS_ECORRUPT, "%s: %s", path, fault);
	*next = k;
	*at = c;
	return 0;
}

int pk_next_sign(const struct pk_checkpoint *c, const struct pk_signer *old,
		 const struct pk_signer *next, char out[PK_NEXT_NOTE],
		 size_t *size, struct pakhus_error *err)
{
	const struct pk_signer *by[] = { old, next };
	size_t n = pk_checkpoint_encode(c, out), end;

	memcpy(out + n, "key ", 4);
	pk_vkey_encode(&next->public, out + n + 4);
	n = strlen(out);
	out[n++] = '\n';
	end = n;
	out[end++] = '\n';
	for (size_t i = 0; i < 2; i++) {
		struct pk_signature s;
		int rc = pk_sign(by[i], out, n, &s, err);

		if (rc)
			return rc;
		end += pk_signature_encode(&s, out + end);
	}
	*size = end;
	return 0;
}
