/* test_serve_registry.c - the registry API, without a socket. Every reply is
 * held against openapi.json.
 *
 * Who may do what is the matter of other tests: here it is said by the id.
 *
 * wrap: access_enter access_leave caller_may caller_must
 */
#include "t.h"
#include "stores.h"
#include "openapi.h"

#include "../tools/server/server.h"

#include <pthread.h>

#define API "/api/v1/registry"

/* "hidden.…" cannot be read, "closed.…" not be written. */
static int is_nobody;

int __wrap_access_enter(struct exchange *x);
int __wrap_access_enter(struct exchange *x)
{
	(void)x;
	return 1;
}

void __wrap_access_leave(struct exchange *x);
void __wrap_access_leave(struct exchange *x)
{
	(void)x;
}

int __wrap_caller_may(struct exchange *x, enum scope scope, const char *id);
int __wrap_caller_may(struct exchange *x, enum scope scope, const char *id)
{
	(void)x;
	if (scope == SCOPE_NONE)
		return 1;
	if (scope == SCOPE_READ_ALL || !id)
		return !is_nobody;
	if (!strncmp(id, "hidden.", 7))
		return 0;
	if (scope == SCOPE_HISTORY)
		return !is_nobody;
	return scope == SCOPE_READ || (!is_nobody && strncmp(id, "closed.", 7));
}

int __wrap_caller_must(struct exchange *x, enum scope scope, const char *id);
int __wrap_caller_must(struct exchange *x, enum scope scope, const char *id)
{
	if (__wrap_caller_may(x, scope, id))
		return 1;
	if (scope == SCOPE_READ || (scope == SCOPE_HISTORY && !is_nobody))
		reply_error(x, 404, "RESOURCE_NOT_FOUND", "not found: %s", id);
	else
		reply_error(x, is_nobody ? 401 : 403,
			    is_nobody ? "UNAUTHENTICATED" : "FORBIDDEN",
			    "not allowed");
	return 0;
}

/* ---- asking ---- */

static struct server *server;
static struct reply rp; /* the last one */
static char told[1100]; /* to the operator, the last line */
static json_t *asked;	/* operations that were, with a status below 400 */

static void on_notice(void *arg, const char *text)
{
	(void)arg;
	snprintf(told, sizeof(told), "%s", text);
}

static void serve(const char *path, size_t max_body)
{
	const struct server_options opt = { .store = path,
					    .max_body = max_body,
					    .notice = on_notice };

	assert_done(server_open(&server, &opt, &err));
}

static void note_asked(enum http_method method)
{
	char *key;

	if (!*rp.route || rp.status >= 400)
		return;
	key = s_text("%s %s", o_method(method), rp.route);
	json_object_set_new(asked, key, json_true());
	free(key);
}

/* name NULL: no field. */
static int ask_with(enum http_method method, const char *target,
		    const char *body, size_t size, const char *name,
		    const char *value)
{
	struct field field = { name, value };
	struct request rq = { .method = method, .target = target,
			      .fields = &field, .field_count = !!name,
			      .body = body, .size = size, .peer = "::1",
			      .id = "c0ffee" };

	reply_free(&rp);
	server_handle(server, &rq, &rp);
	o_check(&rp, method);
	note_asked(method);
	return rp.status;
}

static int ask(const char *target)
{
	return ask_with(HTTP_GET, target, "", 0, NULL, NULL);
}

static int delete(const char *target)
{
	return ask_with(HTTP_DELETE, target, "", 0, NULL, NULL);
}

static int post(const char *id, const char *version, unsigned n,
		const char *name, const char *value)
{
	char *doc = s_document(id, version, n);
	int status = ask_with(HTTP_POST, API "/packages", doc, strlen(doc),
			      name, value);

	free(doc);
	return status;
}

static int batch(const char *body)
{
	return ask_with(HTTP_POST, API "/batch", body, strlen(body), NULL,
			NULL);
}

/* The data of the last reply, borrowed until the next call. */
static json_t *data(void)
{
	static json_t *last;
	json_error_t e;

	json_decref(last);
	last = rp.body ? json_loadb(rp.body, (size_t)rp.size, 0, &e) : NULL;
	return json_object_get(last, "data");
}

static const char *string_of(const char *key)
{
	const char *s = json_string_value(json_object_get(data(), key));

	return s ? s : "";
}

static json_int_t number_of(const char *key)
{
	return json_integer_value(json_object_get(data(), key));
}

/* The last reply is an error of this code, and its sentence has text. */
#define assert_error(call, status, code, text) \
	a_error(call, status, code, text, __FILE__, __LINE__)
static void a_error(int got, int status, const char *code, const char *text,
		    const char *file, int line)
{
	char *want = s_text("\"code\":\"%s\",\"message\":\"", code);

	if (got != status || !strstr(rp.body, want) || !strstr(rp.body, text)) {
		print_error("expected %d %s, %s, not %d %s\n", status, code,
			    text, got, rp.body);
		_fail(file, line);
	}
	free(want);
}

/* ---- a server in a directory ---- */

static int set_up(void **state)
{
	char *path;

	if (t_dir_make(state))
		return -1;
	path = s_init(state, "s", 0);
	serve(path, 0);
	free(path);
	is_nobody = 0;
	*told = '\0';
	return 0;
}

static int tear_down(void **state)
{
	reply_free(&rp);
	data();
	server_close(server);
	server = NULL;
	return t_dir_remove(state);
}

/* ---- what it is ---- */

static void test_it_says_what_it_is(void **state)
{
	(void)state;
	assert_int_equal(ask(API), 200);
	assert_string_equal(string_of("version"), pakhus_version());
	assert_int_equal(ask(API "/stats"), 200);
	assert_int_equal(number_of("entries"), 1);
	assert_int_equal(number_of("versions"), 0);
	assert_int_equal(ask(API "/keys"), 200);
	assert_int_equal(json_array_size(json_object_get(data(), "keys")), 1);
	assert_int_equal(ask(API "/checkpoint"), 200);
	assert_non_null(strstr(rp.body, "\n\xe2\x80\x94 "));
	assert_int_equal(ask("/api/v1/openapi.json"), 200);
	assert_int_equal(ask("/livez"), 200);
	is_nobody = 1;
	assert_int_equal(ask(API), 200);
	assert_int_equal(ask(API "/keys"), 200);
	assert_error(ask(API "/stats"), 401, "UNAUTHENTICATED", "");
	assert_error(ask(API "/checkpoint"), 401, "UNAUTHENTICATED", "");
}

