/* fuzz_next.c - the note of a rotation. The first byte says who signs the
 * text that follows, or that it is a whole note; only what both keys signed
 * is followed, and it leads to the key that its text names. */
#include "fuzz.h"
#include "trust.h"

#define ORIGIN "example.org/fuzz"

static struct pk_signer signer[3]; /* trusted, next, another */

static void make_keys(void)
{
	/* of seeds that never change, or no text would name the second */
	static const char *const text[] = {
		"PRIVATE+KEY+" ORIGIN "+892f7681+"
		"AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEB",
		"PRIVATE+KEY+" ORIGIN "+5d528639+"
		"AQICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgIC",
		"PRIVATE+KEY+" ORIGIN "+14b121d1+"
		"AQMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMD",
	};

	for (size_t i = 0; i < 3; i++)
		if (pk_signer_decode(text[i], strlen(text[i]), &signer[i],
				     NULL) ||
		    pk_signer_derive(&signer[i], NULL))
			abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	struct pk_checkpoint c = { .size = 0 };
	struct pakhus_error err;
	struct pk_vkey next;
	unsigned by;
	char *note;
	size_t n;

	if (!signer[0].public.name[0])
		make_keys();
	if (!size || size > PK_NOTE_MAX)
		return 0;
	by = *bytes & 7;
	n = --size;
	note = malloc(n + 1 + 3 * PK_SIGNATURE_LINE);
	memcpy(note, bytes + 1, n);
	if (by)
		note[n++] = '\n';
	for (unsigned i = 0; i < 3; i++) {
		struct pk_signature s;

		if (!(by >> i & 1))
			continue;
		if (pk_sign(&signer[i], note, size, &s, NULL))
			abort();
		n += pk_signature_encode(&s, note + n);
	}
	pk_error_init(&err);
	if (pk_trust_next(&signer[0].public, ORIGIN, note, n, &next, &c,
			  &err)) {
		if (err.status != PAKHUS_ECORRUPT || !*err.text)
			abort();
	} else if (c.size < 2 || strcmp(next.name, ORIGIN) ||
		   (by && !(by & 1)) ||
		   !memmem(note, n, "\nkey ", 5)) {
		abort();
	}
	free(note);
	return 0;
}
