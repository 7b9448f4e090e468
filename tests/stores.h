/* stores.h - stores and packages for the test programs: opening, publishing
 * and asking in one line each, with the library's own sentence where that
 * fails. A test file includes t.h first.
 */
#ifndef STORES_H
#define STORES_H

#include "pakhus.h"

#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>

/* Of the call that was made last. */
static struct pakhus_error err;
/* What pakhus told through the notice callback: how often, and the last. */
static int notices;
static char notice[600];

#define assert_done(call) s_status(call, PAKHUS_OK, #call, __FILE__, __LINE__)
#define assert_status(call, status) \
	s_status(call, status, #call, __FILE__, __LINE__)
static inline void s_status(int rc, int want, const char *call,
			    const char *file, int line)
{
	if (rc == want)
		return;
	print_error("%s: %s, not %s: %s\n", call, pakhus_strstatus(rc),
		    pakhus_strstatus(want), err.text);
	_fail(file, line);
}

static inline void s_notice(void *arg, const char *text)
{
	(void)arg;
	notices++;
	snprintf(notice, sizeof(notice), "%s", text);
}

static inline struct pakhus *s_open(const char *path, unsigned flags)
{
	struct pakhus_options opt = { .flags = flags, .level = 3,
				      .notice = s_notice };
	struct pakhus *s = NULL;

	assert_done(pakhus_open(&s, path, &opt, &err));
	return s;
}

static inline char *s_text(const char *fmt, ...)
	__attribute__((format(printf, 1, 2)));
static inline char *s_text(const char *fmt, ...)
{
	va_list ap;
	char *out;

	va_start(ap, fmt);
	assert_true(vasprintf(&out, fmt, ap) >= 0);
	va_end(ap);
	return out;
}

/* A document of an id, a version and a number that makes it different. id
 * and version are the insides of JSON strings. Free it. */
static inline char *s_document(const char *id, const char *version, unsigned n)
{
	return s_text("{\"manifest\":{\"id\":\"%s\",\"version\":\"%s\","
		      "\"name\":\"n%u\"},\"metadata\":{\"objects\":[%u]}}",
		      id, version, n, n);
}

static inline int s_try(struct pakhus *s, const char *id, const char *version,
			unsigned n, struct pakhus_record *out)
{
	char *doc = s_document(id, version, n);
	int rc = pakhus_publish(s, doc, strlen(doc), "test", out, &err);

	free(doc);
	return rc;
}

static inline struct pakhus_record s_publish(struct pakhus *s, const char *id,
					     const char *version, unsigned n)
{
	struct pakhus_record r = { .seq = 0 };

	assert_done(s_try(s, id, version, n, &r));
	return r;
}

static inline uint64_t s_delete(struct pakhus *s, const char *id,
				const char *version)
{
	uint64_t n = 0;

	assert_done(pakhus_delete(s, id, version, "test", &n, &err));
	return n;
}

static inline struct pakhus_package *s_get(struct pakhus *s, const char *id,
					   const char *version)
{
	struct pakhus_package *p = NULL;

	assert_done(pakhus_get(s, id, version, &p, &err));
	return p;
}

/* That get gives exactly the document of a number. */
#define assert_holds(s, id, version, n) \
	s_holds(s, id, version, n, __FILE__, __LINE__)
static inline void s_holds(struct pakhus *s, const char *id,
			   const char *version, unsigned n, const char *file,
			   int line)
{
	struct pakhus_package *p = NULL;
	int rc = pakhus_get(s, id, version, &p, &err);
	char *want;

	if (rc) {
		print_error("%s@%s: %s\n", id, version ? version : "",
			    err.text);
		_fail(file, line);
	}
	want = s_document(id, p->record.version, n);
	if (strcmp(want, p->document)) {
		print_error("expected %s, not %s\n", want, p->document);
		_fail(file, line);
	}
	free(want);
	pakhus_package_free(p);
}

/* The version that get(id) gives. */
#define assert_latest(s, id, version) \
	s_latest(s, id, version, __FILE__, __LINE__)
static inline void s_latest(struct pakhus *s, const char *id,
			    const char *version, const char *file, int line)
{
	struct pakhus_package *p = NULL;

	if (pakhus_get(s, id, NULL, &p, &err)) {
		print_error("%s: %s\n", id, err.text);
		_fail(file, line);
	}
	if (strcmp(p->record.version, version)) {
		print_error("expected %s, not %s\n", version,
			    p->record.version);
		_fail(file, line);
	}
	pakhus_package_free(p);
}

static inline struct pakhus_list *s_list(struct pakhus *s, uint64_t before,
					 size_t limit, unsigned flags)
{
	struct pakhus_list *l = NULL;

	assert_done(pakhus_list(s, (struct pakhus_range){ before, limit },
				flags, &l, &err));
	return l;
}

static inline struct pakhus_versions *s_versions(struct pakhus *s,
						 const char *id,
						 uint64_t before, size_t limit)
{
	struct pakhus_versions *v = NULL;

	assert_done(pakhus_versions(s, id,
				    (struct pakhus_range){ before, limit },
				    &v, &err));
	return v;
}

static inline struct pakhus_history *s_history(struct pakhus *s,
					       const char *id, uint64_t before,
					       size_t limit)
{
	struct pakhus_history *h = NULL;

	assert_done(pakhus_history(s, id,
				   (struct pakhus_range){ before, limit }, &h,
				   &err));
	return h;
}

static inline void s_print_damage(void *arg, const char *path,
				  const char *rule, const char *text)
{
	(void)arg;
	print_error("%s: %s %s\n", path, rule, text);
}

/* That verify finds nothing. */
static inline void s_verify(struct pakhus *s)
{
	struct pakhus_verify v = { .damage = s_print_damage };

	assert_done(pakhus_verify(s, &v, &err));
}

/* A new store below the test's directory; free the path. */
static inline char *s_init(void **state, const char *name, int immutable)
{
	struct pakhus_init_options opt = { .immutable = immutable };
	char *path = s_text("%s/%s", (char *)*state, name);

	assert_done(pakhus_init(path, &opt, &err));
	return path;
}

/* Runs fn in a child and gives how it ended: its status, or minus the
 * signal. */
typedef int s_child_fn(void *arg);
static inline int s_in_child(s_child_fn *fn, void *arg)
{
	int status;
	pid_t pid;

	fflush(NULL);
	pid = fork();
	assert_true(pid >= 0);
	if (!pid) {
		struct rlimit none = { 0, 0 };

		/* dies of what cmocka would report as a failure */
		for (int i = 1; i < 32; i++)
			signal(i, SIG_DFL);
		setrlimit(RLIMIT_CORE, &none);
		alarm(100);
		_exit(fn(arg));
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	return WIFSIGNALED(status) ? -WTERMSIG(status) : WEXITSTATUS(status);
}

/* Less work where a sanitizer makes everything slow, more on demand. */
static inline unsigned s_scale(unsigned usual, unsigned small, unsigned large)
{
	return getenv("TORTURE") ? large : getenv("SANITIZED") ? small : usual;
}

/* A new store, open. */
static inline struct pakhus *fresh(void **state)
{
	char *path = s_init(state, "s", 0);
	struct pakhus *s = s_open(path, 0);

	free(path);
	return s;
}

/* The directory of the index, or a file in it; free it. */
static inline char *index_file(const char *store, const char *file)
{
	char *local = s_text("%s/local", store), *out = NULL;
	DIR *d = opendir(local);
	struct dirent *e;

	assert_non_null(d);
	while ((e = readdir(d)))
		/* index-0.9-64-4096, and not what lies beside it */
		if (!out && !strncmp(e->d_name, "index-", 6) &&
		    strcmp(e->d_name, "index-state"))
			out = s_text("%s/%s%s", local, e->d_name, file);
	closedir(d);
	free(local);
	assert_non_null(out);
	return out;
}

#endif
