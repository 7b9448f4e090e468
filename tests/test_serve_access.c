/* test_serve_access.c - who may do what, without a socket and without the
 * doors: a route is made for each question. */
#include "t.h"
#include "stores.h"

#include <pthread.h>
#include <stdatomic.h>

#include "../tools/server/credential.h"
#include "../tools/server/exchange.h"
#include "../tools/server/state.h"
#include "../tools/server/tokens_file.h"

#define SINCE 1795424400

/* A token more in the file at path; its secret. */
static char *grant_until(const char *path, const char *name,
			 const char *grants, uint64_t expires)
{
	struct token token = {.created = SINCE, .expires = expires};
	char *secret = malloc(BEARER_SIZE + 1), why[160];

	assert_non_null(secret);
	snprintf(token.name, sizeof(token.name), "%s", name);
	assert_int_equal(bearer_new(secret), 0);
	digest_sha256(secret, BEARER_SIZE, token.digest);
	assert_int_equal(token_grant(&token, grants, strlen(grants), why), 0);
	assert_done(tokens_add(path, &token, &err));
	token_release(&token);
	return secret;
}

static char *grant(const char *path, const char *name, const char *grants)
{
	return grant_until(path, name, grants, 0);
}

static struct server *open_server(const char *dir,
				  const struct server_options *more)
{
	struct server_options opt = *more;
	struct server *server = NULL;

	opt.store = dir;
	opt.notice = s_notice;
	assert_done(server_open(&server, &opt, &err));
	return server;
}

static struct server *open_store(const char *dir, enum anonymous who,
				 const char *tokens)
{
	const struct server_options opt = {.anonymous = who,
					   .tokens = tokens};

	assert_done(pakhus_init(dir, NULL, &err));
	return open_server(dir, &opt);
}

/* One request, with access_enter() called. */
struct asked {
	struct field field;
	char value[200];
	struct request request;
	struct reply reply;
	struct route route;
	struct exchange x;
	int entered;
};

static void run_none(struct exchange *x)
{
	(void)x;
}

static int enter(struct asked *a, struct server *server, enum scope scope,
		 enum http_method method, const char *authorization)
{
	memset(a, 0, sizeof(*a));
	a->reply.fd = -1;
	a->route = (struct route){method, "/x/{id}", run_none, scope, 0};
	a->request = (struct request){.method = method, .target = "/x/a",
				      .body = "", .peer = "192.0.2.1"};
	if (authorization) {
		snprintf(a->value, sizeof(a->value), "%s", authorization);
		a->field = (struct field){"authorization", a->value};
		a->request.fields = &a->field;
		a->request.field_count = 1;
	}
	a->x = (struct exchange){.server = server, .store = server->store,
				 .request = &a->request, .reply = &a->reply,
				 .route = &a->route, .query = ""};
	a->entered = access_enter(&a->x);
	return a->entered;
}

static void leave(struct asked *a)
{
	access_leave(&a->x);
	reply_free(&a->reply);
}

static enum http_method method_of(enum scope scope)
{
	return scope == SCOPE_PUBLISH ? HTTP_POST
		: scope == SCOPE_DELETE ? HTTP_DELETE : HTTP_GET;
}

static char *bearer(const char *secret)
{
	static char text[200];

	snprintf(text, sizeof(text), "Bearer %s", secret);
	return text;
}

/* The status that scope on id is answered with; 0: it may. */
static int ask(struct server *server, const char *secret, enum scope scope,
	       const char *id)
{
	struct asked a;
	int status = 0;

	if (!enter(&a, server, scope, method_of(scope),
		   secret ? bearer(secret) : NULL) ||
	    !caller_must(&a.x, scope, id))
		status = a.reply.status;
	assert_int_equal(!status, a.entered && caller_may(&a.x, scope, id));
	leave(&a);
	return status;
}

