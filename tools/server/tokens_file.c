#include "tokens_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include "fail.h"

static int failed(struct pakhus_error *err, const char *path, const char *what)
{
	int sys = errno;

	return server_fail(err, server_status(sys), sys, "%s: %s", path, what);
}

int tokens_is_exposed(const struct stat *stamp)
{
	return (stamp->st_mode & (S_IRWXO | S_IWGRP)) != 0;
}

/* ---- Reading ---- */

static int read_text(const char *path, int fd, struct text *out,
		     struct pakhus_error *err)
{
	char part[16384];
	ssize_t n;

	while ((n = pread(fd, part, sizeof(part), (off_t)out->size)) != 0) {
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return failed(err, path, "cannot be read");
		text_add(out, part, (size_t)n);
		if (out->is_failed)
			return server_fail_nomem(err);
		if (out->size > TOKENS_TEXT_MAX)
			return server_fail(err, PAKHUS_ELIMIT, 0,
					   "%s: more than %zu bytes of tokens",
					   path, TOKENS_TEXT_MAX);
	}
	return 0;
}

/* The text of dir's file name, and what it says; errors call it path. */
static int load(int dir, const char *name, const char *path, struct text *text,
		struct tokens **out, struct stat *stamp,
		struct pakhus_error *err)
{
	int fd = openat(dir, name, O_RDONLY | O_CLOEXEC | O_NONBLOCK), rc;
	struct pakhus_error why = {0};

	if (fd < 0)
		return failed(err, path, "cannot be opened");
	if (fstat(fd, stamp))
		rc = failed(err, path, "cannot be looked at");
	else if (!S_ISREG(stamp->st_mode))
		rc = server_fail(err, PAKHUS_EINVAL, 0,
				 "%s: it is no file of tokens, but a %s", path,
				 S_ISDIR(stamp->st_mode) ? "directory"
							 : "special file");
	else
		rc = read_text(path, fd, text, err);
	close(fd);
	if (rc)
		return rc;
	rc = tokens_parse(text->data ? text->data : "", text->size, out, &why);
	return rc ? server_fail(err, rc, 0, "%s: %s", path, why.text) : 0;
}

int tokens_read(const char *path, struct tokens **out, struct stat *stamp,
		struct pakhus_error *err)
{
	struct text text = {0};
	struct stat st;
	int rc = load(AT_FDCWD, path, path, &text, out, &st, err);

	text_free(&text);
	if (!rc && stamp)
		*stamp = st;
	return rc;
}

/* ---- Replacing ---- */

/* A file being changed. */
struct change {
	const char *shown; /* as it was named */
	char *path;	   /* no symbolic link, or that would be replaced */
	const char *name;  /* the end of it, in dir ... */
	char *temp;	   /* ... where this becomes it */
	int dir;	   /* locked */
	int is_there;	   /* there was one ... */
	struct stat old;
	struct text text; /* ... and this is in it */
	struct tokens *tokens;
};

static void change_end(struct change *c)
{
	if (c->dir >= 0)
		close(c->dir);
	free(c->path);
	free(c->temp);
	text_free(&c->text);
	tokens_free(c->tokens);
}

static int open_dir(struct change *c, struct pakhus_error *err)
{
	char *slash = strrchr(c->path, '/');
	char *dir = slash ? strndup(c->path, (size_t)(slash - c->path) + 1)
			  : strdup(".");

	if (!dir)
		return server_fail_nomem(err);
	c->name = slash ? slash + 1 : c->path;
	c->dir = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	free(dir);
	if (c->dir < 0)
		return failed(err, c->shown, "its directory cannot be opened");
	while (flock(c->dir, LOCK_EX))
		if (errno != EINTR)
			return failed(err, c->shown,
				      "its directory cannot be locked");
	return 0;
}

static int change_begin(struct change *c, const char *path,
			struct pakhus_error *err)
{
	struct pakhus_error why = {0};
	int rc;

	memset(c, 0, sizeof(*c));
	c->dir = -1;
	c->shown = path;
	c->path = realpath(path, NULL);
	if (!c->path && errno == ENOENT)
		c->path = strdup(path);
	if (!c->path)
		return failed(err, path, "cannot be looked up");
	rc = open_dir(c, err);
	if (rc)
		return rc;
	if (asprintf(&c->temp, "%s.new", c->name) < 0) {
		c->temp = NULL;
		return server_fail_nomem(err);
	}
	rc = load(c->dir, c->name, path, &c->text, &c->tokens, &c->old, &why);
	if (!rc)
		c->is_there = 1;
	else if (rc != PAKHUS_ENOTFOUND)
		return server_fail(err, rc, 0, "%s", why.text);
	return 0;
}

