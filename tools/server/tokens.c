#include "tokens.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "digest.h"
#include "fail.h"
#include "hex.h"

enum { FIELDS = 5, WHY = 160 };

struct span {
	const char *at;
	size_t size;
};

static const struct {
	const char *name;
	enum scope scope;
} scopes[] = {
	{"read", SCOPE_READ},
	{"publish", SCOPE_PUBLISH},
	{"delete", SCOPE_DELETE},
	{"admin", SCOPE_ADMIN},
};

/* ---- What a token may ---- */

int token_has_expired(const struct token *token, uint64_t now)
{
	return token->expires && token->expires <= now;
}

static int covers(const struct grant *g, const char *id)
{
	if (!id)
		return g->is_prefix && !*g->id;
	return g->is_prefix ? !strncmp(id, g->id, strlen(g->id))
			    : !strcmp(id, g->id);
}

static int allows(const struct grant *g, enum scope scope)
{
	if (g->scope == SCOPE_ADMIN || g->scope == scope)
		return 1;
	return scope == SCOPE_READ && g->scope == SCOPE_PUBLISH;
}

int token_may(const struct token *token, enum scope scope, const char *id)
{
	size_t i;

	if (scope == SCOPE_READ_ALL)
		id = NULL;
	if (scope == SCOPE_READ_ALL || scope == SCOPE_HISTORY)
		scope = SCOPE_READ;
	for (i = 0; i < token->grant_count; i++)
		if (allows(&token->grants[i], scope) &&
		    covers(&token->grants[i], id))
			return 1;
	return 0;
}

int token_may_some(const struct token *token, enum scope scope)
{
	size_t i;

	if (scope == SCOPE_READ_ALL)
		return token_may(token, scope, NULL);
	if (scope == SCOPE_HISTORY)
		scope = SCOPE_READ;
	for (i = 0; i < token->grant_count; i++)
		if (allows(&token->grants[i], scope))
			return 1;
	return 0;
}

/* All are looked at, also behind the one that it is. The first 64 bits go
 * first, which is quick among thousands, and tells nothing: of a SHA-256
 * nobody can aim at them. */
const struct token *tokens_find(const struct tokens *tokens,
				const unsigned char digest[DIGEST_SIZE])
{
	const struct token *found = NULL;
	uint64_t want, head;
	size_t i;

	memcpy(&want, digest, sizeof(want));
	for (i = 0; i < tokens->count; i++) {
		memcpy(&head, tokens->items[i].digest, sizeof(head));
		if (head == want &&
		    digest_is_same(tokens->items[i].digest, digest))
			found = &tokens->items[i];
	}
	return found;
}

const struct token *tokens_named(const struct tokens *tokens,
				 const char *name)
{
	size_t i;

	for (i = 0; i < tokens->count; i++)
		if (!strcmp(tokens->items[i].name, name))
			return &tokens->items[i];
	return NULL;
}

/* ---- Making ---- */

int token_new_secret(struct token *token, char secret[BEARER_SIZE + 1])
{
	int sys = bearer_new(secret);

	if (!sys && digest_sha256(secret, BEARER_SIZE, token->digest))
		sys = ENOMEM;
	return sys;
}

/* ---- Reading ---- */

static int is_digit(char c)
{
	return c >= '0' && c <= '9';
}

int token_is_name(const char *name, size_t size)
{
	size_t i;

	for (i = 0; i < size; i++) {
		char c = name[i];

		if (!is_digit(c) && !(c >= 'a' && c <= 'z') &&
		    !(c >= 'A' && c <= 'Z') && c != '.' && c != '_' && c != '-')
			return 0;
	}
	return size && size <= TOKEN_NAME_MAX;
}

static int read_digest(struct span s, unsigned char out[DIGEST_SIZE])
{
	size_t i;

	if (s.size != DIGEST_HEX)
		return 0;
	for (i = 0; i < s.size; i++) {
		int n = hex_value(s.at[i]);

		if (n < 0 || (s.at[i] >= 'A' && s.at[i] <= 'F'))
			return 0;
		out[i / 2] = (unsigned char)(i % 2 ? out[i / 2] | n : n << 4);
	}
	return 1;
}

