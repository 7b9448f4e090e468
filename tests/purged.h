/* purged.h - texts that are known again wherever a byte of them is left, for
 * the tests of purges. A test file includes trace.h first.
 *
 * They carry marks, long runs of letters that are in no other, and all files
 * of a store are searched for them: raw, and every object decoded.
 */
#ifndef PURGED_H
#define PURGED_H

#include "stores.h"
#include "files.h"
#include "hex.h"
#include "object.h"
#include "objpath.h"

#define REASON "a key of ours was in it"
#define MARK 40

/* The mark of a number: letters that nothing compresses or repeats. */
static inline void mark_of(unsigned n, char out[MARK + 1])
{
	uint64_t x = (n + 1) * UINT64_C(0x9E3779B97F4A7C15);

	for (int i = 0; i < MARK; i++) {
		x ^= x << 13, x ^= x >> 7, x ^= x << 17;
		out[i] = (char)('A' + x % 26);
	}
	out[MARK] = '\0';
}

/* The mark stands in the manifest and in the metadata, n bytes of which are
 * alike in all documents. */
static inline char *marked(const char *id, const char *version, unsigned n,
		    size_t alike)
{
	char mark[MARK + 1], *filler = malloc(alike + 1), *doc;

	mark_of(n, mark);
	for (size_t i = 0; i < alike; i++)
		filler[i] = (char)('a' + (i * i / 7 + i / 3) % 26);
	filler[alike] = '\0';
	doc = s_text("{\"manifest\":{\"id\":\"%s\",\"version\":\"%s\","
		     "\"note\":\"%s\"},\"metadata\":{\"all\":\"%s\","
		     "\"one\":\"%s\"}}", id, version, mark, filler, mark);
	free(filler);
	return doc;
}

#define ALIKE 5000

static inline int try_marked(struct pakhus *s, const char *id, const char *version,
		      unsigned n, struct pakhus_record *out)
{
	char *doc = marked(id, version, n, ALIKE);
	int rc = pakhus_publish(s, doc, strlen(doc), NULL, out, &err);

	free(doc);
	return rc;
}

static inline uint64_t put(struct pakhus *s, const char *id, const char *version,
		    unsigned n)
{
	struct pakhus_record r;

	assert_done(try_marked(s, id, version, n, &r));
	return r.seq;
}

static inline void holds_marked(struct pakhus *s, const char *id,
			 const char *version, unsigned n)
{
	struct pakhus_package *p = s_get(s, id, version);
	char *doc = marked(id, version, n, ALIKE);

	assert_string_equal(p->document, doc);
	pakhus_package_free(p);
	free(doc);
}

static inline void purge(struct pakhus *s, const char *id, const char *version,
		  uint64_t texts)
{
	struct pakhus_purged out;

	assert_done(pakhus_purge(s, id, version, REASON, "me", &out, &err));
	assert_int_equal(out.texts, texts);
}

/* ---- every byte of a store ---- */

static struct search {
	char mark[MARK + 1];
	int dir, is_told;
	unsigned found;
} search;

static inline void found(const char *path)
{
	if (search.is_told)
		print_error("a piece of it is in %s\n", path);
	search.found++;
}

static inline int search_file(const char *path, const struct stat *st, int kind,
		       struct FTW *ftw)
{
	unsigned char hash[PK_HASH_SIZE];
	struct pk_shared *text;
	size_t size;
	char *bytes;

	(void)ftw;
	if (kind != FTW_F || !st->st_size)
		return 0;
	bytes = slurp(path, &size);
	/* half of a mark is enough to know it */
	for (int at = 0; at <= MARK / 2; at += MARK / 4)
		if (memmem(bytes, size, search.mark + at, MARK / 2)) {
			found(path);
			break;
		}
	free(bytes);
	if (!strstr(path, "/objects/") || pk_objpath_parse(path, hash))
		return 0;
	assert_done(pk_object_read(search.dir, NULL, NULL, hash, &text, &err));
	if (memmem(text->bytes, text->size, search.mark, MARK))
		found(path);
	pk_shared_free(text);
	return 0;
}

static inline unsigned pieces_of(const char *path, unsigned n, int is_told)
{
	mark_of(n, search.mark);
	search.found = 0;
	search.is_told = is_told;
	search.dir = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	assert_int_equal(nftw(path, search_file, 16, FTW_PHYS), 0);
	close(search.dir);
	return search.found;
}

static inline void is_gone(const char *path, unsigned n)
{
	assert_int_equal(pieces_of(path, n, 1), 0);
}

/* So that the search can find. */
static inline void is_there(const char *path, unsigned n)
{
	assert_int_not_equal(pieces_of(path, n, 0), 0);
}

static inline void says(const char *text)
{
	if (strcmp(err.text, text)) {
		print_error("expected \"%s\", not \"%s\"\n", text, err.text);
		fail();
	}
}

static inline unsigned depth_of(const char *path, const char *hex)
{
	int dir = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	unsigned char hash[PK_HASH_SIZE];
	struct pk_trailer t;

	assert_int_equal(pk_unhex(hex, hash, PK_HASH_SIZE), 0);
	assert_done(pk_object_trailer(dir, hash, &t, &err));
	close(dir);
	return t.depth;
}


/* ---- many versions, and processes that end ---- */

#define MANY 70 /* versions: the first is the base of 1 to 7, 8, 16 …, 64 */

static inline char *name_of(unsigned v)
{
	return s_text("1.0.%u", v);
}

static inline void publish_many(struct pakhus *s)
{
	for (unsigned v = 0; v < MANY; v++) {
		char *name = name_of(v);

		put(s, "many", name, v);
		free(name);
	}
}

/* Fewer where a sanitizer makes everything slow. */
static inline unsigned step(void)
{
	return s_scale(1, 5, 1);
}

static inline int ended(pid_t pid)
{
	int status;

	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	assert_true(WEXITSTATUS(status) == 0 || WEXITSTATUS(status) == 42);
	return WEXITSTATUS(status) == 0;
}

#endif
