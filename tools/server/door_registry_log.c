/* door_registry_log.c - what the log says, and what convinces others of it. */
#include <stdlib.h>
#include <string.h>

#include "door_registry.h"

/* ---- history ---- */

static void put_entry(struct text *t, const struct pakhus_entry *e)
{
	put_open(t, '{');
	put_key(t, "seq");
	put_number(t, e->seq);
	put_pair(t, "op", e->op);
	put_pair(t, "time", e->time);
	put_key(t, "time_us");
	put_number(t, e->time_us);
	put_pair(t, "id", *e->id ? e->id : NULL);
	put_pair(t, "version", *e->version ? e->version : NULL);
	put_pair(t, "hash", *e->hash ? e->hash : NULL);
	put_pair(t, "reason", *e->reason ? e->reason : NULL);
	put_pair(t, "by", *e->by ? e->by : NULL);
	put_close(t, '}');
}

static void reply_history(struct exchange *x, const char *id, char kind)
{
	struct pakhus_error err = {0};
	struct pakhus_history *h;
	struct text t = {0};
	struct page page;
	size_t i;

	if (registry_page(x, kind, &page))
		return;
	if (pakhus_history(x->store, id, page.range, &h, &err)) {
		reply_failed(x, &err);
		return;
	}
	if (!h->count && !page.range.before) {
		pakhus_history_free(h);
		reply_error(x, 404, "RESOURCE_NOT_FOUND", "not found: %s",
			    id ? id : "the log");
		return;
	}
	put_open(&t, '{');
	put_key(&t, "entries");
	put_open(&t, '[');
	for (i = 0; i < h->count; i++)
		put_entry(&t, &h->items[i]);
	put_close(&t, ']');
	registry_next(x, &page, h->next, &t);
	pakhus_history_free(h);
	reply_data(x, 200, &t);
}

void registry_history(struct exchange *x)
{
	reply_history(x, NULL, 'l');
}

void registry_package_history(struct exchange *x)
{
	reply_history(x, x->param[0], 'h');
}

/* ---- by hash and by position ---- */

void registry_text(struct exchange *x)
{
	struct pakhus_error err = {0};
	size_t size;
	char *text;

	if (pakhus_read(x->store, x->param[0], &text, &size, &err)) {
		reply_failed(x, &err);
		return;
	}
	reply_immutable(x);
	if (reply_tag(x, x->param[0]))
		pakhus_free(text);
	else
		reply_bytes(x, 200, "application/json", text, size);
}

void registry_entry(struct exchange *x)
{
	struct pakhus_package *p = NULL;
	struct pakhus_error err = {0};
	const char *seq = x->param[0];
	size_t size = strlen(seq);
	struct text t = {0};

	if (size > 16 || strspn(seq, "0123456789") != size) {
		reply_error(x, 400, "VALIDATION_ERROR",
			    "The position of an entry is a number.");
		return;
	}
	if (pakhus_get_at(x->store, strtoull(seq, NULL, 10), &p, &err)) {
		reply_failed(x, &err);
		return;
	}
	put_open(&t, '{');
	registry_record(&t, &p->record);
	put_key(&t, "manifest");
	put_raw(&t, p->manifest, p->manifest_size);
	put_key(&t, "metadata");
	put_raw(&t, p->metadata, p->metadata_size);
	put_close(&t, '}');
	pakhus_package_free(p);
	reply_data(x, 200, &t);
}

/* ---- what is signed ---- */

void registry_checkpoint(struct exchange *x)
{
	struct pakhus_error err = {0};
	size_t size;
	char *text;

	if (pakhus_checkpoint(x->store, 0, &text, &size, &err))
		reply_failed(x, &err);
	else
		reply_bytes(x, 200, "text/plain; charset=utf-8", text,
			    size);
}

void registry_proof(struct exchange *x)
{
	struct pakhus_error err = {0};
	size_t size;
	char *text;

	if (pakhus_prove(x->store, x->param[0], x->param[1], &text, &size,
			 &err))
		reply_failed(x, &err);
	else
		reply_bytes(x, 200, "text/plain; charset=utf-8", text,
			    size);
}

void registry_keys(struct exchange *x)
{
	struct pakhus_error err = {0};
	struct pakhus_keys *keys;
	struct text t = {0};
	size_t i;

	if (pakhus_keys(x->store, &keys, &err)) {
		reply_failed(x, &err);
		return;
	}
	put_open(&t, '{');
	put_key(&t, "keys");
	put_open(&t, '[');
	for (i = 0; i < keys->count; i++) {
		put_open(&t, '{');
		put_pair(&t, "key", keys->items[i].key);
		put_key(&t, "seq");
		put_number(&t, keys->items[i].seq);
		put_pair(&t, "time", keys->items[i].time);
		put_key(&t, "time_us");
		put_number(&t, keys->items[i].time_us);
		put_close(&t, '}');
	}
	put_close(&t, ']');
	put_close(&t, '}');
	pakhus_keys_free(keys);
	reply_data(x, 200, &t);
}
