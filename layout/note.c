#include "note.h"
#include "base64.h"
#include "hex.h"
#include "line.h"
#include "utf8.h"

#include <stdio.h>

#define DASH "\xE2\x80\x94 " /* U+2014 and a space */
#define ED25519 0x01	     /* signed-note's byte for the algorithm */

int pk_is_origin(const char *name, size_t size)
{
	if (!size || size > PK_ORIGIN_MAX)
		return 0;
	for (size_t i = 0; i < size; i++)
		if (name[i] <= ' ' || name[i] > '~' || name[i] == '+')
			return 0;
	return 1;
}

void pk_vkey_encode(const struct pk_vkey *k, char out[PK_VKEY_SIZE])
{
	unsigned char raw[1 + PK_PUBLIC_SIZE] = { ED25519 };
	char id[9];

	memcpy(raw + 1, k->key, PK_PUBLIC_SIZE);
	pk_hex(k->id, 4, id);
	pk_base64(raw, sizeof(raw), out + sprintf(out, "%s+%s+", k->name, id));
}

const char *pk_vkey_decode(const char *text, size_t size, struct pk_vkey *k)
{
	unsigned char raw[1 + PK_PUBLIC_SIZE];
	const char *plus = memchr(text, '+', size);
	size_t name = plus ? (size_t)(plus - text) : size;

	if (!plus || !pk_is_origin(text, name))
		return "F-35 the key's name is missing or not plain";
	if (size - name < 10 || text[name + 9] != '+' ||
	    pk_unhex(text + name + 1, k->id, 4))
		return "F-35 the key's id is not eight hexadecimal digits";
	if (pk_unbase64(text + name + 10, size - name - 10, raw, sizeof(raw)) !=
	    (long)sizeof(raw) || raw[0] != ED25519)
		return "F-35 the key is not an Ed25519 one in base64";
	memcpy(k->name, text, name);
	k->name[name] = '\0';
	memcpy(k->key, raw + 1, PK_PUBLIC_SIZE);
	return NULL;
}

const char *pk_note_decode(const char *note, size_t size,
			   struct pk_bytes *text, struct pk_bytes *signatures)
{
	const char *cut = NULL;

	if (size > PK_NOTE_MAX)
		return "F-34 the note is longer than 16384 bytes";
	for (size_t i = 0, n; i < size; i += n) {
		const unsigned char *p = (const unsigned char *)note + i;

		n = pk_utf8_len(p, size - i);
		if (!n || (*p < ' ' && *p != '\n'))
			return "F-34 the note holds a byte that is not text";
	}
	/* the last empty line divides, as the text may hold others */
	for (size_t i = 0; i + 1 < size; i++)
		if (note[i] == '\n' && note[i + 1] == '\n')
			cut = note + i + 1;
	if (!cut || note[size - 1] != '\n' || cut + 1 == note + size)
		return "F-34 the note has no signature block";
	text->at = (const unsigned char *)note;
	text->left = (size_t)(cut - note);
	signatures->at = (const unsigned char *)cut + 1;
	signatures->left = size - text->left - 1;
	return NULL;
}

int pk_signature_next(struct pk_bytes *signatures, struct pk_signature *s)
{
	unsigned char raw[PK_NOTE_MAX / 4 * 3]; /* others sign at length */
	const char *line, *space;
	size_t size, name;
	long n;

	if (!signatures->left)
		return 0;
	if (!pk_line_next(signatures, &line, &size) || size < strlen(DASH) ||
	    memcmp(line, DASH, strlen(DASH)))
		return -1;
	line += strlen(DASH);
	size -= strlen(DASH);
	space = memchr(line, ' ', size);
	if (!space)
		return -1;
	name = (size_t)(space - line);
	if (!name || memchr(line, '+', name))
		return -1;
	n = pk_unbase64(space + 1, size - name - 1, raw, sizeof(raw));
	if (n < 5)
		return -1;
	memcpy(s->id, raw, 4);
	s->is_ed25519 = n == 4 + PK_SIGNATURE_SIZE && pk_is_origin(line, name);
	if (!s->is_ed25519)
		name = 0; /* a name that F-35 does not know is no fault */
	memcpy(s->name, line, name);
	s->name[name] = '\0';
	if (s->is_ed25519)
		memcpy(s->bytes, raw + 4, PK_SIGNATURE_SIZE);
	return 1;
}

size_t pk_signature_encode(const struct pk_signature *s,
			   char out[PK_SIGNATURE_LINE])
{
	unsigned char raw[4 + PK_SIGNATURE_SIZE];
	size_t n;

	memcpy(raw, s->id, 4);
	memcpy(raw + 4, s->bytes, PK_SIGNATURE_SIZE);
	n = (size_t)sprintf(out, DASH "%s ", s->name);
	n += pk_base64(raw, sizeof(raw), out + n);
	out[n++] = '\n';
	return n;
}

size_t pk_checkpoint_encode(const struct pk_checkpoint *c,
			    char out[PK_CHECKPOINT_SIZE])
{
	char root[PK_BASE64_SIZE(PK_HASH_SIZE)];
	size_t n;

	pk_base64(c->root, PK_HASH_SIZE, root);
	n = (size_t)sprintf(out, "%s\n%llu\n%s\n", c->origin,
			    (unsigned long long)c->size, root);
	if (c->time)
		n += (size_t)sprintf(out + n, "time %llu\n",
				     (unsigned long long)c->time);
	return n;
}

const char *pk_checkpoint_decode(struct pk_bytes text, struct pk_checkpoint *c)
{
	const char *line;
	size_t size;

	if (!pk_line_next(&text, &line, &size) || !pk_is_origin(line, size))
		return "F-37 the first line is not an origin";
	memcpy(c->origin, line, size);
	c->origin[size] = '\0';
	if (!pk_line_next(&text, &line, &size) ||
	    pk_decimal(line, size, &c->size))
		return "F-37 the second line is not a size";
	if (!pk_line_next(&text, &line, &size) ||
	    pk_unbase64(line, size, c->root, PK_HASH_SIZE) != PK_HASH_SIZE)
		return "F-37 the third line is not a root hash";
	c->time = c->by = 0;
	c->by_other = 0;
	while (pk_line_next(&text, &line, &size))
		if (size >= 5 && !memcmp(line, "time ", 5) &&
		    (c->time || pk_decimal(line + 5, size - 5, &c->time) ||
		     !c->time))
			return "F-37 the time is not a number, or said twice";
	return NULL;
}
