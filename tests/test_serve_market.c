/* test_serve_market.c - what runtimes browse and install from. */
#include "t.h"
#include "stores.h"

#include "serve_packages.h"

#define M "/api/v1/marketplace/packages"

static void publish(const char *json)
{
	assert_asked(post("/api/v1/packages/publish", publisher, json), 200);
}

static void say(const char *json)
{
	assert_asked(post("/api/v1/cloud/packages", publisher, json), 200);
}

static void publish_crm(const char *version)
{
	char *json = s_text("{\"manifest\":{\"id\":\"com.acme.crm\",\"name\":"
			    "\"CRM\",\"version\":\"%s\",\"type\":\"app\","
			    "\"description\":\"d\",\"readme\":\"# R\","
			    "\"keywords\":[\"a\"]},\"metadata\":{\"objects\":"
			    "[{\"name\":\"crm_account\"}],\"id\":\"evil\","
			    "\"name\":\"evil\",\"manifest\":{}}}", version);

	publish(json);
	free(json);
}

/* The reply without its times, which are not the test's to know. */
static const char *timeless(void)
{
	static char out[1 << 20];
	static const char *const keys[] = {
		"\"created_at\":\"", "\"updated_at\":\"", "\"published_at\":\"",
	};
	size_t i;
	char *at;

	snprintf(out, sizeof(out), "%s", body());
	for (i = 0; i < T_COUNT(keys); i++) {
		for (at = out; (at = strstr(at, keys[i])) != NULL;) {
			at += strlen(keys[i]);
			assert_int_equal(strcspn(at, "\""), 24);
			assert_int_equal(at[10], 'T');
			assert_int_equal(at[23], 'Z');
			memmove(at + 1, at + 24, strlen(at + 24) + 1);
			*at = 't';
		}
	}
	return out;
}

#define SUMMARY                                                             \
	"{\"id\":\"com.acme.crm\",\"manifest_id\":\"com.acme.crm\","        \
	"\"display_name\":\"CRM\",\"description\":\"d\","                   \
	"\"tags\":\"[\\\"a\\\"]\","
#define TIMES "\"created_at\":\"t\",\"updated_at\":\"t\","
#define VERSION(v, pre)                                                     \
	"{\"id\":\"" v "\",\"version\":\"" v "\",\"is_prerelease\":" pre ","\
	"\"published_at\":\"t\"}"

static void test_the_list_the_detail_and_the_manifest(void **state)
{
	(void)state;
	assert_asked(get(M, NULL), 200);
	assert_body("{\"success\":true,\"data\":{\"items\":[],\"total\":0,"
		    "\"limit\":50,\"offset\":0}}\n");
	publish_crm("1.0.0-rc.1");
	publish_crm("1.0.0");
	assert_asked(get(M, NULL), 200);
	assert_string_equal(timeless(),
		"{\"success\":true,\"data\":{\"items\":[" SUMMARY TIMES
		"\"latest_version\":" VERSION("1.0.0", "false")
		"}],\"total\":1,\"limit\":50,\"offset\":0}}\n");
	assert_asked(get(M "/com.acme.crm", NULL), 200);
	assert_string_equal(timeless(),
		"{\"success\":true,\"data\":{\"package\":" SUMMARY
		"\"readme\":\"# R\"," TIMES "\"latest_version\":"
		VERSION("1.0.0", "false") "},\"versions\":["
		VERSION("1.0.0", "false") "," VERSION("1.0.0-rc.1", "true")
		"]}}\n");
	assert_asked(get(M "/com.acme.crm/versions/latest/manifest", NULL),
		     200);
	assert_body("{\"success\":true,\"data\":{\"version_id\":\"1.0.0\","
		    "\"version\":\"1.0.0\",\"manifest\":{\"manifest\":{\"id\":"
		    "\"com.acme.crm\",\"name\":\"CRM\",\"version\":\"1.0.0\","
		    "\"type\":\"app\",\"description\":\"d\",\"readme\":\"# R\","
		    "\"keywords\":[\"a\"]},\"objects\":[{\"name\":"
		    "\"crm_account\"}]}}}\n");
	assert_asked(get(M "/com.acme.crm/versions/1.0.0-rc.1/manifest", NULL),
		     200);
	assert_says("\"version_id\":\"1.0.0-rc.1\"");
}

