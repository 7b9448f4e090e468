/* test_serve_openapi.c - openapi.json and the routes say the same.
 */
#include "t.h"
#include "stores.h"
#include "openapi.h"

#include "../tools/server/server.h"

static const struct route *route_of(const char *path, const char *method)
{
	const struct route *r;
	size_t i;

	for (i = 0; (r = route_at(i)); i++)
		if (o_is_path(path, r->pattern) &&
		    !strcmp(o_method(r->method), method))
			return r;
	return NULL;
}

static void test_every_route_is_in_the_document(void **state)
{
	const struct route *r;
	size_t i, missing = 0;

	(void)state;
	for (i = 0; (r = route_at(i)); i++)
		if (!o_operation(r->pattern, r->method)) {
			print_error("not in openapi.json: %s %s\n",
				    o_method(r->method), r->pattern);
			missing++;
		}
	assert_int_equal(missing, 0);
}

static int is_method(const char *key)
{
	return !strcmp(key, "get") || !strcmp(key, "put") ||
		!strcmp(key, "post") || !strcmp(key, "delete");
}

static void test_every_operation_of_the_document_has_a_route(void **state)
{
	const char *path, *method, *id;
	json_t *paths = json_object_get(o_load(), "paths"), *item, *op;
	json_t *ids = json_object();
	size_t missing = 0;

	(void)state;
	json_object_foreach(paths, path, item)
		json_object_foreach(item, method, op) {
			if (!is_method(method) || !route_of(path, method)) {
				print_error("no route: %s %s\n", method, path);
				missing++;
			}
			id = json_string_value(json_object_get(op,
							"operationId"));
			assert_non_null(id);
			assert_null(json_object_get(ids, id));
			json_object_set_new(ids, id, json_true());
		}
	json_decref(ids);
	assert_int_equal(missing, 0);
}

/* Those in the template are the operation's, and no others. */
static void test_path_parameters_are_declared(void **state)
{
	const char *path, *method;
	json_t *paths = json_object_get(o_load(), "paths"), *item, *op, *p;
	size_t i;

	(void)state;
	json_object_foreach(paths, path, item)
		json_object_foreach(item, method, op) {
			json_t *list = json_object_get(op, "parameters");
			size_t want = 0, found = 0;
			const char *at = path;

			while ((at = strchr(at, '{')))
				at++, want++;
			json_array_foreach(list, i, p) {
				json_t *to = o_follow(p);
				char in[80];

				snprintf(in, sizeof(in), "{%s}",
					 json_string_value(json_object_get(
						 to, "name")));
				if (strcmp(json_string_value(json_object_get(
						   to, "in")), "path"))
					continue;
				if (!strstr(path, in))
					o_fail("%s: no %s\n", path, in);
				found++;
			}
			if (found != want)
				o_fail("%s %s: %zu of %zu parameters\n",
				       method, path, found, want);
		}
}

/* Of everything below v: each "$ref" leads somewhere, and its path is noted. */
static void follow_all(json_t *v, json_t *used)
{
	const char *key;
	json_t *member;
	size_t i;

	if (json_object_get(v, "$ref")) {
		o_follow(v);
		json_object_set(used, json_string_value(
					json_object_get(v, "$ref")), v);
		return;
	}
	json_object_foreach(v, key, member)
		follow_all(member, used);
	json_array_foreach(v, i, member)
		follow_all(member, used);
}

static void test_every_reference_leads_somewhere_and_all_is_used(void **state)
{
	json_t *used = json_object(), *group, *member;
	const char *kind, *name;
	size_t unused = 0;

	(void)state;
	follow_all(o_load(), used);
	json_object_foreach(json_object_get(o_load(), "components"), kind,
			    group)
		json_object_foreach(group, name, member) {
			char *at = s_text("#/components/%s/%s", kind, name);

			if (strcmp(kind, "securitySchemes") &&
			    !json_object_get(used, at)) {
				print_error("not used: %s\n", at);
				unused++;
			}
			free(at);
		}
	json_decref(used);
	assert_int_equal(unused, 0);
}

static void test_it_is_of_this_version_and_served(void **state)
{
	const struct server_options opt = { .store = *state };
	struct request rq = { .target = "/api/v1/openapi.json", .body = "",
			      .peer = "::1" };
	struct server *server;
	struct reply rp;

	assert_string_equal(json_string_value(json_object_get(
		json_object_get(o_load(), "info"), "version")),
		pakhus_version());
	assert_string_equal(json_string_value(json_object_get(
		o_load(), "openapi")), "3.1.0");
	assert_done(pakhus_init(*state, NULL, &err));
	assert_done(server_open(&server, &opt, &err));
	server_handle(server, &rq, &rp);
	assert_int_equal(rp.status, 200);
	assert_int_equal(rp.size, openapi_size);
	assert_memory_equal(rp.body, openapi_json, rp.size);
	o_check(&rp, HTTP_GET);
	reply_free(&rp);
	server_close(server);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_every_route_is_in_the_document),
		cmocka_unit_test(
			test_every_operation_of_the_document_has_a_route),
		cmocka_unit_test(test_path_parameters_are_declared),
		cmocka_unit_test(
			test_every_reference_leads_somewhere_and_all_is_used),
		T_IN_DIR(test_it_is_of_this_version_and_served),
	};
	int rc = cmocka_run_group_tests(tests, NULL, NULL);

	json_decref(o_document);
	return rc;
}
