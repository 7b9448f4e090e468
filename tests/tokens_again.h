/* tokens_again.h - a text of tokens that is taken is written again, and that
 * is read and written once more: both are the same. */
#ifndef TOKENS_AGAIN_H
#define TOKENS_AGAIN_H

#include <stdlib.h>
#include <string.h>

#include "../tools/server/tokens.h"

static inline int tokens_text(const char *text, size_t size, struct text *out)
{
	struct tokens *tokens;
	size_t i;

	if (tokens_parse(text, size, &tokens, NULL))
		return 0;
	for (i = 0; i < tokens->count; i++)
		token_put(&tokens->items[i], out);
	tokens_free(tokens);
	return 1;
}

/* 0: refused, 1: taken, -1: it did not come back. */
static inline int tokens_again(const char *text, size_t size)
{
	struct text one = {0}, two = {0};
	int rc = 0;

	if (tokens_text(text, size, &one))
		rc = !tokens_text(one.data ? one.data : "", one.size, &two) ||
			one.size != two.size ||
			(one.size && memcmp(one.data, two.data, one.size))
			? -1 : 1;
	text_free(&one);
	text_free(&two);
	return rc;
}

#endif