/* ---- publish ---- */

static void test_what_is_published_is_there_at_once(void **state)
{
	char hash[PAKHUS_HASH_HEX + 1], *doc = s_document("a", "1.0", 1);

	(void)state;
	assert_int_equal(post("a", "1.0", 1, NULL, NULL), 201);
	assert_string_equal(reply_value(&rp, "Location"),
			    API "/packages/a/versions/1.0");
	assert_done(pakhus_hash(doc, strlen(doc), hash, &err));
	assert_string_equal(string_of("hash"), hash);
	assert_true(json_is_false(json_object_get(data(), "unchanged")));
	assert_true(server_is_dirty(server));

	assert_int_equal(ask(API "/packages/a"), 200);
	assert_string_equal(string_of("version"), "1.0");
	assert_string_equal(string_of("hash"), hash);
	assert_non_null(json_object_get(data(), "metadata"));
	assert_int_equal(ask(API "/packages/a?fields=manifest"), 200);
	assert_non_null(json_object_get(data(), "manifest"));
	assert_null(json_object_get(data(), "metadata"));
	assert_int_equal(ask(API "/packages/a/versions/latest"), 200);
	assert_string_equal(string_of("version"), "1.0");

	assert_int_equal(ask(API "/packages/a/versions/1.0/document"), 200);
	assert_string_equal(rp.body, doc);
	assert_non_null(strstr(reply_value(&rp, "ETag"), hash));
	assert_int_equal(ask(API "/packages/a/versions/1.0/manifest"), 200);
	assert_string_equal(rp.body,
			    "{\"id\":\"a\",\"version\":\"1.0\",\"name\":\"n1\"}");
	assert_int_equal(ask(API "/packages/a/versions/1.0/metadata"), 200);
	assert_string_equal(rp.body, "{\"objects\":[1]}");
	free(doc);
}

static void test_the_same_again_is_no_entry(void **state)
{
	json_int_t seq;

	(void)state;
	assert_int_equal(post("a", "1.0", 1, NULL, NULL), 201);
	seq = number_of("seq");
	assert_int_equal(post("a", "1.0", 1, NULL, NULL), 200);
	assert_int_equal(number_of("seq"), seq);
	assert_true(json_is_true(json_object_get(data(), "unchanged")));
	assert_string_equal(reply_value(&rp, "Content-Location"),
			    API "/packages/a/versions/1.0");
	assert_int_equal(post("a", "1.0", 2, NULL, NULL), 201);
	assert_int_equal(number_of("seq"), seq + 1);
	assert_int_equal(post("a", "1.0", 1, NULL, NULL), 201);
	assert_int_equal(number_of("seq"), seq + 2);
}

static void test_an_artifact_is_taken_too(void **state)
{
	static const char json[] = "{ \"objects\": [ ],\n \"manifest\": "
				   "{\"version\":\"2\",\"id\":\"b\"} }";

	(void)state;
	assert_int_equal(ask_with(HTTP_POST, API "/packages", json,
				  strlen(json), NULL, NULL), 201);
	assert_int_equal(ask(API "/packages/b/versions/2/document"), 200);
	assert_string_equal(rp.body, "{\"manifest\":{\"version\":\"2\","
			    "\"id\":\"b\"},\"metadata\":{\"objects\":[]}}");
}

static int post_text(const char *json)
{
	return ask_with(HTTP_POST, API "/packages", json, strlen(json), NULL,
			NULL);
}

static void test_what_is_no_package_is_told_where(void **state)
{
	(void)state;
	assert_error(post_text(""), 400, "VALIDATION_ERROR", "line 1");
	assert_error(post_text("{\"manifest\":\n{]"), 400,
		     "VALIDATION_ERROR", "line 2, column 2");
	assert_error(post_text("{}"), 400, "VALIDATION_ERROR",
		     "the manifest is missing");
	assert_error(post_text("{\"manifest\":{\"id\":\"a\"}}"), 400,
		     "VALIDATION_ERROR", "manifest.version is missing");
	assert_error(post_text("{\"manifest\":{\"id\":\"a\",\"version\":"
			       "\"latest\"}}"), 413, "LIMIT_EXCEEDED",
		     "no version may be called latest");
	assert_error(ask_with(HTTP_POST, API "/packages", "{}", 2,
			      "Content-Encoding", "br"), 415,
		     "UNSUPPORTED_MEDIA_TYPE", "");
	assert_error(ask_with(HTTP_POST, API "/packages", "{}", 2,
			      "Content-Encoding", "gzip"), 400,
		     "VALIDATION_ERROR", "does not decode");
	assert_error(ask_with(HTTP_POST, API "/packages", "--a\r\n", 5,
			      "Content-Type", "multipart/form-data; boundary=a"),
		     415, "UNSUPPORTED_MEDIA_TYPE", "--data-binary");
	assert_false(server_is_dirty(server));
	assert_error(ask(API "/packages/a"), 404, "RESOURCE_NOT_FOUND",
		     "not found: a");
}

static void test_permission_is_looked_at_before_anything_is_stored(void **state)
{
	(void)state;
	assert_error(post("closed.a", "1", 1, NULL, NULL), 403, "FORBIDDEN",
		     "");
	assert_int_equal(ask(API "/stats"), 200);
	assert_int_equal(number_of("entries"), 1);
	assert_error(batch("{\"manifest\":{\"id\":\"a\",\"version\":\"1\"}}\n"
			   "{\"manifest\":{\"id\":\"closed.a\","
			   "\"version\":\"1\"}}\n"), 403, "FORBIDDEN", "");
	assert_int_equal(ask(API "/stats"), 200);
	assert_int_equal(number_of("entries"), 1);
	assert_false(server_is_dirty(server));
	is_nobody = 1;
	assert_error(post("a", "1", 1, NULL, NULL), 401, "UNAUTHENTICATED",
		     "");
	assert_error(delete(API "/packages/a"), 401, "UNAUTHENTICATED", "");
}

