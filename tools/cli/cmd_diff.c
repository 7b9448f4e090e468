/* cmd_diff.c - what changed between two versions, member by member.
 *
 * Canonical texts are walked side by side as slices; where the bytes are
 * the same nothing is looked into. One line (or JSON object) is one member
 * of the manifest or of a collection in the metadata; what changed inside
 * it is gathered in a text of its own while it is compared.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "args.h"
#include "mem.h"
#include "members.h"
#include "out.h"
#include "say.h"
#include "store.h"

enum change { ADDED, REMOVED, CHANGED, REORDERED };

static const char *const change_name[] = {"added", "removed", "changed",
					  "reordered"};

/* Where the walk is; the steps are on the stack of those who walk. */
struct path {
	const struct path *up;
	const struct member *member;
};

struct diff {
	bool json;
	size_t lines;
	/* the keys of the line being made */
	FILE *keys;
	size_t found;
};

static void put_json_name(const struct member *m, FILE *f)
{
	if (!m->name.text) {
		fprintf(f, "%zu", m->nth);
		return;
	}
	fputc('"', f);
	fwrite(m->name.text, 1, m->name.size, f); /* escaped already */
	if (m->nth)
		fprintf(f, "#%zu", m->nth + 1);
	fputc('"', f);
}

static void put_path(const struct diff *d, const struct path *path, FILE *f)
{
	if (!path)
		return;
	put_path(d, path->up, f);
	if (path->up)
		fputc(d->json ? ',' : '/', f);
	if (d->json)
		put_json_name(path->member, f);
	else
		member_put_name(path->member, f);
}

/* ---- inside a member ---- */

/* "fields/industry", "+fields/industry", "fields (reordered)"; the path of
 * the member itself is empty, and only its order can have changed. */
static void key_text(struct diff *d, enum change change,
		     const struct path *path)
{
	static const char *const mark[] = {"+", "-", "", ""};

	if (d->found)
		fputs(", ", d->keys);
	fputs(mark[change], d->keys);
	put_path(d, path, d->keys);
	if (change == REORDERED)
		fputs(path ? " (reordered)" : "(reordered)", d->keys);
}

static void key_json(struct diff *d, enum change change,
		     const struct path *path)
{
	fprintf(d->keys, "%s{\"change\":\"%s\",\"path\":[", d->found ? "," : "",
		change_name[change]);
	put_path(d, path, d->keys);
	fputs("]}", d->keys);
}

static void key(struct diff *d, enum change change, const struct path *path)
{
	if (d->json)
		key_json(d, change, path);
	else
		key_text(d, change, path);
	d->found++;
}

static void compare(struct diff *d, const struct path *up, struct slice a,
		    struct slice b);

static void compare_members(struct diff *d, const struct path *up,
			    const struct members *a, const struct members *b)
{
	size_t i, found = d->found;

	for (i = 0; i < a->count; i++) {
		const struct path path = {up, &a->item[i]};
		const struct member *other = members_find(b, path.member);

		if (!other)
			key(d, REMOVED, &path);
		else if (!slice_same(path.member->value, other->value))
			compare(d, &path, path.member->value, other->value);
	}
	for (i = 0; i < b->count; i++) {
		const struct path path = {up, &b->item[i]};

		if (!members_find(a, path.member))
			key(d, ADDED, &path);
	}
	if (d->found == found)
		key(d, REORDERED, up);
}

/* Both have members, of one kind, and inside a member all have names: by
 * position, one new option would change all that follow it. */
static bool comparable(const struct members *a, const struct members *b)
{
	return a->kind != MEMBERS_NONE && a->kind == b->kind && a->all_named &&
	       b->all_named;
}

/* Two values that differ. */
static void compare(struct diff *d, const struct path *up, struct slice a,
		    struct slice b)
{
	struct members ma, mb;

	members_read(a, &ma);
	members_read(b, &mb);
	if (comparable(&ma, &mb))
		compare_members(d, up, &ma, &mb);
	else if (up)
		key(d, CHANGED, up);
	members_release(&ma);
	members_release(&mb);
}