static int write_all(int fd, const char *data, size_t size)
{
	while (size) {
		ssize_t n = write(fd, data, size);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -1;
		data += n;
		size -= (size_t)n;
	}
	return 0;
}

/* Owner and mode as they were: the server may be another user. */
static int keep_owner(const struct change *c, int fd)
{
	const struct stat *old = &c->old;

	if (!c->is_there)
		return 0;
	if ((old->st_uid != geteuid() || old->st_gid != getegid()) &&
	    fchown(fd, old->st_uid, old->st_gid))
		return -1;
	return fchmod(fd, (old->st_mode & S_IRGRP) | S_IRUSR | S_IWUSR);
}

static int change_finish(struct change *c, const struct text *text,
			 struct pakhus_error *err)
{
	int fd, is_written, sys;

	if (text->is_failed)
		return server_fail_nomem(err);
	if (text->size > TOKENS_TEXT_MAX)
		return server_fail(err, PAKHUS_ELIMIT, 0,
				   "%s: more than %zu bytes of tokens",
				   c->shown, TOKENS_TEXT_MAX);
	/* One that is there was left by a crash: the lock is ours. */
	if (unlinkat(c->dir, c->temp, 0) && errno != ENOENT)
		return failed(err, c->shown, "its .new cannot be removed");
	fd = openat(c->dir, c->temp, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC,
		    0600);
	if (fd < 0)
		return failed(err, c->shown, "its .new cannot be made");
	is_written = !write_all(fd, text->data ? text->data : "",
				text->size) &&
		!keep_owner(c, fd) && !fsync(fd);
	sys = errno;
	if (close(fd) && is_written) {
		is_written = 0;
		sys = errno;
	}
	if (is_written && renameat(c->dir, c->temp, c->dir, c->name)) {
		is_written = 0;
		sys = errno;
	}
	if (!is_written) {
		unlinkat(c->dir, c->temp, 0);
		errno = sys;
		return failed(err, c->shown, "cannot be replaced");
	}
	/* The new one is seen from here on; without this a power cut could
	 * bring the old one back. */
	if (fsync(c->dir))
		return server_fail(err, PAKHUS_EUNKNOWN, errno,
				   "%s: replaced, but its directory cannot be "
				   "synced", c->shown);
	return 0;
}

int tokens_add(const char *path, const struct token *token,
	       struct pakhus_error *err)
{
	struct text text = {0};
	struct change c;
	int rc = change_begin(&c, path, err);

	if (!rc && c.tokens && tokens_find(c.tokens, token->digest))
		rc = server_fail(err, PAKHUS_ECONFLICT, 0,
				 "%s: there is a token of this secret already",
				 path);
	if (!rc && c.tokens && tokens_named(c.tokens, token->name))
		rc = server_fail(err, PAKHUS_ECONFLICT, 0,
				 "%s: there is a token %s already", path,
				 token->name);
	if (!rc) {
		if (!c.text.size)
			text_puts(&text, "# name, SHA-256 of the secret, "
					 "scopes, expires, created\n");
		text_add(&text, c.text.data, c.text.size);
		if (c.text.size && c.text.data[c.text.size - 1] != '\n')
			text_puts(&text, "\n");
		token_put(token, &text);
		rc = change_finish(&c, &text, err);
	}
	text_free(&text);
	change_end(&c);
	return rc;
}

/* The byte that a line, counted from 1, begins at. */
static size_t line_at(const struct text *text, size_t line)
{
	const char *at = text->data, *end = text->data + text->size;

	while (--line && at < end) {
		const char *newline = memchr(at, '\n', (size_t)(end - at));

		at = newline ? newline + 1 : end;
	}
	return (size_t)(at - text->data);
}

int tokens_remove(const char *path, const char *name,
		  struct pakhus_error *err)
{
	const struct token *token = NULL;
	struct text text = {0};
	struct change c;
	size_t from, to;
	int rc = change_begin(&c, path, err);

	if (!rc && c.tokens)
		token = tokens_named(c.tokens, name);
	if (!rc && !token) {
		rc = server_fail(err, PAKHUS_ENOTFOUND, 0,
				 "%s: there is no token %s", path, name);
	} else if (!rc) {
		from = line_at(&c.text, token->line);
		to = line_at(&c.text, token->line + 1);
		text_add(&text, c.text.data, from);
		text_add(&text, c.text.data + to, c.text.size - to);
		rc = change_finish(&c, &text, err);
	}
	text_free(&text);
	change_end(&c);
	return rc;
}