static void test_an_immutable_store_keeps_what_it_has(void **state)
{
	char *path = s_init(state, "i", 1);

	server_close(server);
	serve(path, 0);
	free(path);
	assert_int_equal(post("a", "1.0", 1, NULL, NULL), 201);
	assert_int_equal(post("a", "1.0", 1, NULL, NULL), 200);
	assert_error(post("a", "1.0", 2, NULL, NULL), 409,
		     "RESOURCE_CONFLICT", "this store is immutable");
	assert_error(batch("{\"manifest\":{\"id\":\"a\",\"version\":\"1.0\"}}"),
		     409, "RESOURCE_CONFLICT", "a@1.0");
	assert_string_equal(reply_value(&rp, "Pakhus-Durable"), "0");
}

/* ---- preconditions ---- */

static void test_only_if_it_is_not_there(void **state)
{
	(void)state;
	assert_int_equal(post("a", "1.0", 1, "If-None-Match", "*"), 201);
	assert_error(post("a", "1.0", 1, "If-None-Match", "*"), 412,
		     "PRECONDITION_FAILED", "there already");
	assert_error(post("a", "1.0", 2, "If-None-Match", "*"), 412,
		     "PRECONDITION_FAILED", "there already");
	assert_int_equal(delete(API "/packages/a/versions/1.0"), 200);
	assert_int_equal(post("a", "1.0", 2, "if-none-match", " * "), 201);
}

static void test_only_over_what_the_client_saw(void **state)
{
	char *first, *list, *document;

	(void)state;
	assert_error(post("a", "1.0", 1, "If-Match", "*"), 412,
		     "PRECONDITION_FAILED", "not there");
	assert_int_equal(post("a", "1.0", 1, NULL, NULL), 201);
	first = strdup(reply_value(&rp, "ETag"));
	assert_int_equal(ask(API "/packages/a/versions/1.0"), 200);
	assert_string_equal(reply_value(&rp, "ETag"), first);
	assert_int_equal(ask(API "/packages/a/versions/1.0/document"), 200);
	document = strdup(reply_value(&rp, "ETag"));
	assert_string_not_equal(document, first);

	assert_int_equal(post("a", "1.0", 2, "If-Match", first), 201);
	assert_error(post("a", "1.0", 3, "If-Match", first), 412,
		     "PRECONDITION_FAILED", "published again");
	assert_error(post("a", "1.0", 2, "If-Match", first), 412,
		     "PRECONDITION_FAILED", "published again");
	assert_int_equal(post("a", "1.0", 1, "If-Match", "*"), 201);
	list = s_text("\"x\" , W/%s, %s", first, document);
	assert_int_equal(post("a", "1.0", 3, "If-Match", list), 201);
	free(list);
	/* that of a reply that came compressed */
	list = s_text("%.*s-gzip\"", (int)strlen(reply_value(&rp, "ETag")) - 1,
		      reply_value(&rp, "ETag"));
	assert_int_equal(post("a", "1.0", 4, "If-Match", list), 201);
	free(list);
	/* weak ones do not count */
	list = s_text("W/%s", reply_value(&rp, "ETag"));
	assert_error(post("a", "1.0", 5, "If-Match", list), 412,
		     "PRECONDITION_FAILED", "published again");
	assert_error(post("a", "1.0", 5, "If-Match", ""), 412,
		     "PRECONDITION_FAILED", "published again");
	free(list);
	free(first);
	free(document);
}

static void test_deletes_only_what_the_client_saw(void **state)
{
	static const char one[] = API "/packages/a/versions/1.0";
	char *tag;

	(void)state;
	assert_int_equal(post("a", "1.0", 1, NULL, NULL), 201);
	tag = strdup(reply_value(&rp, "ETag"));
	assert_int_equal(post("a", "1.0", 2, NULL, NULL), 201);
	assert_error(ask_with(HTTP_DELETE, one, "", 0, "If-Match", tag), 412,
		     "PRECONDITION_FAILED", "published again");
	assert_error(ask_with(HTTP_DELETE, API "/packages/a", "", 0,
			      "If-Match", tag), 400, "VALIDATION_ERROR",
		     "one version");
	assert_error(ask_with(HTTP_DELETE, API "/packages/a/versions/latest",
			      "", 0, "If-Match", "*"), 412,
		     "PRECONDITION_FAILED", "not there");
	free(tag);
	assert_int_equal(ask(one), 200);
	tag = strdup(reply_value(&rp, "ETag"));
	assert_int_equal(ask_with(HTTP_DELETE, one, "", 0, "If-Match", tag),
			 200);
	assert_error(ask_with(HTTP_DELETE, one, "", 0, "If-Match", tag), 412,
		     "PRECONDITION_FAILED", "not there");
	free(tag);
}

static void test_what_the_client_has_is_not_sent(void **state)
{
	static const char *const targets[] = {
		API "/packages/a", API "/packages/a/versions/1.0",
		API "/packages/a/versions/1.0/manifest",
		API "/packages/a/versions/1.0/metadata",
		API "/packages/a/versions/1.0/document",
	};
	size_t i;

	(void)state;
	for (i = 0; i < T_COUNT(targets); i++) {
		char *tag;

		assert_int_equal(post("a", "1.0", (unsigned)(2 * i), NULL,
				      NULL), 201);
		assert_int_equal(ask(targets[i]), 200);
		tag = strdup(reply_value(&rp, "ETag"));
		assert_int_equal(ask_with(HTTP_GET, targets[i], "", 0,
					  "If-None-Match", tag), 304);
		assert_int_equal(ask_with(HTTP_HEAD, targets[i], "", 0,
					  "If-None-Match", tag), 304);
		assert_int_equal(ask_with(HTTP_GET, targets[i], "", 0,
					  "If-None-Match", "\"other\""), 200);
		assert_int_equal(post("a", "1.0", (unsigned)(2 * i + 1), NULL,
				      NULL), 201);
		assert_int_equal(ask_with(HTTP_GET, targets[i], "", 0,
					  "If-None-Match", tag), 200);
		free(tag);
	}
}

/* ---- lists ---- */

