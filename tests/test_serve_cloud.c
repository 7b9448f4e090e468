/* test_serve_cloud.c - the publish API of the cloud, as its clients call it.
 */
#include "t.h"
#include "stores.h"

#include <pthread.h>

#include "serve_packages.h"

#define C "/api/v1/cloud/packages"
#define M "/api/v1/marketplace/packages"
#define CRM C "/com.acme.crm"
#define BUNDLE(version)                                                       \
	"{\"manifest\":{\"id\":\"com.acme.crm\",\"name\":\"CRM\",\"version\":" \
	"\"" version "\",\"type\":\"app\"},\"objects\":[]}"

static void register_crm(const char *visibility)
{
	char *json = s_text("{\"manifest_id\":\"com.acme.crm\","
			    "\"display_name\":\"Acme CRM\",\"visibility\":"
			    "\"%s\"}", visibility);

	assert_asked(post(C, acme, json), 200);
	free(json);
}

/* What os 17.4 sends, and what it is answered. */
static void test_the_captured_requests_of_a_publish(void **state)
{
	(void)state;
	assert_asked(post(C, acme, "{\"manifest_id\":\"com.acme.crm\","
		"\"display_name\":\"Acme CRM\",\"visibility\":\"marketplace\","
		"\"namespace\":\"crm\",\"description\":\"d\",\"category\":"
		"\"crm\",\"homepage_url\":\"http://h\",\"license\":\"MIT\"}"),
		200);
	assert_body("{\"success\":true,\"data\":{\"id\":\"com.acme.crm\","
		    "\"manifest_id\":\"com.acme.crm\",\"created\":true,"
		    "\"owner_org_id\":null,\"visibility\":\"marketplace\"}}");
	assert_asked(post(CRM "/versions", acme,
		"{\"version\":\"1.0.0\",\"bundle\":" BUNDLE("1.0.0") ","
		"\"is_pre_release\":false,\"release_notes\":\"first\"}"), 200);
	/* the checksum is the hash of what `pakhus publish` would store */
	assert_body("{\"success\":true,\"data\":{\"id\":\"1.0.0\","
		"\"package_id\":\"com.acme.crm\",\"manifest_id\":"
		"\"com.acme.crm\",\"version\":\"1.0.0\",\"checksum\":\"fa8f399f"
		"d6b41ef330d7ff4e4c5422a350cd4566f44eadd7f065b4f5c0b6276a\","
		"\"listing_status\":\"approved\",\"installation\":null,"
		"\"warnings\":[]},\"violations\":[]}");
	assert_asked(get(M "/com.acme.crm", NULL), 200);
	assert_says("\"display_name\":\"Acme CRM\"");
	assert_says("\"release_notes\":\"first\"");
	assert_asked(get(M "/com.acme.crm/versions/latest/manifest", NULL),
		     200);
	assert_says("\"manifest\":{\"manifest\":{\"id\":\"com.acme.crm\"");
}

static void test_who_publishes_is_in_the_log(void **state)
{
	char *path = s_text("%s/store", (char *)*state);
	struct pakhus_history *h;
	struct pakhus_range range = {0, 3};
	struct pakhus *s;

	register_crm("org");
	assert_asked(post(CRM "/versions", acme, "{\"version\":\"1.0.0\","
			  "\"bundle\":" BUNDLE("1.0.0") ",\"release_notes\":"
			  "\"n\"}"), 200);
	s = s_open(path, 0);
	assert_done(pakhus_history(s, "com.acme.crm", range, &h, &err));
	assert_int_equal(h->count, 3);
	assert_string_equal(h->items[0].op, "attrs");
	assert_string_equal(h->items[0].version, "1.0.0");
	assert_string_equal(h->items[1].op, "publish");
	assert_string_equal(h->items[2].op, "attrs");
	assert_string_equal(h->items[2].by, "token:acme");
	assert_string_equal(h->items[1].by, "token:acme");
	pakhus_history_free(h);
	pakhus_close(s);
	free(path);
}