static void test_what_is_not_there_is_404(void **state)
{
	static const char *const targets[] = {
		M "/nope", M "/com.acme.crm/versions/9.9.9/manifest",
		M "/nope/versions/latest/manifest", "/packages/nope.json",
		"/packages/nope/versions/latest/manifest.json",
		"/packages/com.acme.crm/versions/9/manifest.json",
		"/packages/com.acme.crm", "/packages/.json",
		"/packages//versions//manifest.json",
		"/packages/com.acme.crm/manifest.json",
	};
	size_t i;

	(void)state;
	publish_crm("1.0.0");
	for (i = 0; i < T_COUNT(targets); i++) {
		assert_asked(get(targets[i], NULL), 404);
		assert_says("\"success\":false");
		assert_says("\"code\":\"RESOURCE_NOT_FOUND\"");
		assert_asked(get(targets[i], reader), 404);
	}
}

static void test_attrs_go_before_the_manifest(void **state)
{
	(void)state;
	publish_crm("1.0.0");
	say("{\"manifest_id\":\"com.acme.crm\",\"display_name\":\"Acme CRM\","
	    "\"visibility\":\"marketplace\",\"category\":\"crm\","
	    "\"homepage_url\":\"http://h\",\"license\":\"MIT\","
	    "\"readme\":\"more\",\"translations\":{\"de\":{\"displayName\":"
	    "\"K\"}}}");
	assert_asked(get(M "/com.acme.crm", NULL), 200);
	assert_string_equal(timeless(),
		"{\"success\":true,\"data\":{\"package\":{\"id\":"
		"\"com.acme.crm\",\"manifest_id\":\"com.acme.crm\","
		"\"display_name\":\"Acme CRM\",\"description\":\"d\","
		"\"category\":\"crm\",\"tags\":\"[\\\"a\\\"]\","
		"\"homepage_url\":\"http://h\",\"license\":\"MIT\","
		"\"translations\":{\"de\":{\"displayName\":\"K\"}},"
		"\"readme\":\"more\"," TIMES "\"latest_version\":{\"id\":"
		"\"1.0.0\",\"version\":\"1.0.0\",\"is_prerelease\":false,"
		"\"published_at\":\"t\"}},"
		"\"versions\":[{\"id\":\"1.0.0\",\"version\":\"1.0.0\","
		"\"is_prerelease\":false,\"published_at\":\"t\"}]}}\n");
}

static void test_the_list_is_searched_and_paged(void **state)
{
	(void)state;
	publish_crm("1.0.0");
	publish("{\"manifest\":{\"id\":\"org.b\",\"name\":\"B B\",\"version\":"
		"\"1.0.0\",\"category\":\"x y\"},\"metadata\":{}}");
	assert_asked(get(M "?q=b+b&limit=1&offset=0", NULL), 200);
	assert_says("\"total\":1,\"limit\":1,\"offset\":0}");
	assert_says("org.b");
	assert_asked(get(M "?category=x%20y", NULL), 200);
	assert_says("\"total\":1,");
	assert_asked(get(M "?q=&category=", NULL), 200);
	assert_says("\"total\":2,");
	assert_asked(get(M "?limit=1&offset=1", NULL), 200);
	assert_says("\"total\":2,\"limit\":1,\"offset\":1}");
	assert_silent("org.b");
	assert_asked(get(M "?q=nothing", NULL), 200);
	assert_says("{\"items\":[],\"total\":0,");
	assert_asked(get(M "?limit=0", NULL), 400);
	assert_asked(get(M "?limit=101", NULL), 400);
	assert_asked(get(M "?offset=-1", NULL), 400);
	assert_asked(get(M "?q=a&q=b", NULL), 400);
	assert_asked(get(M "?q=%zz", NULL), 400);
}