static void test_pages_have_every_version_once(void **state)
{
	enum { VERSIONS = 137 };
	char seen[VERSIONS] = { 0 }, *target = strdup(API
		"/packages/a/versions?limit=10");
	unsigned i, pages = 0;

	(void)state;
	for (i = 0; i < VERSIONS; i++) {
		char version[20];

		snprintf(version, sizeof(version), "1.0.%u", i);
		assert_int_equal(post("a", version, i, NULL, NULL), 201);
	}
	while (target) {
		json_t *list, *one, *next;
		char *link = NULL;
		size_t n;

		assert_int_equal(ask(target), 200);
		free(target);
		target = NULL;
		list = json_object_get(data(), "versions");
		next = json_object_get(data(), "next_cursor");
		assert_true(json_array_size(list) <= 10);
		list = json_object_get(data(), "versions");
		json_array_foreach(list, n, one) {
			i = (unsigned)atoi(json_string_value(json_object_get(
						   one, "version")) + 4);
			assert_true(i < VERSIONS && !seen[i]++);
			assert_int_equal(i, VERSIONS - 1 - 10 * pages - n);
		}
		pages++;
		next = json_object_get(data(), "next_cursor");
		if (json_is_string(next)) {
			target = s_text(API "/packages/a/versions?limit=10"
					"&cursor=%s", json_string_value(next));
			link = s_text("<%s>; rel=\"next\"", target);
			assert_string_equal(reply_value(&rp, "Link"), link);
		} else {
			assert_null(reply_value(&rp, "Link"));
		}
		free(link);
	}
	assert_int_equal(pages, 14);
	for (i = 0; i < VERSIONS; i++)
		assert_true(seen[i]);
}

static void test_packages_are_listed_newest_place_first(void **state)
{
	json_t *list, *one;
	char *cursor, *target;

	(void)state;
	assert_int_equal(ask(API "/packages"), 200);
	assert_int_equal(json_array_size(json_object_get(data(), "packages")),
			 0);
	assert_int_equal(post("a", "1", 1, NULL, NULL), 201);
	assert_int_equal(post("b", "1", 1, NULL, NULL), 201);
	assert_int_equal(post("a", "2", 1, NULL, NULL), 201);
	assert_int_equal(post("c", "1", 1, NULL, NULL), 201);
	assert_int_equal(ask(API "/packages?limit=2&documents=true"), 200);
	list = json_object_get(data(), "packages");
	assert_int_equal(json_array_size(list), 2);
	one = json_array_get(list, 0);
	assert_string_equal(json_string_value(json_object_get(one, "id")),
			    "c");
	assert_non_null(json_object_get(one, "metadata"));
	one = json_array_get(list, 1);
	assert_string_equal(json_string_value(json_object_get(one, "version")),
			    "2");
	cursor = strdup(string_of("next_cursor"));
	assert_non_null(strstr(reply_value(&rp, "Link"), "documents=true"));
	target = s_text(API "/packages?cursor=%s", cursor);
	assert_int_equal(ask(target), 200);
	list = json_object_get(data(), "packages");
	assert_int_equal(json_array_size(list), 1);
	one = json_array_get(list, 0);
	assert_string_equal(json_string_value(json_object_get(one, "id")),
			    "b");
	assert_non_null(json_object_get(one, "manifest"));
	assert_null(json_object_get(one, "metadata"));
	free(target);
	/* it is a cursor of this list, and of no other */
	target = s_text(API "/packages/a/versions?cursor=%s", cursor);
	assert_error(ask(target), 400, "VALIDATION_ERROR", "next_cursor");
	free(target);
	free(cursor);
}

/* A page is looked for beyond those that the caller may not see. */
static void test_what_may_not_be_read_is_not_there(void **state)
{
	json_t *list;
	unsigned i;

	(void)state;
	is_nobody = 0;
	{
		/* published by another way, as nobody here may */
		char *path = s_text("%s/s", (char *)*state);
		struct pakhus *s = s_open(path, 0);

		s_publish(s, "seen", "1", 1);
		for (i = 0; i < 40; i++) {
			char id[20];

			snprintf(id, sizeof(id), "hidden.%u", i);
			s_publish(s, id, "1", i);
		}
		pakhus_close(s);
		free(path);
	}
	assert_int_equal(ask(API "/packages?limit=5"), 200);
	list = json_object_get(data(), "packages");
	assert_int_equal(json_array_size(list), 1);
	assert_true(json_is_null(json_object_get(data(), "next_cursor")));
	assert_error(ask(API "/packages/hidden.1"), 404, "RESOURCE_NOT_FOUND",
		     "not found: hidden.1");
	assert_error(ask(API "/packages/hidden.1/versions/1/document"), 404,
		     "RESOURCE_NOT_FOUND", "not found: hidden.1");
	assert_error(ask(API "/packages/hidden.1/history"), 404,
		     "RESOURCE_NOT_FOUND", "not found: hidden.1");
}

static void test_parameters_are_held_to_what_they_are(void **state)
{
	static const char *const targets[] = {
		API "/packages?limit=0", API "/packages?limit=1001",
		API "/packages?limit=x", API "/packages?limit=-1",
		API "/packages?limit=", API "/packages?limit=1&limit=2",
		API "/packages?cursor=", API "/packages?cursor=p",
		API "/packages?cursor=p0", API "/packages?cursor=pg",
		API "/packages?cursor=v1", API "/packages?cursor=p-1",
		API "/packages?cursor=P1", API "/packages?cursor=p1%00",
		API "/packages?cursor=p11111111111111111",
		API "/packages?cursor=p1+", API "/packages?cursor=p1&cursor=p1",
		API "/packages?documents=yes", API "/packages?documents",
		API "/packages/a?fields=all", API "/packages/a?fields=",
		API "/packages/a/versions?cursor=p1",
		API "/packages/a/history?cursor=l1",
		API "/history?cursor=h1", API "/history?cursor=%zz",
		API "/entries/x", API "/entries/-1",
		API "/entries/11111111111111111",
		API "/records/abc", API "/packages/%ff%0",
	};
	size_t i;

	(void)state;
	assert_int_equal(post("a", "1", 1, NULL, NULL), 201);
	for (i = 0; i < T_COUNT(targets); i++)
		assert_error(ask(targets[i]), 400, "VALIDATION_ERROR", "");
	/* beyond the end there is nothing, and no error */
	assert_int_equal(ask(API "/packages?cursor=pffffffffffffffff"), 200);
	assert_int_equal(ask(API "/packages?cursor=p1"), 200);
	assert_int_equal(ask(API "/packages/a/versions?cursor=v1"), 200);
	assert_int_equal(json_array_size(json_object_get(data(), "versions")),
			 0);
}