static void test_without_tokens_everybody_reads_and_nobody_writes(void **state)
{
	struct server *server = open_store(*state, ANONYMOUS_ALL, NULL);
	struct asked a;

	assert_int_equal(ask(server, NULL, SCOPE_READ, "a"), 0);
	assert_int_equal(ask(server, NULL, SCOPE_READ_ALL, NULL), 0);
	assert_int_equal(ask(server, NULL, SCOPE_PUBLISH, "a"), 401);
	assert_int_equal(ask(server, NULL, SCOPE_DELETE, "a"), 401);
	assert_int_equal(ask(server, NULL, SCOPE_ADMIN, NULL), 401);
	assert_false(enter(&a, server, SCOPE_PUBLISH, HTTP_POST, NULL));
	assert_non_null(strstr(a.reply.body, "pakhus token create"));
	assert_string_equal(reply_value(&a.reply, "WWW-Authenticate"),
			    "Bearer realm=\"pakhus\"");
	leave(&a);
	/* Who sends a secret is never nobody. */
	assert_false(enter(&a, server, SCOPE_READ, HTTP_GET, "Bearer x"));
	assert_int_equal(a.reply.status, 401);
	leave(&a);
	server_close(server);
}

static void test_a_token_does_what_its_scopes_say(void **state)
{
	char *tokens = s_text("%s.tokens", (char *)*state);
	char *ci = grant(tokens, "ci", "publish:com.acme.*");
	char *reader = grant(tokens, "reader", "read");
	char *cleaner = grant(tokens, "cleaner", "delete:com.acme.crm");
	char *root = grant(tokens, "root", "admin");
	struct server *s = open_store(*state, ANONYMOUS_NONE, tokens);
	struct asked a;

	assert_int_equal(ask(s, ci, SCOPE_PUBLISH, "com.acme.crm"), 0);
	assert_int_equal(ask(s, ci, SCOPE_READ, "com.acme.crm"), 0);
	assert_int_equal(ask(s, ci, SCOPE_PUBLISH, "com.acmeevil.crm"), 403);
	assert_int_equal(ask(s, ci, SCOPE_DELETE, "com.acme.crm"), 403);
	assert_int_equal(ask(s, ci, SCOPE_READ, "com.other"), 404);
	assert_int_equal(ask(s, ci, SCOPE_READ_ALL, NULL), 403);
	assert_int_equal(ask(s, ci, SCOPE_ADMIN, NULL), 403);
	assert_int_equal(ask(s, reader, SCOPE_READ_ALL, NULL), 0);
	assert_int_equal(ask(s, reader, SCOPE_PUBLISH, "a"), 403);
	assert_int_equal(ask(s, cleaner, SCOPE_DELETE, "com.acme.crm"), 0);
	assert_int_equal(ask(s, cleaner, SCOPE_DELETE, "com.acme.cr"), 403);
	assert_int_equal(ask(s, cleaner, SCOPE_READ, "com.acme.crm"), 404);
	assert_int_equal(ask(s, root, SCOPE_ADMIN, NULL), 0);
	assert_int_equal(ask(s, root, SCOPE_DELETE, "a"), 0);
	assert_int_equal(ask(s, NULL, SCOPE_READ, "a"), 401);
	assert_int_equal(ask(s, NULL, SCOPE_READ_ALL, NULL), 401);
	assert_int_equal(ask(s, NULL, SCOPE_NONE, NULL), 0);

	assert_true(enter(&a, s, SCOPE_PUBLISH, HTTP_POST, bearer(ci)));
	assert_string_equal(a.x.caller.by, "token:ci");
	assert_string_equal(a.reply.who, "ci");
	assert_false(caller_must(&a.x, SCOPE_PUBLISH, "x.y"));
	assert_non_null(strstr(a.reply.body,
			       "The token ci does not have the scope publish "
			       "for x.y."));
	leave(&a);
	server_close(s);
	unlink(tokens);
	free(tokens);
	free(ci);
	free(reader);
	free(cleaner);
	free(root);
}