/* The attrs of the package, or "". */
static const char *attrs_of(void **state, const char *version)
{
	static char text[PAKHUS_ATTRS_MAX + 1];
	char *path = s_text("%s/store", (char *)*state);
	struct pakhus *s = s_open(path, 0);
	struct pakhus_attrs *attrs;

	*text = '\0';
	if (!pakhus_attrs(s, "com.acme.crm", version, &attrs, &err)) {
		snprintf(text, sizeof(text), "%s", attrs->text);
		pakhus_attrs_free(attrs);
	}
	pakhus_close(s);
	free(path);
	return text;
}

static void test_a_package_is_said_once_more(void **state)
{
	uint64_t writes;

	assert_asked(post(C, acme, "{\"manifestId\":\" com.acme.crm \","
		"\"display_name\":\"A\",\"owner_org_id\":\"org_1\",\"license\":"
		"\"MIT\",\"translations\":{\"de\":{\"displayName\":\"K\"}}}"),
		200);
	assert_says("\"created\":true,\"owner_org_id\":\"org_1\","
		    "\"visibility\":\"private\"");
	assert_string_equal(attrs_of(state, NULL),
		"{\"display_name\":\"A\",\"license\":\"MIT\",\"translations\":"
		"{\"de\":{\"displayName\":\"K\"}},\"owner_org_id\":\"org_1\","
		"\"visibility\":\"private\",\"created_by\":\"token:acme\"}");
	/* what is not sent, or null, stays; whose it is always does */
	assert_asked(post(C, publisher, "{\"manifest_id\":\"com.acme.crm\","
		"\"display_name\":\"B\",\"owner_org_id\":\"org_2\","
		"\"license\":null,\"visibility\":\"marketplace\"}"), 200);
	assert_says("\"created\":false,\"owner_org_id\":\"org_1\","
		    "\"visibility\":\"marketplace\"");
	assert_string_equal(attrs_of(state, NULL),
		"{\"license\":\"MIT\",\"translations\":{\"de\":{\"displayName\":"
		"\"K\"}},\"owner_org_id\":\"org_1\",\"created_by\":"
		"\"token:acme\",\"display_name\":\"B\",\"visibility\":"
		"\"marketplace\"}");
	/* and what is the same is no entry in the log */
	writes = server_writes(server);
	assert_asked(post(C, publisher, "{\"manifest_id\":\"com.acme.crm\","
		"\"display_name\":\"B\",\"visibility\":\"marketplace\"}"), 200);
	assert_int_equal(server_writes(server), writes);
}

static void test_one_that_was_published_otherwise_is_not_new(void **state)
{
	(void)state;
	assert_asked(post("/api/v1/packages/publish", acme,
		"{\"manifest\":{\"id\":\"com.acme.crm\",\"version\":\"1.0.0\"},"
		"\"metadata\":{}}"), 200);
	assert_asked(post(C, acme, "{\"manifest_id\":\"com.acme.crm\","
			  "\"display_name\":\"A\"}"), 200);
	assert_says("\"created\":false,\"owner_org_id\":null,"
		    "\"visibility\":\"marketplace\"");
	assert_asked(get(M "/com.acme.crm", NULL), 200);
}

static void test_who_may_not_publish_is_told(void **state)
{
	static const char *const targets[] = {
		C, CRM "/versions", CRM "/icon", CRM "/versions/1.0.0/submit",
	};
	size_t i;

	(void)state;
	for (i = 0; i < T_COUNT(targets); i++) {
		assert_asked(post(targets[i], NULL, "no json"), 401);
		assert_says("\"code\":\"UNAUTHENTICATED\"");
		assert_asked(post(targets[i], reader,
				  "{\"manifest_id\":\"com.acme.crm\"}"), 403);
	}
	assert_asked(post(C, acme, "{\"manifest_id\":\"org.other\"}"), 403);
	assert_asked(post(C "/org.other/versions", acme, "{}"), 403);
	assert_asked(post(C "/org.other/icon", acme, "{}"), 403);
	assert_false(server_is_dirty(server));
}