/* ---- names ---- */

static void test_ids_may_have_anything_that_a_path_has_not(void **state)
{
	static const struct {
		const char *id, *version, *path;
	} names[] = {
		{ "@acme/crm", "1.0+a", "@acme%2Fcrm/versions/1.0+a" },
		{ "com.acme.b\xc3\xbc" "cher", "1.0-\xe2\x82\xac",
		  "com.acme.b%C3%BCcher/versions/1.0-%E2%82%AC" },
		{ "50%", "1?2#3", "50%25/versions/1%3F2%233" },
		{ "a b", "1/2", "a%20b/versions/1%2F2" },
		{ "..", ".", "../versions/." },
		{ "<a>", "\xf0\x9f\x93\xa6", "%3Ca%3E/versions/%F0%9F%93%A6" },
	};
	size_t i;

	(void)state;
	for (i = 0; i < T_COUNT(names); i++) {
		char *path = s_text(API "/packages/%s", names[i].path);
		char *more = s_text("%s/document", path);

		assert_int_equal(post(names[i].id, names[i].version, 1, NULL,
				      NULL), 201);
		assert_string_equal(reply_value(&rp, "Location"), path);
		assert_int_equal(ask(path), 200);
		assert_string_equal(string_of("id"), names[i].id);
		assert_string_equal(string_of("version"), names[i].version);
		assert_int_equal(ask(more), 200);
		assert_int_equal(delete(path), 200);
		assert_int_equal(number_of("deleted"), 1);
		free(path);
		free(more);
	}
	assert_int_equal(ask(API "/packages/a/b"), 404);
	assert_error(ask(API "/packages/%00"), 400, "VALIDATION_ERROR",
		     "badly encoded");
}

/* ---- deletes ---- */

static void test_deletes_say_how_many_went(void **state)
{
	(void)state;
	assert_int_equal(post("a", "1", 1, NULL, NULL), 201);
	assert_int_equal(post("a", "2", 2, NULL, NULL), 201);
	assert_int_equal(post("a", "3", 3, NULL, NULL), 201);
	assert_int_equal(delete(API "/packages/a/versions/2"), 200);
	assert_int_equal(number_of("deleted"), 1);
	assert_error(delete(API "/packages/a/versions/2"), 404,
		     "RESOURCE_NOT_FOUND", "not found: a@2");
	assert_error(delete(API "/packages/a/versions/latest"), 404,
		     "RESOURCE_NOT_FOUND", "not found: a@latest");
	assert_error(ask(API "/packages/a/versions/2"), 404,
		     "RESOURCE_NOT_FOUND", "not found: a@2");
	assert_int_equal(delete(API "/packages/a"), 200);
	assert_int_equal(number_of("deleted"), 2);
	assert_error(delete(API "/packages/a"), 404, "RESOURCE_NOT_FOUND",
		     "not found: a");
	assert_error(ask(API "/packages/a/versions"), 404,
		     "RESOURCE_NOT_FOUND", "not found: a");
	assert_error(delete(API "/packages/closed.a"), 403, "FORBIDDEN", "");
	/* the history stays */
	assert_int_equal(ask(API "/packages/a/history"), 200);
	assert_int_equal(json_array_size(json_object_get(data(), "entries")),
			 6);
}

/* ---- the log ---- */

static void test_the_log_tells_what_happened(void **state)
{
	json_t *entries;
	char *hash, *target;

	(void)state;
	assert_int_equal(post("a", "1", 1, NULL, NULL), 201);
	hash = strdup(string_of("hash"));
	assert_int_equal(post("b", "1", 1, NULL, NULL), 201);
	assert_int_equal(delete(API "/packages/a"), 200);
	assert_int_equal(ask(API "/history?limit=2"), 200);
	entries = json_object_get(data(), "entries");
	assert_int_equal(json_array_size(entries), 2);
	assert_string_equal(json_string_value(json_object_get(
		json_array_get(entries, 0), "op")), "delete");
	target = s_text(API "/history?cursor=%s", string_of("next_cursor"));
	assert_int_equal(ask(target), 200);
	free(target);
	entries = json_object_get(data(), "entries");
	assert_int_equal(json_array_size(entries), 2);
	assert_string_equal(json_string_value(json_object_get(
		json_array_get(entries, 1), "op")), "key");

	/* deleted, and still readable */
	assert_int_equal(ask(API "/entries/1"), 200);
	assert_string_equal(string_of("hash"), hash);
	assert_error(ask(API "/entries/0"), 404, "RESOURCE_NOT_FOUND",
		     "no publish");
	assert_error(ask(API "/entries/99"), 404, "RESOURCE_NOT_FOUND", "99");
	target = s_text(API "/records/%s", hash);
	assert_int_equal(ask(target), 200);
	assert_non_null(strstr(rp.body, "\"id\":\"a\""));
	assert_string_equal(reply_value(&rp, "Cache-Control"),
			    "public, max-age=31536000, immutable");
	assert_int_equal(ask_with(HTTP_GET, target, "", 0, "Authorization",
				  "Bearer x"), 200);
	assert_string_equal(reply_value(&rp, "Cache-Control"),
			    "private, max-age=31536000, immutable");
	{
		char *tag = s_text("\"%s\"", hash);

		assert_int_equal(ask_with(HTTP_GET, target, "", 0,
					  "If-None-Match", tag), 304);
		free(tag);
	}
	free(target);
	memset(hash, '0', strlen(hash));
	target = s_text(API "/records/%s", hash);
	assert_error(ask(target), 404, "RESOURCE_NOT_FOUND", "no such object");
	is_nobody = 1;
	assert_error(ask(target), 401, "UNAUTHENTICATED", "");
	assert_error(ask(API "/history"), 401, "UNAUTHENTICATED", "");
	assert_error(ask(API "/entries/1"), 401, "UNAUTHENTICATED", "");
	assert_error(ask(API "/packages/b/history"), 401, "UNAUTHENTICATED",
		     "");
	assert_int_equal(ask(API "/packages/b"), 200);
	free(target);
	free(hash);
}

