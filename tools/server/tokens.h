/* tokens.h - who may do what: a text of lines, each of which is a token.
 *
 *	# name  SHA-256 of the secret  grants  expires  created
 *	ci-acme 9f86…0a08 publish:com.acme.*,read:* 2027-02-21T09:00:00Z 2026-…
 *
 * Five fields, blanks between them; empty lines and those that begin with #
 * mean nothing. A name has 1 to 50 of A-Z a-z 0-9 . _ - and is there once. A
 * grant is a scope, and behind a colon the packages that it is for:
 *
 *	com.acme.crm    that package
 *	com.acme.*      those whose id begins with "com.acme."
 *	*               all of them, as where there is no colon
 *
 * A '*' comes last and behind a '.', a '/' or nothing, so that no grant takes
 * in com.acmeevil by accident. The scopes are read, publish (which is read
 * too), delete, and admin, which is all of them and has no packages. Times are
 * UTC; "-" expires never.
 *
 * A text is taken whole or not at all: who may do what is not guessed.
 */
#ifndef TOKENS_H
#define TOKENS_H

#include <stddef.h>
#include <stdint.h>

#include "access.h"
#include "bearer.h"
#include "digest.h"
#include "pakhus.h"
#include "text.h"

#define TOKENS_TEXT_MAX ((size_t)4 << 20)
enum { TOKEN_NAME_MAX = 50, TOKEN_GRANTS_MAX = 32 };

struct grant {
	enum scope scope; /* read, publish, delete or admin */
	int is_prefix;	  /* id is what ids begin with; "": all of them */
	char id[PAKHUS_ID_MAX + 1];
};

struct token {
	char name[TOKEN_NAME_MAX + 1];
	unsigned char digest[DIGEST_SIZE];
	struct grant *grants;
	size_t grant_count;
	uint64_t expires; /* seconds since 1970; 0: never */
	uint64_t created;
	size_t line; /* of the text, from 1 */
};

/* Those of one text; they do not change, and threads may share them. */
struct tokens {
	size_t count;
	struct token *items;
};

/* The text need not end with a NUL. PAKHUS_EINVAL and PAKHUS_ELIMIT begin
 * with "line N: ". Free with tokens_free(). */
int tokens_parse(const char *text, size_t size, struct tokens **out,
		 struct pakhus_error *err);
void tokens_free(struct tokens *tokens);
/* NULL where there is none. Takes the same time for each, and for none. */
const struct token *tokens_find(const struct tokens *tokens,
				const unsigned char digest[DIGEST_SIZE]);
const struct token *tokens_named(const struct tokens *tokens,
				 const char *name);

/* A new secret, whose SHA-256 the token has then; 0, or an errno. */
int token_new_secret(struct token *token, char secret[BEARER_SIZE + 1]);
int token_is_name(const char *name, size_t size);
int token_has_expired(const struct token *token, uint64_t now);
/* Whether it may do scope on the package id; NULL: on all of them. */
int token_may(const struct token *token, enum scope scope, const char *id);
/* Whether there is any package on which it may. */
int token_may_some(const struct token *token, enum scope scope);

/* "publish:com.acme.*,read:*" into token->grants, in memory that is freed with
 * token_release(). What is wrong goes into why, or it is "". */
int token_grant(struct token *token, const char *text, size_t size,
		char why[160]);
void token_release(struct token *token);
/* The same backwards, and "2027-02-21T09:00:00Z" or "-". */
void token_put_grants(const struct token *token, struct text *t);
void token_put_time(uint64_t time, struct text *t);
/* The whole line, its newline included. */
void token_put(const struct token *token, struct text *t);

#endif
