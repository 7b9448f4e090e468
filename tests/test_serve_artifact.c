/* test_serve_artifact.c - build artifacts through the server, by version and by
 * their own SHA-256 (F-1).
 *
 * wrap: fsync fdatasync
 */
#include "t.h"
#include "nosync.h"
#include "stores.h"
#include "serve.h"

#include "../tools/server/base64.h"
#include "../tools/server/digest.h"

#define ARTIFACTS "/api/v1/registry/artifacts/"
#define PACKAGES "/api/v1/registry/packages/"

/* A package, its artifact, and where it is. */
static struct {
	char document[PAKHUS_HASH_HEX + 1], hash[PAKHUS_HASH_HEX + 1];
	char *text, *target;
	size_t size;
} made;

static void make(struct pakhus *s, const char *id, const char *version)
{
	struct pakhus_package *p = s_get(s, id, version);

	assert_done(pakhus_artifact(p, &made.text, &made.size, made.hash,
				    &err));
	strcpy(made.document, p->record.hash);
	made.target = s_text(ARTIFACTS "%s/%s", made.document, made.hash);
	pakhus_package_free(p);
}

static void unmake(void)
{
	pakhus_free(made.text);
	free(made.target);
}

static char *store_of(void **state, struct pakhus **s)
{
	char *path = s_init(state, "s", 0);

	*s = s_open(path, 0);
	s_publish(*s, "a\\\"\\\\ \xc3\xa9", "1 \\\\", 1);
	s_publish(*s, "p", "1", 2);
	make(*s, "p", "1");
	return path;
}

static void test_a_version_has_its_artifact(void **state)
{
	struct pakhus *s;
	char *path = store_of(state, &s), *tag, *digest, *where, *bytes;
	unsigned char raw[DIGEST_SIZE];
	char base64[4 * (DIGEST_SIZE + 2) / 3 + 1];

	serve_open((struct server_options){.store = path});
	assert_int_equal(ask_for(HTTP_GET, PACKAGES "p/versions/1/artifact",
				 NULL), 200);
	bytes = answer_bytes();
	assert_string_equal(bytes, made.text);
	assert_int_equal(answer.size, made.size);
	digest_sha256(bytes, answer.size, raw);
	base64_encode(raw, DIGEST_SIZE, base64);
	tag = s_text("\"%s\"", made.hash);
	digest = s_text("sha-256=:%s:", base64);
	where = s_text("%s.json", made.target);
	assert_true(answer_has("ETag", tag));
	assert_true(answer_has("Repr-Digest", digest));
	assert_true(answer_has("Content-Location", where));
	assert_true(answer_has("Content-Type", "application/json"));
	assert_true(answer_has("Cache-Control", "no-cache"));
	reply_free(&answer);
	assert_int_equal(status_for(HTTP_GET,
				    PACKAGES "p/versions/latest/artifact",
				    "If-None-Match", tag, NULL), 304);
	assert_int_equal(status_for(HTTP_GET, where, NULL), 200);
	assert_int_equal(status_for(HTTP_GET, PACKAGES "p/versions/2/artifact",
				    NULL), 404);
	assert_int_equal(status_for(HTTP_GET, PACKAGES "q/versions/1/artifact",
				    NULL), 404);
	free(bytes);
	free(tag);
	free(digest);
	free(where);
	unmake();
	serve_close();
	pakhus_close(s);
	free(path);
}

static void test_an_artifact_is_there_by_its_own_hash(void **state)
{
	struct pakhus *s;
	char *path = store_of(state, &s), *other, *bytes;

	serve_open((struct server_options){.store = path});
	assert_int_equal(ask_for(HTTP_GET, made.target, NULL), 200);
	bytes = answer_bytes();
	assert_string_equal(bytes, made.text);
	assert_true(answer_has("Cache-Control",
			       "public, max-age=31536000, immutable"));
	reply_free(&answer);
	free(bytes);

	other = strdup(made.target); /* another hash: not this artifact */
	other[strlen(other) - 1] ^= 1;
	assert_int_equal(status_for(HTTP_GET, other, NULL), 404);
	strcpy(other, made.target);
	other[strlen(ARTIFACTS)] ^= 1; /* no such document */
	assert_int_equal(status_for(HTTP_GET, other, NULL), 404);
	free(other);
	other = s_text("%s.JSON", made.target);
	assert_int_equal(status_for(HTTP_GET, other, NULL), 404);
	other[strlen(other) - 6] = 'Z';
	assert_int_equal(status_for(HTTP_GET, other, NULL), 404);
	free(other);
	assert_int_equal(status_for(HTTP_GET, ARTIFACTS "x/y", NULL), 404);
	assert_int_equal(status_for(HTTP_GET, ARTIFACTS "x/.json", NULL), 404);

	/* what was deleted too, for who may read everything */
	s_delete(s, "p", NULL);
	assert_int_equal(status_for(HTTP_GET, made.target, NULL), 200);
	assert_done(pakhus_purge(s, "p", "1", "secret reason", NULL, NULL,
				 &err));
	assert_int_equal(ask_for(HTTP_GET, made.target, NULL), 404);
	assert_null(strstr(answer.body, "secret reason"));
	reply_free(&answer);
	unmake();
	serve_close();
	pakhus_close(s);
	free(path);
}

static void test_what_has_no_artifact_says_why(void **state)
{
	static const char doc[] = "{\"manifest\":{\"id\":\"x\",\"version\":"
				  "\"1\"},\"metadata\":{\"manifest\":1}}";
	struct pakhus *s;
	char *path = store_of(state, &s);

	assert_done(pakhus_publish(s, doc, strlen(doc), NULL, NULL, &err));
	serve_open((struct server_options){.store = path});
	assert_int_equal(ask_for(HTTP_GET, PACKAGES "x/versions/1/artifact",
				 NULL), 404);
	assert_non_null(strstr(answer.body, "NO_ARTIFACT"));
	assert_non_null(strstr(answer.body, "no build artifact can hold"));
	reply_free(&answer);
	unmake();
	serve_close();
	pakhus_close(s);
	free(path);
}

static void test_who_may_not_read_is_told_nothing(void **state)
{
	struct pakhus *s;
	char *path = store_of(state, &s);

	serve_open((struct server_options){.store = path,
					   .anonymous = ANONYMOUS_NONE});
	assert_int_equal(status_for(HTTP_GET, made.target, NULL), 404);
	assert_int_equal(status_for(HTTP_GET, made.target, "If-None-Match",
				    "*", NULL), 404);
	assert_int_not_equal(status_for(HTTP_GET,
					PACKAGES "p/versions/1/artifact",
					NULL), 200);
	unmake();
	serve_close();
	pakhus_close(s);
	free(path);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		T_IN_DIR(test_a_version_has_its_artifact),
		T_IN_DIR(test_an_artifact_is_there_by_its_own_hash),
		T_IN_DIR(test_what_has_no_artifact_says_why),
		T_IN_DIR(test_who_may_not_read_is_told_nothing),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