static void test_what_no_package_is_called_is_refused(void **state)
{
	static const struct {
		const char *json, *says;
	} bad[] = {
		{"", "The body is empty."},
		{"[]", "The body is no JSON object."},
		{"{}", "manifest_id is required"},
		{"{\"manifest_id\":\"  \"}", "manifest_id is required"},
		{"{\"manifest_id\":7}", "manifest_id is required"},
		{"{\"manifest_id\":\"-a\"}", "manifest_id must match "
		 "/^[a-z0-9][a-z0-9._-]{0,254}$/i (reverse-domain style, e.g. "
		 "local.acme.crm)"},
		{"{\"manifest_id\":\"a/b\"}", "manifest_id must match"},
		{"{\"manifest_id\":\"a\",\"visibility\":\"public\"}",
		 "visibility must be one of: private, org, marketplace"},
		{"{\"manifest_id\":\"a\",\"visibility\":1}",
		 "visibility must be a string"},
		{"{\"manifest_id\":\"a\",\"readme\":{}}",
		 "readme must be a string"},
		{"{\"manifest_id\":\"a\",\"translations\":\"x\"}",
		 "translations must be an object"},
		{"{\"manifest_id\":\"a\",\"readme\":\"\\ud800\"}", ""},
	};
	char json[400], id[301];
	size_t i;

	(void)state;
	for (i = 0; i < T_COUNT(bad); i++) {
		assert_asked(post(C, publisher, bad[i].json), 400);
		assert_says(bad[i].says);
	}
	memset(id, 'a', sizeof(id));
	id[215] = '\0';
	snprintf(json, sizeof(json), "{\"manifest_id\":\"%s\"}", id);
	assert_asked(post(C, publisher, json), 400);
	assert_says("214 are the most");
	id[214] = '\0';
	snprintf(json, sizeof(json), "{\"manifest_id\":\"%s\"}", id);
	assert_asked(post(C, publisher, json), 200);
}

static void test_a_readme_that_is_too_long_changes_nothing(void **state)
{
	char *json = s_text("{\"manifest_id\":\"com.acme.crm\",\"readme\":"
			    "\"%*d\"}", (int)PAKHUS_ATTRS_MAX, 1);
	char *before;

	register_crm("org");
	before = strdup(attrs_of(state, NULL));
	assert_asked(post(C, acme, json), 413);
	assert_string_equal(attrs_of(state, NULL), before);
	free(before);
	free(json);
}

/* ---- versions ---- */

static int publish(const char *json)
{
	return post(CRM "/versions", acme, json);
}

static void test_a_version_is_published_once(void **state)
{
	static const char json[] =
		"{\"version\":\"1.2.0\",\"bundle\":" BUNDLE("1.2.0") "}";

	(void)state;
	register_crm("org");
	assert_asked(publish(json), 200);
	assert_says("\"listing_status\":\"draft\"");
	assert_asked(publish(json), 409);
	assert_body("{\"success\":false,\"error\":{\"code\":"
		    "\"RESOURCE_CONFLICT\",\"message\":\"Version '1.2.0' already "
		    "exists for package 'com.acme.crm'. Bump the version and "
		    "retry.\"}}");
	/* until it is taken away */
	assert_asked(m_ask(HTTP_DELETE, "/api/v1/packages/com.acme.crm?version="
			   "1.2.0", deleter, NULL, NULL, 0), 200);
	assert_asked(publish(json), 200);
}