static void test_a_secret_comes_in_two_ways_and_no_third(void **state)
{
	char secret[BEARER_SIZE + 1], got[BEARER_SIZE + 1], text[400];
	/* `printf x:pakhus_… | base64`, the secret of 32 zeros */
	static const char basic[] = "Basic "
		"eDpwYWtodXNfMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAw"
		"MDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMGU1ODM4YTJk";
	size_t i;
	static const char *const bad[] = {
		"", "Bearer", "Bearer ", "Basic", "Basic eDp5", "Basic !!!!",
		"Digest x", "Bearerx", "Bearer pakhus_0",
		"Basic eDpwYWtodXNf",
	};

	(void)state;
	assert_true(credential_read(basic, got));
	assert_string_equal(got, "pakhus_000000000000000000000000000000000"
				 "0000000000000000000000000000000e5838a2d");
	assert_int_equal(bearer_new(secret), 0);
	snprintf(text, sizeof(text), "Bearer %s", secret);
	assert_true(credential_read(text, got));
	assert_string_equal(got, secret);
	snprintf(text, sizeof(text), "bEARER   %s ", secret);
	assert_true(credential_read(text, got));
	snprintf(text, sizeof(text), "Bearer %sx", secret);
	assert_false(credential_read(text, got));
	snprintf(text, sizeof(text), "Token %s", secret);
	assert_false(credential_read(text, got));
	snprintf(text, sizeof(text), "%s", secret);
	assert_false(credential_read(text, got));
	for (i = 0; i < T_COUNT(bad); i++)
		assert_false(credential_read(bad[i], got));
}

static void test_what_is_no_secret_is_401_and_not_nobody(void **state)
{
	char *tokens = s_text("%s.tokens", (char *)*state);
	char *old = grant_until(tokens, "old", "admin", SINCE - 1000000000);
	char *gone = grant(tokens, "gone", "read");
	struct server *s = open_store(*state, ANONYMOUS_ALL, tokens);
	struct asked a;

	assert_int_equal(ask(s, old, SCOPE_READ, "a"), 401);
	assert_false(enter(&a, s, SCOPE_READ, HTTP_GET, bearer(old)));
	assert_string_equal(reply_value(&a.reply, "WWW-Authenticate"),
			    "Bearer realm=\"pakhus\", error=\"invalid_token\", "
			    "error_description=\"The token has expired\"");
	assert_string_equal(a.reply.who, "");
	assert_string_equal(a.x.caller.by, "");
	leave(&a);
	assert_int_equal(ask(s, gone, SCOPE_READ, "a"), 0);
	assert_done(tokens_remove(tokens, "gone", &err));
	assert_done(server_reload(s, &err));
	assert_int_equal(ask(s, gone, SCOPE_READ, "a"), 401);
	assert_int_equal(ask(s, "x", SCOPE_READ, "a"), 401);
	/* Where nobody is asked, a secret does not matter. */
	assert_int_equal(ask(s, "x", SCOPE_PROBE, NULL), 0);
	server_close(s);
	unlink(tokens);
	free(tokens);
	free(old);
	free(gone);
}

static void test_read_only_says_so_to_everybody(void **state)
{
	char *tokens = s_text("%s.tokens", (char *)*state);
	char *root = grant(tokens, "root", "admin");
	const struct server_options opt = {.is_read_only = 1,
					   .tokens = tokens};
	struct server *s;
	struct asked a;

	assert_done(pakhus_init(*state, NULL, &err));
	s = open_server(*state, &opt);
	assert_int_equal(ask(s, root, SCOPE_PUBLISH, "a"), 403);
	assert_int_equal(ask(s, NULL, SCOPE_DELETE, "a"), 403);
	assert_int_equal(ask(s, root, SCOPE_ADMIN, NULL), 0);
	assert_false(enter(&a, s, SCOPE_ADMIN, HTTP_POST, bearer(root)));
	assert_int_equal(a.reply.status, 403);
	assert_non_null(strstr(a.reply.body, "--read-only"));
	leave(&a);
	assert_int_equal(ask(s, NULL, SCOPE_READ, "a"), 0);
	server_close(s);
	unlink(tokens);
	free(tokens);
	free(root);
}

/* All of a reply, as text. */
static char *whole(const struct reply *rp)
{
	char *out = s_text("%d\n%s\n%d\n", rp->status, rp->body, rp->fd);
	size_t i;

	for (i = 0; i < rp->field_count; i++) {
		char *more = s_text("%s%s: %s\n", out, rp->fields[i].name,
				    rp->fields[i].value);

		free(out);
		out = more;
	}
	return out;
}

