#include "bundle.h"
#include "base64.h"
#include "hex.h"
#include "line.h"
#include "objpath.h"
#include "tile.h"

#include <stdio.h>

#define TEXT_MAX ((uint64_t)64 << 20) /* F-8 */
#define KEY_ID 8		      /* digits */

const char pk_bundle_newer[] =
	"F-82 a bundle's version that this program does not know";

const unsigned char pk_bundle_empty[PK_HASH_SIZE] = {
	0xe3, 0xb0, 0xc4, 0x42, 0x98, 0xfc, 0x1c, 0x14, 0x9a, 0xfb, 0xf4,
	0xc8, 0x99, 0x6f, 0xb9, 0x24, 0x27, 0xae, 0x41, 0xe4, 0x64, 0x9b,
	0x93, 0x4c, 0xa4, 0x95, 0x99, 0x1b, 0x78, 0x52, 0xb8, 0x55,
};

/* ---- the first member ---- */

static size_t put_tree(char *out, const char *word, uint64_t size,
		       const unsigned char *root)
{
	size_t n = (size_t)sprintf(out, "%s %llu ", word,
				   (unsigned long long)size);

	n += pk_base64(root, PK_HASH_SIZE, out + n);
	out[n++] = '\n';
	return n;
}

size_t pk_bundle_encode(const struct pk_bundle *b, char out[PK_BUNDLE_HEAD])
{
	char identity[2 * PK_IDENTITY_SIZE + 1];
	size_t n;

	pk_hex(b->identity, PK_IDENTITY_SIZE, identity);
	n = (size_t)sprintf(out, "pakhus bundle 1\nidentity %s\n", identity);
	n += put_tree(out + n, "from", b->from, b->from_root);
	n += put_tree(out + n, "to", b->to, b->to_root);
	for (size_t i = 0; i < b->proof.n; i++) {
		n += pk_base64(b->proof.hash[i], PK_HASH_SIZE, out + n);
		out[n++] = '\n';
	}
	out[n] = '\0';
	return n;
}

/* Another number than 1 in the first line, which is whole. */
static int is_newer(struct pk_bytes in)
{
	static const char head[] = "pakhus bundle ";
	size_t size, n = strlen(head);
	const char *line;
	uint64_t version;

	return pk_line_next(&in, &line, &size) && size >= n &&
	       !memcmp(line, head, n) &&
	       !pk_decimal(line + n, size - n, &version) && version > 1;
}

static int take_hash(const char *text, size_t size,
		     unsigned char hash[PK_HASH_SIZE])
{
	return pk_unbase64(text, size, hash, PK_HASH_SIZE) != PK_HASH_SIZE;
}

/* WORD SIZE ROOT, a line */
static int take_tree(struct pk_bytes *in, const char *word, uint64_t *size,
		     unsigned char root[PK_HASH_SIZE])
{
	size_t left, n = strlen(word);
	const char *line, *space;

	if (!pk_line_next(in, &line, &left) || left < n ||
	    memcmp(line, word, n))
		return -1;
	line += n;
	left -= n;
	space = memchr(line, ' ', left);
	if (!space)
		return -1;
	n = (size_t)(space - line);
	return pk_decimal(line, n, size) ||
	       take_hash(space + 1, left - n - 1, root);
}

static const char *check(const struct pk_bundle *b)
{
	int is_same = b->from == b->to;

	if (b->from > b->to || !b->to)
		return "F-82 it ends before it begins";
	if (!b->from && memcmp(b->from_root, pk_bundle_empty, PK_HASH_SIZE))
		return "F-82 the root of no entries is another";
	if ((!b->from || is_same) && b->proof.n)
		return "F-82 there is nothing to be proved";
	if (is_same && memcmp(b->from_root, b->to_root, PK_HASH_SIZE))
		return "F-82 from and to are equal, and their roots are not";
	return NULL;
}

const char *pk_bundle_decode(const char *text, size_t size,
			     struct pk_bundle *b)
{
	static const char head[] = "pakhus bundle 1\nidentity ";
	struct pk_bytes in = { (const unsigned char *)text, size };
	const unsigned char *p;
	const char *line;
	size_t n;