static void test_what_is_no_version_is_refused(void **state)
{
	static const struct {
		int status;
		const char *json, *says;
	} bad[] = {
		{400, "x", "The body is no JSON object."},
		{400, "{}", "version is required (semver string)"},
		{400, "{\"version\":\"\"}", "version is required"},
		{400, "{\"version\":\"1.0.0\"}", "bundle is required and must "
		 "be a JSON object (or stringified JSON)"},
		{400, "{\"version\":\"1.0.0\",\"bundle\":[]}", "bundle is "},
		{400, "{\"version\":\"1.0.0\",\"bundle\":\"{\"}", "bundle is "},
		{400, "{\"version\":\"1.0.0\",\"bundle\":1}", "bundle is "},
		{422, "{\"version\":\"1.0\",\"bundle\":" BUNDLE("1.0") "}",
		 "\"violations\":[\"version: '1.0' is no semantic version"},
		{422, "{\"version\":\"1.0.0-\",\"bundle\":{}}",
		 "\"violations\":["},
		{422, "{\"version\":\"1.0.0+a..b\",\"bundle\":{}}",
		 "\"violations\":["},
		{422, "{\"version\":\"v1.0.0\",\"bundle\":{}}",
		 "\"violations\":["},
		{422, "{\"version\":\"1.0.0\",\"bundle\":{}}",
		 "\"violations\":[\"manifest: the bundle has none"},
		{422, "{\"version\":\"1.0.0\",\"bundle\":{\"manifest\":[]}}",
		 "\"violations\":[\"manifest: the bundle has none"},
		{422, "{\"version\":\"1.0.0\",\"bundle\":{\"manifest\":{\"id\":"
		 "\"org.x\",\"version\":\"1.0.0\"}}}", "\"violations\":["
		 "\"manifest.id: the artifact is 'org.x', the package "
		 "'com.acme.crm'. "},
		{422, "{\"version\":\"1.0.0\",\"bundle\":{\"manifest\":{\"id\":"
		 "\"com.acme.crm\",\"version\":\"1.0.0\"},\"metadata\":{},"
		 "\"objects\":[]}}", "\"violations\":["},
		{422, "{\"version\":\"1.0.0\",\"bundle\":{\"manifest\":{\"id\":"
		 "\"com.acme.crm\",\"version\":\"1.0.0\",\"x\":1e999}}}",
		 "\"violations\":["},
	};
	size_t i;

	(void)state;
	register_crm("org");
	for (i = 0; i < T_COUNT(bad); i++) {
		assert_asked(publish(bad[i].json), bad[i].status);
		assert_says("{\"success\":false,\"error\":{\"code\":\"");
		assert_says(bad[i].says);
	}
	assert_asked(get("/api/v1/packages/com.acme.crm", reader), 404);
	assert_asked(post(C "/com.acme.nope/versions", acme, "{\"version\":"
			  "\"1.0.0\",\"bundle\":" BUNDLE("1.0.0") "}"), 404);
}

static const char *manifest_of(const char *version)
{
	char *target = s_text("/api/v1/packages/com.acme.crm?version=%s",
			      version);
	const char *at;

	assert_asked(get(target, reader), 200);
	free(target);
	at = strstr(body(), "\"manifest\":");
	assert_non_null(at);
	return at;
}

#define assert_begins(text, with) \
	assert_int_equal(strncmp(text, with, strlen(with)), 0)

static void test_the_version_asked_for_is_the_one_published(void **state)
{
	(void)state;
	register_crm("org");
	assert_asked(publish("{\"version\":\"1.3.0-rc.1+b\",\"bundle\":"
			     BUNDLE("1.2.0") "}"), 200);
	assert_says("\"warnings\":[\"The artifact's manifest says version "
		    "1.2.0; published as 1.3.0-rc.1+b.\"]");
	assert_begins(manifest_of("1.3.0-rc.1%2bb"), "\"manifest\":{\"id\":"
		      "\"com.acme.crm\",\"name\":\"CRM\",\"version\":"
		      "\"1.3.0-rc.1+b\",\"type\":\"app\"},\"metadata\":"
		      "{\"objects\":[]}");
	/* and what the artifact does not say of itself is put in */
	assert_asked(publish("{\"version\":\"2.0.0\",\"bundle\":{\"manifest\":"
			     "{},\"objects\":[1.0]}}"), 200);
	assert_says("\"warnings\":[]");
	assert_begins(manifest_of("2.0.0"), "\"manifest\":{\"id\":"
		      "\"com.acme.crm\",\"version\":\"2.0.0\"},\"metadata\":"
		      "{\"objects\":[1]}");
	assert_asked(publish("{\"version\":\"2.1.0\",\"bundle\":{\"manifest\":"
			     "{\"id\":null,\"name\":\"x\"}}}"), 200);
	assert_begins(manifest_of("2.1.0"), "\"manifest\":{\"id\":"
		      "\"com.acme.crm\",\"name\":\"x\",\"version\":"
		      "\"2.1.0\"},\"metadata\":{}");
}