static void test_what_is_not_there_and_what_may_not_be_seen_are_one(
	void **state)
{
	char *tokens = s_text("%s.tokens", (char *)*state);
	char *ci = grant(tokens, "ci", "read:com.acme.*");
	struct server *s = open_store(*state, ANONYMOUS_NONE, tokens);
	struct asked hidden, missing;
	char *one, *two;

	assert_true(enter(&hidden, s, SCOPE_READ, HTTP_GET, bearer(ci)));
	assert_false(caller_must(&hidden.x, SCOPE_READ, "com.other"));
	access_leave(&hidden.x);

	assert_true(enter(&missing, s, SCOPE_READ, HTTP_GET, bearer(ci)));
	assert_true(caller_must(&missing.x, SCOPE_READ, "com.acme.none"));
	reply_field(&missing.reply, "ETag", "\"x\"");
	reply_error(&missing.x, 404, "PACKAGE_NOT_FOUND", "a door's words: %s",
		    "com.acme.none");
	access_leave(&missing.x);

	one = whole(&hidden.reply);
	two = whole(&missing.reply);
	assert_string_equal(one, two);
	assert_string_equal(missing.reply.who, "ci");
	free(one);
	free(two);
	reply_free(&hidden.reply);
	reply_free(&missing.reply);
	server_close(s);
	unlink(tokens);
	free(tokens);
	free(ci);
}

static void say(struct server *s, const char *id, const char *attrs)
{
	assert_done(pakhus_set_attrs(s->store, id, NULL, attrs, strlen(attrs),
				     NULL, NULL, &err));
}

static void test_who_has_no_token_reads_what_is_listed(void **state)
{
	char *tokens = s_text("%s.tokens", (char *)*state);
	char *ci = grant(tokens, "ci", "read:hidden");
	struct server *s = open_store(*state, ANONYMOUS_LISTED, tokens);

	say(s, "shown", "{\"readme\":\"visibility\",\"visibility\":"
			"\"marketplace\"}");
	say(s, "plain", "{\"icon\":1}");
	say(s, "hidden", "{\"visibility\":\"private\"}");
	say(s, "org", "{\"a\":{\"visibility\":\"marketplace\"},"
		      "\"visibility\":\"org\"}");
	say(s, "odd", "{\"visibility\":[\"marketplace\"]}");
	assert_int_equal(ask(s, NULL, SCOPE_READ, "shown"), 0);
	assert_int_equal(ask(s, NULL, SCOPE_READ, "plain"), 0);
	assert_int_equal(ask(s, NULL, SCOPE_READ, "never.said"), 0);
	assert_int_equal(ask(s, NULL, SCOPE_READ, "hidden"), 404);
	assert_int_equal(ask(s, NULL, SCOPE_READ, "org"), 404);
	assert_int_equal(ask(s, NULL, SCOPE_READ, "odd"), 404);
	assert_int_equal(ask(s, NULL, SCOPE_READ_ALL, NULL), 401);
	assert_int_equal(ask(s, ci, SCOPE_READ, "hidden"), 0);
	assert_int_equal(ask(s, ci, SCOPE_READ, "org"), 404);
	assert_int_equal(ask(s, ci, SCOPE_READ, "shown"), 0);
	assert_int_equal(ask(s, NULL, SCOPE_HISTORY, "shown"), 401);
	assert_int_equal(ask(s, NULL, SCOPE_HISTORY, "hidden"), 401);
	assert_int_equal(ask(s, ci, SCOPE_HISTORY, "hidden"), 0);
	assert_int_equal(ask(s, ci, SCOPE_HISTORY, "shown"), 404);
	assert_int_equal(ask(s, ci, SCOPE_READ_ALL, NULL), 403);
	say(s, "hidden", "{}");
	assert_int_equal(ask(s, NULL, SCOPE_READ, "hidden"), 0);
	server_close(s);
	unlink(tokens);
	free(tokens);
	free(ci);
}