	if (is_newer(in))
		return pk_bundle_newer;
	p = pk_take(&in, strlen(head));
	if (!p || memcmp(p, head, strlen(head)))
		return "F-82 does not begin as a bundle does";
	p = pk_take(&in, 2 * PK_IDENTITY_SIZE + 1);
	if (!p || p[2 * PK_IDENTITY_SIZE] != '\n' ||
	    pk_unhex((const char *)p, b->identity, PK_IDENTITY_SIZE))
		return "F-82 the identity is not 32 hexadecimal digits";
	if (take_tree(&in, "from ", &b->from, b->from_root) ||
	    take_tree(&in, "to ", &b->to, b->to_root))
		return "F-82 from or to is not a number and a root";
	for (b->proof.n = 0; pk_line_next(&in, &line, &n); b->proof.n++)
		if (b->proof.n == PK_PATH_MAX ||
		    take_hash(line, n, b->proof.hash[b->proof.n]))
			return "F-82 the proof is not some hashes, one a line";
	if (in.left)
		return "F-82 does not end in a newline";
	return check(b);
}

/* ---- members ---- */

static const char *const fixed[] = {
	[PK_MEMBER_BUNDLE] = "BUNDLE",
	[PK_MEMBER_FORMAT] = "FORMAT",
	[PK_MEMBER_CHECKPOINT] = "log/checkpoint",
};

void pk_member_name(const struct pk_member *m, char out[PK_TAR_NAME])
{
	struct pk_tile t = { PK_TILE_ENTRIES, pk_be64(m->key), m->width };

	switch (m->kind) {
	case PK_MEMBER_KEY:
		sprintf(out, "keys/%.*s%s", KEY_ID, (const char *)m->key,
			m->key[KEY_ID] ? ".next" : "");
		break;
	case PK_MEMBER_ENTRIES:
		memcpy(out, "log/", 4);
		pk_tile_path(&t, out + 4);
		break;
	case PK_MEMBER_OBJECT:
		pk_objpath(m->key, out);
		break;
	default:
		strcpy(out, fixed[m->kind]);
	}
}

/* <8 digits>, and .next where it is the note of a rotation. */
static int parse_key(const char *name, struct pk_member *m)
{
	unsigned char id[KEY_ID / 2];

	if (strlen(name) < KEY_ID || pk_unhex(name, id, sizeof(id)))
		return -1;
	memcpy(m->key, name, KEY_ID);
	m->key[KEY_ID] = name[KEY_ID] != '\0';
	return name[KEY_ID] && strcmp(name + KEY_ID, ".next") ? -1 : 0;
}

int pk_member_parse(const char *name, struct pk_member *m)
{
	struct pk_tile t;

	memset(m, 0, sizeof(*m));
	for (m->kind = 0; m->kind < PK_MEMBER_KEY; m->kind++)
		if (!strcmp(name, fixed[m->kind]))
			return 0;
	if (!strncmp(name, "keys/", 5))
		return parse_key(name + 5, m);
	if (!strncmp(name, "log/", 4)) {
		m->kind = PK_MEMBER_ENTRIES;
		if (pk_tile_parse(name + 4, &t) || t.level != PK_TILE_ENTRIES)
			return -1;
		m->width = t.width;
		pk_put_be64(m->key, t.index);
		return 0;
	}
	m->kind = PK_MEMBER_OBJECT;
	return strlen(name) != PK_OBJPATH_SIZE - 1 ||
	       strncmp(name, "objects/", 8) || pk_objpath_parse(name, m->key)
		       ? -1
		       : 0;
}

int pk_member_compare(const struct pk_member *a, const struct pk_member *b)
{
	if (a->kind != b->kind)
		return a->kind < b->kind ? -1 : 1;
	return memcmp(a->key, b->key, PK_HASH_SIZE);
}

uint64_t pk_member_max(enum pk_member_kind kind)
{
	static const uint64_t max[] = {
		[PK_MEMBER_BUNDLE] = PK_BUNDLE_HEAD - 1,
		[PK_MEMBER_FORMAT] = PK_FORMAT_SIZE,
		[PK_MEMBER_CHECKPOINT] = PK_NOTE_MAX,
		[PK_MEMBER_KEY] = PK_NOTE_MAX,
		[PK_MEMBER_ENTRIES] = PK_TILE_WIDTH * (2 + (uint64_t)PK_ENTRY_MAX),
		/* F-15: how much longer than its text a frame can be */
		[PK_MEMBER_OBJECT] = TEXT_MAX + (TEXT_MAX >> 7) + 1024 + 64,
	};

	return max[kind];
}
