/* verb_serve.c - what who serves a store to others reads of it. */
#include <unistd.h>

#include "values.h"
#include "verbs.h"

/* ---- find ---- */

struct find {
	struct call call;
	const char *id, *version;
	struct pakhus_record record;
};

static void parse_find(struct args *a, struct call *c)
{
	struct find *f = (struct find *)c;

	f->id = take_name(a);
	f->version = take_name_or_null(a);
}

static int run_find(struct call *c)
{
	struct find *f = (struct find *)c;

	return pakhus_find(c->store, f->id, f->version, &f->record, &c->err);
}

static napi_value find_result(napi_env env, struct call *c)
{
	return value_record(env, &((struct find *)c)->record);
}

static const struct verb find = {
	.name = "find",
	.size = sizeof(struct find),
	.flags = VERB_STORE,
	.parse = parse_find,
	.run = run_find,
	.result = find_result,
};

/* ---- artifact ---- */

struct artifact {
	struct text_call text;
	char hash[PAKHUS_HASH_HEX + 1];
	struct wide wide;
};

static void parse_artifact(struct args *a, struct call *c)
{
	struct text_call *t = (struct text_call *)c;

	t->id = take_name(a);
	t->version = take_name_or_null(a);
}

static int run_artifact(struct call *c)
{
	struct artifact *f = (struct artifact *)c;
	struct text_call *t = &f->text;
	struct pakhus_package *p = NULL;
	int rc = pakhus_get(c->store, t->id, t->version, &p, &c->err);

	if (!rc)
		rc = pakhus_artifact(p, &t->text, &t->size, f->hash, &c->err);
	pakhus_package_free(p);
	if (!rc && wide_make(c, t->text, t->size, &f->wide))
		return PAKHUS_ENOMEM;
	return rc;
}

static napi_value artifact_result(napi_env env, struct call *c)
{
	struct artifact *f = (struct artifact *)c;
	struct object o = object_new(env);

	put(&o, "text", wide_value(env, &f->wide));
	put_string(&o, "hash", f->hash);
	return o.value;
}

static const struct verb artifact = {
	.name = "artifact",
	.size = sizeof(struct artifact),
	.flags = VERB_STORE,
	.parse = parse_artifact,
	.run = run_artifact,
	.result = artifact_result,
	.release = text_release,
};

/* ---- openFile ---- */

struct open_file {
	struct call call;
	const char *name;
	struct pakhus_file file;
	int is_open; /* and not yet JavaScript's */
};

static void parse_open(struct args *a, struct call *c)
{
	((struct open_file *)c)->name = take_name(a);
}

static int run_open(struct call *c)
{
	struct open_file *f = (struct open_file *)c;
	int rc = pakhus_open_file(c->store, f->name, &f->file, &c->err);

	f->is_open = !rc;
	return rc;
}

static napi_value open_result(napi_env env, struct call *c)
{
	struct open_file *f = (struct open_file *)c;
	struct object o = object_new(env);

	put_number(&o, "fd", (uint64_t)f->file.fd);
	put_number(&o, "size", f->file.size);
	put_flag(&o, "isImmutable", f->file.is_immutable);
	if (o.value)
		f->is_open = 0;
	return o.value;
}

static void release_open(struct call *c)
{
	struct open_file *f = (struct open_file *)c;

	if (f->is_open)
		close(f->file.fd);
}

static const struct verb open_file = {
	.name = "openFile",
	.size = sizeof(struct open_file),
	.flags = VERB_STORE,
	.parse = parse_open,
	.run = run_open,
	.result = open_result,
	.release = release_open,
};

const struct verb *const serve_verbs[] = { &find, &artifact, &open_file, NULL };