static void test_caches_keep_for_one_what_one_may_see(void **state)
{
	char *tokens = s_text("%s.tokens", (char *)*state);
	char *ci = grant(tokens, "ci", "read");
	struct server *s = open_store(*state, ANONYMOUS_LISTED, tokens);
	struct asked a;

	assert_true(enter(&a, s, SCOPE_READ, HTTP_GET, bearer(ci)));
	a.reply.status = 200;
	reply_immutable(&a.x);
	reply_field(&a.reply, "Vary", "Accept-Encoding");
	access_leave(&a.x);
	assert_string_equal(reply_value(&a.reply, "Cache-Control"),
			    "private, max-age=31536000, immutable");
	assert_string_equal(reply_value(&a.reply, "Vary"),
			    "Accept-Encoding, Authorization");
	reply_free(&a.reply);

	assert_true(enter(&a, s, SCOPE_READ, HTTP_GET, NULL));
	a.reply.status = 200;
	reply_immutable(&a.x);
	access_leave(&a.x);
	assert_string_equal(reply_value(&a.reply, "Cache-Control"),
			    "public, max-age=31536000, immutable");
	assert_string_equal(reply_value(&a.reply, "Vary"), "Authorization");
	reply_free(&a.reply);
	server_close(s);
	unlink(tokens);
	free(tokens);
	free(ci);
}

static void test_too_many_requests_are_429(void **state)
{
	char *tokens = s_text("%s.tokens", (char *)*state);
	char *ci = grant(tokens, "ci", "publish"), none[BEARER_SIZE + 1];
	const struct server_options opt = {
		.tokens = tokens,
		.rates = {.read = 2, .write = 1, .failed = 1}};
	struct server *s;
	struct asked a;

	assert_int_equal(bearer_new(none), 0);
	assert_done(pakhus_init(*state, NULL, &err));
	s = open_server(*state, &opt);
	assert_int_equal(ask(s, NULL, SCOPE_READ, "a"), 0);
	assert_int_equal(ask(s, NULL, SCOPE_READ, "a"), 0);
	assert_false(enter(&a, s, SCOPE_READ, HTTP_GET, NULL));
	assert_int_equal(a.reply.status, 429);
	assert_in_range(atoi(reply_value(&a.reply, "Retry-After")), 1, 30);
	leave(&a);
	/* Probes are not counted, and a token has its own. */
	assert_int_equal(ask(s, NULL, SCOPE_PROBE, NULL), 0);
	assert_int_equal(ask(s, ci, SCOPE_READ, "a"), 0);
	assert_int_equal(ask(s, ci, SCOPE_PUBLISH, "a"), 0);
	assert_int_equal(ask(s, ci, SCOPE_PUBLISH, "a"), 429);
	/* Who tries secrets holds up nobody who has one. */
	assert_int_equal(ask(s, none, SCOPE_READ, "a"), 401);
	assert_int_equal(ask(s, none, SCOPE_READ, "a"), 429);
	assert_int_equal(ask(s, ci, SCOPE_READ, "a"), 0);
	server_close(s);
	unlink(tokens);
	free(tokens);
	free(ci);
}

/* ---- through a door ---- */

static struct reply send(struct server *s, enum http_method method,
			 const char *target, const char *secret,
			 const char *body)
{
	struct field field = {"Authorization", bearer(secret)};
	struct request rq = {.method = method, .target = target,
			     .fields = &field, .field_count = 1, .body = body,
			     .size = strlen(body), .peer = "::1"};
	struct reply rp;

	server_handle(s, &rq, &rp);
	return rp;
}