static void test_the_files_say_what_the_api_says(void **state)
{
	static const char *const pairs[][2] = {
		{M "/com.acme.crm", "/packages/com.acme.crm.json"},
		{M "/%40acme%2Fui", "/packages/%40acme%2Fui.json"},
		{M "/%40acme%2Fui", "/packages/@acme/ui.json"},
		{M "/com.acme.crm/versions/latest/manifest",
		 "/packages/com.acme.crm/versions/latest/manifest.json"},
		{M "/%40acme%2Fui/versions/1.0.0/manifest",
		 "/packages/%40acme%2Fui/versions/1.0.0/manifest.json"},
	};
	size_t i;
	char *text;

	(void)state;
	publish_crm("1.0.0");
	publish("{\"manifest\":{\"id\":\"@acme/ui\",\"version\":\"1.0.0\"},"
		"\"metadata\":{}}");
	for (i = 0; i < T_COUNT(pairs); i++) {
		assert_asked(get(pairs[i][0], NULL), 200);
		text = strdup(body());
		assert_asked(get(pairs[i][1], NULL), 200);
		assert_body(text);
		free(text);
	}
	assert_asked(get("/packages.json", NULL), 200);
	assert_says("\"total\":2,\"limit\":2,\"offset\":0}}\n");
}

static void test_tags_are_of_the_content(void **state)
{
	static const char *const targets[] = {
		M, M "/com.acme.crm", "/packages.json",
		M "/com.acme.crm/versions/latest/manifest",
	};
	char tags[T_COUNT(targets)][80];
	size_t i;

	(void)state;
	publish_crm("1.0.0");
	for (i = 0; i < T_COUNT(targets); i++) {
		assert_asked(get(targets[i], NULL), 200);
		snprintf(tags[i], sizeof(tags[i]), "%s",
			 reply_value(&reply, "ETag"));
		assert_int_equal(*tags[i], '"');
		assert_string_equal(reply_value(&reply, "Cache-Control"),
				    "no-cache");
		assert_non_null(strstr(reply_value(&reply, "Vary"),
				       "Authorization"));
		only_if = tags[i];
		assert_asked(get(targets[i], NULL), 304);
		assert_int_equal(reply.size, 0);
		only_if = NULL;
		assert_asked(get(targets[i], reader), 200);
		assert_string_equal(reply_value(&reply, "Cache-Control"),
				    "private, no-cache");
	}
	/* what happens to another package is no change of this one's */
	publish("{\"manifest\":{\"id\":\"org.b\",\"version\":\"1\"},"
		"\"metadata\":{}}");
	only_if = tags[1];
	assert_asked(get(targets[1], NULL), 304);
	only_if = tags[0];
	assert_asked(get(targets[0], NULL), 200);
	publish_crm("1.0.1");
	only_if = tags[1];
	assert_asked(get(targets[1], NULL), 200);
	only_if = tags[3];
	assert_asked(get(targets[3], NULL), 200);
	only_if = NULL;
}