static void test_a_proof_holds(void **state)
{
	struct pakhus_proof proof;
	char *key;

	(void)state;
	assert_int_equal(post("a", "1", 1, NULL, NULL), 201);
	assert_int_equal(ask(API), 200);
	key = strdup(string_of("key"));
	assert_int_equal(ask(API "/packages/a/versions/latest/proof"), 200);
	assert_string_equal(reply_value(&rp, "Content-Type"),
			    "text/plain; charset=utf-8");
	assert_done(pakhus_check_proof(rp.body, (size_t)rp.size, key, &proof,
				       &err));
	assert_string_equal(proof.entry.id, "a");
	assert_error(ask(API "/packages/a/versions/2/proof"), 404,
		     "RESOURCE_NOT_FOUND", "not found: a@2");
	free(key);
}

/* ---- batches ---- */

static void test_a_batch_is_durable_when_it_is_answered(void **state)
{
	(void)state;
	assert_int_equal(batch(
		"{\"manifest\":{\"id\":\"a\",\"version\":\"1\"}}\n"
		"\r\n\n"
		"{\"manifest\":{\"id\":\"a\",\"version\":\"2\"}}\r\n"
		"{\"manifest\":{\"id\":\"b\",\"version\":\"1\"}}"), 201);
	assert_int_equal(number_of("durable"), 3);
	assert_string_equal(reply_value(&rp, "Pakhus-Durable"), "3");
	assert_true(server_is_dirty(server));
	assert_int_equal(ask(API "/packages/a"), 200);
	assert_string_equal(string_of("version"), "2");
	assert_int_equal(ask(API "/packages/b"), 200);
}

static void test_a_batch_with_a_bad_line_stores_nothing(void **state)
{
	(void)state;
	assert_error(batch("{\"manifest\":{\"id\":\"a\",\"version\":\"1\"}}\n"
			   "\n{\"manifest\":]}\n"), 400, "VALIDATION_ERROR",
		     "line 3, column 13");
	assert_error(batch("{\"manifest\":{\"id\":\"a\",\"version\":\"1\"}}\n"
			   "{}\n"), 400, "VALIDATION_ERROR",
		     "line 2, the manifest is missing");
	assert_error(batch(""), 400, "VALIDATION_ERROR", "no document");
	assert_error(batch("\n\r\n"), 400, "VALIDATION_ERROR", "no document");
	assert_error(ask_with(HTTP_POST, API "/batch", "{}", 2,
			      "Content-Encoding", "br"), 415,
		     "UNSUPPORTED_MEDIA_TYPE", "");
	assert_false(server_is_dirty(server));
	assert_error(ask(API "/packages/a"), 404, "RESOURCE_NOT_FOUND", "");
}

static void test_a_batch_has_an_end(void **state)
{
	size_t each, n = 10001, i;
	char *body, *at;

	(void)state;
	body = malloc(n * 64);
	assert_non_null(body);
	at = body;
	for (i = 0; i < n; i++)
		at += sprintf(at, "{\"manifest\":{\"id\":\"a\",\"version\":"
			      "\"%zu\"}}\n", i);
	assert_error(batch(body), 413, "LIMIT_EXCEEDED", "10000");
	assert_false(server_is_dirty(server));
	each = strcspn(body, "\n") + 1;
	assert_true(each < 64);
	free(body);
}

/* ---- attrs ---- */

static int put(const char *target, const char *json)
{
	return ask_with(HTTP_PUT, target, json, strlen(json), NULL, NULL);
}

static void test_what_is_said_is_told(void **state)
{
	static const char of_a[] = API "/packages/a/attrs";
	static const char of_1[] = API "/packages/a/versions/1/attrs";
	char *tag;

	(void)state;
	assert_error(ask(of_a), 404, "RESOURCE_NOT_FOUND", "a");
	assert_int_equal(put(of_a, " {\"visibility\" : \"marketplace\"}"),
			 200);
	assert_int_equal(number_of("seq"), 1);
	assert_true(server_is_dirty(server));
	assert_int_equal(ask(of_a), 200);
	assert_non_null(strstr(rp.body, "{\"visibility\":\"marketplace\"}"));
	assert_null(json_object_get(data(), "version"));
	tag = strdup(reply_value(&rp, "ETag"));
	assert_int_equal(ask_with(HTTP_GET, of_a, "", 0, "If-None-Match",
				  tag), 304);
	free(tag);

	assert_error(put(of_1, "{\"x\":1}"), 404, "RESOURCE_NOT_FOUND", "");
	assert_error(put(API "/packages/a/versions/latest/attrs", "{}"), 404,
		     "RESOURCE_NOT_FOUND", "not found: a");
	assert_int_equal(post("a", "1", 1, NULL, NULL), 201);
	assert_int_equal(put(API "/packages/a/versions/latest/attrs",
			     "{\"x\":1}"), 200);
	assert_string_equal(string_of("version"), "1");
	assert_int_equal(ask(of_1), 200);
	assert_string_equal(string_of("version"), "1");
	assert_int_equal(ask(API "/packages/a/versions/latest/attrs"), 200);
	assert_int_equal(put(of_1, "{}"), 200);
	assert_error(ask(of_1), 404, "RESOURCE_NOT_FOUND", "");
	assert_int_equal(ask(API "/packages/a/history"), 200);
	assert_non_null(strstr(rp.body, "\"op\":\"attrs\""));

	assert_error(put(of_a, "[]"), 400, "VALIDATION_ERROR", "object");
	assert_error(put(of_a, "{"), 400, "VALIDATION_ERROR", "line 1");
	assert_error(ask_with(HTTP_PUT, of_a, "{}", 2, "If-Match", "*"), 400,
		     "VALIDATION_ERROR", "whatever was said");
	assert_error(put(API "/packages/closed.a/attrs", "{}"), 403,
		     "FORBIDDEN", "");
	is_nobody = 1;
	assert_error(put(of_a, "{}"), 401, "UNAUTHENTICATED", "");
	assert_int_equal(ask(of_a), 200);
}

