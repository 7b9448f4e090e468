/* serve_packages.h - a server with tokens, asked without a socket, for the
 * tests of the doors that packages go in and out by. Include t.h and stores.h
 * first.
 */
#ifndef SERVE_PACKAGES_H
#define SERVE_PACKAGES_H

#include "../tools/server/server.h"
#include "../tools/server/tokens.h"

static struct server *server;
static struct reply reply; /* the last one */
static const char *only_if; /* If-None-Match of what is asked, or NULL */

/* Secrets, each of a token of the name. */
static char publisher[BEARER_SIZE + 1]; /* publish and read: all */
static char acme[BEARER_SIZE + 1];	/* publish:com.acme.* */
static char reader[BEARER_SIZE + 1];	/* read: all */
static char deleter[BEARER_SIZE + 1];	/* read and delete: all */

static inline void m_token(FILE *file, const char *name, const char *grants,
			   char secret[BEARER_SIZE + 1])
{
	struct token token = {.created = 1700000000};
	struct text line = {0};
	char why[160] = "";

	assert_int_equal(bearer_new(secret), 0);
	snprintf(token.name, sizeof(token.name), "%s", name);
	digest_sha256(secret, BEARER_SIZE, token.digest);
	token_grant(&token, grants, strlen(grants), why);
	assert_string_equal(why, "");
	token_put(&token, &line);
	assert_false(line.is_failed);
	assert_int_equal(fwrite(line.data, 1, line.size, file), line.size);
	text_free(&line);
	token_release(&token);
}

/* The store at path, served; the tokens are beside it. */
static inline void m_open(const char *path, enum anonymous anonymous)
{
	struct server_options opt = {.store = path, .anonymous = anonymous};
	char *tokens = s_text("%s.tokens", path);

	if (access(tokens, F_OK) != 0) {
		FILE *file = fopen(tokens, "w");

		assert_non_null(file);
		m_token(file, "publisher", "publish,read", publisher);
		m_token(file, "acme", "publish:com.acme.*", acme);
		m_token(file, "reader", "read", reader);
		m_token(file, "deleter", "read,delete", deleter);
		assert_int_equal(fclose(file), 0);
	}
	opt.tokens = tokens;
	assert_done(server_open(&server, &opt, &err));
	free(tokens);
}

static inline void m_close(void)
{
	reply_free(&reply);
	server_close(server);
	server = NULL;
}

static inline int m_setup(void **state)
{
	char *path;

	if (t_dir_make(state))
		return -1;
	path = s_text("%s/store", (char *)*state);
	assert_done(pakhus_init(path, NULL, &err));
	m_open(path, ANONYMOUS_LISTED);
	free(path);
	only_if = NULL;
	return 0;
}

static inline int m_teardown(void **state)
{
	m_close();
	return t_dir_remove(state);
}

#define M_TEST(test) cmocka_unit_test_setup_teardown(test, m_setup, m_teardown)

/* Into rp, for threads. */
static inline int m_ask_into(struct reply *rp, enum http_method method,
			     const char *target, const char *secret,
			     const char *type, const char *body, size_t size)
{
	char *bearer = s_text("Bearer %s", secret ? secret : "");
	struct field fields[] = {{"Host", "h"}, {"Content-Type", type},
				 {"Authorization", bearer},
				 {"If-None-Match", only_if}};
	struct request rq = {.method = method, .target = target,
			     .fields = fields, .field_count = 1,
			     .body = body ? body : "", .size = size,
			     .peer = "127.0.0.1"};
	size_t i;

	for (i = 1; i < 4; i++)
		if (fields[i].value && (i != 2 || secret))
			fields[rq.field_count++] = fields[i];
	server_handle(server, &rq, rp);
	free(bearer);
	return rp->status;
}

static inline int m_ask(enum http_method method, const char *target,
			const char *secret, const char *type, const char *body,
			size_t size)
{
	reply_free(&reply);
	return m_ask_into(&reply, method, target, secret, type, body, size);
}

static inline int get(const char *target, const char *secret)
{
	return m_ask(HTTP_GET, target, secret, NULL, NULL, 0);
}

static inline int post(const char *target, const char *secret,
		       const char *json)
{
	return m_ask(HTTP_POST, target, secret, "application/json", json,
		     strlen(json));
}

/* The reply's body, NUL-terminated. */
static inline const char *body(void)
{
	static char text[1 << 20];

	assert_true(reply.size < sizeof(text));
	if (reply.size)
		memcpy(text, reply.body, reply.size);
	text[reply.size] = '\0';
	return text;
}

#define assert_body(want) assert_string_equal(body(), want)
#define assert_says(part) m_says(part, 1, __FILE__, __LINE__)
#define assert_silent(part) m_says(part, 0, __FILE__, __LINE__)
static inline void m_says(const char *part, int want, const char *file,
			  int line)
{
	if (!strstr(body(), part) == !want)
		return;
	print_error("%s%s in: %s\n", part, want ? " is not" : " is", body());
	_fail(file, line);
}

#define assert_asked(call, status) \
	m_status(call, status, #call, __FILE__, __LINE__)
static inline void m_status(int got, int want, const char *call,
			    const char *file, int line)
{
	if (got == want)
		return;
	print_error("%s: %d, not %d: %s\n", call, got, want, body());
	_fail(file, line);
}

#endif
