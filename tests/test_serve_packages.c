/* test_serve_packages.c - the package routes of an ObjectStack 17 runtime,
 * byte for byte. */
#include "t.h"
#include "stores.h"

#include "serve_packages.h"

#define PACKAGE                                                       \
	"{\"manifest\":{\"id\":\"com.acme.pub\",\"name\":\"Pub\","    \
	"\"version\":\"1.0.0\",\"type\":\"app\"},\"metadata\":"       \
	"{\"objects\":[]}}"
#define REFUSED(code, message)                               \
	"{\"success\":false,\"error\":{\"code\":\"" code     \
	"\",\"message\":\"" message "\"}}"

static int publish(const char *secret, const char *json)
{
	return post("/api/v1/packages/publish", secret, json);
}

static int take(const char *target, const char *secret)
{
	return m_ask(HTTP_DELETE, target, secret, NULL, NULL, 0);
}

static void test_publishing_answers_as_the_runtime_does(void **state)
{
	(void)state;
	assert_asked(publish(publisher, PACKAGE), 200);
	assert_body("{\"success\":true,\"data\":{\"message\":\"Published "
		    "com.acme.pub@1.0.0\",\"package\":{\"id\":\"com.acme.pub\","
		    "\"version\":\"1.0.0\"}}}");
	/* again, as the original is an upsert */
	assert_asked(publish(acme, PACKAGE), 200);
	assert_true(server_is_dirty(server));
}

static void test_the_gates_come_in_their_order(void **state)
{
	(void)state;
	assert_asked(publish(NULL, "no json"), 401);
	assert_says("\"code\":\"UNAUTHENTICATED\"");
	assert_asked(publish(acme, "{\"manifest\":{\"id\":\"com.other\","
			     "\"version\":\"1\"},\"metadata\":{}}"), 403);
	assert_body(REFUSED("FORBIDDEN", "Managing packages requires the "
			    "`manage_metadata` capability."));
	assert_asked(publish(reader, PACKAGE), 403);
	assert_asked(take("/api/v1/packages/com.acme.pub", NULL), 401);
	assert_asked(take("/api/v1/packages/com.acme.pub", publisher), 403);
	assert_false(server_is_dirty(server));
}

static void test_what_is_no_package_is_refused_in_its_words(void **state)
{
	static const char *const missing[] = {
		"{}", "{\"manifest\":{}}", "{\"metadata\":{}}",
		"{\"manifest\":null,\"metadata\":{}}",
		("{\"manifest\":{\"id\":\"a\",\"version\":\"1\"},"
		 "\"metadata\":0}"),
	};
	static const char *const invalid[] = {
		"{\"manifest\":{},\"metadata\":{}}",
		"{\"manifest\":[],\"metadata\":{}}",
		"{\"manifest\":{\"id\":\"a\"},\"metadata\":{}}",
		("{\"manifest\":{\"id\":\"\",\"version\":\"1\"},"
		 "\"metadata\":{}}"),
		("{\"manifest\":{\"id\":\"a\",\"version\":null},"
		 "\"metadata\":{}}"),
	};
	size_t i;

	(void)state;
	for (i = 0; i < T_COUNT(missing); i++) {
		assert_asked(publish(publisher, missing[i]), 400);
		assert_body(REFUSED("MISSING_REQUIRED_FIELD", "Missing "
				    "required fields: manifest, metadata"));
	}
	for (i = 0; i < T_COUNT(invalid); i++) {
		assert_asked(publish(publisher, invalid[i]), 400);
		assert_body(REFUSED("PACKAGE_MANIFEST_INVALID", "Invalid "
				    "manifest: id and version are required"));
	}
	assert_asked(publish(publisher, "[1]"), 400);
	assert_body(REFUSED("VALIDATION_ERROR",
			    "The body is no JSON object."));
	/* what the original takes and no store does */
	assert_asked(publish(publisher, "{\"manifest\":{\"id\":\"a\","
			     "\"version\":\"latest\"},\"metadata\":{}}"), 400);
	assert_says("\"code\":\"PACKAGE_MANIFEST_INVALID\"");
	assert_asked(publish(publisher, "{\"manifest\":{\"id\":\"a\","
			     "\"version\":\"1\",\"x\":\"\xff\"},"
			     "\"metadata\":{}}"), 400);
	assert_asked(get("/api/v1/packages", reader), 200);
	assert_body("{\"success\":true,\"data\":{\"packages\":[],"
		    "\"total\":0}}");
}

static void test_records_have_the_fields_and_the_hash_of_the_original(
	void **state)
{
	(void)state;
	assert_asked(publish(publisher, "{\"manifest\":{\"id\":\"com.acme.crm\","
			     "\"name\":\"CRM\",\"version\":\"1.0.0\",\"type\":"
			     "\"app\"},\"metadata\":{\"objects\":[]}}"), 200);
	assert_asked(get("/api/v1/packages/com.acme.crm", reader), 200);
	assert_says("{\"success\":true,\"data\":{\"package\":{\"id\":"
		    "\"com.acme.crm\",\"version\":\"1.0.0\",\"manifest\":{\"id\":"
		    "\"com.acme.crm\",\"name\":\"CRM\",\"version\":\"1.0.0\","
		    "\"type\":\"app\"},\"metadata\":{\"objects\":[]},\"hash\":"
		    "\"fa8f399fd6b41ef330d7ff4e4c5422a350cd4566f44eadd7f065b4f5"
		    "c0b6276a\",\"created_at\":\"20");
	assert_says("\",\"source\":\"database\"}}}");
	assert_asked(get("/api/v1/packages", reader), 200);
	assert_says("{\"success\":true,\"data\":{\"packages\":[{\"id\":");
	assert_says("\"source\":\"database\"}],\"total\":1}}");
}