/* YYYY-MM-DDTHH:MM:SSZ; a day that there is not does not come back the same. */
static int read_time(struct span s, uint64_t *out)
{
	static const char form[] = "dddd-dd-ddTdd:dd:ddZ";
	char text[sizeof(form)], again[32];
	struct tm tm = {0}, back;
	time_t t;
	size_t i;

	if (s.size != sizeof(form) - 1)
		return 0;
	for (i = 0; i < s.size; i++)
		if (form[i] == 'd' ? !is_digit(s.at[i]) : s.at[i] != form[i])
			return 0;
	memcpy(text, s.at, s.size);
	text[s.size] = '\0';
	tm.tm_year = atoi(text) - 1900;
	tm.tm_mon = atoi(text + 5) - 1;
	tm.tm_mday = atoi(text + 8);
	tm.tm_hour = atoi(text + 11);
	tm.tm_min = atoi(text + 14);
	tm.tm_sec = atoi(text + 17);
	t = timegm(&tm);
	if (t <= 0 || !gmtime_r(&t, &back) ||
	    !strftime(again, sizeof(again), "%Y-%m-%dT%H:%M:%SZ", &back) ||
	    strcmp(text, again) != 0)
		return 0;
	*out = (uint64_t)t;
	return 1;
}

/* The packages of a grant. */
static int read_packages(struct span s, struct grant *g)
{
	size_t i;

	for (i = 0; i < s.size; i++)
		if (s.at[i] <= ' ' || s.at[i] >= 0x7f || s.at[i] == ',' ||
		    (s.at[i] == '*' && i + 1 < s.size))
			return 0;
	if (!s.size)
		return 0;
	if (s.at[s.size - 1] == '*') {
		s.size--;
		g->is_prefix = 1;
		if (s.size && s.at[s.size - 1] != '.' &&
		    s.at[s.size - 1] != '/')
			return 0;
	}
	if (s.size > PAKHUS_ID_MAX)
		return 0;
	memcpy(g->id, s.at, s.size);
	g->id[s.size] = '\0';
	return 1;
}

static int read_grant(struct span s, struct grant *g, char why[WHY])
{
	const char *colon = memchr(s.at, ':', s.size);
	size_t n = colon ? (size_t)(colon - s.at) : s.size, i;
	struct span packages = {"*", 1};

	if (colon)
		packages = (struct span){colon + 1, s.size - n - 1};
	memset(g, 0, sizeof(*g));
	for (i = 0; i < sizeof(scopes) / sizeof(*scopes); i++)
		if (strlen(scopes[i].name) == n &&
		    !memcmp(scopes[i].name, s.at, n))
			g->scope = scopes[i].scope;
	if (!g->scope) {
		snprintf(why, WHY, "the scopes are read, publish, delete and "
			 "admin, with the packages behind a colon");
		return 0;
	}
	if (g->scope == SCOPE_ADMIN && colon) {
		snprintf(why, WHY, "admin is for all packages: no colon comes "
			 "behind it");
		return 0;
	}
	if (!read_packages(packages, g)) {
		snprintf(why, WHY, "the packages of a scope are an id, the "
			 "beginning of ids as in com.acme.*, or *");
		return 0;
	}
	return 1;
}

static struct span cut(struct span *rest, char at)
{
	const char *end = memchr(rest->at, at, rest->size);
	struct span out = *rest;

	if (!end) {
		*rest = (struct span){rest->at + rest->size, 0};
		return out;
	}
	out.size = (size_t)(end - rest->at);
	rest->at = end + 1;
	rest->size -= out.size + 1;
	return out;
}