/* Visibility and token, against every way in. */
static void test_who_sees_what(void **state)
{
	static const struct {
		const char *id;
		int anonymous, acme; /* besides who reads all */
	} rows[] = {
		{"com.acme.market", 1, 1}, {"com.acme.org", 0, 1},
		{"com.acme.private", 0, 1}, {"com.acme.absent", 1, 1},
		{"org.market", 1, 1}, {"org.org", 0, 0},
		{"org.private", 0, 0}, {"org.absent", 1, 1},
	};
	static const enum anonymous modes[] = {
		ANONYMOUS_LISTED, ANONYMOUS_ALL, ANONYMOUS_NONE,
	};
	char *path = s_text("%s/store", (char *)*state);
	char target[5][128], json[256];
	size_t i, j, mode, who;

	for (i = 0; i < T_COUNT(rows); i++) {
		const char *kind = strrchr(rows[i].id, '.') + 1;

		snprintf(json, sizeof(json), "{\"manifest\":{\"id\":\"%s\","
			 "\"version\":\"1.0.0\"},\"metadata\":{}}",
			 rows[i].id);
		publish(json);
		if (!strcmp(kind, "absent"))
			continue;
		snprintf(json, sizeof(json), "{\"manifest_id\":\"%s\","
			 "\"visibility\":\"%s\",\"display_name\":\"n\"}",
			 rows[i].id,
			 !strcmp(kind, "market") ? "marketplace" : kind);
		say(json);
	}
	for (mode = 0; mode < T_COUNT(modes); mode++) {
		m_close();
		m_open(path, modes[mode]);
		for (i = 0; i < T_COUNT(rows) * 3; i++) {
			const char *id = rows[i / 3].id;
			int may, status;

			who = i % 3;
			may = who == 2 || modes[mode] == ANONYMOUS_ALL ||
			      (modes[mode] == ANONYMOUS_LISTED &&
			       rows[i / 3].anonymous) ||
			      (who == 1 && !strncmp(id, "com.acme.", 9));
			status = may ? 200 : !who &&
				modes[mode] == ANONYMOUS_NONE ? 401 : 404;
			snprintf(target[0], sizeof(*target), M "/%s", id);
			snprintf(target[1], sizeof(*target),
				 M "/%s/versions/latest/manifest", id);
			snprintf(target[2], sizeof(*target),
				 "/packages/%s.json", id);
			snprintf(target[3], sizeof(*target),
				 "/packages/%s/versions/1.0.0/manifest.json",
				 id);
			snprintf(target[4], sizeof(*target),
				 "/api/v1/packages/%s", id);
			for (j = 0; j < 5; j++)
				assert_asked(get(target[j], who == 2 ? reader
						 : who ? acme : NULL), status);
			if (!who && modes[mode] == ANONYMOUS_NONE)
				continue;
			snprintf(json, sizeof(json), "\"id\":\"%s\"", id);
			for (j = 0; j < 2; j++) {
				assert_asked(get(j ? "/packages.json" : M,
						 who == 2 ? reader
						 : who ? acme : NULL), 200);
				if (may)
					assert_says(json);
				else
					assert_silent(id);
			}
		}
		if (modes[mode] != ANONYMOUS_NONE)
			continue;
		assert_asked(get(M, NULL), 401);
		assert_asked(get("/packages.json", NULL), 401);
	}
	free(path);
}

static void test_all_is_as_it_was_after_a_restart(void **state)
{
	char *path = s_text("%s/store", (char *)*state), *before;

	publish_crm("1.0.0");
	say("{\"manifest_id\":\"com.acme.crm\",\"display_name\":\"Said\","
	    "\"visibility\":\"marketplace\"}");
	assert_asked(get("/packages.json", NULL), 200);
	before = strdup(body());
	m_close();
	m_open(path, ANONYMOUS_LISTED);
	assert_asked(get("/packages.json", NULL), 200);
	assert_body(before);
	assert_says("\"display_name\":\"Said\"");
	free(before);
	free(path);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		M_TEST(test_the_list_the_detail_and_the_manifest),
		M_TEST(test_what_is_not_there_is_404),
		M_TEST(test_attrs_go_before_the_manifest),
		M_TEST(test_the_list_is_searched_and_paged),
		M_TEST(test_the_files_say_what_the_api_says),
		M_TEST(test_tags_are_of_the_content),
		M_TEST(test_who_sees_what),
		M_TEST(test_all_is_as_it_was_after_a_restart),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