static void test_the_log_says_whose_token_it_was(void **state)
{
	static const char name[] =
		"a-name.of-fifty_characters-which-is-the-longest.50";
	char *tokens = s_text("%s.tokens", (char *)*state);
	char *ci = grant(tokens, name, "publish,delete:a");
	char *other = grant(tokens, "other", "publish:a.*,delete:a.*");
	struct server *s = open_store(*state, ANONYMOUS_NONE, tokens);
	char *doc = s_document("a", "1", 1);
	struct pakhus_history *history;
	struct reply rp;
	size_t i;

	rp = send(s, HTTP_POST, "/api/v1/registry/packages", other, doc);
	assert_int_equal(rp.status, 403);
	reply_free(&rp);
	rp = send(s, HTTP_POST, "/api/v1/registry/packages", ci, doc);
	assert_int_equal(rp.status, 201);
	reply_free(&rp);
	rp = send(s, HTTP_POST, "/api/v1/registry/batch", ci, "");
	reply_free(&rp);
	rp = send(s, HTTP_DELETE, "/api/v1/registry/packages/a", other, "");
	assert_int_equal(rp.status, 403);
	reply_free(&rp);
	/* Whether it is there or not. */
	rp = send(s, HTTP_DELETE, "/api/v1/registry/packages/b", other, "");
	assert_int_equal(rp.status, 403);
	reply_free(&rp);
	rp = send(s, HTTP_DELETE, "/api/v1/registry/packages/a", ci, "");
	assert_int_equal(rp.status, 200);
	reply_free(&rp);
	assert_done(pakhus_history(s->store, "a", (struct pakhus_range){0},
				   &history, &err));
	assert_int_equal(history->count, 2);
	for (i = 0; i < history->count; i++) {
		assert_int_equal(strncmp(history->items[i].by, "token:", 6),
				 0);
		assert_string_equal(history->items[i].by + 6, name);
	}
	pakhus_history_free(history);
	free(doc);
	server_close(s);
	unlink(tokens);
	free(tokens);
	free(ci);
	free(other);
}

static int is_welcome(struct server *s, const char *target,
		      const char *secret)
{
	struct field field = {"Authorization", secret ? bearer(secret) : ""};
	struct request rq = {.method = HTTP_POST, .target = target,
			     .fields = &field, .field_count = !!secret,
			     .peer = "::1"};

	return server_is_welcome(s, &rq);
}

static void test_nobody_waits_for_what_may_not_be_sent(void **state)
{
	static const char to[] = "/api/v1/registry/packages?x";
	char *tokens = s_text("%s.tokens", (char *)*state);
	char *ci = grant(tokens, "ci", "publish:a");
	char *ro = grant(tokens, "ro", "read");
	struct server *s = open_store(*state, ANONYMOUS_ALL, tokens);
	struct request rq = {.method = HTTP_POST, .target = to, .body = "",
			     .size = 1000000, .is_unread = 1, .peer = "::1"};
	struct field field = {"Authorization", NULL};
	struct reply rp;

	assert_true(is_welcome(s, to, ci));
	assert_false(is_welcome(s, to, ro));
	assert_false(is_welcome(s, to, NULL));
	assert_false(is_welcome(s, to, "pakhus_"));
	assert_true(is_welcome(s, "/nowhere", NULL));
	server_handle(s, &rq, &rp);
	assert_int_equal(rp.status, 401);
	reply_free(&rp);
	field.value = bearer(ci);
	rq.fields = &field;
	rq.field_count = 1;
	server_handle(s, &rq, &rp);
	assert_int_equal(rp.status, 503);
	reply_free(&rp);
	server_close(s);
	unlink(tokens);
	free(tokens);
	free(ci);
	free(ro);
}

/* The pattern with id for the package, and something for all else. */
static char *target_of(const char *pattern, const char *id, const char *rest)
{
	char *out = s_text("%s", "");

	while (*pattern) {
		size_t n = strcspn(pattern, "{"), name = 0;
		const char *what = "";
		char *more;

		if (pattern[n]) {
			name = strcspn(pattern + n, "}") + 1;
			what = strstr(pattern + n, "*}") ? rest
				: !strncmp(pattern + n, "{version", 8) ? "1"
				: id;
		}
		more = s_text("%s%.*s%s", out, (int)n, pattern, what);
		free(out);
		out = more;
		pattern += n + name;
	}
	return out;
}

/* What every door says of a package, with its id taken out. */
static char *said_of(struct server *s, const struct route *r, const char *id,
		     const char *rest, const char *secret)
{
	struct field field = {"Authorization", secret ? bearer(secret) : ""};
	char *way = s_text(rest, id), *target = target_of(r->pattern, id, way);
	struct request rq = {.method = r->method, .target = target,
			     .fields = &field, .field_count = !!secret,
			     .body = r->max_body ? "{\"version\":\"1\"}" : "",
			     .size = r->max_body ? 15 : 0, .peer = "::1"};
	struct reply rp;
	char *out, *at;

	server_handle(s, &rq, &rp);
	if (rp.status < 400)
		fail_msg("%s: %d", target, rp.status);
	out = whole(&rp);
	while ((at = strstr(out, id)))
		memset(at, '_', strlen(id));
	reply_free(&rp);
	free(target);
	free(way);
	return out;
}