/* ---- the lines ---- */

static void line_text(const struct diff *d, enum change change,
		      const struct path *path, const char *keys)
{
	static const char mark[] = {'+', '-', '~', '~'};
	static const int colour[] = {32, 31, 33, 33};

	out_colour(colour[change]);
	putchar(mark[change]);
	out_colour(0);
	putchar(' ');
	put_path(d, path, stdout);
	if (change == REORDERED)
		fputs(": (reordered)", stdout);
	else if (keys && *keys)
		printf(": %s", keys);
	putchar('\n');
}

static void line_json(const struct diff *d, enum change change,
		      const struct path *path, const char *keys)
{
	printf("{\"change\":\"%s\",\"path\":[", change_name[change]);
	put_path(d, path, stdout);
	fputs("]", stdout);
	if (keys)
		printf(",\"keys\":[%s]", keys);
	fputs("}\n", stdout);
}

static void line(struct diff *d, enum change change, const struct path *path,
		 const char *keys)
{
	if (d->json)
		line_json(d, change, path, keys);
	else
		line_text(d, change, path, keys);
	d->lines++;
}

/* The line of a member that changed, with the keys that did. */
static void line_changed(struct diff *d, const struct path *path,
			 struct slice a, struct slice b)
{
	char *keys = NULL;
	size_t size = 0;

	d->keys = mem_need(open_memstream(&keys, &size));
	d->found = 0;
	compare(d, NULL, a, b);
	fclose(d->keys);
	line(d, CHANGED, path, mem_need(keys));
	free(keys);
}

/* A whole collection that came or went: a line for each of its members. */
static void whole(struct diff *d, enum change change, const struct path *path)
{
	struct members m;
	size_t i;

	members_read(path->member->value, &m);
	for (i = 0; i < m.count; i++) {
		const struct path inner = {path, &m.item[i]};

		line(d, change, &inner, NULL);
	}
	if (!m.count)
		line(d, change, path, NULL);
	members_release(&m);
}

static void collection_members(struct diff *d, const struct path *up,
			       const struct members *a, const struct members *b)
{
	size_t i, lines = d->lines;

	for (i = 0; i < a->count; i++) {
		const struct path path = {up, &a->item[i]};
		const struct member *other = members_find(b, path.member);

		if (!other)
			line(d, REMOVED, &path, NULL);
		else if (!slice_same(path.member->value, other->value))
			line_changed(d, &path, path.member->value,
				     other->value);
	}
	for (i = 0; i < b->count; i++) {
		const struct path path = {up, &b->item[i]};

		if (!members_find(a, path.member))
			line(d, ADDED, &path, NULL);
	}
	if (d->lines == lines)
		line(d, REORDERED, up, NULL);
}

/* Two collections that differ. */
static void collection(struct diff *d, const struct path *path, struct slice a,
		       struct slice b)
{
	struct members ma, mb;

	members_read(a, &ma);
	members_read(b, &mb);
	if (ma.kind != MEMBERS_NONE && ma.kind == mb.kind)
		collection_members(d, path, &ma, &mb);
	else
		line(d, CHANGED, path, NULL);
	members_release(&ma);
	members_release(&mb);
}

static void all_collections(struct diff *d, const struct path *metadata,
			    const struct members *a, const struct members *b)
{
	/* people see `objects/account`, programs where a path begins */
	const struct path *up = d->json ? metadata : NULL;
	size_t i, lines = d->lines;

	for (i = 0; i < a->count; i++) {
		const struct path path = {up, &a->item[i]};
		const struct member *other = members_find(b, path.member);

		if (!other)
			whole(d, REMOVED, &path);
		else if (!slice_same(path.member->value, other->value))
			collection(d, &path, path.member->value, other->value);
	}
	for (i = 0; i < b->count; i++) {
		const struct path path = {up, &b->item[i]};

		if (!members_find(a, path.member))
			whole(d, ADDED, &path);
	}
	if (d->lines == lines)
		line(d, REORDERED, metadata, NULL);
}