static void test_what_is_said_has_a_limit(void **state)
{
	size_t size = PAKHUS_ATTRS_MAX + 1;
	char *json = malloc(size + 1);

	(void)state;
	memset(json, ' ', size);
	memcpy(json, "{", 1);
	strcpy(json + size - 1, "}");
	assert_error(put(API "/packages/a/attrs", json), 413, "LIMIT_EXCEEDED",
		     "are taken here");
	free(json);
}

/* ---- limits ---- */

static void test_large_documents_go_through_whole(void **state)
{
	size_t size = 6 << 20;
	char *doc = malloc(size + 200);
	int n = sprintf(doc, "{\"manifest\":{\"id\":\"big\",\"version\":\"1\"},"
			"\"metadata\":{\"x\":\"");

	(void)state;
	memset(doc + n, 'a', size);
	strcpy(doc + (size_t)n + size, "\"}}");
	size = strlen(doc);
	assert_int_equal(ask_with(HTTP_POST, API "/packages", doc, size, NULL,
				  NULL), 201);
	assert_int_equal(ask(API "/packages/big/versions/1/document"), 200);
	assert_int_equal(rp.size, size);
	assert_memory_equal(rp.body, doc, size);
	assert_int_equal(ask(API "/packages/big"), 200);
	assert_true(rp.size > size);
	assert_int_equal(ask_with(HTTP_HEAD, API "/packages/big", "", 0, NULL,
				  NULL), 200);
	assert_true(rp.size > size);
	free(doc);
}

/* A page of large documents is shorter than asked for, and goes on. */
static void test_a_page_ends_before_it_fills_the_memory(void **state)
{
	size_t size = 3 << 20, seen = 0;
	char *doc = malloc(size + 200), *target;
	unsigned i, pages = 0;

	(void)state;
	for (i = 0; i < 12; i++) {
		int n = sprintf(doc, "{\"manifest\":{\"id\":\"big%u\",\"version\""
				":\"1\"},\"metadata\":{\"x\":\"", i);

		memset(doc + n, 'a', size);
		strcpy(doc + (size_t)n + size, "\"}}");
		assert_int_equal(ask_with(HTTP_POST, API "/packages", doc,
					  strlen(doc), NULL, NULL), 201);
	}
	target = strdup(API "/packages?documents=true");
	while (target) {
		const char *next;

		assert_int_equal(ask(target), 200);
		assert_true(rp.size < 32 << 20);
		free(target);
		target = NULL;
		seen += json_array_size(json_object_get(data(), "packages"));
		next = string_of("next_cursor");
		if (*next)
			target = s_text(API "/packages?documents=true"
					"&cursor=%s", next);
		pages++;
	}
	assert_int_equal(seen, 12);
	assert_true(pages > 1);
	free(doc);
}

/* Of size bytes, without metadata, which the stored text has. */
static int post_sized(size_t size)
{
	static const char head[] = "{\"manifest\":{\"id\":\"a\","
				   "\"version\":\"1\",\"x\":\"";
	char *doc = malloc(size + 1);
	int status;

	memset(doc, 'a', size);
	memcpy(doc, head, strlen(head));
	strcpy(doc + size - 3, "\"}}");
	status = post_text(doc);
	free(doc);
	return status;
}

static void test_a_limit_of_the_server_holds(void **state)
{
	char *path = s_text("%s/s", (char *)*state);

	server_close(server);
	serve(path, 1000);
	free(path);
	assert_int_equal(post_sized(1000 - strlen(",\"metadata\":{}")), 201);
	assert_error(post_sized(1000), 413, "LIMIT_EXCEEDED",
		     "too large");
	assert_error(post_sized(1001), 413, "LIMIT_EXCEEDED",
		     "1001 bytes; 1000 are taken");
	assert_error(ask_with(HTTP_GET, API "/packages", "x", 1, NULL, NULL),
		     413, "LIMIT_EXCEEDED", "0 are taken");
}

/* ---- methods ---- */

static void test_head_is_get_without_a_body_to_send(void **state)
{
	uint64_t size;

	(void)state;
	assert_int_equal(post("a", "1", 1, NULL, NULL), 201);
	assert_int_equal(ask(API "/packages/a"), 200);
	size = rp.size;
	assert_int_equal(ask_with(HTTP_HEAD, API "/packages/a", "", 0, NULL,
				  NULL), 200);
	assert_int_equal(rp.size, size);
	reply_free(&rp);
	assert_int_equal(ask_with(HTTP_OTHER, API, "", 0, NULL, NULL), 405);
	assert_string_equal(reply_value(&rp, "Allow"), "GET, HEAD");
	assert_int_equal(ask_with(HTTP_PUT, API "/packages", "", 0, NULL,
				  NULL), 405);
	assert_string_equal(reply_value(&rp, "Allow"), "GET, HEAD, POST");
	assert_int_equal(ask_with(HTTP_POST, API "/packages/a", "", 0, NULL,
				  NULL), 405);
	assert_string_equal(reply_value(&rp, "Allow"), "GET, HEAD, DELETE");
}

/* ---- trouble ---- */

/* Where files are is the operator's to know. */
static void test_trouble_is_told_to_the_operator(void **state)
{
	char *object = NULL, *path, *hash;
	FILE *f;

	assert_int_equal(post("a", "1", 1, NULL, NULL), 201);
	hash = strdup(string_of("hash"));
	assert_done(server_sync(server, &err));
	server_close(server);
	object = s_text("%s/s/objects/%.2s/%s", (char *)*state, hash, hash + 2);
	f = fopen(object, "r+");
	assert_non_null(f);
	fputs("broken", f);
	fclose(f);
	path = s_text("%s/s", (char *)*state);
	serve(path, 0);
	assert_error(ask(API "/packages/a"), 500, "STORE_DAMAGED",
		     "The registry is damaged here. (request c0ffee)");
	assert_null(strstr(rp.body, "objects"));
	assert_non_null(strstr(told, "objects/"));
	assert_non_null(strstr(told, "request c0ffee: "));
	free(object);
	free(hash);
	free(path);
}

