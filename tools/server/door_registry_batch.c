/* door_registry_batch.c - many documents in one request, one a line.
 *
 * All are read, and all ids checked, before the first is stored.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "door_registry.h"
#include "state.h"

enum { BATCH_MAX = 10000 };

struct lines {
	struct pakhus_document **document;
	size_t count, room;
};

static void lines_free(struct lines *l)
{
	size_t i;

	for (i = 0; i < l->count; i++)
		pakhus_document_free(l->document[i]);
	free(l->document);
}

/* NULL where memory ran out. */
static struct pakhus_document **lines_room(struct lines *l)
{
	if (l->count == l->room) {
		size_t room = l->room ? 2 * l->room : 64;
		void *more = realloc(l->document,
				     room * sizeof(*l->document));

		if (!more)
			return NULL;
		l->document = more;
		l->room = room;
	}
	return &l->document[l->count];
}

/* A document of one line; what is said of it begins with the line's number,
 * as its own are all 1. */
static int read_line(struct exchange *x, struct lines *l, size_t number,
		     const char *line, size_t size)
{
	struct pakhus_document **to = lines_room(l);
	struct pakhus_error err = {0}, told;

	if (!to) {
		reply_no_memory(x);
		return -1;
	}
	if (l->count == BATCH_MAX) {
		reply_error(x, 413, "LIMIT_EXCEEDED",
			    "A batch has at most %d documents.", BATCH_MAX);
		return -1;
	}
	if (pakhus_document_new(x->store, line, size, to, &err)) {
		const char *text = err.text;

		if (!strncmp(text, "line 1, ", 8))
			text += 8;
		told = err;
		snprintf(told.text, sizeof(told.text), "line %zu, %.440s",
			 number, text);
		reply_failed(x, &told);
		return -1;
	}
	l->count++;
	return caller_must(x, SCOPE_PUBLISH, (*to)->id) ? 0 : -1;
}

static int read_lines(struct exchange *x, struct lines *l)
{
	const char *at = x->request->body, *end = at + x->request->size;
	size_t number = 0;

	while (at < end) {
		const char *newline = memchr(at, '\n', (size_t)(end - at));
		const char *to = newline ? newline : end;
		size_t size = (size_t)(to - at);

		number++;
		if (size && to[-1] == '\r')
			size--;
		if (size && read_line(x, l, number, at, size))
			return -1;
		at = to + !!newline;
	}
	if (l->count)
		return 0;
	reply_error(x, 400, "VALIDATION_ERROR",
		    "The body has no document; a batch has one a line.");
	return -1;
}

static void reply_batch(struct exchange *x, const struct lines *l)
{
	struct text t = {0};
	size_t i;

	put_open(&t, '{');
	put_key(&t, "durable");
	put_number(&t, l->count);
	put_key(&t, "versions");
	put_open(&t, '[');
	for (i = 0; i < l->count; i++) {
		put_open(&t, '{');
		put_pair(&t, "id", l->document[i]->id);
		put_pair(&t, "version", l->document[i]->version);
		put_pair(&t, "hash", l->document[i]->hash);
		put_close(&t, '}');
	}
	put_close(&t, ']');
	put_close(&t, '}');
	reply_data(x, 201, &t);
}

void registry_batch(struct exchange *x)
{
	struct pakhus_batch *b = NULL;
	struct pakhus_error err = {0};
	struct lines l = {0};
	uint64_t durable = 0;
	size_t i;
	int rc;

	if (read_lines(x, &l)) {
		lines_free(&l);
		return;
	}
	rc = pakhus_batch_new(x->store, x->caller.by, &b, &err);
	for (i = 0; i < l.count && !rc; i++)
		rc = pakhus_batch_document(b, l.document[i], &err);
	if (!rc)
		rc = pakhus_batch_commit(b, &err);
	if (b)
		durable = pakhus_batch_durable(b);
	pakhus_batch_free(b);
	if (durable)
		server_wrote(x->server);
	/* what is durable stays, also where the rest fails */
	reply_field(x->reply, "Pakhus-Durable", "%llu",
		    (unsigned long long)durable);
	if (rc)
		reply_failed(x, &err);
	else
		reply_batch(x, &l);
	lines_free(&l);
}