int token_grant(struct token *token, const char *text, size_t size,
		char why[WHY])
{
	struct span rest = {text, size};
	struct grant one, *more;
	int is_last;

	*why = '\0';
	do {
		/* Behind a last comma comes an empty one, which is refused. */
		is_last = !memchr(rest.at, ',', rest.size);
		if (!read_grant(cut(&rest, ','), &one, why))
			return PAKHUS_EINVAL;
		if (token->grant_count == TOKEN_GRANTS_MAX) {
			snprintf(why, WHY, "more than %d scopes",
				 TOKEN_GRANTS_MAX);
			return PAKHUS_ELIMIT;
		}
		more = realloc(token->grants,
			       (token->grant_count + 1) * sizeof(*more));
		if (!more)
			return PAKHUS_ENOMEM;
		token->grants = more;
		more[token->grant_count++] = one;
	} while (!is_last);
	return 0;
}

void token_release(struct token *token)
{
	free(token->grants);
	token->grants = NULL;
	token->grant_count = 0;
}

static int is_blank(char c)
{
	return c == ' ' || c == '\t';
}

/* The fields of a line; how many there are, of which the first FIELDS are
 * in field. */
static size_t split(struct span line, struct span field[FIELDS])
{
	size_t n = 0, i = 0, from;

	for (;;) {
		while (i < line.size && is_blank(line.at[i]))
			i++;
		if (i == line.size)
			return n;
		from = i;
		while (i < line.size && !is_blank(line.at[i]))
			i++;
		if (n < FIELDS)
			field[n] = (struct span){line.at + from, i - from};
		n++;
	}
}

static int read_line(struct span line, struct token *token, char why[WHY])
{
	struct span field[FIELDS];
	int rc;

	*why = '\0';
	if (split(line, field) != FIELDS) {
		snprintf(why, WHY, "a token has five fields: name, SHA-256, "
			 "scopes, expiry, time of creation");
		return PAKHUS_EINVAL;
	}
	if (!token_is_name(field[0].at, field[0].size)) {
		snprintf(why, WHY, "a name has 1 to %d of A-Z a-z 0-9 . _ -",
			 TOKEN_NAME_MAX);
		return PAKHUS_EINVAL;
	}
	memcpy(token->name, field[0].at, field[0].size);
	if (!read_digest(field[1], token->digest)) {
		snprintf(why, WHY, "the second field is a SHA-256: 64 of 0-9 "
			 "a-f");
		return PAKHUS_EINVAL;
	}
	rc = token_grant(token, field[2].at, field[2].size, why);
	if (rc)
		return rc;
	if ((field[3].size != 1 || *field[3].at != '-') &&
	    !read_time(field[3], &token->expires)) {
		snprintf(why, WHY, "the expiry is a time as "
			 "2027-02-21T09:00:00Z, or -");
		return PAKHUS_EINVAL;
	}
	if (!read_time(field[4], &token->created)) {
		snprintf(why, WHY, "the time of creation is one as "
			 "2027-02-21T09:00:00Z");
		return PAKHUS_EINVAL;
	}
	return 0;
}

static int by_name(const void *a, const void *b)
{
	const struct token *const *x = a, *const *y = b;
	int order = strcmp((*x)->name, (*y)->name);

	return order ? order : ((*x)->line > (*y)->line) * 2 - 1;
}

static int by_digest(const void *a, const void *b)
{
	const struct token *const *x = a, *const *y = b;
	int order = memcmp((*x)->digest, (*y)->digest, DIGEST_SIZE);

	return order ? order : ((*x)->line > (*y)->line) * 2 - 1;
}