static void test_who_only_reads_refuses_writes(void **state)
{
	char *path = s_text("%s/s", (char *)*state);
	const struct server_options opt = { .store = path, .is_read_only = 1,
					    .notice = on_notice };

	assert_int_equal(post("a", "1", 1, NULL, NULL), 201);
	server_close(server);
	assert_done(server_open(&server, &opt, &err));
	assert_int_equal(ask(API), 200);
	assert_true(json_is_false(json_object_get(data(), "writable")));
	assert_int_equal(post("a", "1", 1, NULL, NULL), 200);
	assert_error(post("a", "1", 2, NULL, NULL), 403, "STORE_READ_ONLY",
		     "takes no writes");
	assert_error(delete(API "/packages/a"), 403, "STORE_READ_ONLY", "");
	assert_error(batch("{\"manifest\":{\"id\":\"a\",\"version\":\"1\"}}"),
		     403, "STORE_READ_ONLY", "");
	free(path);
}

/* ---- threads ---- */

struct client {
	unsigned number, times;
	unsigned won; /* If-None-Match: * that went through */
};

static int handle(enum http_method method, const char *target,
		  const char *body, const char *name, const char *value,
		  struct reply *out)
{
	struct field field = { name, value };
	struct request rq = { .method = method, .target = target,
			      .fields = &field, .field_count = !!name,
			      .body = body, .size = strlen(body),
			      .peer = "::1" };

	server_handle(server, &rq, out);
	return out->status;
}

/* Publishes of its own, one that all want, and reads of both. */
static void *run_client(void *arg)
{
	struct client *c = arg;
	struct reply mine;
	unsigned i;

	for (i = 0; i < c->times; i++) {
		char version[32], *doc;
		int status;

		snprintf(version, sizeof(version), "%u.%u", c->number, i);
		doc = s_document("shared", version, i);
		status = handle(HTTP_POST, API "/packages", doc, NULL, NULL,
				&mine);
		free(doc);
		reply_free(&mine);
		if (status != 201)
			return "publish";
		snprintf(version, sizeof(version), "race.%u", i);
		doc = s_document("shared", version, c->number);
		status = handle(HTTP_POST, API "/packages", doc,
				"If-None-Match", "*", &mine);
		free(doc);
		reply_free(&mine);
		if (status != 201 && status != 412)
			return "race";
		c->won += status == 201;
		status = handle(HTTP_GET, API "/packages/shared", "", NULL,
				NULL, &mine);
		reply_free(&mine);
		if (status != 200)
			return "get";
		status = handle(HTTP_GET, API "/packages/shared/versions", "",
				NULL, NULL, &mine);
		reply_free(&mine);
		if (status != 200)
			return "versions";
	}
	return NULL;
}

static void test_of_many_clients_each_version_has_one_maker(void **state)
{
	enum { CLIENTS = 4 };
	struct client client[CLIENTS];
	pthread_t thread[CLIENTS];
	unsigned i, won = 0, times = s_scale(20, 8, 200);

	(void)state;
	for (i = 0; i < CLIENTS; i++) {
		client[i] = (struct client){ .number = i, .times = times };
		assert_int_equal(pthread_create(&thread[i], NULL, run_client,
						&client[i]), 0);
	}
	for (i = 0; i < CLIENTS; i++) {
		void *what;

		pthread_join(thread[i], &what);
		if (what)
			o_fail("client %u: %s\n", i, (char *)what);
		won += client[i].won;
	}
	assert_int_equal(won, times);
	assert_int_equal(ask(API "/stats"), 200);
	assert_int_equal(number_of("versions"), (CLIENTS + 1) * times);
	assert_int_equal(number_of("entries"), 1 + (CLIENTS + 1) * times);
}

/* ---- all of it ---- */

static void test_every_operation_was_asked_for(void **state)
{
	const struct route *r;
	size_t missing = 0;

	(void)state;
	for (r = registry_routes; r->run; r++) {
		char *key = s_text("%s %s", o_method(r->method), r->pattern);

		if (!json_object_get(asked, key)) {
			print_error("never done: %s\n", key);
			missing++;
		}
		free(key);
	}
	assert_int_equal(missing, 0);
}

#define SERVED(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		SERVED(test_it_says_what_it_is),
		SERVED(test_what_is_published_is_there_at_once),
		SERVED(test_the_same_again_is_no_entry),
		SERVED(test_an_artifact_is_taken_too),
		SERVED(test_what_is_no_package_is_told_where),
		SERVED(test_permission_is_looked_at_before_anything_is_stored),
		SERVED(test_an_immutable_store_keeps_what_it_has),
		SERVED(test_only_if_it_is_not_there),
		SERVED(test_only_over_what_the_client_saw),
		SERVED(test_deletes_only_what_the_client_saw),
		SERVED(test_what_the_client_has_is_not_sent),
		SERVED(test_pages_have_every_version_once),
		SERVED(test_packages_are_listed_newest_place_first),
		SERVED(test_what_may_not_be_read_is_not_there),
		SERVED(test_parameters_are_held_to_what_they_are),
		SERVED(test_ids_may_have_anything_that_a_path_has_not),
		SERVED(test_deletes_say_how_many_went),
		SERVED(test_the_log_tells_what_happened),
		SERVED(test_a_proof_holds),
		SERVED(test_a_batch_is_durable_when_it_is_answered),
		SERVED(test_a_batch_with_a_bad_line_stores_nothing),
		SERVED(test_a_batch_has_an_end),
		SERVED(test_what_is_said_is_told),
		SERVED(test_what_is_said_has_a_limit),
		SERVED(test_large_documents_go_through_whole),
		SERVED(test_a_page_ends_before_it_fills_the_memory),
		SERVED(test_a_limit_of_the_server_holds),
		SERVED(test_head_is_get_without_a_body_to_send),
		SERVED(test_trouble_is_told_to_the_operator),
		SERVED(test_who_only_reads_refuses_writes),
		SERVED(test_of_many_clients_each_version_has_one_maker),
		cmocka_unit_test(test_every_operation_was_asked_for),
	};
	int rc;

	asked = json_object();
	rp.fd = -1;
	rc = cmocka_run_group_tests(tests, NULL, NULL);
	json_decref(asked);
	json_decref(o_document);
	return rc;
}