static struct member named(const char *name)
{
	struct member m = {.name = {name, strlen(name)}};

	return m;
}

static void diff(struct diff *d, const struct pakhus_package *a,
		 const struct pakhus_package *b)
{
	struct slice ma = {a->manifest, a->manifest_size};
	struct slice mb = {b->manifest, b->manifest_size};
	struct slice da = {a->metadata, a->metadata_size};
	struct slice db = {b->metadata, b->metadata_size};
	const struct member manifest = named("manifest");
	const struct member metadata = named("metadata");
	const struct path manifest_path = {NULL, &manifest};
	const struct path metadata_path = {NULL, &metadata};
	struct members ca, cb;

	if (!slice_same(ma, mb))
		line_changed(d, &manifest_path, ma, mb);
	if (slice_same(da, db))
		return;
	members_read(da, &ca);
	members_read(db, &cb);
	all_collections(d, &metadata_path, &ca, &cb);
	members_release(&ca);
	members_release(&cb);
}

/* ---- the command ---- */

static int get(const struct cli *cli, struct pakhus *store,
	       const struct args_spec *spec, struct pakhus_package **out)
{
	struct pakhus_error err = {0};

	return pakhus_get(store, spec->id, spec->version, out, &err)
		       ? store_failed(cli, &err)
		       : CLI_DONE;
}

static bool is_there(struct pakhus *store, const char *id, const char *version)
{
	struct pakhus_package *package = NULL;
	bool there = !pakhus_get(store, id, version, &package, NULL);

	pakhus_package_free(package);
	return there;
}

/* ID A, where ID A B was meant: ID B, of two packages, is not there. */
static bool is_version_missing(struct pakhus *store,
			       const struct args_spec spec[2])
{
	return !spec[0].version && !spec[1].version &&
	       !is_there(store, spec[1].id, NULL) &&
	       is_there(store, spec[0].id, spec[1].id);
}

static int run(const struct cli *cli, const struct args_spec spec[2])
{
	struct diff d = {.json = cli->value[OPT_JSON] != NULL};
	struct pakhus_package *a = NULL, *b = NULL;
	struct pakhus *store;
	int rc;

	rc = store_open(cli, 0, 0, &store);
	if (rc)
		return rc;
	if (is_version_missing(store, spec))
		rc = say_usage(cli, "%s is a version of %s; which other one?",
			       spec[1].id, spec[0].id);
	if (!rc)
		rc = get(cli, store, &spec[0], &a);
	if (!rc)
		rc = get(cli, store, &spec[1], &b);
	if (!rc) {
		diff(&d, a, b);
		if (!d.lines)
			say(cli, "no differences");
	}
	pakhus_package_free(a);
	pakhus_package_free(b);
	pakhus_close(store);
	return rc;
}

/* ID A B: the id is taken whole, the versions are what they are. */
static int three(const struct cli *cli, struct args_spec spec[2])
{
	int i;

	for (i = 0; i < 2; i++) {
		spec[i].version = cli->operand[1 + i];
		if (!*cli->operand[0] || !*spec[i].version)
			return say_usage(cli, "a package id or version is "
					      "empty");
		spec[i].id = mem_dup(cli->operand[0]);
	}
	return CLI_DONE;
}

static int two(const struct cli *cli, struct args_spec spec[2])
{
	int rc = args_split(cli, cli->operand[0], &spec[0]);

	return rc ? rc : args_split(cli, cli->operand[1], &spec[1]);
}

int cmd_diff(const struct cli *cli)
{
	struct args_spec spec[2] = {{NULL, NULL}, {NULL, NULL}};
	int rc;

	rc = cli->operands == 3 ? three(cli, spec) : two(cli, spec);
	if (!rc)
		rc = run(cli, spec);
	args_spec_release(&spec[0]);
	args_spec_release(&spec[1]);
	return rc;
}
