/* object_again.h - a JSON object that a client sent is what the library takes
 * for one too, and its members are what the library finds in it: what a test
 * and a fuzz target ask of any bytes.
 */
#ifndef OBJECT_AGAIN_H
#define OBJECT_AGAIN_H

#include "../tools/server/object.h"
#include "pakhus.h"

#include <stdlib.h>
#include <string.h>

/* Whether the library takes it as a document's metadata: 0, or a status. */
static inline int object_hash(const char *text, size_t size)
{
	static const char head[] =
		"{\"manifest\":{\"id\":\"a\",\"version\":\"1\"},\"metadata\":";
	size_t n = sizeof(head) - 1;
	char *document = malloc(n + size + 1);
	char hash[PAKHUS_HASH_HEX + 1];
	int rc;

	memcpy(document, head, n);
	if (size)
		memcpy(document + n, text, size);
	document[n + size] = '}';
	rc = pakhus_hash(document, n + size + 1, hash, NULL);
	free(document);
	return rc;
}

/* 1: an object, 0: refused, -1: it should have been the other. */
static inline int object_again(const void *bytes, size_t size)
{
	const char *text = bytes;
	struct object o;
	size_t i, n;

	if (object_read(&o, text, size))
		return object_hash(text, size) ? 0 : -1;
	for (i = 0; i < o.count; i++) {
		const struct member *m = &o.items[i];
		int is_failed = 0;
		char *s;

		if (m->key.text < text || m->value.text < m->key.text ||
		    m->value.text + m->value.size > text + size)
			return -1;
		s = slice_string(m->value, &n, &is_failed);
		if ((m->value.text[0] == '"') != (s != NULL) ||
		    (s && n > m->value.size))
			return -1;
		free(s);
		(void)member_is(m, "manifest");
	}
	(void)object_get(&o, "version");
	object_free(&o);
	return 1;
}

#endif
