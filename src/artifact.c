/* artifact.c - the build artifact of a package: its metadata's members beside
 * the manifest, as F-1 reads them back.
 *
 * What JSON.stringify({manifest, ...metadata}) gives. The metadata is
 * canonical, so its integer-like keys are its first members (F-3), and the
 * manifest stands behind those.
 */
#include "hex.h"
#include "json.h"
#include "order.h"
#include "sha256.h"
#include "fail.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Two keys mean something else beside a manifest. */
static int is_taken(struct pk_span key)
{
	return key.size == 8 && (!memcmp(key.at, "manifest", 8) ||
				 !memcmp(key.at, "metadata", 8));
}

/* The bytes of the members with integer-like keys, without a comma behind
 * them; the rest follows from *rest on. */
static int cut(const struct pakhus_package *p, size_t *head, size_t *rest,
	       struct pakhus_error *err)
{
	struct pk_json it;
	int rc = pk_json_init(&it, p->metadata, p->metadata_size) ? -1 : 1;
	int is_in_head = 1;

	*head = 0;
	*rest = 1;
	while (rc == 1 && (rc = pk_json_next(&it)) == 1) {
		if (is_taken(it.key))
			return pk_fail(err, PAKHUS_EINVAL,
				       "%s@%s: its metadata has a key \"%.8s\", "
				       "which no build artifact can hold",
				       p->record.id, p->record.version,
				       it.key.at);
		is_in_head = is_in_head &&
			     pk_order_index(it.key.at, it.key.size) >= 0;
		if (!is_in_head)
			continue;
		*rest = (size_t)(it.value.at + it.value.size - p->metadata);
		*head = *rest - 1;
		*rest += p->metadata[*rest] == ',';
	}
	return rc ? pk_fail(err, PAKHUS_EINVAL,
			    "%s@%s: its metadata is no canonical object",
			    p->record.id, p->record.version)
		  : 0;
}

static char *put(char *to, const char *text, size_t size)
{
	memcpy(to, text, size);
	return to + size;
}

/* {HEAD,"manifest":M,REST} */
static char *join(const struct pakhus_package *p, size_t head, size_t rest,
		  size_t *size)
{
	size_t tail = p->metadata_size - 1 - rest;
	char *text = malloc(p->manifest_size + p->metadata_size + 16);
	char *to = text;

	if (!text)
		return NULL;
	*to++ = '{';
	to = put(to, p->metadata + 1, head);
	if (head)
		*to++ = ',';
	to = put(to, "\"manifest\":", 11);
	to = put(to, p->manifest, p->manifest_size);
	if (tail)
		*to++ = ',';
	to = put(to, p->metadata + rest, tail);
	*to++ = '}';
	*to = '\0';
	*size = (size_t)(to - text);
	return text;
}

int pakhus_artifact(const struct pakhus_package *p, char **text, size_t *size,
		    char hash[PAKHUS_HASH_HEX + 1], struct pakhus_error *err)
{
	unsigned char digest[PK_HASH_SIZE];
	size_t head, rest, n;
	char *out;
	int rc;

	pk_error_init(err);
	if (!p->metadata)
		return pk_fail(err, PAKHUS_EINVAL,
			       "%s@%s: read without its metadata", p->record.id,
			       p->record.version);
	rc = cut(p, &head, &rest, err);
	if (rc)
		return rc;
	out = join(p, head, rest, &n);
	if (!out || pk_sha256(out, n, digest)) {
		free(out);
		return pk_fail_nomem(err);
	}
	pk_hex(digest, PK_HASH_SIZE, hash);
	*text = out;
	*size = n;
	return 0;
}