static char *list_of(struct server *s, const struct route *r,
		     const char *secret)
{
	struct reply rp = send(s, r->method, r->pattern, secret, "");
	char *out = rp.body && rp.size ? s_text("%.*s", (int)rp.size, rp.body)
				       : s_text("%s", "");

	reply_free(&rp);
	return out;
}

static void test_no_door_tells_what_is_hidden_from_what_is_not_there(
	void **state)
{
	static const char *const rests[] = {
		"%s", "%s.json", "%s/versions.json", "%s/1",
		"%s/versions/1/manifest.json", "%s/versions/latest/manifest.json"};
	char *tokens = s_text("%s.tokens", (char *)*state);
	char *other = grant(tokens, "other", "publish:x,delete:x");
	struct server *s = open_store(*state, ANONYMOUS_LISTED, tokens);
	char *doc = s_document("org.hid", "1", 1), *one, *two;
	const struct route *r;
	size_t i, k, n, tried = 0;

	assert_done(pakhus_publish(s->store, doc, strlen(doc), NULL, NULL,
				   &err));
	say(s, "org.hid", "{\"visibility\":\"private\"}");
	for (i = 0; (r = route_at(i)); i++) {
		if (!strchr(r->pattern, '{')) {
			one = list_of(s, r, other);
			assert_null(strstr(one, "org.hid"));
			free(one);
			continue;
		}
		n = strstr(r->pattern, "*}") ? T_COUNT(rests) : 1;
		for (k = 0; k < 2 * n; k++) {
			one = said_of(s, r, "org.hid", rests[k / 2],
				      k % 2 ? other : NULL);
			two = said_of(s, r, "org.not", rests[k / 2],
				      k % 2 ? other : NULL);
			if (strcmp(one, two) != 0)
				fail_msg("%s %s %d:\n%s\nnot\n%s",
					 r->pattern, rests[k / 2],
					 (int)r->method, one, two);
			free(one);
			free(two);
			tried++;
		}
	}
	assert_true(tried > 20);
	free(doc);
	server_close(s);
	unlink(tokens);
	free(tokens);
	free(other);
}

/* ---- the file, read again ---- */

static size_t count_at(struct keyring *ring, uint64_t ms)
{
	struct tokens_held held = keyring_hold(ring, ms);
	size_t n = held.tokens->count;

	keyring_let_go(held);
	return n;
}

static void test_a_changed_file_is_noticed_within_a_second(void **state)
{
	char *tokens = s_text("%s/tokens", (char *)*state);
	struct keyring *ring;

	free(grant(tokens, "a", "read"));
	assert_done(keyring_open(&ring, tokens, s_notice, NULL, &err));
	assert_int_equal(count_at(ring, 5000), 1);
	free(grant(tokens, "b", "read"));
	assert_int_equal(count_at(ring, 5999), 1);
	assert_int_equal(count_at(ring, 6000), 2);
	assert_done(tokens_remove(tokens, "a", &err));
	assert_int_equal(count_at(ring, 6001), 2);
	assert_done(keyring_reload(ring, &err));
	assert_int_equal(count_at(ring, 6002), 1);
	keyring_close(ring);
	free(tokens);
}

static void test_a_bad_file_is_told_once_and_changes_nothing(void **state)
{
	char *tokens = s_text("%s/tokens", (char *)*state);
	struct tokens_held held;
	struct keyring *ring;
	FILE *f;

	free(grant(tokens, "a", "read"));
	assert_done(keyring_open(&ring, tokens, s_notice, NULL, &err));
	held = keyring_hold(ring, 0);
	notices = 0;
	f = fopen(tokens, "a");
	assert_non_null(f);
	fputs("b c d\n", f);
	fclose(f);
	assert_int_equal(count_at(ring, 2000), 1);
	assert_int_equal(count_at(ring, 4000), 1);
	assert_int_equal(notices, 1);
	assert_non_null(strstr(notice, "line 3: a token has five fields"));
	assert_status(keyring_reload(ring, &err), PAKHUS_EINVAL);
	assert_int_equal(unlink(tokens), 0);
	assert_int_equal(count_at(ring, 6000), 1);
	assert_int_equal(notices, 2);
	free(grant(tokens, "b", "read"));
	free(grant(tokens, "c", "read"));
	assert_int_equal(count_at(ring, 8000), 2);
	/* Who holds the old ones may go on with them. */
	assert_string_equal(held.tokens->items[0].name, "a");
	keyring_let_go(held);
	assert_int_equal(chmod(tokens, 0644), 0);
	assert_int_equal(count_at(ring, 10000), 2);
	assert_non_null(strstr(notice, "chmod 600"));
	keyring_close(ring);
	free(tokens);
}