static void test_a_bundle_comes_by_other_names_and_as_a_string(void **state)
{
	(void)state;
	register_crm("org");
	assert_asked(publish("{\"version\":\"1.0.0\",\"manifest_json\":"
			     BUNDLE("1.0.0") "}"), 200);
	assert_says("fa8f399fd6b41ef330d7ff4e4c5422a3");
	assert_asked(publish("{\"version\":\"1.0.1\",\"bundle\":null,"
			     "\"metadata\":" BUNDLE("1.0.1") "}"), 200);
	assert_asked(publish("{\"version\":\"1.0.2\",\"bundle\":\" {\\\"manifest"
			     "\\\":{\\\"id\\\":\\\"com.acme.crm\\\",\\\"name"
			     "\\\":\\\"\\\\u00e9\\\"}} \\n\"}"), 200);
	assert_begins(manifest_of("1.0.2"), "\"manifest\":{\"id\":"
		      "\"com.acme.crm\",\"name\":\"\xc3\xa9\",\"version\":"
		      "\"1.0.2\"},\"metadata\":{}");
}

static void test_listing_takes_a_package_for_everybody(void **state)
{
	register_crm("org");
	assert_asked(publish("{\"version\":\"1.0.0\",\"bundle\":"
			     BUNDLE("1.0.0") ",\"submit_for_review\":true}"),
		     422);
	assert_says("\"violations\":[\"visibility: it is org; ");
	assert_asked(get("/api/v1/packages/com.acme.crm", reader), 404);
	assert_asked(publish("{\"version\":\"1.0.0\",\"bundle\":"
			     BUNDLE("1.0.0") "}"), 200);
	assert_asked(post(CRM "/versions/1.0.0/submit", acme, "{}"), 422);
	register_crm("marketplace");
	assert_asked(post(CRM "/versions/1.0.0/submit", acme, ""), 200);
	assert_body("{\"success\":true,\"data\":{\"id\":\"1.0.0\",\"package_id\":"
		    "\"com.acme.crm\",\"manifest_id\":\"com.acme.crm\","
		    "\"version\":\"1.0.0\",\"listing_status\":\"approved\"}}");
	assert_string_equal(attrs_of(state, "1.0.0"), "{\"submitted\":true}");
	assert_asked(post(CRM "/versions/9.0.0/submit", acme, ""), 404);
	assert_asked(post(C "/com.acme.nope/versions/1.0.0/submit", acme, ""),
		     404);
	assert_asked(publish("{\"version\":\"1.1.0\",\"bundle\":"
			     BUNDLE("1.1.0") ",\"auto_approve\":true,"
			     "\"is_pre_release\":true,\"install_env_id\":"
			     "\"env_1\",\"release_notes\":\"r\"}"), 200);
	assert_says("\"listing_status\":\"approved\"");
	assert_says("\"warnings\":[\"The listing has no description.\",\"The "
		    "listing has no category.\",\"The listing has no readme."
		    "\",\"The listing has no icon_url.\",\"A registry has no "
		    "environments: nothing was installed.");
	assert_string_equal(attrs_of(state, "1.1.0"), "{\"release_notes\":\"r\","
			    "\"is_pre_release\":true,\"submitted\":true}");
	assert_asked(get(M "/com.acme.crm", NULL), 200);
	assert_says("{\"id\":\"1.1.0\",\"version\":\"1.1.0\",\"is_prerelease\":"
		    "true,");
}

/* ---- plugins ---- */

/* "\x1f\x8b" and 18 zeros, as base64, and its SHA-256. */
#define PLUGIN "H4sAAAAAAAAAAAAAAAAAAAAAAAA="
static char plugin_hash[65];

static char *plugin_json(const char *manifest, const char *more)
{
	return s_text("{\"version\":\"1.0.0\",\"artifact_kind\":\"plugin\","
		      "\"plugin_manifest\":%s,\"is_pre_release\":false%s}",
		      manifest, more);
}

