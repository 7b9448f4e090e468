/* known.h - a store of which everything is known, so that each answer about
 * it can be judged: right, refused, missing or wrong.
 */
#ifndef KNOWN_H
#define KNOWN_H

#include "files.h"
#include "stores.h"

#define PACKAGES 30
#define VERSIONS 4

static inline unsigned number(unsigned package, unsigned version)
{
	return 100 * package + version;
}

/* Packages p0 to p29 of versions 0 to 3, some of them deleted. */
static inline char *make_known(void **state, const char *name)
{
	char *path = s_init(state, name, 0), id[8], version[8];
	struct pakhus *s = s_open(path, 0);

	for (unsigned v = 0; v < VERSIONS; v++)
		for (unsigned p = 0; p < PACKAGES; p++) {
			snprintf(id, sizeof(id), "p%u", p);
			snprintf(version, sizeof(version), "%u", v);
			s_publish(s, id, version, number(p, v));
		}
	s_delete(s, "p7", "3");
	s_delete(s, "p9", NULL);
	pakhus_close(s);
	return path;
}

static inline int is_there(unsigned p, unsigned v)
{
	return p != 9 && !(p == 7 && v == 3);
}

/* MISSING: something that is there was not found. That is what damage in
 * LMDB's own structure can do without anybody's noticing; whatever is
 * answered has to be right all the same. */
enum { RIGHT, REFUSED, MISSING, WRONG, STRANGE };
static const char *const told[] = {"right", "refused", "missing", "wrong",
				   "strange"};

/* What was asked last. */
static char asked[320];

static inline int same(const struct pakhus_package *q, const char *id,
		       const char *version, unsigned n)
{
	char *want = s_document(id, version, n);
	int ok = !strcmp(q->document, want) && !strcmp(q->record.id, id) &&
		 !strcmp(q->record.version, version);

	free(want);
	return ok;
}

static inline int judge(int rc)
{
	return rc == PAKHUS_ECORRUPT ? REFUSED : STRANGE;
}

static inline int check_get(struct pakhus *s, const char *id,
			    const char *version, const char *want, unsigned n,
			    int there)
{
	struct pakhus_package *q = NULL;
	int rc = pakhus_get(s, id, version, &q, &err), out = RIGHT;

	snprintf(asked, sizeof(asked), "get %s@%s", id, version ? version : "");
	if (rc == PAKHUS_ENOTFOUND)
		return there ? MISSING : RIGHT;
	if (rc)
		return judge(rc);
	if (!there || !same(q, id, want, n))
		out = WRONG;
	pakhus_package_free(q);
	return out;
}

static inline int check_list(struct pakhus *s)
{
	struct pakhus_list *l = NULL;
	int rc = pakhus_list(s, (struct pakhus_range){0, 0}, 0, &l, &err);
	int out = RIGHT;

	snprintf(asked, sizeof(asked), "list");
	if (rc)
		return judge(rc);
	if (l->count != PACKAGES - 1)
		out = l->count < PACKAGES - 1 ? MISSING : WRONG;
	if (out)
		snprintf(asked, sizeof(asked), "list: %zu packages", l->count);
	/* p7 lost its newest place, and stands where its older one does */
	for (size_t i = 0, p = PACKAGES; i < l->count && !out; i++) {
		const struct pakhus_record *r = &l->items[i]->record;
		char id[8], *doc;

		p--;
		if (i == PACKAGES - 2)
			p = 7;
		else
			while (p == 9 || p == 7)
				p--;
		snprintf(id, sizeof(id), "p%zu", p);
		doc = s_document(id, p == 7 ? "2" : "3",
				 number((unsigned)p, p == 7 ? 2 : 3));
		if (strcmp(r->id, id) ||
		    strncmp(l->items[i]->manifest, doc + 12,
			    l->items[i]->manifest_size)) {
			snprintf(asked, sizeof(asked), "list: %s for %s", r->id,
				 id);
			out = WRONG;
		}
		free(doc);
	}
	pakhus_list_free(l);
	return out;
}

static inline int check_versions(struct pakhus *s, unsigned p)
{
	struct pakhus_versions *v = NULL;
	struct pakhus_history *h = NULL;
	struct pakhus_range all = {0, 0};
	size_t want = p == 9 ? 0 : p == 7 ? 3 : 4, k = want;
	char id[8], version[8];
	int rc, out = RIGHT;

	snprintf(id, sizeof(id), "p%u", p);
	snprintf(asked, sizeof(asked), "versions and history of %s", id);
	rc = pakhus_versions(s, id, all, &v, &err);
	if (rc)
		return judge(rc);
	if (v->count != want)
		out = WRONG;
	for (size_t i = 0; i < v->count && !out; i++) {
		snprintf(version, sizeof(version), "%zu", --k);
		if (strcmp(v->items[i].version, version))
			out = WRONG;
	}
	pakhus_versions_free(v);
	rc = out ? 0 : pakhus_history(s, id, all, &h, &err);
	if (rc)
		return judge(rc);
	k = (size_t)VERSIONS + (p == 9 ? 4 : p == 7);
	if (h && h->count != k)
		out = h->count < k ? MISSING : WRONG;
	pakhus_history_free(h);
	return out;
}

/* Everything that a known store answers. */
static inline int ask_all(struct pakhus *s)
{
	char id[8], version[8];
	int out = check_list(s);

	for (unsigned p = 0; p < PACKAGES && !out; p++) {
		unsigned last = p == 7 ? 2 : 3;

		snprintf(id, sizeof(id), "p%u", p);
		snprintf(version, sizeof(version), "%u", last);
		out = check_get(s, id, NULL, version, number(p, last), p != 9);
		for (unsigned v = 0; v < VERSIONS && !out; v++) {
			snprintf(version, sizeof(version), "%u", v);
			out = check_get(s, id, version, version, number(p, v),
					is_there(p, v));
		}
		if (!out)
			out = check_versions(s, p);
	}
	return out;
}

/* Opens, asks, and closes; notices are counted. */
static inline int open_and_ask(const char *path)
{
	struct pakhus_options opt = {.notice = s_notice};
	struct pakhus *s;
	int rc, out;

	notices = 0;
	rc = pakhus_open(&s, path, &opt, &err);
	if (rc)
		return judge(rc);
	out = ask_all(s);
	pakhus_close(s);
	return out;
}

static inline void expect(const char *path, int want, int want_notices,
			  const char *what)
{
	int out = open_and_ask(path);

	if (out == want && notices == want_notices)
		return;
	print_error("%s: %s with %d notices (%s): %s\n", what, told[out],
		    notices, notices ? notice : "", out ? err.text : "");
	fail();
}

/* Rebuilt, said so once, and believed the next time. */
#define assert_rebuilt(path, what)                                             \
	do {                                                                   \
		expect(path, RIGHT, 1, what);                                  \
		assert_non_null(strstr(notice, "rebuilt"));                    \
		expect(path, RIGHT, 0, what);                                  \
	} while (0)

#endif
