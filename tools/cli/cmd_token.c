#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "../server/tokens_file.h"
#include "args.h"
#include "mem.h"
#include "obj.h"
#include "out.h"
#include "say.h"
#include "table.h"

static int find_file(const struct cli *cli, const char **out)
{
	const char *path = args_tokens(cli);

	if (path && !*path)
		return say_usage(cli, "the name of the file is empty");
	if (!path)
		return say_usage(cli, "which file are the tokens in? "
				      "--tokens FILE or $PAKHUS_TOKENS says");
	*out = path;
	return CLI_DONE;
}

/* The server reads the file and looks at nothing else of it. */
static void warn_exposed(const struct cli *cli, const char *path)
{
	struct stat st;

	if (!stat(path, &st) && tokens_is_exposed(&st))
		say(cli, "note: others than its owner may read or write %s: "
			 "chmod 600 it", path);
}

/* ---- What a token is, printed ---- */

/* Freed by the caller. */
static char *grants_of(const struct token *token)
{
	struct text t = {0};

	token_put_grants(token, &t);
	return mem_need(t.is_failed ? NULL : t.data);
}

static char *time_of(uint64_t when)
{
	struct text t = {0};

	token_put_time(when, &t);
	return mem_need(t.is_failed ? NULL : t.data);
}

/* secret NULL: it is not known any more. */
static void print_json(const struct token *token, const char *secret)
{
	char *grants = grants_of(token), *expires = time_of(token->expires);
	char *created = time_of(token->created);
	struct obj obj = obj_begin(stdout);

	obj_string(&obj, "name", token->name);
	if (secret)
		obj_string(&obj, "secret", secret);
	obj_strings(&obj, "scopes", grants);
	if (token->expires)
		obj_string(&obj, "expires", expires);
	else
		obj_raw(&obj, "expires", "null", 4);
	obj_string(&obj, "created", created);
	if (!secret)
		obj_bool(&obj, "expired",
			 token_has_expired(token, (uint64_t)time(NULL)));
	obj_end(&obj);
	free(grants);
	free(expires);
	free(created);
}

/* ---- create ---- */

static int read_scopes(const struct cli *cli, struct token *token)
{
	const char *scopes = cli->value[OPT_SCOPE];
	char why[160];
	int rc;

	if (!scopes)
		return say_usage(cli, "what may it do? --scope says, as in "
				      "--scope publish:com.acme.*");
	rc = token_grant(token, scopes, strlen(scopes), why);
	if (rc == PAKHUS_ENOMEM)
		mem_need(NULL);
	if (rc)
		return say_usage(cli, "--scope: %s: %s", scopes, why);
	return CLI_DONE;
}

static int add(const struct cli *cli, const char *path,
	       const struct token *token, const char *secret)
{
	struct pakhus_error err = {0};

	if (tokens_add(path, token, &err))
		return say_error(cli, NULL, &err);
	warn_exposed(cli, path);
	if (cli->value[OPT_JSON])
		print_json(token, secret);
	else
		puts(secret);
	out_flush();
	/* A secret that nobody saw opens nothing. */
	if (out_failed() && tokens_remove(path, token->name, &err))
		return say_error(cli, NULL, &err);
	return CLI_DONE;
}

static int create(const struct cli *cli, const char *path)
{
	const char *name = cli->operand[1];
	char secret[BEARER_SIZE + 1];
	struct token token = {.created = (uint64_t)time(NULL)};
	uint64_t life = 0;
	int rc, sys;

	if (!token_is_name(name, strlen(name)))
		return say_usage(cli, "a name has 1 to %d of A-Z a-z 0-9 . _ "
				      "-, which \"%s\" has not",
				 TOKEN_NAME_MAX, name);
	memcpy(token.name, name, strlen(name));
	rc = args_duration(cli, OPT_EXPIRES, 1, &life);
	if (rc)
		return rc;
	token.expires = life ? token.created + life : 0;
	rc = read_scopes(cli, &token);
	if (!rc) {
		sys = token_new_secret(&token, secret);
		rc = sys ? say_failed(cli, CLI_FAILED, "no random bytes: %s",
				      strerror(sys))
			 : add(cli, path, &token, secret);
	}
	explicit_bzero(secret, sizeof(secret));
	token_release(&token);
	return rc;
}

/* ---- list ---- */

static void print_row(struct table *table, const struct token *token,
		      bool is_terminal)
{
	char *grants = grants_of(token), *expires = time_of(token->expires);
	char *created = time_of(token->created);
	const char *cells[] = {token->name, grants, expires, created};

	if (is_terminal)
		table_row(table, cells);
	else
		printf("%s\t%s\t%s\t%s\n", token->name, grants, expires,
		       created);
	free(grants);
	free(expires);
	free(created);
}

static int list(const struct cli *cli, const char *path)
{
	static const char *const heads[] = {"NAME", "SCOPES", "EXPIRES",
					    "CREATED"};
	struct table table = {.heads = heads, .columns = 4};
	struct pakhus_error err = {0};
	struct tokens *tokens;
	size_t i;

	if (tokens_read(path, &tokens, NULL, &err))
		return say_error(cli, NULL, &err);
	warn_exposed(cli, path);
	for (i = 0; i < tokens->count; i++) {
		if (cli->value[OPT_JSON])
			print_json(&tokens->items[i], NULL);
		else
			print_row(&table, &tokens->items[i],
				  out_is_terminal());
	}
	table_flush(&table);
	table_release(&table);
	tokens_free(tokens);
	return CLI_DONE;
}

/* ---- revoke ---- */

static int revoke(const struct cli *cli, const char *path)
{
	const char *name = cli->operand[1];
	struct pakhus_error err = {0};
	struct obj obj;

	if (tokens_remove(path, name, &err))
		return say_error(cli, NULL, &err);
	if (cli->value[OPT_JSON]) {
		obj = obj_begin(stdout);
		obj_string(&obj, "name", name);
		obj_bool(&obj, "revoked", true);
		obj_end(&obj);
	} else {
		printf("revoked %s\n", name);
	}
	return CLI_DONE;
}

/* ---- which of the three ---- */

static const struct {
	const char *name;
	int operands; /* its own name included */
	int (*run)(const struct cli *cli, const char *path);
} ways[] = {
	{"create", 2, create},
	{"list", 1, list},
	{"revoke", 2, revoke},
};

int cmd_token(const struct cli *cli)
{
	const char *what = cli->operand[0], *path = NULL;
	size_t i;
	int rc;

	for (i = 0; i < sizeof(ways) / sizeof(*ways); i++)
		if (!strcmp(ways[i].name, what))
			break;
	if (i == sizeof(ways) / sizeof(*ways))
		return say_usage(cli, "create, list and revoke are what can be "
				      "done with tokens, not %s", what);
	if (cli->operands != ways[i].operands)
		return say_usage(cli, ways[i].operands == 1
				 ? "%s takes no name"
				 : "%s takes the name of a token", what);
	if (i && cli->value[OPT_SCOPE])
		return say_usage(cli, "--scope goes with create");
	if (i && cli->value[OPT_EXPIRES])
		return say_usage(cli, "--expires goes with create");
	rc = find_file(cli, &path);
	return rc ? rc : ways[i].run(cli, path);
}