static void test_a_version_is_asked_for_once(void **state)
{
	(void)state;
	assert_asked(publish(publisher, PACKAGE), 200);
	assert_asked(get("/api/v1/packages/com.acme.pub?version=1.0.0", reader),
		     200);
	assert_asked(get("/api/v1/packages/com.acme.pub?version=", reader),
		     200);
	assert_asked(get("/api/v1/packages/com.acme.pub?version=latest",
			 reader), 200);
	assert_asked(get("/api/v1/packages/com.acme.pub?version=2.0.0", reader),
		     404);
	assert_says("\"code\":\"RESOURCE_NOT_FOUND\"");
	assert_asked(get("/api/v1/packages/com.acme.pub?version=1&version=2",
			 reader), 400);
	assert_body(REFUSED("VALIDATION_ERROR", "The \\\"version\\\" query "
			    "parameter was supplied 2 times. Supply it at most "
			    "once \xe2\x80\x94 this endpoint will not choose "
			    "between conflicting values."));
	assert_asked(take("/api/v1/packages/com.acme.pub?version=1&version=2",
			  deleter), 400);
	assert_asked(get("/api/v1/packages/nope", reader), 404);
	assert_says("\"code\":\"RESOURCE_NOT_FOUND\"");
}

static void test_deleting_says_what_went(void **state)
{
	(void)state;
	assert_asked(publish(publisher, PACKAGE), 200);
	assert_asked(publish(publisher, "{\"manifest\":{\"id\":\"com.acme.pub\","
			     "\"version\":\"1.1.0\"},\"metadata\":{}}"), 200);
	assert_asked(publish(publisher, "{\"manifest\":{\"id\":\"com.acme.pub\","
			     "\"version\":\"1.2.0\"},\"metadata\":{}}"), 200);
	assert_asked(take("/api/v1/packages/com.acme.pub?version=1.1.0",
			  deleter), 200);
	assert_body("{\"success\":true,\"data\":{\"message\":\"Deleted "
		    "com.acme.pub@1.1.0\"}}");
	/* no leave to delete all of them, nor a lie that it was there */
	assert_asked(take("/api/v1/packages/com.acme.pub?version=", deleter),
		     400);
	assert_asked(take("/api/v1/packages/com.acme.pub?version=1.1.0",
			  deleter), 404);
	assert_asked(take("/api/v1/packages/com.acme.pub?version=latest",
			  deleter), 404);
	assert_asked(take("/api/v1/packages/com.acme.pub", deleter), 200);
	assert_body("{\"success\":true,\"data\":{\"message\":\"Deleted "
		    "com.acme.pub\",\"deletedCount\":2,\"cleanups\":[]}}");
	assert_asked(take("/api/v1/packages/com.acme.pub", deleter), 404);
	assert_says("Package \\\"com.acme.pub\\\" was not found.");
}

static void test_a_list_comes_in_parts_where_that_is_asked(void **state)
{
	char target[64], json[128];
	const char *next;
	unsigned i;

	(void)state;
	for (i = 0; i < 250; i++) {
		snprintf(json, sizeof(json), "{\"manifest\":{\"id\":\"p%u\","
			 "\"version\":\"1\"},\"metadata\":{}}", i);
		assert_asked(publish(publisher, json), 200);
	}
	assert_asked(get("/api/v1/packages", reader), 200);
	assert_says("\"total\":250}}");
	assert_asked(get("/api/v1/packages?limit=200", reader), 200);
	assert_says("\"total\":200,\"next\":");
	next = strstr(body(), "\"next\":") + 7;
	snprintf(target, sizeof(target), "/api/v1/packages?limit=200&before=%s",
		 next);
	*strchr(target, '}') = '\0';
	assert_asked(get(target, reader), 200);
	assert_says("\"total\":50}}");
	assert_asked(get("/api/v1/packages?limit=0", reader), 400);
	assert_asked(get("/api/v1/packages?before=x", reader), 400);
}

static void test_who_may_not_read_a_package_does_not_see_it(void **state)
{
	char *path = s_text("%s/store", (char *)*state);

	assert_asked(publish(publisher, PACKAGE), 200);
	assert_asked(publish(publisher, "{\"manifest\":{\"id\":\"org.other\","
			     "\"version\":\"1\"},\"metadata\":{}}"), 200);
	assert_asked(post("/api/v1/cloud/packages", publisher,
			  "{\"manifest_id\":\"org.other\",\"visibility\":"
			  "\"private\"}"), 200);
	assert_asked(get("/api/v1/packages", NULL), 200);
	assert_says("\"total\":1}}");
	assert_silent("org.other");
	assert_asked(get("/api/v1/packages", acme), 200);
	assert_silent("org.other");
	assert_asked(get("/api/v1/packages", reader), 200);
	assert_says("org.other");
	assert_asked(get("/api/v1/packages/org.other", NULL), 404);
	assert_asked(get("/api/v1/packages/org.other", reader), 200);
	m_close();
	m_open(path, ANONYMOUS_NONE);
	assert_asked(get("/api/v1/packages", NULL), 401);
	assert_asked(get("/api/v1/packages", reader), 200);
	free(path);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		M_TEST(test_publishing_answers_as_the_runtime_does),
		M_TEST(test_the_gates_come_in_their_order),
		M_TEST(test_what_is_no_package_is_refused_in_its_words),
		M_TEST(test_records_have_the_fields_and_the_hash_of_the_original),
		M_TEST(test_a_version_is_asked_for_once),
		M_TEST(test_deleting_says_what_went),
		M_TEST(test_a_list_comes_in_parts_where_that_is_asked),
		M_TEST(test_who_may_not_read_a_package_does_not_see_it),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