static void test_without_its_file_a_server_does_not_begin(void **state)
{
	char *tokens = s_text("%s/none", (char *)*state);
	struct server_options opt = {.store = *state, .tokens = tokens};
	struct server *server;

	assert_done(pakhus_init(*state, NULL, &err));
	assert_status(server_open(&server, &opt, &err), PAKHUS_ENOTFOUND);
	assert_non_null(strstr(err.text, "/none: cannot be opened"));
	free(tokens);
}

/* Threads that ask while the tokens change: TSan looks on. */
struct crowd {
	struct server *server;
	const char *field;
	atomic_int is_over;
};

static void *crowd_ask(void *arg)
{
	struct crowd *crowd = arg;
	uintptr_t n = 0;

	while (!atomic_load(&crowd->is_over)) {
		struct asked a;

		n += !enter(&a, crowd->server, SCOPE_READ, HTTP_GET,
			    crowd->field) ||
			strcmp(a.x.caller.token->name, "a") != 0;
		leave(&a);
	}
	return (void *)n;
}

static void test_tokens_change_under_those_who_ask(void **state)
{
	char *tokens = s_text("%s.tokens", (char *)*state);
	char *secret = grant(tokens, "a", "read");
	struct crowd crowd = {
		.server = open_store(*state, ANONYMOUS_NONE, tokens),
		.field = bearer(secret)};
	pthread_t threads[3];
	void *wrong;
	size_t i;

	for (i = 0; i < T_COUNT(threads); i++)
		assert_int_equal(pthread_create(&threads[i], NULL, crowd_ask,
						&crowd), 0);
	for (i = 0; i < 50; i++) {
		free(grant(tokens, "b", "read"));
		assert_done(server_reload(crowd.server, &err));
		assert_done(tokens_remove(tokens, "b", &err));
	}
	atomic_store(&crowd.is_over, 1);
	for (i = 0; i < T_COUNT(threads); i++) {
		assert_int_equal(pthread_join(threads[i], &wrong), 0);
		assert_null(wrong);
	}
	server_close(crowd.server);
	unlink(tokens);
	free(tokens);
	free(secret);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		T_IN_DIR(test_without_tokens_everybody_reads_and_nobody_writes),
		T_IN_DIR(test_a_token_does_what_its_scopes_say),
		cmocka_unit_test(test_a_secret_comes_in_two_ways_and_no_third),
		T_IN_DIR(test_what_is_no_secret_is_401_and_not_nobody),
		T_IN_DIR(test_read_only_says_so_to_everybody),
		T_IN_DIR(test_what_is_not_there_and_what_may_not_be_seen_are_one),
		T_IN_DIR(test_who_has_no_token_reads_what_is_listed),
		T_IN_DIR(test_caches_keep_for_one_what_one_may_see),
		T_IN_DIR(test_too_many_requests_are_429),
		T_IN_DIR(test_the_log_says_whose_token_it_was),
		T_IN_DIR(test_nobody_waits_for_what_may_not_be_sent),
		T_IN_DIR(
		test_no_door_tells_what_is_hidden_from_what_is_not_there),
		T_IN_DIR(test_a_changed_file_is_noticed_within_a_second),
		T_IN_DIR(test_a_bad_file_is_told_once_and_changes_nothing),
		T_IN_DIR(test_without_its_file_a_server_does_not_begin),
		T_IN_DIR(test_tokens_change_under_those_who_ask),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