/* Two tokens of one name, or of one secret. */
static int check_twice(const struct tokens *tokens, struct pakhus_error *err)
{
	const struct token **order =
		calloc(tokens->count + 1, sizeof(struct token *));
	size_t i;
	int rc = 0;

	if (!order)
		return server_fail_nomem(err);
	for (i = 0; i < tokens->count; i++)
		order[i] = &tokens->items[i];
	qsort(order, tokens->count, sizeof(*order), by_name);
	for (i = 1; !rc && i < tokens->count; i++)
		if (!strcmp(order[i - 1]->name, order[i]->name))
			rc = server_fail(err, PAKHUS_EINVAL, 0,
					 "line %zu: the name %s is that of "
					 "line %zu too", order[i]->line,
					 order[i]->name, order[i - 1]->line);
	qsort(order, tokens->count, sizeof(*order), by_digest);
	for (i = 1; !rc && i < tokens->count; i++)
		if (!memcmp(order[i - 1]->digest, order[i]->digest,
			    DIGEST_SIZE))
			rc = server_fail(err, PAKHUS_EINVAL, 0,
					 "line %zu: the secret is that of line "
					 "%zu too", order[i]->line,
					 order[i - 1]->line);
	free(order);
	return rc;
}

static int append(struct tokens *tokens, size_t *room,
		  const struct token *token)
{
	struct token *more;

	if (tokens->count == *room) {
		*room = *room ? 2 * *room : 16;
		more = realloc(tokens->items, *room * sizeof(*more));
		if (!more)
			return 0;
		tokens->items = more;
	}
	tokens->items[tokens->count++] = *token;
	return 1;
}

int tokens_parse(const char *text, size_t size, struct tokens **out,
		 struct pakhus_error *err)
{
	struct span rest = {text, size};
	struct tokens *tokens;
	size_t room = 0, number = 0;
	char why[WHY];
	int rc = 0;

	if (size > TOKENS_TEXT_MAX)
		return server_fail(err, PAKHUS_ELIMIT, 0,
				   "line 1: more than %zu bytes of tokens",
				   TOKENS_TEXT_MAX);
	tokens = calloc(1, sizeof(*tokens));
	if (!tokens)
		return server_fail_nomem(err);
	while (!rc && rest.size) {
		struct span line = cut(&rest, '\n');
		struct token token = {.line = ++number};

		while (line.size && is_blank(*line.at)) {
			line.at++;
			line.size--;
		}
		if (!line.size || *line.at == '#')
			continue;
		rc = read_line(line, &token, why);
		if (!rc && !append(tokens, &room, &token))
			rc = PAKHUS_ENOMEM;
		if (rc) {
			token_release(&token);
			if (rc == PAKHUS_ENOMEM)
				server_fail(err, rc, 0, "out of memory");
			else
				server_fail(err, rc, 0, "line %zu: %s", number,
					    why);
		}
	}
	if (!rc)
		rc = check_twice(tokens, err);
	if (rc)
		tokens_free(tokens);
	else
		*out = tokens;
	return rc;
}

void tokens_free(struct tokens *tokens)
{
	size_t i;

	if (!tokens)
		return;
	for (i = 0; i < tokens->count; i++)
		token_release(&tokens->items[i]);
	free(tokens->items);
	free(tokens);
}

/* ---- Writing ---- */

void token_put_grants(const struct token *token, struct text *t)
{
	size_t i, k;

	for (i = 0; i < token->grant_count; i++) {
		const struct grant *g = &token->grants[i];

		for (k = 0; scopes[k].scope != g->scope; k++)
			;
		text_printf(t, "%s%s", i ? "," : "", scopes[k].name);
		if (g->scope != SCOPE_ADMIN)
			text_printf(t, ":%s%s", g->id, g->is_prefix ? "*" : "");
	}
}

void token_put_time(uint64_t when, struct text *t)
{
	time_t seconds = (time_t)when;
	char out[32];
	struct tm tm;

	if (!when) {
		text_puts(t, "-");
		return;
	}
	gmtime_r(&seconds, &tm);
	strftime(out, sizeof(out), "%Y-%m-%dT%H:%M:%SZ", &tm);
	text_puts(t, out);
}

void token_put(const struct token *token, struct text *t)
{
	char hex[DIGEST_HEX + 1];

	digest_hex(token->digest, hex);
	text_printf(t, "%s %s ", token->name, hex);
	token_put_grants(token, t);
	text_puts(t, " ");
	token_put_time(token->expires, t);
	text_puts(t, " ");
	token_put_time(token->created, t);
	text_puts(t, "\n");
}