static void assert_plugin(const char *manifest, const char *more, int status,
			  const char *says)
{
	char *json = plugin_json(manifest, more);

	assert_asked(publish(json), status);
	assert_says(says);
	free(json);
}

#define PM "{\"id\":\"com.acme.crm\",\"name\":\"P\",\"version\":\"1.0.0\"," \
	   "\"runtime\":\"node\"}"

static void test_a_plugin_is_kept_as_it_was_signed(void **state)
{
	char more[512];

	register_crm("org");
	assert_plugin(PM, "", 400, "osplugin is required");
	assert_plugin(PM, ",\"osplugin\":\"H4s\"", 400, "osplugin is required");
	assert_plugin("null", ",\"osplugin\":\"" PLUGIN "\"", 400,
		      "plugin_manifest is required");
	assert_plugin(PM, ",\"osplugin\":\"" PLUGIN "\",\"artifact_checksum\":"
		      "\"00\"", 422, "artifact_checksum: the artifact that "
		      "came has ");
	memcpy(plugin_hash, strstr(body(), "came has ") + 9, 64);
	assert_plugin(PM, ",\"osplugin\":\"AAAA\"", 422,
		      "osplugin: it is no .osplugin");
	assert_plugin(PM, ",\"osplugin\":\"" PLUGIN "\",\"signature\":\"x\"",
		      422, "signature: it is not");
	assert_plugin("{\"id\":\"org.x\",\"version\":\"1.0.0\"}",
		      ",\"osplugin\":\"" PLUGIN "\"", 422, "manifest.id: ");
	assert_plugin("{\"id\":\"com.acme.crm\",\"version\":\"1.0.1\"}",
		      ",\"osplugin\":\"" PLUGIN "\"", 422,
		      "plugin_manifest.version: it is '1.0.1', not '1.0.0'");
	assert_plugin("{}", ",\"osplugin\":\"" PLUGIN "\"", 422,
		      "plugin_manifest.id: it is not there");
	snprintf(more, sizeof(more), ",\"osplugin\":\"" PLUGIN "\","
		 "\"artifact_checksum\":\"%s\",\"signature\":"
		 "\"ed25519:key:one:Ab_-\",\"release_notes\":\"r\"",
		 plugin_hash);
	assert_plugin(PM, more, 200, "\"version\":\"1.0.0\"");
	assert_says("\"listing_status\":\"draft\"");
	snprintf(more, sizeof(more), "\"manifest\":" PM ",\"metadata\":"
		 "{\"artifact_kind\":\"plugin\",\"artifact_checksum\":\"%s\","
		 "\"artifact_size\":20,\"signature\":\"ed25519:key:one:Ab_-\","
		 "\"osplugin\":\"" PLUGIN "\"}", plugin_hash);
	assert_begins(manifest_of("1.0.0"), more);
	assert_string_equal(attrs_of(state, "1.0.0"), "{\"release_notes\":\"r\","
			    "\"artifact_kind\":\"plugin\",\"signed\":true,"
			    "\"runtime\":\"node\"}");
	assert_plugin(PM, ",\"osplugin\":\"" PLUGIN "\"", 409,
		      "already exists");
}

/* ---- icons ---- */

static int icon(const char *type, const char *bytes, size_t size)
{
	return m_ask(HTTP_POST, CRM "/icon", acme, type, bytes, size);
}

