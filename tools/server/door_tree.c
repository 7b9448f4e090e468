/* door_tree.c - the files of the store as they are, for `pakhus mirror` and
 * for who has HTTP and nothing else. Which names there are is the library's
 * to know.
 */
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "exchange.h"

#define TEXT "text/plain; charset=utf-8"
#define OCTETS "application/octet-stream"

/* The pattern says where in the store it is. */
static int name_of(const struct exchange *x, char *out, size_t room)
{
	const char *pattern = x->route->pattern + 1;
	size_t n = strcspn(pattern, "{");
	int size = snprintf(out, room, "%.*s%s", (int)n, pattern,
			    pattern[n] ? x->param[0] : "");

	return size < 0 || (size_t)size >= room ? -1 : 0;
}

static void absent(struct exchange *x)
{
	reply_error(x, 404, "RESOURCE_NOT_FOUND",
		    "The store has no such file.");
}

/* An object may be replaced by another encoding of its text, so what a name
 * stands for is no tag of the bytes. */
static int tag(struct exchange *x, const struct stat *st)
{
	char text[80];

	snprintf(text, sizeof(text), "%llx-%llx%08lx-%llx",
		 (unsigned long long)st->st_size,
		 (unsigned long long)st->st_mtim.tv_sec,
		 (unsigned long)st->st_mtim.tv_nsec,
		 (unsigned long long)st->st_ino);
	reply_modified(x, st->st_mtim.tv_sec);
	return reply_tag(x, text);
}

static void show(struct exchange *x, const char *type)
{
	struct pakhus_error err = {0};
	struct pakhus_file f;
	struct stat st;
	char name[256];

	if (name_of(x, name, sizeof(name))) {
		absent(x);
		return;
	}
	if (pakhus_open_file(x->store, name, &f, &err)) {
		if (err.status == PAKHUS_ENOTFOUND ||
		    err.status == PAKHUS_EINVAL)
			absent(x);
		else
			reply_failed(x, &err);
		return;
	}
	if (fstat(f.fd, &st)) {
		close(f.fd);
		reply_error(x, 500, "INTERNAL_ERROR", "The file cannot be "
						      "looked at.");
		return;
	}
	if (f.is_immutable)
		reply_immutable(x);
	if (tag(x, &st))
		close(f.fd);
	else
		reply_file(x, type, f.fd, f.size);
}

static void text(struct exchange *x)
{
	show(x, TEXT);
}

static void octets(struct exchange *x)
{
	show(x, OCTETS);
}

static void object(struct exchange *x)
{
	show(x, "application/zstd");
}

static void lines(struct exchange *x)
{
	show(x, "application/jsonl");
}

const struct route tree_routes[] = {
	{HTTP_GET, "/FORMAT", text, SCOPE_READ_ALL, 0},
	{HTTP_GET, "/keys/{rest*}", text, SCOPE_READ_ALL, 0},
	{HTTP_GET, "/log/checkpoint", text, SCOPE_READ_ALL, 0},
	{HTTP_GET, "/log/{rest*}", octets, SCOPE_READ_ALL, 0},
	{HTTP_GET, "/objects/{rest*}", object, SCOPE_READ_ALL, 0},
	{HTTP_GET, "/pkg/{rest*}", lines, SCOPE_READ_ALL, 0},
	{0},
};
