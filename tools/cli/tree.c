#include "tree.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "mem.h"
#include "say.h"

#define FRESH ".pakhus-new"
#define PIECE ((size_t)64 << 10)

static int failed(const struct tree *tree, const char *what, const char *path)
{
	int error = errno;

	return say_failed(tree->cli,
			  error == EACCES || error == EPERM || error == EROFS
				  ? CLI_DENIED
				  : CLI_FAILED,
			  "%s %s%s%s: %s", what, tree->path, *path ? "/" : "",
			  path, strerror(error));
}

int tree_open(const struct cli *cli, const char *path, struct tree *out)
{
	struct tree tree = {.cli = cli, .path = path, .dir = -1};

	if (mkdir(path, 0777) && errno != EEXIST)
		return failed(&tree, "make", "");
	tree.dir = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (tree.dir < 0)
		return failed(&tree, "open", "");
	if (flock(tree.dir, LOCK_EX | LOCK_NB)) {
		int rc = errno == EWOULDBLOCK
				 ? say_failed(cli, CLI_BUSY,
					      "%s: another one writes there",
					      path)
				 : failed(&tree, "lock", "");

		close(tree.dir);
		return rc;
	}
	*out = tree;
	return CLI_DONE;
}

void tree_close(struct tree *tree)
{
	if (tree->dir >= 0)
		close(tree->dir);
	tree->dir = -1;
}

FILE *tree_new(struct tree *tree)
{
	int fd = openat(tree->dir, FRESH,
			O_RDWR | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC,
			0666);
	FILE *file = fd < 0 ? NULL : fdopen(fd, "w+");

	tree->sys = 0;
	if (file)
		return file;
	failed(tree, "make", FRESH);
	if (fd >= 0)
		close(fd);
	return NULL;
}

void tree_drop(struct tree *tree, FILE *file)
{
	fclose(file);
	unlinkat(tree->dir, FRESH, 0);
}

/* Whether two files hold the same bytes; what cannot be read does not. */
static bool same_bytes(int a, int b)
{
	char *left = mem_need(malloc(2 * PIECE)), *right = left + PIECE;
	struct stat sa, sb;
	off_t at = 0;
	bool same = !fstat(a, &sa) && !fstat(b, &sb) && S_ISREG(sb.st_mode) &&
		    sa.st_size == sb.st_size;

	while (same && at < sa.st_size) {
		ssize_t n = pread(a, left, PIECE, at);

		same = n > 0 && pread(b, right, PIECE, at) == n &&
		       !memcmp(left, right, (size_t)n);
		at += n;
	}
	free(left);
	return same;
}

static int open_file(const struct tree *tree, const char *path)
{
	return openat(tree->dir, path,
		      O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
}

static bool is_there(const struct tree *tree, int fd, const char *path)
{
	int have = open_file(tree, path);
	bool same = have >= 0 && same_bytes(fd, have);

	if (have >= 0)
		close(have);
	return same;
}

static int make_parents(const struct tree *tree, const char *path)
{
	char *copy = mem_dup(path), *slash = copy;
	int rc = CLI_DONE;

	while (!rc && (slash = strchr(slash, '/'))) {
		*slash = '\0';
		if (mkdirat(tree->dir, copy, 0777) && errno != EEXIST)
			rc = failed(tree, "make", copy);
		*slash++ = '/';
	}
	free(copy);
	return rc;
}

static int rename_to(struct tree *tree, const char *path)
{
	int rc = renameat(tree->dir, FRESH, tree->dir, path), made;

	if (rc && errno == ENOENT) {
		made = make_parents(tree, path);
		if (made)
			return made;
		rc = renameat(tree->dir, FRESH, tree->dir, path);
	}
	return rc ? failed(tree, "write", path) : CLI_DONE;
}

void tree_write(struct tree *tree, FILE *file, const char *bytes, size_t size)
{
	if (fwrite(bytes, 1, size, file) != size && !tree->sys)
		tree->sys = errno;
}

int tree_put(struct tree *tree, FILE *file, const char *path)
{
	int rc;

	errno = tree->sys ? tree->sys : EIO;
	if (fflush(file) || ferror(file)) {
		rc = failed(tree, "write", path);
		tree_drop(tree, file);
		return rc;
	}
	if (is_there(tree, fileno(file), path)) {
		tree_drop(tree, file);
		return CLI_DONE;
	}
	rc = rename_to(tree, path);
	if (rc) {
		tree_drop(tree, file);
		return rc;
	}
	fclose(file);
	tree->written++;
	return CLI_DONE;
}

int tree_remove(struct tree *tree, const char *path)
{
	char *copy, *slash;

	if (unlinkat(tree->dir, path, 0)) {
		if (errno != ENOENT && errno != ENOTDIR)
			return failed(tree, "remove", path);
	} else {
		tree->removed++;
	}
	copy = mem_dup(path);
	while ((slash = strrchr(copy, '/'))) {
		*slash = '\0';
		if (unlinkat(tree->dir, copy, AT_REMOVEDIR) && errno != ENOENT)
			break; /* others are in it */
	}
	free(copy);
	return CLI_DONE;
}

bool tree_head(const struct tree *tree, const char *path, char *out,
	       size_t size)
{
	int fd = open_file(tree, path);
	bool good = fd >= 0 && pread(fd, out, size, 0) == (ssize_t)size;

	if (fd >= 0)
		close(fd);
	return good;
}

char *tree_read(const struct tree *tree, const char *path, size_t max)
{
	int fd = open_file(tree, path);
	char *text;
	ssize_t n;

	if (fd < 0)
		return NULL;
	text = mem_need(malloc(max + 1));
	n = pread(fd, text, max + 1, 0);
	close(fd);
	if (n < 0 || (size_t)n > max) {
		free(text);
		return NULL;
	}
	text[n] = '\0';
	return text;
}

bool tree_is_empty(const struct tree *tree)
{
	static const char *const passed[] = {".", "..", "lost+found", FRESH};
	int fd = openat(tree->dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *dir = fd < 0 ? NULL : fdopendir(fd);
	struct dirent *entry;
	bool empty = dir != NULL;
	size_t i;

	while (empty && (entry = readdir(dir))) {
		for (i = 0; i < 4 && strcmp(entry->d_name, passed[i]) != 0;)
			i++;
		empty = i < 4;
	}
	if (dir)
		closedir(dir);
	return empty;
}

int tree_sync(struct tree *tree)
{
	return syncfs(tree->dir) ? failed(tree, "sync", "") : CLI_DONE;
}

int tree_names(const struct tree *tree, const char *path, char ***out)
{
	int fd = openat(tree->dir, path,
			O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	DIR *dir = fd < 0 ? NULL : fdopendir(fd);
	size_t count = 0, room = 0;
	struct dirent *entry;
	char **names = NULL;

	if (!dir && errno != ENOENT && errno != ENOTDIR)
		return failed(tree, "open", path);
	while (dir && (entry = readdir(dir))) {
		if (entry->d_name[0] == '.')
			continue;
		names = mem_grow(names, count, &room, sizeof(*names));
		names[count++] = mem_dup(entry->d_name);
	}
	if (dir)
		closedir(dir);
	names = mem_grow(names, count, &room, sizeof(*names));
	names[count] = NULL;
	*out = names;
	return CLI_DONE;
}

void tree_names_free(char **names)
{
	size_t i;

	for (i = 0; names && names[i]; i++)
		free(names[i]);
	free(names);
}