static void test_an_icon_is_what_it_says_and_runs_nothing(void **state)
{
	static const char png[] = "\x89PNG\r\n\x1a\n and more";
	static const char webp[] = "RIFF\0\0\0\0WEBPVP8 ";
	static const char svg[] = "<?xml version=\"1.0\"?>\n<!-- c -->\n"
				  "<svg xmlns=\"http://www.w3.org/2000/svg\">"
				  "<script>alert(1)</script></svg>";
	char tag[80], *big = calloc(1, (256 << 10) + 1);

	assert_asked(icon("image/png", png, sizeof(png) - 1), 404);
	register_crm("marketplace");
	assert_asked(get("/icons/com.acme.crm.png", NULL), 404);
	assert_asked(icon("image/png", png, sizeof(png) - 1), 200);
	assert_body("{\"success\":true,\"data\":{\"icon_url\":"
		    "\"/icons/com.acme.crm.png\"}}");
	assert_asked(get("/icons/com.acme.crm.png", NULL), 200);
	assert_int_equal(reply.size, sizeof(png) - 1);
	assert_memory_equal(reply.body, png, sizeof(png) - 1);
	assert_string_equal(reply_value(&reply, "Content-Type"), "image/png");
	assert_string_equal(reply_value(&reply, "X-Content-Type-Options"),
			    "nosniff");
	snprintf(tag, sizeof(tag), "%s", reply_value(&reply, "ETag"));
	only_if = tag;
	assert_asked(get("/icons/com.acme.crm.png", NULL), 304);
	only_if = NULL;
	assert_asked(get("/icons/com.acme.crm", NULL), 200); /* any type */
	assert_asked(get("/icons/com.acme.crm.svg", NULL), 404);
	assert_asked(get("/icons/nope.png", NULL), 404);

	assert_asked(icon("image/svg+xml; charset=utf-8", svg, sizeof(svg) - 1),
		     200);
	assert_asked(get("/icons/com.acme.crm.png", NULL), 404);
	assert_asked(get("/icons/com.acme.crm.svg", NULL), 200);
	assert_string_equal(reply_value(&reply, "Content-Security-Policy"),
			    "default-src 'none'; style-src 'unsafe-inline'; "
			    "sandbox");
	assert_asked(icon("image/webp", webp, sizeof(webp) - 1), 200);
	assert_asked(icon("image/jpeg", "\xff\xd8\xff\xe0", 4), 200);
	assert_says("/icons/com.acme.crm.jpg");

	assert_asked(icon("image/png", svg, sizeof(svg) - 1), 400);
	assert_says("The body is not image/png, as its Content-Type says, but "
		    "image/svg+xml.");
	assert_asked(icon("image/png", "", 0), 400);
	assert_asked(icon("image/svg+xml", "<html><svg/>", 12), 400);
	assert_asked(icon("image/svg+xml", "<svgx/>", 7), 400);
	assert_asked(icon("text/html", svg, sizeof(svg) - 1), 415);
	assert_asked(icon(NULL, svg, sizeof(svg) - 1), 415);
	memcpy(big, png, 8);
	assert_asked(icon("image/png", big, (256 << 10) + 1), 413);
	assert_asked(icon("image/png", big, 256 << 10), 200);
	free(big);

	/* another address takes its place; the rest of the row stays */
	assert_asked(get(M "/com.acme.crm", NULL), 404);
	assert_asked(publish("{\"version\":\"1.0.0\",\"bundle\":"
			     BUNDLE("1.0.0") "}"), 200);
	assert_asked(get(M "/com.acme.crm", NULL), 200);
	assert_says("\"icon_url\":\"/icons/com.acme.crm.png\"");
	assert_asked(post(C, acme, "{\"manifest_id\":\"com.acme.crm\","
			  "\"icon_url\":\"https://x/i.png\"}"), 200);
	assert_asked(get("/icons/com.acme.crm.png", NULL), 404);
	assert_non_null(strstr(attrs_of(state, NULL), "\"Acme CRM\""));
	assert_null(strstr(attrs_of(state, NULL), "\"data\""));
}

static void test_an_icon_is_for_those_who_see_its_package(void **state)
{
	(void)state;
	register_crm("private");
	assert_asked(icon("image/jpeg", "\xff\xd8\xff\xe0", 4), 200);
	assert_asked(get("/icons/com.acme.crm.jpg", NULL), 404);
	assert_asked(get("/icons/com.acme.crm.jpg", reader), 200);
}

static void test_a_session_says_whose_token_it_is(void **state)
{
	(void)state;
	assert_asked(get("/api/v1/auth/get-session", acme), 200);
	assert_body("{\"user\":{\"id\":\"token:acme\"}}");
	assert_asked(get("/api/v1/auth/get-session", NULL), 200);
	assert_body("null");
	assert_asked(get("/api/v1/auth/get-session", "wrong"), 401);
}

/* ---- many at once ---- */

enum { THREADS = 4, EACH = 15 };

struct racer {
	pthread_t thread;
	unsigned n;
	unsigned won, lost, failed;
};

/* All publish the same versions with content of their own. */
static void *race(void *arg)
{
	struct racer *r = arg;
	unsigned i;

	for (i = 0; i < EACH; i++) {
		char *json = s_text("{\"version\":\"1.0.%u\",\"bundle\":"
				    "{\"manifest\":{\"id\":\"com.acme.crm\","
				    "\"name\":\"n%u\"}},\"release_notes\":"
				    "\"n%u\"}", i, r->n, r->n);
		struct reply rp;

		switch (m_ask_into(&rp, HTTP_POST, CRM "/versions", acme, NULL,
				   json, strlen(json))) {
		case 200:
			r->won++;
			break;
		case 409:
			r->lost++;
			break;
		default:
			r->failed++;
		}
		reply_free(&rp);
		free(json);
		json = s_text("{\"manifest_id\":\"com.acme.crm\","
			      "\"category\":\"c%u.%u\"}", r->n, i);
		if (m_ask_into(&rp, HTTP_POST, C, acme, NULL, json,
			       strlen(json)) != 200)
			r->failed++;
		reply_free(&rp);
		free(json);
		if (m_ask_into(&rp, HTTP_GET, M "/com.acme.crm", NULL, NULL,
			       NULL, 0) != 200 && r->won + r->lost == EACH)
			r->failed++;
		reply_free(&rp);
	}
	return NULL;
}

static void test_of_those_who_race_for_a_version_one_wins(void **state)
{
	struct racer r[THREADS];
	unsigned i, won = 0, lost = 0;
	char target[64], notes[64], *name;

	register_crm("marketplace");
	for (i = 0; i < THREADS; i++) {
		r[i] = (struct racer){.n = i};
		assert_int_equal(pthread_create(&r[i].thread, NULL, race,
						&r[i]), 0);
	}
	for (i = 0; i < THREADS; i++) {
		pthread_join(r[i].thread, NULL);
		assert_int_equal(r[i].failed, 0);
		won += r[i].won;
		lost += r[i].lost;
	}
	assert_int_equal(won, EACH);
	assert_int_equal(lost, EACH * (THREADS - 1));
	/* the row kept what others did not send, and notes are the winner's */
	assert_non_null(strstr(attrs_of(state, NULL), "\"Acme CRM\""));
	for (i = 0; i < EACH; i++) {
		snprintf(target, sizeof(target), "1.0.%u", i);
		name = strstr(manifest_of(target), "\"name\":\"") + 8;
		snprintf(notes, sizeof(notes), "{\"release_notes\":\"%.2s\"}",
			 name);
		assert_string_equal(attrs_of(state, target), notes);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		M_TEST(test_the_captured_requests_of_a_publish),
		M_TEST(test_who_publishes_is_in_the_log),
		M_TEST(test_a_package_is_said_once_more),
		M_TEST(test_one_that_was_published_otherwise_is_not_new),
		M_TEST(test_who_may_not_publish_is_told),
		M_TEST(test_what_no_package_is_called_is_refused),
		M_TEST(test_a_readme_that_is_too_long_changes_nothing),
		M_TEST(test_a_version_is_published_once),
		M_TEST(test_what_is_no_version_is_refused),
		M_TEST(test_the_version_asked_for_is_the_one_published),
		M_TEST(test_a_bundle_comes_by_other_names_and_as_a_string),
		M_TEST(test_listing_takes_a_package_for_everybody),
		M_TEST(test_a_plugin_is_kept_as_it_was_signed),
		M_TEST(test_an_icon_is_what_it_says_and_runs_nothing),
		M_TEST(test_an_icon_is_for_those_who_see_its_package),
		M_TEST(test_a_session_says_whose_token_it_is),
		M_TEST(test_of_those_who_race_for_a_version_one_wins),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
